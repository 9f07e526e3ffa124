"""A test case with async methods whose base is one of the project: that one stays what it is for others."""

from __future__ import annotations

import ast

from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import CannotWrite, Writing
from asyncfix.uses.isolated_case import ISOLATED


def write(use: Use, writing: Writing) -> list[Edit]:
    node = writing.definition(use.span)
    if not isinstance(node, ast.ClassDef) or not node.bases:
        raise CannotWrite("expected a class with a base")
    after = writing.source.span(node.bases[-1]).end
    return [Replace(Span(after, after), f", {writing.name(f'unittest.{ISOLATED}')}")]
