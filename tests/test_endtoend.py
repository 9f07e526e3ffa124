"""The whole command on small projects: what it shows is what it writes, once, and can take back."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.harness import AWAITING, PYPROJECT, SLEEPER, Project, copy, project

ODD = {
    "crlf.py": SLEEPER.replace(b"\n", b"\r\n"),
    "mixed.py": b"import time\n\n\r\nasync def f():\n    time.sleep(1)\r\n    return 'a\\\r\n b'\n",
    "bom.py": b"\xef\xbb\xbf" + SLEEPER,
    "latin.py": b"# coding: latin-1\nimport time\n\n\nasync def f():\n    x = '\xe9\xe8'; time.sleep(1)  # \xff\n    return x\n",
    "end.py": b"import time\n\n\nasync def f():\n    time.sleep(1)",
    "feed.py": b"import time\n\x0c\n\x0c\nasync def f():\n    s = '\x0c\x85'.encode(); time.sleep(1)\n\x0c\n".replace(
        b"\x85", b"\xc2\x85"
    ),
    "indent.py": b"import time\n\n\nasync def f():\n\x0c    s = '\xc3\xa9\xc2\x85', [\n\x0ctime.sleep(1)]\n"
    b"    if s:\n  \x0c        time.sleep(len('\xc3\xa9'))\n        s = 1\n \x0c\n    \x0c    time.sleep(1)\n    return s\n",
    "cr.py": b"import time\n\n\nasync def f():\n    s = '''a\rb'''\n    time.sleep(1)\n    return s\n",
    "tabs.py": b"import time\n\n\nasync def f():\n\tif\tTrue:\n\t\ttime.sleep(\t1 )\t# wait\n",
    "a folder/with blanks .py": SLEEPER,
    "\u00fcn\u00ef/\u4f60 \u597d.py": SLEEPER.replace(b"time.s", "\u00e4 = '\u2028\U0001f600'; time.s".encode()),
    'quo"te\\\t.py': SLEEPER,
}
CALLER = b"import lib\n\n\nasync def g():\n    lib.nap()\n"
LIBRARY = b"import time\n\n\ndef nap():\n    time.sleep(1)\n"
TWO_RULES = b"import subprocess\n" + SLEEPER + b"    subprocess.run(['true'])\n    time.sleep(2)\n"


def converted(data: bytes) -> bytes:
    """What becomes of a file that only sleeps."""
    return data.replace(b"import time", b"import asyncio").replace(b"time.sleep(", b"await asyncio.sleep(")


# ------------------------------------------------------------------------------------------------------ diff and apply


def test_apply_writes_what_diff_shows_whatever_the_bytes(tmp_path: Path) -> None:
    """Line ends, byte order mark, encoding, form feeds, tabs, odd names; git and patch make the same of the diff."""
    here = project(tmp_path, {f"service/{path}": data for path, data in ODD.items()})
    here.commit()
    before = here.files()
    shown = here.run("--diff", at="service")
    assert (shown.code, here.files()) == (0, before)
    for tool in (["git", "apply"], ["patch", "-p1", "--binary"]):
        dry = {"git": "--check", "patch": "--dry-run"}[tool[0]]
        other = copy(here, tmp_path / tool[0])
        subprocess.run([*tool, dry], cwd=other.root, input=shown.out, check=True, capture_output=True)
        subprocess.run(tool, cwd=other.root, input=shown.out, check=True, capture_output=True)
        patched = other.files()
        assert {path: patched[path] for path in before} == {
            path: converted(data) if path.endswith(".py") else data for path, data in before.items()
        }
        assert patched.keys() == before.keys()
    applied = here.run("--apply", at="service")
    assert (applied.code, applied.out) == (0, b"")
    assert here.files() == patched


def test_a_second_run_finds_nothing_and_undo_takes_the_first_back(tmp_path: Path) -> None:
    """Files that the run made are removed."""
    here = project(
        tmp_path,
        {
            "app.py": b"import requests\n\n\nasync def f(u):\n    return requests.get(u).json()\n",
            "requirements.txt": b"requests\nhttpx\n",
            "bom.py": ODD["bom.py"],
        },
    )
    before = here.files()
    assert here.run("--apply").code == 0
    after = here.files()
    assert after.keys() - before.keys() == {"_asyncfix.py"}
    again = here.run("--apply")
    assert (again.code, again.err.count("0 SAFE changes written to 0 files")) == (0, 1)
    assert here.run("--diff", "--check").out == b""
    assert here.files() == after
    undone = here.run("undo")
    assert (undone.code, undone.err) == (0, "asyncfix: 3 files restored\n")
    assert here.files() == before
    twice = here.run("undo")
    assert (twice.code, len(twice.err.splitlines())) == (2, 1)


def test_what_goes_to_a_thread_is_not_left_alone(tmp_path: Path) -> None:
    """Neither the functions that a run makes nor those that a person handed over count as code that no async code reaches."""
    source = b"""import asyncio
