"""What a ref means in the whole project: functions, classes, instances, or things of libraries."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast

from asyncfix.catalog import PARTLY, Catalog
from asyncfix.facts.scopes import BUILTINS, NONE
from asyncfix.link.fixtures import asks, nearest
from asyncfix.link.foreign import is_of_its_own
from asyncfix.link.modules import Modules
from asyncfix.model import ANY, Class, Function, Parameter, Summary

if TYPE_CHECKING:
    from asyncfix.link.passing import Passed

OF_OBJECTS = frozenset(dir(object))
STEP = re.compile(r"\.(?:<[^>]*>|[^.()\[\]!^@%~&*<=]+)|\(\)|\[[:01]?\]|[!^%~&=]|@\w+|\*[\w.]+\??;")
ROOT = re.compile(r"[^.()\[\]!^@%~&*<=]+")
MOST = 12
NAMING = frozenset(
    {"builtins.globals", "builtins.setattr", "builtins.vars", "builtins.exec"}
)  # by which names are bound
OF_MODULE = "="  # before a name: the attribute of the module itself, whatever a ref to it says
OF_OBJECT = ("method", "property")
OBJECTS = ("instance", "super")
GIVEN = ("handed", "wrapped")

Kind: TypeAlias = Literal[
    "module",
    "namespace",
    "class",
    "instance",
    "function",
    "method",
    "super",
    "external",
    "value",
    "many",
    "giving",
    "handed",
    "wrapped",
    "unknown",
]


class Entity(NamedTuple):
    """One thing a ref may mean.

    ``name`` is a path for a module, a class or function id for what the project defines, a dotted name for a library's
    thing (``many``: class of a collection, ``|``, kind and name of an element; ``giving``: likewise, with a method that
    gives elements; ``external``: module, function or class, with `PARTLY` behind it if so; ``value``: an instance of that type;
    ``handed``: a function that a caller gives for a parameter, ``wrapped`` if it is one that the callee decorates).
    """

    kind: Kind
    name: str


Entities: TypeAlias = tuple[Entity, ...]
UNKNOWN: Entities = ()
SOMETHING = Entity("unknown", "")
"""Stands beside what is known where it may be something else, too."""
UNDER_WAY: Entities = (SOMETHING,)
"""Stands for an answer that is being worked out."""

PAIR = "builtins.tuple?"
"""The class of a pair of key and value: an element of it may be either. A ``?`` behind a class says so of others, too."""
KEYED = frozenset({PAIR, "builtins.dict", "typing.Mapping", "typing.MutableMapping", "collections.defaultdict"}) | {
    "collections.OrderedDict",
    "collections.abc.Mapping",
    "collections.abc.MutableMapping",
}
ENUMS = frozenset(f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ReprEnum")) | frozenset(
    f"django.db.models.{name}" for name in ("Choices", "IntegerChoices", "TextChoices")
)
"""Of a class below these, what its body gives a value to is an instance of it."""
MANGLED = re.compile(r"_+([^\W_]\w*?)(__\w*[^\W_]_?)")
"""A private name as it is called from outside of its class."""
VALUE = ("value", "_value_")
ANYTHING = "?"  # of an attribute in which programs keep objects of their own
YIELDING = frozenset({"pop", "popleft", "get", "setdefault", "values", "items", "copy", "__next__", "__anext__"})


def many(container: str, inner: Entity) -> Entity:
    """A collection of that class, of elements like ``inner``."""
    return Entity("many", f"{container}|{inner.kind}:{inner.name}")


def parted(entity: Entity) -> tuple[str, Entity]:
    """The class (or the method) and the element of a ``many`` or ``giving``."""
    container, _, inner = entity.name.partition("|")
    kind, _, name = inner.partition(":")
    return container, Entity(cast(Kind, kind), name)


class Vague(tuple[Entity, ...]):
    """Entities that depend on a collection whose elements are not known yet."""

    __slots__ = ()


class ClassInfo(NamedTuple):
    """A class of the project, with the path of its file."""

    path: str
    fact: Class


class FunctionInfo(NamedTuple):
    """A function of the project, with the path of its file."""

    path: str
    fact: Function


@dataclass(slots=True)
class Evaluator:
    """Evaluates refs over all summaries. Answers are remembered; what depends on itself is unknown."""

    summaries: Mapping[str, Summary]
    modules: Modules
    catalog: Catalog
    functions: Mapping[str, FunctionInfo]
    classes: Mapping[str, ClassInfo]
    methods: Mapping[str, Mapping[str, Sequence[str]]]
    """Ids of the methods that a class defines itself, by the id of the class and their last name."""
    fixtures: Mapping[str, tuple[str, ...]]
    below: Mapping[str, Sequence[str]] = field(default_factory=lambda: dict[str, Sequence[str]](), init=False)
    """The subclasses of classes."""
    passed: Passed | None = field(default=None, init=False)
    """What callers give for parameters, once they are known."""
    beside: Mapping[str, Sequence[str]] = field(default_factory=lambda: dict[str, Sequence[str]](), init=False)
    """See `mixins`."""
    described: frozenset[str] = field(default=frozenset(), init=False)
    """Names of attributes that may be descriptors."""
    _functions_at: Mapping[tuple[str, str], tuple[str, ...]]
    _classes_at: Mapping[tuple[str, str], str]
    called_parameters: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: dict[str, tuple[str, ...]](), init=False
    )
    """Positions and names of the parameters that a function calls, as far as somebody has asked: see `callbacks`."""
    cut: int = field(default=0, init=False)
    """How often an answer was cut short because it depends on itself: what was found meanwhile holds there only."""
    _memo: dict[str, dict[str, Entities]] = field(default_factory=lambda: dict[str, dict[str, Entities]]())
    """By path and ref."""
    _members: dict[tuple[Entity, str], Entities] = field(default_factory=lambda: dict[tuple[Entity, str], Entities]())
    """Attributes of the project's classes and objects, which refs of many functions ask for."""
    _by_name: dict[str, list[str]] = field(default_factory=lambda: dict[str, list[str]]())
    """Classes by the names that they have of their own."""
    _owners: dict[tuple[str, str], tuple[str, ...]] = field(
        default_factory=lambda: dict[tuple[str, str], tuple[str, ...]]()
    )
    _accessors: dict[tuple[Entity, str, str], tuple[str, ...]] = field(
        default_factory=lambda: dict[tuple[Entity, str, str], tuple[str, ...]]()
    )
    _open: list[tuple[str, str]] = field(default_factory=lambda: list[tuple[str, str]]())
    """Those of which not all is known."""
    _open_members: list[tuple[Entity, str]] = field(default_factory=lambda: list[tuple[Entity, str]]())
    _vague: bool = False
    """Whether what is being worked out depends on a collection whose elements are not known: they may be, later."""
    _orders: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict[str, tuple[str, ...]]())
    _library: dict[str, Entities] = field(default_factory=lambda: dict[str, Entities]())

    def evaluate(self, path: str, ref: str) -> Entities:
        """All things that ``ref`` may mean in the file ``path``; empty if any of it is unknown."""
        if ref[:1] == "?":
            return UNKNOWN
        memo = self._memo.get(path)
        if memo is None:
            memo = self._memo[path] = {}
        found = memo.get(ref)
        if found is None:
            memo[ref] = UNDER_WAY
            vague, self._vague = self._vague, False
            given = self._evaluate(path, ref)
            found = memo[ref] = Vague(given) if self._vague else given
            if self._vague or not found or SOMETHING in found:
                self._open.append((path, ref))
            self._vague = self._vague or vague
        elif found is UNDER_WAY:
            self.cut += 1
            return UNKNOWN
        elif type(found) is Vague:
            self._vague = True
        return found

    def all(self, path: str, refs: Iterable[str]) -> Entities:
        """The things that any of several refs may mean; `SOMETHING` is among them if one of the refs is not known."""
        given = tuple(refs)
        if len(given) == 1:  # nearly always, and what `evaluate` gives has been through `_some`
            return self.evaluate(path, given[0])
        found: dict[Entity, None] = {}
        for ref in given:
            found.update(dict.fromkeys(self.evaluate(path, ref) or ((SOMETHING,) if ref != NONE else ())))
        return _some(_usable(found))

    def forget_unknown(self) -> None:
        """Forget what was not known, or not all: more may be by now."""
        for path, ref in self._open:
            self._memo[path].pop(ref, None)
        self._open.clear()
        for key in self._open_members:
            self._members.pop(key, None)
        self._open_members.clear()

    def describe(self, names: frozenset[str]) -> None:
        """Take it that attributes of these names may be descriptors; what was found of members before may not hold."""
        self.described = names
        self._members.clear()

    def forget(self) -> None:
        """Forget every answer."""
        for answers in (self._memo, self._members, self._library):
            answers.clear()
        self.passed = None

    def function_ids(self, path: str, qualname: str) -> tuple[str, ...]:
        """Ids of all definitions of a qualified name in a file."""
        return self._functions_at.get((path, qualname), ())

    def class_id(self, path: str, qualname: str) -> str | None:
        """Id of the class of that qualified name in a file."""
        return self._classes_at.get((path, qualname))

    def owner(self, info: FunctionInfo) -> str | None:
        """Id of the class whose method a function is, None if it is none."""
        return self.class_id(info.path, info.fact.owner_class)

    # ------------------------------------------------------------------------------------------------------------ roots

    def _evaluate(self, path: str, ref: str) -> Entities:
        if not ref:
            return UNKNOWN
        if ref[0] == OF_MODULE:
            return self._module_name(path, ref[1:])
        # The longest prefix that was seen before saves most of the work: refs grow step by step.
        tail = _last_step(ref)
        before = ref[:tail] if tail is not None else ""
        if before and not before.endswith("<locals>"):
            step = ref[tail:]
            base = self.evaluate(path, before)
            if base:
                found = self._taken_on(base, step)
                return self._own_objects(path, before, base, found) if step == "()" else found
            if step[0] == "*":
                self._vague = True
                return (Entity("value", self.catalog.canonical(step[1:-1].removesuffix("?"))),)
            if before[0] != ".":
                return UNKNOWN
        if ref.startswith(":"):
            return self._own(path, ref)
        if ref.startswith("."):
            return self._relative(path, ref)
        root = ROOT.match(ref)
        if root is None:
            return UNKNOWN
        return self._steps(self._import(path, root.group()), ref[root.end() :])

    def _own_objects(self, path: str, called: str, methods: Entities, found: Entities) -> Entities:
        """The results of a call; of methods that give the object they are called of, that with its own class."""
        for method in (self.functions[each.name] for each in methods if each.kind == "method"):
            fact = method.fact
            owner = self.owner(method)
            if (
                owner is None
                or not fact.parameters
                or f":{fact.qualname}@{fact.parameters[0].name}" not in fact.results
            ):
                continue
            receivers = (each.name for each in self.evaluate(path, called.rpartition(".")[0]) if each.kind in OBJECTS)
            meant = [Entity("instance", name) for name in receivers if owner in self.order(name)]
            if meant:
                others = (each for each in found if each != Entity("instance", owner))
                found = _some(dict.fromkeys((*meant, *others)))
        return found

    def _own(self, path: str, ref: str) -> Entities:
        """Something of the same file; what stands inside a function is found by its qualified name."""
        end = len(ref) if "<" in ref else 0
        while end > 1:
            defined = self._defined(path, ref[1:end])
            if defined:
                return self._steps(defined, ref[end:])
            end = max(ref.rfind(step, 0, end) for step in (".", "@", "(", "[", "!", "%", "~"))
        return self._steps((Entity("module", path),), "." + ref[1:]) if len(ref) > 1 else (Entity("module", path),)

    def _import(self, path: str, name: str) -> Entities:
        found = self.modules.find(path, name)
        if found is not None and found != path:
            return (Entity("module", found),)
        if name in self.modules.packages:
            return (Entity("namespace", name),)
        outside = Entity("external", self.catalog.canonical(name))
        perhaps = self.modules.perhaps(path, name) if "." not in name and not self.catalog.covers(name) else None
        return (outside,) if perhaps is None or perhaps == path else (Entity("module", perhaps), outside)

    def _relative(self, path: str, ref: str) -> Entities:
        level = len(ref) - len(ref.lstrip("."))
        folder = self.modules.relative(path, level)
        rest = ref[level:]
        first = ROOT.match(rest)
        package = self.modules.at(folder, "")
        if first is None:
            return (Entity("module", package),) if package else UNKNOWN
        beside = self.modules.at(folder, first.group())
        if beside is not None:
            inside = self._module_attribute(package, first.group()) if package and package != path else UNKNOWN
            base = tuple(dict.fromkeys((Entity("module", beside), *inside)))
            return self._steps(base, rest[first.end() :])
        below = f"{folder}/{first.group()}" if folder else first.group()
        if package is None or below in self.modules.folders:
            return self._relative_to(path, below, rest[first.end() :].lstrip(".")) or self._of_package(package, rest)
        return self._of_package(package, rest)

    def _of_package(self, package: str | None, rest: str) -> Entities:
        return self._steps((Entity("module", package),), "." + rest) if package is not None else UNKNOWN

    def _relative_to(self, path: str, folder: str, rest: str) -> Entities:
        """A module in a folder that is a namespace package."""
        name = ROOT.match(rest)
        if name is None or folder not in self.modules.folders:
            return UNKNOWN
        module = self.modules.at(folder, name.group())
        if module is not None:
            return self._steps((Entity("module", module),), rest[name.end() :])
        return self._relative_to(path, f"{folder}/{name.group()}", rest[name.end() :].lstrip("."))

    # ------------------------------------------------------------------------------------------------------------ steps

    def _steps(self, entities: Entities, steps: str) -> Entities:
        for step in STEP.findall(steps):
            entities = self._taken_on(entities, step)
            if not entities:
                return UNKNOWN
        return entities

    def _taken_on(self, entities: Entities, step: str) -> Entities:
        """What one step leads to."""
        if len(entities) == 1:  # nearly always
            given = self._step(entities[0], step)
            return given if len(given) == 1 and given[0].kind != "unknown" else _some(dict.fromkeys(given))
        parts = (self._step(entity, step) or (SOMETHING,) for entity in entities)
        return _some(_usable(dict.fromkeys(found for part in parts for found in part)))

    def _step(self, entity: Entity, step: str) -> Entities:
        if entity.kind == "unknown":
            return (entity,)
        if step[0] == ".":
            return self.attribute(entity, step[1:])
        match step:
            case "()":
                return self.result(entity)
            case "!":
                return self._instance(entity)
            case "^":
                return (Entity("super", entity.name),) if entity.kind == "class" else UNKNOWN
            case "%":
                return self._entered(entity)
            case "~" | "=":
                return (entity,)
            case "&":
                return (Entity(entity.kind, entity.name + PARTLY),) if entity.kind == "external" else (entity,)
            case "[]" | "[:]" | "[0]" | "[1]":
                return self._element(entity, step)
            case _ if step[0] == "*":
                container = step[1:-1].removesuffix("?")
                return (many(self.catalog.canonical(container) + step[1 + len(container) : -1], entity),)
            case _:
                return self._parameter(entity, step[1:])

    def attribute(self, entity: Entity, name: str) -> Entities:
        """What ``entity.name`` may mean."""
        match entity.kind:
            case "module":
                return self._module_attribute(entity.name, name)
            case "namespace":
                return self._import("", f"{entity.name}.{name}")
            case "class" | "instance" | "super":
                return self._attribute_of_class(entity, name)
            case "many":
                container, inner = parted(entity)
                if name in YIELDING:
                    unsure = "?" if container.endswith("?") else ""
                    called = f"{container.removesuffix('?')}.{name}"
                    return (Entity("giving", f"{called}{unsure}|{inner.kind}:{inner.name}"),)
                return self.attribute(Entity("value", container.removesuffix("?")), name)
            case "external" | "value":
                return self._library_attribute(f"{entity.name}.{name}")
            case _:
                return UNKNOWN

    def _attribute_of_class(self, entity: Entity, name: str) -> Entities:
        key = (entity, name)
        found = self._members.get(key)
        if found is None:
            cut = self.cut
            vague, self._vague = self._vague, False
            if entity.kind == "super":
                found = self._above(entity.name, name)
            else:
                found = self._member(entity.name, self.order(entity.name), name, entity.kind == "instance")
            if cut == self.cut:
                self._members[key] = Vague(found) if self._vague else found
                if self._vague or not found or SOMETHING in found:
                    self._open_members.append(key)
            self._vague = self._vague or vague
        elif type(found) is Vague:
            self._vague = True
        return found

    def named_methods(self, made: Entity, names: Iterable[str]) -> Iterator[str]:
        """The methods of the project that an object has under some names, in their order."""
        for name in names:
            yield from (item.name for item in self.attribute(made, name) if item.kind == "method")

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
        below = (self.methods.get(each, {}).get(name, ()) for each in self._having(made.name, name))
        return tuple(each for found in below for each in self.serving(found, kind))

    def serving(self, functions: Iterable[str], kind: str) -> tuple[str, ...]:
        """Of the functions of a property those that read it, or those that write it."""
        own = (each for each in functions if self.functions[each].fact.kind == "property")
        return tuple(each for each in own if self._is_setter(each) == (kind == "write"))

    def _is_setter(self, function: str) -> bool:
        return any(ref.endswith((".setter", ".deleter")) for ref in self.functions[function].fact.decorators)

    def _library_attribute(self, name: str) -> Entities:
        found = self._library.get(name)
        if found is None:
            dotted = self.catalog.canonical(name)
            given = self.catalog.attribute_type(dotted) or self.catalog.attribute_type(f"{dotted.rpartition('.')[0]}.*")
            found = (Entity("value", given),) if given else (Entity("external", dotted),)
            found = UNKNOWN if given == ANYTHING else found
            perhaps = self.modules.tails.get(name)
            if perhaps is not None and not self.catalog.covers(name.partition(".")[0]):
                found = (Entity("module", perhaps), *found)
            self._library[name] = found
        return found

    def _module_attribute(self, path: str, name: str) -> Entities:
        return self.evaluate(path, OF_MODULE + name)

    def _module_name(self, path: str, name: str) -> Entities:
        summary = self.summaries.get(path)
        if summary is None:
            return UNKNOWN
        found: dict[Entity, None] = {}
        # A module of the package is meant by an import of its path, whatever else the package calls by that name.
        inside = self.modules.at(path.rpartition("/")[0], name) if path.endswith("__init__.py") else None
        if inside is not None:
            found[Entity("module", inside)] = None
        for ref in summary.bindings.get(name, ()):
            own = self._defined(path, name) if ref == f":{name}" else self.evaluate(path, ref)
            found.update(dict.fromkeys(own or ((SOMETHING,) if ref != NONE else ())))
        if name in summary.bindings:
            return _some(found)
        stars = summary.stars
        for star in stars:
            for base in self.evaluate(path, star):
                found.update(dict.fromkeys(self._starred(base, name)))
        if stars and name in BUILTINS and not any(entity.kind != "external" for entity in found):
            return (Entity("external", f"builtins.{name}"),)
        if not found and path.endswith("/__init__.py"):
            return self._below_package(path, _in_package(path, name), summary)
        return tuple(found)

    def _starred(self, base: Entity, name: str) -> Entities:
        """What ``from base import *`` binds to a name."""
        summary = self.summaries.get(base.name) if base.kind == "module" else None
        if name.startswith("_") and (summary is None or name not in (summary.exports or ())):
            return UNKNOWN
        nothing = Entity("external", _in_package(base.name, name))
        return tuple(given for given in self.attribute(base, name) if given != nothing)

    def _below_package(self, path: str, name: str, summary: Summary) -> Entities:
        """What a package has that it does not bind: a folder of modules without an ``__init__.py``. Nothing of the project
        else, if all its names can be seen."""
        if name in self.modules.packages:
            return (Entity("namespace", name),)
        calls = (target for function in summary.functions for call in function.calls for target in call.targets)
        hidden = summary.stars or self.function_ids(path, "__getattr__") or not NAMING.isdisjoint(calls)
        return UNKNOWN if hidden else (Entity("external", name),)

    def _defined(self, path: str, qualname: str) -> Entities:
        class_id = self.class_id(path, qualname)
        functions = tuple(Entity("function", item) for item in self.function_ids(path, qualname))
        return ((Entity("class", class_id),) if class_id else ()) + functions

    def _member(self, class_id: str, order: Sequence[str], name: str, bound: bool) -> Entities:
        private = _private(name) if name[0] == "_" else None
        for base in order:
            info = self.classes.get(base)
            if base == "builtins.object" and name not in OF_OBJECTS:
                continue
            if info is None:  # a class of a library
                inherited = self.attribute(Entity("value", base), name)
                if self.catalog.knows(self.catalog.canonical(f"{base}.{name}")):
                    return inherited
                continue
            functions = self.function_ids(info.path, f"{info.fact.qualname}.{name}")
            if private is not None and private[0] == base.rpartition(".")[2].lstrip("_"):
                functions = functions or self.function_ids(info.path, f"{info.fact.qualname}.{private[1]}")
            if functions:
                return self._bound(functions, bound)
            nested = self.class_id(info.path, f"{info.fact.qualname}.{name}")
            if nested is not None:
                return (Entity("class", nested),)
            if name in VALUE and self.is_enum(base):
                return self._values(base, info)
            if name in info.fact.attributes:
                stated = self._stated(f"{base}.{name}") or self.all(info.path, info.fact.attributes[name])
                if name in self.described:
                    stated = self._got(stated)
                return (Entity("instance", base),) if self._is_member(base, info.fact, name, stated) else stated
        external = [base for base in order if base not in self.classes and base != "builtins.object"]
        if "?" in external:
            return UNKNOWN
        if not external and bound and name not in OF_OBJECTS:
            return self._below(class_id, name) or (self._asked_for(class_id) if name[:2] != "__" else UNKNOWN)
        return tuple(Entity("external", f"{base}.{name}") for base in external[:1])

    def _above(self, class_id: str, name: str) -> Entities:
        """What ``super()`` of a class has: its bases, and what heirs put between it and them."""
        found = self._member(class_id, self.order(class_id)[1:], name, True)
        others = [own for each in self.beside.get(class_id, ()) for own in self.methods.get(each, {}).get(name, ())]
        if not others:
            return found
        known = found or all(each in self.classes or each == "builtins.object" for each in self.order(class_id))
        more = dict.fromkeys((*found, *self._bound(others, True), *(() if known else (SOMETHING,))))
        return _some(more)

    def _got(self, stated: Entities) -> Entities:
        """What attributes give that are descriptors, where they are read."""
        found: dict[Entity, None] = {}
        for entity in stated:
            getters = tuple(self.named_methods(entity, ("__get__",))) if entity.kind == "instance" else ()
            given = (self.result(Entity("method", getter)) or (SOMETHING,) for getter in getters)
            found |= dict.fromkeys(item for each in given for item in each) if getters else {entity: None}
        return _some(found)

    def _asked_for(self, class_id: str) -> Entities:
        """What an object gives for a name that its classes do not have: by ``__getattr__``, or since it was set by a name that
        is worked out."""
        found: dict[Entity, None] = {}
        for info in (self.classes[each] for each in self.order(class_id) if each in self.classes):
            found |= dict.fromkeys(self.all(info.path, info.fact.attributes.get(ANY, ())))
        methods = (self.methods.get(each, {}).get("__getattr__", ()) for each in self.order(class_id))
        asked = next(filter(None, methods), ())
        given = (each for method in asked for each in self.result(Entity("method", method)))
        # What a library gives by a name that is worked out may be anything, and tells nothing.
        found |= dict.fromkeys(each for each in given if each.kind not in ("external", "value", "unknown"))
        return _some(found | {SOMETHING: None} if found else found)

    def held(self, made: Entity, name: str) -> Entities:
        """What a class, or one that it inherits from, has under a name, as it stands there."""
        for base in self.order(made.name)[made.kind == "super" :]:
            info = self.classes.get(base)
            if info is not None and name in info.fact.attributes:
                return self.all(info.path, info.fact.attributes[name])
        return UNKNOWN

    def has(self, class_id: str, name: str) -> bool:
        """Whether objects of a class of the project have a name without being asked for it."""
        classes = ((each, self.classes.get(each)) for each in self.order(class_id))
        own = ((each, info) for each, info in classes if info is not None)
        return any(name in info.fact.attributes or name in self.methods.get(each, {}) for each, info in own)

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

    def _having(self, class_id: str, name: str) -> tuple[str, ...]:
        """The subclasses of a class that have a name of their own."""
        if not self.below.get(class_id):
            return ()
        found = self._owners.get((class_id, name))
        if found is None:
            if not self._by_name:
                for each, info in self.classes.items():
                    for own in {*self.methods.get(each, ()), *info.fact.attributes}:
                        self._by_name.setdefault(own, []).append(each)
            below = self.below[class_id]
            having = self._by_name.get(name, ())
            among = set(below) if len(having) > MOST else below
            found = self._owners[class_id, name] = tuple(each for each in having if each in among)
        return found

    def _below(self, class_id: str, name: str) -> Entities:
        """What an object has that only subclasses of its class have: a mixin counts on what it is mixed with."""
        found: dict[Entity, None] = {}
        for below in self._having(class_id, name):
            info = self.classes[below]
            own = self.methods.get(below, {}).get(name, ())
            if own:
                found |= dict.fromkeys(self._bound(own, True))
            elif name in info.fact.attributes:
                found |= dict.fromkeys(self.all(info.path, info.fact.attributes[name]) or (SOMETHING,))
        return _some(found)

    def is_enum(self, class_id: str) -> bool:
        """Whether a class is an enumeration: its instances are its members, and calling it gives one of them."""
        return not ENUMS.isdisjoint(self.order(class_id))

    def _is_member(self, class_id: str, fact: Class, name: str, stated: Entities) -> bool:
        """Whether an attribute of a class is one of the members of an enumeration: functions are its methods."""
        return (
            name in fact.assigned
            and not (name.startswith("_") and name.endswith("_"))
            and self.is_enum(class_id)
            and not any(entity.kind in ("function", "method") for entity in stated)
        )

    def _values(self, class_id: str, info: ClassInfo) -> Entities:
        """What the value of a member of an enumeration may be; one that makes its own members may give them any."""
        making = (self._member(class_id, self.order(class_id), name, True) for name in ("__new__", "__init__"))
        if any(entity.kind == "method" for found in making for entity in found):
            return UNKNOWN
        return self.all(
            info.path, (ref for name in info.fact.assigned for ref in info.fact.attributes.get(name, ("?",)))
        )

    def _bound(self, functions: Sequence[str], bound: bool) -> Entities:
        found: dict[Entity, None] = {}
        for item in functions:
            info = self.functions[item]
            if info.fact.kind == "property" and bound:
                found.update(dict.fromkeys(self.all(info.path, info.fact.results)))
            else:
                found[Entity("method", item)] = None
        return tuple(found)

    def result(self, entity: Entity) -> Entities:
        """What calling it may give."""
        match entity.kind:
            case "class":
                return self._made(entity.name)
            case "function" | "method":
                info = self.functions[entity.name]
                return (
                    self._stated(f"{entity.name}()") or self.all(info.path, info.fact.results) or self._overridden(info)
                )
            case "instance":
                called = self._member(entity.name, self.order(entity.name), "__call__", True)
                return tuple(given for item in called if item.kind == "method" for given in self.result(item))
            case "external":
                name = entity.name.removesuffix(PARTLY)
                if self.catalog.is_class(name):
                    return (Entity("value", name),)
                given = self.catalog.gives(name)
                return (Entity("value", given),) if given else (Entity("external", f"{name}()"),)
            case "giving":
                return self._taken(*parted(entity))
            case _:
                return UNKNOWN

    def _overridden(self, info: FunctionInfo) -> Entities:
        """What a method gives that is there to be overridden: what the others give."""
        owner = self.owner(info) if not info.fact.results else None
        last = info.fact.name
        found: dict[Entity, None] = {}
        for below in self.below.get(owner, ()) if owner is not None else ():
            for other in self.methods.get(below, {}).get(last, ()):
                fact = self.functions[other]
                found |= dict.fromkeys(
                    self.all(fact.path, fact.fact.results) or ((SOMETHING,) if fact.fact.results else ())
                )
        return _some(found)

    def _made(self, class_id: str) -> Entities:
        """What a class makes: objects of its own, unless its ``__new__`` gives none but others."""
        own = Entity("instance", class_id)
        makers = (self.methods.get(name, {}).get("__new__", ()) for name in self.order(class_id))
        found = dict.fromkeys(made for each in makers for maker in each for made in self._given(maker))
        others = [entity for entity in found if entity.kind == "instance" and entity != own]
        if others and len(others) == len(found) and not any(class_id in self.order(made.name) for made in others):
            return tuple(others)
        return (own, *others)

    def _given(self, function: str) -> Entities:
        """What a function gives, as far as that is known: with `SOMETHING` where it is not."""
        info = self.functions[function]
        return tuple(
            entity for ref in info.fact.results for entity in self.evaluate(info.path, ref) or (SOMETHING,)
        ) or (SOMETHING,)

    def _taken(self, called: str, inner: Entity) -> Entities:
        """What a method of a collection gives."""
        unsure = "?" if called.endswith("?") else ""
        match called.rpartition(".")[2].removesuffix("?"):
            case "values" | "copy":
                return (many(f"builtins.list{unsure}", inner),)
            case "items":
                return (many("builtins.list", many(PAIR, inner)),)
            case _:
                return (inner, SOMETHING) if unsure else (inner,)

    def _instance(self, entity: Entity) -> Entities:
        if entity.kind == "class":
            return (Entity("instance", entity.name),)
        return (Entity("value", self.catalog.canonical(entity.name)),) if entity.kind == "external" else UNKNOWN

    def _entered(self, entity: Entity) -> Entities:
        if entity.kind == "many":
            return self._element(entity, "[]")  # a generator function made a context manager by its decorator
        if entity.kind == "instance":
            order = self.order(entity.name)
            entered = self._member(entity.name, order, "__enter__", True) or self._member(
                entity.name, order, "__aenter__", True
            )
            given = tuple(item for method in entered if method.kind == "method" for item in self.result(method))
            return given or (entity,)
        if entity.kind == "value":
            given_name = self.catalog.gives(f"{entity.name}.__enter__")
            return (Entity("value", given_name),) if given_name else (entity,)
        return UNKNOWN

    def _element(self, entity: Entity, step: str) -> Entities:
        """What one gets by iteration, or by a subscript: of mappings that is no key."""
        if entity.kind == "many":
            container, inner = parted(entity)
            if container == PAIR and step in ("[0]", "[1]"):
                return (inner if step == "[1]" else SOMETHING,)
            unsure = container.endswith("?") or (container in KEYED and step == "[]")
            return (inner, SOMETHING) if unsure else (inner,)
        if entity.kind == "class":  # of a generic class it is the class, for these elements
            return (Entity("instance", entity.name) if self.is_enum(entity.name) else entity,)
        if entity.kind == "instance":
            return self._asked(entity)
        if entity.kind == "external" and is_of_its_own(entity.name):
            return (Entity("external", f"{entity.name}[]"),)
        if entity.kind != "value":
            return UNKNOWN
        given = self.catalog.gives(f"{entity.name}.__getitem__") or self.catalog.gives(f"{entity.name}.__iter__")
        return (Entity("value", given),) if given else UNKNOWN

    def _asked(self, entity: Entity) -> Entities:
        """What an object of the project gives to who iterates over it, or asks for an element."""
        found: dict[Entity, None] = {}
        for method in self.named_methods(entity, ("__iter__", "__getitem__")):
            for given in self.result(Entity("method", method)) or (SOMETHING,):
                if method.endswith("__getitem__"):
                    found[given] = None
                elif given.kind == "instance":
                    steps = self.named_methods(given, ("__next__",))
                    found |= dict.fromkeys(
                        each for step in steps for each in self.result(Entity("method", step)) or (SOMETHING,)
                    )
                else:
                    found |= dict.fromkeys(self._element(given, "[]") or (SOMETHING,))
        return _some(found)

    def _parameter(self, entity: Entity, name: str) -> Entities:
        if entity.kind not in ("function", "method"):
            return UNKNOWN
        info = self.functions[entity.name]
        owner = self.owner(info) if info.fact.kind in OF_OBJECT else None
        if owner is not None and info.fact.parameters[:1] and info.fact.parameters[0].name == name:
            return (Entity("instance", owner),)
        for parameter in info.fact.parameters:
            if parameter.name == name:
                stated = self._stated(f"{entity.name}({name})") or self._typed(info.path, parameter)
                return stated or self._passed(entity.name, name) or self._default(info, parameter)
        return UNKNOWN

    def _passed(self, function: str, name: str) -> Entities:
        return self.passed.to(function, name) if self.passed is not None else UNKNOWN

    def _typed(self, path: str, parameter: Parameter) -> Entities:
        """What a parameter is by its annotation."""
        return self.all(path, filter(None, parameter.type.split("|"))) if parameter.type else UNKNOWN

    def _default(self, info: FunctionInfo, parameter: Parameter) -> Entities:
        """What a parameter without annotation is by its default, or by a fixture: or something else."""
        path = info.path
        if not parameter.default:
            return self._of_fixture(info, parameter.name)
        default = self.evaluate(path, parameter.default)
        plain = all(entity.kind == "value" and entity.name.startswith("builtins.") for entity in default)
        return self._of_fixture(info, parameter.name) if plain else (*default, SOMETHING)

    def _of_fixture(self, info: FunctionInfo, name: str) -> Entities:
        """What pytest gives a test for a parameter."""
        found: dict[Entity, None] = {}
        places = self.fixtures.get(name, ())

        def bound(path: str) -> Iterator[str]:
            return (each.name for each in self._module_attribute(path, name) if each.kind == "function")

        for fixture in nearest(places, info.path, self.functions, bound) if places and asks(info) else ():
            given = self.result(Entity("function", fixture))
            if self.functions[fixture].fact.is_generator:  # of one that is said to give an object, it is what it yields
                objects = (entity for entity in given if entity.kind == "instance")
                given = tuple(item for entity in given for item in self._element(entity, "[]")) or tuple(objects)
            found |= dict.fromkeys(given or (SOMETHING,))
        return _some(found)

    def _stated(self, value: str) -> Entities:
        """The type that a user's row gives to an attribute, a result or a parameter."""
        given = self.catalog.attribute_type(value)
        if not given:
            return UNKNOWN
        path, _, qualname = self._split(given)
        if path is not None:
            class_id = self.class_id(path, qualname)
            if class_id is not None:
                return (Entity("instance", class_id),)
        return (Entity("value", given),)

    def _split(self, dotted: str) -> tuple[str | None, str, str]:
        parts = dotted.split(".")
        for index in range(len(parts) - 1, 0, -1):
            path = self.modules.by_name.get(".".join(parts[:index]))
            if path is not None:
                return path, ".".join(parts[:index]), ".".join(parts[index:])
        return None, "", dotted

    # ------------------------------------------------------------------------------------------------------- inheritance

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


