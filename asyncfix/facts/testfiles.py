"""Which files are no part of the program: tests, and scripts that a tool runs when the program is built or documented."""

from __future__ import annotations

from collections.abc import Collection

# Scripts of tools, with the packages of which each imports one; those of no package are known by their names alone.
SCRIPTS = {
    "setup.py": frozenset({"setuptools", "distutils", "skbuild"}),
    "noxfile.py": frozenset({"nox"}),
    "hatch_build.py": frozenset({"hatchling"}),
    "versioneer.py": frozenset[str](),
    "ez_setup.py": frozenset[str](),
}


def is_test(path: str) -> bool:
    """Whether a file belongs to the tests, by its name and those of the folders round it."""
    return any(part.startswith(("test", "conftest")) for part in path.split("/"))


def is_gathered(path: str) -> bool:
    """Whether pytest looks for tests in a file of that path."""
    file = path.rpartition("/")[2]
    return file.startswith("test_") or file.endswith("_test.py")


def is_build_script(path: str, imports: Collection[str]) -> bool:
    """Whether an installer, a test runner or a documentation builder runs the file; ``imports``: top-level packages."""
    folder, _, file = path.rpartition("/")
    if file == "conf.py":
        return not {"doc", "docs"}.isdisjoint(folder.split("/"))
    return file in SCRIPTS and (not SCRIPTS[file] or not SCRIPTS[file].isdisjoint(imports))
