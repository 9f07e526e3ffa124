"""Which paths belong to temporary files and folders that the function at hand made for itself: nobody else writes there.

Decided from the code of one function alone. That ``tempfile`` is the standard library's, and no module of the project,
is for the link to say.
"""

from __future__ import annotations

import ast
import re

from asyncfix.facts.scopes import Bound, Scope, resolve, steps

MADE = re.compile(
    r"tempfile\.(?:mkdtemp\(\)|mkstemp\(\)\[[:01]?\]|TemporaryFile\(\)%?|NamedTemporaryFile\(\)%?(?:\.name)?"
    r"|TemporaryDirectory\(\)(?:%|%?\.name))"
)
# Functions of a path whose result lies in the same place, if what they are given first does.
BELOW = frozenset(
    {
        "builtins.str",
        "os.path.join",
        "os.path.abspath",
        "os.path.realpath",
        "os.fspath",
        "os.fsdecode",
        "pathlib.Path",
        "pathlib.PurePath",
        "pathlib.PosixPath",
    }
)
SAME_PLACE = frozenset({"joinpath", "resolve", "absolute", "as_posix", "with_suffix"})
DEEPEST = 8


def own_paths(node: ast.Call, scope: Scope) -> tuple[int, ...]:
    """Which arguments of a call are such paths, by position; -1 stands for the receiver of a method."""
    found = [-1] if isinstance(node.func, ast.Attribute) and _own(node.func.value, scope, 0) else []
    found.extend(index for index, argument in enumerate(node.args) if _own(argument, scope, 0))
    return tuple(found)


def _own(node: ast.expr, scope: Scope, depth: int) -> bool:
    if depth > DEEPEST:
        return False
    match node:
        case ast.Name():
            return _own_name(node.id, scope, depth)
        case ast.BinOp(op=ast.Add() | ast.Div()):
            return _own(node.left, scope, depth + 1)
        case ast.JoinedStr(values=[ast.FormattedValue(value=first), *_]):
            return _own(first, scope, depth + 1)
        case ast.Call(func=ast.Attribute(value=path, attr=name)) if name in SAME_PLACE:
            return _own(path, scope, depth + 1)
        case ast.Call(args=[first, *_]) if BELOW.issuperset(resolve(node.func, scope)):
            return _own(first, scope, depth + 1)
        case _:
            return all(MADE.fullmatch(ref) for ref in resolve(node, scope))


def _own_name(name: str, scope: Scope, depth: int) -> bool:
    """Whether a name is a local variable that only ever stands for such a path."""
    home = scope.find(name)
    if home is None or home is not scope.function or home.kind != "function" or name in scope.declared:
        return False
    return all(_own_value(bound, home, depth) for bound in home.names[name])


def _own_value(bound: Bound, scope: Scope, depth: int) -> bool:
    if isinstance(bound.value, str):
        return False
    if not bound.steps:
        return _own(bound.value, scope, depth + 1)
    return all(MADE.fullmatch(ref) for ref in steps(resolve(bound.value, scope), bound.steps))
