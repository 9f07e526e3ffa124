"""# wait-for

Finds `await asyncio.wait_for(...)`.

## What it does

Of a statement, an assignment or a `return` that waits for a coroutine and does nothing else, this is awaited in
`async with asyncio.timeout(...)`, from Python 3.11 on; others are reported. Off by default: since Python 3.12
`wait_for` does the same itself, and nothing is gained but a block that can hold more than one await.

## Why is this bad?

Before Python 3.12 `wait_for` runs the coroutine in a task of its own: one more turn of the event loop for each call, values
of context variables that are lost, and a cancellation that may be swallowed if it comes when the coroutine has just ended.

## Example

```python
async def load(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readline(), timeout=10)
```

Use instead:

```python
async def load(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        return await reader.readline()
```

## Safety

SAFE where the project supports Python 3.12 and newer only, and the timeout is written out as a positive number or None:
that is what `wait_for` does there. A timeout of 0 or less is another matter: `wait_for` does not begin the coroutine then,
`timeout` lets it run up to its first suspension. So it is UNSAFE where the timeout is given by a name, and where Python 3.11
is supported, where the coroutine is no task of its own any more. Reported only are futures, tasks and names of coroutines,
arguments that await or yield or call something, and `wait_for` within another expression.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.model import Edit, Form, Means, MinimumPython, NotPatched, Replace, Site, Span, Unproven
from asyncfix.statements import next_line
from asyncfix.transform import CannotWrite, Look, Tree, Watch, Writing

from ._layout import holds_together, moved_along
from .never_awaited import OF_ASYNCIO

WAIT_FOR = "asyncio.wait_for"
TIMEOUT = "asyncio.timeout"
NO_TASK = (
    "before Python 3.12 the coroutine ran in a task of its own: now context variables that it sets are seen afterwards, "
    "its current task is the caller's, and a cancellation that comes when it has just ended is not swallowed any more"
)
NO_COROUTINE = "what is called may do its work before there is a coroutine: the timeout covers that now, too"
MAY_BE_ZERO = (
    "the timeout may be 0 or less: the coroutine would not have begun, and now runs up to its first suspension"
)


class WaitFor(Watch):
    """A coroutine awaited in a timeout instead of a task."""

    name = "wait-for"
    default = False
    watches: ClassVar[frozenset[str]] = frozenset({WAIT_FOR})

    def examine(self, look: Look) -> Site | None:
        found = _waiting(look.tree, look.node) if look.in_async else None
        over = _is_over(found.timeout) if found is not None else None
        if over is False:
            return None
        if found is None or not _has_lines_of_its_own(look.tree, found):
            return self._reported(look) if look.in_async and isinstance(look.parent, ast.Await) else None
        real = NotPatched((WAIT_FOR, TIMEOUT))
        begins = () if over else (Unproven(MAY_BE_ZERO),)
        made = Means(look.tree.source.span(found.made), tuple(sorted(OF_ASYNCIO)), coroutines=True, reason=NO_COROUTINE)
        form = Form("timeout", (MinimumPython((3, 11)),), (real, made, *begins, MinimumPython((3, 12), NO_TASK)))
        site = look.site(self, [form], found.statement)
        message = f"{ast.unparse(found.made.func)} is awaited by wait_for: asyncio.timeout needs no other task"
        return replace(site, message=message, title="await in a timeout", only_if=(Means(look.span, (WAIT_FOR,)),))

    def _reported(self, look: Look) -> Site:
        """The site of an awaited call that is not written anew."""
        site = look.refused(self, "not-plain", _obstacle(look.tree, look.node))
        message = "what wait_for waits for could be awaited in asyncio.timeout"
        return replace(site, message=message, only_if=(Means(look.span, (WAIT_FOR,)),))

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        tree = writing.tree()
        found = _waiting(tree, writing.call(site.call))
        if found is None:
            raise CannotWrite("the call is not what was surveyed")
        return list(_written(tree, found, writing, site))


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A statement that awaits `wait_for`, the call that makes the coroutine, and the timeout."""

    statement: ast.stmt
    call: ast.Call
    made: ast.Call
    timeout: ast.expr


