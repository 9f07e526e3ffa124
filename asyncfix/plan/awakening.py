"""Awaits that stand in the code already and let no other task run so far, because nothing beneath them suspends.

``await f()`` where ``f`` holds no await that suspends is one step. The first that is written into ``f`` makes a point of
suspension of that one too, and of all above it that were one step until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from asyncfix.effects.touch import Where
from asyncfix.facts.walker import STARTING
from asyncfix.link.entities import Entity
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Call, Function, Span
from asyncfix.plan.interleave import Suspension

ENTERED = ("__aenter__", "__aexit__")
IN_TURN = frozenset(
    {
        "asyncio.sleep",
        "asyncio.Event.wait",
        "asyncio.Condition.wait",
        "asyncio.Condition.wait_for",
        "asyncio.Barrier.wait",
    }
    | {
        f"asyncio.{queue}.{name}"
        for queue in ("Queue", "LifoQueue", "PriorityQueue")
        for name in ("put", "get", "join")
    }
    | {f"asyncio.{lock}.acquire" for lock in ("Lock", "Semaphore", "BoundedSemaphore", "Condition")}
)
"""What lets tasks go on in the order in which they came, or in which the program itself says: nothing outside has a say."""
LOCKS = frozenset(f"asyncio.{name}" for name in ("Lock", "Semaphore", "BoundedSemaphore", "Condition", "timeout"))
BY_HAND = ("send", "throw")


@dataclass(frozen=True, slots=True)
class Await:
    """An await of functions of the project, in the function it stands in."""

    function: str
    call: Call


@dataclass(slots=True)
class Awakening:
    """What each async function awaits; worked out when first asked for."""

    index: ProjectIndex
    _awaited: dict[str, tuple[tuple[Await, frozenset[str]], ...] | None] = field(
        default_factory=lambda: dict[str, tuple[tuple[Await, frozenset[str]], ...] | None]()
    )
    _above: dict[str, list[Await]] | None = None
    _asleep: dict[str, bool] = field(default_factory=lambda: dict[str, bool]())
    _driven: tuple[Where, ...] | None = None
    _in_order: dict[str, bool] = field(default_factory=lambda: dict[str, bool]())

    def all(self, suspension: Suspension) -> tuple[Suspension, ...]:
        """An emitted await with those above it, nearest first, that become points of suspension by it."""
        found = {(suspension.function, suspension.span): suspension}
        waiting = [suspension]
        for each in waiting:
            for above in self._callers(each.function) if self.is_one_step(each.function) else ():
                key = (above.function, above.call.span)
                if key not in found:
                    found[key] = Suspension.at(above.function, above.call)
                    waiting.append(found[key])
        return tuple(waiting)

    def in_order(self, suspension: Suspension) -> tuple[Suspension, ...]:
        """An emitted await with those above it, nearest first, through which tasks come in the order in which they began."""
        found = {(suspension.function, suspension.span): suspension}
        waiting = [suspension]
        for each in waiting:
            for edge in self.index.callers.get(each.function, ()) if self.is_in_order(each.function) else ():
                awaited = isinstance(edge.site, Call) and edge.site.use == "awaited"
                if awaited and (edge.caller, edge.span) not in found:
                    found[edge.caller, edge.span] = Suspension.at(edge.caller, edge.site)
                    waiting.append(found[edge.caller, edge.span])
        return tuple(waiting)

    def is_in_order(self, function: str) -> bool:
        """Whether nothing that an async function awaits comes from outside the program, or from a thread: tasks get through
        it in the order in which they began, or in which other tasks let them."""
        found = self._in_order.get(function)
        if found is None:
            self._in_order[function] = True  # one that awaits itself waits for others only if something else in it does
            fact = self.index.fact(function)
            found = fact.is_async and all(self._is_in_turn(function, span) for span in fact.awaits)
            self._in_order[function] = found
        return found

    def _is_in_turn(self, function: str, span: Span) -> bool:
        fact, path = self.index.fact(function), self.index.path(function)
        call = _awaited_call(fact, span)
        if call is not None:
            callees = self._run(function, call)
            named = {each.name for each in self.index.externals.get(function, ()) if each.call.span == call.span}
            return all(map(self.is_in_order, callees)) if callees else bool(named) and named <= IN_TURN
        entered = [each for each in fact.operations if each.kind == ENTERED[0] and span.contains(each.span)]
        meant = [entity for each in entered for entity in self.index.evaluator.evaluate(path, each.ref)]
        return bool(meant) and all(entity.name.removesuffix("()") in LOCKS for entity in meant)

    def is_one_step(self, function: str) -> bool:
        """Whether an async function runs to its end, or to its next ``yield``, before any other task does."""
        found = self._asleep.get(function)
        if found is None:
            self._asleep[function] = True  # one that awaits itself suspends only if something else in it does
            awaited = self._of(function) if self.index.fact(function).is_async else None
            found = self._asleep[function] = awaited is not None and all(
                self.is_one_step(callee) for _, callees in awaited for callee in callees
            )
        return found

    def doubts(self, function: str) -> Iterator[str]:
        """What else goes wrong when a coroutine or generator that was one step suspends."""
        if not self.is_one_step(function):
            return
        if self.driven():
            yield self.driven()
        if self.index.fact(function).is_generator:
            for edge in self.index.callers.get(function, ()):
                if not (isinstance(edge.site, Call) and edge.site.use == "awaited"):
                    where = Where(self.index.path(edge.caller), edge.site.line)
                    yield f"several tasks may go through one generator of {function} at once ({where})"
                    return

    def driven(self) -> str:
        """That something in the project drives a coroutine by hand, '' if nothing does."""
        if self._driven is None:
            self._driven = tuple(self._by_hand())
        place = next(iter(self._driven), None)
        return f"a coroutine is driven by hand, and not by an event loop ({place})" if place is not None else ""

    def started(self, suspension: Suspension) -> Iterator[str]:
        """A task that was started before the await and first runs in it, or has something that is used after it."""
        fact, loop, at = self.index.fact(suspension.function), suspension.loop, suspension.span
        for call in fact.calls:
            again = loop is not None and loop.contains(call.span)
            if call.targets[0].rpartition(".")[2] not in STARTING or not (again or call.span.end <= at.start):
                continue
            way = [Span(call.span.end, at.start)]
            if loop is not None and call.span.start > at.start:
                way = [Span(call.span.end, loop.end), Span(loop.start, at.start)]
            where = Where(self.index.path(suspension.function), call.line)
            if not any(self._suspends(suspension.function, part) for part in way):
                yield f"a task that was started before ({where}) first runs at this await"
                continue
            given = {item.name for other in fact.calls if call.span.contains(other.span) for item in other.arguments}
            later = (other for other in fact.calls if again or other.span.start >= at.end)
            shared = next((other.receiver for other in later if other.receiver in given - {""}), "")
            if shared:
                yield f"{shared} is used after the await, and a task that was started before has it too ({where})"

    def _suspends(self, function: str, between: Span) -> bool:
        """Whether other tasks run already somewhere in that part of a function."""
        fact = self.index.fact(function)
        for span in fact.awaits if fact.is_async else ():
            if between.contains(span):
                call = _awaited_call(fact, span)
                callees = self._run(function, call) if call is not None else frozenset[str]()
                if not callees or not all(map(self.is_one_step, callees)):
                    return True
        return False

    def _callers(self, function: str) -> list[Await]:
        if self._above is None:
            self._above = {}
            for name, info in self.index.functions.items():
                for item, callees in (self._of(name) or ()) if info.fact.is_async else ():
                    for callee in callees:
                        self._above.setdefault(callee, []).append(item)
        return self._above.get(function, [])

    def _of(self, function: str) -> tuple[tuple[Await, frozenset[str]], ...] | None:
        """The awaits of an async function with what they run; those that may run anything else leave it out: None."""
        if function not in self._awaited:
            self._awaited[function] = self._read(function)
        return self._awaited[function]

    def _read(self, function: str) -> tuple[tuple[Await, frozenset[str]], ...] | None:
        fact = self.index.fact(function)
        found: list[tuple[Await, frozenset[str]]] = []
        for span in fact.awaits:
            call = _awaited_call(fact, span)
            callees = self._run(function, call) if call is not None else frozenset[str]()
            if call is None or not callees:
                return None
            found.append((Await(function, call), callees))
        return tuple(found)

    def _run(self, function: str, call: Call) -> frozenset[str]:
        """The async functions of the project that an await runs, none if it may run anything else."""
        path = self.index.path(function)
        entities = self.index.evaluator.all(path, call.targets)
        edges = self.index.calls.get(function, ())
        callees = {edge.callee for edge in edges if edge.span == call.span and self.index.fact(edge.callee).is_async}
        for entity in entities:
            if entity.kind in ("function", "method") and entity.name in callees:
                continue
            made = Entity("instance", entity.name)
            methods = tuple(self.index.evaluator.named_methods(made, ENTERED)) if entity.kind == "class" else ()
            if not methods:
                return frozenset()
            callees.update(methods)
        return frozenset(callees)

    def _by_hand(self) -> Iterator[Where]:
        for info in self.index.functions.values():
            for call in info.fact.calls:
                last = call.targets[0].rpartition(".")[2]
                if (
                    last in BY_HAND
                    and call.use != "awaited"
                    and [item.literal for item in call.arguments if not item.ref] == ["None"]
                ):
                    yield Where(info.path, call.line)


def _awaited_call(fact: Function, span: Span) -> Call | None:
    """The call that an await waits for: of those in the expression the one that ends it."""
    return next(
        (
            call
            for call in fact.calls
            if call.use == "awaited" and span.contains(call.span) and call.span.end == span.end
        ),
        None,
    )
