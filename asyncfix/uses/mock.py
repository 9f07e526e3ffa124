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
LITERALS = ("None", "True", "False")


def write(use: Use, writing: Writing) -> list[Edit]:
    keyword, value = replacement(use, writing)
    return (_made_by if keyword == CALLABLE else asynchronous)(value, writing)


def replacement(use: Use, writing: Writing) -> tuple[str, cst.BaseExpression]:
    """The keyword and the value of the argument that is, or makes, the replacement. Raises CannotWrite."""
    for argument in reversed(call_node(writing, use.span).args):
        keyword = argument.keyword.value if argument.keyword is not None else ""
        if keyword in (CALLABLE, "new", "value", ""):
            return keyword, argument.value
    raise CannotWrite("expected a replacement")


def _made_by(value: cst.BaseExpression, writing: Writing) -> list[Edit]:
    """What calling ``value`` gives is the replacement."""
    import libcst as cst

    if isinstance(value, cst.Lambda):
        return asynchronous(value.body, writing)
    if _is_mock(value):
        return [Replace(writing.span(value), writing.name("unittest.mock.AsyncMock"))]
    return [Wrap(writing.span(value), f"lambda: {writing.name('unittest.mock.AsyncMock')}(side_effect=", "())")]


def asynchronous(value: cst.BaseExpression, writing: Writing) -> list[Edit]:
    """An ``AsyncMock`` in the place of something that is called."""
    import libcst as cst

    name = writing.name("unittest.mock.AsyncMock")
    if isinstance(value, cst.Call) and _is_mock(value.func):
        return [Replace(writing.span(value.func), name)]
    if (same := constant(value)) is not None:
        return [Replace(writing.span(value), f"{name}(return_value={writing.code(same)})")]
    return [Wrap(writing.span(value), f"{name}(side_effect=", ")")]


def constant(value: cst.BaseExpression) -> cst.BaseExpression | None:
    """What a lambda gives, if it is the same thing whatever it is given."""
    import libcst as cst

    if not isinstance(value, cst.Lambda):
        return None
    plain = (cst.SimpleString, cst.Integer, cst.Float)
    body = value.body
    return body if isinstance(body, plain) or (isinstance(body, cst.Name) and body.value in LITERALS) else None


def _is_mock(value: cst.BaseExpression) -> bool:
    import libcst as cst

    name = value.attr.value if isinstance(value, cst.Attribute) else value.value if isinstance(value, cst.Name) else ""
    return name in MOCKS
