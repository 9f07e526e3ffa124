"""The annotation of what a generator that turned async gives: ``Iterator[T]`` to ``AsyncIterator[T]``."""

from __future__ import annotations

import ast

from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import Writing

NAMES = {"Iterator": "AsyncIterator", "Iterable": "AsyncIterable", "Generator": "AsyncGenerator"}


def write(use: Use, writing: Writing) -> list[Edit]:
    source = writing.source
    stated = getattr(writing.definition(use.span), "returns", None)
    outer = stated.value if isinstance(stated, ast.Subscript) else stated
    name = getattr(outer, "attr", getattr(outer, "id", ""))
    if not isinstance(outer, ast.Name | ast.Attribute) or name not in NAMES:
        return []
    span = source.span(outer)
    new = NAMES[name]
    if isinstance(outer, ast.Attribute):
        span = Span(span.end - len(name), span.end)
    else:
        module = writing.module_of(name)
        if not module:
            return []
        new = writing.name_from(module, new)
    return [Replace(span, new), *_without_result(stated, writing)]


def _without_result(stated: ast.expr | None, writing: Writing) -> list[Edit]:
    """``Generator[T, S, R]`` without ``R``: an async generator returns nothing."""
    match stated:
        case ast.Subscript(slice=ast.Tuple(elts=[_, sent, returned])):
            return [Replace(Span(writing.source.span(sent).end, writing.source.span(returned).end), "")]
        case _:
            return []
