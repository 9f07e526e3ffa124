"""Patches read off pieces, and what git and patch make of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncfix.apply import New, Pieces, edit, text, untouched
from asyncfix.model import Replace, Span
from asyncfix.patch import PatchInput, file_patch, render

MARK = b"\\ No newline at end of file\n"
BITS = ["a", "b", "def f():", "    ", "\n", "\n", "\n", "\r\n", "\r", "\f", "\x85", "é", "-- x", "++ y", "@@ -1 +1 @@"]
NAMES = [
    "plain.py",
    "with blank.py",
    "ünïcode/日本.py",
    'quo"te.py',
    "back\\slash.py",
    "tab\there.py",
    "new\nline.py",
    " lead and trail .py",
    "x b/x",
    "a b/ü c.py",
]


def lines(data: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def numbered(count: int) -> bytes:
    return b"".join(b"%d\n" % number for number in range(1, count + 1))


def changed(old: bytes, *replaces: tuple[int, int, str], path: str = "f.py") -> PatchInput:
    """A file after Replaces at byte offsets."""
    edits = [Replace(Span(start, end), added) for start, end, added in replaces]
    return PatchInput(path, old, edit(untouched(old), edits, "utf-8", b"\n"))


def at_line(old: bytes, number: int, added: str) -> tuple[int, int, str]:
    """A Replace of one line, without its end."""
    start = sum(map(len, lines(old)[: number - 1]))
    return start, start + len(lines(old)[number - 1].rstrip(b"\r\n")), added


def created(path: str, content: bytes, mode: str = "100644") -> PatchInput:
    return PatchInput(path, None, (New(content, 0),) if content else (), mode)


def body(item: PatchInput) -> bytes:
    """The patch of a changed file behind its head."""
    patch = render([item])
    assert patch.startswith(b"diff --git a/f.py b/f.py\n--- a/f.py\n+++ b/f.py\n@@ ")
    return patch[patch.index(b"@@ ") :]


def replayed(old: bytes, hunks: bytes) -> bytes:
    """The new bytes, by a reader of patches that insists on every number and every line."""
    before, after, at = lines(old), list[bytes](), 0
    for entry in re.findall(rb"[^\n]*\n(?:\\ No newline at end of file\n)?", hunks):
        kind, line = entry[:1], entry[1:].removesuffix(b"\n" + MARK)
        if kind == b"@":
            start, length, new_start, new_length = map(int, re.findall(rb"\d+", line)[:4])
            begin = start - bool(length)
            after += before[at:begin]
            at = begin
            assert len(after) == new_start - bool(new_length)
        if kind in (b" ", b"-"):
            assert before[at] == line
            at += 1
        if kind in (b" ", b"+"):
            after.append(line)
    return b"".join(after + before[at:])


# ------------------------------------------------------------------------------------------------------------- examples


def test_a_changed_file() -> None:
    """Three lines of context, and what was before it above what is now."""
    old = numbered(9)
    assert render([changed(old, at_line(old, 5, "five"), path="pkg/mod.py")]) == (
        b"diff --git a/pkg/mod.py b/pkg/mod.py\n--- a/pkg/mod.py\n+++ b/pkg/mod.py\n"
        b"@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
    )


def test_what_did_not_change_has_no_patch() -> None:
    """Nor have edits that cancel out, or write what was there."""
    assert render([]) == b""
    assert file_patch(PatchInput("f.py", b"a\n", untouched(b"a\n"))) is None
    assert file_patch(PatchInput("f.py", b"", ())) is None
    assert render([changed(b"a\nb\n", (0, 2, ""), (4, 4, "")), changed(b"aa", (0, 1, ""), (2, 2, "a"))]) != b""
    assert render([changed(b"aa", (0, 1, ""), (2, 2, "a")), changed(b"ab", (0, 1, "a"))]) == b""


def test_equal_lines_at_the_ends_of_new_text_are_context() -> None:
    """A block that was written anew shows only what differs."""
    item = changed(b"a\nb\nc\nd\n", (0, 8, "a\nB\nB\nd\n"))
    assert body(item) == b"@@ -1,4 +1,4 @@\n a\n-b\n-c\n+B\n+B\n d\n"
    assert body(changed(b"a\na\n", (0, 4, "a\na\na\n"))) == b"@@ -1,2 +1,3 @@\n a\n a\n+a\n"


def test_two_edits_of_one_line_are_one_change() -> None:
    """As are edits of lines that touch."""
    assert body(changed(b"f(a, b)\n", (2, 3, "x"), (5, 6, "y"))) == b"@@ -1,1 +1,1 @@\n-f(a, b)\n+f(x, y)\n"
    assert body(changed(b"a\nb\n", (0, 1, "x"), (2, 3, "y"))) == b"@@ -1,2 +1,2 @@\n-a\n-b\n+x\n+y\n"


@pytest.mark.parametrize(("second", "hunks"), [(8, 1), (9, 1), (10, 2)])
def test_changes_whose_context_touches_are_one_hunk(second: int, hunks: int) -> None:
    """Up to six lines may lie between them."""
    old = numbered(20)
    patched = file_patch(changed(old, at_line(old, 2, "x"), at_line(old, second, "y")))
    assert patched is not None
    assert len(patched) == hunks
    assert all(hunk.is_valid() for hunk in patched)


def test_later_hunks_start_where_earlier_ones_moved_them() -> None:
    """By the lines that came and went."""
    old = numbered(30)
    patched = file_patch(changed(old, at_line(old, 2, "x\ny\nz"), (30, 36, ""), at_line(old, 27, "y")))
    assert patched is not None
    places = [(hunk.source_start, hunk.source_length, hunk.target_start, hunk.target_length) for hunk in patched]
    assert places == [(1, 5, 1, 7), (11, 8, 13, 6), (24, 7, 24, 7)]


def test_an_insertion_between_two_lines() -> None:
    """It takes no line away."""
    assert body(changed(b"a\nb\n", (2, 2, "x\n"))) == b"@@ -1,2 +1,3 @@\n a\n+x\n b\n"


@pytest.mark.parametrize(
    ("old", "replaced", "expected"),
    [
        pytest.param(b"a\nb", (0, 1, "x"), b"@@ -1,2 +1,2 @@\n-a\n+x\n b\n" + MARK, id="context"),
        pytest.param(b"a\nb", (2, 3, "x"), b"@@ -1,2 +1,2 @@\n a\n-b\n" + MARK + b"+x\n" + MARK, id="stays away"),
        pytest.param(b"a\nb", (3, 3, "\n"), b"@@ -1,2 +1,2 @@\n a\n-b\n" + MARK + b"+b\n", id="comes"),
        pytest.param(b"a\nb\n", (3, 4, ""), b"@@ -1,2 +1,2 @@\n a\n-b\n+b\n" + MARK, id="goes"),
        pytest.param(b"a\nb", (1, 3, ""), b"@@ -1,2 +1,1 @@\n-a\n-b\n" + MARK + b"+a\n" + MARK, id="moves up"),
        pytest.param(b"a", (1, 1, "\nb"), b"@@ -1,1 +1,2 @@\n-a\n" + MARK + b"+a\n+b\n" + MARK, id="moves down"),
        pytest.param(b"a\nb\nc", (1, 4, ""), b"@@ -1,3 +1,1 @@\n-a\n-b\n-c\n" + MARK + b"+ac\n" + MARK, id="joined"),
    ],
)
def test_a_file_without_a_last_newline(old: bytes, replaced: tuple[int, int, str], expected: bytes) -> None:
    """A marker follows each line without an end, and a line that gains or loses its end changes."""
    assert body(changed(old, replaced)) == expected


def test_edits_that_a_missing_newline_makes_adjacent() -> None:
    """One line is inserted before the last one, which gets an end, and another behind it."""
    item = changed(b"a\nb", (2, 2, "x\n"), (3, 3, "\ny"))
    assert body(item) == b"@@ -1,2 +1,4 @@\n a\n-b\n" + MARK + b"+x\n+b\n+y\n" + MARK


def test_an_empty_side_starts_at_the_line_before() -> None:
    """A file that is filled, and one that is emptied."""
    assert body(changed(b"", (0, 0, "x\n"))) == b"@@ -0,0 +1,1 @@\n+x\n"
    assert body(changed(b"x\ny\n", (0, 4, ""))) == b"@@ -1,2 +0,0 @@\n-x\n-y\n"


def test_only_a_newline_ends_a_line() -> None:
    """Not a form feed, a lone CR, NEL or U+2028; a CR before the newline is part of the line."""
    old = "a\r\n\fb\rc\x85d\u2028e\r\nf\r\n".encode()
    item = changed(old, at_line(old, 3, "g"))
    assert body(item) == "@@ -1,3 +1,3 @@\n a\r\n \fb\rc\x85d\u2028e\r\n-f\r\n+g\r\n".encode()


def test_bytes_that_are_no_text_go_through() -> None:
    """Whatever the encoding of the file."""
    old = bytes(range(11, 256)) + b"\nx\n"
    assert body(changed(old, at_line(old, 2, "y"))) == b"@@ -1,2 +1,2 @@\n " + old[:-3] + b"\n-x\n+y\n"


@pytest.mark.parametrize(
    ("path", "head"),
    [
        ("a.py", b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@"),
        ("a b.py", b"diff --git a/a b.py b/a b.py\n--- a/a b.py\t\n+++ b/a b.py\t\n@@"),
        ("é.py", rb'diff --git "a/\303\251.py" "b/\303\251.py"' b"\n--- " rb'"a/\303\251.py"' b"\n+++ "),
        ('"\\\t\n\x7f', rb'diff --git "a/\"\\\t\n\177" "b/\"\\\t\n\177"' b"\n"),
        ("é b.py", rb'diff --git "a/\303\251 b.py" "b/\303\251 b.py"' b"\n--- " rb'"a/\303\251 b.py"' b"\t\n"),
        ("\udce9.py", rb'diff --git "a/\351.py" "b/\351.py"' b"\n"),
    ],
    ids=["plain", "blank", "not ASCII", "special", "blank, not ASCII", "not UTF-8"],
)
def test_paths_are_printed_as_git_prints_them(path: str, head: bytes) -> None:
    """In C quotes where a byte is odd, and with a tab behind one that holds a blank."""
    assert render([changed(b"a", (0, 1, "b"), path=path)]).startswith(head)


def test_new_files() -> None:
    """They come from nothing, with a mode; of an empty one there is only the head."""
    assert render([created("new.py", b"x\ny", "100755")]) == (
        b"diff --git a/new.py b/new.py\nnew file mode 100755\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1,2 @@\n+x\n+y\n"
        + MARK
    )
    assert render([created("new.py", b""), created("my new.py", b"")]) == (
        b'diff --git "a/my new.py" "b/my new.py"\nnew file mode 100644\nindex 0000000..e69de29\n'
        b"diff --git a/new.py b/new.py\nnew file mode 100644\nindex 0000000..e69de29\n"
    )


def test_files_are_sorted_by_path() -> None:
    """In whatever order they come."""
    items = [created(path, b"x\n") for path in ("b.py", "a/z.py", "a.py")]
    assert re.findall(rb"\+\+\+ b/(.*)", render(items)) == [b"a.py", b"a/z.py", b"b.py"]
    assert render(items) == render(reversed(items))


# ----------------------------------------------------------------------------------------------------------- properties


@st.composite
def contents(draw: st.DrawFn) -> tuple[bytes, Pieces]:
    """Old bytes, and pieces after two rounds of edits."""
    encoding = draw(st.sampled_from(["utf-8", "latin-1"]))
    old = "".join(draw(st.lists(st.sampled_from(BITS), max_size=40))).encode(encoding)
    pieces = untouched(old)
    for _ in range(2):
        size = len(text(pieces, old))
        cuts = sorted(draw(st.lists(st.integers(0, size), max_size=6)))
        texts = [draw(st.sampled_from(["", "x", "\n", "x\ny", "a\n", "\r", "é"])) for _ in cuts[1::2]]
        replaces = [Replace(Span(a, b), added) for a, b, added in zip(cuts[::2], cuts[1::2], texts, strict=False)]
        pieces = edit(pieces, replaces, encoding, b"\n")
    return old, pieces


@given(contents())
def test_a_patch_read_strictly_gives_exactly_the_new_bytes(content: tuple[bytes, Pieces]) -> None:
    """Each line stands at the number that the hunk says; unchanged files have none."""
    old, pieces = content
    patched = file_patch(PatchInput("f.py", old, pieces))
    if patched is None:
        assert text(pieces, old) == old
    else:
        assert patched.added or patched.removed
        hunks = "".join(map(str, patched)).encode("latin-1")
        assert replayed(old, hunks) == text(pieces, old)


def items() -> st.SearchStrategy[list[PatchInput]]:
    """Files with odd names, a third of them new."""

    def with_names(found: Sequence[tuple[bytes, Pieces]]) -> Iterator[PatchInput]:
        for number, (old, pieces) in enumerate(found):
            path = f"{number}/{NAMES[number % len(NAMES)]}"
            yield created(path, text(pieces, old)) if number % 3 == 0 else PatchInput(path, old, pieces)

    return st.lists(contents(), min_size=5, max_size=30).map(lambda found: list(with_names(found)))


def tree(root: Path) -> dict[str, bytes]:
    """The files under a folder."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def run(root: Path, patch: bytes, *command: str) -> None:
    """Feed the patch to a command that knows nothing of the configuration of this machine."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "POSIXLY", "PATCH_"))
    }
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
    }
    done = subprocess.run(command, cwd=root, input=patch, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def there_and_back(found: Sequence[PatchInput], forward: Sequence[Sequence[str]], back: Sequence[str]) -> None:
    """Lay the old files out, apply the patch of all of them, compare, take it back, compare."""
    patch = render(found)
    before = {item.path: item.old for item in found if item.old is not None}
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "tree"
        root.mkdir()
        for path, old in before.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(old)
        if not patch:
            return
        for command in forward:
            run(root, patch, *command)
        assert tree(root) == {item.path: text(item.pieces, item.old or b"") for item in found}
        run(root, patch, *back)
        assert tree(root) == before


def by_git(found: Sequence[PatchInput]) -> None:
    there_and_back(found, [("git", "apply", "--check"), ("git", "apply")], ("git", "apply", "-R"))


def by_patch(found: Sequence[PatchInput]) -> None:
    command = ("patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch")
    there_and_back(found, [(*command, "--dry-run"), command], (*command, "-R"))


with_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
with_patch = pytest.mark.skipif(shutil.which("patch") is None, reason="patch is not installed")


@with_git
@settings(max_examples=25)
@given(items())
def test_git_applies_one_patch_of_many_files_and_takes_it_back(found: list[PatchInput]) -> None:
    """To exactly the new bytes, and to exactly the old ones."""
    by_git(found)


@with_patch
@settings(max_examples=25)
@given(items())
def test_patch_applies_one_patch_of_many_files_and_takes_it_back(found: list[PatchInput]) -> None:
    """To exactly the new bytes, and to exactly the old ones."""
    by_patch(found)


def odd_files() -> list[PatchInput]:
    """Under each odd name one file that changes, is filled, emptied, new, and new but empty."""
    return [
        item
        for name in NAMES
        for item in (
            changed(b"a\r\n\fb\rc", (0, 1, "x"), path=f"changed/{name}"),
            changed(b"", (0, 0, "x\n"), path=f"filled/{name}"),
            changed(b"a\nb", (0, 3, ""), path=f"emptied/{name}"),
            created(f"new/{name}", b"x"),
            created(f"empty/{name}", b""),
        )
    ]


@with_git
def test_git_reads_every_name_and_kind_of_file() -> None:
    """Also at the top."""
    by_git([*odd_files(), *(created(name, b"") for name in NAMES)])


@with_patch
def test_patch_reads_every_name_and_kind_of_file() -> None:
    """Also at the top."""
    by_patch([*odd_files(), *(created(name, b"") for name in NAMES)])
