"""How each kind of use of a function is written: one file per kind, found by its name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from asyncfix.model import Edit, Use
from asyncfix.transform import CannotWrite, Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    """The edits of one use. Raises CannotWrite."""
    try:
        module = importlib.import_module(f"{__name__}.{use.kind}")
    except ModuleNotFoundError as error:
        raise CannotWrite(f"nothing knows how to write the use {use.kind!r}") from error
    return cast(Callable[[Use, Writing], list[Edit]], module.write)(use, writing)
