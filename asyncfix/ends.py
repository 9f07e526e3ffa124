"""Where colouring ends in a project: the boundaries of its frameworks, met with its functions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from asyncfix.asking import Asking
from asyncfix.boundary import Boundary, Candidate, Met, covers
from asyncfix.facts.testfiles import is_test
from asyncfix.link.callbacks import HANDED
from asyncfix.link.entities import FunctionInfo
from asyncfix.link.fixtures import is_test_function
from asyncfix.link.index import Edge, Loose, ProjectIndex
from asyncfix.model import Call, Span
from asyncfix.registering import Registering
from asyncfix.running import Running

GUARD = "main-guard"
MARK = "pytest.mark"
LOOPS = frozenset({f"{MARK}.asyncio", f"{MARK}.anyio"})
BACKEND = "anyio_backend"  # the fixture by which anyio's plugin is told what loop to run
CASES = "unittest."
GATHERED = ("test", "setup", "teardown", "asyncsetup", "asyncteardown")
# What runs a function that is to raise, with the position of that among its arguments.
RAISING = {"assertRaises": 1, "assertRaisesRegex": 2, "assertWarns": 1, "raises": 1}
CLEANING = "addCleanup"


@dataclass(slots=True)
class Ends:
    """What is met where; answers are remembered.

    named      functions that a build file names
    blocking   sync functions that reach something that blocks
    leaves     functions that block themselves
    auto       pytest-asyncio takes async tests and fixtures without a mark
    plugged    pytest-asyncio is declared
    """

    index: ProjectIndex
    boundaries: Sequence[Boundary]
    named: frozenset[str]
    blocking: frozenset[str]
    leaves: Collection[str]
    auto: bool
    plugged: bool
    registering: Registering = field(init=False)
    running: Running = field(init=False)
    asking: Asking = field(init=False)
    _met: dict[str, Met | None] = field(default_factory=lambda: dict[str, Met | None]())
    _anyio: bool | None = None
    _unmarked: bool | None = None
    _known: frozenset[str] | None = None
    _families: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict[str, tuple[str, ...]]())
    _alternatives: Mapping[str, Sequence[str]] | None = None

    def __post_init__(self) -> None:
        self.registering = Registering(self.index, self.boundaries)
        self.asking = Asking(self.index, self.blocking)
        self.running = Running(self.index, self.registering, self.blocking, self.met, self.is_program)

    def met(self, function: str) -> Met | None:
        """How colouring ends at a function, None if it goes on."""
        if function not in self._met:
            candidate = self._candidate(function)
            found = (boundary.meets(candidate) for boundary in self.boundaries)
            self._met[function] = next((met for met in found if met is not None), None)
        return self._met[function]

    def is_gathered(self, function: str) -> bool:
        """Whether a test framework calls the function, by its name or as a fixture."""
        info = self.index.functions[function]
        name = info.fact.name
        fixture = any(decorator.removesuffix("()").endswith(".fixture") for decorator in info.fact.decorators)
        return fixture or (name.lower().startswith(GATHERED) and (is_test(info.path) or self._is_mixin(function)))

    def _is_mixin(self, method: str) -> bool:
        """Whether a method is that of a class which test cases inherit from."""
        info, evaluator = self.index.functions[method], self.index.evaluator
        owner = evaluator.owner(info)
        below = self.index.subclasses.get(owner, ()) if owner is not None else ()
        return any(
            base.startswith(CASES) or is_test(self.index.classes[each].path)
            for each in below
            for base in evaluator.order(each)
        )

    def keeps(self, decorator: str) -> bool:
        """Whether a decorator of that canonical name takes coroutine functions."""
        return any(covers(boundary.decorators, decorator) for boundary in self.boundaries)

    def is_base(self, name: str) -> bool:
        """Whether a base class calls no methods but those that a boundary meets."""
        return any(covers(boundary.bases, name) for boundary in self.boundaries)

    def alone(self, edge: Edge) -> bool:
        """Whether the call is the only one of its function that may come to be awaited, and is made once."""
        others = self.index.calls.get(edge.caller, ())
        calls = {other.span for other in others if other.callee in self.blocking}
        return (
            edge.caller not in self.leaves
            and len(calls) <= 1
            and isinstance(edge.site, Call)
            and edge.site.loop is None
        )

    def is_program(self, edge: Edge) -> bool:
        """Whether a call is run only where its module is run as a program: in its guard, or in a file that nobody imports."""
        fact, path = self.index.fact(edge.caller), self.index.path(edge.caller)
        if fact.kind != "module" or not isinstance(edge.site, Call) or edge.site.barrier not in (GUARD, "module"):
            return False
        return edge.site.barrier == GUARD or not (
            path.endswith("__init__.py") or is_test(path) or path in self._imported()
        )

    def _imported(self) -> frozenset[str]:
        """Files that others import."""
        if self._known is None:
            found: set[str] = set()
            for path, summary in self.index.summaries.items():
                refs = dict.fromkeys((*(ref for refs in summary.bindings.values() for ref in refs), *summary.stars))
                # What is imported from one module begins alike.
                for start in dict.fromkeys(start for ref in refs for start in _starts(ref)):
                    meant = self.index.evaluator.evaluate(path, start)
                    found.update(entity.name for entity in meant if entity.kind == "module" and entity.name != path)
            self._known = frozenset(found)
        return self._known

    def raising(self, function: str) -> tuple[tuple[str, Call], ...] | None:
        """The calls that are given the function as one that is to raise, or to run when the test is over, with the tests they
        stand in; None if it is passed on otherwise, too, but to a framework."""
        found: list[tuple[str, Call]] = []
        for place in self.index.passed.get(function, ()):
            if self.registering.by(function, place) and self.met(function) is not None:
                continue
            call = next((call for call in self._raising_calls(place) if self._is_given(function, place, call)), None)
            if call is None:
                return None
            found.append((place.owner, call))
        return tuple(found)

    def _raising_calls(self, place: Loose) -> Iterator[Call]:
        for call in self.index.fact(place.owner).calls if place.owner else ():
            last = call.targets[0].rpartition(".")[2]
            known = last in RAISING or (last == CLEANING and self._cleans(place.owner, call))
            if known and call.line <= place.line <= call.end_line and call.alone:
                yield call

    def _cleans(self, test: str, call: Call) -> bool:
        """Whether a call has unittest run something when the test is over, in a method that unittest itself awaits."""
        met, info = self.met(test), self.index.functions[test]
        case = any(base.startswith(CASES) for base in self._order(info))
        own = call.receiver == info.fact.parameters[0].name if case and info.fact.parameters else False
        return own and met is not None and met.turns

    def _is_given(self, function: str, place: Loose, call: Call) -> bool:
        last = call.targets[0].rpartition(".")[2]
        met = self.met(function)
        if last == CLEANING and (self.index.fact(function).decorators or (met is not None and met.called)):
            return False  # unittest asks whether it is a coroutine function, which what a decorator gives need not be
        at = RAISING.get(last, 0)
        given = call.arguments[at : at + 1]
        meant = self.index.evaluator.evaluate(place.path, given[0].ref) if given and not given[0].keyword else ()
        return [entity.name for entity in meant] == [function]

    def family(self, method: str) -> tuple[str, ...]:
        """All functions that override each other, or that one call may mean, the given one too: they turn together."""
        if method not in self.index.overridden and method not in self._same_calls():
            return (method,)
        if method not in self._families:
            found = self._find_family(method)
            self._families |= dict.fromkeys(found, found)
        return self._families[method]

    def _find_family(self, method: str) -> tuple[str, ...]:
        found = {method: None}
        waiting = [method]
        seen: set[tuple[str, str]] = set()
        for name in waiting:
            info = self.index.functions[name]
            last = info.fact.name
            classes = [each for each in self._order(info) if (each, last) not in seen]
            seen.update((each, last) for each in classes)
            related = list(self._same_calls().get(name, ()))
            behind = (item for each in classes for item in self.index.evaluator.beside.get(each, ()))
            for class_id in dict.fromkeys((*classes, *behind)):
                related += self.index.evaluator.methods.get(class_id, {}).get(last, ())
                related += self.index.methods_below(class_id, last)
            new = [each for each in dict.fromkeys(related) if each not in found]
            found |= dict.fromkeys(new)
            waiting += new
        return tuple(found)

    def _same_calls(self) -> Mapping[str, Sequence[str]]:
        """Functions with the others that one call may mean, be it of objects that have nothing else in common."""
        if self._alternatives is None:
            found: dict[str, list[str]] = {}
            for edges in self.index.calls.values():
                at: dict[Span, dict[str, None]] = {}
                for edge in (each for each in edges if each.kind == "call" and "<locals>" not in each.callee):
                    if isinstance(edge.site, Call) and edge.site.use not in HANDED:
                        at.setdefault(edge.span, {})[edge.callee] = None
                for callees in (each for each in at.values() if len(each) > 1):
                    for callee in callees:
                        found.setdefault(callee, []).extend(callees)
            self._alternatives = found
        return self._alternatives

    def _candidate(self, function: str) -> Candidate:
        info = self.index.functions[function]
        decorators = tuple(self.canonical(info.path, decorator) for decorator in info.fact.decorators)
        owner = self.index.evaluator.owner(info)
        bases = tuple(self._order(info)[1:])
        imports = self.index.summaries[info.path].imports
        given = self.registering.given(function)
        inheriting = self._inheriting(owner, bases)
        how = (function in self.named, self.auto, not self.auto and self._uses_anyio(), self._has_unmarked())
        return Candidate(info.path, info.fact, decorators, bases, imports, *inheriting, given, *how)

    def _inheriting(
        self, owner: str | None, bases: tuple[str, ...]
    ) -> tuple[tuple[str, ...], frozenset[str], frozenset[str], frozenset[str]]:
        """Of a class the bases that the project does not define, those that it names, the methods it has from others, and
        those of its own and of the classes below."""
        evaluator = self.index.evaluator
        foreign = tuple(base for base in bases if base not in self.index.classes and base != "builtins.object")
        info = self.index.classes.get(owner or "")
        listed = evaluator.all(info.path, info.fact.bases) if info is not None else ()
        inherited = frozenset(name for base in bases for name in evaluator.methods.get(base, ()))
        below = (owner, *self.index.subclasses.get(owner, ())) if owner is not None else ()
        beside = frozenset(name for each in below for name in evaluator.methods.get(each, ()))
        return foreign, frozenset(entity.name for entity in listed), inherited, beside

    def _uses_anyio(self) -> bool:
        """Whether all async tests of the project are marked for anyio, and a fixture chooses the loop that they run on."""
        if self._anyio is None:
            tests = self._async_tests()
            marked = all(f"{MARK}.anyio" in self._marks(info) for info in tests)
            self._anyio = bool(tests) and marked and BACKEND in self.index.evaluator.fixtures
        return self._anyio

    def _has_unmarked(self) -> bool:
        """Whether something else than pytest-asyncio and anyio's plugin has to run async tests of the project."""
        if self._unmarked is None:
            known = not (self.plugged or self.auto)
            self._unmarked = known and any(LOOPS.isdisjoint(self._marks(info)) for info in self._async_tests())
        return self._unmarked

    def _async_tests(self) -> list[FunctionInfo]:
        """The tests of pytest that are async already."""
        found = [info for info in self.index.functions.values() if info.fact.is_async and is_test_function(info)]
        return [info for info in found if not any(base.startswith(CASES) for base in self._order(info))]

    def _marks(self, info: FunctionInfo) -> frozenset[str]:
        """The decorators of a test, of its classes, and what its module says of all."""
        classes = (self.index.classes[name].fact for name in self._order(info) if name in self.index.classes)
        module = self.index.summaries[info.path].bindings.get("pytestmark", ())
        stated = (*info.fact.decorators, *module, *(ref for each in classes for ref in each.decorators))
        return frozenset(ref.removesuffix("()") for ref in stated)

    def _order(self, info: FunctionInfo) -> Sequence[str]:
        owner = self.index.evaluator.owner(info)
        return self.index.evaluator.order(owner) if owner else ()

    def canonical(self, path: str, decorator: str) -> str:
        """The name of a decorator; of one that is not known, as it is written."""
        called = "()" if decorator.endswith("()") else ""
        entities = self.index.evaluator.evaluate(path, decorator.removesuffix("()"))
        names = {entity.name for entity in entities if entity.kind in ("external", "value")}
        return names.pop() + called if len(names) == 1 else decorator.lstrip(":")


def run_by(call: Call) -> str:
    """The kind of use of a function that turned and is given to that call to run it."""
    return "async_cleanup" if call.targets[0].rpartition(".")[2] == CLEANING else "raising"


def _starts(ref: str) -> Iterator[str]:
    """What a ref to something of another file begins with, and itself: the modules on the way to it."""
    if not ref.startswith(":"):
        yield from (ref[:at] for at, sign in enumerate(ref) if sign == ".")
        yield ref
