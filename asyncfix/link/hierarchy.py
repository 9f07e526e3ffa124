"""The classes of the project: what they inherit, who inherits from them, and which names they have of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from asyncfix.link.entities import MOST, ClassInfo, Entities, Entity, FunctionInfo

ENUMS = frozenset(f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ReprEnum")) | frozenset(
    f"django.db.models.{name}" for name in ("Choices", "IntegerChoices", "TextChoices")
)
"""Of a class below these, what its body gives a value to is an instance of it."""


@dataclass(slots=True)
class Hierarchy(ABC):
    """Classes with their methods, as far as it need not be known what these give."""

    functions: Mapping[str, FunctionInfo]
    classes: Mapping[str, ClassInfo]
    methods: Mapping[str, Mapping[str, Sequence[str]]]
    """Ids of the methods that a class defines itself, by the id of the class and their last name."""
    _functions_at: Mapping[tuple[str, str], tuple[str, ...]]
    _classes_at: Mapping[tuple[str, str], str]
    _modules_at: Mapping[str, str]
    below: Mapping[str, Sequence[str]] = field(default_factory=lambda: dict[str, Sequence[str]](), init=False)
    """The subclasses of classes."""
    beside: Mapping[str, Sequence[str]] = field(default_factory=lambda: dict[str, Sequence[str]](), init=False)
    """See `mixins`."""
    mixed: frozenset[str] = field(default=frozenset(), init=False)
    """The classes that heirs inherit from beside others."""
    _by_name: dict[str, dict[str, None]] = field(default_factory=lambda: dict[str, dict[str, None]](), init=False)
    """Classes by the names that they have of their own."""
    _owners: dict[tuple[str, str], tuple[str, ...]] = field(
        default_factory=lambda: dict[tuple[str, str], tuple[str, ...]](), init=False
    )
    _accessors: dict[tuple[Entity, str, str], tuple[str, ...]] = field(
        default_factory=lambda: dict[tuple[Entity, str, str], tuple[str, ...]](), init=False
    )
    _orders: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict[str, tuple[str, ...]](), init=False)

    @abstractmethod
    def evaluate(self, path: str, ref: str) -> Entities:
        """All things that a ref may mean in a file; empty if any of it is unknown."""

    def function_ids(self, path: str, qualname: str) -> tuple[str, ...]:
        """Ids of all definitions of a qualified name in a file."""
        return self._functions_at.get((path, qualname), ())

    def class_id(self, path: str, qualname: str) -> str | None:
        """Id of the class of that qualified name in a file."""
        return self._classes_at.get((path, qualname))

    def module_id(self, path: str) -> str:
        """Id of what a file itself runs: the name of its module, unless a function of the package above goes by that. '' if
        nothing is known of it."""
        return self._modules_at.get(path, "")

    def owner(self, info: FunctionInfo) -> str | None:
        """Id of the class whose method a function is, None if it is none."""
        return self.class_id(info.path, info.fact.owner_class)

    def order(self, class_id: str) -> tuple[str, ...]:
        """The class and its bases, nearest first (depth first, each once at its last place: the MRO of ordinary code).

        Bases of libraries stand under their dotted names, unknown ones as ``?``.
        """
        found = self._orders.get(class_id)
        if found is not None:
            return found
        self._orders[class_id] = (class_id,)
        info = self.classes.get(class_id)
        if info is None:
            return (class_id,)
        chain: list[str] = [class_id]
        for ref in info.fact.bases:
            bases = self.evaluate(info.path, ref)
            if not bases:
                chain.append("?")
            for base in bases:
                chain.extend(self.order(base.name) if base.kind == "class" else (base.name,))
        last = {name: index for index, name in enumerate(chain)}
        result = self._orders[class_id] = tuple(name for index, name in enumerate(chain) if last[name] == index)
        return result

    def is_enum(self, class_id: str) -> bool:
        """Whether a class is an enumeration: its instances are its members, and calling it gives one of them."""
        return not ENUMS.isdisjoint(self.order(class_id))

    def has(self, class_id: str, name: str) -> bool:
        """Whether objects of a class of the project have a name without being asked for it."""
        classes = ((each, self.classes.get(each)) for each in self.order(class_id))
        own = ((each, info) for each, info in classes if info is not None)
        return any(name in info.fact.attributes or name in self.methods.get(each, {}) for each, info in own)

    def named(self, name: str) -> Mapping[str, None]:
        """The classes that have a name of their own, in their order."""
        if not self._by_name:
            for each, info in self.classes.items():
                for own in {*self.methods.get(each, ()), *info.fact.attributes}:
                    self._by_name.setdefault(own, {})[each] = None
        return self._by_name.get(name, {})

    def having(self, class_id: str, name: str) -> tuple[str, ...]:
        """The subclasses of a class that have a name of their own."""
        if not self.below.get(class_id):
            return ()
        found = self._owners.get((class_id, name))
        if found is None:
            below = self.below[class_id]
            having = self.named(name)
            among = set(below) if len(having) > MOST else below
            found = self._owners[class_id, name] = tuple(each for each in having if each in among)
        return found

    def fewer(self, found: dict[Entity, None]) -> dict[Entity, None]:
        """The same; of more objects than are told apart, those whose classes share a base are objects of that."""
        made = [entity for entity in found if entity.kind == "instance"]
        if len(made) <= MOST:
            return found
        count: dict[str, int] = {}
        for entity in made:
            for base in self.order(entity.name):
                count[base] = count.get(base, 0) + (base in self.classes)
        shared = {entity: max(self.order(entity.name), key=lambda base: count.get(base, 0)) for entity in made}
        return {Entity("instance", shared[each]) if each in shared else each: None for each in found}

    def accessors(self, made: Entity, name: str, kind: str) -> tuple[str, ...]:
        """The functions of the property of that name that an access to an object of the project runs: to read or write it.

        None if it is no property. Those of subclasses, where it has one itself, are none of them.
        """
        key = (made, name, kind)
        found = self._accessors.get(key)
        if found is None:
            found = self._accessors[key] = self._find_accessors(made, name, kind)
        return found

    def _find_accessors(self, made: Entity, name: str, kind: str) -> tuple[str, ...]:
        for class_id in self.order(made.name)[made.kind == "super" :]:
            owner = self.classes.get(class_id)
            found = self.function_ids(owner.path, f"{owner.fact.qualname}.{name}") if owner else ()
            serving = self.serving(found, kind)
            if serving or (found and not all(self._is_setter(each) for each in found)):
                return serving
        if made.kind == "super":
            return ()
        below = (self.methods.get(each, {}).get(name, ()) for each in self.having(made.name, name))
        return tuple(each for found in below for each in self.serving(found, kind))

    def serving(self, functions: Iterable[str], kind: str) -> tuple[str, ...]:
        """Of the functions of a property those that read it, or those that write it."""
        own = (each for each in functions if self.functions[each].fact.kind == "property")
        return tuple(each for each in own if self._is_setter(each) == (kind == "write"))

    def _is_setter(self, function: str) -> bool:
        return any(ref.endswith((".setter", ".deleter")) for ref in self.functions[function].fact.decorators)
