"""A file between rounds: a list of pieces, each a span of the original bytes or new text, that edits split.

The pieces of a file stand in the order of the original; none is empty, and two spans of the original that touch are
one. So no byte that no edit names can change, and what did change is read off the pieces, not searched for.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TypeAlias

from asyncfix.model import Replace, Span, Value

BARE_NEWLINE = re.compile(r"(?<!\r)\n")


class Original(Value, frozen=True, tag="original"):
    """These bytes of the original."""

    span: Span


class New(Value, frozen=True, tag="new"):
    """Bytes that an edit wrote; ``at`` is the offset in the original where they stand."""

    text: bytes
    at: int


Pieces: TypeAlias = tuple[Original | New, ...]


class Unencodable(ValueError):
    """An edit's text holds a character that the encoding of the file cannot; the text is the reason, on one line."""


def untouched(data: bytes) -> Pieces:
    """A file without edits."""
    return (Original(Span(0, len(data))),) if data else ()


def text(pieces: Pieces, original: bytes) -> bytes:
    """The current bytes of the file."""
    return b"".join(
        original[piece.span.start : piece.span.end] if isinstance(piece, Original) else piece.text for piece in pieces
    )


def line_ending(data: bytes) -> bytes:
    r"""What most lines end in: ``\n``, ``\r\n`` or a lone ``\r``; ``\n`` if there are as many, or none at all."""
    pairs = data.count(b"\r\n")
    counts = {b"\n": data.count(b"\n") - pairs, b"\r\n": pairs, b"\r": data.count(b"\r") - pairs}
    return max(counts, key=lambda end: counts[end])


def edit(pieces: Pieces, replaces: Sequence[Replace], encoding: str, line_end: bytes) -> Pieces:
    r"""The pieces after ``replaces``, which are sorted and disjoint and count in the current text.

    Their text is written in ``encoding``, each ``\n`` in it as ``line_end`` (``\r\n`` already is a line end and stays).
    Raises Unencodable; ValueError if the replaces overlap, are not sorted, or lie outside of the text.
    """
    starts = _starts(pieces)
    result: list[Original | New] = []
    done = 0
    for replace in replaces:
        start, end = replace.span.start, replace.span.end
        if not done <= start <= end <= starts[-1]:
            raise ValueError(f"{replace.span} is out of order, or outside of a text of {starts[-1]} bytes")
        result += _cut(pieces, starts, done, start)
        result.append(New(_encoded(replace.text, encoding, line_end), _origin(pieces, starts, start)))
        done = end
    result += _cut(pieces, starts, done, starts[-1])
    return tuple(_joined(result))


def origin(pieces: Pieces, offset: int) -> int:
    """The offset in the original of an offset in the current text; in new text, of the place where it stands.

    Raises ValueError if the offset lies outside of the text.
    """
    starts = _starts(pieces)
    if not 0 <= offset <= starts[-1]:
        raise ValueError(f"offset {offset} is outside of a text of {starts[-1]} bytes")
    return _origin(pieces, starts, offset)


def written(pieces: Pieces) -> Iterator[Span]:
    """The spans of the current text that are new."""
    for piece, start in zip(pieces, _starts(pieces), strict=False):
        if isinstance(piece, New):
            yield Span(start, start + len(piece.text))


def _starts(pieces: Pieces) -> list[int]:
    """Where each piece begins in the current text, and last where the text ends."""
    return list(accumulate(map(_length, pieces), initial=0))


def _length(piece: Original | New) -> int:
    return piece.span.end - piece.span.start if isinstance(piece, Original) else len(piece.text)


def _origin(pieces: Pieces, starts: Sequence[int], offset: int) -> int:
    if not pieces:
        return 0
    index = min(bisect_right(starts, offset), len(pieces)) - 1
    piece = pieces[index]
    return piece.span.start + offset - starts[index] if isinstance(piece, Original) else piece.at


def _cut(pieces: Pieces, starts: Sequence[int], start: int, end: int) -> Iterator[Original | New]:
    """The pieces of one range of the current text."""
    index = bisect_right(starts, start) - 1
    while starts[index] < end:
        low, high = max(start - starts[index], 0), min(end, starts[index + 1]) - starts[index]
        piece = pieces[index]
        if isinstance(piece, Original):
            yield Original(Span(piece.span.start + low, piece.span.start + high))
        else:
            yield New(piece.text[low:high], piece.at)
        index += 1


def _joined(pieces: Iterable[Original | New]) -> Iterator[Original | New]:
    """The pieces without empty ones, spans of the original that touch made one."""
    last: Original | New | None = None
    for piece in pieces:
        if not _length(piece):
            continue
        if isinstance(last, Original) and isinstance(piece, Original) and last.span.end == piece.span.start:
            last = Original(Span(last.span.start, piece.span.end))
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


def _encoded(added: str, encoding: str, line_end: bytes) -> bytes:
    try:
        return BARE_NEWLINE.sub(line_end.decode("ascii"), added).encode(encoding)
    except UnicodeEncodeError as error:
        raise Unencodable(f"{error.object[error.start]!a} cannot be written in {encoding}") from error
