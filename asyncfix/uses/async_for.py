"""A ``for`` statement over what turned async: ``async for``."""

from __future__ import annotations

import ast

from asyncfix.looping import asynchronous
from asyncfix.model import Edit, Span, Use
from asyncfix.transform import CannotWrite, Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    loop = writing.around(use.span)[0]
    if not isinstance(loop, ast.For):
        raise CannotWrite("expected a for statement")
    start = writing.source.span(loop).start
    return asynchronous(writing, Span(start, start + len("for")), use.span)
