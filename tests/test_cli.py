"""The command line: what its words mean, what goes where, and how it ends."""

from __future__ import annotations

import importlib
import io
import json
import os
import pty
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import NoReturn

import pytest

import asyncfix
from asyncfix import cli
from asyncfix.model import Change, Finding, Place, Skipped
from asyncfix.outcome import FileResult, Listing, Options, Outcome

CHANGE = Change("id1", "blocking-sleep", "await the sleep", "safe", (), ("nothing shared",))
FINDING = Finding(
    "blocking-sleep",
    Place("a.py", 2, 5, 2, 18),
    "`time.sleep(1)` blocks",
    "f",
    "time.sleep (a.py:2)",
    (),
    "safe",
    "id1",
)
PATCH = b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\r\n+\xe9\r\n"


class Stop(Exception):
    """Stands for all that stops a run."""


class Pipeline:
    """Stands for the pipeline: keeps what it was asked, and gives what the test put in."""

    def __init__(self, root: str) -> None:
        self.asked: list[Options] = []
        self.answers: list[str] = []
        self.stop: BaseException | None = None
        self.outcome = Outcome(root, root)

    def run(self, options: Options, ask: Callable[[Change, bytes], str] | None = None) -> Outcome:
        self.asked.append(options)
        if self.stop is not None:
            raise self.stop
        while ask is not None and "q" not in self.answers:
            self.answers.append(ask(CHANGE, PATCH))
        return self.outcome

    def listing(self, options: Options) -> Listing:
        self.asked.append(options)
        return Listing(self.outcome.root, ("a.py", "b/c.py"), ignored={"generated": 2})

    def plan(self, options: Options) -> NoReturn:
        self.asked.append(options)
        raise Stop("no plan")

    def why(self, options: Options, name: str) -> NoReturn:
        self.asked.append(options)
        raise Stop(f"not why {name}")

    def undo(self, path: str) -> tuple[str, ...]:
        if path != ".":
            raise Stop(f"nothing to undo in {path}")
        return ("a.py",)


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Everything behind the command line is replaced."""
    importlib.import_module("asyncfix.front")  # before what it imports is replaced
    double = Pipeline(str(tmp_path))
    modules: dict[str, dict[str, object]] = {
        "pipeline": {
            "Stop": Stop,
            **{name: getattr(double, name) for name in ("run", "listing", "plan", "why", "undo")},
        },
        "registry": {
            "BadRule": Stop,
            "NoRules": Stop,
            "pages": lambda: {
                "blocking-sleep": "# blocking-sleep\n\nFinds sleeps.\n\nMore.\n",
                "x": "# x\n\nFinds x.y\nand z. Not this.\n",
            },
            "rules": lambda: (
                SimpleNamespace(name="x", default=False),
                SimpleNamespace(name="blocking-sleep", default=True),
            ),
        },
    }
    for name, members in modules.items():
        module = ModuleType(f"asyncfix.{name}")
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, f"asyncfix.{name}", module)
        monkeypatch.setattr(asyncfix, name, module, raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    return double


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What `main` changes in this process is put back."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run the command with these words; gives the exit code."""

    def call(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["asyncfix", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return int(end.value.code or 0)

    return call


Command = Callable[..., int]
Captured = pytest.CaptureFixture[str]


def test_without_words_the_current_folder_is_reported(command: Command, pipeline: Pipeline, capsys: Captured) -> None:
    """Nothing found is exit code 0."""
    assert command() == 0
    assert pipeline.asked == [Options()]
    assert capsys.readouterr() == ("No findings.\n", "")


def test_options_reach_the_pipeline(command: Command, pipeline: Pipeline) -> None:
    """In any order with the paths; lists are comma separated and repeatable."""
    words = "a --apply --unsafe --check --allow-dirty b --select x,y --select z --extend-select u --ignore v,w"
    words += " --exclude *.md --force-exclude --strategy requests=native --strategy files=thread --no-cache"
    assert command(*words.split(), "--target-version", "3.9", "--workers", "3") == 0
    assert pipeline.asked == [
        Options(
            paths=("a", "b"),
            mode="apply",
            unsafe=True,
            check=True,
            allow_dirty=True,
            force_exclude=True,
            use_cache=False,
            select=("x", "y", "z"),
            extend_select=("u",),
            ignore=("v", "w"),
            exclude=("*.md",),
            strategy=("requests=native", "files=thread"),
            target_version="3.9",
            workers=3,
        )
    ]


def test_plan_and_why_take_the_options_of_a_migration(command: Command, pipeline: Pipeline, capsys: Captured) -> None:
    """The function comes before the paths; what stops them is one line."""
    assert command("plan", "a", "--root", "m:f", "--strategy", "requests=native") == 2
    assert command("why", "m:f", "a", "--select", "x") == 2
    assert pipeline.asked == [
        Options(("a",), "diff", unsafe=True, migrate=True, roots=("m:f",), strategy=("requests=native",)),
        Options(("a",), "diff", migrate=True, select=("x",)),
    ]
    assert capsys.readouterr().err == "asyncfix: no plan\nasyncfix: not why m:f\n"


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        (("src", "--diff"), ("src",)),
        (("--diff", "src"), ("src",)),
        (("./undo", "--diff"), ("./undo",)),
        (("src", "undo", "--diff"), ("src", "undo")),
        (("--diff", "rule"), ("rule",)),
        (("--diff", "--", "-x"), ("-x",)),
    ],
)
def test_paths_and_sub_commands_live_together(
    words: tuple[str, ...], paths: tuple[str, ...], command: Command, pipeline: Pipeline
) -> None:
    """Only the first word can be a sub-command."""
    assert command(*words) == 0
    assert pipeline.asked == [Options(paths=paths, mode="diff")]


