"""# loop-argument

Finds `loop=` given to functions and classes of asyncio that have no such argument since Python 3.10.

## What it does

The argument is taken away: of `asyncio.sleep`, `gather`, `shield`, `wait`, `wait_for`, `as_completed`, of locks, events,
semaphores, conditions and queues, of streams and subprocesses. Calls that still take a loop (`ensure_future`, `wrap_future`,
`run_coroutine_threadsafe`, `StreamReader`) are left alone.

## Why is this bad?

Since Python 3.10 such a call raises TypeError.

## Example

```python
async def retry(order: Order) -> None:
    await asyncio.sleep(1, loop=asyncio.get_event_loop())
    await send(order)
```

Use instead:

```python
async def retry(order: Order) -> None:
    await asyncio.sleep(1)
    await send(order)
```

## Safety

SAFE where the project supports Python 3.9 or older and async code gives the loop that it runs on, or None: the same without
the argument. UNSAFE where a name gives the loop, which may be another one, and where the project supports only Python 3.10
and newer: the call has always raised there, and what follows it will run. A loop that a call gives, and an argument
that has a comment to it, are reported only. Code that asks for Python's version, or is ready for the TypeError, is left alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import called, last_name
from asyncfix.model import Edit, Form, Means, NotPatched, OlderPython, Site, Unproven
from asyncfix.transform import CannotWrite, Look, Watch, Writing

from ._loops import GETTING, is_default, loop_argument, removed, runs_in_loop, without

WITHOUT_LOOP = frozenset(
    f"asyncio.{name}"
    for name in (
        *("sleep", "gather", "shield", "wait", "wait_for", "as_completed"),
        *("Lock", "Event", "Condition", "Semaphore", "BoundedSemaphore", "Queue", "LifoQueue", "PriorityQueue"),
        *("open_connection", "start_server", "open_unix_connection", "start_unix_server"),
        *("create_subprocess_exec", "create_subprocess_shell"),
    )
)
RAISED = "the call raises TypeError since Python 3.10: what follows it will run"
OTHER = f"{RAISED}; before that the loop that is given may be another one than that which runs"
READY = frozenset({"raises", "warns", "deprecated_call", "assertRaises", "assertRaisesRegex", "assertWarns"})


class LoopArgument(Watch):
    """An argument that is gone since Python 3.10."""

    name = "loop-argument"
    watches: ClassVar[frozenset[str]] = WITHOUT_LOOP
    in_tests: ClassVar[bool] = True

    def examine(self, look: Look) -> Site | None:
        argument = loop_argument(look.node)
        if argument is None or _is_ready(look):
            return None
        message = f"{ast.unparse(look.node.func)} takes no loop since Python 3.10: the call raises TypeError"
        only_if = (Means(look.span, (look.api.call,)),)
        why = _obstacle(look, argument)
        if why:
            return replace(look.refused(self, "not-plain", why), message=message, only_if=only_if)
        real = NotPatched((look.api.call, *(f"asyncio.{name}" for name in GETTING)))
        is_same = is_default(look, argument.value) and runs_in_loop(look)
        form = Form("without", (), (OlderPython((3, 10), RAISED) if is_same else Unproven(OTHER), real))
        return replace(look.site(self, [form]), message=message, title="take the loop away", only_if=only_if)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        call = writing.call(site.call)
        argument = loop_argument(call)
        if argument is None:
            raise CannotWrite("expected an argument `loop`")
        return list(without(writing.tree().source, call, argument))


def _obstacle(look: Look, argument: ast.keyword) -> str:
    """Why the argument is not taken away, '' if it is."""
    if removed(look.tree.source, look.node, argument) is None:
        return "a comment stands beside the argument"
    active = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    plain = is_default(look, argument.value) or not any(isinstance(node, active) for node in ast.walk(argument.value))
    return "" if plain else "the loop is worked out in the call"


def _is_ready(look: Look) -> bool:
    """Whether the code round a call asks for Python's version, or waits for the TypeError or the warning."""
    return any(_waits(node) for node in look.tree.ancestors(look.node))


def _waits(node: ast.AST) -> bool:
    match node:
        case ast.Try():
            return any("TypeError" in _types(handler) for handler in node.handlers)
        case ast.If():
            return any(last == "version_info" for last in _names(node.test))
        case ast.With() | ast.AsyncWith():
            return any(last_name(called(item.context_expr)) in READY for item in node.items)
        case _:
            return False


def _types(handler: ast.ExceptHandler) -> tuple[str, ...]:
    return tuple(_names(handler.type)) if handler.type is not None else ()


def _names(node: ast.AST) -> Iterator[str]:
    """The last names that an expression mentions."""
    return (last_name(each) for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute))
