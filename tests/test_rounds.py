"""What later rounds say: places count in the files as they were, and every Change has a finding and keeps its id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.harness import OVERLAP, project

TWO_SLEEPS = b'''"""A docstring."""

import time


async def f(path, seconds):
    with open(path) as file:
        text = file.read()
    time.sleep(1)
    try:
        time.sleep(seconds)
    except ValueError:
        return None
    with open(path) as file:
        return text, file.read()
'''


def documents(tmp_path: Path, text: bytes, *flags: str) -> list[dict[str, Any]]:
    """The report as JSON, without a mode and then with ``--apply``."""
    here = project(tmp_path, {"app.py": text})
    return [here.run("--output-format", "json", *flags, *mode).json for mode in ((), ("--apply",))]


def test_a_change_keeps_its_id_whatever_round_it_waits_for(tmp_path: Path) -> None:
    """The second sleep stays the second one when the first has been mended."""
    plain, applied = documents(tmp_path, TWO_SLEEPS)
    assert plain["findings"] == applied["findings"]
    assert {item["id"] for item in plain["changes"]} == {item["id"] for item in applied["changes"]}
    (held_back,) = [item for item in applied["findings"] if item["safety"] == "unsafe"]
    assert held_back["line"] == 11
    assert held_back["change"] in {item["id"] for item in applied["changes"]}


def test_what_a_later_round_finds_is_told_by_the_original_place(tmp_path: Path) -> None:
    """Two calls that came to be awaited are overlapped: the finding stands where the first of them stood."""
    _, applied = documents(tmp_path, OVERLAP, "--extend-select", "sequential-awaits", "--unsafe")
    (finding,) = [item for item in applied["findings"] if item["rule"] == "sequential-awaits"]
    (change,) = [item for item in applied["changes"] if item["id"] == finding["change"]]
    assert (finding["path"], finding["line"]) == ("app.py", 9)
    assert change["needs"] == [item["change"] for item in applied["findings"] if item["line"] == 10]


def test_refusals_are_told_by_the_original_place(tmp_path: Path) -> None:
    """What is refused stands further down in the changed file, and is told by the line that the user has."""
    text = TWO_SLEEPS + b"\n\nasync def g():\n    file = open('x')\n    return [line for line in file], file\n"
    plain, applied = documents(tmp_path, text)
    assert [item["line"] for item in applied["refusals"]] == [item["line"] for item in plain["refusals"]] == [19]
