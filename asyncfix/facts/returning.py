"""Functions of the standard library that may give back what they were given: an object of the project, perhaps."""

from __future__ import annotations

MODULES = ("collections.", "contextvars.", "copy.", "functools.", "heapq.", "importlib.", "inspect.", "itertools.")
MORE_MODULES = ("marshal.", "operator.", "pickle.", "queue.", "random.", "sys.modules", "types.", "weakref.")
FUNCTIONS = tuple(
    f"builtins.{name}()"
    for name in ("eval", "getattr", "globals", "iter", "locals", "max", "min", "next", "reversed", "sorted", "vars")
)
OTHERS = ("builtins.type()()", "dataclasses.replace()", "typing.cast()")


def gives_back(name: str) -> bool:
    """Whether what a dotted name of the standard library gives may be an object of the project."""
    return "(" in name and name.startswith((*MODULES, *MORE_MODULES, *FUNCTIONS, *OTHERS))
