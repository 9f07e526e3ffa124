"""Calls that rules watch for what they call, whether they block or not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from asyncfix.effects.tables import TRANSPARENT_DECORATORS
from asyncfix.facts.testfiles import is_test
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.link.protocols import is_protocol
from asyncfix.model import Api, Call, Hop, Span
from asyncfix.plan.leaves import Leaf, Ways, edges, on_loop
from asyncfix.transform import BY_NAME, LOST

Watched = tuple[str, str, Call]
"""The function, what is watched, the call."""
ASKING = (".get_running_loop", "._get_running_loop", ".is_running", ".current_async_library")
"""How code asks whether an event loop runs."""
OF_LOOP = re.compile(r"(?:^|[.:@_])loop\.create_task\Z")
NESTING = "nest_asyncio"  # lets one event loop run in another


def find(index: ProjectIndex, names: Collection[str]) -> Iterator[Watched]:
    """All calls of things of these names."""
    for function, externals in index.externals.items():
        for external in externals:
            name = index.catalog.canonical(external.name)
            if name in names:
                yield function, name, external.call
    if BY_NAME in names:
        for function, info in index.functions.items():
            yield from ((function, BY_NAME, call) for call in info.fact.calls if _is_of_loop(index, function, call))
    if LOST in names:
        for function, edges in index.calls.items():
            yield from ((function, LOST, call) for call in _lost(index, edges))


def meant(
    index: ProjectIndex, function: str, span: Span, names: Collection[str], *, coroutines: bool
) -> tuple[str, ...]:
    """What a call runs: libraries' functions of these names and, if asked for, coroutine functions of the project. Nothing if
    it may run anything else."""
    edges = [edge for edge in index.calls.get(function, ()) if edge.span == span]
    if edges:
        sure = coroutines and all(_is_certain(index, edge) for edge in edges) and not _outside(index, function, span)
        return tuple(edge.callee for edge in edges) if sure else ()
    targets = [target for call in index.fact(function).calls if call.span == span for target in call.targets]
    found: list[str] = []
    for target in targets:
        entities = index.evaluator.evaluate(index.path(function), target)
        means = [index.catalog.canonical(entity.name) for entity in entities if entity.kind == "external"]
        if not means or len(means) < len(entities) or not set(means) <= set(names):
            return ()
        found += means
    return tuple(found)


def _outside(index: ProjectIndex, function: str, span: Span) -> bool:
    """Whether a call may run something of a library."""
    return any(external.call.span == span for external in index.externals.get(function, ()))


def _is_certain(index: ProjectIndex, edge: Edge) -> bool:
    certain = edge.kind == "call" and edge.sure and _gives_coroutine(index, edge.callee)
    return certain and not any(not is_test(place.path) for place in index.rebound.get(edge.callee, ()))


def _is_of_loop(index: ProjectIndex, function: str, call: Call) -> bool:
    """Whether a call is of `create_task` of something that is called a loop, and of which nothing is known."""
    if not call.targets or not all(map(OF_LOOP.search, call.targets)):
        return False
    meant = (each.name for each in index.externals.get(function, ()) if each.call.span == call.span)
    known = any(index.catalog.harmless(name) or index.catalog.blocking(name) for name in meant)
    return not known and all(edge.span != call.span for edge in index.calls.get(function, ()))


def _lost(index: ProjectIndex, edges: list[Edge]) -> Iterator[Call]:
    """Calls that are statements and give a coroutine, whichever function they mean."""
    meant: dict[Span, tuple[Call, list[Edge]]] = {}
    for edge in edges:
        if isinstance(edge.site, Call) and edge.site.alone and edge.site.use == "plain":
            meant.setdefault(edge.span, (edge.site, []))[1].append(edge)
    for call, found in meant.values():
        if all(_is_certain(index, edge) for edge in found):
            yield call


def _gives_coroutine(index: ProjectIndex, function: str) -> bool:
    """Whether a call of the function gives a coroutine, and nothing else has a hand in it."""
    fact = index.fact(function)
    return fact.is_async and not fact.is_generator and TRANSPARENT_DECORATORS.issuperset(fact.decorators)


def ways(index: ProjectIndex, watched: Iterable[Watched]) -> Mapping[Watched, str]:
    """Those of some calls that async code runs, itself or through sync functions, with the shortest way there.

    No way leads through sync code that asks whether an event loop runs: it does something else then. Nor through
    a call that may run something else, nor, below async code itself, through what Python asks an object for.
    """
    leaves: dict[str, tuple[Leaf, ...]] = {}
    for function, name, call in watched:
        leaves[function] = (*leaves.get(function, ()), Leaf(function, Api(name), name, "", call))
    if not leaves:
        return {}
    below = Ways(index, leaves, _asking(index), lambda edge: edge.kind != "protocol" and _is_sure(index, edge))
    nested = any(NESTING in summary.imports for summary in index.summaries.values())
    found: dict[Watched, str] = {}
    for function, info in index.functions.items():
        if not on_loop(index, info):
            continue
        for leaf in leaves.get(function, ()):
            found[function, leaf.name, leaf.call] = _told((Hop(function, "", 0), Hop(leaf.name, "", 0)))
        for edge in () if nested else edges(index, function):
            for leaf in (leaf for name in below.below(edge.callee) for leaf in leaves[name] if _is_sure(index, edge)):
                way = _told((Hop(function, "", 0), *below.hops(edge.callee, leaf)))
                key = leaf.function, leaf.name, leaf.call
                found[key] = min(found.get(key, way), way, key=lambda each: (each.count(" -> "), each))
    return found


def loops(index: ProjectIndex, functions: Iterable[str]) -> Mapping[str, str]:
    """Those of some functions that the project, but for its tests, calls in a loop with something, with the place."""
    found: dict[str, str] = {}
    for function in functions:
        for edge in index.callers.get(function, ()):
            path = index.path(edge.caller)
            if _is_repeated(edge) and function not in found and not is_test(path):
                found[function] = f"{edge.caller} calls {function} in a loop ({path}:{edge.site.line})"
    return found


def _is_repeated(edge: Edge) -> bool:
    """Whether a call is made again and again, as the arguments tell: without any it would be the same each time."""
    if not isinstance(edge.site, Call) or edge.kind != "call" or not edge.sure or edge.caller == edge.callee:
        return False
    return edge.site.loop is not None and any(argument.ref or argument.refs for argument in edge.site.arguments)


def _is_sure(index: ProjectIndex, edge: Edge) -> bool:
    """Whether a call runs a function, and not perhaps something else: the object is not only one that keeps a protocol."""
    meant = (each.callee for each in index.calls.get(edge.caller, ()) if each.span == edge.span)
    owners = (index.evaluator.owner(index.functions[each]) for each in meant)
    classes = (index.classes[owner] for owner in owners if owner is not None)
    return edge.sure and not any(is_protocol(index.evaluator, known) for known in classes)


def _asking(index: ProjectIndex) -> frozenset[str]:
    """The sync functions that ask whether an event loop runs, themselves or through one that they call."""
    own = {
        name
        for name, info in index.functions.items()
        if not info.fact.is_async
        and any(target.endswith(ASKING) for call in info.fact.calls for target in call.targets)
    }
    above = {edge.caller for name in own for edge in index.callers.get(name, ())}
    return frozenset(name for name in own | above if not index.fact(name).is_async)


def _told(hops: Iterable[Hop]) -> str:
    *functions, name = (hop.function for hop in hops)
    return " -> ".join((*(each.rpartition(".")[2] for each in functions), name))
