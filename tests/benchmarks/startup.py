"""What it costs to start: ``python -m tests.benchmarks.startup [--runs N]``, from the project's root.

Prints CPU (user and system) of ``--help`` and ``--version``, beside that of a bare interpreter, and which of the heavy
modules were imported.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence

from tests.benchmarks.measure import ASYNCFIX, measured

HEAVY = ("libcst", "black", "pydantic", "difflib", "tomlkit", "rich", "typer")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs: int = parser.parse_args().runs
    show("python -c pass", [sys.executable, "-c", "pass"], runs)
    failed = False
    for option in ("--help", "--version"):
        failed |= show(f"asyncfix {option}", [*ASYNCFIX, option], runs)
        loaded = imported([*ASYNCFIX[1:], option])
        heavy = ", ".join(name for name in HEAVY if name in loaded) or "none"
        print(f"  {len(loaded)} modules imported; of {', '.join(HEAVY)}: {heavy}")
    return int(failed)


def show(title: str, command: Sequence[str], runs: int) -> bool:
    """Print the CPU of a command; True if it failed."""
    costs = [measured(command) for _ in range(runs)]
    times = [cost.cpu * 1000 for cost in costs]
    print(f"{title}: CPU {min(times):.0f} ms at least, {statistics.median(times):.0f} ms in the middle, of {runs} runs")
    failed = next((cost for cost in costs if cost.code), None)
    if failed is not None:
        print(f"  exit code {failed.code}: {failed.stderr.decode(errors='replace').strip()[-300:]}")
    return failed is not None


def imported(arguments: Sequence[str]) -> frozenset[str]:
    """Names of the modules that a run of Python with these arguments imports."""
    lines = measured([sys.executable, "-X", "importtime", *arguments]).stderr.decode(errors="replace").splitlines()
    return frozenset(line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:"))


if __name__ == "__main__":
    raise SystemExit(main())
