"""Loops and comprehensions by ``async for``: what they go through is asked for the next element while calls run."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from asyncfix.model import Early
from asyncfix.preconditions import Obstacle, counting
from asyncfix.source import Source

from ._order import MOST_QUOTED, dotted
from ._owning import Comprehension


def is_pulled(node: ast.AST) -> bool:
    """Whether a loop, or a comprehension of one clause, goes through something asynchronous."""
    return isinstance(node, ast.AsyncFor) or (isinstance(node, Comprehension) and bool(node.generators[0].is_async))


def pulled(source: Source, given: ast.expr) -> Early:
    """What is gone through, with the text that a sentence on it quotes."""
    return Early(source.span(given), _quoted(given))


def on_demand(given: ast.expr, doubts: Iterable[str]) -> Obstacle | None:
    """Why what is gone through may not be asked for more while calls run, as far as the text shows: it is no call of something
    that has a name, or turns do something of which not all is known."""
    if not isinstance(given, ast.Call) or not dotted(given.func):
        return Obstacle("order", counting(_quoted(given)))
    doubt = next(iter(doubts), "")
    return Obstacle("order", f"{counting(_quoted(given))}; {doubt}") if doubt else None


def _quoted(given: ast.expr) -> str:
    return ast.unparse(given).partition("\n")[0][:MOST_QUOTED]
