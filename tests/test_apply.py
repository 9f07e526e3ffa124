"""Edits on pieces, round after round."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncfix.apply import New, Original, Pieces, Unencodable, edit, line_ending, origin, text, untouched
from asyncfix.model import Replace, Span

BITS = ["a", "def f():", "    ", "\n", "\r\n", "\r", "\f", "é", "\x85", '"', "\\"]
UNICODE = [*BITS, "\u2028", "日本", "😀"]


def replace(start: int, end: int, added: str) -> Replace:
    return Replace(Span(start, end), added)


def original(start: int, end: int) -> Original:
    return Original(Span(start, end))


def edited(pieces: Pieces, *replaces: Replace) -> Pieces:
    return edit(pieces, replaces, "utf-8", b"\n")


def test_an_untouched_file_is_one_piece() -> None:
    """An empty one is none."""
    assert untouched(b"abc") == (original(0, 3),)
    assert untouched(b"") == ()
    assert text(untouched(b"abc"), b"abc") == b"abc"
    assert text((), b"") == b""


def test_an_edit_splits_the_original() -> None:
    """The new text knows where in the original it stands."""
    pieces = edited(untouched(b"0123456789"), replace(2, 4, "x"), replace(6, 6, "yy"), replace(8, 9, ""))
    assert pieces == (original(0, 2), New(b"x", 2), original(4, 6), New(b"yy", 6), original(6, 8), original(9, 10))
    assert text(pieces, b"0123456789") == b"01x45yy679"


def test_a_later_edit_splits_new_text() -> None:
    """What is written into new text stands where that stands."""
    pieces = edited((original(0, 2), New(b"abcdef", 2), original(4, 6)), replace(3, 5, "X"), replace(7, 9, "Y"))
    assert pieces == (original(0, 2), New(b"a", 2), New(b"X", 2), New(b"de", 2), New(b"Y", 2), original(5, 6))


def test_new_text_that_is_taken_back_leaves_no_piece() -> None:
    """Spans of the original that touch are joined, so the file is untouched again."""
    assert edited((original(0, 2), New(b"ab", 2), original(2, 6)), replace(2, 4, "")) == (original(0, 6),)
    assert edited(untouched(b"abc"), replace(1, 1, "")) == (original(0, 3),)


def test_all_of_a_file_can_go() -> None:
    """And come again."""
    nothing = edited(untouched(b"abc"), replace(0, 3, ""))
    assert nothing == ()
    assert edited(nothing, replace(0, 0, "x")) == (New(b"x", 0),)


def test_edits_at_both_ends() -> None:
    """What stands behind the last byte stands at the end of the original."""
    assert edited(untouched(b"abc"), replace(0, 0, "<"), replace(3, 3, ">")) == (
        New(b"<", 0),
        original(0, 3),
        New(b">", 3),
    )


@pytest.mark.parametrize(
    "replaces",
    [
        pytest.param([replace(0, 4, "")], id="behind the end"),
        pytest.param([replace(-1, 1, "")], id="before the start"),
        pytest.param([replace(2, 1, "")], id="backwards"),
        pytest.param([replace(2, 3, ""), replace(0, 1, "")], id="not sorted"),
        pytest.param([replace(0, 2, ""), replace(1, 3, "")], id="overlapping"),
    ],
)
def test_replaces_that_are_no_edits_of_this_text_are_an_error(replaces: list[Replace]) -> None:
    """The contract of `merge` is broken."""
    with pytest.raises(ValueError, match="out of order, or outside of a text of 3 bytes"):
        edited(untouched(b"abc"), *replaces)


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"", b"\n"),
        (b"a", b"\n"),
        (b"a\nb", b"\n"),
        (b"a\r\nb", b"\r\n"),
        (b"a\rb", b"\r"),
        (b"a\r\nb\nc\r\n", b"\r\n"),
        (b"a\nb\r\nc\n", b"\n"),
        (b"a\r\nb\n", b"\n"),
        (b"a\r\nb\r\nc\r", b"\r\n"),
        (b"a\fb\x0bc\x85\n", b"\n"),
    ],
)
def test_the_line_end_of_a_file_is_that_of_most_lines(data: bytes, end: bytes) -> None:
    """Ties go to the plain newline."""
    assert line_ending(data) == end


@pytest.mark.parametrize(("end", "expected"), [(b"\n", b"x\ny\r\nz\n"), (b"\r\n", b"x\r\ny\r\nz\r\n")])
def test_new_lines_end_as_the_lines_of_the_file(end: bytes, expected: bytes) -> None:
    """Text that was copied from the file with its line end keeps it."""
    assert edit((), [replace(0, 0, "x\ny\r\nz\n")], "utf-8", end) == (New(expected, 0),)


def test_new_text_is_written_in_the_encoding_of_the_file() -> None:
    """In latin-1 an é is one byte."""
    assert edit((), [replace(0, 0, "é")], "latin-1", b"\n") == (New(b"\xe9", 0),)


@pytest.mark.parametrize(("added", "encoding"), [("\n\n€", "latin-1"), ("é", "ascii"), ("\ud800", "utf-8")])
def test_a_character_the_encoding_cannot_hold_is_named(added: str, encoding: str) -> None:
    """On one line, whatever it is."""
    with pytest.raises(Unencodable) as error:
        edit((), [replace(0, 0, added)], encoding, b"\r\n")
    assert str(error.value) == f"{added[-1]!a} cannot be written in {encoding}"


def test_where_an_offset_comes_from() -> None:
    """New text comes from where it stands; what follows the last byte, from the end of the last piece."""
    pieces: Pieces = (original(0, 2), New(b"xyz", 2), original(4, 6))
    assert [origin(pieces, offset) for offset in range(8)] == [0, 1, 2, 2, 2, 4, 5, 6]
    assert origin((New(b"ab", 7),), 2) == 7
    assert origin((), 0) == 0


@pytest.mark.parametrize("offset", [-1, 3])
def test_an_offset_outside_of_the_text_comes_from_nowhere(offset: int) -> None:
    """The caller speaks of another text."""
    with pytest.raises(ValueError, match="outside of a text of 2 bytes"):
        origin(untouched(b"ab"), offset)


# ----------------------------------------------------------------------------------------------------------- properties


def rounds(data: st.DataObject, old: bytes, bits: list[str], encoding: str, end: bytes) -> tuple[Pieces, bytes]:
    """Up to three rounds of random edits on pieces, and the same done on the bytes, last edit first."""
    pieces, expected = untouched(old), old
    for _ in range(data.draw(st.integers(1, 3))):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(expected)), max_size=8)))
        texts = st.lists(st.sampled_from(bits), max_size=4).map("".join)
        replaces = [replace(a, b, data.draw(texts)) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
        pieces = edit(pieces, replaces, encoding, end)
        for one in reversed(replaces):
            added = one.text if end == b"\n" else one.text.replace("\r\n", "\n").replace("\n", "\r\n")
            expected = expected[: one.span.start] + added.encode(encoding) + expected[one.span.end :]
    return pieces, expected


@given(st.data())
def test_rounds_of_edits_on_pieces_equal_edits_of_the_text(data: st.DataObject) -> None:
    """In any encoding and with any line end; pieces keep their order, and none is empty."""
    encoding, bits = data.draw(st.sampled_from([("utf-8", UNICODE), ("latin-1", BITS)]))
    old = "".join(data.draw(st.lists(st.sampled_from(bits), max_size=20))).encode(encoding)
    pieces, expected = rounds(data, old, bits, encoding, data.draw(st.sampled_from([b"\n", b"\r\n"])))
    assert text(pieces, old) == expected
    assert all(text((piece,), old) for piece in pieces)
    origins = [origin(pieces, offset) for offset in range(len(expected) + 1)]
    assert origins == sorted(origins)
    for one, other in pairwise(pieces):
        if isinstance(one, Original) and isinstance(other, Original):
            assert one.span.end < other.span.start
