"""``setUp`` and ``tearDown`` that turned async, under the names by which they are awaited."""

from __future__ import annotations

from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import CannotWrite, Writing

NAMES = {"setUp": "asyncSetUp", "tearDown": "asyncTearDown"}


def write(use: Use, writing: Writing) -> list[Edit]:
    name = writing.definition(use.span).name
    start = writing.source.data.index(name.encode(), use.span.start)
    if name not in NAMES:
        raise CannotWrite("expected setUp or tearDown")
    return [Replace(Span(start, start + len(name)), NAMES[name])]
