"""The gate: a sound conversion passes, and each kind of broken one is seen by the clause that is there for it."""

from __future__ import annotations

import difflib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from asyncfix import pipeline, vcs
from asyncfix.outcome import FileResult, Lines, Options, Outcome
from asyncfix.verify import gate
from asyncfix.verify.copies import copy
from asyncfix.verify.roots import roots
from tests.harness import Project, Tree, project

APP = b'''"""Waits."""

import time

LOUD = False
CASES = (0,)


async def nap(seconds):
    time.sleep(seconds)
    return seconds


async def never():
    time.sleep(9)
'''
TESTS = b"""import asyncio
import unittest

import pytest

from app import work


@pytest.mark.parametrize("seconds", work.CASES)
def test_nap(seconds):
    assert asyncio.run(work.nap(seconds)) == seconds


def test_quiet():
    if work.LOUD:
        pytest.skip("too loud")


class TestPlain(unittest.TestCase):
    def test_plain(self):
        assert self
"""
TREE = {"app/__init__.py": b"", "app/work.py": APP, "tests/test_work.py": TESTS}
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")

PLAIN = gate.Demands()
FROM_COPY = "touched modules come from the copy"
COLLECTED = "the same tests are collected"
SKIPPED = "no test is newly skipped"
PASSED = "what passed before passes"
WARNED = "nothing is left unawaited, unraisable or unclosed"
COVERED = "line coverage of touched source drops by at most 1 point"
RAN = "changed lines that ran before run after"
SITES = "a changed blocking site ran"
AGAIN = "a second run changes nothing"


@pytest.fixture(autouse=True)
def own_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of the small projects run without the plugins of this environment."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Tree], Project]:
    """Makes a project and goes there."""

    def make(tree: Tree) -> Project:
        made = project(tmp_path, tree)
        monkeypatch.chdir(made.root)
        return made

    return make


def converted() -> tuple[Outcome, Options]:
    """What asyncfix makes of the current folder."""
    options = Options(mode="diff", unsafe=True, use_cache=False, workers=1)
    return pipeline.run(options), options


def verify(
    tamper: Callable[[Outcome], Outcome] = lambda outcome: outcome,
    command: tuple[str, ...] = PYTEST,
    demands: gate.Demands = PLAIN,
) -> gate.Verdict:
    """The verdict on what asyncfix makes of the current folder, after somebody tampered with it."""
    outcome, options = converted()
    return gate.verify(tamper(outcome), options, command, demands, lambda line: None)


def told(verdict: gate.Verdict) -> dict[str, str]:
    """The clauses that failed, with their figures and details in one text."""
    return {item.name: "\n".join((item.figure, *item.details)) for item in verdict.clauses if item.holds is False}


def putting(old: bytes, new: bytes, path: str = "app/work.py") -> Callable[[Outcome], Outcome]:
    """Tampers with the new bytes of one file, which the run need not have changed."""

    def tamper(outcome: Outcome) -> Outcome:
        known = {item.path: item for item in outcome.files}
        file = known.get(path, FileResult(path, TREE[path], TREE[path]))
        files = known | {path: replaced(file, old, new)}
        return msgspec.structs.replace(outcome, files=tuple(files.values()))

    return tamper


def replaced(file: FileResult, old: bytes, new: bytes) -> FileResult:
    """The file with something else in place of what stands on one of its new lines, and the lines that go with that."""
    before, after = file.new.split(old)
    at, grown = before.count(b"\n") + 1, new.count(b"\n")
    lines = [
        Lines(
            each.old,
            each.removed,
            each.new + (grown if at < each.new else 0),
            each.added + (grown if at == each.new else 0),
        )
        for each in file.lines
    ]
    if at not in {each.new for each in file.lines}:
        shift = sum(each.added - each.removed for each in file.lines if each.new < at)
        lines.append(Lines(at - shift, 1, at, 1 + grown))
    return FileResult(file.path, file.old, before + new + after, tuple(sorted(lines, key=lambda each: each.new)))


# ------------------------------------------------------------------------------------------------------------- the gate


