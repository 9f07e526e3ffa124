"""What `ast` does not show of lines: their comments, and which of them begin inside a string."""

from __future__ import annotations

import re
import tokenize
from dataclasses import dataclass

from asyncfix.lines import STRING_ENDS, STRING_STARTS
from asyncfix.model import Span
from asyncfix.source import Source

LINE_BREAK = re.compile(r"(\r\n|\r|\n)")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What `ast` does not show of some lines of a file; places are lines and columns from 1."""

    comments: tuple[tuple[tuple[int, int], str], ...]
    in_strings: frozenset[int]


def first_comment(source: Source, start: int) -> int:
    """Where the comment lines begin that stand right above the line at ``start``."""
    while start > 0:
        above = source.line_start(start - 1)
        if not source.data[above:start].lstrip().startswith(b"#"):
            break
        start = above
    return start


def tokens_of(source: Source, span: Span) -> Tokens:
    """The tokens of whole lines."""
    lines = iter(LINE_BREAK.split(source.text(span))[::2])
    before = source.position(span.start)[0] - 1
    comments: list[tuple[tuple[int, int], str]] = []
    in_strings: set[int] = set()
    begun: list[int] = []
    for token in tokenize.generate_tokens(lambda: line + "\n" if (line := next(lines, None)) is not None else ""):
        kind, number = tokenize.tok_name[token.type], before + token.start[0]
        if kind == "COMMENT":
            comments.append(((number, token.start[1] + 1), token.string.rstrip()))
        elif kind == "STRING":
            in_strings.update(range(number + 1, before + token.end[0] + 1))
        elif kind in STRING_STARTS:
            begun.append(number)
        elif kind in STRING_ENDS:
            in_strings.update(range(begun.pop() + 1, before + token.end[0] + 1))
    return Tokens(tuple(comments), frozenset(in_strings))
