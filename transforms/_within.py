"""Awaits within one statement, none of which is evaluated on a condition: ``return await f(), await g()``."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from itertools import count, takewhile
from keyword import iskeyword

from asyncfix.flow import Names

from ._order import dotted, happens_here

GIVING = re.compile(r"^_*(?:async_)?(?:get|fetch|load|read|find|query|list|make|build|compute)_(?=[a-z])")


def awaits_twice(statement: ast.stmt) -> bool:
    """Whether a statement without a block of its own awaits more than one thing."""
    simple = isinstance(statement, ast.Return | ast.Expr | ast.Assign | ast.AnnAssign)
    return simple and sum(isinstance(node, ast.Await) for node in ast.walk(statement)) > 1


def awaited(statement: ast.stmt, modules: Names) -> tuple[list[tuple[ast.Await, str]], list[ast.Name]]:
    """The awaits that a statement begins with, with a name for what each gives, in their order, up to the first thing that
    others could notice; none if that is one only. With the names that are asked for before the last of them. ``modules``: what
    the file knows under these dotted names."""
    match statement:
        case ast.Return(value=value) | ast.Expr(value=value) | ast.AnnAssign(target=ast.Name(), value=value):
            pass
        case ast.Assign(targets=[target], value=value) if unpacked(statement) or isinstance(target, ast.Name):
            pass
        case _:
            return [], []
    found: list[tuple[ast.Await, str]] = []
    asked: list[ast.Name] = []
    before: list[ast.Name] = []
    for node, name in _steps(value, "", modules) if value is not None else ():
        if node is None:
            break
        if isinstance(node, ast.Name):
            asked.append(node)
        else:
            found.append((node, name))
            before = [*asked]
    names = unpacked(statement)
    if len(found) < 2 or (names and len(names) != len(found)):
        return [], []
    return [(node, names[at] if names else name) for at, (node, name) in enumerate(found)], before


def unpacked(statement: ast.stmt) -> list[str]:
    """The names that a statement binds to as many awaits: ``x, y = await f(), await g()``."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            names = [each.id for each in targets if isinstance(each, ast.Name)]
            waits = [each for each in values if isinstance(each, ast.Await)]
            return names if len(names) == len(waits) == len(targets) else []
        case _:
            return []


def _steps(node: ast.expr, name: str, modules: Names) -> Iterator[tuple[ast.Await | ast.Name | None, str]]:
    """What evaluating an expression does, in order: the awaits of calls, each with a name for what it gives, names, and None
    for all else that may be noticed, or may not be evaluated at all."""
    inner: list[tuple[ast.expr, str]] = []
    noticed = True  # what is done with the parts
    match node:
        case ast.Await(value=ast.Call() as call) if not any(map(happens_here, ast.walk(call))):
            yield node, name or _given_by(call)
            noticed = False
        case ast.Name():
            yield node, ""
            noticed = False
        case ast.Constant():
            noticed = False
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            inner = [(each, "") for each in parts]
            noticed = False
        case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
            texts = (key.value if isinstance(key, ast.Constant) else "" for key in keys)
            inner = [(value, _as_name(text)) for text, value in zip(texts, values, strict=True)]
            noticed = False
        case ast.Call(func=called, args=args, keywords=keywords) if _is_at_hand(called, modules):
            stated = list(takewhile(lambda word: word.arg, keywords))  # `**` asks at once for what it unpacks
            function = [(called, "")] if isinstance(called, ast.Name) else []
            inner = [*function, *((each, "") for each in args), *((word.value, _as_name(word.arg)) for word in stated)]
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


def _as_name(word: object) -> str:
    """A word by which something is known, as the name of a variable; '' if it would be none, or hide something of Python."""
    if not isinstance(word, str) or not word.isidentifier() or word.startswith("__"):
        return ""
    return "" if iskeyword(word) or hasattr(builtins, word) else word


def _given_by(call: ast.Call) -> str:
    """A name for what a call gives: of ``get_user`` that is ``user``."""
    last = dotted(call.func).rpartition(".")[2]
    shorter = GIVING.sub("", last).strip("_")
    return (
        shorter if shorter not in ("", last) and not iskeyword(shorter) and not hasattr(builtins, shorter) else "result"
    )


def distinct(names: Iterable[str], used: Names) -> Iterator[str]:
    """Each of some names once, with numbers behind those that come again or are used already."""
    taken = set(used)
    for name in names:
        tries = (f"{name}{number}" if number > 1 else name for number in count(1))
        free = next(each for each in tries if each not in taken)
        taken.add(free)
        yield free
