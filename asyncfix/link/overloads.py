"""Definitions that only state types: those that ``@overload`` decorates, above the one that is meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from asyncfix.model import Function, Span

OVERLOADS = frozenset({"typing.overload", "typing_extensions.overload"})


def joined(functions: Iterable[Function]) -> Iterator[tuple[Function, tuple[Span, ...]]]:
    """The functions of a file in their order, without the stubs of those that have an implementation.

    With each the keywords of its stubs, which turn with it; what they state of results is among its own.
    """
    stubs: dict[str, list[Function]] = {}
    for function in functions:
        if not OVERLOADS.isdisjoint(function.decorators):
            stubs.setdefault(function.qualname, []).append(function)
        elif function.qualname in stubs:
            own = stubs.pop(function.qualname)
            stated = (*function.results, *(ref for stub in own for ref in stub.results))
            yield replace(function, results=tuple(dict.fromkeys(stated))), tuple(stub.keyword for stub in own)
        else:
            yield function, ()
    for left in stubs.values():
        yield from ((stub, ()) for stub in left)
