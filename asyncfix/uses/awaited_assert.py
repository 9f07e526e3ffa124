"""What a test asserts of a method of a mock that is like a class, if the method turned async: that it was awaited."""

from __future__ import annotations

import ast

from asyncfix.model import Edit, Use
from asyncfix.transform import CannotWrite, Writing
from asyncfix.uses.awaited_asserts import awaited


def write(use: Use, writing: Writing) -> list[Edit]:
    call = writing.call(use.span)
    if not isinstance(call.func, ast.Attribute):
        raise CannotWrite("expected a method of a mock")
    return list(awaited(call, call.func, writing))
