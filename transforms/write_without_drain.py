"""# write-without-drain

Finds `writer.write(...)` of `asyncio.StreamWriter` in async functions after which nothing waits until the data is on its way.

## What it does

`await writer.drain()` is put behind the write. Nothing is told where the function drains, flushes or closes the writer after it,
in a `while` or an `async for` within that loop, or where one of the project's functions that it calls, or that call it,
drains. Writes of a constant outside of loops are left alone, but for those behind others, and so is sync code, where no
`await` may stand. The writer of a handler that the same file gives to `asyncio.start_server` needs no annotation.

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
from collections.abc import Iterable, Iterator
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import Definition, bindings, last_name, own
from asyncfix.model import Api, CallsNear, Edit, Form, Site, Unlocked, Unproven
from asyncfix.transform import CannotWrite, Look, Tree, Watch, Writing

from ._behind import behind

WRITER = "asyncio.StreamWriter"
WRITES = frozenset({"write", "writelines"})
ENDING = ("drain", "flush", "close", "abort")
"""What calls have in their names after which nothing is kept, or no more is written."""
SERVING = ("asyncio.start_server", "asyncio.start_unix_server")
"""What calls a function with a reader and a writer, which is its first argument."""
SUSPENDS = "other tasks run at the new await, and it raises where the connection is lost"
Endless = ast.While | ast.AsyncFor


class WriteWithoutDrain(Watch):
    """A write to a stream that nothing waits for: `await writer.drain()` behind it."""

    name = "write-without-drain"
    watches: ClassVar[frozenset[str]] = frozenset({*(f"{WRITER}.{name}" for name in WRITES), *SERVING})

    def examine(self, look: Look) -> Site | None:
        if look.api.call not in SERVING:
            return self._site(look)
        if look.node is not next(_serving_alike(look)):
            return None  # the first that is found tells of the handler
        sites = (self._site(write) for write in _handled(look))
        return next((site for site in sites if site is not None), None)

    def _site(self, look: Look) -> Site | None:
        function, called = look.function, look.node.func
        if not isinstance(function, ast.AsyncFunctionDef) or look.in_class or not isinstance(called, ast.Attribute):
            return None
        writer = ast.unparse(called.value)
        loop = _loop(look.tree, look.node)
        together = _together(look, writer)
        if _ends(own([loop]) if loop else _after(function, look.node)) or together[-1] is not look.node:
            return None
        if loop is None and all(isinstance(item, ast.Constant) for call in together for item in call.args):
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


def _together(look: Look, writer: str) -> list[ast.Call]:
    """The writes to one writer that are statements of the block of a call, and the call itself: the last is what is told of."""
    blocks = (block for block in _blocks(look.tree.parent(look.statement)) if look.statement in block)
    found: list[ast.Call] = []
    for statement in next(blocks, [look.statement]):
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=value, attr=name)) as call) if name in WRITES:
                found += [call] if ast.unparse(value) == writer else []
            case _:
                pass
        found += [look.node] if statement is look.statement and look.node not in found else []
    return found


def _blocks(parent: ast.AST | None) -> list[list[ast.stmt]]:
    return [getattr(parent, name, []) for name in ("body", "orelse", "finalbody")]


def _serving_alike(look: Look) -> Iterator[ast.Call]:
    """The calls of the file, by their name, that make a server with the same function."""
    name, given = last_name(look.node.func), [ast.unparse(each) for each in look.node.args[:1]]
    calls = (node for node in ast.walk(look.tree.module) if isinstance(node, ast.Call) and last_name(node.func) == name)
    yield from (call for call in calls if [ast.unparse(each) for each in call.args[:1]] == given)


def _handled(look: Look) -> Iterator[Look]:
    """The writes of the function that a server is made with to the writer that it is given, if its types say nothing."""
    tree, function = look.tree, _handler(look)
    if function is None:
        return
    is_method = isinstance(tree.parent(function), ast.ClassDef)
    given = function.args.args
    if len(given) != 2 + is_method or given[-1].annotation or given[-1].arg in dict(bindings(function.body)):
        return
    for node in own(function.body):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if name == given[-1].arg:
                if method in WRITES:
                    yield Look(tree, node, Api(f"{WRITER}.{method}"), tree.qualified(function))
            case _:
                pass


def _handler(look: Look) -> ast.AsyncFunctionDef | None:
    """The function of the file that a server is made with: a method of the class round the call, or no method."""
    tree = look.tree
    match look.node.args[:1]:
        case [ast.Name(id=name)]:
            owner = None
        case [ast.Attribute(value=ast.Name(id="self"), attr=name)]:
            owner = next((node for node in tree.ancestors(look.node) if isinstance(node, ast.ClassDef)), None)
        case _:
            return None
    functions = (node for node in ast.walk(owner or tree.module) if isinstance(node, ast.AsyncFunctionDef))
    found = [node for node in functions if node.name == name and _class_of(tree, node) is owner]
    return found[0] if len(found) == 1 else None


def _class_of(tree: Tree, function: ast.AsyncFunctionDef) -> ast.AST | None:
    parent = tree.parent(function)
    return parent if isinstance(parent, ast.ClassDef) else None
