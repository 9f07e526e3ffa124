"""Which files are found, what of them may be edited, and what is left out."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from asyncfix.discover import Discovery, PathError, SourceFile, discover, find_root, is_generated, read
from asyncfix.model import Skipped

as_root = hasattr(os, "geteuid") and os.geteuid() == 0
ODD_NAMES = pytest.mark.skipif(os.name == "nt", reason="such names cannot exist")


def plant(root: Path, *paths: str, text: str = "x = 1\n") -> None:
    """Make files with their folders; a path that ends in a slash is a folder."""
    for path in paths:
        target = root / path
        if path.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


def found(discovery: Discovery) -> list[str]:
    """The paths that are read."""
    return [file.path for file in discovery.files]


def editable(discovery: Discovery) -> list[str]:
    """The Python files that may be edited."""
    return [file.path for file in discovery.files if file.editable and file.kind == "python"]


# ------------------------------------------------------------------------------------------------------------ the root


def test_the_root_is_the_nearest_git_folder(tmp_path: Path) -> None:
    """Upwards from the common folder of the paths, past any pyproject.toml."""
    plant(tmp_path, ".git/", "a/pyproject.toml", "a/b/x.py", "a/c/y.py")
    assert find_root([tmp_path / "a/b/x.py"]) == tmp_path.resolve()
    assert find_root([tmp_path / "a/b", tmp_path / "a/c/y.py"]) == tmp_path.resolve()


def test_a_git_file_marks_a_root_too(tmp_path: Path) -> None:
    """Worktrees and submodules have one."""
    plant(tmp_path, ".git/", "sub/.git", "sub/x.py")
    assert find_root([tmp_path / "sub"]) == (tmp_path / "sub").resolve()


@pytest.mark.parametrize("marker", ["pyproject.toml", "setup.py", "setup.cfg"])
def test_without_git_a_project_file_marks_the_root(tmp_path: Path, marker: str) -> None:
    """The nearest one."""
    plant(tmp_path, marker, f"a/{marker}", "a/b/c/x.py")
    assert find_root([tmp_path / "a/b/c"]) == (tmp_path / "a").resolve()


def test_without_any_marker_the_common_folder_is_the_root(tmp_path: Path) -> None:
    """Of a file, the folder that it lies in."""
    plant(tmp_path, "a/x.py", "b/y.py")
    assert find_root([tmp_path / "a/x.py"]) == (tmp_path / "a").resolve()
    assert find_root([tmp_path / "a/x.py", tmp_path / "b"]) == tmp_path.resolve()


def test_no_paths_mean_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As do relative ones."""
    plant(tmp_path, "setup.py", "a/x.py")
    monkeypatch.chdir(tmp_path / "a")
    assert find_root([]) == find_root([Path()]) == find_root([Path("x.py")]) == tmp_path.resolve()


def test_a_root_reached_through_a_link_is_the_real_one(tmp_path: Path) -> None:
    """Of a linked file, the folder that the link lies in."""
    plant(tmp_path, "real/.git/", "real/x.py", "other/y.py")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/y.py").symlink_to("../other/y.py")
    assert find_root([tmp_path / "link"]) == find_root([tmp_path / "real/y.py"]) == (tmp_path / "real").resolve()


