"""What colouring answers where it cannot go on, and what limits it beside the code itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asyncfix.link.doubles import Doubles
from asyncfix.link.patches import Patch


@dataclass(frozen=True, slots=True)
class Barrier:
    """Why a function may not turn: a stable code, the place, and a sentence."""

    code: str
    path: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What limits colouring beside the code itself.

    pins          qualified names that stay sync
    entry_points  functions that a build file names
    replaced      what replaces a function by something that stays sync
    closed        files that may not be edited; closed_lines: lines likewise
    doubles       objects that take the place of others
    target        the oldest Python that the project supports
    """

    pins: frozenset[str]
    entry_points: frozenset[str]
    replaced: Mapping[str, tuple[Patch, ...]]
    closed: frozenset[str]
    closed_lines: Mapping[str, frozenset[int]]
    target: tuple[int, int]
    doubles: Doubles
