"""A generator expression that is to await, given to what needs an iterable: a list comprehension."""

from __future__ import annotations

from asyncfix import looping
from asyncfix.model import Edit, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    return looping.bracketed(writing, use.span)