@pytest.mark.parametrize("name", ["missing.py", "a\nb.py", "broken", "loop", "x\0y"])
def test_a_missing_path_is_an_error_on_one_line(tmp_path: Path, name: str) -> None:
    """A link to nothing too, in both functions."""
    (tmp_path / "broken").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(PathError) as one:
        find_root([tmp_path / name])
    with pytest.raises(PathError) as other:
        discover([tmp_path / name], tmp_path, [])
    assert str(one.value) == str(other.value)
    assert "\n" not in str(one.value)
    assert str(one.value).startswith(str(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_is_no_path(tmp_path: Path) -> None:
    """Opening it would wait for ever; as part of a folder it is passed over."""
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(PathError, match="neither a file nor a folder"):
        discover([tmp_path / "pipe.py"], tmp_path, [])
    assert found(discover([tmp_path], tmp_path, [])) == []


# ---------------------------------------------------------------------------------------------------------------- kinds


def test_what_is_read_as_what(tmp_path: Path) -> None:
    """Python, templates, data; stubs, documentation and everything else are not read."""
    python = ["a.py", "docs/conf.py", "w.pyw"]
    templates = ["b.html", "b.j2", "b.jinja", "b.jinja2", "b.tmpl", "c.djhtml", "p/templates/q/mail.txt"]
    data = [
        ".env",
        "Dockerfile",
        "Procfile",
        "a.cfg",
        "a.ini",
        "a.json",
        "a.sh",
        "a.toml",
        "a.yaml",
        "a.yml",
        "prod.env",
    ]
    other = [
        "a.pyi",
        "README.md",
        "a.rst",
        "notes.txt",
        "docs/a.html",
        "docs/deep/a.toml",
        "script",
        "a.so",
        "templates.txt",
    ]
    data += ["Pipfile", "requirements-dev.txt", "requirements/base.txt"]
    plant(tmp_path, *python, *templates, *data, *other)
    files = discover([tmp_path], tmp_path, []).files
    assert sorted(file.path for file in files) == [file.path for file in files]
    assert [file.path for file in files if file.kind == "python"] == python
    assert [file.path for file in files if file.kind == "template"] == templates
    assert [file.path for file in files if file.kind == "data"] == sorted(data)


def test_sizes(tmp_path: Path) -> None:
    """A Python file that is too large is read as text, and said to be; large data is not read at all."""
    plant(tmp_path, "large.py", text="x" * 2_000_001)
    plant(tmp_path, "fits.py", text="x" * 2_000_000)
    plant(tmp_path, "large.json", text="x" * 1_000_001)
    plant(tmp_path, "fits.json", text="x" * 1_000_000)
    discovery = discover([tmp_path], tmp_path, [])
    assert discovery.files == (
        SourceFile("fits.json", 1_000_000, "data", editable=True),
        SourceFile("fits.py", 2_000_000, "python", editable=True),
        SourceFile("large.py", 2_000_001, "python", editable=False, as_text="larger than 2 MB"),
    )
    assert discovery.skipped == (Skipped("large.py", "larger than 2 MB"),)
    assert discovery.ignored == {"larger than 1 MB": 1}


def test_a_huge_file_is_not_even_text(tmp_path: Path) -> None:
    """A stated rule, so no failure."""
    plant(tmp_path, "huge.py")
    os.truncate(tmp_path / "huge.py", 64_000_001)
    discovery = discover([tmp_path / "huge.py"], tmp_path, [])
    assert discovery.files == ()
    assert discovery.skipped == (Skipped("huge.py", "larger than 2 MB"),)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"# @generated by protoc\n", True),
        (b"#!/usr/bin/python\n\n\n\n# x @generated\n", True),
        (b"\n\n\n\n\n# @generated\n", False),
        (b"# @generatedly\n", False),
        (b"", False),
        (b"\xff\xfe@generated", True),
    ],
)
def test_generated(data: bytes, expected: bool) -> None:
    """In the first five lines only."""
    assert is_generated(data) == expected


# ----------------------------------------------------------------------------------------------------- what is left out


def test_default_excludes_are_not_entered(tmp_path: Path) -> None:
    """Wherever they lie; virtual environments go by what is in them."""
    out = [".git", ".hg", ".svn", ".tox", ".nox", ".venv", ".eggs", "__pycache__", ".mypy_cache", ".ruff_cache"]
    out += [".pytest_cache", "node_modules", "site-packages", "build", "dist", "p/__pycache__", "q/node_modules"]
    plant(tmp_path, *(f"{folder}/x.py" for folder in out))
    plant(tmp_path, "venv/x.py", "env/pyvenv.cfg", "env/bin/x.py", "venv2/lib/x.py", "venv2/pyvenv.cfg", "p/x.py")
    discovery = discover([tmp_path], tmp_path, [])
    assert found(discovery) == ["p/x.py", "venv/x.py"]
    assert discovery.ignored == {"default exclude": len(out) + 2}


