"""Functions and classes of libraries in whose place a project puts something else, for all who call them."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

from asyncfix.effects.keys import split
from asyncfix.effects.touch import Where
from asyncfix.facts.testfiles import is_test
from asyncfix.link.index import ProjectIndex

BUILTINS = frozenset(f"builtins.{name}" for name in vars(builtins))


class Replacing:
    """What is replaced, worked out when first asked for."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index
        self._names: dict[str, Where] | None = None

    def of(self, name: str) -> Where | None:
        """Where something else is put in the place of a dotted name of a library, or of what it is part of."""
        names, ends = self.names, [at for at, sign in enumerate(name) if sign == "."]
        return (
            next((names[part] for part in (name, *(name[:at] for at in ends)) if part in names), None)
            if names
            else None
        )

    def builtin(self) -> tuple[str, Where] | None:
        """A builtin function that is replaced: calls of those are not told apart."""
        return next(((name, where) for name, where in self.names.items() if name in BUILTINS), None)

    @property
    def names(self) -> dict[str, Where]:
        if self._names is None:
            self._names = dict(self._find())
        return self._names

    def _find(self) -> Iterator[tuple[str, Where]]:
        """What is assigned to attributes of modules and classes: what an object holds is its own."""
        evaluate = self.index.evaluator.evaluate
        for info in self.index.functions.values():
            for access in info.fact.accesses if not is_test(info.path) else ():
                base, attribute = split(access.ref)
                if access.kind != "write" or not attribute or base == ":":
                    continue
                if any(entity.kind == "external" and "()" not in entity.name for entity in evaluate(info.path, base)):
                    for entity in evaluate(info.path, access.ref):
                        if entity.kind == "external":
                            yield entity.name, Where(info.path, access.line)
