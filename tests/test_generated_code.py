"""What rules put into the project's generated module does what its docstrings say."""

from __future__ import annotations

import asyncio
import gc
import random
import warnings
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from asyncfix import generated, registry
from tests.shuffled import Shuffled

SOURCES = {name: code for rule in registry.rules() for name, code in rule.generated.items()}
Shared = dict[str, Any]


def load(name: str) -> Callable[..., Any]:
    """A function of the generated module."""
    module: Shared = {"__name__": "_asyncfix"}
    exec(generated.module_text(SOURCES, [name]), module)
    found: Callable[..., Any] = module[name]
    return found


GATHER = load("gather_bounded")


class Work:
    """Coroutines that count how many of them run at once."""

    def __init__(self, failing: tuple[int, ...] = (), never: tuple[int, ...] = ()) -> None:
        self.failing, self.never = failing, never
        self.running = self.most = self.begun = 0
        self.cancelled: list[int] = []

    async def one(self, number: int) -> int:
        self.begun += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(random.random() / 200)
            if number in self.never:
                await asyncio.get_running_loop().create_future()
            if number in self.failing:
                raise ValueError(number)
            return number * 2
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        finally:
            self.running -= 1

    def all(self, count: int) -> Iterator[Awaitable[int]]:
        return (self.one(number) for number in range(count))


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run it; a coroutine that nobody awaited, or a task left over, is an error."""

    async def alone() -> Any:
        try:
            return await coroutine
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return asyncio.run(alone())
        finally:
            gc.collect()


def test_gives_results_in_order_and_never_runs_more_at_once() -> None:
    work = Work()
    assert run(GATHER(work.all(40), limit=7)) == [number * 2 for number in range(40)]
    assert work.most == 7
    assert run(GATHER(iter(()))) == []


@pytest.mark.parametrize("seed", range(30))
def test_raises_the_first_error_in_order_and_leaves_nothing_running(seed: int) -> None:
    """Whichever of the two fails first in time."""
    random.seed(seed)
    work = Work(failing=(5, 3), never=(6, 7))
    with pytest.raises(ValueError, match=r"^3$"):
        run(GATHER(work.all(40), limit=8))
    assert work.running == 0
    assert work.begun < 40


def test_a_cancellation_that_one_of_them_raises_keeps_what_it_says() -> None:
    async def stopped() -> int:
        raise asyncio.CancelledError("no more")

    with pytest.raises(asyncio.CancelledError, match=r"^no more$"):
        run(GATHER(stopped() for _ in range(3)))


def test_errors_are_results_if_asked_for() -> None:
    work = Work(failing=(1,))
    first, second, third = run(GATHER(work.all(3), return_exceptions=True))
    assert (first, third) == (0, 4)
    assert isinstance(second, ValueError)


def test_an_error_of_what_makes_them_comes_after_those_that_run() -> None:
    work = Work()

    def made() -> Iterator[Awaitable[int]]:
        yield work.one(1)
        yield work.one(2)
        raise KeyError("no third")

    with pytest.raises(KeyError):
        run(GATHER(made(), limit=5))
    assert (work.begun, work.cancelled) == (2, [])


def test_who_is_cancelled_leaves_nothing_running() -> None:
    work = Work(never=tuple(range(40)))

    async def cancelled() -> None:
        task = asyncio.ensure_future(GATHER(work.all(40), limit=4))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancelled())
    assert (work.begun, work.running, sorted(work.cancelled)) == (4, 0, [0, 1, 2, 3])


GATHER_FROM = load("gather_bounded_from")


class Source:
    """An asynchronous generator of work that counts how often it was asked, and whether it is asked twice at once."""

    def __init__(self, work: Work, count: int, *, failing: int = -1, never: int = -1, stubborn: bool = False) -> None:
        self.work, self.count, self.failing, self.never, self.stubborn = work, count, failing, never, stubborn
        self.asked = 0
        self.cancelled = self.closed = self.asking = False

    async def all(self) -> AsyncIterator[Awaitable[int]]:
        try:
            for number in range(self.count):
                assert not self.asking
                self.asking = True
                self.asked += 1
                assert self.work.running < LIMIT
                await self._look(number)
                self.asking = False
                yield self.work.one(number)
        finally:
            self.closed = True

    async def _look(self, number: int) -> None:
        try:
            await asyncio.sleep(random.random() / 1000)
            if number == self.never:
                await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.cancelled = True
            if not self.stubborn:
                raise
        if number == self.failing:
            raise KeyError(number)


LIMIT = 5


def gathered_from(source: Source) -> Any:
    """What comes of all of it, on a loop that runs what is ready in any order; nothing is left over."""

    async def alone() -> Any:
        try:
            return await GATHER_FROM(source.all(), limit=LIMIT)
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}
            assert source.closed or source.asked == 0
            assert source.work.running == 0

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loop = Shuffled()
        try:
            return loop.run_until_complete(alone())
        finally:
            loop.close()
            gc.collect()


@pytest.mark.parametrize("seed", range(20))
def test_gives_in_order_what_comes_of_an_asynchronous_source(seed: int) -> None:
    random.seed(seed)
    work = Work()
    assert gathered_from(Source(work, 30)) == [number * 2 for number in range(30)]
    assert 1 < work.most <= LIMIT
    assert gathered_from(Source(Work(), 0)) == []


@pytest.mark.parametrize("seed", range(40))
def test_raises_the_first_error_in_order_of_what_comes_and_of_the_source(seed: int) -> None:
    """Whichever comes first in time; the source is asked for nothing more."""
    random.seed(seed)
    work = Work(failing=(5, 3), never=(6, 7))
    with pytest.raises(ValueError, match=r"^3$"):
        gathered_from(Source(work, 40))
    work = Work(failing=(3,))
    with pytest.raises(ValueError, match=r"^3$"):
        gathered_from(Source(work, 40, failing=4))
    work = Work(failing=(5,), never=(6,))
    source = Source(work, 40, failing=4)
    with pytest.raises(KeyError, match=r"^4$"):
        gathered_from(source)
    assert (work.begun, work.cancelled, source.asked) == (4, [], 5)


@pytest.mark.parametrize("stubborn", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_a_source_that_never_gives_the_next_is_cancelled_once_something_failed(seed: int, *, stubborn: bool) -> None:
    """What it gives in spite of that never begins."""
    random.seed(seed)
    work = Work(never=(2,))
    source = Source(work, 40, never=3, stubborn=stubborn)
    one = work.one

    async def fails_then(number: int) -> int:
        while number == 1 and source.asked < 4:
            await asyncio.sleep(0)
        return await one(number) if number != 1 else 1 // 0

    work.one = fails_then  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        gathered_from(source)
    assert source.cancelled
    assert work.begun <= 2


@pytest.mark.parametrize("stubborn", [False, True])
@pytest.mark.parametrize("never", [-1, 2])
@pytest.mark.parametrize("seed", range(10))
def test_who_is_cancelled_leaves_neither_source_nor_work(seed: int, never: int, *, stubborn: bool) -> None:
    random.seed(seed)
    work = Work(never=tuple(range(40)))
    source = Source(work, 40, never=never, stubborn=stubborn)

    async def cancelled() -> None:
        task = asyncio.ensure_future(GATHER_FROM(source.all(), limit=LIMIT))
        await asyncio.sleep(0.03)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancelled())
    expected = LIMIT if never < 0 else never
    assert (work.begun, work.running, len(work.cancelled)) == (expected, 0, expected)
    assert source.closed
    assert source.cancelled == (never >= 0)


def test_what_an_asynchronous_source_gives_fails_in_its_place() -> None:
    """An error of its own that ends iterations, a cancellation, something that cannot be awaited."""

    async def given(*awaitables: Any) -> AsyncIterator[Any]:
        for each in awaitables:
            yield each

    async def fails(error: BaseException) -> None:
        raise error

    with pytest.raises(StopAsyncIteration, match=r"^own$"):
        run(GATHER_FROM(given(fails(StopAsyncIteration("own")))))
    with pytest.raises(asyncio.CancelledError, match=r"^no more$"):
        run(GATHER_FROM(given(fails(asyncio.CancelledError("no more")))))
    with pytest.raises(ValueError, match=r"^first$"):
        run(GATHER_FROM(given(fails(ValueError("first")), 1)))
    with pytest.raises(TypeError):
        run(GATHER_FROM(given(Work().one(1), 1)))


def test_an_expression_is_an_asynchronous_source_like_any_other() -> None:
    """What it goes through is let go of, as it was in the loop."""
    work, source = Work(failing=(2,)), Source(Work(), 40)

    async def main() -> None:
        with pytest.raises(ValueError, match=r"^2$"):
            await GATHER_FROM((work.one(number) async for number in numbers()), limit=LIMIT)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(40):
                await asyncio.sleep(0)
                yield number
        finally:
            source.closed = True

    run(main())
    assert source.closed


async def until_collected(start: Callable[[Coroutine[Any, Any, None]], object]) -> str:
    """Start a task that waits for a future to which nothing but the task refers, and collect garbage."""
    events: list[str] = []

    async def waiting() -> None:
        kept = SimpleNamespace(future=asyncio.get_running_loop().create_future())
        events.append("begun")
        reference = weakref.ref(kept.future)
        asyncio.get_running_loop().call_later(0.01, lambda: reference() and reference().set_result(None))  # type: ignore[union-attr]
        await kept.future
        events.append("done")

    start(waiting())
    await asyncio.sleep(0)
    gc.collect()
    await asyncio.sleep(0.03)
    return events[-1]


def test_a_task_that_is_held_is_not_collected() -> None:
    """The same task is, where nobody holds it."""
    hold = load("hold")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert asyncio.run(until_collected(asyncio.ensure_future)) == "begun"
        assert asyncio.run(until_collected(lambda coroutine: hold(asyncio.ensure_future(coroutine)))) == "done"


def test_a_task_is_held_until_it_is_done() -> None:
    module: Shared = {"__name__": "_asyncfix"}
    exec(generated.module_text(SOURCES, ["hold"]), module)

    async def main() -> tuple[int, int]:
        task = module["hold"](asyncio.ensure_future(asyncio.sleep(0.001)))
        held = len(module["_held"])
        await task
        await asyncio.sleep(0)
        return held, len(module["_held"])

    assert asyncio.run(main()) == (1, 0)


JOIN = load("join_in_order")


async def in_sequence(*awaitables: Awaitable[Any]) -> list[Any]:
    return [await each for each in awaitables]


def outcome(join: Callable[..., Coroutine[Any, Any, list[Any]]], failing: tuple[int, ...]) -> object:
    """What comes out of three calls of which some fail: the results, or the error."""
    work = Work(failing=failing)

    async def main() -> object:
        made = list(work.all(3))
        try:
            return await join(*made)
        except ValueError as error:
            return str(error)
        finally:
            for each in made:
                if asyncio.iscoroutine(each):
                    each.close()

    loop = Shuffled()
    try:
        return loop.run_until_complete(main())
    finally:
        assert work.running == 0
        assert not asyncio.all_tasks(loop)
        loop.close()


@pytest.mark.parametrize("failing", [(), (0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2)])
def test_a_join_gives_what_the_sequence_gives(failing: tuple[int, ...]) -> None:
    """Whatever the order in which the calls come to run."""
    expected = outcome(in_sequence, failing)
    for seed in range(40):
        random.seed(seed)
        assert outcome(JOIN, failing) == expected


def test_a_join_that_is_cancelled_leaves_nothing_running() -> None:
    work = Work(never=(0, 1, 2))

    async def cancelled() -> None:
        task = asyncio.ensure_future(JOIN(*work.all(3)))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancelled())
    assert (work.begun, work.running, sorted(work.cancelled)) == (3, 0, [0, 1, 2])
