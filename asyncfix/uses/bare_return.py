"""``return None`` in a generator that turned async, which may not name what it returns: ``return``."""

from __future__ import annotations

from asyncfix.model import Edit, Replace, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    return [Replace(use.span, "return")]
