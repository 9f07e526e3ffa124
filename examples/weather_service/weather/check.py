"""``weather-check settings.json``: is the upstream there? For cron, so it is not async."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from weather.client import is_reachable
from weather.settings import load_settings


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 if the upstream answers, else 1."""
    parser = argparse.ArgumentParser(prog="weather-check", description="Ask whether the upstream answers.")
    parser.add_argument("settings", type=Path)
    options = parser.parse_args(argv)
    settings = load_settings(options.settings)
    return 0 if is_reachable(settings) else 1
