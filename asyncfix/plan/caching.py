"""Functions that keep what they gave for the next call: of two calls at once each may make it anew, and have another one."""

from __future__ import annotations

from functools import cached_property

from asyncfix.effects.decoration import forgets
from asyncfix.effects.tables import CACHES
from asyncfix.link.entities import Entity, parted
from asyncfix.link.index import ProjectIndex
from asyncfix.plan.sharing import PLAIN

KEEPING = CACHES | {"functools.cached_property"}
TUPLE = "builtins.tuple"


class Caches:
    """The functions of a project that keep objects, looked for once."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index

    @cached_property
    def kept(self) -> frozenset[str]:
        """Those that keep objects, of which it matters whether two callers have the same one."""
        return frozenset(
            name for name, info in self.index.functions.items() if info.fact.decorators and self._is_kept(name)
        )

    @cached_property
    def bounded(self) -> frozenset[str]:
        """Of these those whose cache makes room for what other callers ask for."""
        return frozenset(name for name in self.kept if self.index.fact(name).parameters and forgets(self.index, name))

    def _is_kept(self, name: str) -> bool:
        path, fact = self.index.path(name), self.index.fact(name)
        kept = any(_keeps(self.index, path, decorator) for decorator in fact.decorators)
        return kept and not all(_is_plain(self.index, path, ref) for ref in fact.results)


def _keeps(index: ProjectIndex, path: str, decorator: str) -> bool:
    called = "()" if decorator.endswith("()") else ""
    return any(
        entity.name + called in KEEPING for entity in index.evaluator.evaluate(path, decorator.removesuffix("()"))
    )


def _is_plain(index: ProjectIndex, path: str, ref: str) -> bool:
    """Whether a function gives a number, a text, or a tuple of such."""
    return bool(meant := index.evaluator.evaluate(path, ref)) and all(_says_all(entity) for entity in meant)


def _says_all(entity: Entity) -> bool:
    if entity.kind != "many":
        return entity.kind == "value" and entity.name in PLAIN
    container, inner = parted(entity)
    return container.removesuffix("?") == TUPLE and _says_all(inner)
