"""What a call runs: the functions that it may mean, what it makes, and what it is given to run."""

from __future__ import annotations

from collections.abc import Iterable

from asyncfix.link import passing
from asyncfix.link.arguments import argument_for
from asyncfix.link.callbacks import callbacks
from asyncfix.link.entities import SOMETHING, Entities, Entity, FunctionInfo, parted
from asyncfix.link.evaluate import CLASS
from asyncfix.link.foreign import is_of_its_own
from asyncfix.link.index import CONSTRUCTORS, PARAMETER, Edge, External, Loose, ProjectIndex
from asyncfix.link.protocols import own_methods
from asyncfix.model import Access, Call

NOBODY = Entity("value", "builtins.None")  # which cannot be called
CALLING = ("__call__",)
DROPPING = ("__del__",)
MADE = "cls"  # the keyword by which a library is given a class to work with in place of its own


def take(index: ProjectIndex, name: str, call: Call, entities: Entities) -> bool:
    """Record what a call means, and what it runs of what it is given. False if it may mean something else, too."""
    path = index.path(name)
    known = _call_edges(index, name, call, entities)
    for callback in callbacks(index.evaluator, call, entities) if call.arguments else ():
        given = index.evaluator.all(path, callback.targets)
        if _is_stated(index, name, call, entities, callback.targets[0], given):
            continue  # the function that calls it says what it is, and has an edge of its own
        if not _call_edges(index, name, callback, given):
            index.unknown.setdefault(name, []).append(callback)
        if any(item.keyword == MADE and item.ref in callback.targets for item in call.arguments):
            _made_for_library(index, name, callback, given)
    return known and SOMETHING not in entities


def _is_stated(index: ProjectIndex, name: str, call: Call, entities: Entities, ref: str, given: Entities) -> bool:
    """Whether objects are given only to functions of the project which state the class, or a protocol, of what they take."""
    if not given or any(entity.kind != "instance" for entity in given):
        return False
    return all(
        entity.name in index.functions and _states(index, Edge(name, entity.name, "call", call), ref, given)
        for entity in entities
    )


def _states(index: ProjectIndex, edge: Edge, ref: str, given: Entities) -> bool:
    """The same of one function, and of what it is given as the argument of that ref."""
    path = index.path(edge.callee)
    for position, parameter in enumerate(index.fact(edge.callee).parameters):
        argument = argument_for(index, edge, position)
        if argument is not None and argument.ref == ref:
            stated = index.evaluator.all(path, parameter.type.split("|")) if parameter.type else ()
            kinds = {each.name for each in stated if each.kind == "instance"}
            if len(kinds) != len(stated) or not all(index.is_one_of(entity.name, kinds) for entity in given):
                return False
    return True


def note_unknown(index: ProjectIndex, item: passing.Undecided) -> None:
    """A call may mean something that is not known: it is a possible caller of all that is so called."""
    name, call, entities = item
    info = index.functions[name]
    alone = len(call.targets) == 1  # then the entities are its own
    unclear = (
        call.targets[: not entities]
        if alone
        else [target for target in call.targets if not index.evaluator.evaluate(info.path, target)]
    )
    index.unknown.setdefault(name, []).append(call)
    for target in unclear or call.targets:
        _possible(index, info, name, call, target)


def _possible(index: ProjectIndex, info: FunctionInfo, name: str, call: Call, target: str) -> None:
    last = target.rpartition(".")[2]
    if last.isidentifier():
        index.by_name.setdefault(last, []).append(Loose("possible-caller", info.path, call.line, name))


def _call_edges(index: ProjectIndex, name: str, call: Call, entities: tuple[Entity, ...]) -> bool:
    """Record what a call runs. False if one of its meanings is not known."""
    entities = tuple(entity for entity in entities if entity != NOBODY) or entities
    known = bool(entities)
    sure = all(entity.kind in ("function", "method", "instance") for entity in entities)
    for entity in entities:
        match entity.kind:
            case "function" | "method":
                kind = "decorator" if call.use == "decorator" else "call"
                known = known and entity.name not in index.promised and not _is_shadowed(index, entity.name)
                found = (entity.name, *_overriding(index, name, call, entity.name), *_wrappers(index, entity.name))
                for callee in dict.fromkeys(found):
                    index.add(Edge(name, callee, kind, call, sure))
            case "class":
                _constructed(index, name, call, entity.name)
            case "instance":
                known = protocol(index, name, call, entity.name, CALLING, sure=sure) and known
                known = known and index.promised.isdisjoint(index.evaluator.named_methods(entity, CALLING))
            case "many":
                known = False
            case "handed" | "wrapped":
                edge = Edge(name, entity.name, PARAMETER, call, False)
                if entity.kind == "wrapped" and _is_wrapper(index, name, call):
                    index.wrapped.setdefault(name, []).append(edge)
                    index.wrapped_by.setdefault(entity.name, []).append(edge)
                else:
                    index.add(edge)
                known = False
            case "giving":
                index.externals.setdefault(name, []).append(External(name, parted(entity)[0].removesuffix("?"), call))
            case "external" | "value":
                called = entity.name if entity.kind == "external" else f"{entity.name}.__call__"
                index.externals.setdefault(name, []).append(External(name, called, call))
                known = known and (index.catalog.knows(called) or not (_opaque(called) or _held(index, name, call)))
            case _:
                known = False
    return known


