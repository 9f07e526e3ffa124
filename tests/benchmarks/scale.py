"""What a large code base costs: ``python -m tests.benchmarks.scale FOLDER``, from asyncfix's root.

Prints, from one run: files and lines; CPU, wall and peak memory of plain ``ast.parse`` over the same Python files (one
process), of ruff's ASYNC rules, and of ``asyncfix --diff`` with nothing cached; the stages of the latter; and how the
cost grows from about a tenth of the code base (whole folders, copied to a temporary one) to all of it. FOLDER is
only read.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shlex
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from tests.benchmarks.measure import ASYNCFIX, Cost, measured, ratio

NOT_READ = frozenset({"node_modules", "build", "dist", "site-packages", "__pycache__"})
REWRITING = "rewrite"
SEED = 1


@dataclass(frozen=True)
class Parsed:
    """``ast.parse`` over some files in one process: seconds, and files that do not parse. ``peak`` in MiB."""

    files: int
    lines: int
    failed: int
    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True)
class Measured:
    """The costs of one folder; ``ruff`` is None where it is not installed."""

    parsed: Parsed
    ruff: Cost | None
    diff: Cost


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--command", default=shlex.join(ASYNCFIX), help="how asyncfix is run (default: %(default)s)")
    parser.add_argument("--flags", default="--diff --no-cache", help="its options (default: %(default)s)")
    given = parser.parse_args()
    folder: Path = given.folder.resolve()
    if not folder.is_dir():
        parser.error(f"{folder} is no folder")
    command = [*shlex.split(given.command), *shlex.split(given.flags)]
    with tempfile.TemporaryDirectory() as temporary:
        sample = Path(temporary) / folder.name
        copied = copy_tenth(folder, sample)
        if not copied:
            parser.error(f"{folder} has no folders that make up a tenth of it")
        print(f"a tenth of {folder.name}: {copied} folders of it")
        tenth = measure(sample, command)
        show(tenth)
    print(f"all of {folder.name}:")
    whole = measure(folder, command)
    show(whole)
    show_growth(tenth, whole)
    return 1 if {tenth.diff.code, whole.diff.code} - {0, 2} else 0


# ------------------------------------------------------------------------------------------------------------ measuring


def measure(folder: Path, command: Sequence[str]) -> Measured:
    parsed = in_new_process(folder)
    ruff = None
    if shutil.which("ruff"):
        ruff = measured(["ruff", "check", "--select", "ASYNC", "--no-cache", "--isolated", "--quiet", str(folder)])
    diff = measured([*command, str(folder)], extra={"ASYNCFIX_TIMINGS": "1"})
    return Measured(parsed, ruff, diff)


def in_new_process(folder: Path) -> Parsed:
    """``parse_all`` where nothing is warm and nothing else is in memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(parse_all, folder).result()


def parse_all(folder: Path) -> Parsed:
    """Read and parse every Python file of a folder; the search for them is not counted."""
    import ast

    warnings.simplefilter("ignore")
    files = python_files(folder)
    lines = failed = 0
    cpu, wall = time.process_time(), time.perf_counter()
    for path in files:
        data = path.read_bytes()
        lines += data.count(b"\n")
        try:
            ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            failed += 1
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**20
    return Parsed(len(files), lines, failed, cpu, wall, peak)


