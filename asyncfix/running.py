"""What runs an event loop, or will after a migration, and all sync code above it: no coroutine may, while its own loop runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from asyncfix.boundary import Met
from asyncfix.facts.testfiles import is_test
from asyncfix.link.index import Edge, External, ProjectIndex
from asyncfix.registering import Registering

RUNNERS = frozenset({"asyncio.run", "anyio.run", "trio.run", "asyncio.run_coroutine_threadsafe"}) | {
    "runpy.run_path",  # these may run a program
    "runpy.run_module",
}
IMPORTING = "importlib.import_module"
MODULE = "module"


@dataclass(slots=True)
class Running:
    """Answers are remembered.

    blocking    sync functions that reach something that blocks
    met         how colouring ends at a function
    is_program  whether a call is run where its module is run as a program
    """

    index: ProjectIndex
    registering: Registering
    blocking: frozenset[str]
    met: Callable[[str], Met | None]
    is_program: Callable[[Edge], bool]
    _importing: bool | None = None
    _invokers: frozenset[str] | None = None
    _loops: frozenset[str] | None = None

    def below(self, function: str) -> str:
        """What the function reaches that runs an event loop of its own, '' if nothing."""
        index = self.index
        if self._loops is None:
            self._loops = self._above((*self._runners(), *self._invoking()))
        for edge in index.calls.get(function, ()):
            if edge.callee in self._loops and edge.callee != function:
                return edge.callee
        if function in self._invoking():
            return "a command"
        last = {call.targets[0].rpartition(".")[2] for call in index.fact(function).calls}
        if is_test(index.path(function)) and not last.isdisjoint({"invoke", "callback"}):
            return "a command"
        return next((item.name for item in index.externals.get(function, ()) if self._runs(item)), "")

    def _invoking(self) -> frozenset[str]:
        """Functions that pass on what runs a loop, or call it by a name: it may run while they do."""
        if self._invokers is None:
            runners = frozenset(self._runners())
            dispatched = self.registering.dispatched()
            places = ((name, place) for name in runners for place in self.index.passed.get(name, ()))
            passing = frozenset(place.owner for name, place in places if not self.registering.by(name, place))
            self._invokers = passing | (dispatched.callers if dispatched.functions & runners else frozenset())
        return self._invokers

    def _runners(self) -> Iterator[str]:
        """Functions that run an event loop themselves, or will."""
        externals = self.index.externals
        yield from (name for name, items in externals.items() if any(map(self._runs, items)))
        yield from self._commands()

    def _commands(self) -> Iterator[str]:
        """Functions that will run a coroutine to its end."""
        for name in self.blocking:
            met = self.met(name)
            if met is not None and not met.turns and not met.stays:
                yield name

    def _runs(self, item: External) -> bool:
        return _is_runner(item.name) or (item.name == IMPORTING and self._on_import())

    def _on_import(self) -> bool:
        """Whether a module of the project runs a loop when it is imported, or may come to."""
        if self._importing is None:
            index = self.index
            direct = [name for name, items in index.externals.items() if any(_is_runner(item.name) for item in items)]
            running = self._above((*direct, *self._commands()))
            modules = [name for name, info in index.functions.items() if info.fact.kind == MODULE]
            edges = (edge for name in modules for edge in index.calls.get(name, ()) if edge.site.barrier == MODULE)
            items = (item for name in modules for item in index.externals.get(name, ()))
            self._importing = any(_is_runner(item.name) and item.call.barrier == MODULE for item in items) or any(
                edge.callee in running or (edge.callee in self.blocking and self.is_program(edge)) for edge in edges
            )
        return self._importing

    def _above(self, names: Iterable[str]) -> frozenset[str]:
        """These, what passes them on, and all sync code above."""
        index, registering = self.index, self.registering
        own = list(dict.fromkeys(names))
        seen = set(own)
        for name in own:
            above = [edge.caller for edge in index.callers.get(name, ())]
            passed = index.passed.get(name, ())
            above += [place.owner for place in passed if not registering.by(name, place)]
            for caller in above:
                if caller and caller not in seen and not index.fact(caller).is_async:
                    seen.add(caller)
                    own.append(caller)
        return frozenset(seen)


def _is_runner(name: str) -> bool:
    return name in RUNNERS or name.endswith((".run_until_complete", ".CliRunner.invoke"))
