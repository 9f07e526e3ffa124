"""Bad input costs a line and that file; nothing that a project brings along is ever executed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.harness import AWAITING, SLEEPER, Done, Project, project

# Syntax of the Python after this one.
NEWER = (
    b"type X = int\n"
    if sys.version_info < (3, 12)
    else b"x = t''\n" if sys.version_info < (3, 14) else b"lazy import x\n"
)
# What may be edited and is not processed: a part of the reason that has to be given.
BAD = {
    "syntax.py": (b"def (:\n" + SLEEPER, "syntax error"),
    "undecodable.py": (SLEEPER + b"# \xff\n", "not utf-8 at byte 49"),
    "cookie.py": (b"# coding: nonsense\n" + SLEEPER, "unknown encoding: nonsense"),
    "utf16.py": (SLEEPER.decode().encode("utf-16"), "encoding"),
    "nul.py": (SLEEPER + b"\0\n", "null bytes"),
    "newer.py": (NEWER + SLEEPER, "syntax error"),
    "parentheses.py": (SLEEPER + b"    x = " + b"(" * 10_000 + b")" * 10_000 + b"\n", "too many nested parentheses"),
    "minus.py": (SLEEPER + b"    x = " + b"-" * 100_000 + b"1\n", "nested too deeply"),
    "attributes.py": (SLEEPER + b"    x = a" + b".a" * 100_000 + b"\n", "nested too deeply"),
    "calls.py": (SLEEPER + b"    x = a" + b"()" * 100_000 + b"\n", "nested too deeply"),
    "sums.py": (SLEEPER + b"    x = 1" + b"+1" * 100_000 + b"\n", "nested too deeply"),
}
SPOILT = {"good.py": SLEEPER, "last.py": SLEEPER, **{name: data for name, (data, _) in BAD.items()}}
LINE = b"# " + b"x" * 77 + b"\n"
MATCH = b"    match x:\n        case " + b"[" * 30 + b"]" * 30 + b":\n            pass\n"
# The console script, with smaller limits than its own.
IMPATIENT = """
import sys
from asyncfix import workers, workspace
from asyncfix.cli import main
workspace.LIMITS = workers.Limits(seconds=8.0, memory=2**30)
main()
"""


def with_code(here: Project, code: str) -> Project:
    """The same project, with the command started by this code."""
    return replace(here, script=(sys.executable, "-I", "-c", code))


def one_line_about(done: Done, name: str, reason: str) -> bool:
    """Whether stderr names the file once, with the reason behind it."""
    lines = done.about(name)
    return len(lines) == 1 and lines[0].startswith("asyncfix: ") and reason in lines[0].partition(name)[2]


# ----------------------------------------------------------------------------------------------------------- bad input


def test_bad_files_cost_a_line_each_and_nothing_else(tmp_path: Path) -> None:
    """Exit code 2, since they should have been processed; the others are, to the last byte."""
    here = project(tmp_path, SPOILT)
    done = here.run("--apply")
    assert done.code == 2
    assert [name for name, (_, reason) in BAD.items() if not one_line_about(done, name, reason)] == []
    assert here.files() == {**here.files(), **SPOILT, "good.py": AWAITING, "last.py": AWAITING}
    document = here.run("--output-format", "json").json
    assert {item["path"] for item in document["skipped"]} == set(BAD)


def test_exclude_settles_it(tmp_path: Path) -> None:
    """So does not naming them: what may not be edited did not fail."""
    here = project(tmp_path, SPOILT)
    assert here.run("--diff", "--exclude", ",".join(BAD)).code == 0
    named = here.run("--diff", "good.py")
    assert (named.code, named.out.count(b"+++ ")) == (0, 1)


def test_a_file_of_50_mb_is_skipped_by_a_stated_rule(tmp_path: Path) -> None:
    """That is no error; what it names still counts as a possible caller."""
    here = project(
        tmp_path,
        {
            "lib.py": b"import time\n\n\ndef nap():\n    time.sleep(1)\n",
            "app.py": b"import lib\n\n\nasync def g():\n    lib.nap()\n",
        },
    )
    assert b"async def nap" in here.run("--diff").out
    big = here.root / "big.py"
    big.write_bytes(SLEEPER + LINE * (50_000_000 // len(LINE)) + b"    x.nap()\n")
    done = here.run("--diff")
    assert done.code == 0
    assert one_line_about(done, "big.py", "larger than 2 MB")
    assert b"async def nap" not in done.out


def test_a_file_that_hangs_libcst_costs_that_file_only(tmp_path: Path) -> None:
    """Each level of brackets in a `case` doubles its time."""
    tree = {"good.py": SLEEPER, "match.py": SLEEPER + MATCH, "zoo.py": SLEEPER}
    here = with_code(project(tmp_path, tree), IMPATIENT)
    done = here.run("--apply")
    assert done.code == 2
    assert one_line_about(done, "match.py", "not rewritten: took longer than 8 s")
    assert here.files() == {**here.files(), **tree, "good.py": AWAITING, "zoo.py": AWAITING}


def test_links_in_a_circle_and_out_of_the_root_are_not_followed(tmp_path: Path) -> None:
    """Neither is one that leads nowhere, nor a pipe that has the name of a Python file read."""
    here = project(tmp_path, {"a/good.py": SLEEPER})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim.py").write_bytes(SLEEPER)
    (here.root / "a/loop").symlink_to(here.root, target_is_directory=True)
    (here.root / "out").symlink_to(outside, target_is_directory=True)
    (here.root / "out.py").symlink_to(outside / "victim.py")
    (here.root / "nowhere.py").symlink_to("nothing.py")
    os.mkfifo(here.root / "pipe.py")
    done = here.run("--apply")
    assert done.code == 0
    assert one_line_about(done, "out.py", "a link that leaves the project's root")
    assert (outside / "victim.py").read_bytes() == SLEEPER
    assert (here.root / "a/good.py").read_bytes() == AWAITING


def test_odd_names(tmp_path: Path) -> None:
    """A blank or an accent is nothing odd; a line break or bytes that are no text cost that file."""
    here = project(
        tmp_path, {"a b.py": SLEEPER, "\u00fcn\u00ef \U0001f600.py": SLEEPER, "-rf.py": SLEEPER, "%s.py": SLEEPER}
    )
    odd = [os.fsencode(here.root) + b"/" + name for name in (b"line\nbreak.py", b"byte\xff.py")]
    for name in odd:
        Path(os.fsdecode(name)).write_bytes(SLEEPER)
    done = here.run("--apply")
    assert done.code == 2
    assert one_line_about(done, "line\\nbreak.py", "a line break in its name")
    assert one_line_about(done, "byte\\udcff.py", "its name is not UTF-8")
    assert all(
        (here.root / name).read_bytes() == AWAITING
        for name in ("a b.py", "\u00fcn\u00ef \U0001f600.py", "-rf.py", "%s.py")
    )
    for name in odd:
        assert Path(os.fsdecode(name)).read_bytes() == SLEEPER
    github = here.run("--output-format", "github", "--no-cache")
    assert not [line for line in github.out.splitlines() if line.startswith(b"break.py")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_costs_that_file(tmp_path: Path) -> None:
    """A folder likewise."""
    here = project(tmp_path, {"good.py": SLEEPER, "secret.py": SLEEPER, "closed/in.py": SLEEPER})
    (here.root / "secret.py").chmod(0)
    (here.root / "closed").chmod(0)
    done = here.run("--apply")
    (here.root / "closed").chmod(0o700)
    assert done.code == 2
    assert one_line_about(done, "secret.py", "permission denied")
    assert one_line_about(done, "closed", "permission denied")
    assert (here.root / "good.py").read_bytes() == AWAITING


VANISH = """
from pathlib import Path
from asyncfix import workspace
from asyncfix.cli import main

