"""``list`` of a generator expression that is to await: a comprehension."""

from __future__ import annotations

from asyncfix import looping
from asyncfix.model import Edit, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    return looping.in_place_of(writing, use.span, "[]")
