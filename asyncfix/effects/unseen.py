"""What code may run of things of which it is not told what they are: any property and special method so called, if it writes.

What is known to be read or compared has an edge to what that runs. Of the rest the name is all there is: an attribute of what
a caller gave, the elements of a collection, a field of a dataclass. Most such methods only look, and need not be told of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple
from weakref import proxy

from asyncfix.effects.keys import said
from asyncfix.effects.touch import CONSTRUCTING, Touch
from asyncfix.facts.returning import gives_back
from asyncfix.facts.special import BY_COLLECTIONS, FORMATTED
from asyncfix.facts.testfiles import is_test
from asyncfix.link.entities import SOMETHING, Entities, Entity, is_error, parted
from asyncfix.link.foreign import is_of_its_own
from asyncfix.link.operations import COPYING, NAMED
from asyncfix.link.protocols import is_protocol

if TYPE_CHECKING:
    from asyncfix.effects.reach import Effects

SPECIAL = re.compile(r"__\w+__")
ANYTHING = frozenset({"builtins.object", "builtins.type", "types.SimpleNamespace", "argparse.Namespace"})
ABSTRACT = ("typing.", "collections.abc.", "typing_extensions.", "numbers.")
"""Annotations that say what something can do, not what it is."""
COLLECTIONS = frozenset(f"builtins.{name}" for name in ("list", "dict", "set", "frozenset", "tuple"))
STANDARD = ("builtins.", "asyncio.")
DEEP = frozenset({"copy.deepcopy", "dataclasses.asdict", "dataclasses.astuple", "pickle.dump", "pickle.dumps"})
"""Functions that copy, or write down, all that is in what they are given."""


HIDDEN = ("__length_hint__", "__mro_entries__", "__repr__", "__str__", "dst", "fromutc", "tzname", "utcoffset")
"""Methods that what has no code of the project runs: collections that are made of something, definitions of classes, texts of
errors, times with a time zone."""


class Writing(NamedTuple):
    """A property or special method, and the first thing that it writes."""

    function: str
    touch: Touch


class Unseen:
    """What functions may run unseen, worked out when asked for and remembered."""

    def __init__(self, effects: Effects) -> None:
        self.effects: Effects = proxy(effects)  # which holds this: nobody collects cycles, and each round has its own
        self.index = effects.index
        self._named: dict[str, tuple[str, ...]] | None = None
        self._writing: dict[str, tuple[Writing, ...]] = {}
        self._instead: dict[str, tuple[Writing, ...]] = {}
        self._found: dict[str, tuple[str, ...]] = {}
        self._attributes: frozenset[str] | None = None

    def by(self, function: str) -> tuple[str, ...]:
        """Why it is not known what the code of a function runs: the sentences, the first of each kind."""
        found = self._found.get(function)
        if found is None:
            found = self._found[function] = tuple(dict.fromkeys(map(_sentence, self._look(function))))
        return found

    def anywhere(self) -> str:
        """The sentence on the first method of the project that writes something, and of which nothing shows where it is run."""
        found = (each for name in HIDDEN for each in (*self._so_called(name), *self._overriding(name)))
        return next(map(_sentence, found), "")

    def _look(self, function: str) -> Iterator[Writing]:
        fact, path = self.index.fact(function), self.index.path(function)
        for name in fact.loose:
            yield from (each for method in self._run_by(name) for each in self._so_called(method))
            yield from (*self._made_by_call(name), *self._asked(name))
        for access in fact.accesses:
            base, _, attribute = access.ref.rpartition(".")
            run = [each for each in self._run_by(attribute) if self._so_called(each)] if access.kind == "read" else []
            if base and (run or attribute in self.effects.runs.getters.names):
                meant = self.index.evaluator.evaluate(path, base) or (SOMETHING,)
                yield from (each for name in run for each in self._of(meant, name))
                yield from self._made_by_call(attribute) if any(self._is_untold(each, "") for each in meant) else ()
            elif base and access.kind == "read" and (asked := self._asked(attribute)):
                meant = self.index.evaluator.evaluate(path, base) or (SOMETHING,)
                yield from asked if any(self._is_untold(each, "") for each in meant) else ()
        for operation in fact.operations:
            methods = [each for each in self._run_by(operation.kind) if self._so_called(each)]
            meant = self.index.evaluator.evaluate(path, operation.ref) or (SOMETHING,) if methods else ()
            for method in methods:
                yield from self._of(meant, method)
        for external in self.index.externals.get(function, ()):
            base, _, method = external.name.rpartition(".")
            yield from (each for each in self._overriding(method) if base in self._order(each.function))
            yield from (each for name in COPYING if external.name in DEEP for each in self._so_called(name))

    def _run_by(self, name: str) -> tuple[str, ...]:
        """The names of what an operation, or an attribute of a name, runs of an object that has it."""
        if name == FORMATTED:
            return tuple(self.index.properties)
        return NAMED.get(name, (name, "__get__") if name in self.index.evaluator.described else (name,))

    def _made_by_call(self, name: str) -> tuple[Writing, ...]:
        """The functions which write something that a property of a name may have been given."""
        getters = self.effects.runs.getters
        return tuple(self._that_write(getters.given)) if name in getters.names else ()

    def _asked(self, name: str) -> tuple[Writing, ...]:
        """What an object may run that is asked for an attribute: for one that no class of the project has, what stands in."""
        if SPECIAL.fullmatch(name):
            return ()
        if self._attributes is None:
            self._attributes = frozenset(each for info in self.index.classes.values() for each in info.fact.attributes)
        stands_in = name not in self.index.names and name not in self._attributes
        return (*self._so_called("__getattribute__"), *(self._so_called("__getattr__") if stands_in else ()))

    def _of(self, entities: Entities, name: str) -> Iterator[Writing]:
        """Those of one name that may be run of what is meant by something."""
        for entity in entities:
            if self._is_untold(entity, name):
                yield from self._so_called(name)
            elif entity.kind in ("value", "many"):
                base = parted(entity)[0].removesuffix("?")
                yield from (each for each in self._so_called(name) if base in self._order(each.function))

    def _is_untold(self, entity: Entity, name: str) -> bool:
        """Whether something may be an object of any class."""
        match entity.kind:
            case "unknown":
                return True
            case "many" | "giving":
                container, inner = parted(entity)
                return container.startswith(ABSTRACT) or (name in BY_COLLECTIONS and self._is_untold(inner, name))
            case "external" | "value":
                of_elements = entity.name in COLLECTIONS and name in BY_COLLECTIONS
                return of_elements or _may_be_anything(entity.name)
            case "instance":
                info = self.index.classes.get(entity.name)
                if info is None or is_protocol(self.index.evaluator, info):
                    return info is not None
                own = self.index.evaluator.has(entity.name, name)
                return not own and name in BY_COLLECTIONS and self._is_compared_by_fields(entity.name)
            case _:
                return False

    def _is_compared_by_fields(self, class_id: str) -> bool:
        """Whether a class may have been given methods that ask its fields: by a decorator, or by a base of a library."""
        order = self.index.evaluator.order(class_id)
        infos = [self.index.classes[name] for name in order if name in self.index.classes]
        others = (name for name in order if name not in self.index.classes and name != "builtins.object")
        return any(info.fact.decorators for info in infos) or any(not is_error(f"{name}.args") for name in others)

    def _order(self, function: str) -> Sequence[str]:
        owner = self.index.evaluator.owner(self.index.functions[function])
        return self.index.evaluator.order(owner) if owner is not None else ()

    def _so_called(self, name: str) -> tuple[Writing, ...]:
        """The properties and special methods of a name that write something which others may see."""
        found = self._writing.get(name)
        if found is None:
            self._writing[name] = ()  # of one that runs others of its name
            found = self._writing[name] = tuple(self._find(name))
        return found

    def _overriding(self, name: str) -> tuple[Writing, ...]:
        """The methods of a name that write something, of classes that are derived from one of a library."""
        found = self._instead.get(name)
        if found is None:
            having = self.index.evaluator.named(name) if name in self.index.callables else ()
            methods = [each for owner in having for each in self.index.evaluator.methods.get(owner, {}).get(name, ())]
            found = self._instead[name] = tuple(self._that_write(methods))
        return found

    def _find(self, name: str) -> Iterator[Writing]:
        if self._named is None:
            self._named = {}
            for each, info in self.index.functions.items():
                special = info.fact.kind == "method" and SPECIAL.fullmatch(info.fact.name)
                if special or info.fact.kind == "property":
                    self._named[info.fact.name] = (*self._named.get(info.fact.name, ()), each)
        yield from self._that_write(self._named.get(name, ()) if name not in CONSTRUCTING else ())

    def _that_write(self, functions: Iterable[str]) -> Iterator[Writing]:
        for function in functions:
            touches = self.effects.reach(function, beside=True).touches
            written = next((touch for touch in touches if touch.writes), None)
            if written is not None and not is_test(self.index.path(function)):
                yield Writing(function, written)


def _may_be_anything(name: str) -> bool:
    """Whether a type, or what a library gives, says nothing of what it is."""
    name = name.removesuffix("?")
    if name in ANYTHING or name.startswith(ABSTRACT) or gives_back(name):
        return True
    return "()" in name and not is_of_its_own(name) and not name.startswith(STANDARD)


def _sentence(found: Writing) -> str:
    what = f"writes {said(found.touch.key)} ({found.touch.where})"
    return f"{found.function} may be run of what is not known, and {what}"
