"""One run is one transaction: whatever fails, the tree is all old or all new, and nothing is left lying about."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from asyncfix.write import FileChange, WriteError, commit, last_written, pending, recover, state_folder, undo

OLD = {
    "plain.py": b"import time\n",
    "crlf.py": b"a = 1\r\nb = 2\r\n",
    "latin.py": b"# coding: latin-1\ns = '\xe9'\n\x0c\rlast",
    "pkg/deep.py": b"",
    "hard.py": b"one = 'a longer text than the new one'\n",
    "hard2.py": b"one = 'a longer text than the new one'\n",
    "link.py": b"linked = 1\n",
    "pkg/_asyncfix.py": None,
}
NEW = {
    "plain.py": b"import asyncio\n",
    "crlf.py": b"a = 1\r\nb = 3\r\n\r\n",
    "latin.py": b"# coding: latin-1\ns = '\xe8\xe9'\n\x0c\rlast",
    "pkg/deep.py": b"x = 1\n",
    "hard.py": b"two = 2\n",
    "hard2.py": b"two = 2\n",
    "link.py": b"linked = 2\n",
    "pkg/_asyncfix.py": b"made = True\n",
}
CHANGES = tuple(FileChange(path, OLD[path], NEW[path]) for path in OLD)


def make_tree(root: Path) -> None:
    """Modes, an extended attribute, two hard links, a link, line ends, an encoding, an empty file, a bystander."""
    (root / "pkg").mkdir(parents=True)
    for path in ("plain.py", "crlf.py", "latin.py", "pkg/deep.py", "hard.py"):
        (root / path).write_bytes(OLD[path] or b"")
    (root / "pkg" / "target.py").write_bytes(OLD["link.py"] or b"")
    (root / "bystander.py").write_bytes(b"nobody = 'touches this'\n")
    (root / "hard2.py").hardlink_to(root / "hard.py")
    (root / "link.py").symlink_to("pkg/target.py")
    (root / "crlf.py").chmod(0o755)
    (root / "plain.py").chmod(0o640)
    if hasattr(os, "setxattr"):
        try:
            os.setxattr(root / "plain.py", "user.note", b"kept")
        except OSError as error:
            assert error.errno == errno.ENOTSUP


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """All that a person could tell apart in the tree, times and inodes aside."""
    return {path.relative_to(root).as_posix(): _look(path) for path in root.rglob("*")}


def _look(path: Path) -> tuple[object, ...]:
    found = path.lstat()
    if path.is_symlink():
        return ("link", str(path.readlink()))
    if path.is_dir():
        return ("folder", stat.S_IMODE(found.st_mode))
    attributes = sorted(os.listxattr(path)) if hasattr(os, "listxattr") else []
    kept = [(name, os.getxattr(path, name)) for name in attributes]
    return ("file", stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_nlink, path.read_bytes(), kept)


def leftovers(state: Path) -> set[str]:
    """What should not be in the state folder between runs."""
    return {path.name for path in state.glob("*")} - {"lock", "last-run"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    make_tree(folder)
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state" / "of-root"


def sha(data: bytes | None) -> str:
    return hashlib.sha256(data or b"").hexdigest()


# ---------------------------------------------------------------------------------------------------- without any fault


def test_commit_writes_exactly_the_new_bytes(root: Path, state: Path) -> None:
    """Mode, owner, attributes, hard links and symbolic links stay what they were."""
    before = snapshot(root)
    commit(root, CHANGES, state)
    after = snapshot(root)
    assert {path: (root / path).read_bytes() for path in NEW} == NEW
    assert set(after) - set(before) == {"pkg/_asyncfix.py"}
    assert [entry[:5] for path, entry in after.items() if path in before] == [entry[:5] for entry in before.values()]
    assert after["plain.py"][6] == before["plain.py"][6]
    assert (root / "hard.py").samefile(root / "hard2.py")
    assert after["link.py"] == ("link", "pkg/target.py")
    assert leftovers(state) == set()


def test_a_created_file_gets_the_mode_that_any_program_would_give_it(root: Path, state: Path) -> None:
    """Read and write, less the umask."""
    commit(root, CHANGES, state)
    (root / "other").write_bytes(b"")
    assert (root / "pkg/_asyncfix.py").stat().st_mode == (root / "other").stat().st_mode


def test_undo_restores_everything_once(root: Path, state: Path) -> None:
    """Created files go, and a second undo says that there is nothing to undo."""
    before = snapshot(root)
    commit(root, CHANGES, state)
    assert sorted(undo(root, state)) == sorted(OLD)
    assert snapshot(root) == before
    assert leftovers(state) == set()
    with pytest.raises(WriteError, match="nothing to undo"):
        undo(root, state)


def test_undo_without_a_run(root: Path, state: Path) -> None:
    """There is nothing to undo."""
    with pytest.raises(WriteError, match="nothing to undo"):
        undo(root, state)


def test_undo_reaches_back_one_run(root: Path, state: Path) -> None:
    """Only the last run of a root is kept."""
    commit(root, [FileChange("plain.py", OLD["plain.py"], b"1\n")], state)
    commit(root, [FileChange("plain.py", b"1\n", b"2\n")], state)
    undo(root, state)
    assert (root / "plain.py").read_bytes() == b"1\n"
    with pytest.raises(WriteError, match="nothing to undo"):
        undo(root, state)


def test_undo_refuses_if_a_file_changed_since(root: Path, state: Path) -> None:
    """Nothing at all is restored then, and the record stays."""
    commit(root, CHANGES, state)
    (root / "latin.py").write_bytes(b"mine\n")
    before = snapshot(root)
    with pytest.raises(WriteError, match=r"^latin\.py: changed since asyncfix wrote it$"):
        undo(root, state)
    assert snapshot(root) == before
    (root / "latin.py").write_bytes(NEW["latin.py"] or b"")
    assert sorted(undo(root, state)) == sorted(OLD)


def test_a_run_that_changes_nothing_keeps_the_undo_record(root: Path, state: Path) -> None:
    """Applying twice does not cost the undo of the first time."""
    before = snapshot(root)
    commit(root, CHANGES, state)
    commit(root, [], state)
    commit(root, [FileChange("plain.py", NEW["plain.py"], NEW["plain.py"])], state)
    undo(root, state)
    assert snapshot(root) == before


def test_last_written_names_what_each_file_was_given_last(root: Path, state: Path) -> None:
    """A later run over other files does not make the earlier ones dirty; an undo takes its run's away."""
    assert last_written(root, state) == {}
    commit(root, [FileChange("plain.py", OLD["plain.py"], b"1\n")], state)
    assert last_written(root, state) == {"plain.py": sha(b"1\n")}
    commit(root, [FileChange("crlf.py", OLD["crlf.py"], b"2\n")], state)
    assert last_written(root, state) == {"plain.py": sha(b"1\n"), "crlf.py": sha(b"2\n")}
    undo(root, state)
    assert last_written(root, state) == {"plain.py": sha(b"1\n")}


