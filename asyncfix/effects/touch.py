"""One access to something that others can reach, with its place."""

from __future__ import annotations

from asyncfix.model import Span, Value

CONSTRUCTING = ("__init__", "__new__", "__post_init__", "__attrs_post_init__", "__set_name__", "__init_subclass__")


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
    deep   what is written is the thing itself, where it is: it is not bound anew
    """

    key: str
    object: str
    writes: bool
    span: Span
    at: int
    where: Where
    deep: bool = False
