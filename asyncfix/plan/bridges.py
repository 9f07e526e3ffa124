"""Calls that a thread runs already, of libraries whose native form the user asks for: what landed as a bridge."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from asyncfix.bridge import EXECUTOR, NAMES, position
from asyncfix.catalog import PARTLY
from asyncfix.link.entities import Entity
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Api, Argument, Call
from asyncfix.plan.leaves import Leaf

SETTING = "set_default_executor"


def find(
    index: ProjectIndex,
    rule_of: Callable[[Api], str | None],
    left_out: Callable[[str], bool],
    libraries: Collection[str],
) -> tuple[Leaf, ...]:
    """The calls in async functions that hand a blocking call of these libraries to a thread, but for files left out."""
    if not libraries:
        return ()
    chosen = _chosen_executor(index)
    return tuple(
        Leaf(function, api, api.call, rule, call, doubt or chosen)
        for function, info in index.functions.items()
        if info.fact.is_async and not left_out(info.path)
        for call in info.fact.calls
        for api, doubt in _handed(index, info.path, call)
        if api.call.partition(".")[0] in libraries and (rule := rule_of(api)) is not None
    )


def _chosen_executor(index: ProjectIndex) -> str:
    """What to say where the project sets an executor of its own for all: how many calls that runs at once was chosen."""
    for info in index.functions.values():
        for call in info.fact.calls:
            if any(target.endswith(f".{SETTING}") for target in call.targets):
                return f"the threads are those of an executor that the project sets ({info.path}:{call.line})"
    return ""


def _handed(index: ProjectIndex, path: str, call: Call) -> Iterator[tuple[Api, str]]:
    """The row of what a call hands to a thread, if that is one blocking call, and what else it may run."""
    function = _function(index, path, call)
    meant = index.evaluator.evaluate(path, function.ref) if function is not None and function.ref else ()
    if len(meant) != 1:
        return
    entity = meant[0]
    name, doubt = (entity.name, "") if entity.kind == "external" else _called_in(index, entity)
    api = index.catalog.blocking(name.removesuffix(PARTLY)) if name else None
    if api is not None:
        elsewhere = (
            name.endswith(PARTLY) and function is not None and (function.name or not function.ref.endswith(PARTLY))
        )
        yield api, "functools.partial gives some of its arguments elsewhere" if elsewhere else doubt


def _function(index: ProjectIndex, path: str, call: Call) -> Argument | None:
    """The argument that is the function, of a call that hands one to a thread of the default executor."""
    if len(call.targets) != 1:
        return None
    target = call.targets[0]
    if target.endswith(f".{EXECUTOR}"):  # of whatever: only a loop has a method of that name
        handing = call.arguments[:1] == (Argument("", "", "None"),)
    else:
        handing = any(entity.name in NAMES for entity in index.evaluator.evaluate(path, target))
    at = position(target.rpartition(".")[2])
    given = call.arguments[at : at + 1] if handing else ()
    return given[0] if given and not given[0].keyword else None


def _called_in(index: ProjectIndex, entity: Entity) -> tuple[str, str]:
    """The library call that a lambda begins with, '' if none is known, and why it may run more than that."""
    info = index.functions.get(entity.name) if entity.kind == "function" else None
    called = sorted(index.externals.get(entity.name, ()), key=lambda external: external.call.span)
    if info is None or info.fact.kind != "lambda" or not called:
        return "", ""
    more = any(index.catalog.harmless(external.name) is None for external in called[1:])
    more = more or entity.name in index.calls or entity.name in index.unknown
    return called[0].name, "the lambda runs more than this call" if more else ""
