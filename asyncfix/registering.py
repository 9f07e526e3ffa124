"""Functions that a framework is given to call later: ``Depends(f)``, ``Route("/", f)``, ``app.add_api_route("/", f)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from asyncfix.boundary import OVERRIDES, Boundary
from asyncfix.link.index import Loose, ProjectIndex
from asyncfix.model import Argument, Call


@dataclass(slots=True)
class Registering:
    """What is given to whom; answers are remembered."""

    index: ProjectIndex
    boundaries: Sequence[Boundary]
    _takes: Mapping[str, tuple[int, str]] | None = None
    _calls: dict[tuple[str, str, int], str] = field(default_factory=lambda: dict[tuple[str, str, int], str]())

    def given(self, function: str) -> frozenset[str]:
        """The canonical names of the calls (or the attribute) that frameworks are given a function by."""
        return frozenset(filter(None, (self.by(function, place) for place in self.index.passed.get(function, ()))))

    def by(self, function: str, place: Loose) -> str:
        """What a framework is given the function by at a place where it is passed on, '' if that is something else."""
        if place.span is None or not place.owner:
            return ""
        key = (function, place.owner, place.span.start)
        if key not in self._calls:
            self._calls[key] = next(self._found(function, place), "")
        return self._calls[key]

    def _found(self, function: str, place: Loose) -> Iterator[str]:
        fact = self.index.fact(place.owner)
        for call in fact.calls:
            if place.span is not None and call.span.contains(place.span):
                yield from (
                    name for name in self._names(place.path, call) if self._is_given(function, place, call, name)
                )
        if any(access.line == place.line and access.ref.endswith(OVERRIDES) for access in fact.accesses):
            yield OVERRIDES

    def _names(self, path: str, call: Call) -> Iterator[str]:
        for entity in self.index.evaluator.all(path, call.targets):
            if entity.kind == "external" and entity.name in self._known():
                yield entity.name

    def _known(self) -> Mapping[str, tuple[int, str]]:
        if self._takes is None:
            self._takes = {name: at for boundary in self.boundaries for name, at in boundary.takes.items()}
        return self._takes

    def _is_given(self, function: str, place: Loose, call: Call, name: str) -> bool:
        given = _argument(call, *self._known()[name])
        meant = self.index.evaluator.evaluate(place.path, given.ref) if given is not None and given.ref else ()
        return [entity.name for entity in meant] == [function]


def _argument(call: Call, position: int, keyword: str) -> Argument | None:
    """The argument at a position, or under a keyword; None if it is not to be seen."""
    if any(argument.keyword == "*" for argument in call.arguments[: position + 1]):
        return None
    named = (argument for argument in call.arguments if argument.keyword == keyword)
    placed = (argument for argument in call.arguments[position : position + 1] if not argument.keyword)
    return next(iter((*named, *placed)), None)
