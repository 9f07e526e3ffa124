"""Find the files of a project: what is read, what of it may be edited, and what was left out and why.

Read is everything under the root, except what git ignores (less what it tracks all the same) and the default excludes,
which are not opened. What the user names and excludes limits only what may be edited. No link is followed while walking,
and nothing outside the root is opened.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from asyncfix.model import Skipped, Value

Kind: TypeAlias = Literal["python", "template", "data"]

# Bytes. A larger Python file is read as text, up to the last limit; a larger template or data file is not read.
_PYTHON_LIMIT = 2_000_000
_DATA_LIMIT = 1_000_000
_READ_LIMIT = 64_000_000
_TOO_LARGE = "larger than 2 MB"

_VERSION_CONTROL = (".bzr", ".git", ".hg", ".svn")
_CACHES = (".hypothesis", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".pytype", ".ruff_cache", "__pycache__")
_ENVIRONMENTS = (".direnv", ".eggs", ".nox", ".tox", ".venv", "__pypackages__", "node_modules", "site-packages")
LEFT_OUT = frozenset((*_VERSION_CONTROL, *_CACHES, *_ENVIRONMENTS))
# These too, unless they are Python packages or lie in one.
_BUILD_OUTPUT = frozenset(("build", "dist"))
VIRTUAL_ENVIRONMENT = "pyvenv.cfg"
_DOCUMENTATION = frozenset(("doc", "docs"))
_PYTHON = frozenset((".py", ".pyw"))
_TEMPLATES = frozenset((".djhtml", ".html", ".j2", ".jinja", ".jinja2", ".tmpl"))
_DATA = frozenset((".cfg", ".env", ".ini", ".json", ".sh", ".toml", ".yaml", ".yml"))
_DATA_NAMES = frozenset(("Dockerfile", "Pipfile", "Procfile"))
_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg")
_GENERATED = re.compile(rb"@generated\b")
# What pathspec makes of `*/`: the only pattern for folders that is not anchored.
_ANY_FOLDER = "(?P<ps_d>/)"


class PathError(Exception):
    """A path or glob that the user gave cannot be used; the message is one line."""


class SourceFile(Value, frozen=True):
    """A file that is read.

    path      POSIX, relative to the root
    size      bytes
    editable  it is under a path that the user named, and not excluded
    as_text   why a Python file is not to be parsed ('' if it is): its identifiers count all the same
    """

    path: str
    size: int
    kind: Kind
    editable: bool
    as_text: str = ""


class Discovery(Value, frozen=True):
    """What was found under ``root`` (absolute): files in the order of their paths.

    ignored     by reason, the number of files and of whole folders that a stated rule leaves out
    aliases     other names of what is read under one (links, hard links), with that one; of folders they end in ``/``
    """

    root: str
    files: tuple[SourceFile, ...]
    skipped: tuple[Skipped, ...] = ()
    ignored: dict[str, int] = msgspec.field(default_factory=lambda: dict[str, int]())
    aliases: dict[str, str] = msgspec.field(default_factory=lambda: dict[str, str]())


def find_root(paths: Sequence[Path]) -> Path:
    """The folder, without links, that is read as one project.

    It is the nearest one with a ``.git`` upwards from the common folder of ``paths`` (none: the current folder), else
    the nearest one with a pyproject.toml, setup.py or setup.cfg, else the common folder. Raises PathError.
    """
    folders: list[str] = []
    for path in paths or (Path(),):
        folders.append(os.path.realpath(path if _is_folder(path) else path.parent))
    try:
        common = Path(os.path.commonpath(folders))
    except ValueError as error:
        raise PathError(f"the paths have no folder in common: {_shown(str(error))}") from error
    upwards = (common, *common.parents)
    marked = [folder for folder in upwards if os.path.lexists(folder / ".git")] or [
        folder for folder in upwards if any(is_file(folder / marker) for marker in _MARKERS)
    ]
    return marked[0] if marked else common


def discover(
    paths: Sequence[Path],
    root: Path,
    exclude: Sequence[str],
    force_exclude: bool = False,
    tracked: Callable[[], Collection[str]] = frozenset,
) -> Discovery:
    """The files under ``root``; those under ``paths`` (none: all) that ``exclude`` does not match may be edited.

    ``exclude`` are globs in gitignore syntax, relative to the root. A file named in ``paths`` is Python whatever its
    suffix, and no exclude keeps it out unless ``force_exclude`` says so. ``tracked`` gives the files that git tracks although
    a pattern ignores them; it is asked if a pattern ignores anything. Raises PathError.
    """
    top = os.path.realpath(root)
    walk = _Walk(top, _scope(paths, top, exclude, force_exclude), tracked)
    walk.run()
    for path in sorted(walk.scope.files):
        walk.add_explicit(path)
    for path in sorted(walk.linked):
        walk.add_linked(path)
    files = tuple(_each_once(walk))
    return Discovery(
        top,
        files,
        tuple(sorted(walk.skipped, key=lambda skipped: skipped.path)),
        dict(sorted(walk.ignored.items())),
        dict(sorted(walk.aliases.items())),
    )


def read(root: str, file: SourceFile) -> bytes | Skipped:
    """The bytes of a file that was found, or why it cannot be read any more."""
    failed = file.editable and file.kind == "python"
    try:
        handle = os.open(f"{root}/{file.path}", os.O_RDONLY | _flag("O_NOFOLLOW") | _flag("O_NONBLOCK"))
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return Skipped(file.path, "no longer a file", failed)
            return stream.read()
    except FileNotFoundError:
        return Skipped(file.path, "vanished while it was to be read", failed)
    except OSError as error:
        return Skipped(file.path, _reason(error), failed)


def is_file(path: Path) -> bool:
    """Whether it is one; False, not an error, in a folder that may not be entered."""
    return os.access(path, os.F_OK) and path.is_file()


def is_generated(data: bytes) -> bool:
    """True if ``@generated`` stands in one of the first five lines: such a file is read, but not edited."""
    return _GENERATED.search(b"\n".join(data.split(b"\n", 5)[:5])) is not None


# --------------------------------------------------------------------------------------------------- what was asked for


@dataclass(frozen=True, slots=True)
class _Scope:
    """What may be edited: paths relative to the root; a folder ends in ``/``, the root itself is ''."""

    folders: tuple[str, ...]
    files: frozenset[str]
    outside: tuple[str, ...]
    exclude: GitIgnoreSpec | None
    force_exclude: bool

    def excludes(self, path: str) -> bool:
        return self.exclude is not None and self.exclude.match_file(path)

    def covers(self, path: str) -> bool:
        """True if ``path`` may be edited (of a folder, as ``path/``: if something in it may be)."""
        if path in self.files and not self.force_exclude:
            return True
        named = path in self.files or path.startswith(self.folders)
        if path.endswith("/"):
            named = named or any(each.startswith(path) for each in (*self.folders, *self.files))
        return named and not self.excludes(path)


def _scope(paths: Sequence[Path], top: str, exclude: Sequence[str], force_exclude: bool) -> _Scope:
    folders: list[str] = []
    files: list[str] = []
    outside: list[str] = []
    for path in paths or (Path(top),):
        is_folder = _is_folder(path)
        inside = _inside(os.path.realpath(path), top)
        if inside is None:
            outside.append(str(path))
        elif is_folder:
            folders.append(inside + "/" if inside else "")
        else:
            files.append(inside)
    try:
        spec = GitIgnoreSpec.from_lines(exclude, backend="simple") if exclude else None
    except (GitIgnorePatternError, re.error) as error:
        raise PathError(f"exclude: {_shown(str(error))}") from error
    return _Scope(tuple(folders), frozenset(files), tuple(outside), spec, force_exclude)


def _is_folder(path: Path) -> bool:
    """True for a folder, False for a file. Raises PathError for anything else."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = _reason(error) if isinstance(error, OSError) else str(error)
        raise PathError(f"{_shown(str(path))}: {reason}") from error
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise PathError(f"{_shown(str(path))}: neither a file nor a folder")
    return stat.S_ISDIR(mode)


