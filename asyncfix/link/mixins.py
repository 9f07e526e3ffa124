"""Classes that are inherited from beside others: what ``super()`` means only there, and what overrides only there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncfix.link.evaluate import Evaluator


def beside(evaluator: Evaluator) -> Mapping[str, tuple[str, ...]]:
    """By class the classes of the project that come after it in the order of an heir, and are no bases of its own."""
    found: dict[str, dict[str, None]] = {}
    seen: set[tuple[str, ...]] = set()
    for name, info in evaluator.classes.items():
        order = tuple(base for base in evaluator.order(name)[1:] if base in evaluator.classes)
        if len(info.fact.bases) < 2 or order in seen:
            continue
        seen.add(order)
        for at, base in enumerate(order):
            own = evaluator.order(base)
            for other in order[at + 1 :]:
                if other not in own:
                    found.setdefault(base, {})[other] = None
    return {name: tuple(others) for name, others in found.items()}


def others(evaluator: Evaluator, class_id: str, name: str) -> Iterator[str]:
    """The classes from which heirs of a class have a name in its stead, and which do not inherit from it."""
    own, having = evaluator.order(class_id), evaluator.named(name)
    for heir in evaluator.below.get(class_id, ()) if having and class_id in evaluator.mixed else ():
        first = next((base for base in evaluator.order(heir) if base in having), class_id)
        if first not in own and class_id not in evaluator.order(first):
            yield first
