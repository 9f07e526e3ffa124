"""# never-awaited

Finds coroutine functions that are called as a statement, so that nothing awaits what the call gives.

## What it does

An `await` is put before the call where it stands in an async function. Only calls that can mean nothing but coroutine
functions are told of: of the project, without decorators that might run them, or of asyncio.

## Why is this bad?

The call makes a coroutine and throws it away: nothing of the function ever runs. Python tells of it in a warning only,
`coroutine 'save' was never awaited`.

## Example

```python
async def save(order: Order) -> None:
    await database.insert(order)


async def handle(order: Order) -> None:
    save(order)
```

Use instead:

```python
async def save(order: Order) -> None:
    await database.insert(order)


async def handle(order: Order) -> None:
    await save(order)
```

## Safety

Always UNSAFE: code that never ran will run. Whether the program wants that, or has come to rely on the contrary, only a
person knows. In sync code no `await` may stand: there the call is reported and nothing is changed.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.model import Edit, Form, Means, Replace, Site, Span, Unlocked, Unproven
from asyncfix.transform import LOST, Look, Watch, Writing

OF_ASYNCIO = frozenset(
    f"asyncio.{name}"
    for name in (
        "sleep",
        "to_thread",
        "wait",
        "wait_for",
        "open_connection",
        "start_server",
        "Queue.get",
        "Queue.put",
        "Queue.join",
        "Event.wait",
        "Lock.acquire",
        "Semaphore.acquire",
        "Condition.wait",
        "StreamReader.read",
        "StreamReader.readline",
        "StreamReader.readexactly",
        "StreamWriter.drain",
        "StreamWriter.wait_closed",
        "subprocess.Process.wait",
        "subprocess.Process.communicate",
    )
)
RUNS = "code that never ran will run: check that it does what is wanted"


class NeverAwaited(Watch):
    """A coroutine called as a statement: `await` before it."""

    name = "never-awaited"
    watches: ClassVar[frozenset[str]] = OF_ASYNCIO | {LOST}
    in_tests: ClassVar[bool] = True

    def examine(self, look: Look) -> Site | None:
        if not isinstance(look.parent, ast.Expr):
            return None
        called = ast.unparse(look.node.func)
        sure = Means(look.span, tuple(sorted(OF_ASYNCIO)), coroutines=True, by_name=True)
        if not look.in_async or look.in_class:
            why = (
                f"{called} gives a coroutine, which sync code cannot await: make the function async, or schedule a task"
            )
            return _told(look.refused(self, "sync-caller", why), called, sure)
        form = Form("await", (Unlocked(),), (Unproven(RUNS),))
        return _told(look.site(self, [form]), called, sure)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        return [Replace(Span(site.call.start, site.call.start), "await ")]


def _told(site: Site, called: str, sure: Means) -> Site:
    """The site, with what is said of it."""
    message = f"the coroutine of {called} is never awaited: nothing of it runs"
    return replace(site, message=message, title=f"await {called}", only_if=(sure,))
