"""Classes that ``super()`` means only where a class is inherited from beside others."""

from __future__ import annotations

from collections.abc import Mapping

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
