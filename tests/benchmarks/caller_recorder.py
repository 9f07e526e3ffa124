"""A pytest plugin that writes down which function of a project called which: for `caller_edges`, loaded with ``-p``.

It runs in the environment of whoever runs the tests, imports the standard library and pytest alone, and needs Python 3.11.
The folder that the variable CALLER_EDGES names holds ``files.json``: absolute paths of the files whose functions count.
Each process writes one ``<pid>.json`` there:

    functions  [path, qualified name, first line, line and column of its first expression], by number
    entered    [callee, caller, direct, line and column where the place of the call ends, caller of the caller or -1]
    ran        [function, whether it is a call, line and column where an expression ends that was worked out]
    doubled    [function, line and column where the call of a mock ends]

Columns are bytes of UTF-8 and count from 0. A caller is the nearest function of the project; ``direct`` if no library stands
between. A generator, or a coroutine, is entered where it is first run: its caller is direct if it names it.
"""

from __future__ import annotations

import dis
import inspect
import json
import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

FOLDER = "CALLER_EDGES"
LAZY = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
CALLS = ("CALL", "CALL_FUNCTION_EX", "CALL_KW")
NO_WORK = ("JUMP", "POP_", "RETURN", "COPY", "RESUME", "PUSH_NULL", "NOP", "CACHE", "PRECALL", "KW_NAMES")
FOREIGN = -1
DOUBLE = -2


class Edges:
    """Who entered whom, in all threads of this process."""

    def __init__(self, files: frozenset[str]) -> None:
        self.files = files
        self.codes: list[CodeType] = []
        self.entered: set[tuple[int, int, bool, int, int]] = set()
        self.doubled: set[tuple[int, int]] = set()
        self._numbers: dict[int, int] = {}
        self._kept: list[CodeType] = []  # so that no other takes over an id
        self._ran: list[set[int]] = []
        self._tracers: list[Any] = []

    def follow(self) -> None:
        """Begin, or begin again where something else has taken the place of our trace function."""
        if sys.gettrace() != self._called:
            threading.settrace(self._called)
            sys.settrace(self._called)

    def record(self) -> dict[str, Any]:
        """All that is known, as it is written."""
        places = [list(code.co_positions()) for code in self.codes]

        def end(number: int, offset: int) -> list[int]:
            _, line, _, column = places[number][offset // 2]
            return [line or 0, column or 0]

        ran: set[tuple[int, ...]] = set()
        for number, offsets in enumerate(self._ran):
            code = self.codes[number].co_code
            for offset in offsets:
                name = dis.opname[code[offset]]
                if not name.startswith(NO_WORK) and "JUMP" not in name:
                    ran.add((number, name in CALLS, *end(number, offset)))
        return {
            "functions": [_described(code) for code in self.codes],
            "entered": [
                [callee, caller, direct, *end(caller, at), above] for callee, caller, direct, at, above in self.entered
            ],
            "ran": sorted(ran),
            "doubled": [[number, *end(number, at)] for number, at in self.doubled],
        }

    def _called(self, frame: FrameType, _event: str, _argument: object) -> Any:
        number = self._number(frame.f_code)
        if number == FOREIGN:
            return None
        if number == DOUBLE:
            back = frame.f_back
            caller = self._number(back.f_code) if back is not None else FOREIGN
            if back is not None and caller >= 0:
                self.doubled.add((caller, back.f_lasti))
            return None
        code = frame.f_code
        if not code.co_flags & LAZY or code.co_code[frame.f_lasti + 1] == 0:  # else it goes on after a yield
            self._enter(number, frame)
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self._tracers[number]

    def _enter(self, number: int, frame: FrameType) -> None:
        back = frame.f_back
        direct = True
        while back is not None and self._number(back.f_code) < 0:
            direct = False
            back = back.f_back
        if back is None:
            return
        code = frame.f_code
        if code.co_flags & LAZY and not code.co_name.startswith("__"):
            direct = direct and code.co_name in (
                *back.f_code.co_names,
                *back.f_code.co_freevars,
                *back.f_code.co_varnames,
            )
        above = back.f_back
        while above is not None and self._number(above.f_code) < 0:
            above = above.f_back
        second = self._number(above.f_code) if above is not None else FOREIGN
        self.entered.add((number, self._number(back.f_code), direct, back.f_lasti, second))

    def _number(self, code: CodeType) -> int:
        found = self._numbers.get(id(code))
        if found is None:
            found = self._numbers[id(code)] = self._new(code)
            self._kept.append(code)
        return found

    def _new(self, code: CodeType) -> int:
        if Path(code.co_filename).parts[-2:] in (("unittest", "mock.py"), ("mock", "mock.py")):  # or its backport
            return DOUBLE if code.co_name in ("__call__", "__get__") else FOREIGN
        if os.path.realpath(code.co_filename) not in self.files:
            return FOREIGN
        ran: set[int] = set()

        def tracer(frame: FrameType, event: str, _argument: object) -> Any:
            if event == "opcode":
                ran.add(frame.f_lasti)
            return tracer

        self.codes.append(code)
        self._ran.append(ran)
        self._tracers.append(tracer)
        return len(self.codes) - 1


def _described(code: CodeType) -> list[Any]:
    """Path, qualified name, first line, and where its own first expression begins."""
    name = getattr(code, "co_qualname", code.co_name)
    known = [
        (line, column) for line, _, column, _ in code.co_positions() if line and column is not None and column >= 0
    ]
    own = [place for place in known if place != (code.co_firstlineno, 0)]
    first = min(own or known or [(code.co_firstlineno, 0)])
    return [os.path.realpath(code.co_filename), name, code.co_firstlineno, *first]


class Session:
    """The hooks of one session."""

    def pytest_runtest_logstart(self) -> None:
        _edges.follow()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        _write()


def _write() -> None:
    path = _folder / f"{os.getpid()}.json"
    path.write_text(json.dumps(_edges.record()), encoding="utf-8")


_folder = Path(os.environ[FOLDER])
_edges = Edges(frozenset(json.loads((_folder / "files.json").read_text(encoding="utf-8"))))
_edges.follow()


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(early_config: Any) -> Any:
    """Only one can trace: pytest-cov stands back."""
    early_config.known_args_namespace.no_cov = True
    early_config.option.no_cov = True
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: Any) -> None:
    config.pluginmanager.register(Session(), "caller-recorder-session")
