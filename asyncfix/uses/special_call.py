"""A method that turned async under another name, and is called by its name: ``await super().__aenter__()``."""

from __future__ import annotations

import ast

from asyncfix.colour.special import ASYNCHRONOUS
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import CannotWrite, Writing
from asyncfix.uses.async_around import NAMES
from asyncfix.writing import awaited

RENAMED = {**ASYNCHRONOUS, **NAMES}


def write(use: Use, writing: Writing) -> list[Edit]:
    function = writing.call(use.span).func
    if not isinstance(function, ast.Attribute) or function.attr not in RENAMED:
        raise CannotWrite("expected a call of a special method by its name")
    name = RENAMED[function.attr]
    end = writing.source.span(function).end
    before = writing.source.text(writing.source.span(function))
    renamed = before.removesuffix(function.attr) + name
    edits = awaited(writing, use.span, use.tight, (renamed, ""))
    return [*edits, Replace(Span(end - len(function.attr), end), name)]
