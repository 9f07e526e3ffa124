"""The Change for the API that the user declares to have an async twin: one, since its objects change their class.

An object of the async class must be awaited wherever it is used, so none of the places can be left for later. Where no
await may stand the call is run apart, and the Change says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from asyncfix.catalog import PLAIN, THREAD
from asyncfix.colour.awaiting import ENTERING, barring, statement
from asyncfix.colour.barrier import Barrier, mixed_with
from asyncfix.colour.either import asked
from asyncfix.colour.generators import GENERATORS, oldest
from asyncfix.colour.whole import Spread, Whole
from asyncfix.ends import Ends, run_by
from asyncfix.model import Access, Api, Call, Finding, Function, Hop, Place, Rename, Renames, Span, Use
from asyncfix.plan.interleave import Suspension
from asyncfix.plan.rows import Rows, RowUse, is_class

if TYPE_CHECKING:
    from asyncfix.plan.changes import Planner
    from asyncfix.plan.draft import Draft, Mend

APART = "apart"
EXPORTED = " is exported: "


def coloured(planner: Planner, rows: Rows, ends: Ends) -> Whole:
    """What turns for all that the rows speak of."""
    index = planner.index
    fixed = {name: _replaced(planner, name) for name in rows.staying}
    seeds = [name for name, uses in rows.uses.items() if any(use.how != PLAIN and _free(planner, use) for use in uses)]
    declared = frozenset(rows.turning)

    def is_declared(base: str) -> bool:
        return index.catalog.declared(base) is not None

    def locked(function: str, call: Call) -> Barrier | None:
        return _locked(planner, function, call)

    spread = Spread(
        index, planner.facts.limits, ends, declared, fixed, is_declared, locked, _entered(rows), asked(index)
    )
    return spread.whole((*rows.turning, *seeds))


def _locked(planner: Planner, function: str, call: Call) -> Barrier | None:
    """The barrier that a lock is which is held at a call."""
    mend = planner.forms.locked(Suspension(function, call.span, call.loop, call.held))
    return Barrier(mend.code, planner.index.path(function), call.line, mend.why, function) if mend else None


def _entered(rows: Rows) -> frozenset[tuple[str, Span]]:
    uses = (use for each in rows.uses.values() for use in each)
    return frozenset((use.function, use.site.span) for use in uses if use.how == "entered")


def findings(planner: Planner, rows: Rows) -> Iterator[tuple[str, Finding]]:
    """What is reported: each place that a row speaks of, and each function that is declared to turn, with its rule."""
    for function, uses in rows.uses.items():
        for use in uses:
            if use.how != PLAIN:
                yield from _finding(
                    planner, function, use.site, use.row, f"{use.row.call} blocks, and has an async twin"
                )
    for function, row in rows.turning.items():
        if not planner.index.fact(function).is_async:
            yield from _finding(planner, function, planner.index.fact(function), row, f"{function} is declared async")


def _finding(
    planner: Planner, function: str, at: Call | Access | Function, row: Api, message: str
) -> Iterator[tuple[str, Finding]]:
    path = planner.index.path(function)
    end_line = at.line if isinstance(at, Access) else at.end_line
    place = Place(path, at.line, at.column, end_line, at.end_column)
    rule = planner.facts.rule_of(row)
    if rule is not None:
        hops = (Hop(function, path, at.line), Hop(row.call, path, at.line))
        yield rule, Finding(rule, place, message, function, f"{row.call} ({path}:{at.line})", hops)


def decide(planner: Planner, draft: Draft, rows: Rows, found: Whole) -> Mend | Barrier | None:
    """Write down all that changes; what the whole fails at, if there is something."""
    for name in found.reached:
        if name in found.giving:
            planner.turns.giving(draft, name)
        else:
            planner.turns.reached(draft, name, found.ends.get(name))
        if name in rows.named:
            fact = planner.index.fact(name)
            old = fact.name
            draft.decisions.append(Rename(planner.index.path(name), fact.keyword, old, rows.named[name]))
    stopped = _calls(planner, draft, _without(found, rows))
    entered = {(each.edge.caller, each.edge.span) for each in found.awaits if each.kind == ENTERING} | _entered(rows)
    for use in (each for uses in rows.uses.values() for each in uses):
        stopped = stopped or _mixed(planner, use, entered) or _use(planner, draft, use, found)
    draft.decisions += _renames(planner, rows)
    _doubts(planner, draft, rows, found)
    return stopped


def _without(found: Whole, rows: Rows) -> Whole:
    """Without the calls that a row speaks of: what becomes of them is said there."""
    told = {(name, use.site.span) for name, uses in rows.uses.items() for use in uses if use.how == "call"}
    apart = [item for item in found.apart if (item[0].caller, item[0].span) not in told]
    awaits = [item for item in found.awaits if (item.edge.caller, item.edge.span) not in told]
    return replace(found, apart=apart, awaits=awaits)


def _calls(planner: Planner, draft: Draft, found: Whole) -> Mend | Barrier | None:
    """Write down what becomes of the calls of what turned."""
    for edge, stop in found.apart:
        if planner.forms.closed(planner.index.path(edge.caller), edge.site.line, edge.site.line):
            return _not_editable(planner, edge.caller, edge.site.line)
        _apart(planner, draft, edge.caller, edge.span, f"{edge.callee} is run apart in {edge.caller}, since {stop.why}")
    draft.decisions += [Use(planner.index.path(edge.caller), edge.span, "run") for edge in found.runs]
    draft.decisions += [Use(planner.index.path(name), call.span, run_by(call)) for name, call in found.raising]
    steps = (planner.turns.awaited(draft, awaited) for awaited in found.awaits)
    stopped = next((each for each in steps if each is not None), None)
    yielding = (planner.turns.yielding(draft, name) for name in sorted(draft.turns))
    return stopped or next((each for each in yielding if each is not None), None)


def _doubts(planner: Planner, draft: Draft, rows: Rows, found: Whole) -> None:
    """What is unproven, the weightiest first; of many of a kind the first stands for all."""
    told: list[str] = []
    if any(isinstance(item, Use) and item.kind == APART for item in draft.decisions):
        told.append("calls are run apart where no await may stand: what belongs to another event loop fails there")
    if any(is_class(name) for name in rows.renames):
        told.append("objects of declared classes are of their async twins then, those given from outside too")
    told += _perhaps_declared(planner, rows)
    told += found.doubts
    told += [_many(list(places.values())) for places in found.perhaps.values()]
    if found.uncalled:
        lines = [
            f"nothing in the project calls {name}: callers outside it would have to await it" for name in found.uncalled
        ]
        told.append(_many(lines))
    exported = [name for name in found.reached if name in planner.facts.exported]
    if exported:
        lines = [f"{name} is exported: callers outside the project would have to await it" for name in exported]
        told.append(_many(lines))
    draft.doubts[:] = [*told, *(each for each in draft.doubts if EXPORTED not in each)]


def _perhaps_declared(planner: Planner, rows: Rows) -> Iterator[str]:
    """Calls whose receiver is not known, and that may mean a method which the user declares."""
    told = {(planner.index.path(name), use.site.line) for name, uses in rows.uses.items() for use in uses}
    for row in planner.facts.config.apis:
        owner, _, last = row.call.rpartition(".")
        places = [
            f"{row.call} may be meant by a call whose receiver is not known ({use.path}:{use.line})"
            for use in planner.index.by_name.get(last, ())
            if use.reason == "possible-caller" and use.owner not in rows.staying and (use.path, use.line) not in told
        ]
        if row.kind != PLAIN and row.twin != THREAD and is_class(owner) and places:
            yield _many(places)


def _many(lines: Sequence[str]) -> str:
    return f"{lines[0]} (and {len(lines) - 1} more of the kind)" if len(lines) > 1 else lines[0]


def _use(planner: Planner, draft: Draft, use: RowUse, found: Whole) -> Barrier | None:
    """Write one place that a row speaks of."""
    path = planner.index.path(use.function)
    if planner.forms.closed(path, use.site.line, use.site.line):
        return _not_editable(planner, use.function, use.site.line)
    if isinstance(use.site, Call) and use.new != use.last and _is_named(use):
        draft.decisions.append(Rename(path, use.site.function, use.last, use.new))
    if use.how == PLAIN:
        return None
    stop = _barrier(planner, use, found)
    if stop is None:
        draft.decisions.append(_written(planner, use))
        if isinstance(use.site, Call):
            planner.forms.unlazy(draft, use.function, use.site, use.site.span, use.how == "iterated")
        return None
    if use.how != "call" or isinstance(use.site, Access):
        return stop
    why = f"{use.row.call} is run apart in {use.function}, since {stop.why}"
    _apart(planner, draft, use.function, use.site.span, why)
    return None


def _mixed(planner: Planner, use: RowUse, entered: Collection[tuple[str, Span]]) -> Barrier | None:
    """The barrier that a place is which goes with others that stay as they are, or is gone through by no loop."""
    path, fact, line = planner.index.path(use.function), planner.index.fact(use.function), use.site.line
    block = statement(fact, use.site.span) if use.how == "entered" else None
    if block is not None and not all((use.function, item) in entered for item in block.items):
        return mixed_with(path, line, use.function)
    if use.how == "iterated" and (not _going_through(use.site) or planner.facts.target < oldest(use.site)):
        why = f"{use.row.call} is gone through in a way that is not known to go asynchronously ({path}:{line})"
        return Barrier("generator-use", path, line, why, use.function)
    return None


def _written(planner: Planner, use: RowUse) -> Use:
    """How a place is written that an await may stand at."""
    path, fact = planner.index.path(use.function), planner.index.fact(use.function)
    if use.how == "entered":
        block = statement(fact, use.site.span)
        return Use(path, block.span if block is not None else use.site.span, ENTERING)
    if use.how == "iterated":
        return Use(path, use.site.span, _going_through(use.site))
    return Use(path, use.site.span, "call", isinstance(use.site, Call) and use.site.tight)


def _going_through(site: Call | Access) -> str:
    """The kind of use by which what stands there is gone through, '' if that is not known."""
    return GENERATORS.get(site.taken.by, "") if site.taken is not None else ""


def _not_editable(planner: Planner, function: str, line: int) -> Barrier:
    path = planner.index.path(function)
    return Barrier("not-editable", path, line, f"{path}:{line} may not be edited")


def _is_named(use: RowUse) -> bool:
    """Whether the name of the call itself changes: that of a function or class changes wherever it stands."""
    return isinstance(use.site, Call) and is_class(use.row.call.rpartition(".")[0])


def _barrier(planner: Planner, use: RowUse, found: Whole) -> Barrier | None:
    """Why a place may not be awaited, None if it may."""
    index = planner.index
    lock = _held(planner, use)
    if lock is not None:
        return lock
    if use.function in found.stays:
        return found.stays[use.function]
    path, fact = index.path(use.function), index.fact(use.function)
    if not fact.is_async and use.function not in found.reached:
        return Barrier(fact.kind, path, use.site.line, f"no await may stand here: {fact.kind}")
    code = _barring(planner, use)
    return Barrier(code, path, use.site.line, f"no await may stand here: {code.replace('-', ' ')}") if code else None


def _free(planner: Planner, use: RowUse) -> bool:
    """Whether an await may stand at a place, if its function turns."""
    return not _barring(planner, use) and _held(planner, use) is None


def _held(planner: Planner, use: RowUse) -> Barrier | None:
    return _locked(planner, use.function, use.site) if isinstance(use.site, Call) else None


def _barring(planner: Planner, use: RowUse) -> str:
    return barring(use.site, planner.facts.target)


def _apart(planner: Planner, draft: Draft, function: str, span: Span, why: str) -> None:
    draft.decisions.append(Use(planner.index.path(function), span, APART))
    draft.notes.append(why)


def _replaced(planner: Planner, name: str) -> Barrier:
    fact, path = planner.index.fact(name), planner.index.path(name)
    return Barrier("has-a-twin", path, fact.line, f"{name} stays beside its async twin")


def _renames(planner: Planner, rows: Rows) -> Iterator[Renames]:
    """The new names, for every file that imports one of their packages or lies in it."""
    index = planner.index
    names = tuple(sorted((old, new) for old, new in rows.renames.items() if old != new))
    for path, summary in index.summaries.items():
        module = index.evaluator.modules.names[path]
        tops = {*summary.imports, module.partition(".")[0]}
        fitting = tuple(item for item in names if item[0].partition(".")[0] in tops)
        package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
        spared = tuple(sorted(span for name in rows.stays for span in _span(planner, name, path)))
        if fitting and path not in planner.facts.limits.closed:
            frame = index.evaluator.module_id(path)
            whole = index.fact(frame).span if frame else Span(0, 0)
            yield Renames(path, whole, package, fitting, spared)


def _span(planner: Planner, name: str, path: str) -> Iterator[Span]:
    index = planner.index
    if name in index.functions and index.path(name) == path:
        yield index.fact(name).span
