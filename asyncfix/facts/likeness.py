"""Mocks that are told what they are like: ``Mock(spec=Client)``, ``create_autospec(Client)``.

Their methods are those of the class, and turn asynchronous with them: a mock like a class of the project is followed as an
object of it.
"""

from __future__ import annotations

import ast
import re

MADE_LIKE = ".<like"
LIKE = f"{MADE_LIKE}>"
"""The step of a ref to a mock that is like an object of a class, or like the object before it."""
LIKE_CLASS = f"{MADE_LIKE}-class>"
"""The step to a mock that is like the class itself, whose call gives one like an object."""
AUTOSPEC = "create_autospec"
MAKING = re.compile(
    rf"(?:(?:unittest\.)?mock|.*@\w*mocker)\.(?:(?:NonCallable)?(?:Magic)?Mock|AsyncMock|{AUTOSPEC})"
)  # what makes such, by its ref: pytest-mock has all of it under its fixtures
ENDS = ("Mock", AUTOSPEC)
CONFIGURED = ("return_value", "side_effect")
"""What a test says of a mock in the place of a function."""
AWAITED = {
    "assert_called": "assert_awaited",
    "assert_called_once": "assert_awaited_once",
    "assert_called_with": "assert_awaited_with",
    "assert_called_once_with": "assert_awaited_once_with",
    "assert_any_call": "assert_any_await",
    "assert_has_calls": "assert_has_awaits",
}
"""What is asserted of a mock that is to be called, and of one that is to be awaited."""
SPECS = ("spec", "spec_set")
FOLLOWING = ("autospec", *SPECS)
"""By what a replacement is told what it is like; if that is True, it is what it replaces."""


def spec_of(called: str, node: ast.Call) -> tuple[ast.expr, str] | None:
    """What the mock is like that a call makes, with the step from there, None if that is not told."""
    if MAKING.fullmatch(called) is None:
        return None
    told = next((word.value for word in node.keywords if word.arg in SPECS), node.args[0] if node.args else None)
    if not isinstance(told, (ast.Name, ast.Attribute, ast.Call)):
        return None
    if not called.endswith(AUTOSPEC):
        return told, LIKE
    made = any(word.arg == "instance" and getattr(word.value, "value", None) is True for word in node.keywords)
    return told, LIKE if made else LIKE_CLASS
