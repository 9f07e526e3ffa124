"""Names of modules: which file an import means.

A file's own name is its path from the topmost folder of its package (the last one upwards that has an ``__init__.py``).
Source roots (the project root, ``src``, folders with a build file) name the files of namespace packages, and a script
sees what lies beside it. Where a name means several files, the nearest to the importer is taken.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from posixpath import commonpath, dirname, join

from asyncfix.model import Function, Summary

CHANGING_PATH = frozenset({"sys.path.append", "sys.path.insert"})


@dataclass(frozen=True, slots=True)
class Modules:
    """``names``: canonical name by path (unique). ``paths``: candidate paths by importable name. ``packages``: all prefixes.

    ``aliases``: paths that lead to a file by a link, with its own.
    """

    names: Mapping[str, str]
    paths: Mapping[str, tuple[str, ...]]
    by_name: Mapping[str, str]
    packages: frozenset[str]
    aliases: Mapping[str, str]
    folders: frozenset[str] = frozenset()
    """Those in which, or below which, there are modules."""
    tails: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    """Files by the last parts of their names, two at least, where these name one file alone: of whoever has put a folder
    on the path of imports at run time."""

    added: tuple[str, ...] = ()
    """Folders that a file may put on the path of imports at run time: its own, and the one round that."""

    def perhaps(self, importer: str, name: str) -> str | None:
        """The file that an import may mean for which there is no module: one beside a module of a package, or in a folder
        that is put on the path."""
        if name in sys.stdlib_module_names:
            return None
        found = (self.at(folder, name) for folder in (dirname(importer), *self.added))
        return next(filter(None, found), None)

    def find(self, importer: str, name: str) -> str | None:
        """The path of the module that ``import name`` means in the file ``importer``."""
        beside = self._beside(importer, name)
        if beside is not None:
            return beside
        found = self.paths.get(name, ())
        if len(found) <= 1:
            return found[0] if found else None
        return max(found, key=lambda path: (len(commonpath([path, importer])), -len(path), path))

    def relative(self, importer: str, level: int) -> str:
        """The folder that a relative import of that level starts from."""
        folder = dirname(importer)
        for _ in range(level - 1):
            folder = dirname(folder)
        return folder

    def at(self, folder: str, dotted: str) -> str | None:
        """The module file for a dotted path below a folder ('' for the package of the folder itself)."""
        base = join(folder, *dotted.split(".")) if dotted else folder
        for path in (f"{base}.py", f"{base}/__init__.py" if base else "__init__.py"):
            if path in self.names or path in self.aliases:
                return self.aliases.get(path, path)
        return None

    def _beside(self, importer: str, name: str) -> str | None:
        folder = dirname(importer)
        if join(folder, "__init__.py") in self.names:
            return None
        return self.at(folder, name)


def pathed(modules: Modules, summaries: Iterable[Summary]) -> Modules:
    """The same, with the folders of the files that change the path of imports."""
    changing = (
        dirname(summary.path)
        for summary in summaries
        if "sys" in summary.imports and any(_changes_path(function) for function in summary.functions)
    )
    return replace(modules, added=tuple(sorted({folder for own in changing for folder in (own, dirname(own))})))


def _changes_path(function: Function) -> bool:
    return any(target in CHANGING_PATH for call in function.calls for target in call.targets)


def build(paths: Iterable[str], roots: Iterable[str] = (), aliases: Mapping[str, str] | None = None) -> Modules:
    """Name all Python files of a project. ``roots``: further source roots, relative folders. ``aliases``: see Modules."""
    files = sorted(paths)
    known = set(files)
    other = {alias: path for alias, path in sorted((aliases or {}).items()) if path in known}
    known |= other.keys()
    bases = sorted({"", "src", "lib", *roots}, key=len)
    candidates: dict[str, list[str]] = {}
    own: dict[str, str] = {}
    for path in (*files, *other):
        first = _own_name(path, known, bases)
        if path not in other:
            own[path] = first
        for name in dict.fromkeys((first, *(_below(path, base) for base in bases))):
            if name:
                candidates.setdefault(name, []).append(other.get(path, path))
    counts: dict[str, int] = {}
    for name in own.values():
        counts[name] = counts.get(name, 0) + 1
    names = {path: name if counts[name] == 1 and name else _dotted(path) or "__init__" for path, name in own.items()}
    packages = {name[:index] for name in candidates for index, char in enumerate(name) if char == "."}
    return Modules(
        names=names,
        paths={name: tuple(found) for name, found in candidates.items()},
        by_name={name: path for path, name in names.items()},
        packages=frozenset(packages),
        aliases=other,
        folders=frozenset(_folders(known)),
        tails=_tails(names),
    )


def _tails(names: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for path, name in names.items():
        parts = name.split(".")
        for start in range(1, len(parts) - 1):
            if parts[start] not in sys.stdlib_module_names:
                found.setdefault(".".join(parts[start:]), set()).add(path)
    return {tail: next(iter(paths)) for tail, paths in found.items() if len(paths) == 1}


def _folders(paths: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for folder in {dirname(path) for path in paths}:
        while folder and folder not in found:
            found.add(folder)
            folder = dirname(folder)
    return found


def _own_name(path: str, known: set[str], bases: Iterable[str]) -> str:
    below = [base for base in bases if base and path.startswith(f"{base}/")]
    if below:  # what has no ``__init__.py`` there is a namespace package
        return _below(path, max(below, key=len))
    top = dirname(path)
    if join(top, "__init__.py") not in known:
        return _dotted(path[len(top) :].lstrip("/"))
    while top and join(dirname(top), "__init__.py") in known:
        top = dirname(top)
    return _dotted(path[len(dirname(top)) :].lstrip("/"))


def _below(path: str, base: str) -> str:
    if base and not path.startswith(base + "/"):
        return ""
    return _dotted(path[len(base) :].lstrip("/"))


def _dotted(path: str) -> str:
    name = path.rpartition(".")[0] if "." in path.rpartition("/")[2] else path
    name = name.removesuffix("/__init__") if name != "__init__" else ""
    return name.replace("/", ".")
