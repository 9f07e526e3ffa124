"""# unbounded-queue

Finds `asyncio.Queue()` without a `maxsize` that a loop fills from a source without end, while something else empties it.

## What it does

Reports the queue, and changes nothing. Told are queues of a class, a module or a function that a `while` or an `async for`
fills with what it has waited for (`put`, `put_nowait`), and that are emptied in other code, also in functions of the same file
that are given the queue. Not told are queues of which the
code asks for the size, or that it joins, worklists (the loop that fills the queue empties it, too), and what is filled from a
collection, or at the pace of a `sleep`.

## Why is this bad?

Where the source is faster than what empties the queue, be it for a minute, the queue grows without bound: memory fills up, and
what comes out of it is ever older. With a bound, `await queue.put(item)` waits, and so the source is read no faster than the
program can follow.

## Example

```python
class Feed:
    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.reader = reader
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self) -> None:
        async for line in self.reader:
            await self.lines.put(line)

    async def work(self) -> None:
        while True:
            print(await self.lines.get())
```

Use instead:

```python
class Feed:
    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.reader = reader
        self.lines: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1000)

    async def read(self) -> None:
        async for line in self.reader:
            await self.lines.put(line)

    async def work(self) -> None:
        while True:
            print(await self.lines.get())
```

## Safety

Nothing is changed: how much the program can bear only a person knows, and a bound can stop it for good where what empties the
queue waits for what fills it. `put_nowait` raises `QueueFull` where the queue has a bound.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import Definition, FunctionDef, last_name, own
from asyncfix.model import Site
from asyncfix.transform import Look, Report, Tree

from ._going_on import awaits

PUTS = ("put", "put_nowait")
GETS = ("get", "get_nowait")
MINDED = frozenset({"qsize", "full", "join"})
"""Who asks this of a queue minds how much is in it."""


class UnboundedQueue(Report):
    """A queue without a bound that a loop fills: reported."""

    name = "unbounded-queue"
    watches: ClassVar[frozenset[str]] = frozenset(f"asyncio.{name}" for name in ("Queue", "LifoQueue", "PriorityQueue"))

    def examine(self, look: Look) -> Site | None:
        queue = _assigned(look.statement, look.node)
        if queue is None or not _is_unbounded(look.node):
            return None
        scope, name = _scope(look, queue), ast.unparse(queue)
        uses = [*_uses(scope, name), *(use for taken in _takers(look.tree, scope, name) for use in _uses(*taken))]
        if any(last_name(use.func) in MINDED for use in uses):
            return None
        gets = [use for use in uses if last_name(use.func) in GETS]
        put = next((use for use in uses if last_name(use.func) in PUTS and _is_flood(look.tree, use, gets)), None)
        if put is None or not gets:
            return None
        why = "give it a maxsize that the program can bear; a bound can stop it where what empties it waits for what fills it"
        message = f"{ast.unparse(queue)} has no bound, and the loop on line {put.lineno} fills it without end"
        return replace(look.refused(self, "unbounded", why), message=message)


def _assigned(statement: ast.stmt, made: ast.Call) -> ast.Name | ast.Attribute | None:
    """What a queue is assigned to, if that is one name or attribute."""
    match statement:
        case ast.Assign(targets=[ast.Name() | ast.Attribute() as target], value=value) if value is made:
            return target
        case ast.AnnAssign(target=ast.Name() | ast.Attribute() as target, value=value) if value is made:
            return target
        case _:
            return None


def _is_unbounded(made: ast.Call) -> bool:
    """Whether a queue is made without a bound: none is given, or zero."""
    given = [*made.args[:1], *(item.value for item in made.keywords if item.arg in ("maxsize", None))]
    return all(isinstance(item, ast.Constant) and item.value in (0, -1) for item in given)


def _scope(look: Look, queue: ast.Name | ast.Attribute) -> ast.AST:
    """Where the queue goes by that name: the class, the function or the module."""
    kind = ast.ClassDef if isinstance(queue, ast.Attribute) else Definition
    return next((node for node in look.tree.ancestors(look.node) if isinstance(node, kind)), look.tree.module)


def _uses(scope: ast.AST, queue: str) -> Iterator[ast.Call]:
    """The calls of methods of the queue."""
    for node in ast.walk(scope):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and ast.unparse(node.func.value) == queue
        ):
            yield node


def _takers(tree: Tree, scope: ast.AST, queue: str) -> Iterator[tuple[ast.AST, str]]:
    """The functions of the file that are given the queue, each with the name that it has there."""
    functions = [node for node in ast.walk(tree.module) if isinstance(node, FunctionDef)]
    for call in ast.walk(scope):
        if not isinstance(call, ast.Call):
            continue
        called = [node for node in functions if node.name == last_name(call.func)]
        for function in called if len(called) == 1 else ():
            given = [*function.args.posonlyargs, *function.args.args]
            bound = isinstance(tree.parent(function), ast.ClassDef) and isinstance(call.func, ast.Attribute)
            pairs = [*zip((each.arg for each in given[bound:]), call.args, strict=False)]
            pairs += [(each.arg, each.value) for each in call.keywords if each.arg]
            yield from ((function, name) for name, value in pairs if ast.unparse(value) == queue)


def _is_flood(tree: Tree, put: ast.Call, gets: list[ast.Call]) -> bool:
    """Whether a loop without end fills a queue with what it has waited for, and empties it not; a constant is but a sign."""
    if all(isinstance(item, ast.Constant) for item in put.args):
        return False
    for parent in tree.ancestors(put):
        if isinstance(parent, Definition | ast.Lambda):
            return False
        if isinstance(parent, ast.While | ast.AsyncFor):
            inside = set(own([parent]))
            return inside.isdisjoint(gets) and (isinstance(parent, ast.AsyncFor) or _waits(parent, put))
    return False


def _waits(loop: ast.While, put: ast.Call) -> bool:
    """Whether a loop awaits something besides the put, and a sleep."""
    for node in awaits([loop]):
        if not isinstance(node, ast.Await):
            return True
        called = node.value.func if isinstance(node.value, ast.Call) else node.value
        if node.value is not put and last_name(called) != "sleep":
            return True
    return False
