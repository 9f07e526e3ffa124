"""Context managers that swallow the errors of what stands in them, or may."""

from __future__ import annotations

from asyncfix.effects.keys import pretty
from asyncfix.link.entities import Entity
from asyncfix.link.index import ProjectIndex
from asyncfix.model import NotSwallowed
from asyncfix.plan.interleave import Suspension
from asyncfix.plan.verdict import HOLDS, Verdict
from asyncfix.preconditions import reason

EXITS = ("__exit__", "__aexit__")
SWALLOWING = frozenset({"contextlib.suppress", "contextlib.ExitStack", "contextlib.AsyncExitStack"})
"""An exit stack does if something in it does."""


def not_swallowed(index: ProjectIndex, condition: NotSwallowed, suspension: Suspension) -> Verdict:
    """Whether a name that is read behind the context managers of a site is bound whenever it is read."""
    path = index.path(suspension.function)
    verdict = HOLDS
    for ref in suspension.held[condition.inside :]:
        held = ref.removesuffix("~")
        swallows = _swallows(index, path, held)
        why = f"`{condition.name}` is read behind `{pretty(held)}`, which may swallow an error of one of them"
        if swallows:
            return Verdict("bars", why, "errors")
        if swallows is None:
            verdict = Verdict("fails", reason("errors", why), "errors")
    return verdict


def _swallows(index: ProjectIndex, path: str, held: str) -> bool | None:
    """Whether one swallows errors, None where that is not known."""
    made_by = index.evaluator.evaluate(path, held.removesuffix("()")) if held.endswith("()") else ()
    functions = [each for each in made_by if each.kind in ("function", "method")]
    if functions:  # written as a generator
        tries = (item for each in functions for item in index.fact(each.name).tries)
        return any(not handler.raises for item in tries for handler in item.handlers)
    found = [_is_swallower(index, each) for each in index.evaluator.evaluate(path, held)]
    return True if True in found else None if None in found or not found else False


def _is_swallower(index: ProjectIndex, entity: Entity) -> bool | None:
    """Whether an object swallows errors when a ``with`` over it ends, None where nothing is known of it."""
    if entity.kind == "instance":
        exits = list(index.evaluator.named_methods(entity, EXITS))
        return any(index.fact(name).results for name in exits) if exits else None
    name = entity.name.removesuffix("()")
    catalog = index.catalog
    known = catalog.is_class(name) or catalog.harmless(name) is not None or catalog.blocking(name) is not None
    return True if name in SWALLOWING else None if not known else False
