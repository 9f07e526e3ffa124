"""The plan as a document: the migration as the Changes it consists of, how they go together, and what stands in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from asyncfix.facts.testfiles import is_test
from asyncfix.model import Change, Finding, Plan, Refusal
from asyncfix.plan.barriers import Cause, Held, Hindrances
from asyncfix.plan.changes import Planner
from asyncfix.plan.findings import spot
from asyncfix.plan.leaves import Leaf
from asyncfix.plan.order import Place, order

# Up to how many edits a Change is of that size; beyond the last it is XL.
SIZES = {"S": 5, "M": 20, "L": 80}


@dataclass(frozen=True, slots=True)
class End:
    """Where a Change ends.

    kind  ``command`` (it stays, and runs a coroutine) | ``program`` (a file that is run) | ``test`` | ``framework`` (which
          awaits it) | ``async`` (code that was async before) | ``uncalled`` (nothing in the project calls it)
    """

    kind: str
    function: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """A Change as a step of the migration. ``sites``: how many blocking calls it mends."""

    change: Change
    place: Place
    ends: tuple[End, ...]
    sites: int

    @property
    def functions(self) -> tuple[str, ...]:
        """Those that turn."""
        return tuple(sorted(self.change.turns))

    @property
    def size(self) -> str:
        return next((name for name, most in SIZES.items() if len(self.change.decisions) <= most), "XL")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A barrier, with how many blocking calls are behind it, and how many of these its removal alone would free."""

    cause: Cause
    behind: int
    frees: int
    packages: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why there is no form for some blocking calls of a rule, whatever the way up; ``calls``: path, line and reason of each."""

    code: str
    rule: str
    calls: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Package:
    """Sums of a package: blocking calls by what becomes of them, and functions that turn."""

    name: str
    safe: int
    unsafe: int
    barred: int
    functions: int


@dataclass(frozen=True, slots=True)
class Document:
    """The migration.

    steps      in the order in which they can land
    obstacles  on the way up, the most worthwhile first; unfit: what is said of calls themselves, the most frequent first
    packages   sums
    several    how many blocking calls more than one barrier holds up, so that the removal of one of them frees none
    partly     how many of those that are mended block still on another way to them, which a barrier holds up
    """

    steps: tuple[Step, ...]
    obstacles: tuple[Obstacle, ...]
    unfit: tuple[Unfit, ...]
    packages: tuple[Package, ...]
    several: int
    partly: int


@dataclass(slots=True)
class Sites:
    """The blocking calls of a plan by what becomes of them: those that Changes mend (ids by call), and those refused."""

    mended: Mapping[Leaf, frozenset[str]]
    refused: Mapping[Leaf, Refusal]


def document(planner: Planner, plan: Plan, later: Sequence[Change]) -> Document:
    """Describe a plan; ``later``: Changes that come up only when others have landed."""
    sites = _sites(planner, plan)
    hindrances = Hindrances(planner)
    held = {leaf: hindrances.of(leaf, refusal) for leaf, refusal in sites.refused.items()}
    partly = [leaf for leaf in sites.mended if planner.blocks_elsewhere(leaf)]
    held |= {leaf: hindrances.beside(leaf) for leaf in partly}
    changes = (*plan.changes, *later)
    places = order(changes)
    numbers = Counter(name for names in sites.mended.values() for name in names)
    owners = _owners(plan.findings)
    steps = (
        Step(change, places[change.id], tuple(_ends(planner, change, owners)), numbers[change.id]) for change in changes
    )
    return Document(
        tuple(sorted(steps, key=lambda step: step.place.number)),
        tuple(_obstacles(planner, held)),
        tuple(_unfit(held)),
        tuple(_packages(planner, sites, plan.changes)),
        sum(len(each.all) > 1 for each in held.values()),
        len(partly),
    )


def _sites(planner: Planner, plan: Plan) -> Sites:
    mended: dict[Leaf, set[str]] = {}
    refused: dict[Leaf, Refusal] = {}
    for finding in plan.findings:
        for leaf in planner.sites.get(spot(finding), ()) if finding.change is not None else ():
            mended.setdefault(leaf, set()).add(finding.change or "")
    for refusal in plan.refusals:
        for leaf in planner.sites.get(spot(refusal.finding), ()):
            refused.setdefault(leaf, refusal)
    return Sites({leaf: frozenset(names) for leaf, names in mended.items() if leaf not in refused}, refused)


def _owners(findings: Iterable[Finding]) -> Mapping[str, frozenset[str]]:
    """The functions in which what each Change mends was found."""
    found: dict[str, set[str]] = {}
    for finding in findings:
        if finding.change is not None:
            found.setdefault(finding.change, set()).add(finding.owner)
    return {name: frozenset(owners) for name, owners in found.items()}


def _ends(planner: Planner, change: Change, owners: Mapping[str, frozenset[str]]) -> Iterator[End]:
    found: dict[str, str] = {}
    index, ends = planner.facts.index, planner.facts.ends
    for name in sorted(change.turns):
        met = ends.met(name) if ends is not None else None
        edges = index.callers.get(name, ())
        if met is not None:
            found[name] = "test" if is_test(index.path(name)) else "framework"
        elif not edges and not index.passed.get(name):
            found[name] = "uncalled"
        for edge in edges:
            above = ends.met(edge.caller) if ends is not None else None
            if index.fact(edge.caller).is_async:
                found.setdefault(edge.caller, "async")
            elif ends is not None and ends.is_program(edge):
                found.setdefault(edge.caller, "program")
            elif above is not None and not above.turns:
                found.setdefault(edge.caller, "command")
    for name in owners.get(change.id, frozenset[str]()) - change.turns:
        if name in index.functions and index.fact(name).is_async:
            found.setdefault(name, "async")
    for name, kind in found.items():
        yield End(kind, name, index.path(name), index.fact(name).line)


def _obstacles(planner: Planner, held: Mapping[Leaf, Held]) -> Iterator[Obstacle]:
    behind: dict[object, list[tuple[Leaf, Cause, bool]]] = {}
    for leaf, each in held.items():
        for cause in each.causes:
            behind.setdefault((cause.code, cause.places or cause.why), []).append((leaf, cause, each.frees))
    found = (_obstacle(planner, entries) for entries in behind.values())
    yield from sorted(found, key=lambda item: (-item.frees, -item.behind, item.cause.code, item.cause.function))


def _obstacle(planner: Planner, entries: Sequence[tuple[Leaf, Cause, bool]]) -> Obstacle:
    packages = Counter(package(planner, leaf.function) for leaf, _, _ in entries)
    frees = sum(alone for _, _, alone in entries)
    return Obstacle(entries[0][1], len(entries), frees, tuple(sorted(packages.items())))


def _unfit(held: Mapping[Leaf, Held]) -> Iterator[Unfit]:
    found: dict[tuple[str, str], list[tuple[str, int, str]]] = {}
    for leaf, each in held.items():
        if each.call is not None:
            calls = found.setdefault((each.call.code, leaf.rule), [])
            calls.extend((path, line, each.call.why) for path, line in each.call.places)
    for (code, rule), calls in sorted(found.items(), key=lambda item: (-len(item[1]), item[0])):
        yield Unfit(code, rule, tuple(sorted(calls)))


def _packages(planner: Planner, sites: Sites, changes: Sequence[Change]) -> Iterator[Package]:
    by_id = {change.id: change for change in changes}
    counts: dict[str, Counter[str]] = {}
    for leaf, names in sites.mended.items():
        safe = all(by_id[name].safety == "safe" for name in names if name in by_id)
        counts.setdefault(package(planner, leaf.function), Counter())["safe" if safe else "unsafe"] += 1
    for leaf in sites.refused:
        counts.setdefault(package(planner, leaf.function), Counter())["barred"] += 1
    for name in set[str]().union(*(change.turns for change in changes)):
        counts.setdefault(package(planner, name), Counter())["functions"] += 1
    for name, count in sorted(counts.items()):
        yield Package(name, count["safe"], count["unsafe"], count["barred"], count["functions"])


def package(planner: Planner, function: str) -> str:
    """The package that a function is in; of a module outside of any, its own name."""
    path = planner.facts.index.path(function)
    module = planner.facts.index.evaluator.modules.names[path]
    return module if path.endswith("__init__.py") else module.rpartition(".")[0] or module
