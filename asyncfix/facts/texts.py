"""What texts say: the shape of one that is put together, and what the examples of a docstring call."""

from __future__ import annotations

import ast
import re

CALLED = re.compile(r"([^\W\d]\w*)\s*\(")


def text_shape(node: ast.expr) -> str:
    """``do_*`` of ``f"do_{name}"``, ``"do_" + name``, ``"do_%s" % name`` and ``"do_{}".format(name)``; ``*`` of any other."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr():
            return _outermost("".join(text_shape(part) for part in node.values))
        case ast.BinOp(op=ast.Add()):
            return _outermost(text_shape(node.left) + text_shape(node.right))
        case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Mod()):
            return _between(text.partition("%")[0], text.rpartition("%")[2][1:])
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as text), attr="format")):
            return _between(text.partition("{")[0], text.rpartition("}")[2])
        case _:
            return "*"


def _outermost(text: str) -> str:
    return _between(text.partition("*")[0], text.rpartition("*")[2]) if "*" in text else text


def _between(first: str, last: str) -> str:
    return f"{first}*{last}"


def called_in_doctest(text: str) -> frozenset[str]:
    """The names of what the examples of a docstring call."""
    examples = (line for line in text.splitlines() if line.lstrip().startswith((">>> ", "... ")))
    return frozenset(name for line in examples for name in CALLED.findall(line))
