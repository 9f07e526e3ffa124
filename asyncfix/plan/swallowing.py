"""Context managers that swallow the errors of what stands in them, or may."""

from __future__ import annotations

from asyncfix.effects.keys import pretty
from asyncfix.link.entities import Entity
from asyncfix.link.index import ProjectIndex
from asyncfix.model import NotSwallowed
from asyncfix.plan.interleave import Suspension
from asyncfix.plan.verdict import HOLDS, Verdict

EXITS = ("__exit__", "__aexit__")
SWALLOWING = frozenset({"contextlib.suppress", "contextlib.ExitStack", "contextlib.AsyncExitStack"})
"""An exit stack does if something in it does."""


def not_swallowed(index: ProjectIndex, condition: NotSwallowed, suspension: Suspension) -> Verdict:
    """Whether a name that is read behind the context managers of a site is bound whenever it is read."""
    path = index.path(suspension.function)
    for ref in suspension.held:
        held = ref.removesuffix("~")
        if _may_swallow(index, path, held):
            why = f"`{condition.name}` is read behind `{pretty(held)}`, which may swallow an error of one of them"
            return Verdict("bars", why, "errors")
    return HOLDS


def _may_swallow(index: ProjectIndex, path: str, held: str) -> bool:
    made_by = index.evaluator.evaluate(path, held.removesuffix("()")) if held.endswith("()") else ()
    functions = [each for each in made_by if each.kind in ("function", "method")]
    if functions:  # written as a generator
        tries = (item for each in functions for item in index.fact(each.name).tries)
        return any(not handler.raises for item in tries for handler in item.handlers)
    objects = index.evaluator.evaluate(path, held)
    return not objects or any(_is_swallower(index, each) for each in objects)


def _is_swallower(index: ProjectIndex, entity: Entity) -> bool:
    """Whether an object swallows errors when a ``with`` over it ends, or nothing is known of it."""
    if entity.kind == "instance":
        exits = index.evaluator.named_methods(entity, EXITS)
        return not exits or any(index.fact(name).results for name in exits)
    name = entity.name.removesuffix("()")
    catalog = index.catalog
    known = catalog.is_class(name) or catalog.harmless(name) is not None or catalog.blocking(name) is not None
    return name in SWALLOWING or not known
