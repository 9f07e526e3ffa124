"""Which functions some code runs, however far down, and which of them on objects that it made itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TypeAlias

from asyncfix.effects.getters import Getters
from asyncfix.effects.implied import implied
from asyncfix.effects.keys import Keys
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Call, Span

Run: TypeAlias = tuple[str, bool]
"""A function, and whether it runs on an object that the code made itself."""


class Runs:
    """What all functions run, worked out when asked for and remembered."""

    def __init__(self, index: ProjectIndex, keys: Keys) -> None:
        self.index = index
        self.keys = keys
        self.getters = Getters(index)
        self._calls: dict[str, list[tuple[int, int, Run, bool]]] = {}
        self._next: dict[tuple[Run, bool], frozenset[Run]] = {}
        self._closures: dict[tuple[Run, bool], frozenset[Run]] = {}
        self._implied: dict[str, tuple[tuple[Edge, Run], ...]] = {}

    def called(self, function: str, span: Span | None, *, beside: bool = False) -> frozenset[Run]:
        """The functions that the code in ``span`` of a function (all of it if None) calls itself.

        ``beside``: the rest of the function runs at the same time, and only what this code makes is its own.
        """
        if span is None:
            return self._called_by((function, False))
        calls = self._placed(function)
        found: set[Run] = set()
        for position in range(bisect_left(calls, (span.start,)), len(calls)):
            start, end, run, made_there = calls[position]
            if start > span.end:
                break
            if end <= span.end:
                found.add((run[0], run[1] and (made_there or not beside)))
        return frozenset(found)

    def below(self, called: frozenset[Run], *, beside: bool = False) -> frozenset[Run]:
        """These functions with all they run; ``beside``: what libraries may run of what they are given, too."""
        found = set[Run]()
        for run in called:
            if run not in found:  # else all that it runs is there, too
                found |= self._closure(run, beside)
        return frozenset(found)

    def given(self, function: str, span: Span | None) -> frozenset[Run]:
        """What libraries may run of what the code in a span of a function (all of it if None) gives them."""
        return frozenset(run for edge, run in self._of_libraries(function) if span is None or span.contains(edge.span))

    def _of_libraries(self, function: str) -> tuple[tuple[Edge, Run], ...]:
        found = self._implied.get(function)
        if found is None:
            edges = dict.fromkeys(implied(self.index, self.getters, function))
            found = self._implied[function] = tuple((edge, (edge.callee, self._is_given_own(edge))) for edge in edges)
        return found

    def _is_given_own(self, edge: Edge) -> bool:
        """Whether all that a library is given there was made by the code that calls it."""
        site, path = edge.site, self.index.path(edge.caller)
        if not isinstance(site, Call):
            return False
        receivers = [target.rpartition(".")[0] for target in site.targets]
        given = [ref for item in site.arguments for ref in (item.refs or (item.ref,))]
        return not any(ref and self.keys.of(path, ref)[0] for ref in (*receivers, *given))

    def _closure(self, first: Run, beside: bool) -> frozenset[Run]:
        found = self._closures.get((first, beside))
        if found is None:
            seen = {first}
            stack = [first]
            while stack:
                run = stack.pop()
                known = self._closures.get((run, beside))
                new = (self._called_by(run, beside) if known is None else known) - seen
                seen |= new
                if known is None:
                    stack += new
            found = self._closures[first, beside] = frozenset(seen)
        return found

    def _called_by(self, run: Run, beside: bool = False) -> frozenset[Run]:
        found = self._next.get((run, beside))
        if found is None:
            name, own = run
            edges = frozenset((edge.callee, self._on_own_object(edge, own)) for edge in self._edges(name))
            found = self._next[run, beside] = edges | self.given(name, None) if beside else edges
        return found

    def _placed(self, function: str) -> list[tuple[int, int, Run, bool]]:
        """The calls of a function in the order of the text: start, end, what runs, and whether the receiver is made there."""
        found = self._calls.get(function)
        if found is None:
            found = self._calls[function] = sorted({self._place(edge) for edge in self._edges(function)})
        return found

    def _edges(self, function: str) -> Sequence[Edge]:
        """What a function runs, and what runs when it lets go of what it has made."""
        return (*self.index.calls.get(function, ()), *self.index.dropped.get(function, ()))

    def _place(self, edge: Edge) -> tuple[int, int, Run, bool]:
        own = self._on_own_object(edge, False)
        made_there = own and (edge.kind == "constructor" or self._is_made_in(edge))
        return edge.span.start, edge.span.end, (edge.callee, own), made_there

    def _is_made_in(self, edge: Edge) -> bool:
        """Whether the receiver of a call is itself what a call gives."""
        function = edge.site.function if isinstance(edge.site, Call) else edge.span
        return any(function.contains(call.span) for call in self.index.fact(edge.caller).calls)

    def _on_own_object(self, edge: Edge, inherited: bool) -> bool:
        """Whether a method is called on an object that its caller (or whoever made the caller's ``self``) made."""
        if edge.kind == "constructor":
            return True
        if not isinstance(edge.site, Call):
            return False
        path, owner = self.index.path(edge.caller), self.index.fact(edge.caller).owner_class
        receivers = [target.rpartition(".")[0] for target in edge.site.targets]
        return bool(receivers) and all(
            (inherited and receiver in (f":{owner}!", f":{owner}^")) or self.keys.made_here(path, receiver)
            for receiver in receivers
        )
