"""A call of a function that stays sync and blocks: hand it to a thread and ``await`` that."""

from __future__ import annotations

from asyncfix.model import Edit, Use
from asyncfix.transform import Writing
from asyncfix.writing import awaited_in_thread


def write(use: Use, writing: Writing) -> list[Edit]:
    return awaited_in_thread(writing, use.span, use.tight)