def read(root, file, real=workspace.read):
    Path("gone.py").unlink(missing_ok=True)
    return real(root, file)

workspace.read = read
main()
"""


def test_a_file_that_vanishes_costs_that_file(tmp_path: Path) -> None:
    """Between the look at the folder and the reading."""
    here = with_code(project(tmp_path, {"good.py": SLEEPER, "gone.py": SLEEPER}), VANISH)
    done = here.run("--apply")
    assert done.code == 2
    assert one_line_about(done, "gone.py", "vanished")
    assert (here.root / "good.py").read_bytes() == AWAITING


@pytest.mark.parametrize("words", [("nothing.py",), ("good.py", "no/such/folder")])
def test_a_path_that_is_not_there_is_wrong_usage(words: tuple[str, ...], tmp_path: Path) -> None:
    """One line, and nothing is done for the others: the call was not what was meant."""
    here = project(tmp_path, {"good.py": SLEEPER})
    done = here.run("--apply", *words)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, b"", 1)
    assert words[-1] in done.err
    assert (here.root / "good.py").read_bytes() == SLEEPER


# --------------------------------------------------------------------------------------------------------- interruption

# Sends a signal to itself at the nth call of a function.
INTERRUPTED = """
import importlib, os, sys
from asyncfix.cli import main

