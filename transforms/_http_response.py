"""What a function does with a response of requests: where it cannot tell one of httpx from it, and what must change."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from asyncfix.flow import bindings, declared, last_name, parameters
from asyncfix.model import Edit, Replace, Span, Wrap
from asyncfix.transform import CannotWrite, Look, Tree, Writing
from asyncfix.writing import AWAIT_RANK

STREAMING = frozenset({"iter_content", "iter_lines", "raw"})
ERROR = re.compile(r"(Error|Exception|Timeout|Redirects)$")
# Errors that come from the uses of a response in the same cases as before, or not at all.
SAME_ERRORS = frozenset(
    {"Exception", "BaseException", "ValueError", "JSONDecodeError", "LookupError", "KeyError", "IndexError"}
    | {"TypeError", "AttributeError"}
)
LAST_ON_LINE = re.compile(rb"[ \t\f]*(#|\r|\n|\Z)")


@dataclass(frozen=True, slots=True)
class Use:
    """A use of the response that is written otherwise: ``node`` stands for it.

    how  ``not is_error`` | ``is_error`` | ``reason_phrase`` | ``check`` (the statement ``raise_for_status()``)
    """

    how: str
    node: ast.expr | ast.stmt
    response: ast.expr


def uses(look: Look) -> list[Use] | str:
    """The uses of the response that change with it, or why it cannot be httpx's."""
    parent = look.parent
    match parent:
        case ast.Expr():
            return []
        case ast.Attribute():
            found: list[Use | str | None] = [_use(look.tree, look.node)]
        case ast.Assign(targets=[ast.Name() as target]):
            names = _names(look, target)
            if isinstance(names, str):
                return names
            found = [_use(look.tree, name) for name in names]
        case ast.Return():
            return "the response is returned"
        case ast.Call() | ast.keyword():
            return "the response is passed on"
        case ast.withitem():
            return "the response is used with `with`"
        case _:
            return "the response is kept, or used as a value"
    barred = next((use for use in found if isinstance(use, str)), "")
    return barred or [use for use in found if isinstance(use, Use)]


def _names(look: Look, target: ast.Name) -> list[ast.Name] | str:
    """The places where the function reads the name of the response, or why they are not all known."""
    function, name = look.function, target.id
    if function is None or isinstance(function, ast.Lambda):
        return "the response is a global"
    if name in declared(function.body, ast.Global) | declared(function.body, ast.Nonlocal):
        return "the response is bound to a name of an outer scope"
    same = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    bound = [node for part, node in bindings(function.body) if part == name]
    stored = [node for node in same if not isinstance(node.ctx, ast.Load)]
    if bound != [target] or stored != [target] or name in parameters(function):
        return f"`{name}` is bound more than once"
    if any(isinstance(node, ast.Name) and node.id in ("locals", "vars", "eval", "exec") for node in ast.walk(function)):
        return "the function reads its names by `locals` or the like"
    inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.GeneratorExp
    for node in same:
        if next(outer for outer in look.tree.ancestors(node) if isinstance(outer, inner)) is not function:
            return f"`{name}` is used in a nested function"
    return [node for node in same if node is not target]


def _use(tree: Tree, response: ast.expr) -> Use | str | None:
    """One use of the response: None if it stays as it is, or why it has no exact twin."""
    parent = tree.parent(response)
    use: Use | str | None
    match parent:
        case ast.Attribute(ctx=ast.Load()):
            use = _member(tree, response, parent)
        case ast.Attribute():
            use = f"`.{parent.attr}` of the response is set"
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            use = None
        case ast.UnaryOp(op=ast.Not()) if _bare_not(tree, parent, response):
            use = Use("is_error", parent, response)
        case _ if parent is not None and _is_condition(tree, response, parent):
            use = Use("not is_error", response, response)
        case ast.Return() | ast.Yield():
            use = "the response is returned"
        case _:
            use = "the response is passed on, kept or used as a value"
    if isinstance(use, Use) and any(isinstance(node, ast.JoinedStr) for node in tree.ancestors(use.node)):
        return "a member without the same name is used in an f-string"
    return use


