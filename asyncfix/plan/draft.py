"""A Change in the making, and what comes of it: the Change, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

from asyncfix.model import Change, Decision, Safety
from asyncfix.plan import stepping
from asyncfix.plan.leaves import Leaf

MOST_DOUBTS = 8  # said of one Change: a person reads them all


@dataclass(frozen=True, slots=True)
class Mend:
    """A Change, or the reason why there is none: ``code`` and ``why``."""

    change: Change | None
    code: str = ""
    why: str = ""


@dataclass(slots=True)
class Draft:
    """A Change in the making.

    pooled  functions that turn which their framework runs in threads while they are sync
    beside  leaves that are converted only because they block in one of those
    computing  what goes to a thread computes: no order of the outside world comes of it
    """

    decisions: list[Decision] = field(default_factory=lambda: list[Decision]())
    doubts: list[str] = field(default_factory=lambda: list[str]())
    notes: list[str] = field(default_factory=lambda: list[str]())
    keeps: set[str] = field(default_factory=lambda: set[str]())
    turns: set[str] = field(default_factory=lambda: set[str]())
    pooled: dict[str, None] = field(default_factory=lambda: dict[str, None]())

    beside: list[Leaf] = field(default_factory=lambda: list[Leaf]())
    computing: bool = False

    def absorb(self, other: Draft) -> None:
        """Take over all of another draft."""
        self.decisions += other.decisions
        self.doubts += other.doubts
        self.notes += other.notes
        self.keeps |= other.keeps
        self.turns |= other.turns
        self.pooled |= other.pooled
        self.computing = self.computing or other.computing

    def change(self, id_: str, rule: str, title: str) -> Change:
        safety: Safety = "unsafe" if self.doubts else "safe"
        doubts = list(dict.fromkeys(self.doubts))
        if len(doubts) > MOST_DOUBTS:
            doubts = [*doubts[:MOST_DOUBTS], f"and {len(doubts) - MOST_DOUBTS} more of the kind"]
        reasons = tuple(dict.fromkeys((*doubts, *self.notes)))
        return Change(
            id=id_,
            rule=rule,
            title=title,
            safety=safety,
            decisions=stepping.expanded(dict.fromkeys(self.decisions)),
            reasons=reasons,
            turns=frozenset(self.turns),
            keeps=frozenset(self.keeps),
        )
