"""An upstream and a settings file for each test."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from upstream import running


@pytest.fixture
def settings_path(tmp_path: Path) -> Iterator[Path]:
    with running() as server:
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({"upstream_url": server.url, "data_dir": "data", "polite_delay": 0.001}))
        yield path
