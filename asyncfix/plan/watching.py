"""Calls that rules watch for what they call, whether they block or not."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from asyncfix.effects.tables import TRANSPARENT_DECORATORS
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Call, Span
from asyncfix.transform import LOST

Watched = tuple[str, str, Call]
"""The function, what is watched, the call."""


def find(index: ProjectIndex, names: Collection[str]) -> Iterator[Watched]:
    """All calls of things of these names."""
    for function, externals in index.externals.items():
        for external in externals:
            name = index.catalog.canonical(external.name)
            if name in names:
                yield function, name, external.call
    if LOST in names:
        for function, edges in index.calls.items():
            yield from ((function, LOST, call) for call in _lost(index, edges))


def _lost(index: ProjectIndex, edges: list[Edge]) -> Iterator[Call]:
    """Calls that are statements and give a coroutine, whichever function they mean."""
    meant: dict[Span, tuple[Call, list[Edge]]] = {}
    for edge in edges:
        if isinstance(edge.site, Call) and edge.site.alone and edge.site.use == "plain":
            meant.setdefault(edge.span, (edge.site, []))[1].append(edge)
    for call, found in meant.values():
        if all(edge.kind == "call" and edge.sure and _gives_coroutine(index, edge.callee) for edge in found):
            yield call


def _gives_coroutine(index: ProjectIndex, function: str) -> bool:
    """Whether a call of the function gives a coroutine, and nothing else has a hand in it."""
    fact = index.fact(function)
    return fact.is_async and not fact.is_generator and TRANSPARENT_DECORATORS.issuperset(fact.decorators)
