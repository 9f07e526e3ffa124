"""What colouring answers where it cannot go on, and what limits it beside the code itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asyncfix.link.doubles import Doubles
from asyncfix.link.given import Given
from asyncfix.link.index import ProjectIndex
from asyncfix.link.namesakes import Namesakes
from asyncfix.link.patches import Patch
from asyncfix.link.wrapping import Wrappings


@dataclass(frozen=True, slots=True)
class Barrier:
    """Why a function may not turn: a stable code, the place, and a sentence.

    ``function``: the one that may not turn, or of which a call is none to await.
    """

    code: str
    path: str
    line: int
    why: str
    function: str = ""


@dataclass(slots=True)
class Barriers:
    """All barriers on the way up from a leaf, for what can be said beside that there is one.

    own    of functions, by function: worked out once for many leaves
    calls  those that calls are where they stand
    """

    own: dict[str, tuple[Barrier, ...]] = field(default_factory=lambda: dict[str, tuple[Barrier, ...]]())
    calls: list[Barrier] = field(default_factory=lambda: list[Barrier]())


@dataclass(frozen=True, slots=True)
class Rules:
    """What limits colouring beside the code itself.

    pins          qualified names that stay sync
    entry_points  functions that a build file names
    named         functions that settings or templates name, by which these come to call them, with the places
    replaced      what replaces a function by something that stays sync
    closed        files that may not be edited; closed_lines: lines likewise
    doubles       objects that take the place of others
    wrappings     decorators of the project
    caches        async-lru is there, or may be asked for, for what is cached
    given         objects that are given to who does not say what it takes
    namesakes     what calls of objects that are not known are taken for, in a migration
    target        the oldest Python that the project supports
    socketless    the file by which tests run without sockets, '' if there is none
    examined      files whose examples in docstrings are run
    """

    pins: frozenset[str]
    entry_points: frozenset[str]
    named: Mapping[str, tuple[tuple[str, int], ...]]
    replaced: Mapping[str, tuple[Patch, ...]]
    closed: frozenset[str]
    closed_lines: Mapping[str, frozenset[int]]
    target: tuple[int, int]
    doubles: Doubles
    wrappings: Wrappings
    given: Given
    namesakes: Namesakes
    caches: bool
    socketless: str
    examined: frozenset[str]


def mixed_family(index: ProjectIndex, name: str) -> Barrier:
    """Of methods that override each other, some give their values asynchronously."""
    why = f"of {name} and the methods that override it only some are generators"
    return Barrier("mixed-family", index.path(name), index.fact(name).line, why, name)


def iterator_made(index: ProjectIndex, name: str) -> Barrier:
    """An iterator comes from a call that would have to wait for nothing."""
    why = f"{name} gives an iterator that it makes in one step, which nothing can wait for"
    return Barrier("iterator-made", index.path(name), index.fact(name).line, why, name)


def passed_on(index: ProjectIndex, name: str, given: str) -> Barrier:
    """A function gives what turns async in some cases only, or does more than that."""
    why = f"{name} gives what a {given} gives that would turn async, but does other things, too"
    return Barrier("generator-passed-on", index.path(name), index.fact(name).line, why, name)


def mixed_with(path: str, line: int, function: str = "") -> Barrier:
    """A ``with`` statement would have to be two."""
    why = f"one `with` enters what turns async and what does not ({path}:{line})"
    return Barrier("mixed-with", path, line, why, function)
