"""A context manager made of a generator that turned async, by its decorator: ``asynccontextmanager``."""

from __future__ import annotations

from asyncfix.flow import last_name
from asyncfix.model import Edit, Replace, Use
from asyncfix.transform import CannotWrite, Writing

OLD, NEW = "contextmanager", "asynccontextmanager"


def write(use: Use, writing: Writing) -> list[Edit]:
    decorators = writing.definition(use.span).decorator_list
    for decorator in decorators:
        span = writing.source.span(decorator)
        if last_name(decorator) == OLD:
            return [Replace(span, writing.counterpart(decorator, NEW) or writing.name(f"contextlib.{NEW}"))]
    if len(decorators) == 1:  # it goes by another name here
        return [Replace(writing.source.span(decorators[0]), writing.name(f"contextlib.{NEW}"))]
    raise CannotWrite(f"expected the decorator {OLD}")
