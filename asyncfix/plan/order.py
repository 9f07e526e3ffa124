"""How the Changes of a plan go together: which touch each other, which are independent, and in which order they can land."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from asyncfix.model import Change, Decision, Require, Span, Turn, span_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a Change stands among the others.

    number     in the order of landing, from 1
    group      Changes of different groups have nothing to do with each other
    new        edits that none before it makes
    shares     ids of those that turn some of the same functions, or touch the same text: whichever is first, the others
               have less left to do
    conflicts  ids of those that want a function sync which this one turns, or the other way round: after one of them the
               other is planned anew
    """

    number: int
    group: int
    new: int
    shares: tuple[str, ...]
    conflicts: tuple[str, ...]


def order(changes: Sequence[Change]) -> Mapping[str, Place]:
    """The Changes by id, in the order of landing: what others need first, then SAFE ones, then those that add the least."""
    shares = _pairs(_touching(changes))
    conflicts = _pairs(_clashing(changes))
    groups = _groups(changes, shares, conflicts)
    found: dict[str, Place] = {}
    for number, (change, new) in enumerate(_landing(changes), 1):
        others = shares.get(change.id, set()) - conflicts.get(change.id, set())
        against = conflicts.get(change.id, set())
        found[change.id] = Place(number, groups[change.id], new, tuple(sorted(others)), tuple(sorted(against)))
    return found


def _landing(changes: Sequence[Change]) -> Iterator[tuple[Change, int]]:
    """The Changes in order, each with the number of its edits that none before it makes."""
    queue = _Queue({change.id: change for change in changes})
    while queue.waiting:
        change, new = queue.pop()
        yield change, new
        queue.land(change)


@dataclass(slots=True)
class _Queue:
    """Changes that have not landed; an entry of the heap counts only while it says how many edits are left."""

    waiting: dict[str, Change]
    left: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    landed: set[Decision] = field(default_factory=lambda: set[Decision]())
    making: dict[Decision, list[str]] = field(default_factory=lambda: dict[Decision, list[str]]())
    heap: list[tuple[bool, int, str]] = field(default_factory=lambda: list[tuple[bool, int, str]]())

    def __post_init__(self) -> None:
        for name, change in self.waiting.items():
            self.left[name] = len(change.decisions)
            self._push(name)
            for decision in change.decisions:
                self.making.setdefault(decision, []).append(name)

    def pop(self) -> tuple[Change, int]:
        """The next one, with what it adds. One whose needs go in a circle comes when nothing else is left."""
        later: list[tuple[bool, int, str]] = []
        found: tuple[bool, int, str] | None = None
        while self.heap and found is None:
            entry = heapq.heappop(self.heap)
            if entry[2] not in self.waiting or entry[1] != self.left[entry[2]]:
                continue
            if self.waiting.keys() & set(self.waiting[entry[2]].needs):
                later.append(entry)
            else:
                found = entry
        found = found or later[0]
        for entry in later:
            heapq.heappush(self.heap, entry)
        return self.waiting.pop(found[2]), found[1]

    def land(self, change: Change) -> None:
        """Its edits are there for the others, too."""
        for decision in change.decisions:
            if decision not in self.landed:
                self.landed.add(decision)
                for name in self.making[decision]:
                    self.left[name] -= 1
                    if name in self.waiting:
                        self._push(name)

    def _push(self, name: str) -> None:
        heapq.heappush(self.heap, (self.waiting[name].safety != "safe", self.left[name], name))


def _turning(changes: Iterable[Change]) -> Mapping[str, Sequence[str]]:
    """The functions that turn, with the ids of the Changes in which they do."""
    found: dict[str, list[str]] = {}
    for change in changes:
        for name in change.turns:
            found.setdefault(name, []).append(change.id)
    return found


def _touching(changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
    """Pairs that turn the same function, or touch the same text."""
    spans: dict[str, dict[Span, list[str]]] = {}
    for change in changes:
        if not change.needs:  # of what comes later the spans count in other texts
            for decision in change.decisions:
                if not isinstance(decision, Require | Turn):
                    spans.setdefault(decision.path, {}).setdefault(span_of(decision), []).append(change.id)
    for names in _turning(changes).values():
        yield from combinations(names, 2)
    for by_span in spans.values():
        yield from _overlapping(sorted(by_span.items()))


def _overlapping(spans: Sequence[tuple[Span, Sequence[str]]]) -> Iterator[tuple[str, str]]:
    for at, (span, names) in enumerate(spans):
        yield from combinations(names, 2)
        for other, others in spans[at + 1 :]:
            if other.start >= span.end:
                break
            yield from ((name, each) for name in names for each in others)


def _clashing(changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
    """Pairs of which one turns what the other keeps sync."""
    turning = _turning(changes)
    for change in changes:
        for name in change.keeps & turning.keys():
            yield from ((change.id, other) for other in turning[name])


def _pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one, other in pairs:
        if one != other:
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return found


def _groups(changes: Iterable[Change], *relations: Mapping[str, set[str]]) -> dict[str, int]:
    """The number of the group of each Change, from 1: those that one can get to from each other."""
    needs = _pairs((change.id, need) for change in changes for need in change.needs)
    found: dict[str, int] = {}
    number = 0
    for change in changes:
        if change.id in found:
            continue
        number += 1
        stack = [change.id]
        while stack:
            name = stack.pop()
            if name not in found:
                found[name] = number
                stack.extend(other for known in (needs, *relations) for other in known.get(name, ()))
    return found
