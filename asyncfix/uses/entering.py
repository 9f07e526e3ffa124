"""A ``with`` statement that enters what turned async: ``async with``. The span is that of the statement."""

from __future__ import annotations

from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import CannotWrite, Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    start = use.span.start
    if not writing.source.data.startswith(b"with", start):
        raise CannotWrite("expected a `with` statement")
    return [Replace(Span(start, start), "async ")]
