"""The index of the project: every function with what it calls, who calls it, and what else may mean it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from asyncfix.catalog import Catalog
from asyncfix.link import attributes, handing, mixins, overloads, passing, protocols, stopping
from asyncfix.link.callbacks import callbacks
from asyncfix.link.evaluate import OBJECTS, SOMETHING, ClassInfo, Entities, Entity, Evaluator, FunctionInfo, parted
from asyncfix.link.fixtures import fixtures
from asyncfix.link.foreign import is_of_its_own
from asyncfix.link.making import Making
from asyncfix.link.modules import Modules
from asyncfix.link.naming import Named
from asyncfix.link.protocols import own_methods
from asyncfix.model import Access, Call, Function, Span, Summary, TextFacts, Value

STOP = "builtins.StopIteration"
NAMESPACE = "__dict__"
NOBODY = Entity("value", "builtins.None")  # which cannot be called

PARAMETER = "parameter"
ANNOTATION = "annotation"  # what stands there is no value that anybody calls
CONSTRUCTORS = ("__init__", "__new__", "__post_init__")
ENTERING = ("__enter__", "__exit__")
MANAGERS = frozenset({"typing.ContextManager", "contextlib.AbstractContextManager"})
ASKED = ("__enter__", "__iter__", "__next__")
CALLING = ("__call__",)
ITERATING = ("__iter__", "__next__")
NEXT = ("__next__",)
TAKING_ONE = ("builtins.next", "next-or-default")
MADE = "cls"  # the keyword by which a library is given a class to work with in place of its own
RUNNING = {"__enter__": ENTERING, "__iter__": ITERATING, "__aenter__": ("__aenter__", "__aexit__")} | {
    "__aiter__": ("__aiter__", "__anext__")
}
INSTEAD = {"__str__": ("__format__", "__str__", "__repr__"), "__ne__": ("__ne__", "__eq__")} | {
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
"""Where a class does not have the first, the next one is run."""
OF_VALUE = {"entered": ENTERING, "iterated": ITERATING}
"""What is run of the value of a call that is put to this use."""
DONE = {method: use for use, methods in OF_VALUE.items() for method in methods}
NAMED = RUNNING | INSTEAD | {"__contains__": ("__contains__", *ITERATING)}
"""Where a class has no ``__contains__``, it is gone through."""
LIBRARY_OPERATIONS = {
    "__enter__": ("acquire", "entered"),
    "__iter__": ("__iter__", "iterated"),
    "__next__": ("__next__", "plain"),
}
"""What is run of objects of libraries, and the use of a call that does the same."""


# Structs, like the facts themselves: there are hundreds of thousands, and they are made in a fraction of the time.
class Edge(Value, frozen=True):
    """One place where ``caller`` runs ``callee``.

    kind  ``call`` | ``constructor`` | ``property`` | ``protocol`` (``__enter__``, ``__iter__``, ``__call__``) | ``decorator`` |
          ``class`` (the body of a class that a function makes) | ``parameter`` (a function that callers give)
    site  the call or the access
    sure  False if the call may also mean something that is no function of the project
    """

    caller: str
    callee: str
    kind: str
    site: Call | Access
    sure: bool = True

    @property
    def span(self) -> Span:
        return self.site.span

    @property
    def step(self) -> str:
        """What of an expression runs the callee: ``call``, what is done to its value then (``entered``, ``iterated``), or
        ``asked``, by what else is done to it, or before it is called."""
        if self.kind == "protocol":
            last = self.callee.rpartition(".")[2].partition("#")[0]
            return DONE.get(last, "call" if isinstance(self.site, Call) else "asked")
        return "asked" if self.kind == "property" and isinstance(self.site, Call) else "call"


class External(Value, frozen=True):
    """One call of a library: the canonical dotted name."""

    caller: str
    name: str
    call: Call


class Loose(Value, frozen=True):
    """A place that may mean any function of that name: the reason code, and where (``span``: of an access)."""

    reason: str
    path: str
    line: int
    owner: str = ""
    span: Span | None = None


@dataclass(slots=True)
class ProjectIndex:
    """Summaries linked. Functions and classes go by id: module name + ``.`` + qualified name."""

    evaluator: Evaluator
    texts: Sequence[TextFacts]
    functions: Mapping[str, FunctionInfo]
    classes: Mapping[str, ClassInfo]
    stubs: Mapping[str, tuple[Span, ...]]
    """Keywords of the overloads of a function."""
    calls: dict[str, list[Edge]] = field(default_factory=lambda: dict[str, list[Edge]]())
    callers: dict[str, list[Edge]] = field(default_factory=lambda: dict[str, list[Edge]]())
    externals: dict[str, list[External]] = field(default_factory=lambda: dict[str, list[External]]())
    unknown: dict[str, list[Call]] = field(default_factory=lambda: dict[str, list[Call]]())
    passed: dict[str, list[Loose]] = field(default_factory=lambda: dict[str, list[Loose]]())
    rebound: dict[str, list[Loose]] = field(default_factory=lambda: dict[str, list[Loose]]())
    by_name: dict[str, list[Loose]] = field(default_factory=lambda: dict[str, list[Loose]]())
    asked: dict[str, list[tuple[str, Loose]]] = field(default_factory=lambda: dict[str, list[tuple[str, Loose]]]())
    """By special method the refs, and the places, of which it is run though it is not known what they mean."""
    overridden: set[str] = field(default_factory=lambda: set[str]())
    """Methods that override another one, or are overridden."""
    subclasses: dict[str, list[str]] = field(default_factory=lambda: dict[str, list[str]]())
    promised: set[str] = field(default_factory=lambda: set[str]())
    """Methods of protocols of which it is not told who keeps them: a call of one may run anything."""
    names: frozenset[str] = frozenset()
    """Last names of all functions."""
    callables: frozenset[str] = frozenset()
    """Those of what a ref may mean to call or to pass on: not of the bodies of modules and classes."""
    properties: frozenset[str] = frozenset()
    class_names: frozenset[str] = frozenset()
    telling: frozenset[str] = frozenset()
    """Last names of accesses that say something."""
    handed_on: set[str] = field(default_factory=lambda: set[str]())
    """Classes that are read as values: others may make objects of them."""
    decorating: set[tuple[str, str]] = field(default_factory=lambda: set[tuple[str, str]]())
    """Functions, classes and modules with the decorators that run in them."""
    wrapped: dict[str, list[Edge]] = field(default_factory=lambda: dict[str, list[Edge]]())
    """What the wrappers of decorators call: who calls one of these functions has an edge to it of its own, and is no caller
    of the others."""
    wrapped_by: dict[str, list[Edge]] = field(default_factory=lambda: dict[str, list[Edge]]())
    """The same, by callee."""
    accessors: dict[tuple[Entity, str, str], tuple[str, ...]] = field(
        default_factory=lambda: dict[tuple[Entity, str, str], tuple[str, ...]]()
    )
    """The functions of properties by object, name, and what is done to it."""
    iterators: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict[str, tuple[str, ...]]())
    """By class the classes of what goes through its objects."""
    making: Making = field(init=False)
    asking: frozenset[str] = frozenset()
    """Classes with a ``__getattr__``."""
    opened: list[tuple[str, Access]] = field(default_factory=lambda: list[tuple[str, Access]]())
    """Accesses to the namespace of something, with the function."""
    stopping: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    """Functions out of which StopIteration may come, with the line: of a coroutine it would come as a RuntimeError."""

    _handed: Mapping[str, tuple[str, str, int]] | None = None
    _below: dict[tuple[str, str], tuple[str, ...]] = field(
        default_factory=lambda: dict[tuple[str, str], tuple[str, ...]]()
    )

    @property
    def summaries(self) -> Mapping[str, Summary]:
        return self.evaluator.summaries

    @property
    def handed(self) -> Mapping[str, tuple[str, str, int]]:
        """See `handing`. Worked out when first asked for: few are the methods of such names that block."""
        if self._handed is None:
            self._handed = handing.handed(self)
        return self._handed

    @property
    def catalog(self) -> Catalog:
        return self.evaluator.catalog

    def methods_below(self, class_id: str, name: str) -> tuple[str, ...]:
        """Methods of that name that the subclasses of a class define."""
        found = self._below.get((class_id, name))
        if found is None:
            own = (self.evaluator.methods.get(below, {}) for below in self.subclasses.get(class_id, ()))
            found = self._below[class_id, name] = tuple(item for each in own for item in each.get(name, ()))
        return found

    def forget(self) -> None:
        """Let go of what was found, which takes as much memory again as the facts: of an index that is of no more use."""
        for found in (self.calls, self.callers, self.externals, self.unknown, self.passed, self.rebound, self.by_name):
            found.clear()
        self.evaluator.forget()

    def fact(self, function: str) -> Function:
        return self.functions[function].fact

    def path(self, function: str) -> str:
        return self.functions[function].path


def link(summaries: Iterable[Summary], texts: Iterable[TextFacts], modules: Modules, catalog: Catalog) -> ProjectIndex:
    """Join the summaries."""
    by_path = {summary.path: summary for summary in sorted(summaries, key=lambda item: item.path)}
    functions: dict[str, FunctionInfo] = {}
    classes: dict[str, ClassInfo] = {}
    stubs: dict[str, tuple[Span, ...]] = {}
    functions_at: dict[tuple[str, str], tuple[str, ...]] = {}
    classes_at: dict[tuple[str, str], str] = {}
    for path, summary in by_path.items():
        module = modules.names[path]
        for function, keywords in overloads.joined(summary.functions):
            name = _unique(f"{module}.{function.qualname}" if function.qualname else module, functions)
            functions[name] = FunctionInfo(path, function)
            if keywords:
                stubs[name] = keywords
            if function.kind not in ("module", "class"):
                key = (path, function.qualname)
                functions_at[key] = (*functions_at.get(key, ()), name)
        for item in summary.classes:
            name = f"{module}.{item.qualname}"
            if (path, item.qualname) not in classes_at:
                classes[name] = ClassInfo(path, item)
                classes_at[path, item.qualname] = name
    methods = _methods(functions, classes_at)
    known = (functions, classes, methods, fixtures(functions))
    evaluator = Evaluator(by_path, modules, catalog, *known, functions_at, classes_at)
    index = ProjectIndex(evaluator, tuple(texts), functions, classes, stubs)
    index.names = frozenset(info.fact.name for info in functions.values())
    defined = [info.fact for info in functions.values() if info.fact.kind not in ("module", "class")]
    index.callables = frozenset(fact.name for fact in defined)
    index.properties = frozenset(fact.name for fact in defined if fact.kind == "property")
    index.class_names = frozenset(name.rpartition(".")[2] for name in classes)
    _inheritance(index)
    described = attributes.described(index.evaluator)
    index.evaluator.describe(described)
    index.telling = index.class_names | index.callables | described | {STOP.rpartition(".")[2], NAMESPACE}
    index.making = Making(index.evaluator)
    index.asking = attributes.asking(index.evaluator)
    open_uses = _Open()
    for name, info in functions.items():
        _edges(index, name, info, open_uses)
    _names(index)
    _decorating(index)
    _computed(index)
    _settle(index, open_uses)
    stopping.spread(index)
    return index


@dataclass(slots=True)
class _Open:
    """What is not decided at the first look: calls, and accesses with their functions."""

    calls: list[passing.Undecided] = field(default_factory=lambda: list[passing.Undecided]())
    accesses: list[tuple[str, Access]] = field(default_factory=lambda: list[tuple[str, Access]]())


def _settle(index: ProjectIndex, open_uses: _Open) -> None:
    """Look again at what was not decided, with what the callers of functions give; what is left then stays unknown."""

    def take(item: passing.Undecided) -> bool:
        _forget(index, item.function, item.call)
        return _call(index, *item)

    read = (access.ref.rpartition(".")[2] for _, access in open_uses.accesses)
    left = tuple(passing.settle(index, open_uses.calls, read, take))
    index.evaluator.forget_unknown()  # what went round in circles may be known by now
    for item in left:
        _note_unknown(index, item)
    for name, access in open_uses.accesses:
        if not _access_edges(index, name, index.functions[name], access):
            _note_use(index, name, index.functions[name], access)
    for name, info in index.functions.items():
        _operations(index, name, info)


def _forget(index: ProjectIndex, name: str, call: Call) -> None:
    """Take back what was recorded of a call, and of the functions that it is given."""
    known = (edge for edge in index.calls.get(name, ()) if edge.span == call.span and edge.kind != "property")
    for edge in [edge for edge in known if isinstance(edge.site, Call)]:
        index.calls[name].remove(edge)
        index.callers[edge.callee].remove(edge)
    for edge in [edge for edge in index.wrapped.get(name, ()) if edge.span == call.span]:
        index.wrapped[name].remove(edge)
        index.wrapped_by[edge.callee].remove(edge)
    if name in index.externals:
        index.externals[name] = [item for item in index.externals[name] if item.call.span != call.span]
    if name in index.unknown:
        index.unknown[name] = [item for item in index.unknown[name] if item.span != call.span]


def _unique(name: str, taken: Mapping[str, object]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}#{number}" in taken:
        number += 1
    return f"{name}#{number}"


def _methods(
    functions: Mapping[str, FunctionInfo], classes_at: Mapping[tuple[str, str], str]
) -> dict[str, dict[str, list[str]]]:
    """The methods of every class that has some, by name."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, (path, fact) in functions.items():
        owner = classes_at.get((path, fact.owner_class)) if fact.owner_class else None
        if owner is not None:
            found.setdefault(owner, {}).setdefault(fact.name, []).append(name)
    return found


