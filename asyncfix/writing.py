"""How awaits and thread calls are written: edits shared by rules and uses."""

from __future__ import annotations

import libcst as cst

from asyncfix.model import Edit, Replace, Span, Wrap
from asyncfix.transform import CannotWrite, Writing

AWAIT_RANK = 10


def awaited(call: Span, tight: bool) -> Edit:
    """``await`` before an expression, with parentheses if what follows binds tighter."""
    return Wrap(call, "(await ", ")", AWAIT_RANK) if tight else Wrap(call, "await ", "", AWAIT_RANK)


def in_thread(writing: Writing, span: Span) -> list[Edit]:
    """``f(a, b)`` to ``asyncio.to_thread(f, a, b)``; whoever calls this awaits it."""
    call = call_node(writing, span)
    function = writing.span(call.func)
    edits: list[Edit] = [Wrap(function, f"{writing.name('asyncio.to_thread')}(", "", AWAIT_RANK - 1)]
    opening = opening_parenthesis(writing, call)
    if call.args:
        edits.append(Replace(opening, ", "))
        only = call.args[0].value
        if isinstance(only, cst.GeneratorExp) and not only.lpar:
            edits.append(Wrap(writing.span(call.args[0]), "(", ")"))
    else:
        edits.append(Replace(opening, ""))
    return edits


def opening_parenthesis(writing: Writing, call: cst.Call) -> Span:
    """The span of the parenthesis that opens the arguments, with the white space before it and after it on its line."""
    data = writing.source.data
    start = writing.span(call.func).end + _closing(call.func)
    at = data.index(b"(", start)
    end = at + 1
    if call.args and not isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace):
        while data[end : end + 1] in (b" ", b"\t"):
            end += 1
    return Span(start, end)


def call_node(writing: Writing, span: Span) -> cst.Call:
    """The call of exactly this span."""
    node = writing.node(span)
    if not isinstance(node, cst.Call):
        raise CannotWrite(f"expected a call, found {type(node).__name__}")
    return node


def _closing(node: cst.BaseExpression) -> int:
    """Bytes of the closing parentheses round an expression (its own span ends before them)."""
    return sum(len(_white(paren.whitespace_before)) + 1 for paren in getattr(node, "rpar", ()))


def _white(node: object) -> str:
    return node.value if isinstance(node, cst.SimpleWhitespace) else ""
