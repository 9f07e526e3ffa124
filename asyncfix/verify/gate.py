"""The gate: the chosen Changes in one copy of the tree, none in another, the user's command in both, and what differs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from asyncfix import pipeline
from asyncfix.colour.remedies import REMEDIES
from asyncfix.config import ConfigError
from asyncfix.model import Value
from asyncfix.outcome import Options, Outcome
from asyncfix.pipeline import Stop
from asyncfix.verify.clauses import Clause, judge
from asyncfix.verify.copies import copy, put
from asyncfix.verify.evidence import Evidence
from asyncfix.verify.roots import Roots, roots
from asyncfix.verify.run import Place, Run, program, run

# A changed program may wait for ever: after that many times what the slower baseline took, but not before so many seconds, it
# is stopped.
_PATIENCE = 5
_SECONDS = 60


class Verdict(Value, frozen=True):
    """What the gate says; ``changes`` and ``files`` count what was chosen, ``tail`` is the end of the last run's output."""

    clauses: tuple[Clause, ...]
    changes: int
    files: int
    tail: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every clause does."""
        return all(clause.holds for clause in self.clauses)


class Demands(Value, frozen=True):
    """What a person asks of the gate. ``require_run``: every line that changes was run before; ``timeout``: seconds after which
    the run with the changes is stopped, None for some time more than the runs without them took."""

    require_run: bool = False
    timeout: float | None = None


class NoVerdict(Stop):
    """The gate cannot judge: one line why, and lines that help to see it."""

    def __init__(self, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)


def verify(
    outcome: Outcome, options: Options, command: Sequence[str], demands: Demands, tell: Callable[[str], None]
) -> Verdict:
    """Judge the files of an outcome, which these options chose, by what the command does; ``tell`` is told how far it is.

    Raises NoVerdict, what `pipeline.run` does, and OSError.
    """
    if program(command[0]) is None:
        raise NoVerdict(f"{command[0]}: command not found")
    if not outcome.files:
        raise _nothing(outcome)
    with tempfile.TemporaryDirectory(prefix="asyncfix-verify-", ignore_cleanup_errors=True) as folder:
        evidence = _runs(outcome, options, command, Path(os.path.realpath(folder)), demands.timeout, tell)
    return Verdict(judge(evidence, demands.require_run), len(outcome.taken), len(outcome.files), evidence.changed.tail)


def _nothing(outcome: Outcome) -> NoVerdict:
    """Why no file would change: what is held back, and by what the rest is refused, the commonest reason first."""
    held = len({change.id for change in outcome.changes} - outcome.taken)
    refused: dict[str, list[str]] = {}
    for refusal in outcome.refusals:
        refused.setdefault(refusal.reason, []).append(refusal.message)
    details = (
        f"{len(said)} not mended [{reason}]: {said[0]}{f'; {REMEDIES[reason]}' if reason in REMEDIES else ''}"
        for reason, said in sorted(refused.items(), key=lambda item: (-len(item[1]), item[0]))
    )
    why = f", {held} were held back" if held else ""
    return NoVerdict(f"nothing to verify: no change was chosen{why}", tuple(details))


def _runs(
    outcome: Outcome,
    options: Options,
    command: Sequence[str],
    base: Path,
    timeout: float | None,
    tell: Callable[[str], None],
) -> Evidence:
    original = Path(outcome.root)
    first, second = (base / number / (original.name or "project") for number in ("1", "2"))
    for target in (first, second):
        for reason in copy(original, target):
            tell(f"not copied: {reason}")
    put(outcome.files, second)
    again = _again(options, original, second)
    watched = [item.path for item in outcome.files if item.path.endswith(".py")]
    known = roots(original, (item.path for item in outcome.files if item.path in watched and item.old is not None))
    tell("first run without the changes ...")
    place = _place(first, original, known, watched)
    one = _baseline(run(command, place, base / "first"))
    tell(f"collected {len(one.record.tests)}, done in {one.seconds:.1f} s; second run without the changes ...")
    two = _baseline(run(command, place, base / "second"))
    _refuse_unsteady(one, two)
    limit = timeout or max(_PATIENCE * max(one.seconds, two.seconds), _SECONDS)
    tell(f"run with the changes, for {limit:.0f} s at most ...")
    three = run(command, _place(second, original, known, watched), base / "third", limit)
    return Evidence(outcome, (one, two), three, (str(first), str(second)), known.names, again)


def _again(options: Options, original: Path, changed: Path) -> tuple[str, ...]:
    """The files that a second run with the same options would change, before anything else has been run there."""
    paths = [Path(os.path.realpath(path)) for path in options.paths]
    moved = tuple(str(changed / path.relative_to(original)) for path in paths if path.is_relative_to(original))
    try:
        outcome = pipeline.run(msgspec.structs.replace(options, mode="diff", paths=moved, use_cache=False))
    except ConfigError:
        if not options.changes:
            raise
        return ()  # the changes that were chosen are no more
    return tuple(item.path for item in outcome.files)


def _place(root: Path, original: Path, known: Roots, watched: Sequence[str]) -> Place:
    here = Path.cwd()
    inside = here.relative_to(original).as_posix() if here.is_relative_to(original) else "."
    return Place(str(root), str(original), inside, known.folders, tuple(watched), tuple(known.names))


def _baseline(done: Run) -> Run:
    """The run, if it is green. Raises NoVerdict."""
    record = done.record
    if done.code != 0:
        failed = sorted(name for name in record.messages if record.outcomes.get(name, "failed") == "failed")
        told = [f"{name}: {record.messages[name]}" for name in failed] or done.tail
        raise NoVerdict(f"without the changes the command already ends with exit code {done.code}", told)
    if not record.tests:
        raise NoVerdict(
            "nothing can be measured: the command left no record of any test (only pytest is understood, and it must get "
            "PYTHONPATH and PYTEST_ADDOPTS from the environment)",
            done.tail,
        )
    return done


def _refuse_unsteady(one: Run, two: Run) -> None:
    """Raise NoVerdict if the two baselines differ: what differs by itself cannot be compared."""
    first, second = one.record, two.record
    known = {*first.outcomes, *second.outcomes}
    ids = {name for name in known if _steady(first.outcomes.get(name)) != _steady(second.outcomes.get(name))}
    ids |= first.tests.keys() ^ second.tests.keys()
    if ids:
        raise NoVerdict("two runs without the changes already differ; leave these tests out", sorted(ids))


def _steady(outcome: str | None) -> str | None:
    """Of a test that is expected to fail it does not matter whether it does."""
    return "xfailed" if outcome == "xpassed" else outcome
