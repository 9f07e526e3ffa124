"""Says which files git tracks, and which have changes that it does not hold, and runs nothing that the repository configures.

``git status`` runs the repository's clean filters and its fsmonitor program, so it is not asked. Git only says what the
index and the last commit hold (``ls-files``, ``ls-tree HEAD``), with the settings that could start a program
overridden and every transport forbidden; the files are read and hashed here. The git program is looked for in the
absolute folders of PATH, less the current one and those inside the repository.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_TIMEOUT = 60  # seconds, per call of git
_BATCH = 100  # paths per call of git, for the sake of the limit on a command line

_OVERRIDES = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    f"core.attributesFile={os.devnull}",
    "core.sshCommand=false",
    "submodule.recurse=false",
    "safe.bareRepository=explicit",
)

_INDEX_ENTRY = re.compile(
    rb"(?P<mode>\d{6}) (?P<blob>[0-9a-f]+) (?P<stage>\d)\t(?P<path>[^\0]*)\0"
    rb"  ctime: (?P<ctime>\d+:\d+)\n  mtime: (?P<mtime>\d+:\d+)\n  dev: \d+\tino: (?P<ino>\d+)\n"
    rb"  uid: \d+\tgid: \d+\n  size: (?P<size>\d+)\tflags: [0-9a-f]+\n"
)
_TREE_ENTRY = re.compile(rb"(?P<mode>\d{6}) blob (?P<blob>[0-9a-f]+)\t(?P<path>[^\0]*)\0")


class _Index(NamedTuple):
    """What the index holds of one file; the times as ``seconds:nanoseconds``."""

    mode: str
    blob: str
    stage: str
    ctime: str
    mtime: str
    ino: int
    size: int


def git_root(path: Path) -> Path | None:
    """The nearest folder at or above `path` that has a ``.git`` (a folder, or a file as in worktrees); None if none."""
    resolved = path.resolve()
    return next((folder for folder in (resolved, *resolved.parents) if os.path.lexists(folder / ".git")), None)


def dirty(git_root: Path, files: Sequence[Path], clean: Mapping[str, str]) -> tuple[str, ...] | None:
    """Those of `files` that have uncommitted changes, as sorted paths from `git_root`; None if git cannot be used.

    A file is clean if index and last commit hold the same blob for it, and it has that content: the same bytes; or the
    same but for line ends, with the size and modification time that the index has (autocrlf, text=auto); or, under any
    other filter, nothing that the index knows of it has changed since before the index was written. A file that exists
    nowhere is clean. One whose SHA-256 is in `clean`, under its path from `git_root`, is clean whatever git says. All
    else is dirty: untracked (ignored too), staged, in conflict, deleted, inside a submodule, or in a repository without
    a commit. Permissions in the working tree are not compared.
    """
    if not files:
        return ()
    root = git_root.resolve()
    program = _program(root)
    if program is None:
        return None
    names = {file: _name(root, file) for file in files}
    wanted = sorted({name for name in names.values() if name is not None})
    try:
        index = dict(_read_index(program, root, wanted))
        head = dict(_read_head(program, root, wanted))
        written = _index_time(program, root)
    except (OSError, subprocess.SubprocessError):
        return None
    changed: set[str] = set()
    for file, name in names.items():
        shown = _relative(root, file)
        if name is None or not _is_clean(root / name, index.get(name), head.get(name), written, clean.get(shown)):
            changed.add(shown)
    return tuple(sorted(changed))


def tracked_though_ignored(git_root: Path) -> frozenset[str]:
    """The files that git tracks although one of its patterns ignores them, from `git_root`; none if git cannot be used."""
    program = _program(git_root)
    if program is None or not os.path.lexists(git_root / ".git"):
        return frozenset()
    try:
        output = _ask(program, git_root, "ls-files", "-z", "--cached", "--ignored", "--exclude-standard")
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    return frozenset(os.fsdecode(name) for name in output.split(b"\0") if name)


def index(git_root: Path) -> bytes | None:
    """The file that is git's index, which names what is tracked; None if there is none, or git cannot be used."""
    program = _program(git_root)
    try:
        return None if program is None else _index_path(program, git_root).read_bytes()
    except (OSError, subprocess.SubprocessError):
        return None


# ---------------------------------------------------------------------------------------------------------- the verdict


