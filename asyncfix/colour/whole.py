"""What turns async for an API that is declared to have an async twin: everything that may, and what becomes of the rest.

With one leaf a barrier ends it all. A declared API is not given up for one place at which no await may stand: what it
gives there is a coroutine all the same. The function that has to stay sync stays, and a call in it of something that
turned is run apart: to its end, on an event loop of its own. What may go wrong then is said, place by place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from asyncfix.boundary import Met
from asyncfix.colour.awaiting import ENTERING, closed, is_coroutine, manner, statement, written
from asyncfix.colour.barrier import Barrier, Rules, iterator_made, mixed_family, mixed_with, passed_on
from asyncfix.colour.bases import calls
from asyncfix.colour.either import takes_either
from asyncfix.colour.generators import PASSED_ON, onward
from asyncfix.colour.special import ITER, is_special, makes_iterator
from asyncfix.colour.spread import Awaited, beside, means, run_loop, together
from asyncfix.colour.turning import turning
from asyncfix.ends import Ends
from asyncfix.link.callbacks import HANDED
from asyncfix.link.index import PARAMETER, Edge, Loose, ProjectIndex
from asyncfix.link.patches import Patch
from asyncfix.model import Call, Span

# Barriers that are a mere possibility: the function turns, and the possibility is told.
POSSIBLE = frozenset({"possible-caller", "possible-use", "dynamic-access", "unparsed-file"})


@dataclass(slots=True)
class Whole:
    """What turns, and what becomes of the calls.

    seeds    functions that are to await by themselves
    held     functions that were found to have to stay
    reached  functions that turn, or (those whose end does not turn) whose code does
    stays    functions that would have to turn and may not
    awaits   calls that are awaited then; apart: calls that are run apart; runs: calls that are run where they stand
    ends     how colouring ended, by function; uncalled: functions that nothing in the project calls
    raising  calls that are given a function that turns as one that is to raise, with the functions they stand in
    giving   functions that stay as they are: what they give is asynchronous, a ``generator`` or a ``manager``
    doubts   calls that may mean something else too
    perhaps  what may use a function that turns without awaiting it: by reason and last name the places, with what to say
    """

    held: Mapping[str, Barrier]
    seeds: frozenset[str]
    reached: dict[str, None] = field(default_factory=lambda: dict[str, None]())
    stays: dict[str, Barrier] = field(default_factory=lambda: dict[str, Barrier]())
    awaits: list[Awaited] = field(default_factory=lambda: list[Awaited]())
    apart: list[tuple[Edge, Barrier]] = field(default_factory=lambda: list[tuple[Edge, Barrier]]())
    runs: list[Edge] = field(default_factory=lambda: list[Edge]())
    ends: dict[str, Met] = field(default_factory=lambda: dict[str, Met]())
    uncalled: list[str] = field(default_factory=lambda: list[str]())
    raising: list[tuple[str, Call]] = field(default_factory=lambda: list[tuple[str, Call]]())
    giving: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    doubts: list[str] = field(default_factory=lambda: list[str]())
    perhaps: dict[tuple[str, str], dict[tuple[str, int], str]] = field(
        default_factory=lambda: dict[tuple[str, str], dict[tuple[str, int], str]]()
    )

    def manner(self, index: ProjectIndex, name: str) -> str:
        """What becomes of a function, or of what it gives."""
        return self.giving.get(name) or manner(index.fact(name))


@dataclass(frozen=True, slots=True)
class Spread:
    """What decides how far it goes.

    declared  functions of which the user says that they turn; fixed: those that stay, with the reason
    is_declared   whether the user says of a class what becomes of it
    locked    the barrier that a lock is which is held at a call, if one is
    entered   what is entered by ``with`` and is asynchronous by what the user says: functions, and where it stands
    asked     parameters of which the project asks whether they are coroutine functions
    """

    index: ProjectIndex
    limits: Rules
    ends: Ends
    declared: frozenset[str]
    fixed: Mapping[str, Barrier]
    is_declared: Callable[[str], bool]
    locked: Callable[[str, Call], Barrier | None]
    entered: frozenset[tuple[str, Span]]
    asked: frozenset[tuple[str, str]]

    def whole(self, seeds: Sequence[str]) -> Whole:
        """What becomes of the project if these functions are to turn."""
        held: dict[str, Barrier] = {}
        while True:
            found = self._spread(seeds, held)
            more = dict(self._impossible(found))
            if not more:
                return found
            held |= more

    def _spread(self, seeds: Sequence[str], held: Mapping[str, Barrier]) -> Whole:
        found = Whole(held, frozenset(seeds))
        waiting = list(seeds)
        for name in waiting:
            waiting += self._take(found, name)
        found.apart += [(each.edge, found.stays[each.edge.caller]) for each in found.awaits if _is_left(found, each)]
        found.awaits = [each for each in found.awaits if not _is_left(found, each)]
        return found

    def _impossible(self, found: Whole) -> Iterator[tuple[str, Barrier]]:
        """Functions that turned, but are used where that could neither be awaited nor run apart."""
        entered = {(each.edge.caller, each.edge.span) for each in found.awaits if each.kind == ENTERING} | self.entered
        for edge, stop in found.apart:
            if not (isinstance(edge.site, Call) and is_coroutine(self.index, edge, found.giving)):
                yield edge.callee, stop
        for name in found.reached:
            family = self.ends.family(name)
            if len({found.manner(self.index, each) for each in family}) > 1:
                yield from ((each, mixed_family(self.index, name)) for each in family)
            if makes_iterator(self.index.fact(name)) and name not in found.giving:
                yield name, iterator_made(self.index, name)
        yield from self._otherwise(found)
        for each in found.awaits:
            edge = each.edge
            block = statement(self.index.fact(edge.caller), edge.span) if each.kind == ENTERING else None
            if block is not None and not all((edge.caller, item) in entered for item in block.items):
                yield edge.callee, mixed_with(self.index.path(edge.caller), edge.site.line)

    def _otherwise(self, found: Whole) -> Iterator[tuple[str, Barrier]]:
        """Generators that turned, and are given by functions which do other things, too."""
        for name in found.giving.keys() & found.reached.keys():
            fact, own = self.index.fact(name), [each for each in found.awaits if each.edge.caller == name]
            given = {each.edge.span for each in own if each.kind == PASSED_ON}
            others = name in found.seeds or name in found.ends or len(own) > len(given)
            if not fact.is_stub and (others or len(given) != fact.returned):
                stop = passed_on(self.index, name, found.giving[name])
                yield from ((each.edge.callee, stop) for each in own if each.kind == PASSED_ON)

    def _take(self, found: Whole, name: str) -> Iterator[str]:
        """Turn a function with all that turns only with it, or leave them all: what has to turn because of them."""
        if name in found.reached or name in found.stays or self.index.fact(name).is_async:
            return
        if name in self.fixed:
            found.stays[name] = self.fixed[name]
            return
        family = together(self.index, self.ends, name)
        if name in self.declared:  # of what stays beside its twin it becomes the twin
            family = tuple(member for member in family if member not in self.fixed)
        for member in family:
            stop = found.held.get(member) or self._barrier(member)
            if stop is not None:
                found.stays |= dict.fromkeys(family, stop)
                return
        for member in family:
            found.reached[member] = None
            if not self.index.fact(member).is_async:
                yield from self._turned(found, member)

    def _turned(self, found: Whole, name: str) -> Iterator[str]:
        met = self.ends.met(name)
        kinds = {found.manner(self.index, each) for each in self.ends.family(name)}
        if self.index.fact(name).is_stub and "generator" in kinds:
            found.giving[name] = "generator"
        for stop in self._barriers(name):
            if stop.code != "dunder" and not (stop.code == "foreign-base" and name in self.declared):
                found.perhaps.setdefault((stop.code, name.rpartition(".")[2]), {})[stop.path, stop.line] = stop.why
        if is_special(self.index.fact(name)) and self.index.fact(name).name == ITER:
            found.doubts.append(f"{name} becomes __aiter__: only `async for` goes through such an object then")
        if met is not None:
            found.ends[name] = met
            if not met.turns:
                return
        raising = self.ends.raising(name) or ()
        for test, call in raising:
            found.raising.append((test, call))
            yield test
        callers = [edge for edge in self.index.callers.get(name, ()) if edge.kind != PARAMETER]
        if not callers and not raising and met is None:
            found.uncalled.append(name)
        for edge in callers:
            yield from self._called(found, edge)

    def _called(self, found: Whole, edge: Edge) -> Iterator[str]:
        """What has to turn because of one call of a function that turned: the caller, and all else that the call may mean."""
        if edge.caller in self.fixed:
            found.apart.append((edge, self.fixed[edge.caller]))
            return
        met = self.ends.met(edge.caller)
        runs = met is not None and not met.turns and not met.stays and self.ends.alone(edge)
        if is_coroutine(self.index, edge, found.giving) and (self.ends.is_program(edge) or runs):
            stop = closed(self.index, edge, self.limits) or run_loop(self.index, edge)
            if stop is None:
                found.runs.append(edge)
            else:
                found.apart.append((edge, stop))
            return
        kind = self._written(found, edge)
        if isinstance(kind, Barrier):
            found.apart.append((edge, kind))
            return
        found.awaits.append(Awaited(edge, kind))
        if not edge.sure or edge.site in self.index.unknown.get(edge.caller, ()):
            where = f"{self.index.path(edge.caller)}:{edge.site.line}"
            found.doubts.append(f"the call of {edge.callee} may mean something else too ({where})")
        for place in onward(edge.site, kind):
            yield from self._called(found, replace(edge, site=place))
        if kind == PASSED_ON:
            found.giving[edge.caller] = found.manner(self.index, edge.callee)
        yield edge.caller
        yield from beside(self.index, edge) if kind == ENTERING else ()
        yield from (other.callee for other in self.index.calls[edge.caller] if means(other, edge))

    def _written(self, found: Whole, edge: Edge) -> str | Barrier:
        stop = self.locked(edge.caller, edge.site) if isinstance(edge.site, Call) else None
        return stop or written(self.index, edge, self.limits, found.giving)

    # ------------------------------------------------------------------------------------------------------- barriers

    def _barrier(self, name: str) -> Barrier | None:
        """Why a function may not turn for all that, None if it may."""
        if name in self.fixed:
            return self.fixed[name]
        stop = next((stop for stop in self._barriers(name) if not self._is_possible(name, stop)), None)
        return stop or next(filter(None, map(self._unfit, self.index.callers.get(name, ()))), None)

    def _barriers(self, name: str) -> Iterator[Barrier]:
        return turning(self.index, name, self.limits, self.ends, self.ends.met(name), guessing=False)

    def _is_possible(self, name: str, stop: Barrier) -> bool:
        """Whether a barrier does not hold here."""
        match stop.code:
            case "foreign-base":
                return all(self.is_declared(base) for base in self._foreign(name))
            case "rebound":
                sure = self.index.rebound.get(name, ())
                return name in self.declared or not any(_is_at(place, stop) for place in sure)
            case "passed-as-value":
                places = [place for place in self.index.passed.get(name, ()) if _is_at(place, stop)]
                known = name in self.declared if not places else True  # an object with `__call__` is given away
                return known and all(self._takes_coroutines(name, place) for place in places)
            case "replaced-in-test":
                patches = self.limits.replaced.get(name, ())
                return all(patch.target.startswith("?.") for patch in patches if _is_at(patch, stop))
            case _:
                return stop.code in POSSIBLE

    def _foreign(self, name: str) -> Iterator[str]:
        """The bases of the class of a method that the project does not define, and that may call it."""
        info = self.index.functions[name]
        owner = self.index.evaluator.owner(info)
        bases = self.index.evaluator.order(owner)[1:] if owner else ()
        return (
            base
            for base in bases
            if base not in self.index.classes and calls(base, info.fact.name) and not self.ends.is_base(base)
        )

    def _takes_coroutines(self, name: str, place: Loose) -> bool:
        """Whether what a function is handed to there takes one that is async."""
        return takes_either(self.index, name, place, self.asked) or any(
            self.index.path(owner) == place.path and self._is_given(owner, declared, place)
            for declared in self.declared
            for owner in {each.owner for each in self.index.rebound.get(declared, ()) if each.owner == place.owner}
        )

    def _is_given(self, owner: str, declared: str, place: Loose) -> bool:
        """Whether a function that the user declares async is given a value there, of which the place is part."""
        fact = self.index.fact(owner)
        lines = {each.line for each in self.index.rebound.get(declared, ())}
        read = [item for item in fact.accesses if item.kind == "read" and item.line == place.line]
        return any(
            target.span.end <= item.span.start and item.span.end <= target.at
            for target in fact.accesses
            if target.kind == "write" and target.line in lines
            for item in read
        )

    def _unfit(self, edge: Edge) -> Barrier | None:
        """The barrier that a use is which can neither be awaited nor run apart."""
        path, line = self.index.path(edge.caller), edge.site.line
        if edge.kind not in ("call", "protocol", PARAMETER):
            return Barrier(edge.kind, path, line, f"{edge.callee} is called as a {edge.kind} ({path}:{line})")
        if isinstance(edge.site, Call) and edge.site.use in HANDED:
            return Barrier("passed-as-value", path, line, f"{edge.callee} is passed on as a value ({path}:{line})")
        return None


def _is_left(found: Whole, awaited: Awaited) -> bool:
    return awaited.edge.caller in found.stays


def _is_at(place: Loose | Patch, stop: Barrier) -> bool:
    return (place.path, place.line) == (stop.path, stop.line)
