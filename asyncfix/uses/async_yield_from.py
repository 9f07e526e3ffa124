"""``yield from`` what turned async: a loop that goes through it and yields each."""

from __future__ import annotations

import ast

from asyncfix.looping import expanded
from asyncfix.model import Edit, Use
from asyncfix.transform import CannotWrite, Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    given = writing.around(use.span)[0]
    if not isinstance(given, ast.YieldFrom):
        raise CannotWrite("expected a `yield from`")
    return expanded(writing, writing.source.span(given), "async for")
