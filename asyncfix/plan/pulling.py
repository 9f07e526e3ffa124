"""Whether an asynchronous generator may be asked for more while what is done with what it gave before goes on.

It is a function of the project, and one that is known by its call. Where it pauses it has nothing open, holds nothing and has
given away nothing that it could change; and what it reads, nobody changes meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.effects.keys import pretty, said, split
from asyncfix.effects.touch import CONSTRUCTING, Touch, Where
from asyncfix.facts.testfiles import is_test
from asyncfix.link.entities import SOMETHING, Entity, parted
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Argument, Early, Function, Span
from asyncfix.plan.facts import Facts
from asyncfix.plan.sharing import PLAIN
from asyncfix.plan.standing import FROZEN
from asyncfix.plan.standins import stand_in

FIXED = PLAIN | {"builtins.range", "pathlib.Path", "pathlib.PurePath"}
"""Classes of what nobody can change, whatever is in it."""
AS_WRITTEN = frozenset({"builtins.staticmethod", "builtins.classmethod"})
MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
GETATTR = "builtins.getattr"
LOOKING_UP = frozenset({GETATTR, *(f"builtins.{name}" for name in ("eval", "globals", "locals", "vars"))})
TEMPORARY = "tempfile."
COLLECTIONS = ("builtins.", "collections.")
BY_HAND = frozenset({"anext", "aiter", "__anext__", "__aiter__", "asend", "athrow", "aclose"})
"""What asks a generator for the next thing, or closes it, in another way than a loop does."""
UNTOLD = "?."  # an attribute of something of which nothing is known
ARGUMENT = "argument "
MADE = "?"  # behind the name of a container: the text shows that it was made there
OBJECT = "builtins.object"
SETTING = frozenset({"builtins.setattr", "builtins.delattr"})
OPEN = frozenset({"many", "giving", "unknown", "value"})
"""Kinds of things of which others may change what is in them by another name."""
INNER = ".<locals>."


def bound(facts: Facts, function: str, source: Early) -> Iterator[str]:
    """What binds what a call of a function gives next to what is done with what it gave before: '' where nothing is known of
    it."""
    generator = _generator(facts, function, source.span)
    if not generator:
        yield ""
        return
    index, run = facts.index, facts.effects.reach(function, source.span, beside=True)
    for name in dict.fromkeys((generator, *run.names)):
        yield from _pauses(index, name)
        yield from _goes_through(facts, name)
    yield from _gives(index, generator)
    for touch in run.touches:
        found = [each for each in facts.effects.writers(touch.key) if not _is_answered(index, *each)]
        for name, where in (*((name, change.where) for name, change in found), *_assigned(index, touch.key)):
            yield f"it reads {said(touch.key)} ({touch.where}), which {name} changes ({where})"
    for name in dict.fromkeys((generator, *run.names)):
        yield from _has_its_own(index, name)


def changeable(facts: Facts, function: str, source: Early) -> Iterator[str]:
    """What a generator reads of which nothing shows that nobody changes it meanwhile: mutable arguments, what attributes and
    variables hold that may be held elsewhere, too."""
    index, run = facts.index, facts.effects.reach(function, source.span, beside=True)
    for argument in _arguments(index.fact(function), source.span):
        if argument.keyword in ("*", "**") or not _is_settled(index, index.path(function), argument):
            given = argument.name or pretty(argument.ref) or argument.keyword
            yield f"others may change what it is given{given and f' ({given})'}"
    for name in run.names:
        yield from _looks_up(index, name)
        if name in facts.caches.kept:
            yield f"others may change what {name} gives, which keeps it"
    places = {(index.path(name), each.span): each for name in run.names for each in index.fact(name).accesses}
    asked = {(index.path(name), each) for name in run.names for each in _asked(index, name)}
    for touch in run.touches:
        access = places.get((touch.where.path, touch.span))
        if touch.key.startswith(ARGUMENT):
            settled = _is_plain(index, touch.key)
        elif access is not None and not touch.key.startswith("?"):
            meant = index.evaluator.evaluate(touch.where.path, access.ref)
            settled = bool(meant) and all(_stays(index, each) for each in meant)
            settled = settled or any(path == touch.where.path and span.contains(touch.span) for path, span in asked)
        else:
            settled = not touch.key.startswith(UNTOLD)
        if not settled:
            yield f"others may change {said(touch.key)} ({touch.where}), which it reads"


def _is_answered(index: ProjectIndex, function: str, touch: Touch) -> bool:
    """Whether what a function changes is but a client that asks for something, or what a test has."""
    return is_test(index.path(function)) or touch.span in _asked(index, function).values()


def _assigned(index: ProjectIndex, key: str) -> Iterator[tuple[str, Where]]:
    """The functions that assign an attribute of that name to whatever object, apart from constructors and tests: it may be one
    that they made, and that others have since."""
    owner, _, attribute = key.rpartition(".")
    for name, info in index.functions.items() if owner in index.classes else ():
        own = f":{info.fact.owner_class}!." if info.fact.name in CONSTRUCTING else "-"
        for access in info.fact.accesses:
            holder, last = split(access.ref) if access.kind in ("write", "change") else ("", "")
            written = last == attribute and not holder.endswith(("<locals>", ":")) and not access.ref.startswith(own)
            if written and not is_test(info.path):
                yield name, Where(info.path, access.line)
        for call in info.fact.calls:
            handed = any(each.ref in SETTING for each in call.arguments)
            if handed and any(each.literal == attribute for each in call.arguments):
                yield name, Where(info.path, call.line)


def _asked(index: ProjectIndex, function: str) -> dict[Span, Span]:
    """The calls by which a function asks for something outside the process: what is called, and all of the call."""
    found: dict[Span, Span] = {}
    for external in index.externals.get(function, ()):
        row = index.catalog.harmless(external.name) or index.catalog.blocking(external.name)
        if row is not None and row.outside:
            found[external.call.function] = external.call.span
    return found


def _generator(facts: Facts, function: str, span: Span) -> str:
    """The one asynchronous generator function that a call can mean, '' if it may mean something else."""
    index = facts.index
    edges = [each for each in index.calls.get(function, ()) if each.span == span]
    called = {each.callee for each in edges}
    name = called.pop() if len(called) == 1 and all(each.kind == "call" for each in edges) else ""
    if not name or INNER in name or any(each.span == span for each in index.unknown.get(function, ())):
        return ""
    fact = index.fact(name)
    plain = fact.is_async and fact.is_generator and AS_WRITTEN.issuperset(fact.decorators)
    return name if plain and name not in index.overridden and not stand_in(facts, name) else ""


def _pauses(index: ProjectIndex, name: str) -> Iterator[str]:
    """Where a generator pauses with something open, or with something to do when it goes no further."""
    fact = index.fact(name)
    for item in fact.yields if _is_paused(fact) else ():
        where = Where(index.path(name), item.line)
        if item.guarded or any(each.body.contains(item.span) for each in fact.tries):
            yield f"{name} gives it within a `with` or a `try` ({where})"


def _looks_up(index: ProjectIndex, name: str) -> Iterator[str]:
    """Where a function asks for something by a name that is worked out."""
    told = [each.span for each in index.fact(name).accesses]
    for external in index.externals.get(name, ()):
        named = external.name == GETATTR and external.call.span in told
        if external.name in LOOKING_UP and not named:
            yield f"others may change what {external.name} gives ({Where(index.path(name), external.call.line)})"


def _is_paused(fact: Function) -> bool:
    """Whether a function pauses when it has given something, to be gone on with later."""
    return fact.is_generator and MANAGERS.isdisjoint(fact.decorators)


def _has_its_own(index: ProjectIndex, name: str) -> Iterator[str]:
    """What a function has for itself, and changes, though others may meet it by its name: temporary files, and what it has open
    while it pauses."""
    for external in index.externals.get(name, ()):
        row = index.catalog.harmless(external.name) or index.catalog.blocking(external.name)
        where = Where(index.path(name), external.call.line)
        changes = row is not None and "receiver" in (row.writes or ()) and not row.outside
        if external.call.own_paths or external.name.startswith(TEMPORARY):
            yield f"{name} has a temporary file of its own ({where})"
        elif changes and _is_paused(index.fact(name)) and not external.name.startswith(COLLECTIONS):
            yield f"{name} keeps what {external.name} changes ({where})"


def _goes_through(facts: Facts, name: str) -> Iterator[str]:
    """What a function goes through by `async for` that is no call of an asynchronous generator of the project."""
    index, path = facts.index, facts.index.path(name)
    for access in index.fact(name).operations:
        if access.kind == "__aiter__" and not _generator(facts, name, access.span):
            yield f"{name} goes through something of which nothing is known ({Where(path, access.line)})"
    for call in index.fact(name).calls:
        if any(target.rpartition(".")[2] in BY_HAND for target in call.targets):
            yield f"{name} asks for one after the other itself ({Where(path, call.line)})"


def _gives(index: ProjectIndex, generator: str) -> Iterator[str]:
    """What a generator gives that may be changed when it goes on."""
    fact, path = index.fact(generator), index.path(generator)
    meant = index.evaluator.evaluate(path, f":{fact.qualname}()[]")
    if not meant or not all(map(_cannot_change, meant)):
        yield f"nothing shows that {generator} gives nothing that can be changed"


def _cannot_change(entity: Entity) -> bool:
    if entity.kind == "many":
        container, inner = parted(entity)
        return container in FROZEN and _cannot_change(inner)
    return entity.kind == "value" and entity.name in FIXED


def _arguments(fact: Function, span: Span) -> tuple[Argument, ...]:
    return next((call.arguments for call in fact.calls if call.span == span), ())


def _stays(index: ProjectIndex, entity: Entity) -> bool:
    """Whether nobody changes what is in a thing by another name for it; what is in that is told for itself."""
    container = parted(entity)[0] if entity.kind == "many" else entity.name
    if container.removesuffix(MADE) in FROZEN or _cannot_change(entity):
        return True
    return entity.kind not in OPEN and not any(base.startswith(COLLECTIONS) for base in _bases(index, entity))


def _bases(index: ProjectIndex, entity: Entity) -> list[str]:
    order = index.evaluator.order(entity.name) if entity.kind == "instance" else ()
    return [base for base in order if base != OBJECT]


def _is_settled(index: ProjectIndex, path: str, argument: Argument) -> bool:
    """Whether an argument is something that nobody can change, or an object of which each attribute is told for itself."""
    refs = [ref for ref in (argument.ref, *argument.refs) if ref]
    meant = [each for ref in refs for each in index.evaluator.evaluate(path, ref) or (SOMETHING,)]
    settled = bool(meant) and all(_stays(index, each) for each in meant)
    return settled or bool(argument.literal)


def _is_plain(index: ProjectIndex, key: str) -> bool:
    """Whether an argument, by its key, is something that nobody can change."""
    path, _, ref = key.removeprefix(ARGUMENT).partition(":")
    meant = index.evaluator.evaluate(path, f":{ref}")
    return bool(meant) and all(map(_cannot_change, meant))
