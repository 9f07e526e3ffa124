"""The end of an iterator that turned async: ``raise StopAsyncIteration``."""

from __future__ import annotations

import ast

from asyncfix.model import Edit, Replace, Use
from asyncfix.transform import CannotWrite, Writing

OLD, NEW = "StopIteration", "StopAsyncIteration"


def write(use: Use, writing: Writing) -> list[Edit]:
    node = writing.definition(use.span)
    caught = {part for handler in _handlers(node) if handler.type is not None for part in ast.walk(handler.type)}
    raised = {_raised(part) for part in ast.walk(node) if isinstance(part, ast.Raise)}
    edits: list[Edit] = []
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id == OLD and part not in caught:
            if part not in raised:
                raise CannotWrite(f"expected every {OLD} to be raised")
            edits.append(Replace(writing.source.span(part), writing.name(f"builtins.{NEW}")))
    return edits


def _handlers(node: ast.AST) -> list[ast.ExceptHandler]:
    return [part for part in ast.walk(node) if isinstance(part, ast.ExceptHandler)]


def _raised(node: ast.Raise) -> ast.expr | None:
    """The class that a statement raises."""
    return node.exc.func if isinstance(node.exc, ast.Call) else node.exc
