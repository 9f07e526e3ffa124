"""Objects of the project that are given to functions of the project which do not say what they take.

What becomes of them there is not known: they may be called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from asyncfix.link.evaluate import Entity
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Call

NAME = re.compile(
    r"\.[^\W\d]\w*(?=(?:\(\)|\[\]|[~%!])*\Z)"
)  # the attribute that a ref ends in, but for what is done to it


class Given:
    """What is known of objects that are given away; worked out when first asked for."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index
        self._places: dict[str, tuple[str, int]] | None = None
        self._givers: dict[str, set[str]] | None = None

    def place(self, class_id: str) -> tuple[str, int] | None:
        """Path and line at which an object of a class is given to who does not say what it takes, None if none is."""
        if self._places is None:
            self._places = {}
            for name, place in self._all():
                self._places.setdefault(name, place)
        return next((self._places[name] for name in self._related(class_id) if name in self._places), None)

    def asked(self, class_id: str, method: str) -> tuple[str, int] | None:
        """Path and line at which a special method may be run of an object of a class, though that is not known there: of a
        parameter or an element if such an object is given away, else of what has a name by which one is got."""
        names = {name for owner in self._related(class_id) for name in self._all_givers().get(owner, ())}
        away = self.place(class_id) is not None
        for ref, place in self.index.asked.get(method, ()):
            last = NAME.findall(ref)[-1:]
            if (last[0][1:] in names) if last else away:
                return place.path, place.line
        return None

    def _related(self, class_id: str) -> tuple[str, ...]:
        return (*self.index.evaluator.order(class_id), *self.index.subclasses.get(class_id, ()))

    def _all_givers(self) -> dict[str, set[str]]:
        """By class the names of functions and attributes that give an object of it."""
        if self._givers is None:
            self._givers = {}
            evaluator = self.index.evaluator
            for info in self.index.functions.values():
                self._note(info.fact.name, evaluator.all(info.path, info.fact.results))
            for owner in self.index.classes.values():
                for name, refs in owner.fact.attributes.items():
                    self._note(name, evaluator.all(owner.path, refs))
        return self._givers

    def _note(self, name: str, entities: Iterable[Entity]) -> None:
        for entity in entities:
            if entity.kind == "instance" and self._givers is not None:
                self._givers.setdefault(entity.name, set()).add(name)

    def _all(self) -> Iterator[tuple[str, tuple[str, int]]]:
        for info in self.index.functions.values():
            for call in info.fact.calls:
                for argument in call.arguments:
                    meant = self.index.evaluator.evaluate(info.path, argument.ref) if argument.ref else ()
                    for entity in meant:
                        if entity.kind == "instance" and not self._is_told(info.path, call, entity.name):
                            yield entity.name, (info.path, call.line)

    def _is_told(self, path: str, call: Call, class_id: str) -> bool:
        """Whether all that a call may mean says that it takes such an object; libraries are another matter, but for the
        functions that they are given to run."""
        evaluator = self.index.evaluator
        for entity in evaluator.all(path, call.targets):
            made = tuple(evaluator.named_methods(entity, ("__init__",))) if entity.kind == "class" else ()
            refs = (argument.ref for argument in call.arguments if argument.ref) if entity.kind == "external" else ()
            given = (each for ref in refs for each in evaluator.evaluate(path, ref))
            run = (each.name for each in given if each.kind in ("function", "method"))
            for name in made or (entity.name, *run):
                if name in self.index.functions and not self._takes(name, class_id):
                    return False
        return True

    def _takes(self, function: str, class_id: str) -> bool:
        """Whether a function says of one of its parameters that it is of a class, or one of its bases."""
        path, order = self.index.path(function), self.index.evaluator.order(class_id)
        stated = (ref for parameter in self.index.fact(function).parameters for ref in parameter.type.split("|") if ref)
        meant = (entity for ref in stated for entity in self.index.evaluator.evaluate(path, ref))
        return any(entity.kind == "instance" and entity.name in order for entity in meant)