def test_the_root_itself_is_always_read(tmp_path: Path) -> None:
    """Some people make the virtual environment in place; a checkout may be called build."""
    plant(tmp_path, "build/pyvenv.cfg", "build/a.py", "build/lib/site-packages/b.py")
    assert editable(discover([tmp_path / "build"], tmp_path / "build", [])) == ["a.py"]


def test_a_package_called_build_is_read(tmp_path: Path) -> None:
    """Or a folder of that name inside a package, at any depth; not one beside it."""
    plant(tmp_path, "build/__init__.py", "pkg/__init__.py", "pkg/build/x.py", "pkg/data/dist/y.py", "src/build/z.py")
    assert found(discover([tmp_path], tmp_path, [])) == [
        "build/__init__.py",
        "pkg/__init__.py",
        "pkg/build/x.py",
        "pkg/data/dist/y.py",
    ]


def test_a_root_that_is_a_package_has_build_outputs_all_the_same(tmp_path: Path) -> None:
    """What lies in build there is a copy."""
    plant(tmp_path, "__init__.py", "build/lib/a.py")
    assert found(discover([tmp_path], tmp_path, [])) == ["__init__.py"]


def test_ignored_files_and_folders(tmp_path: Path) -> None:
    """By nested files of patterns, with negation; the nearest word counts, and nothing in an ignored folder returns."""
    plant(tmp_path, ".gitignore", text="*_gen.py\n/out/\nlocal/*\n!local/keep.py\n")
    plant(tmp_path, "a/.gitignore", text="!b_gen.py\nc.py\n")
    plant(tmp_path, "out/.gitignore", text="!*\n")
    plant(tmp_path, "a/b_gen.py", "a/c.py", "a/d/c.py", "a/out/x.py", "b_gen.py", "c.py", "local/keep.py", "local/x.py")
    plant(tmp_path, "out/x.py", "notes_gen.txt")
    discovery = discover([tmp_path], tmp_path, [])
    assert found(discovery) == ["a/b_gen.py", "a/out/x.py", "c.py", "local/keep.py"]
    assert discovery.ignored == {"git-ignored": 5}


def test_what_git_tracks_is_not_ignored(tmp_path: Path) -> None:
    """Also in an ignored folder, of which nothing else is read; the default excludes hold all the same."""
    plant(tmp_path, ".gitignore", text="*_gen.py\n/out/\n")
    plant(tmp_path, "out/.gitignore", text="!*\n")
    tracked = {"a_gen.py", "out/x.py", "out/deep/y.py", "out/.venv/z.py", "out/gone.py"}
    plant(tmp_path, *(tracked - {"out/gone.py"}), "b_gen.py", "out/other.py", "out/deep/other.py", "out/more/z.py")
    discovery = discover([tmp_path], tmp_path, [], tracked=lambda: tracked)
    assert found(discovery) == ["a_gen.py", "out/deep/y.py", "out/x.py"]
    assert discovery.ignored == {"default exclude": 1, "git-ignored": 4}


def test_git_is_not_asked_where_nothing_is_ignored(tmp_path: Path) -> None:
    """Nor more than once."""
    asked: list[int] = []
    plant(tmp_path, ".gitignore", text="a.py\n")
    plant(tmp_path, "b.py")

    def tracked() -> tuple[str, ...]:
        asked.append(1)
        return ()

    discover([tmp_path], tmp_path, [], tracked=tracked)
    assert asked == []
    plant(tmp_path, "a.py", "c/a.py")
    discover([tmp_path], tmp_path, [], tracked=tracked)
    assert asked == [1]


