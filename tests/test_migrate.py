"""``--migrate``: what it takes, what it leaves, and that the tests of a migrated project still run and still test."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from asyncfix import registry
from tests.harness import PYPROJECT, project

LIBRARY = b"import time\n\n\ndef nap():\n    time.sleep(0.01)\n    return 1\n\n\ndef doze():\n    time.sleep(0)\n    return 2\n"
PROGRAM = b"from lib import doze, nap\n\n\ndef one():\n    return nap()\n\n\ndef two():\n    return doze()\n"
TESTS = b"""import unittest

import program


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.one = program.one()

    def test_one(self):
        self.assertEqual(self.one, 1)

    def test_two(self):
        self.assertEqual(program.two(), EXPECTED)
"""
FILES = {"pyproject.toml": PYPROJECT, "lib.py": LIBRARY, "program.py": PROGRAM}


def test_nothing_that_is_sync_turns_without_it(tmp_path: Path) -> None:
    """The line at the end says how many calls it would take."""
    here = project(tmp_path, FILES)
    done = here.run("--diff", "--unsafe")
    assert (done.code, done.out) == (0, b"")
    assert "2 blocking calls in sync code that no async code reaches left alone (see --migrate)" in done.err


@pytest.mark.parametrize(("paths", "left"), [((), 3), (("lib.py",), 2), (("other.py",), 1), (("test_lib.py",), 0)])
def test_the_report_says_how_many_calls_it_would_take(tmp_path: Path, paths: tuple[str, ...], left: int) -> None:
    """As many as it then finds: none of tests, of async code and what that runs, of lines with a comment, of other paths."""
    other = (
        b"import time\n\nfrom lib import nap\n\n\ndef a():\n    time.sleep(1)\n    time.sleep(2)  # asyncfix: ignore\n"
    )
    used = b"\n\ndef helper():\n    time.sleep(3)\n\n\nasync def main():\n    helper()\n"
    tests = b"import time\n\nimport lib\n\n\ndef test_nap():\n    time.sleep(0)\n    assert lib.nap() == 1\n"
    here = project(tmp_path, {**FILES, "other.py": other + used, "test_lib.py": tests})
    told = here.run(*paths)
    line = f"{left} blocking call{'s' if left > 1 else ''} in sync code that no async code reaches left alone (see --migrate)"
    assert (line in told.err) == bool(left)
    assert here.run(*paths, "--output-format", "json").json["sync_sites"] == left
    taken = here.run(*paths, "--migrate", "--output-format", "json").json
    assert taken["sync_sites"] == 0
    assert sum(finding["message"] == "time.sleep blocks, and could be awaited" for finding in taken["findings"]) == left


def test_a_root_limits_it(tmp_path: Path) -> None:
    """Only what the function reaches is taken, and what that needs."""
    here = project(tmp_path, FILES)
    assert here.run("--migrate", "--root", "program:one", "--apply", "--unsafe").code == 0
    files = here.files()
    assert b"async def nap()" in files["lib.py"] and b"\ndef doze()" in files["lib.py"]
    assert b"async def one()" in files["program.py"] and b"\ndef two()" in files["program.py"]


def test_a_root_that_is_no_function_is_an_error(tmp_path: Path) -> None:
    """One line that names the nearest; nothing would be migrated otherwise, in silence."""
    done = project(tmp_path, FILES).run("--migrate", "--root", "program:onne", "--diff")
    assert (done.code, done.out) == (2, b"")
    assert "--root: no function here is called `program.onne`, did you mean `program.one`?" in done.err


def test_a_root_goes_with_migrate(tmp_path: Path) -> None:
    done = project(tmp_path, FILES).run("--root", "program:one")
    assert (done.code, done.out) == (2, b"") and "--root goes with --migrate" in done.err


@pytest.mark.parametrize(("expected", "code"), [(b"2", 0), (b"3", 1)])
def test_unittests_still_test(tmp_path: Path, expected: bytes, code: int) -> None:
    """A failing test fails after the migration too: an async method of a plain TestCase would pass."""
    here = project(tmp_path, {**FILES, "test_program.py": TESTS.replace(b"EXPECTED", expected)})
    for applied in (False, True):
        if applied:
            assert here.run("--migrate", "--apply", "--unsafe").code == 0
            assert b"async def asyncSetUp(self)" in here.files()["test_program.py"]
        command = [sys.executable, "-W", "error", "-m", "unittest", "-q"]
        assert subprocess.run(command, cwd=here.root, check=False, capture_output=True).returncode == code
    assert here.run("--migrate", "--diff", "--unsafe").out == b""


def test_boundaries_are_found_and_say_what_they_do() -> None:
    """One file each, with a docstring."""
    modules = [inspect.getmodule(boundary) for boundary in registry.boundaries()]
    assert len(modules) >= 3
    assert all(module is not None and ast.get_docstring(ast.parse(inspect.getsource(module))) for module in modules)
