"""The look at blocking calls between the link and the plan: each is shown to its rule, which answers with a Site."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator, Sequence

import msgspec

from asyncfix.model import Api, Site, Span, Value
from asyncfix.registry import rule_for, rules
from asyncfix.source import Source
from asyncfix.transform import BlockTransform, Look, Rule, Tree


class Wanted(Value, frozen=True):
    """A call to look at: its span, the API row it was linked to, the qualified name of the function it stands in."""

    span: Span
    api: Api
    owner: str


def survey(
    path: str, data: bytes, wanted: Sequence[Wanted], among: Sequence[Rule], scanning: Collection[str] = ()
) -> tuple[Site, ...]:
    """The Site of every wanted call, in order; refused where the file has no such call or no rule takes it.

    ``scanning``: names of rules that are shown the whole file; their Sites follow. Raises Unreadable.
    """
    source = Source(path, data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes of other people's code are not our business
        module = source.parse()
    tree = Tree(source, module, frozenset(_packages(module)), {item.span: item.api for item in wanted})
    calls = {source.span(node): node for node in ast.walk(module) if isinstance(node, ast.Call)}
    scanned = (
        site for rule in among if isinstance(rule, BlockTransform) and rule.name in scanning for site in rule.scan(tree)
    )
    return (*(_site(tree, calls.get(item.span), item, among) for item in wanted), *scanned)


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


def _refused(wanted: Wanted, code: str, why: str, rule: str = "") -> Site:
    return Site(rule, wanted.api.call, wanted.span, wanted.span, wanted.owner, (), refusal=code, why=why)


def _packages(module: ast.Module) -> Iterator[str]:
    """The top-level packages that are imported anywhere in the file."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
