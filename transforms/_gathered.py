"""What `asyncio.gather(*...)` over a collection gathers: the code that makes the coroutines, or the tasks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from asyncfix.blocks import above
from asyncfix.flow import FunctionDef, last_name
from asyncfix.transform import FunctionNode, Tree

from ._filling import NOT_IN_SIGHT, Filling, filling, put_into

NO_COROUTINES = re.compile(r"executor|^(?:to_thread|wrap_future|run_coroutine_threadsafe)$")
WAITING = re.compile(r"_*wait(?:_|$)|_*join$|communicate$")
"""Names of functions that do nothing but wait for what goes on anyhow."""
LASTING = re.compile(r"(?:^|_)(?:\w*forever|serve|listen|watch|consume|worker|poll|heartbeat|loop)(?:_|$)")
"""Names of functions that run for as long as the program does."""
STARTING = frozenset({"create_task", "ensure_future", "wait_for", "shield"})
"""What is given the coroutine."""
Comprehension = ast.ListComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Gathered:
    """The starred argument of a gather, and what makes the coroutines: the argument, or what is bound to its name above,
    or what a loop comes to that fills the list of that name. ``why``: why none of that is in sight; ``parts``: what is put
    under that name then."""

    starred: ast.Starred
    made: ast.expr
    filling: Filling | None = None
    why: str = NOT_IN_SIGHT
    parts: tuple[ast.expr, ...] = ()


def gathered(tree: Tree, node: ast.Call) -> Gathered | None:
    """What a gather over a collection gathers, None if it is none, or if nothing shows what its elements are."""
    starred = next((item for item in node.args if isinstance(item, ast.Starred)), None)
    if starred is None:
        return None
    if not isinstance(starred.value, ast.Name):
        return Gathered(starred, starred.value) if _makes_coroutines(starred.value) else None
    name = starred.value.id
    function = function_of(tree, node)
    uses = [item for item in ast.walk(function) if isinstance(item, ast.Name) and item.id == name]
    statement = next(item for item in tree.ancestors(node) if isinstance(item, ast.stmt))
    match above(tree, statement):
        case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name and len(uses) == 2:
            return Gathered(starred, value) if _makes_coroutines(value) else None
        case _:
            return _collected(tree, function, statement, starred, name)


def _collected(tree: Tree, function: ast.AST, statement: ast.stmt, starred: ast.Starred, name: str) -> Gathered | None:
    """What a gather gathers if that is put together further up, or step by step; None if it is no coroutines."""
    found = filling(tree, function, statement, name) if isinstance(function, FunctionDef) else NOT_IN_SIGHT
    if isinstance(found, Filling):
        return Gathered(starred, found.made, found) if _is_work(found.made.elt) else None
    parts = () if _is_cancelled(function, name) else tuple(_parts(function, name))
    return Gathered(starred, starred.value, why=found, parts=parts) if parts else None


def function_of(tree: Tree, node: ast.AST) -> ast.AST:
    """The function that a node is code of, or the module."""
    return next((item for item in tree.ancestors(node) if isinstance(item, FunctionNode)), tree.module)


def _parts(function: ast.AST, name: str) -> Iterator[ast.expr]:
    """The calls that a function puts together under a name, by comprehensions, or step by step in loops: as comprehensions
    all, but for loops that have no collection."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name and _makes_coroutines(value):
                yield value
            case ast.For() | ast.AsyncFor() | ast.While():
                put = (put_into(each, name) for each in ast.walk(node))
                made = next(
                    (each for part in put if part is not None for each in _values(node, part) if _is_work(each)), None
                )
                if made is not None and isinstance(node, ast.For):
                    clause = ast.comprehension(target=node.target, iter=node.iter, ifs=[], is_async=0)
                    yield ast.GeneratorExp(elt=made, generators=[clause])
                elif made is not None:
                    yield made
            case _:
                pass


def _is_cancelled(function: ast.AST, name: str) -> bool:
    """Whether a function cancels the tasks of a collection: what it gathers is how they end."""
    for node in ast.walk(function):
        match node:
            case ast.For(target=ast.Name(id=each), iter=ast.Name(id=through)) if through == name:
                called = (call.func for call in ast.walk(node) if isinstance(call, ast.Call))
                if any(ast.unparse(function) == f"{each}.cancel" for function in called):
                    return True
            case _:
                pass
    return False


def _values(loop: ast.AST, put: ast.expr) -> Iterator[ast.expr]:
    """What is put into a collection: what a loop binds a name to, if it is that."""
    if not isinstance(put, ast.Name):
        yield put
        return
    for node in ast.walk(loop):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == put.id:
                yield value
            case _:
                pass


def _makes_coroutines(made: ast.expr) -> bool:
    """Whether an expression calls a function for each element; other collections may be of tasks that run already."""
    if isinstance(made, Comprehension):
        return _is_work(made.elt)
    return isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id == "map"


def _is_work(made: ast.expr) -> bool:
    """Whether what is made does something, and not in a pool of threads, which is bounded already."""
    while isinstance(made, ast.Call) and last_name(made.func) in STARTING and made.args:
        made = made.args[0]
    if not isinstance(made, ast.Call):
        return False
    name = last_name(made.func)
    return not (NO_COROUTINES.search(name) or WAITING.match(name) or LASTING.search(name))


def started(node: ast.Call, made: ast.expr) -> ast.Call | None:
    """The `asyncio.create_task(coroutine)` that each element of a collection is, by the same name for asyncio as `gather`."""
    made = made.elt if isinstance(made, Comprehension) else made
    match node.func, made:
        case (
            ast.Attribute(value=ast.Name(id=module)),
            ast.Call(func=ast.Attribute(value=ast.Name(id=same), attr="create_task"), args=[ast.Call()], keywords=[]),
        ):
            return made if module == same else None
        case _:
            return None
