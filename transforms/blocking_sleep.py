"""# blocking-sleep

Finds `time.sleep` in code that runs on the event loop.

## What it does

`time.sleep(x)` becomes `await asyncio.sleep(x)`.

## Why is this bad?

`time.sleep` stops the whole event loop: no other task, request or timer moves until it is over.

## Example

```python
async def poll(job):
    while not job.done:
        time.sleep(1)
```

Use instead:

```python
async def poll(job):
    while not job.done:
        await asyncio.sleep(1)
```

## Safety

UNSAFE where tests replace `time.sleep`, or freeze time with freezegun (`asyncio.sleep` never returns then, unless
`real_asyncio=True`), and where the argument may be negative under a handler that would catch the `ValueError`: only
`time.sleep` raises it. There is no thread form: sleepers would fill the thread pool that others wait for. One that is there
(`await asyncio.to_thread(time.sleep, x)`) is found where `time = "native"` asks for it under `[tool.asyncfix.strategy]`, and
stays where tests replace `time.sleep` or freeze time.
"""

from __future__ import annotations

import ast

from asyncfix.model import Api, Edit, Form, NotCaughtAbove, NotFrozen, NotPatched, Site
from asyncfix.transform import CannotWrite, Look, Transform, Writing
from asyncfix.writing import awaited_as

CATCHING = ("builtins.ValueError", "builtins.Exception", "builtins.BaseException")
NEVER_NEGATIVE = frozenset({"abs", "len", "random.random", "time.monotonic", "time.time", "time.perf_counter"})


class BlockingSleep(Transform):
    """`time.sleep(x)` to `await asyncio.sleep(x)`."""

    name = "blocking-sleep"
    order = 10
    bridged = True

    def claims(self, api: Api) -> bool:
        return api.flow == "sleep" and api.twin == "asyncio.sleep"

    def examine(self, look: Look) -> Site:
        node = look.node
        if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
            return look.refused(self, "arguments", "the arguments of the call are not one plain expression")
        conditions = (NotPatched((look.api.call,)), NotFrozen())
        if not _never_negative(node.args[0], look):
            return look.site(self, [Form("native", safe_if=(*conditions, NotCaughtAbove(CATCHING)))])
        return look.site(self, [Form("native", safe_if=conditions)])

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        if form != "native":
            raise CannotWrite(f"no form {form}")
        return awaited_as(writing, site, writing.name("asyncio.sleep"))


def _never_negative(node: ast.expr, look: Look) -> bool:
    """Whether the value can be seen to be zero or more."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return value >= 0
        case ast.BinOp(op=ast.Add() | ast.Mult() | ast.Div() | ast.FloorDiv() | ast.Pow()):
            return _never_negative(node.left, look) and _never_negative(node.right, look)
        case ast.Call(func=ast.Name(id="max")):
            return any(_never_negative(argument, look) for argument in node.args)
        case ast.Call(func=ast.Name(id="min")):
            return all(_never_negative(argument, look) for argument in node.args)
        case ast.Call():
            return ast.unparse(node.func) in NEVER_NEGATIVE or _uniform(node, look)
        case ast.Name():
            return _bound_never_negative(node.id, look)
        case _:
            return False


def _uniform(node: ast.Call, look: Look) -> bool:
    drawn = ast.unparse(node.func) in ("random.uniform", "random.randint")
    return drawn and all(_never_negative(argument, look) for argument in node.args)


def _bound_never_negative(name: str, look: Look) -> bool:
    """Whether every binding of a name in the file is a constant that is not negative, or counts upwards."""
    if isinstance(look.function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        arguments = look.function.args
        if any(argument.arg == name for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)):
            return False
    values: list[ast.expr | None] = []
    for node in ast.walk(look.tree.module):
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load):
            values.append(_value_of(node, look))
        elif isinstance(node, ast.alias) and (node.asname or node.name) == name:
            return False
    return bool(values) and all(value is not None and _plain(value) for value in values)


def _value_of(node: ast.Name, look: Look) -> ast.expr | None:
    parent = look.tree.parent(node)
    if isinstance(parent, (ast.Assign, ast.AnnAssign)):
        return parent.value
    if isinstance(parent, ast.For) and parent.target is node:
        return parent.iter
    return None


def _plain(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and node.value >= 0
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        first = node.args[0] if len(node.args) > 1 else ast.Constant(0)
        return len(node.args) < 3 and _plain(first)
    return False
