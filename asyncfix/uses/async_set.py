"""``set`` of a generator that turned async: a comprehension."""

from __future__ import annotations

from asyncfix import looping
from asyncfix.model import Edit, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    if looping.is_shown(writing, use.span):
        return looping.gathered(writing, use.span)
    return looping.comprehended(writing, use.span, "{}")