def test_the_private_excludes_of_git(tmp_path: Path) -> None:
    """A .gitignore has the last word over them."""
    plant(tmp_path, ".git/info/exclude", text="a.py\nb.py\n")
    plant(tmp_path, ".gitignore", text="!b.py\n")
    plant(tmp_path, "a.py", "b.py")
    assert found(discover([tmp_path], tmp_path, [])) == ["b.py"]


def test_patterns_through_links_do_not_count(tmp_path: Path) -> None:
    """Neither through a linked file (git does not follow it either) nor through a linked .git."""
    plant(tmp_path, "outside/ignore", "outside/git/info/exclude", text="*.py\n")
    plant(tmp_path, "root/a.py")
    (tmp_path / "root/.gitignore").symlink_to("../outside/ignore")
    (tmp_path / "root/.git").symlink_to("../outside/git")
    assert found(discover([tmp_path / "root"], tmp_path / "root", [])) == ["a.py"]


def test_odd_patterns_do_no_harm(tmp_path: Path) -> None:
    """What means nothing to git means nothing here; a BOM and CRLF are no part of a pattern."""
    (tmp_path / ".gitignore").write_bytes(
        b"\xef\xbb\xbfa.py\r\n!\n[[:x:]]\n//\n[\n[z-a]\n\xff\n/\n\\\n**foo[\nb.py \r\n"
    )
    plant(tmp_path, "a.py", "b.py", "c.py")
    assert found(discover([tmp_path], tmp_path, [])) == ["c.py"]


PATTERNS = [
    "*",
    "*.py",
    "!*.py",
    "!*/",
    "*/",
    "foo",
    "/foo",
    "foo/",
    "!foo",
    "!foo/",
    "a/b",
    "/a/*",
    "!/a/b",
    "a/**",
    "**/foo",
    "**/a/",
    "a/**/b",
    "a/**/",
    "*/**",
    "**/",
    "**",
    "!keep.py",
    "!**/keep.py",
    "f*",
    "?",
    "[ab]",
    "!a",
    "a/*/",
    "#c",
    "\\#x",
    "foo/*",
    "!foo/a/",
    "/*",
    "!/a",
    "a/x.py",
    "*o*",
    "[!a]",
    "b/**/*.py",
    "/",
    "//",
    "!",
    "[",
    "a[",
    "**foo",
    "foo**",
    "a/**b",
]


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
@pytest.mark.parametrize("seed", range(25))
def test_git_ignores_the_same(tmp_path: Path, seed: int) -> None:
    """Random trees with random patterns at several levels."""
    chance = random.Random(seed)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    folders = [tmp_path]
    for _ in range(chance.randint(2, 7)):
        folders.append(chance.choice(folders) / chance.choice(["a", "b", "foo"]))
    for folder in folders:
        plant(folder, *chance.sample(["foo.py", "keep.py", "x.py", "a b.py", "a.py"], 3))
        if chance.random() < (0.9 if folder == tmp_path else 0.3):
            lines = chance.choices(PATTERNS, k=chance.randint(1, 5))
            (folder / ".gitignore").write_bytes(chance.choice([b"\n", b"\r\n"]).join(line.encode() for line in lines))
    listed = subprocess.run(
        ["git", "-C", tmp_path, "ls-files", "-o", "--exclude-standard", "-z", "*.py"], capture_output=True, check=True
    )
    expected = sorted(listed.stdout.decode().split("\0")[:-1])
    assert found(discover([tmp_path], tmp_path, [])) == expected


# ----------------------------------------------------------------------------------------------------- what is editable


def test_paths_limit_only_what_is_edited(tmp_path: Path) -> None:
    """A folder is not a prefix of names."""
    plant(tmp_path, "a/x.py", "a/b/y.py", "ab/z.py", "c.py")
    discovery = discover([tmp_path / "a", tmp_path / "c.py"], tmp_path, [])
    assert found(discovery) == ["a/b/y.py", "a/x.py", "ab/z.py", "c.py"]
    assert editable(discovery) == ["a/b/y.py", "a/x.py", "c.py"]
    assert editable(discover([], tmp_path, [])) == found(discovery)


