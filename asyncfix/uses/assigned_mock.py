"""What a test assigns in the place of a function that turned async: an ``AsyncMock`` that does the same."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

from asyncfix.model import Edit, Use
from asyncfix.transform import CannotWrite, Writing
from asyncfix.uses.mock import asynchronous

if TYPE_CHECKING:
    import libcst as cst


def write(use: Use, writing: Writing) -> list[Edit]:
    match writing.around(use.span):
        case (ast.Assign(targets=[_], value=value), *_):
            return asynchronous(cast("cst.BaseExpression", writing.node(writing.source.span(value))), writing)
        case _:
            raise CannotWrite("expected an assignment to one attribute")
