"""The files of one run: their bytes as they were, their pieces as they are, and what was read in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from asyncfix import apply, cache, workers
from asyncfix.discover import Discovery, SourceFile, read
from asyncfix.model import Skipped, Summary, TextFacts
from asyncfix.summarise import decode, summarise_bytes

LIMITS = workers.Limits(seconds=30.0, memory=2 * 2**30)
FACTS = "facts 1"  # goes up when the facts of a file mean something else: cached ones are then read anew


@dataclass(slots=True)
class Workspace:
    """``original``: bytes on disk (None for a file that the run creates). ``pieces``: what has become of the changed ones."""

    root: Path
    discovery: Discovery
    processes: int
    use_cache: bool
    original: dict[str, bytes | None] = field(default_factory=lambda: dict[str, bytes | None]())
    pieces: dict[str, apply.Pieces] = field(default_factory=lambda: dict[str, apply.Pieces]())
    skipped: dict[str, Skipped] = field(default_factory=lambda: dict[str, Skipped]())
    _facts: dict[str, Summary | TextFacts] = field(default_factory=lambda: dict[str, Summary | TextFacts]())
    _stale: set[str] = field(default_factory=lambda: set[str]())

    def load(self) -> None:
        """Read every file; what cannot be read is skipped."""
        for item in self.discovery.files:
            data = read(self.root, item)
            if isinstance(data, Skipped):
                self.skipped[item.path] = data
            else:
                self.original[item.path] = data
                self._stale.add(item.path)

    def current(self, path: str) -> bytes:
        """A file's bytes as they are now."""
        original = self.original[path] or b""
        pieces = self.pieces.get(path)
        return original if pieces is None else apply.text(pieces, original)

    def editable(self) -> frozenset[str]:
        return frozenset(item.path for item in self.discovery.files if item.editable)

    def update(self, changed: Mapping[str, apply.Pieces]) -> None:
        """Take over new pieces of some files, which are then read anew."""
        for path, pieces in changed.items():
            self.original.setdefault(path, None)
            self.pieces[path] = pieces
            self._stale.add(path)

    def facts(self) -> tuple[list[Summary], list[TextFacts]]:
        """The facts of all files as they are now."""
        self._summarise()
        found = [self._facts[path] for path in sorted(self._facts)]
        return [item for item in found if isinstance(item, Summary)], [item for item in found if isinstance(item, TextFacts)]

    def _summarise(self) -> None:
        kinds = {item.path: item.kind for item in self.discovery.files}
        known = cache.load(self.root, FACTS) if self.use_cache else {}
        paths = sorted(self._stale)
        keys = {path: cache.key(path, self.current(path)) for path in paths} if self.use_cache else {}
        missing = [path for path in paths if keys.get(path) not in known]
        items = [msgspec.msgpack.encode((path, kinds.get(path, "python"), self.current(path))) for path in missing]
        fresh: dict[str, bytes] = {}
        for path, result in zip(missing, self.work(summarise_bytes, items), strict=True):
            if isinstance(result, workers.Failure):
                self._facts.pop(path, None)
                self.skipped[path] = Skipped(path, result.reason, path in self.editable())
            else:
                fresh[path] = result
        for path in paths:
            encoded = fresh.get(path) or known.get(keys.get(path, ""))
            if encoded is not None:
                self._keep(path, decode(encoded))
        if self.use_cache and fresh:
            cache.save(self.root, FACTS, known | {keys[path]: encoded for path, encoded in fresh.items()})
        self._stale.clear()

    def _keep(self, path: str, facts: Summary | TextFacts) -> None:
        self._facts[path] = facts
        if isinstance(facts, TextFacts) and facts.reason:
            self.skipped[path] = Skipped(path, facts.reason, path in self.editable())

    def work(self, task: Callable[[bytes], bytes], items: Sequence[bytes]) -> list[bytes | workers.Failure]:
        """Run a task over items in worker processes, results in the order of the items."""
        if not items:
            return []
        return [result for _, result in workers.run(task, items, workers=self.processes, limits=LIMITS)]


def processes(wanted: int | None, files: Iterable[SourceFile]) -> int:
    """How many worker processes a run of that size deserves."""
    if wanted is not None:
        return wanted
    few = sum(item.size for item in files) < 200_000
    return 1 if few else min(os.cpu_count() or 1, 16)
