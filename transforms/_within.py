"""Awaits within one statement, none of which is evaluated on a condition: ``return await f(), await g()``."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Sequence
from keyword import iskeyword

from asyncfix.flow import Names

from ._order import dotted

GIVING = re.compile(r"^_*(?:async_)?(?:get|fetch|load|read|find|query|list|make|build|compute)_(?=[a-z])")


def awaits_twice(statement: ast.stmt) -> bool:
    """Whether a statement without a block of its own awaits more than one thing."""
    simple = isinstance(statement, ast.Return | ast.Expr | ast.Assign | ast.AnnAssign)
    return simple and sum(isinstance(node, ast.Await) for node in ast.walk(statement)) > 1


def awaited(statement: ast.stmt, modules: Names) -> list[tuple[ast.Await, str]]:
    """The awaits of a statement with a name for what each gives, in their order; none if there is one only, or if anything
    is evaluated between them that others could notice. ``modules``: what the file knows under these dotted names."""
    match statement:
        case ast.Return(value=value) | ast.Expr(value=value) | ast.AnnAssign(target=ast.Name(), value=value):
            pass
        case ast.Assign(targets=[target], value=value) if unpacked(statement) or isinstance(target, ast.Name):
            pass
        case _:
            return []
    found: list[tuple[ast.Await | None, str]] = []
    match value:
        case ast.Call(func=called, args=args, keywords=keywords):
            named = isinstance(called, ast.Name) or dotted(called).rpartition(".")[0] in modules
            given = [*((each, "") for each in args), *((word.value, word.arg or "") for word in keywords)]
            found = [each for part, wish in given for each in _awaits(part, wish)] if named else []
        case ast.expr():
            found = list(_awaits(value, ""))
        case None:
            pass
    names = unpacked(statement)
    if names:
        found = (
            [(node, name) for (node, _), name in zip(found, names, strict=False)] if len(found) == len(names) else []
        )
    waits = [node for node, _ in found if node is not None]
    if len(waits) < 2 or len(waits) < len(found):
        return []
    return list(zip(waits, _distinct([name for _, name in found]), strict=True))


def unpacked(statement: ast.stmt) -> list[str]:
    """The names that a statement binds to as many awaits: ``x, y = await f(), await g()``."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            names = [each.id for each in targets if isinstance(each, ast.Name)]
            waits = [each for each in values if isinstance(each, ast.Await)]
            return names if len(names) == len(waits) == len(targets) else []
        case _:
            return []


def _awaits(node: ast.expr, name: str) -> Iterator[tuple[ast.Await | None, str]]:
    """The awaits of an expression, in their order; None for what may be noticed, or need not be evaluated."""
    inner: list[tuple[ast.expr, str]] = []
    match node:
        case ast.Await(value=ast.Call() as call):
            yield node, name or _given_by(call)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            inner = [(each, "") for each in parts]
        case ast.Dict(keys=keys, values=values):
            inner = [(value, _as_name(key)) for key, value in zip(keys, values, strict=True)]
            if not all(isinstance(key, ast.Constant) for key in keys):
                yield None, ""
        case ast.Name() | ast.Constant():
            pass
        case _:
            yield None, ""
    for part, wish in inner:
        yield from _awaits(part, wish)


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
