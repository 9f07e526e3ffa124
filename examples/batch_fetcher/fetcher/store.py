"""Files of photos, and their checksums."""

import hashlib
import json
from pathlib import Path


def save_raw(folder: Path, number: int, raw: bytes) -> Path:
    path = folder / f"{number:04}.raw"
    with open(path, "wb") as file:
        file.write(raw)
    return path


def checksum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def find_damaged(folder: Path) -> list[str]:
    """Names of the files that are not what the summary says they are."""
    photos = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    kept = [photo for photo in photos if "file" in photo]
    return [photo["file"] for photo in kept if checksum(folder / photo["file"]) != photo["sha256"]]