def test_nothing_is_pending_and_nothing_to_recover_between_runs(root: Path, state: Path) -> None:
    """Before the first run, and after one."""
    assert (pending(root, state), recover(root, state)) == (False, ())
    assert not state.exists()
    commit(root, CHANGES, state)
    assert (pending(root, state), recover(root, state)) == (False, ())


# ------------------------------------------------------------------------------------------------------------- refusals


def refused(root: Path, state: Path, change: FileChange, reason: str) -> None:
    """The whole run is refused for this one change, with one line; neither tree nor state folder keeps a trace."""
    before = snapshot(root)
    with pytest.raises(WriteError, match=reason) as caught:
        commit(root, [CHANGES[0], change], state)
    assert len(str(caught.value).splitlines()) == 1
    assert snapshot(root) == before
    assert leftovers(state) == set()
    assert last_written(root, state) == {}


def test_a_file_that_changed_since_it_was_read_is_refused(root: Path, state: Path) -> None:
    """As an edit saved while asyncfix was thinking."""
    refused(root, state, FileChange("crlf.py", b"before\n", b"after\n"), r"^crlf\.py: changed since asyncfix read it$")


def test_a_file_that_is_gone_is_refused(root: Path, state: Path) -> None:
    """It is not made anew."""
    refused(root, state, FileChange("gone.py", b"before\n", b"after\n"), r"^gone\.py: is gone$")


def test_a_new_file_that_exists_is_refused(root: Path, state: Path) -> None:
    """Also if it is a link that leads nowhere."""
    (root / "nowhere.py").symlink_to("missing.py")
    refused(root, state, FileChange("bystander.py", None, b""), r"^bystander\.py: exists already$")
    refused(root, state, FileChange("nowhere.py", None, b""), r"^nowhere\.py: exists already$")


