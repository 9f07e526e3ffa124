"""# ensure-future

Finds `asyncio.ensure_future` of a coroutine.

## What it does

`asyncio.create_task` takes its place where the argument is certainly a coroutine: a call of an async function of the project,
or of asyncio, in an async function. A `loop=` that gives the loop which runs anyhow goes with it. Off by default: the
program does the same afterwards, only its text is better.

## Why is this bad?

`ensure_future` takes coroutines, futures and anything else that can be awaited, and starts a task or does not, by what it is
given: the reader does not see which. `create_task` always starts one, takes its name, and says so where it is given
something else.

## Example

```python
async def notify(order: Order) -> None:
    await send(order.owner)


async def handle(order: Order) -> None:
    task = asyncio.ensure_future(notify(order))
    await store(order)
    await task
```

Use instead:

```python
async def notify(order: Order) -> None:
    await send(order.owner)


async def handle(order: Order) -> None:
    task = asyncio.create_task(notify(order))
    await store(order)
    await task
```

## Safety

SAFE: of a coroutine, in code that runs on an event loop, both make the same task. UNSAFE where a test or the program puts
something else in the place of one of them. Anything that may be a future, and `loop=` with another loop, is left alone.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.model import Edit, Form, Means, MinimumPython, NotPatched, OnLoop, Replace, Site
from asyncfix.transform import Look, Watch, Writing

from ._loops import GETTING, is_default, loop_argument, removed, runs_in_loop, without
from .never_awaited import OF_ASYNCIO

ENSURE = "asyncio.ensure_future"
CREATE = "asyncio.create_task"


class EnsureFuture(Watch):
    """A task that is made of a coroutine, by the function that makes tasks."""

    name = "ensure-future"
    default = False
    watches: ClassVar[frozenset[str]] = frozenset({ENSURE})

    def examine(self, look: Look) -> Site | None:
        match look.node.args:
            case [ast.Call() as made] if runs_in_loop(look) and _has_no_other_loop(look):
                span = look.tree.source.span(made)
            case _:
                return None
        getting = (f"asyncio.{name}" for name in GETTING)
        form = Form(
            "task",
            (MinimumPython((3, 7)),),
            (NotPatched((ENSURE, CREATE, *(getting if look.node.keywords else ()))), OnLoop()),
        )
        only_if = (Means(look.span, (ENSURE,)), Means(span, tuple(sorted(OF_ASYNCIO)), coroutines=True))
        message = f"ensure_future is given a coroutine: asyncio.create_task starts {ast.unparse(made.func)}"
        return replace(look.site(self, [form]), message=message, title="create a task", only_if=only_if)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        source, call = writing.tree().source, writing.call(site.call)
        argument = loop_argument(call)
        name = Replace(source.span(call.func), writing.name(CREATE))
        return [name, *(without(source, call, argument) if argument is not None else ())]


def _has_no_other_loop(look: Look) -> bool:
    """Whether the loop that the task is for is the one that runs."""
    match look.node.keywords:
        case []:
            return True
        case [ast.keyword(arg="loop", value=value) as argument]:
            return is_default(look, value) and removed(look.tree.source, look.node, argument) is not None
        case _:
            return False