def _inside(path: str, top: str) -> str | None:
    """``path`` relative to ``top`` ('' for itself), None if it lies outside."""
    if path == top:
        return ""
    prefix = top if top.endswith(os.sep) else top + os.sep
    return path[len(prefix) :].replace(os.sep, "/") if path.startswith(prefix) else None


# ---------------------------------------------------------------------------------------------------------- git-ignored


@dataclass(frozen=True, slots=True)
class _Ignores:
    """The patterns of one file, the last first, for what lies beneath the folder ``base`` ('' or ending in ``/``).

    pathspec translates the patterns; whether one speaks of an entry is judged here, since a walk from the top asks for
    each entry alone: what lies in an ignored folder is never asked for. A pattern without a slash (``plain``) looks at
    the name only; ``quick`` matches where any of them does.
    """

    base: str
    patterns: tuple[tuple[re.Pattern[str], bool, bool], ...]
    quick: re.Pattern[str]

    def verdict(self, path: str, name: str) -> bool | None:
        """True if ignored, False if expressly not, None if nothing is said; both arguments of a folder end in ``/``."""
        plain_too = self.quick.match(name) is not None
        for pattern, plain, ignored in self.patterns:
            if plain:
                if plain_too and _speaks_of(pattern, name):
                    return ignored
            elif _speaks_of(pattern, path[len(self.base) :]):
                return ignored
        return None


