"""Caches of coroutine functions: `functools` would keep the coroutine, which may be awaited once; async-lru keeps its result."""

from __future__ import annotations

import ast

from asyncfix.flow import called, last_name
from asyncfix.model import Replace
from asyncfix.transform import Writing

CACHE, OLD = "cache", ("cache", "lru_cache")


def cached_by_async_lru(decorator: ast.expr, writing: Writing) -> Replace | None:
    """``async_lru.alru_cache`` in place of ``functools.lru_cache`` or ``cache``, None if the decorator is neither."""
    named = called(decorator)
    last = last_name(named)
    if last not in OLD:
        return None
    whole = "(maxsize=None)" if last == CACHE else ""
    return Replace(writing.source.span(named), f"{writing.name('async_lru.alru_cache')}{whole}")
