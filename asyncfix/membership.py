"""Whether a file is imported as a part of a package, or run as a script that imports what lies beside it by bare names.

An ``__init__.py`` does not settle it: folders without one are packages, too, and a script may lie in one. Read off the text
of the imports, since generated code is asked for in few files only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname, join, normpath

from asyncfix.facts.testfiles import is_gathered

_RELATIVE = re.compile(rb"^[ \t]*from[ \t]+\.", re.MULTILINE)
_ABSOLUTE = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)
_GUARD = re.compile(rb"^if[ \t(]+__name__[ \t]*==", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Membership:
    """``files``: the files of the project, with their text. ``packages``: folders with an ``__init__.py``."""

    files: Mapping[str, bytes | None]
    packages: frozenset[str]

    def top(self, path: str) -> str | None:
        """The folder of the topmost package that a file is imported as a part of, None if it is run beside its neighbours."""
        folder = dirname(path)
        if not self._is_member(path):
            return None
        above = next((each for each in (folder, *_parents(folder)) if each in self.packages), folder)
        while above and dirname(above) in self.packages:
            above = dirname(above)
        return above

    def is_run(self, path: str) -> bool:
        """Whether a file of a package may be run as a program, too: then it has no relative imports."""
        data = self._text(path)
        return bool(_GUARD.search(data)) and not _RELATIVE.search(data)

    def _is_member(self, path: str) -> bool:
        folder = dirname(path)
        if _RELATIVE.search(self._text(path)):
            return True
        if folder in self.packages:
            as_script = self.is_run(path) or any(self._beside(path))
            return not as_script or self._imports(path, self._top_name(folder)) or any(self._names(path))
        if is_gathered(path):
            return False  # pytest imports it by its bare name
        below = not self.packages.isdisjoint(_parents(folder))
        return (below and not self.is_run(path)) or any(self._names(path))

    def _imports(self, path: str, package: str) -> bool:
        return package.encode() in _ABSOLUTE.findall(self._text(path))

    def _top_name(self, folder: str) -> str:
        while dirname(folder) in self.packages and folder:
            folder = dirname(folder)
        return folder.rpartition("/")[2]

    def _beside(self, path: str) -> Iterator[str]:
        """What a file imports by bare names of modules beside it."""
        for name in {found.decode() for found in _ABSOLUTE.findall(self._text(path))}:
            if name not in sys.stdlib_module_names and join(dirname(path), f"{name}.py") in self.files:
                yield name

    def _names(self, path: str) -> Iterator[str]:
        """The files that import this one as a part of a package."""
        whole = path.removesuffix(".py").removesuffix("/__init__")
        folder, stem = dirname(whole).rpartition("/")[2].encode(), whole.rpartition("/")[2].encode()
        if not folder:
            return
        dotted = re.compile(rb"^[ \t]*(?:from|import)[ \t]+([\w.]*\b%b)\.%b\b" % (folder, stem), re.MULTILINE)
        given = rb"^[ \t]*from[ \t]+([\w.]*\b%b|\.+)[ \t]+import[ \t]+(?:\([^)]*|[^\n]*)\b%b\b" % (folder, stem)
        beside = rb"^[ \t]*from[ \t]+(\.)%b\b" % stem
        patterns = (dotted, re.compile(given, re.MULTILINE), re.compile(beside, re.MULTILINE))
        for other, data in self.files.items():
            near = dirname(other) == dirname(path)
            if data and other != path and other.endswith(".py") and stem in data and (near or folder in data):
                found = (match.group(1).decode() for each in patterns for match in each.finditer(data))
                if any(_means(name, other, dirname(whole)) for name in found):
                    yield other

    def _text(self, path: str) -> bytes:
        return self.files.get(path) or b""


def _parents(folder: str) -> Iterator[str]:
    while folder:
        folder = dirname(folder)
        yield folder


def _means(name: str, importer: str, folder: str) -> bool:
    """Whether a dotted name of a package means that folder."""
    rest = name.lstrip(".")
    below = rest.replace(".", "/")
    if rest == name:
        return f"/{folder}".endswith(f"/{below}")
    up = "../" * (len(name) - len(rest) - 1)
    return normpath(join(dirname(importer), up, below)) == (folder or ".")
