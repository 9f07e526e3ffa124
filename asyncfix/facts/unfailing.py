"""Coroutine functions in which nothing can fail but what they call: from one statement to the next, over names that are bound."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from asyncfix.flow import Names, bindings, last_name, parameter_annotations

PLAIN = frozenset({"str", "int", "float", "bool", "bytes", "UUID", "date", "datetime", "Decimal"})
"""Types whose values anybody may show at any time."""
OBJECTS = ("self", "cls")


def is_unfailing(node: ast.AST) -> bool:
    """Whether a coroutine function takes a fixed number of arguments, and only its awaited calls may raise an error."""
    if not isinstance(node, ast.AsyncFunctionDef) or node.decorator_list or not _takes_a_number(node.args):
        return False
    assigned = {name for name, _ in bindings(node.body)}
    annotations = parameter_annotations(node)
    shown = frozenset(name for name, stated in annotations.items() if last_name(stated) in PLAIN) - assigned
    bound = frozenset(annotations)
    for statement in node.body:
        match statement:
            case ast.Pass():
                continue
            case ast.Expr(value=value):
                names = frozenset[str]()
            case ast.Return(value=value):
                names = frozenset[str]()
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                names = frozenset({name})
            case ast.AnnAssign(target=ast.Name(id=name), simple=1, value=ast.expr() as value):
                names = frozenset({name})
            case _:
                return False
        if value is not None and not _can_be_had(value, bound, shown):
            return False
        bound |= names
    return True


def _takes_a_number(given: ast.arguments) -> bool:
    return not (given.vararg or given.kwarg or given.kwonlyargs or given.defaults)


def _can_be_had(node: ast.expr, bound: Names, shown: Names) -> bool:
    """Whether an expression can be evaluated whatever the values are. ``shown``: names whose values can be shown."""
    match node:
        case ast.Await(value=ast.Call(func=called, args=given, keywords=[])):
            return _is_there(called, bound) and not any(map(_is_digits, given)) and _all(given, bound, shown)
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name in bound
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return _all(elements, bound, shown)
        case ast.Dict(keys=keys, values=values):
            return all(isinstance(key, ast.Constant) for key in keys) and _all(values, bound, shown)
        case ast.JoinedStr(values=parts):
            return all(_can_be_shown(part, shown) for part in parts)
        case _:
            return False


def _all(nodes: Iterable[ast.expr], bound: Names, shown: Names) -> bool:
    return all(_can_be_had(each, bound, shown) for each in nodes)


def _can_be_shown(part: ast.expr, shown: Names) -> bool:
    match part:
        case ast.Constant():
            return True
        case ast.FormattedValue(value=ast.Name(id=name), format_spec=None):
            return name in shown
        case _:
            return False


def _is_digits(node: ast.expr) -> bool:
    """Whether it is a text where a number may be meant: what sleeps takes none."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip()[:1].isdigit()


def _is_there(called: ast.expr, bound: Names) -> bool:
    """Whether what is called is a function, or a method, by its name: an attribute of an object may be missing, or None."""
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in OBJECTS:
        return True
    while isinstance(called, ast.Attribute):
        called = called.value
    return isinstance(called, ast.Name) and called.id not in bound
