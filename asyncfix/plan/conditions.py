"""Conditions of forms, judged: does it hold, is it unproven, or does it bar the form?"""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.effects.keys import said
from asyncfix.effects.reach import Reach
from asyncfix.effects.touch import Touch
from asyncfix.facts.testfiles import is_test
from asyncfix.link.index import ProjectIndex
from asyncfix.link.patches import replacing
from asyncfix.model import (
    CallsNear,
    Condition,
    Declared,
    FanOut,
    FileOwned,
    Handler,
    Limited,
    Means,
    MinimumPython,
    NotAssigned,
    NotCaughtAbove,
    NotDoubled,
    NotFrozen,
    NotPatched,
    NotSwallowed,
    OlderPython,
    OneLoop,
    OnLoop,
    Overlap,
    PassesOn,
    Site,
    Span,
    Strategy,
    ThreadSafe,
    Unfailing,
    Unlocked,
    Unproven,
    WithinLoop,
)
from asyncfix.plan import positions, stopping
from asyncfix.plan.cancelling import passes_on
from asyncfix.plan.facts import Facts
from asyncfix.plan.interleave import Suspension
from asyncfix.plan.limiting import limited_by
from asyncfix.plan.locks import asyncio_lock_held, lock_held
from asyncfix.plan.loopless import within_loop
from asyncfix.plan.loops import one_loop
from asyncfix.plan.nearby import calls_near, not_assigned
from asyncfix.plan.overlapping import fan_out, overlap
from asyncfix.plan.standins import stand_in
from asyncfix.plan.swallowing import not_swallowed
from asyncfix.plan.unfailing import unfailing
from asyncfix.plan.verdict import HOLDS, Verdict
from asyncfix.plan.watching import meant

BROAD = frozenset({"builtins.Exception", "builtins.BaseException"})


def judge(facts: Facts, condition: Condition, suspension: Suspension) -> Verdict:
    """Judge one condition of a site whose await is ``suspension``."""
    function = suspension.function
    match condition:
        case NotCaughtAbove():
            return _caught(facts, condition, suspension)
        case NotPatched():
            return _patched(facts, condition, function)
        case NotDoubled():
            return _doubled(facts, condition)
        case NotFrozen():
            frozen = facts.in_force(facts.tests.frozen, function)
            if frozen is None:
                return HOLDS
            why = f"a test freezes time: asyncio.sleep would not return ({frozen.path}:{frozen.line})"
            return Verdict("fails", why, "frozen-time")
        case Declared():
            if condition.distribution in facts.project.runtime_declared:
                return HOLDS
            return Verdict("fails", f"the project does not declare {condition.distribution}", "not-declared")
        case MinimumPython():
            if facts.target >= condition.version:
                return HOLDS
            wanted, least = (".".join(map(str, version)) for version in (condition.version, facts.target))
            why = condition.reason or f"needs Python {wanted}, the project supports {least}"
            return Verdict("fails", why, "target-version")
        case OlderPython():
            return HOLDS if facts.target < condition.version else Verdict("fails", condition.reason, "target-version")
        case Strategy():
            return _configured(facts, condition)
        case ThreadSafe():
            return thread(facts, condition.span, suspension)
        case FileOwned():
            return _owned(facts, condition, suspension)
        case Unlocked():
            return _unlocked(facts, suspension)
        case OnLoop():
            driven = facts.awakening.driven()
            return Verdict("fails", driven, "driven") if driven else HOLDS
        case WithinLoop():
            return within_loop(facts.index, function)
        case Overlap():
            return overlap(facts, condition, function)
        case Means():
            return _means(facts, condition, function)
        case FanOut():
            return fan_out(facts, condition, function)
        case NotSwallowed():
            return not_swallowed(facts.index, condition, suspension)
        case Limited():
            return _limited(facts, condition, function)
        case PassesOn():
            return passes_on(facts.index, condition, suspension)
        case CallsNear():
            return calls_near(facts.effects, condition, function)
        case NotAssigned():
            return not_assigned(facts.index, condition, function)
        case OneLoop():
            return one_loop(facts, condition, function)
        case Unfailing():
            return unfailing(facts, condition, function)
        case Unproven():
            return Verdict("fails", condition.reason, "unproven")


