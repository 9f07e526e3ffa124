"""A fixture that turned async: pytest-asyncio's own decorator in place of pytest's."""

from __future__ import annotations

from asyncfix.flow import called, last_name
from asyncfix.model import Edit, Replace, Use
from asyncfix.transform import CannotWrite, Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    for decorator in writing.definition(use.span).decorator_list:
        named = called(decorator)
        if last_name(named) == "fixture":
            return [Replace(writing.source.span(named), writing.name("pytest_asyncio.fixture"))]
    raise CannotWrite("expected the decorator of a fixture")
