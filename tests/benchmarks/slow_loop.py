"""An event loop on which all that waits waits for as long; as a program: a run of a case on it.

python slow_loop.py CODE SECONDS    prints what the run prints, and to stderr, last of all, what its `timed` functions took
"""

from __future__ import annotations

import asyncio
import builtins
import functools
import inspect
import sys
import time
from pathlib import Path
from typing import Any


class Slow(asyncio.SelectorEventLoop):
    """Every sleep takes ``latency`` seconds, whatever it was asked for, and every call in a thread so much longer."""

    latency = 0.0

    def call_later(self, delay: float, *args: Any, **options: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        return super().call_later(self.latency, *args, **options)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        return super().run_in_executor(executor, self._late, func, *args)

    def _late(self, func: Any, *args: Any) -> Any:
        time.sleep(self.latency)
        return func(*args)


TIMED = "__timed__"
"""What `timed` is called in the code of the case."""
SECONDS: list[float] = []
"""What each call of a `timed` function took that gave a result."""


def timed(function: Any) -> Any:
    """A coroutine function that notes how long it takes; another one as it is."""
    if not inspect.iscoroutinefunction(function):
        return function

    @functools.wraps(function)
    async def noted(*args: Any, **options: Any) -> Any:
        started = time.perf_counter()
        result = await function(*args, **options)
        SECONDS.append(time.perf_counter() - started)
        return result

    return noted


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    sys.dont_write_bytecode = True
    Slow.latency = float(sys.argv[2])
    setattr(builtins, TIMED, timed)
    setattr(asyncio.events, "new_event_loop", Slow)  # noqa: B010 which is what `asyncio.run` asks for one
    exec(sys.argv[1], {"__name__": "run"})
    print("timed", *SECONDS, file=sys.stderr)
