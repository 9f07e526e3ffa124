"""What a node shows by its shape alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from asyncfix.facts.scopes import Scope
from asyncfix.flow import last_name
from asyncfix.source import Source

BLANK = re.compile(rb"[ \t\f]*\Z")
REST = re.compile(rb"[ \t\f]*(?:#[^\r\n]*)?(?:[\r\n]|\Z)")
YIELD_FROM = re.compile(rb"yield[ \t]+from\b")
CLOSING = frozenset({"BaseException", "GeneratorExit"})
LAZY = frozenset({"enumerate", "reversed", "iter", "zip", "map", "filter", "chain", "from_iterable", "islice"})


def run_over(node: ast.expr) -> Iterator[ast.expr]:
    """The containers that an iteration over ``node`` goes on asking: of views, lazy builtins, generator expressions."""
    match node:
        case ast.Name() | ast.Attribute():
            yield node
        case ast.Subscript(value=ast.Name() | ast.Attribute() as held):
            yield held
        case ast.Call(func=ast.Attribute(value=held, attr="items" | "keys" | "values"), args=[]):
            yield from run_over(held)
        case ast.Call(func=ast.Name(id="getattr"), args=[held, ast.Constant(value=str(name)), *_]):
            yield ast.copy_location(ast.Attribute(held, name), node)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in LAZY:
            for argument in args:
                yield from run_over(argument)
        case ast.Call(func=ast.Name() | ast.Attribute() as function):
            yield function  # what it gives may be shared, or a generator
        case ast.GeneratorExp(generators=[first, *_]):
            yield from run_over(first.iter)
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from run_over(part)
        case ast.IfExp(body=body, orelse=other):
            yield from run_over(body)
            yield from run_over(other)
        case _:
            pass


def is_shared(target: ast.expr, scope: Scope) -> bool:
    """Whether a target, or what is called, is part of something that others reach: of no local variable."""
    if not isinstance(target, (ast.Attribute, ast.Subscript)):
        return False
    while isinstance(target, (ast.Attribute, ast.Subscript)):
        target = target.value
    if not isinstance(target, ast.Name):
        return True
    home = scope.find(target.id)
    return (
        home is None
        or home is not scope.function
        or all(isinstance(bound.value, str) for bound in home.names[target.id])
    )


def closes(node: ast.Try | ast.TryStar) -> bool:
    """Whether a ``try`` does something when a generator is closed in its body."""
    caught = (getattr(handler.type, "id", "") for handler in node.handlers if handler.type is not None)
    return bool(node.finalbody) or any(item.type is None for item in node.handlers) or not CLOSING.isdisjoint(caught)


def could_be_element(node: ast.Lambda) -> bool:
    """Whether the body of a lambda could be the element of a comprehension over what it is given: it binds nothing itself."""
    given = node.args
    plain = not (given.posonlyargs or given.kwonlyargs or given.defaults or given.vararg or given.kwarg)
    inner = (
        ast.NamedExpr,
        ast.Yield,
        ast.YieldFrom,
        ast.Lambda,
        ast.ListComp,
        ast.SetComp,
        ast.DictComp,
        ast.GeneratorExp,
    )
    return plain and not any(isinstance(part, inner) for part in ast.walk(node.body))


def does_nothing(node: ast.stmt) -> bool:
    """Whether a statement is one of those that make up the body of a method which is for others to override."""
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Raise(exc=ast.Name(id=name) | ast.Call(func=ast.Name(id=name))):
            return name == "NotImplementedError"
        case _:
            return False


def own_lines(source: Source, node: ast.Expr) -> bool:
    """Whether nothing else stands on the lines of a ``yield from`` that is written without parentheses."""
    span = source.span(node)
    before = source.data[source.line_start(span.start) : span.start]
    begins = YIELD_FROM.match(source.data, span.start) is not None and BLANK.match(before) is not None
    return begins and REST.match(source.data, span.end) is not None


def hints(args: ast.arguments) -> Iterable[ast.expr | None]:
    """The annotations of parameters."""
    every = (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg)
    return (argument.annotation for argument in every if argument is not None)


def shows_source(node: ast.FormattedValue, before: ast.expr | None) -> bool:
    """Whether a field ends in ``=``, so that its text is part of the string: `ast` has that text before the value."""
    match before:
        case ast.Constant(value=str() as text) if text.rstrip().endswith("="):
            names = (getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(node.value))
            return (node.conversion != -1 or node.format_spec is not None) and all(name in text for name in names)
        case _:
            return False


def is_main(test: ast.expr) -> bool:
    """``__name__ == "__main__"``"""
    match test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]):
            return True
        case _:
            return False


def is_stop(node: ast.expr | None) -> bool:
    """Whether a node is the name ``StopIteration``."""
    return isinstance(node, ast.Name) and node.id == "StopIteration"


def says_nothing(node: ast.expr) -> bool:
    """Whether an annotation tells how a name is used, and not what it is."""
    return last_name(node) in ("TypeAlias", "Final", "ClassVar")


def has_decorator(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    """Whether a function has a decorator of that plain name."""
    return any(isinstance(item, ast.Name) and item.id == name for item in node.decorator_list)


def strings(node: ast.expr) -> list[str]:
    """The texts of a list or tuple display."""
    if isinstance(node, (ast.List, ast.Tuple)):
        return [item.value for item in node.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return []