def python_files(folder: Path) -> list[Path]:
    """The Python files below, without hidden folders and those that hold other people's or generated code."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name.startswith("."):
            continue
        if path.is_dir() and path.name not in NOT_READ and not (path / "pyvenv.cfg").exists():
            found += python_files(path)
        elif path.suffix == ".py" and path.is_file():
            found.append(path)
    return found


# -------------------------------------------------------------------------------------------------------------- a tenth


def copy_tenth(folder: Path, target: Path) -> int:
    """Copy whole folders that hold about a tenth of the bytes of Python, at their own paths: how many were copied."""
    sizes = {path: sum(file.stat().st_size for file in python_files(path)) for path in _folders(folder)}
    wanted = (sum(sizes.values()) + sum(path.stat().st_size for path in folder.glob("*.py"))) / 10
    units = _units(folder, sizes, wanted)
    random.Random(SEED).shuffle(units)
    total = copied = 0
    target.mkdir()
    for unit, size in units:
        if size and total + size <= wanted * 1.05:
            ignored = shutil.ignore_patterns(".*", *NOT_READ)
            shutil.copytree(unit, target / unit.relative_to(folder), symlinks=True, ignore=ignored, dirs_exist_ok=True)
            total += size
            copied += 1
    return copied


def _units(folder: Path, sizes: Mapping[Path, int], wanted: float) -> list[tuple[Path, int]]:
    """Top-level folders with their sizes; one that is larger than what is wanted counts as its sub-folders."""
    units: list[tuple[Path, int]] = []
    for path, size in sizes.items():
        inner = {each: sum(file.stat().st_size for file in python_files(each)) for each in _folders(path)}
        units += _units(path, inner, wanted) if size > wanted / 2 and inner else [(path, size)]
    return units


def _folders(folder: Path) -> list[Path]:
    hidden = (".", "__")
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_dir() and not path.is_symlink() and not path.name.startswith(hidden) and path.name not in NOT_READ
    ]


# ------------------------------------------------------------------------------------------------------------- printing


def show(result: Measured) -> None:
    parsed, diff = result.parsed, result.diff
    print(f"  {parsed.files:,} Python files, {parsed.lines:,} lines ({parsed.failed} do not parse)")
    print(f"  {'':34}{'CPU s':>8}{'of parse':>10}{'wall s':>8}{'of parse':>10}{'MiB, largest':>14}{'MiB, all':>10}")
    _row("ast.parse, one process", parsed.cpu, parsed.wall, parsed.peak, 0.0, parsed)
    if result.ruff is not None:
        _row("ruff check --select ASYNC", *_figures(result.ruff), parsed)
    _row("asyncfix --diff, nothing cached", *_figures(diff), parsed)
    if result.ruff is not None:
        print(f"  asyncfix to ruff: CPU {ratio(diff.cpu, result.ruff.cpu)}, wall {ratio(diff.wall, result.ruff.wall)}")
    if diff.code:
        print(f"  asyncfix ended with {diff.code}: {diff.stderr.decode(errors='replace').strip()[-400:]}")
    show_stages(result)


def _row(title: str, cpu: float, wall: float, largest: float, together: float, base: Parsed) -> None:
    all_of_them = f"{together:>10.0f}" if together else f"{'':>10}"
    of_parse = ratio(cpu, base.cpu), ratio(wall, base.wall)
    print(f"  {title:34}{cpu:>8.2f}{of_parse[0]:>10}{wall:>8.2f}{of_parse[1]:>10}{largest:>14.0f}{all_of_them}")


def _figures(cost: Cost) -> tuple[float, float, float, float]:
    return cost.cpu, cost.wall, cost.largest, cost.together


def show_stages(result: Measured) -> None:
    """CPU and wall by stage, if asyncfix says so; what rewrites is counted apart, for each changed file."""
    stages = timings(result.diff.stderr)
    if not stages:
        return
    for name, (cpu, wall) in stages.items():
        print(f"    {name:12}{cpu:>8.2f} s CPU {wall:>8.2f} s wall")
    cpu, wall = (sum(figures) for figures in zip(*stages.values(), strict=True))
    print(f"    {'(the rest)':12}{result.diff.cpu - cpu:>8.2f} s CPU {result.diff.wall - wall:>8.2f} s wall")
    analysis = sum(cpu for name, (cpu, _) in stages.items() if name != REWRITING)
    rewriting = sum(cpu for name, (cpu, _) in stages.items() if name == REWRITING)
    changed = sum(line.startswith(b"+++ ") for line in result.diff.stdout.split(b"\n"))
    print(
        f"  summarise, link, plan: {analysis:.2f} s CPU, {ratio(analysis, result.parsed.cpu)} of ast.parse (aim: 2.5 x)"
    )
    each = f", {rewriting / changed * 1000:.0f} ms for each of {changed} changed files" if changed else ""
    print(f"  rewrite: {rewriting:.2f} s CPU{each}")


def timings(stderr: bytes) -> dict[str, tuple[float, float]]:
    """The stages of the JSON line that ASYNCFIX_TIMINGS=1 asks for, as seconds of (CPU, wall); empty without one."""
    for line in reversed(stderr.split(b"\n")):
        if line.startswith(b"{"):
            return {name: (stage["cpu"], stage["wall"]) for name, stage in json.loads(line).items()}
    return {}


def show_growth(tenth: Measured, whole: Measured) -> None:
    """Cost against lines, each as all over a tenth: equal figures are linear growth."""
    lines = whole.parsed.lines / max(tenth.parsed.lines, 1)
    print(f"from a tenth to all: {lines:.1f} times the lines")
    print(f"  ast.parse: {ratio(whole.parsed.cpu, tenth.parsed.cpu)} the CPU")
    cpu, memory = whole.diff.cpu / tenth.diff.cpu, ratio(whole.diff.together, tenth.diff.together)
    print(f"  asyncfix: {cpu:.2f} x the CPU ({cpu / lines:.2f} for each line), {memory} the memory of all processes")
    before, after = timings(tenth.diff.stderr), timings(whole.diff.stderr)
    for name in [name for name in before if name in after]:
        print(f"    {name:12}{ratio(after[name][0], before[name][0])} the CPU")


if __name__ == "__main__":
    raise SystemExit(main())
