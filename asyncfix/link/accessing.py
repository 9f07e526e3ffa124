"""What reading or writing an attribute runs, or hands on: properties, descriptors, functions as values."""

from __future__ import annotations

from collections.abc import Iterable

from asyncfix.facts.scopes import NONE
from asyncfix.link import attributes
from asyncfix.link.entities import OBJECTS, Entity, FunctionInfo
from asyncfix.link.index import Edge, Loose, ProjectIndex
from asyncfix.model import Access, Call

ANNOTATION = "annotation"  # what stands there is no value that anybody calls


def take(index: ProjectIndex, name: str, info: FunctionInfo, access: Access) -> bool:
    """Record what an access runs, or hands on. False if it is not known what is meant."""
    base, _, attribute = access.ref.rpartition(".")
    if (
        access.kind in ("read", "write")
        and attribute in index.properties
        and base
        and not base.startswith(".")
        and _property(index, name, info, access, base, attribute)
    ):
        return True
    entities = index.evaluator.evaluate(info.path, access.ref)
    if access.kind == "write" and _is_fallback(index, info, attribute):
        return True
    for entity in entities:
        if (
            entity.kind in ("function", "method")
            and access.kind not in ("iterate", "view")
            and access.barrier != ANNOTATION
            and not access.asked
        ):
            reason = "passed-as-value" if access.kind == "read" else "rebound"
            place = Loose(reason, info.path, access.line, name, access.span)
            known = index.passed if access.kind == "read" else index.rebound
            for function in dict.fromkeys((entity.name, *_instead(index, info.path, base, entity, attribute))):
                known.setdefault(function, []).append(place)
    return bool(entities)


def _is_fallback(index: ProjectIndex, info: FunctionInfo, name: str) -> bool:
    """Whether a module only says that a name of one thing is None where that cannot be imported."""
    own = info.fact.kind == "module" and name.startswith(":")
    refs = set(index.summaries[info.path].bindings.get(name[1:], ())) if own else set[str]()
    return NONE in refs and len(refs) == 2


def note_use(index: ProjectIndex, name: str, info: FunctionInfo, access: Access) -> None:
    """An access may mean something that is not known: any function so called may be used there."""
    base, _, attribute = access.ref.rpartition(".")
    if base.endswith("<locals>"):
        return  # a variable of the function round it
    if access.kind in ("read", "write") and attribute.isidentifier() and base and not access.asked:
        place = Loose("possible-use" if access.kind == "read" else "rebound", info.path, access.line, name)
        owners = index.evaluator.evaluate(info.path, base)
        if owners and all(_holds(index, owner, attribute) for owner in owners):
            known = index.passed if access.kind == "read" else index.rebound
            for method in (each for owner in owners for each in index.methods_below(owner.name, attribute)):
                known.setdefault(method, []).append(place)
        else:
            index.by_name.setdefault(attribute, []).append(place)


def _instead(index: ProjectIndex, path: str, base: str, entity: Entity, attribute: str) -> Iterable[str]:
    """The methods that a name may mean in place of one, if the receiver is of a subclass, or keeps a protocol."""
    if entity.kind == "method" and base:
        for receiver in index.evaluator.evaluate(path, base):
            if receiver.kind == "instance":
                yield from index.methods_below(receiver.name, attribute)


def _holds(index: ProjectIndex, owner: Entity, attribute: str) -> bool:
    """Whether an object of a class of the project keeps data under that name: it is no function of another class then."""
    classes = (
        (index.classes.get(name) for name in index.evaluator.order(owner.name)) if owner.kind == "instance" else ()
    )
    return any(info is not None and attribute in info.fact.attributes for info in classes)


def _property(index: ProjectIndex, name: str, info: FunctionInfo, access: Access, base: str, attribute: str) -> bool:
    """Record the functions of a property that an access runs, those of subclasses among them. False if it is none."""
    found = False
    for entity in index.evaluator.evaluate(info.path, base):
        for function in _accessors(index, entity, attribute, access.kind):
            index.add(Edge(name, function, "property", access))
            found = True
    return found


def _accessors(index: ProjectIndex, entity: Entity, attribute: str, kind: str) -> Iterable[str]:
    """The functions of a property that an access to an object runs, those of subclasses among them."""
    if entity.kind not in OBJECTS:
        return ()
    key = (entity, attribute, kind)
    found = index.accessors.get(key)
    if found is None:
        own = index.evaluator.accessors(entity, attribute, kind)
        below = index.methods_below(entity.name, attribute) if own and entity.kind == "instance" else ()
        found = index.accessors[key] = tuple(dict.fromkeys((*own, *index.evaluator.serving(below, kind))))
    return found


def described(index: ProjectIndex, name: str, info: FunctionInfo, access: Access) -> None:
    """Record what descriptors run where an attribute is read or written."""
    base, _, attribute = access.ref.rpartition(".")
    if access.kind in attributes.RUN and base and not base.startswith("."):
        run = attributes.run_by_descriptor(index.evaluator, info.path, base, attribute, access.kind)
        for function in dict.fromkeys(run):
            index.add(Edge(name, function, "property", access))


def asked(index: ProjectIndex, name: str, info: FunctionInfo, call: Call) -> None:
    """Record what the attribute runs that is called: it is no access of its own."""
    for target in call.targets:
        base, _, attribute = target.rpartition(".")
        if not base or base[0] in ".?":
            continue
        found: dict[str, None] = {}
        if attribute in index.properties:
            for entity in index.evaluator.evaluate(info.path, base):
                found |= dict.fromkeys(_accessors(index, entity, attribute, "read"))
        if attribute in index.evaluator.described:
            found |= dict.fromkeys(attributes.run_by_descriptor(index.evaluator, info.path, base, attribute, "read"))
        if index.asking:
            found |= dict.fromkeys(attributes.run_by_asking(index.evaluator, index.asking, info.path, base, attribute))
        for function in found:
            index.add(Edge(name, function, "property", call))


def missing(index: ProjectIndex, name: str, info: FunctionInfo, access: Access) -> None:
    """Record what is run where an object, or a module, is asked for what it may not have, or an object is given something."""
    base, _, attribute = access.ref.rpartition(".")
    if base and base[0] not in ".?":
        run = attributes.run_by_asking(index.evaluator, index.asking, info.path, base, attribute, access.kind)
        for function in dict.fromkeys(run):
            index.add(Edge(name, function, "property", access))
