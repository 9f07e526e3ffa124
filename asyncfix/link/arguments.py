"""What callers give for the parameters of a function."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncfix.model import Argument, Call

if TYPE_CHECKING:
    from asyncfix.link.index import Edge, ProjectIndex

# A parameter as a ref: of which function, and its name.
PARAMETER = re.compile(r":(.+)@(\w+)")


def given(index: ProjectIndex, function: str, parameter: str) -> Iterator[tuple[Edge, Argument]]:
    """The arguments that stand for a parameter, with the calls they stand in, where that can be seen."""
    names = [item.name for item in index.fact(function).parameters]
    for edge in index.callers.get(function, ()) if parameter in names else ():
        argument = argument_for(index, edge, names.index(parameter))
        if argument is not None:
            yield edge, argument


def argument_for(index: ProjectIndex, edge: Edge, position: int) -> Argument | None:
    """What a call gives for the parameter at that position, None if that cannot be seen."""
    if not isinstance(edge.site, Call):
        return None
    fact = index.fact(edge.callee)
    name = fact.parameters[position].name
    stated = [item for item in edge.site.arguments if item.keyword == name]
    at = position - (fact.kind in ("method", "classmethod") and not _is_unbound(index, edge, edge.site))
    positional = edge.site.arguments[at : at + 1] if at >= 0 else ()
    return next(iter(stated or [item for item in positional if not item.keyword]), None)


def _is_unbound(index: ProjectIndex, edge: Edge, call: Call) -> bool:
    """Whether a method is called by its class, and given its object: ``Base.load(self, 1)``."""
    if edge.kind != "call" or index.fact(edge.callee).kind != "method":
        return False
    path = index.path(edge.caller)
    receivers = (index.evaluator.evaluate(path, target.rpartition(".")[0]) for target in call.targets)
    return any(entity.kind == "class" for found in receivers for entity in found)
