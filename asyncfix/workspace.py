"""The files of one run: their bytes as they were, their pieces as they are, and what was read in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import msgspec

from asyncfix import apply, cache, workers
from asyncfix.discover import Discovery, SourceFile, read
from asyncfix.model import Replace, Skipped, Summary, TextFacts
from asyncfix.source import Source
from asyncfix.summarise import decode, names_nothing, summarise_bytes

LIMITS = workers.Limits(seconds=30.0, memory=2 * 2**30)
FACTS = "facts 54"  # goes up when the facts of a file mean something else: cached ones are then read anew


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
    _surveyed: dict[bytes, bytes | workers.Failure] = field(
        default_factory=lambda: dict[bytes, bytes | workers.Failure]()
    )

    def load(self) -> None:
        """Read every file; what cannot be read is skipped."""
        for item in self.discovery.files:
            data = read(self.discovery.root, item)
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

    def edited(self, path: str, replaces: Sequence[Replace]) -> apply.Pieces:
        """The pieces of a file after edits of its current text. Raises apply.Unencodable."""
        original = self.original[path] or b""
        pieces = self.pieces.get(path) or apply.untouched(original)
        encoding = Source(path, original).encoding if self._kind(path) == "python" else "utf-8"
        return apply.edit(pieces, replaces, encoding, apply.line_ending(original))

    def _kind(self, path: str) -> str:
        return next((item.kind for item in self.discovery.files if item.path == path), "python")

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
        return [item for item in found if isinstance(item, Summary)], [
            item for item in found if isinstance(item, TextFacts)
        ]

    def _summarise(self) -> None:
        """Read the facts of stale files. The cache is used for the files as they are on disk, not for later rounds."""
        cached = self.use_cache and not self._facts
        items = {item.path: item for item in self.discovery.files}
        paths = sorted(self._stale - self._forget_empty(items))
        self._stale.clear()
        known = cache.load(self.root, FACTS) if cached else {}
        keys = {path: cache.key(path, self.current(path)) for path in paths} if cached else {}
        missing = [path for path in paths if keys.get(path) not in known]
        fresh: dict[str, bytes] = {}
        for path, result in zip(
            missing, self.results(summarise_bytes, [self._task(path, items) for path in missing]), strict=True
        ):
            if isinstance(result, bytes):
                self._keep(path, decode(result), items.get(path))
                if cached:
                    fresh[path] = result
                continue
            self._facts.pop(path, None)
            self.skipped[path] = Skipped(path, result.reason, result.bug or path in self.editable())
        for path in paths if known else ():
            if keys[path] in known:
                self._keep(path, decode(known[keys[path]]), items.get(path))
        if cached and fresh:
            cache.save(
                self.root,
                FACTS,
                {keys[path]: fresh.get(path) or known[keys[path]] for path in paths if path not in self.skipped},
            )

    def _forget_empty(self, items: Mapping[str, SourceFile]) -> set[str]:
        """The stale files that have no facts: no worker need be shown them. They may outnumber the Python files."""
        empty = {path for path in self._stale if path in items and names_nothing(items[path].kind, self.current(path))}
        for path in empty:
            self._facts.pop(path, None)
        return empty

    def _task(self, path: str, items: Mapping[str, SourceFile]) -> bytes:
        item = items.get(path)
        kind, reason = (item.kind, item.as_text) if item is not None else ("python", "")
        return msgspec.msgpack.encode((path, kind, reason, self.current(path)))

    def _keep(self, path: str, facts: Summary | TextFacts, item: SourceFile | None) -> None:
        self._facts[path] = facts
        if isinstance(facts, TextFacts) and facts.reason and not (item is not None and item.as_text):
            self.skipped[path] = Skipped(path, facts.reason, item is not None and item.editable)

    def work(self, task: Callable[[bytes], bytes], items: Sequence[bytes]) -> list[bytes | workers.Failure]:
        """Run a task over items in worker processes, results in the order of the items."""
        return list(self.results(task, items))

    def surveyed(self, task: Callable[[bytes], bytes], items: Sequence[bytes]) -> list[bytes | workers.Failure]:
        """The same of items most of which a round before had, too: only the others are run."""
        keys = [blake2b(item).digest() for item in items]
        fresh = {key: item for key, item in zip(keys, items, strict=True) if key not in self._surveyed}
        found = dict(zip(fresh, self.results(task, list(fresh.values())), strict=True))
        known = self._surveyed | found
        self._surveyed = {key: known[key] for key in keys}
        return [known[key] for key in keys]

    def results(
        self, task: Callable[[bytes], bytes], items: Sequence[bytes]
    ) -> Generator[bytes | workers.Failure, None, None]:
        """The same, one by one as they come."""
        if items:
            for _, result in workers.run(task, items, workers=self.processes, limits=LIMITS):
                yield result


def processes(wanted: int | None, files: Iterable[SourceFile]) -> int:
    """How many worker processes a run of that size deserves."""
    if wanted is not None:
        return wanted
    few = sum(item.size for item in files) < 200_000
    return 1 if few else min(os.cpu_count() or 1, 16)
