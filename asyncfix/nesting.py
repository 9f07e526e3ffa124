"""How a compound statement is written as a nested function and one awaited thread call: edits that keep its every byte.

The lines of the statement move one level to the right, but for those that begin inside a string.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator

from asyncfix.blocks import Nested
from asyncfix.model import Edit, Replace, Span
from asyncfix.source import LINE_END, Source
from asyncfix.transform import Writing

STRING_STARTS = frozenset({"FSTRING_START", "TSTRING_START"})
STRING_ENDS = frozenset({"FSTRING_END", "TSTRING_END"})
OPENING = re.compile(rb"[:([{]\s*(#.*)?$|^\s*[#@].*$|^\s*$")


def nested_function(writing: Writing, statement: ast.stmt, how: Nested, name: str) -> list[Edit]:
    """The edits that turn a statement into ``def name(): ...`` and an awaited ``asyncio.to_thread(name)``."""
    source = writing.source
    span = source.span(statement)
    indent = writing.indent(span)
    line_end = _line_end(source, span)
    stop = _stop(source, span, indent)
    deeper = f"{line_end}{indent}{writing.step}"
    last = _returned(source, how)
    head = [f"def {name}({', '.join(how.parameters)}):"]
    head += [f"global {', '.join(how.module_names)}"] if how.module_names else []
    head += [f"nonlocal {', '.join(how.shared)}"] if how.shared else []
    tail = f"{deeper}return {', '.join(how.results)}" if how.results and last is None else ""
    call = f"await {writing.name('asyncio.to_thread')}({', '.join((name, *how.parameters))})"
    return [
        *_blank_before(source, span, line_end),
        Replace(Span(span.start, span.start), deeper.join([*head, ""])),
        *_moved(source, Span(span.start, stop), indent, writing.step),
        *([last] if last else []),
        Replace(Span(stop, stop), f"{tail}{line_end * 2}{indent}{_received(source, how)}{call}"),
    ]


def _received(source: Source, how: Nested) -> str:
    """What stands before the ``await``."""
    if how.returns:
        return "return "
    if isinstance(how.last, ast.AnnAssign):
        return f"{how.results[0]}: {source.text(source.span(how.last.annotation))} = "
    return f"{', '.join(how.results)} = " if how.results else ""


def _returned(source: Source, how: Nested) -> Replace | None:
    """``return`` in place of the target of the last assignment, if it is written in the usual way."""
    match how.last:
        case None:
            return None
        case ast.AnnAssign() as last:
            before = source.span(last.annotation).end
        case ast.Assign() as last:
            before = source.span(last.targets[0]).end
    sign = re.compile(rb"[ \t]*=[ \t]*").match(source.data, before)
    return Replace(Span(source.span(last).start, sign.end()), "return ") if sign else None


def _line_end(source: Source, span: Span) -> str:
    found = LINE_END.search(source.data, span.start) or LINE_END.search(source.data)
    return found.group().decode("ascii") if found else "\n"


def _stop(source: Source, span: Span, indent: str) -> int:
    """The end of the statement's last line, or of the comments below it that are indented more than it is."""
    stop = _end_of_line(source.data, span.end)
    at = stop
    comment = re.compile(rb"(?:\r\n|\r|\n)([ \t\f]*)(#[^\r\n]*)?(?=[\r\n]|$)")
    while found := comment.match(source.data, at):
        at = found.end()
        if found.group(2) and len(found.group(1)) > len(indent):
            stop = at
        elif found.group(2) or at == len(source.data):
            break
    return stop


def _end_of_line(data: bytes, offset: int) -> int:
    found = LINE_END.search(data, offset)
    return found.start() if found else len(data)


def _blank_before(source: Source, span: Span, line_end: str) -> list[Edit]:
    """An empty line above the ``def``, unless a block, a comment or such a line is above it already."""
    start = source.line_start(span.start)
    above = source.data[: max(start - len(line_end), 0)]
    line = above[source.line_start(len(above)) :] if start else b""
    return [] if OPENING.search(line) else [Replace(Span(start, start), line_end)]


def _moved(source: Source, span: Span, indent: str, step: str) -> Iterator[Edit]:
    """One more level of indentation for every line after the first that does not begin inside a string."""
    start = source.line_start(span.start)
    held = _inside_strings(source.text(Span(start, span.end)))
    ends = LINE_END.finditer(source.data, span.start, span.end)
    for number, end in enumerate(ends, 2):
        line = source.data[end.end() : _end_of_line(source.data, end.end())]
        if number in held or not line.strip():
            continue
        feeds = len(line) - len(line.lstrip(b"\f"))
        known = indent.encode() if line[feeds:].startswith(indent.encode()) else b""
        at = end.end() + feeds + len(known)
        yield Replace(Span(at, at), step)


def _inside_strings(text: str) -> set[int]:
    """Numbers (from 1) of the lines that begin inside a string."""
    lines = iter(re.split(r"\r\n|\r|\n", text))
    held: set[int] = set()
    open_at: list[int] = []
    for token in tokenize.generate_tokens(lambda: line + "\n" if (line := next(lines, None)) is not None else ""):
        kind = tokenize.tok_name[token.type]
        if kind == "STRING":
            held.update(range(token.start[0] + 1, token.end[0] + 1))
        elif kind in STRING_STARTS:
            open_at.append(token.start[0])
        elif kind in STRING_ENDS:
            held.update(range(open_at.pop() + 1, token.end[0] + 1))
    return held
