"""How one Change is put to a person."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.model import Change
from asyncfix.report.style import Paint, Style, counted, printable, safety_label

PROMPT = "Make this change [y,n,a,d,q,?]? "

HELP = """\
y - yes, make this change
n - no, leave it
a - yes, and so for all later changes of this rule
d - no, and so for all later changes of this rule
q - stop here; what got a yes is made
? - this help"""

_MARKS: dict[str, Style] = {"+": "added", "-": "removed", "@": "hunk"}


def question(change: Change, diff: bytes, paint: Paint) -> Iterator[str]:
    """The lines to show: what it is, its diff in all files, and why it is believed safe or what is unproven."""
    safety = safety_label(change.safety, paint)
    files = counted(len(change.files), "file")
    yield f"{paint(printable(f'{change.rule}: {change.title}'), 'heading')} ({files}) {safety}"
    yield from (_line(line, paint) for line in diff.decode("utf-8", "surrogateescape").split("\n") if line)
    yield from (f"  {'safe' if change.safety == 'safe' else 'unproven'}: {printable(why)}" for why in change.reasons)


def _line(line: str, paint: Paint) -> str:
    """A line of the diff; tabs stay, other control characters are written as escapes."""
    text = "\t".join(printable(part) for part in line.removesuffix("\r").split("\t"))
    if line.startswith(("--- ", "+++ ", "diff ")):
        return paint(text, "heading")
    return paint(text, _MARKS[line[0]]) if line[0] in _MARKS else text
