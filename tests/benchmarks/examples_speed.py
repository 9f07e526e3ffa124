"""How much faster the examples are once converted. From the root: ``python -m tests.benchmarks.examples_speed``.

Copies each example to a temporary folder and measures it there against its own slow server; converts the copy; measures
again. Prints both figures and their ratio, and exits with 1 if the results differ or a run fails.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks.measure import ASYNCFIX, measured

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CONVERTER = shlex.join([*ASYNCFIX, ".", "--apply", "--unsafe", "--allow-dirty"])
START_SECONDS = 20.0
ANSWER_SECONDS = 60.0

ASKED = ("/weather/berlin", "/weather/paris", "/forecast/oslo", "/air/berlin", "/warmest?cities=oslo,paris")
ASKED_ONCE = (
    "/",
    "/chart/paris",
    "/cleanest?cities=berlin,oslo,rome",
    "/health",
    "/weather/atlantis",
    "/air/oslo",
    "/history/berlin",
)


class Failed(Exception):
    """A program of the benchmark did not start, or ended with an error."""


@dataclass(frozen=True)
class Options:
    """How a program is measured; ``latency`` in seconds, ``asked``: the paths that a service is asked for, in turn."""

    converter: tuple[str, ...]
    concurrency: int
    requests: int
    photos: int
    latency: float
    asked: tuple[str, ...] = ASKED


@dataclass(frozen=True)
class Run:
    """One measurement: the figure, and all results by name."""

    figure: float
    results: dict[str, bytes]


@dataclass(frozen=True)
class Example:
    """An example's folder, what its figure is called, whether more is better, and how it is measured."""

    name: str
    unit: str
    more_is_better: bool
    measure: Callable[[Path, Options], Run]


