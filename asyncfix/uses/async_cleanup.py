"""A coroutine function that a test case runs when a test is over: ``addAsyncCleanup``."""

from __future__ import annotations

from asyncfix.ends import CLEANING
from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    end = writing.source.span(writing.call(use.span).func).end
    return [Replace(Span(end - len(CLEANING), end), "addAsyncCleanup")]
