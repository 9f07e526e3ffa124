"""The special methods that code runs without calling them: of operands, of what is tested, shown, hashed or compared.

``__iter__``, ``__next__`` and ``__enter__`` of loops and ``with`` are not among them: the walk knows what those stand in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from copy import copy

from asyncfix.flow import last_name

SHOW = "__str__"  # or ``__repr__``, or ``__format__``: which one is the link's to find out
TRUTH = "__bool__"  # or ``__len__``
REPR, HASH, ITER, INDEX = "__repr__", "__hash__", "__iter__", "__index__"
UNPACKED = "unpacked"  # gone through, to bind its elements to names
MAPPED = "mapped"  # taken apart by its keys
COPIED = "copied"  # or written down, as pickle does
RAISED = "raised"  # a class of which an object is made, to be raised
FORMATTED = "formatted"  # put into a text that may name attributes and elements of it
MATCHED = "matched"  # a class whose objects a pattern takes apart by their positions
CLASSIFIED = "__instancecheck__"  # a class that is asked whether something is of it
ENDING = ("builtins.SystemExit", "builtins.KeyboardInterrupt")
"""Exceptions that end an event loop where a task lets them out: making one tells of it."""
Run = tuple[ast.expr, str]
"""What a special method is run of, and its name."""

# Builtins that run one of their first argument.
ASKING = {"len": "__len__", "next": "__next__", "str": SHOW, "repr": REPR, "hash": HASH} | dict.fromkeys(
    (
        "list",
        "tuple",
        "set",
        "frozenset",
        "sorted",
        "sum",
        "any",
        "all",
        "min",
        "max",
        "iter",
        "enumerate",
        "dict",
        "zip",
    ),
    ITER,
)
MAKING = {"bool": TRUTH, "ascii": REPR, "reversed": "__reversed__", "divmod": "__divmod__"} | {
    name: f"__{name}__" for name in ("int", "float", "complex", "bytes", "abs", "round", "pow")
}
INDEXING = frozenset({"range", "chr", "bin", "hex", "oct"})
# Of the elements of what they are given.
OF_ELEMENTS = {
    "sorted": "__lt__",
    "min": "__lt__",
    "max": "__gt__",
    "any": TRUTH,
    "all": TRUTH,
    "sum": "__radd__",
    "set": HASH,
    "frozenset": HASH,
}
COPYING = frozenset({"copy", "deepcopy", "dump", "dumps"})
BY_COLLECTIONS = frozenset({SHOW, REPR, HASH, "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"})
"""What collections run of their elements, too."""
SHOWN = frozenset({"print", "format"})  # the function, and the method of a text
FILLING = frozenset({"extend", "update"})
FORMATTING = frozenset({"format", "format_map"})
TAKING_APART = re.compile(r"\{[^{}]*[.\[]")
"""A field of a text that names an attribute or an element of what is put there."""
TYPE_TESTS = frozenset({"isinstance", "issubclass"})
# Methods that look something up, and those that compare elements.
LOOKING_UP = frozenset({"get", "pop", "setdefault", "add", "discard", "remove"})
COMPARING = {"index": "__eq__", "count": "__eq__", "remove": "__eq__", "sort": "__lt__"}
OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.MatMult: "__matmul__",
    ast.Div: "__truediv__",
    ast.FloorDiv: "__floordiv__",
    ast.Mod: "__mod__",
    ast.Pow: "__pow__",
    ast.LShift: "__lshift__",
    ast.RShift: "__rshift__",
    ast.BitOr: "__or__",
    ast.BitXor: "__xor__",
    ast.BitAnd: "__and__",
}
ALONE: dict[type[ast.unaryop], str] = {ast.USub: "__neg__", ast.UAdd: "__pos__", ast.Invert: "__invert__"}
COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("__eq__", "__eq__"),
    ast.NotEq: ("__ne__", "__ne__"),
    ast.Lt: ("__lt__", "__gt__"),
    ast.LtE: ("__le__", "__ge__"),
    ast.Gt: ("__gt__", "__lt__"),
    ast.GtE: ("__ge__", "__le__"),
}
"""What is run of the left, and if that does not know of the right."""


def run_by(node: ast.AST) -> Iterator[Run]:
    """What an expression or a statement runs of its parts, apart from going through them."""
    match node:
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            yield from _tested(node.test)
        case ast.BoolOp():
            for value in node.values[:-1]:
                yield from _tested(value)
        case ast.comprehension():
            yield from _gone_through(node)
            for test in node.ifs:
                yield from _tested(test)
        case ast.For() | ast.AsyncFor():
            yield from _gone_through(node)
        case ast.UnaryOp(op=ast.Not()):
            yield from _tested(node.operand)
        case ast.UnaryOp():
            yield node.operand, ALONE[type(node.op)]
        case ast.BinOp():
            yield from _combined(node)
        case ast.Compare():
            yield from _compared(node)
        case ast.Set():
            yield from ((element, HASH) for element in node.elts)
        case ast.Dict():
            yield from ((value, MAPPED) for key, value in zip(node.keys, node.values, strict=True) if key is None)
            yield from ((key, HASH) for key in node.keys if key is not None)
        case ast.Raise():
            yield from (
                (part, RAISED)
                for part in (node.exc, node.cause)
                if isinstance(part, (ast.Name, ast.Attribute, ast.Subscript, ast.IfExp, ast.BoolOp))
            )
        case ast.MatchClass():
            yield node.cls, CLASSIFIED
            yield from ((node.cls, MATCHED) for _ in node.patterns[:1])
        case ast.Call():
            yield from _called(node)
        case _:
            pass


def _tested(node: ast.expr) -> Iterator[Run]:
    """What a condition comes to in the end: the parts of one are tested for themselves."""
    match node:
        case ast.BoolOp():
            yield from _tested(node.values[-1])
        case ast.NamedExpr():
            yield from _tested(node.value)
        case ast.IfExp():
            yield from (*_tested(node.body), *_tested(node.orelse))
        case _:
            yield node, TRUTH


def _gone_through(node: ast.comprehension | ast.For | ast.AsyncFor) -> Iterator[Run]:
    """Elements of what goes by a name are taken apart."""
    if isinstance(node.target, (ast.Tuple, ast.List)) and isinstance(node.iter, (ast.Name, ast.Attribute)):
        yield _element(node.iter), UNPACKED


def _combined(node: ast.BinOp) -> Iterator[Run]:
    method = OPERATORS[type(node.op)]
    yield node.left, method
    yield node.right, f"__r{method[2:]}"
    if isinstance(node.op, ast.Mult):  # a text, so many times
        yield from ((node.left, INDEX), (node.right, INDEX))
    if isinstance(node.op, ast.Mod) and not _is_number(node.left):
        if isinstance(node.left, (ast.Constant, ast.JoinedStr)):
            yield node.right, MAPPED
        yield from ((shown, SHOW) for shown in _put_in(node.right))


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes)


def _put_in(node: ast.expr) -> Iterator[ast.expr]:
    """What is put into a text by ``%`` or ``format_map``: of a tuple or a mapping that is written out its elements."""
    match node:
        case ast.Tuple(elts=parts) | ast.Dict(values=parts):
            yield from parts
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=words):
            yield from (word.value for word in words)
        case _:
            yield node


def _compared(node: ast.Compare) -> Iterator[Run]:
    for left, operator, right in zip((node.left, *node.comparators), node.ops, node.comparators, strict=False):
        if isinstance(operator, (ast.In, ast.NotIn)):
            yield left, HASH
            yield right, "__contains__"
            yield from ((element, "__eq__") for element in displayed(right))
        elif type(operator) in COMPARISONS:
            of_left, of_right = COMPARISONS[type(operator)]
            yield from ((element, "__eq__") for side in (left, right) for element in displayed(side))
            yield left, of_left
            yield ast.copy_location(copy(right), left), of_right  # the same place: it is one or the other that runs


def displayed(node: ast.expr) -> Iterator[ast.expr]:
    """The elements that are written out in a display, at any depth: with it they are compared, hashed and shown."""
    if isinstance(node, ast.Dict):
        elements = [*(key for key in node.keys if key is not None), *node.values]
    else:
        elements = node.elts if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else []
    for element in elements:
        yield element
        yield from displayed(element)


def _called(node: ast.Call) -> Iterator[Run]:
    called = last_name(node.func)
    given = (*node.args, *(item.value for item in node.keywords))
    if called in SHOWN:
        yield from ((shown, SHOW) for shown in given)
    if called in FORMATTING and isinstance(node.func, ast.Attribute) and _takes_apart(node.func.value):
        yield from ((shown, FORMATTED) for item in given for shown in _put_in(item))
    if called == "format_map":
        yield from ((mapping, MAPPED) for mapping in given)
        yield from ((shown, SHOW) for item in given for shown in _put_in(item))
    yield from ((item.value, MAPPED) for item in node.keywords if item.arg is None)
    yield from ((copied, COPIED) for copied in node.args[:1] if called in COPYING)
    if isinstance(node.func, ast.Name) and node.args:
        yield from _by_builtin(called, node.args)
    elif isinstance(node.func, ast.Attribute):
        if called in COMPARING:
            yield _element(node.func.value), COMPARING[called]
        if called == "join" and isinstance(node.func.value, (ast.Constant, ast.JoinedStr)):
            yield from ((argument, ITER) for argument in node.args)
        yield from ((key, HASH) for key in node.args[:1] if called in LOOKING_UP)
        yield from ((mapping, MAPPED) for mapping in node.args[:1] if called == "update")
        yield from ((gone_through, UNPACKED) for gone_through in node.args if called in FILLING)
        yield from ((table, "__getitem__") for table in node.args[:1] if called == "translate")


def _takes_apart(text: ast.expr) -> bool:
    """Whether a text may name attributes and elements of what is put into it."""
    return not isinstance(text, ast.Constant) or bool(TAKING_APART.search(str(text.value)))


def _by_builtin(called: str, arguments: list[ast.expr]) -> Iterator[Run]:
    first = arguments[0]
    if called in TYPE_TESTS and len(arguments) > 1:
        classes = arguments[1].elts if isinstance(arguments[1], ast.Tuple) else [arguments[1]]
        yield from ((each, CLASSIFIED) for each in classes)
    if called == "dict":
        yield first, MAPPED
    for table in (ASKING, MAKING):
        if called in table:
            yield first, table[called]
    if called in INDEXING or called == "round":
        yield from ((argument, INDEX) for argument in arguments[called == "round" :])
    elif called in OF_ELEMENTS and len(arguments) > 1:  # these are the elements
        yield from ((argument, OF_ELEMENTS[called]) for argument in arguments)
    elif called in OF_ELEMENTS:
        yield _element(first), OF_ELEMENTS[called]
    elif called == "filter" and isinstance(first, ast.Constant):
        yield from ((_element(argument), TRUTH) for argument in arguments[1:])


def _element(node: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Subscript(node, ast.copy_location(ast.Constant(0), node), ast.Load()), node)
