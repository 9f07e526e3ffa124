"""How a compound statement is written as a nested function and one awaited thread call: edits that keep its every byte.

The lines of the statement move one level to the right, but for those that begin inside a string.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from asyncfix.blocks import Nested
from asyncfix.lines import end_of_line, movable
from asyncfix.model import Edit, Replace, Span
from asyncfix.source import LINE_END, Source
from asyncfix.transform import Writing

BLOCK = re.compile(rb":\s*(#.*)?$")
OPENING = re.compile(rb"[([{]\s*(#.*)?$|^\s*[#@].*$|^\s*$")


def nested_function(writing: Writing, statement: ast.stmt, how: Nested, name: str) -> list[Edit]:
    """The edits that turn a statement into ``def name(): ...`` and an awaited ``asyncio.to_thread(name)``.

    The name gets a number behind it if it means something here already.
    """
    source = writing.source
    span = source.span(statement)
    indent = writing.indent(span)
    line_end = line_end_of(source, span)
    stop = block_end(source, span, indent)
    deeper = f"{line_end}{indent}{writing.step}"
    last = _returned(source, how)
    name = writing.function(name)
    head = [f"def {name}({', '.join(how.parameters)}){_hint(how)}:"]
    head += [f"global {', '.join(how.module_names)}"] if how.module_names else []
    head += [f"nonlocal {', '.join(how.shared)}"] if how.shared else []
    tail = f"{deeper}return {', '.join(how.results)}" if how.results and last is None else ""
    call = f"{_received(source, how)}await {writing.name('asyncio.to_thread')}({', '.join((name, *how.parameters))})"
    return [
        *blank_before(source, span, line_end, in_blocks=writing.black is not None and not how.first),
        Replace(Span(span.start, span.start), deeper.join([*head, ""])),
        *_moved(source, Span(span.start, stop), indent, writing.step),
        *([last] if last else []),
        Replace(Span(stop, stop), f"{tail}{line_end * 2}{indent}{writing.formatted(call, indent) or call}"),
    ]


def _hint(how: Nested) -> str:
    """The annotation of a function that gives nothing; what parameters and results are is not known."""
    return " -> None" if how.annotated and not (how.parameters or how.results or how.returns) else ""


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


def line_end_of(source: Source, span: Span) -> str:
    found = LINE_END.search(source.data, span.start) or LINE_END.search(source.data)
    return found.group().decode("ascii") if found else "\n"


def block_end(source: Source, span: Span, indent: str) -> int:
    """The end of the statement's last line, or of the comments below it that are indented more than it is."""
    stop = end_of_line(source, span.end)
    at = stop
    comment = re.compile(rb"(?:\r\n|\r|\n)([ \t\f]*)(#[^\r\n]*)?(?=[\r\n]|$)")
    while found := comment.match(source.data, at):
        at = found.end()
        if found.group(2) and len(found.group(1)) > len(indent):
            stop = at
        elif found.group(2) or at == len(source.data):
            break
    return stop


def blank_before(source: Source, span: Span, line_end: str, in_blocks: bool) -> list[Edit]:
    """An empty line above the ``def``, unless a comment or such a line is above it already, or it begins a block.

    ``in_blocks``: also then, as black wants it for all blocks but those of functions.
    """
    start = source.line_start(span.start)
    above = source.data[: max(start - len(line_end), 0)]
    line = above[source.line_start(len(above)) :] if start else b""
    begins = BLOCK.search(line) is not None and not in_blocks
    return [] if begins or OPENING.search(line) else [Replace(Span(start, start), line_end)]


def _moved(source: Source, span: Span, indent: str, step: str) -> Iterator[Edit]:
    """One more level of indentation for every line after the first that does not begin inside a string."""
    for line in movable(source, Span(source.line_start(span.start), span.end)):
        text = source.data[line.start : line.end]
        feeds = text[: len(text) - len(text.lstrip(b" \t\f"))].rfind(b"\f") + 1
        known = indent.encode() if text[feeds:].startswith(indent.encode()) else b""
        at = line.start + feeds + len(known)
        yield Replace(Span(at, at), step)
