"""``next`` of what turned async: ``await anext``."""

from __future__ import annotations

import ast

from asyncfix.model import Edit, Replace, Use
from asyncfix.transform import CannotWrite, Writing
from asyncfix.writing import awaited


def write(use: Use, writing: Writing) -> list[Edit]:
    asked, above = writing.around(use.span)[:2]
    if not isinstance(asked, ast.Call):
        raise CannotWrite("expected a call of next")
    edit = Replace(writing.source.span(asked.func), writing.name("builtins.anext"))
    return [edit, *awaited(writing, writing.source.span(asked), _binds(above, asked))]


def _binds(above: ast.AST, node: ast.expr) -> bool:
    """Whether what a node is part of binds tighter than ``await``."""
    match above:
        case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner):
            return inner is node
        case ast.BinOp(left=inner, op=ast.Pow()) | ast.Await(value=inner):
            return inner is node
        case _:
            return False
