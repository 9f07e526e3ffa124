"""Combines the edits of one file: many edits in any order become one list of disjoint replacements, or a conflict.

A Wrap leaves its inside to others, so it becomes two insertions, one at each end. At one point there stand the ends of
the Wraps that close there, inner first, then the beginnings of those that open there, outer first. An insertion on the
border of a Wrap could be meant inside or outside, so these two conflict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from asyncfix.model import Edit, Replace, Span, Value, Wrap


class Conflict(Value, frozen=True):
    """Two edits of those given that cannot both stand; ``first`` begins first."""

    first: Edit
    second: Edit


def merge(edits: Iterable[Edit]) -> tuple[Replace, ...] | Conflict:
    """All edits as disjoint Replaces in the order of the file, the same for every order of ``edits``.

    Equal edits count once. At one point an insertion (a Replace of an empty span) stands before what replaces the bytes
    behind it. A Replace of the very span of a Wrap stands inside it. A Wrap of an empty span is an insertion.
    """
    ordered = sorted(set(edits), key=_order)
    return _conflict(ordered) or _flattened(ordered)


def _order(edit: Edit) -> tuple[int, int, bool, int, str, str]:
    """What begins first; of what begins at one point the outer first, insertions last."""
    start, end = edit.span.start, edit.span.end
    match edit:
        case Wrap():
            return start, -end, False, -edit.rank, edit.before, edit.after
        case Replace():
            return start, -end, True, 0, edit.text, ""


def _conflict(ordered: Sequence[Edit]) -> Conflict | None:
    """The first two edits that cannot both stand."""
    replaced: Replace | None = None
    around: list[Wrap] = []
    points: dict[int, Edit] = {}
    for edit in ordered:
        span = edit.span
        while around and around[-1].span.end <= span.start:
            around.pop()
        if replaced is not None and replaced.span.overlaps(span):
            return Conflict(replaced, edit)
        if around and (not around[-1].span.contains(span) or _same_layer(around[-1], edit)):
            return Conflict(around[-1], edit)
        if _is_empty(span):
            if span.start in points:
                return Conflict(points[span.start], edit)
            points[span.start] = edit
        elif isinstance(edit, Wrap):
            around.append(edit)
            points.setdefault(span.start, edit)
            points.setdefault(span.end, edit)
        else:
            replaced = edit
    return None


def _same_layer(outer: Wrap, edit: Edit) -> bool:
    return isinstance(edit, Wrap) and outer.span == edit.span and outer.rank == edit.rank


def _is_empty(span: Span) -> bool:
    return span.start == span.end


def _flattened(ordered: Sequence[Edit]) -> tuple[Replace, ...]:
    """Edits without conflict as disjoint Replaces, sorted."""
    wraps = [edit for edit in ordered if isinstance(edit, Wrap)]
    replaces = [edit for edit in ordered if isinstance(edit, Replace)]
    inserted: defaultdict[int, str] = defaultdict(str)
    for wrap in reversed(wraps):
        if not _is_empty(wrap.span):
            inserted[wrap.span.end] += wrap.after
    for replace in replaces:
        if _is_empty(replace.span):
            inserted[replace.span.start] += replace.text
    for wrap in wraps:
        inserted[wrap.span.start] += wrap.before + (wrap.after if _is_empty(wrap.span) else "")
    insertions = [Replace(Span(point, point), text) for point, text in inserted.items() if text]
    return tuple(sorted([*insertions, *(r for r in replaces if not _is_empty(r.span))], key=lambda r: r.span))
