"""Whether a place may run while a test runs: by the call graph, and yes where that does not show every caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from asyncfix.colour.barrier import Rules
from asyncfix.colour.turning import may_turn
from asyncfix.effects.reach import Effects
from asyncfix.link.fixtures import fixtures
from asyncfix.link.index import ProjectIndex
from asyncfix.link.patches import Patch

AROUND = ("setUp", "tearDown", "asyncSetUp", "asyncTearDown", "setup_method", "teardown_method")


@dataclass(slots=True)
class Running:
    """What runs under which test; answers are remembered."""

    index: ProjectIndex
    effects: Effects
    limits: Rules
    _fixtures: Mapping[str, tuple[str, ...]] | None = None
    _run: dict[str, frozenset[str]] = field(default_factory=lambda: dict[str, frozenset[str]]())
    _hidden: dict[str, bool] = field(default_factory=lambda: dict[str, bool]())

    def in_force(self, patches: Iterable[Patch], function: str, above: frozenset[str]) -> Patch | None:
        """The first of some replacements that may be in force when ``function`` runs; ``above`` are it and all its callers."""
        anywhere: bool | None = None
        for patch in patches:
            if anywhere is None:
                anywhere = any(self._is_hidden(name) for name in above)
            if anywhere or not patch.tests or any(function in self._under(test) for test in patch.tests):
                return patch
        return None

    def _is_hidden(self, function: str) -> bool:
        """Whether the function may be run from where the call graph shows nothing."""
        found = self._hidden.get(function)
        if found is None:
            # A module's body runs when tests are gathered, before any of them replaces anything.
            body = self.index.fact(function).kind in ("module", "class")
            found = self._hidden[function] = not body and may_turn(self.index, function, self.limits) is not None
        return found

    def _under(self, test: str) -> frozenset[str]:
        """All that a test runs, with the fixtures that it names and what its class runs around it."""
        found = self._run.get(test)
        if found is None:
            parts = (self.effects.below(name) for name in (test, *self._around(test)))
            found = self._run[test] = frozenset[str]().union(*parts)
        return found

    def _around(self, test: str) -> Iterator[str]:
        fact, path = self.index.fact(test), self.index.path(test)
        if fact.owner_class:
            for name in AROUND:
                yield from self.index.evaluator.function_ids(path, f"{fact.owner_class}.{name}")
        seen: set[str] = set()
        wanted = [parameter.name for parameter in fact.parameters]
        for name in wanted:
            if name in seen:
                continue
            seen.add(name)
            for fixture in self._by_name().get(name, ()):
                yield fixture
                wanted.extend(parameter.name for parameter in self.index.fact(fixture).parameters)

    def _by_name(self) -> Mapping[str, tuple[str, ...]]:
        if self._fixtures is None:
            self._fixtures = fixtures(self.index.functions)
        return self._fixtures
