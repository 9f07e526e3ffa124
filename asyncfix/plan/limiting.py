"""What lets in only so many at a time, and is taken by code that is to run several times at once: locks, limiters, semaphores.

Of asyncio they make those that overlap wait for each other. Locks of `threading` are taken in the threads that these hand work
to, and are done with in no time, as a rule; but who waits for more while it holds one may wait for somebody who waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from asyncfix.effects.keys import pretty
from asyncfix.effects.reach import Effects
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Access, Span, With
from asyncfix.plan.locks import LOCKS

LIMITERS = frozenset(
    {f"asyncio.{name}" for name in ("Lock", "Condition", "Semaphore", "BoundedSemaphore")}
    | {f"anyio.{name}" for name in ("Lock", "Condition", "Semaphore", "CapacityLimiter")}
    | {"aiolimiter.AsyncLimiter"}
)
NAMED = re.compile(r"sem(?:aphore)?|lock|limit\w*|throttl\w*|slots?", re.IGNORECASE)  # of what is not known


class Limiting:
    """What each function takes of that, looked for once."""

    def __init__(self, effects: Effects) -> None:
        self.effects = effects
        self._locking: Mapping[str, tuple[tuple[Access, With], ...]] | None = None
        self._waiting: dict[str, str] = {}

    def by(self, names: Iterable[str]) -> str:
        """Why some functions, run several times at once, would wait for each other; '' if they would not."""
        names = tuple(names)
        limiting = limited_by(self.effects.index, names)
        if limiting:
            return f"{limiting} lets in so many at a time: they would wait for each other"
        locking = self._all()
        return next((why for name in names if name in locking and (why := self._waits(name))), "")

    def _all(self) -> Mapping[str, tuple[tuple[Access, With], ...]]:
        if self._locking is None:
            found = {name: tuple(_locks(self.effects.index, name)) for name in self.effects.index.functions}
            self._locking = {name: locks for name, locks in found.items() if locks}
        return self._locking

    def _waits(self, function: str) -> str:
        found = self._waiting.get(function)
        if found is None:
            found = self._waiting[function] = next(_waits_on(self.effects, function, self._all()), "")
        return found


def limited_by(index: ProjectIndex, names: Iterable[str]) -> str:
    """The first of these functions which limits how many run at once, '' if none does."""
    return next((name for name in names if _limits(index, name)), "")


def limit_held(index: ProjectIndex, function: str, span: Span) -> str:
    """What is held round a call and lets in only so many, as a person reads it; '' if nothing does."""
    held = (ref for call in index.fact(function).calls if call.span == span for ref in call.held)
    path = index.path(function)
    return next((pretty(ref) for ref in held if ref.endswith("~") and _is_one_of(index, path, ref, LIMITERS)), "")


def limit_taken(index: ProjectIndex, function: str, span: Span) -> str:
    """What some code of a function takes that lets in only so many, as a person reads it; '' if it takes nothing like that."""
    return next((pretty(ref) for ref, at in _limiters(index, function) if span.contains(at)), "")


def _limits(index: ProjectIndex, function: str) -> bool:
    """Whether a function takes something of asyncio, or of a library that limits rates, that lets in only so many."""
    return any(True for _ in _limiters(index, function))


def _limiters(index: ProjectIndex, function: str) -> Iterator[tuple[str, Span]]:
    path = index.path(function)
    for access in index.fact(function).operations:
        if access.kind == "__aenter__" and _is_one_of(index, path, access.ref, LIMITERS):
            yield access.ref, access.span


def _locks(index: ProjectIndex, function: str) -> Iterator[tuple[Access, With]]:
    """Where a function takes a lock of `threading`, each with the statement that holds it."""
    fact, path = index.fact(function), index.path(function)
    for access in fact.operations if fact.withs else ():
        if access.kind == "__enter__" and _is_one_of(index, path, access.ref, LOCKS):
            yield from ((access, item) for item in fact.withs if access.span in item.items)


def _waits_on(effects: Effects, function: str, locking: Mapping[str, tuple[tuple[Access, With], ...]]) -> Iterator[str]:
    """Why a function may wait for something else while it holds a lock, as far as `with` shows: what waits by other calls is told
    by their rows."""
    fact = effects.index.fact(function)
    for access, statement in locking[function]:
        block = statement.span
        again = any(block.contains(other.span) and other.span != access.span for other, _ in locking[function])
        below = any(name in locking for name in effects.names(function, block))
        pauses = [*fact.awaits, *(item.span for item in fact.yields)]
        if again or below or any(block.contains(span) for span in pauses):
            lock = pretty(access.ref) or "a lock"
            yield f"{function} may wait for more while it holds {lock}: they would wait for each other, perhaps for ever"


def _is_one_of(index: ProjectIndex, path: str, ref: str, classes: frozenset[str]) -> bool:
    """Whether what is entered is an object of one of these classes, or of one derived from them, or bears such a name and
    nothing else is known of it."""
    meant = index.evaluator.evaluate(path, ref.removesuffix("~"))
    if not meant:
        return bool(NAMED.search(pretty(ref)))
    known = {name for entity in meant for name in (entity.name, *_bases(index, entity.name))}
    return any(name.removesuffix("()") in classes for name in known)


def _bases(index: ProjectIndex, name: str) -> tuple[str, ...]:
    return tuple(index.evaluator.order(name)) if name in index.classes else ()
