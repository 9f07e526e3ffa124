"""What refs may mean: things of the project, things of libraries, collections of them, and what is not known."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias, cast

from asyncfix.model import Class, Function

MOST = 12
MOST_NAMED = 64  # of functions and classes by their names, as registries list them
OBJECTS = ("instance", "super")
NAMED = ("function", "method", "class")
GIVEN = ("handed", "wrapped")
OF_NONE = frozenset(dir(None))

Kind: TypeAlias = Literal[
    "module",
    "namespace",
    "class",
    "instance",
    "function",
    "method",
    "super",
    "external",
    "value",
    "many",
    "giving",
    "handed",
    "wrapped",
    "unknown",
]


class Entity(NamedTuple):
    """One thing a ref may mean.

    ``name`` is a path for a module, a class or function id for what the project defines, a dotted name for a library's
    thing (``many``: class of a collection, ``|``, kind and name of an element; ``giving``: likewise, with a method that
    gives elements; ``external``: module, function or class, with `PARTLY` behind it if so; ``value``: an instance of that type;
    ``handed``: a function that a caller gives for a parameter, ``wrapped`` if it is one that the callee decorates).
    """

    kind: Kind
    name: str


Entities: TypeAlias = tuple[Entity, ...]
UNKNOWN: Entities = ()
SOMETHING = Entity("unknown", "")
"""Stands beside what is known where it may be something else, too."""
UNDER_WAY: Entities = (SOMETHING,)
"""Stands for an answer that is being worked out."""

PAIR = "builtins.tuple?"
"""The class of a pair of key and value: an element of it may be either. A ``?`` behind a class says so of others, too."""
KEYED = frozenset({PAIR, "builtins.dict", "typing.Mapping", "typing.MutableMapping", "collections.defaultdict"}) | {
    "collections.OrderedDict",
    "collections.abc.Mapping",
    "collections.abc.MutableMapping",
}


def many(container: str, inner: Entity) -> Entity:
    """A collection of that class, of elements like ``inner``."""
    return Entity("many", f"{container}|{inner.kind}:{inner.name}")


def parted(entity: Entity) -> tuple[str, Entity]:
    """The class (or the method) and the element of a ``many`` or ``giving``."""
    container, _, inner = entity.name.partition("|")
    kind, _, name = inner.partition(":")
    return container, Entity(cast(Kind, kind), name)


class Vague(tuple[Entity, ...]):
    """Entities that depend on a collection whose elements are not known yet."""

    __slots__ = ()


class ClassInfo(NamedTuple):
    """A class of the project, with the path of its file."""

    path: str
    fact: Class


class FunctionInfo(NamedTuple):
    """A function of the project, with the path of its file."""

    path: str
    fact: Function


def some(found: Mapping[Entity, None]) -> Entities:
    """The things found; if nothing definite is among them, or too much, they are unknown."""
    if not any(entity.kind != "unknown" for entity in found):
        return UNKNOWN
    if len(found) > MOST:
        own = [entity for entity in found if entity != SOMETHING and not is_given(entity)]
        if len(own) > (MOST_NAMED if all(_innermost(entity).kind in NAMED for entity in own) else MOST):
            return UNKNOWN
    return tuple(found)


def usable(found: dict[Entity, None]) -> dict[Entity, None]:
    """Of several things those that may be meant: not the attribute of a builtin that has none of that name."""
    if len(found) > 1:
        left = {entity: None for entity in found if not is_error(entity.name)}
        return left or found
    return found


def is_error(dotted: str) -> bool:
    """Whether asking for an attribute would raise: ``builtins.None.get``."""
    if not dotted.startswith("builtins."):  # nearly always
        return False
    owner, _, name = dotted.removeprefix("builtins.").partition(".")
    if not name.isidentifier():
        return False
    if owner == "None":
        return name not in OF_NONE
    kind: object = vars(builtins).get(owner)
    if not isinstance(kind, type) or issubclass(kind, BaseException):
        return False
    return not any(name in vars(base) for base in kind.__mro__)


def is_given(entity: Entity) -> bool:
    """Whether it is a function that callers give, or a collection of them: of these there may be many."""
    return _innermost(entity).kind in GIVEN


def _innermost(entity: Entity) -> Entity:
    """The same; of a collection its elements."""
    return parted(entity)[1] if entity.kind in ("many", "giving") else entity
