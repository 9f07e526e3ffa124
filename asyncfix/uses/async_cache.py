"""A cached function that turned async: ``async_lru.alru_cache`` in place of ``lru_cache`` and ``cache``."""

from __future__ import annotations

from asyncfix.flow import called, last_name
from asyncfix.model import Edit, Replace, Use
from asyncfix.transform import CannotWrite, Writing

CACHE, OLD = "cache", ("cache", "lru_cache")


def write(use: Use, writing: Writing) -> list[Edit]:
    for decorator in writing.definition(use.span).decorator_list:
        named = called(decorator)
        last = last_name(named)
        if last in OLD:
            whole = "(maxsize=None)" if last == CACHE else ""
            return [Replace(writing.source.span(named), f"{writing.name('async_lru.alru_cache')}{whole}")]
    raise CannotWrite("expected the decorator of a cache")
