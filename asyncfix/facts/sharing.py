"""Attributes under which the objects of a class may hold what others hold too."""

from __future__ import annotations

import ast
from collections.abc import Iterator

# Calls that make something new, besides those of classes with a capital first letter.
MAKING = frozenset(
    {"list", "dict", "set", "tuple", "frozenset", "sorted", "bytearray", "bytes", "str", "int", "float", "bool", "len"}
    | {"deque", "defaultdict"}
)
FIELDS = frozenset({"field", "Field", "attrib", "ib"})  # by which a class says what is made for each of its objects
PLAIN = frozenset(
    {"str", "bytes", "int", "float", "complex", "bool", "date", "datetime", "timedelta", "Decimal", "UUID", "Path"}
)
FACTORIES = frozenset({"default_factory", "factory"})


def is_new(value: ast.expr) -> bool:
    """Whether what an expression gives was made by it, or cannot be changed."""
    match value:
        case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Await() | ast.NamedExpr() | ast.Starred():
            return False
        case ast.BoolOp(values=parts):
            return all(map(is_new, parts))
        case ast.IfExp(body=one, orelse=other):
            return is_new(one) and is_new(other)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in MAKING or name.lstrip("_")[:1].isupper()
        case ast.Call():
            return False
        case _:
            return True


def _makes(factory: ast.expr) -> bool:
    """Whether what is called for a default gives something new each time."""
    match factory:
        case ast.Lambda(body=body):
            return is_new(body)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in MAKING or name.lstrip("_")[:1].isupper()
        case _:
            return False


def fields(node: ast.ClassDef) -> Iterator[tuple[str, ast.AnnAssign]]:
    """The names by which objects of a class are made, in order, and where they stand: of a dataclass and its like."""
    methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    if "__init__" in methods or not (node.decorator_list or node.bases):
        return
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=stated) if not _is_of_class(stated):
                yield name, statement
            case _:
                pass


def handed(node: ast.ClassDef) -> Iterator[str]:
    """Those of them under which objects hold what they must be given."""
    yield from (name for name, stated in fields(node) if stated.value is None and not _is_plain(stated.annotation))


def _is_plain(annotation: ast.expr) -> bool:
    """Whether what is stated cannot be changed."""
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in PLAIN
        case ast.Constant(value=value):
            return value is None or (isinstance(value, str) and value in PLAIN)
        case ast.BinOp(left=one, right=other):
            return _is_plain(one) and _is_plain(other)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            return name in ("Optional", "Final") and _is_plain(inner)
        case _:
            return False


def _is_of_class(annotation: ast.expr) -> bool:
    """Whether what is stated belongs to the class."""
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name == "ClassVar"
        case ast.Subscript(value=outer):
            return _is_of_class(outer)
        case ast.Constant(value=str() as text):
            return "ClassVar" in text
        case _:
            return False


def held_by_the_class(body: list[ast.stmt]) -> Iterator[str]:
    """The names to which the body of a class itself gives something that can be changed, for all its objects."""
    for statement in body:
        match statement:
            case ast.Assign(value=value, targets=targets) if not _is_constant(value):
                yield from (part.id for item in targets for part in ast.walk(item) if isinstance(part, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if not _is_constant(value):
                yield name
            case _:
                pass


def _is_constant(value: ast.expr) -> bool:
    """Whether all objects may hold a value for themselves: nobody can change it, or a dataclass makes it for each."""
    match value:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), keywords=given):
            return name in FIELDS and all(_makes(each.value) for each in given if each.arg in FACTORIES)
        case ast.UnaryOp(operand=operand):
            return _is_constant(operand)
        case _:
            return isinstance(value, ast.Constant | ast.JoinedStr)
