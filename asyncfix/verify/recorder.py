"""A pytest plugin that writes down what a run did: for `asyncfix verify`, in the environment of whoever runs the tests.

It is copied out of asyncfix and loaded there with ``-p``, so it imports the standard library and pytest alone, and runs on
Python 3.8 and pytest 6 or newer. The folder that the variable ASYNCFIX_RECORDS names holds ``settings.json``:

    files      absolute paths whose lines are followed
    modules    names of modules; noted is from which files they were imported
    originals  absolute paths; noted is which modules were imported from them

Each process writes one ``<pid>.json`` there, whose keys are those of `asyncfix.verify.records.Record`; the name of the
test at work is in ``<pid>.now``.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

FOLDER = "ASYNCFIX_RECORDS"
OPTIONS = "PYTEST_ADDOPTS"
NEVER_RUN = re.compile(r"async def functions? (and no async plugin|are not natively)")
VARYING = re.compile(r"\btmp[a-z0-9_]{8}\b|0x[0-9a-fA-F]+|\d+")
RETURNED = "It is deprecated to return a value that is not None"
# From the best to the worst: what a test came to is the worst of its phases.
OUTCOMES = ("passed", "xpassed", "xfailed", "skipped", "not run", "failed")


class Lines:
    """The lines that ran, of some files, in all threads of this process; each line once."""

    def __init__(self, files: list[str]) -> None:
        self.ran: dict[str, set[int]] = {file: set() for file in files}
        self._tracers: dict[str, Any] = {}

    def follow(self) -> None:
        """Begin, or begin again where something else has taken the place of our trace function."""
        if sys.version_info >= (3, 12):
            if not self._tracers:
                self._monitor()
        elif sys.gettrace() != self._called:
            threading.settrace(self._called)
            sys.settrace(self._called)

    def _monitor(self) -> None:
        monitoring: Any = getattr(sys, "monitoring")  # noqa: B009  # unknown to a type checker for older versions
        self._tracers[""] = None
        tool = next(number for number in (4, 3, 5, 2, 1, 0) if monitoring.get_tool(number) is None)
        monitoring.use_tool_id(tool, "asyncfix")

        def ran(code: Any, line: int) -> Any:
            lines = self.ran.get(code.co_filename)
            if lines is not None:
                lines.add(line)
            return monitoring.DISABLE

        monitoring.register_callback(tool, monitoring.events.LINE, ran)
        monitoring.set_events(tool, monitoring.events.LINE)

    def _called(self, frame: Any, _event: str, _argument: object) -> Any:
        name = frame.f_code.co_filename
        try:
            return self._tracers[name]
        except KeyError:
            return self._tracers.setdefault(name, self._tracer(name))

    def _tracer(self, name: str) -> Any:
        lines = self.ran.get(name)
        if lines is None:
            return None

        def ran(frame: Any, event: str, _argument: object) -> Any:
            if event == "line":
                lines.add(frame.f_lineno)
            return ran

        return ran


class Recorder:
    """The hooks of one session."""

    def __init__(self, folder: Path, settings: dict[str, Any], lines: Lines, config: Any) -> None:
        self.folder = folder
        self.settings = settings
        self.lines = lines
        self.config = config
        self.tests: dict[str, str] = {}
        self.outcomes: dict[str, str] = {}
        self.messages: dict[str, str] = {}
        self.warned: list[list[str]] = []
        self.modules: dict[str, list[str]] = {}
        self.now = ""
        # Opened once: tests replace `open`.
        self._stream = self._file("now").open("w", encoding="utf-8")

    # -------------------------------------------------------------------------------------------------------- tests

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.messages[report.nodeid] = _last_line(report)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: Any) -> None:
        for item in session.items:
            self.tests[item.nodeid] = os.path.realpath(str(getattr(item, "path", None) or item.fspath))
        self._note_modules()
        _stand_back()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.now = nodeid
        self.lines.follow()
        self._stream.seek(0)
        self._stream.truncate()
        self._stream.write(nodeid)
        self._stream.flush()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        _listen()
        if not self.config.pluginmanager.hasplugin("warnings"):
            _hear_warnings(self)
        if not self.config.pluginmanager.hasplugin("unraisableexception"):
            _hear_unraisable(self)

    def pytest_runtest_logreport(self, report: Any) -> None:
        outcome = _outcome(report)
        known = self.outcomes.get(report.nodeid, OUTCOMES[0])
        if outcome and OUTCOMES.index(outcome) >= OUTCOMES.index(known):
            self.outcomes[report.nodeid] = outcome
            if outcome not in OUTCOMES[:2]:
                self.messages[report.nodeid] = _last_line(report)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: Any, nextitem: Any) -> None:
        """What the tests of one file leave behind is to be told as theirs."""
        if nextitem is None or nextitem.nodeid.split("::")[0] != item.nodeid.split("::")[0]:
            gc.collect()

    # ----------------------------------------------------------------------------------------------------- warnings

    def pytest_warning_recorded(self, warning_message: Any, nodeid: str) -> None:
        self.hear(warning_message.message, warning_message.category, nodeid)

    def hear(self, message: object, kind: Any, nodeid: str) -> None:
        """Note a warning if it is of a kind the gate looks for."""
        text, category = str(message), kind.__name__
        if category == "ResourceWarning" and "unclosed" in text:
            self.warn("unclosed", text, nodeid)
        elif category == "PytestUnraisableExceptionWarning":
            self.warn("unraisable", text.partition("\n")[0], nodeid)
        elif RETURNED in text or (category.startswith("PytestReturnNotNone") and "coroutine" in text):
            self.warn("returned", text, nodeid)

    def warn(self, kind: str, text: str, nodeid: str) -> None:
        """Note a warning under the file of the test at work, without the numbers and names that differ from run to run."""
        self.warned.append([kind, VARYING.sub("#", text)[:300], (nodeid or self.now).split("::")[0]])

    # ---------------------------------------------------------------------------------------------------------- end

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self.write()

    def finish(self) -> None:
        """Drop what is still to be dropped, and write once more."""
        gc.collect()
        self.write()

    def write(self) -> None:
        """Write all that is known; xdist tells its master of the warnings of its workers, who write them themselves."""
        self._note_modules()
        record = {
            "tests": self.tests,
            "outcomes": self.outcomes,
            "messages": self.messages,
            "warned": [] if self.config.pluginmanager.hasplugin("dsession") else self.warned,
            "lines": {file: sorted(lines) for file, lines in list(self.lines.ran.items()) if lines},
            "modules": self.modules,
        }
        unfinished = self._file("new")
        unfinished.write_text(json.dumps(record), encoding="utf-8")
        unfinished.replace(self._file("json"))

    def _note_modules(self) -> None:
        originals = set(self.settings["originals"])
        wanted = set(self.settings["modules"])
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and (name in wanted or os.path.realpath(file) in originals):
                files = self.modules.setdefault(name, [])
                if os.path.realpath(file) not in files:
                    files.append(os.path.realpath(file))

    def _file(self, suffix: str) -> Path:
        return self.folder / f"{os.getpid()}.{suffix}"


def _outcome(report: Any) -> str:
    """What one phase says of its test; '' if nothing."""
    if report.failed:
        return "failed"
    expected = hasattr(report, "wasxfail")
    if report.skipped:
        return "xfailed" if expected else "not run" if NEVER_RUN.search(str(report.longrepr)) else "skipped"
    if report.passed and report.when == "call":
        return "xpassed" if expected else "passed"
    return ""


def _last_line(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash is not None else report.longrepr).strip()
    return (text.split("\n")[0] if crash is not None else text.split("\n")[-1])[:300]


def _listen() -> None:
    """Have what we look for recorded whatever the project's filters are, unless they make errors of it."""
    for name in ("PytestUnraisableExceptionWarning", "PytestReturnNotNoneWarning"):
        _always(getattr(pytest, name, None), "")
    _always(ResourceWarning, "")
    _always(DeprecationWarning, RETURNED)


