"""Calls that read a clock: of two of them the later one in the text gives no earlier time, as long as they come in turn."""

from __future__ import annotations

from asyncfix.model import Call

CLOCKS = frozenset(
    {
        f"time.{name}{unit}"
        for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")
        for unit in ("", "_ns")
    }
    | {f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")}
    | {"datetime.date.today", "uuid.uuid1", "uuid.uuid6", "uuid.uuid7", "os.times", "resource.getrusage"}
)
TELLING = {"time.gmtime": 0, "time.localtime": 0, "time.ctime": 0, "time.asctime": 0, "time.strftime": 1}
"""Those that say how a given time is written, and read the clock if none is given: the position of that argument."""


def reads_clock(name: str, call: Call) -> bool:
    """Whether the call of ``name``, of a library, reads a clock."""
    position = TELLING.get(name)
    if position is None:
        return name in CLOCKS
    given = call.arguments[position : position + 1]
    return all(item.literal == "None" for item in given)