import subprocess


def work():
    subprocess.run(["true"])


def idle():
    subprocess.run(["true"])


class Worker:
    def __init__(self):
        subprocess.run(["true"])


async def f(path):
    await asyncio.to_thread(Worker)
    with open(path) as file:
        text = file.read()
    await asyncio.get_running_loop().run_in_executor(None, work)
    return text
"""
    here = project(tmp_path, {"pyproject.toml": PYPROJECT, "a.py": source})
    left = "; 1 blocking call in sync code that no async code reaches left alone (see --migrate)\n"
    assert here.run("--apply").err.endswith(left)
    assert b"to_thread(read_text)" in here.files()["a.py"]
    assert here.run("--apply").err.endswith(left)


def test_undo_is_refused_once_a_file_was_edited(tmp_path: Path) -> None:
    """And touches nothing, not the others either."""
    here = project(tmp_path, {"a.py": SLEEPER, "b.py": SLEEPER})
    here.run("--apply")
    (here.root / "b.py").write_bytes(AWAITING + b"# mine\n")
    edited = here.files()
    undone = here.run("undo")
    assert undone.code == 2
    assert undone.err == "asyncfix: b.py: changed since asyncfix wrote it\n"
    assert here.files() == edited


def test_one_file_that_cannot_be_written_leaves_all_as_they_were(tmp_path: Path) -> None:
    """A read-only one, say: one line that names it."""
    here = project(tmp_path, {"a.py": SLEEPER, "b.py": SLEEPER, "c.py": SLEEPER})
    before = here.files()
    (here.root / "b.py").chmod(0o444)
    done = here.run("--apply")
    assert (done.code, done.out, done.err) == (2, b"", "asyncfix: b.py: is read-only\n")
    assert here.files() == before


def test_a_dirty_tree_is_refused(tmp_path: Path) -> None:
    """Modified, staged or untracked; what the last run wrote counts as clean; other files do not matter."""
    here = project(tmp_path, {"a.py": SLEEPER, "b.py": b"x = 1\n"})
    here.commit()
    (here.root / "a.py").write_bytes(b"# mine\n" + SLEEPER)
    refused = here.run("--apply")
    assert (refused.code, refused.out) == (2, b"")
    assert refused.err == "asyncfix: a.py: uncommitted changes; commit or stash them, or say --allow-dirty\n"
    here.git("add", "a.py")
    assert here.run("--apply").code == 2
    here.commit()
    (here.root / "b.py").write_bytes(b"x = 2\n")
    (here.root / "new.py").write_bytes(SLEEPER)
    assert "new.py: uncommitted changes" in here.run("--apply").err
    assert here.files()["new.py"] == SLEEPER
    assert here.run("--apply", "a.py").code == 0
    assert here.run("--apply", "new.py", "--allow-dirty").code == 0
    written = here.files()
    assert written["a.py"] == b"# mine\n" + AWAITING
    assert written["new.py"] == AWAITING


def test_what_the_last_apply_wrote_is_clean(tmp_path: Path) -> None:
    """A second rule can follow the first without a commit between."""
    here = project(tmp_path, {"a.py": TWO_RULES})
    here.commit()
    assert here.run("--apply", "--select", "blocking-sleep").code == 0
    second = here.run("--apply", "--select", "blocking-subprocess", "--unsafe")
    assert (second.code, second.err.count("uncommitted")) == (0, 0)
    assert b"asyncio.to_thread(subprocess.run" in here.files()["a.py"]
    assert here.run("undo").code == 0
    assert b"await asyncio.sleep(1)" in here.files()["a.py"]


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    """Neither the patch nor the document nor what stderr says."""
    tree = {f"m{number}.py": SLEEPER + b"    %s.nap()\n" % (b"m%d" % number) for number in range(30)}
    here = project(tmp_path, {**tree, "lib.py": LIBRARY, "caller.py": CALLER, "two.py": TWO_RULES, "bad.py": b"def\n"})
    shown = [here.run("--diff", "--unsafe", "--no-cache", "--workers", number) for number in ("1", "2", "4")]
    assert shown[0].out.count(b"+++ ") == 32
    assert shown[0] == shown[1] == shown[2]
    reports = [here.run("--output-format", "json", "--workers", number) for number in ("1", "4")]
    assert reports[0] == reports[1]


def test_check_says_whether_anything_is_left(tmp_path: Path) -> None:
    """With --diff whatever these options would take, with --apply what they took and could not write."""
    here = project(
        tmp_path, {"a.py": SLEEPER, "b.py": b"import subprocess\n\n\nasync def f(x):\n    subprocess.run(x)\n"}
    )
    assert here.run("--diff").code == 0
    assert here.run("--diff", "--check").code == 1
    assert here.run("--apply", "--check").code == 0
    assert here.run("--diff", "--check", "--select", "blocking-sleep").code == 0
    assert here.run("--check").code == 2


# --------------------------------------------------------------------------------------------------------- interactive


class Terminal:
    """A person at a terminal: types an answer to each question, and keeps what was on the screen."""

    def __init__(self, here: Project, *words: str) -> None:
        self.master, slave = pty.openpty()
        self.screen = b""

        def take_terminal() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored by what a shell runs in the background
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [*here.script, *words],
            cwd=here.root,
            env=here.environment(),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        os.close(slave)

    def read(self, until: bytes = b"") -> bytes:
        """What appears up to a text, else up to the end."""
        begin = len(self.screen)
        while not until or until not in self.screen[begin:]:
            if not select.select([self.master], [], [], 60)[0]:
                raise TimeoutError(self.screen.decode())
            try:
                self.screen += os.read(self.master, 65536)
            except OSError:  # the other end is closed
                break
        return self.screen[begin:]

    def answer(self, *keys: bytes) -> list[bytes]:
        """What was shown before each answer."""
        shown: list[bytes] = []
        for key in keys:
            shown.append(self.read(b"[y,n,a,d,q,?]? "))
            os.write(self.master, key)
        return shown

    def insist(self, key: bytes) -> None:
        """Press a key until the command ends: Ctrl-C is lost just before Python begins to read an answer."""
        while self.process.poll() is None:
            os.write(self.master, key)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)

    def end(self) -> int:
        self.read()
        os.close(self.master)
        return self.process.wait()


QUESTIONS = {
    "a.py": b"import time\n\n\nasync def f():\n    time.sleep(1)\n\n\nasync def g():\n    time.sleep(2)\n",
    "b.py": b"import subprocess\nimport time\n\n\nasync def h(x):\n    subprocess.run(x)\n    time.sleep(3)\n",
}


def awaits(here: Project) -> list[bytes]:
    """What follows the word in every file."""
    return [part.splitlines()[0] for _, data in sorted(here.files().items()) for part in data.split(b"await ")[1:]]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            (b"y\n", b"n\n", b"?\n", b"y\n", b"y\n"),
            [b"asyncio.sleep(1)", b"asyncio.to_thread(subprocess.run, x)", b"asyncio.sleep(3)"],
        ),
        ((b"a\n", b"n\n"), [b"asyncio.sleep(1)", b"asyncio.sleep(2)", b"asyncio.sleep(3)"]),
        ((b"d\n", b"y\n"), [b"asyncio.to_thread(subprocess.run, x)"]),
        ((b"n\n", b"y\n", b"q\n"), [b"asyncio.sleep(2)"]),
    ],
    ids=["each", "all of a rule", "none of a rule", "quit"],
)
def test_a_person_chooses(keys: Sequence[bytes], expected: list[bytes], tmp_path: Path) -> None:
    """Each question is put once, with its diff; what got a yes is written, in one go that undo takes back."""
    here = project(tmp_path, QUESTIONS)
    before = here.files()
    person = Terminal(here, "--apply", "--interactive", "--color", "never")
    shown = person.answer(*keys)
    assert b"blocking-sleep: " in shown[0] and b"+    await asyncio.sleep(1)" in shown[0]
    assert person.end() == 0
    assert person.screen.count(b"[y,n,a,d,q,?]? ") == len(keys)
    assert awaits(here) == expected
    assert here.run("undo").code == 0
    assert here.files() == before


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_whoever_walks_away_leaves_everything_as_it_was(key: bytes, tmp_path: Path) -> None:
    """Although the first question got a yes."""
    here = project(tmp_path, QUESTIONS)
    before = here.files()
    person = Terminal(here, "--apply", "--interactive")
    person.answer(b"y\n")
    person.read(b"[y,n,a,d,q,?]? ")
    person.insist(key)
    assert person.end() == 130
    assert b"Traceback" not in person.screen
    assert here.files() == before
    assert here.run("undo").code == 2


def test_a_dirty_file_is_refused_before_the_first_question(tmp_path: Path) -> None:
    """Whatever the answers would be; other dirty files do not matter."""
    here = project(tmp_path, QUESTIONS)
    here.commit()
    (here.root / "c.py").write_bytes(b"x = 1\n")
    (here.root / "b.py").write_bytes(QUESTIONS["b.py"] + b"# mine\n")
    person = Terminal(here, "--apply", "--interactive", "--color", "never")
    assert person.end() == 2
    assert person.screen.count(b"[y,n,a,d,q,?]? ") == 0
    assert b"asyncfix: b.py: uncommitted changes" in person.screen
    (here.root / "b.py").write_bytes(QUESTIONS["b.py"])
    person = Terminal(here, "--apply", "--interactive", "--color", "never")
    person.answer(b"a\n", b"n\n")
    assert person.end() == 0


def test_interactive_needs_a_terminal(tmp_path: Path) -> None:
    """It says so and ends with 2."""
    here = project(tmp_path, QUESTIONS)
    done = here.run("--apply", "--interactive")
    assert (done.code, done.err) == (2, "asyncfix: --interactive needs a terminal to ask on\n")


# ---------------------------------------------------------------------------------------------------- what is edited


@pytest.mark.parametrize("make", [os.link, os.symlink])
def test_another_name_of_a_file_is_a_name_of_its_functions(make: Callable[[str, str], None], tmp_path: Path) -> None:
    """Whoever calls them by that name is a caller like any other."""
    caller = b"import other\n\n\ndef run():\n    return other.nap()\n"
    here = project(tmp_path, {"lib.py": LIBRARY, "use.py": CALLER, "sync.py": caller})
    make("lib.py" if make is os.symlink else str(here.root / "lib.py"), str(here.root / "other.py"))
    found = here.run("--diff", "--unsafe")
    assert found.code == 0
    assert b"async def nap" not in found.out
    assert b"await asyncio.to_thread(lib.nap)" in found.out


def test_an_ignored_file_that_git_tracks_is_read(tmp_path: Path) -> None:
    """Its callers count, and it is mended."""
    here = project(tmp_path, {".gitignore": b"lib.py\n", "lib.py": LIBRARY, "use.py": CALLER})
    here.commit()
    assert here.run("--show-files").out.splitlines() == [b"lib.py", b"use.py"]
    assert here.run("--apply").code == 0
    assert b"async def nap" in here.files()["lib.py"]


def test_a_caller_outside_the_paths_is_a_barrier(tmp_path: Path) -> None:
    """The helper stays sync, since its other caller may not be edited; nothing outside the paths is."""
    here = project(
        tmp_path,
        {
            "src/lib.py": LIBRARY,
            "src/in.py": CALLER,
            "out/out.py": b"from src import lib\n\n\nasync def g():\n    lib.nap()\n",
            "src/__init__.py": b"",
            "out/__init__.py": b"",
        },
    )
    (here.root / "src/in.py").write_bytes(b"from src import lib\n\n\nasync def g():\n    lib.nap()\n")
    whole = here.run("--diff", "--unsafe").out
    assert b"await lib.nap()" in whole and b"async def nap" in whole and b"+++ b/out/out.py" in whole
    part = here.run("--diff", "--unsafe", "src").out
    assert b"async def nap" not in part
    assert b"out/out.py" not in part
    document = here.run("--output-format", "json", "src").json
    assert {finding["path"] for finding in document["findings"]} == {"src/in.py"}


@pytest.mark.parametrize("by", ["flag", "configuration"])
def test_an_excluded_file_is_read_and_not_edited(by: str, tmp_path: Path) -> None:
    """Its callers bar as those outside the paths do, and its own findings are gone."""
    configured = b'\n[tool.asyncfix]\nexclude = ["callers/"]\n' if by == "configuration" else b""
    here = project(
        tmp_path,
        {"pyproject.toml": PYPROJECT + configured, "lib.py": LIBRARY, "callers/one.py": CALLER, "two.py": CALLER},
    )
    flags = ("--exclude", "callers/") if by == "flag" else ()
    document = here.run("--output-format", "json", *flags).json
    assert {finding["path"] for finding in document["findings"]} == {"two.py"}
    shown = here.run("--diff", "--unsafe", *flags).out
    assert b"async def nap" not in shown
    assert b"callers/" not in shown
    assert here.run("--show-files", *flags).out == b"lib.py\ntwo.py\n"
    named = here.run("--output-format", "json", *flags, "callers/one.py").json
    assert {finding["path"] for finding in named["findings"]} == {"callers/one.py"}


# ------------------------------------------------------------------------------------------------------------- report


METHOD = "from pkg import lib\n\n\nclass A:\n    async def g(self):\n        \u00e4 = '\U0001f600'; lib.nap()\n"
CLASS_BODY = b"import time\n\n\nasync def g(x):\n    class C:\n        time.sleep(x)\n\n    return C\n"


def test_the_document(tmp_path: Path) -> None:
    """Every field that is promised, with its type, and places in characters."""
    here = project(
        tmp_path,
        {
            "pkg/__init__.py": b"",
            "pkg/lib.py": LIBRARY,
            "pkg/app.py": METHOD.encode(),
            "pkg/gen.py": CLASS_BODY,
            "bad.py": b"def (:\n",
        },
    )
    done = here.run("--output-format", "json")
    assert done.code == 2  # of bad.py
    document = done.json
    assert document.keys() >= {"version", "findings", "changes", "refusals", "skipped"}
    [finding] = [item for item in document["findings"] if item["path"] == "pkg/app.py"]
    [change] = [item for item in document["changes"] if item["id"] == finding["change"]]
    assert finding == {
        "rule": "blocking-sleep",
        "path": "pkg/app.py",
        "line": 6,
        "column": 18,
        "end_line": 6,
        "end_column": 27,
        "message": finding["message"],
        "owner": "pkg.app.A.g",
        "safety": "safe",
        "via": [
            {"function": "pkg.app.A.g", "path": "pkg/app.py", "line": 6},
            {"function": "pkg.lib.nap", "path": "pkg/lib.py", "line": 5},
            {"function": "time.sleep", "path": "pkg/lib.py", "line": 5},
        ],
        "change": change["id"],
    }
    assert change == {**change, "safety": "safe", "files": ["pkg/app.py", "pkg/lib.py"], "needs": [], "reasons": []}
    assert change["title"] and finding["message"]
    assert [item["path"] for item in document["skipped"]] == ["bad.py"]
    for refusal in document["refusals"]:
        assert refusal.keys() == {"rule", "path", "line", "reason", "message", "remedy"}
    unmended = [item for item in document["findings"] if item["change"] is None]
    assert unmended
    assert {(item["path"], item["line"]) for item in unmended} == {
        (item["path"], item["line"]) for item in document["refusals"]
    }


def test_paths_count_from_where_each_reader_stands(tmp_path: Path) -> None:
    """Patches from the root (that of git, where there is one), the document too, the text from the current folder."""
    here = project(tmp_path, {"sub/a.py": SLEEPER})
    assert b"--- a/sub/a.py\n+++ b/sub/a.py\n" in here.run("--diff", at="sub").out
    here.git("init", "-q", at="..")
    assert b"--- a/project/sub/a.py\n+++ b/project/sub/a.py\n" in here.run("--diff", at="sub").out
    assert here.run("--output-format", "json", at="sub").json["findings"][0]["path"] == "project/sub/a.py"
    assert b"\n  a.py:5:5: " in here.run(at="sub").out


def test_rules_are_chosen_by_name(tmp_path: Path) -> None:
    """ALL is every default rule; an unknown name is an error that names the nearest."""
    here = project(
        tmp_path,
        {"a.py": TWO_RULES, "b.py": b"import os\n\n\nasync def f(a):\n    return os.path.exists(a)\n"},
    )

    def found(*words: str) -> set[str]:
        return {finding["rule"] for finding in here.run("--output-format", "json", *words).json["findings"]}

    assert found() == found("--select", "ALL") == {"blocking-sleep", "blocking-subprocess"}
    assert found("--select", "blocking-sleep") == {"blocking-sleep"}
    assert found("--ignore", "blocking-sleep") == {"blocking-subprocess"}
    assert "blocking-metadata" in found("--extend-select", "blocking-metadata")
    unknown = here.run("--select", "blocking-slep")
    assert (unknown.code, unknown.out) == (2, b"")
    assert len(unknown.err.splitlines()) == 1 and "blocking-sleep" in unknown.err


@pytest.mark.parametrize(
    ("declared", "configured", "module"),
    [
        ("httpx", "", "httpx"),
        ("httpx2", "", "httpx2"),
        ("httpx, httpx2", "", "httpx"),
        ("httpx, httpx2", '[tool.asyncfix.http]\nclient = "httpx2"\n', "httpx2"),
    ],
)
def test_the_http_client_is_the_projects_own(declared: str, configured: str, module: str, tmp_path: Path) -> None:
    """The generated helper imports the one that is declared, or configured."""
    names = ", ".join(f'"{name}"' for name in declared.split(", "))
    pyproject = PYPROJECT + f"dependencies = [{names}]\n{configured}".encode()
    source = b"import requests\n\n\nasync def f(url):\n    r = requests.get(url)\n    return r.status_code\n"
    here = project(tmp_path, {"pyproject.toml": pyproject, "a.py": source})
    assert here.run("--apply").code == 0
    helper = here.files()["_asyncfix.py"].decode()
    assert set(re.findall(r"\bhttpx\d?\b", helper)) == {module}
    assert f"\nimport {module}\n" in helper


@pytest.mark.parametrize(
    ("table", "words", "message"),
    [
        ("select = ['blocking-slep']", (), "p: no rule is called `blocking-slep`, did you mean `blocking-sleep`?"),
        ("", ("--ignore", "sequence-awaits"), "no rule is called `sequence-awaits`, did you mean `sequential-awaits`?"),
        ("strategy.reqests = 'native'", (), "strategy: no library here is called `reqests`, did you mean `requests`?"),
        ("", ("--strategy", "flies=thread"), "strategy: no library here is called `flies`, did you mean `files`?"),
        ("pin = ['a.g']", (), "pin: no function here is called `a.g`, did you mean `a.f`?"),
        ("pin = ['pkg.f']", (), "pin: no function here is called `pkg.f`, did you mean `a.f`?"),
        ("pin = ['b.other']", (), "pin: no function here is called `b.other`"),
        ("api = [{call = ''}]", (), "p: `tool.asyncfix.api[0].call`: `` is no dotted name such as `pkg.Client.get`"),
        (
            "api = [{call = 'a.slep', async = 'same'}]",
            (),
            "api: nothing here is called `a.slep`, did you mean `a.f`?",
        ),
        ("api = [{call = 'a.f(z)', async = 'same'}]", (), "api: nothing here is called `a.f(z)`, did you mean `a.f`?"),
    ],
)
def test_a_name_that_means_nothing_is_an_error(
    table: str, words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    """One line with the nearest name that does, and the file if it stands there."""
    here = project(tmp_path, {"pyproject.toml": PYPROJECT + f"[tool.asyncfix]\n{table}\n".encode(), "a.py": SLEEPER})
    done = here.run(*words)
    where = f"{here.root / 'pyproject.toml'}: "
    assert (done.code, done.out, done.err) == (2, b"", f"asyncfix: {re.sub('^p: ', where, message)}\n")
    known = here.root / "pyproject.toml"
    known.write_bytes(PYPROJECT + b"[tool.asyncfix]\nbuiltin-apis = false\nstrategy.requests = 'native'\n")
    assert here.run().code == 0


def test_a_pin_of_what_could_not_be_read_is_no_error(tmp_path: Path) -> None:
    """The function may be there."""
    pinned = PYPROJECT + b"[tool.asyncfix]\npin = ['pkg.b.f', 'a.f']\n"
    here = project(tmp_path, {"pyproject.toml": pinned, "pkg/__init__.py": b"", "pkg/b.py": b"f(\n", "a.py": SLEEPER})
    assert b"pinned" in here.run().out


@pytest.mark.parametrize("words", [(), ("--diff",), ("--apply",), ("docs",)])
def test_a_folder_without_python_is_named(words: tuple[str, ...], tmp_path: Path) -> None:
    """Nothing to do is no error, but nobody should wonder why nothing is found."""
    here = project(tmp_path, {"docs/a.md": b"x\n"})
    done = here.run(*words)
    assert done.code == 0
    assert done.err.startswith(f"asyncfix: no Python files to look at in {'docs' if 'docs' in words else '.'}\n")


def test_a_row_of_the_users_own_speaks_of_the_instances_of_a_class(tmp_path: Path) -> None:
    """As the README shows it."""
    rows = b'[[tool.asyncfix.api]]\ncall = "acme.Client.fetch"\nflow = "network"\nreads = ["argument"]\nwrites = []\n'
    source = b"import acme\n\n\nasync def f():\n    client = acme.Client()\n    return client.fetch(1)\n"
    here = project(tmp_path, {"pyproject.toml": PYPROJECT + rows, "a.py": source})
    assert b"await asyncio.to_thread(client.fetch, 1)" in here.run("--diff").out


def test_an_unknown_key_is_an_error(tmp_path: Path) -> None:
    """One line that names the file, the key and the nearest known one; nothing is written."""
    here = project(tmp_path, {"pyproject.toml": PYPROJECT + b'[tool.asyncfix]\nselct = ["ALL"]\n', "a.py": SLEEPER})
    before = here.files()
    for words in ((), ("--diff",), ("--apply",), ("--show-files",)):
        done = here.run(*words)
        assert (done.code, done.out, len(done.err.splitlines())) == (2, b"", 1)
        assert "pyproject.toml" in done.err and "`selct`" in done.err and "`select`" in done.err
    assert here.files() == before


# --------------------------------------------------------------------------------------------------------- suppression

SUPPRESSED = {
    "line.py": SLEEPER.replace(b"sleep(1)", b"sleep(1)  # asyncfix: ignore"),
    "rule.py": SLEEPER.replace(b"sleep(1)", b"sleep(1)  # asyncfix: ignore[blocking-sleep]"),
    "file.py": b"# asyncfix: ignore-file\n" + SLEEPER,
}


def test_suppressed_findings_neither_appear_nor_change(tmp_path: Path) -> None:
    """By line, by rule, by file; they do not count either."""
    here = project(tmp_path, SUPPRESSED)
    done = here.run("--output-format", "json")
    assert (done.code, done.json["findings"], done.json["changes"]) == (0, [], [])
    assert here.run("--diff", "--unsafe", "--check").out == b""


def test_a_suppression_of_nothing_is_a_finding(tmp_path: Path) -> None:
    """One for another rule stops nothing either; neither does what only looks like one in a string."""
    here = project(
        tmp_path,
        {
            "other.py": SLEEPER.replace(b"sleep(1)", b"sleep(1)  # asyncfix: ignore[blocking-open]"),
            "idle.py": b"x = 1  # asyncfix: ignore\n",
            "text.py": b"x = '# asyncfix: ignore'\n",
            "whole.py": b"# asyncfix: ignore-file\nx = 1\n",
        },
    )
    done = here.run("--output-format", "json")
    found = {(item["path"], item["line"], item["rule"]) for item in done.json["findings"]}
    assert found == {
        ("other.py", 5, "blocking-sleep"),
        ("other.py", 5, "unused-suppression"),
        ("idle.py", 1, "unused-suppression"),
        ("whole.py", 1, "unused-suppression"),
    }
    assert done.code == 1


def test_a_suppression_that_could_not_act_is_none_of_nothing(tmp_path: Path) -> None:
    """In files that were not asked for, and for rules that are off; a rule that there is not is told by its name."""
    here = project(
        tmp_path,
        {
            "service/slept.py": SLEEPER.replace(b"sleep(1)", b"sleep(1)  # asyncfix: ignore[blocking-sleep]"),
            "service/odd.py": b"x = 1  # asyncfix: ignore[blocking-sleeps]\n",
            "other/idle.py": b"x = 1  # asyncfix: ignore[blocking-sleeps]\n",
        },
    )
    done = here.run("--ignore", "blocking-sleep", "--output-format", "json", "service")
    said = "this suppression stops no finding and no edit: there is no rule `blocking-sleeps`, did you mean `blocking-sleep`?"
    assert [(item["path"], item["message"]) for item in done.json["findings"]] == [("service/odd.py", said)]


def test_a_suppressed_line_bars_every_edit_of_it(tmp_path: Path) -> None:
    """The call, and the word `def`, of a helper that would turn."""
    for number, (old, new) in enumerate(
        [
            (b"lib.nap()", b"lib.nap()  # asyncfix: ignore"),
            (b"def nap():", b"def nap():  # asyncfix: ignore[blocking-sleep]"),
            (b"time.sleep(1)", b"time.sleep(1)  # asyncfix: ignore"),
        ]
    ):
        here = project(
            tmp_path / str(number), {"lib.py": LIBRARY.replace(old, new), "app.py": CALLER.replace(old, new)}
        )
        shown = here.run("--diff", "--unsafe").out
        assert b"async def nap" not in shown, old
        assert [
            item
            for item in here.run("--output-format", "json").json["findings"]
            if item["rule"] == "unused-suppression"
        ] == [], old
