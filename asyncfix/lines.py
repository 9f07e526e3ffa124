"""The lines of a piece of code, and which of them begin inside a string: these must not be moved."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator

from asyncfix.model import Span
from asyncfix.source import LINE_END, Source

STRING_STARTS = frozenset({"FSTRING_START", "TSTRING_START"})
STRING_ENDS = frozenset({"FSTRING_END", "TSTRING_END"})


def end_of_line(source: Source, offset: int) -> int:
    """The offset of the next line end, or of the end of the file."""
    found = LINE_END.search(source.data, offset)
    return found.start() if found else len(source.data)


def movable(source: Source, span: Span) -> Iterator[Span]:
    """The lines after the first of a span, whole but for their ends: those that are not blank nor begin inside a string.

    The span holds whole tokens: it begins with a line of a statement, or with a bracket.
    """
    held = _inside_strings(source.text(span))
    for number, end in enumerate(LINE_END.finditer(source.data, span.start, span.end), 2):
        line = Span(end.end(), end_of_line(source, end.end()))
        if number not in held and source.data[line.start : line.end].strip():
            yield line


def _inside_strings(text: str) -> set[int]:
    """Numbers (from 1) of the lines that begin inside a string."""
    lines = iter(re.split(r"\r\n|\r|\n", text))
    held: set[int] = set()
    open_at: list[int] = []
    for token in tokenize.generate_tokens(lambda: line + "\n" if (line := next(lines, None)) is not None else ""):
        kind = tokenize.tok_name[token.type]
        if kind == "STRING":
            held.update(range(token.start[0] + 1, token.end[0] + 1))
        elif kind in STRING_STARTS:
            open_at.append(token.start[0])
        elif kind in STRING_ENDS:
            held.update(range(open_at.pop() + 1, token.end[0] + 1))
    return held
