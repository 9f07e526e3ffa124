"""What a test asserts of a mock in the place of a function that turned async: that it was awaited, not merely called.

Only of a local name that stands for this mock and nothing else, and of which nothing but attributes is asked: who calls the
mock by himself need not await it. ``assert_not_called`` stays: it says more than ``assert_not_awaited``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.facts.likeness import AWAITED
from asyncfix.flow import called, last_name
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import Writing
from asyncfix.uses.mock import CALLABLE, MOCKS

PATCHES = {"patch": 1, "object": 2}
"""By last name the position of what is put there."""

GIVING = ("mocker", "class_mocker", "module_mocker", "package_mocker", "session_mocker")
"""Fixtures of pytest-mock: their ``patch`` gives the mock, and no patcher."""

FOLLOWING = frozenset({"return_value", "side_effect", "autospec", "wraps", "name", "create"})
"""What may be said of a mock that is made by itself."""

SKIPPING = ("skip", "skipIf", "skipUnless", "expectedFailure")
FunctionDef = ast.FunctionDef | ast.AsyncFunctionDef


def write(use: Use, writing: Writing) -> list[Edit]:
    call, around = writing.call(use.span), writing.around(use.span)
    function = next((node for node in around if isinstance(node, FunctionDef)), None)
    if function is None or not _becomes_async(call):
        return []
    name = _parameter(call, around) if around[0] is function else _name(call, around, function)
    return list(_rewritten(function, name, writing)) if name and _is_only_asked(function, name) else []


def _becomes_async(call: ast.Call) -> bool:
    """Whether what is put there is an ``AsyncMock`` when the function has turned."""
    stated = _stated(call)
    if stated is None:
        return all(keyword.arg in FOLLOWING for keyword in call.keywords)
    made = stated.value if isinstance(stated, ast.keyword) else stated
    if isinstance(stated, ast.keyword) and stated.arg == CALLABLE:
        return last_name(made) in MOCKS
    return isinstance(made, ast.Call) and last_name(made.func) in MOCKS


def _stated(call: ast.Call) -> ast.expr | ast.keyword | None:
    """The argument that is, or makes, the replacement."""
    given = call.args[PATCHES.get(last_name(call.func), 0) :]
    named = (keyword for keyword in call.keywords if keyword.arg in ("new", CALLABLE))
    return given[0] if given else next(named, None)


# ----------------------------------------------------------------------------------------------------------------- names


def _name(call: ast.Call, around: tuple[ast.AST, ...], function: FunctionDef) -> str:
    """The variable that stands for the mock, '' if none does, or another thing may be meant."""
    match around[:3]:
        case [ast.withitem(optional_vars=ast.Name(id=name)), *_]:
            return name
        case [ast.Attribute(attr="start"), ast.Call(), ast.Assign(targets=[ast.Name(id=name)])]:
            return name
        case [ast.Assign(targets=[ast.Name(id=name)]), *_]:
            return name if _root(call.func) in GIVING else _started(function, name)
        case _:
            return ""


def _started(function: FunctionDef, patcher: str) -> str:
    """What the one use of a patcher that makes its mock binds."""
    found: list[str] = []
    for node in ast.walk(function):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=started), attr="start")),
            ):
                found += [name] if started == patcher else []
            case ast.withitem(context_expr=ast.Name(id=started), optional_vars=ast.Name(id=name)):
                found += [name] if started == patcher else []
            case _:
                pass
    return found[0] if len(found) == 1 and len(_binding(function, patcher)) == 1 else ""


def _parameter(call: ast.Call, around: tuple[ast.AST, ...]) -> str:
    """The parameter by which a decorator gives its mock: that of the lowest comes first."""
    function = around[0]
    assert isinstance(function, FunctionDef)
    patches = [each for each in function.decorator_list if not _gives_nothing(each)]
    giving = [each for each in patches if _gives_mock(each)]
    parameters = [*function.args.posonlyargs, *function.args.args][isinstance(around[1], ast.ClassDef) :]
    if call not in giving or len(giving) < len(patches) or len(parameters) < len(giving):
        return ""
    return parameters[giving[::-1].index(call)].arg


def _gives_nothing(decorator: ast.expr) -> bool:
    """Whether a decorator is known to give the function no arguments by position."""
    named = called(decorator)
    if isinstance(decorator, ast.Call) and last_name(named) in PATCHES:
        stated = _stated(decorator)
        return stated is not None and not (isinstance(stated, ast.keyword) and stated.arg == CALLABLE)
    return ast.unparse(named).startswith("pytest.mark.") or last_name(named) in SKIPPING


def _gives_mock(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and last_name(decorator.func) in PATCHES


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return last_name(node)


# ------------------------------------------------------------------------------------------------------------------ uses


def _is_only_asked(function: FunctionDef, name: str) -> bool:
    """Whether a name is bound once in a function, and read for attributes only."""
    reads = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    asked = [node for node in ast.walk(function) if isinstance(node, ast.Attribute) and _is(node.value, name)]
    loads = [node for node in reads if isinstance(node.ctx, ast.Load)]
    return len(_binding(function, name)) == 1 and len(loads) == len(asked)


def _binding(function: FunctionDef, name: str) -> list[ast.AST]:
    """The nodes in a function, those in it too, that bind the name, or say where it belongs."""
    return [node for node in ast.walk(function) if node is not function and _binds(node, name)]


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(id=found, ctx=ast.Store() | ast.Del()):
            return found == name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
        case ast.keyword():
            return False
        case _:
            return name in (getattr(node, "arg", ""), getattr(node, "asname", ""), getattr(node, "name", ""))


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _rewritten(function: FunctionDef, name: str, writing: Writing) -> Iterator[Edit]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is(node.func.value, name):
            yield from awaited(node, node.func, writing)


def awaited(node: ast.Call, method: ast.Attribute, writing: Writing) -> Iterator[Edit]:
    """What a call asserts of a mock, if it asserts that this was called: that it was awaited."""
    if method.attr in AWAITED and (method.attr != "assert_has_calls" or _states_own_calls(node)):
        end = writing.source.span(method).end
        yield Replace(Span(end - len(method.attr), end), AWAITED[method.attr])


def _states_own_calls(asserted: ast.Call) -> bool:
    """Whether the calls that are asserted are those of the mock itself, and none of what it gives."""
    match asserted.args:
        case [ast.List(elts=calls) | ast.Tuple(elts=calls), *_]:
            return all(isinstance(each, ast.Call) and ast.unparse(each.func) in ("call", "mock.call") for each in calls)
        case _:
            return False
