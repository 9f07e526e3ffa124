"""Functions that a command runs: they stay as they are, and run a coroutine.

Console scripts of a build file, and commands of click and typer.
"""

from __future__ import annotations

from asyncfix.boundary import Boundary, Candidate, Met

LASTS = ("command", "group", "callback")


class Commands(Boundary):
    """Console scripts, click, typer."""

    decorators = ("click.*", "typer.*")

    def meets(self, candidate: Candidate) -> Met | None:
        if candidate.fact.kind != "function" or candidate.fact.outer:
            return None
        framework = candidate.imports & {"click", "typer"}
        lasts = {decorator.removesuffix("()").rpartition(".")[2] for decorator in candidate.decorators}
        return Met(turns=False) if candidate.named or (framework and lasts & set(LASTS)) else None
