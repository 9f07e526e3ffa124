"""What the clauses judge: the runs before and after, and what became of the statements of the files that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from asyncfix.model import Finding
from asyncfix.outcome import FileResult, Outcome
from asyncfix.verify.records import Record
from asyncfix.verify.run import Run
from asyncfix.verify.statements import Pair, Statements, pairs, statements


@dataclass(frozen=True)
class Touched:
    """A Python file that changed (``old`` is not None), and the first lines of the statements that ran before and after."""

    file: FileResult
    old: Statements
    new: Statements
    before: frozenset[int]
    after: frozenset[int]

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The statements that were replaced."""
        return tuple(pairs(self.file, self.old, self.new))


@dataclass(frozen=True)
class Evidence:
    """Two runs of the first copy and one of the second; ``roots`` are the copies, ``names`` the names of touched modules
    with their files, ``again`` the files that a second run of asyncfix would change."""

    outcome: Outcome
    baselines: tuple[Run, Run]
    changed: Run
    roots: tuple[str, str]
    names: Mapping[str, str]
    again: tuple[str, ...]

    @property
    def records(self) -> tuple[Record, Record, Record]:
        """Of all three runs."""
        first, second = self.baselines
        return first.record, second.record, self.changed.record

    @cached_property
    def touched(self) -> dict[str, Touched]:
        """By path."""
        files = (item for item in self.outcome.files if item.old is not None and item.path.endswith(".py"))
        return {item.path: self._touched(item) for item in files}

    def _touched(self, item: FileResult) -> Touched:
        first, second, after = self.records
        old, new = statements(item.old or b""), statements(item.new)
        before, copied = f"{self.roots[0]}/{item.path}", f"{self.roots[1]}/{item.path}"
        always = first.lines.get(before, frozenset()) & second.lines.get(before, frozenset())
        return Touched(item, old, new, old.ran(always), new.ran(after.lines.get(copied, frozenset())))

    @cached_property
    def tests(self) -> frozenset[str]:
        """The files that hold tests, relative to the root."""
        first = self.records[0]
        return frozenset(file.removeprefix(self.roots[0]).lstrip("/") for file in first.tests.values())

    def sites(self) -> tuple[int, int]:
        """How many blocking sites were rewritten, and of how many of them the new code ran."""
        found = {
            site for item in self.outcome.findings if item.change in self.outcome.taken for site in self._site(item)
        }
        return len(found), sum(not self.touched[path].after.isdisjoint(new) for path, new in found)

    def _site(self, finding: Finding) -> Iterator[tuple[str, frozenset[int]]]:
        """The file, and the new statements in place of the deepest step on the way to the blocking call that was rewritten."""
        place = finding.place
        for path, line in [*((hop.path, hop.line) for hop in reversed(finding.via)), (place.path, place.line)]:
            new = _written_for(self.touched[path], line) if path in self.touched else frozenset[int]()
            if new:
                yield path, new
                return


def _written_for(touched: Touched, line: int) -> frozenset[int]:
    """The new statements in place of the one on this line of the old file; none if it is as it was."""
    statement = touched.old.first.get(line)
    found = {new for pair in touched.pairs if statement in pair.old for new in pair.new}
    return frozenset(found)
