"""Which files are tests, by their paths."""

from __future__ import annotations


def is_test(path: str) -> bool:
    """Whether a file belongs to the tests, by its name and those of the folders round it."""
    return any(part.startswith(("test", "conftest")) for part in path.split("/"))


def is_gathered(path: str) -> bool:
    """Whether pytest looks for tests in a file of that path."""
    file = path.rpartition("/")[2]
    return file.startswith("test_") or file.endswith("_test.py")
