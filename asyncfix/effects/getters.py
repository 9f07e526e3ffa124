"""Attributes that are made by calls of ``property`` and its like, and the functions that they run where they are read or written.

What is decorated by one has an edge of its own to each place that reads it.
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.link.index import ProjectIndex
from asyncfix.model import Call

MADE = tuple(f"{name}()" for name in ("builtins.property", "functools.cached_property", "functools.partialmethod"))


class Getters:
    """The functions that properties of a project are given, worked out when first asked for."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index
        self._names: frozenset[str] | None = None
        self._given: dict[str, tuple[str, ...]] = {}

    @property
    def names(self) -> frozenset[str]:
        """The attributes that some class has, or is given from outside, by such a call, or by one that gives one."""
        if self._names is None:
            self._names = frozenset(self._find_names()) if any(self._calls()) else frozenset()
        return self._names

    @property
    def given(self) -> tuple[str, ...]:
        """The functions that any of such calls is given."""
        return self._given_in("")

    def run_by(self, path: str, base: str, attribute: str) -> Iterator[str]:
        """The functions that reading or writing an attribute of what ``base`` means may run.

        Those of all properties of the class, or of the project if they are made elsewhere: which belongs to which name is not
        followed.
        """
        for entity in self.index.evaluator.evaluate(path, base):
            if entity.kind in ("instance", "super") and attribute in self.names:
                owners = [name for name in self.index.evaluator.order(entity.name) if name in self.index.classes]
                having = [name for name in owners if attribute in self.index.classes[name].fact.attributes]
                inside = [function for name in having for function in self._given_in(name)]
                yield from inside or self._given_in("")

    def _find_names(self) -> Iterator[str]:
        evaluator = self.index.evaluator
        for info in evaluator.classes.values():
            for name in info.fact.assigned:
                if self._is_made(info.path, info.fact.attributes.get(name, ())):
                    yield name
        for name, places in evaluator.filled.items():
            if any(self._is_made(path, item.values) for path, item in places):
                yield name

    def _is_made(self, path: str, refs: tuple[str, ...]) -> bool:
        called = any(ref.endswith("()") for ref in refs)
        return called and any(each.name in MADE for each in self.index.evaluator.all(path, refs))

    def _given_in(self, owner: str) -> tuple[str, ...]:
        """The functions that such calls are given in the body of a class, or ('') anywhere."""
        found = self._given.get(owner)
        if found is None:
            calls = ((path, call) for name, path, call in self._calls() if owner in ("", name))
            found = self._given[owner] = tuple(
                dict.fromkeys(each for place in calls for each in self._functions(*place))
            )
        return found

    def _functions(self, path: str, call: Call) -> Iterator[str]:
        for argument in call.arguments:
            for entity in self.index.evaluator.all(path, argument.refs or (argument.ref,)):
                if entity.kind in ("function", "method"):
                    yield entity.name

    def _calls(self) -> Iterator[tuple[str, str, Call]]:
        """All such calls, with the function they stand in and its path."""
        for name, info in self.index.functions.items():
            for call in info.fact.calls:
                if any(f"{target}()" in MADE for target in call.targets):
                    yield name, info.path, call
