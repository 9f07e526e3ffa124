"""Whether a call of a function that turned may be awaited where it stands, and how that is written."""

from __future__ import annotations

from asyncfix.colour.barrier import Barrier, Rules
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Call, Function

NESTED_COMPREHENSIONS = (3, 11)  # from here on an asynchronous comprehension may stand in another comprehension

# How a call is written whose function turned in this manner and whose value is put to this use: of a coroutine it is
# awaited first, and then is what it was.
WRITTEN = {("coroutine", use): "call" for use in ("plain", "iterated", "entered")}


def manner(fact: Function) -> str:
    """What becomes of a function that turns: a ``coroutine``."""
    return "coroutine"


def barring(call: Call, target: tuple[int, int]) -> str:
    """Why no await may stand in place of a call where the oldest Python is ``target``, '' if one may."""
    return "" if call.barrier == "nested-comprehension" and target >= NESTED_COMPREHENSIONS else call.barrier


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
    kind = WRITTEN.get((manner(index.fact(edge.callee)), edge.site.use))
    if kind is None:
        return stop(f"use-{edge.site.use}", f"is {edge.site.use} where it is called")
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