def _unlocked(facts: Facts, suspension: Suspension) -> Verdict:
    for each in facts.awakening.all(suspension):
        around = (name for name, _ in facts.interleaving.around(each))
        rows = facts.rows  # a lock that has an async twin is none of `threading` then
        lock = lock_held(facts.index, each, (name for name in around if rows is None or name not in rows.staying))
        if lock:
            where = f"{facts.index.path(each.function)}:{facts.index.fact(each.function).line}"
            place = "here" if each == suspension else f"in {each.function} ({where})"
            why = f"{lock} is held {place}: awaiting under it can stop the event loop for good"
            return Verdict("bars", why, "thread-lock-held")
    return HOLDS


def _limited(facts: Facts, condition: Limited, function: str) -> Verdict:
    if limited_by(facts.index, facts.effects.names(function, condition.span)):
        return HOLDS
    return Verdict("fails", "nothing that it runs limits how many run at once", "unlimited")


def _means(facts: Facts, condition: Means, function: str) -> Verdict:
    path = facts.index.path(function)
    called = meant(facts.index, function, condition.span, condition.names, coroutines=condition.coroutines)
    # What stands for a coroutine function may give anything.
    for name in called if condition.coroutines and not condition.by_name else ():
        if name in condition.names:
            patches = tuple(replacing(facts.tests, facts.index, name, path))
            other = facts.replacing.of(name) is not None
        else:
            patches = facts.limits.replaced.get(name, ())
            other = bool(stand_in(facts, name))
        if other or facts.in_force(patches, function) is not None:
            return Verdict("fails", condition.reason, "uncertain")
    return HOLDS if called else Verdict("fails", condition.reason, "uncertain")


def _patched(facts: Facts, condition: NotPatched, function: str) -> Verdict:
    for name in condition.names:
        patch = facts.in_force(replacing(facts.tests, facts.index, name, facts.index.path(function)), function)
        if patch is not None:
            who = "a test" if is_test(patch.path) else "the program"
            return Verdict("fails", f"{who} replaces {name} ({patch.path}:{patch.line})", "replaced-in-test")
    return HOLDS


def _doubled(facts: Facts, condition: NotDoubled) -> Verdict:
    double = facts.limits.doubles.lacking(condition.owner, condition.method)
    if double is None:
        return HOLDS
    why = f"something without `{condition.method}` may be given in place of {condition.owner} ({double[0]}:{double[1]})"
    return Verdict("fails", why, "test-double")


def _configured(facts: Facts, condition: Strategy) -> Verdict:
    chosen = facts.config.strategy.get(condition.key)
    if condition.key == "concurrency" and facts.config.concurrency_style != "auto":
        chosen = facts.config.concurrency_style
    if chosen == condition.value or (chosen is None and condition.default):
        return HOLDS
    said_so = (
        f"configured as {chosen}, for which there is no form here" if chosen else f"not configured as {condition.value}"
    )
    return Verdict("fails", f"{condition.key} is {said_so}", "strategy")


def _owned(facts: Facts, condition: FileOwned, suspension: Suspension) -> Verdict:
    locked = asyncio_lock_held(facts.index, suspension)
    for touch in () if locked else facts.effects.reach(suspension.function, condition.span).touches:
        if touch.writes and touch.key.startswith("file "):
            why = f"another task may use {said(touch.key)} while it is written ({touch.where})"
            return Verdict("fails", why, "shared-file")
    return HOLDS


def thread(facts: Facts, span: Span, suspension: Suspension) -> Verdict:
    """Whether the code in ``span`` may run in a thread while other tasks go on."""
    reach = facts.effects.reach(suspension.function, span)
    locked = asyncio_lock_held(facts.index, suspension)
    bar = reach.blocked or stopping.barred(facts, reach, suspension, span)
    bar = bar or (None if locked else positions.moved(facts, suspension, span))
    if bar is not None:
        return Verdict("bars", bar.why, bar.code)
    hazards = [each for each in (reach.stops and reach.stops.why, reach.unknown) if each]
    hazards.extend(_writes(reach, locked))
    hazards.extend(_reads(facts, reach, locked))
    return Verdict("fails", "; ".join(hazards), "shared-state") if hazards else HOLDS


