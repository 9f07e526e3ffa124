"""Places at which a function is handed to code that takes functions and coroutine functions alike.

That is known of a parameter which the project itself asks: ``iscoroutinefunction(callback)``, be it there or of the
attribute that keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.facts.scopes import bare
from asyncfix.link.index import CONSTRUCTORS, Loose, ProjectIndex
from asyncfix.link.wrapping import ASKING
from asyncfix.model import Call


def asked(index: ProjectIndex) -> frozenset[tuple[str, str]]:
    """The parameters of which the project asks what they are: function and name."""
    found: set[tuple[str, str]] = set()
    for function, externals in index.externals.items():
        for external in externals:
            if external.name in ASKING:
                refs = (argument.ref for argument in external.call.arguments[:1])
                found.update(each for ref in refs for each in _parameters(index, index.path(function), ref))
    return frozenset(found)


def _parameters(index: ProjectIndex, path: str, ref: str) -> Iterator[tuple[str, str]]:
    """The parameters whose value a ref stands for, itself or as an attribute that was given it."""
    owner, at, name = bare(ref).rpartition("@")
    if at and name.isidentifier():
        yield from ((function, name) for function in index.evaluator.function_ids(path, owner.lstrip(":")))
        return
    receiver, _, attribute = ref.rpartition(".")
    for entity in index.evaluator.evaluate(path, receiver) if receiver else ():
        for base in index.evaluator.order(entity.name) if entity.kind == "instance" else ():
            info = index.classes.get(base)
            for kept in info.fact.attributes.get(attribute, ()) if info is not None else ():
                if info is not None and "@" in kept:
                    yield from _parameters(index, info.path, kept.rstrip("!"))


def takes_either(index: ProjectIndex, function: str, place: Loose, known: frozenset[tuple[str, str]]) -> bool:
    """Whether the function is handed over there for such a parameter, and for nothing else."""
    given = [
        (call, position)
        for call in (index.fact(place.owner).calls if place.owner and known else ())
        for position, argument in enumerate(call.arguments)
        if call.line <= place.line <= call.end_line and argument.ref and _is(index, place.path, argument.ref, function)
    ]
    return bool(given) and all(_fits(index, place.path, call, position, known) for call, position in given)


def _is(index: ProjectIndex, path: str, ref: str, function: str) -> bool:
    return any(entity.name == function for entity in index.evaluator.evaluate(path, ref))


def _fits(index: ProjectIndex, path: str, call: Call, position: int, known: frozenset[tuple[str, str]]) -> bool:
    keyword = call.arguments[position].keyword
    called = list(_called(index, path, call))
    for callee in called:
        fact = index.fact(callee)
        names = [item.name for item in fact.parameters][fact.kind in ("method", "classmethod") :]
        name = keyword or (names[position] if position < len(names) else "")
        if (callee, name) not in known:
            return False
    return bool(called)


def _called(index: ProjectIndex, path: str, call: Call) -> Iterator[str]:
    for entity in index.evaluator.all(path, call.targets):
        if entity.kind in ("function", "method"):
            yield entity.name
        elif entity.kind == "class":
            made = index.evaluator.attribute(entity, CONSTRUCTORS[0])
            yield from (item.name for item in made if item.kind == "method")
