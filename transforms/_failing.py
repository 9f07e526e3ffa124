"""What a turn of a loop does with a result that may fail: when all calls come first, another error may come before that."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

KEEPING = frozenset({"append", "add"})
"""Methods of a new collection that take anything. (What cannot be hashed is found in any run.)"""
PLAIN = (
    *(ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.IfExp, ast.BoolOp, ast.Not),
    *(ast.Pass, ast.Continue, ast.If, ast.Expr, ast.expr_context, ast.boolop),
)
ASKED = (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)


def failing(parts: Iterable[ast.AST], waiting: ast.Await, own: Iterable[str]) -> ast.AST | None:
    """The first of what some code does, apart from its await and from what was evaluated for that, which may raise an error.

    ``own``: names of collections that were made in the function.
    """
    known = frozenset(ast.dump(node) for node in ast.walk(waiting.value) if isinstance(node, ast.expr))
    names = frozenset(own)
    return next((found for part in parts for found in _failing(part, waiting, known, names)), None)


def _failing(node: ast.AST, waiting: ast.Await, known: frozenset[str], own: frozenset[str]) -> Iterator[ast.AST]:
    inner: list[ast.AST] = []
    match node:
        case ast.Await() if node is waiting:
            pass
        case ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(target=ast.Name(), value=value):
            inner = [value] if value is not None else []
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=key)], value=value) if name in own:
            inner = [key, value]
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=args) if (
            name in own and method in KEEPING and not node.keywords
        ):
            inner = [*args]
        case ast.Compare(left=left, ops=[how], comparators=[right]) if isinstance(how, ASKED):
            inner = [left, right]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = [operand]
        case ast.JoinedStr(values=values):
            inner = [*values]
        case ast.FormattedValue(value=value, format_spec=None):
            inner = [value]
        case ast.ListComp(elt=element) | ast.SetComp(elt=element) if waiting in ast.walk(node):
            inner = [element]
        case ast.DictComp(key=key, value=value) if waiting in ast.walk(node):
            inner = [key, value]
        case ast.Dict(keys=keys) if None in keys:  # what is no mapping cannot be unpacked
            yield node
        case _ if isinstance(node, PLAIN):
            inner = list(ast.iter_child_nodes(node))
        case _ if ast.dump(node) not in known:
            yield node
        case _:
            pass
    for each in inner:
        yield from _failing(each, waiting, known, own)
