"""Keep what was read of a project from one run to the next: one file per root, in the user's cache folder.

Never inside the analysed root, where a committed file could plant facts. What is kept are bytes that the caller decodes
by schema; nothing is unpickled. A file that is damaged, foreign or of another version counts as none.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import platformdirs

from asyncfix import __version__

_MAGIC = b"asyncfix cache 1\n"
# Bytes: what one root may take, and all of them together (the oldest go first).
_ROOT_LIMIT = 512 * 2**20
_TOTAL_LIMIT = 2 * 2**30


def key(path: str, content: bytes) -> str:
    """The name of an entry: it stands for one content of one file. Fingerprint and versions are of the whole file."""
    return hashlib.sha256(b"%d %s%s" % (len(path), os.fsencode(path), content)).hexdigest()


def load(root: Path, fingerprint: str) -> dict[str, bytes]:
    """What `save` kept for this root under the same fingerprint (of all the entries depend on), or nothing."""
    file = _file(root)
    if file is None:
        return {}
    try:
        if file.stat().st_size > 2 * _ROOT_LIMIT:
            return {}
        content = file.read_bytes()
    except OSError:
        return {}
    head = _head(root, fingerprint)
    body = memoryview(content)[len(head) + 4 :]
    if not content.startswith(head) or content[len(head) : len(head) + 4] != _checksum(body):
        return {}
    try:
        return msgspec.msgpack.decode(body, type=dict[str, bytes])
    except msgspec.DecodeError:
        return {}


def save(root: Path, fingerprint: str, entries: Mapping[str, bytes]) -> None:
    """Keep exactly these entries for this root; a folder that cannot be written is no error.

    If they are too many, the last ones are kept: they are the newest.
    """
    file = _file(root)
    if file is None:
        return
    body = msgspec.msgpack.encode(_last(entries))
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _replace(file, (_head(root, fingerprint), _checksum(body), body))
        _prune(file.parent)


def _last(entries: Mapping[str, bytes]) -> dict[str, bytes]:
    """The entries that fit into one file, counted from the end, in their order."""
    kept: list[tuple[str, bytes]] = []
    room = _ROOT_LIMIT
    for name in reversed(list(entries)):
        room -= len(name) + len(entries[name])
        if room < 0:
            break
        kept.append((name, entries[name]))
    return dict(reversed(kept))


def _file(root: Path) -> Path | None:
    """The file of this root, or None if it would lie inside the root."""
    folder = os.environ.get("ASYNCFIX_CACHE_DIR") or platformdirs.user_cache_dir("asyncfix", appauthor=False)
    place, root = Path(folder).resolve(), root.resolve()
    if place.is_relative_to(root):
        return None
    return place / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}.cache"


def _head(root: Path, fingerprint: str) -> bytes:
    """What a file must begin with to be believed."""
    described = (__version__, platform.python_version(), str(root.resolve()), fingerprint)
    return _MAGIC + hashlib.sha256(repr(described).encode()).digest()


def _checksum(body: bytes | memoryview) -> bytes:
    return zlib.crc32(body).to_bytes(4, "big")


def _replace(file: Path, parts: tuple[bytes, ...]) -> None:
    """Write a new file beside the old one, then swap: a reader never meets half of it."""
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(parts)
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)  # there only if something failed


def _prune(folder: Path) -> None:
    """Delete the files written longest ago, until the rest is small enough."""
    files = sorted(((file.stat(), file) for file in folder.glob("*.cache")), key=lambda pair: -pair[0].st_mtime)
    total = 0
    for status, file in files:
        total += status.st_size
        if total > _TOTAL_LIMIT:
            file.unlink(missing_ok=True)
