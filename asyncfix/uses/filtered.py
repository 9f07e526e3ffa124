"""``filter`` by a function that turned async: a comprehension."""

from __future__ import annotations

from asyncfix import looping
from asyncfix.model import Edit, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    return looping.filtered(writing, use.span)