def interrupt(owner, name, nth, real):
    def call(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), {signal})
        return real(*arguments, **options)
    left = globals()["left"] = nth
    setattr(owner, name, call)

module, _, name = "{at}".rpartition(".")
owner = importlib.import_module(module.partition(":")[0])
owner = getattr(owner, module.partition(":")[2], owner)
interrupt(owner, name, {nth}, getattr(owner, name))
main()
"""
MANY = {f"m{number}.py": SLEEPER for number in range(12)}
MOMENTS = {
    "walking": ("asyncfix.discover.discover", 1),
    "reading": ("asyncfix.workspace.read", 5),
    "waiting for workers": ("asyncfix.workers:_Pool.collect", 2),
    "planning": ("asyncfix.link.linking.link", 1),
    "rewriting": ("asyncfix.rounds.compose", 1),
    "staging": ("asyncfix.write.disk.create", 5),
    "swapping": ("asyncfix.write.disk.move", 7),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)], ids=["SIGINT", "SIGTERM"])
def test_an_interruption_leaves_the_tree_whole(moment: str, number: int, code: int, tmp_path: Path) -> None:
    """All old, nothing left over, nothing to take back, no traceback."""
    here = project(tmp_path, MANY)
    before = here.files()
    at, nth = MOMENTS[moment]
    stopped = with_code(here, INTERRUPTED.format(at=at, nth=nth, signal=number))
    done = stopped.run("--apply", "--workers", "2")
    assert done.code == code
    assert "Traceback" not in done.err
    assert here.files() == before
    undone = here.run("undo")
    assert (undone.code, here.files()) == (2, before)


def test_what_is_written_stays_if_the_interruption_comes_later(tmp_path: Path) -> None:
    """And can be taken back."""
    here = project(tmp_path, MANY)
    before = here.files()
    done = with_code(here, INTERRUPTED.format(at="asyncfix.front._present", nth=1, signal=2)).run("--apply")
    assert done.code == 130
    assert all(here.files()[name] == AWAITING for name in MANY)
    assert here.run("undo").code == 0
    assert here.files() == before


def test_after_a_kill_the_next_apply_begins_with_the_old_files(tmp_path: Path) -> None:
    """A diff only says that there was one; undo restores too."""
    here = project(tmp_path, MANY)
    before = here.files()
    killed = with_code(here, INTERRUPTED.format(at="asyncfix.write.disk.move", nth=7, signal=9))
    assert killed.run("--apply").code == -9
    torn = here.files()
    assert torn != before
    told = here.run("--diff")
    assert "interrupted" in told.err
    assert here.files() == torn
    assert here.run("undo").code == 0
    assert here.files() == before
    assert killed.run("--apply").code == -9
    assert here.run("--apply").code == 0
    assert here.files() == {**before, **dict.fromkeys(MANY, AWAITING)}


@pytest.mark.parametrize("words", [("--diff",), ()], ids=["diff", "report"])
def test_a_reader_who_leaves_early_is_no_error_of_ours(words: tuple[str, ...], tmp_path: Path) -> None:
    """As of a program that SIGPIPE ends."""
    here = project(tmp_path, MANY)
    reading, writing = os.pipe()
    os.close(reading)
    with here.start(*words, stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate()
    assert process.returncode == 141
    assert b"Traceback" not in err and b"Exception ignored" not in err


# ------------------------------------------------------------------------------------------------------------- canaries

SHADOWS = (
    "typer",
    "libcst",
    "asyncfix",
    "transforms",
    "msgspec",
    "black",
    "tomlkit",
    "unidiff",
    "pathspec",
    "httpx",
    "json",
    "evil",
)
PROGRAMS = ("black", "git", "python", "python3", "ruff", "sh")
HOOKS = (
    "pre-commit",
    "post-index-change",
    "post-checkout",
    "reference-transaction",
    "pre-auto-gc",
    "fsmonitor-watchman",
)
CONFIGURATION = b"""[project]
name = "p"
version = "1"
requires-python = ">=3.11"
dependencies = ["requests", "httpx"]
[project.entry-points."asyncfix.transforms"]
evil = "evil:Rule"
[build-system]
requires = []
build-backend = "evil"
backend-path = ["."]
[tool.black]
[tool.mypy]
plugins = ["evil", "./evil.py"]
[tool.pytest.ini_options]
addopts = "-p evil"
"""
APPLICATION = (
    b"import requests\nimport time\n\n\nasync def f(u):\n    time.sleep(1)\n    return requests.get(u).json()\n"
)


def sung(here: Project) -> set[str]:
    """The canaries that were executed."""
    return {path.name for path in here.home.glob("ran-*")}


def canary(here: Project, path: str) -> None:
    """A module or an executable at ``path`` that leaves a mark when it is run."""
    mark = here.home / f"ran-{path.replace('/', '-')}"
    file = here.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".py":
        file.write_text(f"open({str(mark)!r}, 'w').close()\n", encoding="utf-8")
    else:
        file.write_text(f"#!/bin/sh\n: > '{mark}'\ncat\n", encoding="utf-8")
        file.chmod(0o755)


def plant(here: Project) -> None:
    """Everything in a project that some tool is known to run."""
    for name in SHADOWS:
        canary(here, f"{name}/__init__.py" if name in ("libcst", "asyncfix", "transforms") else f"{name}.py")
    for path in (
        "sitecustomize.py",
        "usercustomize.py",
        "conftest.py",
        "setup.py",
        "noxfile.py",
        "transforms/apis/evil.py",
    ):
        canary(here, path)
    for name in PROGRAMS:
        canary(here, name)
    information = here.root / "evil.egg-info"
    information.mkdir()
    (here.root / ".gitignore").write_text("evil.*\n*.egg-info/\n", encoding="utf-8")  # so that git is asked
    (information / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n", encoding="utf-8")
    (information / "top_level.txt").write_text("evil\n", encoding="utf-8")
    (information / "entry_points.txt").write_text(
        "".join(f"[{group}]\nevil = evil:Rule\n" for group in ("asyncfix.transforms", "asyncfix", "black.plugins")),
        encoding="utf-8",
    )
    # A pickle that runs `sh -c ": > mark"` when it is loaded.
    pickled = b"cos\nsystem\n(S': > \"%s\"'\ntR." % os.fsencode(here.home / "ran-pickle")
    for path in (".asyncfix_cache", ".cache/asyncfix/facts.pickle", ".asyncfix/cache.pkl"):
        file = here.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pickled)


def plant_in_git(here: Project) -> None:
    """Everything that a repository's configuration can make git run, once all is committed."""
    for name in ("monitor", "clean", "smudge", "textconv", "pager", "editor", "alias", "ssh"):
        canary(here, f".git/{name}")
    for name in HOOKS:
        canary(here, f".git/hooks/{name}")
    commands = here.root / ".git"
    settings = {
        "core.fsmonitor": "monitor",
        "filter.evil.clean": "clean",
        "filter.evil.smudge": "smudge",
        "diff.evil.textconv": "textconv",
        "diff.external": "textconv",
        "core.pager": "pager",
        "core.editor": "editor",
        "core.sshCommand": "ssh",
        "alias.ls-files": "!alias",
        "alias.ls-tree": "!alias",
    }
    for key, name in settings.items():
        here.git("config", key, f"!{commands}/alias" if name == "!alias" else f"{commands}/{name}")
    (here.root / ".git/info/attributes").write_text("* filter=evil diff=evil\n", encoding="utf-8")


