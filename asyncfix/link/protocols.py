"""Protocols (`typing.Protocol`): classes that have their methods keep them, whether they name them or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from asyncfix.facts.scopes import NONE
from asyncfix.link.entities import ClassInfo
from asyncfix.link.evaluate import Evaluator
from asyncfix.model import Function

PROTOCOLS = frozenset({"typing.Protocol", "typing_extensions.Protocol"})
CALLED = "__call__"
NOT_IMPLEMENTED = "builtins.NotImplementedError"
MOST_KEEPING = 4


def keepers(evaluator: Evaluator, subclasses: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Sequence[str], bool]]:
    """Every protocol with the classes that keep it without being its subclasses, and those that they inherit from.

    None are given if there are so many that most have such methods by chance. Last: whether others may keep it, too.
    """
    having: dict[str, list[str]] = {}
    for name in [name for name, info in evaluator.classes.items() if is_protocol(evaluator, info)]:
        having = having or _by_method(evaluator)
        keeping = _keeping(evaluator, name, subclasses, having, True)
        others = _keeping(evaluator, name, subclasses, having, False) - keeping
        roots = [item for item in keeping if keeping.isdisjoint(evaluator.order(item)[1:])]
        if len(roots) > (MOST_KEEPING if len(_methods(evaluator, name)) > 1 else MOST_KEEPING // 2):
            yield name, (), True
            continue
        named = {name, *subclasses.get(name, ())}
        bases = {base for item in keeping for base in evaluator.order(item) if base in evaluator.classes}
        yield name, sorted(bases - named), bool(others) or (not keeping and len(named) == 1)


def hollow(evaluator: Evaluator, subclasses: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Methods that do nothing, of classes that are neither made nor inherited from, where others have methods of that name:
    what is annotated so is an object of one of those."""
    called: set[str] | None = None
    having = _by_method(evaluator)
    for class_id, methods in evaluator.methods.items():
        empty = [item for name, each in methods.items() if len(having[name]) > 1 for item in each]
        empty = [item for item in empty if _does_nothing(evaluator.functions[item].fact)]
        if empty and not subclasses.get(class_id):
            if called is None:
                facts = (info.fact for info in evaluator.functions.values())
                called = {
                    target.rpartition(".")[2].lstrip(":")
                    for fact in facts
                    for call in fact.calls
                    for target in call.targets
                }
            if class_id.rpartition(".")[2] not in called:
                yield from empty


def callable_ones(evaluator: Evaluator) -> frozenset[str]:
    """The protocols of what can be called: functions keep them, too, without having a class."""
    having = (name for name, methods in evaluator.methods.items() if CALLED in methods)
    return frozenset(name for name in having if is_protocol(evaluator, evaluator.classes[name]))


def given_out(evaluator: Evaluator, callables: frozenset[str]) -> Iterator[str]:
    """The methods of such protocols of which more is stated than parameters: what a function gives, what an attribute or a
    collection holds. What that is may be a function, and is not told."""
    lasts = {name.rpartition(".")[2] for name in callables}
    stated = (
        *((info.path, ref) for info in evaluator.functions.values() for ref in _given_by(info.fact)),
        *(
            (info.path, ref)
            for info in evaluator.classes.values()
            for refs in info.fact.attributes.values()
            for ref in refs
        ),
        *((path, ref) for path, each in evaluator.summaries.items() for refs in each.bindings.values() for ref in refs),
    )
    for path, ref in stated if callables else ():
        inner = ref.partition("!")[0] if "!" in ref else ""
        if inner.rpartition(".")[2].lstrip(":") in lasts:
            for entity in evaluator.evaluate(path, f"{inner}!"):
                if entity.name in callables:
                    yield from evaluator.methods[entity.name][CALLED]


def _given_by(fact: Function) -> Iterator[str]:
    """What a function states of what it gives, and of collections that it takes."""
    yield from fact.results if not fact.is_stub else ()
    yield from (ref for each in fact.parameters for ref in each.type.split("|") if ref.endswith(";"))


def _does_nothing(fact: Function) -> bool:
    if fact.kind != "method" or fact.is_async or fact.operations or not set(fact.results) <= {NONE}:
        return False
    named = {*(access.ref for access in fact.accesses), *(target for call in fact.calls for target in call.targets)}
    return named <= {NOT_IMPLEMENTED}


def own_methods(evaluator: Evaluator, class_id: str) -> Iterator[str]:
    """Ids of the methods that a class defines itself."""
    return chain.from_iterable(evaluator.methods.get(class_id, {}).values())


def is_protocol(evaluator: Evaluator, info: ClassInfo) -> bool:
    """Whether a class is a protocol itself, and not only keeps one."""
    return any(base.name in PROTOCOLS for ref in info.fact.bases for base in evaluator.evaluate(info.path, ref))


def _by_method(evaluator: Evaluator) -> dict[str, list[str]]:
    """Classes by the names of the methods that they define."""
    found: dict[str, list[str]] = {}
    for name, methods in evaluator.methods.items():
        for method in methods:
            found.setdefault(method, []).append(name)
    return found


def _methods(evaluator: Evaluator, protocol: str) -> Sequence[Function]:
    return [evaluator.functions[item].fact for item in own_methods(evaluator, protocol)]


def _keeping(
    evaluator: Evaluator,
    protocol: str,
    subclasses: Mapping[str, Sequence[str]],
    having: Mapping[str, Sequence[str]],
    strict: bool,
) -> set[str]:
    """The classes that have all methods of a protocol, their own or inherited."""
    each: list[set[str]] = []
    for fact in _methods(evaluator, protocol):
        own = [name for name in having.get(fact.name, ()) if _has(evaluator, name, fact, strict)]
        each.append({item for name in own for item in (name, *subclasses.get(name, ()))})
    keeping = set[str].intersection(*each) if each else set[str]()
    return {name for name in keeping if protocol not in evaluator.order(name)}


def _has(evaluator: Evaluator, class_id: str, promised: Function, strict: bool) -> bool:
    """Whether a class has a method that may be called as the one of a protocol may; if not ``strict``, by position at least
    (what it takes beside its named parameters is not told)."""
    info = evaluator.classes[class_id]
    names = {parameter.name for parameter in promised.parameters[1:]}
    for item in evaluator.function_ids(info.path, f"{info.fact.qualname}.{promised.name}"):
        fact = evaluator.functions[item].fact
        needed = {parameter.name for parameter in fact.parameters[1:] if not parameter.default}
        if not strict and len(needed) <= len(names):
            return True
        if fact.is_async == promised.is_async and needed <= names <= {each.name for each in fact.parameters}:
            return True
    return False
