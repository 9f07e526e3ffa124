"""Git is asked what is committed, and nothing that the repository configures is ever run."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from pathlib import Path

import pytest

from asyncfix.vcs import dirty, git_root, tracked_though_ignored


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no configuration of the machine."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with a.py, pkg/b.py and an odd name committed."""
    root = tmp_path / "repo"
    (root / "pkg").mkdir(parents=True)
    (root / "a.py").write_bytes(b"a = 1\n")
    (root / "pkg" / "b.py").write_bytes(b"b = 1\n")
    (root / "pkg" / "\u00fc [x] *.py").write_bytes(b"c = 1\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


def ask(repo: Path, *names: str, clean: dict[str, str] | None = None) -> tuple[str, ...] | None:
    return dirty(repo, [repo / name for name in names], clean or {})


def plant(path: Path, canary: Path) -> None:
    """An executable at `path` that leaves `canary` behind when it is run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch '{canary}'\nexit 1\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


# ---------------------------------------------------------------------------------------------------------- where it is


def test_git_root_is_the_nearest_folder_with_a_git_folder_or_file(repo: Path) -> None:
    """A worktree or submodule, whose .git is a file, is a root of its own."""
    inner = repo / "pkg" / "inner"
    inner.mkdir()
    assert git_root(repo / "pkg" / "b.py") == repo.resolve()
    assert git_root(inner) == repo.resolve()
    (inner / ".git").write_text("gitdir: elsewhere\n")
    assert git_root(inner / "deeper" / "x.py") == inner.resolve()


def test_no_git_root_outside_of_a_repository(tmp_path: Path) -> None:
    """A folder without .git above it has none."""
    assert git_root(tmp_path) is None


# ------------------------------------------------------------------------------------------------------ what is tracked


def test_a_tracked_file_that_a_pattern_ignores(repo: Path) -> None:
    """Also in an ignored folder, and whatever its name; not one that is only in the working tree."""
    (repo / ".gitignore").write_text("/pkg/\na.*\n")
    (repo / "pkg" / "new.py").write_bytes(b"")
    assert tracked_though_ignored(repo) == {"a.py", "pkg/b.py", "pkg/\u00fc [x] *.py"}


def test_nothing_is_known_to_be_tracked_without_git(tmp_path: Path) -> None:
    """Neither without a repository nor in a broken one."""
    assert tracked_though_ignored(tmp_path) == frozenset()
    (tmp_path / ".git").mkdir()
    assert tracked_though_ignored(tmp_path) == frozenset()


# -------------------------------------------------------------------------------------------------------- what is dirty


def test_committed_files_are_clean(repo: Path) -> None:
    """Odd names included, and names that look like patterns."""
    assert ask(repo, "a.py", "pkg/b.py", "pkg/\u00fc [x] *.py") == ()


def test_only_the_files_in_question_count(repo: Path) -> None:
    """A change elsewhere does not matter."""
    (repo / "a.py").write_bytes(b"a = 2\n")
    assert ask(repo, "pkg/b.py") == ()


def test_modified_staged_untracked_and_deleted_files_are_dirty(repo: Path) -> None:
    """Each kind of uncommitted change is named, sorted."""
    for name in ("s.py", "t.py"):
        (repo / name).write_bytes(b"x = 1\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "second")
    (repo / "a.py").write_bytes(b"a = 2\n")
    (repo / "s.py").write_bytes(b"x = 2\n")
    git(repo, "add", "s.py")
    (repo / "t.py").unlink()
    (repo / "u.py").write_bytes(b"u = 1\n")
    assert ask(repo, "u.py", "t.py", "s.py", "pkg/b.py", "a.py") == ("a.py", "s.py", "t.py", "u.py")


def test_a_staged_change_whose_working_file_was_put_back_is_dirty(repo: Path) -> None:
    """The index holds something that neither the commit nor the file has."""
    (repo / "a.py").write_bytes(b"a = 2\n")
    git(repo, "add", "a.py")
    (repo / "a.py").write_bytes(b"a = 1\n")
    assert ask(repo, "a.py") == ("a.py",)


def test_a_file_removed_from_the_index_only_is_dirty(repo: Path) -> None:
    """It is untracked now, whatever the commit holds."""
    git(repo, "rm", "-q", "--cached", "a.py")
    assert ask(repo, "a.py") == ("a.py",)


def test_an_ignored_file_is_dirty(repo: Path) -> None:
    """Git holds nothing of it to come back to."""
    (repo / ".gitignore").write_text("i.py\n")
    (repo / "i.py").write_bytes(b"i = 1\n")
    assert ask(repo, "i.py") == ("i.py",)


def test_same_size_and_same_times_do_not_hide_a_change(repo: Path) -> None:
    """The content is compared, not only what the index remembers of the file."""
    file = repo / "a.py"
    before = file.stat()
    file.write_bytes(b"a = 9\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ask(repo, "a.py") == ("a.py",)


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_flag_in_the_index_does_not_hide_a_change(repo: Path, flag: str) -> None:
    """Git is told not to look; we do."""
    git(repo, "update-index", flag, "a.py")
    (repo / "a.py").write_bytes(b"a = 2\n")
    assert ask(repo, "a.py") == ("a.py",)


def test_a_touched_file_is_clean(repo: Path) -> None:
    """Same bytes, other times."""
    os.utime(repo / "a.py", (1, 1))
    assert ask(repo, "a.py") == ()


def test_a_file_that_does_not_exist_yet_is_clean(repo: Path) -> None:
    """A run may create it."""
    assert ask(repo, "_asyncfix.py") == ()


def test_a_conflict_is_dirty(repo: Path) -> None:
    """The index holds several versions."""
    git(repo, "checkout", "-q", "-b", "other")
    (repo / "a.py").write_bytes(b"a = 2\n")
    git(repo, "commit", "-q", "-am", "two")
    git(repo, "checkout", "-q", "-")
    (repo / "a.py").write_bytes(b"a = 3\n")
    git(repo, "commit", "-q", "-am", "three")
    merged = subprocess.run(["git", "merge", "other"], cwd=repo, capture_output=True, check=False, timeout=30)
    assert merged.returncode == 1
    assert ask(repo, "a.py") == ("a.py",)


def test_without_a_commit_everything_is_dirty(tmp_path: Path) -> None:
    """Staged or not, there is nothing to go back to."""
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_bytes(b"")
    (tmp_path / "b.py").write_bytes(b"")
    assert ask(tmp_path, "a.py", "b.py") == ("a.py", "b.py")
    git(tmp_path, "add", "a.py")
    assert ask(tmp_path, "a.py", "b.py") == ("a.py", "b.py")


def test_what_the_last_apply_wrote_is_clean(repo: Path) -> None:
    """Modified and created files alike, as long as they have exactly those bytes."""
    (repo / "a.py").write_bytes(b"a = 2\n")
    (repo / "n.py").write_bytes(b"n = 1\n")
    wrote = {"a.py": hashlib.sha256(b"a = 2\n").hexdigest(), "n.py": hashlib.sha256(b"n = 1\n").hexdigest()}
    assert ask(repo, "a.py", "n.py", clean=wrote) == ()
    (repo / "n.py").write_bytes(b"n = 2\n")
    assert ask(repo, "a.py", "n.py", clean=wrote) == ("n.py",)


def test_more_files_than_go_into_one_command(repo: Path) -> None:
    """They are asked for in several."""
    names = [f"m{number:03}.py" for number in range(250)]
    for name in names:
        (repo / name).write_bytes(name.encode())
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "many")
    (repo / "m111.py").write_bytes(b"")
    assert ask(repo, *names) == ("m111.py",)


def test_a_link_is_as_clean_as_the_file_it_leads_to(repo: Path) -> None:
    """That is the file which would be written."""
    (repo / "l.py").symlink_to("a.py")
    git(repo, "add", "l.py")
    git(repo, "commit", "-q", "-m", "link")
    assert ask(repo, "l.py") == ()
    (repo / "a.py").write_bytes(b"a = 2\n")
    assert ask(repo, "l.py") == ("l.py",)


def test_a_link_out_of_the_repository_is_dirty(repo: Path, tmp_path: Path) -> None:
    """Git holds the link, not the file."""
    (tmp_path / "out.py").write_bytes(b"")
    (repo / "l.py").symlink_to(tmp_path / "out.py")
    git(repo, "add", "l.py")
    git(repo, "commit", "-q", "-m", "link")
    assert ask(repo, "l.py") == ("l.py",)


def test_a_linked_worktree_has_its_own_index(repo: Path, tmp_path: Path) -> None:
    """Its .git is a file."""
    other = tmp_path / "other"
    git(repo, "worktree", "add", "-q", str(other))
    assert git_root(other / "a.py") == other.resolve()
    assert ask(other, "a.py") == ()
    (other / "a.py").write_bytes(b"a = 2\n")
    assert (ask(other, "a.py"), ask(repo, "a.py")) == (("a.py",), ())


def test_a_repository_with_sha256_names(tmp_path: Path) -> None:
    """Blobs are named with the hash of the repository."""
    git(tmp_path, "init", "-q", "--object-format=sha256")
    (tmp_path / "a.py").write_bytes(b"a = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    assert ask(tmp_path, "a.py") == ()
    (tmp_path / "a.py").write_bytes(b"a = 2\n")
    assert ask(tmp_path, "a.py") == ("a.py",)


# --------------------------------------------------------------------------------------------------- line ends, filters


@pytest.mark.parametrize("how", ["autocrlf", "attribute"])
def test_line_ends_that_git_converts_do_not_count(repo: Path, how: str) -> None:
    """The blob has LF, the file CRLF, and the index knows the file."""
    if how == "autocrlf":
        git(repo, "config", "core.autocrlf", "true")
    else:
        (repo / ".gitattributes").write_text("*.py text=auto eol=crlf\n")
    (repo / "a.py").write_bytes(b"a = 1\r\nb = 2\r\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "second")
    assert ask(repo, "a.py") == ()
    (repo / "a.py").write_bytes(b"a = 1\r\nb = 3\r\n")
    assert ask(repo, "a.py") == ("a.py",)


def test_line_ends_that_a_person_changed_count(repo: Path) -> None:
    """Nothing converts them here."""
    (repo / "a.py").write_bytes(b"a = 1\r\n")
    assert ask(repo, "a.py") == ("a.py",)


def test_a_filtered_file_is_clean_while_untouched(repo: Path) -> None:
    """Only the index can say so without running the filter, and only of a file older than itself."""
    git(repo, "config", "filter.upper.clean", "tr a-z A-Z")
    (repo / ".gitattributes").write_text("a.py filter=upper\n")
    (repo / "a.py").write_bytes(b"a = 5\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "filtered")
    younger = max((repo / "a.py").stat().st_mtime, (repo / "a.py").stat().st_ctime) + 10
    os.utime(repo / ".git" / "index", (younger, younger))
    assert ask(repo, "a.py") == ()
    before = (repo / "a.py").stat()
    (repo / "a.py").write_bytes(b"a = 6\n")
    os.utime(repo / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ask(repo, "a.py") == ("a.py",)


# --------------------------------------------------------------------------------------------------- nothing may be run


def test_nothing_the_repository_configures_is_run(repo: Path, tmp_path: Path) -> None:
    """fsmonitor, clean and smudge filters, textconv, hooks, pager, aliases and remotes are all planted; none runs.

    The same repository is then given to ``git status``, to show that the canaries would have sung.
    """
    canary, program = tmp_path / "sang", tmp_path / "canary"
    plant(program, canary)
    (repo / ".gitattributes").write_text("*.py filter=bad diff=bad\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "attributes")
    hooks = repo / ".git" / "hooks"
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction", "pre-auto-gc"):
        plant(hooks / hook, canary)
    settings = ("core.fsmonitor", "filter.bad.clean", "filter.bad.smudge", "filter.bad.process", "diff.bad.textconv")
    programs = ("core.pager", "pager.ls-files", "core.sshCommand", "core.gitProxy", "core.editor", "diff.external")
    for setting in (*settings, *programs):
        git(repo, "config", setting, str(program))
    git(repo, "config", "core.hooksPath", str(hooks))
    git(repo, "config", "alias.ls-files", f"!{program}")
    os.utime(repo / "a.py", (1, 1))
    (repo / "pkg" / "b.py").write_bytes(b"b = 2\n")
    canary.unlink(missing_ok=True)
    assert ask(repo, "a.py", "pkg/b.py", "new.py") == ("pkg/b.py",)
    assert not canary.exists()
    subprocess.run(["git", "status"], cwd=repo, capture_output=True, check=False, timeout=30)
    assert canary.exists()


def test_missing_objects_are_not_fetched(repo: Path, tmp_path: Path) -> None:
    """A partial clone names a remote that would run a program; its files are dirty instead."""
    canary, program = tmp_path / "sang", tmp_path / "canary"
    plant(program, canary)
    tree = subprocess.run(["git", "rev-parse", "HEAD^{tree}"], cwd=repo, capture_output=True, check=True, text=True)
    name = tree.stdout.strip()
    (repo / ".git" / "objects" / name[:2] / name[2:]).unlink()
    for setting, value in (
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", f"ext::{program}"),
        ("protocol.ext.allow", "always"),
    ):
        git(repo, "config", setting, value)
    assert ask(repo, "a.py") == ("a.py",)
    assert not canary.exists()
    subprocess.run(["git", "ls-tree", "HEAD"], cwd=repo, capture_output=True, check=False, timeout=30)
    assert canary.exists()


@pytest.mark.parametrize("entry", ["", ".", "bin", "{repo}/bin", "{repo}"])
def test_a_git_in_the_project_or_the_current_folder_is_not_run(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    """Neither by a relative entry of PATH nor by one inside the repository."""
    canary = tmp_path / "sang"
    plant(repo / "git", canary)
    plant(repo / "bin" / "git", canary)
    monkeypatch.chdir(repo)
    monkeypatch.setenv("PATH", entry.format(repo=repo) + os.pathsep + os.environ["PATH"])
    assert ask(repo, "a.py") == ()
    assert not canary.exists()


def test_the_current_folder_is_left_out_even_by_its_full_name(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be outside the repository."""
    canary = tmp_path / "sang"
    plant(tmp_path / "here" / "git", canary)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PATH", str(tmp_path / "here") + os.pathsep + os.environ["PATH"])
    assert ask(repo, "a.py") == ()
    assert not canary.exists()


def test_variables_that_lead_git_elsewhere_are_dropped(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As git sets them for its hooks."""
    git(tmp_path, "init", "-q", "elsewhere")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
    assert ask(repo, "a.py") == ()


def test_another_working_tree_in_the_configuration_is_ignored(repo: Path, tmp_path: Path) -> None:
    """The repository says its files are elsewhere; they are not."""
    git(repo, "config", "core.worktree", str(tmp_path))
    assert ask(repo, "a.py") == ()
    (repo / "a.py").write_bytes(b"a = 2\n")
    assert ask(repo, "a.py") == ("a.py",)


# ------------------------------------------------------------------------------------------------------------ no answer


def test_no_git_program_is_no_answer(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git nobody knows."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask(repo, "a.py") is None


def test_a_broken_repository_is_no_answer_even_inside_another(repo: Path) -> None:
    """The one above is not asked in its place."""
    (repo / "pkg" / ".git").mkdir()
    assert ask(repo / "pkg", "b.py") is None


def test_no_files_are_clean_without_asking(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is in question."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask(repo) == ()
