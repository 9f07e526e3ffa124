"""Objects of libraries that awaits share: which take one call at a time, which are new, which the project made otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from asyncfix.effects.touch import Where
from asyncfix.link.callbacks import picked
from asyncfix.link.entities import SOMETHING, Entity, parted
from asyncfix.link.index import External, ProjectIndex
from asyncfix.model import Api, Argument, Call

RECEIVER = "receiver"
RESULT = "()"
MARKS = "%~"  # behind a ref: what `with` binds to its target, what an await gives
NOTHING = ("None", "False")
PLAIN = frozenset(
    {"builtins.int", "builtins.str", "builtins.bool", "builtins.float", "builtins.bytes", "builtins.None"}
    | {"uuid.UUID", "datetime.date", "datetime.datetime", "datetime.timedelta", "decimal.Decimal"}
)


MOST_CALLS = 3  # that hand on what the last of them makes
AS_WRITTEN = frozenset({"contextmanager", "asynccontextmanager", "staticmethod", "classmethod"})
"""Decorators that keep nothing of what a function gives."""
NEEDING_AN_OBJECT = frozenset({"auth", "cookies", "default_encoding", "raise_for_status"})
"""Arguments that decide something only as an object with methods, or as one that others hold, too."""
PAIR = "builtins.tuple"
COPIED = PLAIN | {"builtins.dict", PAIR, "aiohttp.BasicAuth", "httpx.BasicAuth", "requests.auth.HTTPBasicAuth"}
"""What of such arguments is none: a text, what is copied when it is given, what says the same each time."""


class Use(NamedTuple):
    """The use of an object that takes one call at a time: its class as a person reads it, its library, and where."""

    kind: str
    library: str
    where: Where


Within = frozenset[str] | None
"""Of the code in question: None if it is all of a function; else the variables that it makes itself, being a part of one."""


def uses(index: ProjectIndex, path: str, external: External, row: Api, within: Within) -> Iterator[Use]:
    """The objects that a call of a library uses which take one call at a time, but for new ones."""
    where = Where(path, external.call.line)
    if RECEIVER in row.single and not is_new_receiver(index, path, external, within):
        kind = index.catalog.canonical(external.name).rpartition(".")[0]
        yield Use(kind, library(kind), where)
    for argument in picked(external.call, row.single):
        if argument.literal not in NOTHING and not (
            is_new(index, path, argument.ref) and not (within is not None and argument.name not in ("", *within))
        ):
            yield Use(f"the {argument.keyword or 'argument'} of {external.name}", library(external.name), where)


def is_new_receiver(index: ProjectIndex, path: str, external: External, within: Within) -> bool:
    """Whether the object that a method is called on was made by the very code."""
    if within is not None and external.call.receiver not in ("", *within):
        return False
    return all(is_new(index, path, target.rpartition(".")[0]) for target in external.call.targets)


def is_new(index: ProjectIndex, path: str, ref: str, deep: int = MOST_CALLS) -> bool:
    """Whether a ref is what a call of a library gives, there and then, or in a function of the project that is called there."""
    ref = ref.rstrip(MARKS)
    meant = index.evaluator.evaluate(path, ref.removesuffix(RESULT)) if ref.endswith(RESULT) else ()
    return bool(meant) and all(each.kind in ("external", "value") or _makes(index, each, deep) for each in meant)


def _makes(index: ProjectIndex, entity: Entity, deep: int) -> bool:
    """Whether a function of the project gives something new each time."""
    if entity.kind not in ("function", "method") or entity.name in index.overridden or not deep:
        return False
    path, fact = index.path(entity.name), index.fact(entity.name)
    same = all(decorator.rpartition(".")[2] in AS_WRITTEN for decorator in fact.decorators)
    return same and bool(fact.made) and all(is_new(index, path, each, deep - 1) for each in fact.made)


def is_plain(index: ProjectIndex, function: str, name: str) -> bool:
    """Whether a parameter is known to be a plain value (a number, a text, a date), or a name to be that of a function, a class
    or a module."""
    path, fact = index.path(function), index.fact(function)
    meant = index.evaluator.evaluate(path, f":{fact.qualname}@{name}")
    if meant:
        return all(entity.kind == "value" and entity.name in PLAIN for entity in meant)
    return all(map(_is_definition, index.evaluator.evaluate(path, f":{name}") or (SOMETHING,)))


def _is_definition(entity: Entity) -> bool:
    """Whether it is a function, a class or a module; of a library a class by its name."""
    last = entity.name.rpartition(".")[2]
    return entity.kind in ("function", "class", "module") or (entity.kind == "external" and last[:1].isupper())


def library(name: str) -> str:
    """The package that a dotted name begins with."""
    return name.partition(".")[0]


def made_otherwise(index: ProjectIndex) -> dict[str, str]:
    """By library why nothing is sure of what its objects do: the project has a class of its own derived from theirs, or gives
    them something that has a say in it."""
    found: dict[str, str] = {}
    for name, externals in index.externals.items():
        for external in externals:
            row = index.catalog.harmless(external.name) or index.catalog.blocking(external.name)
            what = has_a_say(index, name, external.call, row) if row is not None and not row.outside else ""
            if what:
                where = Where(index.path(name), external.call.line)
                found.setdefault(library(external.name), f"{external.name} is given {what} ({where})")
    for name, info in index.classes.items():
        for base in index.evaluator.order(name):
            if base not in index.classes and index.catalog.is_class(base) and _overrides(index, name):
                where = Where(info.path, info.fact.line)
                found.setdefault(library(base), f"{name} is a {base} of the project's own ({where})")
    return found


def has_a_say(index: ProjectIndex, function: str, call: Call, row: Api) -> str:
    """What a call in a function is given of what its row says decides more than the row says, or may be given; '' if nothing."""
    unpacked = [each for each in call.arguments if each.keyword in ("*", "**")] if row.unless else []
    path = index.path(function)
    given = (each for each in picked(call, row.unless) if not _is_nothing(index, path, each))
    found = next(given, None) or next(iter(unpacked), None)
    return (found.keyword.strip("*") or "arguments that are not known") if found is not None else ""


def _is_nothing(index: ProjectIndex, path: str, argument: Argument) -> bool:
    if argument.keyword not in NEEDING_AN_OBJECT:
        return argument.literal in NOTHING
    meant = index.evaluator.evaluate(path, argument.ref) if argument.ref else ()
    names = (parted(entity)[0] if entity.kind == "many" else entity.name for entity in meant)
    return bool(argument.literal or meant) and all(
        name.removesuffix("?").removesuffix("()") in COPIED for name in names
    )


def _overrides(index: ProjectIndex, name: str) -> bool:
    """Whether a class has methods other than special ones."""
    return any(not method.startswith("__") for method in index.evaluator.methods.get(name, {}))
