"""# dropped-task

Finds tasks that are started as a statement, so that nobody holds them.

## What it does

`asyncio.create_task`, `asyncio.ensure_future` and a loop's `create_task` whose result is thrown away are given to
`hold`, a function of the project's generated module: it keeps the task in a set until it is done.

## Why is this bad?

The event loop holds tasks weakly. One that nothing else refers to may be collected at any time, half done.

## Example

```python
async def handle(order: Order) -> None:
    asyncio.create_task(notify(order))
```

Use instead:

```python
async def handle(order: Order) -> None:
    hold(asyncio.create_task(notify(order)))
```

## Safety

SAFE, unless a test or the program puts something else in the place of what starts the task: the task runs as before, and
to its end. What it raises is logged when it is over, as before, and it is cancelled with the event loop, as before. UNSAFE
where a loop of the project's own starts it, of which it is not known what it gives.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.model import Edit, Form, NotDoubled, NotPatched, Replace, Site, Span
from asyncfix.transform import Look, Watch, Writing

HOLD = '''
import asyncio
from typing import Any, TypeVar

Held = TypeVar("Held", bound="asyncio.Future[Any]")
_held: set[asyncio.Future[Any]] = set()


def hold(task: Held) -> Held:
    """Keep a task until it is done: the event loop itself holds it weakly, and it might be collected before."""
    _held.add(task)
    task.add_done_callback(_held.discard)
    return task
'''
LOOP = "asyncio.AbstractEventLoop"
STARTING = ("asyncio.create_task", "asyncio.ensure_future")


class DroppedTask(Watch):
    """A task that nobody holds: into a set, until it is done."""

    name = "dropped-task"
    watches: ClassVar[frozenset[str]] = frozenset({*STARTING, f"{LOOP}.create_task"})
    generated: ClassVar[dict[str, str]] = {"hold": HOLD}

    def examine(self, look: Look) -> Site | None:
        if not _is_dropped(look):
            return None
        called = ast.unparse(look.node.func)
        real = NotPatched((look.api.call,)) if look.api.call in STARTING else NotDoubled(LOOP, "add_done_callback")
        site = look.site(self, [Form("held", (), (real,))])
        return replace(
            site, message=f"nobody holds the task that {called} starts: it may be collected", title="hold a task"
        )

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        start, end = site.call.start, site.call.end
        return [Replace(Span(start, start), f"{writing.generated('hold')}("), Replace(Span(end, end), ")")]


def _is_dropped(look: Look) -> bool:
    """Whether a call is a statement, or its value is bound to ``_``."""
    match look.parent:
        case ast.Expr():
            return True
        case ast.Assign(targets=[ast.Name(id="_")]):
            return True
        case _:
            return False
