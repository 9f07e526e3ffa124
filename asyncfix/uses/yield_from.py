"""``yield from`` something that stays as it is, in a generator that turned async: a loop that yields each."""

from __future__ import annotations

from asyncfix.looping import expanded
from asyncfix.model import Edit, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    return expanded(writing, use.span, "for")
