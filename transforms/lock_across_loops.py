"""# lock-across-loops

Finds locks, semaphores, events, conditions and queues of asyncio that are made when a file is imported, in programs whose event
loops are others.
Off by default.

## What it does

Reports them, and changes nothing. Told are those of modules, classes and defaults of parameters, themselves or in a
collection, if what `asyncio.run` runs uses them: for Python before 3.10 always, from then on where that `asyncio.run` stands in
a loop, its function is called in one, or another one stood before it in the same function, so that there are several event loops.

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
from collections.abc import Iterator
from itertools import combinations
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import FunctionDef, blocks, last_name, own
from asyncfix.model import OneLoop, Site, Span
from asyncfix.transform import Look, Report, Tree

from ._going_on import falls_through

RUN = "run"
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
        return replace(site, message=message, unless=(OneLoop(name, tuple(_one_after_another(look.tree))),))


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


def _one_after_another(tree: Tree) -> Iterator[tuple[Span, Span]]:
    """The calls of something called `run` of which one runs after the other, in one function or in the code of the module."""
    functions = (node for node in ast.walk(tree.module) if isinstance(node, ast.FunctionDef))
    for body in (tree.module.body, *(function.body for function in functions)):
        calls = [node for node in own(body) if isinstance(node, ast.Call) and last_name(node.func) == RUN]
        for first, second in combinations(calls, 2):
            if _both_run(tree, first, second):
                yield tree.source.span(first), tree.source.span(second)


def _both_run(tree: Tree, first: ast.Call, second: ast.Call) -> bool:
    """Whether two calls of a function stand in no two branches of which only one is run."""
    around = dict(_upwards(tree, first))
    for node, inner in _upwards(tree, second):
        if node in around:
            return not _is_choice(node, around[node], inner) and _arrives(tree, first, around[node])
    return False


def _upwards(tree: Tree, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """What is round a node, each with the part of it that the node stands in."""
    for parent in tree.ancestors(node):
        yield parent, node
        node = parent


def _is_choice(node: ast.AST, first: ast.AST, second: ast.AST) -> bool:
    """Whether two parts of a node are branches of which only one is run."""
    match node:
        case ast.If(body=body, orelse=orelse):
            return first in body and second in orelse
        case ast.IfExp(body=body, orelse=orelse):
            return first is body and second is orelse
        case ast.Match(cases=cases):
            return first in cases and second in cases
        case ast.Try(handlers=handlers):
            return first in handlers and second in handlers
        case _:
            return False


def _arrives(tree: Tree, node: ast.AST, end: ast.AST) -> bool:
    """Whether control may come from a call to behind the statement ``end`` round it."""
    for parent, inner in _upwards(tree, node):
        if inner is end:
            return not _is_exit(inner)
        if _is_exit(parent):
            return False
        if isinstance(inner, ast.stmt) and any(inner in each and not falls_through(each) for each in blocks(parent)):
            return False
    return True


def _is_exit(node: ast.AST) -> bool:
    """Whether a call ends the program: ``sys.exit(asyncio.run(main()))``."""
    node = node.value if isinstance(node, ast.Expr) else node
    return isinstance(node, ast.Call) and last_name(node.func) == "exit"


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
