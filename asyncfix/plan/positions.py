"""Files that are read or written at a place that was set before: between the two another task may set it anew."""

from __future__ import annotations

from asyncfix.effects.keys import said
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Barred, Call, Span
from asyncfix.plan.facts import Facts
from asyncfix.plan.interleave import Suspension

SETTING = "seek"
GOING_ON = frozenset({"read", "readinto", "readline", "readlines", "write", "writelines", "truncate"})


def moved(facts: Facts, suspension: Suspension, span: Span) -> Barred | None:
    """Why the code in ``span`` may not run in a thread: it goes on at a place of a file that others can reach, and that was
    set before. In sync code that is migrated there is no other task yet."""
    index, function = facts.index, suspension.function
    if facts.ends is not None and not index.fact(function).is_async:
        return None
    inside = facts.effects.names(function, span)
    return _set_before(facts, function, span) or next(
        (found for name in inside if (found := _set_before(facts, name, index.fact(name).span, given=False))), None
    )


def _set_before(facts: Facts, function: str, span: Span, *, given: bool = True) -> Barred | None:
    """``given``: of what the function is given, too."""
    path = facts.index.path(function)
    for call in _methods(facts.index, function, GOING_ON):
        for earlier in _methods(facts.index, function, frozenset({SETTING})) if span.contains(call.span) else ():
            key = facts.effects.keys.of(path, _receiver(call))[0] if _receiver(earlier) == _receiver(call) else ""
            if key and (given or not key.startswith("argument ")) and earlier.span.end <= call.span.start:
                why = f"another task may `seek` in {said(key)} before this is done ({path}:{earlier.line})"
                return Barred("shared-file", why)
    return None


def _methods(index: ProjectIndex, function: str, names: frozenset[str]) -> tuple[Call, ...]:
    calls = index.fact(function).calls
    return tuple(call for call in calls if call.targets and call.targets[0].rpartition(".")[2] in names)


def _receiver(call: Call) -> str:
    return call.targets[0].rpartition(".")[0]
