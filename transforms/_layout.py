"""How code looks that comes to stand elsewhere: whether it fits on a line, and what becomes of its other lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.lines import movable
from asyncfix.model import Edit, Replace, Span
from asyncfix.source import Source
from asyncfix.transform import Writing
from asyncfix.writing import aligned

LINE_LENGTH = 88


def fits(line: str, indent: str) -> bool:
    """Whether what is to be one line is one, and no long one."""
    return len(indent.expandtabs()) + len(line) <= LINE_LENGTH and "\n" not in line and "\r" not in line


def is_bare_tuple(source: Source, node: ast.expr) -> bool:
    """Whether it is a tuple without brackets of its own; those of its first element and its last are none."""
    if not isinstance(node, ast.Tuple):
        return False
    (held,) = ast.parse(f"[{source.text(source.span(node))}]").body
    return not (isinstance(held, ast.Expr) and isinstance(held.value, ast.List) and _is_one_tuple(held.value.elts))


def holds_together(source: Source, node: ast.expr) -> bool:
    """Whether the lines of an expression hang together by its own brackets; else it wants some round it."""
    try:
        return len(ast.parse(source.text(source.span(node))).body) == 1
    except SyntaxError:
        return False


def _is_one_tuple(nodes: list[ast.expr]) -> bool:
    return len(nodes) == 1 and isinstance(nodes[0], ast.Tuple)


def enclosed(source: Source, node: ast.expr) -> str:
    """An expression as it is written among others, or in a clause of a comprehension, where some need brackets."""
    text = source.text(source.span(node))
    return (
        f"({text})" if isinstance(node, ast.IfExp | ast.Lambda | ast.NamedExpr) or is_bare_tuple(source, node) else text
    )


def bracketed(source: Source, span: Span) -> Span:
    """The span with the brackets right round it, which an await needs and a name does not."""
    around = source.data[span.start - 1 : span.start] + source.data[span.end : span.end + 1]
    before = source.data[max(span.start - 2, 0) : span.start - 1]
    called = before.isalnum() or before in (b"_", b")", b"]")
    return Span(span.start - 1, span.end + 1) if around == b"()" and not called else span


def named(source: Source, span: Span, name: str) -> Replace:
    """A name in the place of an await, and of the brackets right round it: apart from a word that stands right behind."""
    whole = bracketed(source, span)
    behind = source.data[whole.end : whole.end + 1]
    return Replace(whole, f"{name} " if behind.isalnum() or behind == b"_" else name)


def moved(source: Source, span: Span, column: int, indent: str) -> str:
    """The text of an expression that is to begin at ``column`` (from 0) of a line with this indentation.

    Lines that were aligned with something in it still are; others keep their distance from the indentation.
    """
    head = source.data[source.line_start(span.start) : span.start]
    old = len(head) - len(head.lstrip())
    begun = source.position(span.start)[1] - 1
    text, at = "", span.start
    for line in movable(source, span):
        content = source.data[line.start : line.end]
        is_aligned = bool(head.strip()) and content.startswith(b" " * (begun + 1))
        by = column - begun if is_aligned else len(indent) - old
        added = " " * by if is_aligned else indent[old:]
        text += source.text(Span(at, line.start)) + added
        at = line.start + min(max(-by, 0), len(content) - len(content.lstrip()))
    return text + source.text(Span(at, span.end))


def moved_along(writing: Writing, call: Span, column: int, indent: int) -> Iterator[Edit]:
    """The edits of the further lines of a call that is to begin at ``column`` (from 0) of a line that is indented so far: edits
    of what stands in it may come besides."""
    source = writing.source
    line = source.line_start(call.start)
    head = source.data[line : call.start]
    further = indent - (len(head) - len(head.lstrip()))
    for each in movable(source, call):
        if further > 0:
            yield Replace(Span(each.start, each.start), writing.step[:1] * further)
        elif further < 0 and not source.data[each.start : each.start - further].strip():
            yield Replace(Span(each.start, each.start - further), "")
    yield from aligned(writing, call, column - source.position(call.start)[1] + 1 - further)
