"""What must turn async for one leaf, or what stands in the way: a pure function that plan calls once per leaf.

Colouring speaks of functions and spans; it never sees a tree or a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from asyncfix.boundary import Met
from asyncfix.effects.tables import TRANSPARENT_DECORATORS
from asyncfix.ends import Ends
from asyncfix.link.callbacks import HANDED
from asyncfix.link.doubles import Doubles
from asyncfix.link.handing import PROTOCOLS
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.link.patches import Patch
from asyncfix.link.remaking import remade
from asyncfix.model import Call, Function, Span

EXAMPLE = "doctest"
NESTED_COMPREHENSIONS = (3, 11)  # from here on an asynchronous comprehension may stand in another comprehension

# What may be made of the value of a function that turned: it is awaited first, and then is what it was.
AWAITABLE_USES = ("plain", "iterated", "entered")

# Bases that call none of a subclass's methods by themselves.
PASSIVE_BASES = frozenset(
    {
        "builtins.object",
        "builtins.Exception",
        "builtins.ValueError",
        "builtins.RuntimeError",
        "abc.ABC",
        "typing.Generic",
        "typing.Protocol",
        "typing_extensions.Protocol",
        "enum.Enum",
        "enum.StrEnum",
        "enum.IntEnum",
        "typing.NamedTuple",
        "typing.TypedDict",
        "builtins.str",
        "builtins.dict",
        "builtins.list",
        "pydantic.BaseModel",
        "pydantic_settings.BaseSettings",
    }
)


@dataclass(frozen=True, slots=True)
class Barrier:
    """Why a function may not turn: a stable code, the place, and a sentence."""

    code: str
    path: str
    line: int
    why: str


@dataclass(slots=True)
class Colouring:
    """What turns, and what becomes of the calls.

    reached   functions that turn, or (those whose end does not turn) whose code does
    awaits    calls that are then awaited; runs: calls that are run to their end where they stand
    ends      how colouring ended, by function; uncalled: functions that nothing in the project calls
    raising   calls that are given a function that turns as one that is to raise, with the functions they stand in
    """

    reached: list[str]
    awaits: list[Edge] = field(default_factory=lambda: list[Edge]())
    runs: list[Edge] = field(default_factory=lambda: list[Edge]())
    ends: dict[str, Met] = field(default_factory=lambda: dict[str, Met]())
    uncalled: list[str] = field(default_factory=lambda: list[str]())
    raising: list[tuple[str, Call]] = field(default_factory=lambda: list[tuple[str, Call]]())
    _known: set[str] = field(default_factory=lambda: set[str]())

    def __post_init__(self) -> None:
        self._known.update(self.reached)

    def reach(self, names: Iterable[str], index: ProjectIndex) -> None:
        """Functions are reached, but for those that are async already."""
        for name in names:
            if name not in self._known and not index.fact(name).is_async:
                self._known.add(name)
                self.reached.append(name)


@dataclass(frozen=True, slots=True)
class Rules:
    """What limits colouring beside the code itself.

    pins          qualified names that stay sync
    entry_points  functions that a build file names
    replaced      what replaces a function by something that stays sync
    closed        files that may not be edited; closed_lines: lines likewise
    doubles       objects that take the place of others
    target        the oldest Python that the project supports
    """

    pins: frozenset[str]
    entry_points: frozenset[str]
    replaced: Mapping[str, tuple[Patch, ...]]
    closed: frozenset[str]
    closed_lines: Mapping[str, frozenset[int]]
    target: tuple[int, int]
    doubles: Doubles


def barring(call: Call, target: tuple[int, int]) -> str:
    """Why no await may stand in place of a call where the oldest Python is ``target``, '' if one may."""
    return "" if call.barrier == "nested-comprehension" and target >= NESTED_COMPREHENSIONS else call.barrier


def colour(index: ProjectIndex, leaf: str, limits: Rules, ends: Ends | None = None) -> Colouring | Barrier:
    """The smallest set of functions that must turn so that ``leaf`` may await, or the first barrier met.

    Without ``ends`` every caller must be async in the end; with them sync code is migrated up to its boundaries.
    """
    found = Colouring(list(_together(ends, leaf)))
    for name in found.reached:
        met = ends.met(name) if ends is not None else None
        stop = _turning(index, name, limits, ends, met)
        if stop is not None:
            return stop
        if met is not None:
            found.ends[name] = met
            if not met.turns:
                continue  # who calls it does not see the difference
        raising = (ends.raising(name) or ()) if ends is not None else ()
        for test, call in raising:
            found.raising.append((test, call))
            found.reach(_together(ends, test), index)
        callers = index.callers.get(name, ())
        if not callers and ends is None:
            fact = index.fact(name)
            return Barrier("sync-caller", index.path(name), fact.line, f"{name} is not called from async code only")
        if not callers and not raising and met is None:
            found.uncalled.append(name)
        for edge in callers:
            stop = _caller(index, edge, limits, ends, found)
            if stop is not None:
                return stop
    return _ambiguous(index, found) or found


def _caller(index: ProjectIndex, edge: Edge, limits: Rules, ends: Ends | None, found: Colouring) -> Barrier | None:
    """Take one call of a function that turns: it is awaited, or run to its end. The barrier if it may not be."""
    if ends is not None and isinstance(edge.site, Call):
        met = ends.met(edge.caller)
        if ends.is_program(edge) or (met is not None and not met.turns and ends.alone(edge)):
            stop = _closed(index, edge, limits) or _loop(index, edge)
            found.runs.append(edge)
            return stop
    stop = _may_await(index, edge, limits)
    if stop is not None:
        return stop
    found.awaits.append(edge)
    found.reach(_together(ends, edge.caller), index)
    return None


def _together(ends: Ends | None, name: str) -> tuple[str, ...]:
    """The functions that turn with one: without a migration none that is overridden turns."""
    return ends.family(name) if ends is not None else (name,)


def _turning(index: ProjectIndex, name: str, limits: Rules, ends: Ends | None, met: Met | None) -> Barrier | None:
    """The barrier that a function is."""
    if index.fact(name).is_async:
        return None  # of a family that was async in part
    stop = may_turn(index, name, limits, ends, met) or _doubled(limits.doubles, name)
    if stop is None and ends is not None and met is None and ends.is_gathered(name):
        fact, path = index.fact(name), index.path(name)
        why = f"{name} is called by a test framework in a way that asyncfix does not know"
        return Barrier("test-framework", path, fact.line, why)
    below = ends.loop_below(name) if stop is None and ends is not None else ""
    if below:
        fact, path = index.fact(name), index.path(name)
        return Barrier("runs-a-loop", path, fact.line, f"{name} reaches {below}, which runs an event loop of its own")
    return stop


def _loop(index: ProjectIndex, edge: Edge) -> Barrier | None:
    """The barrier that a place is where async code may run: no loop may be run there."""
    seen = {edge.caller}
    stack = [edge.caller]
    while stack:
        for above in index.callers.get(stack.pop(), ()):
            if index.fact(above.caller).is_async:
                path, line = index.path(above.caller), above.site.line
                why = f"{edge.caller}, which would run a loop, is reached by async code ({path}:{line})"
                return Barrier("runs-a-loop", path, line, why)
            if above.caller not in seen:
                seen.add(above.caller)
                stack.append(above.caller)
    return None


def _ambiguous(index: ProjectIndex, found: Colouring) -> Barrier | None:
    """The barrier that a call is which may mean something else, too."""
    reached = set(found.reached)
    for edge in (*found.awaits, *found.runs):
        if (
            not edge.sure
            or edge.site in index.unknown.get(edge.caller, ())
            or not all(other.callee in reached for other in index.calls[edge.caller] if _means(other, edge.span))
        ):
            why = f"the call of {edge.callee} may mean another function too"
            return Barrier("ambiguous-call", index.path(edge.caller), edge.site.line, why)
    return None


def _means(edge: Edge, span: Span) -> bool:
    """Whether the expression at that place means this callee; what is handed to it is no meaning of its own."""
    return edge.span == span and not (isinstance(edge.site, Call) and edge.site.use in HANDED)


def may_turn(
    index: ProjectIndex, name: str, limits: Rules, ends: Ends | None = None, met: Met | None = None
) -> Barrier | None:
    """The barrier that the function itself is, None if it may turn."""
    info = index.functions[name]
    fact = info.fact
    for code, why in _reasons(index, name, fact, limits, ends, met):
        return Barrier(code, info.path, fact.line, f"{name} {why}")
    if met is not None and not met.turns:
        return None  # its name stands for what it stood for
    last = fact.qualname.rpartition(".")[2]
    passed = index.passed.get(name) if ends is None or ends.raising(name) is None else ()
    for uses in (passed, index.rebound.get(name), index.by_name.get(last)):
        for use in uses or ():
            if ends is not None and use.reason == EXAMPLE:
                continue  # few are ever run
            return Barrier(use.reason, use.path, use.line, _use(name, use.reason, use.path, use.line))
    for patch in limits.replaced.get(name, ()):
        if ends is None or patch.call is None or (patch.binds and fact.kind == "method"):
            where = f"{patch.path}:{patch.line}"
            return Barrier("replaced-in-test", patch.path, patch.line, f"{name} is replaced at run time ({where})")
    return None


def _doubled(doubles: Doubles, name: str) -> Barrier | None:
    """The barrier that a method is of whose class others take the place: they stay sync."""
    double = doubles.of(name)
    if double is None:
        return None
    path, line = double
    return Barrier("test-double", path, line, f"{name} is asked of another kind of object, too, given at {path}:{line}")


def _use(name: str, reason: str, path: str, line: int) -> str:
    said = {
        "passed-as-value": "is passed on as a value",
        "rebound": "is assigned anew at run time",
        "possible-caller": "may be meant by a call whose receiver is not known",
        "possible-use": "may be meant by an attribute whose owner is not known",
        "dynamic-access": "may be reached by its name as a text",
        EXAMPLE: "is called by an example in a docstring",
        "unparsed-file": "is named in a file that could not be parsed",
    }
    return f"{name} {said[reason]} ({path}:{line})"


def _reasons(
    index: ProjectIndex, name: str, fact: Function, limits: Rules, ends: Ends | None, met: Met | None
) -> Iterable[tuple[str, str]]:
    summary = index.summaries[index.path(name)]
    last = fact.qualname.rpartition(".")[2]
    if fact.kind == "property":
        yield "property", "is a property"
    if fact.kind == "lambda":
        yield "lambda", "is a lambda"
    if fact.kind == "class" and fact.outer:
        yield "class-body", "is the body of a class"
    elif fact.kind in ("module", "class"):
        yield "module-level", "runs when the module is imported"
    if last in ("__init__", "__new__", "__post_init__"):
        yield "constructor", "is a constructor"
    elif last.startswith("__") and last.endswith("__"):
        yield "dunder", "is called by Python itself"
    if fact.is_generator:
        yield "generator", "is a generator"
    if name in index.stopping and ends is None:
        place = f"{summary.path}:{index.stopping[name]}"
        yield "stop-iteration", f"may let out a StopIteration ({place}), which no coroutine does"
    for decorator in fact.decorators:
        kept = ends is not None and ends.keeps(ends.canonical(summary.path, decorator))
        if not kept and (met is None or met.turns) and not _transparent(index, summary.path, decorator):
            yield "unknown-decorator", f"has a decorator that may not keep a coroutine ({decorator.lstrip(':')})"
    if name in index.overridden and ends is None:
        yield "overridden", "is overridden, or overrides"
    if fact.owner_class:
        yield from _foreign(index, summary.path, fact.owner_class, ends)
        remaking = remade(index, summary.path, fact.owner_class)
        if remaking:
            yield "unknown-decorator", f"is a method of a class whose {remaking} may wrap it"
        if last in PROTOCOLS and name in index.handed:
            library, path, line = index.handed[name]
            yield "handed-to-library", f"may be called by {library}, which is handed such an object ({path}:{line})"
    if name in limits.pins:
        yield "pinned", "is pinned in [tool.asyncfix]"
    if name in limits.entry_points and met is None:
        yield "entry-point", "is an entry point of the project"
    if summary.path in limits.closed or fact.line in limits.closed_lines.get(summary.path, ()):
        yield "not-editable", "stands where nothing may be edited"


def _transparent(index: ProjectIndex, path: str, decorator: str) -> bool:
    called = decorator.endswith("()")
    entities = index.evaluator.evaluate(path, decorator.removesuffix("()"))
    return bool(entities) and all(
        entity.kind == "external" and entity.name + ("()" if called else "") in TRANSPARENT_DECORATORS
        for entity in entities
    )


def _foreign(index: ProjectIndex, path: str, qualname: str, ends: Ends | None) -> Iterable[tuple[str, str]]:
    class_id = index.evaluator.class_id(path, qualname)
    for base in index.evaluator.order(class_id)[1:] if class_id else ():
        if base not in index.classes and base not in PASSIVE_BASES and not (ends is not None and ends.is_base(base)):
            yield "foreign-base", f"is a method of a class whose base {base} may call it"
            return


def _may_await(index: ProjectIndex, edge: Edge, limits: Rules) -> Barrier | None:
    """The barrier that a call is, None if it may be awaited where it stands."""
    path, line = index.path(edge.caller), edge.site.line
    fact = index.fact(edge.caller)

    def stop(code: str, why: str) -> Barrier:
        return Barrier(code, path, line, f"{edge.callee} {why} ({path}:{line})")

    if fact.kind == "class" and fact.outer:
        return stop("class-body", "is called in the body of a class")
    if fact.kind in ("module", "class"):
        return stop("module-level", "is called when a module is imported")
    if fact.kind == "lambda":
        return stop("lambda", "is called in a lambda")
    if edge.kind != "call" or not isinstance(edge.site, Call):
        return stop(edge.kind, f"is called as a {edge.kind}")
    barrier = barring(edge.site, limits.target)
    if barrier:
        return stop(barrier, f"is called where no await may stand: {barrier.replace('-', ' ')}")
    if edge.site.use not in AWAITABLE_USES:
        return stop(f"use-{edge.site.use}", f"is {edge.site.use} where it is called")
    return _closed(index, edge, limits)


def _closed(index: ProjectIndex, edge: Edge, limits: Rules) -> Barrier | None:
    """The barrier that a line is which may not be edited."""
    path, line = index.path(edge.caller), edge.site.line
    end_line = edge.site.end_line if isinstance(edge.site, Call) else line
    shut = limits.closed_lines.get(path, frozenset()) & frozenset(range(line, end_line + 1))
    if path in limits.closed or shut:
        why = f"{edge.callee} is called where nothing may be edited ({path}:{line})"
        return Barrier("not-editable", path, min(shut, default=line), why)
    return None
