"""What others see of coroutines in the order in which they begin, until one of them suspends for the first time."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.effects.keys import is_known, said
from asyncfix.effects.output import output
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Call, Span
from asyncfix.plan.awakening import Awakening
from asyncfix.plan.interleave import Interleaving, Suspension

RUNNING = (".run", ".run_until_complete")


def unordered(awakening: Awakening, interleaving: Interleaving, suspension: Suspension) -> Iterator[str]:
    """Why tasks that came one after the other no longer do, where that shows: something is written, or printed, behind the
    await of a function that awaited nothing from outside the program."""
    function = suspension.function
    met = awakening.is_in_order(function) and not _is_alone(interleaving.effects.index, function)
    seen = _seen(interleaving, suspension) if met else ""
    if seen:
        kept = "ran as one step" if awakening.is_one_step(function) else "kept tasks in order"
        yield f"until now {function} {kept}: {seen}, and tasks may now come to that in another order"


def _is_alone(index: ProjectIndex, function: str) -> bool:
    """Whether all that runs a function awaits it, or runs an event loop for it: of those that await it the same is asked."""
    fact, edges = index.fact(function), index.callers.get(function, ())
    if not edges or fact.decorators or index.by_name.get(fact.name) or index.passed.get(function):
        return False
    return all(isinstance(edge.site, Call) and (edge.site.use == "awaited" or _runs(index, edge)) for edge in edges)


def _runs(index: ProjectIndex, edge: Edge) -> bool:
    """Whether the call that makes a coroutine stands in one that runs an event loop for it."""
    return any(
        each.name.endswith(RUNNING) and each.call.span.contains(edge.span) and not index.fact(edge.caller).is_async
        for each in index.externals.get(edge.caller, ())
    )


def _seen(interleaving: Interleaving, suspension: Suspension) -> str:
    """The first thing that a function does for others to see behind an await, with all it runs, '' if there is none."""
    for touch in interleaving.touches(suspension.function):
        if touch.writes and is_known(touch.key) and _is_behind(suspension, touch.span):
            return f"it writes {said(touch.key)} ({touch.where})"
    index, effects = interleaving.effects.index, interleaving.effects
    edges = (edge for edge in index.calls.get(suspension.function, ()) if _is_behind(suspension, edge.span))
    below = sorted({name for edge in edges for name in effects.below(edge.callee)})
    own = (each for each in index.externals.get(suspension.function, ()) if _is_behind(suspension, each.call.span))
    for external in (*own, *(each for name in below for each in index.externals.get(name, ()))):
        written = output(index, index.path(external.caller), external.name, external.call)
        if written is not None:
            return f"it writes to {written.stream} ({written.where})"
    return ""


def _is_behind(suspension: Suspension, span: Span) -> bool:
    loop = suspension.loop
    return span.start >= suspension.span.end or (loop is not None and loop.contains(span))
