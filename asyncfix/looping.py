"""How going through something is written once it is asynchronous: loops and comprehensions. Edits shared by uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from asyncfix.model import Edit, Replace, Span, Wrap
from asyncfix.source import LINE_END
from asyncfix.transform import CannotWrite, Writing
from asyncfix.writing import AWAIT_RANK, aligned

YIELD_FROM = re.compile(rb"(yield[ \t]+from)\b[ \t]*")
ITEM, OTHER = "item", "other"


def asynchronous(writing: Writing, word: Span, gone_through: Span) -> list[Edit]:
    """``async`` before a ``for``, with the lines of the call that is gone through moved along."""
    return [Replace(word, "async for"), *_along(writing, gone_through, word.start, len("async "))]


def expanded(writing: Writing, statement: Span, loop: str) -> list[Edit]:
    """``yield from xs`` to a ``loop`` (``for``, ``async for``) that yields each: an async generator takes no ``yield from``."""
    found = YIELD_FROM.match(writing.source.data, statement.start)
    if found is None:
        raise CannotWrite("expected a `yield from`")
    name = writing.fresh(ITEM, statement)
    tail = f":\n{writing.indent(statement)}{writing.step}yield {name}"
    return [
        Replace(Span(statement.start, found.end(1)), f"{loop} {name} in"),
        Wrap(Span(found.end(), statement.end), "", tail, AWAIT_RANK + 2),
    ]


def gathered(writing: Writing, call: Span) -> list[Edit]:
    """``g()`` to ``[item async for item in g()]``."""
    before = f"[{_each(writing, call)}"
    return [Wrap(call, before, "]", AWAIT_RANK), *_along(writing, call, call.start, len(before))]


def comprehended(writing: Writing, call: Span, brackets: str) -> list[Edit]:
    """``list(g())`` to ``[item async for item in g()]``, for the ``call`` of ``g``; ``set`` likewise."""
    taker = _taker(writing, call)
    before = _each(writing, call)
    opening = writing.source.data.index(b"(", writing.source.span(taker.func).end) + 1
    whole = writing.source.span(taker)
    edits: list[Edit] = [Replace(Span(whole.start, opening), brackets[0]), Wrap(call, before, "", AWAIT_RANK)]
    comma = writing.source.data.find(b",", call.end, whole.end - 1)
    edits += [Replace(Span(comma, comma + 1), "")] if comma >= 0 else []
    columns = len(brackets[0]) + len(before) - (opening - whole.start)
    return [*edits, Replace(Span(whole.end - 1, whole.end), brackets[1]), *_along(writing, call, whole.start, columns)]


def in_place_of(writing: Writing, expression: Span, brackets: str) -> list[Edit]:
    """``list(f(x) for x in xs)`` to ``[f(x) for x in xs]``, for the ``expression``; ``set`` likewise."""
    whole = writing.source.span(_taker(writing, expression))
    start, end = Span(whole.start, expression.start + 1), Span(expression.end - 1, whole.end)
    return [Replace(start, brackets[0]), Replace(end, brackets[1])]


def bracketed(writing: Writing, expression: Span) -> list[Edit]:
    """A generator expression to a list comprehension: ``any(f(x) for x in xs)`` to ``any([f(x) for x in xs])``."""
    around = writing.around(expression)[0]
    shared = isinstance(around, ast.Call) and writing.source.span(around).end == expression.end
    opening, closing = ("([", "])") if shared else ("[", "]")
    start, end = expression.start, expression.end
    return [Replace(Span(start, start + 1), opening), Replace(Span(end - 1, end), closing)]


def mapped(writing: Writing, call: Span) -> list[Edit]:
    """``map(f, xs)`` to ``[await f(item) for item in xs]``, ``map(lambda x: f(x), xs)`` to ``[f(x) for x in xs]``.

    In brackets where a function takes all of it (``list`` and ``set`` are such brackets themselves), else in parentheses.
    """
    source, node = writing.source, writing.call(call)
    function, *given = node.args
    whole, brackets = _brackets(writing, call)
    zipped = (f"{writing.name('builtins.zip')}(", ")") if len(given) > 1 else _parentheses(given[0])
    behind = Replace(Span(source.span(given[-1]).end, whole.end), f"{zipped[1]}{brackets[1]}")
    first = source.span(given[0]).start
    if isinstance(function, ast.Lambda):
        names = ", ".join(each.arg for each in function.args.args)
        body = source.span(function.body)
        between = Replace(Span(body.end, first), f" for {names} in {zipped[0]}")
        return [Replace(Span(whole.start, body.start), brackets[0]), between, behind]
    names = ", ".join(writing.fresh(name, call) for name in (ITEM, OTHER)[: len(given)])
    called = f"await {source.text(source.span(function))}({names})"
    return [Replace(Span(whole.start, first), f"{brackets[0]}{called} for {names} in {zipped[0]}"), behind]


def filtered(writing: Writing, call: Span) -> list[Edit]:
    """``filter(f, xs)`` to ``[item for item in xs if await f(item)]``, ``filter(lambda x: f(x), xs)`` to
    ``[x for x in xs if f(x)]``; in brackets as above."""
    source, node = writing.source, writing.call(call)
    function, given = node.args
    whole, brackets = _brackets(writing, call)
    opening, closing = _parentheses(given)
    span = source.span(given)
    if isinstance(function, ast.Lambda):
        name, body = function.args.args[0].arg, source.span(function.body)
        first, last = _parentheses(function.body)
        head = f"{brackets[0]}{name} for {name} in {opening}{source.text(span)}{closing} if {first}"
        return [
            Replace(Span(whole.start, body.start), head),
            Replace(Span(body.end, whole.end), f"{last}{brackets[1]}"),
        ]
    name = writing.fresh(ITEM, call)
    condition = f" if await {source.text(source.span(function))}({name})"
    return [
        Replace(Span(whole.start, span.start), f"{brackets[0]}{name} for {name} in {opening}"),
        Replace(Span(span.end, whole.end), f"{closing}{condition}{brackets[1]}"),
    ]


def _parentheses(node: ast.expr) -> tuple[str, str]:
    """What an expression needs round it behind ``in`` and ``if`` of a comprehension."""
    return ("(", ")") if isinstance(node, ast.IfExp | ast.Lambda | ast.NamedExpr) else ("", "")


def _brackets(writing: Writing, call: Span) -> tuple[Span, str]:
    """What a comprehension in place of a call takes the place of, and the brackets round it."""
    taker = writing.around(call)[0]
    name = taker.func.id if isinstance(taker, ast.Call) and isinstance(taker.func, ast.Name) else ""
    if not isinstance(taker, ast.Call | ast.Starred | ast.Assign) or name == "next":
        return call, "()"
    if name == "list" or (name == "set" and not is_shown(writing, call)):
        return writing.source.span(taker), "[]" if name == "list" else "{}"
    return call, "[]"


def is_shown(writing: Writing, span: Span) -> bool:
    """Whether an expression stands in an f-string, where a brace at the beginning of a field would be text."""
    return any(isinstance(node, ast.JoinedStr) for node in writing.around(span))


def _each(writing: Writing, call: Span) -> str:
    name = writing.fresh(ITEM, call)
    return f"{name} async for {name} in "


def _taker(writing: Writing, argument: Span) -> ast.Call:
    """The call whose argument stands there."""
    taker = writing.around(argument)[0]
    if not isinstance(taker, ast.Call):
        raise CannotWrite("expected an argument of a call")
    return taker


def _along(writing: Writing, span: Span, start: int, columns: int) -> Iterator[Edit]:
    """The aligned lines of a call, if what stands between ``start`` and its end on its line moves by so many ``columns``."""
    import libcst as cst

    if isinstance(writing.node(span), cst.Call) and not LINE_END.search(writing.source.data, start, span.start):
        yield from aligned(writing, span, columns)