def _inheritance(index: ProjectIndex) -> None:
    """Who inherits from whom, and which methods that concerns."""
    index.evaluator.below = index.subclasses
    for name in index.classes:
        for base in index.evaluator.order(name)[1:]:
            index.subclasses.setdefault(base, []).append(name)
    index.evaluator.beside = mixins.beside(index.evaluator)
    for name, keeping, others in protocols.keepers(index.evaluator, index.subclasses):
        index.subclasses.setdefault(name, []).extend(keeping)
        if others:
            index.promised.update(own_methods(index.evaluator, name))
    index.promised.update(protocols.hollow(index.evaluator, index.subclasses))
    for name, methods in index.evaluator.methods.items():
        for below in index.subclasses.get(name, ()):
            overriding = index.evaluator.methods.get(below, {})
            for method in methods.keys() & overriding.keys():
                versions = {*methods[method], *overriding[method]}
                if len(versions) > 1:
                    index.overridden |= versions


def _edges(index: ProjectIndex, name: str, info: FunctionInfo, open_uses: _Open) -> None:
    for call in info.fact.calls:
        entities = index.evaluator.all(info.path, call.targets)
        if not _call(index, name, call, entities):
            open_uses.calls.append(passing.Undecided(name, call, entities))
        _asked(index, name, info, call)
    for access in info.fact.accesses:
        last = access.ref.rpartition(".")[2].lstrip(":")
        if last not in index.telling:
            continue  # most attributes are data: no function or class is called that
        if last in index.class_names and access.kind == "read" and access.barrier != "annotation":
            found = index.evaluator.evaluate(info.path, access.ref)
            index.handed_on.update(entity.name for entity in found if entity.kind == "class")
        if last in index.evaluator.described:
            _described(index, name, info, access)
        if last in index.callables:
            if not _access_edges(index, name, info, access):
                open_uses.accesses.append((name, access))
        elif access.ref == STOP:
            index.stopping.setdefault(name, access.line)
        elif access.ref.endswith("." + NAMESPACE):
            index.opened.append((name, access))
    if info.fact.kind == "class":
        _defined(index, name, info)
    if info.fact.decorators:
        _decorated(index, info)


