"""What is to be said of one function: for people, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from asyncfix.colour.remedies import REMEDIES
from asyncfix.plan.barriers import Cause
from asyncfix.plan.why import Reason, Stop, Way, Why
from asyncfix.report.plan import cause_data, cause_lines, cause_text
from asyncfix.report.style import Paint, counted, printable, safety_label, shown_path

_VERSION = 1
# How many ways, barriers and places a page has room for; the JSON document has them all.
_MOST = 10

_VERDICTS: Mapping[str, str] = {
    "turns": "turns async",
    "stays": "stays sync",
    "runs": "stays sync, and runs what turns async below it",
    "async": "is async already",
    "clear": "stays as it is: it neither blocks nor reaches anything that does",
}
_PARTS: Mapping[str, str] = {
    "turns": "Changes that turn it",
    "written": "Changes that rewrite a part of it",
    "beside": "What it reaches is mended elsewhere, or where others call it",
}
_LOOSE: Mapping[str, str] = {
    "passed-as-value": "is passed on",
    "rebound": "is assigned anew",
    "possible-caller": "may be called, by an object whose class is not known",
    "possible-use": "may be read, from an object whose class is not known",
    "dynamic-access": "may be reached by its name as a text",
    "doctest": "is called in the example of a docstring",
    "unparsed-file": "is named in a file that could not be parsed",
}


def why_text(why: Why, root: str, here: str, paint: Paint) -> Iterator[str]:
    """Lines without ends; paths count from the folder ``here``."""
    place = f"{shown_path(root, why.path, here)}:{why.line}"
    yield f"{paint(printable(why.function), 'heading')} ({place}) {_VERDICTS[why.verdict]}."
    for part in _PARTS:
        same = [reason for reason in why.reasons if reason.part == part]
        if same:
            yield f"  {_PARTS[part]}:"
        for reason in same[:_MOST]:
            yield from _reason(reason, root, here, paint)
        if len(same) > _MOST:
            yield f"    and {len(same) - _MOST} more"
    for causes, stops in _by_causes(why.stops):
        yield from _stops(causes, stops, root, here, paint)
    told = {cause for stop in why.stops for cause in stop.held.causes}
    own = [cause for cause in why.own if cause not in told]
    if own:
        yield f"  What {'else ' if told else ''}keeps it from turning:"
    for cause in own[:_MOST]:
        yield f"    {cause_text(cause, paint)}"
        yield from (f"      {line}" for line in cause_lines(cause, root, here))
    if why.loose:
        yield "  Where it may be meant, though that is not known:"
    for loose in why.loose[:_MOST]:
        spot = f"{shown_path(root, loose.path, here)}:{loose.line}"
        inside = f" (in {printable(loose.owner)})" if loose.owner else ""
        yield f"    {spot}: {_LOOSE.get(loose.reason, printable(loose.reason))}{inside}"
    if len(why.loose) > _MOST:
        yield f"    and {len(why.loose) - _MOST} more"


def _reason(reason: Reason, root: str, here: str, paint: Paint) -> Iterator[str]:
    change = reason.change
    safety = safety_label(change.safety, paint, 6)
    yield f"    {change.id}  {safety}  {printable(change.title)}"
    yield from (f"      {_way(way, root, here)}" for way in reason.ways[:_MOST])
    if len(reason.ways) > _MOST:
        yield f"      and {len(reason.ways) - _MOST} more"


def _by_causes(stops: Sequence[Stop]) -> Iterator[tuple[tuple[Cause, ...], Sequence[Stop]]]:
    """What is held up by the same."""
    groups: dict[tuple[Cause, ...], list[Stop]] = {}
    for stop in stops:
        groups.setdefault(stop.held.causes, []).append(stop)
    yield from groups.items()


def _stops(causes: Sequence[Cause], stops: Sequence[Stop], root: str, here: str, paint: Paint) -> Iterator[str]:
    yield f"  It reaches {counted(len(stops), 'blocking call')} that nothing is done about:"
    for stop in stops[:_MOST]:
        yield f"    {_way(stop.way, root, here)}"
        if stop.held.call is not None:
            rule = f"see `asyncfix rule {printable(stop.refusal.finding.rule)}`"
            call = stop.held.call
            yield f"      {cause_text(call, paint)}; {REMEDIES.get(call.code, rule)}"
    if len(stops) > _MOST:
        yield f"    and {len(stops) - _MOST} more"
    if causes:
        yield "  In the way:"
    for cause in causes[:_MOST]:
        yield f"    {cause_text(cause, paint)}"
        yield from (f"      {line}" for line in cause_lines(cause, root, here))
    if len(causes) > _MOST:
        yield f"    and {len(causes) - _MOST} more (--output-format json)"


def _way(way: Way, root: str, here: str) -> str:
    last = way.hops[-1]
    names = " -> ".join(hop.function for hop in way.hops)
    beside = "turns together with " if way.together else ""
    return f"{beside}{printable(names)} ({shown_path(root, last.path, here)}:{last.line})"


def why_json(why: Why) -> str:
    """The document of ``--output-format json``; paths count from the root, lines from 1.

    version   1
    function, path, line
    verdict   ``turns``, ``stays``, ``runs`` (it stays, and runs what turns below it), ``async`` (it is already), ``clear`` (it
              neither blocks nor reaches what does)
    changes   that mend what it reaches: id, title, safety, part (``turns`` if it turns in it, ``written`` if it changes
              otherwise, ``beside`` if it does not), ways (of hops: function, path, line; what blocks last)
    stops     blocking calls that it reaches and that are not mended: way, reason, message, barriers (as in `asyncfix plan`)
    barriers  what keeps it, or a caller, from turning
    unresolved  where it may be meant, though that is not known: reason, path, line, function (in which, or '')
    """
    data = {
        "version": _VERSION,
        "function": why.function,
        "path": why.path,
        "line": why.line,
        "verdict": why.verdict,
        "changes": [
            {
                "id": reason.change.id,
                "title": reason.change.title,
                "safety": reason.change.safety,
                "part": reason.part,
                "ways": [_hops(way) for way in reason.ways],
            }
            for reason in why.reasons
        ],
        "stops": [
            {
                "way": _hops(stop.way),
                "reason": stop.refusal.reason,
                "message": stop.refusal.message,
                "barriers": [cause_data(cause) for cause in stop.held.all],
            }
            for stop in why.stops
        ],
        "barriers": [cause_data(cause) for cause in why.own],
        "unresolved": [
            {"reason": item.reason, "path": item.path, "line": item.line, "function": item.owner} for item in why.loose
        ],
    }
    return json.dumps(data, indent=2)


def _hops(way: Way) -> list[dict[str, object]]:
    return [{"function": hop.function, "path": hop.path, "line": hop.line} for hop in way.hops]
