"""Which event loop code gets, and the argument `loop`: what it gives, and how it is taken away."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.model import Edit, Replace, Span
from asyncfix.source import Source
from asyncfix.transform import Look

GETTING = ("get_event_loop", "get_running_loop")


def runs_in_loop(look: Look) -> bool:
    """Whether a call is code of an async function, so that the event loop that it runs on is there; a generator expression
    may be gone through elsewhere."""
    if not look.in_async:
        return False
    inside = (node for node in look.tree.ancestors(look.node) if node is not look.function)
    for node in inside:
        if isinstance(node, ast.GeneratorExp):
            return False
        if isinstance(node, ast.stmt):
            return True
    return True


def loop_argument(call: ast.Call) -> ast.keyword | None:
    """The argument ``loop=`` of a call."""
    return next((keyword for keyword in call.keywords if keyword.arg == "loop"), None)


def is_default(value: ast.expr) -> bool:
    """Whether a loop that async code gives is the one that it has without it: None, or the one that runs."""
    match value:
        case ast.Constant(value=None):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr=name), args=[], keywords=[]):
            return name in GETTING
        case _:
            return False


def removed(source: Source, call: ast.Call, argument: ast.keyword) -> Span | None:
    """The text to take away with an argument: its comma too; None if a comment stands there."""
    span, whole = source.span(argument), source.span(call)
    others = [source.span(node) for node in call.args]
    others += [source.span(keyword) for keyword in call.keywords if keyword is not argument]
    before = max((each.end for each in others if each.end <= span.start), default=None)
    after = min((each.start for each in others if each.start >= span.end), default=None)
    if before is not None:
        start, end = source.data.rindex(b",", before, span.start), span.end
    elif after is not None:
        comma = source.data.index(b",", span.end, after) + 1
        start, end = span.start, comma + _blank(source, comma)
    else:
        start, end = source.data.rindex(b"(", source.span(call.func).end, span.start) + 1, whole.end - 1
    return None if b"#" in source.data[start : span.start] + source.data[span.end : end] else Span(start, end)


def _blank(source: Source, start: int) -> int:
    """How many bytes of white space stand there."""
    rest = source.data[start:]
    return len(rest) - len(rest.lstrip())


def without(source: Source, call: ast.Call, argument: ast.keyword) -> Iterator[Edit]:
    """The edit that takes an argument away, none if a comment stands there."""
    span = removed(source, call, argument)
    if span is not None:
        yield Replace(span, "")
