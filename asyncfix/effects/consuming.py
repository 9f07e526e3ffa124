"""Reads that change what they read: iterators that are used up, mappings that keep what they make when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from asyncfix.effects.keys import Keys, is_known, split
from asyncfix.effects.touch import Touch, Where
from asyncfix.facts.special import ITER, UNPACKED
from asyncfix.link.arguments import PARAMETER, given
from asyncfix.link.entities import Entity, parted
from asyncfix.model import Span

GOING = frozenset({ITER, "__next__", "__contains__", UNPACKED})
STREAMING = "__aiter__"
ONCE = frozenset(
    {f"builtins.{name}" for name in ("map", "filter", "zip", "enumerate")}
    | {"types.GeneratorType", "types.AsyncGeneratorType", "csv.reader", "csv.DictReader", "re.finditer", "glob.iglob"}
    | {"os.scandir", "os.walk", "pathlib.Path.iterdir"}
    | {
        f"{module}.{name}"
        for module in ("collections.abc", "typing")
        for name in ("Iterator", "Generator", "AsyncIterator", "AsyncGenerator")
    }
)
"""What can be gone through once."""
HANDLES = frozenset({"io.TextIOWrapper", "io.BufferedReader", "io.StringIO", "io.BytesIO"})
"""What is gone through from where it stands; what else is done to it rows tell."""
MAKING = "builtins.iter"  # what it gives is told by what it is given, which may be gone through again
LOOKING = frozenset(
    {f"builtins.{name}" for name in ("isinstance", "id", "type", "callable", "hasattr", "repr", "iter")}
)
"""Functions that take nothing of an iterator that they are given."""
LAZY = "itertools."  # what is given to such a function is gone through later, step by step
KEEPING = "collections.defaultdict"
ARGUMENT = "argument "


class Consuming:
    """What functions use up, or make grow, by reading it."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.index = keys.index
        self._made: frozenset[str] | None = None

    def by(self, function: str) -> Iterator[Touch]:
        """The writes that the operations and calls of a function come to of what others can reach."""
        path, fact = self.index.path(function), self.index.fact(function)
        for access in fact.operations:
            where = Where(path, access.line)
            if access.kind == "__getitem__":
                yield from self._changed(access.ref, access.span, access.at, where, _keeps)
            elif access.kind == STREAMING:
                yield from self._changed(access.ref, access.span, access.at, where, _streams, untold=True)
            elif access.kind in GOING:
                yield from self._changed(access.ref, access.span, access.at, where, _goes_on)
        for external in self.index.externals.get(function, ()):
            call, where = external.call, Where(path, external.call.line)
            changes = _goes_on if external.name.startswith(LAZY) else _is_used_up
            for argument in call.arguments if external.name not in LOOKING else ():
                if argument.ref:
                    yield from self._changed(argument.ref, call.span, call.span.end, where, changes)

    def _changed(
        self, ref: str, span: Span, at: int, where: Where, changes: Callable[[Entity], bool], *, untold: bool = False
    ) -> Iterator[Touch]:
        """``untold``: so does something of which nothing is known."""
        meant = self.index.evaluator.evaluate(where.path, ref)
        told = any(map(changes, meant)) or (untold and not meant)
        handed = not told and changes is not _keeps and self._is_given_iterator(where.path, ref, changes, frozenset())
        if not (told or handed) and (changes is _keeps or not self._may_be_made(ref)):
            return
        key, holder = self.keys.of(where.path, ref, deep=True)
        made = _is_result(key)
        alone = key.startswith(ARGUMENT) and not _is_held(self.keys, where.path, ref)
        if key and not made and not alone and (told or handed or key in self._iterators()):
            yield Touch(key, holder, True, span, at, where, True)

    def _is_given_iterator(
        self, path: str, ref: str, changes: Callable[[Entity], bool], through: frozenset[str]
    ) -> bool:
        """Whether a caller gives for a parameter, whatever its annotation says, what can be gone through once: under a name,
        where it makes iterators of what it has."""
        parameter = PARAMETER.fullmatch(ref)
        functions = self.index.evaluator.function_ids(path, parameter[1]) if parameter is not None else ()
        for function in functions if ref not in through else ():
            for edge, argument in given(self.index, function, parameter[2] if parameter is not None else ""):
                above, made = self.index.path(edge.caller), self.index.externals.get(edge.caller, ())
                iterated = (item.ref for each in made if each.name == MAKING for item in each.call.arguments[:1])
                if argument.name and (argument.ref.startswith(f"{MAKING}(") or argument.ref in iterated):
                    return True
                named = argument.name or not argument.ref.endswith("()")
                if named and any(map(changes, self.index.evaluator.evaluate(above, argument.ref))):
                    return True
                if self._is_given_iterator(above, argument.ref, changes, through | {ref}):
                    return True
        return False

    def _may_be_made(self, ref: str) -> bool:
        """Whether something of that last name is assigned an iterator somewhere."""
        last = split(ref)[1]
        return any(key.endswith(f".{last}") for key in self._iterators()) if last else False

    def _iterators(self) -> frozenset[str]:
        """The keys of what is assigned what `iter` gives."""
        if self._made is None:
            made = (key for name in self.index.externals for key in self._made_by(name))
            self._made = frozenset(key for key in made if is_known(key))
        return self._made

    def _made_by(self, function: str) -> Iterator[str]:
        """The keys of what a function assigns so: in the line in which such a call stands, and no other one round it."""
        fact, path = self.index.fact(function), self.index.path(function)
        for external in self.index.externals[function]:
            call = external.call
            if external.name == MAKING and not any(
                each.span.contains(call.span) for each in fact.calls if each != call
            ):
                for access in fact.accesses:
                    if access.kind == "write" and access.line == call.line and access.span.end < call.span.start:
                        yield self.keys.of(path, access.ref, deep=True)[0]


def _is_used_up(entity: Entity) -> bool:
    name = _class(entity)
    return name in ONCE or (name.startswith("itertools.") and name != "itertools.repeat")


def _goes_on(entity: Entity) -> bool:
    return _is_used_up(entity) or _class(entity) in HANDLES


def _streams(entity: Entity) -> bool:
    """Whether what is gone through asynchronously gives each thing once: as all do but for classes that show what they do."""
    return entity.kind != "instance"


def _keeps(entity: Entity) -> bool:
    return _class(entity) == KEEPING


def _class(entity: Entity) -> str:
    name = parted(entity)[0] if entity.kind == "many" else entity.name
    return name.removesuffix("?").removesuffix("()")


def _is_result(key: str) -> bool:
    """Whether it is what a call gives: where that is gone through it is new, as a rule."""
    return key.startswith("?") and key.endswith("()")


def _is_held(keys: Keys, path: str, ref: str) -> bool:
    """Whether a caller gives for a parameter what has a name, or what others can reach: more than this call may go on."""
    parameter = PARAMETER.match(ref)
    functions = keys.index.evaluator.function_ids(path, parameter[1]) if parameter is not None else ()
    return any(
        argument.name or ((key := keys.of(keys.index.path(edge.caller), argument.ref)[0]) and not _is_result(key))
        for function in functions
        for edge, argument in given(keys.index, function, parameter[2] if parameter is not None else "")
    )
