"""Run a command and say what it cost, with the processes it started."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ASYNCFIX = (sys.executable, "-m", "asyncfix")
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU (user and system, ended children included) and of wall; MiB of the largest process and of all.

    ``together`` is sampled from /proc as the sum of resident sizes, shared pages counted in each; 0 without /proc.
    """

    cpu: float
    wall: float
    largest: float
    together: float
    code: int
    stdout: bytes
    stderr: bytes


def measured(command: Sequence[str], cwd: Path | None = None, extra: Mapping[str, str] | None = None) -> Cost:
    """The cost of one run of a command."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, stdout=out, stderr=err, env={**os.environ, **(extra or {})})
        sampler = _Sampler(process.pid)
        sampler.start()
        # wait4 gives the use of this child alone; RUSAGE_CHILDREN would keep the peak of an earlier one.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        sampler.stop()
        out.seek(0)
        err.seek(0)
        scale = 1 if sys.platform == "darwin" else 1024
        return Cost(
            cpu=usage.ru_utime + usage.ru_stime,
            wall=wall,
            largest=usage.ru_maxrss * scale / 2**20,
            together=max(sampler.peak, usage.ru_maxrss * scale) / 2**20 if sampler.peak else 0.0,
            code=process.returncode,
            stdout=out.read(),
            stderr=err.read(),
        )


class _Sampler(threading.Thread):
    """Watches the resident memory of a process and all below it."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid = pid
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(_resident(pid) for pid in _family(self._pid)))

    def stop(self) -> None:
        self._over.set()
        self.join()


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
            found.extend(int(word) for word in _text(tasks).split())
    return found


def _resident(pid: int) -> int:
    fields = _text(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process ended between two looks
        return ""


def ratio(value: float, base: float) -> str:
    """``3.1 x``, or a dash where there is nothing to compare with."""
    return f"{value / base:.2f} x" if base else "-"
