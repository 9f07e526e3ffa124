"""The look at blocking calls between the link and the plan: each is shown to its rule, which answers with a Site."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from asyncfix.bridge import NAMES, Bridge, direct
from asyncfix.facts.testfiles import is_test
from asyncfix.flow import last_name
from asyncfix.model import Api, NotPatched, Site, Span, Value
from asyncfix.registry import rule_for, rules
from asyncfix.source import Source
from asyncfix.transform import BlockTransform, Look, Rule, Tree, Watch


class Wanted(Value, frozen=True):
    """A call to look at: its span, the API row it was linked to, the qualified name of the function it stands in.

    ``bridged``: the call hands one of the API to a thread. ``watched``: the call need not block; rules watch it. ``way``: how
    async code comes to a watched call, '' if it does not, or if nobody wants to know. ``looped``: likewise, who calls its
    function in a loop.
    """

    span: Span
    api: Api
    owner: str
    bridged: bool = False
    watched: bool = False
    way: str = ""
    looped: str = ""


def survey(
    path: str, data: bytes, wanted: Sequence[Wanted], among: Sequence[Rule], scanning: Collection[str] = ()
) -> tuple[Site, ...]:
    """The Site of every wanted call, in order; refused where the file has no such call or no rule takes it.

    ``scanning``: names of the rules that are shown the whole file, or watch calls; their Sites follow. Raises Unreadable.
    """
    source = Source(path, data)
    module = _parsed(source)
    tree = Tree(
        source, module, frozenset(_packages(module)), {item.span: item.api for item in wanted if not item.watched}
    )
    calls = {source.span(node): node for node in ast.walk(module) if isinstance(node, ast.Call)}
    scanned = (
        site for rule in among if isinstance(rule, BlockTransform) and rule.name in scanning for site in rule.scan(tree)
    )
    handed = [item for item in wanted if item.bridged]
    watched = (
        site for item in wanted if item.watched for site in _watched(tree, calls.get(item.span), item, among, scanning)
    )
    bridged = iter(_bridged(source, handed, among) if handed else ())
    return (
        *(
            next(bridged) if item.bridged else _site(tree, calls.get(item.span), item, among)
            for item in wanted
            if not item.watched
        ),
        *scanned,
        *watched,
    )


def survey_bytes(item: bytes) -> bytes:
    """`survey` with all rules as a task of a worker: msgpack of (path, data, wanted, scanning) in, of the Sites out."""
    path, data, wanted, scanning = msgspec.msgpack.decode(
        item, type=tuple[str, bytes, tuple[Wanted, ...], frozenset[str]]
    )
    return msgspec.msgpack.encode(survey(path, data, wanted, rules(), scanning))


def _site(tree: Tree, node: ast.Call | None, wanted: Wanted, among: Sequence[Rule]) -> Site:
    rule = rule_for(wanted.api, among)
    if rule is None:
        return _refused(wanted, "no-rule", f"no rule knows what to do about {wanted.api.call}")
    if node is None and wanted.api.flow == "lock":
        why = "a lock, event or thread of `threading` needs its asyncio counterpart"
        return _refused(wanted, "thread-lock", why, rule.name)
    if node is None and wanted.api.call.endswith((".__iter__", ".__next__")):
        why = f"{wanted.api.call} does its work where it is iterated, which is no call that a thread could run"
        return _refused(wanted, "lazy", why, rule.name)
    if node is None:
        return _refused(wanted, "not-found", "the call was not found where it should stand", rule.name)
    return rule.examine(Look(tree, node, wanted.api, wanted.owner))


def _watched(
    tree: Tree, node: ast.Call | None, wanted: Wanted, among: Sequence[Rule], scanning: Collection[str]
) -> Iterator[Site]:
    """The Sites of a call that rules watch."""
    in_test = is_test(tree.source.path)
    for rule in among:
        if node is None or not isinstance(rule, Watch) or rule.name not in scanning or (in_test and not rule.in_tests):
            continue
        if wanted.api.call in rule.watches and (wanted.way or not rule.reached):
            site = rule.examine(Look(tree, node, wanted.api, wanted.owner, wanted.way, wanted.looped))
            if site is not None:
                yield site


def _bridged(source: Source, wanted: Sequence[Wanted], among: Sequence[Rule]) -> Iterator[Site]:
    """The Sites of calls that threads run: the rules are shown the file as it is where these stand for themselves."""
    module = _parsed(source)
    found = direct(source, module, {item.span for item in wanted})
    tree = Tree(source, module, frozenset(_packages(module)))
    for item in wanted:
        bridge, rule = found.get(item.span), rule_for(item.api, among)
        if rule is None or not rule.bridged:
            yield _refused(item, "no-native-form", f"{item.api.call} has no native form", rule.name if rule else "")
        elif bridge is None or not _names(bridge, item.api):
            why = "what the thread runs is not awaited there by itself (but overlapped with others, say), or not written out"
            yield _refused(item, "not-plain", why, rule.name)
        else:
            yield _unbridged(source, rule.examine(Look(tree, bridge.call, item.api, item.owner)), bridge)


def _names(bridge: Bridge, api: Api) -> bool:
    """Whether what a lambda calls first is the call in question; of a function that is handed over the link knows."""
    called = bridge.call.func
    name = last_name(called)
    return bridge.function is not None or name == api.call.rpartition(".")[2]


def _unbridged(source: Source, site: Site, bridge: Bridge) -> Site:
    """The Site of a call that a thread runs, from that of the call itself: without the forms by which a thread would run it."""
    call, kept = source.span(bridge.outer), NotPatched(NAMES)
    forms = tuple(replace(form, requires=(*form.requires, kept)) for form in site.forms if not form.in_thread)
    if not forms:
        why = site.why or next((form.note for form in site.forms if form.note), f"{site.api} has no native form")
        refusal = site.refusal or "no-native-form"
        return replace(site, span=call, call=call, forms=(), refusal=refusal, why=why, bridged=True)
    return replace(site, span=bridge.replaced(source), call=call, forms=forms, bridged=True)


def _parsed(source: Source) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes of other people's code are not our business
        return source.parse()


def _refused(wanted: Wanted, code: str, why: str, rule: str = "") -> Site:
    return Site(rule, wanted.api.call, wanted.span, wanted.span, wanted.owner, (), refusal=code, why=why)


def _packages(module: ast.Module) -> Iterator[str]:
    """The top-level packages that are imported anywhere in the file."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
