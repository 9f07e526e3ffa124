"""A class that inherits from ``Iterator`` or ``AbstractContextManager`` and turned async: their asynchronous counterparts."""

from __future__ import annotations

import ast

from asyncfix.colour.special import BASES
from asyncfix.flow import last_name
from asyncfix.model import Edit, Replace, Use
from asyncfix.transform import CannotWrite, Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    node = writing.definition(use.span)
    known = {name.rpartition(".")[2]: new for name, new in BASES.items()}
    edits: list[Edit] = []
    for stated in node.bases if isinstance(node, ast.ClassDef) else ():
        base = stated.value if isinstance(stated, ast.Subscript) else stated
        new = writing.counterpart(base, known[last_name(base)]) if last_name(base) in known else ""
        if new:
            edits.append(Replace(writing.source.span(base), new))
    if not edits:
        raise CannotWrite("expected a base that has an asynchronous counterpart")
    return edits
