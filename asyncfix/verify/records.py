"""What the recorder wrote: the records of all processes of one run, merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from asyncfix.model import Value

T = TypeVar("T")
# From the best to the worst.
OUTCOMES = ("passed", "xpassed", "xfailed", "skipped", "not run", "failed")
GOOD = OUTCOMES[:2]


class Warned(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A warning of one of the kinds the gate looks for: ``never awaited``, ``returned``, ``unraisable``, ``unclosed``; ``file``
    is that of the test at work."""

    kind: str
    text: str
    file: str


class Record(Value, frozen=True):
    """One run; absolute paths are resolved.

    tests     collected ids, with the file of each
    outcomes  id -> one of `OUTCOMES`
    messages  why: of tests that did not pass, and of what could not be collected
    warned    in the order heard
    lines     the numbers of the lines that ran, by followed file
    modules   name -> files of those that were asked for
    """

    tests: dict[str, str] = msgspec.field(default_factory=lambda: dict[str, str]())
    outcomes: dict[str, str] = msgspec.field(default_factory=lambda: dict[str, str]())
    messages: dict[str, str] = msgspec.field(default_factory=lambda: dict[str, str]())
    warned: tuple[Warned, ...] = ()
    lines: dict[str, frozenset[int]] = msgspec.field(default_factory=lambda: dict[str, frozenset[int]]())
    modules: dict[str, frozenset[str]] = msgspec.field(default_factory=lambda: dict[str, frozenset[str]]())

    def counted(self) -> Counter[Warned]:
        """How often each warning was heard."""
        return Counter(self.warned)

    def with_outcome(self, *outcomes: str) -> frozenset[str]:
        """The ids of the tests that came to one of these."""
        return frozenset(name for name, outcome in self.outcomes.items() if outcome in outcomes)


def read(folder: Path, root: Path) -> Record:
    """All records in ``folder``. The path of the copy, ``root``, is written ``.`` in ids and messages."""
    found = (msgspec.json.decode(path.read_bytes(), type=Record) for path in sorted(folder.glob("[0-9]*.json")))
    return _merged(_portable(record, str(root)) for record in found)


def at_work(folder: Path) -> tuple[str, ...]:
    """The tests that were at work last, one for each process."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.now")))


def _portable(record: Record, root: str) -> Record:
    """The record, with ids, messages and warnings as they would be in any other copy."""

    def told(texts: dict[str, str]) -> dict[str, str]:
        return {name.replace(root, "."): text.replace(root, ".") for name, text in texts.items()}

    return msgspec.structs.replace(
        record,
        tests={name.replace(root, "."): file for name, file in record.tests.items()},
        outcomes=told(record.outcomes),
        messages=told(record.messages),
        warned=tuple(Warned(item.kind, item.text.replace(root, "."), item.file) for item in record.warned),
    )


def _merged(records: Iterable[Record]) -> Record:
    """One record of all: of two outcomes of a test the worse, since a worker that died is told by its master alone."""
    tests: dict[str, str] = {}
    outcomes: dict[str, str] = {}
    messages: dict[str, str] = {}
    warned: list[Warned] = []
    lines: dict[str, frozenset[int]] = {}
    modules: dict[str, frozenset[str]] = {}
    for record in records:
        tests |= record.tests
        for name, outcome in record.outcomes.items():
            outcomes[name] = max(outcome, outcomes.get(name, outcome), key=OUTCOMES.index)
        messages |= record.messages
        warned += record.warned
        _join(lines, record.lines)
        _join(modules, record.modules)
    return Record(tests, outcomes, messages, tuple(warned), lines, modules)


def _join(known: dict[str, frozenset[T]], more: dict[str, frozenset[T]]) -> None:
    for key, values in more.items():
        known[key] = known.get(key, frozenset()) | values
