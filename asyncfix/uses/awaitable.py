"""Annotations of a decorator whose wrapper turned async, as what it wraps: ``Callable[P, R]`` to ``Callable[P, Awaitable[R]]``.

Of a function that makes such a decorator those within the annotation of what it gives.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.flow import last_name
from asyncfix.model import Edit, Use, Wrap
from asyncfix.transform import CannotWrite, Writing

CALLABLE, AWAITABLE = "Callable", "Awaitable"
WAITED_FOR = (AWAITABLE, "Coroutine")


def write(use: Use, writing: Writing) -> list[Edit]:
    node = writing.definition(use.span)
    if isinstance(node, ast.ClassDef):
        raise CannotWrite("expected a function")
    first = [argument.annotation for argument in (*node.args.posonlyargs, *node.args.args)[:1]]
    stated = [item for item in (*first, node.returns) if item is not None]
    makes = any(any(_functions(inner)) for inner in _functions(node))
    return [
        edit
        for item in stated
        for part in (*_inner(item), *(() if makes else (item,)))
        if _is_callable(part) and not any(_inner(part))
        for edit in _awaitable(part, writing)
    ]


def _functions(node: ast.AST) -> Iterator[ast.AST]:
    """The functions that one defines."""
    return (part for part in ast.walk(node) if part is not node and isinstance(part, ast.FunctionDef))


def _is_callable(node: ast.expr) -> bool:
    """``Callable[X, R]``."""
    return (
        isinstance(node, ast.Subscript)
        and last_name(node.value) == CALLABLE
        and isinstance(node.slice, ast.Tuple)
        and len(node.slice.elts) > 1
    )


def _inner(node: ast.expr) -> Iterator[ast.expr]:
    """The annotations of callables in another one."""
    return (part for part in ast.walk(node) if part is not node and isinstance(part, ast.expr) and _is_callable(part))


def _awaitable(node: ast.expr, writing: Writing) -> Iterator[Edit]:
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
        return
    result = node.slice.elts[-1]
    if last_name(result.value if isinstance(result, ast.Subscript) else result) in WAITED_FOR:
        return
    name = writing.counterpart(node.value, AWAITABLE)
    if name:
        yield Wrap(writing.source.span(result), f"{name}[", "]")
