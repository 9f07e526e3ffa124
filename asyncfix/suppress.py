"""Comments that keep asyncfix away: which findings and edits they stop, and which of them stop nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from asyncfix.config import nearest
from asyncfix.model import Finding, Place, Span, Summary, Suppression

UNUSED = "unused-suppression"


@dataclass(slots=True)
class Suppressions:
    """The suppressions of all files, and which of them were met (path, line)."""

    by_path: Mapping[str, tuple[Suppression, ...]]
    met: set[tuple[str, int]] = field(default_factory=lambda: set[tuple[str, int]]())

    def stops(self, path: str, first: int, last: int, rule: str) -> bool:
        """Whether a finding or an edit of ``rule`` on these lines is suppressed; remembers the comments that do it."""
        stopped = False
        for item in self.by_path.get(path, ()):
            if item.line == 0 or (first <= item.line <= last and (not item.rules or rule in item.rules)):
                self.met.add((path, item.line))
                stopped = True
        return stopped

    def closed_lines(self) -> Mapping[str, frozenset[int]]:
        """Lines that no rule may edit."""
        return {
            path: frozenset(item.line for item in items if item.line and not item.rules)
            for path, items in self.by_path.items()
        }

    def closed_files(self) -> frozenset[str]:
        """Files that no rule may edit."""
        return frozenset(path for path, items in self.by_path.items() if any(item.line == 0 for item in items))

    def unused(self, paths: Collection[str], rules: Mapping[str, bool], selected: Collection[str]) -> Iterator[Finding]:
        """A finding for every comment in ``paths`` that stopped nothing, if all that it could stop was ``selected``.

        ``rules``: the names of all rules, with whether they are on by default.
        """
        default = [name for name, on in rules.items() if on]
        for path, items in sorted(self.by_path.items()):
            for item in items if path in paths else ():
                meant = [name for name in item.rules if name in rules] if item.rules else default
                if (path, item.line) not in self.met and all(name in selected for name in meant):
                    line = item.line or 1
                    place = Place(path, line, 1, line, 1)
                    yield Finding(
                        UNUSED, place, f"this suppression stops no finding and no edit{_no_rule(item, rules)}", "", ""
                    )


def _no_rule(item: Suppression, rules: Collection[str]) -> str:
    """What to say of a comment that names a rule which there is not."""
    for name in item.rules:
        if name not in rules:
            return f": there is no rule `{name}`, did you mean `{nearest(name, sorted(rules))}`?"
    return ""


def collect(summaries: Iterable[Summary]) -> Suppressions:
    """The suppressions of a project."""
    return Suppressions({summary.path: summary.suppressions for summary in summaries if summary.suppressions})


def lines_of(text: bytes, span: Span) -> tuple[int, int]:
    """First and last line (from 1) that a span stands on."""
    first = text.count(b"\n", 0, span.start) + 1
    return first, first + text.count(b"\n", span.start, span.end)
