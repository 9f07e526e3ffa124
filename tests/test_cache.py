"""The cache gives back what it was given, or nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asyncfix import cache

ENTRIES = {cache.key("a.py", b"x = 1\n"): b"facts", cache.key("b.py", b""): b"\x00\xff"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own."""
    monkeypatch.setenv("ASYNCFIX_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project root."""
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def the_file(folder: Path) -> Path:
    """The one file of the cache."""
    [file] = folder.iterdir()
    return file


def test_what_is_saved_is_loaded(root: Path) -> None:
    """Also a second time, and in place of what was there."""
    assert cache.load(root, "f") == {}
    cache.save(root, "f", {"old": b""})
    cache.save(root, "f", ENTRIES)
    assert cache.load(root, "f") == ENTRIES


def test_another_fingerprint_or_root_knows_nothing(root: Path, tmp_path: Path) -> None:
    """What the entries depend on has changed."""
    cache.save(root, "f", ENTRIES)
    assert cache.load(root, "g") == {}
    assert cache.load(tmp_path / "other", "f") == {}


def test_another_version_knows_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new asyncfix may read other facts."""
    cache.save(root, "f", ENTRIES)
    monkeypatch.setattr(cache, "__version__", "99")
    assert cache.load(root, "f") == {}


def test_keys_tell_path_and_content_apart() -> None:
    """Neither runs into the other."""
    pairs = [("a", b"b"), ("ab", b""), ("", b"ab"), ("1", b" a"), ("\udcff", b""), ("ÿ", b"")]
    assert len({cache.key(path, content) for path, content in pairs}) == len(pairs)


def test_a_damaged_file_counts_as_none(root: Path, folder: Path) -> None:
    """At whatever byte."""
    cache.save(root, "f", ENTRIES)
    whole = the_file(folder).read_bytes()
    for position in range(len(whole)):
        the_file(folder).write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert cache.load(root, "f") == {}
        the_file(folder).write_bytes(whole[:position])
        assert cache.load(root, "f") == {}


def test_a_foreign_file_counts_as_none(root: Path, folder: Path) -> None:
    """Its bytes are never trusted further than the schema."""
    cache.save(root, "f", ENTRIES)
    the_file(folder).write_bytes(b"cos\nsystem\n(S'touch canary'\ntR.")
    assert cache.load(root, "f") == {}


def test_the_cache_never_lies_inside_the_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even if asked to: neither written nor read there."""
    monkeypatch.setenv("ASYNCFIX_CACHE_DIR", str(root / "deep" / "cache"))
    cache.save(root, "f", ENTRIES)
    assert list(root.iterdir()) == []
    assert cache.load(root, "f") == {}


def test_an_unwritable_folder_is_no_error(root: Path, folder: Path) -> None:
    """There is simply no cache."""
    folder.write_text("a file, not a folder", encoding="utf-8")
    cache.save(root, "f", ENTRIES)
    assert cache.load(root, "f") == {}


def test_the_size_is_bounded(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of entries that do not fit together the last are kept."""
    monkeypatch.setattr(cache, "_ROOT_LIMIT", 100)
    cache.save(root, "f", {name: bytes(40) for name in "abc"})
    assert list(cache.load(root, "f")) == ["b", "c"]


def test_the_oldest_roots_make_room(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All roots together are bounded too."""
    roots = [tmp_path / name for name in "abc"]
    for age, root in enumerate(roots):
        before = set(folder.glob("*"))
        cache.save(root, "f", {"x": bytes(1000)})
        for file in set(folder.glob("*")) - before:
            os.utime(file, (age, age))
    monkeypatch.setattr(cache, "_TOTAL_LIMIT", 2500)
    cache.save(roots[2], "f", {"x": bytes(1000)})
    assert [bool(cache.load(root, "f")) for root in roots] == [False, True, True]
    assert len(list(folder.iterdir())) == 2
