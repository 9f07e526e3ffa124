"""Functions that a command runs: they stay as they are, and run a coroutine.

Console scripts of a build file, commands of click and typer, and those that a parser of `argparse` names by ``set_defaults``.
"""

from __future__ import annotations

from asyncfix.boundary import ANY, Boundary, Candidate, Met

LASTS = ("command", "group", "callback")
GIVEN = {
    "argparse.ArgumentParser.set_defaults": (-1, ANY),
    "click.command()": (0, "f"),
    "fire.Fire": (0, "component"),
    "typer.run": (0, "function"),
    "typer.Typer().command()": (0, "f"),
    "typer.Typer().callback()": (0, "f"),
}


class Commands(Boundary):
    """Console scripts, click, typer, argparse, fire."""

    decorators = ("click.*", "typer.*")
    takes = GIVEN

    def meets(self, candidate: Candidate) -> Met | None:
        if candidate.fact.kind != "function" or candidate.fact.outer:
            return None
        framework = candidate.imports & {"click", "typer"}
        lasts = {decorator.removesuffix("()").rpartition(".")[2] for decorator in candidate.decorators}
        runs = candidate.named or (framework and lasts & set(LASTS)) or not candidate.given.isdisjoint(GIVEN)
        return Met(turns=False) if runs else None
