"""What the service can do, apart from HTTP."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from weather.client import air_index, query_upstream
from weather.history import remember
from weather.settings import Settings

SPARKLINE = Path(__file__).with_name("sparkline.py")


def in_units(celsius: float, units: str) -> float:
    return celsius * 9 / 5 + 32 if units == "imperial" else celsius


def load_city(settings: Settings, city: str) -> dict[str, Any]:
    """The weather in a city now; it is written down in the history."""
    observed = query_upstream(settings, "current", city)
    report = {
        "city": city,
        "temperature": in_units(observed["celsius"], settings.units),
        "sky": observed["sky"],
    }
    remember(settings.data_dir, report)
    return report


def find_warmest(settings: Settings, cities: list[str]) -> dict[str, Any]:
    reports = [load_city(settings, city) for city in cities]
    return max(reports, key=lambda report: report["temperature"])


def find_cleanest(settings: Settings, cities: list[str]) -> dict[str, Any]:
    """Of the cities with a sensor the one with the lowest index; no city at all without one."""
    indexes = [air_index(settings, city) for city in cities]
    known = [(index, city) for index, city in zip(indexes, cities, strict=True) if index is not None]
    return {"city": min(known)[1] if known else None}


def draw_forecast(settings: Settings, city: str) -> str:
    """The forecast as a line of little bars, drawn by another program."""
    temperatures = query_upstream(settings, "forecast", city)["celsius"]
    drawn = subprocess.run(
        [sys.executable, "-I", str(SPARKLINE)],
        input=" ".join(str(value) for value in temperatures),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return drawn.stdout.strip()
