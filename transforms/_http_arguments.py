"""The arguments of a call of requests: which of them the helper can take as they are written."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping

from asyncfix.flow import bindings, declared, last_name
from asyncfix.transform import Look, Tree

# What may be given by position, by function.
POSITIONAL: Mapping[str, tuple[str, ...]] = {
    "requests.get": ("url", "params"),
    "requests.post": ("url", "data", "json"),
    "requests.put": ("url", "data"),
    "requests.patch": ("url", "data"),
    "requests.delete": ("url",),
    "requests.head": ("url",),
    "requests.options": ("url",),
    "requests.request": ("method", "url"),
}
KEYWORDS = frozenset(
    {"method", "url", "params", "data", "json", "headers", "cookies", "auth", "timeout", "allow_redirects"}
)

SIGNED = re.compile(r"sign|hmac|digest|hashlib|sha\d|md5", re.IGNORECASE)
TEXT_MAKERS = frozenset({"dumps", "encode", "format", "urlencode", "join", "str", "bytes"})


def odd_arguments(look: Look) -> str:
    node, names = look.node, POSITIONAL[look.api.call]
    if any(isinstance(part, ast.Starred) for part in node.args) or any(part.arg is None for part in node.keywords):
        return "the arguments are not spelled out"
    if len(node.args) > len(names) or any(not _after_comma(look, part) for part in node.args[1:]):
        return "the arguments are given in an unusual way"
    given = dict(zip(names, node.args, strict=False)) | {part.arg: part.value for part in node.keywords if part.arg}
    unknown = next((name for name in given if name not in KEYWORDS), "")
    return f"`{unknown}=` has no exact twin" if unknown else _odd_value(look, given)


def _odd_value(look: Look, given: Mapping[str, ast.expr]) -> str:
    redirects = given.get("allow_redirects")
    if redirects is not None and not (isinstance(redirects, ast.Constant) and isinstance(redirects.value, bool)):
        return "`allow_redirects=` is not True or False"
    if look.api.call == "requests.request" and redirects is None and not _plain_method(given.get("method")):
        return "the method may be HEAD"
    if "data" in given and not seen_as(look, given["data"], _is_body):
        return "the type of `data=` is not known"
    if "cookies" in given and not seen_as(look, given["cookies"], _is_dict):
        return "`cookies=` may be a cookie jar"
    if "auth" in given and not seen_as(look, given["auth"], _is_pair):
        return "`auth=` is not a pair of name and password"
    if "timeout" in given and _may_be_timeout_object(look, given["timeout"]):
        return "`timeout=` may be a Timeout object"
    if "headers" in given and _signed(look, given["headers"]):
        return "the headers carry a signature or digest"
    return ""


def _after_comma(look: Look, node: ast.expr) -> bool:
    """Whether a comma stands before an argument: parentheses of its own, or a comment, leave no place for a keyword."""
    return look.tree.source.data[: look.tree.source.span(node).start].rstrip().endswith(b",")


def _plain_method(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.upper() != "HEAD"


def _may_be_timeout_object(look: Look, node: ast.expr) -> bool:
    if isinstance(node, ast.Constant | ast.Tuple):
        return False
    return "urllib3" in look.tree.imports or (isinstance(node, ast.Call) and last_name(node.func).endswith("Timeout"))


def _signed(look: Look, headers: ast.expr) -> bool:
    """Whether a name or text of the headers, or of what feeds them in this function, speaks of a signature."""
    todo: list[ast.AST] = [headers]
    seen: set[str] = set()
    while todo:
        for part in ast.walk(todo.pop()):
            if any(SIGNED.search(word) for word in _words(part)):
                return True
            if isinstance(part, ast.Name) and part.id not in seen:
                seen.add(part.id)
                todo.extend(_feeding(look, part.id))
    return False


def _words(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name():
            yield node.id
        case ast.Attribute():
            yield node.attr
        case ast.keyword():
            yield node.arg or ""
        case ast.Constant(value=str() as text):
            yield text
        case _:
            return


def _feeding(look: Look, name: str) -> Iterator[ast.AST]:
    """What of the function binds a name, puts something in it, or calls a method of it."""
    for node in ast.walk(look.function) if look.function else ():
        targets: list[ast.expr] = []
        match node:
            case ast.Assign():
                targets = node.targets
            case ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr() | ast.For() | ast.AsyncFor() | ast.comprehension():
                targets = [node.target]
            case ast.withitem(optional_vars=ast.expr() as target):
                targets = [target]
            case ast.Call(func=ast.Attribute() as function):
                targets = [function.value]
            case _:
                continue
        if any(isinstance(part, ast.Name) and part.id == name for target in targets for part in ast.walk(target)):
            yield from [node.iter] if isinstance(node, ast.For | ast.AsyncFor) else [node]


def seen_as(
    look: Look, node: ast.expr, accept: Callable[[ast.expr], bool], hidden: frozenset[str] = frozenset()
) -> bool:
    """Whether all that an expression can give is None or of an accepted kind, as far as names lead."""
    match node:
        case ast.IfExp():
            parts = [node.body, node.orelse]
        case ast.BoolOp():
            parts = node.values
        case ast.Name() if node.id not in hidden:
            found = _values(look, node.id)
            hidden |= {node.id}
            parts = [value for value in found if value is not None]
            if not found or len(parts) < len(found):
                return False
        case ast.Constant(value=None):
            return True
        case _:
            return accept(node)
    return all(seen_as(look, part, accept, hidden) for part in parts)


def _values(look: Look, name: str) -> list[ast.expr | None]:
    """What a name is bound to, None for a binding of another kind; a parameter gives an example of its annotation."""
    function = look.function
    if isinstance(function, ast.Lambda):
        return []
    if function is not None:
        found = [_assigned(look.tree, node) for bound, node in bindings(function.body) if bound == name]
        found += [
            _example(part.annotation)
            for part in ast.walk(function.args)
            if isinstance(part, ast.arg) and part.arg == name
        ]
        if found or name in declared(function.body, ast.Global) | declared(function.body, ast.Nonlocal):
            return found if name not in declared(function.body, ast.Global) else []
        if any(
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for node in look.tree.ancestors(function)
        ):
            return []
    return [_assigned(look.tree, node) for bound, node in bindings(look.tree.module.body) if bound == name]


def _assigned(tree: Tree, node: ast.AST) -> ast.expr | None:
    """The value of a plain assignment to a name."""
    match tree.parent(node):
        case ast.Assign() as statement if node in statement.targets:
            return statement.value
        case ast.AnnAssign() as statement if node is statement.target:
            return statement.value
        case _:
            return None


def _example(annotation: ast.expr | None) -> ast.expr | None:
    """An expression of the annotated type, for the few types that count here."""
    match annotation:
        case ast.BinOp(op=ast.BitOr()):
            parts = [_example(annotation.left), _example(annotation.right)]
            known = [part for part in parts if part is not None]
            return ast.BoolOp(ast.Or(), known) if len(known) == len(parts) else None
        case ast.Subscript() if last_name(annotation.value) == "Optional":
            return _example(annotation.slice)
        case ast.Subscript(slice=ast.Tuple() as pair) if last_name(annotation.value) in ("tuple", "Tuple"):
            return pair
        case ast.Subscript():
            return _example(annotation.value)
        case ast.Constant(value=None):
            return annotation
        case ast.Name() | ast.Attribute():
            examples: dict[str, ast.expr] = {"str": ast.Constant(""), "bytes": ast.Constant(b"")}
            examples |= {name: ast.Dict([], []) for name in ("dict", "Dict", "Mapping", "MutableMapping")}
            return examples.get(last_name(annotation))
        case _:
            return None


def _is_body(node: ast.expr) -> bool:
    """Text, bytes, a dict or a list of pairs; no file, generator or object."""
    match node:
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr() | ast.List() | ast.ListComp() | ast.Tuple():
            return True
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return _is_body(node.left)
        case ast.Call():
            return last_name(node.func) in TEXT_MAKERS or _is_dict(node)
        case _:
            return _is_dict(node)


def _is_dict(node: ast.expr) -> bool:
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict"
    return called or isinstance(node, ast.Dict | ast.DictComp)


def _is_pair(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Tuple) and len(node.elts) == 2 and not any(isinstance(e, ast.Starred) for e in node.elts)
    )


def is_credentials(node: ast.expr) -> bool:
    """What authorises by itself, without code of the project."""
    known = ("HTTPBasicAuth", "HTTPDigestAuth", "HTTPProxyAuth")
    return _is_pair(node) or (isinstance(node, ast.Call) and last_name(node.func) in known)
