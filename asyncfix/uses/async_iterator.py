"""The annotation of what a generator that turned async gives: ``Iterator[T]`` to ``AsyncIterator[T]``."""

from __future__ import annotations

import ast
import re

from asyncfix.flow import last_name
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import Writing

TEXT = re.compile(r"(?P<quote>[\"'])(?P<name>Iterator|Iterable)\[.*(?P=quote)")
NAMES = {"Iterator": "AsyncIterator", "Iterable": "AsyncIterable", "Generator": "AsyncGenerator"}


def write(use: Use, writing: Writing) -> list[Edit]:
    stated = getattr(writing.definition(use.span), "returns", None)
    if isinstance(stated, ast.Constant):
        return _in_text(stated, writing)
    outer = stated.value if isinstance(stated, ast.Subscript) else stated
    if outer is None or last_name(outer) not in NAMES:
        return []
    new = writing.counterpart(outer, NAMES[last_name(outer)])
    return [Replace(writing.source.span(outer), new), *_without_result(stated, writing)] if new else []


def _in_text(stated: ast.Constant, writing: Writing) -> list[Edit]:
    """The same in an annotation that is a string, if it is written in the simplest way."""
    span = writing.source.span(stated)
    found = TEXT.fullmatch(writing.source.text(span))
    module = writing.module_of(found.group("name")) if found else ""
    if found is None or not module:
        return []
    new = writing.name_from(module, NAMES[found.group("name")])
    start = span.start + len(found.group("quote"))
    return [Replace(Span(start, start + len(found.group("name"))), new)]


def _without_result(stated: ast.expr | None, writing: Writing) -> list[Edit]:
    """``Generator[T, S, R]`` without ``R``: an async generator returns nothing."""
    match stated:
        case ast.Subscript(slice=ast.Tuple(elts=[_, sent, returned])):
            return [Replace(Span(writing.source.span(sent).end, writing.source.span(returned).end), "")]
        case _:
            return []
