"""The fixtures of pytest: a parameter of a test is what the fixture of that name gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from asyncfix.facts.testfiles import is_gathered

if TYPE_CHECKING:
    from asyncfix.link.entities import FunctionInfo

FIXTURES = ("pytest.fixture", "pytest_asyncio.fixture")


def fixtures(functions: Mapping[str, FunctionInfo]) -> Mapping[str, tuple[str, ...]]:
    """Function ids of all fixtures, by the name under which tests ask for them."""
    found: dict[str, tuple[str, ...]] = {}
    for function, info in functions.items():
        if is_fixture(info):
            name = info.fact.name
            found[name] = (*found.get(name, ()), function)
    return found


def is_fixture(info: FunctionInfo) -> bool:
    return any(decorator.removesuffix("()") in FIXTURES for decorator in info.fact.decorators)


def asks(info: FunctionInfo) -> bool:
    """Whether pytest gives a function what its parameters are named after."""
    return is_fixture(info) or is_test_function(info)


def is_test_function(info: FunctionInfo) -> bool:
    """Whether pytest or unittest gathers a function as a test."""
    return is_gathered(info.path) and info.fact.name.startswith("test")


def nearest(
    places: tuple[str, ...], path: str, functions: Mapping[str, FunctionInfo], bound: Callable[[str], Iterable[str]]
) -> tuple[str, ...]:
    """Of the fixtures of one name those that a file sees: its own, else those of the nearest conftest.py, each with what it
    imports (``bound``: the functions that a file knows under that name); else, if there is but one, that of a plugin.
    """
    files = [path]
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        files.append(f"{folder}/conftest.py".lstrip("/"))
    for file in files:
        own = tuple(name for name in places if functions[name].path == file) or tuple(
            name for name in bound(file) if name in places
        )
        if own:
            return own
    return places if len(places) == 1 and not functions[places[0]].path.endswith("conftest.py") else ()