def _waiting(tree: Tree, call: ast.Call) -> _Waiting | None:
    """What a `wait_for` waits for, None if its statement is not one that is written anew."""
    awaited = tree.parent(call)
    statement = tree.parent(awaited) if isinstance(awaited, ast.Await) else None
    if not isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign | ast.Return) or statement.value is not awaited:
        return None
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    match call.args:
        case [ast.Call() as made, timeout] if not named:
            pass
        case [ast.Call() as made] if set(named) == {"timeout"}:
            timeout = named["timeout"]
        case _:
            return None
    parts = (*made.args, *(keyword.value for keyword in made.keywords), made.func, timeout)
    return _Waiting(statement, call, made, timeout) if all(map(_is_quiet, parts)) else None


def _obstacle(tree: Tree, call: ast.Call) -> str:
    """Why a call is not written anew."""
    awaited = tree.parent(call)
    statement = tree.parent(awaited) if awaited is not None else None
    if not isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign | ast.Return):
        return "it is part of another expression, which the timeout would be round, too"
    if not isinstance(call.args[0] if call.args else None, ast.Call):
        return "it waits for a task, a future, or a coroutine that was made before"
    if _waiting(tree, call) is None:
        return "its arguments do something, or are not those of one call, and would be evaluated within the timeout"
    return "a comment or other code stands on its lines"


def _is_quiet(node: ast.expr) -> bool:
    """Whether an expression does nothing: it may be evaluated a little later, and within the timeout."""
    active = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.GeneratorExp)
    return not any(isinstance(each, active) for each in ast.walk(node))


def _has_lines_of_its_own(tree: Tree, found: _Waiting) -> bool:
    """Whether nothing else stands on the lines of the statement, and no comment where text is taken away."""
    source, span = tree.source, tree.source.span(found.statement)
    start = source.line_start(span.start)
    if start != source.line_start(source.span(found.call).start):
        return False
    if source.data[start : span.start].strip() or next_line(source, span.end) is None:
        return False
    return not any(b"#" in source.data[each.start : each.end] for each in _taken(tree, found))


def _taken(tree: Tree, found: _Waiting) -> tuple[Span, Span]:
    """The text before and behind the call that makes the coroutine."""
    whole, made = tree.source.span(found.call), tree.source.span(found.made)
    return Span(whole.start, made.start), Span(made.end, whole.end)


def _is_over(timeout: ast.expr) -> bool | None:
    """Whether a timeout is over 0, or None; None if it is not written out."""
    match timeout:
        case ast.Constant(value=None):
            return True
        case ast.Constant(value=int() | float() as number):
            return number > 0
        case ast.UnaryOp(op=ast.USub()):
            return False
        case ast.BinOp(left=left, op=ast.Add() | ast.Mult() | ast.Div(), right=right):
            numbers = not any(isinstance(each, ast.Constant) and each.value is None for each in (left, right))
            return True if numbers and _is_over(left) and _is_over(right) else None
        case _:
            return None


def _written(tree: Tree, found: _Waiting, writing: Writing, site: Site) -> Iterator[Edit]:
    source, indent = tree.source, writing.indent(site.span)
    timeout = source.text(source.span(found.timeout))
    head = f"async with {writing.name(TIMEOUT)}({timeout}):\n{indent}{writing.step}"
    before, behind = _taken(tree, found)
    hangs = "" if holds_together(source, found.made) else writing.step  # of lines that need brackets round them
    opening, closing = ("(", ")") if hangs else ("", "")
    yield Replace(Span(site.span.start, site.span.start), head)
    yield Replace(before, opening)
    yield Replace(behind, closing)
    made, call = source.span(found.made), source.span(found.call)
    indented = len(indent + writing.step)
    column = indented + source.position(call.start)[1] - source.position(source.span(found.statement).start)[1]
    yield from moved_along(writing, made, column, indented + len(hangs))
