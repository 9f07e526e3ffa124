"""The service, asked over HTTP."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from weather.app import create_app


def with_client(settings_path: Path, scenario: Callable[[Any], Awaitable[None]]) -> None:
    """Run a scenario against the service on a free port."""

    async def run() -> None:
        async with TestClient(TestServer(create_app(settings_path))) as client:
            await scenario(client)

    asyncio.run(run())


async def get_json(client: Any, path: str) -> Any:
    async with client.get(path) as response:
        assert response.status == 200, await response.text()
        return await response.json()


def test_the_index_is_a_page(settings_path: Path) -> None:
    async def scenario(client: Any) -> None:
        async with client.get("/") as response:
            assert response.content_type == "text/html"
            assert "Berlin now" in await response.text()

    with_client(settings_path, scenario)


def test_weather_is_reported_and_remembered(settings_path: Path) -> None:
    async def scenario(client: Any) -> None:
        assert await get_json(client, "/history/berlin") == []
        berlin = {"city": "berlin", "temperature": 12.5, "sky": "rain"}
        assert await get_json(client, "/weather/Berlin") == berlin
        assert await get_json(client, "/weather/berlin") == berlin
        assert await get_json(client, "/history/berlin") == [berlin, berlin]

    with_client(settings_path, scenario)


def test_a_busy_upstream_is_asked_again(settings_path: Path) -> None:
    async def scenario(client: Any) -> None:
        assert (await get_json(client, "/weather/rome"))["sky"] == "sun"

    with_client(settings_path, scenario)


def test_unknown_cities_are_not_found(settings_path: Path) -> None:
    async def scenario(client: Any) -> None:
        for path in ("/weather/atlantis", "/forecast/atlantis", "/weather/x1", "/history/..%2F..%2Fsettings"):
            async with client.get(path) as response:
                assert response.status == 404

    with_client(settings_path, scenario)


def test_the_warmest_city_wins(settings_path: Path) -> None:
    async def scenario(client: Any) -> None:
        assert (await get_json(client, "/warmest?cities=oslo,rome,paris"))["city"] == "rome"

    with_client(settings_path, scenario)


def test_the_cleanest_city_wins_of_those_with_a_sensor(settings_path: Path) -> None:
    async def scenario(client: Any) -> None:
        assert await get_json(client, "/cleanest?cities=berlin,oslo,rome,paris") == {"city": "rome"}
        assert await get_json(client, "/cleanest?cities=oslo") == {"city": None}

    with_client(settings_path, scenario)


def test_forecasts_are_listed_and_drawn(settings_path: Path) -> None:
    async def scenario(client: Any) -> None:
        days = [16.0, 17.0, 19.0, 18.0, 15.0]
        assert await get_json(client, "/forecast/paris") == {"city": "paris", "days": days}
        async with client.get("/chart/paris") as response:
            assert await response.text() == "▃▅█▆▁"

    with_client(settings_path, scenario)


def test_air_is_none_where_there_is_no_sensor(settings_path: Path) -> None:
    async def scenario(client: Any) -> None:
        assert await get_json(client, "/air/paris") == {"city": "paris", "index": 50}
        assert await get_json(client, "/air/oslo") == {"city": "oslo", "index": None}

    with_client(settings_path, scenario)


def test_units_are_kept_in_the_settings_file(settings_path: Path) -> None:
    async def scenario(client: Any) -> None:
        async with client.put("/units", json={"units": "imperial"}) as response:
            assert await response.json() == {"units": "imperial"}
        assert (await get_json(client, "/weather/rome"))["temperature"] == 70.7
        async with client.put("/units", json={"units": "cubits"}) as response:
            assert response.status == 400

    with_client(settings_path, scenario)
    assert json.loads(settings_path.read_text())["units"] == "imperial"
    assert [path.name for path in settings_path.parent.glob("*.tmp")] == []


def test_many_at_once_get_the_same_as_one_after_the_other(settings_path: Path) -> None:
    paths = [f"/{kind}/{city}" for kind in ("weather", "forecast", "air") for city in ("berlin", "oslo", "paris")]

    async def scenario(client: Any) -> None:
        in_turn = [await get_json(client, path) for path in paths]
        assert await asyncio.gather(*(get_json(client, path) for path in paths)) == in_turn
        assert len(await get_json(client, "/history/oslo")) == 2

    with_client(settings_path, scenario)