def test_a_sound_conversion_passes(here: Callable[[Tree], Project]) -> None:
    """Every clause has its figure, what no test ran is listed, and the tree is as it was."""
    made = here(TREE)
    before = made.files()
    verdict = verify()
    assert (verdict.holds, told(verdict), verdict.files) == (True, {}, 1)
    figures = {item.name: (item.figure, item.details) for item in verdict.clauses}
    assert figures[FROM_COPY][0] == "1 of 1 touched modules imported"
    assert figures[COLLECTED][0] == "3 before, 3 after"
    assert figures[PASSED][0] == "3 of 3"
    assert figures[RAN] == ("2 ran, 0 no longer, 1 unproven", ("unproven, not run before: app/work.py:15",))
    assert figures[SITES][0] == "1 of 2"
    assert made.files() == before


def test_unproven_lines_fail_where_every_line_is_required(here: Callable[[Tree], Project]) -> None:
    """``--require-run``."""
    here(TREE)
    assert list(told(verify(demands=gate.Demands(require_run=True)))) == [RAN]


@pytest.mark.parametrize(
    ("old", "new", "clause", "text"),
    [
        pytest.param(b"return seconds", b"return 1", PASSED, "2 of 3\n", id="a-test-fails"),
        pytest.param(
            b"await asyncio.sleep(s", b"asyncio.sleep(s", WARNED, "coroutine 'sleep' was never", id="unawaited"
        ),
        pytest.param(b"return seconds", b"open(__file__); return seconds", WARNED, "unclosed file", id="unclosed"),
        pytest.param(b"LOUD = False", b"LOUD = True", SKIPPED, "0 before, 1 after\ntests/", id="newly-skipped"),
        pytest.param(b"(0,)", b"(0, 0.01)", COLLECTED, "3 before, 4 after\nnew: tests/", id="another-test"),
        pytest.param(
            b"await asyncio.sleep(s",
            b"if seconds:\n        await asyncio.sleep(s",
            RAN,
            "1 no longer, 1 unproven\nran before, not after: app/work.py:11",
            id="a-changed-line-no-longer-runs",
        ),
        pytest.param(
            b"    return seconds",
            b"    if seconds:\n        seconds += 1\n        print(seconds)\n    return seconds",
            COVERED,
            "87.5 % before, 72.7 % after",
            id="lines-that-nothing-runs",
        ),
        pytest.param(
            b"await asyncio.sleep(9",
            b"import time; time.sleep(9",
            AGAIN,
            "would change again: app/work.py",
            id="unfinished",
        ),
    ],
)
def test_a_broken_conversion_is_seen(
    here: Callable[[Tree], Project], old: bytes, new: bytes, clause: str, text: str
) -> None:
    """By its own clause, with what is needed to find it."""
    here(TREE)
    failed = told(verify(putting(old, new)))
    assert text in failed.get(clause, ""), failed


@pytest.mark.parametrize(
    ("old", "new", "clause", "text"),
    [
        pytest.param(b"def test_quiet", b"async def test_quiet", PASSED, "::test_quiet: ", id="a-function"),
        pytest.param(b"def test_plain", b"async def test_plain", WARNED, "returned: It is deprecated", id="a-method"),
    ],
)
def test_an_async_test_that_nothing_runs_has_not_passed(
    here: Callable[[Tree], Project], old: bytes, new: bytes, clause: str, text: str
) -> None:
    """Whatever pytest says: a plain TestCase passes without having run."""
    here(TREE)
    assert text in told(verify(putting(old, new, "tests/test_work.py")))[clause]


def test_a_module_that_is_imported_from_elsewhere_fails(here: Callable[[Tree], Project], tmp_path: Path) -> None:
    """As with an install of the original, whose code the tests then test."""
    root = tmp_path / "project"
    here({**TREE, "tests/conftest.py": f"import sys\nsys.path.insert(0, {str(root)!r})\n".encode()})
    assert f"app.work was imported from {root}/app/work.py" in told(verify())[FROM_COPY]


def hanging(beats: Path) -> Callable[[Outcome], Outcome]:
    """Tampers with what asyncfix made: an await does not end, and a program that was started goes on writing to a file."""
    beating = f"import time\nwhile time.sleep(0.05) is None:\n    open({str(beats)!r}, 'a').write('.')"
    start = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {beating!r}])".encode()
    wait = b"await asyncio.get_running_loop().create_future()"
    return putting(b"await asyncio.sleep(seconds)", start + b"\n    " + wait)


