"""A test that ``@responses.activate`` decorates: its body under ``with responses.mock:``, which is what the decorator does.

Round a coroutine function the decorator of older versions ends before the first line has run.
"""

from __future__ import annotations

import ast
import re

from asyncfix.flow import last_name
from asyncfix.lines import end_of_line, movable
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import CannotWrite, Writing

LINE_BREAK = re.compile(rb"\r\n|\r|\n")


def write(use: Use, writing: Writing) -> list[Edit]:
    source, node = writing.source, writing.definition(use.span)
    decorator = next((each for each in node.decorator_list if last_name(each) == "activate"), None)
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if decorator is None or not body or body[0].lineno == node.lineno:
        raise CannotWrite("expected the decorator of a test of several lines")
    line = source.line_start(source.span(decorator).start)
    below = LINE_BREAK.search(source.data, source.span(decorator).end)
    assert below is not None, "a function stands below"
    first = _start(body[0], writing)
    indent = writing.indent(Span(first, first))
    head = f"with {writing.name('responses.mock')}:{below.group().decode()}{indent}{writing.step}"
    stop = end_of_line(source, source.span(body[-1]).end)
    return [
        Replace(Span(line, below.end()), ""),
        Replace(Span(first, first), head),
        # At the beginning of a line: what stands on it may be edited.
        *(
            Replace(Span(each.start, each.start), writing.step)
            for each in movable(source, Span(source.line_start(first), stop))
        ),
    ]


def _start(statement: ast.stmt, writing: Writing) -> int:
    """Where a statement begins, with its decorators."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = writing.source.span(decorators[0] if decorators else statement).start
    return first if not decorators else writing.source.data.rindex(b"@", 0, first)
