"""The batch: who fetches what, and the summary at the end."""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from fetcher.photos import fetch_photo
from fetcher.store import checksum, save_raw


@dataclass(frozen=True)
class Batch:
    url: str
    folder: Path
    workers: int
    delay: float


async def download_all(batch: Batch) -> None:
    """Fetch every photo of the catalogue, and write a summary of them, sorted."""
    batch.folder.mkdir(parents=True, exist_ok=True)
    catalogue = requests.get(f"{batch.url}/catalogue", timeout=10).json()
    numbers = [entry["id"] for entry in catalogue]
    shares = [numbers[first :: batch.workers] for first in range(batch.workers)]
    done = await asyncio.gather(*(work(batch, share) for share in shares))
    photos = sorted((photo for share in done for photo in share), key=lambda photo: photo["id"])
    write_summary(batch.folder, photos)


async def work(batch: Batch, numbers: list[int]) -> list[dict[str, Any]]:
    """One worker: its share of the photos, one after the other."""
    photos = []
    for number in numbers:
        time.sleep(batch.delay)  # be polite
        photo = fetch_photo(batch.url, number)
        if photo.raw is None:
            photos.append({"id": number, "title": photo.title, "missing": True})
            continue
        path = save_raw(batch.folder, number, photo.raw)
        photos.append({"id": number, "title": photo.title, "file": path.name, "sha256": checksum(path)})
    return photos


def write_summary(folder: Path, photos: list[dict[str, Any]]) -> None:
    """``summary.json`` for programs, ``summary.txt`` for people."""
    path = folder / "summary.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(photos, file)
    subprocess.run(
        [sys.executable, "-I", "-m", "json.tool", "--sort-keys", str(path), str(folder / "summary.txt")],
        check=True,
    )
