"""Joins summaries into the index: first what is plain, then what the callers of functions tell, then what is run unnamed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from asyncfix.catalog import Catalog
from asyncfix.link import (
    accessing,
    attributes,
    calling,
    defaulting,
    defining,
    draining,
    filling,
    mixins,
    operations,
    overloads,
    passing,
    protocols,
    stopping,
    waiting,
)
from asyncfix.link.entities import ClassInfo, FunctionInfo
from asyncfix.link.evaluate import Evaluator
from asyncfix.link.fixtures import fixtures
from asyncfix.link.index import Loose, ProjectIndex
from asyncfix.link.making import Making
from asyncfix.link.modules import Modules, pathed
from asyncfix.link.naming import Named
from asyncfix.link.protocols import own_methods
from asyncfix.model import Access, Call, Span, Summary, TextFacts

STOP = "builtins.StopIteration"
NAMESPACE = "__dict__"


def link(summaries: Iterable[Summary], texts: Iterable[TextFacts], modules: Modules, catalog: Catalog) -> ProjectIndex:
    """Join the summaries."""
    by_path = {summary.path: summary for summary in sorted(summaries, key=lambda item: item.path)}
    functions: dict[str, FunctionInfo] = {}
    classes: dict[str, ClassInfo] = {}
    stubs: dict[str, tuple[Span, ...]] = {}
    functions_at: dict[tuple[str, str], tuple[str, ...]] = {}
    classes_at: dict[tuple[str, str], str] = {}
    modules_at: dict[str, str] = {}
    for path, summary in by_path.items():
        module = modules.names[path]
        for function, keywords in overloads.joined(summary.functions):
            name = _unique(f"{module}.{function.qualname}" if function.qualname else module, functions)
            functions[name] = FunctionInfo(path, function)
            if keywords:
                stubs[name] = keywords
            if function.kind == "module":
                modules_at[path] = name
            elif function.kind != "class":
                key = (path, function.qualname)
                functions_at[key] = (*functions_at.get(key, ()), name)
        for item in summary.classes:
            name = f"{module}.{item.qualname}"
            if (path, item.qualname) not in classes_at:
                classes[name] = ClassInfo(path, item)
                classes_at[path, item.qualname] = name
    methods = _methods(functions, classes_at)
    modules = pathed(modules, by_path.values())
    known = (functions, classes, methods, functions_at, classes_at, modules_at)
    evaluator = Evaluator(*known, by_path, modules, catalog, fixtures(functions), filling.places(by_path.values()))
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
    index.defaulting = defaulting.names(index.evaluator)
    functions.update(tuple(draining.proven(index)))
    open_uses = _Open()
    for name, info in functions.items():
        _edges(index, name, info, open_uses)
    _names(index)
    defining.decorating(index)
    _computed(index)
    _settle(index, open_uses)
    stopping.spread(index)
    index.guards = tuple(waiting.guards(index))
    index.waited = waiting.waited(index, index.guards)
    return index


@dataclass(slots=True)
class _Open:
    """What is not decided at the first look: calls, and accesses with their functions."""

    calls: list[passing.Undecided] = field(default_factory=lambda: list[passing.Undecided]())
    accesses: list[tuple[str, Access]] = field(default_factory=lambda: list[tuple[str, Access]]())
    hooked: list[tuple[str, Access]] = field(default_factory=lambda: list[tuple[str, Access]]())
    """Accesses to an object that may have a say in them, if it is one that has."""


def _settle(index: ProjectIndex, open_uses: _Open) -> None:
    """Look again at what was not decided, with what the callers of functions give; what is left then stays unknown."""

    def take(item: passing.Undecided) -> bool:
        _forget(index, item.function, item.call)
        return calling.take(index, *item)

    read = (access.ref.rpartition(".")[2] for _, access in open_uses.accesses)
    left = tuple(passing.settle(index, open_uses.calls, read, take))
    index.evaluator.forget_unknown()  # what went round in circles may be known by now
    for item in left:
        calling.note_unknown(index, item)
    for name, access in open_uses.accesses:
        if not accessing.take(index, name, index.functions[name], access):
            accessing.note_use(index, name, index.functions[name], access)
    for name, access in open_uses.hooked:
        _hooks(index, name, index.functions[name], access)
    for name, info in index.functions.items():
        operations.take(index, name, info)


def _hooks(index: ProjectIndex, name: str, info: FunctionInfo, access: Access) -> None:
    """Record what runs where an object has a say in how its attributes are read or written."""
    if index.asking and access.kind in ("read", "write"):
        accessing.missing(index, name, info, access)
    if access.ref.rpartition(".")[2] in index.evaluator.described:
        accessing.described(index, name, info, access)


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
    index.evaluator.mixed = frozenset(each for name, names in index.evaluator.beside.items() for each in (name, *names))
    for name, keeping, others in protocols.keepers(index.evaluator, index.subclasses):
        index.subclasses.setdefault(name, []).extend(keeping)
        if others:
            index.promised.update(own_methods(index.evaluator, name))
    index.promised.update(protocols.hollow(index.evaluator, index.subclasses))
    index.promised.update(protocols.given_out(index.evaluator, protocols.callable_ones(index.evaluator)))
    for name, methods in index.evaluator.methods.items():
        for below in (*index.subclasses.get(name, ()), *index.evaluator.beside.get(name, ())):
            overriding = index.evaluator.methods.get(below, {})
            for method in methods.keys() & overriding.keys():
                versions = {*methods[method], *overriding[method]}
                if len(versions) > 1:
                    index.overridden |= versions


def _edges(index: ProjectIndex, name: str, info: FunctionInfo, open_uses: _Open) -> None:
    for call in info.fact.calls:
        entities = index.evaluator.all(info.path, call.targets)
        if not calling.take(index, name, call, entities):
            open_uses.calls.append(passing.Undecided(name, call, entities))
        accessing.asked(index, name, info, call)
    for access in info.fact.accesses:
        base, _, last = access.ref.rpartition(".")
        if base and (index.asking or last in index.evaluator.described):
            if index.evaluator.evaluate(info.path, base) or base[0] in ".?":
                _hooks(index, name, info, access)
            else:
                open_uses.hooked.append((name, access))
        last = last.lstrip(":")
        if last not in index.telling:
            continue  # most attributes are data: no function or class is called that
        if last in index.class_names and access.kind == "read" and access.barrier != "annotation":
            found = index.evaluator.evaluate(info.path, access.ref)
            index.handed_on.update(entity.name for entity in found if entity.kind == "class")
        if last in index.callables:
            if not accessing.take(index, name, info, access):
                open_uses.accesses.append((name, access))
        elif access.ref == STOP:
            index.stopping.setdefault(name, access.line)
        elif access.ref.endswith("." + NAMESPACE):
            index.opened.append((name, access))
    if info.fact.kind == "class":
        defining.defined(index, name, info)
    if info.fact.decorators:
        defining.decorated(index, info)


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
