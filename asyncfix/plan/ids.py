"""Ids of Changes: they survive that other Changes land, and that lines move.

A Change goes by its rule, the function, and what is called there, not by where: landed Changes turn functions round it
async, and what they have mended in its own function still counts among calls of the same kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from asyncfix.link.index import ProjectIndex
from asyncfix.model import Argument, Call

IN_THREAD = "to_thread"


@dataclass(slots=True)
class Ids:
    """Makes ids; the calls of a file are looked at once."""

    index: ProjectIndex
    _calls: dict[str, tuple[tuple[int, str], ...]] = field(
        default_factory=lambda: dict[str, tuple[tuple[int, str], ...]]()
    )

    def of(self, rule: str, function: str, call: Call, callee: str = "") -> str:
        """The id for one call of a function; ``callee``: what it runs, if that is a function of the project."""
        same = signature(call)
        start = self.index.fact(function).span.start
        before = {
            at
            for at, other in self._in_file(self.index.path(function))
            if start <= at < call.span.start and other == same
        }
        key = "\0".join((rule, function, callee, same, str(len(before))))
        return hashlib.sha256(key.encode()).hexdigest()[:8]

    def _in_file(self, path: str) -> tuple[tuple[int, str], ...]:
        """Where the calls of a file start, those in nested functions too: a landed Change may have put one there."""
        if path not in self._calls:
            functions = self.index.summaries[path].functions
            self._calls[path] = tuple((call.span.start, signature(call)) for item in functions for call in item.calls)
        return self._calls[path]


def signature(call: Call) -> str:
    """What a call calls and with what: the same for ``get(url)``, ``await to_thread(get, url)`` and ``await get(url)``."""
    last, given = _last(call.targets[0]), call.arguments
    if last == IN_THREAD and given:
        last, given = _last(given[0].ref), given[1:]
    return ", ".join((last, *_written(given)))


def _written(arguments: Sequence[Argument]) -> Sequence[str]:
    return [f"{item.keyword}={item.literal or item.name or item.ref}".replace("~", "") for item in arguments]


def _last(ref: str) -> str:
    return ref.replace("~", "").rpartition(".")[2].lstrip(":")
