"""Caches of coroutine functions: `functools` would keep the coroutine, which may be awaited once; async-lru keeps its result."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.flow import called
from asyncfix.model import Replace
from asyncfix.transform import Writing

CACHE, OLD = "cache", ("cache", "lru_cache")


def caches(module: ast.Module, names: tuple[str, ...] = OLD) -> dict[str, str]:
    """How a file writes the caches of `functools`, with the name that each has there."""
    return dict(_imported(module, names))


def _imported(module: ast.Module, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        match node:
            case ast.ImportFrom(module="functools", level=0, names=imported):
                yield from ((item.asname or item.name, item.name) for item in imported if item.name in names)
            case ast.Import(names=imported):
                bound = (item.asname or item.name for item in imported if item.name == "functools")
                yield from ((f"{each}.{name}", name) for each in bound for name in names)
            case _:
                pass


def cached_by_async_lru(decorator: ast.expr, writing: Writing) -> Replace | None:
    """``async_lru.alru_cache`` in place of ``functools.lru_cache`` or ``cache``, None if the decorator is neither."""
    named = called(decorator)
    cache = caches(writing.tree().module).get(ast.unparse(named))
    if cache is None:
        return None
    whole = "(maxsize=None)" if cache == CACHE else ""
    return Replace(writing.source.span(named), f"{writing.name('async_lru.alru_cache')}{whole}")
