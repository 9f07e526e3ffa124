"""Whether a call of a function that turned may be awaited where it stands, and how that is written."""

from __future__ import annotations

from collections.abc import Mapping

from asyncfix.colour.barrier import Barrier, Rules
from asyncfix.colour.generators import GENERATORS, GONE_THROUGH, KEPT, PASSED_ON, expression, oldest, stepwise
from asyncfix.colour.mapping import LAMBDA, mapped, unfolds
from asyncfix.colour.special import is_special, only_renamed
from asyncfix.link.index import OF_VALUE, Edge, ProjectIndex
from asyncfix.link.waiting import MANAGERS
from asyncfix.model import Access, Call, Function, Span, With

ENTERING = "entering"
ATTRIBUTE = "attribute"
MANAGER = "contextlib.contextmanager"
NESTED_COMPREHENSIONS = (3, 11)  # from here on an asynchronous comprehension may stand in another comprehension

NESTED = "nested-comprehension"
LAZY = "generator-expression"

# How a call is written whose function turned in this manner and whose value is put to this use: of a coroutine it is
# awaited first, and then is what it was; what a generator gives is gone through otherwise. ``value``: what turned is run
# by what is done to the value.
WRITTEN = {
    **{("coroutine", use): "call" for use in ("plain", "iterated", "entered")},
    ("coroutine", ATTRIBUTE): ATTRIBUTE,
    **{("generator", by): kind for by, kind in GENERATORS.items()},
    ("manager", "entered"): ENTERING,
    ("manager", "returned"): PASSED_ON,
    ("manager", KEPT): KEPT,
    ("value", "entered"): ENTERING,
    **{("value", by): kind for by, kind in GENERATORS.items() if kind in GONE_THROUGH},
    ("special", "plain"): "special_call",
}
STEPS = {
    NESTED: "is gone through by a comprehension in another one, which takes Python 3.11 to be asynchronous",
    LAZY: "is gone through in a generator expression that cannot be asynchronous",
    "target-version": "is asked by next, whose asynchronous form takes Python 3.10",
    "stop-iteration": "is asked by next where a handler waits for StopIteration: that would be StopAsyncIteration",
}
SAID = {("manager", "plain"): ("manager-as-value", "gives a context manager that is not entered by `with` there")}


def manner(fact: Function) -> str:
    """What becomes of a function that turns: a ``coroutine``, an asynchronous ``generator``, a ``manager`` of a generator
    that is one by its decorator; ``special`` is a method that takes another name."""
    if MANAGER in fact.decorators:
        return "manager"
    if fact.is_generator:
        return "generator"
    return "special" if is_special(fact) else "coroutine"


def put(site: Call | Access, how: str, step: str) -> str:
    """The use that the value of a call is put to, of a function that turns in this manner."""
    if isinstance(site, Access):
        return site.taken.by if site.taken is not None else step if step == "entered" else site.kind
    stepwise = how == "generator" or (how == "value" and step != "entered")
    taken = site.taken if (stepwise or how == "manager") and site.use in ("plain", "iterated") else None
    if taken is None:
        return site.use
    if site.kept and how in ("generator", "manager"):
        return KEPT
    return taken.by if stepwise or (how, taken.by) in WRITTEN else site.use


def is_coroutine(index: ProjectIndex, edge: Edge, giving: Mapping[str, str]) -> bool:
    """Whether an edge is the call of a function that turns into a coroutine function."""
    called = edge.kind in ("call", "protocol") and edge.step == "call" and edge.callee not in giving
    return called and manner(index.fact(edge.callee)) == "coroutine"


def statement(fact: Function, entered: Span) -> With | None:
    """The ``with`` statement of a function that enters what stands there."""
    return next((each for each in fact.withs if entered in each.items), None)


def barring(call: Call | Access, target: tuple[int, int]) -> str:
    """Why no await may stand in place of a call where the oldest Python is ``target``, '' if one may."""
    if call.barrier == NESTED and target >= NESTED_COMPREHENSIONS:
        return ""
    return "" if call.barrier == LAZY and _unlazy(call, target) else call.barrier


def _unlazy(call: Call | Access, target: tuple[int, int]) -> bool:
    """Whether the generator expression that a call is part of may be written in a way that it can await."""
    fits = call.lazy is not None and (not call.lazy.nested or target >= NESTED_COMPREHENSIONS)
    return fits and target >= oldest(call) and expression(call.lazy) != ""


