"""What is overlapped gives the same result, or the same error, in whatever order its parts come to run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import shuffled
from tests.casefile import Case
from tests.test_cases import CASES as ALL
from tests.test_cases import converted, no_workers, printed, project, write

OVERLAPS = re.compile(r"^\+.*\b(?:join_in_order|gather_bounded|gather|TaskGroup)\(", re.MULTILINE)
# Cases of migration overlap only in passing, and their servers and doubles note in what order they are asked.
OVERLAPPING = [
    case for case in ALL if case.run and OVERLAPS.search(case.diff) and not case.path.stem.startswith("migrate")
]
TIMES = 100

__all__ = ["no_workers"]  # a fixture for all tests of this module, too


@pytest.mark.parametrize("case", OVERLAPPING, ids=lambda case: f"{case.path.stem}: {case.name}")
def test_order_does_not_matter(case: Case, tmp_path: Path) -> None:
    """A hundred runs, each with what is ready in an order of its own and small delays, do what the original did."""
    before, after = project(case, tmp_path / "before"), project(case, tmp_path / "after")
    write(after, converted(after, case))
    command = [sys.executable, "-B", shuffled.__file__, case.run, str(TIMES)]
    result = subprocess.run(command, cwd=after, capture_output=True, text=True, timeout=200, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout == printed(case, before)


def test_other_orders_are_tried(tmp_path: Path) -> None:
    """The loop that shuffles shows what depends on an order."""
    code = (
        "import asyncio\n"
        "async def say(word): print(word, end='')\n"
        "async def main(): await asyncio.gather(say('a'), say('b'))\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-B", shuffled.__file__, code, str(TIMES)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "abba"
