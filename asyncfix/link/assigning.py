"""What is put into the place of an object from outside: ``service.client = fake``, ``monkeypatch.setattr(app, "client", fake)``.

The attribute of a class, the variable of a module, or what a function gives, is something else then than its code says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from asyncfix.facts.likeness import FOLLOWING, LIKE, MAKING
from asyncfix.facts.scopes import NONE
from asyncfix.facts.testfiles import is_test
from asyncfix.link.entities import SOMETHING, Entity
from asyncfix.link.index import Loose, ProjectIndex
from asyncfix.model import Call

HOLDING = ("instance", "module")
REPLACING = ("patch", "object", "setattr")
# Their objects are made with a value for each attribute that the body states.
STATING = (
    "dataclasses.dataclass",
    "attr.s",
    "attr.attrs",
    "attr.define",
    "attrs.define",
    "attrs.frozen",
    "attrs.mutable",
)
STATING_BASES = frozenset({"pydantic.BaseModel", "typing.NamedTuple", "msgspec.Struct"})


@dataclass(frozen=True, slots=True)
class Put:
    """Something that is put somewhere: ``values`` are refs in the file ``path``, none if nothing is known of it.
    ``holder``: the object, the class or the module.
    """

    path: str
    line: int
    holder: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A name of a class, or of a module, under which it holds a class (``is_class``) or objects of it; ``stated``: by an
    annotation; ``called``: it is a function that gives them."""

    holder: str
    name: str
    stated: bool
    is_class: bool
    called: bool


