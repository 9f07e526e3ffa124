"""What blocks: blocking calls in async functions, and expressions there that reach one through sync functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from asyncfix.catalog import PARTLY
from asyncfix.effects.tables import TRANSPARENT_DECORATORS
from asyncfix.link.entities import Entity, FunctionInfo
from asyncfix.link.index import CONSTRUCTORS, PARAMETER, Edge, External, ProjectIndex
from asyncfix.model import Api, Call, Hop
from asyncfix.plan.memory import in_memory

PARTIAL = "functools.partial()"  # stands for any call whose arguments are not all to be seen where it is called
OPENED = re.compile(r"(?:^|[.:])open\(\)")
NOTHING = ("None", "False", "0", "0.0")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One blocking call. ``doubt``: what else the call may mean, '' if nothing."""

    function: str
    api: Api
    name: str
    rule: str
    call: Call
    doubt: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        return (self.function, self.call.span.start, self.call.span.end)


@dataclass(frozen=True, slots=True)
class Reaching:
    """An expression in an async function that runs sync code which blocks, with every leaf and the way there."""

    edge: Edge
    leaves: tuple[Leaf, ...]


@dataclass(slots=True)
class Blocking:
    """All that blocks.

    direct   leaves in async functions; indirect: expressions that reach leaves; by_function: leaves of every function
    seeds    leaves in sync code that no async code reaches, if it is to be migrated
    migrates whether a sync function is to be migrated
    idle     other leaves in sync code that no async code reaches
    ways     the ways to the leaves; its ``blocks`` are the sync functions from which some leaf is reached
    bridged  calls in async functions that hand a leaf to a thread, if its native form is asked for
    """

    by_function: Mapping[str, tuple[Leaf, ...]]
    direct: tuple[Leaf, ...]
    indirect: tuple[Reaching, ...]
    seeds: tuple[Leaf, ...]
    migrates: Callable[[str], bool]
    idle: tuple[Leaf, ...]
    ways: Ways
    bridged: tuple[Leaf, ...] = ()


def find(
    index: ProjectIndex,
    rule_of: Callable[[Api], str | None],
    left_out: Callable[[str], bool],
    migrates: Callable[[str], bool],
    mends: Callable[[str], bool],
    matters: Callable[[str, str], bool],
) -> Blocking:
    """All blocking calls of the rules in force, but for those in files that are left out.

    ``migrates``: whether a sync function that no async code reaches is to be migrated; ``mends``: whether what blocks an async
    one is looked for, and ``matters``, given a rule, too: whether what that rule finds is.
    """
    leaves: dict[str, tuple[Leaf, ...]] = {}
    for function in index.functions:
        found = () if left_out(index.path(function)) else tuple(_leaves(index, function, rule_of))
        if found:
            leaves[function] = found
    ways = Ways(index, leaves)
    direct: list[Leaf] = []
    indirect: list[Reaching] = []
    reached: set[str] = set()
    for function, info in index.functions.items():
        if not (on_loop(index, info) and mends(function)):
            continue
        reached.update((function, *(name for handed in _handed(index, function) for name in ways.below(handed))))
        direct.extend(leaf for leaf in leaves.get(function, ()) if matters(function, leaf.rule))
        for edge in edges(index, function):
            below = ways.below(edge.callee)
            if below:
                reached.update(below)
                told = tuple(leaf for name in below for leaf in leaves[name] if matters(function, leaf.rule))
                indirect.extend([Reaching(edge, told)] if told else [])
    idle = {name: found for name, found in leaves.items() if name not in reached}
    seeds = [leaf for name, found in idle.items() if migrates(name) for leaf in found]
    others = (found for name, found in idle.items() if not (migrates(name) or index.fact(name).is_async))
    left = tuple(leaf for found in others for leaf in found)
    return Blocking(leaves, tuple(direct), tuple(indirect), tuple(seeds), migrates, left, ways)


def way(blocking: Blocking, index: ProjectIndex, edge: Edge, leaf: Leaf) -> tuple[Hop, ...]:
    """The path from the async expression to the leaf: functions with the line they are called at, the API last."""
    return (Hop(edge.caller, index.path(edge.caller), edge.site.line), *blocking.ways.hops(edge.callee, leaf))


