"""How a loop is written whose turns become calls of a coroutine function: its head a ``def``, and the fan-out below it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from asyncfix.lines import movable
from asyncfix.model import Edit, Replace, Span
from asyncfix.nesting import blank_before, block_end, line_end_of
from asyncfix.source import Source
from asyncfix.transform import Tree, Writing

from ._comments import comments_within, first_comment
from ._layout import enclosed, is_bare_tuple, moved
from ._order import dotted, names_in
from ._turn_functions import ALL, TurnFunction
from ._turns_written import clause, gathering, spread

OPENED = re.compile(r"[\w.]+\s*\(")
MADE = {"set()": "builtins.set", "{}": "builtins.dict"}


def begin_of(turn: TurnFunction) -> ast.stmt:
    """The first of what is written anew."""
    return turn.creation if turn.creation is not None and turn.gives != ALL else turn.loop


def written(tree: Tree, turn: TurnFunction, writing: Writing) -> Iterator[Edit]:
    """The edits of the whole loop, and of the statement above it that makes the collection."""
    source, loop = tree.source, turn.loop
    span = Span(source.span(begin_of(turn)).start, source.span(loop).end)
    indent, line_end = writing.indent(span), line_end_of(source, span)
    first = first_comment(source, source.line_start(source.span(turn.body[0]).start))
    start = first + len(source.data[first:]) - len(source.data[first:].lstrip())
    stop = block_end(source, source.span(loop), indent)
    used = frozenset[str]().union(*map(names_in, turn.body))
    elements = [node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)]
    given = ", ".join(name for name in dict.fromkeys(elements) if name in used)
    name = writing.function(f"handle_{_of(elements)}")
    above = Span(source.line_start(span.start), source.line_start(start))  # the body begins with comments of its own
    head = [*comments_within(source, above, Span(span.start, start)), f"async def {name}({given}):"]
    head += [f"{writing.step}{turn.name} = {turn.empty}"] if turn.gives == ALL else []
    yield from blank_before(source, span, line_end, in_blocks=writing.black is not None)
    yield Replace(Span(span.start, start), f"{line_end}{indent}".join([*head, writing.step]))
    inner = indent + writing.step
    surplus = len(writing.indent(source.span(turn.body[0]))) - len(inner)
    for line in movable(source, Span(source.line_start(start), stop)) if surplus else ():
        yield Replace(Span(line.start, line.start + surplus), "")
    if turn.gives == ALL:
        yield from (Replace(source.span(each), f"return {turn.name}") for each in turn.next)
    else:
        for put in turn.puts:
            yield from _returned(source, put, writing, surplus)
    falls_through = turn.gives == ALL and not isinstance(turn.body[-1], ast.Continue | ast.Raise)
    tail = [f"{inner}return {turn.name}"] if falls_through else []
    below = [f"{indent}{line}" for line in _gathered(source, turn, writing, f"{name}({given})", indent)]
    yield Replace(Span(stop, stop), "".join(f"{line_end}{line}" for line in (*tail, "", *below)))


def _of(elements: list[str]) -> str:
    """What the name of a function says that is called for each element."""
    only = elements[0].strip("_") if len(elements) == 1 else ""
    return only if len(only) > 1 else "one"


def _gathered(source: Source, turn: TurnFunction, writing: Writing, call: str, indent: str) -> list[str]:
    """The lines that have all elements handled, and put what comes of it into the collection."""
    clauses = [clause(turn.loop, source.text(source.span(turn.loop.target)), enclosed(source, turn.loop.iter))]
    clauses += [f"if {enclosed(source, test)}" for test in turn.tests]
    gathered = f"await {gathering(turn.loop, writing)}"
    grow = "extend" if turn.empty == "[]" else "update"
    if turn.gives == ALL:
        found = writing.fresh("found", source.span(turn.loop))
        lines = spread(writing, f"for {found} in {gathered}", call, clauses, ":", indent)
        return [*lines, f"{writing.step}{turn.name}.{grow}({found})"]
    creation = turn.creation
    if creation is None:
        return spread(writing, f"{turn.name}.{grow}({gathered}", call, clauses, ")", indent)
    hint = f": {source.text(source.span(creation.annotation))}" if isinstance(creation, ast.AnnAssign) else ""
    before, behind = (f"{writing.name(MADE[turn.empty])}(", ")") if turn.empty in MADE else ("", "")
    return spread(writing, f"{turn.name}{hint} = {before}{gathered}", call, clauses, behind, indent)


def _returned(source: Source, put: ast.stmt, writing: Writing, surplus: int) -> Iterator[Edit]:
    """``return`` in place of what puts something into the collection. ``surplus``: how much less its lines are indented then."""
    span = source.span(put)
    inner = writing.indent(span)[surplus:]
    match put:
        case ast.Expr(value=ast.Call(args=[value])):
            yield from _returned_value(source, span, value, None if surplus else inner)
        case ast.Assign(targets=[ast.Subscript(slice=key) as target], value=value):
            text, begin = enclosed(source, key), _begin_of_value(source, source.span(target), source.span(value))
            if not isinstance(key, ast.Constant) and not dotted(key).isidentifier():
                result = writing.fresh("result", span)
                yield Replace(Span(span.start, begin), f"{result} = ")
                yield _behind(source, span, f"\n{inner}return {text}, {result}")
                return
            bare = is_bare_tuple(source, value)
            yield Replace(Span(span.start, begin), f"return {text}, {'(' if bare else ''}")
            if bare:
                yield _behind(source, span, ")")
        case _:
            pass


def _begin_of_value(source: Source, target: Span, value: Span) -> int:
    """Where what is assigned begins, with the brackets round it."""
    between = source.data[target.end : value.start]
    behind = between[between.index(b"=") + 1 :]
    return value.start - len(behind.lstrip(b" \t"))


def _behind(source: Source, span: Span, text: str) -> Replace:
    """Text behind a statement, where more may be written: its last character goes along."""
    last = source.text(span)[-1]
    return Replace(Span(span.end - len(last.encode()), span.end), last + text)


def _returned_value(source: Source, span: Span, value: ast.expr, indent: str | None) -> Iterator[Edit]:
    """The argument of a call is returned: without brackets of the call where it needs none. ``indent``: of the statement, None
    if its lines are moved anyhow."""
    inside = source.span(value)
    before, behind = source.text(Span(span.start, inside.start)), source.text(Span(inside.end, span.end))
    if "#" not in before + behind and _stands_alone(source.text(inside)):
        if indent is not None:
            yield Replace(span, f"return {moved(source, inside, len(indent) + len('return '), indent)}")
            return
        if "\n" not in before + behind:
            yield Replace(Span(span.start, inside.start), "return ")
            yield Replace(Span(inside.end, span.end), "")
            return
    opened = OPENED.match(before)
    assert opened is not None
    yield Replace(Span(span.start, span.start + opened.end()), "return (")
    comma = re.match(r"[\s)]*,", behind)
    if comma is not None:
        at = inside.end + len(comma.group().encode())
        yield Replace(Span(at - 1, at), "")


def _stands_alone(text: str) -> bool:
    """Whether an expression may be written without brackets round it."""
    try:
        ast.parse(f"return_ = {text}")
    except SyntaxError:
        return False
    return True
