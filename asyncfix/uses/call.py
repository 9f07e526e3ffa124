"""A call of a function that turned async: ``await`` it."""

from __future__ import annotations

from asyncfix.model import Edit, Use
from asyncfix.transform import Writing
from asyncfix.writing import awaited


def write(use: Use, writing: Writing) -> list[Edit]:
    return awaited(writing, use.span, use.tight)
