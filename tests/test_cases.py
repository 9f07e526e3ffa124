"""Every case of `tests/cases`: the diff, the report, and the same behaviour before and after.

With the environment variable ASYNCFIX_UPDATE_CASES=1 the diffs and reports are written into the case files instead of
being compared: read them before you commit them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from functools import cache
from pathlib import Path

import pytest

from asyncfix import catalog, workers
from asyncfix.model import Finding
from asyncfix.outcome import Options, Outcome
from asyncfix.pipeline import run
from tests import casefile
from tests.casefile import Case

FOLDER = Path(__file__).parent / "cases"
PROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
NOTHING = "nothing found\n"
EVERY_RULE = ("ALL", "blocking-metadata", "sequential-awaits", "ensure-future", "wait-for")
UPDATE = os.environ.get("ASYNCFIX_UPDATE_CASES") == "1"
if UPDATE and "PYTEST_XDIST_WORKER" in os.environ:
    pytest.exit("several workers would write one case file: run with -n 0")

CASES = [case for path in sorted(FOLDER.glob("*.md")) for case in casefile.read(path)]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.path.stem}: {case.name}")


def in_process(
    task: Callable[[bytes], bytes], items: Sequence[bytes], **_: object
) -> Generator[tuple[int, bytes | workers.Failure], None, None]:
    """Stands for `workers.run`: no worker process is started for files as small and kind as these."""
    yield from enumerate(map(task, items))


@pytest.fixture(autouse=True)
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of a few milliseconds: in this process, and with one catalog for all that state the same APIs."""
    monkeypatch.setattr(workers, "run", in_process)
    monkeypatch.setattr(catalog, "build", built)


built = cache(catalog.build)


# ---------------------------------------------------------------------------------------------------------------- tests


@each_case
def test_shows_what_the_case_says(case: Case, tmp_path: Path) -> None:
    """The report and the diff are those of the case, and a second run has nothing more to do."""
    root = project(case, tmp_path / "project")
    report, outcome = listed(looked_at(root, case)), converted(root, case)
    diff = shown(outcome)
    write(root, outcome)
    again = converted(root, case)
    if UPDATE:
        casefile.refresh(case.path, case.name, "text", report)
        casefile.refresh(case.path, case.name, "diff", diff)
    else:
        assert (report, diff) == (case.report, case.diff)
    assert outcome.errors == ()
    assert shown(again) == ""


@each_case
def test_every_rule_together_comes_to_an_end(case: Case, tmp_path: Path) -> None:
    """With all rules on, none of them finds anything in what they wrote, and all of it compiles."""
    root = project(case, tmp_path / "project")
    outcome = converted(root, case, unsafe=True, extend_select=EVERY_RULE)
    write(root, outcome)
    for item in outcome.files:
        if item.path.endswith(".py"):
            compile(item.new, item.path, "exec")
    assert outcome.errors == ()
    assert shown(converted(root, case, unsafe=True, extend_select=EVERY_RULE)) == ""


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.run], ids=lambda case: f"{case.path.stem}: {case.name}"
)
def test_still_does_what_it_did(case: Case, tmp_path: Path) -> None:
    """What the run of the case prints is the same for the original and for the converted project."""
    before, after = project(case, tmp_path / "before"), project(case, tmp_path / "after")
    outcome = converted(after, case)
    write(after, outcome)
    assert outcome.files
    assert printed(case, after) == printed(case, before)


def test_there_are_cases_enough() -> None:
    """The case files are found, and no two cases of a file have the same name."""
    assert len(CASES) == len({(case.path, case.name) for case in CASES}) >= 120


# ------------------------------------------------------------------------------------------------------------ machinery


def project(case: Case, root: Path) -> Path:
    """The files of a case in a folder."""
    for path, text in {"pyproject.toml": PROJECT, **case.files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8", newline="")
    return root


def looked_at(root: Path, case: Case) -> Outcome:
    return run(Options(paths=(str(root),), use_cache=False, workers=1, migrate=case.migrates))


def converted(
    root: Path, case: Case, *, unsafe: bool = False, extend_select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()
) -> Outcome:
    """What `--diff` makes of a project."""
    options = Options(
        paths=(str(root),),
        mode="diff",
        unsafe=unsafe or case.unsafe,
        use_cache=False,
        workers=1,
        extend_select=extend_select,
        ignore=ignore,
        migrate=case.migrates,
    )
    return run(options)


def write(root: Path, outcome: Outcome) -> None:
    for item in outcome.files:
        (root / item.path).parent.mkdir(parents=True, exist_ok=True)
        (root / item.path).write_bytes(item.new)


def shown(outcome: Outcome) -> str:
    """The patch without generated modules, which have tests of their own."""
    parts = re.split(r"^(?=diff --git )", outcome.patch.decode(), flags=re.MULTILINE)
    return "".join(part for part in parts if "\nnew file mode " not in part)


def listed(outcome: Outcome) -> str:
    """The findings, one line each, with what may be done about them."""
    return "".join(f"{line(finding, outcome)}\n" for finding in outcome.findings) or NOTHING


def line(finding: Finding, outcome: Outcome) -> str:
    path = finding.message.partition("blocks the event loop: ")[2]
    where = f"{finding.place.path}:{finding.place.line} {finding.rule}{f' ({path})' if path else ''}"
    for refusal in outcome.refusals:
        if refusal.finding == finding:
            return f"{where} refused {refusal.reason}: {refusal.message}"
    for change in outcome.changes:
        if change.id == finding.change:
            return f"{where} {change.safety}{': ' if change.reasons else ''}{'; '.join(change.reasons)}"
    return where


def printed(case: Case, root: Path) -> str:
    """What the run of a case prints in a project."""
    result = subprocess.run(
        [sys.executable, "-B", "-c", case.run], cwd=root, capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
