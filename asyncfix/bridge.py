"""A call that a thread runs, read as the call that it stands for: ``await asyncio.to_thread(f, a)`` as ``f(a)``.

Understood are `to_thread`, and `run_in_executor` with the default executor; in place of the function also a `partial` of it,
or a lambda in which it is called.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass

from asyncfix.model import Span
from asyncfix.source import Source

EXECUTOR = "run_in_executor"
NAMES = ("asyncio.to_thread", "asyncio.threads.to_thread", f"asyncio.AbstractEventLoop.{EXECUTOR}")
LINE_END = re.compile(rb"[\r\n]")
BEFORE = re.compile(rb"[(,]\s*\Z")
COMMA = re.compile(rb"\s*,\s*")
CLOSING = re.compile(rb"\s*\)")


@dataclass(frozen=True, slots=True)
class Bridge:
    """A call that a thread runs.

    outer     the call that hands it over; whole: the ``await`` of that
    inner     the call with its arguments: ``outer``, that of ``partial``, or in a lambda the call itself
    function  the argument of ``inner`` that is the function; None in a lambda
    call      the call that it stands for; of its own place in a lambda, else of that of ``outer``
    value     what the thread gives: ``call``, or the body of the lambda round it
    """

    outer: ast.Call
    whole: ast.Await
    inner: ast.Call
    function: ast.expr | None
    call: ast.Call
    value: ast.expr

    def replaced(self, source: Source) -> Span:
        """What gives way to the call: with a lambda its ``await`` stands in another place."""
        return source.span(self.whole if self.function is None else self.outer)

    def shed(self, source: Source) -> tuple[Span, Span]:
        """What goes before and behind the call."""
        whole, kept = self.replaced(source), source.span(self.value if self.function is None else self.inner)
        return Span(whole.start, kept.start), Span(kept.end, whole.end)

    def slot(self, source: Source) -> Span:
        """The function among the arguments, with what stands before it there."""
        assert self.function is not None, "a lambda is called where it stands"
        return Span(source.span(self.inner.args[0]).start, source.span(self.function).end)


def position(called: str) -> int:
    """Which argument is the function, where what is called has this last name."""
    return 1 if called == EXECUTOR else 0


def direct(source: Source, module: ast.Module, spans: Collection[Span]) -> dict[Span, Bridge]:
    """Put the calls that threads run in place of the ``await`` of the calls at ``spans`` that hand them over.

    Those that can be written so are given back by their span.
    """
    placing = _Placing(source, frozenset(spans))
    placing.visit(module)
    return placing.found


class _Placing(ast.NodeTransformer):
    def __init__(self, source: Source, spans: frozenset[Span]) -> None:
        self.source = source
        self.spans = spans
        self.found: dict[Span, Bridge] = {}

    def visit_Await(self, node: ast.Await) -> ast.expr:
        found = _read(node) if isinstance(node.value, ast.Call) and self.source.span(node.value) in self.spans else None
        self.generic_visit(node)
        if found is None or not _is_plain(found, self.source):
            return node
        self.found[self.source.span(found.outer)] = found
        return found.value


def _read(whole: ast.Await) -> Bridge | None:
    """What is handed to a thread; None if it is not written out."""
    outer = whole.value
    assert isinstance(outer, ast.Call)
    at = position(outer.func.attr if isinstance(outer.func, ast.Attribute) else "")
    if any(isinstance(part, ast.Starred) for part in outer.args[: at + 1]) or len(outer.args) <= at:
        return None
    function, alone = outer.args[at], len(outer.args) == at + 1 and not outer.keywords
    match function:
        case ast.Lambda():
            call = _innermost(function.body)
            bare = not any(isinstance(part, ast.arg | ast.NamedExpr) for part in ast.walk(function))
            return Bridge(outer, whole, call, None, call, function.body) if call and alone and bare else None
        case ast.Call(func=ast.Name(id="partial") | ast.Attribute(attr="partial")):
            return _handed(whole, outer, function, 0) if alone and function.args else None
        case ast.Call():
            return None
        case _:
            return _handed(whole, outer, outer, at)


def _handed(whole: ast.Await, outer: ast.Call, inner: ast.Call, at: int) -> Bridge:
    call = ast.copy_location(ast.Call(inner.args[at], inner.args[at + 1 :], inner.keywords), outer)
    return Bridge(outer, whole, inner, inner.args[at], call, call)


def _innermost(node: ast.expr) -> ast.Call | None:
    """The first call of a chain of calls, attributes and subscripts."""
    found: ast.Call | None = None
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Call):
            found = node
        node = node.func if isinstance(node, ast.Call) else node.value
    return found


def _is_plain(bridge: Bridge, source: Source) -> bool:
    """Whether no comment is lost, and no line left without its brackets, where the call takes its place."""
    data, inner = source.data, source.span(bridge.inner)
    if any(b"#" in data[part.start : part.end] for part in bridge.shed(source)):
        return False
    if bridge.function is None:
        value = source.span(bridge.value)
        bare = (data[value.start : source.span(bridge.inner.func).end], data[inner.end : value.end])
        return not any(map(LINE_END.search, bare))
    function, slot = source.span(bridge.function), bridge.slot(source)
    return (
        BEFORE.search(data[inner.start : slot.start]) is not None
        and bool(COMMA.match(data, function.end) or CLOSING.match(data, function.end))
        and b"#" not in data[slot.start : function.start]
        and LINE_END.search(data, function.start, function.end) is None
    )
