"""Functions that a call is given and runs: the key of a sort, the function of a map, a parameter that the callee calls.

Each stands as a call of its own, at the place of the call that it is given to, and is no place for an await: what calls
it is sync code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from asyncfix.facts.scopes import bare
from asyncfix.link.entities import Entities
from asyncfix.link.evaluate import Evaluator
from asyncfix.model import Argument, Call, Function

SORT = ".sort"  # of whatever: a method of that name with a key is a list's, or does as a list's does
CALLBACK = "sync-callback"
HANDED = ("callback", "handed-on")


def callbacks(evaluator: Evaluator, call: Call, entities: Entities) -> Iterator[Call]:
    """The calls of functions among the arguments of ``call``, which means ``entities``."""
    seen: set[str] = set()
    for argument, at_once in _given(evaluator, call, entities):
        if argument.ref and argument.ref not in seen:
            seen.add(argument.ref)
            use = "callback" if at_once and call.use == "plain" else "handed-on"
            yield msgspec.structs.replace(
                call,
                targets=(argument.ref,),
                arguments=(),
                use=use,
                barrier=call.barrier or CALLBACK,
                receiver="",
            )


def _given(evaluator: Evaluator, call: Call, entities: Entities) -> Iterator[tuple[Argument, bool]]:
    """The arguments that are run, each with whether that is so before the call returns."""
    for entity in entities:
        if entity.kind == "external":
            row = evaluator.catalog.running(entity.name)
            if row is not None:
                yield from ((argument, row.kind != "for") for argument in picked(call, row.runs))
        elif entity.kind in ("function", "method"):
            fact = evaluator.functions[entity.name].fact
            called = evaluator.called_parameters.get(entity.name)
            if called is None:
                called = evaluator.called_parameters[entity.name] = _called_parameters(fact)
            yield from ((argument, _at_once(fact)) for argument in picked(call, called)) if called else ()
    if not entities and any(target.endswith(SORT) for target in call.targets):
        yield from ((argument, True) for argument in call.arguments if argument.keyword == "key")


def _at_once(fact: Function) -> bool:
    return not fact.is_async and not fact.is_generator


def picked(call: Call, names: Iterable[str]) -> Iterator[Argument]:
    """The arguments of these positions and keywords."""
    if not names:
        return
    unpacked = False
    for position, argument in enumerate(call.arguments):
        unpacked = unpacked or argument.keyword == "*"  # what follows stands at unknown positions
        if argument.keyword in names if argument.keyword or unpacked else str(position) in names:
            yield argument


def _called_parameters(fact: Function) -> tuple[str, ...]:
    """Positions and names of the parameters that a function calls in its own code."""
    if not fact.parameters:
        return ()
    root = f":{fact.qualname}@"
    targets = (bare(target) for call in fact.calls for target in call.targets)
    called = {target.removeprefix(root) for target in targets if target.startswith(root)}
    bound = 1 if fact.kind in ("method", "classmethod") else 0
    return tuple(
        item
        for position, parameter in enumerate(fact.parameters)
        if parameter.name in called
        for item in (str(position - bound), parameter.name)
    )