def _always(category: Any, message: str) -> None:
    if category is None or any(item[0] == "error" and issubclass(category, item[2]) for item in warnings.filters):
        return
    warnings.filterwarnings("always", message=message, category=category)


def _hear_unawaited(recorder: Recorder) -> None:
    """Python tells this function of every coroutine that is dropped without having been awaited; filters come later."""
    original: Any = getattr(warnings, "_warn_unawaited_coroutine", None)

    def heard(coroutine: Any) -> None:
        recorder.warn("never awaited", f"coroutine '{coroutine.__qualname__}' was never awaited", "")
        if original is not None:
            original(coroutine)

    setattr(warnings, "_warn_unawaited_coroutine", heard)  # noqa: B010


def _hear_warnings(recorder: Recorder) -> None:
    """Where pytest itself records no warnings (``-p no:warnings``), hear what Python shows; filters are the project's own."""
    original: Any = warnings.showwarning
    if getattr(original, "hears", False):
        return

    def heard(message: Any, category: Any, *others: Any, **named: Any) -> None:
        recorder.hear(message, category, "")
        original(message, category, *others, **named)

    heard.hears = True  # type: ignore[attr-defined]
    warnings.showwarning = heard


def _hear_unraisable(recorder: Recorder) -> None:
    """Where pytest makes no warnings of errors that nobody can raise, as before 6.2."""
    original: Any = sys.unraisablehook
    if getattr(original, "hears", False):
        return

    def heard(unraisable: Any) -> None:
        recorder.warn("unraisable", f"Exception ignored in: {unraisable.object!r}", "")
        original(unraisable)

    heard.hears = True  # type: ignore[attr-defined]
    sys.unraisablehook = heard


def _stand_back() -> None:
    """Leave the variable as the user had it: the pytest that a test starts has tests of its own, which are not the project's.

    Only where tests are collected: the workers of xdist are told of us by the variable of their master.
    """
    options = os.environ.get(OPTIONS, "").rpartition("-p asyncfix_recorder")[0].strip()
    if options:
        os.environ[OPTIONS] = options
    else:
        os.environ.pop(OPTIONS, None)


_folder = Path(os.environ[FOLDER])
_settings: dict[str, Any] = json.loads((_folder / "settings.json").read_text(encoding="utf-8"))
_lines = Lines(_settings["files"])
_lines.follow()


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(early_config: Any) -> Any:
    """Before Python 3.12 only one can follow lines: pytest-cov stands back, in workers too."""
    if sys.version_info < (3, 12):
        early_config.known_args_namespace.no_cov = True
        early_config.option.no_cov = True
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: Any) -> None:
    """The first cleanup to be registered is done last, after those of pytest's own plugins."""
    recorder = Recorder(_folder, _settings, _lines, config)
    config.add_cleanup(recorder.finish)
    config.pluginmanager.register(recorder, "asyncfix-recorder-session")
    _hear_unawaited(recorder)
