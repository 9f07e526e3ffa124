"""The command for cron, and the same question over HTTP."""

import asyncio
import json
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer

from weather.app import create_app
from weather.check import main


async def health(settings_path: Path) -> object:
    async with TestClient(TestServer(create_app(settings_path))) as client, client.get("/health") as response:
        return await response.json()


def test_an_upstream_that_answers(settings_path: Path) -> None:
    assert main([str(settings_path)]) == 0
    assert asyncio.run(health(settings_path)) == {"upstream": True}


def test_an_upstream_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"upstream_url": "http://127.0.0.1:9", "data_dir": "data"}))
    assert main([str(path)]) == 1
    assert asyncio.run(health(path)) == {"upstream": False}
