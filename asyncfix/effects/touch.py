"""One access to something that others can reach, with its place."""

from __future__ import annotations

from asyncfix.link.index import ProjectIndex
from asyncfix.model import Span, Value

CONSTRUCTING = ("__init__", "__new__", "__post_init__", "__set_name__", "__init_subclass__")


class Where(Value, frozen=True):
    """A place in the project, for a person."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Touch(Value, frozen=True):
    """One access to something shared.

    key    what is touched: ``pkg.mod.Class.attr``, ``pkg.mod.name``, ``?.attr`` (on an unknown object),
           ``library <dotted name>``, ``file <path expression>``
    object what holds it: two writes to one object belong together
    """

    key: str
    object: str
    writes: bool
    span: Span
    at: int
    where: Where


def of_self(touch: Touch, index: ProjectIndex, function: str) -> bool:
    """Whether a method touches an attribute of its own object."""
    owner = index.fact(function).owner_class
    return bool(owner) and touch.object.startswith(f":{owner}")
