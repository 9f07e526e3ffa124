"""What code of libraries may run of the objects of a project that it is given: their special methods, and functions as such.

No call shows these, and which of them a library runs is seldom known: all that may be. They count where code is to run
beside other code, and there what they do to others counts alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

from asyncfix.effects.getters import Getters
from asyncfix.effects.touch import CONSTRUCTING
from asyncfix.facts.special import CLASSIFIED, FORMATTED, MATCHED
from asyncfix.link.entities import Entity, parted
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.link.operations import NAMED
from asyncfix.model import Call

SPECIAL = re.compile(r"__\w+__")
OTHERWISE = frozenset(
    {*CONSTRUCTING, "__del__", "__class_getitem__", "__enter__", "__exit__", "__aenter__", "__aexit__"}
)
"""Special methods that are run where a class or an object is made, entered or let go of, which is seen elsewhere."""
BY_NAME = {
    "contextlib.closing": ("close",),
    "contextlib.aclosing": ("aclose",),
    "dataclasses.replace": ("__post_init__",),
    "copy.replace": ("__post_init__",),
    "builtins.print": ("write", "flush"),
    "contextlib.ExitStack.enter_context": ("__enter__", "__exit__"),
    "contextlib.ExitStack.push": ("__exit__",),
    "contextlib.AsyncExitStack.enter_context": ("__enter__", "__exit__"),
    "contextlib.AsyncExitStack.enter_async_context": ("__aenter__", "__aexit__"),
    "contextlib.AsyncExitStack.push": ("__exit__",),
    "contextlib.AsyncExitStack.push_async_exit": ("__aexit__",),
}
"""Methods that some functions run of what they are given."""
OF_FIELDS = frozenset({"converter", "default_factory", "factory", "on_setattr", "validator"})
"""What the fields of a class may be told to run."""
MISSING = "_missing_"
OBJECT = "builtins.object"
BUILTINS = {
    f"builtins.{kind.__name__}": kind
    for kind in (list, dict, set, frozenset, tuple, str, bytes, bytearray, int, float, complex)
}
SHOWING = (".format", ".format_map")
"""Methods of texts that read attributes."""
OF_CLASSES = {
    "__getitem__": ("__class_getitem__",),
    CLASSIFIED: ("__subclasshook__",),
}
"""What is run of a class itself, besides what its metaclass has."""


def implied(index: ProjectIndex, getters: Getters, function: str) -> Iterator[Edge]:
    """What the calls of libraries in a function may run of what they are given, and what its classes gave to a library."""
    yield from _made(index, function)
    yield from _operated(index, function)
    yield from _read(index, getters, function)
    external = ((each.name, each.call) for each in index.externals.get(function, ()))
    unknown = (
        (call.targets[0], call) for call in index.unknown.get(function, ())
    )  # of a text, by the name of the method
    for name, call in (*external, *unknown):
        for entity in _given(index, function, call):
            for method in (*_run_of(index, entity, name), *_in_place(index, entity, name)):
                yield Edge(function, method, "implied", call, False)


def _in_place(index: ProjectIndex, entity: Entity, called: str) -> Iterator[str]:
    """What a class has in place of what a library would run: all methods, where one that it inherits from a class of the
    standard library is called; of what is derived from a builtin those that this has, wherever it is given."""
    order = index.evaluator.order(entity.name) if entity.kind == "instance" else ()
    outside = [name for name in order if name not in index.classes and name not in ("?", OBJECT)]
    inherited = called.rpartition(".")[0] in outside and called.partition(".")[0] in sys.stdlib_module_names
    for base in (BUILTINS.get(name) for name in outside):
        for owner in order if base is not None else ():
            for last, methods in index.evaluator.methods.get(owner, {}).items():
                yield from methods if hasattr(base, last) else ()
    for owner in order if inherited else ():
        for last, methods in index.evaluator.methods.get(owner, {}).items():
            yield from methods if last not in OTHERWISE else ()


def _made(index: ProjectIndex, function: str) -> Iterator[Edge]:
    """What is run for the fields of objects that a function makes, as attrs, dataclasses and pydantic are told, and for values
    that an enumeration does not have."""
    path = index.path(function)
    for call in index.fact(function).calls:
        for entity in index.evaluator.all(path, call.targets):
            for name in index.evaluator.order(entity.name) if entity.kind == "class" else ():
                methods = index.evaluator.methods.get(name, {}).get(MISSING, ())
                yield from (Edge(function, method, "implied", call, False) for method in methods)
                body = index.functions.get(name)
                stated = (item for field in body.fact.calls for item in field.arguments) if body is not None else ()
                refs = (ref for item in stated if item.keyword in OF_FIELDS for ref in (item.refs or (item.ref,)))
                for meant in (each for ref in refs for each in index.evaluator.evaluate(index.path(name), ref)):
                    if meant.kind in ("function", "method"):
                        yield Edge(function, meant.name, "implied", call, False)


def _operated(index: ProjectIndex, function: str) -> Iterator[Edge]:
    """What is run of classes as such, by their metaclasses too, and what texts and patterns read of objects."""
    path, evaluator = index.path(function), index.evaluator
    for operation in index.fact(function).operations:
        for entity in evaluator.evaluate(path, operation.ref):
            if entity.kind == "class":
                methods = NAMED.get(operation.kind, (operation.kind,))
                made = (
                    method
                    for maker in index.making.makers(entity.name)
                    for method in evaluator.named_methods(maker, methods)
                )
                own = evaluator.named_methods(entity, OF_CLASSES.get(operation.kind, ()))
                taken = _run_of(index, Entity("instance", entity.name), SHOWING[0]) if operation.kind == MATCHED else ()
                run: Iterable[str] = (*made, *own, *taken)
            else:
                run = _run_of(index, entity, SHOWING[0]) if operation.kind == FORMATTED else ()
            yield from (Edge(function, method, "implied", operation, False) for method in dict.fromkeys(run))


def _read(index: ProjectIndex, getters: Getters, function: str) -> Iterator[Edge]:
    """What attributes run that are properties by a call."""
    for access in index.fact(function).accesses if getters.names else ():
        base, _, attribute = access.ref.rpartition(".")
        if base and attribute in getters.names and access.kind in ("read", "write"):
            run = getters.run_by(index.path(function), base, attribute)
            yield from (Edge(function, method, "implied", access, False) for method in dict.fromkeys(run))


def _given(index: ProjectIndex, function: str, call: Call) -> Iterator[Entity]:
    """The objects and functions of the project that a call is given, or is a method of."""
    path = index.path(function)
    receivers = (target.rpartition(".")[0] for target in call.targets)
    given = (ref for item in call.arguments for ref in (item.refs or (item.ref,)))
    for ref in dict.fromkeys((*receivers, *given)):
        for entity in index.evaluator.evaluate(path, ref) if ref.strip("?:") else ():
            yield parted(entity)[1] if entity.kind == "many" else entity


def _run_of(index: ProjectIndex, entity: Entity, called: str) -> Iterator[str]:
    if entity.kind in ("function", "method"):
        yield entity.name
    elif entity.kind == "instance":
        for name in index.evaluator.order(entity.name):
            for last, methods in index.evaluator.methods.get(name, {}).items():
                if last in BY_NAME.get(called, ()) or (SPECIAL.fullmatch(last) and last not in OTHERWISE):
                    yield from methods
                elif called.endswith(SHOWING):
                    yield from (method for method in methods if index.fact(method).kind == "property")
