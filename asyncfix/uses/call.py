"""A call of a function that turned async: ``await`` it."""

from __future__ import annotations

from asyncfix.model import Edit, Use
from asyncfix.transform import Writing
from asyncfix.writing import awaited, call_node


def write(use: Use, writing: Writing) -> list[Edit]:
    call_node(writing, use.span)
    return [awaited(use.span, use.tight)]
