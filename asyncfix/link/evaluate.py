"""What a ref means in the whole project: functions, classes, instances, or things of libraries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asyncfix.catalog import PARTLY, Catalog
from asyncfix.facts.scopes import BUILTINS, NAMED, NONE, bare
from asyncfix.link import filling, members, parameters, results, shown
from asyncfix.link.entities import (
    OBJECTS,
    SOMETHING,
    UNDER_WAY,
    UNKNOWN,
    Entities,
    Entity,
    Vague,
    many,
    parted,
    some,
    usable,
)
from asyncfix.link.hierarchy import Hierarchy
from asyncfix.link.modules import Modules
from asyncfix.link.steps import ROOT, STEP, last_step
from asyncfix.model import Summary

if TYPE_CHECKING:
    from asyncfix.link.passing import Passed

NAMING = frozenset(
    {"builtins.globals", "builtins.setattr", "builtins.vars", "builtins.exec"}
)  # by which names are bound
OF_MODULE = "="  # before a name: the attribute of the module itself, whatever a ref to it says
CLASS = "__class__"
MOST_DEEP = 70  # real code asks for up to 50; each costs Python up to a dozen of its 1,000 frames
ANYTHING = "?"  # of an attribute in which programs keep objects of their own
YIELDING = frozenset({"pop", "popleft", "get", "setdefault", "values", "items", "copy", "__next__", "__anext__"})


@dataclass(slots=True)
class Evaluator(Hierarchy):
    """Evaluates refs over all summaries. Answers are remembered; what depends on itself is unknown."""

    summaries: Mapping[str, Summary]
    modules: Modules
    catalog: Catalog
    fixtures: Mapping[str, tuple[str, ...]]
    filled: filling.Places
    """Where something is put into attributes from outside."""
    passed: Passed | None = field(default=None, init=False)
    """What callers give for parameters, once they are known."""
    feigned: frozenset[str] | None = field(default=None, init=False)
    """Classes that may pass for what they are not, once somebody has asked: see `shown`."""
    described: frozenset[str] = field(default=frozenset(), init=False)
    """Names of attributes that may be descriptors."""
    called_parameters: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: dict[str, tuple[str, ...]](), init=False
    )
    """Positions and names of the parameters that a function calls, as far as somebody has asked: see `callbacks`."""
    cut: int = field(default=0, init=False)
    """How often an answer was cut short because it depends on itself, or on too many others: what was found meanwhile holds
    there only."""
    _memo: defaultdict[str, dict[str, Entities]] = field(
        default_factory=lambda: defaultdict[str, dict[str, Entities]](dict), init=False
    )
    """By path and ref."""
    _members: dict[tuple[Entity, str], Entities] = field(
        default_factory=lambda: dict[tuple[Entity, str], Entities](), init=False
    )
    """Attributes of the project's classes and objects, which refs of many functions ask for."""
    _open: list[tuple[str, str]] = field(default_factory=lambda: list[tuple[str, str]](), init=False)
    """Those of which not all is known."""
    _open_members: list[tuple[Entity, str]] = field(default_factory=lambda: list[tuple[Entity, str]](), init=False)
    _vague: bool = False
    """Whether what is being worked out depends on a collection whose elements are not known: they may be, later."""
    _depth: int = 0
    """How many refs are being worked out, each for the sake of the one before."""
    _library: dict[str, Entities] = field(default_factory=lambda: dict[str, Entities](), init=False)

    def evaluate(self, path: str, ref: str) -> Entities:
        """All things that ``ref`` may mean in the file ``path``; empty if any of it is unknown."""
        if ref[:1] == "?":
            return UNKNOWN
        memo = self._memo[path]
        found = memo.get(ref)
        if found is None:
            if self.gives_up(0):
                return UNKNOWN
            memo[ref] = UNDER_WAY
            self._depth += 1
            vague, self._vague = self._vague, False
            given = self._evaluate(path, ref)
            self._depth -= 1
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

    def gives_up(self, ahead: int) -> bool:
        """Whether no more than ``ahead`` more refs could be worked out, each for the sake of the one before: the answer is cut
        short then. Asked for by itself, it may well be known."""
        if MOST_DEEP - self._depth > ahead:
            return False
        self.cut += 1
        self._vague = True
        return True

    def all(self, path: str, refs: Iterable[str]) -> Entities:
        """The things that any of several refs may mean; `SOMETHING` is among them if one of the refs is not known."""
        given = tuple(refs)
        if len(given) == 1:  # nearly always, and what `evaluate` gives has been through `_some`
            return self.evaluate(path, given[0])
        found: dict[Entity, None] = {}
        for ref in given:
            found.update(dict.fromkeys(self.evaluate(path, ref) or ((SOMETHING,) if ref != NONE else ())))
        return some(usable(found))

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

    def note_vague(self) -> None:
        """What is being worked out may be known better later."""
        self._vague = True

    def forget(self) -> None:
        """Forget every answer."""
        for answers in (self._memo, self._members, self._library):
            answers.clear()
        self.passed = None

    def _evaluate(self, path: str, ref: str) -> Entities:
        if not ref:
            return UNKNOWN
        if ref[0] == OF_MODULE:
            return self._module_name(path, ref[1:])
        # The longest prefix that was seen before saves most of the work: refs grow step by step.
        tail = last_step(ref)
        before = ref[:tail] if tail is not None else ""
        if before and not before.endswith("<locals>"):
            step = ref[tail:]
            listed = self._listed(path, before, step) if step[:2] == "['" else UNKNOWN
            if listed:
                return listed
            base = self.evaluate(path, before)
            if step[0] == "$":
                self._vague = self._vague or not base
                return shown.narrower(self, path, base, step)
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
        return self.follow(self._import(path, root.group()), ref[root.end() :])

    def _own_objects(self, path: str, called: str, methods: Entities, found: Entities) -> Entities:
        """The results of a call; of methods that give the object they are called of, that with its own class."""
        for method in (self.functions[each.name] for each in methods if each.kind == "method"):
            fact = method.fact
            owner = self.owner(method)
            if (
                owner is None
                or not fact.parameters
                or f":{fact.qualname}@{fact.parameters[0].name}" not in map(bare, fact.results)
            ):
                continue
            receivers = (each.name for each in self.evaluate(path, called.rpartition(".")[0]) if each.kind in OBJECTS)
            meant = [Entity("instance", name) for name in receivers if owner in self.order(name)]
            if meant:
                others = (each for each in found if each != Entity("instance", owner))
                found = some(dict.fromkeys((*meant, *others)))
        return found

    def _own(self, path: str, ref: str) -> Entities:
        """Something of the same file; what stands inside a function is found by its qualified name."""
        end = len(ref) if "<" in ref else 0
        while end > 1:
            defined = self._defined(path, ref[1:end])
            if defined:
                return self.follow(defined, ref[end:])
            end = max(ref.rfind(step, 0, end) for step in (".", "@", "(", "[", "!", "%", "~"))
        return self.follow((Entity("module", path),), "." + ref[1:]) if len(ref) > 1 else (Entity("module", path),)

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
            return self.follow(base, rest[first.end() :])
        below = f"{folder}/{first.group()}" if folder else first.group()
        if package is None or below in self.modules.folders:
            return self._relative_to(path, below, rest[first.end() :].lstrip(".")) or self._of_package(package, rest)
        return self._of_package(package, rest)

    def _of_package(self, package: str | None, rest: str) -> Entities:
        return self.follow((Entity("module", package),), "." + rest) if package is not None else UNKNOWN

    def _relative_to(self, path: str, folder: str, rest: str) -> Entities:
        """A module in a folder that is a namespace package."""
        name = ROOT.match(rest)
        if name is None or folder not in self.modules.folders:
            return UNKNOWN
        module = self.modules.at(folder, name.group())
        if module is not None:
            return self.follow((Entity("module", module),), rest[name.end() :])
        return self._relative_to(path, f"{folder}/{name.group()}", rest[name.end() :].lstrip("."))

    def follow(self, entities: Entities, steps: str) -> Entities:
        """What some steps lead to."""
        for step in STEP.findall(steps):
            entities = self._taken_on(entities, step)
            if not entities:
                return UNKNOWN
        return entities

    def _taken_on(self, entities: Entities, step: str) -> Entities:
        """What one step leads to."""
        if len(entities) == 1:  # nearly always
            given = self._step(entities[0], step)
            return given if len(given) == 1 and given[0].kind != "unknown" else some(dict.fromkeys(given))
        parts = (self._step(entity, step) or (SOMETHING,) for entity in entities)
        return some(usable(dict.fromkeys(found for part in parts for found in part)))

    def _step(self, entity: Entity, step: str) -> Entities:
        if entity.kind == "unknown":
            return (entity,)
        if step[0] == ".":
            return self.attribute(entity, step[1:]) if step[1] != "<" else results.like(entity, step)
        match step:
            case "()":
                return self.result(entity)
            case "!":
                return results.instance(self, entity)
            case "^":
                return (Entity("super", entity.name),) if entity.kind == "class" else UNKNOWN
            case "%":
                return results.entered(self, entity)
            case "~" | "=":
                return (entity,)
            case "&":
                return (Entity(entity.kind, entity.name + PARTLY),) if entity.kind == "external" else (entity,)
            case "[]" | "[:]" | "[0]" | "[1]":
                return results.element(self, entity, step)
            case _ if step[0] == "[":
                return results.element(self, entity, "[:]")
            case _ if step[0] == "*":
                container = step[1:-1].removesuffix("?")
                return (many(self.catalog.canonical(container) + step[1 + len(container) : -1], entity),)
            case _:
                return parameters.parameter(self, entity, step[1:])

    def attribute(self, entity: Entity, name: str) -> Entities:
        """What ``entity.name`` may mean."""
        match entity.kind:
            case "module":
                return self._module_attribute(entity.name, name)
            case "namespace":
                return self._import("", f"{entity.name}.{name}")
            case "instance" if name == CLASS and not self.has(entity.name, CLASS):
                return (Entity("class", entity.name),)
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
                found = members.above(self, entity.name, name)
            else:
                found = members.member(self, entity.name, self.order(entity.name), name, entity.kind == "instance")
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

    def _library_attribute(self, name: str) -> Entities:
        found = self._library.get(name)
        if found is None:
            dotted = self.catalog.canonical(name)
            given = self.catalog.attribute_type(dotted)
            if not given and not self.catalog.has_row(dotted):  # what has a row of its own is none of "all others"
                given = self.catalog.attribute_type(f"{dotted.rpartition('.')[0]}.*")
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
            return some(found)
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

    def _listed(self, path: str, mapping: str, key: str, through: frozenset[tuple[str, str]] = frozenset()) -> Entities:
        """What a mapping of a module has under a key, as it was made: it may be changed.

        ``through``: the names that were followed, with their files: modules may import one name from each other.
        """
        if (path, mapping) in through:
            return UNKNOWN
        holder, _, name = mapping.rpartition(".") if "." in mapping else (":", "", mapping.lstrip(":"))
        for entity in self.evaluate(path, holder) if holder.strip(".") else ():
            summary = self.summaries.get(entity.name) if entity.kind == "module" else None
            for ref in summary.listed.get(f"{name}{key}", ()) if summary is not None else ():
                return (*self.evaluate(entity.name, ref), SOMETHING)
            again = summary.bindings.get(name, ()) if summary is not None else ()
            if len(again) == 1 and again[0] != f":{name}" and NAMED.fullmatch(again[0]):
                return self._listed(entity.name, again[0], key, through | {(path, mapping)})
        return UNKNOWN

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

    def result(self, entity: Entity) -> Entities:
        """What calling it may give."""
        return results.result(self, entity)

    def element(self, entity: Entity) -> Entities:
        """What going through it gives."""
        return results.element(self, entity, "[]")


def _in_package(path: str, name: str) -> str:
    """The dotted name of what a package has, by the path of its ``__init__.py``."""
    return f"{path.rpartition('/')[0].replace('/', '.')}.{name}"
