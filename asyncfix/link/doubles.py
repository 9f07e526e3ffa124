"""Objects that take the place of those of a class where a parameter is annotated with it, or that are put into their place
from outside: mocks and fakes.

An annotation says what a parameter is meant to be; a test may well hand in something else that has a method of that name.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from asyncfix.facts.scopes import NONE
from asyncfix.facts.testfiles import is_test
from asyncfix.link.arguments import argument_for
from asyncfix.link.assigning import Assigning, Held
from asyncfix.link.entities import SOMETHING, Entities, Entity, parted
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.link.likenesses import Likenesses
from asyncfix.link.protocols import callable_ones
from asyncfix.model import Argument

BUILTIN = "builtins."
CALLED = "__call__"


@dataclass(slots=True)
class Doubles:
    """Answers are remembered; the parameters are read when first asked for."""

    index: ProjectIndex
    assigning: Assigning = field(init=False)
    likenesses: Likenesses = field(init=False)
    _callable: frozenset[str] = field(init=False)
    _typed: Mapping[str, tuple[tuple[str, int], ...]] | None = None
    _by_class: dict[str, tuple[tuple[str, int, str], ...]] = field(
        default_factory=lambda: dict[str, tuple[tuple[str, int, str], ...]]()
    )

    def __post_init__(self) -> None:
        self.assigning = Assigning(self.index)
        self.likenesses = Likenesses(self.index)
        self._callable = callable_ones(self.index.evaluator)

    def of(self, method: str, family: Iterable[str], *, tests: bool = True) -> tuple[str, int] | None:
        """Where something that has a method of its own is given for an object of the method's class: path and line.

        ``family``: the methods that turn with it; ``tests``: what tests give counts, too.
        """
        info = self.index.functions[method]
        owner = self.index.evaluator.owner(info)
        last = info.fact.name
        if owner is None:
            return None
        together = {Entity("method", each) for each in family}
        for path, line, other in self._instead(owner):
            if is_test(path) and not tests:
                continue
            if not other or not (self._methods(owner, last) | together).issuperset(self._meant(other, last)):
                return path, line
        return None

    def _methods(self, owner: str, last: str) -> frozenset[Entity]:
        """What an object of a class, or of one below it, may have under a name."""
        below = (Entity("method", each) for each in self.index.methods_below(owner, last))
        return frozenset((*self._meant(owner, last), *below))

    def _meant(self, owner: str, last: str) -> Entities:
        if owner.startswith(BUILTIN) and not hasattr(getattr(builtins, owner.removeprefix(BUILTIN), None), last):
            return ()
        return self.index.evaluator.attribute(Entity("instance", owner), last)

    def lacking(self, owner: str, method: str) -> tuple[str, int] | None:
        """Where something that may not have that method is given for an object of a library's class: path and line."""
        for path, line, other in self._instead(owner):
            if not other or not self._meant(other, method):
                return path, line
        return None

    def _instead(self, owner: str) -> tuple[tuple[str, int, str], ...]:
        if owner not in self._by_class:
            self._by_class[owner] = tuple(self._given(owner))
        return self._by_class[owner]

    def _given(self, owner: str) -> Iterator[tuple[str, int, str]]:
        """Path, line, and the class of what is given: '' if that is no class of the project."""
        kinds = {owner, *self.index.subclasses.get(owner, ())}
        sure = owner in self._callable  # a function may be given for it, which is known by no class
        for name in {kind.rpartition(".")[2] for kind in kinds}:
            for function, position in self._parameters().get(name, ()):
                parameter = self.index.fact(function).parameters[position]
                meant = self.index.evaluator.all(self.index.path(function), parameter.type.split("|"))
                stated = {entity.name for entity in meant if entity.kind in ("instance", "value")}
                if kinds & stated:
                    said = kinds
                    if owner in self.index.classes:  # calls there may mean the methods of all that the annotation names
                        said = kinds.union(stated, *(self.index.subclasses.get(kind, ()) for kind in stated))
                    for edge in self.index.callers.get(function, ()):
                        yield from self._other(edge, argument_for(self.index, edge, position), said, sure)
        for put, sure, held in self.assigning.instead(kinds):
            for other in self._unlike(put.path, put.values, kinds, sure or is_test(put.path), held):
                yield put.path, put.line, other

    def _other(
        self, edge: Edge, argument: Argument | None, kinds: set[str], sure: bool
    ) -> Iterator[tuple[str, int, str]]:
        path = self.index.path(edge.caller)
        if argument is not None and argument.ref not in ("", NONE):
            for other in self._unlike(path, (argument.ref,), kinds, sure or is_test(path)):
                yield path, edge.site.line, other

    def _unlike(
        self, path: str, refs: Sequence[str], kinds: set[str], sure: bool, held: Held | None = None
    ) -> Iterator[str]:
        """The classes of what is given that are none of these, '' for what is not known. ``sure``: that it counts, too.
        ``held``: what it is given for: a mock that is like an object cannot stand for a class, nor an object that cannot be
        called for a function."""
        evaluator = self.index.evaluator
        for_class, for_function = (held.is_class, held.called) if held else (False, False)
        for entity in evaluator.all(path, refs) or (SOMETHING,):
            if for_function and entity.kind == "instance" and not any(evaluator.named_methods(entity, (CALLED,))):
                continue
            made = evaluator.result(entity) or (SOMETHING,) if entity.kind == "function" else (entity,)
            for each in map(_plain, made):
                known = each.kind in ("instance", "class") or (each.kind == "value" and each.name.startswith(BUILTIN))
                if known and each.name not in kinds:
                    yield each.name
                elif (
                    (for_class and each.kind == "instance")
                    or (_is_foreign(each) and each.name not in kinds)
                    or (each == SOMETHING and sure)
                ):
                    yield ""

    def _parameters(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        """Functions with the positions of parameters, by the last name of the class they are annotated with."""
        if self._typed is None:
            found: dict[str, list[tuple[str, int]]] = {}
            for name, info in self.index.functions.items():
                for position, parameter in enumerate(info.fact.parameters):
                    for ref in parameter.type.split("|") if parameter.type else ():
                        last = ref.rstrip("!").rpartition(".")[2].lstrip(":")
                        found.setdefault(last, []).append((name, position))
            self._typed = {last: tuple(places) for last, places in found.items()}
        return self._typed


def _plain(entity: Entity) -> Entity:
    """Of a collection only what it is, not of what."""
    return Entity("value", parted(entity)[0].removesuffix("?")) if entity.kind == "many" else entity


def _is_foreign(entity: Entity) -> bool:
    """Something of a library that may have any method: no plain value."""
    return entity.kind in ("value", "external") and not entity.name.startswith(BUILTIN)