def _writes(reach: Reach, locked: bool) -> Iterator[str]:
    """The first thing written that others can reach."""
    for touch in reach.touches:
        if touch.writes and not _may_write(touch, locked):
            yield f"it writes {said(touch.key)} in a thread ({touch.where})"
            return


def _reads(facts: Facts, reach: Reach, locked: bool) -> Iterator[str]:
    """The first thing only read that other code writes."""
    written = {touch.key for touch in reach.touches if touch.writes}
    for touch in reach.touches:
        writers = () if touch.key in written or _may_write(touch, locked) else facts.effects.writers(touch.key)
        if writers:
            name, write = writers[0]
            yield f"it reads {said(touch.key)} in a thread ({touch.where}), and {name} writes it ({write.where})"
            return


def _may_write(touch: Touch, locked: bool) -> bool:
    return locked and touch.key.startswith("file ")


def _caught(facts: Facts, condition: NotCaughtAbove, suspension: Suspension) -> Verdict:
    for path, handler in facts.handlers(suspension.function, suspension.span):
        name = _names(facts.index, path, handler, condition.types)
        if name:
            return Verdict("fails", f"a handler names {name} ({path}:{handler.line})", "caught-above")
        if handler.reads and _catches_all(facts.index, path, handler):
            why = f"a handler uses the error, whose class and text would be others ({path}:{handler.line})"
            return Verdict("fails", why, "caught-above")
    for name, path, line in (*facts.errors_outside(), *facts.errors_named(suspension.function)):
        if _exception_of(name, condition.types):
            return Verdict("fails", f"{name} is named where the error may arrive ({path}:{line})", "caught-above")
    return HOLDS


def _exception_of(name: str, types: tuple[str, ...]) -> bool:
    """A class of the package that a condition names as a whole (``requests.*``), by the look of its name."""
    last = name.rpartition(".")[2]
    return (
        last[:1].isupper()
        and last.endswith(("Error", "Exception", "Timeout", "Redirects", "Warning"))
        and any(type_name.endswith(".*") and name.startswith(type_name[:-1]) for type_name in types)
    )


def _catches_all(index: ProjectIndex, path: str, handler: Handler) -> bool:
    caught = {entity.name for ref in handler.types for entity in index.evaluator.evaluate(path, ref)}
    return not handler.types or bool(caught & BROAD)


def _names(index: ProjectIndex, path: str, handler: Handler, types: tuple[str, ...]) -> str:
    """The class of ``types`` that a handler catches by name, '' if none. A bare one counts as ``BaseException``."""
    if not handler.types:
        return "everything" if "builtins.BaseException" in types else ""
    for ref in handler.types:
        entities = index.evaluator.evaluate(path, ref)
        if not entities:
            return "a class that is not known"
        for entity in entities:
            if entity.kind not in ("class", "external"):
                return "classes that are not known"
            chain = index.evaluator.order(entity.name) if entity.kind == "class" else (entity.name,)
            for name in chain:
                if any(name == wanted or (wanted.endswith(".*") and name.startswith(wanted[:-1])) for wanted in types):
                    return name.removeprefix("builtins.")
    return ""


def suspension_of(facts: Facts, function: str, span: Span) -> Suspension:
    """The await that a site emits: what stands round the call of that span."""
    for call in facts.index.fact(function).calls:
        if call.span == span:
            return Suspension.at(function, call)
    return Suspension(function, span, None, ())


def inside(facts: Facts, function: str, site: Site) -> Iterator[Suspension]:
    """The other awaits of a form that keeps a block where it is: at every use of the file, and where the block ends."""
    fact, path, span = facts.index.fact(function), facts.index.path(function), site.span
    if span == site.call:
        return
    for external in facts.index.externals.get(function, ()):
        call = external.call
        if external.name.startswith("io.") and span.contains(call.span):
            yield Suspension.at(function, call)
    for access in fact.accesses:
        entities = facts.index.evaluator.evaluate(path, access.ref) if access.kind in ("iterate", "view") else ()
        if span.contains(access.span) and any(entity.name.startswith("io.") for entity in entities):
            yield Suspension(function, access.span, access.loop, ())
    opened = suspension_of(facts, function, site.call)
    yield Suspension(function, Span(span.end, span.end), opened.loop, opened.held)
