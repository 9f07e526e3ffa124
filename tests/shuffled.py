"""An event loop that runs tasks that are ready in any order, some later; as a program: a run of a case by many such loops.

python shuffled.py CODE TIMES    prints what each of the runs printed and how it ended, every different one once
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SELDOM = 0.1  # how often something that is ready has to wait
LONGEST = 0.001  # for so many seconds


class Shuffled(asyncio.SelectorEventLoop):
    """An event loop in which the order of tasks is that of the random numbers."""

    def _run_once(self) -> None:
        ready: Any = getattr(self, "_ready")  # noqa: B009
        held: list[asyncio.Handle] = [ready.popleft() for _ in range(len(ready))]  # threads may add to it meanwhile
        ready.extend(handle for handle in held if not _is_step(handle))
        steps = list(filter(_is_step, held))
        random.shuffle(steps)
        for handle in steps:
            if random.random() < SELDOM:
                self.call_later(random.random() * LONGEST, _unless_cancelled, handle)
            else:
                ready.append(handle)
        super()._run_once()  # type: ignore[misc]


def _is_step(handle: asyncio.Handle) -> bool:
    """Whether it goes on with a task: what else is ready, as the callbacks of a socket, comes before, in its order."""
    return isinstance(getattr(getattr(handle, "_callback", None), "__self__", None), asyncio.Task)


def _unless_cancelled(handle: asyncio.Handle) -> None:
    run: Callable[[], None] = getattr(handle, "_run")  # noqa: B009
    if not handle.cancelled():
        run()


def outcome(code: str, seed: int) -> str:
    """What one run printed and, if it failed, the class of the error; with modules of the current folder read anew."""
    random.seed(seed)
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").parent == Path.cwd():
            del sys.modules[name]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(code, {"__name__": "run"})
        except Exception as error:
            print(type(error))
    return printed.getvalue()


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    sys.dont_write_bytecode = True
    setattr(asyncio.events, "new_event_loop", Shuffled)  # noqa: B010 which is what `asyncio.run` asks for one
    print(*sorted({outcome(sys.argv[1], seed) for seed in range(int(sys.argv[2]))}), sep="", end="")
