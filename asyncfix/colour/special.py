"""Special methods that Python runs under another name where they are asynchronous."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.link.index import ProjectIndex
from asyncfix.model import Function

ASYNCHRONOUS = {"__enter__": "__aenter__", "__exit__": "__aexit__"}
PARTNERS = {"__enter__": "__exit__", "__exit__": "__enter__"}
"""Methods of which one is never asynchronous without the other."""


def partners(index: ProjectIndex, method: str) -> Iterator[str]:
    """The methods that turn with one though they have another name, in its class and those above and below."""
    last = last_name(index.fact(method))
    if last in PARTNERS:
        for owner in related(index, method):
            yield from index.evaluator.methods.get(owner, {}).get(PARTNERS[last], ())


def related(index: ProjectIndex, method: str) -> Iterator[str]:
    """The class of a method, those it inherits from, and those that inherit from it."""
    info = index.functions[method]
    owner = index.evaluator.class_id(info.path, info.fact.owner_class) if info.fact.owner_class else None
    if owner is not None:
        yield from index.evaluator.order(owner)
        yield from index.subclasses.get(owner, ())


def has_both(index: ProjectIndex, method: str) -> bool:
    """Whether a class has a method under its asynchronous name already."""
    wanted = ASYNCHRONOUS.get(last_name(index.fact(method)), "")
    return any(index.evaluator.methods.get(owner, {}).get(wanted) for owner in related(index, method))


def last_name(fact: Function) -> str:
    return fact.qualname.rpartition(".")[2]
