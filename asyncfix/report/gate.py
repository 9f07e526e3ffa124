"""The verdict of the gate: a line for each clause, or a JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator

from asyncfix.report.style import Paint, counted, printable
from asyncfix.verify.clauses import Clause
from asyncfix.verify.gate import Verdict

_VERSION = 1
# How many lines a clause has on a page; the document has them all.
_DETAILS = 20


def gate_text(verdict: Verdict, paint: Paint) -> Iterator[str]:
    """Lines without ends."""
    width = max(len(clause.name) for clause in verdict.clauses)
    for clause in verdict.clauses:
        yield f"{_word(clause, paint)}  {clause.name:<{width}}  {printable(clause.figure)}"
        yield from (f"          {printable(line)}" for line in clause.details[:_DETAILS])
        if len(clause.details) > _DETAILS:
            yield f"          and {len(clause.details) - _DETAILS} more"
    yield _total(verdict)


def gate_json(verdict: Verdict) -> str:
    """The document of ``--output-format json``.

    version   1
    passed    true or false
    changes, files   how many were chosen, and how many files they change
    clauses   name, passed (likewise), figure, details
    tail      the last lines that the command printed when it ran with the changes
    """
    document = {
        "version": _VERSION,
        "passed": verdict.holds,
        "changes": verdict.changes,
        "files": verdict.files,
        "clauses": [
            {"name": item.name, "passed": item.holds, "figure": item.figure, "details": list(item.details)}
            for item in verdict.clauses
        ],
        "tail": list(verdict.tail),
    }
    return json.dumps(document, indent=2)


def _word(clause: Clause, paint: Paint) -> str:
    return paint("ok      ", "safe") if clause.holds else paint("FAILED  ", "bad")


def _total(verdict: Verdict) -> str:
    what = f"{counted(verdict.changes, 'change')} in {counted(verdict.files, 'file')}"
    failed = sum(not clause.holds for clause in verdict.clauses)
    if failed:
        return f"The gate is shut: {what}, {failed} of {counted(len(verdict.clauses), 'clause')} failed."
    return f"The gate is open: {what}, all {counted(len(verdict.clauses), 'clause')} hold."
