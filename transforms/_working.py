"""What is worked out from what an await gives, and from nothing else that others could notice: ``(await load(x)).strip()``."""

from __future__ import annotations

import ast

from asyncfix.facts.containers import VALUE_METHODS

from ._order import dotted
from ._turn_functions import READING

ASKING = VALUE_METHODS | READING | {"json"}
"""Methods that change nothing of what they are called of."""
MAKING = frozenset(
    {"bool", "dict", "float", "frozenset", "int", "len", "list", "max", "min", "set", "sorted", "str", "sum", "tuple"}
) | {"json.loads"}
"""Functions that make something of their first argument."""


def worked_on(node: ast.expr) -> ast.Await | None:
    """The await of a call that an expression works on, if that is done for every value, and nothing comes before it."""
    match node:
        case ast.Await(value=ast.Call()):
            return node
        case ast.Attribute(value=value):
            return worked_on(value)
        case ast.Subscript(value=value, slice=part) if _is_at_hand(part):
            return worked_on(value)
        case ast.BinOp(left=left, right=right) if _is_at_hand(right):
            return worked_on(left)
        case ast.Call(func=ast.Attribute(value=value, attr=method), args=args, keywords=[]) if (
            method in ASKING and all(map(_is_at_hand, args)) and not dotted(value)
        ):
            return worked_on(value)
        case ast.Call(func=function, args=[first, *args], keywords=[]) if dotted(function) in MAKING and all(
            map(_is_at_hand, args)
        ):
            return worked_on(first)
        case _:
            return None


def _is_at_hand(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Constant)
