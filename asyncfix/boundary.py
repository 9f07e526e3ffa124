"""What a boundary is: a place where a framework, and no code of the project, calls. One class in one file each.

There colouring may end: either the framework takes a coroutine function in place of a function, or the function stays as
it is and runs a coroutine to its end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from asyncfix.model import Function

ANY = "*"
VALUES = "[:]"
"""Behind a keyword: what is given under it is a mapping, and its values are meant."""
OVERRIDES = ".dependency_overrides"
"""The attribute by which tests put one dependency of FastAPI in the place of another."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A function as a framework sees it.

    decorators  canonical names (``click.command()``); what is not known is as it is written
    bases       canonical names of the bases of its class, the nearest first; foreign: those that the project does not define;
                listed: those that the class itself names
    inherited   names of the methods that the bases in the project define; beside: those that its class and the ones below do
    imports     top-level packages that its file imports
    given       canonical names of the calls that are given it, as `Boundary.takes` has them
    named       a build file names it as the function of a command
    auto        pytest-asyncio takes async tests and fixtures without a mark
    anyio       the async tests of the project are marked for anyio's plugin
    unmarked    async tests of the project have no mark: a plugin of pytest runs them that is not known
    """

    path: str
    fact: Function
    decorators: tuple[str, ...]
    bases: tuple[str, ...]
    imports: frozenset[str]
    foreign: tuple[str, ...] = ()
    listed: frozenset[str] = frozenset()
    inherited: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    named: bool = False
    auto: bool = False
    anyio: bool = False
    unmarked: bool = False

    @property
    def name(self) -> str:
        return self.fact.name


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to write beside ``async``: a kind of use, at the ``function`` or at the ``class`` round it."""

    kind: str
    at: Literal["function", "class"] = "function"


@dataclass(frozen=True, slots=True)
class Met:
    """How colouring ends at a function.

    turns         it turns async, and its framework awaits it; else it stays as it is and runs a coroutine to its end
    marks         what is to be written with it
    distribution  what the tests need installed for it
    pooled        as it is, its framework runs it in a thread, where it blocks nobody: it turns only if nothing blocks in it
                  afterwards
    iterates      of a generator: its framework goes through an asynchronous one likewise
    stays         a sentence's end on why it may neither turn nor run a coroutine, '' if it may
    rewritten     canonical names of decorators in whose place the marks write something else
    called        the kind of use by which a call of it is awaited, '' if that is the common one
    """

    turns: bool
    marks: tuple[Mark, ...] = ()
    distribution: str = ""
    pooled: bool = False
    iterates: bool = False
    stays: str = ""
    rewritten: tuple[str, ...] = ()
    called: str = ""


class Boundary(ABC):
    """Base class of all boundaries."""

    decorators: ClassVar[tuple[str, ...]] = ()
    """Decorators that leave a coroutine function what it is; with ``.*`` at the end all beneath that name."""
    bases: ClassVar[tuple[str, ...]] = ()
    """Base classes that call no method of theirs but those that the boundary meets; likewise."""
    takes: ClassVar[Mapping[str, tuple[int, str]]] = {}
    """Calls that are given a function to call later: its position (-1: by keyword only), its keyword (`ANY`: whatever)."""

    @abstractmethod
    def meets(self, candidate: Candidate) -> Met | None:
        """How colouring ends at a function, None if this framework does not call it."""


def covers(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a name is one of the patterns, or beneath one that ends in ``.*``."""
    return any(name == each or (each.endswith(".*") and name.startswith(each[:-1])) for each in patterns)
