"""The application: what it is made of."""

from pathlib import Path

from aiohttp import web

from weather.routes import SETTINGS_PATH, routes


def create_app(settings_path: Path) -> web.Application:
    app = web.Application()
    app[SETTINGS_PATH] = settings_path
    app.add_routes(routes)
    return app