def _member(tree: Tree, response: ast.expr, member: ast.Attribute) -> Use | str | None:
    parent = tree.parent(member)
    match member.attr, parent:
        case ("status_code" | "content"), _:
            return None
        case "json", ast.Call(func=function) if function is member:
            return None
        case "headers", _ if parent is not None and _plain_headers(tree, member, parent):
            return None
        case "ok", ast.UnaryOp(op=ast.Not()) if _bare_not(tree, parent, member):
            return Use("is_error", parent, response)
        case "ok", _:
            return Use("not is_error", member, response)
        case "reason", _:
            return Use("reason_phrase", member, response)
        case "raise_for_status", ast.Call() if isinstance(response, ast.Name) and _alone(tree, parent):
            return Use("check", parent, response)
        case _:
            return f"`.{member.attr}` has no exact twin here"


def _plain_headers(tree: Tree, headers: ast.Attribute, parent: ast.AST) -> bool:
    """Whether headers are looked up by one name; walking over them gives other names than before."""
    match parent:
        case ast.Attribute(attr="get"):
            call = tree.parent(parent)
            return isinstance(call, ast.Call) and call.func is parent
        case ast.Subscript(ctx=ast.Load()):
            return parent.value is headers
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[container]):
            return container is headers
        case _:
            return False


def _is_condition(tree: Tree, node: ast.AST, parent: ast.AST) -> bool:
    """Whether only the truth of an expression counts."""
    match parent:
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            return parent.test is node
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.comprehension():
            return node in parent.ifs
        case ast.BoolOp():
            outer = tree.parent(parent)
            return outer is not None and _is_condition(tree, parent, outer)
        case _:
            return False


def _bare_not(tree: Tree, negation: ast.UnaryOp, operand: ast.expr) -> bool:
    """Whether nothing but space stands between ``not`` and what it negates."""
    between = tree.source.data[tree.source.span(negation).start : tree.source.span(operand).start]
    return between.strip() == b"not"


def _alone(tree: Tree, call: ast.Call) -> bool:
    """Whether a call without arguments is a statement that has its lines to itself."""
    statement = tree.parent(call)
    if call.args or call.keywords or not isinstance(statement, ast.Expr):
        return False
    span, data = tree.source.span(statement), tree.source.data
    return (
        span == tree.source.span(call)
        and not data[tree.source.line_start(span.start) : span.start].strip()
        and LAST_ON_LINE.match(data, span.end) is not None
    )


def handled(look: Look) -> str:
    """Why the function itself would treat the other library's errors differently; the callers are for the plan.

    Round the call the plan knows the handlers too, but not round what is done with the response later.
    """
    for node in ast.walk(look.function) if look.function else ():
        if isinstance(node, ast.ExceptHandler) and node.name:
            for part in ast.walk(node):
                if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == node.name:
                    return f"a handler reads `.{part.attr}` of the error"
        if isinstance(node, ast.Call) and last_name(node.func) == "suppress":
            odd = next(
                (last_name(part) for part in node.args if last_name(part) not in ("Exception", "BaseException")), ""
            )
            if odd:
                return f"`suppress` names {odd}"
    for name in _named(look):
        for handler in _handlers(look.tree, name):
            odd = next((part for part in _caught(handler) if part not in SAME_ERRORS), "")
            if odd:
                return f"a handler round a use of the response names {odd}"
    decorators = [part for node in look.tree.ancestors(look.node) for part in getattr(node, "decorator_list", ())]
    named = [last_name(part) for node in decorators for part in ast.walk(node) if isinstance(part, ast.expr)]
    odd = next((name for name in named if ERROR.search(name) and name not in SAME_ERRORS), "")
    return f"a decorator names {odd}" if odd else ""


