"""A call of a function that turned async, where no await may stand: run it to its end on an event loop of its own."""

from __future__ import annotations

from asyncfix.model import Edit, Use, Wrap
from asyncfix.plan.rows import RUN_APART
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    return [Wrap(use.span, f"{writing.generated(RUN_APART)}(", ")")]