def from_inside(here: Project) -> Project:
    """Whoever runs it has the current folder in the search path of programs."""
    return replace(here, extra={"PATH": f".:{here.root}::{os.environ['PATH']}"})


@pytest.fixture
def trap(tmp_path: Path) -> Project:
    """A hostile project, and a user in it."""
    here = project(tmp_path, {"pyproject.toml": CONFIGURATION, "app.py": APPLICATION})
    plant(here)
    here.commit()
    plant_in_git(here)
    assert sung(here) == set()
    return from_inside(here)


COMMANDS = (("--output-format", "json"), ("--diff", "--unsafe"), ("--show-files",), ("--apply", "--unsafe"), ("undo",))


def test_the_command_executes_nothing_of_the_project(trap: Project) -> None:
    """Report, diff, apply, undo, with all that is needed for them taken from where it is installed."""
    diffs = [trap.run(*words) for words in COMMANDS]
    assert [done.code for done in diffs] == [1, 0, 0, 0, 0], [done.err for done in diffs]
    assert b"+    await asyncio.sleep(1)" in diffs[1].out and b"http_request" in diffs[1].out
    assert sung(trap) == set()
    assert trap.run("rule", "--all").code == 0
    (trap.root / "app.py").write_bytes(APPLICATION + b"# mine\n")
    assert trap.run("--apply").code == 2  # uncommitted
    assert sung(trap) == set()


