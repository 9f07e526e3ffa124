"""What runs where a function imports a module of the project: its top level, unless it must have been imported before."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.link.index import ProjectIndex

WHOLE = ("module", "class")


class Importing:
    """The modules that functions of a project import; ``importers``: those that import some."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index
        self.importers = frozenset(name for name, info in index.functions.items() if info.fact.imports)
        self._before: dict[str, frozenset[str]] = {}
        self._run: dict[str, tuple[str, ...]] = {}

    def run_by(self, function: str) -> tuple[str, ...]:
        """The bodies of modules, and of classes in them, that the imports in a function run when it is first called."""
        found = self._run.get(function)
        if found is None:
            path = self.index.path(function)
            named = self._named(path, self.index.fact(function).imports)
            new = (each for each in named if each not in self._loaded(path))
            found = self._run[function] = tuple(body for each in new for body in self._bodies(each))
        return found

    def _bodies(self, path: str) -> Iterator[str]:
        summary = self.index.summaries.get(path)
        for fact in summary.functions if summary else ():
            if fact.kind in WHOLE and not fact.outer:
                module = self.index.evaluator.modules.names[path]
                yield f"{module}.{fact.qualname}" if fact.qualname else module

    def _loaded(self, path: str) -> frozenset[str]:
        """The files that are imported before a function of a file can be called."""
        found = self._before.get(path)
        if found is None:
            seen, stack = {path}, [path]
            while stack:
                new = set(self._imported(stack.pop())) - seen
                seen |= new
                stack += new
            found = self._before[path] = frozenset(seen)
        return found

    def _imported(self, path: str) -> Iterator[str]:
        """The files that a module imports itself."""
        summary = self.index.summaries.get(path)  # none of a file that could not be read
        for fact in summary.functions if summary else ():
            if fact.kind in WHOLE and not fact.outer:
                yield from self._named(path, fact.imports)

    def _named(self, path: str, names: tuple[str, ...]) -> tuple[str, ...]:
        """The files that dotted names mean in a file, with those of the packages round them."""
        parts = (name[: end or None] for name in names for end in (*_dots(name), 0))
        entities = (entity for part in parts for entity in self.index.evaluator.evaluate(path, part))
        return tuple(dict.fromkeys(entity.name for entity in entities if entity.kind == "module"))


def _dots(name: str) -> Iterator[int]:
    """Where a dotted name ends that names a package round it."""
    start = len(name) - len(name.lstrip("."))
    return (end for end in range(start + 1, len(name)) if name[end] == ".")
