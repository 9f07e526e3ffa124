"""Whether a StopIteration may come out of a thread: it would never arrive, and who awaits the thread would wait for ever."""

from __future__ import annotations

from asyncfix.effects.reach import STOP, STOPS, Reach
from asyncfix.link.patches import replacing
from asyncfix.link.waiting import Guard
from asyncfix.model import Barred, Span
from asyncfix.plan.facts import Facts
from asyncfix.plan.interleave import Suspension


def barred(facts: Facts, reach: Reach, suspension: Suspension, span: Span) -> Barred | None:
    """Why the code in ``span``, which has this reach, may not run in a thread."""
    if reach.stops is not None:
        return reach.stops if _awaited(facts, suspension) else None
    guard = _guarded(facts, suspension)
    if guard is None or not _open(facts, suspension.function, span):
        return None
    why = f"something waits for a StopIteration ({guard.where(facts.index)}), and one out of a thread hangs its waiter"
    return Barred(STOPS, why)


def _awaited(facts: Facts, suspension: Suspension) -> bool:
    """Out of sync code that is migrated none comes but by mistake, unless something above waits for one."""
    waits = any(
        entity.name == STOP
        for path, handler in facts.handlers(suspension.function, suspension.span)
        for entity in facts.index.evaluator.all(path, handler.types)
    )
    return waits or facts.index.fact(suspension.function).is_async or facts.ends is None


def _guarded(facts: Facts, suspension: Suspension) -> Guard | None:
    """What waits, somewhere above, for a StopIteration of which nothing is seen: the double of a test may raise it."""
    above = facts.above(suspension.function)
    for guard in facts.index.guards:
        if guard.seen or guard.function not in above:
            continue
        here = guard.function == suspension.function and guard.body.contains(suspension.span)
        if here or suspension.function in facts.effects.names(guard.function, guard.body):
            return guard
    return None


def _open(facts: Facts, function: str, span: Span) -> bool:
    """Whether the code may call something of which nothing is seen: nobody knows what, or what is replaced at run time."""
    inside = facts.effects.names(function, span)
    if any(name in facts.limits.replaced or name in facts.mocked for name in inside):
        return True
    parts = ((function, span), *((name, facts.index.fact(name).span) for name in inside))
    return any(_meets(facts, owner, part) for owner, part in parts)


def _meets(facts: Facts, function: str, span: Span) -> bool:
    """Whether a part of one function does so itself."""
    index = facts.index
    if any(span.contains(call.span) for call in index.unknown.get(function, ())):
        return True
    names = {external.name for external in index.externals.get(function, ()) if span.contains(external.call.span)}
    patches = (patch for name in sorted(names) for patch in replacing(facts.tests, index, name, index.path(function)))
    return facts.in_force(patches, function) is not None
