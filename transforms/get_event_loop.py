"""# get-event-loop

Finds `asyncio.get_event_loop()`.

## What it does

In async functions it becomes `asyncio.get_running_loop()`. Where certainly no event loop runs it is reported: in the code of
a module, and in sync functions that run the loop they get.

## Why is this bad?

In async code both give the loop that runs; only the newer name says so, and raises where there is none instead of looking
for one elsewhere. Where none runs, `get_event_loop` is deprecated since Python 3.12 and raises RuntimeError since 3.14
unless a loop was set before.

## Example

```python
async def load_all(numbers: list[int]) -> list[User]:
    loop = asyncio.get_event_loop()
    return [await loop.run_in_executor(None, load_user, number) for number in numbers]
```

Use instead:

```python
async def load_all(numbers: list[int]) -> list[User]:
    loop = asyncio.get_running_loop()
    return [await loop.run_in_executor(None, load_user, number) for number in numbers]
```

## Safety

SAFE: a coroutine runs on a loop, and that is what both functions give, on every Python since 3.7. UNSAFE where a test or the
program puts something else in the place of one of them. Sync functions that may run in a callback of a loop or in a thread
of their own are left alone, as is code that sets the loop itself or is ready for the error.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import last_name
from asyncfix.model import Edit, Form, Means, MinimumPython, NotPatched, Replace, Site
from asyncfix.transform import FunctionNode, Look, Watch, Writing

from ._loops import runs_in_loop

GET = "asyncio.get_event_loop"
RUNNING = "asyncio.get_running_loop"
RUNS = ("run_until_complete", "run_forever")
NESTING = "nestasyncio"
NO_LOOP = "make one with asyncio.new_event_loop(), or let asyncio.run(...) make it"


class GetEventLoop(Watch):
    """The loop that runs, by the name that says so."""

    name = "get-event-loop"
    watches: ClassVar[frozenset[str]] = frozenset({GET})

    def examine(self, look: Look) -> Site | None:
        if look.node.args or look.node.keywords:
            return None
        only_if = (Means(look.span, (GET,)),)
        if runs_in_loop(look):
            form = Form("running", (MinimumPython((3, 7)),), (NotPatched((GET, RUNNING)),))
            message = "async code gets the loop that it runs on: asyncio.get_running_loop says so"
            return replace(look.site(self, [form]), message=message, title="get the running loop", only_if=only_if)
        if not _is_loopless(look):
            return None
        message = "no event loop runs here: deprecated since Python 3.12, an error since 3.14 if none was set"
        return replace(look.refused(self, "no-running-loop", NO_LOOP), message=message, only_if=only_if)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        function = writing.call(site.call).func
        return [Replace(writing.tree().source.span(function), writing.name(RUNNING))]


def _is_loopless(look: Look) -> bool:
    """Whether no event loop runs there, and none was set before."""
    tree = look.tree
    if _is_guarded(look) or any(_sets(node) for node in ast.walk(tree.module)):
        return False
    return look.function is None or (_runs_it(look, look.function) and not _asks(look.function))


def _asks(function: FunctionNode) -> bool:
    """Whether a function asks if the loop runs, so that it may."""
    return any(last_name(node) == "is_running" for node in ast.walk(function))


def _sets(node: ast.AST) -> bool:
    """Whether a name is that of the function that sets the loop, or of the package that lets loops run in loops."""
    return last_name(node) == "set_event_loop" or NESTING in last_name(node).replace("_", "").lower()


def _is_guarded(look: Look) -> bool:
    """Whether a handler stands round a call, in whatever function."""
    return any(isinstance(node, ast.Try) and node.handlers for node in look.tree.ancestors(look.node))


def _runs_it(look: Look, function: FunctionNode) -> bool:
    """Whether a sync function runs the loop that it gets there."""
    match look.parent:
        case ast.Attribute(attr=name):
            return name in RUNS
        case ast.Assign(targets=[ast.Name(id=bound)]) | ast.NamedExpr(target=ast.Name(id=bound)):
            return any(_is_run(node, bound) for node in ast.walk(function))
        case _:
            return False


def _is_run(node: ast.AST, bound: str) -> bool:
    """Whether a call runs the loop of that name."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            return name == bound and method in RUNS
        case _:
            return False
