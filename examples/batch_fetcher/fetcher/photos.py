"""Photos, as the server gives them."""

import time
from dataclasses import dataclass
from typing import Any

import requests

ATTEMPTS = 4


class ServerTrouble(RuntimeError):
    """The server would not answer, however often it was asked."""


@dataclass(frozen=True)
class Photo:
    title: str
    raw: bytes | None


def fetch_photo(url: str, number: int) -> Photo:
    """What the server knows of a photo, with its bytes."""
    described = describe(f"{url}/photos/{number}")
    return Photo(described["title"], fetch_raw(f"{url}/photos/{number}/raw"))


def describe(address: str) -> dict[str, Any]:
    """The JSON at an address; waits longer each time the server is busy."""
    pause = 0.02
    for _ in range(ATTEMPTS):
        response = requests.get(address, headers={"User-Agent": "batch-fetcher"}, timeout=10)
        if response.status_code == 200:
            described: dict[str, Any] = response.json()
            return described
        time.sleep(pause)
        pause *= 2
    raise ServerTrouble(address)


def fetch_raw(address: str) -> bytes | None:
    """The bytes at an address, None if there are none."""
    try:
        response = requests.get(address, timeout=10)
        response.raise_for_status()
    except requests.HTTPError:
        return None
    return response.content
