"""The protocol: one run is all of its files or none, after an error, Ctrl-C, a kill or a power cut.

    1   the journal, with the old and new bytes of every file, is written and synced: from here on a crash can be mended
    2   every new text is written and synced beside its file, with its mode, owner and attributes; the tree is still old
    3   each file is compared with what was analysed, then swapped by one rename (or rewritten in place)
    4   the folders are synced, and the journal is renamed to the undo record: this rename is the point of no return

Whatever stops it before that point, the old bytes are put back from the journal: at once, or by `recover` at the next
start if the process is gone. What a rollback has to do is read off the disk (is there a journal?), never off a flag.
"""

from __future__ import annotations

import secrets
import stat
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from itertools import zip_longest
from pathlib import Path

import asyncfix.write.disk as disk
from asyncfix.write.record import (
    Entry,
    FileChange,
    Place,
    Record,
    WriteError,
    encode,
    load,
    locate,
    naming,
    new_record,
    written,
)


def commit(root: Path, changes: Sequence[FileChange], state: Path) -> None:
    """Write all `changes` below `root`, or none; `state` (see `state_folder`) keeps what `undo` needs.

    WriteError if a file is not as its change says, is read-only, leads out of the root, or cannot be written, if
    another run is at work, or if an interrupted one waits for `recover`. Changes that change nothing are left out.
    """
    wanted = [change for change in changes if change.old != change.new]
    if not wanted:
        return
    with _session(root, state) as place:
        _refuse_pending(place)
        earlier = written(load(place, place.last))
        entries = _prepare_all(place, wanted, "changed since asyncfix read it")
        _carry_out(place, new_record(place, False, entries, earlier))


def undo(root: Path, state: Path) -> tuple[str, ...]:
    """Restore the bytes of the last run, remove the files it created, and return the paths; one transaction itself.

    WriteError if a file changed since, or if there is nothing to undo (no run, or it has been undone).
    """
    with _session(root, state) as place:
        _refuse_pending(place)
        last = load(place, place.last)
        if last is None or last.undoes:
            raise WriteError(str(root), "nothing to undo here")
        back = [FileChange(entry.path, entry.new, entry.old) for entry in last.entries]
        entries = _prepare_all(place, back, "changed since asyncfix wrote it")
        _carry_out(place, new_record(place, True, entries, last.earlier))
        return tuple(entry.path for entry in last.entries)


def pending(root: Path, state: Path) -> bool:
    """Whether a run was interrupted (or is at work right now), so that the tree may be half old, half new."""
    with naming(root):
        return disk.status(Place(root, state).journal) is not None


def recover(root: Path, state: Path) -> tuple[str, ...]:
    """Restore the old bytes after an interrupted run; returns the paths that had to be restored.

    May itself be killed and repeated. WriteError if another run is at work, if the journal is damaged, or if a file
    changed after the interruption: then nothing is touched, and the journal stays.
    """
    with naming(state):
        if disk.status(state) is None:
            return ()
    with _session(root, state) as place:
        journal = load(place, place.journal)
        return () if journal is None else _roll_back(place, journal, journal.entries)


# -------------------------------------------------------------------------------------------------------------- session


@contextmanager
def _session(root: Path, state: Path) -> Generator[Place]:
    """The only run that writes below `root`, for as long as it lasts."""
    with naming(root):
        place = Place(disk.resolve(root), state)
        with naming(state):
            disk.make_folder(state)
        with _exclusive(place):
            disk.remove(place.staged)  # of a run that was killed before it had a journal
            yield place


@contextmanager
def _exclusive(place: Place) -> Generator[None]:
    """Hold the lock of this root; WriteError if another run has it."""
    try:
        with disk.locked(place.lock):
            yield
    except BlockingIOError as error:
        raise WriteError(str(place.root), "another asyncfix run is writing here; try again when it is done") from error


def _refuse_pending(place: Place) -> None:
    if disk.status(place.journal) is not None:
        raise WriteError(str(place.root), "an interrupted run has to be restored first")


# ------------------------------------------------------------------------------------------------------------ preparing


def _prepare_all(place: Place, changes: Iterable[FileChange], changed: str) -> tuple[Entry, ...]:
    entries = [_prepare(place.root, change, changed) for change in changes]
    seen: set[str] = set()
    for entry in entries:
        if entry.real in seen:
            raise WriteError(entry.path, f"leads to {entry.real}, which is changed under another name too")
        seen.add(entry.real)
    # What is rewritten in place goes first: if the disk fills up there, no other file has been swapped.
    return tuple(sorted(entries, key=lambda entry: not entry.in_place))


def _prepare(root: Path, change: FileChange, changed: str) -> Entry:
    """The journal's entry for `change`, after all that can be refused before anything is written."""
    real = locate(root, change.path)
    name = real.relative_to(root).as_posix()
    token = secrets.token_hex(8)
    with naming(change.path):
        current = disk.read(real)
        found = disk.status(real)
        if change.old is None:
            if disk.status(root / change.path) is not None or found is not None:
                raise WriteError(change.path, "exists already")
            if disk.status(real.parent) is None:
                raise WriteError(change.path, "its folder does not exist")
            return Entry(change.path, name, token, change.old, change.new, 0, False)
        if found is None or current != change.old:
            raise WriteError(change.path, "is gone" if found is None else changed)
        if not disk.writable(real, found):
            raise WriteError(change.path, "is read-only")
        in_place = change.new is not None and disk.must_stay_in_place(found)
        return Entry(change.path, name, token, change.old, change.new, stat.S_IMODE(found.st_mode), in_place)


