"""Generator expressions that are given to functions of the project which go through all of them, and do nothing else with
them: a list would do as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from asyncfix.link.arguments import argument_for
from asyncfix.link.entities import FunctionInfo
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Call, Function

GENERATOR = "types.GeneratorType!"
GIVEN, DRAINED = "given", "drained"


def proven(index: ProjectIndex) -> Iterator[tuple[str, FunctionInfo]]:
    """The functions in which such stand, by their ids, with facts that say so."""
    for name, info in index.functions.items():
        if any(_is_given(call) for call in info.fact.calls):
            calls = tuple(_proven(index, name, info.fact, call) for call in info.fact.calls)
            yield name, info._replace(fact=replace(info.fact, calls=calls))


def _is_given(call: Call) -> bool:
    return call.lazy is not None and call.lazy.taken is not None and call.lazy.taken.by == GIVEN


def _proven(index: ProjectIndex, name: str, fact: Function, call: Call) -> Call:
    lazy, taken = call.lazy, call.lazy.taken if call.lazy is not None else None
    if lazy is None or taken is None or taken.by != GIVEN:
        return call
    taker = next((each for each in fact.calls if each.span == taken.span), None)
    if taker is None or not _drains(index, name, taker):
        return call
    return replace(call, lazy=replace(lazy, taken=replace(taken, by=DRAINED)))


def _drains(index: ProjectIndex, name: str, call: Call) -> bool:
    """Whether a call means one function, which goes through the one generator expression that it is given."""
    entities = index.evaluator.all(index.path(name), call.targets)
    callee = entities[0].name if len(entities) == 1 and entities[0].kind in ("function", "method") else ""
    if not callee or callee in index.overridden or sum(item.ref == GENERATOR for item in call.arguments) != 1:
        return False
    if any(item.keyword in ("*", "**") for item in call.arguments):
        return False
    fact, edge = index.fact(callee), Edge(name, callee, "call", call)
    given = (argument_for(index, edge, at) for at, each in enumerate(fact.parameters) if each.name in fact.drained)
    return any(argument is not None and argument.ref == GENERATOR for argument in given)
