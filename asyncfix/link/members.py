"""What the project's classes and objects have under a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from asyncfix.link import filling, mixins, parameters
from asyncfix.link.entities import SOMETHING, UNKNOWN, ClassInfo, Entities, Entity, is_error, some, usable
from asyncfix.model import ANY, Class

if TYPE_CHECKING:
    from asyncfix.link.evaluate import Evaluator

OF_OBJECTS = frozenset(dir(object))
MANGLED = re.compile(r"_+([^\W_]\w*?)(__\w*[^\W_]_?)")
"""A private name as it is called from outside of its class."""
VALUE = ("value", "_value_")


def member(evaluator: Evaluator, class_id: str, order: Sequence[str], name: str, bound: bool) -> Entities:
    """What the first class of an order has that has a name; ``bound``: as an object gives it."""
    private = _private(name) if name[0] == "_" else None
    for at, base in enumerate(order):
        info = evaluator.classes.get(base)
        if (base == "builtins.object" and name not in OF_OBJECTS) or (info is None and is_error(f"{base}.{name}")):
            continue
        if info is None:  # a class of a library
            inherited = evaluator.attribute(Entity("value", base), name)
            if evaluator.catalog.knows(evaluator.catalog.canonical(f"{base}.{name}")):
                return inherited
            continue
        functions = evaluator.function_ids(info.path, f"{info.fact.qualname}.{name}")
        if private is not None and private[0] == base.rpartition(".")[2].lstrip("_"):
            functions = functions or evaluator.function_ids(info.path, f"{info.fact.qualname}.{private[1]}")
        if functions:
            return _bound(evaluator, functions, bound)
        nested = evaluator.class_id(info.path, f"{info.fact.qualname}.{name}")
        if nested is not None:
            return (Entity("class", nested),)
        if name in VALUE and evaluator.is_enum(base):
            return _values(evaluator, base, info)
        if name in info.fact.attributes:
            refs = info.fact.attributes[name]
            stated = parameters.stated(evaluator, f"{base}.{name}") or evaluator.all(info.path, refs)
            itself = f":{info.fact.qualname}!.{name}"
            if any(map(_steps_from(itself), refs)):
                before = member(evaluator, class_id, order[at + 1 :], name, bound)
                stated = _made_anew(evaluator, info, before, itself)
            if name in evaluator.filled and not all(map(_is_annotated, refs)):
                stated = filling.held(evaluator, class_id, name, stated)
            if name in evaluator.described:
                stated = _got(evaluator, stated)
            return (Entity("instance", base),) if _is_member(evaluator, base, info.fact, name, stated) else stated
    external = [base for base in order if base not in evaluator.classes and base != "builtins.object"]
    if "?" in external:
        return UNKNOWN
    if not external and bound and name not in OF_OBJECTS:
        return _below(evaluator, class_id, name) or (_asked_for(evaluator, class_id) if name[:2] != "__" else UNKNOWN)
    outside = tuple(Entity("external", f"{base}.{name}") for base in external[:1])
    if bound and name[:2] != "__" and any("__getattr__" in evaluator.methods.get(base, ()) for base in order):
        return some(usable(dict.fromkeys((*outside, *_asked_for(evaluator, class_id), SOMETHING))))
    return outside


def above(evaluator: Evaluator, class_id: str, name: str) -> Entities:
    """What ``super()`` of a class has: its bases, and what heirs put between it and them."""
    found = member(evaluator, class_id, evaluator.order(class_id)[1:], name, True)
    others = [
        own for each in evaluator.beside.get(class_id, ()) for own in evaluator.methods.get(each, {}).get(name, ())
    ]
    if not others:
        return found
    known = found or all(each in evaluator.classes or each == "builtins.object" for each in evaluator.order(class_id))
    more = dict.fromkeys((*found, *_bound(evaluator, others, True), *(() if known else (SOMETHING,))))
    return some(more)


def _steps_from(itself: str) -> Callable[[str], str]:
    """What is done to an attribute in a ref that begins with it, '' if none does."""
    return lambda ref: rest if ref.startswith(itself) and (rest := ref[len(itself) :])[:1] in tuple(".[(~%") else ""


def _made_anew(evaluator: Evaluator, info: ClassInfo, before: Entities, itself: str) -> Entities:
    """What an attribute holds of which the class itself makes its next value: ``self.source = self.source.cache()``.

    ``before``: what the classes above give it.
    """
    steps = _steps_from(itself)
    refs = info.fact.attributes[itself.rpartition(".")[2]]
    first = dict.fromkeys((*before, *evaluator.all(info.path, (ref for ref in refs if not steps(ref)))))
    more = (evaluator.follow(tuple(first), steps(ref)) or (SOMETHING,) for ref in refs if steps(ref))
    return some(first | {entity: None for found in more for entity in found})


def _got(evaluator: Evaluator, stated: Entities) -> Entities:
    """What attributes give that are descriptors, where they are read."""
    found: dict[Entity, None] = {}
    for entity in stated:
        getters = tuple(evaluator.named_methods(entity, ("__get__",))) if entity.kind == "instance" else ()
        given = (evaluator.result(Entity("method", getter)) or (SOMETHING,) for getter in getters)
        found |= dict.fromkeys(item for each in given for item in each) if getters else {entity: None}
    return some(found)


def _asked_for(evaluator: Evaluator, class_id: str) -> Entities:
    """What an object gives for a name that its classes do not have: by ``__getattr__``, or since it was set by a name that
    is worked out."""
    found: dict[Entity, None] = {}
    for info in (evaluator.classes[each] for each in evaluator.order(class_id) if each in evaluator.classes):
        found |= dict.fromkeys(evaluator.all(info.path, info.fact.attributes.get(ANY, ())))
    methods = (evaluator.methods.get(each, {}).get("__getattr__", ()) for each in evaluator.order(class_id))
    asked = next(filter(None, methods), ())
    given = (each for method in asked for each in evaluator.result(Entity("method", method)))
    # What a library gives by a name that is worked out may be anything, and tells nothing.
    found |= dict.fromkeys(each for each in given if each.kind not in ("external", "value", "unknown"))
    return some(found | {SOMETHING: None} if found else found)


def held(evaluator: Evaluator, made: Entity, name: str) -> Entities:
    """What a class, or one that it inherits from, has under a name, as it stands there."""
    for base in evaluator.order(made.name)[made.kind == "super" :]:
        info = evaluator.classes.get(base)
        if info is not None and name in info.fact.attributes:
            return evaluator.all(info.path, info.fact.attributes[name])
    return UNKNOWN


def _below(evaluator: Evaluator, class_id: str, name: str) -> Entities:
    """What an object has that only subclasses of its class have, or what else these inherit from: a mixin counts on it."""
    found: dict[Entity, None] = {}
    for below in dict.fromkeys((*evaluator.having(class_id, name), *mixins.others(evaluator, class_id, name))):
        info = evaluator.classes[below]
        own = evaluator.methods.get(below, {}).get(name, ())
        if own:
            found |= dict.fromkeys(_bound(evaluator, own, True))
        elif name in info.fact.attributes:
            found |= dict.fromkeys(evaluator.all(info.path, info.fact.attributes[name]) or (SOMETHING,))
    return some(found)


def _is_member(evaluator: Evaluator, class_id: str, fact: Class, name: str, stated: Entities) -> bool:
    """Whether an attribute of a class is one of the members of an enumeration: functions are its methods."""
    return (
        name in fact.assigned
        and not (name.startswith("_") and name.endswith("_"))
        and evaluator.is_enum(class_id)
        and not any(entity.kind in ("function", "method") for entity in stated)
    )


def _values(evaluator: Evaluator, class_id: str, info: ClassInfo) -> Entities:
    """What the value of a member of an enumeration may be; one that makes its own members may give them any."""
    making = (member(evaluator, class_id, evaluator.order(class_id), name, True) for name in ("__new__", "__init__"))
    if any(entity.kind == "method" for found in making for entity in found):
        return UNKNOWN
    return evaluator.all(
        info.path, (ref for name in info.fact.assigned for ref in info.fact.attributes.get(name, ("?",)))
    )


def _bound(evaluator: Evaluator, functions: Sequence[str], bound: bool) -> Entities:
    found: dict[Entity, None] = {}
    for item in functions:
        info = evaluator.functions[item]
        if info.fact.kind == "property" and bound:
            found.update(dict.fromkeys(evaluator.all(info.path, info.fact.results)))
        else:
            found[Entity("method", item)] = None
    return tuple(found)


def _is_annotated(ref: str) -> bool:
    """Whether a ref may be one of an annotation: it says what an attribute holds, whoever puts it there."""
    return ref.endswith(("!", ";")) and not ref.startswith("builtins.") and not ref.endswith("?;")


def _private(name: str) -> tuple[str, str] | None:
    """The class and the name that a private name stands for outside of its class."""
    found = MANGLED.fullmatch(name)
    return (found[1], found[2]) if found is not None else None
