"""Fixtures that code asks pytest for by their names while it runs: an async one cannot be set up on a loop that runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from asyncfix.facts.testfiles import is_test
from asyncfix.link.fixtures import is_fixture
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Call

ASKING = "getfixturevalue"


@dataclass(slots=True)
class Asking:
    """Who asks; the places are remembered.

    blocking  sync functions that reach something that blocks: they may turn
    """

    index: ProjectIndex
    blocking: frozenset[str]
    _places: Mapping[str, tuple[Call, ...]] | None = None

    def stays(self, function: str) -> str:
        """A sentence's end on why a function may not turn since it asks for a fixture, or is asked for; '' if it may."""
        for call in self._asking().get(function, ()):
            slow = next((each for each in self._meant(call) if each in self.blocking), "")
            if slow:
                return f"asks for the fixture {slow} while it runs (line {call.line}), which could not await on its event loop"
        if is_fixture(self.index.functions[function]):
            for asker, calls in self._asking().items():
                line = next((call.line for call in calls if function in self._meant(call)), 0)
                if line and self.index.fact(asker).is_async:
                    return f"is a fixture that {asker} asks for on an event loop ({self.index.path(asker)}:{line})"
        return ""

    def _asking(self) -> Mapping[str, tuple[Call, ...]]:
        """The calls that ask, by the function in which they stand."""
        if self._places is None:
            tests = ((name, info) for name, info in self.index.functions.items() if is_test(info.path))
            found = {name: tuple(call for call in info.fact.calls if _asks(call)) for name, info in tests}
            self._places = {name: calls for name, calls in found.items() if calls}
        return self._places

    def _meant(self, call: Call) -> Iterable[str]:
        """The fixtures that a call may mean, with all that they ask for by their parameters."""
        fixtures = self.index.evaluator.fixtures
        literal = call.arguments[0].literal if call.arguments else ""
        return self._with_parameters(
            fixtures.get(literal, ()) if literal else (each for ids in fixtures.values() for each in ids)
        )

    def _with_parameters(self, functions: Iterable[str]) -> Iterator[str]:
        waiting = list(functions)
        seen = set(waiting)
        for name in waiting:
            yield name
            asked = (each.name for each in self.index.fact(name).parameters)
            more = {item for each in asked for item in self.index.evaluator.fixtures.get(each, ())} - seen
            waiting += sorted(more)
            seen |= more


def _asks(call: Call) -> bool:
    return call.targets[0].endswith(f".{ASKING}")
