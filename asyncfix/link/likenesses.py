"""Mocks that are like classes of the project: where they are made, what is asserted of the methods that they have of those,
and what is said of the values that these give by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from asyncfix.facts.likeness import AWAITED, CONFIGURED, FOLLOWING, MAKING, SPECS
from asyncfix.link.entities import Entities, FunctionInfo
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Call, Span

REPLACING = ("patch", "object")
KINDS = ("class", "instance")
GIVEN = f".{CONFIGURED[0]}"


@dataclass(slots=True)
class Likenesses:
    """What is known of them; looked for when first asked for.

    made      by class the first place, path and line, at which a mock is made that is like it, or like one below it
    asserted  by function the calls that assert something of a mock in its place: path and span
    valued    by function the first place at which something is said of what a mock in its place gives by itself
    """

    index: ProjectIndex
    _made: Mapping[str, tuple[str, int]] | None = None
    _asserted: Mapping[str, tuple[tuple[str, Span], ...]] | None = None
    _configured: set[str] = field(default_factory=lambda: set[str]())
    _valued: dict[str, tuple[str, int]] = field(default_factory=lambda: dict[str, tuple[str, int]]())

    def made(self, class_id: str) -> tuple[str, int] | None:
        if self._made is None:
            found: dict[str, tuple[str, int]] = {}
            for info in self.index.functions.values():
                for call in info.fact.calls:
                    for entity in self._like(info.path, call):
                        for name in self.index.evaluator.order(entity.name) if entity.kind in KINDS else ():
                            found.setdefault(name, (info.path, call.line))
            self._made = found
        return self._made.get(class_id)

    def asserted(self, function: str) -> tuple[tuple[str, Span], ...]:
        return self._of_methods().get(function, ())

    def valued(self, function: str) -> tuple[str, int] | None:
        self._of_methods()
        return self._valued.get(function)

    def is_configured(self, function: str) -> bool:
        """Whether some code says what a mock in its place gives."""
        self._of_methods()
        return function in self._configured

    def _like(self, path: str, call: Call) -> Entities:
        """What a mock is like that a call makes, nothing if it makes none."""
        target = call.targets[0] if call.targets else ""
        evaluate = self.index.evaluator.evaluate
        positional = [item for item in call.arguments if not item.keyword]
        if MAKING.fullmatch(target):
            told = (item for item in (*call.arguments, *positional[:1]) if not item.keyword or item.keyword in SPECS)
            return next((evaluate(path, item.ref) for item in told if item.ref), ())
        if target.rpartition(".")[2].lstrip(":") not in REPLACING:
            return ()
        for item in call.arguments:
            if item.keyword in FOLLOWING and item.ref:
                return evaluate(path, item.ref)
            if item.keyword in FOLLOWING and item.literal == "True":
                match positional:
                    case [first, *_] if first.literal and not first.ref:
                        return evaluate(path, first.literal)
                    case [first, second, *_] if first.ref and second.literal:
                        return evaluate(path, f"{first.ref}.{second.literal}")
                    case _:
                        pass
        return ()

    def _of_methods(self) -> Mapping[str, tuple[tuple[str, Span], ...]]:
        if self._asserted is None:
            found: dict[str, list[tuple[str, Span]]] = {}
            for info in self.index.functions.values():
                for call in info.fact.calls:
                    if len(call.targets) == 1 and call.targets[0].rpartition(".")[2] in AWAITED:
                        function = self._function(info.path, call.targets[0].rpartition(".")[0])
                        found.setdefault(function, []).append((info.path, call.span))
                self._configured.update(self._function(info.path, ref) for ref in _configured(info))
                for ref, line in _values(info):
                    function = self._function(info.path, ref)
                    self._valued.setdefault(function, (info.path, line))
            self._asserted = {name: tuple(places) for name, places in found.items() if name}
        return self._asserted

    def _function(self, path: str, ref: str) -> str:
        """The one function of the project that a ref means, '' if it means none, or may mean something else."""
        entities = self.index.evaluator.evaluate(path, ref)
        return entities[0].name if len(entities) == 1 and entities[0].kind in ("function", "method") else ""


def _configured(info: FunctionInfo) -> Iterator[str]:
    """What may be mocks of functions of which it is said what they give."""
    for access in info.fact.accesses:
        head, _, last = access.ref.rpartition(".")
        if access.kind == "write" and last in CONFIGURED:
            yield head


def _values(info: FunctionInfo) -> Iterator[tuple[str, int]]:
    """What may be mocks of functions of whose value something is asked or said, which the code did not put there."""
    asked = (
        *((target, call.line) for call in info.fact.calls for target in call.targets),
        *((access.ref, access.line) for access in info.fact.accesses),
    )
    stated = {access.ref for access in info.fact.accesses if access.kind == "write" and access.ref.endswith(GIVEN)}
    for ref, line in asked:
        head, found, _ = ref.partition(f"{GIVEN}.")
        if found and f"{head}{GIVEN}" not in stated:
            yield head, line
