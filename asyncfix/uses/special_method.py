"""A special method that turned async: under the name by which Python awaits it."""

from __future__ import annotations

from asyncfix.colour.special import ASYNCHRONOUS
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import CannotWrite, Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    name = writing.definition(use.span).name
    if name not in ASYNCHRONOUS:
        raise CannotWrite(f"expected a special method that has an asynchronous form, found {name}")
    start = writing.source.data.index(name.encode(), use.span.start)
    return [Replace(Span(start, start + len(name)), ASYNCHRONOUS[name])]
