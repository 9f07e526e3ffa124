"""What overlapping gains, and what it costs. From the root: ``python -m tests.benchmarks.overlap_speed``.

cases     those of `tests/cases` that the rules below convert and that have a run, with latency at whatever waits: how many
          times as fast the converted code is as the same without these rules
examples  the bundled programs against their own slow servers: as they are, converted by all rules but these, and by all
sites     without any latency: microseconds that a converted site costs more than the sequence
share     how much of a request of the example service that is, if its upstream answers at once

Medians of one run each; exits with 1 if the results differ or a run fails.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from tests.benchmarks import slow_loop
from tests.benchmarks.examples_speed import (
    CONVERTER,
    Failed,
    Options,
    Run,
    convert,
    copied,
    run_batch,
    run_service,
    same,
)
from tests.casefile import Case
from tests.test_cases import converted, project, write
from tests.test_generated_code import load
from tests.test_interleaving import OVERLAPPING

RULES = ("sequential-awaits", "await-in-loop", "unbounded-gather")
WITHOUT = f"{CONVERTER} --ignore {','.join(RULES)}"
CLEANEST = "/cleanest?cities=berlin,paris,rome"
CITIES = 3  # for which that path calls the upstream, each in a turn of a loop that is converted
SECONDS = 60.0
CALLS = 400  # of which a cost is the median


def main() -> int:
    parts = {"cases": cases, "examples": examples, "sites": sites, "share": share}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)} (default: all)")
    parser.add_argument("--latency", type=float, default=0.05, metavar="SECONDS", help="of whatever waits")
    parser.add_argument("--rounds", type=int, default=3, help="runs of a case of which the median counts")
    parser.add_argument("--requests", type=int, default=100, help="requests of one measurement of the service")
    given = parser.parse_args()
    unknown = [name for name in given.parts if name not in parts]
    if unknown:
        parser.error(f"no part {unknown[0]}")
    measure = Measure(given.latency, given.rounds, given.requests)
    try:
        fine = [parts[name](measure) for name in given.parts or parts]
    except Failed as failure:
        print(failure)
        return 1
    return 0 if all(fine) else 1


@dataclass(frozen=True)
class Measure:
    """What is measured with; ``latency`` in seconds."""

    latency: float
    rounds: int
    requests: int


# ----------------------------------------------------------------------------------------------------------- the cases


def cases(measure: Measure) -> bool:
    print(
        f"cases, {measure.latency * 1000:.0f} ms for each sleep and each call in a thread: a call of what is converted"
    )
    ratios: dict[str, list[float]] = {}
    fine = True
    for case in OVERLAPPING:
        with tempfile.TemporaryDirectory() as folder:
            rules, before, after = versions(case, Path(folder))
            if not rules:
                continue  # another rule wrote what looks like it
            runs = [(slow_run(case, before, measure), slow_run(case, after, measure)) for _ in range(measure.rounds)]
        agree = len({printed for run in runs for _, printed in run}) == 1
        one, other = (statistics.median(run[at][0] for run in runs) for at in (0, 1))
        waits = one >= measure.latency
        if waits:
            ratios.setdefault(" ".join(rules), []).append(one / other)
        fine = fine and agree
        says = f"{one:6.2f} s {other:6.2f} s {one / other:6.2f} x" if waits else "   waits for nothing"
        print(f"  {f'{case.path.stem}: {case.name}'[:72]:72} {says}{'' if agree else '  RESULTS DIFFER'}")
    for rule, found in sorted(ratios.items()):
        print(f"  {rule}: {told(found)}")
    return fine


def told(ratios: Sequence[float]) -> str:
    return f"median {statistics.median(ratios):.2f} x, least {min(ratios):.2f}, of {len(ratios)} cases"


def versions(case: Case, folder: Path) -> tuple[tuple[str, ...], Path, Path]:
    """The rules of interest that convert a case, and its project converted without them and with them, to be timed."""
    before, after = project(case, folder / "before"), project(case, folder / "after")
    write(before, converted(before, case, ignore=RULES))
    outcome = converted(after, case)
    write(after, outcome)
    taken = {
        change.id: change.rule for change in outcome.changes if change.id in outcome.taken and change.rule in RULES
    }
    owners: dict[str, set[str]] = {}
    for finding in outcome.findings:
        if taken.get(finding.change or ""):
            owners.setdefault(finding.place.path, set()).add(finding.owner.rpartition(".")[2])
    for file, names in owners.items():
        for path in (before / file, after / file):
            path.write_text(noting(path.read_text(encoding="utf-8"), names), encoding="utf-8")
    return tuple(sorted(set(taken.values()))), before, after


def noting(code: str, owners: Set[str]) -> str:
    """The code with functions decorated so that they note how long they take; ``owners``: their names."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and node.name in owners:
            node.decorator_list.append(ast.Name(slow_loop.TIMED, ast.Load()))
    return ast.unparse(tree)


