"""Functions that a framework runs in threads while they are sync: what would block the event loop if they were coroutines.

In a thread of its own a blocking call holds up nobody. So all that such a function reaches must be converted with it, or be
known not to block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from asyncfix.effects.keys import pretty
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Decision, Rewrite, Site, Span, Use
from asyncfix.plan.facts import Facts
from asyncfix.plan.leaves import Blocking, blocks

BOUND = "thread-bound"
BRIEF = "metadata"  # of a file: a thread costs more than it saves


def beneath(index: ProjectIndex, function: str, decisions: Iterable[Decision]) -> tuple[str, ...]:
    """The function and all sync code that it runs itself, nearest first: what is handed to a thread it does not."""
    found = {function}
    away = _away(decisions)
    for name in (order := [function]):
        spans = away.get(index.path(name), ())
        for edge in index.calls.get(name, ()):
            new = edge.callee not in found and not index.fact(edge.callee).is_async
            if new and not any(span.contains(edge.span) for span in spans):
                found.add(edge.callee)
                order.append(edge.callee)
    return tuple(order)


def obstacle(facts: Facts, blocking: Blocking, function: str, decisions: Iterable[Decision]) -> str:
    """The first thing that the function reaches and that none of the decisions converts, as a sentence with its place; ''
    if nothing would block."""
    away = _away(decisions)
    sites = _sites(decisions)
    for name in beneath(facts.index, function, decisions):
        path = facts.index.path(name)
        done = (*away.get(path, ()), *_rewritten(blocking, name, sites.get(path, ())))
        own = ((line, why) for span, line, why in _own(facts, name) if not any(each.contains(span) for each in done))
        line, why = next(own, (facts.index.fact(name).line, ""))
        odd = facts.effects.decorated(name) if name != function else ""
        if why or odd:
            return f"{why or f'{name} has a decorator that may do anything, {odd}'} ({path}:{line})"
    return ""


def _away(decisions: Iterable[Decision]) -> Mapping[str, Sequence[Span]]:
    """What runs in threads afterwards, by path."""
    found: dict[str, list[Span]] = {}
    for item in decisions:
        if isinstance(item, Use) and item.kind == "thread":
            found.setdefault(item.path, []).append(item.span)
        elif isinstance(item, Rewrite) and any(form.name == item.form and form.in_thread for form in item.site.forms):
            found.setdefault(item.path, []).append(item.site.span)
    return found


def _sites(decisions: Iterable[Decision]) -> Mapping[str, Sequence[Site]]:
    """The sites that are rewritten, by path."""
    found: dict[str, list[Site]] = {}
    for item in decisions:
        if isinstance(item, Rewrite):
            found.setdefault(item.path, []).append(item.site)
    return found


def _rewritten(blocking: Blocking, function: str, sites: Sequence[Site]) -> Iterator[Span]:
    """The calls of a function that block no more."""
    yield from (site.call for site in sites)
    for leaf in blocking.by_function.get(function, ()):
        if any(site.rule == leaf.rule and site.span.contains(leaf.call.span) for site in sites):
            yield leaf.call.span


def _own(facts: Facts, function: str) -> Iterator[tuple[Span, int, str]]:
    """What in a function's own code blocks, or is not known: its place, and a sentence."""
    index, path = facts.index, facts.index.path(function)
    unknown = index.unknown.get(function, ())
    for external in index.externals.get(function, ()):
        call, name = external.call, external.name
        row = index.catalog.blocking(name)
        if row is not None and row.flow != BRIEF and call.use not in ("awaited", "decorator"):
            if blocks(index, external, row):
                yield call.span, call.line, f"{name} blocks"
        elif row is None and index.catalog.harmless(name) is None and call not in unknown:
            yield call.span, call.line, f"{name} may block"
    for call in unknown:
        name = facts.effects.unknown_call(path, call, [])
        if name:
            yield call.span, call.line, f"{pretty(name)} is not known, and may block"
    fact = index.fact(function)
    lines = {access.span: access.line for access in fact.accesses} | {call.span: call.line for call in fact.calls}
    for span, barred in facts.effects.direct(function).blocked:
        if barred.code == BOUND:
            yield span, lines.get(span, fact.line), barred.why.rpartition(" (")[0]
    for access in fact.operations if not fact.is_async else ():
        if access.kind == "__enter__":
            yield from ((access.span, access.line, why) for why in _entered(facts, path, access.ref))


def _entered(facts: Facts, path: str, ref: str) -> Iterator[str]:
    """What is to be said of a ``with``: it waits for a lock, or nobody knows for what."""
    meant = facts.index.evaluator.evaluate(path, ref)
    for entity in meant:
        row = facts.index.catalog.blocking(f"{entity.name}.acquire") if entity.kind == "value" else None
        if row is not None and row.flow == "lock":
            yield f"{entity.name} is waited for"
    if not meant:
        yield f"{pretty(ref)} is entered, is not known, and may block"
