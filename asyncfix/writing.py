"""How awaits and thread calls are written: edits shared by rules and uses.

LibCST is imported where it is first needed, which is in a worker: rules are loaded by the front ends too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncfix.model import Edit, Replace, Span, Wrap
from asyncfix.transform import CannotWrite, Writing

if TYPE_CHECKING:
    import libcst as cst

AWAIT_RANK = 10


def awaited(call: Span, tight: bool) -> Edit:
    """``await`` before an expression, with parentheses if what follows binds tighter."""
    return Wrap(call, "(await ", ")", AWAIT_RANK) if tight else Wrap(call, "await ", "", AWAIT_RANK)


def in_thread(writing: Writing, span: Span) -> list[Edit]:
    """``f(a, b)`` to ``asyncio.to_thread(f, a, b)``; whoever calls this awaits it.

    If the arguments begin on a line of their own, so does the function.
    """
    import libcst as cst

    call = call_node(writing, span)
    opening = opening_parenthesis(writing, call)
    function = Span(writing.span(call).start, opening.start)
    broken = isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace)
    gap = writing.code(call.whitespace_before_args) if broken and call.args else ""
    gap = gap if not gap.strip() else ""  # a comment stays where it is
    name = writing.name("asyncio.to_thread")
    # Outside an await of the function itself, which may be a call too: `f(1)(2)`.
    edits: list[Edit] = [Wrap(function, f"{name}({gap}", "", AWAIT_RANK + 1)]
    if not call.args:
        return [*edits, Replace(opening, "")]
    only = call.args[0].value
    if isinstance(only, cst.GeneratorExp) and not only.lpar:
        edits.append(Wrap(writing.span(call.args[0]), "(", ")"))
    return [*edits, Replace(opening, "," if broken else ", ")]


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
