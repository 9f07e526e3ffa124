"""``--change``: one Change is landed, by an id that survives whatever else lands."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncfix.model import Change
from asyncfix.outcome import Options
from asyncfix.pipeline import run
from tests.harness import OVERLAP, PYPROJECT, Project, project

ALIKE = b"""import time

import requests


def sync(url):
    time.sleep(1)
    below(url)
    time.sleep(1)


def below(url):
    return requests.get(url)


async def many(url):
    time.sleep(1)
    time.sleep(1)
    time.sleep(1)
    with open(url) as file:
        file.read()
    with open(url) as file:
        file.read()
    requests.get(url)
    requests.get(url)
"""
BARRED = b"""import subprocess
import time


def rank(name):
    time.sleep(1)
    return len(name)


def first(names):
    return sorted(names, key=rank)[0]


def run(words):
    return subprocess.run(words).returncode


def main():
    return first(["b", "a"]), run(["true"])
"""


def planned(here: Project) -> dict[str, Change]:
    """What ``--migrate`` offers, by id."""
    outcome = run(Options((str(here.root),), migrate=True, use_cache=False, workers=1))
    return {change.id: change for change in outcome.changes}


@pytest.mark.parametrize("number", range(9))
def test_ids_survive_the_landing_of_another_change(number: int, tmp_path: Path) -> None:
    """Even among calls that look alike, and where the other one has turned the function."""
    here = project(tmp_path, {"app.py": ALIKE})
    before = planned(here)
    landed = sorted(before)[number]
    assert here.run("--apply", "--change", landed).code == 0
    after = planned(here)
    assert before.keys() - {landed} <= after.keys()
    assert landed not in after
    assert {name: after[name].title.partition(":")[0] for name in before if name != landed} == {
        name: change.title.partition(":")[0] for name, change in before.items() if name != landed
    }


def test_ids_survive_where_another_change_has_made_the_caller_async(tmp_path: Path) -> None:
    """What a barrier keeps sync is handed to a thread in the same function as before: the lowest that can turn."""
    here = project(tmp_path, {"app.py": BARRED})
    before = planned(here)
    (landed,) = (name for name, change in before.items() if "app.run" in change.title)
    assert here.run("--apply", "--change", landed).code == 0
    assert planned(here).keys() == before.keys() - {landed}


def test_ids_survive_that_lines_move(tmp_path: Path) -> None:
    here = project(tmp_path, {"app.py": ALIKE})
    before = planned(here)
    (here.root / "app.py").write_bytes(
        b'"""Moved."""\n\n' + ALIKE.replace(b"def below", b"def new():\n    pass\n\n\ndef below")
    )
    assert planned(here).keys() == before.keys()


def test_all_of_them_land_one_by_one(tmp_path: Path) -> None:
    """A Change of a function that another has turned falls apart into one for each call, of which the first keeps the id."""
    here = project(tmp_path, {"app.py": ALIKE})
    landed: list[str] = []
    while left := planned(here).keys() - landed:
        landed.append(min(left))
        assert here.run("--apply", "--change", landed[-1], "--allow-dirty").code == 0
    assert len(landed) == 10  # requests whose answers nobody uses are not overlapped when they have become awaits
    assert here.run("--migrate", "--unsafe", "--diff").out == b""


def test_naming_a_change_takes_it_though_it_is_unsafe(tmp_path: Path) -> None:
    """And no other one; ids are listed with commas, or one option each."""
    here = project(tmp_path, {"app.py": ALIKE})
    unsafe = sorted(name for name, change in planned(here).items() if change.safety == "unsafe")
    assert len(unsafe) == 2
    both = here.run("--diff", "--change", ",".join(unsafe))
    assert both.out == here.run("--diff", "--change", unsafe[0], "--change", unsafe[1]).out
    assert (
        b"+async def sync" in both.out and b"+async def below" in both.out and both.out.count(b"-    time.sleep") == 2
    )


def test_a_change_takes_what_it_needs_along(tmp_path: Path) -> None:
    """One that comes up only once another is in can be named, too."""
    pyproject = PYPROJECT + b'[tool.asyncfix]\nextend-select = ["sequential-awaits"]\n'
    here = project(tmp_path, {"app.py": OVERLAP, "pyproject.toml": pyproject})
    outcome = run(Options((str(here.root),), mode="diff", unsafe=True, migrate=True, use_cache=False, workers=1))
    (overlap,) = [change for change in outcome.changes if change.rule == "sequential-awaits"]
    assert len(overlap.needs) == 1
    done = here.run("--diff", "--change", overlap.id)
    assert done.out == outcome.patch and b"join_in_order" in done.out
    assert b"join_in_order" not in here.run("--diff", "--change", overlap.needs[0]).out


def test_an_id_that_there_is_not_is_an_error(tmp_path: Path) -> None:
    """With the nearest one; nothing is written."""
    here = project(tmp_path, {"app.py": ALIKE})
    name = min(planned(here))
    done = here.run("--apply", "--change", f"{name[:-1]}_")
    assert (done.code, done.out) == (2, b"")
    assert f"--change: no change is called `{name[:-1]}_`, did you mean `{name}`?" in done.err
    assert here.files()["app.py"] == ALIKE


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--change goes with --diff or --apply"),
        (("--apply", "--interactive"), "--change and --interactive exclude"),
    ],
)
def test_wrong_company(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = project(tmp_path, {"app.py": ALIKE}).run(*words, "--change", "x")
    assert done.code == 2 and message in done.err
