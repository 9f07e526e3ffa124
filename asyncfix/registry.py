"""The rules, boundaries and API maps that are there: what lies in the folder of `asyncfix.transforms`. No list names them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import resources
from types import ModuleType

from asyncfix.boundary import Boundary
from asyncfix.catalog import parse_map
from asyncfix.model import Api, ApiMap
from asyncfix.transform import Rule, Transform

PACKAGE = "asyncfix.transforms"


class NoRules(Exception):
    """The package of the rules is not installed, or is empty."""


class BadRule(Exception):
    """A file among the rules that does not define exactly one; the message names it."""


@cache
def rules() -> tuple[Rule, ...]:
    """One instance of each rule, sorted by name. Raises NoRules, BadRule."""
    found = sorted((_rule(module)() for module in _modules()), key=lambda rule: rule.name)
    if not found:
        raise NoRules("no rules found; run `pip install -e .`")
    return tuple(found)


@cache
def boundaries() -> tuple[Boundary, ...]:
    """One instance of each boundary, sorted by file. Raises NoRules."""
    folder = importlib.import_module(f"{PACKAGE}.boundaries")
    names = sorted(item.name for item in pkgutil.iter_modules(folder.__path__))
    modules = [importlib.import_module(f"{PACKAGE}.boundaries.{name}") for name in names]
    found = (item for module in modules for item in vars(module).values() if isinstance(item, type))
    return tuple(item() for item in found if issubclass(item, Boundary) and not inspect.isabstract(item))


def pages() -> dict[str, str]:
    """The page of each rule, as Markdown, by name: the docstring of its file."""
    return {rule.name: inspect.getdoc(inspect.getmodule(rule)) or "" for rule in rules()}


@cache
def maps() -> tuple[ApiMap, ...]:
    """The API maps that are shipped, sorted by file name. Raises NoRules, MapError."""
    folder = resources.files(_package()) / "apis"
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name)
    return tuple(parse_map(item.read_text(encoding="utf-8"), f"apis/{item.name}") for item in files)


def rule_for(api: Api, among: Sequence[Rule]) -> Transform | None:
    """The rule that a call belongs to: of those that claim it the one with the highest order."""
    claiming = [rule for rule in among if isinstance(rule, Transform) and rule.claims(api)]
    return max(claiming, key=lambda rule: rule.order, default=None)


def _package() -> ModuleType:
    try:
        return importlib.import_module(PACKAGE)
    except ModuleNotFoundError as error:
        raise NoRules("no rules found; run `pip install -e .`") from error


def _modules() -> list[ModuleType]:
    names = sorted(item.name for item in pkgutil.iter_modules(_package().__path__) if not item.ispkg)
    wanted = [name for name in names if not name.startswith("_")]
    return [importlib.import_module(f"{PACKAGE}.{name}") for name in wanted]


def _rule(module: ModuleType) -> type[Rule]:
    """The one rule that a module defines itself."""
    found = [
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Rule) and item.__module__ == module.__name__
    ]
    concrete = [item for item in found if not inspect.isabstract(item)]
    if len(concrete) != 1:
        raise BadRule(f"{module.__name__} defines {len(concrete)} rules instead of one")
    return concrete[0]
