"""From where the modules of touched files are imported, and under which names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from asyncfix.analysis import BUILD_FILES, source_roots
from asyncfix.model import Value


class Roots(Value, frozen=True):
    """``folders`` that go on the path, relative to the project ('' for itself), and every name that a touched module may
    have, with its file."""

    folders: tuple[str, ...]
    names: dict[str, str]


def roots(project: Path, touched: Iterable[str]) -> Roots:
    """The import roots that hold any of the ``touched`` Python files (paths relative to the project)."""
    files = sorted(touched)
    found = {"", *_with_build_file(project, files), *(_above_packages(project, path) for path in files)}
    folders = tuple(
        sorted((folder for folder in found if (project / folder).is_dir()), key=lambda each: (each != "", each))
    )
    names = {
        name: path for path in files for folder in folders if _holds(folder, path) and (name := _dotted(folder, path))
    }
    return Roots(folders, names)


def _with_build_file(project: Path, files: Iterable[str]) -> Iterable[str]:
    above = {folder for path in files for folder in _folders_above(path)}
    built = [f"{folder}/{name}".lstrip("/") for folder in above for name in BUILD_FILES]
    return (
        folder
        for folder in source_roots(path for path in built if (project / path).is_file())
        if any(_holds(folder, path) for path in files)
    )


def _folders_above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]


def _above_packages(project: Path, path: str) -> str:
    """The folder of the outermost package that a file lies in; '' for a file in none, whose folder may hold anything."""
    folder, outermost = path.rpartition("/")[0], ""
    while folder and (project / folder / "__init__.py").is_file():
        folder = outermost = folder.rpartition("/")[0]
    return outermost


def _holds(folder: str, path: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _dotted(folder: str, path: str) -> str:
    name = path[len(folder) :].lstrip("/").removesuffix(".py").replace("/", ".")
    return name.removesuffix(".__init__")