def _leaves(index: ProjectIndex, function: str, rule_of: Callable[[Api], str | None]) -> Iterator[Leaf]:
    path = index.path(function)
    seen: set[tuple[int, int]] = set()
    for external in index.externals.get(function, ()):
        call = external.call
        span = (call.span.start, call.span.end)
        if span in seen or call.use in ("awaited", "decorator"):
            continue
        name = external.name.removesuffix(PARTLY)
        api = index.catalog.blocking(name)
        if api is not None and name != external.name:
            api = msgspec.structs.replace(api, call=PARTIAL, twin="thread", kind="await", flow="")
        rule = rule_of(api) if api is not None else None
        if api is None or rule is None or not blocks(index, external, api):
            continue
        seen.add(span)
        yield Leaf(function, api, name, rule, call, _doubt(index, path, external))


def blocks(index: ProjectIndex, external: External, api: Api) -> bool:
    """Whether a call with these arguments, of this receiver, is one that blocks, and not part of another."""
    call = external.call
    return _asked(api, call) and not (_harmless(call) or _own_handle(external) or in_memory(index, external, api))


def _doubt(index: ProjectIndex, path: str, external: External) -> str:
    targets = external.call.targets
    if external.name.endswith(PARTLY):
        return "functools.partial gives some of its arguments"
    for target in targets:
        entities = index.evaluator.evaluate(path, target)
        if not entities:
            return "one of the things this name may mean is not known"
        for entity in entities:
            if entity.kind == "unknown":
                return "one of the things this name may mean is not known"
            if index.catalog.blocking(entity.name) is None:
                return f"this name may also mean {entity.name}"
    return ""


def _harmless(call: Call) -> bool:
    """A database in memory blocks nothing, nor does a queue or lock that is asked not to wait."""
    first = call.arguments[:1]
    return any(
        (
            argument.keyword == ""
            and argument in first
            and not argument.ref
            and argument.literal in (":memory:", "False")
        )
        or (argument.keyword in ("block", "blocking") and argument.literal == "False")
        or (argument.keyword == "timeout" and argument.literal == "0")
        for argument in call.arguments
    )


def _asked(api: Api, call: Call) -> bool:
    """Whether a call has the argument without which it does not block."""
    return not api.given or any(
        argument.keyword in ("*", "**")
        or ((argument.keyword or str(position)) in api.given and (argument.ref or argument.literal not in NOTHING))
        for position, argument in enumerate(call.arguments)
    )


def _own_handle(external: External) -> bool:
    """A method of a file that the same function opened: the opening is the leaf, with all that is done to the file."""
    return external.name.startswith("io.") and any(OPENED.search(target) for target in external.call.targets)


def on_loop(index: ProjectIndex, info: FunctionInfo) -> bool:
    """Whether code is that of an async function: its own, or the body of a class that it makes."""
    if info.fact.kind != "class" or not info.fact.outer:
        return info.fact.is_async
    return any(index.fact(name).is_async for name in index.evaluator.function_ids(info.path, info.fact.outer))


def edges(index: ProjectIndex, function: str) -> Iterator[Edge]:
    """Edges of async code into sync code that runs at once, each expression and callee once."""
    seen: set[tuple[int, int, str]] = set()
    for edge in index.calls.get(function, ()):
        key = (edge.span.start, edge.span.end, edge.callee)
        fact = index.fact(edge.callee)
        if fact.is_async or key in seen or edge.kind in ("class", PARAMETER) or _of_heirs(index, edge):
            continue
        awaited = isinstance(edge.site, Call) and edge.site.use == "awaited"
        if awaited and any(not _keeps(index, edge.callee, decorator) for decorator in fact.decorators):
            continue  # the decorator made it awaitable: it may run anywhere
        seen.add(key)
        yield edge


def _handed(index: ProjectIndex, function: str) -> Iterator[str]:
    """The functions and classes' constructors that a function hands to a library: to have them run in a thread, most of all."""
    for external in index.externals.get(function, ()):
        for argument in external.call.arguments:
            for entity in index.evaluator.evaluate(index.path(function), argument.ref) if argument.ref else ():
                made = Entity("instance", entity.name)
                methods = CONSTRUCTORS if entity.kind == "class" else ()
                for each in (entity, *(found for name in methods for found in index.evaluator.attribute(made, name))):
                    if each.kind in ("function", "method"):
                        yield each.name


