"""Where a file finds the generated module: whether it is imported as a part of a package, or run as a script that imports what
lies beside it by bare names.

An ``__init__.py`` does not settle it: folders without one are packages, too, and a script may lie in one. Read off the text
of the imports, since generated code is asked for in few files only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath

from asyncfix.facts.testfiles import is_gathered

_RELATIVE = re.compile(rb"^[ \t]*from[ \t]+\.", re.MULTILINE)
_ABSOLUTE = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)
_GUARD = re.compile(rb"^if[ \t(]+__name__[ \t]*==|^asyncio\.run\(|^\w+\.run_until_complete\(", re.MULTILINE)
_BARE = rb"^[ \t]*(?:from|import)[ \t]+%b(?:\.(\w+)|[ \t]+import[ \t]*\(?\s*(\w+|\*))"
_BY_PATH = rb"\bpython[\d.]*[\"',\s]+(?:-[a-zA-Z]+[\"',\s]+)*(?:\./)?%b\b"


@dataclass(frozen=True, slots=True)
class Membership:
    """``files``: the files of the project, with their text. ``packages``: folders with an ``__init__.py``."""

    files: Mapping[str, bytes | None]
    packages: frozenset[str]
    _homes: dict[str, tuple[str, str]] = field(default_factory=lambda: dict[str, tuple[str, str]]())
    _imported: dict[str, bool] = field(default_factory=lambda: dict[str, bool]())

    def home(self, path: str) -> tuple[str, str]:
        """The folder of the generated module that a file uses, and what its name there begins with (``..``, ``pkg.``).

        That is the topmost package that the file is imported as a part of, else the file's own folder.
        """
        if path not in self._homes:
            self._homes[path] = self._find(path)
        return self._homes[path]

    def _find(self, path: str) -> tuple[str, str]:
        folder = dirname(path)
        if not self._is_member(path):
            return folder, ""
        above = next((each for each in (folder, *_parents(folder)) if each in self.packages), None)
        loaded = "" if above is not None else next(self._loads(path), "")
        if loaded:  # whoever goes through the folder would load the generated module, too
            return folder[: -len(loaded)].rstrip("/"), ""
        top = self._top(folder if above is None else above)
        name = self._dotted(path, top) if top and self._is_run(path) else ""
        if name:
            return top, f"{name}."
        whole = self._beyond(path, top)
        if whole:
            return whole, f"{whole.rpartition('/')[2]}."
        return top, "." * (1 + folder[len(top) :].count("/") + (bool(folder) and not top))

    def doubt(self, path: str) -> str:
        """Why the generated module may not be found: the file may be run as a script, and as a module, too; '' if not both."""
        folder, text = dirname(path), self._text(path)
        whole = any(each in self.packages for each in (folder, *_parents(folder)))
        if not self._is_run(path) or any(self._beside(path)) or path.endswith("/__main__.py"):
            return ""
        home, name = self.home(path)
        if home and home.rpartition("/")[2].encode() in _ABSOLUTE.findall(text):
            return ""
        if not self._is_member(path):
            if not whole or self._is_run_by_path(path):
                return ""
            return f"{path} may be run as a script or as a module, and nothing tells which: the generated module lies beside it"
        if name and any(self._said(path)):
            return ""
        return f"{path} may be run as a script, too, which does not find the package of the generated module"

    def _dotted(self, path: str, top: str) -> str:
        """The name of the topmost package of a file that may be run as a program, '' if nothing tells it."""
        own = top.rpartition("/")[2]
        if own.encode() in _ABSOLUTE.findall(self._text(path)):
            return own
        below = dirname(path)[len(top) :].count("/")
        names = (name.split(".") for name in (*self._said(path), *self._names(path)) if not name.startswith("."))
        return next((".".join(parts[: len(parts) - below]) for parts in names if len(parts) > below), "")

    def _said(self, path: str) -> Iterator[str]:
        """The folder of a file, as it is named where that tells how it is run: by itself (``run("app.main:app")``), by a build
        file, or by a command."""
        stem = re.escape(path.removesuffix(".py").rpartition("/")[2].encode())
        run = rb"-m[\"',\s]+(%%b)\.%b\b" % stem
        telling = {
            other: data
            for other, data in self.files.items()
            if other == path or not other.endswith(".py") or _is_setup(other)
        }
        yield from _named(telling, path, rb"[\"'=\s](%%b)\.%b:" % stem, run)

    def _is_run_by_path(self, path: str) -> bool:
        by_path = re.compile(_BY_PATH % re.escape(path.encode()))
        return any(by_path.search(data) for other, data in self.files.items() if data and not other.endswith(".py"))

    def _top(self, folder: str) -> str:
        """The topmost package, or one below it that somebody imports by its bare name: its folder is a source root then; or
        the one below a name that several distributions put their packages under."""
        while folder and dirname(folder) in self.packages and not self._is_imported(folder):
            if self._is_shared(dirname(folder)):
                break
            folder = dirname(folder)
        return folder

    def _beyond(self, path: str, top: str) -> str:
        """The topmost package round that one, with folders without an ``__init__.py`` between, if the file imports from it."""
        for each in _parents(dirname(top)):
            if each in self.packages:
                whole = self._top(each)
                return whole if whole.rpartition("/")[2].encode() in _ABSOLUTE.findall(self._text(path)) else ""
        return ""

    def _is_imported(self, folder: str) -> bool:
        if folder not in self._imported:
            name = folder.rpartition("/")[2].encode()
            imports = re.compile(_BARE % re.escape(name), re.MULTILINE)
            own = join(folder, "__init__.py")
            texts = (data for other, data in self.files.items() if data and other.endswith(".py") and other != own)
            found = (match for data in texts if name in data for match in imports.finditer(data))
            self._imported[folder] = any(self._holds(folder, *match.groups()) for match in found)
        return self._imported[folder]

    def _holds(self, folder: str, module: bytes | None, name: bytes | None) -> bool:
        """Whether a package has a module of a name, or something else of a name that its ``__init__.py`` mentions: another
        one of the package's name may have not."""
        inner = join(folder, (module or name or b"").decode())
        if f"{inner}.py" in self.files or inner in self.packages or name == b"*":
            return True
        return name is not None and re.search(rb"\b%b\b" % name, self._text(join(folder, "__init__.py"))) is not None

    def _is_shared(self, folder: str) -> bool:
        """Whether a topmost package has no modules of its own, and another one has its name."""
        name = folder.rpartition("/")[2]
        others = (each for each in self.packages if each != folder and each.rpartition("/")[2] == name)
        return (
            dirname(folder) not in self.packages
            and any(dirname(each) not in self.packages for each in others)
            and not any(dirname(path) == folder and not path.endswith("/__init__.py") for path in self.files)
        )

    def _is_run(self, path: str) -> bool:
        """Whether a file of a package may be run as a program, too: then it has no relative imports."""
        return bool(_GUARD.search(self._text(path))) and not _RELATIVE.search(self._text(path))

    def _is_member(self, path: str) -> bool:
        folder = dirname(path)
        if _RELATIVE.search(self._text(path)):
            return True
        if folder in self.packages:
            as_script = self._is_run(path) or any(self._beside(path))
            own = self._top(folder).rpartition("/")[2].encode()
            if not as_script or own in _ABSOLUTE.findall(self._text(path)):
                return True
            whole = path.endswith("/__main__.py") and not any(self._beside(path))
            return whole or any(self._said(path)) or any(self._names(path))
        if is_gathered(path):
            return False  # pytest imports it by its bare name
        below = not self.packages.isdisjoint(_parents(folder))
        named = any(self._said(path)) or any(self._names(path)) or any(self._loads(path))
        return (below and not self._is_run(path)) or named

    def _beside(self, path: str) -> Iterator[str]:
        """What a file imports by bare names of modules beside it."""
        for name in {found.decode() for found in _ABSOLUTE.findall(self._text(path))}:
            if name not in sys.stdlib_module_names and join(dirname(path), f"{name}.py") in self.files:
                yield name

    def _names(self, path: str) -> Iterator[str]:
        """The folder of a file, as others name it that import the file as a part of a package, or have it imported."""
        stem = re.escape(path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2].encode())
        yield from _named(
            self._others(path),
            path,
            rb"^[ \t]*(?:from|import)[ \t]+(%%b)\.%b\b" % stem,
            rb"^[ \t]*from[ \t]+(%%b|\.+)[ \t]+import[ \t]+(?:\([^)]*|[^\n]*)\b%b\b" % stem,
            rb"^[ \t]*from[ \t]+(\.)%b\b" % stem,
            rb"[\"'](%%b)\.%b\b" % stem,
        )

    def _loads(self, path: str) -> Iterator[str]:
        """Likewise, by those that import whatever lies in it: `load_extension(f"cogs.{name}")`."""
        yield from _named(self._others(path), path, rb"[\"'](%b)\.[{\"']")

    def _others(self, path: str) -> Mapping[str, bytes | None]:
        return {other: data for other, data in self.files.items() if other != path}

    def _text(self, path: str) -> bytes:
        return self.files.get(path) or b""


