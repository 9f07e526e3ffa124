"""A generator that turned async, given to what needs an iterable: a list of all it gives."""

from __future__ import annotations

from asyncfix import looping
from asyncfix.model import Edit, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    return looping.gathered(writing, use.span)