def _keeps(index: ProjectIndex, function: str, decorator: str) -> bool:
    if decorator == "functools.wraps()":  # gives the function itself
        return True
    entities = index.evaluator.evaluate(index.path(function), decorator)
    return bool(entities) and all(entity.name in TRANSPARENT_DECORATORS for entity in entities)


def _kept(index: ProjectIndex, edge: Edge) -> bool:
    """Whether a constructor only makes a generator, which runs when something else goes through it."""
    plain = isinstance(edge.site, Call) and edge.site.use == "plain"
    return plain and index.fact(edge.callee).is_generator and edge.caller.endswith(".__init__")


def _of_heirs(index: ProjectIndex, edge: Edge) -> bool:
    """Whether ``super()`` means a method that only some heirs put behind the class: of other objects it is none, and
    which one is meant is not followed."""
    if not isinstance(edge.site, Call) or not any("^" in target for target in edge.site.targets):
        return False
    owner, other = (index.evaluator.owner(index.functions[name]) for name in (edge.caller, edge.callee))
    return owner is not None and other in index.evaluator.beside.get(owner, ())


class Ways:
    """Shortest ways through sync code from a function to all leaves below it.

    ``apart``: functions that no way leads through; ``followed``: the edges that ways may take.
    """

    def __init__(
        self,
        index: ProjectIndex,
        leaves: Mapping[str, tuple[Leaf, ...]],
        apart: Collection[str] = (),
        followed: Callable[[Edge], bool] = lambda _: True,
    ) -> None:
        self.index = index
        self.leaves = leaves
        self.apart = apart
        self.followed = followed
        self._parents: dict[str, Mapping[str, Edge | None]] = {}
        self._below: dict[str, tuple[str, ...]] = {}
        self.blocks = above(index, leaves)

    def below(self, function: str) -> tuple[str, ...]:
        """The functions with leaves that ``function`` reaches through sync code, itself included; nearest first."""
        if function not in self.blocks or function in self.apart:
            return ()
        found = self._below.get(function)
        if found is None:
            parents: dict[str, Edge | None] = {function: None}
            order = [function]
            for name in order:
                for edge in self.index.calls.get(name, ()):
                    if (
                        edge.kind != PARAMETER  # told where it is handed on
                        and edge.callee not in parents
                        and edge.callee in self.blocks
                        and edge.callee not in self.apart
                        and not self.index.fact(edge.callee).is_async
                        and not _kept(self.index, edge)
                        and not _of_heirs(self.index, edge)
                        and self.followed(edge)
                    ):
                        parents[edge.callee] = edge
                        order.append(edge.callee)
            self._parents[function] = parents
            found = self._below[function] = tuple(name for name in order if name in self.leaves)
        return found

    def hops(self, function: str, leaf: Leaf) -> tuple[Hop, ...]:
        """The way from a function down to a leaf: functions with the line of the call that leads on, the API last."""
        self.below(function)
        parents = self._parents.get(function) or dict[str, Edge | None]()  # none if only what is handed to it leads on
        path = self.index.path(leaf.function)
        hops = [Hop(leaf.name, path, leaf.call.line), Hop(leaf.function, path, leaf.call.line)]
        step = parents.get(leaf.function)
        while step is not None:
            hops.append(Hop(step.caller, self.index.path(step.caller), step.site.line))
            step = parents.get(step.caller)
        return tuple(reversed(hops))


def above(index: ProjectIndex, names: Iterable[str]) -> frozenset[str]:
    """The sync functions among these, and those that reach one of them through sync code."""
    seen = {name for name in names if not index.fact(name).is_async}
    stack = list(seen)
    while stack:
        for edge in index.callers.get(stack.pop(), ()):
            if edge.caller not in seen and edge.kind != PARAMETER and not index.fact(edge.caller).is_async:
                seen.add(edge.caller)
                stack.append(edge.caller)
    return frozenset(seen)
