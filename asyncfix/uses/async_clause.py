"""A clause of a comprehension over what turned async: ``async for``."""

from __future__ import annotations

import ast
import re

from asyncfix.looping import asynchronous
from asyncfix.model import Edit, Span, Use
from asyncfix.transform import CannotWrite, Writing

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
WORD = re.compile(rb"#[^\r\n]*|\bfor\b")


def write(use: Use, writing: Writing) -> list[Edit]:
    clause, node = writing.around(use.span)[:2]
    if not isinstance(clause, ast.comprehension) or not isinstance(node, Comprehension):
        raise CannotWrite("expected a clause of a comprehension")
    before = writing.source.span(_before(node, clause)).end
    target = writing.source.span(clause.target).start
    words = (found for found in WORD.finditer(writing.source.data, before, target) if found.group() == b"for")
    word = next(words, None)
    if word is None:
        raise CannotWrite("expected a for in a comprehension")
    return asynchronous(writing, Span(word.start(), word.end()), use.span)


def _before(node: Comprehension, clause: ast.comprehension) -> ast.expr:
    """What stands before a clause."""
    at = node.generators.index(clause)
    if at:
        earlier = node.generators[at - 1]
        return earlier.ifs[-1] if earlier.ifs else earlier.iter
    return node.value if isinstance(node, ast.DictComp) else node.elt
