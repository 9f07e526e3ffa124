"""The clauses of the gate: each looks at the evidence and says whether it holds, with a figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby

from asyncfix.model import Value
from asyncfix.verify.coverage import shares
from asyncfix.verify.evidence import Evidence, Touched
from asyncfix.verify.records import GOOD, Warned

# Points of a hundred that the line coverage of the touched source files may lose.
MOST_LOST = 1.0


class Clause(Value, frozen=True):
    """One condition; ``details`` are lines, the failing ones first."""

    name: str
    holds: bool
    figure: str
    details: tuple[str, ...] = ()


def judge(evidence: Evidence, require_run: bool) -> tuple[Clause, ...]:
    """All clauses, in the order in which they are told; of a run that was stopped no more is known."""
    if evidence.changed.code is None:
        return (_passed(evidence),)
    every: tuple[Callable[[Evidence], Clause], ...] = (
        _imported,
        _collected,
        _skipped,
        _passed,
        _warned,
        _covered,
        lambda found: _ran(found, require_run),
        _sites,
        _again,
    )
    return tuple(clause(evidence) for clause in every)


def _imported(evidence: Evidence) -> Clause:
    """Of an editable install, say, the original would be tested."""
    elsewhere: list[str] = []
    touched = set(evidence.names.values())
    seen: set[str] = set()
    for record, root in zip(evidence.records, (evidence.roots[0], *evidence.roots), strict=True):
        for name, files in record.modules.items():
            wrong = sorted(file for file in files if not file.startswith(f"{root}/"))
            elsewhere += [f"{name} was imported from {file}" for file in wrong]
        seen |= {path for path in touched if f"{root}/{path}" in record.lines}
        elsewhere += [
            f"tests of {file}" for file in sorted({*record.tests.values()}) if not file.startswith(f"{root}/")
        ]
    figure = f"{len(seen)} of {len(touched)} touched modules imported"
    return Clause("touched modules come from the copy", not elsewhere, figure, tuple(dict.fromkeys(elsewhere)))


def _collected(evidence: Evidence) -> Clause:
    before, after = evidence.records[0], evidence.records[2]
    lost, new = before.tests.keys() - after.tests.keys(), after.tests.keys() - before.tests.keys()
    broken = {name: text for name, text in after.messages.items() if name not in after.outcomes}
    details = (
        *(() if after.tests else evidence.changed.tail),
        *(f"{name}: {text}" for name, text in sorted(broken.items())),
        *(f"no longer there: {name}" for name in sorted(lost)),
        *(f"new: {name}" for name in sorted(new)),
    )
    figure = f"{len(before.tests)} before, {len(after.tests)} after"
    return Clause("the same tests are collected", not (lost or new), figure, details)


def _skipped(evidence: Evidence) -> Clause:
    before, after = evidence.records[0], evidence.records[2]
    was, now = before.with_outcome("skipped"), after.with_outcome("skipped")
    details = tuple(f"{name}: {after.messages.get(name, '')}" for name in sorted(now - was))
    return Clause("no test is newly skipped", not details, f"{len(was)} before, {len(now)} after", details)


def _passed(evidence: Evidence) -> Clause:
    """A test that nothing ran because it is async has not passed, whatever the exit code."""
    before, after = evidence.records[0], evidence.records[2]
    was, now = before.with_outcome(*GOOD), after.with_outcome(*GOOD)
    details = [f"{name}: {after.messages.get(name) or 'did not run'}" for name in sorted(was - now)]
    if evidence.changed.code is None:
        at = ", ".join(evidence.changed.at_work) or "its start"
        failed = [f"{name}: {after.messages[name]}" for name in sorted((was - now) & after.messages.keys())]
        details = [
            f"stopped after {evidence.changed.seconds:.0f} s, at {at}; the other clauses are not judged",
            *failed,
        ]
    elif evidence.changed.code != 0:
        details.append(f"the command ended with exit code {evidence.changed.code}")
    return Clause("what passed before passes", not details, f"{len(was & now)} of {len(was)}", tuple(details))


def _warned(evidence: Evidence) -> Clause:
    """When an object goes whose errors nobody can raise is a matter of time, and so is all that two runs without the changes do
    not agree about: such a text is new only where it was never heard."""
    name = "nothing is left unawaited, unraisable or unclosed"
    first, second, after = (record.counted() for record in evidence.records)
    loose = {
        (item.kind, item.text) for item in first | second if item.kind == "unraisable" or first[item] != second[item]
    }
    new = [item for item in after if (item.kind, item.text) not in loose and _is_new(item, after, first | second)]
    figure = f"{len(new)} new, {after.total() - sum(after[item] for item in new)} as before"
    return Clause(name, not new, figure, tuple(map(_told, sorted(new))))


def _is_new(item: Warned, after: Counter[Warned], before: Counter[Warned]) -> bool:
    """Whether it is heard more often in the tests of that file than before; of things that were left unclosed there the garbage
    collector decides how often."""
    return after[item] > before[item] and not (before[item] and item.kind == "unclosed")


def _told(item: Warned) -> str:
    return f"{item.file or 'outside tests'}: {item.kind}: {item.text}"


def _covered(evidence: Evidence) -> Clause:
    """Files that no test imports have nothing to lose; which new statements count, `asyncfix.verify.coverage` says."""
    name = f"line coverage of touched source drops by at most {MOST_LOST:g} point"
    source = [item for path, item in evidence.touched.items() if path not in evidence.tests and item.before]
    before, after = shares(source)
    figure = f"{before:.1f} % before, {after:.1f} % after"
    worse = [item for item in source if len(item.after) < len(item.before)]
    details = tuple(f"{item.file.path}: {len(item.before)} lines ran before, {len(item.after)} after" for item in worse)
    return Clause(name, before - after <= MOST_LOST, figure, details if before - after > MOST_LOST else ())


def _ran(evidence: Evidence, require_run: bool) -> Clause:
    failed: list[str] = []
    unproven: list[str] = []
    numbers = [0, 0, 0]
    for path, item in evidence.touched.items():
        parts = _proven(item)
        numbers = [number + len(part) for number, part in zip(numbers, parts, strict=True)]
        failed += [f"ran before, not after: {path}:{_ranges(lines)}" for lines in parts[1:2] if lines]
        unproven += [f"unproven, not run before: {path}:{_ranges(lines)}" for lines in parts[2:] if lines]
    figure = f"{numbers[0]} ran, {numbers[1]} no longer, {numbers[2]} unproven"
    holds = not failed and not (require_run and unproven)
    return Clause("changed lines that ran before run after", holds, figure, (*failed, *unproven))


def _proven(item: Touched) -> tuple[set[int], set[int], set[int]]:
    """The changed statements of a file: proven, failing, unproven. Where a part of what was replaced had run, some of what is
    in its place must."""
    proven: set[int] = set()
    failing: set[int] = set()
    unproven: set[int] = set()
    for pair in item.pairs:
        ran = [line in item.before for line in pair.old]
        now = {line for line in pair.new if line in item.after}
        proven |= now if any(ran) else set()
        late = set(pair.new) - (now if any(ran) else set())
        (failing if all(ran) or (any(ran) and not now) else unproven).update(late)
    return proven, failing - proven, unproven - proven - failing


def _ranges(numbers: Iterable[int]) -> str:
    """``3-5,8`` for 3, 4, 5 and 8."""
    found: list[str] = []
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        lines = [number for _, number in run]
        found.append(f"{lines[0]}-{lines[-1]}" if len(lines) > 1 else str(lines[0]))
    return ",".join(found)


def _sites(evidence: Evidence) -> Clause:
    all_, ran = evidence.sites()
    return Clause("a changed blocking site ran", ran > 0, f"{ran} of {all_}")


def _again(evidence: Evidence) -> Clause:
    details = tuple(f"would change again: {path}" for path in evidence.again)
    return Clause("a second run changes nothing", not details, f"{len(details)} files", details)
