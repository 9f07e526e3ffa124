"""What stands in the way of a blocking call, as a person sees it: causes that could be removed, each with its places.

Of one function colouring may meet the same barrier at many places, and one place may be a barrier twice: the function is
a property, and each read of it is no call that could be awaited.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from asyncfix.colour.barrier import Barrier, Barriers
from asyncfix.colour.spread import Colouring, colour
from asyncfix.model import Refusal
from asyncfix.plan.changes import Planner
from asyncfix.plan.leaves import Leaf

# Calls that no call expression is to be seen of: they go when the function is no such thing any more.
HIDDEN = frozenset({"property", "constructor", "protocol", "decorator"})
HIDING = frozenset({"property", "constructor", "dunder", "finalizer"})
LAMBDA = "lambda"
AMBIGUOUS = "ambiguous-call"
SEVERAL = 2  # with so many barriers it does not matter what else there is: to look for locks takes long


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing in the way, that a person could remove.

    function  the one that may not turn, or of which a call is none to await
    places    path and line, the first met first
    """

    code: str
    function: str
    places: tuple[tuple[str, int], ...]
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """What holds up a blocking call.

    causes   on the way up; call: what is said of the call itself, None if there is a form for it
    frees    there is one cause, and without it the call would be mended
    """

    causes: tuple[Cause, ...]
    call: Cause | None
    frees: bool

    @property
    def all(self) -> tuple[Cause, ...]:
        return (*self.causes, self.call) if self.call is not None else self.causes


@dataclass(frozen=True, slots=True)
class _Own:
    """A cause that functions are which turn together, with its places to look up."""

    cause: Cause
    functions: frozenset[str]
    places: frozenset[tuple[str, int]]


@dataclass(slots=True)
class Hindrances:
    """What holds up the blocking calls of a plan; what calls of one function share, and methods that turn together, is worked
    out once."""

    planner: Planner
    _own: dict[str, tuple[Barrier, ...]] = field(default_factory=lambda: dict[str, tuple[Barrier, ...]]())
    _families: dict[str, tuple[_Own, ...]] = field(default_factory=lambda: dict[str, tuple[_Own, ...]]())
    _ways: dict[str, tuple[Colouring, tuple[Cause, ...]]] = field(
        default_factory=lambda: dict[str, tuple[Colouring, tuple[Cause, ...]]]()
    )

    def of(self, leaf: Leaf, refusal: Refusal) -> Held:
        """What holds up a blocking call that was refused."""
        index = self.planner.facts.index
        here = ((index.path(leaf.function), leaf.call.line),)
        told = Cause(refusal.reason, leaf.function, here, refusal.message)
        if index.fact(leaf.function).is_async:
            return Held((), told, False)
        coloured, causes = self.above(leaf.function)
        refused = self.planner.refused(leaf)
        if refused is not None:
            return Held(causes, Cause(refused.code, leaf.function, here, refused.why), False)
        if not causes:
            return Held((), told, False)
        alone = len(causes) == 1
        return Held(causes, None, alone and (not causes[0].places or self.planner.frees(leaf, coloured)))

    def beside(self, leaf: Leaf) -> Held:
        """What holds up the other ways to a blocking call that is mended on some."""
        coloured, causes = self.above(leaf.function)
        return Held(causes, None, len(causes) == 1 and self.planner.frees(leaf, coloured))

    def above(self, function: str) -> tuple[Colouring, tuple[Cause, ...]]:
        """How a function would turn if nothing stood in the way, and what does."""
        if function not in self._ways:
            facts = self.planner.facts
            met = Barriers(self._own)
            coloured = colour(facts.index, function, facts.limits, facts.ends, met)
            if isinstance(coloured, Barrier):  # there is no way on behind it
                met.calls.append(coloured)
                coloured = Colouring([function])
            causes = tuple(
                _causes([each for root in self._roots(coloured) for each in self._families[root]], met.calls)
            )
            stops = self.planner.turns.stops(coloured) if len(causes) < SEVERAL else ()
            beside = {stop.why: Cause(stop.code, function, (), stop.why) for stop in stops}
            self._ways[function] = (coloured, (*causes, *beside.values()))
        return self._ways[function]

    def _roots(self, coloured: Colouring) -> Iterable[str]:
        """One for all methods that turn together, whose causes are known then."""
        ends = self.planner.facts.ends
        families = [ends.family(name) if ends is not None else (name,) for name in coloured.reached]
        for family in families:
            if family[0] not in self._families:
                own = (barrier for name in family for barrier in self._own.get(name, ()))
                self._families[family[0]] = tuple(_grouped(own))
        return dict.fromkeys(family[0] for family in families)


def _grouped(barriers: Iterable[Barrier]) -> Iterator[_Own]:
    """Of functions one cause for each code, with all its places."""
    codes: dict[str, dict[tuple[str, int], Barrier]] = {}
    for barrier in barriers:
        codes.setdefault(barrier.code, {}).setdefault((barrier.path, barrier.line), barrier)
    for code, places in codes.items():
        first = next(iter(places.values()))
        functions = frozenset(barrier.function for barrier in places.values())
        yield _Own(Cause(code, first.function, tuple(places), first.why), functions, frozenset(places))


def _causes(own: Iterable[_Own], calls: Iterable[Barrier]) -> Iterator[Cause]:
    """The barriers on one way up: those of functions, and of calls one for each place."""
    told = {(each.cause.code, each.places): each for each in own}  # a place may mean methods of several families
    hiding = set[str]().union(*(each.functions for each in told.values() if each.cause.code in HIDING))
    places: dict[tuple[str, int], Barrier] = {}
    for barrier in calls:
        if not (barrier.code in HIDDEN and barrier.function in hiding):
            places.setdefault((barrier.path, barrier.line), barrier)
    for each in told.values():
        met = {place for place, call in places.items() if place in each.places and _met(each, call)}
        left = tuple(place for place in each.cause.places if place not in met) if met else each.cause.places
        if left:
            yield replace(each.cause, places=left) if met else each.cause
    for place, barrier in places.items():
        if barrier.code != AMBIGUOUS or not any(place in each.places for each in told.values()):
            yield Cause(barrier.code, barrier.function, (place,), barrier.why)


def _met(own: _Own, call: Barrier) -> bool:
    """Whether a barrier that a call is says all that is to be said of a function at its place."""
    code = own.cause.code
    if call.code == AMBIGUOUS:
        return False
    return code == LAMBDA or (call.function in own.functions and code not in HIDING)
