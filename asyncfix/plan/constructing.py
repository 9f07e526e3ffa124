"""What is not known of how objects are made: by what decorates their class, and by what makes the defaults of its fields."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.catalog import PARTLY
from asyncfix.effects.keys import pretty
from asyncfix.effects.touch import Where
from asyncfix.facts.scopes import bare
from asyncfix.link.entities import ClassInfo, Entity
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Argument, Call
from asyncfix.plan.clocks import reads_clock

FACTORIES = frozenset({"default_factory", "factory"})
BUILT_IN = frozenset(
    f"builtins.{name}" for name in ("list", "dict", "set", "frozenset", "tuple", "str", "bytes", "object")
)
QUIET = frozenset({"functools.total_ordering", "enum.unique", "enum.verify()", "attr.s", "attr.s()", "attr.attrs"}) | {
    f"{name}{called}"
    for name in (
        *(f"{package}.{name}" for package in ("attr", "attrs") for name in ("define", "frozen", "mutable")),
        *("dataclasses.dataclass", "pydantic.dataclasses.dataclass", "dataclasses_json.dataclass_json"),
    )
    for called in ("", "()")
}
QUIET_MODULES = ("typing.", "typing_extensions.", "warnings.deprecated")
"""Decorators of classes that put nothing in their place, and make them do nothing that others see."""


class Constructing:
    """What making objects of the classes of a project may run besides their methods."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index
        self._found: dict[str, str] = {}

    def by(self, function: str) -> Iterator[str]:
        """Why it is not known what some code runs to make its objects: the sentences."""
        path = self.index.path(function)
        for call in self.index.fact(function).calls:
            for entity in self.index.evaluator.all(path, call.targets):
                for name in self.index.evaluator.order(entity.name) if entity.kind == "class" else ():
                    found = self._of(name)
                    if found:
                        yield found

    def _of(self, class_id: str) -> str:
        """The sentence on one class, '' if all is known."""
        found = self._found.get(class_id)
        if found is None:
            info = self.index.classes.get(class_id)
            found = self._found[class_id] = next(self._look(class_id, info), "") if info is not None else ""
        return found

    def _look(self, class_id: str, info: ClassInfo) -> Iterator[str]:
        where = Where(info.path, info.fact.line)
        for decorator in info.fact.decorators:
            if not self._leaves(info.path, decorator):
                yield f"what {pretty(decorator)} makes of {class_id} is not known ({where})"
        body = self.index.functions.get(class_id)
        for call in body.fact.calls if body is not None else ():
            for argument in call.arguments:
                if argument.keyword in FACTORIES and not self._is_told(info.path, argument, call):
                    yield f"what makes the fields of {class_id} is not known ({Where(info.path, call.line)})"

    def _leaves(self, path: str, decorator: str) -> bool:
        """Whether a decorator leaves a class what it is."""
        called = "()" if decorator.endswith("()") else ""
        entities = self.index.evaluator.evaluate(path, decorator.removesuffix("()"))
        return bool(entities) and all(self._is_quiet(entity, called) for entity in entities)

    def _is_quiet(self, entity: Entity, called: str) -> bool:
        if entity.kind in ("function", "method"):
            return self._gives_back(entity.name, called)
        return entity.kind == "external" and (
            f"{entity.name}{called}" in QUIET or entity.name.startswith(QUIET_MODULES)
        )

    def _gives_back(self, function: str, called: str) -> bool:
        """Whether a function of the project, or (``called``) the one that it gives, gives back what it is given."""
        path, fact = self.index.path(function), self.index.fact(function)
        if called:
            given = [entity for ref in fact.results for entity in self.index.evaluator.evaluate(path, ref)]
            return bool(given) and all(each.kind == "function" and self._gives_back(each.name, "") for each in given)
        own = {f":{fact.qualname}@{each.name}" for each in fact.parameters[:2]}
        return bool(fact.results) and all(bare(ref) in own for ref in fact.results)

    def _is_told(self, path: str, argument: Argument, call: Call) -> bool:
        """Whether it is known what a field's default is made by, and that this only makes something new."""
        entities = self.index.evaluator.all(path, argument.refs or (argument.ref,)) if argument.ref else ()
        return bool(entities) and all(self._only_makes(entity, call) for entity in entities)

    def _only_makes(self, entity: Entity, call: Call) -> bool:
        if entity.kind in ("function", "method", "class"):
            return True  # these have edges of their own
        name, catalog = entity.name.removesuffix(PARTLY), self.index.catalog
        if entity.kind != "external" or reads_clock(name, call):
            return False
        row = catalog.harmless(name)
        made = name in BUILT_IN or catalog.is_class(name)
        return made or (name == entity.name and row is not None and row.writes == ())
