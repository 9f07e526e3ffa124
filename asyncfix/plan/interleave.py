"""What other tasks may do at an emitted await: between two accesses of one shared thing it is no longer one step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from asyncfix.effects import CONSTRUCTING, Effects, Touch, Where, of_self, said
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Span

CALLED = "call of "
LOCKS = frozenset(
    {"threading.Lock", "threading.RLock", "threading.Condition", "threading.Semaphore", "threading.BoundedSemaphore"}
)


@dataclass(frozen=True, slots=True)
class Suspension:
    """An await that a Change emits: its function, the expression, the outermost loop round it, what ``with`` holds there."""

    function: str
    span: Span
    loop: Span | None
    held: tuple[str, ...]


def lock_held(index: ProjectIndex, suspension: Suspension) -> str:
    """The name of a lock of `threading` that is held there, '' if none is."""
    path = index.path(suspension.function)
    for ref in suspension.held:
        for entity in index.evaluator.evaluate(path, ref):
            if entity.kind == "value" and entity.name in LOCKS:
                return entity.name
    return _acquired(index, suspension)


def _acquired(index: ProjectIndex, suspension: Suspension) -> str:
    """A lock of `threading` that is acquired by hand before the await and released after it."""
    names = [(external.name, external.call.span) for external in index.externals.get(suspension.function, ())]
    for lock in LOCKS:
        taken = any(name == f"{lock}.acquire" and span.end <= suspension.span.start for name, span in names)
        if taken and any(name == f"{lock}.release" and span.start >= suspension.span.end for name, span in names):
            return lock
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


def races(effects: Effects, suspension: Suspension) -> tuple[str, ...]:
    """Why the await may let another task in at a bad moment; each reason names both places."""
    before, inside, after = _sides(effects, suspension)
    # What the awaited function does itself is judged at its own awaits; here it stands on either side of the caller's code.
    pairs = ((before, [*inside, *after]), (inside, after))
    return tuple(
        dict.fromkeys(
            (
                *(reason for first, second in pairs for reason in _check_then_act(effects, first, second)),
                *(reason for first, second in pairs for reason in _half_written(first, second)),
                *_changed_while_iterated(effects, suspension),
            )
        )
    )[:3]


def _sides(effects: Effects, suspension: Suspension) -> tuple[list[Touch], list[Touch], list[Touch]]:
    """What is touched before the await, in what is awaited, and after it; in a loop round all, everything is on both sides."""
    before: list[Touch] = []
    inside: list[Touch] = []
    after: list[Touch] = []
    loop = suspension.loop
    for touch in _touches(effects, suspension.function):
        if touch.span == suspension.span and touch.object.startswith(CALLED):
            inside.append(touch)
            continue
        around = loop is not None and loop.contains(touch.span)
        if around or touch.at < suspension.span.start:
            before.append(touch)
        if around or touch.at >= suspension.span.end:
            after.append(touch)
    return before, inside, after


def _touches(effects: Effects, function: str) -> Iterable[Touch]:
    """Own accesses, and those of the sync functions called, at the place of the call.

    What an async function touches is touched at an await that stands there already: others may run there anyway.
    """
    yield from effects.direct(function).touches
    index = effects.index
    path = index.path(function)
    for edge in index.calls.get(function, ()):
        if index.fact(edge.callee).is_async:
            continue
        for name, own in effects.run(function, edge.span):
            alone = own or index.fact(name).qualname.rpartition(".")[2] in CONSTRUCTING
            for touch in effects.direct(name).touches:
                if not touch.key.startswith("argument ") and not (alone and of_self(touch, index, name)):
                    yield Touch(
                        touch.key,
                        f"{CALLED}{name} {touch.object}",
                        touch.writes,
                        edge.span,
                        edge.span.end,
                        Where(path, edge.site.line),
                    )


def _check_then_act(effects: Effects, before: Iterable[Touch], after: Iterable[Touch]) -> Iterable[str]:
    later: dict[str, Touch] = {}
    for touch in after:
        later.setdefault(touch.key, touch)
    seen: set[str] = set()
    for touch in before:
        other = later.get(touch.key)
        if other is None or touch.key in seen:
            continue
        seen.add(touch.key)
        writers = effects.writers(touch.key)
        if writers:
            name, write = writers[0]
            yield (
                f"{said(touch.key)} is used on both sides of the await ({touch.where} and {other.where}), "
                f"and {name} writes it ({write.where})"
            )


def _half_written(before: Iterable[Touch], after: Iterable[Touch]) -> Iterable[str]:
    later = {touch.object: touch for touch in after if touch.writes}
    for touch in before:
        other = later.get(touch.object)
        if touch.writes and other is not None:
            yield f"the await stands between two writes to one object ({touch.where} and {other.where})"


def _changed_while_iterated(effects: Effects, suspension: Suspension) -> Iterable[str]:
    for touch in effects.direct(suspension.function).touches:
        if not touch.iterates or touch.loop is None:
            continue
        writers = effects.writers(touch.key) if touch.loop.contains(suspension.span) else ()
        if writers:
            name, write = writers[0]
            yield f"the await stands in an iteration over {said(touch.key)} ({touch.where}), which {name} changes ({write.where})"
