"""Functions out of which StopIteration may come. No coroutine lets one out (PEP 479), so they do not turn async."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncfix.model import Access, Call, Function, Try

if TYPE_CHECKING:
    from asyncfix.link.index import ProjectIndex

NEXT = "builtins.next"
STOP = "builtins.StopIteration"
CATCHING = frozenset({"builtins.StopIteration", "builtins.Exception", "builtins.BaseException"})


def spread(index: ProjectIndex) -> None:
    """Add to those that raise it themselves those that ask an iterator for one more, and all that call one of either."""
    for name, line in _asking(index):
        index.stopping.setdefault(name, line)
    stack = [name for name in index.stopping if lets_out(index.fact(name))]
    index.stopping = {name: index.stopping[name] for name in stack}
    for name in stack:
        for edge in index.callers.get(name, ()):
            caller = index.fact(edge.caller)
            consumed = edge.kind == "protocol" and (
                not isinstance(edge.site, Call) or _gone_through(edge.site)
            )  # by a loop
            if (
                edge.caller in index.stopping
                or consumed
                or not lets_out(caller)
                or caught(index, edge.caller, edge.site)
            ):
                continue
            index.stopping[edge.caller] = edge.site.line
            stack.append(edge.caller)


def _asking(index: ProjectIndex) -> Iterator[tuple[str, int]]:
    for name, externals in index.externals.items():
        for external in externals:
            asks = external.name == NEXT and len(external.call.arguments) == 1
            if (asks or external.name == STOP) and not caught(index, name, external.call):
                yield name, external.call.line
                break
    for use in index.by_name.get("__next__", ()):
        if use.owner:
            yield use.owner, use.line


def _gone_through(call: Call) -> bool:
    """Whether all that a call gives is gone through where it stands."""
    by = call.taken.by if call.taken is not None else "returned"
    return call.use == "iterated" or by not in (NEXT, "assigned", "returned")


def lets_out(fact: Function) -> bool:
    """Whether a StopIteration may come out of a function: not so of a coroutine or a generator; what runs at import is no
    matter here."""
    return not (fact.is_async or fact.is_generator) and fact.kind not in ("module", "class")


def caught(index: ProjectIndex, function: str, site: Call | Access) -> bool:
    """Whether StopIteration out of this place is caught in the same function."""
    path, tries = index.path(function), index.fact(function).tries
    numbers = site.tries if isinstance(site, Call) else ()
    return any(catches(index, path, tries[number]) for number in numbers)


def catches(index: ProjectIndex, path: str, item: Try) -> bool:
    """Whether a ``try`` statement keeps a StopIteration to itself."""
    named = (index.evaluator.all(path, handler.types) for handler in item.handlers if handler.types)
    return not all(handler.types for handler in item.handlers) or any(
        entity.name in CATCHING for entities in named for entity in entities
    )
