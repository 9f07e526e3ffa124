"""A function that a command calls and whose code is to await: its head and docstring stay, its body becomes a coroutine.

The body itself is not touched: what is inserted above it is the rest of the old function, and the head of a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
    name = writing.module_name(f"_{node.name.value.lstrip('_')}")
    start = writing.source.line_start(writing.span(first).start)
    indent = writing.indent(writing.span(first))
    stated, given = _parameters(node.params, writing)
    returns = f" -> {writing.code(node.returns.annotation)}" if node.returns is not None else ""
    kept = "" if node.returns is not None and writing.code(node.returns.annotation) == "None" else "return "
    call = f"{kept}{writing.name('asyncio.run')}({name}({', '.join(given)}))"
    call = writing.formatted(call, indent) or call
    outer = writing.indent(use.span)
    head = _head(f"async def {name}", stated, f"{returns}:", writing, outer)
    above = _line_end(writing.source.data, start)  # at the start of the line others may insert
    return [Replace(Span(above, above), f"\n{indent}{call}\n\n\n{outer}{head}")]


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
