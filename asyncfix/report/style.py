"""How text may look: whether in colour, in which, and safe to print whatever a project is named."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from asyncfix.model import Safety

ColourChoice: TypeAlias = Literal["auto", "always", "never"]
Style: TypeAlias = Literal["heading", "safe", "unsafe", "bad", "faint", "added", "removed", "hunk"]
Paint: TypeAlias = Callable[[str, Style], str]

_CODES: Mapping[Style, str] = {
    "heading": "1",
    "safe": "32",
    "unsafe": "33",
    "bad": "31",
    "faint": "2",
    "added": "32",
    "removed": "31",
    "hunk": "36",
}


def wants_colour(choice: ColourChoice, environment: Mapping[str, str], terminal: bool) -> bool:
    """The flag comes first, then NO_COLOR, then what forces colour, then whether a terminal can show it."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR") or environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return terminal and environment.get("TERM") != "dumb"


def painter(colour: bool) -> Paint:
    """Without colour nothing is styled, bold and dim included."""
    return _painted if colour else _plain


def _painted(text: str, style: Style) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def _plain(text: str, _style: Style) -> str:
    return text


def safety_label(safety: Safety, paint: Paint, width: int = 0) -> str:
    """How the safety of a Change is shown, filled up to a width."""
    return paint(safety.upper().ljust(width), "safe" if safety == "safe" else "unsafe")


def printable(text: str) -> str:
    """One line that does nothing to a terminal: control characters and undecodable bytes are written as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def shown_path(root: str, path: str, here: str) -> str:
    """``path``, which counts from ``root``, as a person in the folder ``here`` would type it."""
    whole = str(Path(root, path))
    try:
        return printable(os.path.relpath(whole, here))
    except ValueError:  # another drive
        return printable(whole)


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
