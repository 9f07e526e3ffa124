"""A test that turned async: marked for the plugin of anyio."""

from __future__ import annotations

from asyncfix.model import Edit, Use
from asyncfix.transform import Writing
from asyncfix.uses.asyncio_mark import marked


def write(use: Use, writing: Writing) -> list[Edit]:
    return marked(use, writing, "anyio")
