"""Landing the bridge first and going native later comes to what going native at once does: for every call of requests that
has a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncfix import workers
from asyncfix.outcome import Options
from asyncfix.pipeline import run
from tests.casefile import Case
from tests.test_cases import CASES, in_process, project, write

HTTP = [case for case in CASES if case.path.stem in ("blocking_http", "migrate_strategies")]


@pytest.mark.parametrize("case", HTTP, ids=lambda case: f"{case.path.stem}: {case.name}")
def test_the_bridge_first(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "run", in_process)
    at_once, later = project(case, tmp_path / "at_once"), project(case, tmp_path / "later")
    converted(at_once, case, "native")
    converted(later, case, "thread")
    converted(later, case, "native")
    assert files(later) == files(at_once)


def converted(root: Path, case: Case, strategy: str) -> None:
    """All changes, written to the project."""
    options = Options(
        paths=(str(root),),
        mode="diff",
        unsafe=True,
        use_cache=False,
        workers=1,
        ignore=("sequential-awaits", "await-in-loop"),  # what these overlap is no bridge any more that goes native
        strategy=(f"requests={strategy}",),
        migrate=case.migrates,
    )
    write(root, run(options))


def files(root: Path) -> dict[str, str]:
    """Texts by path."""
    found = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes().decode("latin-1") for path in found}


def test_there_are_cases_enough() -> None:
    assert len(HTTP) >= 25
