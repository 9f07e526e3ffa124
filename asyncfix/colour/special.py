"""Special methods that Python runs under another name where they are asynchronous."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.facts.scopes import bare
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Function

ASYNCHRONOUS = {"__enter__": "__aenter__", "__exit__": "__aexit__", "__iter__": "__aiter__", "__next__": "__anext__"}
# Classes of libraries that have an asynchronous counterpart beside them, and run no method but special ones.
BASES = {
    "collections.abc.Iterator": "AsyncIterator",
    "collections.abc.Iterable": "AsyncIterable",
    "typing.Iterator": "AsyncIterator",
    "typing.Iterable": "AsyncIterable",
    "typing.ContextManager": "AsyncContextManager",
    "contextlib.AbstractContextManager": "AbstractAsyncContextManager",
}
PARTNERS = {"__enter__": "__exit__", "__exit__": "__enter__", "__iter__": "__next__", "__next__": "__iter__"}
"""Methods of which one is never asynchronous without the other, if there is one."""
ITER, NEXT = "__iter__", "__next__"
STOP = "builtins.StopIteration"


def is_special(fact: Function) -> bool:
    """Whether a function takes another name when it turns."""
    return bool(fact.owner_class) and fact.name in ASYNCHRONOUS


def only_renamed(fact: Function) -> bool:
    """Whether it takes its other name, and turns no coroutine function: ``__aiter__`` is none."""
    return is_special(fact) and fact.name == ITER and not fact.is_generator


def partners(index: ProjectIndex, method: str) -> Iterator[str]:
    """The methods that turn with one though they have another name, in its class and those above and below."""
    last = index.fact(method).name
    if last == NEXT:
        yield from enders(index, method)
    if last in PARTNERS:
        for owner in related(index, method):
            yield from index.evaluator.methods.get(owner, {}).get(PARTNERS[last], ())


def enders(index: ProjectIndex, method: str) -> Iterator[str]:
    """The functions that raise StopIteration for a ``__next__``, and for no other function: they end the iteration."""
    for callee in dict.fromkeys(edge.callee for edge in index.calls.get(method, ())):
        if ends_iteration(index, callee):
            yield callee


def ends_iteration(index: ProjectIndex, function: str) -> bool:
    """Whether a function lets out a StopIteration that it raises itself, and is called by ``__next__`` alone."""
    fact = index.fact(function)
    made = (external.name for external in index.externals.get(function, ()))
    raises = function in index.stopping and STOP in {*made, *(access.ref for access in fact.accesses)}
    callers = [index.fact(edge.caller) for edge in index.callers.get(function, ())]
    asked = bool(callers) and all(is_special(caller) and caller.name == NEXT for caller in callers)
    return raises and asked and not fact.is_async and not any(_stopping(index, function))


def related(index: ProjectIndex, method: str) -> Iterator[str]:
    """The class of a method, those it inherits from, and those that inherit from it."""
    info = index.functions[method]
    owner = index.evaluator.owner(info)
    if owner is not None:
        yield from index.evaluator.order(owner)
        yield from index.subclasses.get(owner, ())


def based(index: ProjectIndex, method: str) -> Iterator[str]:
    """The classes that inherit from a library's one which is to be exchanged for its asynchronous counterpart."""
    for owner in related(index, method):
        info = index.classes.get(owner)
        bases = (
            (entity for ref in info.fact.bases for entity in index.evaluator.evaluate(info.path, ref)) if info else ()
        )
        if owner in index.functions and any(base.name in BASES for base in bases):
            yield owner


def unturnable(index: ProjectIndex, method: str) -> Iterator[tuple[str, str]]:
    """Why a special method may not turn: code and reason."""
    fact = index.fact(method)
    wanted = ASYNCHRONOUS[fact.name]
    if any(index.evaluator.methods.get(owner, {}).get(wanted) for owner in related(index, method)):
        yield "async-form-exists", "is of a class that has its asynchronous form already"
    if makes_iterator(fact) and not _gives_generators(index, method):
        yield "iterator-made", "gives an iterator that it makes in one step, which nothing can wait for"
    if fact.name == NEXT:
        yield from _stopping(index, method)


def makes_iterator(fact: Function) -> bool:
    """Whether it is an ``__iter__`` that gives something other than its own object, and is no generator."""
    own = (f":{fact.qualname}@{fact.parameters[0].name}",) if fact.parameters else ()
    return only_renamed(fact) and not fact.is_stub and tuple(map(bare, fact.results)) != own


def _gives_generators(index: ProjectIndex, method: str) -> bool:
    """Whether what it gives is what generators of the project give, and nothing else."""
    sites = [edge.site for edge in index.calls.get(method, ()) if index.fact(edge.callee).is_generator]
    given = {site.span for site in sites if site.taken is not None and site.taken.by == "returned"}
    return len(given) == index.fact(method).returned > 0


def _stopping(index: ProjectIndex, method: str) -> Iterator[tuple[str, str]]:
    """Why the end of an iterator would not be seen: it comes of something that its ``__next__`` asks."""
    for edge in index.calls.get(method, ()):
        if edge.callee in index.stopping and not ends_iteration(index, edge.callee):
            yield "stop-iteration", f"ends by the StopIteration of {edge.callee} (line {edge.site.line})"
    for external in index.externals.get(method, ()):
        if external.name == "builtins.next":
            yield "stop-iteration", f"may end by the StopIteration of another iterator (line {external.call.line})"
