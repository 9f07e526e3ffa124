"""What a run came to: the one line that ends ``--diff`` and ``--apply``, and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from asyncfix.model import Change
from asyncfix.outcome import Options, Outcome
from asyncfix.report.style import counted, printable, shown_path
from asyncfix.select import chosen

# How many reasons of refusal the line names.
_REASONS = 3


def summary(outcome: Outcome, options: Options) -> str:
    """How many SAFE and UNSAFE Changes were taken or held back, what was refused, what this command leaves alone."""
    return "asyncfix: " + "; ".join(_parts(outcome, options))


def exit_code(outcome: Outcome, options: Options) -> int:
    """0, 1 or 2, as `asyncfix --help` says."""
    if outcome.errors or any(skipped.failed for skipped in outcome.skipped):
        return 2
    if options.mode == "report":
        return 1 if outcome.findings else 0
    return 1 if options.check and _left(outcome, options) else 0


def trouble(outcome: Outcome, here: str) -> Iterator[str]:
    """What stderr says before anything else: internal errors, files that were left out one by one, notes."""
    yield from (f"asyncfix: internal error: {printable(error)}" for error in outcome.errors)
    for skipped in outcome.skipped:
        yield f"asyncfix: {shown_path(outcome.root, skipped.path, here)}: {printable(skipped.reason)}"
    yield from (f"asyncfix: {printable(note)}" for note in outcome.notes)


def left_out(ignored: dict[str, int]) -> str:
    """``5 files left out: 3 git-ignored, 2 generated``, or nothing."""
    if not ignored:
        return ""
    return f"{counted(sum(ignored.values()), 'file')} left out: {_ranked(Counter(ignored), len(ignored))}"


def sync_sites(outcome: Outcome, options: Options) -> Iterator[str]:
    """How many blocking calls ``--migrate`` would take as well, if any."""
    if outcome.sync_sites:
        calls = counted(outcome.sync_sites, "blocking call")
        yield f"{calls} in sync code that no async code reaches left alone{'' if options.migrate else ' (see --migrate)'}"


def _left(outcome: Outcome, options: Options) -> bool:
    """Whether anything that these options allow is not written."""
    fixable = {change.id for change in chosen(outcome.changes, unsafe=options.unsafe, named=options.changes)}
    return bool(fixable - outcome.taken if options.mode == "apply" else fixable)


def _parts(outcome: Outcome, options: Options) -> Iterator[str]:
    taken = [change for change in outcome.changes if change.id in outcome.taken]
    yield _taken(taken, outcome, options)
    held = Counter(change.safety for change in outcome.changes if change.id not in outcome.taken)
    if held["safe"]:
        yield f"{held['safe']} SAFE held back"
    if held["unsafe"]:
        flag = (
            "" if options.unsafe else " (--unsafe shows them)" if options.mode == "diff" else " (--unsafe takes them)"
        )
        yield f"{held['unsafe']} UNSAFE held back{flag}"
    if outcome.refusals:
        reasons = Counter(refusal.reason for refusal in outcome.refusals)
        yield f"{len(outcome.refusals)} refused ({_ranked(reasons, _REASONS)})"
    yield from sync_sites(outcome, options)


def _taken(taken: Sequence[Change], outcome: Outcome, options: Options) -> str:
    by_safety = Counter(change.safety for change in taken)
    numbers = f"{by_safety['safe']} SAFE"
    if by_safety["unsafe"]:
        numbers += f" and {by_safety['unsafe']} UNSAFE"
    noun = "change" if len(taken) == 1 else "changes"
    if options.mode == "diff":
        return f"{numbers} {noun} shown in {counted(len(outcome.files), 'file')}"
    undo = " (`asyncfix undo` takes them back)" if outcome.files else ""
    return f"{numbers} {noun} written to {counted(len(outcome.files), 'file')}{undo}"


def _ranked(numbers: Counter[str], most: int) -> str:
    """``3 pinned, 2 overridden``; the commonest first, those beyond ``most`` in one sum."""
    ranked = sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))
    parts = [f"{number} {printable(name)}" for name, number in ranked[:most]]
    rest = sum(number for _, number in ranked[most:])
    return ", ".join([*parts, f"{rest} other"] if rest else parts)
