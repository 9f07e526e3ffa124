"""What calling, entering, subscripting and iterating over things gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncfix.catalog import PARTLY
from asyncfix.facts.likeness import LIKE, LIKE_CLASS
from asyncfix.link import members, parameters
from asyncfix.link.entities import (
    KEYED,
    MOST,
    PAIR,
    SOMETHING,
    UNKNOWN,
    Entities,
    Entity,
    FunctionInfo,
    is_given,
    many,
    parted,
    some,
)
from asyncfix.link.foreign import is_of_its_own

if TYPE_CHECKING:
    from asyncfix.link.evaluate import Evaluator

MOCK = "unittest.mock.Mock"
LEFT = 20  # refs, each for the sake of the one before: hardly any asks for more


def result(evaluator: Evaluator, entity: Entity) -> Entities:
    """What calling it may give."""
    match entity.kind:
        case "class":
            return _made(evaluator, entity.name)
        case "function" | "method":
            info = evaluator.functions[entity.name]
            return (
                parameters.stated(evaluator, f"{entity.name}()")
                or _telling(evaluator.all(info.path, info.fact.results))
                or _overridden(evaluator, info)
            )
        case "instance":
            called = members.member(evaluator, entity.name, evaluator.order(entity.name), "__call__", True)
            return tuple(given for item in called if item.kind == "method" for given in result(evaluator, item))
        case "external":
            name = entity.name.removesuffix(PARTLY)
            if evaluator.catalog.is_class(name):
                return (Entity("value", name),)
            given = evaluator.catalog.gives(name)
            return (Entity("value", given),) if given else (Entity("external", f"{name}()"),)
        case "value":
            given = evaluator.catalog.gives(f"{entity.name}.__call__")
            return (Entity("value", given),) if given else UNKNOWN
        case "giving":
            return _taken(evaluator, *parted(entity))
        case _:
            return UNKNOWN


def _telling(found: Entities) -> Entities:
    """The same without the functions that callers give, if these are many: it gives back which one it was given, and that
    it may be any of them tells nothing."""
    if sum(map(is_given, found)) <= MOST:
        return found
    return some(dict.fromkeys((*(entity for entity in found if not is_given(entity)), SOMETHING)))


def _overridden(evaluator: Evaluator, info: FunctionInfo) -> Entities:
    """What a method gives that is there to be overridden: what the others give.

    These may ask for each other. It is here that one gives up, so that there is room for what each asks for beside that.
    """
    owner = evaluator.owner(info) if not info.fact.results and not evaluator.gives_up(LEFT) else None
    last = info.fact.name
    found: dict[Entity, None] = {}
    for below in evaluator.below.get(owner, ()) if owner is not None else ():
        for other in evaluator.methods.get(below, {}).get(last, ()):
            fact = evaluator.functions[other]
            found |= dict.fromkeys(
                evaluator.all(fact.path, fact.fact.results) or ((SOMETHING,) if fact.fact.results else ())
            )
    return some(found)


def _made(evaluator: Evaluator, class_id: str) -> Entities:
    """What a class makes: objects of its own, unless its ``__new__`` gives none but others."""
    own = Entity("instance", class_id)
    makers = (evaluator.methods.get(name, {}).get("__new__", ()) for name in evaluator.order(class_id))
    found = dict.fromkeys(made for each in makers for maker in each for made in _given(evaluator, maker))
    others = [entity for entity in found if entity.kind == "instance" and entity != own]
    if others and len(others) == len(found) and not any(class_id in evaluator.order(made.name) for made in others):
        return tuple(others)
    return (own, *others)


def _given(evaluator: Evaluator, function: str) -> Entities:
    """What a function gives, as far as that is known: with `SOMETHING` where it is not."""
    info = evaluator.functions[function]
    return tuple(
        entity for ref in info.fact.results for entity in evaluator.evaluate(info.path, ref) or (SOMETHING,)
    ) or (SOMETHING,)


def _taken(evaluator: Evaluator, called: str, inner: Entity) -> Entities:
    """What a method of a collection gives."""
    unsure = "?" if called.endswith("?") else ""
    match called.rpartition(".")[2].removesuffix("?"):
        case "values" | "copy":
            return (many(f"builtins.list{unsure}", inner),)
        case "items":
            return (many("builtins.list", many(PAIR, inner)),)
        case _:
            return (inner, SOMETHING) if unsure else (inner,)


def like(entity: Entity, step: str) -> Entities:
    """A mock that is like it: as an object, or a class, of the project; what is like anything else is a mere mock."""
    if step == LIKE and entity.kind in ("class", "instance"):
        return (Entity("instance", entity.name),)
    return (entity,) if step == LIKE_CLASS and entity.kind == "class" else (Entity("value", MOCK),)


def instance(evaluator: Evaluator, entity: Entity) -> Entities:
    """An object of a class."""
    if entity.kind == "class":
        return (Entity("instance", entity.name),)
    return (Entity("value", evaluator.catalog.canonical(entity.name)),) if entity.kind == "external" else UNKNOWN


def entered(evaluator: Evaluator, entity: Entity) -> Entities:
    """What ``with`` binds to its target."""
    if entity.kind == "many":
        return element(evaluator, entity, "[]")  # a generator function made a context manager by its decorator
    if entity.kind == "instance":
        order = evaluator.order(entity.name)
        entered = members.member(evaluator, entity.name, order, "__enter__", True) or members.member(
            evaluator, entity.name, order, "__aenter__", True
        )
        given = tuple(item for method in entered if method.kind == "method" for item in result(evaluator, method))
        return given or (entity,)
    if entity.kind == "value":
        given_name = evaluator.catalog.gives(f"{entity.name}.__enter__")
        return (Entity("value", given_name),) if given_name else (entity,)
    return UNKNOWN


def element(evaluator: Evaluator, entity: Entity, step: str) -> Entities:
    """What one gets by iteration, or by a subscript: of mappings that is no key."""
    if entity.kind == "many":
        container, inner = parted(entity)
        if container == PAIR and step in ("[0]", "[1]"):
            return (inner if step == "[1]" else SOMETHING,)
        unsure = container.endswith("?") or (container in KEYED and step == "[]")
        return (inner, SOMETHING) if unsure else (inner,)
    if entity.kind == "class":  # of a generic class it is the class, for these elements
        return (Entity("instance", entity.name) if evaluator.is_enum(entity.name) else entity,)
    if entity.kind == "instance":
        return _asked(evaluator, entity)
    placed = evaluator.catalog.attribute_type(f"{entity.name}{step}") if entity.kind in ("external", "value") else ""
    if placed:
        return (Entity("value", placed),)
    if entity.kind == "external" and is_of_its_own(entity.name):
        return (Entity("external", f"{entity.name}[]"),)
    if entity.kind != "value":
        return UNKNOWN
    given = evaluator.catalog.gives(f"{entity.name}.__getitem__") or evaluator.catalog.gives(f"{entity.name}.__iter__")
    return (Entity("value", given),) if given else UNKNOWN


def _asked(evaluator: Evaluator, entity: Entity) -> Entities:
    """What an object of the project gives to who iterates over it, or asks for an element."""
    found: dict[Entity, None] = {}
    for method in evaluator.named_methods(entity, ("__iter__", "__getitem__")):
        for given in result(evaluator, Entity("method", method)) or (SOMETHING,):
            if method.endswith("__getitem__"):
                found[given] = None
            elif given.kind == "instance":
                steps = evaluator.named_methods(given, ("__next__",))
                found |= dict.fromkeys(
                    each for step in steps for each in result(evaluator, Entity("method", step)) or (SOMETHING,)
                )
            else:
                found |= dict.fromkeys(element(evaluator, given, "[]") or (SOMETHING,))
    return some(found)
