"""What is known of libraries: which calls block, which do not, and what they give.

A catalog is made of the rows of all maps and answers by dotted name, whatever import path it is spelled by. A row for
the name itself beats a wildcard, a longer wildcard a shorter one. A blocking wildcard covers the methods of its class
and no more (``redis.Redis.*`` says nothing of ``redis.Redis.connection_pool.reset``), a harmless one all beneath its
name; neither reaches into the result of a call. Where no class names it, ``f()`` is what calling ``f`` gives.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from asyncfix.model import Api, ApiMap, TypeRow

WILDCARD = ".*"
PLAIN = "plain"  # of a row: what it speaks of does not block, and has another name on the async side
THREAD = "thread"  # of a row: there is no async twin
PARTLY = "&"
"""Behind the name of a function: some of its arguments were given before, so no row speaks of the call."""


class MapError(ValueError):
    """A text is no API map; the message names the file, and the key where one is wrong."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The rows in force, by canonical name. ``given`` holds the stated types of attributes, parameters and results."""

    blocking_rows: Mapping[str, Api]
    harmless_rows: Mapping[str, Api]
    given: Mapping[str, str]
    aliases: Mapping[str, str]
    classes: frozenset[str]
    own: frozenset[str] = frozenset()
    """The names of the user's own rows that name an async twin."""
    _aliased: frozenset[str] = frozenset()
    _packages: set[str] = field(default_factory=lambda: set[str]())
    _canonical: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    _rows: dict[str, tuple[Api | None, bool]] = field(default_factory=lambda: dict[str, tuple[Api | None, bool]]())

    def canonical(self, name: str) -> str:
        """The one name under which rows speak of what ``name`` means."""
        if name.partition(".")[0] not in self._aliased:
            return name
        found = self._canonical.get(name)
        if found is None:
            prefix = next((each for each in _prefixes(name) if each in self.aliases), "")
            found = self._canonical[name] = self.aliases[prefix] + name[len(prefix) :] if prefix else name
        return found

    def blocking(self, name: str) -> Api | None:
        """The row of a call that blocks or has an async twin, made out to that very call; None if none is known."""
        row, blocks = self._row(name)
        if row is None or not blocks:
            return None
        return _made_out(row, self.canonical(name))

    def declared(self, name: str) -> Api | None:
        """The user's own row of something that has an async twin, made out to that very name; None if there is none."""
        row = self._row(name)[0]
        if row is None or self.canonical(row.call) not in self.own:
            return None
        return _made_out(row, self.canonical(name))

    def harmless(self, name: str) -> Api | None:
        """The row of a call that is known not to block, None if none is known."""
        row, blocks = self._row(name)
        return None if blocks else row

    def gives(self, name: str) -> str:
        """The dotted class of what calling ``name`` gives, '' if unknown."""
        stated = self.given.get(self.canonical(name) + "()")
        if stated is not None:
            return stated
        row, _ = self._row(name)
        return self.canonical(row.gives) if row is not None else ""

    def attribute_type(self, name: str) -> str:
        """The dotted class of ``pkg.C.attr``, or what a type row says of exactly that text; '' if unknown."""
        return self.given.get(self.canonical(name), "")

    def is_class(self, name: str) -> bool:
        """True if ``name`` is known to be a class: calling it gives an instance of it."""
        return self.canonical(name) in self.classes

    def covers(self, package: str) -> bool:
        """True if any row speaks of something in a top-level package."""
        if not self._packages:
            rows = (*self.blocking_rows, *self.harmless_rows)
            self._packages.update(name.partition(".")[0] for name in rows)
        return package in self._packages

    def knows(self, name: str) -> bool:
        """True if any row speaks of ``name``."""
        return self._row(name)[0] is not None or bool(self.attribute_type(name) or self.is_class(name))

    def has_row(self, name: str) -> bool:
        """True if a row speaks of exactly that name, by no wildcard."""
        return self.canonical(name) in self.blocking_rows or self.canonical(name) in self.harmless_rows

    def running(self, name: str) -> Api | None:
        """The row of a call that calls some of its arguments, None if it is not known to."""
        row, _ = self._row(name)
        return row if row is not None and row.runs else None

    def _row(self, name: str) -> tuple[Api | None, bool]:
        """The most special row for a name, and whether it is a blocking one. Asked often, so answers are remembered."""
        found = self._rows.get(name)
        if found is None:
            found = self._rows[name] = self._find_row(self.canonical(name))
        return found

    def _find_row(self, name: str) -> tuple[Api | None, bool]:
        if name.endswith(PARTLY):
            return None, False
        pattern, direct = name, True
        while True:
            if direct and pattern in self.blocking_rows:
                return self.blocking_rows[pattern], True
            if pattern in self.harmless_rows:
                return self.harmless_rows[pattern], False
            direct = pattern == name
            owner, dot, last = pattern.removesuffix(WILDCARD).rpartition(".")
            if not dot or "(" in last:
                return None, False
            pattern = owner + WILDCARD


