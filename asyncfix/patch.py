r"""Prints the pieces of files as one unified diff, the way git does; what changed is read off the pieces.

A line ends in ``\n`` and in nothing else (git and patch know no other); the last may have no end. Lines that lie whole
in a span of the original are unchanged; what stands between them was replaced. Bytes go through unidiff as latin-1, one
character each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from unidiff.patch import Hunk, Line, PatchedFile, PatchInfo, PatchSet

from asyncfix.apply import Original, Pieces, text
from asyncfix.model import Value

CONTEXT = 3  # lines round a change; without any, git applies a patch in the wrong place
NO_NEWLINE = Line(" No newline at end of file\n", "\\")
ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


class PatchInput(Value, frozen=True):
    """One file of a patch.

    path    POSIX, relative to the root that the patch counts from
    old     None: the file is created, with the bytes of ``pieces``
    mode    of a created file, as git writes it
    """

    path: str
    old: bytes | None
    pieces: Pieces
    mode: str = "100644"


class Gap(NamedTuple):
    """Whole lines that were replaced; ``line`` is the number, from 0, of the first one in the old file."""

    line: int
    removed: Sequence[bytes]
    added: Sequence[bytes]

    @property
    def end(self) -> int:
        return self.line + len(self.removed)


def render(items: Iterable[PatchInput]) -> bytes:
    """One patch for all files that changed, sorted by path; empty if none did."""
    patch = PatchSet("")
    patch.extend(
        patched for item in sorted(items, key=lambda item: item.path) if (patched := file_patch(item)) is not None
    )
    return str(patch).encode("latin-1")


def file_patch(item: PatchInput) -> PatchedFile | None:
    """The patch of one file, None if its bytes are the same. A file that is created empty has no hunks."""
    if item.old is not None and text(item.pieces, item.old) == item.old:
        return None
    patched = _header(item)
    lines = _lines(item.old or b"")
    shift = 0
    for group in _grouped(gaps(item.old or b"", item.pieces), 2 * CONTEXT):
        hunk = _hunk(lines, group, shift)
        if not hunk.is_valid():
            raise ValueError(f"{item.path}: the lines of a hunk do not add up: {hunk!r}")
        patched.append(hunk)
        shift += hunk.added - hunk.removed
    return patched


def gaps(old: bytes, pieces: Pieces) -> Iterator[Gap]:
    """What was replaced, in whole lines that differ at both ends."""
    done, line, at_line_start = 0, 0, True
    pending: list[bytes] = []
    for piece in pieces:
        if not isinstance(piece, Original):
            pending.append(piece.text)
            at_line_start = piece.text.endswith(b"\n")
            continue
        start, end = piece.span.start, piece.span.end
        first, last = _whole_lines(old, start, end, at_line_start)
        if first < last:
            yield from _trimmed(line, old[done:first], b"".join([*pending, old[start:first]]))
            line += old.count(b"\n", done, last)
            done, start = last, last
            pending = []
        pending.append(old[start:end])
        at_line_start = old[end - 1 : end] == b"\n"
    yield from _trimmed(line, old[done:], b"".join(pending))


def _whole_lines(old: bytes, start: int, end: int, at_line_start: bool) -> tuple[int, int]:
    """The range of ``old[start:end]`` whose lines are lines of both texts; it is no range if there are none.

    A line without an end is never among them: if it is the last of both texts, it is equal at the end of the last gap.
    """
    first = start
    if not at_line_start or (start and old[start - 1 : start] != b"\n"):
        first = (old.find(b"\n", start, end) + 1) or end
    return first, old.rfind(b"\n", first, end) + 1


def _trimmed(line: int, removed: bytes, added: bytes) -> Iterator[Gap]:
    """The gap that begins after ``line`` lines and some that are equal, without the equal ones; none if all are."""
    before, after = _lines(removed), _lines(added)
    head = _equal(zip(before, after, strict=False))
    tail = _equal(zip(reversed(before[head:]), reversed(after[head:]), strict=False))
    gap = Gap(line + head, before[head : len(before) - tail], after[head : len(after) - tail])
    if gap.removed or gap.added:
        yield gap


def _equal(pairs: Iterable[tuple[bytes, bytes]]) -> int:
    """How many pairs are equal before the first that is not."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _lines(data: bytes) -> list[bytes]:
    """The lines with their ends."""
    *whole, rest = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def _grouped(gaps: Iterable[Gap], reach: int) -> Iterator[list[Gap]]:
    """Gaps with at most ``reach`` lines between them go together."""
    group: list[Gap] = []
    for gap in gaps:
        if group and gap.line - group[-1].end > reach:
            yield group
            group = []
        group.append(gap)
    if group:
        yield group


def _hunk(lines: Sequence[bytes], group: Sequence[Gap], shift: int) -> Hunk:
    """One hunk; ``shift`` is how many more lines the earlier hunks made. An empty side starts at the line before it."""
    start, end = max(group[0].line - CONTEXT, 0), min(group[-1].end + CONTEXT, len(lines))
    grown = sum(len(gap.added) - len(gap.removed) for gap in group)
    old_length, new_length = end - start, end - start + grown
    hunk = Hunk(start + bool(old_length), old_length, start + shift + bool(new_length), new_length)
    for gap in group:
        hunk.extend(_printed(" ", lines[start : gap.line]))
        hunk.extend(_printed("-", gap.removed))
        hunk.extend(_printed("+", gap.added))
        start = gap.end
    hunk.extend(_printed(" ", lines[start:end]))
    return hunk


def _printed(kind: str, lines: Sequence[bytes]) -> Iterator[Line]:
    for line in lines:
        if line.endswith(b"\n"):
            yield Line(line.decode("latin-1"), kind)
        else:
            yield Line(line.decode("latin-1") + "\n", kind)
            yield NO_NEWLINE


def _header(item: PatchInput) -> PatchedFile:
    """The head of a file's patch: with ``diff --git``, without which nobody can tell an empty file from none."""
    tab = "\t" if " " in item.path else ""
    old, new = _quoted("a/" + item.path), _quoted("b/" + item.path)
    if item.old is not None:
        return PatchedFile(PatchInfo([f"diff --git {old} {new}\n"]), old + tab, new + tab)
    if text(item.pieces, b""):
        info = PatchInfo([f"diff --git {old} {new}\n", f"new file mode {item.mode}\n"])
    else:
        info = _empty_file_info(item)
    return PatchedFile(info, "/dev/null", new + tab, target_mode=item.mode)


def _empty_file_info(item: PatchInput) -> PatchInfo:
    """The head of an empty new file, without a body: here `patch` wants blanks in quotes, and an index to reverse."""
    old, new = _quoted("a/" + item.path, plain="!"), _quoted("b/" + item.path, plain="!")
    return PatchInfo([f"diff --git {old} {new}\n", f"new file mode {item.mode}\n", "index 0000000..e69de29\n"])


def _quoted(path: str, plain: str = " ") -> str:
    """A path as git prints it: in C quotes if it holds a byte that has an escape, or one below ``plain``."""
    escaped = "".join(map(_escaped, path.encode("utf-8", "surrogateescape")))
    return path if escaped == path and min(path) >= plain else f'"{escaped}"'


def _escaped(byte: int) -> str:
    if byte in ESCAPES:
        return "\\" + ESCAPES[byte]
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