def _speaks_of(pattern: re.Pattern[str], path: str) -> bool:
    """True if the pattern means this entry, and not only a folder above it."""
    match = pattern.search(path)
    if match is None:
        return False
    if match.lastgroup is not None:  # it ended at the slash behind a folder
        return path.endswith("/") and (match.end() == len(path) or pattern.pattern == _ANY_FOLDER)
    # What only demands a slash before (`a/**`) means the things behind it.
    return not path.endswith("/") or match.end() < len(path)


def _ignores(data: bytes, base: str) -> _Ignores | None:
    """The patterns of a file; lines that mean nothing to git mean nothing here."""
    found: list[tuple[re.Pattern[str], bool, bool]] = []
    for line in data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n"):
        line = line.rstrip("\r")
        text = line.removesuffix("/") + "/*/" if line.endswith("/**/") else line
        try:
            regex, ignored = GitIgnoreSpecPattern.pattern_to_regex(text)
            if regex is not None and ignored is not None:
                found.append((_compiled(regex), "/" not in text.rstrip().removesuffix("/"), ignored))
        except (GitIgnorePatternError, re.error):
            continue
    if not found:
        return None
    plain = [regex.pattern.replace("?P<ps_d>", "?:") for regex, is_plain, _ in found if is_plain]
    # An unanchored pattern means any name, or any folder; without patterns nothing is to match.
    quick = "|".join(plain) if all(text.startswith("^") for text in plain) else ""
    return _Ignores(base, tuple(reversed(found)), _compiled(quick if plain else "(?!)"))


