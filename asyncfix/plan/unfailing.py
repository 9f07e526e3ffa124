"""Whether calls can fail at all: where none can, nobody can tell how they are joined."""

from __future__ import annotations

import math
from collections.abc import Iterator

from asyncfix.model import Call, Span, Unfailing
from asyncfix.plan.facts import Facts
from asyncfix.plan.verdict import HOLDS, Verdict

SLEEP = "asyncio.sleep"
MAY_FAIL = "may-fail"


def unfailing(facts: Facts, condition: Unfailing, function: str) -> Verdict:
    """Judge the calls of a function: all they run is coroutine functions of the project in which nothing fails, and sleeps."""
    if all(_cannot_fail(facts, function, span) for span in condition.calls):
        return HOLDS
    return Verdict("fails", condition.reason, MAY_FAIL)


def _cannot_fail(facts: Facts, function: str, span: Span) -> bool:
    index, reach = facts.index, facts.effects.reach(function, span, beside=True)
    if reach.unknown or facts.replacing.builtin() is not None:
        return False
    for name in reach.names:
        if not index.fact(name).is_unfailing or index.rebound.get(name) or not all(_counted(facts, name)):
            return False
    awaited = {edge.callee for edge in index.calls.get(function, ()) if edge.span == span and edge.kind == "call"}
    calls = [*_sleeps(facts, function, span), *(each for name in reach.names for each in _sleeps(facts, name, None))]
    return len(awaited) == 1 and awaited <= set(reach.names) and all(calls)


def _counted(facts: Facts, function: str) -> Iterator[bool]:
    """Of the calls of project functions in one, whether they are given as many arguments as these take."""
    for edge in facts.index.calls.get(function, ()):
        callee = facts.index.fact(edge.callee)
        taken = len(callee.parameters) - (callee.kind in ("method", "classmethod"))
        given = edge.site.arguments if isinstance(edge.site, Call) else ()
        yield edge.kind == "call" and edge.sure and len(given) == taken and not any(each.keyword for each in given)


def _sleeps(facts: Facts, function: str, span: Span | None) -> Iterator[bool]:
    """Of the calls of libraries in a function, whether they sleep for a number of seconds that is written out."""
    for external in facts.index.externals.get(function, ()):
        if span is not None and not span.contains(external.call.span):
            continue
        stated = [each.literal for each in external.call.arguments]
        yield external.name == SLEEP and len(stated) == 1 and _is_number(stated[0]) and not facts.replacing.of(SLEEP)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