def _stepwise(index: ProjectIndex, edge: Edge, call: Call | Access, used: str, target: tuple[int, int]) -> str:
    """Why what a generator gives may not be gone through asynchronously in this way, '' if it may."""
    inside = call.taken is not None and call.taken.inside and not stepwise(call.taken.by)
    if inside and target < NESTED_COMPREHENSIONS:
        return NESTED
    if used == "inner-clause" and target < NESTED_COMPREHENSIONS:
        return NESTED
    if used == "lazy-clause" and not _unlazy(call, target):
        return LAZY
    if target < oldest(call):
        return "target-version"
    around = (item.handlers for item in index.fact(edge.caller).tries if item.body.contains(call.span))
    caught = {name for handlers in around for handler in handlers for name in handler.types}
    waited = isinstance(call, Call) and any(ref.endswith(MANAGERS) for ref in call.held)
    return "stop-iteration" if used == "builtins.next" and (waited or "builtins.StopIteration" in caught) else ""


def written(index: ProjectIndex, edge: Edge, limits: Rules, giving: Mapping[str, str]) -> str | Barrier:
    """The kind of use by which a call is awaited where it stands, or the barrier that it is.

    ``giving``: functions that stay as they are, and what they give: a ``generator``, or a ``manager``.
    """
    path, line = index.path(edge.caller), edge.site.line
    fact = index.fact(edge.caller)

    def stop(code: str, why: str) -> Barrier:
        return Barrier(code, path, line, f"{edge.callee} {why} ({path}:{line})", edge.callee)

    if fact.kind == "class" and fact.outer:
        return stop("class-body", "is called in the body of a class")
    if fact.kind in ("module", "class"):
        return stop("module-level", "is called when a module is imported")
    if fact.kind == LAMBDA and not unfolds(index, edge.caller):
        return stop("lambda", "is called in a lambda")
    how = manner(index.fact(edge.callee)) if edge.step == "call" else "value"
    how = giving.get(edge.callee, how) if edge.step == "call" else how
    if only_renamed(fact) and not (how == "generator" and _passes_on(edge.site)):
        return stop("iterator-made", "is called in an `__iter__` that is no generator, which nothing awaits")
    given = mapped(index, edge) if is_coroutine(index, edge, giving) else None
    if given is not None:
        call, written_so = given
        barrier = barring(call, limits.target) or _stepwise(index, edge, call, "", limits.target)
        said = f"is called where no await may stand: {barrier.replace('-', ' ')}"
        return stop(barrier, said) if barrier else closed(index, edge, limits) or written_so
    if not _awaitable(edge):
        return stop(edge.kind, f"is called as a {edge.kind}")
    barrier = barring(edge.site, limits.target) if fact.kind != LAMBDA else ""
    if barrier:
        return stop(barrier, f"is called where no await may stand: {barrier.replace('-', ' ')}")
    used = ATTRIBUTE if edge.kind == "property" else put(edge.site, how, edge.step)
    kind = WRITTEN.get((how, used))
    lazy = how == "generator" or edge.step == "iterated"
    if lazy and (kind is None or (kind == PASSED_ON and fact.is_async)):
        what = "is a generator" if how == "generator" else "is gone through"
        return stop("generator-use", f"{what}, and what is done with it is not known to go asynchronously")
    if kind is None:
        return stop(*SAID.get((how, used), (f"use-{used}", f"is {used} where it is called")))
    if how == "generator" or edge.step == "iterated":
        barrier = _stepwise(index, edge, edge.site, used, limits.target)
    if barrier:
        return stop(barrier, STEPS[barrier])
    return closed(index, edge, limits) or kind


def _passes_on(site: Call | Access) -> bool:
    """Whether what a generator gives is given back there."""
    return isinstance(site, Call) and site.taken is not None and GENERATORS.get(site.taken.by) == PASSED_ON


def _awaitable(edge: Edge) -> bool:
    """Whether what runs the function is a call of it, what is done to an object, or the reading of a property."""
    if edge.kind == "property":
        return isinstance(edge.site, Access) and edge.site.kind == "read"
    return edge.kind in ("call", "protocol") and (edge.step in OF_VALUE or isinstance(edge.site, Call))


def closed(index: ProjectIndex, edge: Edge, limits: Rules) -> Barrier | None:
    """The barrier that a line is which may not be edited."""
    path, line = index.path(edge.caller), edge.site.line
    end_line = edge.site.end_line if isinstance(edge.site, Call) else line
    shut = limits.closed_lines.get(path, frozenset()) & frozenset(range(line, end_line + 1))
    if path in limits.closed or shut:
        why = f"{edge.callee} is called where nothing may be edited ({path}:{line})"
        return Barrier("not-editable", path, min(shut, default=line), why, edge.callee)
    return None
