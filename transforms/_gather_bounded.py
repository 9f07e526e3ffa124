"""The functions of the generated module that have only so many coroutines run at once."""

GATHER_BOUNDED = '''
import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

Gathered = TypeVar("Gathered")


async def gather_bounded(
    awaitables: Iterable[Awaitable[Gathered]], *, limit: int = 10, return_exceptions: bool = False
) -> list[Any]:
    """Await all, at most ``limit`` at once, and give their results in order.

    They are taken from ``awaitables`` when there is room: let it make them one by one. The first error in order is raised
    when those after it have been cancelled and have ended; with ``return_exceptions`` errors are results.
    """
    results: list[Any] = []
    running: dict[asyncio.Future[Gathered], int] = {}
    failed: dict[int, BaseException] = {}
    source = iter(awaitables)
    more = True
    try:
        while more or running:
            while more and len(running) < limit:
                try:
                    made = asyncio.ensure_future(next(source))
                except StopIteration:
                    more = False
                except Exception as raised:
                    failed[len(results)] = raised
                    more = False
                else:
                    running[made] = len(results)
                    results.append(None)
            done = (await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED))[0] if running else ()
            for task in done:
                index = running.pop(task)
                try:
                    error = task.exception()
                except asyncio.CancelledError as cancelled:
                    error = cancelled
                if error is None:
                    results[index] = task.result()
                elif return_exceptions:
                    results[index] = error
                else:
                    failed[index] = error
                    more = False
            for task, index in running.items():
                if failed and index > min(failed):
                    task.cancel()
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
    if failed:
        raise failed[min(failed)]
    return results
'''

GATHER_BOUNDED_FROM = '''
import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable
from typing import Any, TypeVar

Awaited = TypeVar("Awaited")


async def gather_bounded_from(awaitables: AsyncIterable[Awaitable[Awaited]], *, limit: int = 10) -> list[Awaited]:
    """Await all that ``awaitables`` gives, at most ``limit`` at once, and give their results in order.

    It is asked for one at a time, when there is room, while those before run. The first error in order, its own in the place
    of what it would have given, is raised when what comes after it has been cancelled and has ended.
    """
    source = awaitables.__aiter__()
    results: list[Any] = []
    running: dict[asyncio.Future[Any], int] = {}
    failed: dict[int, BaseException] = {}
    asking: asyncio.Future[Any] | None = None
    more = True

    async def ask() -> Awaitable[Awaited] | None:
        try:
            return await source.__anext__()
        except StopAsyncIteration:
            return None

    try:
        while more or running:
            if more and asking is None and len(running) < limit:
                asking = asyncio.ensure_future(ask())
                running[asking] = len(results)
            for task in (await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED))[0]:
                index = running.pop(task)
                asked = task is asking
                if asked:
                    asking = None
                try:
                    result = task.result()
                    if not asked:
                        results[index] = result
                    elif result is None:
                        more = False
                    else:
                        running[asyncio.ensure_future(result)] = index
                        results.append(None)
                except BaseException as error:
                    failed[index] = error
                    more = False
            for task, index in running.items():
                if failed and index > min(failed):
                    task.cancel()
    finally:
        for task in running:
            task.cancel()
        ended = await asyncio.gather(*running, return_exceptions=True)
        for task, result in zip(running, ended):
            if task is asking and not (result is None or isinstance(result, BaseException)):  # given all the same
                unwanted = asyncio.ensure_future(result)
                unwanted.cancel()
                await asyncio.wait([unwanted])
        if isinstance(source, AsyncGenerator):
            await source.aclose()
    if failed:
        raise failed[min(failed)]
    return results
'''
