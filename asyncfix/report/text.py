"""The report for people: findings grouped by the leaf that blocks, worst leaf first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from asyncfix.model import Change, Finding, Place, Refusal
from asyncfix.outcome import Outcome
from asyncfix.report.style import Paint, counted, printable, shown_path

MOST_REASONS = 3  # that are told of one Change; all of them stand in `--output-format json`


def text_report(outcome: Outcome, here: str, paint: Paint) -> Iterator[str]:
    """Lines without ends; paths count from the folder ``here``."""
    changes = {change.id: change for change in outcome.changes}
    refusals = {(refusal.finding.rule, refusal.finding.place): refusal for refusal in outcome.refusals}
    for leaf, findings in _by_leaf(outcome.findings):
        if leaf:
            yield paint(f"{printable(leaf)} holds up {counted(_held_up(findings), 'async function')}", "heading")
        for finding in findings:
            refusal = refusals.get((finding.rule, finding.place))
            yield _where(outcome.root, here, finding, paint)
            yield from (f"    {line}" for line in _path(outcome.root, here, finding))
            yield f"    {_remedy(finding, changes.get(finding.change or ''), refusal, paint)}"
        yield ""
    yield _total(outcome.findings)


def statistics(findings: Sequence[Finding], paint: Paint) -> Iterator[str]:
    """One line for each rule, the most frequent first."""
    by_rule = Counter(finding.rule for finding in findings)
    width = len(str(max(by_rule.values(), default=0)))
    for rule, number in sorted(by_rule.items(), key=lambda pair: (-pair[1], pair[0])):
        mended = _mended([finding for finding in findings if finding.rule == rule])
        yield f"{number:>{width}}  {paint(printable(rule), 'heading')}  {mended}"
    yield _total(findings)


def _by_leaf(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    groups: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=_position):
        groups.setdefault(finding.leaf, []).append(finding)
    # Findings without a leaf (a suppression that is not used) come last.
    return sorted(groups.items(), key=lambda group: (not group[0], -_held_up(group[1]), _position(group[1][0])))


def _position(finding: Finding) -> tuple[str, int, int, str, str]:
    place = finding.place
    return place.path, place.line, place.column, finding.rule, finding.message


def _held_up(findings: Sequence[Finding]) -> int:
    return len({(finding.place.path, finding.owner) for finding in findings})


def _where(root: str, here: str, finding: Finding, paint: Paint) -> str:
    place: Place = finding.place
    spot = f"{shown_path(root, place.path, here)}:{place.line}:{place.column}"
    return f"  {spot}: {paint(printable(finding.rule), 'bad')} {printable(finding.message)}"


def _path(root: str, here: str, finding: Finding) -> Iterator[str]:
    """The chain of functions down to the leaf, if there is anything between."""
    names = [hop.function for hop in finding.via]
    if names and names[0] != finding.owner:
        names.insert(0, finding.owner)
    if len(names) > 2:
        last = finding.via[-1]
        yield f"{printable(' -> '.join(names))} ({shown_path(root, last.path, here)}:{last.line})"


def _remedy(finding: Finding, change: Change | None, refusal: Refusal | None, paint: Paint) -> str:
    """Whether a Change mends it, or why none does."""
    if change is not None and finding.safety == "safe":
        return f"{paint('SAFE', 'safe')}: {printable(change.title)}"
    if change is not None:
        more = len(change.reasons) - MOST_REASONS
        rest = (f"and {more} more (`--output-format json` names them)",) if more > 0 else ()
        told = (change.title, *change.reasons[:MOST_REASONS], *rest)
        return f"{paint('UNSAFE', 'unsafe')}: {printable('; '.join(told))}"
    if refusal is not None:
        return f"{paint('not mended', 'faint')}: {printable(refusal.message)} [{printable(refusal.reason)}]"
    return f"{paint('not mended', 'faint')}: see `asyncfix rule {printable(finding.rule)}`"


def _total(findings: Sequence[Finding]) -> str:
    if not findings:
        return "No findings."
    files = len({finding.place.path for finding in findings})
    return f"{counted(len(findings), 'finding')} in {counted(files, 'file')}: {_mended(findings)}."


def _mended(findings: Sequence[Finding]) -> str:
    by_safety = Counter(finding.safety for finding in findings)
    parts = [(by_safety["safe"], "SAFE"), (by_safety["unsafe"], "UNSAFE"), (by_safety[None], "not mended")]
    return ", ".join(f"{number} {word}" for number, word in parts if number)
