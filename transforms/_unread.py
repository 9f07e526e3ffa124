"""Values under names that a function never reads: nothing is left of them when it ends."""

from __future__ import annotations

import ast
import re

from asyncfix.flow import FunctionDef, declared, is_endless, last_name, own, parameters
from asyncfix.transform import Tree

PUTTING = frozenset({"append", "add", "appendleft"})
MAKING = frozenset({"list", "set", "deque"})
NAMESPACES = frozenset({"dir", "eval", "exec", "locals", "vars"})
"""Builtins that see the names of the function which calls them."""
FRAME = "f_locals"
LASTING = re.compile(r"forever|serve|polling|^(?:wait|join|gather|listen|consume|idle|run)$|^(?:wait|run)_until")
"""Names of functions that are awaited for as long as the program, or what it has started, goes on."""


def unread(tree: Tree, node: ast.expr) -> FunctionDef | None:
    """The function that binds a value, or a list in which it is, to a name that it never reads, and that does not wait
    for something without an end behind that; None if there is none."""
    function = next((item for item in tree.ancestors(node) if isinstance(item, FunctionDef | ast.Lambda)), None)
    name = _name(tree, node)
    if not isinstance(function, FunctionDef) or not name or name in parameters(function):
        return None
    if any(map(_sees_names, ast.walk(function))):
        return None
    if shared(function, name):
        return None
    uses = [item for item in ast.walk(function) if isinstance(item, ast.Name) and item.id == name]
    bound = [use for use in uses if _is_bound(tree, use, node)]
    if not bound or not all(use in bound or _is_put(tree, use) for use in uses):
        return None
    if _lasts(function, node, tree.parent(node)):
        return None
    return function if any(node in ast.walk(item) for item in function.body) else None


def shared(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    """Whether a name of a function is that of others, too: of the module, of a function round it, or of one in it which binds
    it there."""
    nested = (name in node.names for node in ast.walk(function) if isinstance(node, ast.Nonlocal))
    return any(nested) or name in declared(function.body, ast.Global)


def _sees_names(node: ast.AST) -> bool:
    """Whether an expression sees the names of the function that it stands in."""
    if isinstance(node, ast.Call):
        return last_name(node.func) in NAMESPACES
    return isinstance(node, ast.Attribute) and node.attr == FRAME


def _name(tree: Tree, node: ast.expr) -> str:
    """The name that a value is bound to, or that of the list in which it comes to be, '' if there is none."""
    parent = tree.parent(node)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=put), args=[given]) if put in PUTTING:
            return name if given is node and isinstance(tree.parent(parent), ast.Expr) else ""
        case ast.ListComp(elt=made) | ast.SetComp(elt=made):
            return _name(tree, parent) if made is node else ""
        case ast.List() | ast.Tuple() | ast.Set():
            return _name(tree, parent)
        case _:
            return ""


def _is_bound(tree: Tree, use: ast.Name, task: ast.expr) -> bool:
    """Whether a name is bound there to something new, which nobody else has."""
    match tree.parent(use):
        case ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(
            target=ast.Name(), value=ast.expr() as value
        ):
            return isinstance(use.ctx, ast.Store) and (value is task or _is_new(value))
        case _:
            return False


def _is_new(value: ast.expr) -> bool:
    """Whether it is a task that is started there, or a collection that is made there."""
    match value:
        case ast.Constant(value=None) | ast.List() | ast.Set() | ast.Tuple() | ast.ListComp() | ast.SetComp():
            return True
        case ast.Call(func=func):
            return last_name(func) in MAKING | {"create_task", "ensure_future"}
        case _:
            return False


def _is_put(tree: Tree, use: ast.Name) -> bool:
    """Whether something is put into the collection of that name, and nothing asked of it."""
    method = tree.parent(use)
    call = tree.parent(method) if isinstance(method, ast.Attribute) and method.attr in PUTTING else None
    return isinstance(call, ast.Call) and call.func is method and isinstance(tree.parent(call), ast.Expr)


def _lasts(function: FunctionDef, node: ast.expr, put: ast.AST | None) -> bool:
    """Whether a function waits without an end, as far as its looks go, when it has bound a value, or ``put`` it into a list,
    and holds it so long."""
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    for each in own(function.body):
        match each:
            case ast.Await(value=ast.Call(func=awaited)) if LASTING.search(last_name(awaited).lower()):
                if (each.lineno, each.col_offset) >= end:
                    return True
            case ast.While() if is_endless(each):
                if (each.lineno, each.col_offset) >= end or (isinstance(put, ast.Call) and node in ast.walk(each)):
                    return True
            case _:
                pass
    return False
