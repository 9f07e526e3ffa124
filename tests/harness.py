"""What the tests of the whole command share: its console script, run as a stranger runs it, and small projects for it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

SCRIPT = Path(sysconfig.get_path("scripts"), "asyncfix")
PYPROJECT = b'[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\n'
SLEEPER = b"import time\n\n\nasync def f():\n    time.sleep(1)\n"
AWAITING = b"import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n"
OVERLAP = b"""import requests


def fetch(url):
    return requests.get(url, timeout=1).json()


async def load(a, b):
    x = fetch(a)
    y = fetch(b)
    return x, y
"""
Tree = Mapping[str, bytes]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.out))

    def about(self, name: str) -> list[str]:
        """The lines on stderr that name a file."""
        return [line for line in self.err.splitlines() if name in line]


@dataclass(frozen=True)
class Project:
    """A folder that is analysed, beside it the home of the user who does it, and where the command is run."""

    root: Path
    home: Path
    script: tuple[str, ...] = (str(SCRIPT),)
    extra: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())

    def environment(self) -> dict[str, str]:
        """Ours, less what would lead Python or git elsewhere."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GIT_", "ASYNCFIX"))
        }
        own = {"ASYNCFIX_CACHE_DIR": str(self.home / "cache"), "ASYNCFIX_STATE_DIR": str(self.home / "state")}
        person = {f"GIT_{who}_{what}": "x@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return {**kept, **own, **person, "HOME": str(self.home), "GIT_CONFIG_GLOBAL": os.devnull, **self.extra}

    def start(self, *words: str, at: str = ".", **options: Any) -> subprocess.Popen[bytes]:
        """The command at work; Ctrl-C works even if whoever runs the tests ignores it."""
        pipes: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **options,
        }
        process = subprocess.Popen(
            [*self.script, *words],
            cwd=self.root / at,
            env=self.environment(),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            **pipes,
        )
        return cast("subprocess.Popen[bytes]", process)

    def run(self, *words: str, at: str = ".") -> Done:
        """The command, run to its end in the folder ``at``."""
        with self.start(*words, at=at) as process:
            out, err = process.communicate()
        return Done(process.returncode, out, err.decode("utf-8", "surrogateescape"))

    def git(self, *words: str, at: str = ".") -> bytes:
        """What git prints; an error if it fails."""
        command = ["git", "-c", "init.defaultBranch=main", "-c", "core.autocrlf=false", *words]
        return subprocess.run(
            command, cwd=self.root / at, env=self.environment(), check=True, capture_output=True
        ).stdout

    def commit(self) -> None:
        """Make it a git repository in which nothing is uncommitted."""
        if not (self.root / ".git").exists():
            self.git("init", "-q")
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "--allow-empty", "-m", "x")

    def files(self) -> dict[str, bytes]:
        """All that lies in the project, less what is git's."""
        found = (path for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found}


def project(folder: Path, tree: Tree) -> Project:
    """A project of these files in a new folder; with a pyproject.toml, unless there is one among them."""
    made = Project(folder / "project", folder / "home")
    made.home.mkdir(parents=True)
    for path, data in {"pyproject.toml": PYPROJECT, **tree}.items():
        file = made.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return made


def copy(original: Project, folder: Path) -> Project:
    """Another project of the same files, and of the same user."""
    shutil.copytree(original.root, folder / "copy", symlinks=True)
    return Project(folder / "copy", original.home)
