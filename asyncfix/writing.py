"""How awaits and thread calls are written: edits shared by rules and uses.

LibCST is imported where it is first needed, which is in a worker: rules are loaded by the front ends too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncfix.bridge import COMMA, Bridge, direct
from asyncfix.lines import end_of_line, movable
from asyncfix.model import Edit, Replace, Site, Span, Wrap
from asyncfix.source import Source
from asyncfix.transform import CannotWrite, Writing

if TYPE_CHECKING:
    import libcst as cst

AWAIT_RANK = 10
FILLED = re.compile(r"[(\[{](?=[ \t]*[^\s#])")  # a bracket with something behind it on its line
LAST_BREAK = re.compile(r"(?:\r\n|\r|\n)[ \t\f]*\Z")


def awaited(writing: Writing, call: Span, tight: bool, written: tuple[str, str] | None = None) -> list[Edit]:
    """``await`` before a call, with parentheses if what follows binds tighter.

    Lines that are aligned with its opening parenthesis stay so; ``written`` is what other edits write before that in
    place of the function, and behind it.
    """
    before, after = _round(writing, call, tight)
    old = writing.source.text(Span(call.start, opening_parenthesis(writing, call_node(writing, call)).start))
    function, inserted = written or (old, "")
    columns = len(before) + len(function) - len(old)
    return [Wrap(call, before, after, AWAIT_RANK), *aligned(writing, call, columns, len(inserted))]


def awaited_as(writing: Writing, site: Site, name: str, first: str = "") -> list[Edit]:
    """The call of a site awaited under another name, with one argument more before its own.

    ``f(a)`` comes to ``await name(first, a)``; so does ``await asyncio.to_thread(f, a)``.
    """
    if not site.bridged:
        return _awaited_as(writing, site.call, site.tight, name, first)
    bridge, source = bridge_of(writing, site), writing.source
    around: list[Edit] = [Replace(span, "") for span in bridge.shed(source) if span.start < span.end]
    inner = source.span(bridge.inner)
    if bridge.function is None:
        return [*around, *_awaited_as(writing, inner, site.tight, name, first)]
    slot = bridge.slot(source)
    comma = None if first else COMMA.match(source.data, slot.end)
    gone = Span(slot.start, comma.end()) if comma else slot
    opening = opening_parenthesis(writing, call_node(writing, inner)).start
    further = source.position(site.call.start)[1] + len(name) - source.position(opening)[1]
    edits: list[Edit] = [Replace(source.span(bridge.inner.func), name), Replace(gone, first)]
    return [*around, *edits, *aligned(writing, inner, further, len(first) - (gone.end - gone.start))]


def bridge_of(writing: Writing, site: Site) -> Bridge:
    """What a thread runs at the call of a site."""
    found = direct(writing.source, writing.source.parse(), {site.call}).get(site.call)
    if found is None:
        raise CannotWrite("the call is not handed to a thread as it was surveyed")
    return found


def _awaited_as(writing: Writing, span: Span, tight: bool, name: str, first: str) -> list[Edit]:
    call = call_node(writing, span)
    edits: list[Edit] = [Replace(writing.span(call.func), name)]
    if first:
        opening = opening_parenthesis(writing, call)
        edits.append(Replace(opening, _opened(writing.source.data, opening, f"{first},")))
    return [*edits, *awaited(writing, span, tight, (name, f"{first}, " if first else ""))]


def _opened(data: bytes, opening: Span, first: str) -> str:
    """The parenthesis with another argument behind it: on a line of its own if the arguments begin on one."""
    gap = data[opening.end : opening.end + len(data[opening.end :]) - len(data[opening.end :].lstrip())].decode()
    if not gap:
        return f"({first} "
    return f"({gap}{first}" if "\n" in gap or "\r" in gap else f"({first}"


def awaited_lambda(writing: Writing, expression: Span, tight: bool) -> list[Edit]:
    """``f(a).g()`` to ``await asyncio.to_thread(lambda: f(a).g())``."""
    before, after = _round(writing, expression, tight)
    return [Wrap(expression, f"{before}{writing.name('asyncio.to_thread')}(lambda: ", f"){after}", AWAIT_RANK)]


def awaited_in_thread(writing: Writing, span: Span, tight: bool) -> list[Edit]:
    """``f(a, b)`` to ``await asyncio.to_thread(f, a, b)``.

    If the arguments begin on a line of their own, so does the function.
    """
    import libcst as cst

    call = call_node(writing, span)
    opening = opening_parenthesis(writing, call)
    function = Span(writing.span(call).start, opening.start)
    broken = isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace)
    gap = LAST_BREAK.search(writing.code(call.whitespace_before_args)) if broken and call.args else None
    name = writing.name("asyncio.to_thread")
    # Outside an await of the function itself, which may be a call too: `f(1)(2)`.
    edits: list[Edit] = [Wrap(function, f"{name}({gap.group() if gap else ''}", "", AWAIT_RANK + 1)]
    edits += awaited(writing, span, tight, (name, f"{writing.source.text(function)}, "))
    if not call.args:
        return [*edits, Replace(opening, "")]
    only = call.args[0].value
    if isinstance(only, cst.GeneratorExp) and not only.lpar:
        edits.append(Wrap(writing.span(call.args[0]), "(", ")"))
    return [*edits, Replace(opening, "," if broken else ", ")]


def _round(writing: Writing, span: Span, tight: bool) -> tuple[str, str]:
    """``await``, in parentheses if what follows binds tighter and the expression has none of its own."""
    return ("(await ", ")") if tight and not getattr(writing.node(span), "lpar", ()) else ("await ", "")


def aligned(writing: Writing, span: Span, columns: int, inserted: int = 0) -> Iterator[Edit]:
    """The lines of a call that are aligned with its opening parenthesis, or with a bracket behind that, moved along: that
    parenthesis moves by so many ``columns``, and what stands behind it by ``inserted`` more."""
    source, call = writing.source, call_node(writing, span)
    opening = opening_parenthesis(writing, call).start
    old = source.text(Span(span.start, opening))
    if len(old.splitlines()) > 1:
        return
    lines = list(_hanging(source, Span(opening, span.end)))
    first = [argument for argument in map(writing.span, call.args) if lines and argument.start < lines[0].start]
    for line in lines:
        inside = any(argument.start < line.start < argument.end for argument in first)
        further = columns + (inserted if inside else 0)
        if further:
            yield Replace(Span(line.end - 1 + min(further, 0), line.end - 1), " " * further)


def aligned_parameters(writing: Writing, keyword: Span, columns: int) -> Iterator[Edit]:
    """The lines of the parameters of the function whose ``def`` stands there, likewise, if its name moves by ``columns``."""
    source, node = writing.source, writing.definition(Span(keyword.start, keyword.start))
    opening = source.data.index(b"(", keyword.end)
    decorators: list[ast.expr] = getattr(node.body[0], "decorator_list", [])
    below = min(source.span(node.body[0]).start, *(source.span(each).start for each in decorators), len(source.data))
    start = source.line_start(below)
    alone = start > opening and not source.data[start:below].strip()  # else the body begins where the head ends
    head = source.data[opening : start if alone else below].rstrip()
    for line in _hanging(source, Span(opening, opening + len(head))):
        yield Replace(Span(line.end - 1, line.end - 1), " " * columns)


def _hanging(source: Source, brackets: Span) -> Iterator[Span]:
    """The beginnings of the lines in brackets from the first that is aligned with one on, less those further left.

    Each ends below the opening bracket: no argument begins there, which may be edited too.
    """
    column = source.position(brackets.start)[1]
    line = source.text(Span(brackets.start, end_of_line(source, brackets.start)))
    aligned = {column + bracket.end() - 1 for bracket in FILLED.finditer(line)}
    found = False
    for each in movable(source, brackets):
        text = source.data[each.start : each.end]
        indent = len(text) - len(text.lstrip(b" "))
        found = found or indent in aligned
        if found and indent >= column:
            yield Span(each.start, each.start + column)


def opening_parenthesis(writing: Writing, call: cst.Call) -> Span:
    """The span of the parenthesis that opens the arguments, with the white space before it and after it on its line."""
    before = writing.span(call.whitespace_after_func)
    after = writing.span(call.whitespace_before_args)
    on_its_line = call.args and b"\n" not in (gap := writing.source.data[after.start : after.end]) and b"\r" not in gap
    return Span(before.start, after.end if on_its_line else before.end + 1)


def call_node(writing: Writing, span: Span) -> cst.Call:
    """The call of exactly this span."""
    import libcst as cst

    node = writing.node(span)
    if not isinstance(node, cst.Call):
        raise CannotWrite(f"expected a call, found {type(node).__name__}")
    return node
