"""``zip`` or ``enumerate`` over what turned async: its asynchronous form, which the generated module has."""

from __future__ import annotations

import ast

from asyncfix.flow import last_name
from asyncfix.model import Edit, Replace, Use
from asyncfix.transform import CannotWrite, Writing

ENUMERATED = '''
from collections.abc import AsyncIterable, AsyncIterator
from typing import TypeVar

Item = TypeVar("Item")


async def enumerated(items: AsyncIterable[Item], start: int = 0) -> AsyncIterator[tuple[int, Item]]:
    """What ``enumerate`` gives, of what is gone through asynchronously."""
    number = start
    async for item in items:
        yield number, item
        number += 1
'''
ZIPPED = '''
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

_END: Any = object()


async def _step(iterator: Any) -> Any:
    if not hasattr(iterator, "__anext__"):
        return next(iterator, _END)
    try:
        return await iterator.__anext__()
    except StopAsyncIteration:
        return _END


async def zipped(*iterables: AsyncIterable[Any] | Iterable[Any], strict: bool = False) -> AsyncIterator[tuple[Any, ...]]:
    """What ``zip`` gives, of what is gone through asynchronously or not: from each in turn, until one has no more."""
    steps = [each.__aiter__() if isinstance(each, AsyncIterable) else iter(each) for each in iterables]
    while steps:
        items: list[Any] = []
        for each in steps:
            item = await _step(each)
            if item is not _END:
                items.append(item)
            elif strict and (items or any([await _step(other) is not _END for other in steps[1:]])):
                raise ValueError("zip() arguments are not of the same length")
            else:
                return
        yield tuple(items)
'''
GENERATED = {"enumerated": ENUMERATED, "zipped": ZIPPED}
BY_FUNCTION = {"enumerate": "enumerated", "zip": "zipped"}


def write(use: Use, writing: Writing) -> list[Edit]:
    taker = writing.around(use.span)[0]
    name = BY_FUNCTION.get(last_name(taker.func), "") if isinstance(taker, ast.Call) else ""
    if not isinstance(taker, ast.Call) or not name:
        raise CannotWrite("expected a call of zip or enumerate")
    return [Replace(writing.source.span(taker.func), writing.generated(name))]
