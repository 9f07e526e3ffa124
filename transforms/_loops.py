"""Which event loop code gets, and the argument `loop`: what it gives, and how it is taken away."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.flow import bindings, declared, parameters
from asyncfix.model import Edit, Replace, Span
from asyncfix.source import Source
from asyncfix.transform import Look, Tree

GETTING = ("get_event_loop", "get_running_loop")


def runs_in_loop(look: Look) -> bool:
    """Whether a call is code of an async function, so that the event loop that it runs on is there; a generator expression
    may be gone through elsewhere."""
    if not look.in_async:
        return False
    inside = (node for node in look.tree.ancestors(look.node) if node is not look.function)
    for node in inside:
        if isinstance(node, ast.GeneratorExp):
            return False
        if isinstance(node, ast.stmt):
            return True
    return True


def loop_argument(call: ast.Call) -> ast.keyword | None:
    """The argument ``loop=`` of a call."""
    return next((keyword for keyword in call.keywords if keyword.arg == "loop"), None)


def is_default(look: Look, value: ast.expr) -> bool:
    """Whether a loop that async code gives is the one that it has without it: None, or the one that runs, which it has
    asked for there or before."""
    match value:
        case ast.Constant(value=None):
            return True
        case ast.Name(id=name):
            return _is_bound_to_running(look, name)
        case _:
            return _gives_running(look.tree, value)


def _is_bound_to_running(look: Look, name: str) -> bool:
    """Whether the async function binds a name, to the loop that runs and to nothing else."""
    function = look.function
    if not isinstance(function, ast.AsyncFunctionDef) or name in parameters(function):
        return False
    if any(name in declared(function.body, kind) for kind in (ast.Global, ast.Nonlocal)):
        return False
    bound = [look.tree.parent(node) for each, node in bindings(function.body) if each == name]
    return bool(bound) and all(
        isinstance(each, ast.Assign | ast.AnnAssign | ast.NamedExpr) and _gives_running(look.tree, each.value)
        for each in bound
    )


def _gives_running(tree: Tree, node: ast.expr | None) -> bool:
    """Whether an expression asks asyncio for the loop, by a name that the file imports."""
    return (
        isinstance(node, ast.Call)
        and not (node.args or node.keywords)
        and ast.unparse(node.func) in frozenset(_getting(tree.module))
    )


def _getting(module: ast.Module) -> Iterator[str]:
    """How a file writes the functions that give the loop."""
    for node in ast.walk(module):
        match node:
            case ast.ImportFrom(module="asyncio", level=0, names=names):
                yield from (item.asname or item.name for item in names if item.name in GETTING)
            case ast.Import(names=names):
                bound = (item.asname or item.name for item in names if item.name == "asyncio")
                yield from (f"{each}.{name}" for each in bound for name in GETTING)
            case _:
                pass


def removed(source: Source, call: ast.Call, argument: ast.keyword) -> Span | None:
    """The text to take away with an argument: its comma too; None if a comment stands there."""
    span, whole = source.span(argument), source.span(call)
    others = [source.span(node) for node in call.args]
    others += [source.span(keyword) for keyword in call.keywords if keyword is not argument]
    before = max((each.end for each in others if each.end <= span.start), default=None)
    after = min((each.start for each in others if each.start >= span.end), default=None)
    if before is not None:
        comma = source.data.rindex(b",", before, span.start)
        start, end = comma - _blank_before(source, before, comma), span.end
    elif after is not None:
        comma = source.data.index(b",", span.end, after) + 1
        start, end = span.start, comma + _blank(source, comma)
    else:
        start, end = source.data.rindex(b"(", source.span(call.func).end, span.start) + 1, whole.end - 1
    return None if b"#" in source.data[start : span.start] + source.data[span.end : end] else Span(start, end)


def _blank(source: Source, start: int) -> int:
    """How many bytes of white space stand there."""
    rest = source.data[start:]
    return len(rest) - len(rest.lstrip())


def _blank_before(source: Source, start: int, end: int) -> int:
    """How many bytes of white space stand before ``end``."""
    text = source.data[start:end]
    return len(text) - len(text.rstrip(b" \t"))


def without(source: Source, call: ast.Call, argument: ast.keyword) -> Iterator[Edit]:
    """The edit that takes an argument away, none if a comment stands there."""
    span = removed(source, call, argument)
    if span is not None:
        yield Replace(span, "")