def _defined(index: ProjectIndex, name: str, info: FunctionInfo) -> None:
    """What is run where a class is defined: its body in a function, and what makes it."""
    body = _body(info.fact)
    for owner in index.evaluator.function_ids(info.path, info.fact.outer) if info.fact.outer else ():
        _add(index, Edge(owner, name, "class", body))
    class_id = index.evaluator.class_id(info.path, info.fact.qualname)
    outside = info.fact.qualname.rpartition(".")[0]
    inside = index.evaluator.class_id(info.path, outside) if outside else None
    owner = _definer(index, info, inside)
    for method in dict.fromkeys(index.making.defining(class_id)) if class_id and owner in index.functions else ():
        _add(index, Edge(owner, method, "constructor", body))


def _definer(index: ProjectIndex, info: FunctionInfo, inside: str | None) -> str:
    """What runs the definition of a function or a class that stands in that class: a module, a class, another function."""
    outer = index.evaluator.function_ids(info.path, info.fact.outer)[:1] if info.fact.outer and inside is None else ()
    return inside or (outer[0] if outer else index.evaluator.modules.names[info.path])


def _decorated(index: ProjectIndex, info: FunctionInfo) -> None:
    """What decorates a function is called where that is defined: by a module, a class, or another function."""
    fact = info.fact
    inside = index.evaluator.owner(info)
    owner = _definer(index, info, inside)
    outer = not inside and fact.outer
    for decorator in fact.decorators if owner in index.functions else ():
        if (owner, decorator) in index.decorating or (outer and not decorator.endswith("()")):
            continue  # known already, or a call like another
        index.decorating.add((owner, decorator))
        for entity in index.evaluator.evaluate(info.path, decorator):
            if entity.kind in ("function", "method"):
                _add(index, Edge(owner, entity.name, "decorator", _decoration(fact)))
            elif entity.kind == "class":
                _protocol(index, owner, _decoration(fact), entity.name, CONSTRUCTORS, "constructor")


