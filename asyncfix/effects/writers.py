"""Who writes a shared thing outside a constructor: under its own name, by an argument, or as a method of another class."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from weakref import proxy

from asyncfix.effects.keys import is_known
from asyncfix.effects.owning import of_self
from asyncfix.effects.touch import CONSTRUCTING, Touch
from asyncfix.facts.containers import CHANGING_METHODS, SIGNALLING_METHODS
from asyncfix.link.arguments import PARAMETER, given

if TYPE_CHECKING:
    from asyncfix.effects.reach import Effects

ARGUMENT = "argument "
CHANGING = CHANGING_METHODS | SIGNALLING_METHODS
Written = tuple[str, Touch]


class Writers:
    """The writers of everything, worked out when first asked for."""

    def __init__(self, effects: Effects) -> None:
        self.effects: Effects = proxy(effects)  # which holds this: nobody collects cycles, and each round has its own
        self.index = effects.index
        self._found: Mapping[str, tuple[Written, ...]] | None = None
        self._resolved: dict[str, tuple[str, ...]] = {}
        self._asked: dict[str, tuple[Written, ...]] = {}

    def of(self, key: str) -> tuple[Written, ...]:
        """The functions that write a shared thing, with the place."""
        found = self._asked.get(key)
        if found is None:
            found = self._asked[key] = self._find(key)
        return found

    def _find(self, key: str) -> tuple[Written, ...]:
        if self._found is None:
            self._found = self._all()
        exact = self._found.get(key, ())
        if exact or key.startswith("file "):
            return exact
        if key.startswith(ARGUMENT):
            return next((found for given_key in self._given(key) if (found := self.of(given_key))), ())
        if key.startswith("?"):
            return ()
        related = next((found for other in self._relatives(key) if (found := self._found.get(other, ()))), ())
        return related or self._found.get(f"?.{key.rpartition('.')[2]}", ())

    def _given(self, key: str) -> tuple[str, ...]:
        """The keys of what callers give for a parameter, however far up."""
        found = self._resolved.get(key)
        if found is None:
            self._resolved[key] = ()  # of what is handed round in a circle
            found = self._resolved[key] = tuple(dict.fromkeys(self._find_given(key)))
        return found

    def _find_given(self, key: str) -> Iterator[str]:
        path, _, parameter = key.removeprefix(ARGUMENT).partition(":")
        match = PARAMETER.match(":" + parameter)
        for function in self.index.evaluator.function_ids(path, match[1]) if match else ():
            for edge, argument in given(self.index, function, match[2] if match else ""):
                above = self.effects.keys.of(self.index.path(edge.caller), argument.ref)[0]
                if above.startswith(ARGUMENT):
                    yield from self._given(above)
                elif is_known(above):
                    yield above

    def _relatives(self, key: str) -> Iterator[str]:
        """The same attribute of base classes and subclasses: a base class may use what only those below it set."""
        owner, _, attribute = key.rpartition(".")
        if owner in self.index.classes:
            for other in (*self.index.evaluator.order(owner)[1:], *self.index.subclasses.get(owner, ())):
                yield f"{other}.{attribute}"

    def _all(self) -> Mapping[str, tuple[Written, ...]]:
        found: dict[str, list[Written]] = {}
        for name, info in self.index.functions.items():
            if info.fact.kind in ("module", "class"):
                continue
            last = info.fact.name
            for touch in self._writes(name):
                if not (last in CONSTRUCTING and of_self(touch, self.effects.keys.given, name)):
                    given_keys = self._given(touch.key) if touch.key.startswith(ARGUMENT) else ()
                    for key in (touch.key, *given_keys, *self._given_files(name, touch.key)):
                        found.setdefault(key, []).append((name, touch))
        return {key: tuple(items) for key, items in found.items()}

    def _given_files(self, function: str, key: str) -> Iterator[str]:
        """The literal paths that callers give, where a function writes the file that a parameter names."""
        if key.startswith("file @"):
            for _, argument in given(self.index, function, key.rpartition(":")[2]):
                if argument.literal:
                    yield f"file {posixpath.normpath(argument.literal)!r}"

    def _writes(self, function: str) -> Iterator[Touch]:
        """What the function's own code writes: a part of `Effects.direct`, for the many of which no more is asked."""
        effects, index, info = self.effects, self.index, self.index.functions[function]
        for access in info.fact.accesses:
            if access.kind in ("write", "change"):
                yield from effects.access(info.path, access)
        touches: list[Touch] = []
        for call in index.unknown.get(function, ()):
            if any(target.rpartition(".")[2] in CHANGING for target in call.targets):
                effects.unknown_call(info.path, call, touches)
        for external in index.externals.get(function, ()):
            row = index.catalog.harmless(external.name) or index.catalog.blocking(external.name)
            for word in (row.writes or ()) if row is not None else ():
                touches.extend(effects.word(info.path, external.name, word, True, external.call, []))
            touches.extend(effects.handed(info.path, external.call))
        yield from (touch for touch in touches if touch.writes)