def _some(found: Mapping[Entity, None]) -> Entities:
    """The things found; if nothing definite is among them, or too much, they are unknown."""
    if not any(entity.kind != "unknown" for entity in found):
        return UNKNOWN
    if len(found) > MOST and sum(not _is_given(entity) for entity in found) > MOST:
        return UNKNOWN
    return tuple(found)


def _in_package(path: str, name: str) -> str:
    """The dotted name of what a package has, by the path of its ``__init__.py``."""
    return f"{path.rpartition('/')[0].replace('/', '.')}.{name}"


def _usable(found: dict[Entity, None]) -> dict[Entity, None]:
    """Of several things those that may be meant: not the attribute of a builtin that has none of that name."""
    if len(found) > 1:
        left = {entity: None for entity in found if not _is_error(entity.name)}
        return left or found
    return found


def _is_error(dotted: str) -> bool:
    """Whether asking for an attribute would raise: ``builtins.None.get``."""
    root, _, rest = dotted.partition(".")
    owner, _, name = rest.partition(".")
    if root != "builtins" or not name.isidentifier():
        return False
    if owner == "None":
        return name not in dir(None)
    kind: object = vars(builtins).get(owner)
    return isinstance(kind, type) and not issubclass(kind, BaseException) and name not in dir(cast(object, kind))


