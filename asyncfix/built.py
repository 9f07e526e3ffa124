"""What is built into a project's distribution, where that is listed file by file or folder by folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeAlias, cast

from asyncfix.model import Value

Table: TypeAlias = Mapping[str, Any]

PYPROJECT = "pyproject.toml"
_HATCH = ("only-include", "packages", "include", "force-include")
_SOURCES = ("src", "lib")  # the usual folders above what is imported


class Listed(Value, frozen=True):
    """An entry of a list of what is built: a file, a folder, or a pattern of files. ``path``, ``key``: where it stands."""

    path: str
    key: str
    entry: str

    def holds(self, path: str) -> bool:
        """Whether a file is built because of it."""
        entry = self.entry.removeprefix("./").strip("/").replace("**/", "*")
        below = path.partition("/")
        paths = (path, below[2]) if below[0] in _SOURCES else (path,)
        return any(each.startswith(f"{entry}/") or fnmatchcase(each, entry) for each in paths)


def listed(pyproject: Table, setup_cfg: Mapping[str, str], setup_py: Mapping[str, object]) -> tuple[Listed, ...]:
    """All entries: ``setup_cfg`` are the texts of its section ``options``, ``setup_py`` the literal arguments of ``setup``.

    Where nothing is listed but a build system is named, that takes the module of the project's name by itself.
    """
    found = [
        *_modules(PYPROJECT, _table(pyproject, "tool", "setuptools"), "py-modules"),
        *_modules("setup.cfg", {key: text.replace(",", " ").split() for key, text in setup_cfg.items()}, "py_modules"),
        *_modules("setup.py", setup_py, "py_modules"),
        *_hatch(pyproject),
        *_poetry(_table(pyproject, "tool", "poetry")),
        *_flit(_table(pyproject, "tool", "flit", "module")),
    ]
    return tuple(found or _unlisted(pyproject))


def _modules(path: str, table: Mapping[str, object], key: str) -> Iterator[Listed]:
    """The modules and packages that setuptools is told of; the packages only beside modules, else they are whole."""
    for name in _strings(table.get(key)):
        yield Listed(path, key, f"{name.replace('.', '/')}.py")
    for name in _strings(table.get("packages")):
        yield Listed(path, "packages", name.replace(".", "/"))


def _hatch(pyproject: Table) -> Iterator[Listed]:
    for table in (("build",), ("build", "targets", "wheel")):
        options = _table(pyproject, "tool", "hatch", *table)
        for key in _HATCH:
            yield from (Listed(PYPROJECT, key, entry) for entry in _strings(options.get(key)))


def _poetry(poetry: Table) -> Iterator[Listed]:
    for key in ("packages", "include"):
        for item in _each(poetry.get(key)):
            entry = item if isinstance(item, str) else _table(item).get("include")
            above = _table(item).get("from")
            if isinstance(entry, str):
                yield Listed(PYPROJECT, key, f"{above}/{entry}" if isinstance(above, str) else entry)


def _flit(module: Table) -> Iterator[Listed]:
    if isinstance(module.get("name"), str):
        name = module["name"].replace(".", "/")
        yield from (Listed(PYPROJECT, "tool.flit.module", entry) for entry in (f"{name}.py", name))


def _unlisted(pyproject: Table) -> Iterator[Listed]:
    name = _table(pyproject, "project").get("name") or _table(pyproject, "tool", "poetry").get("name")
    if "build-system" in pyproject and isinstance(name, str):
        own = name.replace("-", "_").replace(".", "_").lower()
        yield from (Listed(PYPROJECT, "build-system", entry) for entry in (f"{own}.py", own))


def _table(value: object, *keys: str) -> Table:
    for key in keys:
        value = cast("Table", value).get(key) if isinstance(value, Mapping) else None
    return cast("Table", value) if isinstance(value, Mapping) else {}


def _each(value: object) -> Iterable[object]:
    return cast("Iterable[object]", value) if isinstance(value, list | tuple | dict) else ()


def _strings(value: object) -> Iterator[str]:
    """The strings in a list, or the keys of a table."""
    yield from (item for item in _each(value) if isinstance(item, str))
