"""Lists that a loop fills, one element a turn, right above the statement that uses them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from asyncfix.blocks import above, looking, read_later
from asyncfix.flow import FunctionDef, Loop, declared
from asyncfix.transform import Tree

from ._owning import conditioned

NOT_IN_SIGHT = "the coroutines are put together elsewhere"
NOT_ADJACENT = "other code stands between the list, the loop that fills it, and the gather"


@dataclass(frozen=True, slots=True)
class Filling:
    """The statement that makes the list, the loop, and the comprehension that it comes to (its parts are those of the loop)."""

    begin: ast.Assign | ast.AnnAssign
    loop: ast.For
    made: ast.GeneratorExp


def appended(node: ast.AST, name: str) -> ast.expr | None:
    """What a call appends to the list of that name."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="append"), args=[made], keywords=[]):
            return made if owner == name and not isinstance(made, ast.Starred) else None
        case _:
            return None


def put_into(node: ast.AST, name: str) -> ast.expr | None:
    """What a call puts into the list, or the set, of that name."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="add"), args=[made], keywords=[]):
            return made if owner == name and not isinstance(made, ast.Starred) else None
        case _:
            return appended(node, name)


def filling(tree: Tree, function: FunctionDef, statement: ast.stmt, name: str) -> Filling | str:
    """How the list of that name, which ``statement`` uses, was filled; why it can be no comprehension, as a sentence."""
    loops = [node for node in ast.walk(function) if isinstance(node, Loop) and _fills(node, name)]
    if not loops:
        return NOT_IN_SIGHT
    if not isinstance(loops[0], ast.For):
        return "they are put together in a `while`, or an `async for`"
    begin = above(tree, loops[0])
    if above(tree, statement) is not loops[0] or not isinstance(begin, ast.Assign | ast.AnnAssign):
        return NOT_ADJACENT
    if not _makes(begin, name):
        return NOT_ADJACENT
    return _whole(tree, function, begin, loops[0], name)


def _whole(
    tree: Tree, function: FunctionDef, begin: ast.Assign | ast.AnnAssign, loop: ast.For, name: str
) -> Filling | str:
    """The filling, unless something else of the function could tell."""
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    outer = declared(function.body, ast.Global) | declared(function.body, ast.Nonlocal)
    if len(uses) != 3 or name in outer:
        return f"`{name}` is used elsewhere, too"
    turn = _turn(function, loop, name)
    if turn is None:
        return "a turn of the loop does more than to put one coroutine into the list"
    made, tests = turn
    targets = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    if looking(function) is not None:
        outer |= targets
    kept = sorted(targets & (read_later(tree, loop) | outer))
    if kept or not _is_names(loop.target):
        return f"`{(kept or [ast.unparse(loop.target)])[0]}` is used behind the loop"
    clause = ast.comprehension(target=loop.target, iter=loop.iter, ifs=list(tests), is_async=0)
    return Filling(begin, loop, ast.copy_location(ast.GeneratorExp(elt=made, generators=[clause]), loop))


def _turn(function: FunctionDef, loop: ast.For, name: str) -> tuple[ast.expr, tuple[ast.expr, ...]] | None:
    """What a turn puts into the list, and on which conditions; None if it does more."""
    body, tests = conditioned(loop.body)
    if loop.orelse:
        return None
    match body:
        case [ast.Expr(value=call)] if (made := appended(call, name)) is not None:
            return made, tests
        case [ast.Assign(targets=[ast.Name(id=each)], value=made), ast.Expr(value=call)]:
            used = sum(isinstance(node, ast.Name) and node.id == each for node in ast.walk(function))
            given = appended(call, name)
            return (made, tests) if used == 2 and isinstance(given, ast.Name) and given.id == each else None
        case _:
            return None


def _fills(loop: ast.AST, name: str) -> bool:
    return any(appended(node, name) is not None for node in ast.walk(loop))


def _makes(statement: ast.stmt, name: str) -> bool:
    """Whether a statement makes an empty list under that name."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=bound)], value=ast.List(elts=[])):
            return bound == name
        case ast.AnnAssign(target=ast.Name(id=bound), value=ast.List(elts=[])):
            return bound == name
        case _:
            return False


def _is_names(target: ast.expr) -> bool:
    """Whether a loop binds nothing but names."""
    if isinstance(target, ast.Tuple | ast.List):
        return all(map(_is_names, target.elts))
    return isinstance(target, ast.Name)
