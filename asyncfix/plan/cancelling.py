"""What becomes of a cancellation: where it is caught, and whether the task it was meant for goes on after that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Call, Function, PassesOn, Span
from asyncfix.plan.interleave import Suspension
from asyncfix.plan.verdict import HOLDS, Verdict

BARE = ("builtins.BaseException",)
NAMED = "the clause is there for cancellations, and for nothing else"


def passes_on(index: ProjectIndex, condition: PassesOn, suspension: Suspension) -> Verdict:
    """Whether an ``except`` clause, or ``suppress``, is not what catches one of some errors."""
    path = index.path(suspension.function)
    for line, refs in _clauses(index.fact(suspension.function), condition.line, suspension.span):
        several = () if condition.alone else (f"{ref}[]" for ref in refs)  # under one name
        named = (*refs, *several)
        meant = (entity for ref in named for entity in index.evaluator.evaluate(path, ref))
        caught = {index.catalog.canonical(entity.name) for entity in meant}
        if caught.intersection(condition.types):
            return Verdict("fails", NAMED, "caught-by-name") if line == condition.line else HOLDS
    return HOLDS


def _clauses(fact: Function, line: int, call: Span) -> Iterator[tuple[int, Sequence[str]]]:
    """The line of each clause of the statement with a clause on that line, with the refs of what it names; of a call those
    of its arguments."""
    for item in fact.tries:
        if any(handler.line == line for handler in item.handlers):
            yield from ((handler.line, handler.types or BARE) for handler in item.handlers)
    for each in fact.calls:
        if not line and each.span == call:
            yield 0, tuple(argument.ref for argument in each.arguments if argument.ref)


def last_await(index: ProjectIndex, function: str) -> Verdict:
    """Whether nothing that awaits a function, or awaits what does, awaits anything after it."""
    seen, stack = {function}, [function]
    while stack:
        for edge in index.callers.get(stack.pop(), ()):
            if not isinstance(edge.site, Call) or edge.site.use != "awaited":
                continue
            if _goes_on(index, edge, edge.site):
                where = f"{index.path(edge.caller)}:{edge.site.line}"
                return Verdict("fails", f"{edge.caller} goes on after it ({where})", "goes-on")
            if edge.caller not in seen:
                seen.add(edge.caller)
                stack.append(edge.caller)
    return HOLDS


def _goes_on(index: ProjectIndex, edge: Edge, call: Call) -> bool:
    later = (span for span in index.fact(edge.caller).awaits if span.start >= call.span.end)
    return call.loop is not None or next(later, None) is not None
