"""The report for programs: one JSON document, or workflow commands of GitHub Actions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from asyncfix.colour.remedies import REMEDIES
from asyncfix.model import Change, Finding, Refusal
from asyncfix.outcome import Outcome

# Of the document, not of asyncfix: raised when something is taken away from it or means something else.
_VERSION = 1
# What the runner would take for the end of a message, or of a property.
_IN_MESSAGE = "%\r\n"
_IN_PROPERTY = "%\r\n:,"


def json_report(outcome: Outcome) -> str:
    """The document of ``--output-format json``; paths count from the root, lines and columns from 1, in characters.

    version   1
    findings  rule, path, line, column, end_line, end_column, message, owner (qualified name of the function),
              safety (``safe``, ``unsafe`` or null), via (function, path, line; the leaf last), change (an id or null)
    changes   id, title, safety, files (with those of dependencies, less generated modules), needs (ids), reasons
    refusals  rule, path and line of the finding, reason (a stable code), message, remedy (what a person could do; null
              where the page of the rule tells)
    skipped   path, reason
    sync_sites   how many blocking calls in sync code --migrate would take as well
    """
    document = {
        "version": _VERSION,
        "findings": [_finding(finding) for finding in outcome.findings],
        "changes": [_change(change) for change in outcome.changes],
        "refusals": [_refusal(refusal) for refusal in outcome.refusals],
        "skipped": [{"path": skipped.path, "reason": skipped.reason} for skipped in outcome.skipped],
        "sync_sites": outcome.sync_sites,
    }
    return json.dumps(document, indent=2)


def _finding(finding: Finding) -> dict[str, object]:
    place = finding.place
    return {
        "rule": finding.rule,
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "message": finding.message,
        "owner": finding.owner,
        "safety": finding.safety,
        "via": [{"function": hop.function, "path": hop.path, "line": hop.line} for hop in finding.via],
        "change": finding.change,
    }


def _change(change: Change) -> dict[str, object]:
    return {
        "id": change.id,
        "title": change.title,
        "safety": change.safety,
        "files": list(change.files),
        "needs": list(change.needs),
        "reasons": list(change.reasons),
    }


def _refusal(refusal: Refusal) -> dict[str, object]:
    finding = refusal.finding
    return {
        "rule": finding.rule,
        "path": finding.place.path,
        "line": finding.place.line,
        "reason": refusal.reason,
        "message": refusal.message,
        "remedy": REMEDIES.get(refusal.reason),
    }


def github_report(outcome: Outcome) -> Iterator[str]:
    """One workflow command for each finding, and for each file that should have been processed and could not be."""
    for finding in outcome.findings:
        place = finding.place
        yield _command(
            "warning",
            finding.message,
            file=_from_repository(outcome, place.path),
            line=str(place.line),
            endLine=str(place.end_line),
            col=str(place.column),
            endColumn=str(place.end_column),
            title=f"asyncfix {finding.rule}",
        )
    for skipped in outcome.skipped:
        if skipped.failed:
            yield _command("error", skipped.reason, file=_from_repository(outcome, skipped.path), title="asyncfix")
    for error in outcome.errors:
        yield _command("error", error, title="asyncfix")


def _from_repository(outcome: Outcome, path: str) -> str:
    """GitHub counts paths from the top of the repository."""
    return os.path.relpath(Path(outcome.root, path), outcome.patch_root).replace(os.sep, "/")


def _command(kind: str, message: str, **properties: str) -> str:
    """Escaped as the runner undoes it: a line end or ``::`` in a file name must not begin a command of its own."""
    written = ",".join(f"{name}={_escaped(value, _IN_PROPERTY)}" for name, value in properties.items())
    return f"::{kind} {written}::{_escaped(message, _IN_MESSAGE)}"


def _escaped(text: str, special: str) -> str:
    return "".join(f"%{ord(char):02X}" if char in special else char for char in text)
