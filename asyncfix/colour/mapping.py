"""Functions that ``map`` and ``filter`` are given, where what these give is gone through on the spot: a comprehension awaits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from asyncfix.colour.generators import collecting
from asyncfix.link.callbacks import HANDED
from asyncfix.link.index import Edge, Loose, ProjectIndex
from asyncfix.model import Call

KINDS = {"builtins.map": "mapped", "builtins.filter": "filtered"}
MAPPED = tuple(KINDS.values())


def mapped(index: ProjectIndex, edge: Edge) -> tuple[Call, str] | None:
    """The call of ``map`` or ``filter`` that is given the function of an edge, and the kind of use by which it is written;
    None if it is no such call, or cannot be."""
    site = edge.site
    if not isinstance(site, Call) or site.use not in HANDED or site.taken is None or not collecting(site.taken.by):
        return None
    for external in index.externals.get(edge.caller, ()):
        call = external.call
        if call.span == site.span and external.name in KINDS and call.use not in HANDED:
            simple = len(call.arguments) == 2 and not any(item.keyword for item in call.arguments)
            made = any(other.tight and call.span.contains(other.span) for other in index.fact(edge.caller).calls)
            if simple and not made and (call.arguments[0].ref,) == site.targets:
                return call, KINDS[external.name]
    return None


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