def _compiled(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd character classes in other people's patterns are not our business
        return re.compile(pattern)


# In a folder that is ignored: what git tracks in it is read all the same.
_EVERYTHING = (_Ignores("", ((re.compile(""), True, True),), re.compile("")),)


# ------------------------------------------------------------------------------------------------------------- the walk


@dataclass(slots=True)
class _Walk:
    """One walk through the root, and what it found so far.

    files    kind and size by path
    entered  the patterns in force in each folder that was read; closed: why a folder was not entered
    linked   real paths of files that a link gives the name of a Python file; aliases: as in Discovery
    """

    top: str
    scope: _Scope
    tracked: Callable[[], Collection[str]]
    files: dict[str, tuple[Kind, os.stat_result]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=lambda: Counter[str]())
    entered: dict[str, tuple[_Ignores, ...]] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    linked: set[str] = field(default_factory=lambda: set[str]())
    aliases: dict[str, str] = field(default_factory=dict)
    _tracked: frozenset[str] | None = None

    def run(self) -> None:
        """Read every folder that is not left out."""
        self.skipped.extend(Skipped(_shown(path), "outside the project's root", True) for path in self.scope.outside)
        git = Path(self.top, ".git")
        linked = os.access(git, os.F_OK) and git.is_symlink()  # no error in a folder that may not be entered
        own = () if linked else self._patterns(".git/info/exclude", "", ())
        waiting = [("", own, False)]
        while waiting:
            waiting.extend(self._folder(*waiting.pop()))
        for folder in self.scope.folders:
            reason = self._closed(folder)
            if reason:
                self.skipped.append(Skipped(_shown(folder), reason))

    def _folder(
        self, folder: str, rules: tuple[_Ignores, ...], in_package: bool
    ) -> Iterator[tuple[str, tuple[_Ignores, ...], bool]]:
        """Note the files of one folder (its path ends in ``/``); yield the folders in it that are to be read."""
        try:
            with os.scandir(f"{self.top}/{folder}") as scanned:
                entries = list(scanned)
        except OSError as error:
            self.skipped.append(Skipped(folder or ".", _reason(error), self.scope.covers(folder)))
            return
        names = {entry.name for entry in entries}
        if folder and self._is_output(folder, names, in_package):
            self._close(folder, "default exclude")
            return
        if ".gitignore" in names and rules is not _EVERYTHING:
            rules = self._patterns(folder + ".gitignore", folder, rules)
        self.entered[folder] = rules
        parts = folder.split("/")
        documentation = not _DOCUMENTATION.isdisjoint(parts)
        in_package = bool(folder) and (in_package or "__init__.py" in names)
        for entry in entries:
            name = entry.name
            try:
                if entry.is_symlink():
                    self._link(folder + name, name, rules)
                elif entry.is_dir(follow_symlinks=False):
                    if self._is_open(folder + name + "/", name, rules):
                        ignored = _ignored(rules, folder + name + "/", name + "/")
                        yield folder + name + "/", _EVERYTHING if ignored else rules, in_package
                else:
                    kind = _kind(name, parts, documentation)
                    if kind is not None and entry.is_file(follow_symlinks=False):
                        self._file(folder + name, name, kind, entry.stat(follow_symlinks=False), rules)
            except OSError as error:
                self.skipped.append(Skipped(_shown(folder + name), _reason(error), self.scope.covers(folder + name)))

    def _is_output(self, folder: str, names: set[str], in_package: bool) -> bool:
        if VIRTUAL_ENVIRONMENT in names:
            return True
        return folder.split("/")[-2] in _BUILD_OUTPUT and not in_package and "__init__.py" not in names

    def _is_open(self, folder: str, name: str, rules: tuple[_Ignores, ...]) -> bool:
        """Whether a folder is to be read, noting why not."""
        if name in LEFT_OUT:
            self._close(folder, "default exclude")
        elif self._is_ignored(rules, folder, name + "/"):
            self._close(folder, "git-ignored")
        elif not _is_sound(name):
            self.closed[folder] = "odd name"
            self.skipped.append(Skipped(_shown(folder), _odd(name), self.scope.covers(folder)))
        else:
            return True
        return False

    def _is_ignored(self, rules: tuple[_Ignores, ...], path: str, name: str) -> bool:
        """Whether git ignores a file, or a folder with all that is in it: it does not if it tracks it."""
        if not _ignored(rules, path, name):
            return False
        if self._tracked is None:
            files = self.tracked()
            folders = {file[: index + 1] for file in files for index, char in enumerate(file) if char == "/"}
            self._tracked = frozenset(files) | folders
        return path not in self._tracked

    def _close(self, folder: str, reason: str) -> None:
        self.closed[folder] = reason
        self.ignored[reason] += 1

    def _file(self, path: str, name: str, kind: Kind, status: os.stat_result, rules: tuple[_Ignores, ...]) -> None:
        if self._is_ignored(rules, path, name):
            if path not in self.scope.files:
                self.ignored["git-ignored"] += 1
        elif not _is_sound(name):
            self.skipped.append(Skipped(_shown(path), _odd(name), kind == "python" and self.scope.covers(path)))
        elif kind != "python" and status.st_size > _DATA_LIMIT:
            self.ignored["larger than 1 MB"] += 1
        else:
            self.files[path] = kind, status

    def _link(self, path: str, name: str, rules: tuple[_Ignores, ...]) -> None:
        """A link adds nothing but another name, since what is in the root is walked anyway."""
        target = Path(self.top, path)
        is_folder, is_python = target.is_dir(), target.suffix in _PYTHON
        if not (is_folder or is_python) or name in LEFT_OUT or self._is_ignored(rules, path, name):
            return
        inside = _inside(os.path.realpath(target), self.top)
        if inside is None:
            self.skipped.append(Skipped(_shown(path), "a link that leaves the project's root"))
        elif is_folder:
            self.aliases[path + "/"] = f"{inside}/" if inside else ""
        elif target.is_file():
            self.aliases[path] = inside
            self.linked.add(inside)

    def _patterns(self, path: str, base: str, rules: tuple[_Ignores, ...]) -> tuple[_Ignores, ...]:
        """The patterns in force, with those of one more file; like git, no link is followed."""
        data = read(self.top, SourceFile(path, 0, "data", editable=False))
        more = _ignores(data, base) if isinstance(data, bytes) else None
        return rules if more is None else (more, *rules)

    # -------------------------------------------------------------------------------------------- beyond what is walked

    def add_explicit(self, path: str) -> None:
        """Take a file that the user named, as Python, wherever it lies."""
        reason = self._why_not(path)
        if reason and self.scope.force_exclude:
            self.ignored[reason] += 1
        elif path.endswith(".pyi"):
            self.skipped.append(Skipped(_shown(path), "a stub file: nothing in it runs"))
        elif not _is_sound(path):
            if _shown(path) not in {skipped.path for skipped in self.skipped}:
                self.skipped.append(Skipped(_shown(path), _odd(path), failed=True))
        else:
            self._take(path)

    def add_linked(self, path: str) -> None:
        """Take a file without the suffix of one, if a link calls it Python and nothing leaves it out."""
        if not self._why_not(path) and _is_sound(path):
            self._take(path)

    def _take(self, path: str) -> None:
        try:
            self.files[path] = "python", Path(self.top, path).lstat()
        except OSError as error:
            self.skipped.append(Skipped(path, _reason(error), self.scope.covers(path)))

    def _why_not(self, path: str) -> str:
        """Why a file in the root is not read, '' if it is."""
        folder, slash, name = path.rpartition("/")
        ignored = self._is_ignored(self.entered.get(folder + slash, ()), path, name)
        return self._closed(path) or ("git-ignored" if ignored else "")

    def _closed(self, path: str) -> str:
        """Why the folder, or one above it, was not entered; '' if it was."""
        parts = path.split("/")
        folders = ("/".join(parts[:depth]) + "/" for depth in range(1, len(parts)))
        return next((self.closed[folder] for folder in folders if folder in self.closed), "")


def _ignored(rules: Iterable[_Ignores], path: str, name: str) -> bool:
    """What the nearest file of patterns that says anything says."""
    for each in rules:
        verdict = each.verdict(path, name)
        if verdict is not None:
            return verdict
    return False


def _kind(name: str, folders: Sequence[str], documentation: bool) -> Kind | None:
    """What a file is by its name and by the folders it lies in; None if it is of no interest."""
    suffix = name[name.rfind(".") :] if "." in name else ""
    if suffix in _PYTHON:
        return "python"
    if documentation:
        return None
    if suffix in _TEMPLATES or (suffix == ".txt" and "templates" in folders):
        return "template"
    requirements = suffix == ".txt" and (name.startswith("requirements") or "requirements" in folders)
    return "data" if requirements or suffix in _DATA or name in _DATA_NAMES else None


def _each_once(walk: _Walk) -> Iterator[SourceFile]:
    """The files, sorted; of several names of one file (hard links) the first that the user named, else the first."""
    seen: dict[tuple[int, int], str] = {}
    kept: list[SourceFile] = []
    scope = walk.scope
    for path, (kind, status) in sorted(walk.files.items(), key=lambda item: (item[0] not in scope.files, item[0])):
        if status.st_nlink > 1 and status.st_size:
            first = seen.setdefault((status.st_dev, status.st_ino), path)
            if first != path:
                walk.ignored["another name of a file"] += 1
                walk.aliases[path] = first
                continue
        kept.append(_source_file(walk, path, kind, status.st_size))
    yield from sorted((file for file in kept if file.size <= _READ_LIMIT), key=lambda file: file.path)


def _source_file(walk: _Walk, path: str, kind: Kind, size: int) -> SourceFile:
    scope = walk.scope
    large = kind == "python" and size > _PYTHON_LIMIT
    if large:
        walk.skipped.append(Skipped(path, _TOO_LARGE))
    editable = not large and scope.covers(path)
    if not (editable or large) and kind == "python" and (path in scope.files or path.startswith(scope.folders)):
        walk.ignored["excluded"] += 1
    return SourceFile(path, size, kind, editable, _TOO_LARGE if large else "")


# ---------------------------------------------------------------------------------------------------------------- words


def _is_sound(name: str) -> bool:
    """Whether a name can be written in a report, a patch and a document: UTF-8, on one line."""
    return (name.isascii() and name.isprintable()) or not _odd(name)


def _odd(name: str) -> str:
    """What is wrong with a name, '' if nothing is."""
    if "\n" in name or "\r" in name:
        return "a line break in its name"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    return ""


def _shown(text: str) -> str:
    """The text without what cannot be printed: bytes that are not UTF-8 and line breaks become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\n", "\\n").replace("\r", "\\r")


def _reason(error: OSError) -> str:
    text = error.strerror or type(error).__name__
    return text[:1].lower() + text[1:]


def _flag(name: str) -> int:
    """A flag of `os.open`, 0 where the platform has none."""
    return int(getattr(os, name, 0))
