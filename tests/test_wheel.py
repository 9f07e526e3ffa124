"""What gets installed: the wheel holds all of it and nothing else, and works beside a project that would shadow it.

Needs the package registry, for setuptools and for the dependencies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.harness import PYPROJECT, Project, project

SOURCE = Path(__file__).resolve().parents[1]
APPLICATION = b"import subprocess\n\n\nasync def f():\n    return subprocess.check_output(['true'])\n"


def pip(*words: str) -> None:
    """Run pip; its output is shown if it fails."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *words]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=clean)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since setuptools leaves its own folders in the source."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(SOURCE / name, copy)
    for name in ("asyncfix", "transforms"):
        shutil.copytree(SOURCE / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", str(target), str(copy))
    [built] = target.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel and all that it asks for."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    pip("--python", str(folder), "install", "--no-compile", str(wheel))
    return folder


def sources() -> set[str]:
    """The files that have to be in a wheel, under the names they have there."""
    found: set[str] = set()
    for folder, name in (("asyncfix", "asyncfix"), ("transforms", "asyncfix/transforms")):
        for path in (SOURCE / folder).rglob("*"):
            if path.suffix in (".py", ".toml", ".typed"):
                found.add(f"{name}/{path.relative_to(SOURCE / folder).as_posix()}")
    return found


def test_the_wheel_holds_every_source_file_and_nothing_else(wheel: Path) -> None:
    """The rules under our own name, the API maps, the marker that we are typed; no `transforms` at the top."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    information = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    assert names - information == sources()
    assert {"asyncfix/py.typed", "asyncfix/transforms/blocking_sleep.py"} < names
    assert [name for name in names if name.startswith("asyncfix/transforms/apis/") and name.endswith(".toml")]
    assert {name.partition("/")[2] for name in information} >= {"METADATA", "entry_points.txt", "licenses/LICENSE"}


def hostile(folder: Path, environment: Path) -> Project:
    """A project whose own modules have the names of ours, and of what we need; each would leave a mark."""
    here = project(folder, {"pyproject.toml": PYPROJECT, "app.py": APPLICATION})
    for name in (
        "transforms/__init__.py",
        "transforms/blocking_sleep.py",
        "asyncfix/__init__.py",
        "libcst/__init__.py",
        "typer.py",
    ):
        file = here.root / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"open({str(here.home / 'ran')!r}, 'a').write({name!r})\n", encoding="utf-8")
    return Project(here.root, here.home, (str(environment / "bin" / "asyncfix"),))


def test_the_installed_command_works_in_a_hostile_folder(installed: Path, tmp_path: Path) -> None:
    """What it converts is known from an API map only."""
    here = hostile(tmp_path, installed)
    shown = here.run("--diff", "--unsafe")
    assert shown.code == 0, shown.err
    assert b"+    return await asyncio.to_thread(subprocess.check_output, ['true'])\n" in shown.out
    assert here.run("--apply", "--unsafe").code == 0
    assert b"await asyncio.to_thread(" in here.files()["app.py"]
    assert here.run("--version").out.startswith(b"asyncfix ")
    assert not (here.home / "ran").exists()


def test_nothing_of_ours_lies_at_the_top_but_one_package(installed: Path) -> None:
    """A user's own `transforms` is imported as ever."""
    [site] = installed.glob("lib/python*/site-packages")
    assert not list(site.glob("transforms*"))
    assert (site / "asyncfix" / "py.typed").is_file()
    assert len(list(site.glob("asyncfix*"))) == 2  # the package and its dist-info
    code = (
        "import importlib.util as u; import asyncfix.transforms; print(u.find_spec('transforms'), u.find_spec('tests'))"
    )
    python = installed / "bin" / "python"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None None\n"