def test_excludes_limit_only_what_is_edited(tmp_path: Path) -> None:
    """They are patterns like git's, relative to the root."""
    plant(tmp_path, "a/x.py", "a/vendor/y.py", "x_pb2.py", "vendor/b/z.py", "keep_pb2.py")
    discovery = discover([tmp_path], tmp_path, ["/vendor/", "*_pb2.py", "!keep_pb2.py"])
    assert editable(discovery) == ["a/vendor/y.py", "a/x.py", "keep_pb2.py"]
    assert len(discovery.files) == 5
    assert discovery.ignored == {"excluded": 2}


def test_a_bad_exclude_is_an_error(tmp_path: Path) -> None:
    """It would otherwise protect nothing."""
    with pytest.raises(PathError, match=r"^exclude: "):
        discover([tmp_path], tmp_path, ["a\\"])


def test_an_explicit_file_is_always_processed(tmp_path: Path) -> None:
    """Excluded, git-ignored, in a folder that is left out, without a suffix."""
    plant(tmp_path, ".gitignore", text="secret.py\ncache/\n")
    named = [".venv/pyvenv.cfg.py", "cache/deep/c.py", "script", "secret.py", "vendor/v.py"]
    plant(tmp_path, *named, "cache/deep/d.py", "other.py")
    paths = [tmp_path / name for name in named]
    discovery = discover(paths, tmp_path, ["vendor/", "script"])
    assert editable(discovery) == named
    assert found(discovery) == sorted([*named, "other.py"])
    assert discovery.skipped == ()


def test_force_exclude_holds_for_explicit_files(tmp_path: Path) -> None:
    """Those that git ignores are not read, those that the configuration excludes not edited."""
    plant(tmp_path, ".gitignore", text="secret.py\ncache/\n")
    named = [".venv/a.py", "cache/deep/c.py", "script", "secret.py", "vendor/v.py"]
    plant(tmp_path, *named)
    discovery = discover([tmp_path / name for name in named], tmp_path, ["vendor/"], force_exclude=True)
    assert found(discovery) == ["script", "vendor/v.py"]
    assert editable(discovery) == ["script"]
    assert discovery.ignored["excluded"] == 1


def test_an_explicit_folder_that_is_left_out_is_named(tmp_path: Path) -> None:
    """A shell's `*` names them, so they are not entered."""
    plant(tmp_path, ".gitignore", text="cache/\n")
    plant(tmp_path, "cache/x.py", "node_modules/sub/y.py", "a.py")
    paths = [tmp_path / name for name in ("cache", "node_modules/sub", "a.py")]
    discovery = discover(paths, tmp_path, [])
    assert found(discovery) == ["a.py"]
    assert discovery.skipped == (Skipped("cache/", "git-ignored"), Skipped("node_modules/sub/", "default exclude"))


def test_an_explicit_stub_is_skipped(tmp_path: Path) -> None:
    """By a stated rule."""
    plant(tmp_path, "a.pyi")
    discovery = discover([tmp_path / "a.pyi"], tmp_path, [])
    assert discovery.files == ()
    assert [skipped.failed for skipped in discovery.skipped] == [False]


# ---------------------------------------------------------------------------------------------------------------- links


def test_a_link_inside_the_root_counts_once(tmp_path: Path) -> None:
    """Under the real path; of files and of folders, as part of a folder or named."""
    plant(tmp_path, "real/a.py")
    (tmp_path / "b.py").symlink_to("real/a.py")
    (tmp_path / "folder").symlink_to("real")
    assert found(discover([tmp_path], tmp_path, [])) == ["real/a.py"]
    assert discover([tmp_path], tmp_path, []).aliases == {"b.py": "real/a.py", "folder/": "real/"}
    for name in ("b.py", "folder"):
        assert editable(discover([tmp_path / name], tmp_path, [])) == ["real/a.py"]


