"""Effects: what code runs is what following every call would tell, and none of it outlives the look at the project."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from asyncfix.effects.reach import Effects
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Span
from tests.benchmarks.caller_edges import linked
from tests.harness import project

APP = b"""class Store:
    def __init__(self):
        self.rows = []

    def put(self, row):
        self.rows.append(self.made(row))
        return self

    def made(self, row):
        return self.put(row) if row else leaf()


class Other(Store):
    def made(self, row):
        return twice(leaf())


def leaf():
    return 1


def twice(value):
    return thrice(value) if value else leaf()


def thrice(value):
    return twice(value)


def top(store: Store):
    return twice(Store().put(leaf())), store.put(thrice(leaf())), top


def made():
    Store().put(1)


def given(store: Store):
    store.put(1)
"""


def reached(index: ProjectIndex, function: str, span: Span) -> set[str]:
    """What code runs, every call followed for itself."""
    found = {edge.callee for edge in index.calls.get(function, ()) if span.contains(edge.span)}
    pending = list(found)
    while pending:
        new = {edge.callee for edge in index.calls.get(pending.pop(), ())} - found
        found |= new
        pending += new
    return found


def test_what_code_runs_is_what_following_its_calls_tells(tmp_path: Path) -> None:
    """Of any part of a function, whatever was asked before."""
    _, index = linked(project(tmp_path, {"app.py": APP}).root)
    parts = [(name, index.fact(name).span) for name in index.functions]
    parts += [(name, edge.span) for name, edges in index.calls.items() for edge in edges]
    for order in (parts, parts[::-1]):
        effects = Effects(index)
        for name, span in order:
            assert {run for run, _ in effects.run(name, span)} == reached(index, name, span)


def test_objects_that_code_makes_are_told_from_those_it_is_given(tmp_path: Path) -> None:
    _, index = linked(project(tmp_path, {"app.py": APP}).root)
    found = Effects(index).run("app.made", None)
    assert {("app.Store.__init__", True), ("app.Store.put", True), ("app.Store.made", True)} <= found
    assert ("app.Store.put", False) not in found
    assert ("app.Store.put", False) in Effects(index).run("app.given", None)


def test_effects_go_when_nobody_holds_them(tmp_path: Path) -> None:
    """The garbage collector is off while the project is looked at, and each round has its own."""
    _, index = linked(project(tmp_path, {"app.py": APP}).root)
    gc.disable()
    try:
        effects = Effects(index)
        assert effects.writers("app.Store.rows")
        effects.run("app.top", None)
        held = weakref.ref(effects)
        del effects
        assert held() is None
    finally:
        gc.enable()
