"""What objects of classes are given, besides what their class makes for them: by the call that makes them, or from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING
from weakref import proxy

from asyncfix.facts.scopes import NONE
from asyncfix.model import Call

if TYPE_CHECKING:
    from asyncfix.effects.keys import Keys

ANY = "*"
"""What is given under names that nothing tells."""
UNPACKED = ("*", "**")
CALLING = frozenset({"builtins.map", "functools.partial", "itertools.starmap"})
"""Functions that call what they are given first."""
SETTING = ("setattr", "__setattr__")
NAMESPACE = ".__dict__"
CHANGING = ("change", "write")
FILLING = ("setdefault", "update", "__setitem__")
"""Methods that put something into a namespace."""
NAME_AT = 1  # of the arguments of those


class Given:
    """The attributes of the classes of a project under which some object holds what it was given, worked out when first asked
    for."""

    def __init__(self, keys: Keys) -> None:
        self.keys: Keys = proxy(keys)  # which holds this: nobody collects cycles, and each round has its own
        self.index = keys.index
        self._found: Mapping[str, frozenset[str]] | None = None

    def to(self, class_id: str) -> frozenset[str]:
        """The names under which some object of a class holds what was given to it; `ANY` if that may be any."""
        if self._found is None:
            self._found = {}  # of what is asked for on the way
            found: dict[str, set[str]] = {}
            for each, name in (*self._by_calls(), *self._assigned(), *self._in_namespaces()):
                found.setdefault(each, set()).add(name)
            self._found = {each: frozenset(names) for each, names in found.items()}
        return self._found.get(class_id, frozenset())

    def _by_calls(self) -> Iterator[tuple[str, str]]:
        evaluate = self.index.evaluator.evaluate
        for info in self.index.functions.values():
            for call in info.fact.calls:
                if not call.arguments:
                    continue
                for entity in self.index.evaluator.all(info.path, call.targets):
                    if entity.kind == "class":
                        yield from ((entity.name, name) for name in self._stated(info.path, call, entity.name))
                    elif entity.name in CALLING:
                        made = evaluate(info.path, call.arguments[0].ref)
                        yield from ((each.name, ANY) for each in made if each.kind == "class" and call.arguments[1:])
                if call.targets[0].rpartition(".")[2] in SETTING:
                    yield from self._set(info.path, call)

    def _stated(self, path: str, call: Call, class_id: str) -> Iterator[str]:
        """The fields for which a call that makes an object gives what it did not make."""
        names = self._fields(class_id)
        for at, item in enumerate(call.arguments if names else ()):
            unpacked = item.keyword in UNPACKED
            refs = [f"{ref}[]" if unpacked else ref for ref in item.refs or (item.ref,) if ref]
            if self._any_of_others(path, refs):
                placed = not any(each.keyword in UNPACKED for each in call.arguments[: at + 1])
                yield ANY if unpacked else item.keyword or (names[at] if placed and at < len(names) else ANY)

    def _fields(self, class_id: str) -> tuple[str, ...]:
        """The names by which a class makes its objects, in order; none if it has a constructor of its own."""
        known = [name for name in self.index.evaluator.order(class_id) if name in self.index.classes]
        if any("__init__" in self.index.evaluator.methods.get(name, {}) for name in known):
            return ()
        return tuple(dict.fromkeys(each for name in reversed(known) for each in self.index.classes[name].fact.fields))

    def _set(self, path: str, call: Call) -> Iterator[tuple[str, str]]:
        """What is set by `setattr`, or by a method that does the same."""
        at = next((place for place, item in enumerate(call.arguments) if item.literal and not item.ref), NAME_AT)
        holder = call.arguments[at - 1].ref if 0 < at < len(call.arguments) else call.targets[0].rpartition(".")[0]
        for entity in self.index.evaluator.evaluate(path, holder):
            if entity.kind in ("instance", "class") and at < len(call.arguments):
                yield entity.name, call.arguments[at].literal or ANY

    def _in_namespaces(self) -> Iterator[tuple[str, str]]:
        """What is put into the namespace of an object, under any name: ``self.__dict__.update(given)``."""
        index = self.index
        changed = [(index.path(name), access.ref) for name, access in index.opened if access.kind in CHANGING]
        for info in index.functions.values():
            called = (target.rpartition(".") for call in info.fact.calls for target in call.targets)
            changed += [(info.path, base) for base, _, last in called if last in FILLING and base.endswith(NAMESPACE)]
        for path, ref in changed:
            for entity in index.evaluator.evaluate(path, ref.removesuffix(NAMESPACE)):
                if entity.kind in ("instance", "class"):
                    yield entity.name, ANY

    def _assigned(self) -> Iterator[tuple[str, str]]:
        for path, summary in self.index.summaries.items():
            for item in summary.assigned:
                for entity in self.index.evaluator.evaluate(path, item.holder):
                    if entity.kind in ("instance", "class") and self._any_of_others(path, item.values):
                        yield entity.name, item.name

    def _any_of_others(self, path: str, refs: Iterable[str]) -> bool:
        return any(ref and ref != NONE and self.keys.of(path, ref, deep=True)[0] for ref in refs)
