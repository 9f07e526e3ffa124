"""Case files: Markdown whose headings are tests and whose fenced blocks are files, the diff, what is reported, a run.

A block with a title is a file of the project (```` ```python title=app.py ````). Blocks before the first heading of the
second level are files of every case of the file; a case's own file of that name goes before. Then, in any order:

    ```diff       what `--diff --unsafe` prints (`diff safe only`: without `--unsafe`), but for generated modules
    ```text       what is reported, one line a finding
    ```python run code that must print the same before and after the conversion
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HEADING = re.compile(r"## +(.+?)\s*$")
FENCE = re.compile(r"(`{3,})(.*?)\s*$")
TITLE = re.compile(r"\btitle=(\S+)")
SAFE_ONLY = "safe only"


@dataclass(frozen=True)
class Block:
    """A fenced block: what stands behind its opening fence, its text, and its lines in the file, fences included."""

    info: str
    text: str
    first: int
    last: int
    fence: str = "```"

    @property
    def title(self) -> str:
        found = TITLE.search(self.info)
        return found.group(1) if found else ""


@dataclass(frozen=True)
class Case:
    """One heading with its blocks; ``shared`` are those before the first heading. ``lines``: first, and one past the last."""

    path: Path
    name: str
    blocks: tuple[Block, ...]
    shared: tuple[Block, ...]
    lines: tuple[int, int]

    @property
    def files(self) -> dict[str, str]:
        return {block.title: block.text for block in (*self.shared, *self.blocks) if block.title}

    @property
    def diff(self) -> str:
        return self._text("diff")

    @property
    def report(self) -> str:
        return self._text("text")

    @property
    def run(self) -> str:
        return self._text("python run")

    @property
    def unsafe(self) -> bool:
        return not any(SAFE_ONLY in block.info for block in self.blocks)

    @property
    def migrates(self) -> bool:
        """The cases of ``migrate*.md`` are run with ``--migrate``."""
        return self.path.stem.startswith("migrate")

    def _text(self, kind: str) -> str:
        block = self.block(kind)
        return block.text if block else ""

    def block(self, kind: str) -> Block | None:
        """The block without a title that begins with these words."""
        return next((block for block in self.blocks if not block.title and block.info.startswith(kind)), None)


def read(path: Path) -> tuple[Case, ...]:
    """The cases of one file, in order. Raises ValueError if a block is not closed, or of a kind not known."""
    lines = path.read_text(encoding="utf-8").splitlines()
    blocks = tuple(_blocks(lines, path))
    inside = {line for block in blocks for line in range(block.first, block.last + 1)}
    starts = [line for line, text in enumerate(lines) if line not in inside and HEADING.match(text)]
    shared = tuple(block for block in blocks if not starts or block.first < starts[0])
    cases: list[Case] = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        own = tuple(block for block in blocks if start < block.first < end)
        name = lines[start].lstrip("# ").strip()
        cases.append(Case(path, name, own, shared, (start, end)))
    return tuple(cases)


def _blocks(lines: Sequence[str], path: Path) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        opening = FENCE.match(lines[at])
        if opening is None:
            at += 1
            continue
        fence, info = opening.group(1), opening.group(2).strip()
        end = next((line for line in range(at + 1, len(lines)) if lines[line].strip() == fence), None)
        if end is None:
            raise ValueError(f"{path}:{at + 1}: the block is not closed")
        if not TITLE.search(info) and info not in ("diff", f"diff {SAFE_ONLY}", "text", "python run"):
            raise ValueError(f"{path}:{at + 1}: what kind of block is {info!r}?")
        yield Block(info, "".join(f"{line}\n" for line in lines[at + 1 : end]), at, end, fence)
        at = end + 1


def refresh(path: Path, name: str, kind: str, text: str) -> None:
    """Put a new text in the block of one kind of a case; without text it has no such block."""
    case = next(case for case in read(path) if case.name == name)
    lines = path.read_text(encoding="utf-8").splitlines()
    block = case.block(kind)
    if block is None:
        end = max((block.last for block in case.blocks if block.title), default=case.lines[0])
        lines[end + 1 : end + 1] = ["", f"```{kind}", *text.splitlines(), "```"] if text else []
    elif text or block.info != kind:
        lines[block.first : block.last + 1] = [block.fence + block.info, *text.splitlines(), block.fence]
    else:
        del lines[block.first - 1 : block.last + 1]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
