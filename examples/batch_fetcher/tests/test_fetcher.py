"""The batch against a server of its own, and what it leaves on disk."""

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fetcher.__main__ import main
from photo_server import PhotoServer


@pytest.fixture
def url() -> Iterator[str]:
    with PhotoServer(0, latency=0.0, photos=12) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_all_photos_are_saved_with_their_checksums(url: str, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    assert main([url, str(out), "--workers", "4", "--delay", "0.001"]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert [photo["id"] for photo in summary] == list(range(1, 13))
    assert summary[6] == {"id": 7, "title": "Photo 7", "missing": True}
    for photo in summary[:6] + summary[7:]:
        raw = (out / photo["file"]).read_bytes()
        assert raw == bytes(range(256)) * photo["id"]
        assert photo["sha256"] == hashlib.sha256(raw).hexdigest()


def test_the_summary_for_people_says_the_same(url: str, tmp_path: Path) -> None:
    main([url, str(tmp_path), "--delay", "0"])
    assert json.loads((tmp_path / "summary.txt").read_text()) == json.loads((tmp_path / "summary.json").read_text())
    assert len((tmp_path / "summary.txt").read_text().splitlines()) > 12


def test_the_number_of_workers_changes_nothing(url: str, tmp_path: Path) -> None:
    for workers in ("1", "20"):
        main([url, str(tmp_path / workers), "--workers", workers, "--delay", "0"])
    one, twenty = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("1", "20"))
    assert one == twenty
    assert len(one) == 13


def test_damage_is_found(url: str, tmp_path: Path) -> None:
    main([url, str(tmp_path), "--delay", "0"])
    assert main([str(tmp_path), "--verify"]) == 0
    (tmp_path / "0003.raw").write_bytes(b"spoilt")
    assert main([str(tmp_path), "--verify"]) == 1