def _decoration(fact: Function) -> Call:
    """The call of a decorator, where the function stands."""
    return Call(fact.keyword, fact.keyword, fact.line, fact.column, fact.line, fact.column, (), use="decorator")


def _call(index: ProjectIndex, name: str, call: Call, entities: Entities) -> bool:
    """Record what a call means, and what it runs of what it is given. False if it may mean something else, too."""
    path = index.path(name)
    known = _call_edges(index, name, call, entities)
    for callback in callbacks(index.evaluator, call, entities) if call.arguments else ():
        given = index.evaluator.all(path, callback.targets)
        if not _call_edges(index, name, callback, given):
            index.unknown.setdefault(name, []).append(callback)
        if any(item.keyword == MADE and item.ref in callback.targets for item in call.arguments):
            _made_for_library(index, name, callback, given)
    return known and SOMETHING not in entities


def _note_unknown(index: ProjectIndex, item: passing.Undecided) -> None:
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


def _operations(index: ProjectIndex, name: str, info: FunctionInfo) -> None:
    """What is run of things without being called: once it is known what they are."""
    for call in info.fact.calls:
        run = _run_of_value(call)
        entities = index.evaluator.all(info.path, call.targets) if run else ()
        if run and not all(_is_generator(index, entity) for entity in entities or (SOMETHING,)):
            _run_on(index, name, call, [f"{target}()" for target in call.targets], run)
    for _, same in groupby(info.fact.operations, key=lambda access: (access.span, access.kind)):
        accesses = tuple(same)
        run = NAMED.get(accesses[0].kind, (accesses[0].kind,))
        if accesses[0].kind in LIBRARY_OPERATIONS or not index.names.isdisjoint(run):
            _operation(index, name, info, accesses)


