"""Programs that must stay as they are: each with the reason, and a run that shows what overlapping would do to it.

The files of `tests/cases/must_refuse` are read as all case files are (see `tests.casefile`): the heading is the reason, the
text what is reported. In files of the name `offered*.md` are those whose effects nothing shows: offered as UNSAFE, never SAFE;
all others are refused, with `--unsafe` too.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import casefile
from tests.casefile import Case
from tests.naive import overlapped
from tests.test_cases import UPDATE, converted, listed, looked_at, no_workers, printed, project

FOLDER = Path(__file__).parent / "cases" / "must_refuse"
CASES = [case for path in sorted(FOLDER.glob("*.md")) for case in casefile.read(path)]
RUN = [case for case in CASES if case.run]
ATTEMPTS = 5  # of a naive overlap that goes wrong only now and then

__all__ = ["no_workers"]  # a fixture for all tests of this module, too


def is_offered(case: Case) -> bool:
    return case.path.stem.startswith("offered")


def named(case: Case) -> str:
    return f"{case.path.stem}: {case.name}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_stays_as_it_is(case: Case, tmp_path: Path) -> None:
    """No Change is SAFE; where nothing is offered, nothing changes with `--unsafe` either."""
    root = project(case, tmp_path / "project")
    outcome = looked_at(root, case)
    report = listed(outcome)
    if UPDATE:
        casefile.refresh(case.path, case.name, "text", report)
    else:
        assert report == case.report
    assert "safe" not in [change.safety for change in outcome.changes]
    assert is_offered(case) or converted(root, case).files == ()


@pytest.mark.parametrize("case", RUN, ids=named)
def test_overlapping_would_break_it(case: Case, tmp_path: Path) -> None:
    """With everything overlapped that no name forbids, it does something else: that is why it must stay."""
    before, naive = project(case, tmp_path / "before"), project(case, tmp_path / "naive")
    (naive / "app.py").write_text(overlapped(case.files["app.py"]), encoding="utf-8")
    expected = printed(case, before)
    assert any(seen(case, naive) != (0, expected) for _ in range(ATTEMPTS))


def seen(case: Case, root: Path) -> tuple[int, str]:
    """How a run that may fail ends, and what it prints."""
    result = subprocess.run(
        [sys.executable, "-B", "-c", case.run], cwd=root, capture_output=True, text=True, timeout=30, check=False
    )
    return result.returncode, result.stdout


def test_there_are_programs_enough() -> None:
    assert len([case for case in CASES if not is_offered(case)]) >= 80
    assert len({case.name for case in CASES}) == len(CASES)
