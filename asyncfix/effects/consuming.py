"""Reads that change what they read: iterators that are used up, mappings that keep what they make when asked."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.effects.keys import Keys
from asyncfix.effects.touch import Touch, Where
from asyncfix.facts.special import ITER, UNPACKED
from asyncfix.link.arguments import PARAMETER, given
from asyncfix.link.entities import Entity, parted
from asyncfix.model import Access

GOING = frozenset({ITER, "__aiter__", "__next__", "__contains__", UNPACKED})
ONCE = frozenset(
    {f"builtins.{name}" for name in ("map", "filter", "zip", "enumerate")}
    | {"types.GeneratorType", "types.AsyncGeneratorType", "csv.reader", "csv.DictReader"}
)
KEEPING = "collections.defaultdict"
ARGUMENT = "argument "


def consumed(keys: Keys, path: str, access: Access) -> Iterator[Touch]:
    """The writes that an operation comes to of what others can reach."""
    wanted = access.kind in GOING or access.kind == "__getitem__"
    for entity in keys.index.evaluator.evaluate(path, access.ref) if wanted else ():
        if _keeps(entity) if access.kind == "__getitem__" else _is_used_up(entity):
            key, holder = keys.of(path, access.ref, deep=True)
            made = key.startswith("?") and key.endswith("()")  # what a call gives to be gone through is new, as a rule
            if key and not made and (not key.startswith(ARGUMENT) or _is_held(keys, path, access.ref)):
                yield Touch(key, holder, True, access.span, access.at, Where(path, access.line), True)
            return


def _is_used_up(entity: Entity) -> bool:
    name = _class(entity)
    return name in ONCE or (name.startswith("itertools.") and name != "itertools.repeat")


def _keeps(entity: Entity) -> bool:
    return _class(entity) == KEEPING


def _class(entity: Entity) -> str:
    name = parted(entity)[0] if entity.kind == "many" else entity.name
    return name.removesuffix("?").removesuffix("()")


def _is_held(keys: Keys, path: str, ref: str) -> bool:
    """Whether a caller gives for a parameter what has a name, or what others can reach: more than this call may go on."""
    parameter = PARAMETER.match(ref)
    functions = keys.index.evaluator.function_ids(path, parameter[1]) if parameter is not None else ()
    return any(
        argument.name or keys.of(keys.index.path(edge.caller), argument.ref)[0]
        for function in functions
        for edge, argument in given(keys.index, function, parameter[2] if parameter is not None else "")
    )
