"""What a plan does with one function, and why: it turns, it cannot, or it has nothing to do with what blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from asyncfix.link.index import Loose
from asyncfix.model import Change, Hop, Plan, Refusal, Rewrite, Use, span_of
from asyncfix.plan.barriers import Cause, Held, Hindrances
from asyncfix.plan.changes import Planner
from asyncfix.plan.findings import spot
from asyncfix.plan.leaves import Leaf


@dataclass(frozen=True, slots=True)
class Way:
    """A way down to a blocking call: functions with the line of the call that leads on, what blocks last.

    ``together``: the function turns since another one does that overrides it, and here the way begins.
    """

    hops: tuple[Hop, ...]
    together: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """A Change with ways to the calls that it mends.

    ``part``: ``turns`` (the function turns in it) | ``written`` (it changes otherwise) | ``beside`` (it stays as it is)
    """

    change: Change
    part: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """A blocking call that the function reaches and that is not mended: the way, what holds it up, what was said."""

    way: Way
    held: Held
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Why:
    """What is to be said of a function.

    verdict  ``turns`` | ``stays`` (it blocks or reaches what does) | ``runs`` (it stays, and runs what turns below it) |
             ``async`` (it is already) | ``clear`` (it neither blocks nor reaches what does)
    own      what keeps the function itself, or a caller, from turning
    loose    places that may mean it, though it is not known
    """

    function: str
    path: str
    line: int
    verdict: str
    reasons: tuple[Reason, ...]
    stops: tuple[Stop, ...]
    own: tuple[Cause, ...]
    loose: tuple[Loose, ...]


def why(planner: Planner, plan: Plan, function: str) -> Why:
    """Explain one function."""
    index = planner.facts.index
    info = index.functions[function]
    ways = dict(_below(planner, function))
    reasons = tuple(_reasons(planner, plan, function, ways))
    hindrances = Hindrances(planner)
    stops = tuple(_stops(planner, plan, hindrances, ways))
    parts = {reason.part for reason in reasons}
    own = hindrances.above(function)[1] if ways and not info.fact.is_async and "turns" not in parts else ()
    known = {"turns": "turns", "written": "runs"}
    verdict = next((known[part] for part in known if part in parts), "stays" if ways else "clear")
    verdict = "async" if info.fact.is_async else verdict
    loose = tuple(_loose(planner, function))
    return Why(function, info.path, info.fact.line, verdict, reasons, stops, own, loose)


def _below(planner: Planner, function: str) -> Iterator[tuple[Leaf, Way]]:
    """The blocking calls that a function reaches through sync code, and those of the methods that turn with it."""
    index, ends = planner.facts.index, planner.facts.ends
    if index.fact(function).is_async:
        for leaf in planner.blocking.by_function.get(function, ()):
            path, line = index.path(function), leaf.call.line
            yield leaf, Way((Hop(function, path, line), Hop(leaf.name, path, line)))
        for edge in index.calls.get(function, ()):
            if not index.fact(edge.callee).is_async:
                first = Hop(function, index.path(function), edge.site.line)
                yield from ((leaf, Way((first, *hops))) for leaf, hops in _ways(planner, edge.callee))
        return
    for name in ends.family(function) if ends is not None else (function,):
        yield from ((leaf, Way(hops, name != function)) for leaf, hops in _ways(planner, name))


def _ways(planner: Planner, function: str) -> Iterator[tuple[Leaf, tuple[Hop, ...]]]:
    """The shortest way to each blocking call."""
    ways = planner.blocking.ways
    for name in ways.below(function):
        for leaf in planner.blocking.by_function.get(name, ()):
            yield leaf, ways.hops(function, leaf)


def _reasons(planner: Planner, plan: Plan, function: str, ways: Mapping[Leaf, Way]) -> Iterator[Reason]:
    sites = _sites(planner, plan)
    for change in plan.changes:
        mended = [way for leaf, way in ways.items() if planner.mends(change, leaf) or leaf in sites.get(change.id, ())]
        part = "turns" if function in change.turns else "written" if _writes_in(planner, change, function) else "beside"
        if mended or part != "beside":
            yield Reason(change, part, tuple(mended))


def _sites(planner: Planner, plan: Plan) -> Mapping[str, set[Leaf]]:
    found: dict[str, set[Leaf]] = {}
    for finding in plan.findings:
        if finding.change is not None:
            found.setdefault(finding.change, set()).update(planner.sites.get(spot(finding), ()))
    return found


def _writes_in(planner: Planner, change: Change, function: str) -> bool:
    """Whether a Change writes something in a function itself, as it does in one that was async, or stays and runs one."""
    info = planner.facts.index.functions[function]
    inner = [
        other.span for other in planner.facts.index.summaries[info.path].functions if other.outer == info.fact.qualname
    ]
    spans = [span_of(item) for item in change.decisions if isinstance(item, Use | Rewrite) and item.path == info.path]
    return any(info.fact.span.contains(span) and not any(each.contains(span) for each in inner) for span in spans)


def _stops(planner: Planner, plan: Plan, hindrances: Hindrances, ways: Mapping[Leaf, Way]) -> Iterator[Stop]:
    told: set[Leaf] = set()
    for refusal in plan.refusals:
        for leaf in planner.sites.get(spot(refusal.finding), ()):
            if leaf in ways and leaf not in told:
                told.add(leaf)
                yield Stop(ways[leaf], hindrances.of(leaf, refusal), refusal)


def _loose(planner: Planner, function: str) -> Iterable[Loose]:
    """Places that may call a function, or use it otherwise, though the link does not know."""
    index = planner.facts.index
    last = index.fact(function).name
    known = (index.passed.get(function, ()), index.rebound.get(function, ()), index.by_name.get(last, ()))
    return dict.fromkeys(place for places in known for place in places)