@pytest.mark.parametrize(
    "words",
    [
        ("--diff", "--apply"),
        ("--check",),
        ("--interactive",),
        ("--diff", "--interactive"),
        ("--diff", "--output-format", "json"),
        ("--diff", "--statistics"),
        ("--statistics", "--output-format", "json"),
        ("--show-files", "--apply"),
        ("--strategy", "requests"),
        ("--strategy", "=native"),
        ("--output-format", "xml"),
        ("--color", "sometimes"),
        ("--workers", "0"),
        ("--no-such-option",),
        ("undo", "--diff"),
        ("rule",),
        ("rule", "x", "--all"),
        ("why",),
        ("why", "a:f", "--migrate"),
        ("plan", "--apply"),
        ("plan", "--output-format", "github"),
        ("plan", "--strategy", "requests"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    words: tuple[str, ...], command: Command, pipeline: Pipeline, capsys: Captured
) -> None:
    """And nothing is run."""
    assert command(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error: " in err
    assert pipeline.asked == []


def test_the_report_exits_with_1_on_findings(command: Command, pipeline: Pipeline, capsys: Captured) -> None:
    """Findings on stdout, all else on stderr."""
    root = pipeline.outcome.root
    pipeline.outcome = Outcome(root, root, (FINDING,), (CHANGE,), notes=("assuming 3.11",), ignored={"generated": 1})
    assert command() == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[:2] == [
        "time.sleep (a.py:2) holds up 1 async function",
        "  a.py:2:5: blocking-sleep `time.sleep(1)` blocks",
    ]
    assert err == "asyncfix: assuming 3.11\nasyncfix: 1 file left out: 1 generated\n"
    assert command("--statistics") == 1
    assert capsys.readouterr().out.startswith("1  blocking-sleep  1 SAFE\n")
    assert command("--output-format", "github") == 1
    assert capsys.readouterr().out.startswith("::warning file=a.py,")
    assert command("--output-format", "json") == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["rule"] == "blocking-sleep"


def test_diff_writes_the_bytes_of_the_patch_alone(
    command: Command, pipeline: Pipeline, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Bytes that are no text too; the summary is the last line of stderr."""
    root = pipeline.outcome.root
    files = (FileResult("a.py", b"x", b"y"),)
    taken = frozenset({"id1"})
    pipeline.outcome = Outcome(root, root, (FINDING,), (CHANGE,), taken, files=files, patch=PATCH, notes=("a note",))
    assert command("--diff") == 0
    out, err = capfdbinary.readouterr()
    assert out == PATCH
    assert err == b"asyncfix: a note\nasyncfix: 1 SAFE change shown in 1 file\n"
    assert command("--diff", "--check") == 1


def test_apply_says_what_it_did_on_stderr(command: Command, pipeline: Pipeline, capsys: Captured) -> None:
    """A file that could not be processed makes it exit code 2."""
    root = pipeline.outcome.root
    pipeline.outcome = Outcome(root, root, skipped=(Skipped("b.py", "syntax error", failed=True),))
    assert command("--apply") == 2
    assert capsys.readouterr() == (
        "",
        "asyncfix: b.py: syntax error\nasyncfix: 0 SAFE changes written to 0 files\n",
    )


def test_what_stops_a_run_is_one_line(command: Command, pipeline: Pipeline, capsys: Captured) -> None:
    """And exit code 2."""
    pipeline.stop = Stop("pyproject.toml: unknown key 'selct', did you mean 'select'?")
    assert command("--diff") == 2
    assert capsys.readouterr() == ("", "asyncfix: pyproject.toml: unknown key 'selct', did you mean 'select'?\n")


def test_ctrl_c_ends_with_130(command: Command, pipeline: Pipeline, capsys: Captured) -> None:
    """Without a traceback."""
    pipeline.stop = KeyboardInterrupt()
    assert command("--apply") == 130
    assert capsys.readouterr() == ("", "\nasyncfix: interrupted\n")


def test_colour_is_the_flags_business_first(command: Command, pipeline: Pipeline, capsys: Captured) -> None:
    """A pipe gets none unless forced."""
    pipeline.outcome = Outcome("/", "/", (FINDING,), (CHANGE,))
    command()
    assert "\x1b" not in capsys.readouterr().out
    command("--color", "always")
    assert "\x1b[1m" in capsys.readouterr().out


def test_show_files_lists_and_counts(command: Command, pipeline: Pipeline, capsys: Captured) -> None:
    """Paths from the current folder."""
    assert command("--show-files", "src") == 0
    assert pipeline.asked == [Options(paths=("src",))]
    assert capsys.readouterr() == ("a.py\nb/c.py\n".replace("/", os.sep), "asyncfix: 2 files left out: 2 generated\n")


@pytest.mark.usefixtures("pipeline")
def test_undo_takes_back_or_says_why_not(command: Command, capsys: Captured) -> None:
    """A refusal is exit code 2."""
    assert command("undo") == 0
    assert capsys.readouterr() == ("", "asyncfix: 1 file restored\n")
    assert command("undo", "src") == 2
    assert capsys.readouterr() == ("", "asyncfix: nothing to undo in src\n")


@pytest.mark.usefixtures("pipeline")
def test_rule_prints_a_page_or_the_list(command: Command, capsys: Captured) -> None:
    """An unknown name is answered with the nearest known one."""
    assert command("rule", "blocking-sleep") == 0
    assert capsys.readouterr().out == "# blocking-sleep\n\nFinds sleeps.\n\nMore.\n"
    assert command("rule", "--all") == 0
    assert (
        capsys.readouterr().out == "blocking-sleep  Finds sleeps.\nx               Finds x.y and z. (off by default)\n"
    )
    assert command("rule", "blocking-slep") == 2
    assert capsys.readouterr() == ("", "asyncfix: no rule is called 'blocking-slep'; did you mean 'blocking-sleep'?\n")


class Terminal(io.StringIO):
    """Standard input at which somebody sits."""

    def isatty(self) -> bool:
        return True


def sit_down(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Make this a terminal on which that will be typed."""
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def test_interactive_asks_until_it_understands(
    command: Command, pipeline: Pipeline, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Help on ?, and on what is none of the letters; the diff and the reasons stand above."""
    sit_down(monkeypatch, "?\nmaybe\n Y \n\na\nq\n")
    assert command("--apply", "--interactive", "--color", "never") == 0
    assert pipeline.answers == ["y", "a", "q"]
    out = capsys.readouterr().out
    assert out.count("y - yes, make this change") == 3
    assert "blocking-sleep: await the sleep" in out
    assert "+\\udce9" in out
    assert "  safe: nothing shared" in out


def test_the_end_of_the_input_is_an_interruption(
    command: Command, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing may be written."""
    sit_down(monkeypatch, "y\n")
    assert command("--apply", "--interactive") == 130
    assert pipeline.answers == ["y"]


def test_interactive_needs_a_terminal(command: Command, pipeline: Pipeline, capsys: Captured) -> None:
    """It says so."""
    assert command("--apply", "--interactive") == 2
    assert capsys.readouterr() == ("", "asyncfix: --interactive needs a terminal to ask on\n")
    assert pipeline.asked == []


# ------------------------------------------------------------------------------------------------------- real processes

DOUBLE = """
import sys, types
import asyncfix

def run(options, ask=None):
    {body}

module = types.ModuleType("asyncfix.pipeline")
module.Stop = type("Stop", (Exception,), {{}})
module.run = run
sys.modules["asyncfix.pipeline"] = module
asyncfix.pipeline = module
from asyncfix.cli import main
main()
"""


def start(tmp_path: Path, body: str, *words: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """A process of the command, with a pipeline that does this."""
    script = tmp_path / "command.py"
    script.write_text(DOUBLE.format(body=textwrap.indent(textwrap.dedent(body), "    ").strip()), encoding="utf-8")
    return subprocess.Popen([sys.executable, str(script), *words], stderr=subprocess.PIPE, stdout=stdout)


def test_what_nobody_foresaw_is_exit_code_2(tmp_path: Path) -> None:
    """Python's own 1 would mean findings; the traceback is kept for the report."""
    process = start(tmp_path, "raise ValueError('a bug')")
    _, err = process.communicate()
    assert process.returncode == 2
    assert b"ValueError: a bug" in err
    assert err.endswith(b"asyncfix: internal error, please report it with the lines above\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_unwind(number: signal.Signals, code: int, tmp_path: Path) -> None:
    """What has to be put right on the way out is."""
    body = """
    import time
    try:
        sys.stderr.write("ready\\n")
        time.sleep(60)
    finally:
        sys.stderr.write("put right\\n")
    """
    with start(tmp_path, body, "--apply") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"ready\n"
        process.send_signal(number)
        assert process.stderr.readline() == b"put right\n"
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == code


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_closed_pipe_is_no_traceback(size: int, tmp_path: Path) -> None:
    """``asyncfix --diff | head -1``: met while writing, or at the end."""
    reading, writing = os.pipe()
    os.close(reading)
    body = f"from asyncfix.outcome import Outcome; return Outcome('/', '/', patch=b'x' * {size})"
    with start(tmp_path, body, "--diff", stdout=writing) as process:
        os.close(writing)
        assert process.stderr is not None
        err = process.stderr.read()
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err
    assert process.returncode == 141


def test_progress_is_for_terminals_only(tmp_path: Path) -> None:
    """And wiped away when there is something to say."""
    body = "from asyncfix.outcome import Outcome; return Outcome('/', '/')"
    master, slave = pty.openpty()
    script = start(tmp_path, body)
    _, err = script.communicate()
    assert err == b""
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "command.py")], stderr=slave, stdout=subprocess.PIPE
    ) as process:
        process.wait()
        assert os.read(master, 1000) == b"asyncfix: reading the project ...\r\x1b[K"
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize(
    "words", [("--help",), ("-h",), ("--version",), ("undo", "--help"), ("plan", "--help"), ("why", "--help")]
)
def test_start_up_imports_nothing_heavy(words: tuple[str, ...], tmp_path: Path) -> None:
    """Help and version come at once."""
    heavy = {"libcst", "black", "rich", "msgspec", "unidiff", "tomlkit", "asyncio", "multiprocessing", "platformdirs"}
    code = (
        "import atexit, sys\n"
        f"sys.argv = ['asyncfix', *{words!r}]\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from asyncfix.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    loaded = set(done.stderr.split())
    assert "typer" in loaded
    assert heavy & loaded == set()
    assert done.stdout.startswith(
        f"asyncfix {asyncfix.__version__}\n" if words == ("--version",) else "Usage: asyncfix"
    )


def test_python_m_imports_nothing_from_the_current_folder(tmp_path: Path) -> None:
    """Whether it shadows a dependency or a module of ours. (What `runpy` needs, Python loads before us.)"""
    canary = tmp_path / "canary"
    for name in ("typer", "libcst", "msgspec", "signal", "inspect", "transforms"):
        (tmp_path / f"{name}.py").write_text(f"open({str(canary)!r}, 'w')", encoding="utf-8")
    home = str(Path(asyncfix.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-m", "asyncfix", "--version"],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": home},
        check=True,
    )
    assert done.stdout.startswith(b"asyncfix ")
    assert not canary.exists()