def _is_shadowed(index: ProjectIndex, method: str) -> bool:
    """Whether a class below has an attribute under the name of a method: something else may be called there."""
    found = index.shadowed.get(method)
    if found is None:
        owner = index.evaluator.owner(index.functions[method])
        last = index.fact(method).name
        having = index.evaluator.having(owner, last) if owner is not None else ()
        found = index.shadowed[method] = any(last in index.classes[each].fact.attributes for each in having)
    return found


def _is_wrapper(index: ProjectIndex, name: str, call: Call) -> bool:
    """Whether a function calls what the function round it was given: a decorator's wrapper does."""
    outer = index.fact(name).outer
    return outer != "" and any(target.startswith(f":{outer}@") for target in call.targets)


def _overriding(index: ProjectIndex, name: str, call: Call, method: str) -> Iterable[str]:
    """What a call of a method may run instead, if the receiver is of a subclass: not so for ``super()`` or a class's own name."""
    if method not in index.overridden:
        return
    path, last = index.path(name), index.fact(method).name
    for target in call.targets:
        holder = target.rpartition(".")[0]
        own = index.fact(name).kind == "classmethod" or holder.endswith(f".{CLASS}")
        for receiver in index.evaluator.evaluate(path, holder):
            if receiver.kind == "instance" or (receiver.kind == "class" and own):
                yield from index.methods_below(receiver.name, last)


def _wrappers(index: ProjectIndex, function: str) -> Iterable[str]:
    """What the decorators of a function put in its place: a call of it runs them too."""
    path, decorators = index.path(function), index.fact(function).decorators
    for decorator in decorators:
        for entity in index.evaluator.evaluate(path, f"{decorator}()"):
            if entity.kind == "function":
                yield entity.name
            elif entity.kind == "instance":  # the decorator is a class
                yield from index.evaluator.named_methods(entity, ("__call__",))


def _opaque(name: str) -> bool:
    """A method of something that a library returned: it may be an object of the project."""
    return "()" in name and not is_of_its_own(name)


def _held(index: ProjectIndex, name: str, call: Call) -> bool:
    """Whether a method is one of what an object of a library has in an attribute: anybody may have put something there."""
    path, evaluate = index.path(name), index.evaluator.evaluate
    for target in call.targets:
        holder = target.rpartition(".")[0]
        if any(entity.kind == "value" for entity in evaluate(path, holder)):
            continue  # of a class that is known
        owner = holder.rpartition(".")[0]
        while owner:
            meant = evaluate(path, owner)
            if any(entity.kind == "value" and not index.catalog.is_class(entity.name) for entity in meant):
                return True
            owner = owner.rpartition(".")[0]
    return False


def _constructed(index: ProjectIndex, name: str, call: Call, class_id: str) -> None:
    others = index.subclasses.get(class_id, ()) if index.making.makes_others(class_id) else ()
    for made in dict.fromkeys((class_id, *_of_own_kind(index, name, class_id), *others)):
        protocol(index, name, call, made, CONSTRUCTORS, "constructor")
        for method in index.evaluator.named_methods(Entity("instance", made), DROPPING):
            index.dropped.setdefault(name, []).append(Edge(name, method, "constructor", call))
    for method in index.making.calling(class_id):
        index.add(Edge(name, method, "constructor", call))
    for base in index.evaluator.order(class_id):
        _factories(index, name, call, base)
        if base not in index.classes and base not in ("?", "builtins.object"):
            index.externals.setdefault(name, []).append(External(name, base, call))
        elif base == "?":
            index.unknown.setdefault(name, []).append(call)


def _made_for_library(index: ProjectIndex, name: str, call: Call, entities: Iterable[Entity]) -> None:
    """A library makes an object of a class that it is given, and runs what the class has in place of its own."""
    for class_id in (entity.name for entity in entities if entity.kind == "class"):
        for base in index.evaluator.order(class_id):
            methods = own_methods(index.evaluator, base)
            protocol(index, name, call, class_id, [index.fact(item).name for item in methods])


def _of_own_kind(index: ProjectIndex, name: str, class_id: str) -> Iterable[str]:
    """The subclasses that code of a class may mean where it makes one of its own kind: ``cls()``, ``type(self)()``."""
    info = index.functions[name]
    own = index.evaluator.owner(info)
    return index.subclasses.get(class_id, ()) if own is not None and class_id in index.evaluator.order(own) else ()


def _factories(index: ProjectIndex, name: str, call: Call, class_id: str) -> None:
    """What a dataclass calls to make the defaults of its fields."""
    body = index.functions.get(class_id)
    for field_call in body.fact.calls if body is not None and body.fact.kind == "class" else ():
        for argument in field_call.arguments:
            if body is None or argument.keyword not in ("default_factory", "factory"):
                continue
            made = index.evaluator.evaluate(body.path, argument.ref)
            for entity in made:
                if entity.kind == "function":
                    index.add(Edge(name, entity.name, "constructor", call))
                elif entity.kind == "class":
                    protocol(index, name, call, entity.name, CONSTRUCTORS, "constructor")
            if not made:
                index.unknown.setdefault(name, []).append(call)


def protocol(
    index: ProjectIndex,
    name: str,
    site: Call | Access,
    class_id: str,
    methods: Iterable[str],
    kind: str = "protocol",
    *,
    sure: bool = True,
) -> bool:
    made = Entity("instance", class_id)

    def below(last: str) -> tuple[str, ...]:
        return index.methods_below(class_id, last) if kind == "protocol" else ()

    found = [method for last in methods for method in (*index.evaluator.named_methods(made, (last,)), *below(last))]
    for method in dict.fromkeys(found):
        index.add(Edge(name, method, kind, site, sure))
    return bool(found)
