"""Calls of objects of which nothing is known, by a name that only methods of the project have: taken for calls of those.

That is a guess, and stands as such with what is done because of it. It is not made where a library may have a method of that
name, and where the object is asked for something that none of those classes has.
"""

from __future__ import annotations

import io
import pathlib
import re
from collections.abc import Iterator

from asyncfix.facts.testfiles import is_test
from asyncfix.link.callbacks import HANDED
from asyncfix.link.entities import SOMETHING
from asyncfix.link.foreign import is_of_its_own
from asyncfix.link.index import Edge, Loose, ProjectIndex
from asyncfix.model import Call

NO_CALLS = (*HANDED, "decorator", "awaited")
SETTING = "builtins.setattr"
TWO_WORDS = re.compile(r"_*[^\W_]+(_[^\W_]+)+")
BUILTIN = frozenset(
    name
    for each in (
        str,
        bytes,
        dict,
        list,
        set,
        tuple,
        int,
        float,
        BaseException,
        io.TextIOWrapper,
        io.BytesIO,
        pathlib.Path,
    )
    for name in dir(each)
)


class Namesakes:
    """What such calls are taken for; worked out when first asked for."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index
        self._edges: dict[str, list[Edge]] | None = None
        self._meant: dict[tuple[str, int, int], tuple[str, ...]] = {}
        self._places: set[tuple[str, int, str, str]] = set()
        self._foreign: frozenset[str] | None = None
        self._data: frozenset[str] | None = None

    def callers(self, method: str) -> tuple[Edge, ...]:
        """The calls that are taken for calls of a method, and are not known to be in any other way."""
        if self._edges is None:
            self._edges = {}
            self._look()
        return tuple(self._edges.get(method, ()))

    def of(self, edge: Edge) -> tuple[str, ...]:
        """All methods that the call of an edge is taken for, () if it is not."""
        self.callers(edge.callee)
        return self._meant.get((edge.caller, edge.span.start, edge.span.end), ())

    def covers(self, use: Loose, name: str) -> bool:
        """Whether a place that may mean any function of a name is such a call."""
        self.callers(name)
        return (use.path, use.line, use.owner, name) in self._places

    def _look(self) -> None:
        left: set[tuple[str, int, str, str]] = set()
        named = self._methods()
        for owner, calls in self.index.unknown.items():
            for call in calls:
                last = call.targets[0].rpartition(".")[2] if call.targets else ""
                place = (self.index.path(owner), call.line, owner, last)
                meant = named.get(last, ())
                if meant and self._fits(owner, call, meant):
                    self._take(owner, call, meant)
                    self._places.add(place)
                else:
                    left.add(place)
        self._places -= left

    def _take(self, owner: str, call: Call, meant: tuple[str, ...]) -> None:
        self._meant[owner, call.span.start, call.span.end] = meant
        known = {edge.callee for edge in self.index.calls.get(owner, ()) if edge.span == call.span}
        for method in meant if self._edges is not None else ():
            if method not in known and self._edges is not None:
                self._edges.setdefault(method, []).append(Edge(owner, method, "call", call, False))

    def _methods(self) -> dict[str, tuple[str, ...]]:
        """By name the methods of the project that nothing else is called like."""
        found: dict[str, list[str]] = {}
        for name, info in self.index.functions.items():
            if TWO_WORDS.fullmatch(info.fact.name):
                found.setdefault(info.fact.name, []).append(name)
        return {last: tuple(names) for last, names in found.items() if self._is_theirs(last, names)}

    def _is_theirs(self, last: str, names: list[str]) -> bool:
        if last in BUILTIN or last in self._of_libraries() or last in self._of_data():
            return False
        return all(self.index.fact(name).kind == "method" for name in names)

    def _of_libraries(self) -> frozenset[str]:
        """Last names of all that libraries are known to have, and that the project asks them for."""
        if self._foreign is None:
            catalog = self.index.catalog
            rows = (*catalog.blocking_rows, *catalog.harmless_rows, *catalog.given)
            asked = (item.name for items in self.index.externals.values() for item in items if not _is_open(item.name))
            self._foreign = frozenset(name.rpartition(".")[2].removesuffix("()") for name in (*rows, *asked))
        return self._foreign

    def _of_data(self) -> frozenset[str]:
        """Names under which something is kept: of attributes and variables, and by which libraries are given something to
        keep (``SimpleNamespace(load_page=f)``, ``setattr(thing, "load_page", f)``). A function may be kept there."""
        if self._data is None:
            index = self.index
            kept = (name for info in index.classes.values() for name in info.fact.attributes)
            variables = (name for summary in index.summaries.values() for name in summary.bindings)
            put = (item.name for path, each in index.summaries.items() if not is_test(path) for item in each.assigned)
            given = (item for items in index.externals.values() for item in items)
            told = (
                argument.keyword or (argument.literal if item.name == SETTING else "")
                for item in given
                for argument in item.call.arguments
            )
            self._data = frozenset((*kept, *variables, *put, *told))
        return self._data

    def _fits(self, owner: str, call: Call, meant: tuple[str, ...]) -> bool:
        """Whether a call may be one of these methods, by what is known of its object, its arguments and what else is asked."""
        target = next(iter(call.targets), "")
        receiver = target.rpartition(".")[0]
        if len(call.targets) > 1 or not receiver or call.use in NO_CALLS:
            return False
        entities = self.index.evaluator.evaluate(self.index.path(owner), target)
        open_still = not entities or SOMETHING in entities
        others = [entity.name for entity in entities if entity != SOMETHING and entity.name not in meant]
        if not open_still or not all(map(_is_open, others)):
            return False
        return all(self._takes(method, call) for method in meant) and self._has_all(owner, receiver, meant)

    def _takes(self, method: str, call: Call) -> bool:
        names = [parameter.name for parameter in self.index.fact(method).parameters][1:]
        if any(argument.keyword in ("*", "**") for argument in call.arguments):
            return True
        positional = sum(not argument.keyword for argument in call.arguments)
        return positional <= len(names) and all(item.keyword in names for item in call.arguments if item.keyword)

    def _has_all(self, owner: str, receiver: str, meant: tuple[str, ...]) -> bool:
        """Whether one of the classes has all that the function asks of that object."""
        asked = set(self._asked(owner, f"{receiver}."))
        return any(asked <= self._own_names(method) for method in meant)

    def _asked(self, owner: str, prefix: str) -> Iterator[str]:
        fact = self.index.fact(owner)
        refs = (*(target for call in fact.calls for target in call.targets), *(each.ref for each in fact.accesses))
        for ref in refs:
            if ref.startswith(prefix):
                yield re.split(r"[^\w]", ref[len(prefix) :], maxsplit=1)[0]

    def _own_names(self, method: str) -> set[str]:
        """The names of all that an object with that method has, as far as the project shows."""
        info, evaluator = self.index.functions[method], self.index.evaluator
        class_id = evaluator.owner(info)
        found: set[str] = set()
        for each in (*evaluator.order(class_id), *self.index.subclasses.get(class_id, ())) if class_id else ():
            found.update(evaluator.methods.get(each, ()))
            known = self.index.classes.get(each)
            found.update(known.fact.attributes if known is not None else dir(object))
        return found


def _is_open(name: str) -> bool:
    """Whether something is what a library gave, of which nobody knows whose it is."""
    return "()" in name and not is_of_its_own(name)
