"""Where control goes on after a statement, and whether anything is awaited there before the function ends."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from asyncfix.blocks import following
from asyncfix.flow import NOTHING, Definition, Flow, Loop, leaving, own
from asyncfix.transform import Tree

NEXT, BREAK, CONTINUE = "next", "break", "continue"
AGAIN, AFTER, RAISED = "again", "after", "raised"


def awaits(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The places of some code that may suspend."""
    for node in own(nodes):
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) or (
            isinstance(node, ast.comprehension) and node.is_async
        ):
            yield node


def falls_through(statements: Sequence[ast.stmt]) -> bool:
    """Whether control may arrive behind the last of some statements."""
    return Flow().block(statements, NOTHING) is not None


def ways(statements: Sequence[ast.stmt]) -> Iterator[str]:
    """How some statements may be left, but for the end of the function."""
    if falls_through(statements):
        yield NEXT
    for node in leaving(statements):
        yield BREAK if isinstance(node, ast.Break) else CONTINUE


def goes_on(tree: Tree, node: ast.AST, way: str, stopped: frozenset[str]) -> str:
    """Whether the function may await something after ``node``, left in that way: `AGAIN` if ``node`` itself, in a loop,
    `AFTER` if something else; else `RAISED` if an error is raised then, or ''. Clean-up (``finally``) does not count.

    ``stopped``: what was changed, as text: a ``while`` that asks for it is thought to end.
    """
    found = ""
    for parent in tree.ancestors(node):
        rest = _rest(parent, node) if way == NEXT else []
        if next(awaits(rest), None) is not None:
            found = AFTER
        if rest and not falls_through(rest):
            left = set(ways(rest))
            if not left:
                return found or (RAISED if isinstance(rest[-1], ast.Raise) else "")
            way = CONTINUE if CONTINUE in left else BREAK
        if isinstance(parent, Loop) and node in parent.body:
            if way != BREAK and not _asks(parent, stopped):
                return AGAIN
            way = NEXT
        if isinstance(parent, Definition | ast.Lambda):
            return found
        node = parent
    return found


def _rest(parent: ast.AST, node: ast.AST) -> list[ast.stmt]:
    """What runs after a statement in the block it stands in."""
    more = parent.orelse if isinstance(parent, ast.Try | ast.TryStar) and node in parent.body else []
    return following(parent, node) + more


def _asks(loop: ast.AST, stopped: frozenset[str]) -> bool:
    if not isinstance(loop, ast.While):
        return False
    return any(ast.unparse(node) in stopped for node in ast.walk(loop.test) if isinstance(node, ast.expr))
