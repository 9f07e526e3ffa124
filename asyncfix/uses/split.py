"""A function that a command calls and whose code is to await: its head and docstring stay, its body becomes a coroutine.

The body itself is not touched: what is inserted above it is the rest of the old function, and the head of a new one.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asyncfix.flow import last_name, own
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import CannotWrite, Writing

if TYPE_CHECKING:
    import libcst as cst

LONGEST = 120


def write(use: Use, writing: Writing) -> list[Edit]:
    import libcst as cst

    node = writing.node(use.span)
    if not isinstance(node, cst.FunctionDef) or not isinstance(node.body, cst.IndentedBlock):
        raise CannotWrite("expected a function of several lines")
    body = list(node.body.body)
    first = body[1] if node.get_docstring() is not None and len(body) > 1 else body[0]
    owner = _owner(use.span, writing)
    plain = f"_{node.name.value.strip('_')}"
    # In a class of its own name: a class above or below may be split likewise.
    name = f"_{plain}" if owner else writing.module_name(plain)
    start = writing.source.line_start(writing.span(first).start)
    indent = writing.indent(writing.span(first))
    stated, given = _parameters(node.params, writing)
    returns = f" -> {writing.code(node.returns.annotation)}" if node.returns is not None else ""
    definition = writing.definition(use.span)
    gives = any(isinstance(each, ast.Return) and each.value is not None for each in own(definition.body))
    kept = "return " if gives else ""
    called = f"{given.pop(0)}.{name}" if owner else name
    call = f"{kept}{writing.name('asyncio.run')}({called}({', '.join(given)}))"
    call = writing.formatted(call, indent) or call
    outer = writing.indent(use.span)
    head = _head(f"async def {name}", stated, f"{returns}:", writing, outer)
    between = f"\n\n{outer}@classmethod\n" if owner == "classmethod" else "\n\n" if owner else "\n\n\n"
    above = _line_end(writing.source.data, start)  # at the start of the line others may insert
    return [Replace(Span(above, above), f"\n{indent}{call}{between}{outer}{head}")]


def _owner(span: Span, writing: Writing) -> str:
    """What kind of method the function is: ``method``, ``classmethod``, '' if none. Raises CannotWrite."""
    at = writing.definition(span).lineno
    for node in ast.walk(writing.source.parse()):
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(method, ast.FunctionDef) and method.lineno == at:
                decorators = {last_name(decorator) for decorator in method.decorator_list}
                if "staticmethod" in decorators or not (method.args.posonlyargs or method.args.args):
                    raise CannotWrite("expected a method of an object or a class")
                return "classmethod" if "classmethod" in decorators else "method"
    return ""


def _line_end(data: bytes, start: int) -> int:
    """The end of the line above the one that starts there."""
    return start - (2 if data[:start].endswith(b"\r\n") else 1)


def _head(name: str, stated: Sequence[str], rest: str, writing: Writing, indent: str) -> str:
    """The head of a function: as black has it where that is used, else on several lines if it would be very long."""
    plain = f"{name}({', '.join(stated)}){rest}"
    made = writing.formatted(f"{plain}\n    pass", indent)
    if made is not None:
        return made[: made.rindex("\n")]
    if len(plain) <= LONGEST:
        return plain
    lines = "".join(f"{indent}{writing.step}{each},\n" for each in stated)
    return f"{name}(\n{lines}{indent}){rest}"


def _parameters(parameters: cst.Parameters, writing: Writing) -> tuple[list[str], list[str]]:
    """The parameters without defaults, and the arguments that hand them on."""
    import libcst as cst

    stated = [_stated(item, writing) for item in (*parameters.posonly_params, *parameters.params)]
    given = [item.name.value for item in (*parameters.posonly_params, *parameters.params)]
    if isinstance(parameters.star_arg, cst.Param):
        stated.append("*" + _stated(parameters.star_arg, writing))
        given.append("*" + parameters.star_arg.name.value)
    elif parameters.kwonly_params:
        stated.append("*")
    stated += [_stated(item, writing) for item in parameters.kwonly_params]
    given += [f"{item.name.value}={item.name.value}" for item in parameters.kwonly_params]
    if parameters.star_kwarg is not None:
        stated.append("**" + _stated(parameters.star_kwarg, writing))
        given.append("**" + parameters.star_kwarg.name.value)
    return stated, given


def _stated(item: cst.Param, writing: Writing) -> str:
    hint = f": {writing.code(_bare(item.annotation.annotation))}" if item.annotation is not None else ""
    return item.name.value + hint


def _bare(hint: cst.BaseExpression) -> cst.BaseExpression:
    """The type of ``Annotated[type, ...]``: the rest is said to a framework, of the function that it calls."""
    import libcst as cst

    if isinstance(hint, cst.Subscript) and isinstance(hint.value, cst.Name | cst.Attribute):
        name = hint.value if isinstance(hint.value, cst.Name) else hint.value.attr
        first = hint.slice[0].slice
        if name.value == "Annotated" and isinstance(first, cst.Index):
            return first.value
    return hint
