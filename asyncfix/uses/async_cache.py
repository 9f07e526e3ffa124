"""A cached function that turned async: ``async_lru.alru_cache`` in place of ``lru_cache`` and ``cache``."""

from __future__ import annotations

from asyncfix.caching import cached_by_async_lru
from asyncfix.model import Edit, Use
from asyncfix.transform import CannotWrite, Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    for decorator in writing.definition(use.span).decorator_list:
        edit = cached_by_async_lru(decorator, writing)
        if edit is not None:
            return [edit]
    raise CannotWrite("expected the decorator of a cache")
