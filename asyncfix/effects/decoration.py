"""The calls by which the decorators of a function are made, and what of the project they are given to run."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.effects.output import output
from asyncfix.link.entities import Entity
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Call

RETRYING = ("tenacity.", "backoff.", "stamina.")
LIMITS = ("stop_", "wait_")
"""What the names of functions begin with that make of numbers when to try again, or when no more."""
OWN = frozenset({"function", "method", "instance", "many", "handed", "wrapped"})
CACHE = "functools.lru_cache"
ENDLESS = ("None",)


def makers(index: ProjectIndex, function: str) -> Iterator[Call]:
    """The calls that make the decorators of a function, from the last one up; of those that are no calls there is none."""
    info = index.functions[function]
    called = [ref for ref in reversed(info.fact.decorators) if ref.endswith("()")]
    if not called:
        return
    facts = index.summaries[info.path].functions
    calls = (call for fact in facts for call in fact.calls if call.use == "decorator")
    above = sorted((call for call in calls if call.span.end <= info.fact.span.start), key=lambda call: call.span.start)
    for ref, call in zip(called, reversed(above), strict=False):
        if ref.removesuffix("()") not in call.targets:
            return
        yield call


def hook(index: ProjectIndex, function: str) -> str:
    """A decorator which tries again and is given something of the project to run that may do more than look at what it is given,
    with that; '' if there is none."""
    path = index.path(function)
    made = ((path, call) for call in makers(index, function) if any(map(_retries, _named(index, path, call))))
    for place, call in (*made, *_made_before(index, function)):
        run = next(_run(index, place, call), "")
        if run:
            return f"{call.targets[0]} (given {run})"
    return ""


def forgets(index: ProjectIndex, function: str) -> bool:
    """Whether what a cache keeps of a function is thrown away when there is too much of it."""
    for call in makers(index, function):
        if CACHE in _named(index, index.path(function), call):
            sizes = [each for each in call.arguments if each.keyword in ("", "maxsize")][:1]
            return all(each.literal not in ENDLESS for each in sizes)
    return False


def _made_before(index: ProjectIndex, function: str) -> Iterator[tuple[str, Call]]:
    """The calls that may have made a decorator which goes by a name, each with its file."""
    path, refs = index.path(function), [ref for ref in index.fact(function).decorators if not ref.endswith("()")]
    named = {entity.name for ref in refs for entity in index.evaluator.evaluate(path, ref)}
    wanted = {name.removesuffix("()") for name in named if name.endswith("()") and _retries(name)}
    for name, externals in index.externals.items() if wanted else ():
        yield from ((index.path(name), each.call) for each in externals if each.name in wanted)


def _retries(name: str) -> bool:
    return name.startswith(RETRYING)


def _run(index: ProjectIndex, path: str, maker: Call) -> Iterator[str]:
    """What is given to the call of a decorator, or to a call among its arguments, and is no plain value."""
    facts = index.summaries[path].functions
    for call in (call for fact in facts for call in fact.calls if maker.span.contains(call.span)):
        if any(name.rpartition(".")[2].startswith(LIMITS) for name in _named(index, path, call)):
            continue
        for argument in call.arguments:
            meant = index.evaluator.evaluate(path, argument.ref) if argument.ref else ()
            unknown = argument.ref and not meant and not argument.literal
            if unknown or any(entity.kind in OWN and not _looks(index, entity) for entity in meant):
                yield argument.name or argument.keyword or "a function"


def _looks(index: ProjectIndex, entity: Entity) -> bool:
    """Whether a function does no more than ask what it is given, as which class an error is of."""
    if entity.kind == "many":
        return True
    info = index.functions.get(entity.name)
    if info is None or index.calls.get(entity.name) or index.unknown.get(entity.name):
        return False
    if any(access.kind in ("write", "change") for access in info.fact.accesses):
        return False
    return all(
        (row := index.catalog.harmless(external.name)) is not None
        and row.writes == ()
        and external.name.startswith("builtins.")
        and output(index, info.path, external.name, external.call) is None
        for external in index.externals.get(entity.name, ())
    )


def _named(index: ProjectIndex, path: str, call: Call) -> list[str]:
    return [entity.name for target in call.targets for entity in index.evaluator.evaluate(path, target)]
