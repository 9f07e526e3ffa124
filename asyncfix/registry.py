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
    found = sorted((_rule(module)() for module in _modules(_package(PACKAGE))), key=lambda rule: rule.name)
    if not found:
        raise NoRules("no rules found; run `pip install -e .`")
    return tuple(found)


@cache
def boundaries() -> tuple[Boundary, ...]:
    """One instance of each boundary, sorted by file. Raises NoRules."""
    modules = _modules(_package(f"{PACKAGE}.boundaries"))
    return tuple(item() for module in modules for item in _concrete(module) if issubclass(item, Boundary))


def pages() -> dict[str, str]:
    """The page of each rule, as Markdown, by name: the docstring of its file."""
    return {rule.name: inspect.getdoc(inspect.getmodule(rule)) or "" for rule in rules()}


@cache
def maps() -> tuple[ApiMap, ...]:
    """The API maps that are shipped, sorted by file name. Raises NoRules, MapError."""
    folder = resources.files(_package(PACKAGE)) / "apis"
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name)
    return tuple(parse_map(item.read_text(encoding="utf-8"), f"apis/{item.name}") for item in files)


def rule_for(api: Api, among: Sequence[Rule]) -> Transform | None:
    """The rule that a call belongs to: of those that claim it the one with the highest order."""
    claiming = [rule for rule in among if isinstance(rule, Transform) and rule.claims(api)]
    return max(claiming, key=lambda rule: rule.order, default=None)


def _package(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise NoRules("no rules found; run `pip install -e .`") from error


def _modules(package: ModuleType) -> list[ModuleType]:
    """The modules of a package that are no helpers of others, by name."""
    names = sorted(item.name for item in pkgutil.iter_modules(package.__path__) if not item.ispkg)
    wanted = [name for name in names if not name.startswith("_")]
    return [importlib.import_module(f"{package.__name__}.{name}") for name in wanted]


def _rule(module: ModuleType) -> type[Rule]:
    """The one rule that a module defines itself."""
    found = [item for item in _concrete(module) if issubclass(item, Rule)]
    if len(found) != 1:
        raise BadRule(f"{module.__name__} defines {len(found)} rules instead of one")
    return found[0]


def _concrete(module: ModuleType) -> list[type]:
    """The classes that a module defines itself and that can be made."""
    own = (item for item in vars(module).values() if isinstance(item, type) and item.__module__ == module.__name__)
    return [item for item in own if not inspect.isabstract(item)]