def _is_clean(file: Path, index: _Index | None, head: tuple[str, str] | None, written: int, digest: str | None) -> bool:
    try:
        found = file.stat()
        data = file.read_bytes()
    except FileNotFoundError:
        return index is None and head is None
    except OSError:
        return False
    if digest is not None and hashlib.sha256(data).hexdigest() == digest:
        return True
    if index is None or index.stage != "0" or (index.mode, index.blob) != head:
        return False
    if _blob(data, index.blob) == index.blob:
        return True
    same = index.size == found.st_size & 0xFFFFFFFF and index.mtime == _time(found.st_mtime_ns)
    if same and _blob(data.replace(b"\r\n", b"\n"), index.blob) == index.blob:
        return True
    unmoved = index.ctime == _time(found.st_ctime_ns) and index.ino == found.st_ino & 0xFFFFFFFF
    return same and unmoved and max(found.st_mtime_ns, found.st_ctime_ns) < written


def _blob(data: bytes, like: str) -> str:
    """The name git gives to a blob of these bytes, with the hash that the name `like` was made with."""
    content = b"blob %d\0" % len(data) + data
    digest = hashlib.sha1(content, usedforsecurity=False) if len(like) == 40 else hashlib.sha256(content)
    return digest.hexdigest()


def _time(nanoseconds: int) -> str:
    return f"{nanoseconds // 10**9}:{nanoseconds % 10**9}"


def _name(root: Path, file: Path) -> str | None:
    """The path from `root` of the file that would be written, links followed; None if it lies elsewhere."""
    real = Path(os.path.realpath(file))
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else None


def _relative(root: Path, file: Path) -> str:
    """`file` as a path from `root`, its own link kept; if it lies elsewhere, as it is."""
    placed = file.parent.resolve() / file.name
    return placed.relative_to(root).as_posix() if placed.is_relative_to(root) else file.as_posix()


# ----------------------------------------------------------------------------------------------------------- asking git


def _read_index(program: Path, root: Path, names: Sequence[str]) -> Iterator[tuple[str, _Index]]:
    for batch in _batches(names):
        output = _ask(program, root, "ls-files", "-s", "--debug", "-z", "--", *batch)
        for match in _INDEX_ENTRY.finditer(output):
            mode, blob, stage, path, ctime, mtime, ino, size = match.groups()
            known = (mode.decode(), blob.decode(), stage.decode(), ctime.decode(), mtime.decode())
            yield os.fsdecode(path), _Index(*known, int(ino), int(size))


def _read_head(program: Path, root: Path, names: Sequence[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Path -> mode and blob in the last commit; nothing in a repository that has none."""
    for batch in _batches(names):
        try:
            output = _ask(program, root, "ls-tree", "-z", "HEAD", "--", *batch)
        except subprocess.CalledProcessError:
            return
        for match in _TREE_ENTRY.finditer(output):
            mode, blob, path = match.groups()
            yield os.fsdecode(path), (mode.decode(), blob.decode())


def _index_time(program: Path, root: Path) -> int:
    """When the index was written (ns; 0 if never): a file as young as that may have changed after git looked at it."""
    path = _index_path(program, root)
    return path.stat().st_mtime_ns if path.exists() else 0


def _index_path(program: Path, root: Path) -> Path:
    return root / os.fsdecode(_ask(program, root, "rev-parse", "--git-path", "index").removesuffix(b"\n"))


def _batches(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + _BATCH] for start in range(0, len(names), _BATCH))


def _ask(program: Path, root: Path, *arguments: str) -> bytes:
    """The output of one git command in `root`; CalledProcessError if it fails."""
    overrides = [part for setting in _OVERRIDES for part in ("-c", setting)]
    command = [str(program), "--no-pager", "--literal-pathspecs", f"--work-tree={root}", *overrides, *arguments]
    return subprocess.run(
        command,
        cwd=root,
        env=_environment(root),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_TIMEOUT,
        check=True,
    ).stdout


def _environment(root: Path) -> dict[str, str]:
    """Ours, less what leads git elsewhere; it takes no lock, fetches no object, and asks no other repository.

    The user's own GIT_CONFIG_* stay (``safe.directory``); our overrides outrank them.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("GIT_") or name.upper().startswith("GIT_CONFIG")
    }
    return inherited | {
        "PATH": os.pathsep.join(str(folder) for folder in _search_path(root)),
        "LC_ALL": "C",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",  # older than NO_LAZY_FETCH: a partial clone would run what its remote names
    }


def _program(root: Path) -> Path | None:
    name = "git.exe" if sys.platform == "win32" else "git"
    candidates = (folder / name for folder in _search_path(root))
    return next((found for found in candidates if os.access(found, os.X_OK) and found.is_file()), None)


def _search_path(root: Path) -> list[Path]:
    """The folders of PATH that neither the project nor whoever chose the current folder could have filled."""
    here = Path.cwd().resolve()
    folders = [Path(entry) for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry]
    return [
        folder
        for folder in folders
        if folder.is_absolute() and folder.resolve() != here and not folder.resolve().is_relative_to(root)
    ]
