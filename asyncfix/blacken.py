"""Statements that were edited, formatted as the project has them: each by itself, never what stands round it."""

from __future__ import annotations

import ast
import io
import tokenize
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from asyncfix.model import Replace, Span
from asyncfix.source import Source


def blacken(source: Source, tree: ast.Module, edits: Sequence[Replace], line_length: int) -> tuple[Replace, ...]:
    """The edits, with one for the whole of each simple statement that black would have otherwise.

    ``edits`` are disjoint and sorted, and so is the result. A statement with a comment or a string of several lines is
    left as it was edited.
    """
    result = list(edits)
    for span in _simple(source, tree):
        first = bisect_left(result, span.start, key=lambda edit: edit.span.start)
        last = bisect_right(result, span.end, first, key=lambda edit: edit.span.start)
        if not _touches(result[first - 1 : first], span):
            inside = [edit for edit in result[first:last] if not _is_outside(edit, span)]
            text = _formatted(source, span, inside, line_length)
            if text is not None:
                at = result.index(inside[0])
                result[at : at + len(inside)] = [Replace(span, text)]
    return tuple(result)


def _simple(source: Source, tree: ast.Module) -> list[Span]:
    """The spans of all statements that hold no others."""
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.stmt))
    return [source.span(node) for node in nodes if not hasattr(node, "body") and not isinstance(node, ast.Match)]


def _touches(edits: Sequence[Replace], span: Span) -> bool:
    return any(edit.span.overlaps(span) for edit in edits)


def _is_outside(edit: Replace, span: Span) -> bool:
    """Whether an edit at the border of a statement puts other statements before or behind it."""
    at_border = edit.span in (Span(span.start, span.start), Span(span.end, span.end))
    return (edit.span.start == span.end and edit.span.end > span.end) or (at_border and "\n" in edit.text)


def _formatted(source: Source, span: Span, edits: Sequence[Replace], line_length: int) -> str | None:
    """The text of an edited statement as black has it; None if it is that already, or is not to be formatted."""
    moved = any(edit.span.start == edit.span.end and not edit.text.strip() for edit in edits)  # one level to the right
    if not edits or moved or edits[-1].span.end > span.end:
        return None
    text = _edited(source, span, edits)
    if not _is_plain(text):
        return None
    import black
    from black.parsing import InvalidInput

    line = source.data[source.line_start(span.start) : span.start].rpartition(b"\f")[2].decode(source.encoding)
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    mode = black.Mode(line_length=max(1, line_length - len(indent.expandtabs())), string_normalization=False)
    try:
        formatted = black.format_str(text, mode=mode).rstrip("\n").replace("\n", "\n" + indent)
    except InvalidInput:
        return None
    return None if formatted == text else formatted


def _edited(source: Source, span: Span, edits: Sequence[Replace]) -> str:
    """The new text of a statement, its lines ended by a line feed."""
    parts: list[str] = []
    at = span.start
    for edit in edits:
        parts += (source.text(Span(at, edit.span.start)), edit.text)
        at = edit.span.end
    parts.append(source.text(Span(at, span.end)))
    return "".join(parts).replace("\r\n", "\n").replace("\r", "\n")


def _is_plain(text: str) -> bool:
    """Whether a statement has no comment, and no string that goes over a line end."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return False
    opened = [token.start[0] for token in tokens if tokenize.tok_name[token.type].endswith("STRING_START")]
    closed = [token.end[0] for token in tokens if tokenize.tok_name[token.type].endswith("STRING_END")]
    long = any(token.type == tokenize.STRING and token.start[0] != token.end[0] for token in tokens)
    return not long and sorted(opened) == sorted(closed) and all(token.type != tokenize.COMMENT for token in tokens)