def _body(fact: Function) -> Call:
    """The body of a class as a call where the class stands."""
    place = (fact.line, fact.column, fact.end_line, fact.end_column)
    return Call(fact.span, fact.span, *place, (), use="class", barrier="class-body")


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
                known = known and entity.name not in index.promised
                found = (entity.name, *_overriding(index, name, call, entity.name), *_wrappers(index, entity.name))
                for callee in dict.fromkeys(found):
                    _add(index, Edge(name, callee, kind, call, sure))
            case "class":
                _constructed(index, name, call, entity.name)
            case "instance":
                known = _protocol(index, name, call, entity.name, CALLING, sure=sure) and known
            case "many":
                known = False
            case "handed" | "wrapped":
                edge = Edge(name, entity.name, PARAMETER, call, False)
                if entity.kind == "wrapped" and _is_wrapper(index, name, call):
                    index.wrapped.setdefault(name, []).append(edge)
                    index.wrapped_by.setdefault(entity.name, []).append(edge)
                else:
                    _add(index, edge)
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
        for receiver in index.evaluator.evaluate(path, target.rpartition(".")[0]):
            if receiver.kind == "instance" or (receiver.kind == "class" and index.fact(name).kind == "classmethod"):
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
        _protocol(index, name, call, made, CONSTRUCTORS, "constructor")
    for method in index.making.calling(class_id):
        _add(index, Edge(name, method, "constructor", call))
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
            _protocol(index, name, call, class_id, [index.fact(item).name for item in methods])


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
                    _add(index, Edge(name, entity.name, "constructor", call))
                elif entity.kind == "class":
                    _protocol(index, name, call, entity.name, CONSTRUCTORS, "constructor")
            if not made:
                index.unknown.setdefault(name, []).append(call)


