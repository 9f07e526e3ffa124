"""A function that a test puts on a class in the place of a method that turned async: it stays a function, as only such are bound
to the objects of the class, and gives an awaitable. One that gives the same whatever it is given needs not be bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncfix.model import Edit, Replace, Use, Wrap
from asyncfix.transform import Writing
from asyncfix.uses.mock import CALLABLE, constant, replacement

if TYPE_CHECKING:
    import libcst as cst

HANDED_ON = "*args, **kwargs"


def write(use: Use, writing: Writing) -> list[Edit]:
    import libcst as cst

    keyword, value = replacement(use, writing)
    if keyword != CALLABLE:
        return [_awaitable(value, writing)]
    if isinstance(value, cst.Lambda):
        return [_awaitable(value.body, writing)]
    return [_calling(value, writing, "lambda: ", "()")]


def _awaitable(value: cst.BaseExpression, writing: Writing) -> Edit:
    import libcst as cst

    mock = writing.name("unittest.mock.AsyncMock")
    if (same := constant(value)) is not None:
        return Replace(writing.span(value), f"{mock}(return_value={writing.code(same)})")
    if not isinstance(value, cst.Lambda):
        return _calling(value, writing)
    before, after = ("(", ")") if value.body.lpar else ("", "")  # the span is what stands in the parentheses
    return Wrap(writing.span(value.body), f"{mock}(return_value={before}", f"{after})()")


def _calling(value: cst.BaseExpression, writing: Writing, before: str = "", after: str = "") -> Edit:
    """A lambda that hands its arguments on."""
    mock = writing.name("unittest.mock.AsyncMock")
    head = f"{before}lambda {HANDED_ON}: {mock}(side_effect="
    return Wrap(writing.span(value), head, f"{after})({HANDED_ON})")
