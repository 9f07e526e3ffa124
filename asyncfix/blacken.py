"""Statements that were edited, formatted as the project has them: each by itself, never what stands round it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asyncfix.model import Replace, Span
from asyncfix.source import Source
from asyncfix.statements import whole

Compound = (
    ast.FunctionDef | ast.AsyncFunctionDef | ast.With | ast.AsyncWith | ast.For | ast.AsyncFor | ast.While | ast.If
)
BODY = "\n    pass"  # makes a head a statement
COMMENT_LINES = re.compile(rb"(?:(?>\r\n|\r|\n)[ \t\f]*(?:#[^\r\n]*)?)+\Z")


def blacken(source: Source, tree: ast.Module, edits: Sequence[Replace], line_length: int) -> tuple[Replace, ...]:
    """The edits, with one for each whole simple statement, and each head of a compound one, that black would have otherwise.

    ``edits`` are disjoint and sorted, and so is the result. What holds a comment or a string of several lines is left
    as it was edited.
    """
    result = list(edits)
    for part in _parts(source, tree):
        first = bisect_left(result, part.span.start, key=lambda edit: edit.span.start)
        last = bisect_right(result, part.span.end, first, key=lambda edit: edit.span.start)
        inside = [edit for edit in result[first:last] if not part.is_outside(edit)]
        if not _is_written(inside) or _reaches_out(result[first - 1 : first], inside, part.span):
            continue
        text = _edited(source, part.span, inside)
        new = part.formatted(text, _indent(source, part.span.start, result[:first]), line_length)
        if new is not None and new != text:
            at = result.index(inside[0])
            result[at : at + len(inside)] = [Replace(part.span, new)]
    return tuple(result)


def formatted(text: str, indent: str, line_length: int) -> str | None:
    """A statement as black has it at an indentation, which its first line is without.

    None if it holds a comment or a string of several lines, or black cannot read it.
    """
    if not _is_plain(text):
        return None
    import black
    from black.parsing import InvalidInput

    mode = black.Mode(line_length=max(1, line_length - len(indent.expandtabs())), string_normalization=False)
    try:
        return black.format_str(text, mode=mode).rstrip("\n").replace("\n", "\n" + indent)
    except InvalidInput:
        return None


@dataclass(frozen=True, slots=True)
class _Part:
    """A simple statement, or the head of a compound one up to its colon."""

    span: Span
    is_head: bool

    def is_outside(self, edit: Replace) -> bool:
        """Whether an edit at the border puts other statements behind this one, or round a compound one."""
        at = edit.span.start
        if at == self.span.end:
            return edit.span.end > at or "\n" in edit.text
        return self.is_head and edit.span == Span(self.span.start, self.span.start) and "\n" in edit.text

    def formatted(self, text: str, indent: str, line_length: int) -> str | None:
        """The new text as black has it, None if that cannot be said."""
        if not self.is_head:
            return formatted(text, indent, line_length)
        before = "el" if text.startswith("elif") else ""
        whole = formatted(text.removeprefix(before) + BODY, indent, line_length - len(before))
        return None if whole is None else before + whole.removesuffix("pass").rstrip()


def _parts(source: Source, tree: ast.Module) -> Iterator[_Part]:
    """Every simple statement, and every head that has its lines for itself."""
    for node in ast.walk(tree):
        if isinstance(node, Compound):
            head = _head(source, node)
            if head is not None:
                yield _Part(head, is_head=True)
        elif isinstance(node, ast.stmt) and not hasattr(node, "body") and not isinstance(node, ast.Match):
            yield _Part(source.span(node), is_head=False)


def _head(source: Source, node: Compound) -> Span | None:
    """The span up to the colon; None if the body begins on that line, or a comment stands behind it."""
    start, body = source.span(node).start, source.line_start(whole(source, node.body[0]).start)
    text = COMMENT_LINES.sub(b"", source.data[start:body]).rstrip() if start < body else b""
    return Span(start, start + len(text)) if text.endswith(b":") else None


def _is_written(edits: Sequence[Replace]) -> bool:
    """Whether something was written, and lines were not only moved to the right."""
    return any(edit.text.strip() or edit.span.start < edit.span.end for edit in edits)


def _reaches_out(before: Sequence[Replace], inside: Sequence[Replace], span: Span) -> bool:
    return any(edit.span.overlaps(span) for edit in before) or inside[-1].span.end > span.end


def _indent(source: Source, start: int, before: Sequence[Replace]) -> str:
    """What a line begins with, as the edits before ``start`` move it."""
    line = source.text(Span(source.line_start(start), start)).rpartition("\f")[2]
    first = bisect_left(before, source.line_start(start), key=lambda edit: edit.span.start)
    moved = "".join(edit.text for edit in before[first:] if not edit.text.strip(" \t"))
    return line[: len(line) - len(line.lstrip(" \t"))] + moved


def _edited(source: Source, span: Span, edits: Sequence[Replace]) -> str:
    """The new text of a span, its lines ended by a line feed."""
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
