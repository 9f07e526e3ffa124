"""The plan as a document: for people, or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from asyncfix.colour.remedies import REMEDIES
from asyncfix.plan.barriers import Cause
from asyncfix.plan.document import Document, End, Obstacle, Package, Step, Unfit
from asyncfix.report.style import Paint, counted, printable, safety_label, shown_path

_VERSION = 1
# How many names, places and barriers a page has room for; the JSON document has them all.
_NAMES = 6
_OBSTACLES = 25

_ENDS: Mapping[str, str] = {
    "command": "entry point",
    "program": "program",
    "test": "test",
    "framework": "called by a framework",
    "async": "async already",
    "uncalled": "not called in the project",
}


def plan_text(document: Document, root: str, here: str, paint: Paint) -> Iterator[str]:
    """Lines without ends; paths count from the folder ``here``."""
    yield from _total(document)
    if document.packages:
        yield ""
        yield paint("By package", "heading")
        yield from _table(document.packages)
    for title, steps in _groups(document.steps):
        yield ""
        yield paint(title, "heading")
        for step in steps:
            yield from _step(step, root, here, paint)
    barriers = [_obstacle(item, root, here, paint) for item in document.obstacles]
    yield from _section("Barriers, by what the removal of each alone would free", barriers, paint)
    unfit = [_unfit(item, root, here, paint) for item in document.unfit]
    yield from _section("Calls that there is no form for, whatever the way up", unfit, paint)
    if document.several:
        calls = counted(document.several, "blocking call")
        yield ""
        yield f"More than one barrier is in the way of {calls}: the removal of one alone does not free them."


def _section(title: str, items: Sequence[Iterator[str]], paint: Paint) -> Iterator[str]:
    """A heading with as many items as there is room for, nothing without any."""
    if items:
        yield ""
        yield paint(title, "heading")
        for lines in items[:_OBSTACLES]:
            yield from lines
        if len(items) > _OBSTACLES:
            yield f"  and {len(items) - _OBSTACLES} more (--output-format json)"


def _total(document: Document) -> Iterator[str]:
    steps = document.steps
    by_safety = Counter(step.change.safety for step in steps)
    partly = f" ({document.partly} of them not on all ways)" if document.partly else ""
    mended = sum(item.safe + item.unsafe for item in document.packages)
    barred = sum(item.barred for item in document.packages)
    functions = len({name for step in steps for name in step.functions})
    files = len({path for step in steps for path in step.change.files})
    if not steps and not barred:
        yield "Nothing to migrate: no blocking call was found."
        return
    yield (
        f"{counted(len(steps), 'change')} ({by_safety['safe']} SAFE, {by_safety['unsafe']} UNSAFE) mend {mended} of "
        f"{counted(mended + barred, 'blocking call')}{partly}: {counted(functions, 'function')} turn async, "
        f"{counted(files, 'file')} change."
    )
    later = sum(bool(step.change.needs) for step in steps)
    if later:
        yield f"{counted(later, 'change')} of these can land only with others, which are said to be needed."
    if steps:
        yield "Land one with `asyncfix --apply --change ID`; the ids of the others stay."


def _table(packages: Sequence[Package]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [("package", "SAFE", "UNSAFE", "barred", "functions that turn")]
    rows += [
        (printable(item.name), *map(str, (item.safe, item.unsafe, item.barred, item.functions))) for item in packages
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        numbers = "  ".join(f"{text:>{width}}" for text, width in zip(row[1:], widths[1:], strict=True))
        yield f"  {row[0]:<{widths[0]}}  {numbers}"


def _groups(steps: Sequence[Step]) -> Iterator[tuple[str, Sequence[Step]]]:
    """Steps that stand alone, and then those that touch each other, in the order of landing."""
    groups: dict[int, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.place.group, []).append(step)
    alone = [group[0] for group in groups.values() if len(group) == 1]
    if alone:
        verb = "is" if len(alone) == 1 else "are"
        yield f"{counted(len(alone), 'change')} that {verb} independent of all others", alone
    for number, group in enumerate((group for group in groups.values() if len(group) > 1), 1):
        yield f"Group {number}: {counted(len(group), 'change')} that touch each other, in an order in which they can land", group


def _step(step: Step, root: str, here: str, paint: Paint) -> Iterator[str]:
    change, place = step.change, step.place
    safety = safety_label(change.safety, paint, 6)
    edits = counted(len(change.decisions), "edit")
    fewer = f", {place.new} after those before it" if place.new != len(change.decisions) else ""
    yield f"  {change.id}  {safety}  {step.size:<2}  {printable(change.title)} [{printable(change.rule)}]"
    files = _listed([shown_path(root, path, here) for path in change.files])
    yield f"      {edits}{fewer}; {counted(len(change.files), 'file')}: {files}"
    if step.functions:
        yield f"      {counted(len(step.functions), 'function')}: {_listed(list(map(printable, step.functions)))}"
    for kind, ends in _by_kind(step.ends):
        yield f"      ends at {_ENDS[kind]}: {_listed([printable(end.function) for end in ends])}"
    if change.needs:
        yield f"      needs {', '.join(change.needs)}"
    if place.shares:
        yield f"      shares edits with {_listed(list(place.shares))}"
    if place.conflicts:
        yield f"      cannot land together with {_listed(list(place.conflicts))}: after one the other is planned anew"
    if change.safety == "unsafe":
        yield from (f"      unproven: {printable(why)}" for why in change.reasons[:2])
        if len(change.reasons) > 2:
            yield f"      and {len(change.reasons) - 2} more"


def _by_kind(ends: Sequence[End]) -> Iterator[tuple[str, Sequence[End]]]:
    for kind in _ENDS:
        same = [end for end in ends if end.kind == kind]
        if same:
            yield kind, same


def _obstacle(obstacle: Obstacle, root: str, here: str, paint: Paint) -> Iterator[str]:
    cause = obstacle.cause
    share = f"frees {obstacle.frees} of {counted(obstacle.behind, 'blocking call')} behind it"
    yield f"  {paint(share, 'safe' if obstacle.frees else 'faint')}: {cause_text(cause, paint)}"
    yield from (f"      {line}" for line in cause_lines(cause, root, here))


def _unfit(unfit: Unfit, root: str, here: str, paint: Paint) -> Iterator[str]:
    first = unfit.calls[0][2]
    calls, code = counted(len(unfit.calls), "blocking call"), paint(printable(unfit.code), "bad")
    yield f"  {calls}: {code}  {printable(first)} [{printable(unfit.rule)}]"
    yield f"      at {_spots([(path, line) for path, line, _ in unfit.calls], root, here)}"
    yield f"      remedy: {REMEDIES.get(unfit.code, f'see `asyncfix rule {unfit.rule}`')}"


def cause_text(cause: Cause, paint: Paint) -> str:
    """The code of a barrier, and what it is."""
    return f"{paint(printable(cause.code), 'bad')}  {printable(cause.why)}"


def cause_lines(cause: Cause, root: str, here: str) -> Iterator[str]:
    """Where a barrier is, and what a person could do about it."""
    if cause.places:
        yield f"at {_spots(cause.places, root, here)}"
    yield f"remedy: {REMEDIES.get(cause.code, 'see the page of the rule')}"


def _spots(places: Sequence[tuple[str, int]], root: str, here: str) -> str:
    return _listed([f"{shown_path(root, path, here)}:{line}" for path, line in places])


def _listed(names: Sequence[str]) -> str:
    """Names, as many as there is room for."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def plan_json(document: Document) -> str:
    """The document of ``--output-format json``; paths count from the root, lines from 1.

    version   1
    changes   in the order in which they can land: id, rule, title, safety, reasons, functions (that turn), files, edits (how
              many), size (``S``, ``M``, ``L``, ``XL``), sites (blocking calls that it mends), ends (kind, function, path, line),
              needs, shares, conflicts (ids), group (Changes of different ones are independent), new_edits (less those that
              Changes before it make)
    barriers  the most worthwhile first: code, function, places (path, line), message, remedy (null where the page of the rule
              tells), behind (how many blocking calls), frees (how many of them its removal alone would free), packages
              (blocking calls behind it, by package)
    unfit     calls that there is no form for, whatever the way up: code, rule, remedy (as above), calls (path, line, message)
    partly          how many of those that are mended block on another way to them still, which a barrier holds up
    behind_several  how many blocking calls stand behind more than one barrier: no single removal frees them
    packages  name, safe, unsafe, barred (blocking calls), functions (that turn)
    """
    data = {
        "version": _VERSION,
        "changes": [_change(step) for step in document.steps],
        "barriers": [
            {
                **cause_data(item.cause),
                "behind": item.behind,
                "frees": item.frees,
                "packages": dict(item.packages),
            }
            for item in document.obstacles
        ],
        "unfit": [
            {
                "code": item.code,
                "rule": item.rule,
                "remedy": REMEDIES.get(item.code),
                "calls": [{"path": path, "line": line, "message": why} for path, line, why in item.calls],
            }
            for item in document.unfit
        ],
        "behind_several": document.several,
        "partly": document.partly,
        "packages": [
            {
                "name": item.name,
                "safe": item.safe,
                "unsafe": item.unsafe,
                "barred": item.barred,
                "functions": item.functions,
            }
            for item in document.packages
        ],
    }
    return json.dumps(data, indent=2)


def _change(step: Step) -> dict[str, object]:
    change, place = step.change, step.place
    return {
        "id": change.id,
        "rule": change.rule,
        "title": change.title,
        "safety": change.safety,
        "reasons": list(change.reasons),
        "functions": list(step.functions),
        "files": list(change.files),
        "edits": len(change.decisions),
        "size": step.size,
        "sites": step.sites,
        "ends": [{"kind": end.kind, "function": end.function, "path": end.path, "line": end.line} for end in step.ends],
        "needs": list(change.needs),
        "shares": list(place.shares),
        "conflicts": list(place.conflicts),
        "group": place.group,
        "new_edits": place.new,
    }


def cause_data(cause: Cause) -> dict[str, object]:
    """A barrier, as documents have it."""
    return {
        "code": cause.code,
        "function": cause.function,
        "places": [{"path": path, "line": line} for path, line in cause.places],
        "message": cause.why,
        "remedy": REMEDIES.get(cause.code),
    }
