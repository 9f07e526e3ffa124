"""What a test shows of names: behind ``isinstance(x, C)`` an ``x`` is a ``C``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

import msgspec

TESTS = {"isinstance": False, "issubclass": True}
ENDING = (ast.Return, ast.Raise, ast.Continue, ast.Break)


class Shown(msgspec.Struct, frozen=True, gc=False):
    """The classes of which a name is one; ``below``: it stands for a class itself, one of these or below."""

    classes: tuple[ast.expr, ...]
    below: bool


def if_true(test: ast.expr) -> dict[str, Shown]:
    """What is known of names where a test holds."""
    match test:
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass" as asked), args=[ast.Name(id=name), stated]):
            classes = tuple(stated.elts) if isinstance(stated, ast.Tuple) else (stated,)
            told = classes and not any(isinstance(each, ast.Name) and each.id in ("type", "object") for each in classes)
            return {name: Shown(classes, TESTS[asked])} if told else {}
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return if_false(inner)
        case ast.BoolOp(op=ast.And(), values=values):
            return {name: shown for value in values for name, shown in if_true(value).items()}
        case ast.BoolOp(op=ast.Or(), values=values):
            return _either([if_true(value) for value in values])
        case _:
            return {}


def if_false(test: ast.expr) -> dict[str, Shown]:
    """What is known of names where a test does not hold."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return if_true(inner)
        case ast.BoolOp(op=ast.Or(), values=values):
            return {name: shown for value in values for name, shown in if_false(value).items()}
        case _:
            return {}


def behind(statement: ast.AST) -> dict[str, Shown]:
    """What is known of names in what follows a statement: an assertion, or an ``if`` that does not let everything past."""
    if isinstance(statement, ast.Assert):
        return if_true(statement.test)
    if isinstance(statement, ast.If) and not statement.orelse and isinstance(statement.body[-1], ENDING):
        return if_false(statement.test)
    return {}


def by_pattern(subject: ast.expr, pattern: ast.pattern) -> dict[str, Shown]:
    """What is known of the name that is matched where a pattern fits."""
    classes = made_by(pattern)
    return {subject.id: Shown(classes, False)} if isinstance(subject, ast.Name) and classes else {}


def made_by(pattern: ast.pattern) -> tuple[ast.expr, ...]:
    """The classes of which something that fits a pattern is one, () if it may be any."""
    match pattern:
        case ast.MatchClass(cls=made):
            return (made,)
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return made_by(inner)
        case ast.MatchOr(patterns=parts):
            found = [made_by(part) for part in parts]
            return tuple(each for classes in found for each in classes) if all(found) else ()
        case _:
            return ()


def unbound(shown: Mapping[str, Shown], nodes: Iterable[object]) -> dict[str, Shown]:
    """What stays known in code that gives some names another value: nothing of these."""
    if not shown:
        return {}
    parts = (part for node in nodes if isinstance(node, ast.AST) for part in ast.walk(node))
    bound = {name for part in parts for name in _bound(part)}
    return {name: each for name, each in shown.items() if name not in bound}


def _bound(node: ast.AST) -> Iterable[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.asname or alias.name.partition(".")[0] for alias in names]
        case _:
            return ()


def _either(found: list[dict[str, Shown]]) -> dict[str, Shown]:
    """What is known where one of several tests holds, of which each is of one and the same name."""
    if not all(len(each) == 1 and each.keys() == found[0].keys() for each in found):
        return {}
    ((name, first),) = found[0].items()
    shown = [each[name] for each in found]
    if any(each.below != first.below for each in shown):
        return {}
    return {name: Shown(tuple(made for each in shown for made in each.classes), first.below)}
