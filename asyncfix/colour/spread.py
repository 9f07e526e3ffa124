"""What must turn async for one leaf, or what stands in the way: a pure function that plan calls once per leaf.

Colouring speaks of functions and spans; it never sees a tree or a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from msgspec.structs import replace

from asyncfix.boundary import Met
from asyncfix.colour.awaiting import ENTERING, closed, is_coroutine, manner, statement, written
from asyncfix.colour.barrier import Barrier, Barriers, Rules, iterator_made, mixed_family, mixed_with, passed_on
from asyncfix.colour.generators import PASSED_ON, onward
from asyncfix.colour.special import PARTNERS, makes_iterator, only_renamed, partners
from asyncfix.colour.turning import turning
from asyncfix.ends import Ends
from asyncfix.link.callbacks import HANDED
from asyncfix.link.index import PARAMETER, Edge, ProjectIndex
from asyncfix.model import Call, Span


@dataclass(frozen=True, slots=True)
class Awaited:
    """A call that is awaited then, and the kind of use by which that is written."""

    edge: Edge
    kind: str


@dataclass(slots=True)
class Colouring:
    """What turns, and what becomes of the calls.

    reached   functions that turn, or (those whose end does not turn) whose code does
    awaits    calls that are awaited then; runs: calls that are run to their end where they stand
    ends      how colouring ended, by function; uncalled: functions that nothing in the project calls
    giving    functions that stay as they are: what they give is asynchronous, a ``generator`` or a ``manager``
    raising   calls that are given a function that turns as one that is to raise, with the functions they stand in
    wrapped   calls in the wrappers of decorators, of whatever they decorate, that are awaited then
    """

    reached: list[str]
    awaits: list[Awaited] = field(default_factory=lambda: list[Awaited]())
    runs: list[Edge] = field(default_factory=lambda: list[Edge]())
    ends: dict[str, Met] = field(default_factory=lambda: dict[str, Met]())
    uncalled: list[str] = field(default_factory=lambda: list[str]())
    giving: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    raising: list[tuple[str, Call]] = field(default_factory=lambda: list[tuple[str, Call]]())
    wrapped: list[Awaited] = field(default_factory=lambda: list[Awaited]())
    _known: set[str] = field(default_factory=lambda: set[str]())

    def __post_init__(self) -> None:
        self._known.update(self.reached)

    def manner(self, index: ProjectIndex, name: str) -> str:
        """What becomes of a function, or of what it gives."""
        return self.giving.get(name) or manner(index.fact(name))

    def reach(self, names: Iterable[str], index: ProjectIndex) -> None:
        """Functions are reached, but for those that are async already."""
        for name in names:
            if name not in self._known and not index.fact(name).is_async:
                self._known.add(name)
                self.reached.append(name)


def colour(
    index: ProjectIndex, leaf: str, limits: Rules, ends: Ends | None = None, barriers: Barriers | None = None
) -> Colouring | Barrier:
    """The smallest set of functions that must turn so that ``leaf`` may await, or the first barrier met.

    Without ``ends`` every caller must be async in the end; with them sync code is migrated up to its boundaries. With
    ``barriers`` those that are met are noted there, and colouring goes on behind them as if they were not.
    """
    if only_renamed(index.fact(leaf)):
        why = f"{leaf} is an `__iter__` that is no generator, which nothing awaits"
        return Barrier("iterator-made", index.path(leaf), index.fact(leaf).line, why, leaf)
    found = Colouring(list(together(index, ends, leaf)))
    for name in found.reached:
        met = ends.met(name) if ends is not None else None
        own = turning(index, name, limits, ends, met)
        if barriers is not None:
            if name not in barriers.own:
                barriers.own[name] = tuple(own)
        else:
            stop = next(own, None)
            if stop is not None:
                return stop
        if index.fact(name).is_stub and "generator" in {found.manner(index, each) for each in _family(ends, name)}:
            found.giving[name] = "generator"
        if met is not None:
            found.ends[name] = met
            if not met.turns:
                continue  # who calls it does not see the difference
        raising = (ends.raising(name) or ()) if ends is not None else ()
        for test, call in raising:
            found.raising.append((test, call))
            found.reach(together(index, ends, test), index)
        for stop in _wrappers(index, name, limits, ends, found):
            if barriers is None:
                return stop
            barriers.calls.append(stop)
        named = limits.namesakes.callers(name) if ends is not None else ()
        callers = [
            edge for edge in (*index.callers.get(name, ()), *named) if edge.kind != PARAMETER
        ]  # told where handed on
        if not callers and ends is None:
            fact = index.fact(name)
            return Barrier(
                "sync-caller", index.path(name), fact.line, f"{name} is not called from async code only", name
            )
        if not callers and not raising and met is None and limits.wrappings.around(name) is None:
            found.uncalled.append(name)
        for edge in callers:
            stop = _caller(index, edge, limits, ends, found)
            if stop is not None:
                if barriers is None:
                    return stop
                barriers.calls.append(stop)
                if index.fact(edge.caller).kind not in ("module", "class"):
                    found.reach(together(index, ends, edge.caller), index)
    for stop in chain(
        _ambiguous(index, limits, ends, found), _mixed(index, found), _otherwise(index, ends, leaf, found)
    ):
        if barriers is None:
            return stop
        barriers.calls.append(stop)
    return found


def _caller(index: ProjectIndex, edge: Edge, limits: Rules, ends: Ends | None, found: Colouring) -> Barrier | None:
    """Take one call of a function that turns: it is awaited, or run to its end. The barrier if it may not be."""
    call = edge.site if isinstance(edge.site, Call) and edge.site.use not in HANDED else None
    taken = limits.namesakes.of(edge) if ends is not None else ()
    met = ends.met(edge.caller) if taken and ends is not None else None
    if met is not None and not met.turns:
        where = f"{index.path(edge.caller)}:{edge.site.line}"
        why = f"{edge.callee} may be meant by a call whose receiver is not known ({where})"
        return Barrier("possible-caller", index.path(edge.caller), edge.site.line, why, edge.callee)
    if ends is not None and call is not None and is_coroutine(index, edge, found.giving):
        met = ends.met(edge.caller)
        if ends.is_program(edge) or (met is not None and not met.turns and not met.stays and ends.alone(edge)):
            stop = closed(index, edge, limits) or run_loop(index, edge)
            found.runs.append(edge)
            return stop
    kind = written(index, edge, limits, found.giving)
    if isinstance(kind, Barrier):
        return kind
    found.awaits.append(Awaited(edge, kind))
    for place in onward(edge.site, kind):
        stop = _caller(index, replace(edge, site=place), limits, ends, found)
        if stop is not None:
            return stop
    if kind == PASSED_ON:
        found.giving[edge.caller] = found.manner(index, edge.callee)
    for other in (*(beside(index, edge) if kind == ENTERING else ()), *taken):
        found.reach(together(index, ends, other), index)
    found.reach(together(index, ends, edge.caller), index)
    return None


def _wrappers(index: ProjectIndex, name: str, limits: Rules, ends: Ends | None, found: Colouring) -> Iterator[Barrier]:
    """Reach the wrappers that decorators put round a function that turns, and all that is decorated by one that does.

    Given are the barriers that some of that is.
    """
    path = index.path(name)
    for decorator in index.fact(name).decorators:
        wrapping = limits.wrappings.of(path, decorator)
        if wrapping is not None:
            found.reach(together(index, ends, wrapping.wrapper), index)
    around = limits.wrappings.around(name)
    if around is None:
        return
    if not around.decorated:
        line = index.fact(name).line
        why = f"{name} wraps what others decorate: nothing in the project has its decorator ({path}:{line})"
        yield Barrier("own-decorator", path, line, why, name)
    for decorated in around.decorated:
        met = ends.met(decorated) if ends is not None else None
        if (met is not None and not met.turns) or manner(index.fact(decorated)) != "coroutine":
            line = index.fact(decorated).line
            why = f"{decorated}, which becomes no coroutine function, has the same decorator ({index.path(decorated)}:{line})"
            yield Barrier("own-decorator", index.path(decorated), line, why, decorated)
        found.reach(together(index, ends, decorated), index)
    for edge in (Edge(name, decorated, "call", call) for decorated in around.decorated[:1] for call in around.calls):
        kind = written(index, edge, limits, found.giving)
        if isinstance(kind, Barrier):
            yield kind
        else:
            found.wrapped.append(Awaited(edge, kind))


def together(index: ProjectIndex, ends: Ends | None, name: str) -> tuple[str, ...]:
    """The functions that turn with one: without a migration none that is overridden turns."""
    family = _family(ends, name)
    if index.fact(name).name not in PARTNERS:
        return family
    found = dict.fromkeys(family)
    waiting = list(found)
    for each in waiting:
        for other in partners(index, each):
            new = [item for item in _family(ends, other) if item not in found]
            found |= dict.fromkeys(new)
            waiting += new
    return tuple(found)


def _family(ends: Ends | None, name: str) -> tuple[str, ...]:
    return ends.family(name) if ends is not None else (name,)


def run_loop(index: ProjectIndex, edge: Edge) -> Barrier | None:
    """The barrier that a place is where async code may run: no loop may be run there."""
    seen = {edge.caller}
    stack = [edge.caller]
    while stack:
        for above in index.callers.get(stack.pop(), ()):
            if index.fact(above.caller).is_async:
                path, line = index.path(above.caller), above.site.line
                why = f"{edge.caller}, which would run a loop, is reached by async code ({path}:{line})"
                return Barrier("runs-a-loop", path, line, why, edge.callee)
            if above.caller not in seen:
                seen.add(above.caller)
                stack.append(above.caller)
    return None


def _ambiguous(index: ProjectIndex, limits: Rules, ends: Ends | None, found: Colouring) -> Iterator[Barrier]:
    """The barriers that calls are which may mean something else, too."""
    reached = set(found.reached)
    for name in found.reached:
        for decorator in index.fact(name).decorators:
            reached.update(limits.wrappings.versions(index.path(name), decorator))
    kinds: dict[tuple[str, Span, str], str] = {}
    for awaited in found.awaits:
        edge = awaited.edge
        if kinds.setdefault((edge.caller, edge.span, edge.step), awaited.kind) != awaited.kind:
            why = f"the call of {edge.callee} may mean a function that is no generator too, or the other way round"
            yield Barrier("ambiguous-call", index.path(edge.caller), edge.site.line, why, edge.callee)
    for edge in (*(awaited.edge for awaited in found.awaits), *found.runs):
        taken = limits.namesakes.of(edge) if ends is not None else ()
        sure = bool(taken) or (edge.sure and edge.site not in index.unknown.get(edge.caller, ()))
        others = (other.callee for other in index.calls.get(edge.caller, ()) if means(other, edge))
        if not (sure and reached.issuperset((*taken, *others))):
            path, line = index.path(edge.caller), edge.site.line
            why = f"the call of {edge.callee} may mean another function too ({path}:{line})"
            yield Barrier("ambiguous-call", path, line, why, edge.callee)


def means(edge: Edge, other: Edge) -> bool:
    """Whether the expression of another edge means this callee; what is handed to it is no meaning of its own."""
    given = isinstance(edge.site, Call) and edge.site.use in HANDED
    return edge.span == other.span and edge.step == other.step and not given


def beside(index: ProjectIndex, edge: Edge) -> Iterator[str]:
    """The context managers of the project that are entered by the statement of an edge: they turn together."""
    block = statement(index.fact(edge.caller), edge.span)
    for other in index.calls[edge.caller] if block is not None and len(block.items) > 1 else ():
        how = manner(index.fact(other.callee))
        if block is not None and other.span in block.items and (other.step == "entered" or how == "manager"):
            yield other.callee


def _otherwise(index: ProjectIndex, ends: Ends | None, leaf: str, found: Colouring) -> Iterator[Barrier]:
    """The barriers that functions are which give what an async generator gives in some cases only, or come to await."""
    alike: set[str] = set()
    for name in found.reached:
        fact = index.fact(name)
        family = _family(ends, name) if name not in alike else ()
        if len({found.manner(index, each) for each in family}) <= 1:
            alike.update(family)
        else:
            yield mixed_family(index, name)
        if makes_iterator(fact) and name not in found.giving:
            yield iterator_made(index, name)
        if name not in found.giving or fact.is_stub:
            continue
        kinds = {each.edge.span: each.kind for each in found.awaits if each.edge.caller == name}
        if name == leaf or name in found.ends or set(kinds.values()) != {PASSED_ON} or len(kinds) != fact.returned:
            yield passed_on(index, name, found.giving[name])


def _mixed(index: ProjectIndex, found: Colouring) -> Iterator[Barrier]:
    """The barriers that ``with`` statements are which enter something that stays sync beside what turns."""
    entered = {(each.edge.caller, each.edge.span) for each in found.awaits if each.kind == ENTERING}
    for caller, span in entered:
        block = statement(index.fact(caller), span)
        if block is None or not all((caller, item) in entered for item in block.items):
            line = next(each.edge.site.line for each in found.awaits if each.edge.span == span)
            yield mixed_with(index.path(caller), line)
