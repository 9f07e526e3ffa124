"""What attributes hold that is put there from outside of their class: ``rule.tests.append(Check())``, ``test.callback = f``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from asyncfix.facts.testfiles import is_test
from asyncfix.link.entities import SOMETHING, Entities, Entity, many, parted
from asyncfix.model import Assigned, Summary

if TYPE_CHECKING:
    from asyncfix.link.evaluate import Evaluator

MOST_PLACES = 64  # of a name that is assigned in more, nothing would be told
EMPTY = frozenset(Entity("value", f"builtins.{name}") for name in ("None", "list", "dict", "set"))

Places = Mapping[str, Sequence[tuple[str, Assigned]]]


def places(summaries: Iterable[Summary]) -> Places:
    """By the name of an attribute where something is put into it, each with the path."""
    found: dict[str, list[tuple[str, Assigned]]] = {}
    for summary in summaries:
        for item in (*summary.assigned, *summary.added):
            found.setdefault(item.name, []).append((summary.path, item))
    return {name: each for name, each in found.items() if len(each) <= MOST_PLACES}


def held(evaluator: Evaluator, class_id: str, name: str, own: Entities) -> Entities:
    """``own``, what an attribute of a class holds by the class itself, with what others put there.

    What is not known of that is left out: it would hide what is.
    """
    found = dict.fromkeys(
        entity
        for path, item in evaluator.filled.get(name, ())
        if _is_meant(evaluator, class_id, path, item)
        for entity in evaluator.all(path, item.values)
        if entity != SOMETHING and not (entity.kind == "value" and entity.name.startswith("builtins."))
    )
    if not found:
        return own
    found = _fewer(evaluator, found)
    if not any(entity not in EMPTY for entity in own):
        found[SOMETHING] = None  # where the class says nothing, nobody knows who else puts something there
    filled = any(entity.kind == "many" for entity in found)
    return tuple(dict.fromkeys((*(entity for entity in own if not (filled and entity in EMPTY)), *found)))


def _is_meant(evaluator: Evaluator, class_id: str, path: str, item: Assigned) -> bool:
    """Whether a place is about objects of a class; what tests put there stands for something else."""
    if is_test(path) and not is_test(evaluator.classes[class_id].path):
        return False
    holders = evaluator.evaluate(path, item.holder)
    if not holders or SOMETHING in holders:
        evaluator.note_vague()
    return any(
        entity.kind in ("instance", "class")
        and (class_id in evaluator.order(entity.name) or entity.name in evaluator.order(class_id))
        for entity in holders
    )


def _fewer(evaluator: Evaluator, found: Mapping[Entity, None]) -> dict[Entity, None]:
    """The same; of more objects than are told apart, their base, also of those in a collection."""
    inside: dict[str, dict[Entity, None]] = {}
    for entity in found:
        container, inner = parted(entity) if entity.kind == "many" else ("", entity)
        inside.setdefault(container, {})[_handed(inner)] = None
    return {
        many(container, inner) if container else inner: None
        for container, elements in inside.items()
        for inner in evaluator.fewer(elements)
    }


def _handed(entity: Entity) -> Entity:
    """The same; whether a function may turn that is put somewhere is told elsewhere: here it is but what may be run."""
    return Entity("handed", entity.name) if entity.kind in ("function", "method") else entity
