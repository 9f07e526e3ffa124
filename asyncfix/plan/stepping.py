"""What may go otherwise once a generator, or a generator expression, is gone through asynchronously."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asyncfix.colour.generators import LOOPS, NEXT, expression, partly, stepwise
from asyncfix.effects.touch import Where
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Access, Call, Decision, Span, Use
from asyncfix.plan.interleave import Suspension

SAID = {"unpacked": "what unpacks it", "contained": "`in`", "drained": "the function that is given it"}
LEFT_EARLY = (*LOOPS, *NEXT)


def unlazy(index: ProjectIndex, function: str, call: Call | Access, written: Span, steps: bool) -> Iterator[Use]:
    """How the generator expression round a call is written that comes to await.

    ``written``: what is written in place of the call; ``steps``: what the call gives is gone through step by step.
    """
    if call.lazy is not None and (steps or call.barrier) and not written.contains(call.lazy.span):
        yield Use(index.path(function), call.lazy.span, expression(call.lazy))


def unlazy_doubts(index: ProjectIndex, function: str, call: Call | Access) -> Iterator[str]:
    """What may go wrong because a generator expression is worked out before what takes it begins, or ends otherwise."""
    taken = call.lazy.taken if call.lazy is not None else None
    if taken is not None:
        yield from taking(taken.by, Where(index.path(function), call.line))


def doubts(index: ProjectIndex, edge: Edge, call: Call | Access) -> Iterator[str]:
    """What may go wrong where what a generator gives is gone through."""
    taken, where = call.taken, Where(index.path(edge.caller), call.line)
    if taken is None:
        return
    yield from taking(taken.by, where)
    if taken.by in LEFT_EARLY and _closes(index, edge.callee, set()):
        why = "has a `with`, or a `finally`, round a `yield`"
        yield f"{edge.callee} {why}: where it is left early, the end of that comes later than now ({where})"


def expanded(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Decisions with one loop for each ``yield from``: the asynchronous one where something asynchronous is gone through."""
    found = tuple(decisions)
    stepwise = [(item.path, item.span) for item in found if isinstance(item, Use) and item.kind == "async_yield_from"]

    def stays(item: Decision) -> bool:
        if not isinstance(item, Use) or item.kind != "yield_from":
            return True
        return not any(path == item.path and item.span.contains(span) for path, span in stepwise)

    return tuple(item for item in found if stays(item))


def generator(index: ProjectIndex, function: str) -> str:
    """The generator whose object a call of the function gives, '' if it gives none: it runs nothing of it by itself."""
    seen = [function]
    for name in seen:
        if index.fact(name).is_generator:
            return name
        for edge in index.calls.get(name, ()):
            taken = edge.site.taken if isinstance(edge.site, Call) else None
            if taken is not None and taken.by == "returned" and edge.callee not in seen:
                seen.append(edge.callee)
    return ""


def yielding(index: ProjectIndex, function: str) -> Iterator[Suspension]:
    """The places of a generator at which those who go through it may await."""
    for item in index.fact(function).yields:
        if item.kind in ("plain", "from"):
            yield Suspension(function, item.span, item.loop, item.held)


def mapped(index: ProjectIndex, edge: Edge, call: Call) -> tuple[list[Use], list[str]]:
    """What is written beside the comprehension in place of a ``map`` or ``filter``, and what may go wrong."""
    path, by = index.path(edge.caller), call.taken.by if call.taken is not None else ""
    uses = [Use(path, call.span, stepwise(by))] if stepwise(by) else []
    return uses, list(taking(by, Where(path, call.line)))


def taking(by: str, where: Where) -> Iterator[str]:
    """What may go wrong because something is worked out before what takes it begins, or ends otherwise."""
    if partly(by):
        name = by.removeprefix("builtins.") if by.startswith("builtins.") else SAID[by]
        yield f"{name} {partly(by)}: now everything is worked out before ({where})"
    if by == "builtins.next":
        yield f"if there is nothing, StopAsyncIteration comes in place of StopIteration ({where})"


def _closes(index: ProjectIndex, function: str, seen: set[str]) -> bool:
    """Whether something is to be done when a generator is closed, in it or in those that it goes through."""
    if function in seen:
        return False
    seen.add(function)
    fact = index.fact(function)
    if any(item.guarded for item in fact.yields):
        return True
    below = {edge.callee for edge in index.calls.get(function, ())}
    return any(index.fact(each).is_generator and _closes(index, each, seen) for each in below)