def _handlers(tree: Tree, node: ast.AST) -> Iterator[ast.ExceptHandler]:
    """The handlers of the ``try`` bodies that a node stands in."""
    inner = node
    for outer in tree.ancestors(node):
        if isinstance(outer, ast.Try | ast.TryStar) and inner in outer.body:
            yield from outer.handlers
        inner = outer


def _caught(handler: ast.ExceptHandler) -> list[str]:
    """The last names of the classes that a handler catches."""
    if handler.type is None:
        return []
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [last_name(part) or ast.unparse(part) for part in types]


def streams(look: Look) -> bool:
    """Whether the body is, or may be, read after the call."""
    given = {keyword.arg: keyword.value for keyword in look.node.keywords}
    stream = given.get("stream", ast.Constant(False))
    if not (isinstance(stream, ast.Constant) and not stream.value):
        return True
    by_session = look.api.call.startswith("requests.Session.") and _sets_stream(look.tree)
    return (by_session or None in given) and any(_reads_stream(look.tree, node) for node in (look.node, *_named(look)))


def _sets_stream(tree: Tree) -> bool:
    """Whether the file sets ``stream`` of a session, or of whatever: then no call needs to ask for it."""
    nodes = (node for node in ast.walk(tree.module) if isinstance(node, ast.Attribute))
    return any(node.attr == "stream" and isinstance(node.ctx, ast.Store) for node in nodes)


def _reads_stream(tree: Tree, response: ast.expr) -> bool:
    match tree.parent(response):
        case ast.Attribute(attr=attr):
            return attr in STREAMING
        case ast.For() | ast.comprehension() as loop:
            return loop.iter is response
        case _:
            return False


def _named(look: Look) -> Iterator[ast.Name]:
    """The uses of the name that the response comes under."""
    target: ast.expr | None = None
    match look.parent:
        case ast.Assign(targets=[ast.Name() as target]) | ast.withitem(optional_vars=ast.Name() as target):
            pass
        case ast.AnnAssign(target=ast.Name() as target) | ast.NamedExpr(target=ast.Name() as target):
            pass
        case _:
            return
    for node in ast.walk(look.function or look.tree.module):
        if isinstance(node, ast.Name) and node.id == target.id and isinstance(node.ctx, ast.Load):
            yield node


def member_edits(look: Look, writing: Writing) -> Iterator[Edit]:
    found = uses(look)
    if isinstance(found, str):
        raise CannotWrite(found)
    for use in found:
        yield from _member_edit(look.tree, use, writing)


def _member_edit(tree: Tree, use: Use, writing: Writing) -> Iterator[Edit]:
    """The edits of one use; the response itself stays for the edits of its own call."""
    span, response = tree.source.span(use.node), tree.source.span(use.response)
    member = tree.parent(use.response)
    name = tree.source.text(response)
    if use.how == "check":
        yield Wrap(span, f"if {name}.is_error:\n{writing.indent(span)}{writing.step}", "", AWAIT_RANK)
    elif not isinstance(member, ast.Attribute):
        yield Replace(span, f"{'' if use.how == 'is_error' else 'not '}{name}.is_error")
    else:
        whole = tree.source.span(member)
        word = "reason_phrase" if use.how == "reason_phrase" else "is_error"
        yield Replace(Span(whole.end - len(member.attr), whole.end), word)
        if use.how == "is_error":
            yield Replace(Span(span.start, whole.start), "")
        elif use.how == "not is_error":
            loose = _takes_not(tree, member)
            yield Wrap(whole, "not " if loose else "(not ", "" if loose else ")", AWAIT_RANK + 2)


def _takes_not(tree: Tree, node: ast.AST) -> bool:
    """Whether ``not`` may begin an expression here without parentheses."""
    match tree.parent(node):
        case ast.Call(func=function):
            return function is not node
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert() | ast.BoolOp() | ast.comprehension() | ast.keyword():
            return True
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Assign() | ast.AnnAssign() | ast.Return() | ast.Dict() | ast.List() | ast.Tuple() | ast.Expr():
            return True
        case _:
            return False
