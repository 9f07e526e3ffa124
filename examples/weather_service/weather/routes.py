"""The handlers."""

import time
from pathlib import Path

import requests
from aiohttp import web

from weather.client import UnknownCity, air_index, is_reachable
from weather.history import recall
from weather.service import draw_forecast, find_cleanest, find_warmest, in_units, load_city
from weather.settings import load_settings, save_units

SETTINGS_PATH = web.AppKey("settings_path", Path)
INDEX = Path(__file__).with_name("index.html")

routes = web.RouteTableDef()


def wanted_city(request: web.Request) -> str:
    city = request.match_info["city"]
    if not city.isalpha():
        raise web.HTTPNotFound(text=f"no city {city}")
    return city.lower()


@routes.get("/")
async def show_index(request: web.Request) -> web.Response:
    return web.Response(text=INDEX.read_text(encoding="utf-8"), content_type="text/html")


@routes.get("/weather/{city}")
async def show_weather(request: web.Request) -> web.Response:
    settings = load_settings(request.app[SETTINGS_PATH])
    try:
        report = load_city(settings, wanted_city(request))
    except UnknownCity as error:
        raise web.HTTPNotFound(text=f"no city {error}") from error
    return web.json_response(report)


@routes.get("/warmest")
async def show_warmest(request: web.Request) -> web.Response:
    settings = load_settings(request.app[SETTINGS_PATH])
    cities = request.query.get("cities", "berlin,paris").split(",")
    return web.json_response(find_warmest(settings, cities))


@routes.get("/forecast/{city}")
async def show_forecast(request: web.Request) -> web.Response:
    settings = load_settings(request.app[SETTINGS_PATH])
    city = wanted_city(request)
    time.sleep(settings.polite_delay)
    answer = requests.get(f"{settings.upstream_url}/forecast", params={"city": city}, timeout=settings.timeout).json()
    if "error" in answer:
        raise web.HTTPNotFound(text=answer["error"])
    days = [in_units(celsius, settings.units) for celsius in answer["celsius"]]
    return web.json_response({"city": city, "days": days})


@routes.get("/air/{city}")
async def show_air(request: web.Request) -> web.Response:
    settings = load_settings(request.app[SETTINGS_PATH])
    city = wanted_city(request)
    return web.json_response({"city": city, "index": air_index(settings, city)})


@routes.get("/cleanest")
async def show_cleanest(request: web.Request) -> web.Response:
    settings = load_settings(request.app[SETTINGS_PATH])
    cities = request.query.get("cities", "berlin,paris").split(",")
    return web.json_response(find_cleanest(settings, cities))


@routes.get("/chart/{city}")
async def show_chart(request: web.Request) -> web.Response:
    settings = load_settings(request.app[SETTINGS_PATH])
    return web.Response(text=draw_forecast(settings, wanted_city(request)))


@routes.get("/history/{city}")
async def show_history(request: web.Request) -> web.Response:
    settings = load_settings(request.app[SETTINGS_PATH])
    return web.json_response(recall(settings.data_dir, wanted_city(request)))


@routes.put("/units")
async def change_units(request: web.Request) -> web.Response:
    units = (await request.json())["units"]
    if units not in ("metric", "imperial"):
        raise web.HTTPBadRequest(text=f"no units {units}")
    save_units(request.app[SETTINGS_PATH], units)
    return web.json_response({"units": units})


@routes.get("/health")
async def show_health(request: web.Request) -> web.Response:
    settings = load_settings(request.app[SETTINGS_PATH])
    return web.json_response({"upstream": is_reachable(settings)})
