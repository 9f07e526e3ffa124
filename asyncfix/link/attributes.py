"""What Python runs where an attribute is read or written that is no plain data: descriptors, and ``__getattr__``."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.link import members
from asyncfix.link.entities import OBJECTS, Entity
from asyncfix.link.evaluate import Evaluator

HOOKS = frozenset({"__get__", "__set__"})
RUN = {"read": ("__get__",), "write": ("__set__",)}
ASKED = ("__getattribute__", "__getattr__")
SET = ("__setattr__", "__delattr__")


def described(evaluator: Evaluator) -> frozenset[str]:
    """The names under which some class has an object that says itself how it is read or written."""
    having = {name for name, methods in evaluator.methods.items() if not HOOKS.isdisjoint(methods)}
    having.update(below for name in tuple(having) for below in evaluator.below.get(name, ()))
    if not having:
        return frozenset()
    found: set[str] = set()
    for info in evaluator.classes.values():
        for attribute in info.fact.assigned:
            refs = info.fact.attributes.get(attribute, ())
            made = evaluator.all(info.path, refs) if any(ref.endswith("()") for ref in refs) else ()
            if any(entity.kind == "instance" and entity.name in having for entity in made):
                found.add(attribute)
    for attribute, places in evaluator.filled.items():
        put = (entity for path, item in places for entity in evaluator.all(path, item.values))
        if any(entity.kind == "instance" and entity.name in having for entity in put):
            found.add(attribute)
    return frozenset(found)


def asking(evaluator: Evaluator) -> frozenset[str]:
    """The classes of objects, and the modules, that are asked for names which they do not have, or told what they get."""
    own = {name for name, methods in evaluator.methods.items() if not methods.keys().isdisjoint((*ASKED, *SET))}
    modules = (path for path in evaluator.summaries if evaluator.function_ids(path, ASKED[1]))
    return frozenset((*own, *(below for name in own for below in evaluator.below.get(name, ())), *modules))


def run_by_descriptor(evaluator: Evaluator, path: str, base: str, attribute: str, kind: str) -> Iterator[str]:
    """The methods of a descriptor that are run where an attribute of what ``base`` means is read or written."""
    for entity in evaluator.evaluate(path, base):
        if entity.kind in OBJECTS or (entity.kind == "class" and kind == "read"):
            for held in (*members.held(evaluator, entity, attribute), *_put(evaluator, entity, attribute)):
                if held.kind == "instance":
                    yield from evaluator.named_methods(held, RUN[kind])


def _put(evaluator: Evaluator, made: Entity, attribute: str) -> Iterator[Entity]:
    """What is put into a class from outside under a name."""
    for path, item in evaluator.filled.get(attribute, ()):
        holders = evaluator.evaluate(path, item.holder)
        if any(holder.kind == "class" and holder.name in evaluator.order(made.name) for holder in holders):
            yield from evaluator.all(path, item.values)


def run_by_asking(
    evaluator: Evaluator, asked: frozenset[str], path: str, base: str, attribute: str, kind: str = "read"
) -> Iterator[str]:
    """The functions that are run where an object, or a module, of what ``base`` means is asked for a name, or given one."""
    for entity in evaluator.evaluate(path, base):
        if kind == "write":
            yield from (
                evaluator.named_methods(entity, SET) if entity.kind == "instance" and entity.name in asked else ()
            )
        elif entity.kind == "instance" and entity.name in asked:
            has = evaluator.has(entity.name, attribute)
            yield from evaluator.named_methods(entity, ASKED[:1] if has else ASKED)
        elif entity.kind == "module" and entity.name in asked:
            known = evaluator.summaries[entity.name].bindings
            yield from () if attribute in known else evaluator.function_ids(entity.name, ASKED[1])
