"""Whether a call of a function that turned may be awaited where it stands, and how that is written."""

from __future__ import annotations

from asyncfix.colour.barrier import Barrier, Rules
from asyncfix.colour.generators import GENERATORS, expression, oldest
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Call, Function

NESTED_COMPREHENSIONS = (3, 11)  # from here on an asynchronous comprehension may stand in another comprehension

NESTED = "nested-comprehension"
LAZY = "generator-expression"

# How a call is written whose function turned in this manner and whose value is put to this use: of a coroutine it is
# awaited first, and then is what it was; what a generator gives is gone through otherwise.
WRITTEN = {
    **{("coroutine", use): "call" for use in ("plain", "iterated", "entered")},
    **{("generator", by): kind for by, kind in GENERATORS.items()},
}


def manner(fact: Function) -> str:
    """What becomes of a function that turns: a ``coroutine``, or an asynchronous ``generator``."""
    return "generator" if fact.is_generator else "coroutine"


def put(call: Call, how: str) -> str:
    """The use that the value of a call is put to, of a function that turns in this manner."""
    taken = call.taken if how == "generator" and call.use in ("plain", "iterated") else None
    return taken.by if taken is not None else call.use


def barring(call: Call, target: tuple[int, int]) -> str:
    """Why no await may stand in place of a call where the oldest Python is ``target``, '' if one may."""
    if call.barrier == NESTED and target >= NESTED_COMPREHENSIONS:
        return ""
    return "" if call.barrier == LAZY and _unlazy(call, target) else call.barrier


def _unlazy(call: Call, target: tuple[int, int]) -> bool:
    """Whether the generator expression that a call is part of may be written in a way that it can await."""
    fits = call.lazy is not None and (not call.lazy.nested or target >= NESTED_COMPREHENSIONS)
    return fits and target >= oldest(call) and expression(call.lazy) != ""


def _stepwise(index: ProjectIndex, edge: Edge, call: Call, used: str, target: tuple[int, int]) -> str:
    """Why what a generator gives may not be gone through asynchronously in this way, '' if it may."""
    if used == "inner-clause" and target < NESTED_COMPREHENSIONS:
        return NESTED
    if used == "lazy-clause" and not _unlazy(call, target):
        return LAZY
    if target < oldest(call):
        return "target-version"
    tries = index.fact(edge.caller).tries
    caught = {name for at in call.tries for handler in tries[at].handlers for name in handler.types}
    return "stop-iteration" if used == "builtins.next" and "builtins.StopIteration" in caught else ""


def written(index: ProjectIndex, edge: Edge, limits: Rules) -> str | Barrier:
    """The kind of use by which a call is awaited where it stands, or the barrier that it is."""
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
    how = manner(index.fact(edge.callee))
    used = put(edge.site, how)
    kind = WRITTEN.get((how, used))
    if kind is None and how == "generator":
        return stop("generator-use", "is a generator, and what is done with it is not known to go asynchronously")
    if kind is None:
        return stop(f"use-{used}", f"is {used} where it is called")
    barrier = _stepwise(index, edge, edge.site, used, limits.target) if how == "generator" else ""
    if barrier:
        return stop(barrier, f"is gone through where that cannot be done asynchronously: {barrier.replace('-', ' ')}")
    return closed(index, edge, limits) or kind


def closed(index: ProjectIndex, edge: Edge, limits: Rules) -> Barrier | None:
    """The barrier that a line is which may not be edited."""
    path, line = index.path(edge.caller), edge.site.line
    end_line = edge.site.end_line if isinstance(edge.site, Call) else line
    shut = limits.closed_lines.get(path, frozenset()) & frozenset(range(line, end_line + 1))
    if path in limits.closed or shut:
        why = f"{edge.callee} is called where nothing may be edited ({path}:{line})"
        return Barrier("not-editable", path, min(shut, default=line), why)
    return None
