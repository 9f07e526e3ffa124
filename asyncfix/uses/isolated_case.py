"""A test case with async methods: of a plain ``TestCase`` they would pass without having run."""

from __future__ import annotations

import ast

from asyncfix.model import Edit, Replace, Use
from asyncfix.transform import CannotWrite, Writing

ISOLATED = "IsolatedAsyncioTestCase"


def write(use: Use, writing: Writing) -> list[Edit]:
    node = writing.definition(use.span)
    for base in node.bases if isinstance(node, ast.ClassDef) else ():
        if isinstance(base, ast.Attribute) and base.attr == "TestCase":
            return [
                Replace(writing.source.span(base), f"{writing.source.text(writing.source.span(base.value))}.{ISOLATED}")
            ]
        if isinstance(base, ast.Name) and base.id == "TestCase":
            return [Replace(writing.source.span(base), writing.name(f"unittest.{ISOLATED}"))]
    raise CannotWrite("expected a class of TestCase")