def slow_run(case: Case, root: Path, measure: Measure) -> tuple[float, str]:
    """The seconds that a call of what is timed takes on an average, and what the run prints."""
    command = [sys.executable, "-B", slow_loop.__file__, case.run, str(measure.latency)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise Failed(f"{case.path.stem}: {case.name}: {done.stderr.strip()[-500:]}")
    seconds = [float(word) for word in done.stderr.rpartition("timed")[2].split()]
    return statistics.mean(seconds or [0.0]), done.stdout


# --------------------------------------------------------------------------------------------------------- the examples


def examples(measure: Measure) -> bool:
    print(
        f"examples, {measure.latency * 1000:.0f} ms for each upstream answer: as they are, without these rules, with them"
    )
    many = Options((), 16, measure.requests, 40, measure.latency)
    one = replace(many, concurrency=1, requests=measure.requests // 5)
    return all(
        [
            staged("weather_service", "its paths, 16 requests at once", a_request, many),
            staged("weather_service", "/cleanest, one request at a time", a_request, replace(one, asked=(CLEANEST,))),
            staged("weather_service", "/cleanest, 16 requests at once", a_request, replace(many, asked=(CLEANEST,))),
            staged("batch_fetcher", "8 workers", run_batch, replace(many, concurrency=8)),
            staged("batch_fetcher", "16 workers", run_batch, many),
        ]
    )


def a_request(copy: Path, options: Options) -> Run:
    """The seconds that one request takes of the time of all, and the body of every answer."""
    run = run_service(copy, options)
    return replace(run, figure=1 / run.figure)


def staged(name: str, title: str, measured: Callable[[Path, Options], Run], options: Options) -> bool:
    """Measure an example in its three stages, and print all; False if the results differ."""
    runs: list[Run] = []
    for converter in ("", WITHOUT, CONVERTER):
        with tempfile.TemporaryDirectory() as folder:
            copy = copied(name, Path(folder))
            if converter:
                convert(copy, shlex.split(converter))
            runs.append(measured(copy, options))
    original, without, overlapped = (run.figure for run in runs)
    print(f"  {name}, {title}: {original * 1000:.1f}, {without * 1000:.1f}, {overlapped * 1000:.1f} ms")
    print(f"    {original / overlapped:.2f} x in all, {without / overlapped:.2f} x by the overlap alone")
    return all(same(runs[0], run) for run in runs[1:])


# ------------------------------------------------------------------------------------------------------------- the cost


def sites(measure: Measure) -> bool:
    print("sites, without latency")
    for name, cost in asyncio.run(costs()).items():
        print(f"  {name}: {cost:.1f} us")
    return True


async def costs() -> dict[str, float]:
    """Microseconds that a pair, and each element of a loop, costs more than the sequence."""
    join, gather = load("join_in_order"), load("gather_bounded")
    found: dict[str, float] = {}
    for title, call in (("never suspends", at_once), ("suspends once", one_turn)):
        found[f"a pair that {title}"] = await surplus(lambda calls: join(*calls), call, 2)
        for count in (CITIES, 10, 100):
            found[f"each of {count} elements that {title}"] = await surplus(gather, call, count) / count
    return found


async def surplus(
    together: Callable[[Iterator[Awaitable[int]]], Awaitable[object]], call: Callable[[], Awaitable[int]], count: int
) -> float:
    """How many microseconds more that takes than the sequence: they take turns, so that both see the same machine."""
    overlapped: list[float] = []
    sequential: list[float] = []
    for _ in range(CALLS):
        started = time.perf_counter()
        await together(call() for _ in range(count))
        overlapped.append(time.perf_counter() - started)
        started = time.perf_counter()
        await sequence(call() for _ in range(count))
        sequential.append(time.perf_counter() - started)
    return (statistics.median(overlapped) - statistics.median(sequential)) * 1e6


async def sequence(calls: Iterator[Awaitable[int]]) -> list[int]:
    return [await call for call in calls]


async def at_once() -> int:
    return 1


async def one_turn() -> int:
    await asyncio.sleep(0)
    return 1


def share(measure: Measure) -> bool:
    print(f"share of a request of weather_service, {CLEANEST}, whose upstream answers at once")
    options = Options((), 1, measure.requests, 0, 0.0, (CLEANEST,))
    with tempfile.TemporaryDirectory() as folder:
        copy = copied("weather_service", Path(folder))
        convert(copy, shlex.split(CONVERTER))
        request = 1e6 / run_service(copy, options).figure
    cost = CITIES * asyncio.run(costs())[f"each of {CITIES} elements that suspends once"]
    print(f"  {cost:.0f} us of the {request:.0f} us of a request: {cost / request:.2%}")
    return True


if __name__ == "__main__":
    raise SystemExit(main())
