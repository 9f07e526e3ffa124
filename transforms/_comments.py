"""The comments of lines, which `ast` does not show."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator

from asyncfix.model import Span
from asyncfix.source import Source

Comment = tuple[tuple[int, int], str]
"""The line and the column where a comment begins, from 1, and its text."""
LINE_BREAK = re.compile(r"\r\n|\r|\n")


def first_comment(source: Source, start: int) -> int:
    """Where the comment lines begin that stand right above the line at ``start``."""
    while start > 0:
        above = source.line_start(start - 1)
        if not source.data[above:start].lstrip().startswith(b"#"):
            break
        start = above
    return start


def comments_of(source: Source, span: Span) -> Iterator[Comment]:
    """The comments in whole lines."""
    lines = iter(LINE_BREAK.split(source.text(span)))
    before = source.position(span.start)[0] - 1
    for token in tokenize.generate_tokens(lambda: line + "\n" if (line := next(lines, None)) is not None else ""):
        if token.type == tokenize.COMMENT:
            yield (before + token.start[0], token.start[1] + 1), token.string.rstrip()


def comments_within(source: Source, lines: Span, span: Span) -> Iterator[str]:
    """The texts of the comments of whole lines that begin within a span."""
    begin, end = source.position(span.start), source.position(span.end)
    yield from (text for place, text in comments_of(source, lines) if begin <= place < end)
