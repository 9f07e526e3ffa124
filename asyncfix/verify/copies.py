"""Copies of a project in which its tests can run: all of it, less version control, caches and environments.

What git ignores is copied too: tests need generated modules, compiled extensions and local settings. A copy never holds
the repository itself, nor a link into it, so nothing that the tests do with git reaches the user's own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from asyncfix import vcs
from asyncfix.discover import LEFT_OUT, VIRTUAL_ENVIRONMENT
from asyncfix.outcome import FileResult


def copy(root: Path, target: Path) -> tuple[str, ...]:
    """Copy the tree at ``root`` (without links) to the new folder ``target``: what could not be read, and why."""
    failed: list[str] = []
    waiting = [(root, target)]
    while waiting:
        source, made = waiting.pop()
        made.mkdir(parents=True)
        for entry in _entries(source, failed):
            try:
                if entry.is_symlink():
                    _link(Path(entry.path), made / entry.name, root, target)
                elif entry.is_dir():
                    if not _is_left_out(entry) and not target.is_relative_to(entry.path):
                        waiting.append((Path(entry.path), made / entry.name))
                elif entry.is_file():
                    shutil.copy2(entry.path, made / entry.name)
            except OSError as error:
                failed.append(f"{entry.path}: {error.strerror}")
    _mark(root, target)
    return tuple(failed)


def put(files: Iterable[FileResult], target: Path) -> None:
    """Write the new bytes of files into a copy."""
    for item in files:
        file = target / item.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(item.new)


def _entries(folder: Path, failed: list[str]) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as scanned:
            yield from sorted(scanned, key=lambda entry: entry.name)
    except OSError as error:
        failed.append(f"{folder}: {error.strerror}")


def _is_left_out(entry: os.DirEntry[str]) -> bool:
    return entry.name in LEFT_OUT or os.path.lexists(Path(entry.path, VIRTUAL_ENVIRONMENT))


def _link(link: Path, made: Path, root: Path, target: Path) -> None:
    """A link that leads to the same place of the copy; one that leads out of the project goes on leading there."""
    meant = Path(os.path.realpath(link))
    if not meant.is_relative_to(root):
        made.symlink_to(meant)
    elif (text := link.readlink()).is_absolute():
        made.symlink_to(os.path.relpath(target / meant.relative_to(root), made.parent))
    else:
        made.symlink_to(text)


def _mark(root: Path, target: Path) -> None:
    """Make the copy a root of its own, where git says the same of what it tracks, without any history."""
    git = target / ".git"
    git.mkdir()
    held = vcs.index(root) if os.path.lexists(root / ".git") else None
    if held is None:
        return
    for folder in ("objects", "refs", "info"):
        (git / folder).mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (git / "index").write_bytes(held)
    exclude = root / ".git" / "info" / "exclude"
    if exclude.is_file():
        shutil.copy2(exclude, git / "info" / "exclude")
