"""Statements that were edited, formatted as the project has them: each by itself, never what stands round it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence

from asyncfix.model import Replace, Span
from asyncfix.source import Source

Compound = (
    ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.For | ast.AsyncFor | ast.While | ast.If | ast.With
) | (ast.AsyncWith | ast.Match | ast.Try | ast.TryStar)


def blacken(source: Source, tree: ast.Module, edits: Sequence[Replace], line_length: int) -> tuple[Replace, ...]:
    """The edits, with one for each whole simple statement where black would have it otherwise.

    ``edits`` are disjoint and sorted, as are those given back. A statement with a comment or a string of several lines in
    it is left as it was edited.
    """
    result: list[Replace] = []
    left = list(edits)
    for span in _simple(source, tree):
        while left and left[0].span.end <= span.start and not _belongs(left[0], span):
            result.append(left.pop(0))
        inside = [edit for edit in left if _belongs(edit, span)]
        others = any(edit.span.overlaps(span) for edit in left if edit not in inside)
        if not inside or others or any(not edit.text.strip() and edit.span.start == edit.span.end for edit in inside):
            continue
        text = _formatted(_edited(source, span, inside), source, span, line_length)
        if text is not None:
            left = [edit for edit in left if edit not in inside]
            result.append(Replace(span, text))
    return tuple(sorted([*result, *left], key=lambda edit: edit.span))


def _simple(source: Source, tree: ast.Module) -> list[Span]:
    """The spans of all statements without a block of their own, in order."""
    return sorted(source.span(node) for node in ast.walk(tree) if isinstance(node, ast.stmt) and not isinstance(node, Compound))
