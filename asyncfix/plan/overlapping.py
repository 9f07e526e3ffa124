"""Whether awaits that do not need each other's results may overlap: what each of them runs, reads, writes and waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from asyncfix.effects.keys import said
from asyncfix.effects.output import output
from asyncfix.effects.touch import Where
from asyncfix.link.callbacks import HANDED
from asyncfix.link.index import External
from asyncfix.model import Api, Call, Overlap, Span
from asyncfix.plan.facts import Facts
from asyncfix.plan.locks import limited_by
from asyncfix.plan.verdict import HOLDS, Verdict

READ = "read"
TOLD = ("file", "metadata", "computation")
"""Flows of which the effects tell what is changed."""
ALONE = ("process", "queue", "input", "lock")
"""Flows of which only one is to go on at a time, or that others see."""
DRAWING = ("random.", "numpy.random.")
AWAITED = "awaited"
WAITED = (AWAITED, *HANDED)
SLEEP = "asyncio.sleep"
IN_THREAD = frozenset({"asyncio.to_thread"})
CHANGING = frozenset({"post", "put", "patch", "delete", "send", "request"})
"""Methods of HTTP that change something on the other side, or may."""


@dataclass(slots=True)
class _Member:
    """What is known of one of the awaits. ``against``: code and reason why it may not overlap with others."""

    waits: bool = False
    unknown: list[str] = field(default_factory=lambda: list[str]())
    against: list[tuple[str, str]] = field(default_factory=lambda: list[tuple[str, str]]())


def overlap(facts: Facts, condition: Overlap, function: str) -> Verdict:
    """Judge awaits of one function. What speaks against bars; what is not known leaves it unproven."""
    members = [_examine(facts, function, span) for span in condition.calls]
    against = next((item for member in members for item in member.against), None)
    if against is not None:
        return Verdict("bars", against[1], against[0])
    if sum(member.waits for member in members) < 2:
        return Verdict("bars", "fewer than two of them wait for anything: there is nothing to gain", "never-waits")
    unknown = next((why for member in members for why in member.unknown), "")
    if unknown and condition.shared:
        why = f"more than one uses {condition.shared[0]}, which may take one call at a time: {unknown}"
        return Verdict("bars", why, "shared-object")
    if unknown:
        return Verdict("fails", f"overlapping starts later calls although an earlier one fails: {unknown}", "unproven")
    if condition.late:
        return Verdict("fails", f"{condition.late[0]} is now evaluated before any of the calls begins", "unproven")
    return HOLDS


def _examine(facts: Facts, function: str, span: Span) -> _Member:
    member = _Member()
    _code(facts, member, function, span)
    return member


def _code(facts: Facts, member: _Member, function: str, span: Span | None) -> None:
    """Note what the code in a span of a function (all of it if None) runs."""
    reading: dict[Span, str] = {}
    for path, external in _externals(facts, function, span):
        _external(facts, member, path, external, reading)
    limiting = limited_by(facts.effects, function, span)
    if limiting:
        member.against.append(("limited", f"{limiting} lets in so many at a time: they would wait for each other"))
    reach = facts.effects.reach(function, span, beside=True)
    if reach.unknown:
        member.waits = True
        member.unknown.append(reach.unknown)
    for touch in reach.touches:
        if not touch.writes:
            continue
        if touch.span in reading:
            member.unknown.append(f"{reading[touch.span]} may keep what it is given for the next call ({touch.where})")
        else:
            member.against.append(("writes", f"it writes {said(touch.key)} ({touch.where})"))


def _externals(facts: Facts, function: str, span: Span | None) -> Iterator[tuple[str, External]]:
    """The calls of libraries that code runs, each with the path of its file."""
    index = facts.index
    own = (each for each in index.externals.get(function, ()) if span is None or span.contains(each.call.span))
    yield from ((index.path(function), each) for each in own)
    for name in facts.effects.names(function, span):
        yield from ((index.path(name), each) for each in index.externals.get(name, ()))


def _external(facts: Facts, member: _Member, path: str, external: External, reading: dict[Span, str]) -> None:
    """Note what one call of a library means for the overlap."""
    catalog, name, where = facts.index.catalog, external.name, Where(path, external.call.line)
    row = catalog.harmless(name) or catalog.blocking(name)
    if row is None:
        return  # what is not known is told by the effects
    if name in IN_THREAD:
        _threaded(facts, member, path, external.call)
    elif name == SLEEP:
        _sleeps(member, external.call, where)
    elif row.outside == READ:
        member.waits = member.waits or external.call.use in WAITED
        reading[external.call.span] = name
    elif (external.call.use == AWAITED and not catalog.is_class(name)) or row.flow:
        _outside(member, row, external, where)
    elif output(facts.index, path, name, external.call) is not None:
        member.against.append(("order", f"{name} writes what others see in its order ({where})"))
    elif name.startswith(DRAWING):
        member.against.append(("order", f"{name} gives one number after the other ({where})"))
    elif name.startswith("logging."):
        member.unknown.append(f"{name} writes what others see in its order ({where})")
    elif "context" in (row.writes or ()):
        member.against.append(("context", f"{name} sets a context variable, which a task would lose ({where})"))
    elif "loop" in (*(row.reads or ()), *(row.writes or ())):
        member.against.append(("loop-api", f"{name} works on the event loop ({where})"))


def _threaded(facts: Facts, member: _Member, path: str, call: Call) -> None:
    """Note what a thread is given to run."""
    member.waits = True
    where = Where(path, call.line)
    meant = facts.index.evaluator.evaluate(path, call.arguments[0].ref) if call.arguments else ()
    if not meant:
        member.unknown.append(f"what the thread runs is not known ({where})")
    for entity in meant:
        row = facts.index.catalog.harmless(entity.name) or facts.index.catalog.blocking(entity.name)
        if entity.kind in ("function", "method"):
            _code(facts, member, entity.name, None)
        elif row is None or entity.kind not in ("external", "value"):
            member.unknown.append(f"what the thread runs is not known ({where})")
        elif row.outside != READ and not (row.flow in TOLD and row.writes == ()):
            member.against.append(("order", f"{entity.name} does what others see in its order ({where})"))


def _sleeps(member: _Member, call: Call, where: Where) -> None:
    """Note a sleep: time that is to pass before what comes next, if it is more than a turn of the event loop."""
    if [item.literal for item in call.arguments] != ["0"]:
        member.waits = True
        member.unknown.append(f"it sleeps, and what comes after it may count on that ({where})")


def _outside(member: _Member, row: Api, external: External, where: Where) -> None:
    """Note a call that does something outside the process: who runs it waits, unless it blocks."""
    name = external.name
    member.waits = member.waits or external.call.use in WAITED
    if row.flow in ALONE or name.rpartition(".")[2] in CHANGING:
        member.against.append(("order", f"{name} does what others see in its order ({where})"))
    elif row.flow not in TOLD:
        member.unknown.append(f"whether {name} changes anything is not known ({where})")
