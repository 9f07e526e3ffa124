"""What the callers of a function give for its parameters, where no annotation tells: a second look at what is undecided.

The first look at all calls finds who calls whom as far as names, constructors and annotations tell. What is still unknown
then is looked at again, in rounds, with each parameter that says nothing standing for all that its callers give: these are
all there are if the function has no other name, is handed to nobody, and no call is left that may mean it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from asyncfix.link.arguments import argument_for
from asyncfix.link.callbacks import HANDED
from asyncfix.link.entities import GIVEN, SOMETHING, UNKNOWN, Entities, Entity
from asyncfix.link.fixtures import asks
from asyncfix.model import Argument, Call, Function

if TYPE_CHECKING:
    from asyncfix.link.index import Edge, ProjectIndex

Take: TypeAlias = "Callable[[Undecided], bool]"

ROUNDS = 3
MOST_CALLERS = 200
NAME_END = re.compile("[.:]")
# Decorators after which a function is still called by who names it alone.
KEEPING = frozenset(
    {"builtins.staticmethod", "builtins.classmethod", "contextlib.contextmanager", "contextlib.asynccontextmanager"}
    | {"functools.cache", "functools.lru_cache", "functools.lru_cache()", "abc.abstractmethod", "functools.wraps()"}
    | {"typing.final", "typing.override", "typing_extensions.override", "typing.no_type_check"}
)
# Bases that neither make an object by themselves nor call methods of it that they do not have.
QUIET_BASES = frozenset(
    {"abc.ABC", "typing.Generic", "typing.Protocol", "typing_extensions.Protocol", "threading.Thread"}
)


class Undecided(NamedTuple):
    """A call one of whose meanings is not known yet, with what is."""

    function: str
    call: Call
    entities: Entities


@dataclass(slots=True)
class Passed:
    """What callers give. ``open_names``: last names that some undecided call or access has."""

    index: ProjectIndex
    open_names: frozenset[str] = frozenset()
    used: set[tuple[str, int]] = field(default_factory=lambda: set[tuple[str, int]]())
    """Parameters for which something was found: function, and position."""
    _decorating: frozenset[str] | None = None
    _mentioned: frozenset[str] | None = None
    _wrapped: dict[str, tuple[Entity, ...]] | None = None
    _under_way: set[tuple[str, str]] = field(default_factory=lambda: set[tuple[str, str]]())

    def to(self, function: str, name: str) -> Entities:
        """What a parameter may be; with `SOMETHING` unless all callers are known."""
        fact = self.index.fact(function)
        position = next((at for at, item in enumerate(fact.parameters) if item.name == name), None)
        if position is None:
            return UNKNOWN
        if (function, name) in self._under_way:
            self.index.evaluator.cut += 1
            return UNKNOWN
        self._under_way.add((function, name))
        try:
            found = self._given(function, fact, position)
        finally:
            self._under_way.discard((function, name))
        if found:
            self.used.add((function, position))
        return found

    def _given(self, function: str, fact: Function, position: int) -> Entities:
        known = (*self.index.callers.get(function, ()), *self.index.wrapped_by.get(function, ()))
        edges = [edge for edge in known if isinstance(edge.site, Call)]
        if not edges or len(edges) > MOST_CALLERS:
            return UNKNOWN
        found: dict[Entity, None] = {}
        for edge in edges:
            # Whether functions that are handed on may turn is told elsewhere: here they are but what may be run.
            by = self._by(edge, fact, position)
            found |= dict.fromkeys(
                Entity("handed", entity.name) if entity.kind in ("function", "method") else entity for entity in by
            )
        found = self.index.evaluator.fewer(found)
        if SOMETHING not in found and (any(map(_is_handed, found)) or not self._is_closed(function, fact)):
            found[SOMETHING] = None
        telling = [entity for entity in found if entity != SOMETHING]
        if SOMETHING in found and all(_is_plain(entity) for entity in telling):
            return UNKNOWN
        return (*telling, *([SOMETHING] if SOMETHING in found else ()))

    def _by(self, edge: Edge, fact: Function, position: int) -> Entities:
        """What one call gives."""
        call = edge.site
        if not isinstance(call, Call) or call.use in HANDED:
            return (SOMETHING,)
        if edge.kind == "decorator":
            first = fact.kind in ("method", "classmethod")
            return (*self._decorated().get(edge.callee, ()), SOMETHING) if position == first else (SOMETHING,)
        unpacked = {item.keyword for item in call.arguments if item.keyword in ("*", "**")}
        argument = argument_for(self.index, edge, position) if "*" not in unpacked else None
        if argument is not None:
            return self._meant(edge, fact.parameters[position].name, argument)
        if unpacked:
            return (SOMETHING,)
        default = fact.parameters[position].default
        return (self.index.evaluator.evaluate(self.index.path(edge.callee), default) if default else ()) or (SOMETHING,)

    def _meant(self, edge: Edge, name: str, argument: Argument) -> Entities:
        refs = argument.refs or ((argument.ref,) if argument.ref else ())
        if not refs:
            return (Entity("value", "builtins.str"),)  # a literal: no object of the project
        if edge.caller == edge.callee:  # what it was given itself says nothing new
            refs = tuple(ref for ref in refs if not ref.endswith(f"@{name}"))
        return (self.index.evaluator.all(self.index.path(edge.caller), refs) or (SOMETHING,)) if refs else ()

    # -------------------------------------------------------------------------------------------------- who else may call

    def _is_closed(self, function: str, fact: Function) -> bool:
        """Whether nobody but its callers in the index calls the function."""
        index, info = self.index, self.index.functions[function]
        last = fact.name
        special = fact.kind == "property" or (last.startswith("__") and last.endswith("__") and last != "__init__")
        if special or asks(info) or not KEEPING.issuperset(fact.decorators) or last in self._decorators():
            return False
        if function in index.passed or last in index.by_name or last in self.open_names or last in self._told():
            return False
        if not fact.owner_class:
            return True
        owner = index.evaluator.owner(info)
        if owner is None or not self._is_quiet(owner):
            return False
        return last != "__init__" or not self._is_open_class(owner)

    def _is_open_class(self, owner: str) -> bool:
        """Whether a class is handed on, so that others may make objects of it, or of one below it."""
        for kind in (owner, *self.index.subclasses.get(owner, ())):
            last = kind.rpartition(".")[2]
            if kind in self.index.handed_on or last in self.open_names | self._told() or last in self.index.by_name:
                return True
        return False

    def _is_quiet(self, owner: str) -> bool:
        """Whether no library makes objects of a class, or calls its methods by itself."""
        for kind in (owner, *self.index.subclasses.get(owner, ())):
            for base in self.index.evaluator.order(kind):
                info = self.index.classes.get(base)
                if info is None and base not in QUIET_BASES and not base.startswith("builtins."):
                    return False
                if info is not None and info.fact.made_by:
                    return False
        return True

    def _told(self) -> frozenset[str]:
        """Last names of all that is named as a text: settings, templates, build files may have it called."""
        if self._mentioned is None:
            index = self.index
            summaries = (mention.name for summary in index.summaries.values() for mention in summary.mentions)
            texts = (mention.name for text in index.texts for mention in text.mentions)
            self._mentioned = frozenset(NAME_END.split(name)[-1] for names in (summaries, texts) for name in names)
        return self._mentioned

    def _decorated(self) -> dict[str, tuple[Entity, ...]]:
        """The functions that each function of the project is given as a decorator."""
        if self._wrapped is None:
            found: dict[str, dict[Entity, None]] = {}
            for name, info in self.index.functions.items():
                for decorator in info.fact.decorators if info.fact.kind != "class" else ():
                    for entity in self.index.evaluator.evaluate(info.path, decorator):
                        if entity.kind in ("function", "method"):
                            found.setdefault(entity.name, {})[Entity("wrapped", name)] = None
            self._wrapped = {name: tuple(given) for name, given in found.items() if len(given) <= MOST_CALLERS}
        return self._wrapped

    def _decorators(self) -> frozenset[str]:
        """Last names of all that stands as a decorator somewhere."""
        if self._decorating is None:
            functions = (ref for info in self.index.functions.values() for ref in info.fact.decorators)
            classes = (ref for known in self.index.classes.values() for ref in known.fact.decorators)
            self._decorating = frozenset(
                ref.removesuffix("()").rpartition(".")[2].lstrip(":") for refs in (functions, classes) for ref in refs
            )
        return self._decorating


def _is_handed(entity: Entity) -> bool:
    return entity.kind in GIVEN


def _is_plain(entity: Entity) -> bool:
    """Whether it is a value of a builtin type, which has no functions of the project."""
    return entity.kind == "value" and entity.name.startswith("builtins.")


def settle(
    index: ProjectIndex, undecided: Sequence[Undecided], names: Iterable[str], take: Take
) -> Iterator[Undecided]:
    """Look at undecided calls again, in rounds, each after what the one before gave: those that stay so.

    ``names``: last names that something else has which is not known, either. ``take`` is given a call of which more is
    known now: it says whether that is all.
    """
    passed = Passed(index)
    index.evaluator.passed = passed
    left = [item for item in undecided if _may_be_told(item)]
    others = [item for item in undecided if not _may_be_told(item)]
    unresolved = frozenset((*names, *_names(others)))
    for _ in range(ROUNDS):
        passed.open_names = unresolved.union(_names(left))
        index.evaluator.forget_unknown()
        changed: dict[int, Undecided] = {}
        for at, item in enumerate(left):
            entities = index.evaluator.all(index.path(item.function), item.call.targets)
            if entities != item.entities:
                changed[at] = Undecided(item.function, item.call, entities)
        decided = {at for at, item in changed.items() if take(item)}
        left = [changed.get(at, item) for at, item in enumerate(left) if at not in decided]
        if not changed:
            break
    yield from others
    yield from left


def _may_be_told(item: Undecided) -> bool:
    """Whether a call means something that callers may tell: no name out of nowhere, nor what a library gives."""
    open_still = not item.entities or SOMETHING in item.entities
    return open_still and not all(target[:1] == "?" for target in item.call.targets)


def _names(undecided: Iterable[Undecided]) -> Iterator[str]:
    for item in undecided:
        for target in item.call.targets:
            yield target.rpartition(".")[2]
