"""Loops over shared containers round an await: others may change them meanwhile.

What a loop goes through may be the container itself, what a function, a property or ``__iter__`` gives, or a generator
that goes through one.
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.effects.keys import is_known, said
from asyncfix.effects.reach import Effects
from asyncfix.effects.touch import Where
from asyncfix.model import Span

VIEWS = (".items()", ".keys()", ".values()")
DEEPEST = 5


def changed_while_iterated(effects: Effects, function: str, span: Span) -> Iterator[str]:
    """Why the loops of a function round a place may go wrong, if that suspends."""
    path = effects.index.path(function)
    for access in effects.index.fact(function).accesses:
        if access.kind not in ("iterate", "view") or access.loop is None or not access.loop.contains(span):
            continue
        for key in dict.fromkeys(_gone_through(effects, path, access.ref, 0)):
            writers = effects.writers(key) if is_known(key) else ()
            if writers:
                name, write = writers[0]
                where = Where(path, access.line)
                yield f"the await stands in an iteration over {said(key)} ({where}), which {name} changes ({write.where})"


def _gone_through(effects: Effects, path: str, ref: str, depth: int) -> Iterator[str]:
    """The keys of the shared containers that going through ``ref`` asks again and again."""
    if depth > DEEPEST:
        return
    entities = effects.index.evaluator.evaluate(path, ref)
    functions = [entity.name for entity in entities if entity.kind in ("function", "method")]
    made = (entity for entity in entities if entity.kind == "instance")
    functions += [name for entity in made for name in effects.index.evaluator.named_methods(entity, ("__iter__",))]
    base, _, attribute = ref.rpartition(".")
    for entity in effects.index.evaluator.evaluate(path, base) if base else ():
        if entity.kind == "instance":
            functions += effects.index.evaluator.accessors(entity, attribute, "read")
    for name in functions:
        yield from _given(effects, name, depth + 1)
    if not functions:
        yield effects.keys.of(path, ref)[0]


def _given(effects: Effects, function: str, depth: int) -> Iterator[str]:
    """What is gone through in what a function gives."""
    fact, path = effects.index.fact(function), effects.index.path(function)
    if fact.is_generator:
        for access in fact.accesses:
            if access.kind in ("iterate", "view"):
                yield from _gone_through(effects, path, access.ref, depth)
        return
    for ref in fact.results:
        for view in VIEWS:
            ref = ref.removesuffix(view)
        if ref.startswith("builtins.iter()"):  # of which of the things that it reads does not show
            yield from (touch.key for touch in effects.direct(function).touches if not touch.writes)
        elif not ref.endswith("()"):
            yield from _gone_through(effects, path, ref, depth)
