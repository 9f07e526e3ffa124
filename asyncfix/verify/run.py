"""One run of the user's command in a copy, with the recorder loaded into its pytest."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from asyncfix.model import Value
from asyncfix.verify import records
from asyncfix.verify.records import Record

_PLUGIN = "asyncfix_recorder"
_TAIL = 20  # lines of output


class Place(Value, frozen=True):
    """A copy and what is to be watched in it.

    root       the copy, resolved; original: what it is a copy of
    here       where the command runs, relative to the root
    imports    folders that go first on the path of Python, relative to the root
    followed   files whose lines are followed, relative to the root
    modules    names of modules whose files are asked for
    """

    root: str
    original: str
    here: str
    imports: tuple[str, ...]
    followed: tuple[str, ...]
    modules: tuple[str, ...]


class Run(Value, frozen=True):
    """How it went: the exit code (None if it was stopped), seconds, what was recorded, the tests at work when it was stopped,
    the end of its output."""

    code: int | None
    seconds: float
    record: Record
    at_work: tuple[str, ...]
    tail: tuple[str, ...]


def run(command: Sequence[str], place: Place, folder: Path, limit: float | None = None) -> Run:
    """Run the command to its end, or for ``limit`` seconds; ``folder`` is new and takes the records. Raises OSError."""
    plugin, found = folder / "plugin", folder / "records"
    plugin.mkdir(parents=True)
    found.mkdir()
    recorder = resources.files("asyncfix.verify").joinpath("recorder.py").read_bytes()
    (plugin / f"{_PLUGIN}.py").write_bytes(recorder)
    (found / "settings.json").write_text(json.dumps(_settings(place)), encoding="utf-8")
    output = folder / "output"
    began = time.monotonic()
    code = _execute(
        _words(command, place), Path(place.root, place.here), _environment(place, plugin, found), output, limit
    )
    seconds = time.monotonic() - began
    tail = output.read_text(encoding="utf-8", errors="backslashreplace").splitlines()[-_TAIL:]
    stopped = records.at_work(found) if code is None else ()
    return Run(code, seconds, records.read(found, Path(place.root)), stopped, tuple(tail))


def program(word: str) -> str | None:
    """The absolute path of a command's first word, links kept, as it is found from the current folder."""
    found = shutil.which(word)
    return None if found is None else os.path.abspath(found)  # noqa: PTH100  # resolving would leave the environment


def _settings(place: Place) -> dict[str, list[str]]:
    return {
        "files": [f"{place.root}/{path}" for path in place.followed],
        "modules": list(place.modules),
        "originals": [f"{place.original}/{path}" for path in place.followed],
    }


def _words(command: Sequence[str], place: Place) -> list[str]:
    """The command, its absolute paths into the project leading into the copy where they exist there."""

    def moved(text: str) -> str:
        path = place.root + text.removeprefix(place.original)
        inside = text == place.original or text.startswith(place.original + os.sep)
        return path if inside and os.path.lexists(path.partition("::")[0]) else text

    first, *others = command
    words = [word.partition("=") for word in others]
    return [program(first) or first, *(moved(head) + equals + moved(rest) for head, equals, rest in words)]


def _environment(place: Place, plugin: Path, found: Path) -> Mapping[str, str]:
    """The user's own, with the copy and the recorder first on Python's path."""
    paths = [str(Path(place.root, folder)) for folder in place.imports]
    own = os.environ.get("PYTHONPATH")
    options = os.environ.get("PYTEST_ADDOPTS", "")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*paths, str(plugin), *([own] if own else [])]),
        "PYTEST_ADDOPTS": f"{options} -p {_PLUGIN}".lstrip(),
        "ASYNCFIX_RECORDS": str(found),
    }


def _execute(
    words: list[str], here: Path, environment: Mapping[str, str], output: Path, limit: float | None
) -> int | None:
    """The exit code; None if the time was up, with all that it had started stopped."""
    with output.open("wb") as stream:
        process = subprocess.Popen(
            words,
            cwd=here,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the command, if it still runs, and what it started."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
