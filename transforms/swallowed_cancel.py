"""# swallowed-cancel

Finds `except:` and `except BaseException` round awaits which keep a cancellation to themselves, `except asyncio.CancelledError`
in loops that go on, and `return`, `break` and `continue` in a `finally` behind awaits, which drop whatever is on its way.

## What it does

Before a clause that catches everything, one is put that raises the cancellation again. A clause that is there for
cancellations alone gets a `raise` at its end. `contextlib.suppress` of a cancellation is reported only, and so are a clause
for cancellations alone that leaves by `return`, `break` or `continue`, and a `finally` that does.

Nothing is told where a clause that names cancellations is the end of something; where the clause raises, ends the program,
looks at the error by `isinstance`, or hands it on (`future.set_exception(error)`); where the function cancels something itself,
or awaits a task or a future as such, whose cancellation is another matter; in clean-up (an `except` clause, a `finally`), and
in tests.

## Why is this bad?

`asyncio.CancelledError` is how a task is told to stop: by `task.cancel()`, by a timeout, by a task group of which one member
failed, by Ctrl-C. A task that catches it and goes on cannot be stopped: what waits for its end waits for ever, a timeout
passes without effect.

## Example

```python
async def poll(server: Server) -> None:
    while True:
        try:
            await server.read()
        except:
            log.exception("read failed")
```

Use instead:

```python
async def poll(server: Server) -> None:
    while True:
        try:
            await server.read()
        except asyncio.CancelledError:
            raise
        except:
            log.exception("read failed")
```

Left alone are clauses that name cancellations and have a comment, those with a comment on cancelling, and those whose types are
a parameter.

## Safety

Always UNSAFE: a task that lived through its cancellation will end there, and where the function ends anyhow, who awaits it
gets the cancellation in place of what the function gave. What the clause does besides, such as to close
something, is no longer done for a cancellation, which may want a `finally`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.facts.testfiles import is_test
from asyncfix.flow import Definition, last_name, leaving, own, parameters
from asyncfix.model import Edit, Form, Function, Handler, PassesOn, Replace, Site, Span, Unproven
from asyncfix.source import Source
from asyncfix.transform import BlockTransform, CannotWrite, Look, Tree, Watch, Writing

from ._behind import behind
from ._comments import comments_of, first_comment
from ._going_on import AFTER, AGAIN, NEXT, RAISED, awaits, falls_through, goes_on, ways

CANCELLED = "asyncio.CancelledError"
BROAD = "builtins.BaseException"
CATCHING = (CANCELLED, BROAD)
SUPPRESS = "contextlib.suppress"
WORD = len("except")
ENDING = (
    "a task that lived through its cancellation will end there; what the clause does is not done for a cancellation"
)
PASSED_ON = (
    "who awaits the function, or the task, gets the cancellation where it got a result; what the clause does is not done "
    "for a cancellation"
)
RAISING = "a task that lived through its cancellation will end there"
TAKING = frozenset({"gather", "wait", "wait_for", "shield", "as_completed"})
"""What awaits tasks and futures that it is given."""
EXITS = frozenset({"exit", "_exit", "quit", "abort"})
TELLING = frozenset(
    {
        *("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "print"),
        *("str", "repr", "type", "format", "getattr", "hasattr", "format_exception", "print_exception", "format_exc"),
    }
)
"""Calls that are given an error and make a text of it."""


class SwallowedCancel(BlockTransform, Watch):
    """A cancellation that is caught and lost: raised again."""

    name = "swallowed-cancel"
    watches: ClassVar[frozenset[str]] = frozenset({SUPPRESS})

    def concerns(self, function: Function) -> bool:
        return function.is_async and any(
            not item.handlers or any(map(_is_broad, item.handlers)) for item in function.tries
        )

    def scan(self, tree: Tree) -> list[Site]:
        if is_test(tree.source.path):
            return []
        tries = [node for node in ast.walk(tree.module) if isinstance(node, ast.Try)]
        return [site for node in tries for site in self._sites(tree, node)]

    def examine(self, look: Look) -> Site | None:
        block = look.statement
        if not isinstance(block, ast.With) or look.node not in [item.context_expr for item in block.items]:
            return None
        kept = _kept(look.tree, block, block.body, [], 0)
        if kept is None:
            return None
        why = "`suppress` keeps the cancellation: await outside of it, or catch it and raise it again"
        site = look.refused(self, "suppressed", why)
        return _told(site, f"{ast.unparse(look.node)} keeps a cancellation", kept)

    def _sites(self, tree: Tree, node: ast.Try) -> Iterator[Site]:
        for handler in node.handlers:
            left = _deals_with_it(handler) or _is_explained(tree, handler) or _is_given(tree, handler)
            kept = None if left else _kept(tree, node, node.body, handler.body, handler.lineno)
            if kept is not None:
                yield replace(self._site(tree, handler, kept), api=f"except {ast.unparse(next(awaits(node.body)))}")
        way = _dropping(tree, node)
        if way is not None:
            yield self._dropped(tree, way)

    def _dropped(self, tree: Tree, way: ast.stmt) -> Site:
        """The site of a statement that leaves a ``finally``."""
        span = tree.source.span(way)
        function = next(item for item in tree.ancestors(way) if isinstance(item, ast.AsyncFunctionDef))
        word = ast.unparse(way).partition(" ")[0]
        return Site(
            self.name,
            f"finally {word}",
            span,
            span,
            tree.qualified(function),
            (),
            refusal="dropped",
            why="put it behind the `try`, where nothing is on its way",
            message=f"`{word}` in a `finally` drops a cancellation that is on its way, and any other error",
            place=tree.source.place(span),
        )

    def _site(self, tree: Tree, handler: ast.ExceptHandler, kept: Kept) -> Site:
        start = tree.source.span(handler).start
        word = Span(start, start + WORD)
        function = next(item for item in tree.ancestors(handler) if isinstance(item, ast.AsyncFunctionDef))
        alone = isinstance(handler.type, ast.Name | ast.Attribute)
        only_if = (PassesOn(handler.lineno, (CANCELLED,), alone=True),) if alone else ()
        forms = [Form("before", only_if, (Unproven(ENDING if kept.goes_on else PASSED_ON),))]
        if alone and falls_through(handler.body):
            forms.append(Form("at-end", (), (Unproven(RAISING),)))
        site = Site(self.name, "", word, word, tree.qualified(function), tuple(forms), place=tree.source.place(word))
        caught = f"`except {ast.unparse(handler.type)}`" if handler.type else "a bare `except`"
        return _told(site, f"{caught} keeps a cancellation", kept)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        tree = writing.tree()
        handlers = (node for node in ast.walk(tree.module) if isinstance(node, ast.ExceptHandler))
        handler = next((node for node in handlers if tree.source.span(node).start == site.span.start), None)
        if handler is None:
            raise CannotWrite("expected an except clause")
        return [_before(writing, site.span.start) if form == "before" else _at_end(tree, handler)]


def _before(writing: Writing, start: int) -> Edit:
    """A clause of its own for cancellations, before the one that begins at ``start`` and the comments on it."""
    indent = _line_before(writing.source, start)
    first = first_comment(writing.source, writing.source.line_start(start))
    for line in writing.source.data[first:start].splitlines(keepends=True):
        if line.strip() and line.startswith(indent.encode() + b"#"):
            start = first + len(indent.encode())
            break
        first += len(line)
    clause = f"except {writing.name(CANCELLED)}:\n{indent}{writing.step}raise\n{indent}"
    return Replace(Span(start, start), clause)


def _at_end(tree: Tree, handler: ast.ExceptHandler) -> Edit:
    """``raise`` behind the last statement of a clause; in the place of one that does nothing."""
    last = handler.body[-1]
    return Replace(tree.source.span(last), "raise") if _does_nothing(last) else behind(tree.source, last, "raise")


def _does_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass():
            return True
        case ast.Expr(value=ast.Constant(value=value)):
            return value is ...
        case _:
            return False


def _line_before(source: Source, offset: int) -> str:
    """The text of the line before an offset."""
    return source.text(Span(source.line_start(offset), offset))


def _is_broad(handler: Handler) -> bool:
    """Whether a clause may catch a cancellation, and does not raise for certain."""
    return not handler.raises and not all(_is_plain(ref) for ref in handler.types or ("",))


def _is_plain(ref: str) -> bool:
    """Whether a ref means an exception of Python that is no cancellation."""
    return ref.startswith("builtins.") and ref != BROAD


def _told(site: Site, message: str, kept: Kept) -> Site:
    then = "the task goes on" if kept.goes_on else "who waits for the function does not learn of it"
    return replace(site, message=f"{message}, and {then}", title="raise a cancellation again", unless=(kept.unless,))


@dataclass(frozen=True, slots=True)
class Kept:
    """A cancellation that a clause keeps, unless that condition holds; whether the function awaits something after it."""

    unless: PassesOn
    goes_on: bool


def _kept(
    tree: Tree, statement: ast.stmt, body: Sequence[ast.stmt], handler: Sequence[ast.stmt], line: int
) -> Kept | None:
    """What is to be told of what catches the errors of ``body``, None if nothing is."""
    function = _function(tree, statement)
    awaited = list(awaits(body))
    if not isinstance(function, ast.AsyncFunctionDef) or not awaited or _is_clean_up(tree, statement):
        return None
    if all(map(_is_of_tasks, awaited)) or any(map(_cancels, own(function.body))):
        return None
    stopped = frozenset(_changed(handler))
    reached = {goes_on(tree, statement, way, stopped) for way in (ways(handler) if handler else (NEXT,))}
    if reached == {RAISED}:
        return None
    if AGAIN in reached:
        return Kept(PassesOn(line, CATCHING), goes_on=True)
    # A clause that names cancellations, and is no part of a loop, knows what it does: it is the end of something.
    return Kept(PassesOn(line, (BROAD,)), AFTER in reached)


def _dropping(tree: Tree, node: ast.Try) -> ast.stmt | None:
    """The statement by which a ``finally`` is left in which a cancellation may be on its way."""
    if not isinstance(_function(tree, node), ast.AsyncFunctionDef) or _is_clean_up(tree, node):
        return None
    guarded = [*node.body, *node.handlers, *node.orelse]
    ways = [item for item in own(node.finalbody) if isinstance(item, ast.Return)] + list(leaving(node.finalbody))
    return ways[0] if ways and next(awaits(guarded), None) is not None else None


def _function(tree: Tree, node: ast.AST) -> ast.AST | None:
    return next((item for item in tree.ancestors(node) if isinstance(item, Definition | ast.Lambda)), None)


def _is_clean_up(tree: Tree, statement: ast.stmt) -> bool:
    """Whether a statement stands in an ``except`` clause or a ``finally`` of its function: an error is on its way."""
    node: ast.AST = statement
    for parent in tree.ancestors(statement):
        if isinstance(parent, Definition):
            return False
        if isinstance(parent, ast.ExceptHandler) or (isinstance(parent, ast.Try) and node in parent.finalbody):
            return True
        node = parent
    return False


def _is_of_tasks(node: ast.AST) -> bool:
    """Whether an await is of tasks or futures as such: these may be cancelled, and not who awaits them."""
    match node:
        case ast.Await(value=ast.Name() | ast.Attribute() | ast.Subscript()):
            return True
        case ast.Await(value=ast.Call(func=func, args=args)) if last_name(func) in TAKING:
            given = (item.value if isinstance(item, ast.Starred) else item for item in args)
            return all(isinstance(item, ast.Name | ast.Attribute | ast.Constant) for item in given)
        case _:
            return False


def _cancels(node: ast.AST) -> bool:
    """Whether a call has to do with cancelling: ``task.cancel()``, ``task.cancelled()``, ``current_task().uncancel()``."""
    return isinstance(node, ast.Call) and "cancel" in last_name(node.func).lower()


def _deals_with_it(handler: ast.ExceptHandler) -> bool:
    """Whether a clause raises for certain, ends the program, or makes something of the error."""
    nodes = list(own(handler.body))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    if not list(ways(handler.body)) and not any(isinstance(node, ast.Return) for node in nodes):
        return True
    if any(last_name(call.func) in (*EXITS, "isinstance", "exc_info") for call in calls):
        return True
    return handler.name is not None and any(_hands_on(node, handler.name) for node in nodes)


def _hands_on(node: ast.AST, error: str) -> bool:
    """Whether an error is given to somebody as it is."""
    match node:
        case ast.Call(func=func) if last_name(func) in TELLING:
            return False
        case ast.Call(args=args, keywords=keywords):
            given = [*args, *(item.value for item in keywords)]
        case ast.Assign(value=value) | ast.Return(value=ast.expr() as value):
            given = [value]
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Dict(values=elements):
            given = list(elements)
        case _:
            return False
    return any(isinstance(item, ast.Name) and item.id == error for item in given)


def _is_explained(tree: Tree, handler: ast.ExceptHandler) -> bool:
    """Whether a comment in a clause says why a cancellation ends there: any one, if the clause names cancellations."""
    span = tree.source.span(handler)
    if "#" not in tree.source.text(span):
        return False
    named = handler.type is not None and "CancelledError" in ast.unparse(handler.type)
    return any(named or "cancel" in comment.lower() for _, comment in comments_of(tree.source, span))


def _is_given(tree: Tree, handler: ast.ExceptHandler) -> bool:
    """Whether the types of a clause are a parameter: who calls knows which they are."""
    functions = (node for node in tree.ancestors(handler) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return isinstance(handler.type, ast.Name) and any(handler.type.id in parameters(node) for node in functions)


def _changed(handler: Sequence[ast.stmt]) -> Iterator[str]:
    """What a clause assigns, and what it calls methods of: a loop may ask for that."""
    for node in own(handler):
        match node:
            case ast.Assign(targets=targets):
                yield from map(ast.unparse, targets)
            case ast.Call(func=ast.Attribute(value=value)):
                yield ast.unparse(value)
            case _:
                pass