def _protocol(
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
        _add(index, Edge(name, method, kind, site, sure))
    return bool(found)


def _access_edges(index: ProjectIndex, name: str, info: FunctionInfo, access: Access) -> bool:
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


def _note_use(index: ProjectIndex, name: str, info: FunctionInfo, access: Access) -> None:
    """An access may mean something that is not known: any function so called may be used there."""
    base, _, attribute = access.ref.rpartition(".")
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


def _operation(index: ProjectIndex, name: str, info: FunctionInfo, accesses: Sequence[Access]) -> None:
    """A special method is run of what each of some accesses of one place means.

    Where a lock is taken by ``with`` counts in async code: there it is waited for by all tasks.
    """
    kind = accesses[0].kind
    refs = [access.ref for access in accesses]
    found = _run_on(index, name, accesses[0], refs, RUNNING.get(kind) or INSTEAD.get(kind) or (kind,))
    if not found and kind == "__contains__":  # then it is gone through
        for entity in index.evaluator.all(info.path, refs):
            if entity.kind == "instance":
                _protocol(index, name, accesses[0], entity.name, ITERATING)
    for access in accesses if kind in LIBRARY_OPERATIONS else ():
        for entity in index.evaluator.evaluate(info.path, access.ref):
            if entity.kind in ("value", "external"):
                method, use = LIBRARY_OPERATIONS[kind]
                row = index.catalog.blocking(f"{entity.name}.{method}")
                if row is not None and (kind != "__enter__" or (row.flow == "lock" and info.fact.is_async)):
                    call = _as_call(access, method, use)
                    index.externals.setdefault(name, []).append(External(name, f"{entity.name}.{method}", call))


def _run_on(index: ProjectIndex, name: str, site: Call | Access, refs: Sequence[str], methods: Sequence[str]) -> bool:
    """Special methods are run of what some refs mean, at one place. False if nothing of the project has them."""
    path = index.path(name)
    entities = index.evaluator.all(path, refs)
    having = [entity.name for entity in entities if entity.kind == "instance" and _has(index, entity, methods)]
    for class_id in having:
        run = methods
        if methods in INSTEAD.values():
            made = Entity("instance", class_id)
            run = next(
                ((each,) for each in methods if next(index.evaluator.named_methods(made, (each,)), None)), methods
            )
        _protocol(index, name, site, class_id, run, sure=len(having) == len(entities))
        for iterator in _iterators(index, class_id) if NEXT[0] in run else ():
            _protocol(index, name, site, iterator, NEXT, sure=len(having) == len(entities))
    if methods[0] in ASKED and not (entities and all(map(_is_told, entities))):
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


def _described(index: ProjectIndex, name: str, info: FunctionInfo, access: Access) -> None:
    """Record what descriptors run where an attribute is read or written."""
    base, _, attribute = access.ref.rpartition(".")
    if access.kind in attributes.RUN and base and not base.startswith("."):
        run = attributes.run_by_descriptor(index.evaluator, info.path, base, attribute, access.kind)
        for function in dict.fromkeys(run):
            _add(index, Edge(name, function, "property", access))


def _asked(index: ProjectIndex, name: str, info: FunctionInfo, call: Call) -> None:
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
            _add(index, Edge(name, function, "property", call))


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


def _property(index: ProjectIndex, name: str, info: FunctionInfo, access: Access, base: str, attribute: str) -> bool:
    """Record the functions of a property that an access runs, those of subclasses among them. False if it is none."""
    found = False
    for entity in index.evaluator.evaluate(info.path, base):
        for function in _accessors(index, entity, attribute, access.kind):
            _add(index, Edge(name, function, "property", access))
            found = True
    return found


def _add(index: ProjectIndex, edge: Edge) -> None:
    index.calls.setdefault(edge.caller, []).append(edge)
    index.callers.setdefault(edge.callee, []).append(edge)


def _decorating(index: ProjectIndex) -> None:
    """Objects that decorate something: they are called where that is defined."""
    functions = ((info.path, info.fact.line, info.fact.decorators) for info in index.functions.values())
    classes = ((info.path, info.fact.line, info.fact.decorators) for info in index.classes.values())
    for path, line, decorators in (*functions, *classes):
        for entity in index.evaluator.all(path, decorators):
            for method in index.evaluator.named_methods(entity, ("__call__",)) if entity.kind == "instance" else ():
                index.passed.setdefault(method, []).append(Loose("passed-as-value", path, line))


def _computed(index: ProjectIndex) -> None:
    named = Named(index)
    named.look()
    for known, places in ((index.passed, named.ids), (index.by_name, named.lasts)):
        for name, (path, line, owner) in places.items():
            known.setdefault(name, []).append(Loose("dynamic-access", path, line, owner))


def _names(index: ProjectIndex) -> None:
    """Places that name a function without the link being able to follow: each may be a use of any function so called."""
    for path, summary in index.summaries.items():
        for name, line in summary.loose.items():
            index.by_name.setdefault(name, []).append(Loose("possible-use", path, line))
        for mention in summary.dynamic:
            index.by_name.setdefault(mention.name, []).append(Loose("dynamic-access", path, mention.line))
        for mention in summary.examples:
            index.by_name.setdefault(mention.name, []).append(Loose("doctest", path, mention.line))
        for name in summary.rebinds:
            index.by_name.setdefault(name, []).append(Loose("rebound", path, 1))
    for text in index.texts:
        if text.kind == "python":
            for mention in text.mentions:
                index.by_name.setdefault(mention.name, []).append(Loose("unparsed-file", text.path, mention.line))
