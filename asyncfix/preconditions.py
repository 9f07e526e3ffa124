"""What must hold for awaits to overlap: a small table, and from which row of it each reason code comes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Precondition(StrEnum):
    """What is asked of awaits that are to overlap; the value stands before a reason that comes of it."""

    DATA = "data"
    """No call needs, binds or changes what another one uses, and no argument is worked out too early."""
    EFFECTS = "effects"
    """All that the calls run is known, through all functions, and writes nothing that others reach."""
    RESOURCES = "resources"
    """They have no object in common that takes one call at a time."""
    ERRORS = "errors"
    """Whoever sees an error sees the one that came first before, with all that was done by then."""
    ORDER = "order"
    """Nothing that others see comes in another order."""
    TASK = "task"
    """Nothing depends on the current task, its context, a time limit or a lock."""
    GAIN = "gain"
    """At least two of them wait for something."""


CODES: Mapping[str, Precondition] = {
    "data": Precondition.DATA,
    "late-argument": Precondition.DATA,
    "writes": Precondition.EFFECTS,
    "unknown-effect": Precondition.EFFECTS,
    "shared-object": Precondition.RESOURCES,
    "one-at-a-time": Precondition.RESOURCES,
    "errors": Precondition.ERRORS,
    "partial-results": Precondition.ERRORS,
    "order": Precondition.ORDER,
    "task": Precondition.TASK,
    "context": Precondition.TASK,
    "loop-api": Precondition.TASK,
    "limited": Precondition.TASK,
    "never-waits": Precondition.GAIN,
}
"""The precondition that a reason code of a refusal speaks of."""


class Obstacle(NamedTuple):
    """What the text of a function shows against an overlap: a code of `CODES`, and a sentence."""

    code: str
    why: str


def counting(source: str) -> str:
    """The sentence on what gives one thing after the other, and may go by what became of those before."""
    return f"what `{source}` gives next may count on what was done with what it gave before"


def reason(code: str, why: str) -> str:
    """A reason of a Change: what it is about, and the sentence."""
    return f"{CODES[code]}: {why}"
