"""What a mock gives by itself, in the place of a function that turned async: what it gave before.

An ``AsyncMock`` that is told nothing gives another one, of which every method is a coroutine function; a ``Mock`` gives a
``Mock``. Where a test says what is given (``return_value``, ``side_effect``) nothing is written.
"""

from __future__ import annotations

import ast
from itertools import starmap

from asyncfix.facts.likeness import CONFIGURED
from asyncfix.flow import last_name
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import Writing
from asyncfix.uses.awaited_asserts import FunctionDef, named, stated_by, states_own_calls, text
from asyncfix.uses.mock import CALLABLE, MOCKS

MODULE = "unittest.mock"
SAYING = frozenset({*CONFIGURED, "wraps", "spec", "spec_set", None})


def write(use: Use, writing: Writing) -> list[Edit]:
    around = writing.around(use.span)
    match around[:1]:
        case [ast.Assign(targets=[ast.Attribute() as target], value=value)] if not writing.source.span(value).contains(
            use.span
        ):
            function = next((node for node in around if isinstance(node, FunctionDef)), target)
            return _told(value, value, writing) if not _is_configured(function, ast.unparse(target)) else []
        case _:
            pass
    call = writing.call(use.span)
    names = named(call, around)
    if (names and all(_is_configured(where, name) for where, name in names)) or any(starmap(_is_followed, names)):
        return []
    stated = stated_by(call)
    if stated is None:
        return _given(call, around, writing)
    if isinstance(stated, ast.keyword) and stated.arg == CALLABLE:
        return _told(call, stated.value, writing) if last_name(stated.value) in MOCKS else []
    made = stated.value if isinstance(stated, ast.keyword) else stated
    return _told(made, made, writing)


def _given(call: ast.Call, around: tuple[ast.AST, ...], writing: Writing) -> list[Edit]:
    """Of a mock that ``patch`` makes; by a decorator it makes one for each run, which another value belongs to."""
    magic = writing.name(f"{MODULE}.MagicMock")
    decorates = call in getattr(around[0], "decorator_list", ())
    if decorates and not call.keywords:
        mock = writing.name(f"{MODULE}.AsyncMock")
        return _with(call, f"{CALLABLE}=lambda: {mock}({CONFIGURED[0]}={magic}())", writing)
    return [] if _says(call) else _with(call, f"{CONFIGURED[0]}={magic}()", writing)


def _told(call: ast.expr, maker: ast.expr, writing: Writing) -> list[Edit]:
    """Of a mock that a call makes, of the class that ``maker`` names."""
    made_of = last_name(maker.func if isinstance(maker, ast.Call) else maker)
    if not isinstance(call, ast.Call) or made_of not in MOCKS or _says(call):
        return []
    return _with(call, f"{CONFIGURED[0]}={writing.name(f'{MODULE}.{made_of}')}()", writing)


def _says(call: ast.Call) -> bool:
    """Whether the arguments of a call may say what the mock gives."""
    return any(keyword.arg in SAYING for keyword in call.keywords)


def _is_configured(where: ast.AST, name: str) -> bool:
    """Whether some code says what the mock of a name gives."""
    return any(
        ast.unparse(node.value) == name
        for node in ast.walk(where)
        if isinstance(node, ast.Attribute)
        and (node.attr == "configure_mock" or (node.attr in CONFIGURED and isinstance(node.ctx, ast.Store)))
    )


def _is_followed(where: ast.AST, name: str) -> bool:
    """Whether some code asks the mock of a name for the calls of what it gives, which it knows only of what it made itself."""
    for node in ast.walk(where):
        match node:
            case ast.Call(func=ast.Attribute(attr="assert_has_calls", value=mock)):
                found = text(mock) == name and not states_own_calls(node)
            case ast.Attribute(attr="mock_calls", value=mock):
                found = text(mock) == name
            case _:
                found = False
        if found:
            return True
    return False


def _with(call: ast.Call, argument: str, writing: Writing) -> list[Edit]:
    """A call with one more argument."""
    source = writing.source
    ends = [source.span(each).end for each in call.args] + [source.span(each.value).end for each in call.keywords]
    last = max(ends, default=0)
    at = last or source.span(call).end - 1
    return [Replace(Span(at, at), f", {argument}" if last else argument)]
