"""A statement that is put behind another one, comments left where they stand."""

from __future__ import annotations

import ast
import re

from asyncfix.model import Edit, Replace, Span
from asyncfix.source import Source

REST_OF_LINE = re.compile(rb"[ \t]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")


def behind(source: Source, statement: ast.stmt, text: str) -> Edit:
    """The edit that puts a statement behind another one of the same block."""
    span = source.span(statement)
    indent = source.text(Span(source.line_start(span.start), span.start))
    rest = REST_OF_LINE.match(source.data, span.end)
    if indent.strip() or rest is None:  # others stand on that line
        return Replace(Span(span.end, span.end), f"; {text}")
    return Replace(Span(rest.end(), rest.end()), f"\n{indent}{text}")
