"""Whether what was linked still holds when a few files have changed: so in the rounds after the first.

The link of one file may ask of another: what the names of its top level mean, its classes, and of its functions all but
where they stand and what they do (though which of its parameters a function calls may be asked). Where all that is as it
was, only the functions of the changed files need be linked anew. Two things may differ: a name of the top level, as of an
import, for which nobody has asked; and functions inside functions, if nothing that can be seen outside refers to one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from asyncfix.model import Class, Function, Summary

INSIDE_FUNCTION = ("<locals>", "<lambda")


def changed(
    old: Mapping[str, Summary], new: Mapping[str, Summary], asked: Callable[[str, str], bool]
) -> frozenset[str] | None:
    """The paths of the files that are to be linked anew; None if it is all of them.

    ``asked`` tells of a path and a name of its top level whether anybody has asked for it.
    """
    if old.keys() != new.keys():
        return None
    found = frozenset(path for path, summary in new.items() if old[path] is not summary)
    for path in found:
        before, after = old[path], new[path]
        if not _same_outside(before, after) or any(asked(path, name) for name in _rebound(before, after)):
            return None
    return found


def _same_outside(before: Summary, after: Summary) -> bool:
    """Whether other files would be told the same of both, their bindings apart."""
    inner = tuple(f":{item.qualname}" for summary in (before, after) for item in summary.functions if _is_inner(item))
    return list(_seen_outside(before)) == list(_seen_outside(after)) and not any(
        ref.startswith(inner) for ref in _refs(before, after)
    )


def _rebound(before: Summary, after: Summary) -> Iterator[str]:
    """Names of the top level that mean something else, or nothing in one of the two."""
    for name in before.bindings.keys() | after.bindings.keys():
        if before.bindings.get(name) != after.bindings.get(name):
            yield name


def _seen_outside(summary: Summary) -> Iterator[tuple[object, ...]]:
    """All that other files may ask of one, its bindings apart."""
    yield summary.stars
    for item in summary.classes:
        yield item.qualname, item.bases, item.attributes, item.decorators
    for function in summary.functions:
        if not _is_inner(function):
            yield _seen_of(function)


def _seen_of(function: Function) -> tuple[object, ...]:
    return (
        *(function.qualname, function.kind, function.is_async, function.is_generator, function.owner_class),
        *(function.outer, function.decorators, function.parameters, function.results),
        tuple(target for call in function.calls for target in call.targets if "@" in target),
    )


def _is_inner(function: Function) -> bool:
    """Whether a function stands in a function; but a class there, with its methods, may have a base elsewhere."""
    in_class = function.kind == "class" or function.owner_class
    return not in_class and any(mark in function.qualname for mark in INSIDE_FUNCTION)


def _refs(*summaries: Summary) -> Iterator[str]:
    """The refs by which other files may come to something of these."""
    for summary in summaries:
        yield from chain.from_iterable(summary.bindings.values())
        yield from chain.from_iterable(_class_refs(item) for item in summary.classes)
        for function in summary.functions:
            if not _is_inner(function):
                yield from (*function.results, *function.decorators)
                yield from (ref for item in function.parameters for ref in (*item.type.split("|"), item.default))


def _class_refs(item: Class) -> Iterator[str]:
    yield from item.bases
    yield from chain.from_iterable(item.attributes.values())
