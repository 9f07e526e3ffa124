"""Collections that others may change while a loop that goes through them waits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.flow import Definition, FunctionDef, bindings, last_name, parameter_annotations, parameters
from asyncfix.transform import Tree

FROZEN = frozenset({"tuple", "frozenset", "str", "bytes", "range"})
READING = frozenset(
    {
        "len",
        "sorted",
        "list",
        "tuple",
        "set",
        "frozenset",
        "dict",
        "sum",
        "min",
        "max",
        "any",
        "all",
        "enumerate",
        "zip",
    }
    | {"reversed", "map", "filter", "print", "str", "repr", "bool", "isinstance"}
)
"""Functions that keep nothing of what they are given but its elements."""
VIEWS = frozenset({"items", "keys", "values"})
LAZY = frozenset({"enumerate", "zip", "reversed"})
MAKING = frozenset({"range", "list", "tuple", "sorted", "copy"})
"""What these give is new, or cannot be changed."""
NEW = ast.List | ast.Tuple | ast.Set | ast.Dict | ast.ListComp | ast.SetComp | ast.DictComp
ONLY_ASKED = ast.Compare | ast.FormattedValue | ast.BinOp | ast.Starred | ast.If | ast.While | ast.UnaryOp | ast.Return


def changeable(tree: Tree, function: ast.AsyncFunctionDef, source: ast.expr, end: int) -> Iterator[str]:
    """The names of what ``source`` goes through that others may hold, too, before the loop ends (in line ``end``)."""
    for name in (each.id for each in gone_through(source) if isinstance(each, ast.Name)):
        if name in parameter_annotations(function):
            if stated_type(function, name) not in FROZEN:
                yield name
        elif not all(map(_is_kept, _loads(tree, function, name, end))) or _is_captured(function, name):
            yield name


def is_constant(tree: Tree, function: ast.AsyncFunctionDef, source: ast.expr) -> bool:
    """Whether it is the name of a tuple of the module, which is bound nowhere else in the module."""
    if not isinstance(source, ast.Name):
        return False
    scopes = [function, *(each for each in tree.ancestors(function) if isinstance(each, FunctionDef))]
    if any(source.id in parameters(each) or _binds(each.body, source.id) for each in scopes):
        return False
    written = [node for node in tree.module.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    values = [node.value for node in written if _binds([node], source.id)]
    return len(values) == 1 == _binds(tree.module.body, source.id) and isinstance(values[0], ast.Tuple)


def _binds(body: list[ast.stmt], name: str) -> int:
    return sum(bound == name for bound, _ in bindings(body))


def gone_through(source: ast.expr) -> Iterator[ast.expr]:
    """What a source goes through itself: of `zip(a, b.items())` that is ``a`` and ``b``."""
    match source:
        case ast.Call(func=ast.Name(id=called), args=given) if called in LAZY:
            for each in given:
                yield from gone_through(each)
        case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[]) if method in VIEWS:
            yield from gone_through(owner)
        case _:
            yield source


def stated_type(function: FunctionDef, name: str) -> str:
    """The name of the type that a parameter is stated to be of, in lower case, '' if none is; of ``*args`` and ``**kwargs``
    what each call makes anew."""
    given = function.args
    if given.vararg is not None and given.vararg.arg == name:
        return "tuple"
    if given.kwarg is not None and given.kwarg.arg == name:
        return "dict"
    match parameter_annotations(function)[name]:
        case ast.Constant(value=str(text)):
            return text.partition("[")[0].rpartition(".")[2].lower()
        case ast.Subscript(value=named):
            return last_name(named).lower()
        case annotation:
            return last_name(annotation).lower()


def _loads(tree: Tree, function: ast.AsyncFunctionDef, name: str, end: int) -> Iterator[tuple[ast.Name, list[ast.AST]]]:
    """Where a name is read before the loop has ended for the last time, with what stands round it."""
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            around = list(tree.ancestors(node))
            if node.lineno <= end or any(isinstance(each, ast.For | ast.AsyncFor | ast.While) for each in around):
                yield node, around


def _is_kept(load: tuple[ast.Name, list[ast.AST]]) -> bool:
    """Whether nobody gets the collection itself where its name is read: it is asked, gone through, or has a method called."""
    node, (parent, beyond, *_) = load
    match parent:
        case ast.Attribute():
            return isinstance(beyond, ast.Call) and beyond.func is parent
        case ast.Subscript(value=held):
            return held is node
        case ast.For(iter=held) | ast.comprehension(iter=held):
            return held is node
        case ast.Call(func=ast.Name(id=called)):
            return called in READING
        case _:
            return isinstance(parent, ONLY_ASKED)


def _is_captured(function: ast.AsyncFunctionDef, name: str) -> bool:
    """Whether a function inside the function may change it."""
    inner = (each for each in ast.walk(function) if each is not function and isinstance(each, Definition | ast.Lambda))
    return any(isinstance(node, ast.Name) and node.id == name for each in inner for node in ast.walk(each))


def is_own(tree: Tree, function: ast.AST, source: ast.expr, end: int) -> bool:
    """Whether what ``source`` gives is a collection that nobody else can change until line ``end`` of the function."""
    if not isinstance(function, ast.AsyncFunctionDef):
        return _is_new(source)
    if is_constant(tree, function, source):
        return True
    return _is_collection(function, source) and not any(changeable(tree, function, source, end))


def _is_collection(function: ast.AsyncFunctionDef, source: ast.expr) -> bool:
    """Whether it is a collection, or goes through some; of a parameter its type says so."""
    match source:
        case ast.Name(id=name) if name in parameters(function):
            made = name not in parameter_annotations(function) or stated_type(function, name) in FROZEN
            return made and not _binds(function.body, name)
        case ast.Name(id=name):
            return _binds(function.body, name) == 1 and any(_makes(node, name) for node in ast.walk(function))
        case ast.Call(func=ast.Name(id=called), args=given, keywords=[]) if called in LAZY:
            return all(_is_collection(function, each) for each in given)
        case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[]) if method in VIEWS:
            return _is_collection(function, owner)
        case _:
            return _is_new(source)


def _makes(node: ast.AST, name: str) -> bool:
    """Whether a statement binds a name, and nothing else, to a new collection."""
    match node:
        case ast.Assign(targets=[ast.Name(id=bound)], value=value):
            return bound == name and _is_new(value)
        case ast.AnnAssign(target=ast.Name(id=bound), value=ast.expr() as value):
            return bound == name and _is_new(value)
        case _:
            return False


def _is_new(source: ast.expr) -> bool:
    return isinstance(source, NEW) or (isinstance(source, ast.Call) and last_name(source.func) in MAKING)
