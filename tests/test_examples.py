"""The bundled legacy programs work as they are, and still do once converted."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Example:
    """An example: its folder, its package, and what the diff of its conversion must hold."""

    name: str
    package: str
    expected: tuple[str, ...]


EXAMPLES = (
    Example(
        "weather_service",
        "weather",
        (
            # Turned with all that leads to it over three files, and native.
            "await load_city(settings, wanted_city(request))",
            "[await load_city(settings, city) for city in cities]",
            # Several at once, as they only read.
            "await gather_bounded(air_index(settings, city) for city in cities)",
            'await query_upstream(settings, "current", city)',
            'await http_request(\n            "GET",\n            f"{settings.upstream_url}/{resource}",',
            "await asyncio.sleep(BACKOFF * (attempt + 1))  # busy: give it a moment",
            # Native, and its .json() after the await.
            '(await query_upstream(settings, "forecast", city))["celsius"]',
            # Under a handler of requests' own errors: a thread.
            "await asyncio.to_thread(\n            requests.get, ",
            # Helpers that the command for cron calls too stay as they are.
            "settings = await asyncio.to_thread(load_settings, request.app[SETTINGS_PATH])",
            "await asyncio.to_thread(is_reachable, settings)",
            "await asyncio.to_thread(INDEX.read_text, ",
            "await asyncio.to_thread(\n        subprocess.run,",
        ),
    ),
    Example(
        "batch_fetcher",
        "fetcher",
        (
            "await asyncio.sleep(batch.delay)  # be polite",
            '(await http_request("GET", f"{batch.url}/catalogue", timeout=10)).json()',
            "await fetch_photo(batch.url, number)",
            "await asyncio.to_thread(requests.get, address, timeout=10)",
            "await asyncio.to_thread(checksum, path)",
            "await asyncio.to_thread(write_file)",
        ),
    ),
)
by_name = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


@by_name
def test_works_as_it_is(example: Example, tmp_path: Path) -> None:
    """An example's own tests pass before anything is converted."""
    run_tests(copy_of(example, tmp_path))


@by_name
def test_converted_it_holds_what_it_should_and_still_works(example: Example, tmp_path: Path) -> None:
    """--diff shows the expected forms, --apply writes them, no sleep blocks, and the example's own tests pass."""
    copy = copy_of(example, tmp_path)
    new = new_lines(asyncfix(copy, "--diff", "--unsafe"))
    missing = [text for text in example.expected if text not in new]
    assert missing == []
    asyncfix(copy, "--apply", "--unsafe", "--allow-dirty")
    assert sleeping(copy / example.package) == []
    run_tests(copy)


@by_name
def test_a_second_conversion_finds_nothing(example: Example, tmp_path: Path) -> None:
    """Converting twice changes nothing the second time."""
    copy = copy_of(example, tmp_path)
    asyncfix(copy, "--apply", "--unsafe", "--allow-dirty")
    assert asyncfix(copy, "--diff", "--unsafe") == ""


@by_name
def test_its_safe_changes_alone_work_too(example: Example, tmp_path: Path) -> None:
    """What is applied without --unsafe changes something, and the example's own tests pass."""
    copy = copy_of(example, tmp_path)
    assert new_lines(asyncfix(copy, "--diff"))
    asyncfix(copy, "--apply", "--allow-dirty")
    run_tests(copy)


def copy_of(example: Example, folder: Path) -> Path:
    """The example in a folder of its own, as a user would have it."""
    copy = folder / example.name
    ignored = shutil.ignore_patterns("__pycache__", ".*", "data", "out")
    shutil.copytree(PROJECT / "examples" / example.name, copy, ignore=ignored)
    return copy


def asyncfix(copy: Path, *arguments: str) -> str:
    """Run the command in the copy: what it prints. Its undo record and its cache stay in the temporary folder."""
    homes = {f"XDG_{kind}_HOME": str(copy.parent / kind.lower()) for kind in ("STATE", "CACHE")}
    return run([sys.executable, "-m", "asyncfix", ".", *arguments], copy, homes)


def run_tests(copy: Path) -> None:
    run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], copy, {"PYTHONDONTWRITEBYTECODE": "1"})


def run(command: list[str], folder: Path, extra: dict[str, str]) -> str:
    """Standard output of a command that must end with 0."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **extra}, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def new_lines(diff: str) -> str:
    """The lines that a diff adds or keeps, without the mark."""
    return "\n".join(line[1:] for line in diff.split("\n") if line.startswith(("+", " ")))


def sleeping(package: Path) -> list[str]:
    """Places of ``time.sleep`` in a package."""
    return [
        f"{path.name}:{node.lineno}"
        for path in sorted(package.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep"
    ]
