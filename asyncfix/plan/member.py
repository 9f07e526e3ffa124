"""What an await runs, reads, writes and waits for, as far as that counts where it is to overlap with others."""

from __future__ import annotations

from dataclasses import dataclass, field

from asyncfix.model import Span
from asyncfix.plan.sharing import Use


@dataclass(slots=True)
class Member:
    """What is known of one of the awaits.

    unknown  what nothing is known of; unshown: calls of which several may be on their way, and of which no more is sure
    keeping  calls that only ask, and may keep what they are given, or were told, for the next one: a client's cookies
    told     what of this, by its name, changes something for others
    objects  keys of objects that it does something unknown with; uses: of those which take one call at a time
    threads  functions that threads are given to run
    begun  bodies of modules, and of classes in them, that it imports
    clocks  calls that read the time
    asks  calls that ask somebody outside the process for something, but for files
    recursive  it runs the very function that it stands in, or something unknown of its name
    kept  functions it runs that keep what they gave; twice: of these those that may run twice at once
    sleeps  where it lets time pass; moving: what it asks for, or reads, that may be another when time has passed
    answered  calls of which a row tells what they do, by file and place; shown: those that wait, for a person
    batched  calls that ask for one thing, where another one asks for many
    against  code and reason why it may not overlap with others
    """

    waits: bool = False
    unknown: list[str] = field(default_factory=lambda: list[str]())
    unshown: list[str] = field(default_factory=lambda: list[str]())
    keeping: list[str] = field(default_factory=lambda: list[str]())
    told: list[str] = field(default_factory=lambda: list[str]())
    objects: frozenset[str] = frozenset()
    uses: list[Use] = field(default_factory=lambda: list[Use]())
    threads: set[str] = field(default_factory=lambda: set[str]())
    begun: set[str] = field(default_factory=lambda: set[str]())
    clocks: list[str] = field(default_factory=lambda: list[str]())
    asks: list[str] = field(default_factory=lambda: list[str]())
    recursive: bool = False
    kept: set[str] = field(default_factory=lambda: set[str]())
    twice: set[str] = field(default_factory=lambda: set[str]())
    sleeps: list[str] = field(default_factory=lambda: list[str]())
    moving: list[str] = field(default_factory=lambda: list[str]())
    answered: set[tuple[str, Span]] = field(default_factory=lambda: set[tuple[str, Span]]())
    batched: list[str] = field(default_factory=lambda: list[str]())
    shown: list[str] = field(default_factory=lambda: list[str]())
    against: list[tuple[str, str]] = field(default_factory=lambda: list[tuple[str, str]]())

    def add(self, other: Member) -> None:
        """Note what is noted of another piece of code, which this one runs."""
        self.waits = self.waits or other.waits
        self.unknown += other.unknown
        self.unshown += other.unshown
        self.keeping += other.keeping
        self.told += other.told
        self.objects |= other.objects
        self.uses += other.uses
        self.threads |= other.threads
        self.begun |= other.begun
        self.clocks += other.clocks
        self.asks += other.asks
        self.kept |= other.kept
        self.twice |= other.twice
        self.sleeps += other.sleeps
        self.moving += other.moving
        self.answered |= other.answered
        self.batched += other.batched
        self.shown += other.shown
        self.against += other.against

    def keep_first(self) -> None:
        """Let go of what nobody asks for once all is noted: the first of most things, and one use of each library."""
        first_only = (
            self.unknown,
            self.unshown,
            self.keeping,
            self.told,
            self.clocks,
            self.sleeps,
            self.moving,
            self.asks,
            self.batched,
        )
        for noted in (*first_only, self.against):
            del noted[1:]
        first: dict[str, Use] = {}
        for use in self.uses:
            first.setdefault(use.library, use)
        self.uses = list(first.values())
        self.shown = list(dict.fromkeys(self.shown))
        self.answered.clear()
