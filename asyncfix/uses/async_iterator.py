"""The annotation of what is gone through, or entered, asynchronously now: ``Iterator[T]`` to ``AsyncIterator[T]``.

Also where it is one of several types, or stands in a string.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from asyncfix.flow import last_name
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import Writing

NAMES = {
    "Iterator": "AsyncIterator",
    "Iterable": "AsyncIterable",
    "Generator": "AsyncGenerator",
    "ContextManager": "AsyncContextManager",
    "AbstractContextManager": "AbstractAsyncContextManager",
}


def write(use: Use, writing: Writing) -> list[Edit]:
    stated: ast.expr | None = getattr(writing.definition(use.span), "returns", None)
    if isinstance(stated, ast.Constant):
        return list(_in_text(stated, writing))
    return list(_exchanged(stated, writing, writing.source.span)) if stated is not None else []


def _in_text(stated: ast.Constant, writing: Writing) -> Iterator[Edit]:
    """The same in an annotation that is a string, if it is written in the simplest way."""
    span = writing.source.span(stated)
    text = writing.source.text(span)[1:-1]
    if text != stated.value or not text.isascii():
        return
    try:
        inner = ast.parse(text, mode="eval").body
    except SyntaxError:
        return

    def place(node: ast.expr) -> Span:
        return Span(span.start + 1 + node.col_offset, span.start + 1 + (node.end_col_offset or 0))

    yield from _exchanged(inner, writing, place)


def _exchanged(stated: ast.expr, writing: Writing, place: Callable[[ast.expr], Span]) -> Iterator[Edit]:
    for part in _alternatives(stated):
        outer = part.value if isinstance(part, ast.Subscript) else part
        new = NAMES.get(last_name(outer), "")
        written = writing.counterpart(outer, new) if new else ""
        if written:
            yield Replace(place(outer), written)
            yield from _without_result(part, place)


def _alternatives(stated: ast.expr) -> Iterator[ast.expr]:
    """The types of which it may be any."""
    match stated:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from (*_alternatives(left), *_alternatives(right))
        case ast.Subscript(value=outer, slice=ast.Tuple(elts=parts)) if last_name(outer) == "Union":
            yield from (each for part in parts for each in _alternatives(part))
        case ast.Subscript(value=outer, slice=inner) if last_name(outer) == "Optional":
            yield from _alternatives(inner)
        case _:
            yield stated


def _without_result(stated: ast.expr, place: Callable[[ast.expr], Span]) -> Iterator[Edit]:
    """``Generator[T, S, R]`` without ``R``: an async generator returns nothing."""
    match stated:
        case ast.Subscript(slice=ast.Tuple(elts=[_, sent, returned])):
            yield Replace(Span(place(sent).end, place(returned).end), "")
        case _:
            pass
