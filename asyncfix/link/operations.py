"""What is run of things without being called: special methods, by ``with``, ``for``, operators and the like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec.structs import replace

from asyncfix.facts.special import BY_COLLECTIONS, CLASSIFIED, COPIED, ENDING, HASH, MAPPED, RAISED, UNPACKED
from asyncfix.link import calling, defaulting
from asyncfix.link.entities import SOMETHING, Entity, FunctionInfo, parted
from asyncfix.link.index import CONSTRUCTORS, ENTERING, ITERATING, OF_VALUE, External, Loose, ProjectIndex
from asyncfix.model import Access, Call

MANAGERS = frozenset({"typing.ContextManager", "contextlib.AbstractContextManager"})
ASKED = ("__enter__", "__iter__", "__next__")
NEXT = ("__next__",)
TAKING_ONE = ("builtins.next", "next-or-default")
RUNNING = {"__enter__": ENTERING, "__iter__": ITERATING, "__aenter__": ("__aenter__", "__aexit__")} | {
    "__aiter__": ("__aiter__", "__anext__")
}
INSTEAD = (
    {"__str__": ("__format__", "__str__", "__repr__"), "__ne__": ("__ne__", "__eq__")}
    | {name: (name, "__lt__", "__gt__", "__le__", "__ge__") for name in ("__lt__", "__le__", "__gt__", "__ge__")}
    | {
        "__bool__": ("__bool__", "__len__"),
        "__int__": ("__int__", "__index__"),
        "__float__": ("__float__", "__index__"),
        "__bytes__": ("__bytes__", "__iter__", "__index__"),
    }
    | {
        f"__i{name}__": (f"__i{name}__", f"__{name}__")
        for name in (
            "add",
            "sub",
            "mul",
            "matmul",
            "truediv",
            "floordiv",
            "mod",
            "pow",
            "lshift",
            "rshift",
            "or",
            "xor",
            "and",
        )
    }
)
"""Where a class does not have the first, the next one is run."""
COPYING = ("__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__")
RUN = (
    RUNNING
    | INSTEAD
    | {
        HASH: (HASH, "__eq__", "__index__"),
        "__getitem__": ("__getitem__", "__missing__"),
        MAPPED: ("keys", "__getitem__", "__missing__"),
        UNPACKED: ITERATING,
        COPIED: COPYING,
        CLASSIFIED: (CLASSIFIED, "__subclasscheck__"),
    }
)
"""A key is compared with others; of a list it is an index."""
NAMED = RUN | {"__contains__": ("__contains__", *ITERATING), "__iter__": (*ITERATING, "__getitem__")}
"""Where a class has no ``__contains__``, it is gone through; where it has no ``__iter__``, by numbers."""
INSTEAD_OF = {"__contains__": ITERATING, "__iter__": ("__getitem__",)}
LIBRARY_OPERATIONS = {
    "__enter__": ("acquire", "entered"),
    "__iter__": ("__iter__", "iterated"),
    "__next__": ("__next__", "plain"),
}
"""What is run of objects of libraries, and the use of a call that does the same."""


def take(index: ProjectIndex, name: str, info: FunctionInfo) -> None:
    """What is run of things without being called: once it is known what they are."""
    for call in info.fact.calls:
        run = _run_of_value(call)
        entities = index.evaluator.all(info.path, call.targets) if run else ()
        if run and not all(_is_generator(index, entity) for entity in entities or (SOMETHING,)):
            _run_on(index, name, call, [f"{target}()" for target in call.targets], run)
        if "__iter__" in run:
            _gone_through(index, name, info, call)
    for _, same in groupby(info.fact.operations, key=lambda access: (access.span, access.kind)):
        accesses = tuple(same)
        for access in accesses if accesses[0].kind == defaulting.ASKING else ():
            defaulting.take(index, name, access)
        run = NAMED.get(accesses[0].kind, (accesses[0].kind,))
        if accesses[0].kind == RAISED:
            _raised(index, name, info, accesses)
        elif accesses[0].kind in LIBRARY_OPERATIONS or not index.names.isdisjoint(run):
            _operation(index, name, info, accesses)


def _gone_through(index: ProjectIndex, name: str, info: FunctionInfo, call: Call) -> None:
    """What a call gives is gone through there: an object of a library may wait for each element."""
    refs = tuple(f"{target}()" for target in call.targets)
    for entity in index.evaluator.all(info.path, refs):
        method = f"{entity.name}.__iter__"
        if entity.kind == "value" and index.catalog.blocking(method) is not None:
            asking = replace(call, targets=tuple(f"{ref}.__iter__" for ref in refs), arguments=(), receiver="")
            index.externals.setdefault(name, []).append(External(name, method, asking))


def _raised(index: ProjectIndex, name: str, info: FunctionInfo, accesses: Sequence[Access]) -> None:
    """An exception is made of each class that some accesses of one place mean."""
    for access in accesses:
        for entity in index.evaluator.evaluate(info.path, access.ref):
            if entity.kind == "class":
                calling.protocol(index, name, access, entity.name, CONSTRUCTORS, "constructor")
            bases = index.evaluator.order(entity.name) if entity.kind == "class" else (entity.name,)
            for base in bases:
                if base in ENDING:
                    index.externals.setdefault(name, []).append(External(name, base, _as_call(access, "", "plain")))


def _operation(index: ProjectIndex, name: str, info: FunctionInfo, accesses: Sequence[Access]) -> None:
    """A special method is run of what each of some accesses of one place means.

    Where a lock is taken by ``with`` counts in async code: there it is waited for by all tasks.
    """
    kind = accesses[0].kind
    refs = [access.ref for access in accesses]
    found = _run_on(index, name, accesses[0], refs, RUN.get(kind, (kind,)), asks=kind != UNPACKED)
    if not found and kind in INSTEAD_OF:  # then it is gone through
        for entity in index.evaluator.all(info.path, refs):
            if entity.kind == "instance":
                calling.protocol(index, name, accesses[0], entity.name, INSTEAD_OF[kind])
    for access in accesses if kind in LIBRARY_OPERATIONS else ():
        for entity in index.evaluator.evaluate(info.path, access.ref):
            if entity.kind in ("value", "external"):
                method, use = LIBRARY_OPERATIONS[kind]
                row = index.catalog.blocking(f"{entity.name}.{method}")
                if row is not None and (kind != "__enter__" or (row.flow == "lock" and info.fact.is_async)):
                    call = _as_call(access, method, use)
                    index.externals.setdefault(name, []).append(External(name, f"{entity.name}.{method}", call))


def _run_on(
    index: ProjectIndex,
    name: str,
    site: Call | Access,
    refs: Sequence[str],
    methods: Sequence[str],
    *,
    asks: bool = True,
) -> bool:
    """Special methods are run of what some refs mean, at one place. False if nothing of the project has them.

    ``asks``: what is not known counts as what may have them.
    """
    path = index.path(name)
    entities = index.evaluator.all(path, refs)
    if not BY_COLLECTIONS.isdisjoint(methods):
        entities = tuple(parted(entity)[1] if entity.kind == "many" else entity for entity in entities)
    having = [entity.name for entity in entities if entity.kind == "instance" and _has(index, entity, methods)]
    for class_id in dict.fromkeys(having):
        run = methods
        if methods in INSTEAD.values():
            made = Entity("instance", class_id)
            run = next(
                ((each,) for each in methods if next(index.evaluator.named_methods(made, (each,)), None)), methods
            )
        calling.protocol(index, name, site, class_id, run, sure=len(having) == len(entities))
        for iterator in _iterators(index, class_id) if NEXT[0] in run else ():
            calling.protocol(index, name, site, iterator, NEXT, sure=len(having) == len(entities))
    if asks and methods[0] in ASKED and not (entities and all(map(_is_told, entities))):
        asked = tuple(
            ref for ref in refs if not all(map(_is_told, index.evaluator.evaluate(path, ref) or (SOMETHING,)))
        )
        place = Loose("possible-caller", path, site.line, name)
        index.asked.setdefault(methods[0], []).extend((ref, place) for ref in asked)
    return bool(having)


def _iterators(index: ProjectIndex, class_id: str) -> Iterable[str]:
    """The other classes of what objects of a class give to who goes through them."""
    if class_id not in index.iterators:
        own = index.evaluator.named_methods(Entity("instance", class_id), ITERATING[:1])
        methods = dict.fromkeys((*own, *index.methods_below(class_id, ITERATING[0])))
        given = (entity for method in methods for entity in index.evaluator.result(Entity("method", method)))
        index.iterators[class_id] = tuple(
            dict.fromkeys(entity.name for entity in given if entity.kind == "instance" and entity.name != class_id)
        )
    return index.iterators[class_id]


def _as_call(access: Access, method: str, use: str) -> Call:
    """The place of an operation as the call that it comes to."""
    place = (access.line, access.column, access.line, access.end_column)
    targets = (f"{access.ref}.{method}",)
    return Call(access.span, access.span, *place, targets, use=use, barrier=access.barrier, loop=access.loop)


def _run_of_value(call: Call) -> tuple[str, ...]:
    """The special methods that are run of the value of a call where it stands."""
    if call.use != "plain" or call.taken is None or call.taken.by in ("assigned", "returned"):
        return OF_VALUE.get(call.use, ())
    return NEXT if call.taken.by in TAKING_ONE else ITERATING


def _is_generator(index: ProjectIndex, entity: Entity) -> bool:
    """Whether what is called is a generator function: its value is a generator, or a context manager made of one."""
    return entity.name in index.functions and index.fact(entity.name).is_generator


def _is_told(entity: Entity) -> bool:
    """Whether it is told what something that is entered does: not if all that is known is that it may be entered."""
    return entity != SOMETHING and parted(entity)[0] not in MANAGERS


def _has(index: ProjectIndex, made: Entity, methods: Iterable[str]) -> bool:
    """Whether an object of the project has one of some methods, itself or as one of a subclass."""
    return any(
        next(index.evaluator.named_methods(made, (method,)), None) or index.methods_below(made.name, method)
        for method in methods
    )
