"""The function of the generated module that has only so many coroutines run at once."""

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
