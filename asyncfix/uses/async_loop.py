"""What is gone through by a ``for``, of a statement or of a comprehension: ``async for``."""

from __future__ import annotations

import ast

from asyncfix.model import Edit, Use
from asyncfix.transform import CannotWrite, Writing
from asyncfix.uses import async_clause, async_for


def write(use: Use, writing: Writing) -> list[Edit]:
    match writing.around(use.span)[0]:
        case ast.For():
            return async_for.write(use, writing)
        case ast.comprehension():
            return async_clause.write(use, writing)
        case _:
            raise CannotWrite("expected a `for`")