def test_a_new_file_in_a_missing_folder_is_refused(root: Path, state: Path) -> None:
    """Folders are not made."""
    refused(root, state, FileChange("no/x.py", None, b"x"), r"^no/x\.py: its folder does not exist$")


def test_a_read_only_file_is_refused(root: Path, state: Path) -> None:
    """Its folder would allow to replace it; an editor would not."""
    (root / "crlf.py").chmod(0o444)
    refused(root, state, FileChange("crlf.py", OLD["crlf.py"], b"new\n"), r"^crlf\.py: is read-only$")


@pytest.mark.parametrize("path", ["../out.py", "pkg/../../out.py", "/etc/hosts", "", ".", "away/out.py", "away.py"])
def test_a_path_out_of_the_root_is_refused(root: Path, state: Path, tmp_path: Path, path: str) -> None:
    """By dots, absolute, or through a link to a folder or file."""
    (tmp_path / "out.py").write_bytes(b"out\n")
    (root / "away").symlink_to(tmp_path)
    (root / "away.py").symlink_to(tmp_path / "out.py")
    refused(root, state, FileChange(path, b"out\n", b"in\n"), "root$")
    refused(root, state, FileChange(path, None, b"in\n"), "root$|exists already$")
    assert (tmp_path / "out.py").read_bytes() == b"out\n"


def test_two_names_of_one_file_are_refused(root: Path, state: Path) -> None:
    """Which of the two texts should win?"""
    commit(root, [FileChange("link.py", OLD["link.py"], b"1\n")], state)
    both = [FileChange("link.py", b"1\n", b"2\n"), FileChange("pkg/target.py", b"1\n", b"3\n")]
    with pytest.raises(WriteError, match="under another name"):
        commit(root, both, state)
    assert (root / "link.py").read_bytes() == b"1\n"


def test_hard_links_given_different_texts_are_refused(root: Path, state: Path) -> None:
    """They are one file, and it gets its old text back."""
    before = snapshot(root)
    both = [FileChange("hard.py", OLD["hard.py"], b"1\n"), FileChange("hard2.py", OLD["hard2.py"], b"2\n")]
    with pytest.raises(WriteError, match=r"^hard2\.py: changed while asyncfix was writing$"):
        commit(root, both, state)
    assert snapshot(root) == before
    assert leftovers(state) == set()


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop"])
def test_what_is_no_file_is_refused(root: Path, state: Path, kind: str) -> None:
    """Nothing is opened that could block."""
    odd = root / "odd.py"
    if kind == "folder":
        odd.mkdir()
    elif kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to("odd.py")
    with pytest.raises(WriteError, match=r"^odd\.py: not a regular file$"):
        commit(root, [FileChange("odd.py", b"", b"x")], state)


def test_a_name_cannot_break_the_line_of_the_error(root: Path, state: Path) -> None:
    """Control characters are shown, not sent to the terminal."""
    with pytest.raises(WriteError) as caught:
        commit(root, [FileChange("a\n::error::\x1b[2J.py", b"a", b"b")], state)
    assert str(caught.value) == "a\\n::error::\\x1b[2J.py: is gone"


def test_a_name_that_is_not_unicode_is_refused(root: Path, state: Path) -> None:
    """The journal could not name it."""
    refused(root, state, FileChange("\udce9.py", None, b"x"), "not valid Unicode")


