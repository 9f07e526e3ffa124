"""A test that hands a function over to be called and to raise (``assertRaises(E, f, x)``): a block that awaits the call."""

from __future__ import annotations

from asyncfix.ends import RAISING
from asyncfix.flow import last_name
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import CannotWrite, Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    source = writing.source
    call = writing.call(use.span)
    name = last_name(call.func)
    at = RAISING.get(name, len(call.args))
    if at >= len(call.args):
        raise CannotWrite("expected a function that is to raise")
    function = call.args[at]
    given = [*map(source.span, call.args[at + 1 :]), *map(source.span, call.keywords)]
    start, end = source.span(call.args[at - 1]).end, source.span(function).start
    indent = writing.indent(use.span) + writing.step
    edits: list[Edit] = [Replace(Span(use.span.start, use.span.start), "with ")]
    edits.append(Replace(Span(start, end), f"):\n{indent}await "))
    behind = source.span(function).end
    first = min((span.start for span in given), default=use.span.end - 1)
    return [*edits, Replace(Span(behind, first), "(")]
