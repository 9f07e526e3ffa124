"""The project's one generated module per top-level package: what the chosen Changes ask of it, and where it stands.

An existing one is extended by an insertion at its end, never rewritten; what a person changed in it stays.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from posixpath import dirname, join
from typing import TYPE_CHECKING

from asyncfix import apply
from asyncfix.membership import Membership
from asyncfix.model import Replace, Span
from asyncfix.workspace import Workspace

if TYPE_CHECKING:
    from asyncfix.rewrite import Written

NAME = "_asyncfix"
HEADER = '"""Helpers that asyncfix put here for the code it migrated. Yours to edit: asyncfix only adds to it."""\n'


def is_generated_module(path: str, place: str | None) -> bool:
    """Whether a file is a generated module: what it does, it does on purpose."""
    return path.rpartition("/")[2] == f"{NAME}.py" or (place is not None and path == place.replace(".", "/") + ".py")


@dataclass(frozen=True, slots=True)
class Generated:
    """``sources``: code by name, with its imports. ``place``: key ``module``."""

    sources: Mapping[str, str]
    membership: Membership
    place: str | None = None

    def path_for(self, path: str) -> str:
        """The generated module that a file uses."""
        if self.place:
            return self.place.replace(".", "/") + ".py"
        top = self.membership.top(path)
        return join(dirname(path) if top is None else top, f"{NAME}.py")

    def module_for(self, path: str) -> str:
        """The module to import from in a file: relative within a package, unless the file is run as a program, too."""
        if self.place:
            return self.place
        folder, top = dirname(path), self.membership.top(path)
        if top is None:
            return NAME
        package = top.rpartition("/")[2]
        if package and top in self.membership.packages and self.membership.is_run(path):
            return f"{package}.{NAME}"
        return "." * (1 + folder[len(top) :].count("/") + (bool(folder) and not top)) + NAME

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
    imports, bodies = _split(sources, names)
    return HEADER + "\nfrom __future__ import annotations\n\n" + "".join(imports) + "\n\n" + "\n\n".join(bodies)


def extension(data: bytes, sources: Mapping[str, str], names: Iterable[str]) -> Replace | None:
    """What an existing module lacks, as one insertion at its end; None if it lacks nothing."""
    text = data.decode()
    defined = {
        node.name
        for node in ast.parse(text).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    missing = [name for name in names if name not in defined]
    if not missing:
        return None
    imports, bodies = _split(sources, missing)
    lines = set(text.splitlines(keepends=True))
    fresh = [line for line in imports if line not in lines]
    start = "" if text.endswith("\n") or not text else "\n"
    return Replace(
        Span(len(data), len(data)), start + "\n\n" + "".join(fresh) + ("\n\n" if fresh else "") + "\n\n".join(bodies)
    )


def _split(sources: Mapping[str, str], names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The import lines of some snippets, the standard library's first, and what follows them."""
    imports: set[str] = set()
    bodies: list[str] = []
    for name in sorted(names):
        lines = sources[name].strip("\n").splitlines(keepends=True)
        top = [line for line in lines if line.startswith(("import ", "from "))]
        imports.update(top)
        body = "".join(line for line in lines if line not in top).strip("\n") + "\n"
        if body not in bodies:
            bodies.append(body)
    ours = sorted(imports, key=lambda line: (line.startswith("from "), line))
    standard = [line for line in ours if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
    others = [line for line in ours if line not in standard]
    return [*standard, *(["\n"] if standard and others else []), *others], bodies
