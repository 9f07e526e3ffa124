"""Whether code keeps a connection of a pool while it asks a pool for one.

One at a time such code needs two connections. Of as many as the pool has, each holds one and all wait for one more: nobody
gives one back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeAlias

from asyncfix.effects.reach import Effects
from asyncfix.model import Call, Span

HELD = "held"
ENTERING = ("__aenter__", "__enter__")
Kept: TypeAlias = dict[str, set[tuple[Span, tuple[str, ...]]]]
"""By function the calls that leave it with a connection: where, and what is called."""


class Connections:
    """The connections that functions take, looked for once."""

    def __init__(self, effects: Effects) -> None:
        self.effects = effects
        self.index = effects.index
        self._nested: dict[str, bool] = {}

    def by(self, names: Iterable[str]) -> str:
        """Why some functions, run several times at once, may all wait for a connection; '' if they will not."""
        found = next((name for name in names if name in self._kept and self._nests(name)), "")
        why = "asks for a connection of a pool while it keeps one: all that run may wait for one more"
        return f"{found} {why}" if found else ""

    @cached_property
    def _taken(self) -> dict[str, list[Span]]:
        """Where functions take a connection of a pool."""
        found: dict[str, list[Span]] = {}
        for name, call, _ in self._calls():
            found.setdefault(name, []).append(call.span)
        return found

    @cached_property
    def _kept(self) -> Kept:
        """Those calls that keep one: of a pool, or of a function that ends, or pauses, with a connection in its hands."""
        found: Kept = {}
        for name, call, keeps in self._calls():
            if keeps:
                found.setdefault(name, set()).add((call.span, call.targets))
        waiting = [name for name in found if self._leaves_open(name, found)]
        seen = set(waiting)
        while waiting:
            for edge in self.index.callers.get(waiting.pop(), ()):
                targets = edge.site.targets if isinstance(edge.site, Call) else ()
                found.setdefault(edge.caller, set()).add((edge.span, targets))
                if edge.caller not in seen and self._leaves_open(edge.caller, found):
                    seen.add(edge.caller)
                    waiting.append(edge.caller)
        return found

    def _calls(self) -> Iterator[tuple[str, Call, bool]]:
        """The calls that take a connection, each with the function, and whether what it gives keeps it."""
        for name, externals in self.index.externals.items():
            for external in externals:
                row = self.index.catalog.harmless(external.name) or self.index.catalog.blocking(external.name)
                if row is not None and row.pooled:
                    yield name, external.call, row.pooled == HELD

    def _leaves_open(self, function: str, kept: Kept) -> bool:
        """Whether a function that keeps one is a context manager, or gives back what it got."""
        fact = self.index.fact(function)
        if fact.is_generator or fact.name in ENTERING:
            return True
        given = tuple(f"{target}()" for _, targets in kept[function] for target in targets)
        return any(ref.startswith(given) for ref in fact.results)

    def _nests(self, function: str) -> bool:
        """Whether a function asks for one while it keeps one."""
        found = self._nested.get(function)
        if found is None:
            inside = (each for span, _ in self._kept[function] for each in self._meanwhile(function, span))
            found = self._nested[function] = any(self._takes(function, span) for span in inside)
        return found

    def _takes(self, function: str, span: Span) -> bool:
        own = any(span.contains(at) for at in self._taken.get(function, ()))
        return own or any(name in self._taken for name in self.effects.names(function, span))

    def _meanwhile(self, function: str, span: Span) -> list[Span]:
        """The calls of a function while it keeps what the call in a span gives: in the block of `async with`, or after it."""
        fact = self.index.fact(function)
        entered = {f"{each.ref}~" for each in fact.operations if each.kind == "__aenter__" and each.span == span}
        if entered:
            return [call.span for call in fact.calls if entered.intersection(call.held)]
        return [call.span for call in fact.calls if call.span.start >= span.end]
