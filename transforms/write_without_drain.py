"""# write-without-drain

Finds `writer.write(...)` of `asyncio.StreamWriter` in async functions after which nothing waits until the data is on its way.

## What it does

`await writer.drain()` is put behind the write. Nothing is told where the function drains, flushes or closes the writer after it,
in a `while` or an `async for` within that loop, or where one of the project's functions that it calls, or that call it,
drains. Writes of a constant outside of loops are left alone, and so is sync code, where no `await` may stand.

## Why is this bad?

`write` never waits: what the other side does not read is kept in memory. Where it reads slower than the program writes, memory
grows without bound. `drain` waits until the buffer is small again.

## Example

```python
async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
```

Use instead:

```python
async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
```

## Safety

Always UNSAFE: other tasks run at the new `await`, and may write between two writes that belong together; and it raises where
the connection is lost, which the write did not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import Definition, last_name, own
from asyncfix.model import CallsNear, Edit, Form, Site, Unlocked, Unproven
from asyncfix.transform import CannotWrite, Look, Tree, Watch, Writing

from ._behind import behind

WRITER = "asyncio.StreamWriter"
WRITES = frozenset({"write", "writelines"})
ENDING = ("drain", "flush", "close", "abort")
"""What calls have in their names after which nothing is kept, or no more is written."""
SUSPENDS = "other tasks run at the new await, and it raises where the connection is lost"
Endless = ast.While | ast.AsyncFor


class WriteWithoutDrain(Watch):
    """A write to a stream that nothing waits for: `await writer.drain()` behind it."""

    name = "write-without-drain"
    watches: ClassVar[frozenset[str]] = frozenset(f"{WRITER}.{name}" for name in WRITES)

    def examine(self, look: Look) -> Site | None:
        function, called = look.function, look.node.func
        if not isinstance(function, ast.AsyncFunctionDef) or not isinstance(called, ast.Attribute):
            return None
        writer = ast.unparse(called.value)
        loop = _loop(look.tree, look.node)
        if _ends(own([loop]) if loop else _after(function, look.node)) or _is_written_to_again(look, writer):
            return None
        if loop is None and all(isinstance(item, ast.Constant) for item in look.node.args):
            return None
        where = " in a loop" if loop else ""
        form = Form("drain", (Unlocked(),), (Unproven(SUSPENDS),))
        plain = isinstance(look.parent, ast.Expr)
        site = (
            look.site(self, [form])
            if plain
            else look.refused(self, "not-plain", "the write is no statement of its own")
        )
        message = f"nothing drains {writer} after a write{where}: what the other side does not read is kept in memory"
        return replace(site, message=message, title=f"drain {writer}", unless=(CallsNear(("drain",)),))

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        statement = next((node for node in writing.around(site.call) if isinstance(node, ast.Expr)), None)
        called = writing.call(site.call).func
        if statement is None or not isinstance(called, ast.Attribute):
            raise CannotWrite("expected a write as a statement")
        return [behind(writing.source, statement, f"await {ast.unparse(called.value)}.drain()")]


def _loop(tree: Tree, node: ast.AST) -> ast.stmt | None:
    """The outermost loop round a call that may go on without end."""
    found = None
    for parent in tree.ancestors(node):
        if isinstance(parent, Definition | ast.Lambda):
            break
        if isinstance(parent, Endless):
            found = parent
    return found


def _after(function: ast.AsyncFunctionDef, call: ast.Call) -> Iterable[ast.AST]:
    """The nodes of a function that stand behind a call, or share a loop with it."""
    end = (call.end_lineno or call.lineno, call.end_col_offset or 0)
    return (node for node in own(function.body) if isinstance(node, ast.expr) and (node.lineno, node.col_offset) >= end)


def _ends(nodes: Iterable[ast.AST]) -> bool:
    calls = (last_name(node.func).lower() for node in nodes if isinstance(node, ast.Call))
    return any(word in name for name in calls for word in ENDING)


def _is_written_to_again(look: Look, writer: str) -> bool:
    """Whether a later statement of the same block writes to the same writer: it is what is told of."""
    blocks = (block for block in _blocks(look.tree.parent(look.statement)) if look.statement in block)
    block = next(blocks, [look.statement])
    for statement in block[block.index(look.statement) + 1 :]:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=value, attr=name))) if name in WRITES:
                if ast.unparse(value) == writer:
                    return True
            case _:
                pass
    return False


def _blocks(parent: ast.AST | None) -> list[list[ast.stmt]]:
    return [getattr(parent, name, []) for name in ("body", "orelse", "finalbody")]
