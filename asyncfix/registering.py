"""Functions that a framework is given to call later: ``Depends(f)``, ``Route("/", f)``, ``app.add_api_route("/", f)``.

And those that a program gives to a parser of arguments (``parser.set_defaults(func=f)``) and calls by that name itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from asyncfix.boundary import ANY, OVERRIDES, VALUES, Boundary
from asyncfix.link.index import Loose, ProjectIndex
from asyncfix.model import Argument, Call

DEFAULTS = "argparse.ArgumentParser.set_defaults"


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What parsers of arguments are given: the functions, and those that call one of them by the name it was given under."""

    functions: frozenset[str]
    callers: frozenset[str]


@dataclass(slots=True)
class Registering:
    """What is given to whom; answers are remembered."""

    index: ProjectIndex
    boundaries: Sequence[Boundary]
    _takes: Mapping[str, tuple[int, str]] | None = None
    _dispatched: Dispatched | None = None
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

    def dispatched(self) -> Dispatched:
        """What is called by a name that stands among the defaults of a parser."""
        if self._dispatched is None:
            functions: set[str] = set()
            names: set[str] = set()
            for path, call in self._defaults():
                for argument in call.arguments:
                    meant = self.index.evaluator.evaluate(path, argument.ref) if argument.ref else ()
                    functions.update(entity.name for entity in meant if entity.kind in ("function", "method"))
                    names.add(argument.keyword)
            calls = self.index.unknown.items() if functions else ()
            callers = (
                name for name, each in calls if any(call.targets[0].rpartition(".")[2] in names for call in each)
            )
            self._dispatched = Dispatched(frozenset(functions), frozenset(callers))
        return self._dispatched

    def _defaults(self) -> Iterator[tuple[str, Call]]:
        for info in self.index.functions.values():
            for call in info.fact.calls:
                if any(target.endswith(".set_defaults") for target in call.targets):
                    yield info.path, call

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
        meant = self.index.evaluator.all(path, call.targets)
        if not meant and call.targets[0].endswith(".set_defaults") and DEFAULTS in self._known():
            yield DEFAULTS
        for entity in meant:
            if entity.kind == "external" and entity.name in self._known():
                yield entity.name

    def _known(self) -> Mapping[str, tuple[int, str]]:
        if self._takes is None:
            self._takes = {name: at for boundary in self.boundaries for name, at in boundary.takes.items()}
        return self._takes

    def _is_given(self, function: str, place: Loose, call: Call, name: str) -> bool:
        position, keyword = self._known()[name]
        evaluator = self.index.evaluator
        for given in _arguments(call, position, keyword.removesuffix(VALUES)):
            if keyword.endswith(VALUES):
                held = evaluator.all(place.path, [ref + VALUES for ref in given.refs or (given.ref,) if ref])
                return function in (entity.name for entity in held)
            meant = evaluator.evaluate(place.path, given.ref) if given.ref else ()
            if [entity.name for entity in meant] == [function]:
                return True
        return False


def _arguments(call: Call, position: int, keyword: str) -> Iterator[Argument]:
    """The argument at a position, or under a keyword; all that are named if that is `ANY`."""
    if any(argument.keyword == "*" for argument in call.arguments[: position + 1]):
        return
    yield from (item for item in call.arguments if item.keyword and (item.keyword == keyword or keyword == ANY))
    yield from (item for item in call.arguments[position : position + 1] if not item.keyword)
