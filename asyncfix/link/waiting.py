"""Functions out of which something waits for a StopIteration: a handler, or a manager that tests have for it.

No coroutine lets one out (PEP 479): what waits would meet a RuntimeError. And none comes out of a thread: who awaits one that
ends so may wait for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from asyncfix.link.stopping import NEXT, STOP, catches, lets_out
from asyncfix.model import Function, Span, Value

if TYPE_CHECKING:
    from asyncfix.link.index import ProjectIndex

NAME = STOP.rpartition(".")[2]
MANAGERS = ("suppress()", "raises()", "assertRaises()", "assertRaisesRegex()")  # that may wait for an error
ASKING = ("send", "throw", "__next__")


class Guard(Value, frozen=True):
    """Code of a function round which something waits for a StopIteration, and the line of that.

    seen  the code asks something itself that may let one out, or calls what is not known: what else it calls need not
    """

    function: str
    body: Span
    line: int
    seen: bool

    def where(self, index: ProjectIndex) -> str:
        """The place of what waits."""
        return f"{index.path(self.function)}:{self.line}"


def guards(index: ProjectIndex) -> Iterator[Guard]:
    """All such code."""
    for name, info in index.functions.items():
        for body, line in (*_handled(index, info.path, info.fact), *_managed(index, info.path, info.fact)):
            yield Guard(name, body, line, _asks(index, name, body))


def _handled(index: ProjectIndex, path: str, fact: Function) -> Iterator[tuple[Span, int]]:
    for item in fact.tries:
        for handler in item.handlers:
            if _named(index, path, handler.types):
                yield item.body, handler.line


def _managed(index: ProjectIndex, path: str, fact: Function) -> Iterator[tuple[Span, int]]:
    for call in fact.calls:
        waits = any(f"{target}()".endswith(MANAGERS) for target in call.targets)
        if waits and _named(index, path, (argument.ref for argument in call.arguments)):
            for item in fact.withs:
                if call.span in item.items:
                    yield Span(item.items[-1].end, item.span.end), call.line


def _named(index: ProjectIndex, path: str, refs: Iterable[str]) -> bool:
    meant = (index.evaluator.evaluate(path, ref) for ref in refs if ref.endswith(NAME))
    return any(entity.name == STOP for entities in meant for entity in entities)


def _asks(index: ProjectIndex, function: str, body: Span) -> bool:
    """Whether code may meet a StopIteration that no function of the project lets out."""
    fact, unknown = index.fact(function), index.unknown.get(function, ())
    asked = (call for call in fact.calls if body.contains(call.span))
    made = (
        external.name in (NEXT, STOP)
        for external in index.externals.get(function, ())
        if body.contains(external.call.span)
    )
    return (
        any(made)
        or any(call in unknown or call.targets[0].endswith(ASKING) for call in asked if call.targets)
        or any(access.ref == STOP and body.contains(access.span) for access in fact.accesses)
    )


def waited(index: ProjectIndex, found: Iterable[Guard]) -> Mapping[str, Guard]:
    """The functions out of which a StopIteration is to come to one of these: those that are known to let one out, or if there
    are none, all that are called there, and what they call."""
    told: dict[str, Guard] = {}
    for guard in found:
        callees = tuple(_through(index, guard.function, guard.body))
        known = [name for name in callees if name in index.stopping]
        stack = known or ([] if guard.seen else list(callees))
        while stack:
            name = stack.pop()
            if name not in told:
                told[name] = guard
                below = _through(index, name, index.fact(name).span)
                stack.extend(each for each in below if not known or each in index.stopping)
    return told


def _through(index: ProjectIndex, function: str, body: Span) -> Iterator[str]:
    """What some code calls, out of which a StopIteration would come and leave the code."""
    nearer = [
        item.body
        for item in index.fact(function).tries
        if item.body != body and body.contains(item.body) and catches(index, index.path(function), item)
    ]
    for edge in index.calls.get(function, ()):
        inside = body.contains(edge.span) and not any(inner.contains(edge.span) for inner in nearer)
        if inside and edge.kind != "protocol" and lets_out(index.fact(edge.callee)):
            yield edge.callee
