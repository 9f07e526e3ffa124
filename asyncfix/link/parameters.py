"""What a parameter may be: by its annotation, by a user's row, by what callers give, by its default, by a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncfix.link.entities import SOMETHING, UNKNOWN, Entities, Entity, FunctionInfo, some
from asyncfix.link.fixtures import asks, nearest
from asyncfix.model import Parameter

if TYPE_CHECKING:
    from asyncfix.link.evaluate import Evaluator

OF_OBJECT = ("method", "property")


def parameter(evaluator: Evaluator, entity: Entity, name: str) -> Entities:
    """What the parameter of that name of a function may be."""
    if entity.kind not in ("function", "method"):
        return UNKNOWN
    info = evaluator.functions[entity.name]
    owner = evaluator.owner(info) if info.fact.kind in OF_OBJECT else None
    if owner is not None and info.fact.parameters[:1] and info.fact.parameters[0].name == name:
        return (Entity("instance", owner),)
    for parameter in info.fact.parameters:
        if parameter.name == name:
            return (
                stated(evaluator, f"{entity.name}({name})")
                or _typed(evaluator, info.path, parameter)
                or _passed(evaluator, entity.name, name)
                or _default(evaluator, info, parameter)
            )
    return UNKNOWN


def _passed(evaluator: Evaluator, function: str, name: str) -> Entities:
    return evaluator.passed.to(function, name) if evaluator.passed is not None else UNKNOWN


def _typed(evaluator: Evaluator, path: str, parameter: Parameter) -> Entities:
    """What a parameter is by its annotation."""
    return evaluator.all(path, filter(None, parameter.type.split("|"))) if parameter.type else UNKNOWN


def _default(evaluator: Evaluator, info: FunctionInfo, parameter: Parameter) -> Entities:
    """What a parameter without annotation is by its default, or by a fixture: or something else."""
    path = info.path
    if not parameter.default:
        return _of_fixture(evaluator, info, parameter.name)
    default = evaluator.evaluate(path, parameter.default)
    plain = all(entity.kind == "value" and entity.name.startswith("builtins.") for entity in default)
    return _of_fixture(evaluator, info, parameter.name) if plain else (*default, SOMETHING)


def _of_fixture(evaluator: Evaluator, info: FunctionInfo, name: str) -> Entities:
    """What pytest gives a test for a parameter."""
    found: dict[Entity, None] = {}
    places = evaluator.fixtures.get(name, ())

    def bound(path: str) -> Iterator[str]:
        return (each.name for each in evaluator.attribute(Entity("module", path), name) if each.kind == "function")

    for fixture in nearest(places, info.path, evaluator.functions, bound) if places and asks(info) else ():
        given = evaluator.result(Entity("function", fixture))
        if evaluator.functions[
            fixture
        ].fact.is_generator:  # of one that is said to give an object, it is what it yields
            objects = (entity for entity in given if entity.kind == "instance")
            given = tuple(item for entity in given for item in evaluator.element(entity)) or tuple(objects)
        found |= dict.fromkeys(given or (SOMETHING,))
    return some(found)


def stated(evaluator: Evaluator, value: str) -> Entities:
    """The type that a user's row gives to an attribute, a result or a parameter."""
    given = evaluator.catalog.attribute_type(value)
    if not given:
        return UNKNOWN
    path, _, qualname = _split(evaluator, given)
    if path is not None:
        class_id = evaluator.class_id(path, qualname)
        if class_id is not None:
            return (Entity("instance", class_id),)
    return (Entity("value", given),)


def _split(evaluator: Evaluator, dotted: str) -> tuple[str | None, str, str]:
    parts = dotted.split(".")
    for index in range(len(parts) - 1, 0, -1):
        path = evaluator.modules.by_name.get(".".join(parts[:index]))
        if path is not None:
            return path, ".".join(parts[:index]), ".".join(parts[index:])
    return None, "", dotted