def parse_map(text: str, path: str) -> ApiMap:
    """The rows of one TOML file, each of one call: ``os.{stat,lstat}`` is two.

    Raises MapError for what is no TOML, for unknown keys, and for values of a wrong type.
    """
    try:
        rows = msgspec.convert(tomllib.loads(text), ApiMap)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MapError(f"{path}: {error}") from error
    return msgspec.structs.replace(rows, blocking=tuple(_each(rows.blocking)), harmless=tuple(_each(rows.harmless)))


def build(
    maps: Iterable[ApiMap],
    apis: Iterable[Api] = (),
    types: Iterable[TypeRow] = (),
    builtin_apis: bool = True,
    target: tuple[int, int] = (3, 11),
) -> Catalog:
    """The catalog of the built-in ``maps`` and of the user's own rows, which win (``Class.*`` for the whole class).

    ``target``: the oldest Python that the project runs on, on which some effects depend.
    With ``builtin_apis`` off no built-in row makes a call blocking; what such calls give is still known.
    """
    builtin = tuple(maps)
    aliases = {alias.name: alias.means for each in builtin for alias in each.aliases}
    aliased = frozenset(name.partition(".")[0] for name in aliases)
    naming = Catalog({}, {}, {}, aliases, frozenset(), _aliased=aliased)
    shipped = _by_name(naming, (row for each in builtin for row in each.blocking))
    own = _by_name(naming, apis)
    harmless = _by_name(naming, (_as_of(row, target) for each in builtin for row in each.harmless))
    awaited = {call: row for call, row in own.items() if row.kind != PLAIN}
    blocking = _left(shipped, own) | awaited if builtin_apis else awaited
    known = shipped | harmless | own
    given = _stated(naming, (row for each in builtin for row in each.types))
    given |= {call + "()": naming.canonical(row.gives) for call, row in known.items() if row.gives}
    given |= _stated(naming, types)
    return Catalog(
        blocking,
        _left(harmless, own) | {call: row for call, row in own.items() if row.kind == PLAIN},
        given,
        aliases,
        frozenset((*_classes(known, given), *_named_as_classes(own))),
        frozenset(call for call, row in own.items() if row.twin != THREAD),
        _aliased=aliased,
    )


def _by_name(naming: Catalog, rows: Iterable[Api]) -> dict[str, Api]:
    return {naming.canonical(row.call): row for row in rows}


def _as_of(row: Api, target: tuple[int, int]) -> Api:
    """The row with the effects that it has on a project's oldest Python."""
    reads, writes = (_words(each, target) for each in (row.reads, row.writes))
    return (
        row if (reads, writes) == (row.reads, row.writes) else msgspec.structs.replace(row, reads=reads, writes=writes)
    )


def _words(words: tuple[str, ...] | None, target: tuple[int, int]) -> tuple[str, ...] | None:
    stated = [word.partition("<") for word in words or ()]
    kept = (word for word, _, before in stated if not before or target < tuple(map(int, before.split("."))))
    return words if words is None else tuple(kept)


def _stated(naming: Catalog, rows: Iterable[TypeRow]) -> dict[str, str]:
    return {naming.canonical(row.value): naming.canonical(row.type) for row in rows}


def _left(builtin: Mapping[str, Api], own: Mapping[str, Api]) -> dict[str, Api]:
    """The built-in rows of which no row of the user speaks, be it by name or by the wildcard of the class."""
    return {
        call: row for call, row in builtin.items() if call not in own and call.rpartition(".")[0] + WILDCARD not in own
    }


def _each(rows: Iterable[Api]) -> Iterator[Api]:
    """A row for each name in the braces at the end of a call."""
    for row in rows:
        owner, brace, names = row.call.partition("{")
        if brace:
            yield from (msgspec.structs.replace(row, call=owner + name) for name in names.removesuffix("}").split(","))
        else:
            yield row


def _made_out(row: Api, call: str) -> Api:
    """A row for several calls made out to one of them; of the twin ``Class.*`` it is the method of the same name."""
    if not row.twin.endswith(WILDCARD):
        return row if row.call == call else msgspec.structs.replace(row, call=call)
    return msgspec.structs.replace(row, call=call, twin=row.twin.removesuffix("*") + call.rpartition(".")[2])


def _classes(rows: Mapping[str, Api], given: Mapping[str, str]) -> Iterator[str]:
    """What some call or attribute is an instance of, and what is called itself and has rows of its own beneath it."""
    yield from (name for name in given.values() if not name.endswith(")"))
    for call in rows:
        owner = call.rpartition(".")[0]
        if owner in rows:
            yield owner


def _named_as_classes(rows: Iterable[str]) -> Iterator[str]:
    """What by its name is a class, in rows of the user: ``acme.Client``, or of ``acme.Client.get`` the same."""
    for call in rows:
        named = call.removesuffix(WILDCARD)
        yield from (each for each in (named, named.rpartition(".")[0]) if each.rpartition(".")[2][:1].isupper())


def _prefixes(name: str) -> Iterator[str]:
    """The name and what it starts with, step by step, longest first."""
    end = len(name)
    while end > 0:
        yield name[:end]
        end = max(name.rfind(".", 0, end), name.rfind("(", 0, end))
