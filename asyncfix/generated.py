"""The project's one generated module per top-level package: what the chosen Changes ask of it, and where it stands.

An existing one is extended by an insertion at its end, never rewritten; what a person changed in it stays.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import join
from typing import TYPE_CHECKING

from asyncfix import apply
from asyncfix.exposure import Exposure
from asyncfix.membership import Membership
from asyncfix.model import MinimumPython, Replace, Span
from asyncfix.workspace import Workspace

if TYPE_CHECKING:
    from asyncfix.rewrite import Written

Imported = tuple[str, str]
"""A module, and what is imported from it: '' for the module itself."""

NAME = "_asyncfix"
RUNS = MinimumPython((3, 7))
"""Its annotations are of the future, and tasks are made by `asyncio.create_task`: what came with that version."""
HEADER = '"""Helpers that asyncfix put here for the code it migrated. Yours to edit: asyncfix only adds to it."""\n'


def is_generated_module(path: str, place: str | None) -> bool:
    """Whether a file is a generated module: what it does, it does on purpose."""
    return path.rpartition("/")[2] == f"{NAME}.py" or (place is not None and path == place.replace(".", "/") + ".py")


@dataclass(frozen=True, slots=True)
class Generated:
    """``sources``: code by name, with its imports. ``place``: key ``module``."""

    sources: Mapping[str, str]
    membership: Membership
    exposure: Exposure
    place: str | None = None

    @property
    def variables(self) -> frozenset[str]:
        """What the code keeps on the level of its module."""
        statements = (each for source in self.sources.values() for each in ast.parse(source).body)
        return frozenset(
            each.target.id
            for each in statements
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
        )

    def path_for(self, path: str) -> str:
        """The generated module that a file uses."""
        return self.place.replace(".", "/") + ".py" if self.place else join(self.membership.home(path)[0], f"{NAME}.py")

    def module_for(self, path: str) -> str:
        """The module to import from in a file: relative within a package, unless the file is run as a program, too."""
        return self.place or self.membership.home(path)[1] + NAME

    def doubt(self, path: str) -> str:
        """Why a file may not find its generated module, '' if it will."""
        return "" if self.place else self.membership.doubt(path)

    def pieces(self, workspace: Workspace, written: Iterable[Written]) -> dict[str, apply.Pieces]:
        """The generated modules that change, with all that is asked of them."""
        asked: dict[str, set[str]] = {}
        for item in written:
            if item.generated:
                asked.setdefault(self.path_for(item.path), set()).update(item.generated)
        found: dict[str, apply.Pieces] = {}
        for path, names in sorted(asked.items()):
            if path not in workspace.original:
                found[path] = (apply.New(module_text(self.sources, names).encode(), 0),)
                continue
            current = workspace.current(path)
            addition = extension(current, self.sources, names)
            if addition is not None:
                found[path] = workspace.edited(path, (addition,))
        return found


def module_text(sources: Mapping[str, str], names: Iterable[str]) -> str:
    """A whole generated module."""
    imported, bodies = _split(sources, names)
    return HEADER + "\nfrom __future__ import annotations\n\n" + _import_lines(imported) + "\n\n" + "\n\n".join(bodies)


def extension(data: bytes, sources: Mapping[str, str], names: Iterable[str]) -> Replace | None:
    """What an existing module lacks, as one insertion at its end; None if it lacks nothing."""
    text = data.decode()
    module = ast.parse(text)
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    defined = {node.name for node in module.body if isinstance(node, definitions)}
    missing = [name for name in names if name not in defined]
    if not missing:
        return None
    imported, bodies = _split(sources, missing)
    lines = _import_lines(imported - set(_imports(module)))
    start = "" if text.endswith("\n") or not text else "\n"
    return Replace(Span(len(data), len(data)), start + "\n\n" + lines + ("\n\n" if lines else "") + "\n\n".join(bodies))


def _split(sources: Mapping[str, str], names: Iterable[str]) -> tuple[set[Imported], list[str]]:
    """What some snippets import, and what follows that in each."""
    imported: set[Imported] = set()
    bodies: list[str] = []
    for name in sorted(names):
        text = sources[name].strip("\n")
        imported.update(_imports(ast.parse(text)))
        lines = (line for line in text.splitlines(keepends=True) if not line.startswith(("import ", "from ")))
        body = "".join(lines).strip("\n") + "\n"
        if body not in bodies:
            bodies.append(body)
    return imported, bodies


def _imports(module: ast.Module) -> Iterator[Imported]:
    """What the top level of a module imports."""
    for node in module.body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def _import_lines(imported: Iterable[Imported]) -> str:
    """The lines of imports, one for each module, the standard library's first."""
    by_module: dict[tuple[bool, bool, str], list[str]] = {}
    for module, name in sorted(imported):
        is_other = module.partition(".")[0] not in sys.stdlib_module_names
        by_module.setdefault((is_other, bool(name), module), []).append(name)
    blocks: dict[bool, list[str]] = {}
    for (is_other, is_from, module), found in sorted(by_module.items()):
        line = f"from {module} import {', '.join(found)}\n" if is_from else f"import {module}\n"
        blocks.setdefault(is_other, []).append(line)
    return "\n".join("".join(lines) for lines in blocks.values())
