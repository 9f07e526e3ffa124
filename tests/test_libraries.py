"""Cases whose programs need libraries of others: what they print is the same before and after, where these are installed."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests import casefile
from tests.test_cases import FOLDER, converted, no_workers, project, write

__all__ = ["no_workers"]  # a fixture

CASES = [
    ("blocking_cpu.md", "all of them, with the libraries", ("argon2", "bcrypt", "pandas", "PIL")),
    ("migrate_decorators.md", "what is cached, where async-lru is declared", ("async_lru",)),
    ("migrate_retries.md", "decorators that retry", ("backoff", "stamina", "tenacity")),
]


@pytest.mark.parametrize(("file", "name", "needs"), CASES, ids=[name for _, name, _ in CASES])
def test_still_does_what_it_did(
    file: str, name: str, needs: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for each in needs:
        pytest.importorskip(each)
    case = next(case for case in casefile.read(FOLDER / file) if case.name == name)
    before, after = project(case, tmp_path / "before"), project(case, tmp_path / "after")
    outcome = converted(after, case)
    assert outcome.files
    write(after, outcome)
    assert run(after, capsys) == run(before, capsys)


def run(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the program of a project prints."""
    runpy.run_path(str(root / "app.py"), run_name="__main__")
    return capsys.readouterr().out
