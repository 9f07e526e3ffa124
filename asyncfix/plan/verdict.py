"""What became of a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Verdict:
    """``holds``; ``fails`` (unproven: a ``safe_if`` makes it UNSAFE); ``bars``: the form is wrong here, ``code`` says why."""

    kind: Literal["holds", "fails", "bars"]
    why: str = ""
    code: str = ""


HOLDS = Verdict("holds")
