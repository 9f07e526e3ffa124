"""The line coverage of the files that changed, before and after.

A statement counts if it runs, or if it has an original: it is unchanged, or stands in place of another. Of what is written in
place of statements of which none ran before, only as many count as there were. A statement without an original that does not
run counts where anything in its block ran before; a block without any original belongs to the statement that holds it. So what
is written for code that no test ever ran costs nothing (the gate lists it as unproven), and code that ran before and is
dead now costs its share. Where statements that ran are gone, without any others in their place, they are missing still.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from asyncfix.verify.evidence import Touched
from asyncfix.verify.statements import Block


def shares(files: Iterable[Touched]) -> tuple[float, float]:
    """Before and after, of a hundred: of all statements that count, how many ran; 100 of nothing."""
    counts = [_Counts(item) for item in files]
    before = _share((len(each.item.before), len(each.item.old.executable)) for each in counts)
    return before, _share((len(each.item.after), len(each.counted) + each.missing) for each in counts)


def _share(parts: Iterable[tuple[int, int]]) -> float:
    ran, all_ = (sum(column) for column in zip((0, 0), *parts, strict=True))
    return 100.0 * ran / all_ if all_ else 100.0


@dataclass(frozen=True)
class _Counts:
    item: Touched

    @cached_property
    def counted(self) -> frozenset[int]:
        """The first lines of the new statements that count."""
        idle = self.item.new.executable - self.item.after
        free = set(self._beyond()) | {line for line in idle & self._inserted if not self._had_run(line)}
        return self.item.new.executable - free

    @cached_property
    def missing(self) -> int:
        """How many statements that ran have gone, less those that have come without an original and run."""
        item = self.item
        replaced = {line for pair in item.pairs for line in pair.old}
        gone = {
            line
            for each in item.file.lines
            for line in item.old.among(each.old, each.removed)
            if line >= each.old and line in item.before - replaced
        }
        return max(0, len(gone) - len(self._inserted & item.after))

    @cached_property
    def _inserted(self) -> frozenset[int]:
        """New statements in place of nothing."""
        return self.item.new.executable - self._original.keys()

    @cached_property
    def _original(self) -> dict[int, frozenset[int]]:
        """The old statements of each new one that has any."""
        found: dict[int, frozenset[int]] = {}
        shift, behind = 0, 1
        for each in self.item.file.lines:
            found |= self._moved(behind, each.new, shift)
            shift, behind = each.old + each.removed - each.new - each.added, each.new + each.added
        found |= self._moved(behind, max(self.item.new.first, default=0) + 1, shift)
        return found | {line: frozenset(pair.old) for pair in self.item.pairs for line in pair.new}

    def _moved(self, start: int, stop: int, shift: int) -> dict[int, frozenset[int]]:
        """Of unchanged statements."""
        lines = (line for line in range(start, stop) if line in self.item.new.executable)
        return {line: frozenset({line + shift}) for line in lines}

    def _beyond(self) -> Iterator[int]:
        """New statements that do not run and are more than there were, in place of such as never ran."""
        for pair in self.item.pairs:
            if self.item.before.isdisjoint(pair.old):
                idle = [line for line in pair.new if line not in self.item.after]
                yield from idle[len(pair.old) :]

    def _had_run(self, line: int) -> bool:
        """Whether anything ran before in the block that a new statement was put into."""
        block = self.item.new.blocks[line]
        beside = [old for other in self._beside.get(block, ()) for old in self._original.get(other, ())]
        if beside:
            return not self.item.before.isdisjoint(beside)
        owner = block[0]
        if not owner:
            return True
        if owner not in self._original:
            return self._had_run(owner)
        held = {inner for inner, (outer, _) in self.item.old.blocks.items() if outer in self._original[owner]}
        return not self.item.before.isdisjoint(held)

    @cached_property
    def _beside(self) -> dict[Block, list[int]]:
        """The statements of each block."""
        found: dict[Block, list[int]] = {}
        for line, block in self.item.new.blocks.items():
            found.setdefault(block, []).append(line)
        return found
