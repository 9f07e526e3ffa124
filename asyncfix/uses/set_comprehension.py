"""``set`` of a generator expression that is to await: a comprehension."""

from __future__ import annotations

from asyncfix import looping
from asyncfix.model import Edit, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    if looping.is_shown(writing, use.span):
        return looping.bracketed(writing, use.span)
    return looping.in_place_of(writing, use.span, "{}")
