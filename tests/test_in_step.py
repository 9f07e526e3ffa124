"""What the generated module has in place of ``zip`` and ``enumerate`` gives what these give."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

import pytest

from asyncfix.generated import module_text
from asyncfix.uses.in_step import GENERATED


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    """The generated module."""
    module = ModuleType("_asyncfix")
    exec(compile(module_text(GENERATED, GENERATED), "_asyncfix.py", "exec"), module.__dict__)
    return module


def gone_through(make: Callable[..., Iterable[Any]], *arguments: Any, **options: Any) -> tuple[list[Any], type | None]:
    """What comes of it, and what it ends with."""
    found: list[Any] = []
    try:
        found.extend(make(*arguments, **options))
    except ValueError as error:
        return found, type(error)
    return found, None


def gone_through_async(
    make: Callable[..., AsyncIterator[Any]], *arguments: Any, **options: Any
) -> tuple[list[Any], type | None]:
    async def run() -> tuple[list[Any], type | None]:
        found: list[Any] = []
        try:
            async for item in make(*arguments, **options):
                found.append(item)
        except ValueError as error:
            return found, type(error)
        return found, None

    return asyncio.run(run())


async def one_by_one(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("given", [(), ("",), ("ab",), ("ab", "cd"), ("abc", "d"), ("a", "bcd"), ("ab", "cd", "e")])
def test_zipped_gives_what_zip_gives(generated: ModuleType, given: Sequence[str], strict: bool) -> None:
    expected = gone_through(zip, *given, strict=strict)
    assert gone_through_async(generated.zipped, *map(one_by_one, given), strict=strict) == expected
    mixed = (one_by_one(each) if number % 2 else each for number, each in enumerate(given))
    assert gone_through_async(generated.zipped, *mixed, strict=strict) == expected


def test_zipped_asks_for_as_much_as_zip(generated: ModuleType) -> None:
    left = [iter("abc"), iter("abc")]
    assert gone_through(zip, left[0], "a") == gone_through_async(generated.zipped, left[1], one_by_one("a"))
    assert list(left[0]) == list(left[1]) == ["c"]


@pytest.mark.parametrize("start", [0, 5])
def test_enumerated_gives_what_enumerate_gives(generated: ModuleType, start: int) -> None:
    expected = gone_through(enumerate, "abc", start)
    assert gone_through_async(generated.enumerated, one_by_one("abc"), start) == expected
