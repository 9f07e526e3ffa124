"""# run-in-loop

Finds calls that start an event loop where one runs already: in an async function, or in sync code that one calls.

## What it does

`asyncio.run(f())` in an async function becomes `await f()`, `asyncio.get_event_loop().run_until_complete(f())` likewise, and
`anyio.run(f, x)` becomes `await f(x)`. In sync code that async code reaches by calls of which it is certain what they run, the
call is reported once, with the shortest way there. Nothing is said of functions that are handed to a thread
(`asyncio.to_thread`, `run_in_executor`), of code that asks first whether an event loop runs (`asyncio.get_running_loop`), of
calls whose RuntimeError is caught by that name, nor of sync code in a project that imports `nest_asyncio`. An `asyncio.Runner`,
or a loop that was made for it, is reported only.

## Why is this bad?

It raises `RuntimeError: asyncio.run() cannot be called from a running event loop`, and the coroutine is never awaited.

## Example

```python
async def handle(order: Order) -> None:
    asyncio.run(save(order))
```

Use instead:

```python
async def handle(order: Order) -> None:
    await save(order)
```

## Safety

Always UNSAFE: code that always raised will run. Where `nest_asyncio` is applied it runs today, on the same event loop, while
other tasks wait or not as that likes; the note says so. Arguments such as `debug=True` make a call one that is reported only.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import last_name
from asyncfix.model import Edit, Form, NotPatched, Replace, Site, Span, Unlocked, Unproven
from asyncfix.transform import CannotWrite, Look, Tree, Watch, Writing

from ._layout import holds_together, moved_along

RUN = "asyncio.run"
COMPLETE = "asyncio.AbstractEventLoop.run_until_complete"
ANYIO = "anyio.run"
OTHERS = frozenset({"asyncio.Runner.run", "uvloop.run"})
RUNNING = frozenset({"get_event_loop", "get_running_loop"})
"""What gives the loop that runs already."""
RUNS = "code that always raised RuntimeError will run: check that it does what is wanted"
PLAIN = ast.Call | ast.Name | ast.Attribute | ast.Subscript


class RunInLoop(Watch):
    """An event loop started in another one: `await` instead."""

    name = "run-in-loop"
    watches: ClassVar[frozenset[str]] = OTHERS | {RUN, COMPLETE, ANYIO}
    reached: ClassVar[bool] = True

    def examine(self, look: Look) -> Site | None:
        if _is_caught(look.tree, look.node):
            return None
        message = f"{look.api.call} raises RuntimeError where an event loop runs already: {look.way}"
        if not look.in_async:
            why = f"sync code cannot await: make it async up to {look.way.partition(' ')[0]}, or hand what that calls to a thread"
            return replace(look.refused(self, "sync-caller", why), message=message)
        why = _obstacle(look)
        if why:
            return replace(look.refused(self, "not-plain", why), message=message)
        form = Form("await", (Unlocked(),), (NotPatched((RUN,)), Unproven(RUNS)))
        return replace(look.site(self, [form]), message=message, title="await what an event loop is started for")

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        node, source = writing.call(site.call), writing.source
        if not node.args:
            raise CannotWrite("expected a coroutine to await")
        first = source.span(node.args[0])
        opening, closing = ("(", ")") if site.tight else ("", "")
        before = Span(site.call.start, first.start)
        if site.api == ANYIO:
            last = source.span(node.args[-1]).end
            given = source.span(node.args[1]).start if node.args[1:] else last
            called = Replace(Span(first.end, given), "(")
            return [Replace(before, f"{opening}await "), called, Replace(Span(last, site.call.end), f"){closing}")]
        if not holds_together(source, node.args[0]):
            tail = source.text(Span(first.end, site.call.end))
            comma = Replace(Span(first.end, site.call.end), tail.replace(",", "") + closing)
            return [Replace(source.span(node.func), f"{opening}await "), comma]
        if not isinstance(node.args[0], PLAIN):
            opening, closing = f"{opening}await (", f"){closing}"
        else:
            opening = f"{opening}await "
        edits: list[Edit] = [Replace(before, opening), Replace(Span(first.end, site.call.end), closing)]
        if isinstance(node.args[0], ast.Call):
            column = source.position(site.call.start)[1] - 1 + len(opening)
            head = source.data[source.line_start(site.call.start) : site.call.start]
            edits += moved_along(writing, first, column, len(head) - len(head.lstrip()))
        return edits


def _is_caught(tree: Tree, node: ast.Call) -> bool:
    """Whether the call is tried, and the RuntimeError waited for by name."""
    child: ast.AST = node
    for around in tree.ancestors(node):
        if isinstance(around, ast.Try) and child in around.body:
            named = (part for handler in around.handlers if handler.type for part in ast.walk(handler.type))
            if any(isinstance(part, ast.Name) and part.id == "RuntimeError" for part in named):
                return True
        child = around
    return False


def _obstacle(look: Look) -> str:
    """Why the call is not written anew, '' if it is."""
    node = look.node
    for around in look.tree.ancestors(node):
        if isinstance(around, ast.GeneratorExp | ast.ClassDef | ast.arguments):
            return "no await may stand here"
        if isinstance(around, ast.AsyncFunctionDef):
            break
    if look.api.call in OTHERS:
        return "a runner of its own, or of another loop, was made for it"
    if look.api.call == COMPLETE and not _is_running(look):
        return "the event loop is not, or not certainly, the one that runs"
    if node.keywords or not node.args or any(isinstance(each, ast.Starred) for each in node.args):
        return "the arguments are more than the coroutine"
    if look.api.call == ANYIO:
        called = isinstance(node.args[0], ast.Name | ast.Attribute)
        return "" if called and not _comments(look) else "what is called is not a plain name"
    if len(node.args) > 1:
        return "the arguments are more than the coroutine"
    return "a comment stands beside the coroutine" if _comments(look) else ""


def _is_running(look: Look) -> bool:
    """Whether the loop is asked for there and then, or is a name that the function binds to that and to nothing else."""
    owner = look.node.func.value if isinstance(look.node.func, ast.Attribute) else None
    if not isinstance(owner, ast.Name):
        return _gives_running(owner)
    bound = [
        look.tree.parent(each)
        for each in ast.walk(look.function or look.tree.module)
        if isinstance(each, ast.Name) and each.id == owner.id and isinstance(each.ctx, ast.Store)
    ]
    return bool(bound) and all(isinstance(each, ast.Assign) and _gives_running(each.value) for each in bound)


def _gives_running(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in RUNNING


def _comments(look: Look) -> bool:
    """Whether something but white space, brackets and commas stands round the arguments."""
    source, node = look.tree.source, look.node
    given = [source.span(each) for each in node.args]
    starts = [source.span(node.func).end, *(span.end for span in given)]
    gaps = map(Span, starts, [*(span.start for span in given), look.span.end])
    return any(source.text(gap).strip(" \t\r\n\f,()\\") for gap in gaps)
