"""A call of a function that turned async, in code that stays sync and is no part of a task: run it to its end."""

from __future__ import annotations

from asyncfix.model import Edit, Use, Wrap
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    return [Wrap(use.span, f"{writing.name('asyncio.run')}(", ")")]
