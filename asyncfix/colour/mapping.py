"""Functions that ``map`` and ``filter`` are given, where what these give is gone through on the spot: a comprehension awaits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from asyncfix.colour.generators import collecting
from asyncfix.link.callbacks import HANDED
from asyncfix.link.index import Edge, Loose, ProjectIndex
from asyncfix.model import Call

FILTER = "builtins.filter"
KINDS = {"builtins.map": "mapped", FILTER: "filtered"}
LAMBDA = "lambda"
MOST = 2  # so many things a function is called with by ``map``, if it has a name
MAPPED = tuple(KINDS.values())


def mapped(index: ProjectIndex, edge: Edge) -> tuple[Call, str] | None:
    """The call of ``map`` or ``filter`` that is given the function of an edge, and the kind of use by which it is written;
    None if it is no such call, or cannot be."""
    site = edge.site
    if not isinstance(site, Call) or site.use not in HANDED or site.taken is None or not collecting(site.taken.by):
        return None
    for external in index.externals.get(edge.caller, ()):
        call = external.call
        given = call.span == site.span and call.use not in HANDED and (call.arguments[0].ref,) == site.targets
        if external.name in KINDS and given and _fits(index, edge, call, external.name == FILTER):
            return call, KINDS[external.name]
    return None


def _fits(index: ProjectIndex, edge: Edge, call: Call, filters: bool) -> bool:
    """Whether a call of ``map`` or ``filter`` could be written as a comprehension that awaits the function of an edge."""
    given, function = call.arguments[1:], index.fact(edge.callee)
    inside = [other for other in index.fact(edge.caller).calls if other != call and call.span.contains(other.span)]
    if any(item.keyword for item in call.arguments) or not given:
        return False
    if function.kind != LAMBDA:  # one made on the spot would be made for each
        return len(given) <= (1 if filters else MOST) and not any(other.tight for other in inside)
    # The condition of a comprehension stands behind what it goes through: that is moved, and must be left as it is.
    return function.is_plain and len(function.parameters) == len(given) and not (filters and inside)


def unfolds(index: ProjectIndex, name: str) -> bool:
    """Whether a lambda is nothing but what ``map`` or ``filter`` is given, so that its body comes to stand in a comprehension."""
    callers = index.callers.get(name, ())
    return index.fact(name).kind == LAMBDA and bool(callers) and all(mapped(index, edge) for edge in callers)


def passed_otherwise(index: ProjectIndex, function: str, places: Collection[Loose]) -> tuple[Loose, ...]:
    """The places at which a function is passed on, less those at which a comprehension will call it."""
    lines: Counter[tuple[str, int]] = Counter()
    for edge in index.callers.get(function, ()) if places else ():
        found = mapped(index, edge)
        if found is not None:
            lines.update((edge.caller, line) for line in range(found[0].line, found[0].end_line + 1))
    left: list[Loose] = []
    for place in places:
        if lines[place.owner, place.line]:
            lines[place.owner, place.line] -= 1
        else:
            left.append(place)
    return tuple(left)
