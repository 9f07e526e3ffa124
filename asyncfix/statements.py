"""Where statements begin and end in the bytes of a file, decorators and logical lines regarded."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from asyncfix.model import Span
from asyncfix.source import Source

# What may stand between the end of a statement and the end of its logical line.
REST_OF_LINE = re.compile(rb"(?:[ \t\f;]|\\(?:\r\n|\r|\n))*(?:#[^\r\n]*)?(?:\r\n|\r|\n|\Z)")
BLANK_LINE = re.compile(rb"[ \t\f]*(?:\r\n|\r|\n)")


def whole(source: Source, statement: ast.stmt) -> Span:
    """The span of a statement with its decorators."""
    span = source.span(statement)
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and statement.decorator_list:
        first = source.span(statement.decorator_list[0]).start
        return Span(source.data.rindex(b"@", 0, first), span.end)
    return span


def next_line(source: Source, end: int) -> int | None:
    """The offset behind the logical line of a statement that ends at ``end``; None if another follows on that line."""
    found = REST_OF_LINE.match(source.data, end)
    return found.end() if found else None


def line_of(source: Source, body: Sequence[ast.stmt], index: int) -> Span:
    """The lines from the first to the last of the statements that share the logical line of ``body[index]``."""
    first = last = index
    while first and next_line(source, source.span(body[first - 1]).end) is None:
        first -= 1
    while (end := next_line(source, source.span(body[last]).end)) is None:
        last += 1
    return Span(source.line_start(whole(source, body[first]).start), end)


def blank_lines(source: Source, start: int) -> list[int]:
    """The offsets behind each of the blank lines that follow from ``start`` on, which is the beginning of a line."""
    ends: list[int] = []
    while (found := BLANK_LINE.match(source.data, ends[-1] if ends else start)) is not None:
        ends.append(found.end())
    return ends


def with_blank_lines(source: Source, lines: Span) -> Span:
    """Lines that are to go, with those of the blank lines behind them that would be too many then."""
    after, above = blank_lines(source, lines.end), blank_above(source, lines.start)
    surplus = after[: len(after) if above is None else above]
    return Span(lines.start, surplus[-1] if surplus else lines.end)


def blank_above(source: Source, start: int) -> int | None:
    """The number of blank lines above the line that begins at ``start``; None if a block or the file begins there."""
    count = 0
    while start > source.line_start(0):
        above = source.line_start(start - 1)
        line = source.data[above:start].strip()
        if line:
            return None if line.endswith(b":") else count
        start, count = above, count + 1
    return None
