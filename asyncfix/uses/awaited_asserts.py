"""What a test asserts of a mock in the place of a function that turned async: that it was awaited, not merely called.

Only of a local name that stands for this mock and nothing else, and of which nothing but attributes is asked: who calls the
mock by himself need not await it. ``assert_not_called`` stays: it says more than ``assert_not_awaited``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.ends import MARK
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
TEST = "test"
OBJECT = "self"


def write(use: Use, writing: Writing) -> list[Edit]:
    call, around = writing.call(use.span), writing.around(use.span)
    if not _becomes_async(call):
        return []
    names = named(call, around)
    return [edit for where, name in names if _is_only_asked(where, name) for edit in _rewritten(where, name, writing)]


def _becomes_async(call: ast.Call) -> bool:
    """Whether what is put there is an ``AsyncMock`` when the function has turned."""
    stated = stated_by(call)
    if stated is None:
        return all(keyword.arg in FOLLOWING for keyword in call.keywords)
    made = stated.value if isinstance(stated, ast.keyword) else stated
    if isinstance(stated, ast.keyword) and stated.arg == CALLABLE:
        return last_name(made) in MOCKS
    return isinstance(made, ast.Call) and last_name(made.func) in MOCKS


def stated_by(call: ast.Call) -> ast.expr | ast.keyword | None:
    """The argument that is, or makes, the replacement."""
    given = call.args[PATCHES.get(last_name(call.func), 0) :]
    named = (keyword for keyword in call.keywords if keyword.arg in ("new", CALLABLE))
    return given[0] if given else next(named, None)


# ----------------------------------------------------------------------------------------------------------------- names


def named(call: ast.Call, around: tuple[ast.AST, ...]) -> list[tuple[ast.AST, str]]:
    """The names that stand for the mock which a call makes, and for nothing else, each with the code in which it does.

    ``around``: the nodes round the call, nearest first.
    """
    found: list[tuple[ast.AST, str]]
    match around:
        case [ast.ClassDef(decorator_list=patches, body=body), *_] if call in patches:
            tests = (each for each in body if isinstance(each, FunctionDef) and each.name.startswith(TEST))
            found = [(each, _parameter(call, each, [*patches, *each.decorator_list], True)) for each in tests]
        case [ast.FunctionDef() | ast.AsyncFunctionDef() as function, *rest] if call in function.decorator_list:
            method = bool(rest) and isinstance(rest[0], ast.ClassDef)
            found = [(function, _parameter(call, function, function.decorator_list, method))]
        case _:
            found = [_bound(call, around)]
    return [(where, name) for where, name in found if name]


def _bound(call: ast.Call, around: tuple[ast.AST, ...]) -> tuple[ast.AST, str]:
    """The variable, or the attribute of a test's own object, that stands for the mock, and where: '' if none does."""
    match around[:3]:
        case [ast.withitem(optional_vars=target), *_] if target is not None:
            return _scope(target, around), text(target)
        case [ast.Attribute(attr="start"), ast.Call(), ast.Assign(targets=[target])]:
            return _scope(target, around), text(target)
        case [ast.Assign(targets=[target]), *_] if _root(call.func) in GIVING:
            return _scope(target, around), text(target)
        case [ast.Assign(targets=[patcher]), *_]:
            target = _started(_scope(patcher, around), text(patcher))
            return (_scope(target, around), text(target)) if target is not None else (call, "")
        case _:
            return call, ""


def _scope(target: ast.expr, around: tuple[ast.AST, ...]) -> ast.AST:
    """The code in which a name is known: that of the function, of the class if it is an attribute."""
    kind = ast.ClassDef if isinstance(target, ast.Attribute) else FunctionDef
    return next((node for node in around if isinstance(node, kind)), target)


def text(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return f"{OBJECT}.{name}"
        case _:
            return ""


def _started(where: ast.AST, patcher: str) -> ast.expr | None:
    """What the one use of a patcher that makes its mock binds."""
    found: list[ast.expr] = []
    for node in ast.walk(where) if patcher else ():
        match node:
            case ast.Assign(targets=[target], value=ast.Call(func=ast.Attribute(value=started, attr="start"))):
                found += [target] if text(started) == patcher else []
            case ast.withitem(context_expr=started, optional_vars=ast.expr() as target):
                found += [target] if text(started) == patcher else []
            case _:
                pass
    return found[0] if len(found) == 1 and len(_binding(where, patcher)) == 1 else None


def _parameter(call: ast.Call, function: FunctionDef, decorators: list[ast.expr], method: bool) -> str:
    """The parameter by which a decorator gives its mock: that of the lowest comes first."""
    patches = [each for each in decorators if not _gives_nothing(each)]
    giving = [each for each in patches if _gives_mock(each)]
    parameters = [*function.args.posonlyargs, *function.args.args][method:]
    if call not in giving or len(giving) < len(patches) or len(parameters) < len(giving):
        return ""
    return parameters[giving[::-1].index(call)].arg


def _gives_nothing(decorator: ast.expr) -> bool:
    """Whether a decorator is known to give the function no arguments by position."""
    named = called(decorator)
    if isinstance(decorator, ast.Call) and last_name(named) in PATCHES:
        stated = stated_by(decorator)
        return stated is not None and not (isinstance(stated, ast.keyword) and stated.arg == CALLABLE)
    return ast.unparse(named).startswith(f"{MARK}.") or last_name(named) in SKIPPING


def _gives_mock(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and last_name(decorator.func) in PATCHES


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return last_name(node)


# ------------------------------------------------------------------------------------------------------------------ uses


def _is_only_asked(where: ast.AST, name: str) -> bool:
    """Whether a name is bound once, and read for attributes only."""
    reads = [node for node in ast.walk(where) if text(node) == name]
    asked = [node for node in ast.walk(where) if isinstance(node, ast.Attribute) and text(node.value) == name]
    loads = [node for node in reads if isinstance(getattr(node, "ctx", None), ast.Load)]
    return len(_binding(where, name)) == 1 and len(loads) == len(asked)


def _binding(where: ast.AST, name: str) -> list[ast.AST]:
    """The nodes in some code, in functions in it too, that bind the name, or say where it belongs."""
    return [node for node in ast.walk(where) if node is not where and _binds(node, name)]


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
            return text(node) == name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
        case ast.keyword():
            return False
        case _:
            return name in (getattr(node, "arg", ""), getattr(node, "asname", ""), getattr(node, "name", ""))


def _rewritten(where: ast.AST, name: str, writing: Writing) -> Iterator[Edit]:
    for node in ast.walk(where):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and text(node.func.value) == name:
            yield from awaited(node, node.func, writing)


def awaited(node: ast.Call, method: ast.Attribute, writing: Writing) -> Iterator[Edit]:
    """What a call asserts of a mock, if it asserts that this was called: that it was awaited."""
    if method.attr in AWAITED and (method.attr != "assert_has_calls" or states_own_calls(node)):
        end = writing.source.span(method).end
        yield Replace(Span(end - len(method.attr), end), AWAITED[method.attr])


def states_own_calls(asserted: ast.Call) -> bool:
    """Whether the calls that are asserted are those of the mock itself, and none of what it gives."""
    match asserted.args:
        case [ast.List(elts=calls) | ast.Tuple(elts=calls), *_]:
            return all(isinstance(each, ast.Call) and ast.unparse(each.func) in ("call", "mock.call") for each in calls)
        case _:
            return False
