"""The system calls of a transaction, each durable and exact; nothing here knows what a transaction is.

All of these raise OSError. What Windows lacks (owners, extended attributes, syncing a folder) is left out there.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(errno.EAGAIN, "locked") from error

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_CHUNK = 1 << 20
_EXACT = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# What a file system answers that has no such attribute, or does not let us set it: the file then goes without.
_NO_ATTRIBUTE = frozenset({errno.ENOTSUP, errno.ENODATA, errno.EINVAL, errno.EPERM, errno.EACCES})


def status(path: Path) -> os.stat_result | None:
    """What stands at `path` itself (a link is not followed); None if nothing does."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def read(path: Path) -> bytes | None:
    """The bytes of the regular file `path`; None if nothing is there, OSError if it is anything else."""
    found = status(path)
    if found is None:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with _opened(path, os.O_RDONLY) as descriptor:
        return b"".join(iter(lambda: os.read(descriptor, _CHUNK), b""))


def create(path: Path, data: bytes, mode: int) -> None:
    """Make `path`, which must not exist, with `data` and the permissions `mode` less the umask; synced."""
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode) as descriptor:
        _write_all(descriptor, data)
        os.fsync(descriptor)


def overwrite(path: Path, data: bytes) -> None:
    """Write `data` into the existing file `path`, keeping what it is (its links, owner, attributes); synced.

    It is cut to length last, so that a write that breaks off leaves a mixture of old and new and never an empty file.
    """
    with _opened(path, os.O_WRONLY) as descriptor:
        _write_all(descriptor, data)
        os.ftruncate(descriptor, len(data))
        os.fsync(descriptor)


def copy_metadata(source: Path, target: Path) -> None:
    """Give `target` the owner, the mode and the extended attributes (access lists among them) of `source`."""
    found = source.lstat()
    if sys.platform != "win32":
        made = target.lstat()
        if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
            os.chown(target, found.st_uid, found.st_gid)
    target.chmod(stat.S_IMODE(found.st_mode))  # after chown, which clears the set-id bits
    if sys.platform == "linux":
        _copy_attributes(source, target)


def writable(path: Path, found: os.stat_result) -> bool:
    """Whether an editor would write `path`: nobody may write a file without any `w`, not even root."""
    return bool(found.st_mode & 0o222) and os.access(path, os.W_OK)


def must_stay_in_place(found: os.stat_result) -> bool:
    """Whether a new file in its place would lose something: its other hard links, or an owner we may not give away."""
    if found.st_nlink > 1:
        return True
    if sys.platform == "win32" or os.geteuid() == 0:
        return False
    return found.st_uid != os.geteuid() or found.st_gid not in {os.getegid(), *os.getgroups()}


def move(source: Path, target: Path) -> None:
    """Put `source` in the place of `target`, in one step."""
    source.replace(target)


def remove(path: Path) -> None:
    """Delete the file `path`, if there is one."""
    path.unlink(missing_ok=True)


def resolve(path: Path) -> Path:
    """`path` made absolute, with all links followed; what does not exist stays as written."""
    return Path(os.path.realpath(path))


def make_folder(folder: Path) -> None:
    """Make `folder` and those above it as far as they are missing, readable by this user only; synced."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable, where the system can."""
    if sys.platform == "win32":
        return
    with _opened(folder, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network and shared folders
                raise


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock `path`; BlockingIOError if another process does. The system lets go of it when a process dies."""
    with _opened(path, os.O_RDWR | os.O_CREAT, 0o600) as descriptor:
        _lock(descriptor)
        yield


@contextmanager
def _opened(path: Path, flags: int, mode: int = 0) -> Generator[int]:
    descriptor = os.open(path, flags | _EXACT, mode)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _copy_attributes(source: Path, target: Path) -> None:
    for name in _attributes(source):
        try:
            os.setxattr(target, name, os.getxattr(source, name))
        except OSError as error:
            if error.errno not in _NO_ATTRIBUTE:
                raise


def _attributes(path: Path) -> list[str]:
    try:
        return os.listxattr(path)
    except OSError as error:
        if error.errno not in _NO_ATTRIBUTE:
            raise
        return []
