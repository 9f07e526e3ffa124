"""A context manager made of a generator that turned async, by its decorator: ``asynccontextmanager``."""

from __future__ import annotations

import ast

from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import CannotWrite, Writing

OLD, NEW = "contextmanager", "asynccontextmanager"


def write(use: Use, writing: Writing) -> list[Edit]:
    decorators = writing.definition(use.span).decorator_list
    for decorator in decorators:
        span = writing.source.span(decorator)
        if isinstance(decorator, ast.Attribute) and decorator.attr == OLD:
            return [Replace(Span(span.end - len(OLD), span.end), NEW)]
        if isinstance(decorator, ast.Name) and decorator.id == OLD:
            module = writing.module_of(OLD)
            return [Replace(span, writing.name_from(module, NEW) if module else writing.name(f"contextlib.{NEW}"))]
    if len(decorators) == 1:  # it goes by another name here
        return [Replace(writing.source.span(decorators[0]), writing.name(f"contextlib.{NEW}"))]
    raise CannotWrite(f"expected the decorator {OLD}")
