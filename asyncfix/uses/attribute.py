"""A property that turned async: ``await`` what it gives."""

from __future__ import annotations

from asyncfix.model import Edit, Use, Wrap
from asyncfix.transform import Writing
from asyncfix.writing import AWAIT_RANK

TIGHTER = (b".", b"(", b"[")


def write(use: Use, writing: Writing) -> list[Edit]:
    tight = writing.source.data[use.span.end :].lstrip().startswith(TIGHTER)
    before, after = ("(await ", ")") if tight else ("await ", "")
    return [Wrap(use.span, before, after, AWAIT_RANK)]
