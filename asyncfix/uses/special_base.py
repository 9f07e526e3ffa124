"""A class that inherits from ``Iterator`` or ``AbstractContextManager`` and turned async: their asynchronous counterparts."""

from __future__ import annotations

import ast

from asyncfix.colour.special import BASES
from asyncfix.flow import last_name
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import CannotWrite, Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    node = writing.definition(use.span)
    known = {name.rpartition(".")[2]: new for name, new in BASES.items()}
    edits: list[Edit] = []
    for stated in node.bases if isinstance(node, ast.ClassDef) else ():
        base = stated.value if isinstance(stated, ast.Subscript) else stated
        name = last_name(base)
        span = writing.source.span(base)
        if name not in known:
            continue
        if isinstance(base, ast.Attribute):
            edits.append(Replace(Span(span.end - len(name), span.end), known[name]))
        elif writing.module_of(name):
            edits.append(Replace(span, writing.name_from(writing.module_of(name), known[name])))
    if not edits:
        raise CannotWrite("expected a base that has an asynchronous counterpart")
    return edits