def _is_given(entity: Entity) -> bool:
    """Whether it is a function that callers give, or a collection of them: of these there may be many."""
    return entity.kind in GIVEN or (entity.kind in ("many", "giving") and parted(entity)[1].kind in GIVEN)


def _private(name: str) -> tuple[str, str] | None:
    """The class and the name that a private name stands for outside of its class."""
    found = MANGLED.fullmatch(name)
    return (found[1], found[2]) if found is not None else None


def _last_step(ref: str) -> int | None:
    """Offset of the last step of a ref, None if it has none after its root."""
    dot = ref.rfind(".")
    if dot > 0 and ref[dot + 1 :].isidentifier():  # nearly always
        return None if ref[dot - 1] == "." else dot
    end = len(ref)
    if ref[-1] in "!^%~&=":
        return end - 1
    if ref.endswith("()"):
        return end - 2
    if ref[-1] == "]":
        return ref.rindex("[")
    if ref[-1] == ";":
        return ref.rindex("*")
    at = ref.rfind("@")
    cut = max(at, dot)
    if cut > 0 and ref[cut + 1 :].isidentifier():
        return None if ref[cut - 1] == "." else cut
    bracket = max(ref.rfind(")"), ref.rfind("]"), ref.rfind("!"), ref.rfind("%"), ref.rfind(";"), ref.rfind("="))
    if cut <= 0 or cut < bracket or ref[cut:].startswith(".<") or ref[cut - 1] == ".":
        return None
    return cut
