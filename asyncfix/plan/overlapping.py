"""Whether awaits that do not need each other's results may overlap: what each of them runs, reads, writes and waits for."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, permutations

import msgspec

from asyncfix.effects.keys import LIBRARY, said
from asyncfix.effects.output import output
from asyncfix.effects.reach import CURRENT_EXCEPTION
from asyncfix.effects.touch import Where
from asyncfix.facts import special
from asyncfix.facts.testfiles import is_test
from asyncfix.facts.wording import changes, sounds_single, speaks_of_single
from asyncfix.link.callbacks import HANDED
from asyncfix.link.index import External
from asyncfix.model import Api, Call, FanOut, Overlap, Span
from asyncfix.plan import queries
from asyncfix.plan.clocks import CLOCKS, TELLING, reads_clock
from asyncfix.plan.facts import Facts
from asyncfix.plan.interleave import PATCHING
from asyncfix.plan.limiting import limit_held, limit_taken
from asyncfix.plan.member import Member
from asyncfix.plan.pulling import bound, changeable
from asyncfix.plan.sharing import RECEIVER, Within, has_a_say, is_new_receiver, is_plain, library, uses
from asyncfix.plan.standing import changed_before, is_the_same, may_change
from asyncfix.plan.standins import stand_in
from asyncfix.plan.unfailing import SLEEP
from asyncfix.plan.verdict import Verdict
from asyncfix.preconditions import counting, reason

READ = "read"
WRITE = "write"
SEVERAL = "several"
QUERY = "query"
TOLD = ("file", "metadata", "computation")
"""Flows of which the effects tell what is changed."""
ALONE = ("process", "queue", "input", "lock")
"""Flows of which only one is to go on at a time, or that others see."""
SHOWING = frozenset(
    {f"traceback.print_{name}" for name in ("exc", "exception", "last", "list", "stack", "tb")}
    | {
        "dis.dis",
        "faulthandler.dump_traceback",
        "pprint.pp",
        "pprint.pprint",
        "warnings.warn",
        "warnings.warn_explicit",
    }
    | {"xml.etree.ElementTree.dump"}
)
"""What others see, line by line, besides what is printed."""
NAMING = frozenset({"logging.getLogger"}) | {
    f"logging.Logger.{name}" for name in ("getChild", "getEffectiveLevel", "hasHandlers", "isEnabledFor")
}
"""Of the functions of logging those that write nothing."""
SEEDING = frozenset({"random.seed", "random.setstate", "numpy.random.seed"})
DRAWING = ("random.", "numpy.random.")
STARTED = "overlapping starts later calls although an earlier one fails"
OBJECTS = ("self", "cls")
MOST_SHOWN = 3  # calls that a reason names
AWAITED = "awaited"
RUNNING_LOOP = frozenset({"asyncio.get_running_loop", "asyncio.get_event_loop"})
"""The loop is the same in a task."""
WAITED = (AWAITED, *HANDED)
GIVEN = frozenset({"argument", RECEIVER})
RELEASING = frozenset({"bz2", "gzip", "hashlib", "lzma", "tarfile", "zipfile", "zlib"})
"""Libraries that let other threads go on while they compute."""
FILES = frozenset({"aiofiles", "anyio"})
"""Libraries whose reads nobody else sees."""
IN_THREAD = frozenset({"asyncio.to_thread"})
ENDING = frozenset({*special.ENDING, "builtins.exit", "builtins.quit", "os._exit", "os.abort", "sys.exit"})
"""What ends the program: an event loop that meets it in a task lets nobody handle it."""
ASKING = frozenset({"inspect.currentframe", "inspect.stack", "sys._getframe", "traceback.extract_stack"})
"""What tells who called: of a task that is the event loop."""
CHANGING = frozenset({"post", "put", "patch", "delete", "send", "request"})
"""Methods of HTTP that change something on the other side, or may."""


def overlap(facts: Facts, condition: Overlap, function: str) -> Verdict:
    """Judge awaits of one function. What speaks against bars; what is not known leaves it unproven."""
    members = [_examine(facts, function, span) for span in condition.calls]
    one_by_one = next((why for pair in combinations(members, 2) for why in _one_by_one(*pair)), None)
    if one_by_one is not None:
        return one_by_one
    against = next((item for member in members for item in member.against), None)
    if against is not None:
        return Verdict("bars", against[1], against[0])
    if sum(member.waits for member in members) < 2:
        return Verdict("bars", "fewer than two of them wait for anything: there is nothing to gain", "never-waits")
    pairs = zip(condition.calls, members, strict=True)
    dropped = _dropped([member for span, member in pairs if span in condition.dropped])
    found = dropped or _unproven(facts, function, members, condition.shared)
    if found.kind == "holds":
        found = _out_of_turn(facts, condition, function) or found
    return _strict(found, condition, members)


def fan_out(facts: Facts, condition: FanOut, function: str) -> Verdict:
    """Judge the await of a loop, which is to run for several elements at once, and what stands round it in the loop."""
    member = _examine(facts, function, condition.call, frozenset(condition.own))
    judge = _turns if condition.pulled is None else _pulled
    found = _strict(judge(facts, condition, function, member), condition, [member])
    return replace(found, why=f"{found.why}; {member.batched[0]}") if member.batched else found


def _strict(found: Verdict, condition: Overlap | FanOut, members: Sequence[Member]) -> Verdict:
    """The verdict where a name tells of an order: then what is not known bars; with what knows errors apart."""
    if found.kind != "fails":
        return found
    if condition.ordered:
        return Verdict("bars", f"{condition.ordered}, and {found.why}", "order")
    told = next((what for member in members for what in member.told), "")
    if told:
        return Verdict(
            "bars", f"{told} by its name changes something for others, and what it does is not known", "order"
        )
    return replace(found, why=f"{found.why}; {condition.caught}") if condition.caught else found


def _pulled(facts: Facts, condition: FanOut, function: str, member: Member) -> Verdict:
    """The verdict of turns that go through something asynchronous, which is asked for more while they run: all has to be known
    of both, but for what clients keep."""
    assert condition.pulled is not None
    source = _examine(facts, function, condition.pulled.span)
    counts = counting(condition.pulled.text)
    for why in (*bound(facts, function, condition.pulled), *_counts(source)):
        return Verdict("bars", f"{counts}: {why}" if why else counts, "order")
    one_by_one = next(_one_by_one(member, source), None)
    if one_by_one is not None:
        return one_by_one
    told = replace(member, keeping=[])
    found = _unproven(facts, function, [told, replace(source, keeping=[])], ())
    if found.kind == "holds":
        found = _turns(facts, condition, function, told)
    if found.kind == "fails":
        return Verdict("bars", f"{counts}; {found.why}", "order")
    kept = next((why for each in (member, source) for why in each.keeping), "")
    changed = next(changeable(facts, function, condition.pulled), "")
    if found.kind == "holds" and (kept or changed):
        return _fails("data", changed) if changed else _fails("unknown-effect", f"{STARTED}: {kept}")
    return found


def _counts(source: Member) -> Iterator[str]:
    """What of what goes on between one element and the next may not go on while there are turns that run."""
    yield from (why for _, why in source.against)
    yield from (*source.unknown, *source.unshown)
    yield from (f"it sleeps before it gives the next ({where})" for where in source.sleeps)
    yield from (f"it goes by the time ({clock})" for clock in source.clocks)
    if source.recursive:
        yield "it runs the function that goes through it"


def _turns(facts: Facts, condition: FanOut, function: str, member: Member) -> Verdict:
    one_by_one = next(_one_by_one(member, member), None)
    if one_by_one is not None:
        return one_by_one
    if member.against:
        code, why = member.against[0]
        return Verdict("bars", why, code)
    if not member.waits:
        return Verdict("bars", "it waits for nothing: there is nothing to gain", "never-waits")
    endless = _endless(facts, function, condition.between[0])
    if endless:
        return Verdict("bars", f"{endless} never ends: it gives one after the other on demand", "data")
    if member.recursive:
        return Verdict(
            "bars", "it calls itself: the number of calls on their way would multiply, without a bound", "limited"
        )
    dropped = _dropped([member]) if condition.dropped else None
    if dropped is not None:
        return dropped
    pulled = condition.pulled.span if condition.pulled is not None else None
    between = [_examine(facts, function, span) for span in condition.between if span != pulled]
    for _, why in (item for each in between for item in each.against):
        return Verdict("bars", f"what a turn does would not be done when a later call fails: {why}", "partial-results")
    found = _unproven(facts, function, [member, member], condition.shared)
    later = next((why for each in between for why in (*each.unknown, *each.unshown, *each.keeping)), "")
    later = later or _timed((member, *between))
    later = later or next(iter(facts.effects.unseen.by(function)), "")
    if found.kind == "holds" and later:
        return _fails("unknown-effect", f"what a turn does is done before or after all calls: {later}")
    changed = changed_before(facts, function, (condition.call, *condition.tests))
    if found.kind == "holds" and changed:
        return _fails("late-argument", f"{changed}, is now read before earlier calls end")
    other = next((why for each in condition.sources if (why := may_change(facts, function, each))), "")
    if found.kind == "holds" and other:
        return _fails("data", other)
    changed = changed_before(facts, function, condition.between)
    if found.kind == "holds" and changed:
        return _fails("late-argument", f"{changed}, is now read when all calls have ended")
    return found


def _endless(facts: Facts, function: str, source: Span) -> str:
    """The generator of the project that code in a span calls, and that goes on for ever; '' if there is none."""
    edges = (each for each in facts.index.calls.get(function, ()) if source.contains(each.span))
    return next((each.callee for each in edges if facts.index.fact(each.callee).is_endless), "")


def _dropped(members: Sequence[Member]) -> Verdict | None:
    """The refusal of calls that are there for what they do, since nothing is done with what they give, if that is not known."""
    unknown = next((why for member in members for why in (*_open(member), *member.asks)), "")
    if not unknown:
        return None
    return Verdict(
        "bars", f"nothing is done with what it gives: it is there for what it does, and {unknown}", "unknown-effect"
    )


def _open(member: Member) -> Iterator[str]:
    """All that is left open of what a call does."""
    yield from (*member.unknown, *member.unshown, *member.keeping)
    yield from (f"it sleeps, and what comes after it may count on that ({where})" for where in member.sleeps)


def _out_of_turn(facts: Facts, condition: Overlap, function: str) -> Verdict | None:
    """What is not proven of what is evaluated before the calls begin, or when all have ended."""
    early = next((each for each in condition.early if not is_the_same(facts, function, each)), None)
    if early is not None:
        why = f"{early.text} is now evaluated before any of the calls begins: if that fails, those before it are never awaited"
        return _fails("late-argument", why)
    late = next((each for each in condition.late if not is_the_same(facts, function, each)), None)
    if late is not None:
        return _fails(
            "late-argument", f"{late.text} is now evaluated when all calls have ended, and may be another by then"
        )
    for edge in facts.index.calls.get(function, ()):
        if edge.span in condition.calls[1:] and edge.kind == "call" and not facts.index.fact(edge.callee).is_async:
            return _fails(
                "late-argument", f"{edge.callee} is no coroutine function: it runs before any of the calls begins"
            )
    if condition.unpacked:
        why = f"`{condition.unpacked}` is bound only when all calls have ended: a later one may have failed by then"
        return _fails("errors", why)
    return None


def _unproven(facts: Facts, function: str, members: Sequence[Member], names: tuple[str, ...]) -> Verdict:
    """The verdict where nothing is known to speak against it. ``names``: those that more than one call uses."""
    unknown = next((why for member in members for why in member.unknown), "")
    shared = [name for name in names if not is_plain(facts.index, function, name)]
    shared = shared or list(_aliased(facts, function, members))
    if unknown and shared:
        name = next((name for name in shared if name.partition(".")[0] in OBJECTS or f" {name}." in f" {unknown}"), "")
        why = f"more than one uses {name or shared[0]}, which may take one call at a time: {unknown}"
        if any(map(sounds_single, [name] if name else shared)) or speaks_of_single(unknown):
            return Verdict("bars", why, "shared-object")
        if name:
            return _fails("shared-object", why)
    for pair in combinations(members, 2):
        for what in _in_common(*pair):
            return _fails("shared-object", f"more than one uses {what}, which may take one call at a time")
    unshown = (why for member in members for why in (*member.unshown, *member.keeping))
    unknown = unknown or next(unshown, "") or _timed(members)
    if unknown:
        return _fails("unknown-effect", f"{STARTED}: {unknown}")
    read = [member.clocks[0] for member in members if member.clocks]
    if len(read) > 1:
        return _fails("order", f"{read[0]} may give a later time than {read[1]}, which comes behind it")
    twice = next((name for one, other in permutations(members, 2) for name in sorted(one.twice & other.kept)), "")
    if twice:
        return _fails("shared-object", f"{twice} keeps what it gave: more than one may be given an object of its own")
    hidden = facts.effects.unseen.anywhere()
    if hidden:
        return _fails("unknown-effect", hidden)
    if facts.supervised():
        return _fails("task", f"asyncio.all_tasks would show the new tasks, too ({facts.supervised()})")
    if any(member.recursive for member in members):
        return _fails("limited", "it calls itself: the number of calls on their way multiplies")
    return _shown(members)


def _timed(members: Sequence[Member]) -> str:
    """Why time may have to pass before one of the calls: what only sleeps and reads what nobody changes cannot tell."""
    sleeps = next((where for member in members for where in member.sleeps), "")
    moving = next((what for member in members for what in member.moving), "")
    return f"it sleeps ({sleeps}), and {moving} may count on that" if sleeps and moving else ""


def _fails(code: str, why: str) -> Verdict:
    return Verdict("fails", reason(code, why), code)


def _shown(members: Sequence[Member]) -> Verdict:
    """The verdict of calls of which nothing is left open, with what they wait for."""
    waits = list(dict.fromkeys(name for member in members for name in member.shown))
    more = f" and {len(waits) - MOST_SHOWN} more" if len(waits) > MOST_SHOWN else ""
    reads = f"all that they run is known, and changes nothing: {', '.join(waits[:MOST_SHOWN])}{more}"
    return Verdict("holds", reason("unknown-effect", reads))


def _one_by_one(one: Member, other: Member) -> Iterator[Verdict]:
    """Why two awaits would meet in an object that takes one call at a time, or may."""
    for use in one.uses:
        for again in other.uses:
            if use.library == again.library:
                where = f"{use.where}" if use.where == again.where else f"{use.where}, {again.where}"
                why = f"more than one uses {use.kind}, which takes one call at a time ({where})"
                yield Verdict("bars", why, "one-at-a-time")
    for what in filter(sounds_single, _in_common(one, other)):
        yield Verdict("bars", f"more than one uses {what}, which may take one call at a time", "shared-object")


def _in_common(one: Member, other: Member) -> Iterator[str]:
    """The objects of which two awaits use methods that nothing shows, as a person reads them."""
    for key in sorted(one.objects & other.objects):
        if not key.startswith("argument ") and "()" not in key:  # two calls may be given, and give, two objects
            yield said(key)


def _examine(facts: Facts, function: str, span: Span, own: frozenset[str] = frozenset()) -> Member:
    """What is known of the code in a span, which makes some variables its own; many forms, and parts of a run, ask for the
    same."""
    found = facts.members.get((function, span))
    if found is None:
        found = facts.members[function, span] = _look(facts, function, span, own)
        found.keep_first()
    return found


def _look(facts: Facts, function: str, span: Span, own: frozenset[str]) -> Member:
    member = Member()
    held, taken = limit_held(facts.index, function, span), limit_taken(facts.index, function, span)
    if held:
        member.against.append(("limited", f"it stands within {held}, which lets in so many at a time"))
    if taken:
        member.against.append(("limited", f"it takes {taken}, which lets in so many at a time"))
    member.recursive = function in facts.effects.names(function, span) or any(
        target.rpartition(".")[2] == facts.index.fact(function).name
        for call in facts.index.unknown.get(function, ())
        if span.contains(call.span)
        for target in call.targets
    )
    _code(facts, member, function, span, own)
    return member


def _aliased(facts: Facts, function: str, members: Sequence[Member]) -> Iterator[str]:
    """The arguments of the function of which more than one of the awaits calls methods, by whatever name."""
    own = f"argument {facts.index.path(function)}:{facts.index.fact(function).qualname}@"
    for one, other in combinations(members, 2):
        yield from (said(key) for key in sorted(one.objects & other.objects) if key.startswith(own))


def _code(facts: Facts, member: Member, function: str, span: Span | None, own: frozenset[str] = frozenset()) -> None:
    """Note what the code in a span of a function (all of it if None) runs. ``own``: variables that the span makes."""
    within = None if span is None else own
    index, reach = facts.index, facts.effects.reach(function, span, beside=True)
    for external in index.externals.get(function, ()):
        if span is None or span.contains(external.call.span):
            _external(facts, member, function, external, within)
    for name in reach.names:
        _called(facts, member, name, within if name == function else None)
    run = (*([function] if span is None else ()), *reach.names)
    limiting = "" if member.against else facts.limiting.by(run) or facts.connections.by(run)
    if limiting:
        member.against.append(("limited", limiting))
    again = next((name for name in run if index.fact(name).reraises), "")
    if again:
        member.against.append(
            ("task", f"{again} raises again what is handled where it is called, which is nothing in a task")
        )
    kept = facts.caches.kept.intersection(run)
    member.kept |= kept
    member.twice |= kept if function in member.threads else kept & facts.caches.bounded
    member.objects |= reach.objects
    if reach.unknown:
        member.waits = True
        member.unknown.append(reach.unknown)
    member.told.extend([reach.told] if reach.told else ())
    member.unknown.extend(_assigned_anew(facts, reach.names))
    for name in run if span is None else (each for each in run if each != function):
        member.unknown.extend((*facts.effects.unseen.by(name), *facts.constructing.by(name)))
    builtin = facts.replacing.builtin()
    if builtin is not None:
        member.unknown.append(f"{builtin[0]} is assigned anew ({builtin[1]}), so something else may run")
    for name in (each for each in (function, *reach.names) if each in facts.importing.importers):
        for body in facts.importing.run_by(name):
            if body not in member.begun:
                member.begun.add(body)
                _code(facts, member, body, None)
    for touch in reach.touches if not member.against else ():
        if not (touch.writes or member.moving) and _moves(facts, touch.key):
            member.moving.append(f"{said(touch.key)} ({touch.where})")
        if not touch.writes or (function in member.begun and touch.key.rpartition(".")[0] == function):
            continue  # a module that is imported there gives its own variables their values
        if is_test(touch.where.path):
            member.unknown.append(f"something of a test's own may run, which writes {said(touch.key)} ({touch.where})")
        elif (touch.where.path, touch.span) not in member.answered or touch.key.startswith("file "):
            member.against.append(("writes", f"it writes {said(touch.key)} ({touch.where})"))
            break


def _moves(facts: Facts, key: str) -> bool:
    """Whether what is read may change by itself: somebody writes it, or nobody knows."""
    return key.startswith(("argument ", "file ", LIBRARY, "?")) or bool(facts.effects.writers(key))


def _assigned_anew(facts: Facts, functions: Iterable[str]) -> Iterator[str]:
    """Where something else is put in the place of one of these functions, apart from tests."""
    for function in functions:
        found = facts.stand_ins.get(function)
        if found is None:
            found = facts.stand_ins[function] = stand_in(facts, function, tests=False)
        if found:
            yield f"{found}, so something else may run"


def _called(facts: Facts, member: Member, function: str, within: Within) -> None:
    """Note the calls of libraries in all of a function: but for what threads run, they mean the same to all that run it."""
    if within is not None or function not in facts.called:
        externals = facts.index.externals.get(function, ())
        noted = member if within is not None or any(each.name in IN_THREAD for each in externals) else Member()
        for each in externals:
            _external(facts, noted, function, each, within)
        if noted is member:
            return
        facts.called[function] = noted if noted != Member() else None
    found = facts.called[function]
    if found is not None:
        member.add(found)


def _external(facts: Facts, member: Member, caller: str, external: External, within: Within) -> None:
    """Note what one call of a library means for the overlap; ``within``: it stands in the await itself."""
    catalog, path, name = facts.index.catalog, facts.index.path(caller), external.name
    where = Where(path, external.call.line)
    row = catalog.harmless(name) or catalog.blocking(name)
    replaced = facts.replacing.of(name)
    if replaced is not None:
        member.unknown.append(f"{name} is assigned anew ({replaced}), so something else may run")
    if name in ENDING or name in ASKING or (name in CURRENT_EXCEPTION and not external.call.in_handler):
        member.against.append(("task", f"{name} means something else in a task ({where})"))
    if name in PATCHING:
        member.against.append(("writes", f"{name} puts something else in a place, for all others too ({where})"))
    clock = reads_clock(name, external.call)
    if clock:
        member.clocks.append(f"{name} ({where})")
    if row is None:
        if name.startswith(DRAWING):
            member.against.append(("order", f"{name} gives one number after the other ({where})"))
        return  # what else is not known is told by the effects
    if clock or name in IN_THREAD or row.outside or (row.flow and name != SLEEP):
        member.moving.append(f"{name} ({where})")
    member.uses.extend(uses(facts.index, path, external, row, within))
    if external.call.use in WAITED:
        member.shown.append(f"{name} ({where})")
    if row.batch:
        member.batched.append(f"{name} asks for one after the other ({where}): `{row.batch}` asks for many at once")
    if name in IN_THREAD:
        _threaded(facts, member, caller, external.call)
    elif name == SLEEP:
        _sleeps(member, external.call, where)
    elif row.outside:
        member.waits = member.waits or external.call.use in WAITED
        member.answered.add((path, external.call.span))
        _answered(facts, member, caller, external, row, within)
    elif (external.call.use == AWAITED and not catalog.is_class(name)) or row.flow:
        _outside(member, row, external, where)
    elif output(facts.index, path, name, external.call) is not None:
        member.against.append(("order", f"{name} writes what others see in its order ({where})"))
    elif name.startswith(DRAWING) and _lets_pass(facts, caller, external.call):
        pass  # nobody learns how long it was
    elif name.startswith(DRAWING):
        member.against.append(("order", f"{name} gives one number after the other ({where})"))
    elif name in SHOWING or (name.startswith("logging.") and name not in NAMING):
        member.unknown.append(f"{name} writes what others see in its order ({where})")
    elif "context" in (row.writes or ()):
        member.against.append(("context", f"{name} sets a context variable, which a task would lose ({where})"))
    elif name not in RUNNING_LOOP and "loop" in (*(row.reads or ()), *(row.writes or ())):
        member.against.append(("loop-api", f"{name} works on the event loop ({where})"))


def _answered(facts: Facts, member: Member, caller: str, external: External, row: Api, within: Within) -> None:
    """Note a call of which several may be on their way to the other side."""
    path, name = facts.index.path(caller), external.name
    where, writes = Where(path, external.call.line), row.writes or ()
    if library(name) not in FILES:
        member.asks.append(f"{name} may do something at the other side ({where})")
    given = has_a_say(facts.index, caller, external.call, row)
    otherwise = f"it is given {given}" if given else facts.made_otherwise().get(library(name))
    outside = queries.outside(external.call) if row.outside == QUERY else row.outside
    if outside == WRITE:
        member.against.append(("order", f"{name} does what others see in its order ({where})"))
    elif outside == SEVERAL:
        member.unshown.append(f"whether {name} changes anything is not known ({where})")
    elif otherwise:
        member.unshown.append(f"{name} may do more than it says ({where}): {otherwise}")
    elif "argument" in writes or (RECEIVER in writes and not is_new_receiver(facts.index, path, external, within)):
        member.keeping.append(f"{name} may keep what it is given for the next call ({where})")


def _threaded(facts: Facts, member: Member, caller: str, call: Call) -> None:
    """Note what a thread is given to run."""
    path = facts.index.path(caller)
    where = Where(path, call.line)
    meant = facts.index.evaluator.evaluate(path, call.arguments[0].ref) if call.arguments else ()
    if not meant:
        member.waits = True
        member.unknown.append(f"what the thread runs is not known ({where})")
    for entity in meant:
        row = facts.index.catalog.harmless(entity.name) or facts.index.catalog.blocking(entity.name)
        if entity.name in member.threads:
            continue  # it hands itself to a thread
        if entity.kind in ("function", "method"):
            member.threads.add(entity.name)
            member.waits = member.waits or _lasts(facts, entity.name)
            _code(facts, member, entity.name, None)
            continue
        computes = _computes(facts, entity.name)
        member.waits = member.waits or not computes
        if row is None or entity.kind not in ("external", "value"):
            member.unknown.append(f"what the thread runs is not known ({where})")
        elif row.flow == "network" and not row.outside and not _tells_of_change(entity.name):
            member.unknown.append(f"whether {entity.name} changes anything is not known ({where})")
        elif (
            row.outside != READ
            and not (row.flow in TOLD and row.writes == ())
            and not (computes and _gives(entity.name, row))
        ):
            member.against.append(("order", f"{entity.name} does what others see in its order ({where})"))
        elif row.outside:
            _answered(facts, member, caller, External(caller, entity.name, _run_by(call)), row, frozenset())


def _tells_of_change(name: str) -> bool:
    """Whether a call of a library by its name changes something on the other side, or is told what to do by an argument."""
    return changes(name) or name.rpartition(".")[2] in CHANGING


def _run_by(call: Call) -> Call:
    """What a thread is given to call, as a call where it is given."""
    given = call.arguments
    return msgspec.structs.replace(call, targets=(given[0].ref,), arguments=given[1:], receiver="")


def _lasts(facts: Facts, function: str) -> bool:
    """Whether a function that a thread runs may do more than compute, which threads do one at a time."""
    reach = facts.effects.reach(function, None, beside=True)
    run = (each for name in (function, *reach.names) for each in facts.index.externals.get(name, ()))
    return bool(reach.unknown) or not all(_computes(facts, each.name) for each in run)


def _gives(name: str, row: Api) -> bool:
    """Whether a call does nothing but make something of what it is given."""
    drawn = name.startswith(DRAWING) or name in CLOCKS or name in TELLING
    return not drawn and row.reads is not None and GIVEN.issuperset(row.reads) and row.writes == () and not row.runs


def _computes(facts: Facts, name: str) -> bool:
    """Whether a call of a library is known to compute, and to let no other thread do so meanwhile."""
    standard = library(name) in sys.stdlib_module_names and library(name) not in RELEASING
    return standard and facts.index.catalog.harmless(name) is not None


def _lets_pass(facts: Facts, caller: str, call: Call) -> bool:
    """Whether a number that is drawn only tells how long to sleep, in a project in which nobody counts on the next one."""
    seeded = (each.name for externals in facts.index.externals.values() for each in externals)
    sleeps = (each.call for each in facts.index.externals.get(caller, ()) if each.name == SLEEP)
    return any(each.span.contains(call.span) for each in sleeps) and SEEDING.isdisjoint(seeded)


def _sleeps(member: Member, call: Call, where: Where) -> None:
    """Note a sleep: time that is to pass before what comes next, if it is more than a turn of the event loop."""
    if [item.literal for item in call.arguments] != ["0"]:
        member.waits = True
        member.sleeps.append(str(where))


def _outside(member: Member, row: Api, external: External, where: Where) -> None:
    """Note a call that does something outside the process: who runs it waits, unless it blocks."""
    name = external.name
    member.waits = member.waits or external.call.use in WAITED
    if row.flow == "sleep":
        member.sleeps.append(str(where))
    elif row.flow in ALONE or name.rpartition(".")[2] in CHANGING:
        member.against.append(("order", f"{name} does what others see in its order ({where})"))
    elif row.flow not in TOLD:
        member.unknown.append(f"whether {name} changes anything is not known ({where})")
