"""How the process ends: an exit code for every way out, never with files or workers left behind by halves."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import NoReturn

_INTERRUPTED = 128 + signal.SIGINT
_TERMINATED = 128 + signal.SIGTERM
# What a program ends with that is killed by writing to a closed pipe (SIGPIPE is 13; Windows has none).
_PIPE_CLOSED = 128 + 13


def prepare() -> None:
    """See to the ends that no ``except`` sees: SIGTERM, and what nobody catches."""
    sys.excepthook = _internal_error
    signal.signal(signal.SIGTERM, _terminate)


@contextmanager
def clean_end() -> Generator[None]:
    """Turn Ctrl-C and a closed pipe into exit codes, without a traceback."""
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("\nasyncfix: interrupted", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # Python flushes once more at exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_PIPE_CLOSED)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    """Unwind as after Ctrl-C, so that what is being written is rolled back and no worker is left."""
    sys.exit(_TERMINATED)


def _internal_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
    """Python would exit with 1, which means findings."""
    sys.__excepthook__(kind, error, trace)
    print("asyncfix: internal error, please report it with the lines above", file=sys.stderr)
    sys.exit(2)