def test_a_link_may_call_a_file_python(tmp_path: Path) -> None:
    """Unless it is one that is left out."""
    plant(tmp_path, ".gitignore", text="hidden\n")
    plant(tmp_path, "script", "hidden", ".venv/tool", "plain")
    for name in ("script", "hidden", ".venv/tool"):
        (tmp_path / (name.replace("/", "_") + ".py")).symlink_to(name)
    assert found(discover([tmp_path], tmp_path, [])) == ["script"]


def test_a_link_out_of_the_root_is_skipped(tmp_path: Path) -> None:
    """It fails the run only if it is what the user named."""
    plant(tmp_path, "root/a.py", "outside/b.py", "root2/c.py")
    root = tmp_path / "root"
    (root / "b.py").symlink_to("../outside/b.py")
    (root / "folder").symlink_to("../outside")
    (root / "similar").symlink_to("../root2")
    discovery = discover([root], root, [])
    assert found(discovery) == ["a.py"]
    assert [(skipped.path, skipped.failed) for skipped in discovery.skipped] == [
        ("b.py", False),
        ("folder", False),
        ("similar", False),
    ]
    discovery = discover([root / "b.py"], root, [])
    assert Skipped(str(root / "b.py"), "outside the project's root", failed=True) in discovery.skipped
    assert editable(discovery) == []


def test_loops_are_survived(tmp_path: Path) -> None:
    """Through folders, through links to themselves, and links to nothing."""
    plant(tmp_path, "a/b/x.py")
    (tmp_path / "a/b/up").symlink_to("..")
    (tmp_path / "a/root").symlink_to(tmp_path)
    (tmp_path / "self.py").symlink_to("self.py")
    (tmp_path / "one.py").symlink_to("two.py")
    (tmp_path / "two.py").symlink_to("one.py")
    (tmp_path / "nothing.py").symlink_to("missing")
    assert found(discover([tmp_path], tmp_path, [])) == ["a/b/x.py"]


def test_hard_links_count_once(tmp_path: Path) -> None:
    """Under the name that the user gave, else the first; empty files are told apart by their names alone."""
    plant(tmp_path, "b.py")
    plant(tmp_path, "p/__init__.py", text="")
    os.link(tmp_path / "b.py", tmp_path / "c.py")
    (tmp_path / "q").mkdir()
    os.link(tmp_path / "p/__init__.py", tmp_path / "q/__init__.py")
    discovery = discover([tmp_path], tmp_path, [])
    assert found(discovery) == ["b.py", "p/__init__.py", "q/__init__.py"]
    assert discovery.ignored == {"another name of a file": 1}
    assert discovery.aliases == {"c.py": "b.py"}
    assert editable(discover([tmp_path / "c.py"], tmp_path, [])) == ["c.py"]


# -------------------------------------------------------------------------------------------------------------- trouble


@ODD_NAMES
@pytest.mark.parametrize("name", [b"a\nb.py", b"a\rb.py", b"caf\xe9.py", b"f\nolder/x.py", b"f\xffolder/x.py"])
def test_odd_names_are_skipped(tmp_path: Path, name: bytes) -> None:
    """With a path that can be shown; what must be edited and cannot is a failure."""
    plant(tmp_path, "good.py")
    plant(tmp_path, os.fsdecode(name))
    discovery = discover([tmp_path], tmp_path, [])
    assert found(discovery) == ["good.py"]
    [skipped] = discovery.skipped
    assert skipped.failed
    assert skipped.path.isprintable()
    assert skipped.path.encode("utf-8")
    assert not discover([tmp_path / "good.py"], tmp_path, []).skipped[0].failed
    assert all(skipped.failed for skipped in discover([tmp_path / os.fsdecode(name)], tmp_path, []).skipped)