@dataclass(slots=True)
class Assigning:
    """Answers are remembered; what is put is read when first asked for."""

    index: ProjectIndex
    _puts: Mapping[str, tuple[Put, ...]] | None = None
    _holders: Mapping[str, tuple[Held, ...]] | None = None

    def instead(self, kinds: set[str]) -> Iterator[tuple[Put, bool, Held]]:
        """What is put where objects of these classes are, or the classes themselves; whether it may be anything: it is
        put there for sure, and no annotation says what it is; and what it is put for."""
        holders = self._holding()
        for held in dict.fromkeys(each for kind in kinds for each in holders.get(kind, ())):
            for put in self._all()[held.name]:
                meant = self.index.evaluator.evaluate(put.path, put.holder)
                if not meant or any(self._is(entity, held.holder) for entity in meant):
                    yield put, bool(meant) and not held.stated, held

    def is_double(self, place: Loose, name: str) -> bool:
        """Whether a test assigns something there that it made to be called in the place of a function of that name: to an
        object or a module, by which nothing is bound."""
        evaluate = self.index.evaluator.evaluate
        found = [
            item
            for item in self.index.summaries[place.path].assigned
            if place.span is not None and (item.name, item.line) == (name, place.line)
        ]
        return (
            bool(found)
            and is_test(place.path)
            and all(
                entity.kind in HOLDING for item in found for entity in evaluate(place.path, item.holder) or (SOMETHING,)
            )
            and all(self._is_made(place.path, ref) for item in found for ref in item.values)
        )

    def _is_made(self, path: str, ref: str) -> bool:
        """Whether a ref means a mock like nothing, or a function of a test."""
        if ref.endswith("()") and MAKING.fullmatch(ref[:-2]):
            return True
        meant = self.index.evaluator.evaluate(path, ref)
        return bool(meant) and all(each.kind == "function" and is_test(self.index.path(each.name)) for each in meant)

    def _is(self, meant: Entity, holder: str) -> bool:
        """Whether something is the module, or of the class, or of one above or below it, that holds the name."""
        if meant.kind not in ("instance", "class"):
            return meant.name == holder
        order = self.index.evaluator.order
        return holder in order(meant.name) or meant.name in order(holder)

    def _holding(self) -> Mapping[str, tuple[Held, ...]]:
        """What holds a class or objects of it, or gives such; by that class."""
        if self._holders is None:
            found: dict[str, dict[Held, None]] = {}
            for holder, name, path, refs, called in self._named():
                stated = all(ref.endswith("!") for ref in refs)
                for entity in self.index.evaluator.all(path, refs):
                    if entity.kind in ("instance", "class", "value"):
                        held = Held(holder, name, stated, entity.kind == "class", called)
                        found.setdefault(entity.name, {})[held] = None
            self._holders = {kind: tuple(each) for kind, each in found.items()}
        return self._holders

    def _named(self) -> Iterator[tuple[str, str, str, tuple[str, ...], bool]]:
        """All that something else is put for: class or module, the name, the path and what is there, or given by it, and
        whether it is that when it is called."""
        names = self._all()
        for class_id, known in self.index.classes.items():
            for name in names.keys() & known.fact.attributes.keys():
                yield class_id, name, known.path, known.fact.attributes[name], False
        for path, summary in self.index.summaries.items():
            for name in names.keys() & summary.bindings.keys():
                yield path, name, path, summary.bindings[name], False
        for info in self.index.functions.values():
            if info.fact.name in names and not info.fact.outer:
                owner = self.index.evaluator.owner(info)
                called = info.fact.kind != "property"
                yield owner or info.path, info.fact.name, info.path, info.fact.results, called

    def _all(self) -> Mapping[str, tuple[Put, ...]]:
        """All that is put anywhere, by the name that it is put under."""
        if self._puts is None:
            found: dict[str, dict[Put, None]] = {}
            for name, put in (*self._assigned(), *self._called(), *self._inherited()):
                found.setdefault(name, {})[put] = None
            self._puts = {name: tuple(puts) for name, puts in found.items()}
        return self._puts

    def _assigned(self) -> Iterator[tuple[str, Put]]:
        for path, summary in self.index.summaries.items():
            for item in summary.assigned:
                yield item.name, Put(path, item.line, item.holder, item.values)

    def _called(self) -> Iterator[tuple[str, Put]]:
        """What calls put there: replacements for a while, and arguments by which objects are made."""
        stating = self._stating()
        for info in self.index.functions.values():
            for call in info.fact.calls:
                last = call.targets[0].rpartition(".")[2].lstrip(":") if call.targets else ""
                if last in REPLACING:
                    yield from _replaced(info.path, call)
                for names in stating.get(last, ()):
                    yield from _made(info.path, call, names)

    def _stating(self) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """Names of the attributes of classes without a constructor of their own, by the last name of the class."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for class_id, info in self.index.classes.items():
            order = self.index.evaluator.order(class_id)
            known = [self.index.classes[each].fact for each in order if each in self.index.classes]
            decorated = any(ref.removesuffix("()").endswith(STATING) for each in known for ref in each.decorators)
            if decorated or not STATING_BASES.isdisjoint(order):
                names = (name for each in reversed(known) for name in each.attributes)
                found.setdefault(info.fact.qualname.rpartition(".")[2], []).append(tuple(dict.fromkeys(names)))
        return {last: tuple(each) for last, each in found.items()}

    def _inherited(self) -> Iterator[tuple[str, Put]]:
        """What a class assigns to an attribute that one above it has, too: methods up there meet its objects."""
        for class_id, info in self.index.classes.items():
            order = self.index.evaluator.order(class_id)[1:]
            above = [self.index.classes[each].fact for each in order if each in self.index.classes]
            for name, values in info.fact.attributes.items() if above else ():
                if any(name in each.attributes for each in above):
                    yield name, Put(info.path, info.fact.line, f":{info.fact.qualname}!", values)


def _replaced(path: str, call: Call) -> Iterator[tuple[str, Put]]:
    """What ``patch("app.client", fake)``, ``patch.object(app, "client")`` and the like put somewhere."""
    if any(item.keyword in FOLLOWING and item.literal == "True" for item in call.arguments):
        return  # it is like what it replaces
    match [item for item in call.arguments if not item.keyword]:
        case [first, *rest] if first.literal and not first.ref:
            holder, _, name = first.literal.rpartition(".")
        case [first, second, *rest] if first.ref and second.literal and not second.ref:
            holder, name = first.ref, second.literal
        case _:
            return
    stated = [*rest, *(item for item in call.arguments if item.keyword in ("new", "value", "return_value"))]
    made = tuple(f"{item.ref}()" for item in call.arguments if item.keyword == "new_callable" and item.ref)
    like = tuple(f"{item.ref}{LIKE}" for item in call.arguments if item.keyword in FOLLOWING and item.ref)
    values = tuple(ref for item in stated[:1] for ref in item.refs or (item.ref,) if ref)
    if holder and (values or made or not stated):
        yield name, Put(path, call.line, holder, values or made or like)


def _made(path: str, call: Call, names: tuple[str, ...]) -> Iterator[tuple[str, Put]]:
    """What is given for the attributes by which an object is made: by its name, or by its place."""
    for at, item in enumerate(call.arguments):
        name = item.keyword or (names[at] if at < len(names) else "")
        values = item.refs or (item.ref,)
        if name and all(values) and values != (NONE,):
            yield name, Put(path, call.line, f"{call.targets[0]}!", values)
