"""What was reported before: one file of JSON lines for each city."""

import json
from pathlib import Path
from typing import Any


def remember(data_dir: Path, report: dict[str, Any]) -> None:
    data_dir.mkdir(parents=True, exist_ok=True)
    with open(data_dir / f"{report['city']}.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(report) + "\n")


def recall(data_dir: Path, city: str) -> list[dict[str, Any]]:
    path = data_dir / f"{city}.jsonl"
    if not path.exists():
        return []
    reports = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            reports.append(json.loads(line))
    return reports