@ODD_NAMES
def test_odd_names_that_nobody_asks_for_are_passed_over(tmp_path: Path) -> None:
    """Ignored, of no interest, or only strange."""
    plant(tmp_path, ".gitignore", text="ig*\n")
    plant(tmp_path, os.fsdecode(b"ign\xff.py"), "a\nb.txt", "c\td\u2028\u00e9.py", "é.py", "-x.py", " .py", "a\\b.py")
    discovery = discover([tmp_path], tmp_path, [])
    assert found(discovery) == sorted(["c\td\u2028\u00e9.py", "é.py", "-x.py", " .py", "a\\b.py"])
    assert discovery.skipped == ()


@pytest.mark.skipif(as_root, reason="root may read everything")
def test_a_folder_that_may_not_be_entered_has_no_marker(tmp_path: Path) -> None:
    """It is its own root, and nothing is found in it."""
    closed = tmp_path / "closed"
    plant(closed, "pyproject.toml", ".git/info/exclude")
    closed.chmod(0)
    try:
        assert find_root([closed]) == closed.resolve()
        assert discover([closed], closed, []).skipped == (Skipped(".", "permission denied", True),)
    finally:
        closed.chmod(0o755)


@pytest.mark.skipif(as_root, reason="root may read everything")
def test_an_unreadable_folder_is_named(tmp_path: Path) -> None:
    """It fails the run if something in it might be edited."""
    plant(tmp_path, "a.py", "closed/b.py", "other/c.py")
    (tmp_path / "closed").chmod(0)
    try:
        for paths, failed in (([tmp_path], True), ([tmp_path / "other"], False)):
            assert discover(paths, tmp_path, []).skipped == (Skipped("closed/", "permission denied", failed),)
        assert not discover([tmp_path], tmp_path, ["closed/"]).skipped[0].failed
    finally:
        (tmp_path / "closed").chmod(0o700)


@pytest.mark.parametrize(("exclude", "failed"), [([], True), (["closed/"], False)])
def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exclude: list[str], failed: bool
) -> None:
    """The rest is found all the same."""
    plant(tmp_path, "a.py", "closed/b.py", "open/c.py")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.rstrip("/").endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    discovery = discover([tmp_path], tmp_path, exclude)
    assert found(discovery) == ["a.py", "open/c.py"]
    assert discovery.skipped == (Skipped("closed/", "permission denied", failed),)
    assert not discover([tmp_path / "open"], tmp_path, []).skipped[0].failed


def test_reading(tmp_path: Path) -> None:
    """Exactly the bytes."""
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfx\r\n\x00")
    [file] = discover([tmp_path], tmp_path, []).files
    assert read(str(tmp_path), file) == b"\xef\xbb\xbfx\r\n\x00"


@pytest.mark.parametrize(("is_editable", "kind"), [(True, "python"), (False, "python"), (True, "data")])
def test_a_vanished_file_is_skipped(tmp_path: Path, is_editable: bool, kind: str) -> None:
    """It fails the run if it is Python that may be edited."""
    file = SourceFile("a/b.py", 3, "python" if kind == "python" else "data", is_editable)
    expected = Skipped("a/b.py", "vanished while it was to be read", failed=is_editable and kind == "python")
    assert read(str(tmp_path), file) == expected


@pytest.mark.skipif(as_root, reason="root may read everything")
def test_an_unreadable_file_is_skipped(tmp_path: Path) -> None:
    """With the reason of the system."""
    plant(tmp_path, "a.py")
    (tmp_path / "a.py").chmod(0)
    [file] = discover([tmp_path], tmp_path, []).files
    assert read(str(tmp_path), file) == Skipped("a.py", "permission denied", failed=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_file_that_became_something_else_is_skipped(tmp_path: Path) -> None:
    """A link is not followed, a pipe not waited for, a folder not opened."""
    plant(tmp_path, "secret")
    (tmp_path / "link.py").symlink_to("secret")
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    for name in ("link.py", "folder.py", "pipe.py"):
        skipped = read(str(tmp_path), SourceFile(name, 1, "python", editable=True))
        assert isinstance(skipped, Skipped)
        assert skipped.failed
