"""Functions that are reached by a name put together at run time, or by going through a namespace.

Of ``getattr(x, f"do_{name}")`` every function of that shape may be meant: those of ``x``, if it is known what that is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from asyncfix.link.protocols import own_methods
from asyncfix.model import Access, Call, Function

if TYPE_CHECKING:
    from asyncfix.link.index import ProjectIndex

GETTER = "builtins.getattr"
GETTERS = frozenset({GETTER, "operator.attrgetter", "operator.methodcaller"})
MEMBERS = frozenset({"inspect.getmembers", "inspect.getmembers_static"})
GIVEN = f"{GETTER}()"
ANY = "*"
TELLING = 3
"""So many literal letters in a name make it probable that a function is meant, whatever it is asked of."""


class Named:
    """What the names that code puts together may mean: ``ids`` of functions with the place, ``lasts`` last names likewise."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index
        self.ids: dict[str, tuple[str, int, str]] = {}
        self.lasts: dict[str, tuple[str, int, str]] = {}
        self._sorted = sorted(index.names)
        self._seen: set[tuple[str, str]] = set()
        self._shaped: dict[str, tuple[str, ...]] = {}

    def look(self) -> None:
        """Go through the calls of the whole project."""
        for name, info in self.index.functions.items():
            for call in info.fact.calls:
                first = call.targets[0] if call.targets else ""
                if first in GETTERS:
                    self._got(name, info.path, info.fact, call)
                elif first in MEMBERS and call.arguments:
                    if not self._all_of(name, info.path, call, call.arguments[0].ref, ANY):
                        self._so_called(name, info.path, call, filter(_is_telling, _beginnings(info.fact)))
                elif first == "builtins.vars" and call.arguments:
                    self._all_of(name, info.path, call, call.arguments[0].ref, ANY, opened=True)
                elif first == "builtins.globals" or (first == "builtins.vars" and not call.arguments):
                    self._note(name, info.path, call, f"module {info.path}", ANY)
        for name, access in self.index.opened:
            self._all_of(name, self.index.path(name), access, access.ref.removesuffix(".__dict__"), ANY, opened=True)

    def _got(self, name: str, path: str, fact: Function, call: Call) -> None:
        method = call.targets[0] == GETTER
        shape = call.arguments[method].literal if len(call.arguments) > method else ""
        receiver = call.arguments[0].ref if method else "?"
        if not shape or (ANY not in shape and not call.arguments[method].ref):
            return  # named in full, which is noted elsewhere
        run = _runs(fact)
        if shape == ANY and not run:
            return  # data, it seems
        if self._all_of(name, path, call, receiver, shape):
            return
        shapes = (shape,) if shape != ANY else _beginnings(fact)
        self._so_called(name, path, call, (known for known in shapes if run or _is_telling(known)))

    def _so_called(self, name: str, path: str, call: Call, shapes: Iterable[str]) -> None:
        """Note all names of these shapes, of whatever."""
        for shape in shapes:
            for last in self._matching(shape):
                self.lasts.setdefault(last, (path, call.line, name))

    def _all_of(self, name: str, path: str, call: Call | Access, ref: str, shape: str, *, opened: bool = False) -> bool:
        """Note what is so called in the class or module that ``ref`` means. False if that may be any.

        ``opened``: its namespace is gone through; that of an instance has no methods.
        """
        if ref.startswith("sys.modules[") and ref.endswith("]"):
            self._note(name, path, call, f"module {path}", shape)
            return True
        entities = self.index.evaluator.evaluate(path, ref)
        for entity in entities:
            if entity.kind == "class" or (entity.kind in ("instance", "super") and not opened):
                for owner in (*self.index.evaluator.order(entity.name), *self.index.subclasses.get(entity.name, ())):
                    self._note(name, path, call, f"class {owner}", shape)
            elif entity.kind == "module":
                self._note(name, path, call, f"module {entity.name}", shape)
        return bool(entities) and all(entity.kind != "unknown" for entity in entities)

    def _note(self, name: str, path: str, call: Call | Access, owner: str, shape: str) -> None:
        if (owner, shape) not in self._seen:
            self._seen.add((owner, shape))
            for function in self._inside(owner):
                if _has_shape(self.index.fact(function).name, shape):
                    self.ids.setdefault(function, (path, call.line, name))

    def _inside(self, owner: str) -> Iterator[str]:
        kind, _, name = owner.partition(" ")
        if kind == "class":
            yield from own_methods(self.index.evaluator, name)
        else:
            for fact in self.index.summaries[name].functions if name in self.index.summaries else ():
                if fact.kind == "function" and not fact.outer:
                    yield from self.index.evaluator.function_ids(name, fact.qualname)

    def _matching(self, shape: str) -> tuple[str, ...]:
        """The last names of that shape."""
        found = self._shaped.get(shape)
        if found is None:
            found = self._shaped[shape] = tuple(self._match(shape))
        return found

    def _match(self, shape: str) -> Iterator[str]:
        first, _, last = shape.partition(ANY)
        for place in range(bisect_left(self._sorted, first), len(self._sorted)):
            name = self._sorted[place]
            if not name.startswith(first):
                return
            if name.endswith(last) and _has_shape(name, shape):
                yield name


def _is_telling(shape: str) -> bool:
    return len(shape) > TELLING


def _has_shape(name: str, shape: str) -> bool:
    first, any_between, last = shape.partition(ANY)
    if not any_between:
        return name == shape
    return len(name) >= len(first) + len(last) and name.startswith(first) and name.endswith(last)


def _runs(fact: Function) -> bool:
    """Whether what a function got by a name is called there, or handed on to where it may be."""
    return GIVEN in fact.results or any(
        GIVEN in call.targets or any(argument.ref == GIVEN for argument in call.arguments) for call in fact.calls
    )


def _beginnings(fact: Function) -> Iterator[str]:
    """The shapes of names that a function picks: ``name.startswith("job_")``."""
    for call in fact.calls:
        if call.targets and call.targets[0].endswith(".startswith"):
            yield from (f"{item.literal}{ANY}" for item in call.arguments[:1] if item.literal and not item.ref)
