"""What a transaction is and how it is kept on disk: one file that holds the old and the new bytes of every file.

While the run is on that file is its journal; when all is written it is renamed and so becomes the undo record. Both are
msgpack with a digest, never pickle, and whatever is found in them is validated before it is believed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec
import platformdirs

import asyncfix.write.disk as disk
from asyncfix.model import Value

_VERSION = 1


class FileChange(Value, frozen=True):
    """One file of a run: `path` is POSIX and relative to the root.

    old     its bytes when it was analysed, None if the run creates it
    new     its bytes afterwards, None if it is deleted (only undo does that)
    """

    path: str
    old: bytes | None
    new: bytes | None


class WriteError(Exception):
    """Nothing was written, for a reason. The text is one line: the file (or root) and the reason."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__("".join(_visible(char) for char in f"{name}: {reason}"))


class Entry(Value, frozen=True):
    """One file of a transaction, as its journal has it.

    path        as the caller gave it, relative to the root
    real        the file it leads to, relative to the root
    token       names its temporary file
    mode        permissions of the file (0 if it is created), for when it has to be made anew
    in_place    it is rewritten where it stands: other hard links, or an owner that a new file could not have
    """

    path: str
    real: str
    token: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{16}\Z")]
    old: bytes | None
    new: bytes | None
    mode: Annotated[int, msgspec.Meta(ge=0, le=0o7777)]
    in_place: bool


class Record(Value, frozen=True):
    """A transaction on the root whose hash is `root`; `undoes` says that it was an undo.

    earlier: path -> SHA-256 of what the runs before it wrote.
    """

    version: int
    root: str
    undoes: bool
    entries: tuple[Entry, ...]
    earlier: dict[str, str]


class _Sealed(Value, frozen=True):
    digest: bytes
    record: bytes


@dataclass(frozen=True)
class Place:
    """The resolved root of a run, and the folder where its journal, undo record and lock are kept."""

    root: Path
    state: Path

    @property
    def journal(self) -> Path:
        return self.state / "journal"

    @property
    def staged(self) -> Path:
        return self.state / "journal.new"

    @property
    def last(self) -> Path:
        return self.state / "last-run"

    @property
    def lock(self) -> Path:
        return self.state / "lock"


@contextmanager
def naming(name: str | Path) -> Generator[None]:
    """Turn an OSError into the WriteError that names `name`."""
    try:
        yield
    except OSError as error:
        raise WriteError(str(name), error.strerror or str(error)) from error


def state_folder(root: Path) -> Path:
    """The folder outside `root` that keeps the journal and the undo record of runs on it; it need not exist yet.

    It lies in the user's state folder, or in the one that the environment variable ASYNCFIX_STATE_DIR names (for tests
    and CI), under a hash of the resolved root. WriteError if that would be inside the root.
    """
    base = os.environ.get("ASYNCFIX_STATE_DIR") or platformdirs.user_state_dir("asyncfix", appauthor=False)
    resolved = disk.resolve(root)
    folder = disk.resolve(Path(base)) / _root_id(resolved)[:32]
    if folder.is_relative_to(resolved):
        raise WriteError(str(root), f"the state folder {folder} is inside it; set ASYNCFIX_STATE_DIR to one outside")
    return folder


def last_written(root: Path, state: Path) -> dict[str, str]:
    """Path -> SHA-256 (hex) of what the last commit that wrote this file left there: such a file counts as clean.

    After an undo, what the runs before the undone one wrote. WriteError if the record is damaged.
    """
    place = Place(disk.resolve(root), state)
    return written(load(place, place.last))


def written(record: Record | None) -> dict[str, str]:
    """What `last_written` gives when `record` is that of the last run."""
    if record is None:
        return {}
    if record.undoes:
        return record.earlier
    return record.earlier | {
        entry.path: hashlib.sha256(entry.new).hexdigest() for entry in record.entries if entry.new is not None
    }


def new_record(place: Place, undoes: bool, entries: tuple[Entry, ...], earlier: dict[str, str]) -> Record:
    """A record of this format and root."""
    return Record(_VERSION, _root_id(place.root), undoes, entries, earlier)


def encode(record: Record) -> bytes:
    """The bytes of a journal."""
    payload = msgspec.msgpack.encode(record)
    return msgspec.msgpack.encode(_Sealed(hashlib.sha256(payload).digest(), payload))


def load(place: Place, path: Path) -> Record | None:
    """The record in `path`, None if there is none. WriteError, naming the file, if it is not sound."""
    with naming(path):
        data = disk.read(path)
    if data is None:
        return None
    try:
        sealed = msgspec.msgpack.decode(data, type=_Sealed)
        if hashlib.sha256(sealed.record).digest() != sealed.digest:
            raise msgspec.ValidationError("its digest does not fit")
        record = msgspec.msgpack.decode(sealed.record, type=Record)
    except msgspec.DecodeError as error:
        raise WriteError(str(path), f"damaged ({error}); delete it to go on without it") from error
    if (record.version, record.root) != (_VERSION, _root_id(place.root)):
        raise WriteError(str(path), "of another version or root; delete it to go on without it")
    return record


def locate(root: Path, path: str) -> Path:
    """The file that the relative POSIX `path` leads to, links followed. WriteError if it is not inside `root`."""
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\0" in path:
        raise WriteError(path, "not a path inside the root")
    real = disk.resolve(root / pure)
    if real == root or not real.is_relative_to(root):
        raise WriteError(path, "leads out of the root")
    if any("\ud800" <= char <= "\udfff" for char in str(real.relative_to(root)) + path):
        raise WriteError(path, "its name is not valid Unicode")
    return real


def _root_id(root: Path) -> str:
    return hashlib.sha256(os.fsencode(root)).hexdigest()


def _visible(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii")