def test_a_conversion_that_waits_for_ever_is_stopped(here: Callable[[Tree], Project], tmp_path: Path) -> None:
    """In the time that is given, with all that it started; one clause fails, and the test that was at work is named."""
    here(TREE)
    beats = tmp_path / "beats"
    failed = told(verify(hanging(beats), demands=gate.Demands(timeout=3)))
    assert list(failed) == [PASSED]
    assert "stopped after 3 s, at tests/test_work.py::test_nap[0]; the other clauses are not judged" in failed[PASSED]
    last = beats.read_text()
    time.sleep(0.3)
    assert beats.read_text() == last != ""


def test_no_time_that_is_given_is_one_that_goes_by_the_runs_without_the_changes(
    here: Callable[[Tree], Project], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is told before."""
    monkeypatch.setattr(gate, "_SECONDS", 3)
    monkeypatch.setattr(gate, "_PATIENCE", 0.1)
    here(TREE)
    outcome, options = converted()
    lines: list[str] = []
    verdict = gate.verify(hanging(tmp_path / "beats")(outcome), options, PYTEST, gate.Demands(), lines.append)
    assert (verdict.holds, lines[-1]) == (False, "run with the changes, for 3 s at most ...")


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        pytest.param(
            b"def never():\n    time.sleep(9)\n",
            b"def never():\n    def late():\n        time.sleep(9)\n\n    print(1)\n    await asyncio.to_thread(late)\n",
            False,
            id="in-place-of-what-never-ran",
        ),
        pytest.param(
            b"    time.sleep(9)\n",
            b"    print(1)\n    print(2)\n    if LOUD:\n        print(3)\n    time.sleep(9)\n",
            False,
            id="where-nothing-ran",
        ),
        pytest.param(
            b"    return seconds\n",
            b"    if LOUD:\n        print(1)\n    return seconds\n",
            True,
            id="where-something-ran",
        ),
        pytest.param(
            b"async def never",
            b"def dead():\n    print(1)\n\n\nasync def never",
            True,
            id="a-function-that-nobody-calls",
        ),
        pytest.param(
            b"    print(seconds)\n    return seconds\n\n\nasync def never():\n",
            b"    return seconds\n\n\nasync def never():\n    print(1)\n",
            True,
            id="what-ran-is-gone",
        ),
    ],
)
def test_coverage_counts_what_there_was_to_lose(
    here: Callable[[Tree], Project], old: bytes, new: bytes, lost: bool
) -> None:
    """New statements for code that never ran take nothing away; what ran and is dead or gone does."""
    app = APP.replace(b"    return", b"    print(seconds)\n    return")
    here({**TREE, "app/work.py": app})
    outcome, options = converted()
    assert old in app
    tampered = msgspec.structs.replace(outcome, files=(changed("app/work.py", app, app.replace(old, new)),))
    verdict = gate.verify(tampered, options, PYTEST, gate.Demands(), lambda line: None)
    assert (COVERED in told(verdict)) == lost, verdict.clauses


def changed(path: str, old: bytes, new: bytes) -> FileResult:
    """A file with the lines in which it differs."""
    codes = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False).get_opcodes()
    lines = (Lines(a + 1, b - a, c + 1, d - c) for tag, a, b, c, d in codes if tag != "equal")
    return FileResult(path, old, new, tuple(lines))


def test_files_that_no_test_imports_have_no_coverage_to_lose(here: Callable[[Tree], Project]) -> None:
    """A script that is migrated along with the program."""
    here({**TREE, "tool.py": APP})
    figures = {item.name: item.figure for item in verify().clauses}
    assert figures[COVERED] == "87.5 % before, 87.5 % after"


def test_threads_and_workers_are_seen(here: Callable[[Tree], Project]) -> None:
    """Of tests that run in several processes, the records make one; nested sessions of pytest are not the project's."""
    nested = b"    import subprocess, sys\n    inner = 'tests/inner.py'\n    open(inner, 'w').write('def test_inner(): 1 / 0')\n"
    nested += b"    assert subprocess.run([sys.executable, '-m', 'pytest', inner]).returncode == 1\n"
    app = b"import subprocess\n\n\nasync def size():\n    return len(measure())\n\n\ndef measure():\n"
    app += b"    text = subprocess.check_output(['echo', 'x'])\n    return text.strip()\n"
    tests = (
        b"import asyncio\n\nfrom app import work\n\n\ndef test_size():\n    assert asyncio.run(work.size()) == 1\n\n\n"
    )
    here({"app/__init__.py": b"", "app/work.py": app, "tests/test_work.py": tests + b"def test_nested():\n" + nested})
    verdict = verify(command=(*PYTEST, "-p", "xdist.plugin", "-n", "2"))
    assert told(verdict) == {}
    figures = {item.name: item.figure for item in verdict.clauses}
    assert (figures[COLLECTED], figures[SITES]) == ("2 before, 2 after", "1 of 1")
    assert figures[COVERED] == "100.0 % before, 100.0 % after"


def test_what_is_a_matter_of_time_is_not_new(here: Callable[[Tree], Project]) -> None:
    """A warning that came in only one of the runs without the changes, in other tests."""
    late = b"    if os.path.exists('x'):\n        late()\n    open('x', 'w').close()\n\n\nasync def late():\n    pass\n"
    other = b"from tests.test_late import late\n\n\ndef test_other():\n    from app import work\n\n    work.LOUD and late()\n"
    here(
        {
            **TREE,
            "tests/__init__.py": b"",
            "tests/test_late.py": b"import os\n\n\ndef test_late():\n" + late,
            "tests/test_other.py": other,
        }
    )
    assert WARNED not in told(verify(putting(b"LOUD = False", b"LOUD = True")))


def test_temporary_files_that_are_left_open_are_known_by_no_name(here: Callable[[Tree], Project]) -> None:
    late = b"import tempfile\n\n\ndef test_late():\n    open(tempfile.mkstemp()[1])\n"
    here({**TREE, "tests/test_late.py": late})
    assert WARNED not in told(verify())


# ------------------------------------------------------------------------------------------------------------ the copy


def test_a_copy_holds_what_tests_need_and_leads_nowhere_else(tmp_path: Path) -> None:
    """What git ignores too; links into the project lead into the copy; no environment, no history, no hooks."""
    made = project(tmp_path, {**TREE, ".gitignore": b"tracked.py\n", "tracked.py": b"", ".venv/pyvenv.cfg": b""})
    made.commit()
    (made.root / ".gitignore").write_text("local.py\ntracked.py\n", encoding="utf-8")
    (made.root / "local.py").write_text("X = 1\n", encoding="utf-8")
    for name, meant in {"near.py": Path("../local.py"), "far.py": made.root / "local.py", "out": made.home}.items():
        (made.root / "app" / name).symlink_to(meant)
    target = Path(tmp_path, "1", "project").resolve()
    assert copy(made.root.resolve(), target) == ()
    assert {path.name for path in target.iterdir()} == {path.name for path in made.root.iterdir()} - {".venv"}
    assert [(target / "app" / name).resolve() for name in ("near.py", "far.py")] == [target / "local.py"] * 2
    assert (target / "app" / "out").resolve() == made.home.resolve()
    assert vcs.tracked_though_ignored(target) == vcs.tracked_though_ignored(made.root) == {"tracked.py"}
    assert {path.name for path in (target / ".git").iterdir()} == {"HEAD", "index", "info", "objects", "refs"}


def test_the_roots_of_touched_modules(tmp_path: Path) -> None:
    """Beside a build file, in its ``src``, above a package; never inside something that may hold any module."""
    tree = ("libs/a/setup.cfg", "libs/a/src/a/x.py", "libs/b/setup.cfg", "tools/kit/__init__.py", "tools/kit/y.py")
    made = project(tmp_path, {**dict.fromkeys(tree, b""), "loose/part/z.py": b""})
    found = roots(made.root, ["libs/a/src/a/x.py", "tools/kit/y.py", "loose/part/z.py"])
    assert found.folders == ("", "libs/a", "libs/a/src", "tools")
    assert {"a.x", "kit.y", "loose.part.z"} < found.names.keys()
    assert not {"x", "y", "z", "part.z"} & found.names.keys()


# ----------------------------------------------------------------------------------------------------------- no verdict


@pytest.mark.parametrize(
    ("tree", "command", "message"),
    [
        pytest.param(
            {"tests/test_work.py": TESTS + b"\n\ndef test_red():\n    1 / 0\n"}, PYTEST, "exit code 1", id="red"
        ),
        pytest.param(
            {
                "tests/test_work.py": b"import os, pytest\ndef test():\n    os.path.exists('x') and pytest.skip()\n"
                b"    open('x', 'w')\n"
            },
            PYTEST,
            "two runs without the changes already differ",
            id="not-steady",
        ),
        pytest.param({}, (sys.executable, "-c", "print(1)"), "left no record of any test", id="not-pytest"),
        pytest.param({}, ("no-such-command",), "no-such-command: command not found", id="no-such-command"),
        pytest.param({"app/work.py": b"LOUD = CASES = ()\n"}, PYTEST, "nothing to verify", id="nothing-to-change"),
    ],
)
def test_what_cannot_be_judged_is_said(
    here: Callable[[Tree], Project], tree: Tree, command: tuple[str, ...], message: str
) -> None:
    """In one line; nothing passes for want of evidence."""
    here({**TREE, **tree})
    with pytest.raises(gate.NoVerdict, match=message):
        verify(command=command)


SLIPS = {
    "unclosed": b"open(__file__); return seconds",
    "unraisable": b"type('Late', (), {'__del__': lambda self: 1 / 0})(); return seconds",
}


@pytest.mark.parametrize("blocked", ["warnings", "unraisableexception"])
@pytest.mark.parametrize("slip", SLIPS)
def test_warnings_that_pytest_does_not_record_are_heard(
    here: Callable[[Tree], Project], blocked: str, slip: str
) -> None:
    """Where the project disables the plugins that do."""
    here(TREE)
    command = (*PYTEST, "-p", f"no:{blocked}")
    assert verify(command=command).holds
    assert f": {slip}: " in told(verify(putting(b"return seconds", SLIPS[slip]), command))[WARNED]


# ---------------------------------------------------------------------------------------------------------- the command


def test_the_command_prints_a_line_for_each_clause(here: Callable[[Tree], Project]) -> None:
    """Exit code 0 if all hold; the tree is as it was."""
    made = here(TREE)
    before = made.files()
    done = made.run("verify", "app", "--unsafe", "--", *PYTEST)
    lines = done.out.decode().splitlines()
    assert (done.code, lines[-1]) == (0, "The gate is open: 2 changes in 1 file, all 9 clauses hold."), done.err
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["ok"] * 9 + ["The"]
    assert made.files() == before


def test_the_command_proves_a_change_that_is_named(here: Callable[[Tree], Project]) -> None:
    """By its id in the plan, and no other; what is chosen is not there a second time."""
    made = here(TREE)
    changes = json.loads(made.run("plan", "--output-format", "json").out)["changes"]
    done = made.run("verify", "--change", changes[0]["id"], "--output-format", "json", "--", *PYTEST)
    document = json.loads(done.out)
    assert (done.code, document["passed"], document["changes"]) == (0, True, 1), done.err


def test_the_command_fails_with_a_failing_clause(here: Callable[[Tree], Project]) -> None:
    """Exit code 1; as JSON too."""
    done = here(TREE).run("verify", "--unsafe", "--require-run", "--output-format", "json", "--", *PYTEST)
    document = json.loads(done.out)
    assert (done.code, document["version"], document["passed"], document["changes"]) == (1, 1, False, 2)
    assert [item["name"] for item in document["clauses"] if not item["passed"]] == [RAN]


def test_the_command_wants_something_to_run(here: Callable[[Tree], Project]) -> None:
    """Exit code 2; so has trouble."""
    made = here(TREE)
    assert made.run("verify", "--unsafe").code == 2
    done = made.run("verify", "--ignore", "blocking-sleep", "--", *PYTEST)
    assert (done.code, done.out) == (2, b"")
    assert done.err.endswith("asyncfix: nothing to verify: no change was chosen\n")


def test_the_command_says_why_nothing_is_chosen(here: Callable[[Tree], Project]) -> None:
    """PATHS limit what is edited: where the tests are left out, what they call cannot turn."""
    app = b"import time\n\n\ndef wait():\n    time.sleep(0.01)\n"
    tests = b"from app import work\n\n\ndef test_wait():\n    work.wait()\n"
    made = here({"app/__init__.py": b"", "app/work.py": app, "tests/test_work.py": tests})
    done = made.run("verify", "--migrate", "--unsafe", "app", "--", *PYTEST)
    assert (done.code, done.out) == (2, b"")
    assert (
        "1 not mended [not-editable]: app.work.wait is called where nothing may be edited (tests/test_work.py:5)"
        in done.err
    )
    assert "; name its file among PATHS, " in done.err
