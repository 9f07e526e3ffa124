"""Ids of Changes: they survive that other Changes land, and that lines move.

A Change goes by its rule, the function, and what is called there, not by where: landed Changes turn functions round it
async, and what they have mended in its own function still counts among calls of the same kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from asyncfix.link.index import ProjectIndex
from asyncfix.model import Argument, Call, Span

IN_THREAD = "to_thread"


@dataclass(slots=True)
class Ids:
    """Makes ids; the calls of a file are looked at once."""

    index: ProjectIndex
    _calls: dict[str, dict[Span, str]] = field(default_factory=lambda: dict[str, dict[Span, str]]())
    _given: dict[str, tuple[str, str, Span, str]] = field(
        default_factory=lambda: dict[str, tuple[str, str, Span, str]]()
    )

    def of(self, rule: str, function: str, call: Call, callee: str = "") -> str:
        """The id for one call of a function; ``callee``: what it runs, if that is a function of the project."""
        span, start = call.span, self.index.fact(function).span.start
        calls = self._in_file(self.index.path(function))
        same = calls.get(span) or signature(call)  # what a call is given to run stands where that stands
        before = sum(start <= at.start < span.start and other == same for at, other in calls.items())
        key = "\0".join((rule, function, callee, same, str(before)))
        return self._own(hashlib.sha256(key.encode()).hexdigest()[:8], (rule, function, span, callee))

    def _own(self, wanted: str, what: tuple[str, str, Span, str]) -> str:
        """The id, or one like it if that is another's."""
        name, number = wanted, 2
        while self._given.setdefault(name, what) != what:
            name, number = f"{wanted}-{number}", number + 1
        return name

    def _in_file(self, path: str) -> dict[Span, str]:
        """The calls of a file, those in nested functions too: a landed Change may have put one there."""
        if path not in self._calls:
            functions = self.index.summaries[path].functions
            self._calls[path] = {call.span: signature(call) for item in functions for call in item.calls}
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
