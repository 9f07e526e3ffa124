"""Locks that are held where an await is to stand: of asyncio they protect, of `threading` they stop the event loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asyncfix.effects.keys import pretty
from asyncfix.link.index import ProjectIndex
from asyncfix.plan.interleave import Suspension

LOCKS = frozenset(
    {"threading.Lock", "threading.RLock", "threading.Condition", "threading.Semaphore", "threading.BoundedSemaphore"}
)
ENTERING = ("enter_context", "push")  # of an ExitStack, which holds what it is given till its end


def lock_held(index: ProjectIndex, suspension: Suspension, around: Iterable[str]) -> str:
    """The name of a lock of `threading` that is held there, '' if none is. ``around``: the functions that run before and
    after the code there, as context managers and wrappers do."""
    path = index.path(suspension.function)
    for ref in (*suspension.held, *_stacked(index, suspension)):
        for entity in index.evaluator.evaluate(path, ref):
            if entity.kind == "value" and entity.name in LOCKS:
                return entity.name
    return _acquired(index, suspension) or next((lock for name in around for lock in _taken(index, name)), "")


def perhaps_held(index: ProjectIndex, suspension: Suspension) -> str:
    """What is entered by a plain ``with`` round the await and may be a lock, for all that is known; '' if nothing is."""
    path = index.path(suspension.function)
    for ref in (*suspension.held, *_stacked(index, suspension)):
        if ref.endswith("~"):
            continue
        made_by = index.evaluator.evaluate(path, ref.removesuffix("()")) if ref.endswith("()") else ()
        called = ref.endswith("()") and not any(entity.kind in ("function", "method") for entity in made_by)
        managers = any(index.fact(entity.name).is_generator for entity in made_by if entity.name in index.functions)
        if not called and not managers and not index.evaluator.evaluate(path, ref):
            return pretty(ref) or "an object that is not known"
    return ""


def asyncio_lock_held(index: ProjectIndex, suspension: Suspension) -> bool:
    """Whether a lock of asyncio is held there that others may hold too."""
    path = index.path(suspension.function)
    return any(
        entity.kind == "value" and entity.name in ("asyncio.Lock", "asyncio.Condition")
        for ref in suspension.held
        if ref.endswith("~") and not ref.endswith("()~")  # one made by the call itself keeps nobody out
        for entity in index.evaluator.evaluate(path, ref.removesuffix("~"))
    )


def _stacked(index: ProjectIndex, suspension: Suspension) -> Iterator[str]:
    """What an ExitStack was given to hold before the await."""
    for call in index.fact(suspension.function).calls:
        receiver, _, last = call.targets[0].rpartition(".")
        if last in ENTERING and receiver and call.span.end <= suspension.span.start:
            yield from (argument.ref for argument in call.arguments[:1])


def _acquired(index: ProjectIndex, suspension: Suspension) -> str:
    """A lock of `threading` that is acquired by hand before the await and released after it."""
    names = [(external.name, external.call.span) for external in index.externals.get(suspension.function, ())]
    for lock in LOCKS:
        taken = any(name == f"{lock}.acquire" and span.end <= suspension.span.start for name, span in names)
        if taken and any(name == f"{lock}.release" and span.start >= suspension.span.end for name, span in names):
            return lock
    return ""


def _taken(index: ProjectIndex, function: str) -> Iterator[str]:
    """Locks of `threading` that a function takes."""
    fact, path = index.fact(function), index.path(function)
    entered = [access.ref for access in fact.operations if access.kind == "__enter__"]
    acquired = [
        target.removesuffix(".acquire") for call in fact.calls for target in call.targets if ".acquire" in target
    ]
    for ref in (*entered, *acquired):
        yield from (entity.name for entity in index.evaluator.evaluate(path, ref) if entity.name in LOCKS)