def test_an_edit_saved_during_the_run_survives_and_the_run_is_rolled_back(
    root: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last file is saved by someone else while the first ones are already swapped."""
    before = snapshot(root)
    really = os.replace

    def replace(source: Any, target: Any) -> None:
        really(source, target)
        if Path(target).name == "plain.py":
            (root / "latin.py").write_bytes(b"mine\n")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        with pytest.raises(WriteError, match=r"^latin\.py: changed while asyncfix was writing$"):
            commit(root, CHANGES, state)
    assert (root / "latin.py").read_bytes() == b"mine\n"
    (root / "latin.py").write_bytes(OLD["latin.py"] or b"")
    assert snapshot(root) == before
    assert leftovers(state) == set()


def test_a_second_run_at_the_same_time_is_refused(root: Path, state: Path) -> None:
    """Whatever it wants to do; afterwards it may."""
    commit(root, CHANGES, state)
    with (state / "lock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for run in (lambda: commit(root, CHANGES, state), lambda: undo(root, state), lambda: recover(root, state)):
            with pytest.raises(WriteError, match="another asyncfix run"):
                run()
    undo(root, state)


# ----------------------------------------------------------------------------------------------------- the state folder


def test_the_state_folder_is_one_for_each_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under whatever name the root is reached."""
    monkeypatch.setenv("ASYNCFIX_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "one").mkdir()
    (tmp_path / "alias").symlink_to("one")
    one = state_folder(tmp_path / "one")
    assert one.parent == (tmp_path / "state").resolve()
    assert state_folder(tmp_path / "alias") == one
    assert state_folder(tmp_path / "two") != one
    assert not one.exists()


def test_the_state_folder_is_the_users_own_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system keeps the state of programs."""
    monkeypatch.delenv("ASYNCFIX_STATE_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert tmp_path.resolve() in state_folder(tmp_path / "root").parents


def test_the_state_folder_is_never_inside_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project could bring its own journal."""
    monkeypatch.setenv("ASYNCFIX_STATE_DIR", str(tmp_path / "root" / "state"))
    with pytest.raises(WriteError, match="ASYNCFIX_STATE_DIR"):
        state_folder(tmp_path / "root")


def test_the_state_is_readable_by_its_user_only(root: Path, state: Path) -> None:
    """It holds source text."""
    commit(root, CHANGES, state)
    assert [stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (state, *state.iterdir())] == [0, 0, 0]


@pytest.mark.parametrize("damage", ["cut", "flip", "pickle", "empty"])
def test_a_damaged_undo_record_is_refused_and_kept(root: Path, state: Path, damage: str) -> None:
    """The error names it; the tree stays as it is."""
    commit(root, CHANGES, state)
    record = state / "last-run"
    sound = record.read_bytes()
    middle = len(sound) // 2
    flipped = sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :]
    bad = {"cut": sound[:-5], "flip": flipped, "pickle": b"\x80\x04cos\nsystem\n.", "empty": b""}[damage]
    record.write_bytes(bad)
    before = snapshot(root)
    runs: tuple[Callable[[], object], ...] = (
        lambda: undo(root, state),
        lambda: last_written(root, state),
        lambda: commit(root, [FileChange("plain.py", NEW["plain.py"], b"x\n")], state),
    )
    for run in runs:
        with pytest.raises(WriteError, match="last-run: damaged"):
            run()
    assert (snapshot(root), record.read_bytes()) == (before, bad)


def test_a_damaged_journal_is_refused_and_kept(root: Path, state: Path) -> None:
    """It may be all that is left of the old bytes."""
    state.mkdir(parents=True)
    (state / "journal").write_bytes(b"torn")
    assert pending(root, state)
    with pytest.raises(WriteError, match="journal: damaged"):
        recover(root, state)
    with pytest.raises(WriteError, match="restored first"):
        commit(root, CHANGES, state)
    assert (state / "journal").read_bytes() == b"torn"


def test_the_record_of_another_root_is_refused(root: Path, state: Path, tmp_path: Path) -> None:
    """A state folder was copied."""
    commit(root, CHANGES, state)
    other = tmp_path / "other"
    shutil.copytree(root, other, symlinks=True)
    with pytest.raises(WriteError, match="last-run: of another version or root"):
        undo(other, state)


@pytest.mark.parametrize("field", ["real", "token"])
def test_a_forged_journal_cannot_lead_out_of_the_root(root: Path, state: Path, tmp_path: Path, field: str) -> None:
    """Neither the file nor its temporary name, even with a digest that fits."""
    outside = tmp_path / "out.py"
    outside.write_bytes(b"new")
    kill(lambda: commit(root, CHANGES, state), at="replace", nth=4)
    journal = state / "journal"
    sealed: dict[str, bytes] = msgspec.msgpack.decode(journal.read_bytes())
    record: dict[str, Any] = msgspec.msgpack.decode(sealed["record"])
    for entry in record["entries"]:
        entry[field] = {"real": "../out.py", "token": "../../out"}[field]
        entry["new"] = b"new"
    forged = msgspec.msgpack.encode(record)
    journal.write_bytes(msgspec.msgpack.encode({"digest": hashlib.sha256(forged).digest(), "record": forged}))
    with pytest.raises(WriteError):
        recover(root, state)
    assert outside.read_bytes() == b"new"


# ------------------------------------------------------------------------------------------------------ fault injection
# Every function through which the code reaches the system is replaced, in a forked child, by one that counts, and
# that at the chosen count fails, is interrupted, or kills the child. Syncing counts but does nothing, to be quick.

CALLS = (
    *("open", "read", "write", "close", "fsync", "ftruncate", "replace", "unlink", "mkdir"),
    *("stat", "lstat", "readlink", "access", "chmod", "chown", "listxattr", "getxattr", "setxattr", "flock"),
)
# Being killed before a call that changes nothing is being killed before the next one that does.
CHANGING = ("open", "write", "close", "fsync", "ftruncate", "replace", "unlink", "mkdir", "chmod", "chown", "setxattr")
DONE, REFUSED, INTERRUPTED, BROKEN, KILLED, NOT_REACHED = range(6)


class Fault:
    """What happens at the `nth` of the calls `only`: ``fail``, ``interrupt``, ``kill``, or ``tear`` (half a write, then
    kill). The links of the path down to `folder` are looked up again and again, and not counted."""

    def __init__(self, kind: str, nth: int, only: Collection[str] = CALLS, folder: Path | None = None) -> None:
        self.kind, self.left, self.only = kind, nth, only
        self.above = [] if folder is None else [str(path) for path in (folder, *folder.parents)]

    def wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            counts = name in self.only and not (name == "lstat" and arguments[0] in self.above)
            self.left -= counts
            if counts and self.left == 0:
                self.happen(name, real, arguments, options)
            return None if name == "fsync" else real(*arguments, **options)

        return call

    def happen(self, name: str, real: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        if self.kind == "tear":
            real(arguments[0], arguments[1][: len(arguments[1]) // 2])
        if self.kind in ("kill", "tear"):
            os._exit(KILLED)
        if name == "close" or (self.kind == "interrupt" and name != "fsync"):
            # A close that fails has closed; and Python delivers a signal when the call is over, however it ended.
            with suppress(OSError):
                real(*arguments, **options)
        raise KeyboardInterrupt if self.kind == "interrupt" else OSError(errno.EIO, "injected")


def in_child(run: Callable[[], object], fault: Fault) -> int:
    """Run in a fork with every system call going through `fault`; how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for owner, name in [(os, name) for name in CALLS if hasattr(os, name)] + [(fcntl, "flock")]:
        setattr(owner, name, fault.wrap(name, getattr(owner, name)))
    ended = BROKEN
    try:
        run()
        ended = DONE if fault.left <= 0 else NOT_REACHED
    except WriteError as error:
        ended = REFUSED if len(str(error).splitlines()) == 1 else BROKEN
    except KeyboardInterrupt:
        ended = INTERRUPTED
    except OSError:
        traceback.print_exc()
    finally:
        os._exit(ended)  # pytest must not run on in the child


def kill(run: Callable[[], object], at: str, nth: int) -> None:
    """Run in a child that dies just before its `nth` call of `at`."""
    assert in_child(run, Fault("kill", nth, (at,))) == KILLED


def each_fault(
    kind: str, folder: Path, prepare: Callable[[Path, Path], object], run: Callable[[Path, Path], object]
) -> Iterator[tuple[int, Path, Path]]:
    """A fresh tree and state for a fault at the first call of `run`, at the second, and so on: how each ended."""
    root, state = folder / "r", folder / "s"
    only = {"kill": CHANGING, "tear": ("write",)}.get(kind, CALLS)
    for nth in count(1):
        make_tree(root)
        prepare(root, state)
        ended = in_child(lambda: run(root, state), Fault(kind, nth, only, folder))
        if ended == NOT_REACHED:
            return
        assert ended in {"fail": (REFUSED, DONE), "interrupt": (INTERRUPTED,)}.get(kind, (KILLED,)), (kind, nth)
        yield ended, root, state
        shutil.rmtree(root)
        shutil.rmtree(state, ignore_errors=True)


def nothing(root: Path, state: Path) -> None:
    """No preparation."""


def write_all(root: Path, state: Path) -> None:
    commit(root, CHANGES, state)


def snapshots(folder: Path) -> tuple[dict[str, tuple[object, ...]], dict[str, tuple[object, ...]]]:
    """The tree before and after an undisturbed run."""
    make_tree(folder / "model")
    before = snapshot(folder / "model")
    commit(folder / "model", CHANGES, folder / "model-state")
    return before, snapshot(folder / "model")


KINDS = pytest.mark.parametrize("kind", ["fail", "interrupt", "kill", "tear"])
WROTE = {path: sha(data) for path, data in NEW.items()}


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In memory where the system has such a folder, and without waiting for a disk: thousands of trees are made."""

    def sync_nothing(descriptor: int) -> None:
        """Done."""

    monkeypatch.setattr(os, "fsync", sync_nothing)
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made).resolve()


@KINDS
def test_a_fault_at_any_call_of_commit_leaves_all_old_or_all_new(folder: Path, kind: str) -> None:
    """Without a kill at once, after one with recover; either way the next command works as ever."""
    before, after = snapshots(folder)
    seen: list[bool] = []
    for ended, root, state in each_fault(kind, folder, nothing, write_all):
        if ended == KILLED:
            recover(root, state)
        done = last_written(root, state) == WROTE
        assert snapshot(root) == (after if done else before)
        assert (leftovers(state), pending(root, state)) == (set(), False)
        assert done or (ended != DONE and last_written(root, state) == {})
        if done:
            undo(root, state)
        else:
            commit(root, CHANGES, state)
        assert snapshot(root) == (before if done else after)
        seen.append(done)
    assert len(seen) > (5 if kind == "tear" else 50)
    assert set(seen) == ({False} if kind == "tear" else {False, True})


@KINDS
def test_a_fault_at_any_call_of_undo_leaves_all_new_or_all_old(folder: Path, kind: str) -> None:
    """And undo can be asked again exactly if it was not done."""
    before, after = snapshots(folder)
    seen: list[bool] = []
    for ended, root, state in each_fault(kind, folder, write_all, undo):
        if ended == KILLED:
            recover(root, state)
        done = last_written(root, state) == {}
        assert snapshot(root) == (before if done else after)
        assert (leftovers(state), pending(root, state)) == (set(), False)
        assert done or ended != DONE
        if done:
            with pytest.raises(WriteError, match="nothing to undo"):
                undo(root, state)
        else:
            undo(root, state)
        assert snapshot(root) == before
        seen.append(done)
    assert len(seen) > (5 if kind == "tear" else 50)
    assert set(seen) == ({False} if kind == "tear" else {False, True})


@KINDS
def test_a_fault_at_any_call_of_recover_is_mended_by_the_next_recover(folder: Path, kind: str) -> None:
    """The run had been killed with everything swapped, just before the point of no return."""

    def crash(root: Path, state: Path) -> None:
        kill(lambda: commit(root, CHANGES, state), at="replace", nth=8)
        assert pending(root, state)

    before, _ = snapshots(folder)
    seen: set[bool] = set()
    for _, root, state in each_fault(kind, folder, crash, recover):
        seen.add(pending(root, state))
        recover(root, state)
        assert snapshot(root) == before
        assert (leftovers(state), pending(root, state), last_written(root, state)) == (set(), False, {})
    assert seen == ({True} if kind == "tear" else {False, True})


def test_recover_names_what_it_restored(root: Path, state: Path) -> None:
    """The journal is written, two files are rewritten in place, two are swapped, then the process dies."""
    before = snapshot(root)
    kill(lambda: commit(root, CHANGES, state), at="replace", nth=4)
    assert pending(root, state)
    assert sorted(recover(root, state)) == ["crlf.py", "hard.py", "hard2.py", "plain.py"]
    assert snapshot(root) == before
    assert recover(root, state) == ()


def test_commit_and_undo_wait_for_recover(root: Path, state: Path) -> None:
    """Neither writes over a tree that is half old, half new."""
    kill(lambda: commit(root, CHANGES, state), at="replace", nth=4)
    half = snapshot(root)
    with pytest.raises(WriteError, match="restored first"):
        commit(root, [FileChange("latin.py", OLD["latin.py"], b"x")], state)
    with pytest.raises(WriteError, match="restored first"):
        undo(root, state)
    assert snapshot(root) == half


@pytest.mark.parametrize("path", ["plain.py", "hard.py", "latin.py"])
def test_recover_does_not_overwrite_an_edit_made_after_the_crash(root: Path, state: Path, path: str) -> None:
    """It restores nothing, keeps the journal, and says how to go on."""
    before = snapshot(root)
    kill(lambda: commit(root, CHANGES, state), at="replace", nth=4)
    crashed = (root / path).read_bytes()
    (root / path).write_bytes(b"mine, and of quite another length than either of the two texts\n")
    with pytest.raises(WriteError, match=f"^{path}: changed after a run was interrupted; .* delete {state}/journal"):
        recover(root, state)
    assert (root / path).read_bytes().startswith(b"mine")
    (root / path).write_bytes(crashed)
    recover(root, state)
    assert snapshot(root) == before