def test_workers_that_are_not_forked_execute_nothing_either(trap: Project) -> None:
    """They are new interpreters, started in the current folder."""
    code = (
        "import threading\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "from asyncfix.cli import main\n"
        "main()\n"
    )
    done = with_code(trap, code).run("--diff", "--unsafe")
    assert (done.code, done.out.count(b"+++ ")) == (0, 2), done.err
    assert sung(trap) == set()


def test_python_m_executes_nothing_but_what_runpy_needs(trap: Project) -> None:
    """A folder of our own name is the one thing that Python finds before us; the rest of the project is not looked at."""
    shutil.rmtree(trap.root / "asyncfix")
    module = replace(trap, script=(sys.executable, "-m", "asyncfix"))
    assert module.run("--diff", "--unsafe").code == 0
    assert module.run("--apply", "--unsafe").code == 0
    assert sung(trap) == set()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ([sys.executable, "-c", f"import {', '.join(name for name in SHADOWS if name != 'json')}"], "ran-typer.py"),
        ([sys.executable, "-c", "import pickle; pickle.load(open('.asyncfix_cache', 'rb'))"], "ran-pickle"),
        (["git", "status"], "ran-.git-monitor"),
        (["git", "-c", "core.fsmonitor=false", "add", "app.py"], "ran-.git-clean"),
    ],
    ids=["modules", "pickle", "fsmonitor", "filters"],
)
def test_the_canaries_can_sing(command: list[str], expected: str, trap: Project) -> None:
    """Else their silence above would mean nothing."""
    (trap.root / "app.py").write_bytes(APPLICATION + b"# mine\n")
    plain = replace(trap, extra={})
    subprocess.run(command, cwd=trap.root, env=plain.environment(), capture_output=True, check=False)
    assert expected in sung(trap)


def test_the_programs_can_sing(trap: Project) -> None:
    """Found through the current folder by whoever looks for them by name."""
    subprocess.run(
        "black; git", shell=True, cwd=trap.root, env=trap.environment(), stdin=subprocess.DEVNULL, check=False
    )
    assert sung(trap) >= {"ran-black", "ran-git"}
