"""One source file as bytes, and the way from the positions of `ast` to offsets in those bytes.

`ast` counts lines by Python's own rules (LF, CRLF and a lone CR end a line; a form feed does not) and columns in UTF-8
bytes of the decoded line. A file may start with a BOM and may declare another encoding (PEP 263), so neither number is an
offset into the file.
"""

from __future__ import annotations

import ast
import codecs
import io
import re
import sys
import tokenize
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

from asyncfix.model import Place, Span

LINE_END = re.compile(rb"\r\n|\r|\n")


class Located(Protocol):
    """What an `ast` node with a position offers."""

    lineno: int
    col_offset: int
    end_lineno: int | None
    end_col_offset: int | None


class Unreadable(ValueError):
    """The bytes are no Python that this interpreter can read; the text is the reason, on one line."""


class Source:
    """The bytes of one file with their line table."""

    __slots__ = ("_ascii", "_starts", "_utf8", "data", "encoding", "path")

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self._ascii = data.isascii()
        self.encoding = "utf-8" if self._ascii and not _may_state_encoding(data) else _encoding(data)
        self._utf8 = self._ascii or self.encoding == "utf-8"
        self._starts = _line_starts(data)

    def parse(self) -> ast.Module:
        """Parse the file. Raises Unreadable with the reason."""
        try:
            return ast.parse(self.data, filename=self.path)
        except SyntaxError as error:
            line = f"line {error.lineno}: " if error.lineno else ""
            running = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise Unreadable(f"no valid Python {running}: syntax error, {line}{_one_line(error.msg)}") from error
        except (ValueError, LookupError) as error:
            raise Unreadable(_one_line(str(error))) from error
        except (RecursionError, MemoryError) as error:
            raise Unreadable("nested too deeply") from error

    def offset(self, line: int, column: int) -> int:
        """Offset in the file of an `ast` position (line from 1, column in UTF-8 bytes)."""
        start = self._starts[line - 1]
        if self._utf8:
            return start + column
        text = self._line(line).encode("utf-8")[:column].decode("utf-8")
        return start + len(text.encode(self.encoding))

    def span(self, node: Located) -> Span:
        """The span of a node."""
        line, column = node.lineno, node.col_offset
        end_line, end_column = node.end_lineno or line, node.end_col_offset or column
        if self._utf8:  # `offset`, twice, without the calls: asked for every fact of every file
            starts = self._starts
            return Span(starts[line - 1] + column, starts[end_line - 1] + end_column)
        return Span(self.offset(line, column), self.offset(end_line, end_column))

    def column(self, line: int, column: int) -> int:
        """Column in characters, from 1, of an `ast` position."""
        if self._ascii:
            return column + 1
        return len(self._line(line).encode("utf-8")[:column].decode("utf-8", "replace")) + 1

    def extent(self, node: Located) -> tuple[Span, int, int]:
        """The span of a node, and its first and last column: `span` and `column`, in a third of the time."""
        line, column = node.lineno, node.col_offset
        end_line, end_column = node.end_lineno or line, node.end_col_offset or column
        if self._ascii:
            starts = self._starts
            span = Span(starts[line - 1] + column, starts[end_line - 1] + end_column)
            return span, column + 1, end_column + 1
        return self.span(node), self.column(line, column), self.column(end_line, end_column)

    def place(self, span: Span) -> Place:
        """Where a person finds a span."""
        line, column = self.position(span.start)
        end_line, end_column = self.position(span.end)
        return Place(self.path, line, column, end_line, end_column)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column (characters, from 1) of an offset."""
        index = max(bisect_right(self._starts, offset) - 1, 0)
        return index + 1, len(self.data[self._starts[index] : offset].decode(self.encoding, "replace")) + 1

    def at(self, line: int, column: int) -> int:
        """Offset of a line and column as people count them (characters, from 1)."""
        return self._starts[line - 1] + len(self._line(line)[: column - 1].encode(self.encoding))

    def line_start(self, offset: int) -> int:
        """Offset of the first byte of the line that holds ``offset``."""
        return self._starts[max(bisect_right(self._starts, offset) - 1, 0)]

    def text(self, span: Span) -> str:
        """The text of a span."""
        return self.data[span.start : span.end].decode(self.encoding)

    def lines(self) -> Sequence[str]:
        """All lines, decoded, without their ends."""
        return [self._line(number) for number in range(1, len(self._starts) + 1)]

    def _line(self, line: int) -> str:
        end = self._starts[line] if line < len(self._starts) else len(self.data)
        return self.data[self._starts[line - 1] : end].rstrip(b"\r\n").decode(self.encoding)


def _line_starts(data: bytes) -> list[int]:
    """Offset of the first character of every line, behind the BOM; a line end that ends the file has a line behind it."""
    lines = data.splitlines(keepends=True)  # of bytes these are Python's own line rules
    starts = [0, *accumulate(map(len, lines))]
    if lines and not lines[-1].endswith((b"\n", b"\r")):
        del starts[-1]
    if data.startswith(codecs.BOM_UTF8):
        starts[0] = len(codecs.BOM_UTF8)
    return starts


def _may_state_encoding(data: bytes) -> bool:
    """Whether the first two lines may hold a cookie of PEP 263."""
    end = data.find(b"\n", data.find(b"\n") + 1)
    return data.find(b"coding", 0, end if end >= 0 else len(data)) >= 0


def _encoding(data: bytes) -> str:
    """The encoding of Python source: BOM, cookie, or UTF-8. Raises Unreadable."""
    try:
        name, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        encoding = "utf-8" if name == "utf-8-sig" else codecs.lookup(name).name
        data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"not {error.encoding} at byte {error.start}") from error
    except (SyntaxError, LookupError) as error:
        raise Unreadable(_one_line(str(error))) from error
    return encoding


def _one_line(text: str) -> str:
    return " ".join(text.split())
