"""# lock-across-loops

Finds locks, semaphores, events, conditions and queues of asyncio that are made when a file is imported, in programs whose event
loops are others.
Off by default.

## What it does

Reports them, and changes nothing. Told are those of modules, classes and defaults of parameters, themselves or in a
collection, if what `asyncio.run` runs uses them: for Python before 3.10 always, from then on where that `asyncio.run` stands in
a loop, or its function is called in one, so that there are several event loops.

## Why is this bad?

Before Python 3.10 such an object belongs to the event loop of the moment at which it is made, and `asyncio.run` makes another
one. From 3.10 on it belongs to the first loop in which somebody waits for it. To wait for it in another one raises
`RuntimeError: ... is bound to a different event loop`, and only where somebody has to wait: under load, and not in tests.

## Example

```python
lock = asyncio.Lock()


async def work() -> None:
    async with lock:
        await asyncio.sleep(1)


def main() -> None:
    while True:
        asyncio.run(work())
```

Use instead:

```python
async def work(lock: asyncio.Lock) -> None:
    async with lock:
        await asyncio.sleep(1)


async def forever() -> None:
    lock = asyncio.Lock()
    while True:
        await work(lock)


def main() -> None:
    asyncio.run(forever())
```

## Safety

Nothing is changed: where the object should be made, and how it comes to those who use it, a person has to decide.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import FunctionDef
from asyncfix.model import OneLoop, Site
from asyncfix.transform import Look, Report, Tree

KINDS = ("Lock", "Semaphore", "BoundedSemaphore", "Event", "Condition", "Queue", "LifoQueue", "PriorityQueue")


class LockAcrossLoops(Report):
    """What belongs to one event loop, made outside of all: reported."""

    name = "lock-across-loops"
    default = False
    watches: ClassVar[frozenset[str]] = frozenset(f"asyncio.{kind}" for kind in KINDS)

    def examine(self, look: Look) -> Site | None:
        name = _named(look.tree, look.node) if _at_import(look) else ""
        if not name:
            return None
        site = look.refused(self, "other-loop", "make it in the coroutine that asyncio.run runs, and hand it on")
        said = name.rpartition("@")[2]
        message = f"{said} is made at import and used in other event loops: to wait for it there raises RuntimeError"
        return replace(site, message=message, unless=(OneLoop(name),))


def _at_import(look: Look) -> bool:
    """Whether a call is run when the file is imported: of a function, only its defaults and decorators are."""
    inner: ast.AST = look.node
    for parent in look.tree.ancestors(look.node):
        if isinstance(parent, ast.Lambda) or (isinstance(parent, FunctionDef) and inner in parent.body):
            return False
        inner = parent
    return True


def _named(tree: Tree, node: ast.expr) -> str:
    """The name that what is made goes by, itself or in a collection: of a variable, an attribute of a class, a parameter."""
    parent = tree.parent(node)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.NamedExpr(target=ast.Name(id=name)):
            return name
        case ast.Tuple(elts=elements) if isinstance(tree.parent(parent), ast.Assign):
            return _unpacked(tree.parent(parent), elements.index(node)) or _named(tree, parent)
        case ast.Dict() | ast.List() | ast.Tuple() | ast.IfExp() | ast.ListComp() | ast.DictComp():
            return _named(tree, parent)
        case ast.arguments() as given:
            return _default(tree.parent(given), given, node)
        case _:
            return ""


def _unpacked(statement: ast.AST | None, position: int) -> str:
    """The name that an element of a tuple is bound to which is unpacked there, '' if it is not."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=names)]) if position < len(names):
            name = names[position]
            return name.id if isinstance(name, ast.Name) else ""
        case _:
            return ""


def _default(function: ast.AST | None, given: ast.arguments, node: ast.expr) -> str:
    """The parameter whose default something is, with the name of the function."""
    if not isinstance(function, FunctionDef):
        return ""
    return next((f"{function.name}@{each.arg}" for each, default in _defaults(given) if default is node), "")


def _defaults(given: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    """The parameters that have a default, with it."""
    positional = [*given.posonlyargs, *given.args]
    having = positional[len(positional) - len(given.defaults) :]
    return [*zip(having, given.defaults, strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
