"""To whom a function is passed on as a value: who calls it then, and why that is no one who awaits."""

from __future__ import annotations

from asyncfix.boundary import covers
from asyncfix.link.index import Loose, ProjectIndex

PASSED = "passed-as-value"
CALLBACK = "sync-callback"

# Who calls what it is given, by reason code: a sentence, and canonical names (with ``.*`` all beneath).
TAKERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "thread-target": (
        "is run in a thread or process",
        (
            "threading.Thread",
            "threading.Timer",
            "multiprocessing.*",
            "concurrent.futures.*",
            "_thread.start_new_thread",
            "asyncio.to_thread",
            "asyncio.AbstractEventLoop.run_in_executor",
            "anyio.to_thread.run_sync",
            "starlette.concurrency.run_in_threadpool",
        ),
    ),
    "signal-handler": ("is a signal handler", ("signal.signal", "asyncio.AbstractEventLoop.add_signal_handler")),
    "at-exit": ("is called when the program ends", ("atexit.register", "weakref.finalize")),
    "exit-stack": ("is called by an ExitStack", ("contextlib.ExitStack.*",)),
    "scheduled": (
        "is called by a scheduler",
        ("sched.scheduler.*", "schedule.*", "apscheduler.*", "asyncio.AbstractEventLoop.*"),
    ),
}


def taken(index: ProjectIndex, function: str, place: Loose) -> tuple[str, str]:
    """The reason code and what to say of a place at which a function is passed on."""
    name = _taker(index, function, place)
    for code, (said, takers) in TAKERS.items():
        if covers(takers, name):
            return code, said
    if name and index.catalog.running(name) is not None:
        return CALLBACK, f"is called by {name.removeprefix('builtins.')}, which does not await"
    return PASSED, "is passed on as a value"


def _taker(index: ProjectIndex, function: str, place: Loose) -> str:
    """The call of a library among whose arguments the function stands there, '' if there is none."""
    for external in index.externals.get(place.owner, ()):
        if external.call.line <= place.line <= external.call.end_line:
            for argument in external.call.arguments:
                meant = index.evaluator.evaluate(place.path, argument.ref) if argument.ref else ()
                if any(entity.name == function for entity in meant):
                    return external.name
    return ""
