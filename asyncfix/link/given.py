"""Objects of the project that are given to functions of the project which do not say what they take.

What becomes of them there is not known: they may be called.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from asyncfix.link.index import ProjectIndex
from asyncfix.model import Call

NAME = re.compile(
    r"\.[^\W\d]\w*(?=(?:\(\)|\[\]|[~%!])*\Z)"
)  # the attribute that a ref ends in, but for what is done to it


class Given:
    """What is known of objects that are given away; worked out when first asked for."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index
        self._calls: dict[str, list[tuple[str, Call]]] | None = None
        self._places: dict[str, tuple[str, int] | None] = {}
        self._refs: dict[str, list[tuple[str, Sequence[str]]]] | None = None
        self._given_by: dict[str, frozenset[str]] = {}

    def place(self, class_id: str) -> tuple[str, int] | None:
        """Path and line at which an object of a class is given to who does not say what it takes, None if none is."""
        return next(filter(None, map(self._place, self._related(class_id))), None)

    def _place(self, class_id: str) -> tuple[str, int] | None:
        """The same of that class alone."""
        if class_id not in self._places:
            calls = (item for item in self._all().get(class_id, ()) if not self._is_told(*item, class_id))
            self._places[class_id] = next(((path, call.line) for path, call in calls), None)
        return self._places[class_id]

    def asked(self, class_id: str, method: str) -> tuple[str, int] | None:
        """Path and line at which a special method may be run of an object of a class, though that is not known there: of a
        parameter or an element if such an object is given away, else of what has a name by which one is got."""
        related = frozenset(self._related(class_id))
        for ref, place in self.index.asked.get(method, ()):
            last = NAME.findall(ref)[-1:]
            if (not related.isdisjoint(self._gives(last[0][1:]))) if last else self.place(class_id) is not None:
                return place.path, place.line
        return None

    def _related(self, class_id: str) -> tuple[str, ...]:
        return (*self.index.evaluator.order(class_id), *self.index.subclasses.get(class_id, ()))

    def _gives(self, name: str) -> frozenset[str]:
        """The classes of which functions and attributes of a name give an object."""
        if name not in self._given_by:
            meant = (
                each for path, refs in self._so_called().get(name, ()) for each in self.index.evaluator.all(path, refs)
            )
            self._given_by[name] = frozenset(entity.name for entity in meant if entity.kind == "instance")
        return self._given_by[name]

    def _so_called(self) -> dict[str, list[tuple[str, Sequence[str]]]]:
        """By name what functions give and attributes hold, as refs of a file."""
        if self._refs is None:
            self._refs = {}
            for info in self.index.functions.values():
                self._refs.setdefault(info.fact.name, []).append((info.path, info.fact.results))
            for owner in self.index.classes.values():
                for name, refs in owner.fact.attributes.items():
                    self._refs.setdefault(name, []).append((owner.path, refs))
        return self._refs

    def _all(self) -> dict[str, list[tuple[str, Call]]]:
        """By class the calls that are given an object of it."""
        if self._calls is None:
            self._calls = {}
            for info in self.index.functions.values():
                for call in info.fact.calls:
                    for argument in call.arguments:
                        meant = self.index.evaluator.evaluate(info.path, argument.ref) if argument.ref else ()
                        for entity in meant:
                            if entity.kind == "instance":
                                self._calls.setdefault(entity.name, []).append((info.path, call))
        return self._calls

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
        path = self.index.path(function)
        stated = (ref for parameter in self.index.fact(function).parameters for ref in parameter.type.split("|") if ref)
        meant = (entity for ref in stated for entity in self.index.evaluator.evaluate(path, ref))
        return any(entity.kind == "instance" and self.index.is_one_of(class_id, (entity.name,)) for entity in meant)
