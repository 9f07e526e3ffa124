"""``python -m weather settings.json``: serve until interrupted."""

import argparse
from pathlib import Path

from aiohttp import web

from weather.app import create_app


def main() -> None:
    parser = argparse.ArgumentParser(prog="weather", description="Serve weather reports.")
    parser.add_argument("settings", type=Path)
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    web.run_app(create_app(options.settings), host="127.0.0.1", port=options.port, print=None)


if __name__ == "__main__":
    main()
