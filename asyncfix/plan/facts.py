"""The project's facts that conditions are judged by, gathered once: tests, handlers, declared distributions, exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from asyncfix.colour.awaiting import manner
from asyncfix.colour.barrier import Rules
from asyncfix.colour.special import ASYNCHRONOUS
from asyncfix.config import CACHES, Config
from asyncfix.effects.reach import Effects
from asyncfix.ends import MARK, Ends
from asyncfix.facts.testfiles import is_test
from asyncfix.link.doubles import Doubles
from asyncfix.link.given import Given
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.link.namesakes import Namesakes
from asyncfix.link.patches import Patch, Tests
from asyncfix.link.patches import find as find_patches
from asyncfix.link.wrapping import Wrappings
from asyncfix.model import Api, Call, Handler, Mention, Site, Span, Summary
from asyncfix.plan.awakening import Awakening
from asyncfix.plan.caching import Caches
from asyncfix.plan.connections import Connections
from asyncfix.plan.constructing import Constructing
from asyncfix.plan.importing import Importing
from asyncfix.plan.interleave import Interleaving, Suspension
from asyncfix.plan.limiting import Limiting
from asyncfix.plan.member import Member
from asyncfix.plan.replacing import Replacing
from asyncfix.plan.rows import Rows
from asyncfix.plan.running import Running
from asyncfix.plan.sharing import made_otherwise
from asyncfix.project import Project

CACHE = "async-lru"
DOCTESTS = ("doctest", "xdoctest")
FOREIGN_LOOPS = ("trio", "curio", "twisted")
EXITING = ("__exit__", "__aexit__")
SWALLOWING = frozenset({"contextlib.suppress()", "pytest.raises()"})
CANCELLING = frozenset({"builtins.BaseException", "asyncio.CancelledError", "builtins.KeyboardInterrupt"})
ASKING_FOR_TASKS = frozenset({"asyncio.all_tasks", "asyncio.tasks.all_tasks"})
NEUTRAL_LOOPS = ("anyio", "sniffio")


@dataclass(slots=True)
class Facts:
    """What plan knows.

    sites    by path and span of the call; scanned: those of rules about statements, with the path
    barred   whether comments keep a rule ('' : all) away from some lines of a file; asking counts as using them
    mocked   by function of the project what replaces it, and certainly nothing else
    rows     what the user's rows speak of, if sync code is migrated
    rule_of  the selected rule that something blocking belongs to
    members  what is known of awaits that are to overlap, by function and span
    called   the same of the calls of libraries in a function, None where they mean nothing to an overlap
    """

    index: ProjectIndex
    effects: Effects
    config: Config
    project: Project
    target: tuple[int, int]
    tests: Tests
    limits: Rules
    exported: frozenset[str]
    texts: tuple[Mapping[str, tuple[tuple[str, int], ...]], ...]
    sites: Mapping[str, Mapping[Span, Site]]
    barred: Callable[[str, int, int, str], bool]
    running: Running
    interleaving: Interleaving
    awakening: Awakening
    importing: Importing
    limiting: Limiting
    connections: Connections
    caches: Caches
    constructing: Constructing
    replacing: Replacing
    mocked: Mapping[str, tuple[Patch, ...]]
    ends: Ends | None = None
    rows: Rows | None = None
    rule_of: Callable[[Api], str | None] = lambda api: None
    scanned: tuple[tuple[str, Site], ...] = ()
    members: dict[tuple[str, Span], Member] = field(default_factory=lambda: dict[tuple[str, Span], Member]())
    stand_ins: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    called: dict[str, Member | None] = field(default_factory=lambda: dict[str, Member | None]())
    _outside: tuple[tuple[str, str, int], ...] | None = None
    _otherwise: Mapping[str, str] | None = None
    _supervised: str | None = None
    _looping: dict[tuple[str, ...], Mapping[str, str]] = field(
        default_factory=lambda: dict[tuple[str, ...], Mapping[str, str]]()
    )
    _above: dict[str, frozenset[str]] = field(default_factory=lambda: dict[str, frozenset[str]]())

    def in_force(self, patches: Iterable[Patch], function: str) -> Patch | None:
        """The first of some replacements that may be in force when the function runs."""
        return self.running.in_force(patches, function, self.above(function))

    def named(self, function: str) -> tuple[tuple[str, int], ...]:
        """Where texts name it, or something of that name; a method is always asked of an object."""
        fact = self.index.fact(function)
        return tuple(place for each in self.texts[: 1 if fact.owner_class else 2] for place in each.get(fact.name, ()))

    def above(self, function: str) -> frozenset[str]:
        """The function and all that may call it, however far up."""
        found = self._above.get(function)
        if found is None:
            seen = {function}
            stack = [function]
            while stack:
                for edge in self.index.callers.get(stack.pop(), ()):
                    if edge.caller not in seen:
                        seen.add(edge.caller)
                        stack.append(edge.caller)
            found = self._above[function] = frozenset(seen)
        return found

    def loops(self, function: str, packages: tuple[str, ...]) -> tuple[str, str] | None:
        """The first of the packages that the function's module, or a caller's, imports, with the path."""
        if packages not in self._looping:
            self._looping[packages] = dict(self._with_loops(packages))
        looping = self._looping[packages]
        first = min(self.above(function) & looping.keys(), default=None) if looping else None
        return (looping[first], self.index.path(first)) if first is not None else None

    def _with_loops(self, packages: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """The functions whose module imports one of the packages, or that are marked with one, with that."""
        importing = {path: summary.imports.intersection(packages) for path, summary in self.index.summaries.items()}
        for name, (path, fact) in self.index.functions.items():
            marks = {decorator.removesuffix("()") for decorator in fact.decorators}
            for package in packages:
                if package in importing[path] or f"{MARK}.{package}" in marks:
                    yield name, package
                    break

    def handlers(self, function: str, span: Span) -> Iterator[tuple[str, Handler]]:
        """Every handler round a place: in its function, and round each call of it further up. Gives path and handler."""
        yield from self._around(function, span)
        for name in self.above(function):
            yield from self._wrapped(Suspension(name, self.index.fact(name).span, None, ()))
            for edge in self.index.callers.get(name, ()):
                yield from self._around(edge.caller, edge.span)
                yield from self._handed_on(edge)

    def swallowed(self, suspension: Suspension) -> str:
        """Why a cancellation that arrives at the await would be lost, '' if it would not."""
        for path, handler in self._around(suspension.function, suspension.span):
            caught = {entity.name for ref in handler.types for entity in self.index.evaluator.evaluate(path, ref)}
            if not handler.raises and (not handler.types or caught & CANCELLING):
                return (
                    f"a handler round the await would keep a cancellation, or Ctrl-C, to itself ({path}:{handler.line})"
                )
        return ""

    def made_otherwise(self) -> Mapping[str, str]:
        """See `sharing.made_otherwise`; looked for once."""
        if self._otherwise is None:
            self._otherwise = made_otherwise(self.index)
        return self._otherwise

    def supervised(self) -> str:
        """Where the program asks for all tasks, apart from tests, '' if nowhere; looked for once."""
        if self._supervised is None:
            self._supervised = next(
                (
                    f"{self.index.path(name)}:{each.call.line}"
                    for name, externals in self.index.externals.items()
                    for each in externals
                    if self.index.catalog.canonical(each.name) in ASKING_FOR_TASKS
                    and not is_test(self.index.path(name))
                ),
                "",
            )
        return self._supervised

    def errors_outside(self) -> tuple[tuple[str, str, int], ...]:
        """Library names that code outside functions mentions: errors in decorators and in the registration of handlers may
        be meant for any function. Name, path and line."""
        if self._outside is None:
            frames = (name for name, info in self.index.functions.items() if info.fact.kind in ("module", "class"))
            self._outside = tuple(item for name in frames for item in self._mentioned(name))
        return self._outside

    def errors_named(self, function: str) -> Iterator[tuple[str, str, int]]:
        """Library names that the function and its callers mention, likewise."""
        for name in sorted(self.above(function)):
            yield from self._mentioned(name)

    def _mentioned(self, function: str) -> Iterator[tuple[str, str, int]]:
        path = self.index.path(function)
        for access in self.index.fact(function).accesses:
            for entity in self.index.evaluator.evaluate(path, access.ref) if access.kind == "read" else ():
                if entity.kind == "external":
                    yield entity.name, path, access.line

    def _wrapped(self, suspension: Suspension) -> Iterator[tuple[str, Handler]]:
        """The handlers of context managers and wrappers of the project that run round some code."""
        for name, _ in self.interleaving.around(suspension):
            path, fact = self.index.path(name), self.index.fact(name)
            if fact.name in EXITING:
                yield path, Handler(("?",), fact.line)  # it is given the error, and may look at it
            for item in fact.tries:
                yield from ((path, handler) for handler in item.handlers)

    def _handed_on(self, edge: Edge) -> Iterator[tuple[str, Handler]]:
        """The handlers that meet the error of a coroutine that is awaited elsewhere: in the function it is handed to, or as a
        value among the results of ``gather``."""
        if not isinstance(edge.site, Call) or not self.index.fact(edge.callee).is_async or edge.site.use == "awaited":
            return
        path = self.index.path(edge.caller)
        for call in self.index.fact(edge.caller).calls:
            if any(item.keyword == "return_exceptions" and item.literal != "False" for item in call.arguments):
                yield path, Handler(("?",), call.line)
        for other in self.index.calls.get(edge.caller, ()):
            if other.span.contains(edge.span) and other.span != edge.span:
                for item in self.index.fact(other.callee).tries:
                    yield from ((self.index.path(other.callee), handler) for handler in item.handlers)

    def _around(self, function: str, span: Span) -> Iterator[tuple[str, Handler]]:
        """The handlers round one place of one function; what ``suppress`` and ``raises`` name counts as handled."""
        fact, path = self.index.fact(function), self.index.path(function)
        for item in fact.tries:
            if item.body.contains(span):
                yield from ((path, handler) for handler in item.handlers)
        held = next((call.held for call in fact.calls if call.span == span), ())
        yield from self._wrapped(Suspension(function, span, None, held))
        if any(call.span == span and set(call.held) & SWALLOWING for call in fact.calls):
            for call in fact.calls:
                if {f"{target}()" for target in call.targets} & SWALLOWING:
                    yield path, Handler(tuple(argument.ref for argument in call.arguments if argument.ref), call.line)


def gather(
    index: ProjectIndex,
    config: Config,
    project: Project,
    target: tuple[int, int],
    closed: frozenset[str],
    closed_lines: Mapping[str, frozenset[int]],
    own: frozenset[str],
    barred: Callable[[str, int, int, str], bool],
) -> Facts:
    """Gather the facts; sites are added when they have been surveyed. ``own``: what generated code keeps for itself."""
    tests = find_patches(index)
    by_target = _by_target(index)
    by_last: dict[str, list[str]] = {}
    for name, info in index.functions.items():
        by_last.setdefault(info.fact.name, []).append(name)
    meant = _meant(index, tests, by_target, by_last)
    limits = Rules(
        pins=frozenset(config.pin),
        entry_points=frozenset(
            name
            for point in project.entry_points
            for name in by_target.get(point.partition("[")[0].strip().replace(":", "."), ())
        ),
        named=_named_exactly(index, tests, by_target, by_last),
        replaced=_replaced(index, meant),
        closed=closed,
        closed_lines=closed_lines,
        target=target,
        doubles=Doubles(index),
        wrappings=Wrappings(index),
        given=Given(index),
        namesakes=Namesakes(index),
        caches=CACHE in project.runtime_declared
        or (config.strategy.get(CACHES) == "native" and project.dependency_file is not None),
        socketless=project.socketless,
        examined=_examined(index, project),
    )
    effects = Effects(index, own)
    return Facts(
        index,
        effects,
        config,
        project,
        target,
        tests,
        limits,
        frozenset(_exported(index)),
        _named(index),
        {},
        barred,
        Running(index, effects, limits),
        Interleaving(effects),
        Awakening(index),
        Importing(index),
        Limiting(effects),
        Connections(effects),
        Caches(index),
        Constructing(index),
        Replacing(index),
        _mocked(index, meant),
    )


def _examined(index: ProjectIndex, project: Project) -> frozenset[str]:
    """The files whose examples in docstrings are run: all if pytest or a test does that, else those that do it themselves."""
    running = [path for path, summary in index.summaries.items() if _runs_examples(summary)]
    return frozenset(index.summaries if project.doctests or any(map(is_test, running)) else running)


def _runs_examples(summary: Summary) -> bool:
    parsed = any(ref.endswith(".DocTestParser") for refs in summary.bindings.values() for ref in refs)
    return parsed or not summary.imports.isdisjoint(DOCTESTS)


def _by_target(index: ProjectIndex) -> Mapping[str, tuple[str, ...]]:
    """Function ids by every dotted path that names them."""
    found: dict[str, list[str]] = {}
    for name, info in index.functions.items():
        if info.fact.kind in ("module", "class", "lambda"):
            continue
        found.setdefault(name.partition("#")[0], []).append(name)
    return {target: tuple(names) for target, names in found.items()}


def _patched(
    index: ProjectIndex, by_target: Mapping[str, tuple[str, ...]], by_last: Mapping[str, list[str]], target: str
) -> Iterator[str]:
    """Functions of the project that a patch target names: where they are defined, or where they were imported to."""
    if target.startswith("?."):
        yield from by_last.get(target[2:], ())
        return
    yield from by_target.get(target, ())
    for path in sorted(index.summaries)[:1]:
        for entity in index.evaluator.evaluate(path, target):
            if entity.kind in ("function", "method"):
                yield entity.name


def _meant(
    index: ProjectIndex, tests: Tests, by_target: Mapping[str, tuple[str, ...]], by_last: Mapping[str, list[str]]
) -> tuple[tuple[Patch, tuple[str, ...]], ...]:
    """All replacements, each with the functions of the project that it may replace."""
    targets = dict.fromkeys(patch.target for patch in tests.every)
    names = {target: tuple(_patched(index, by_target, by_last, target)) for target in targets}
    return tuple((patch, names[patch.target]) for patch in tests.every)


def _replaced(index: ProjectIndex, meant: Iterable[tuple[Patch, tuple[str, ...]]]) -> Mapping[str, tuple[Patch, ...]]:
    """By function what replaces it that does not turn async with it."""
    found: dict[str, list[Patch]] = {}
    for patch, names in meant:
        for name in names:
            if not (patch.follows and manner(index.fact(name)) == "coroutine"):
                found.setdefault(name, []).append(patch)
    return {name: tuple(patches) for name, patches in found.items()}


def _mocked(index: ProjectIndex, meant: Iterable[tuple[Patch, tuple[str, ...]]]) -> Mapping[str, tuple[Patch, ...]]:
    """By function that would be a coroutine function what replaces it, and no other."""
    found: dict[str, list[Patch]] = {}
    for patch, names in meant:
        only = set(names) if not patch.target.startswith("?.") else ()
        for name in only if len(only) == 1 else ():
            if manner(index.fact(name)) == "coroutine" and index.fact(name).kind in ("function", "method"):
                found.setdefault(name, []).append(patch)
    return {name: tuple(patches) for name, patches in found.items()}


def _named_exactly(
    index: ProjectIndex, tests: Tests, by_target: Mapping[str, tuple[str, ...]], by_last: Mapping[str, list[str]]
) -> Mapping[str, tuple[tuple[str, int], ...]]:
    """Functions of which a text gives the whole path, and methods that a template asks of an object; not what tests name."""
    found: dict[str, list[tuple[str, int]]] = {}
    replaced = {(patch.path, patch.line) for patch in tests.every}
    for path, mention in _dotted(index):
        if not is_test(path) and (path, mention.line) not in replaced:
            target = mention.name.replace(":", ".")
            meant = _patched(index, by_target, by_last, target) if not target.startswith(".") else ()
            asked = by_last.get(target[1:], ()) if target.startswith(".") else ()
            for name in (*meant, *(each for each in asked if index.fact(each).owner_class)):
                found.setdefault(name, []).append((path, mention.line))
    return {name: tuple(dict.fromkeys(places)) for name, places in found.items()}


def _dotted(index: ProjectIndex) -> Iterator[tuple[str, Mention]]:
    """The paths in data and in strings that begin with a package of the project, and what templates ask of objects."""
    tops = {name.partition(".")[0] for name in index.evaluator.modules.names.values()}
    for path, mention, _ in _texts(index):
        top, dot, _ = mention.name.replace(":", ".").partition(".")
        if dot and (not top or top in tops):
            yield path, mention


def _exported(index: ProjectIndex) -> Iterator[str]:
    """Functions (and methods of classes) that the project offers to others."""
    for path, summary in index.summaries.items():
        if is_test(path):
            continue  # what tests gather is for nobody else
        package = path.endswith("__init__.py")
        for name in summary.exports if summary.exports is not None else tuple(summary.bindings) if package else ():
            if name.startswith("_") or (summary.exports is None and f":{name}" in summary.bindings.get(name, ())):
                continue
            for entity in index.evaluator.evaluate(path, f":{name}"):
                if entity.kind == "function":
                    yield entity.name
                elif entity.kind == "class":
                    for method, found in index.evaluator.methods.get(entity.name, {}).items():
                        if not method.startswith("_") or method in ASYNCHRONOUS:
                            yield from found


def _named(index: ProjectIndex) -> tuple[Mapping[str, tuple[tuple[str, int], ...]], ...]:
    """Places that name something as text, by last name: dotted paths that begin with a package of ours, and what templates
    ask of objects; then the names in templates that stand alone."""
    tops = {name.partition(".")[0] for name in index.evaluator.modules.names.values()}
    found: dict[str, list[tuple[str, int]]] = {}
    alone: dict[str, list[tuple[str, int]]] = {}
    for path, mention, kind in _texts(index):
        first, *rest = mention.name.replace(":", ".").split(".")
        if rest and (first in tops or (kind == "template" and not first)):
            found.setdefault(rest[-1], []).append((path, mention.line))
        elif kind == "template" and not rest:
            alone.setdefault(first, []).append((path, mention.line))
    return tuple({name: tuple(places) for name, places in each.items()} for each in (found, alone))


def _texts(index: ProjectIndex) -> Iterator[tuple[str, Mention, str]]:
    """What texts name: the path, the name, and the kind of file."""
    yield from (
        (each.path, mention, each.kind) for each in index.texts if each.kind != "python" for mention in each.mentions
    )
    yield from ((path, mention, "python") for path, summary in index.summaries.items() for mention in summary.mentions)