def main() -> int:
    examples = {
        "weather_service": Example("weather_service", "requests per second", True, run_service),
        "batch_fetcher": Example("batch_fetcher", "seconds", False, run_batch),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", nargs="*", metavar="EXAMPLE", help=f"of {', '.join(examples)} (default: all)")
    parser.add_argument("--converter", default=CONVERTER, help="command that is run in the copy (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=16, help="requests, or workers, at one time")
    parser.add_argument("--requests", type=int, default=200, help="requests of one measurement of the service")
    parser.add_argument("--photos", type=int, default=40, help="photos of one measurement of the batch")
    parser.add_argument("--latency", type=float, default=0.05, metavar="SECONDS", help="of each upstream answer")
    given = parser.parse_args()
    unknown = [name for name in given.examples if name not in examples]
    if unknown:
        parser.error(f"no example {unknown[0]}")
    converter = tuple(shlex.split(given.converter))
    options = Options(converter, given.concurrency, given.requests, given.photos, given.latency)
    print(f"{options.concurrency} at once, {options.latency * 1000:.0f} ms for each upstream answer")
    same = [compare(examples[name], options) for name in given.examples or examples]
    return 0 if all(same) else 1


def compare(example: Example, options: Options) -> bool:
    """Measure an example before and after, and print both; False if something went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(example.name, Path(folder))
        try:
            before = example.measure(copy, options)
            convert(copy, options.converter)
            after = example.measure(copy, options)
        except Failed as failure:
            print(f"{example.name}: {failure}")
            return False
    gain = after.figure / before.figure if example.more_is_better else before.figure / after.figure
    print(
        f"{example.name}: before {before.figure:.1f}, after {after.figure:.1f} {example.unit}: {gain:.1f} times as fast"
    )
    return same(before, after)


def copied(name: str, folder: Path) -> Path:
    """A copy of an example in a folder, without what earlier runs left in it."""
    left = shutil.ignore_patterns("__pycache__", ".*", "data", "out")
    return Path(shutil.copytree(EXAMPLES / name, folder / name, ignore=left))


def same(before: Run, after: Run) -> bool:
    """Whether two runs have the same results, which it says."""
    differing = [name for name, result in before.results.items() if after.results.get(name) != result]
    if differing or before.results.keys() != after.results.keys():
        print(f"  results differ: {', '.join(differing) or 'other names'}")
        return False
    print(f"  {len(before.results)} results are the same as before")
    return True


def convert(copy: Path, converter: Sequence[str]) -> None:
    sources = {path: path.read_bytes() for path in copy.rglob("*.py")}
    # The undo record and the cache go beside the copy, and away with it.
    homes = {f"XDG_{kind}_HOME": str(copy.parent / kind.lower()) for kind in ("STATE", "CACHE")}
    cost = measured(converter, cwd=copy, extra=homes)
    if cost.code:
        raise Failed(f"the conversion ended with {cost.code}: {_end(cost.stderr)}")
    changed = sum(path.read_bytes() != source for path, source in sources.items())
    if not changed:
        raise Failed("the conversion changed nothing")
    print(f"  converted {changed} of {len(sources)} files: {shlex.join(converter)}")


# ---------------------------------------------------------------------------------------------------------- the service


def run_service(copy: Path, options: Options) -> Run:
    """Requests per second with ``concurrency`` clients, and the body of every answer."""
    upstream, port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as data:
        settings = Path(data) / "settings.json"
        values = {
            "upstream_url": f"http://127.0.0.1:{upstream}",
            "data_dir": "data",
            "polite_delay": options.latency / 10,
        }
        settings.write_text(json.dumps(values))
        with (
            server(["upstream.py", "--port", str(upstream), "--latency", str(options.latency)], upstream, copy),
            server(["-m", "weather", str(settings), "--port", str(port)], port, copy),
            ThreadPoolExecutor(options.concurrency) as pool,
        ):
            ask(port, options.asked[0])
            wanted = [options.asked[number % len(options.asked)] for number in range(options.requests)]
            started = time.perf_counter()
            answers = list(pool.map(partial(ask, port), wanted))
            seconds = time.perf_counter() - started
            results = {f"{number} {path}": answers[number] for number, path in enumerate(wanted)}
            results |= {path: ask(port, path) for path in ASKED_ONCE}
    return Run(options.requests / seconds, results)


def ask(port: int, path: str) -> bytes:
    """Status and body of one answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=ANSWER_SECONDS) as response:
            return b"%d %b" % (response.status, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return b"%d %b" % (error.code, error.read())
    except OSError as error:
        raise Failed(f"no answer to {path}: {error}") from error


# ------------------------------------------------------------------------------------------------------------ the batch


def run_batch(copy: Path, options: Options) -> Run:
    """Seconds of wall time of one batch, the start of Python included, and every file it wrote."""
    port = free_port()
    serve = ["photo_server.py", "--port", str(port), "--latency", str(options.latency), "--photos", str(options.photos)]
    with tempfile.TemporaryDirectory() as out, server(serve, port, copy):
        fetch = ["-m", "fetcher", f"http://127.0.0.1:{port}", out, "--workers", str(options.concurrency)]
        cost = measured([sys.executable, *fetch], cwd=copy)
        if cost.code:
            raise Failed(f"the batch ended with {cost.code}: {_end(cost.stderr)}")
        return Run(cost.wall, {path.name: path.read_bytes() for path in Path(out).iterdir()})


# ----------------------------------------------------------------------------------------------------------------- both


@contextmanager
def server(arguments: Sequence[str], port: int, cwd: Path) -> Generator[None]:
    """A Python program that listens on ``port``, until the end of the block."""
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen([sys.executable, *arguments], cwd=cwd, stderr=err)
        try:
            if not _listens(process, port):
                err.seek(0)
                raise Failed(f"{shlex.join(arguments)} did not start: {_end(err.read())}")
            yield
        finally:
            process.terminate()
            process.wait()


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether the port answers within the time, and before its process ends."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end(text: bytes) -> str:
    return text.decode(errors="replace").strip()[-500:]


if __name__ == "__main__":
    raise SystemExit(main())
