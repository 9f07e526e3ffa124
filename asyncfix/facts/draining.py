"""Parameters that a function goes through once, from the first element to the last, whatever else happens."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.facts.scopes import Scope, resolve
from asyncfix.facts.special import ITER
from asyncfix.facts.walker import Frame
from asyncfix.flow import own

EAGER = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "dict", "sorted", "min", "max", "sum")
) | {"builtins.str!.join", "collections.Counter"}
LEAVING = (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)
# What may be run not at all, or later.
PERHAPS = (ast.IfExp, ast.BoolOp, ast.Lambda, ast.GeneratorExp)


def drained(frame: Frame) -> tuple[str, ...]:
    """The names of such parameters of a function that is no generator."""
    node = frame.node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.decorator_list or frame.is_generator:
        return ()
    iterated = {part.id for part, method, *_ in frame.operations if method == ITER and isinstance(part, ast.Name)}
    if not iterated:  # nearly always
        return ()
    names = {argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)} & iterated
    found: list[str] = []
    for at, statement in enumerate(node.body) if names else ():
        through = [name for name in _through(statement, frame.scope) if name in names]
        if through and any(isinstance(part, LEAVING) for part in own(node.body[:at])):
            break  # what comes may be run not at all
        found += through
    used = [part.id for part in ast.walk(node) if isinstance(part, ast.Name)] if found else []
    return tuple(name for name in found if used.count(name) == 1)


def _through(statement: ast.stmt, scope: Scope) -> Iterator[str]:
    """The names of what a statement goes through from the first element to the last."""
    match statement:
        case ast.For(iter=ast.Name(id=name), body=body):
            if not any(isinstance(part, LEAVING) for part in own(body)):
                yield name
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Expr() | ast.Return():
            if statement.value is not None:
                yield from _collected(statement.value, scope)
        case _:
            pass


def _collected(node: ast.AST, scope: Scope) -> Iterator[str]:
    """The names of what an expression collects, or works out from all elements."""
    match node:
        case ast.Call(func=function, args=[ast.Name(id=name)]) if resolve(function, scope)[0] in EAGER:
            yield name
        case ast.ListComp(generators=clauses) | ast.SetComp(generators=clauses) | ast.DictComp(generators=clauses):
            if isinstance(clauses[0].iter, ast.Name) and not clauses[0].is_async:
                yield clauses[0].iter.id
        case _ if isinstance(node, PERHAPS):
            pass
        case _:
            for part in ast.iter_child_nodes(node):
                yield from _collected(part, scope)
