"""The settings file. It is read on every request, so that edits count at once."""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    upstream_url: str
    data_dir: Path
    polite_delay: float
    timeout: float
    units: str


def load_settings(path: Path) -> Settings:
    values = json.loads(path.read_text(encoding="utf-8"))
    return Settings(
        upstream_url=values["upstream_url"],
        data_dir=path.parent / values["data_dir"],
        polite_delay=values.get("polite_delay", 0.0),
        timeout=values.get("timeout", 5.0),
        units=values.get("units", "metric"),
    )


def save_units(path: Path, units: str) -> None:
    """Change one value; a reader sees the old file or the new one, never half of it."""
    with open(path, encoding="utf-8") as file:
        values = json.load(file)
    values["units"] = units
    draft = path.with_name(f"{uuid.uuid4().hex}.tmp")
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(values, file, indent=2)
    draft.replace(path)
