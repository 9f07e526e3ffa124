"""What becomes of a cancellation: where it is caught."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asyncfix.link.index import ProjectIndex
from asyncfix.model import Function, PassesOn, Span
from asyncfix.plan.interleave import Suspension
from asyncfix.plan.verdict import HOLDS, Verdict

BARE = ("builtins.BaseException",)
CATCHING = frozenset({*BARE, "asyncio.CancelledError"})
NAMED = "the clause is there for cancellations, and for nothing else"


def passes_on(index: ProjectIndex, condition: PassesOn, suspension: Suspension) -> Verdict:
    """Whether an ``except`` clause, or ``suppress``, is not what catches a cancellation by some names."""
    path = index.path(suspension.function)
    for line, refs in _clauses(index.fact(suspension.function), condition.line, suspension.span):
        several = () if condition.alone else tuple(f"{ref}[]" for ref in refs)  # under one name
        meant = (entity for ref in (*refs, *several) for entity in index.evaluator.evaluate(path, ref))
        caught = {index.catalog.canonical(entity.name) for entity in meant}
        if line == condition.line:
            return Verdict("fails", NAMED, "caught-by-name") if caught.intersection(condition.types) else HOLDS
        if caught & CATCHING:
            return HOLDS
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
