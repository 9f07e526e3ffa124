"""Awaits within one statement, none of which is evaluated on a condition: ``return await f(), await g()``."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Sequence
from keyword import iskeyword

from asyncfix.flow import Names

from ._order import dotted, happens_here

GIVING = re.compile(r"^_*(?:async_)?(?:get|fetch|load|read|find|query|list|make|build|compute)_(?=[a-z])")


def awaits_twice(statement: ast.stmt) -> bool:
    """Whether a statement without a block of its own awaits more than one thing."""
    simple = isinstance(statement, ast.Return | ast.Expr | ast.Assign | ast.AnnAssign)
    return simple and sum(isinstance(node, ast.Await) for node in ast.walk(statement)) > 1


def awaited(statement: ast.stmt, modules: Names) -> list[tuple[ast.Await, str]]:
    """The awaits that a statement begins with, with a name for what each gives, in their order, up to the first thing that
    others could notice; none if that is one only. ``modules``: what the file knows under these dotted names."""
    match statement:
        case ast.Return(value=value) | ast.Expr(value=value) | ast.AnnAssign(target=ast.Name(), value=value):
            pass
        case ast.Assign(targets=[target], value=value) if unpacked(statement) or isinstance(target, ast.Name):
            pass
        case _:
            return []
    found: list[tuple[ast.Await, str]] = []
    for node, name in _steps(value, "", modules) if value is not None else ():
        if node is None:
            break
        found.append((node, name))
    names = unpacked(statement)
    if len(found) < 2 or (names and len(names) != len(found)):
        return []
    return list(zip((node for node, _ in found), names or _distinct([name for _, name in found]), strict=True))


def unpacked(statement: ast.stmt) -> list[str]:
    """The names that a statement binds to as many awaits: ``x, y = await f(), await g()``."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            names = [each.id for each in targets if isinstance(each, ast.Name)]
            waits = [each for each in values if isinstance(each, ast.Await)]
            return names if len(names) == len(waits) == len(targets) else []
        case _:
            return []


def _steps(node: ast.expr, name: str, modules: Names) -> Iterator[tuple[ast.Await | None, str]]:
    """What evaluating an expression does, in order: the awaits of calls, each with a name for what it gives, and None for all
    else that may be noticed, or may not be evaluated at all."""
    inner: list[tuple[ast.expr, str]] = []
    noticed = True  # what is done with the parts
    match node:
        case ast.Await(value=ast.Call() as call) if not any(map(happens_here, ast.walk(call))):
            yield node, name or _given_by(call)
            noticed = False
        case ast.Name() | ast.Constant():
            noticed = False
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            inner = [(each, "") for each in parts]
            noticed = False
        case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
            inner = [(value, _as_name(key)) for key, value in zip(keys, values, strict=True)]
            noticed = False
        case ast.Call(func=called, args=args, keywords=keywords) if _is_at_hand(called, modules):
            inner = [*((each, "") for each in args), *((word.value, word.arg or "") for word in keywords)]
        case ast.BinOp(left=left, right=right) | ast.Compare(left=left, ops=[_], comparators=[right]):
            inner = [(left, ""), (right, "")]
        case ast.Attribute(value=value) | ast.UnaryOp(operand=value):
            inner = [(value, "")]
        case ast.Subscript(value=value, slice=part):
            inner = [(value, ""), (part, "")]
        case _:
            pass
    for each, wish in inner:
        yield from _steps(each, wish, modules)
    if noticed:
        yield None, ""


def _is_at_hand(called: ast.expr, modules: Names) -> bool:
    """Whether nobody notices that a function is looked up."""
    return isinstance(called, ast.Name) or dotted(called).rpartition(".")[0] in modules


def _as_name(key: ast.expr | None) -> str:
    text = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
    return text if text.isidentifier() and not iskeyword(text) and not hasattr(builtins, text) else ""


def _given_by(call: ast.Call) -> str:
    """A name for what a call gives: of ``get_user`` that is ``user``."""
    last = dotted(call.func).rpartition(".")[2]
    shorter = GIVING.sub("", last).strip("_")
    return (
        shorter if shorter not in ("", last) and not iskeyword(shorter) and not hasattr(builtins, shorter) else "result"
    )


def _distinct(names: Sequence[str]) -> Iterator[str]:
    """Each of some names once, with numbers behind those that come again."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}{seen[name]}"