# -------------------------------------------------------------------------------------------------------------- writing


def _carry_out(place: Place, record: Record) -> None:
    begun: list[Entry] = []
    try:
        _write_journal(place, record)
        for entry in record.entries:
            with naming(entry.path):
                _stage(place, entry)
        for entry in record.entries:
            with naming(entry.path):
                _compare(place, entry)
                begun.append(entry)
                _swap(place, entry, entry.new)
        _sync_folders(place, record.entries)
        with naming(place.journal):
            disk.move(place.journal, place.last)
    finally:
        _settle(place, record, begun)
    # Not synced, the journal may be back after a power cut, and recover restores the old tree: whole either way.
    with suppress(OSError):
        disk.sync_folder(place.state)


def _settle(place: Place, record: Record, begun: Sequence[Entry]) -> None:
    """Roll back if the run did not reach the point of no return. Only files already begun are ours to restore."""
    with naming(place.journal):
        disk.remove(place.staged)
        unfinished = disk.status(place.journal) is not None
    if unfinished:
        _roll_back(place, record, begun)


def _write_journal(place: Place, record: Record) -> None:
    with naming(place.journal):
        disk.create(place.staged, encode(record), 0o600)
        disk.move(place.staged, place.journal)
        disk.sync_folder(place.state)


def _stage(place: Place, entry: Entry) -> None:
    """Write the new text beside the file, ready to be swapped."""
    if entry.new is None or entry.in_place:
        return
    temporary = _temporary(place, entry)
    if entry.old is None:
        disk.create(temporary, entry.new, 0o666)
    else:
        disk.create(temporary, entry.new, 0o600)
        disk.copy_metadata(place.root / entry.real, temporary)


def _compare(place: Place, entry: Entry) -> None:
    """WriteError if somebody else changed the file, or where its name leads, since it was prepared."""
    if locate(place.root, entry.path) != place.root / entry.real:
        raise WriteError(entry.path, "leads elsewhere than when asyncfix began to write")
    current = disk.read(place.root / entry.real)
    # Of two hard links to one file the second is already written when its turn comes.
    if current != entry.old and not (entry.in_place and current == entry.new):
        raise WriteError(entry.path, "changed while asyncfix was writing")


def _swap(place: Place, entry: Entry, data: bytes | None) -> None:
    """Give the file these bytes (None: no file), which are staged unless it is rewritten in place."""
    target = place.root / entry.real
    if data is None:
        disk.remove(target)
    elif entry.in_place:
        disk.overwrite(target, data)
    else:
        disk.move(_temporary(place, entry), target)


# ------------------------------------------------------------------------------------------------------------ restoring


def _roll_back(place: Place, record: Record, begun: Sequence[Entry]) -> tuple[str, ...]:
    """Remove the temporary files, put back the old bytes of `begun`, drop the journal; returns the restored paths."""
    for entry in record.entries:
        if locate(place.root, entry.real) != place.root / entry.real:
            raise WriteError(entry.path, f"leads elsewhere than before; {_way_out(place)}")
        with naming(entry.path):
            disk.remove(_temporary(place, entry))
    lost = [entry for entry in begun if _to_restore(place, entry)]
    for entry in lost:
        with naming(entry.path):
            _restore(place, entry)
    _sync_folders(place, record.entries)
    with naming(place.journal):
        disk.remove(place.journal)
        disk.sync_folder(place.state)
    return tuple(entry.path for entry in lost)


def _to_restore(place: Place, entry: Entry) -> bool:
    """Whether the file has our new bytes. WriteError if it has neither those nor the old ones: they are a person's."""
    with naming(entry.path):
        current = disk.read(place.root / entry.real)
    if current == entry.old:
        return False
    if current == entry.new or (entry.in_place and _is_torn(current, entry)):
        return True
    raise WriteError(entry.path, f"changed after a run was interrupted; {_way_out(place)}")


def _is_torn(current: bytes | None, entry: Entry) -> bool:
    """Whether `current` is what a broken-off write in place leaves: each byte old, new, or not yet on the disk (0)."""
    if current is None or entry.old is None or entry.new is None:
        return False
    shortest, longest = sorted((len(entry.old), len(entry.new)))
    if not shortest <= len(current) <= longest:
        return False
    pairs = zip_longest(current, entry.old[: len(current)], entry.new[: len(current)])
    return all(byte in (before, after, 0) for byte, before, after in pairs)


def _restore(place: Place, entry: Entry) -> None:
    if entry.old is not None and not entry.in_place:
        target, temporary = place.root / entry.real, _temporary(place, entry)
        disk.create(temporary, entry.old, 0o600)
        if disk.status(target) is None:
            temporary.chmod(entry.mode)
        else:
            disk.copy_metadata(target, temporary)
    _swap(place, entry, entry.old)


def _temporary(place: Place, entry: Entry) -> Path:
    """Beside the file, so that a rename swaps the two; named by the journal, so that a later process can remove it."""
    return (place.root / entry.real).with_name(f".asyncfix-{entry.token}")


def _sync_folders(place: Place, entries: Iterable[Entry]) -> None:
    for folder in sorted({(place.root / entry.real).parent for entry in entries}):
        with naming(folder):
            if disk.status(folder) is not None:  # one that a person deleted meanwhile has no names to keep
                disk.sync_folder(folder)


def _way_out(place: Place) -> str:
    return f"put it back by hand, or delete {place.journal} to keep everything as it is"
