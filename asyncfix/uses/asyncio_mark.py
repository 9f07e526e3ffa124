"""A test that turned async: marked for pytest-asyncio."""

from __future__ import annotations

import ast

from asyncfix.ends import MARK
from asyncfix.flow import called, last_name
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import Writing

COPYING = ("patch", "object", "dict", "multiple", "activate", "use_cassette", "freeze_time", "travel")


def write(use: Use, writing: Writing) -> list[Edit]:
    return marked(use, writing, "asyncio")


def marked(use: Use, writing: Writing, mark: str) -> list[Edit]:
    """A mark of pytest on what stands at the use: its lowest decorator, or its first, if another may hide what it marks."""
    decorators = writing.definition(use.span).decorator_list
    hidden = not all(map(_keeps_marks, decorators))
    first = writing.source.span(decorators[0]) if hidden else use.span
    start = writing.source.line_start(first.start)
    return [Replace(Span(start, start), f"{writing.indent(first)}@{writing.name(MARK)}.{mark}\n")]


def _keeps_marks(decorator: ast.expr) -> bool:
    """Whether what a decorator gives is known to bear the marks of what it is given."""
    named = called(decorator)
    return ast.unparse(named).startswith(f"{MARK}.") or last_name(named) in COPYING
