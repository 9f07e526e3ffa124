"""The measurement of caller edges counts what ran, what the link knows of it, and what it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.harness import project

APP = b"""
class Store:
    def load(self):
        return 1

    def rarely(self):
        return 2


def known(store: Store, more=False):
    return store.load() + (store.rarely() if more else 0)


def dynamic(store):
    return getattr(store, "lo" + "ad")()
"""
TESTS = b"""
from unittest import mock

import app


def test_known():
    assert app.known(app.Store()) == 1


def test_dynamic():
    assert app.dynamic(app.Store()) == 1


def test_mocked():
    with mock.patch("app.known", lambda store: 5):
        assert app.known(None) == 5
"""


def test_direct_calls_are_counted_once_each_and_only_what_ran_is_judged(tmp_path: Path) -> None:
    """Two calls by the tests and one in `known`; the dynamic one has no edge, the one that did not run counts nowhere."""
    made = project(tmp_path, {"app.py": APP, "test_app.py": TESTS})
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
    measured = [sys.executable, "-m", "tests.benchmarks.caller_edges", str(made.root), "--", *command]
    done = subprocess.run(measured, cwd=root, capture_output=True, text=True, check=True)
    assert "3 passed" in done.stdout
    assert "recall 75.0% of 4 pairs" in done.stdout
    assert "possible     1  method by builtin .()" in done.stdout
    assert "app.py:15 -> app.Store.load" in done.stdout
    assert "precision 100.0% of 3 edges" in done.stdout
