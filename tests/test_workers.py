"""The pool survives what its tasks do, and gives the same results whatever the number of workers."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from asyncfix.workers import Failure, Limits, run

QUICK = Limits(seconds=20, memory=2**30)
HASTY = Limits(seconds=3.0, memory=2**30)


def misbehave(item: bytes) -> bytes:
    """Do what the item says, or give it back in capitals."""
    match item:
        case b"segfault":
            faulthandler.disable()  # pytest turned it on
            ctypes.string_at(0)
        case b"exit":
            os._exit(3)
        case b"hang":
            time.sleep(600)
        case b"memory":
            return bytes(bytearray(10 * 2**30))
        case b"deep":
            return misbehave(item) + b"."
        case b"raise":
            raise ValueError("no such\nthing")
        case b"print":
            os.write(1, b"to be seen by nobody")
            os.write(2, b"nor this")
        case _:
            pass
    return item.upper()


def prefix(before: bytes, item: bytes) -> bytes:
    """Something that only works as a partial."""
    return before + item


def search_path(_item: bytes) -> bytes:
    """The module search path of the worker."""
    return "\n".join(sys.path).encode()


def process_id(_item: bytes) -> bytes:
    """Which process it is."""
    return str(os.getpid()).encode()


def results(items: list[bytes], workers: int = 2, limits: Limits = QUICK) -> list[bytes | Failure]:
    """All results, without their indexes, which must count up."""
    pairs = list(run(misbehave, items, workers=workers, limits=limits))
    assert [index for index, _ in pairs] == list(range(len(items)))
    return [result for _, result in pairs]


@pytest.fixture(params=["one thread", "several threads"])
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Once as it is, and once with a second thread in the parent, which bars forking."""
    if request.param == "one thread":
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_nothing_to_do_gives_nothing() -> None:
    """No item, no result."""
    assert results([]) == []


@pytest.mark.usefixtures("threads")
def test_results_come_in_order() -> None:
    """Every item is answered once, in its place, large ones too."""
    items = [b"a%d" % number + b"." * (number * 997 % 100_000) for number in range(300)]
    assert results(items) == [item.upper() for item in items]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (b"segfault", "the worker died (signal 11)"),
        (b"exit", "the worker died (exit code 3)"),
        (b"memory", "nested too deeply, or needed more than 1 GB of memory"),
        (b"deep", "nested too deeply"),
    ],
)
def test_a_bad_item_costs_itself_only(item: bytes, reason: str) -> None:
    """Those round it are answered, and the failure says what happened."""
    assert results([b"a", b"b", item, b"c"]) == [b"A", b"B", Failure(reason), b"C"]


def test_a_hanging_item_is_cut_off() -> None:
    """After the limit, and only that item."""
    assert results([b"a", b"hang", b"c"], limits=HASTY) == [b"A", Failure("took longer than 3 s"), b"C"]


def test_a_task_that_raises_is_a_bug_of_ours() -> None:
    """Told apart from hostile input, in one line."""
    failure = results([b"raise", b"a"])[0]
    assert isinstance(failure, Failure)
    assert failure.bug
    assert failure.reason.startswith("internal error: ValueError: no such thing (test_workers.py:")


def test_results_do_not_depend_on_the_number_of_workers() -> None:
    """Chunks differ with it, also those in which somebody dies."""
    items = [b"item%d" % number for number in range(120)]
    items[7] = items[8] = b"exit"
    items[60] = b"memory"
    items[61] = b"segfault"
    items[100] = b"deep"
    expected = results(items, workers=1)
    assert sum(isinstance(result, Failure) for result in expected) == 5
    assert [results(items, workers=number) for number in (2, 5)] == [expected, expected]


def test_one_small_item_runs_in_a_worker_too() -> None:
    """Hostile input never runs in the parent."""
    [(_, result)] = run(process_id, [b""], workers=4, limits=QUICK)
    assert isinstance(result, bytes)
    assert int(result) != os.getpid()


def test_what_a_task_prints_is_not_seen(capfd: pytest.CaptureFixture[str]) -> None:
    """Else it would stand in the patch."""
    assert results([b"print"]) == [b"PRINT"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("threads")
def test_a_partial_is_a_task() -> None:
    """It reaches every worker, forked or not."""
    assert list(run(partial(prefix, b">"), [b"a"], workers=1, limits=QUICK)) == [(0, b">a")]


@pytest.mark.usefixtures("threads")
def test_workers_find_no_module_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project may hold ``msgspec.py``, ``pickle.py`` or ``asyncfix/``; PYTHONPATH does not let them in either."""
    canary = tmp_path / "canary"
    for name in ("msgspec", "pickle", "multiprocessing"):
        (tmp_path / f"{name}.py").write_text(f"open({str(canary)!r}, 'w')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [(_, result)] = run(search_path, [b""], workers=1, limits=QUICK)
    assert isinstance(result, bytes)
    assert {"", ".", str(tmp_path)}.isdisjoint(result.decode().splitlines())
    assert not canary.exists()


def children() -> list[str]:
    """Process ids of living and unreaped children."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.usefixtures("threads")
def test_closing_the_generator_ends_the_workers() -> None:
    """None is left over, not even as a zombie."""
    before = children()
    answers = run(misbehave, [b"a", b"hang"] * 10, workers=3, limits=QUICK)
    assert next(answers) == (0, b"A")
    assert len(children()) > len(before)
    answers.close()
    assert children() == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_workers_go_with_the_parent(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C passes through and leaves no worker; if the parent is killed, its workers end by themselves."""
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent("""
            import os, sys, time
            from asyncfix.workers import Limits, run

            def task(item):
                os.write(int(item), b"%d\\n" % os.getpid())
                time.sleep(600)

            limits = Limits(seconds=0.2 if sys.argv[2] == "9" else 60)
            try:
                list(run(task, [sys.argv[1].encode()] * 2, workers=2, limits=limits))
            except KeyboardInterrupt:
                sys.exit(130)
            """),
        encoding="utf-8",
    )
    reading, writing = os.pipe()
    command = [sys.executable, str(script), str(writing), str(int(number))]
    with subprocess.Popen(command, pass_fds=[writing]) as parent, os.fdopen(reading) as pipe:
        os.close(writing)
        workers = [pipe.readline(), pipe.readline()]
        parent.send_signal(number)
        assert parent.wait() == (130 if number == signal.SIGINT else -signal.SIGKILL)
        assert all(workers)
        # The end of the pipe: every process that could write to it is gone.
        assert isinstance(pipe.read(), str)
