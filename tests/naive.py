"""What a tool that looks at names alone makes of a program: awaits in sequence and in loops, by `asyncio.gather`.

Only functions of the name ``work`` are changed: the others are what the programs of `tests/cases/must_refuse` overlap.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TypeGuard

Waiting = ast.Expr | ast.Assign | ast.AnnAssign
ONE, ALL = "one_", "all_"


def overlapped(code: str) -> str:
    """The program with all that awaits in ``work`` started at once."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "work":
            node.body = _block(node.body)
            _Comprehensions().visit(node)
    return ast.unparse(ast.fix_missing_locations(tree))


def _block(block: Sequence[ast.stmt]) -> list[ast.stmt]:
    made: list[ast.stmt] = []
    run: list[Waiting] = []
    for statement in (each for given in block for each in _pulled(given)):
        if _waits(statement) and not _mentioned(run, statement):
            run.append(statement)
            continue
        made += _together(run)
        run = []
        if _waits(statement):
            run.append(statement)
        else:
            made.append(_inside(statement))
    return made + _together(run)


def _pulled(statement: ast.stmt) -> list[ast.stmt]:
    """A loop that goes through all that an asynchronous source gives, of which it asked for everything before."""
    if not isinstance(statement, ast.AsyncFor):
        return [statement]
    made = ast.ListComp(statement.target, [ast.comprehension(statement.target, statement.iter, [], 1)])
    made.elt = ast.parse(ast.unparse(statement.target), mode="eval").body
    loop = ast.For(statement.target, _name(ALL), statement.body, statement.orelse)
    return [ast.Assign([ast.Name(ALL, ast.Store())], made), loop]


def _waits(statement: ast.stmt) -> TypeGuard[Waiting]:
    return isinstance(statement, Waiting) and isinstance(statement.value, ast.Await)


def _mentioned(run: Sequence[Waiting], statement: ast.stmt) -> bool:
    """Whether a statement mentions a name that one of the run binds."""
    bound = {name for each in run for name in _names(each, ast.Store)}
    return bool(bound & set(_names(statement, ast.Load)))


def _names(node: ast.AST, context: type[ast.expr_context]) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, context)]


def _together(run: Sequence[Waiting]) -> list[ast.stmt]:
    if len(run) < 2:
        return list(run)
    calls = [each.value.value for each in run if isinstance(each.value, ast.Await)]
    targets = [_target(each) for each in run]
    value = ast.Await(ast.Call(_name("__import__('asyncio').gather"), calls, []))
    return [ast.Assign([ast.Tuple(targets, ast.Store())], value)]


def _target(statement: Waiting) -> ast.expr:
    match statement:
        case ast.Assign():
            return statement.targets[0]
        case ast.AnnAssign():
            return statement.target
        case _:
            return ast.Name("_", ast.Store())


def _name(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _inside(statement: ast.stmt) -> ast.stmt:
    """A statement with the blocks that it has; a loop whose body awaits runs all its turns at once."""
    for field in ("body", "orelse", "finalbody"):
        block: list[ast.stmt] = getattr(statement, field, [])
        if block and not isinstance(statement, ast.For):
            setattr(statement, field, _block(block))
    for handler in getattr(statement, "handlers", ()):
        handler.body = _block(handler.body)
    return _loop(statement) if isinstance(statement, ast.For) else statement


def _loop(loop: ast.For) -> ast.For:
    """A loop that goes through what its first await gives for all elements, each with its element."""
    first = next((node for node in ast.walk(loop) if isinstance(node, ast.Await)), None)
    if first is None:
        return loop
    made = ast.ListComp(first.value, [ast.comprehension(loop.target, loop.iter, [], 0)])
    gathered = ast.Await(ast.Call(_name("__import__('asyncio').gather"), [ast.Starred(made, ast.Load())], []))
    loop.body = [_Replaced(first).visit(statement) for statement in loop.body]
    loop.target = ast.Tuple([loop.target, ast.Name(ONE, ast.Store())], ast.Store())
    loop.iter = ast.Call(_name("zip"), [loop.iter, gathered], [])
    return loop


class _Replaced(ast.NodeTransformer):
    """One await, replaced by the name of what it gave."""

    def __init__(self, awaited: ast.Await) -> None:
        self.awaited = awaited

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return ast.Name(ONE, ast.Load()) if node is self.awaited else self.generic_visit(node)


class _Comprehensions(ast.NodeTransformer):
    """List comprehensions whose element is awaited."""

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        if not isinstance(node.elt, ast.Await):
            return self.generic_visit(node)
        made = ast.ListComp(node.elt.value, node.generators)
        return ast.Await(ast.Call(_name("__import__('asyncio').gather"), [ast.Starred(made, ast.Load())], []))
