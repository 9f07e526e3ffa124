"""What loops go through and fill: collections of a function, and whether anybody else has them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from asyncfix.flow import FunctionDef, Loop, bindings, last_name, own, parameters
from asyncfix.preconditions import reason
from asyncfix.transform import Tree

from ._meanwhile import changeable, gone_through, is_constant, stated_type
from ._order import MOST_QUOTED, dotted

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp
Creation = ast.Assign | ast.AnnAssign
For = ast.For | ast.AsyncFor

COLLECTIONS = frozenset({"list", "tuple", "set", "frozenset", "dict", "sorted", "range"})
STATED = frozenset({"list", "tuple", "set", "frozenset", "dict", "sequence", "collection", "mapping"})
PIECES = frozenset({"items", "keys", "values", "split", "splitlines"})
OF_OTHERS = frozenset({"enumerate", "zip", "reversed"})
ENDLESS = frozenset({"count", "cycle", "repeat", "iter", "chain", "islice"})
FRESH = frozenset({"list", "dict", "set", "defaultdict", "Counter", "OrderedDict", "deque", "StringIO"})


def conditioned(body: list[ast.stmt]) -> tuple[list[ast.stmt], tuple[ast.expr, ...]]:
    """What a turn does, and the conditions on which it does it: where all of it stands in one ``if``."""
    match body:
        case [ast.If(test=test, body=inner, orelse=[])]:
            return inner, (test,)
        case _:
            return body, ()


def root(node: ast.AST) -> Iterator[str]:
    """The name that an expression begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def open_sources(tree: Tree, function: ast.AsyncFunctionDef, source: ast.expr, end: int) -> Iterator[ast.expr]:
    """What of the source is a variable of which the text does not show that nobody changes it before line ``end``."""
    if is_constant(tree, function, source):
        return
    local = {name for name, _ in bindings(function.body)} - parameters(function)
    for each in gone_through(source):
        if not dotted(each) or next(root(each), "") in local:
            continue
        if not is_collection(each, function) or any(changeable(tree, function, each, end)):
            yield each


def doubts_of_source(tree: Tree, function: ast.AsyncFunctionDef, source: ast.expr, end: int) -> Iterator[str]:
    """What is not proven of what is gone through, but for variables of which others have to be asked."""
    asked = set(open_sources(tree, function, source, end))
    if is_constant(tree, function, source):
        return
    for each in gone_through(source):
        if each in asked:
            continue
        if not is_collection(each, function):
            text = ast.unparse(source)[:MOST_QUOTED]
            yield reason("data", f"what `{text}` gives may be made, or changed by others, while the loop runs")
        for name in changeable(tree, function, each, end):
            why = f"others who have `{name}` may change it while the loop runs (going through a copy, `list({name})`, none can)"
            yield reason("data", why)


def is_collection(node: ast.expr, function: FunctionDef, asked: frozenset[str] = frozenset()) -> bool:
    """Whether it is a collection that nobody else can change meanwhile: made here, or stated for a parameter. ``asked``: names
    that are asked for on the way to it, as ``names`` in ``names = names[1:]``: there the other bindings tell."""
    match node:
        case ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            return True
        case ast.Constant():
            return isinstance(node.value, str | bytes)
        case ast.Call(func=ast.Name(id=name)):
            return name in COLLECTIONS or (
                name in OF_OTHERS and all(is_collection(each, function, asked) for each in node.args)
            )
        case ast.Call(func=ast.Attribute(value=owner, attr=method)):
            return method in PIECES and (method.startswith("split") or is_collection(owner, function, asked))
        case ast.Subscript(value=held, slice=ast.Slice()):
            return is_collection(held, function, asked)
        case ast.Name(id=name):
            return name in asked or _is_named_collection(name, function, asked | {name})
        case _:
            return False


def _is_named_collection(name: str, function: FunctionDef, asked: frozenset[str]) -> bool:
    values = list(bound_to(name, function))
    if name in parameters(function):
        return not values and stated_type(function, name) in STATED
    own_values = [each for each in values if each is not None]
    known = bool(values) and len(own_values) == len(values)
    return known and all(not isinstance(each, ast.Name) and _is_kept(each, function, asked) for each in own_values)


def _is_kept(node: ast.expr, function: FunctionDef, asked: frozenset[str]) -> bool:
    """Whether it is a collection that may be gone through more than once."""
    once = isinstance(node, ast.Call) and last_name(node.func) in OF_OTHERS
    return not once and is_collection(node, function, asked)


def bound_to(name: str, function: FunctionDef, but: Sequence[ast.stmt] = ()) -> Iterator[ast.expr | None]:
    """What a function binds a name to, outside of some statements; None where that is not written out."""
    inside = {node for part in but for node in ast.walk(part)}
    creations = [each for each in own(function.body) if isinstance(each, Creation) and bound_name(each) == name]
    for bound, node in bindings(function.body):
        if bound == name and node not in inside:
            yield next((each.value for each in creations if node in ast.walk(each)), None)


def is_made_here(tree: Tree, function: FunctionDef, loop: For | Comprehension, name: str) -> bool:
    """Whether a local name stands for something that only this function has: it was made here, and nobody got it before the
    loop."""
    if name in parameters(function) or not all(
        map(is_made, bound_to(name, function, loop.body if isinstance(loop, For) else []))
    ):
        return False
    reads = [node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    again = _repeated(tree, name, loop)
    return not any(node.id == name and (node.lineno < loop.lineno or node in again) for node in reads)


def _repeated(tree: Tree, name: str, loop: For | Comprehension) -> set[ast.AST]:
    """What is done again and again with the loop, and with what a name stands for: that was made before."""
    found: set[ast.AST] = set()
    for each in tree.ancestors(loop):
        if isinstance(each, Loop):
            if any(bound == name for bound, _ in bindings(each.body)):
                break
            found |= set(ast.walk(each)) - set(ast.walk(loop))
    return found


def is_made(value: ast.expr | None) -> bool:
    match value:
        case ast.List() | ast.Dict() | ast.Set() | ast.Constant() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=function):
            return last_name(function) in FRESH
        case _:
            return False


def bound_name(statement: Creation) -> str:
    """The one name that an assignment binds, '' if it is not as simple as that."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return ""


def is_empty(value: ast.expr | None) -> bool:
    match value:
        case ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(func=ast.Name(id="list" | "set" | "dict"), args=[], keywords=[]):
            return True
        case _:
            return False


def is_endless(node: ast.expr) -> bool:
    """Whether it may go on for ever, or gives one thing after the other on demand."""
    return isinstance(node, ast.Call) and last_name(node.func) in ENDLESS


def is_one(node: ast.expr) -> bool:
    """Whether it is written out, with fewer than two elements."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return len(elements) < 2 and not any(isinstance(each, ast.Starred) for each in elements)
        case _:
            return False
