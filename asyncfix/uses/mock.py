"""What a test puts in the place of a function that turned async: an ``AsyncMock`` that calls it.

``side_effect`` gets the same arguments and gives the result, so whatever the test asks of its own object stays true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncfix.model import Edit, Replace, Use, Wrap
from asyncfix.transform import CannotWrite, Writing
from asyncfix.writing import call_node

if TYPE_CHECKING:
    import libcst as cst

MOCKS = ("Mock", "MagicMock")
CALLABLE = "new_callable"


def write(use: Use, writing: Writing) -> list[Edit]:
    for argument in reversed(call_node(writing, use.span).args):
        keyword = argument.keyword.value if argument.keyword is not None else ""
        if keyword == CALLABLE:
            return _made_by(argument.value, writing)
        if keyword in ("new", "value") or not keyword:
            return _asynchronous(argument.value, writing)
    raise CannotWrite("expected a replacement")


def _made_by(value: cst.BaseExpression, writing: Writing) -> list[Edit]:
    """What calling ``value`` gives is the replacement."""
    import libcst as cst

    if isinstance(value, cst.Lambda):
        return _asynchronous(value.body, writing)
    if _is_mock(value):
        return [Replace(writing.span(value), writing.name("unittest.mock.AsyncMock"))]
    return [Wrap(writing.span(value), f"lambda: {writing.name('unittest.mock.AsyncMock')}(side_effect=", "())")]


def _asynchronous(value: cst.BaseExpression, writing: Writing) -> list[Edit]:
    import libcst as cst

    name = writing.name("unittest.mock.AsyncMock")
    if isinstance(value, cst.Call) and _is_mock(value.func):
        return [Replace(writing.span(value.func), name)]
    return [Wrap(writing.span(value), f"{name}(side_effect=", ")")]


def _is_mock(value: cst.BaseExpression) -> bool:
    import libcst as cst

    name = value.attr.value if isinstance(value, cst.Attribute) else value.value if isinstance(value, cst.Name) else ""
    return name in MOCKS