def _parents(folder: str) -> Iterator[str]:
    while folder:
        folder = dirname(folder)
        yield folder


def _named(files: Mapping[str, bytes | None], path: str, *patterns: bytes) -> Iterator[str]:
    """The folder of a file, as it is named in some files; ``%b`` in a pattern stands for that name."""
    whole = dirname(path.removesuffix("/__init__.py"))
    folder = whole.rpartition("/")[2].encode()
    if not folder:
        return
    found = [re.compile(each.replace(b"%b", rb"[\w.]*\b" + re.escape(folder)), re.MULTILINE) for each in patterns]
    for other, data in files.items():
        if data and (folder in data or dirname(other) == whole):
            names = (match.group(1).decode() for each in found for match in each.finditer(data))
            yield from (name for name in names if _means(name, other, whole))


def _is_setup(path: str) -> bool:
    return path.rpartition("/")[2] == "setup.py"


def _means(name: str, importer: str, folder: str) -> bool:
    """Whether a dotted name of a package means that folder."""
    rest = name.lstrip(".")
    below = rest.replace(".", "/")
    if rest == name:
        return f"/{folder}".endswith(f"/{below}")
    up = "../" * (len(name) - len(rest) - 1)
    return normpath(join(dirname(importer), up, below)) == (folder or ".")
