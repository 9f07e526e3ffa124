"""Questions to the upstream."""

import time
from typing import Any

import requests

from weather.settings import Settings

ATTEMPTS = 3
BACKOFF = 0.02


class UnknownCity(LookupError):
    """The upstream does not know the city."""


class UpstreamTrouble(RuntimeError):
    """The upstream answered, but not with data."""


def query_upstream(settings: Settings, resource: str, city: str) -> dict[str, Any]:
    """One polite question, asked again while the upstream is busy."""
    time.sleep(settings.polite_delay)
    for attempt in range(ATTEMPTS):
        response = requests.get(
            f"{settings.upstream_url}/{resource}",
            params={"city": city},
            headers={"Accept": "application/json"},
            timeout=settings.timeout,
        )
        if response.status_code == 200:
            answer: dict[str, Any] = response.json()
            return answer
        if response.status_code == 404:
            raise UnknownCity(city)
        time.sleep(BACKOFF * (attempt + 1))  # busy: give it a moment
    raise UpstreamTrouble(f"{resource} of {city}: {response.status_code}")


def air_index(settings: Settings, city: str) -> int | None:
    """The air quality index; None where no sensor answers."""
    try:
        response = requests.get(f"{settings.upstream_url}/air", params={"city": city}, timeout=settings.timeout)
        response.raise_for_status()
        return int(response.json()["index"])
    except requests.RequestException:
        return None


def is_reachable(settings: Settings) -> bool:
    """Whether the upstream answers at all."""
    try:
        return requests.get(f"{settings.upstream_url}/ping", timeout=settings.timeout).status_code == 200
    except requests.ConnectionError:
        return False
