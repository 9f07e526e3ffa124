"""Decorators of the project that put a wrapper in the place of a function, which calls it.

Understood is a decorator that gives back one function of its own, and does nothing else with the function that it is given
than to have its name copied and to call it in that wrapper. It may take arguments: then it is given back by a call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from asyncfix.facts.scopes import bare
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Call, Function

# They copy what describes a function, or look at it.
COPYING = frozenset({"functools.wraps", "functools.update_wrapper", "inspect.signature", "inspect.getdoc"})
DESCRIBING = (".__doc__", ".__name__", ".__qualname__", ".__module__", ".__wrapped__", ".__signature__")
ASKING = frozenset({"inspect.iscoroutinefunction", "asyncio.iscoroutinefunction"})
"""Calls that ask what kind of function one is given."""


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What a decorator makes of all functions that it decorates.

    decorator  the function that is given the function; wrapper: the one that it gives back
    calls      the calls in the wrapper of what was decorated; decorated: the functions of the project
    """

    decorator: str
    wrapper: str
    calls: tuple[Call, ...]
    decorated: tuple[str, ...]


class Wrappings:
    """The decorators of a project; worked out when first asked for."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index
        self._decorated: Mapping[str, tuple[str, ...]] | None = None
        self._vague: set[str] = set()
        """The last names of decorators that are not known."""
        self._known: dict[str, Wrapping | None] = {}

    def of(self, path: str, decorator: str) -> Wrapping | None:
        """What a decorator of the project does, None if it is none that is understood."""
        names = [entity.name for entity in self.index.evaluator.evaluate(path, decorator) if entity.kind == "function"]
        return self._read(names[0]) if len(names) == 1 else None

    def around(self, wrapper: str) -> Wrapping | None:
        """The decorator that gives back this function in place of others, None if none that is understood does."""
        fact = self.index.fact(wrapper)
        outer = self.index.evaluator.function_ids(self.index.path(wrapper), fact.outer) if fact.outer else ()
        found = self._read(outer[0]) if len(outer) == 1 else None
        return found if found is not None and found.wrapper == wrapper else None

    def makers(self, wrapping: Wrapping) -> tuple[str, ...]:
        """The function that gives back a decorator, if one does."""
        fact = self.index.fact(wrapping.decorator)
        return self.index.evaluator.function_ids(self.index.path(wrapping.decorator), fact.outer) if fact.outer else ()

    def versions(self, path: str, decorator: str) -> tuple[str, ...]:
        """The wrappers of a decorator that asks whether a function is a coroutine function, and has one for either kind."""
        names = [entity.name for entity in self.index.evaluator.evaluate(path, decorator) if entity.kind == "function"]
        if len(names) != 1 or not self.index.fact(names[0]).parameters:
            return ()
        fact, home = self.index.fact(names[0]), self.index.path(names[0])
        root = f":{fact.qualname}@{fact.parameters[0].name}"
        asks = any(
            call.targets[0] in ASKING and bare(call.arguments[0].ref) == root for call in fact.calls if call.arguments
        )
        given = [entity for ref in fact.results for entity in self.index.evaluator.evaluate(home, ref)]
        inner = [entity.name for entity in given if entity.kind == "function"]
        either = asks and len(inner) == len(fact.results) and any(self.index.fact(name).is_async for name in inner)
        return tuple(inner) if either else ()

    def gives_back(self, path: str, decorator: str) -> bool:
        """Whether a decorator of the project gives back the function that it is given, of which it only sets attributes."""
        names = [entity.name for entity in self.index.evaluator.evaluate(path, decorator) if entity.kind == "function"]
        if len(names) != 1 or not self.index.fact(names[0]).parameters:
            return False
        fact = self.index.fact(names[0])
        root = f":{fact.qualname}@{fact.parameters[0].name}"
        written = [access.ref for access in fact.accesses if access.kind in ("write", "change")]
        own = all(ref.startswith(f"{root}.") for ref in written)
        return (
            own
            and tuple(map(bare, fact.results)) == (root,)
            and self._keeps_to_itself(self.index.path(names[0]), fact, None, root)
        )

    def is_own(self, path: str, decorator: str) -> bool:
        """Whether a decorator is a function or a class of the project, understood or not."""
        entities = self.index.evaluator.evaluate(path, decorator.removesuffix("()"))
        return any(entity.kind in ("function", "method", "class") for entity in entities)

    def _read(self, decorator: str) -> Wrapping | None:
        if decorator not in self._known:
            self._known[decorator] = self._find(decorator)
        return self._known[decorator]

    def _find(self, decorator: str) -> Wrapping | None:
        path, fact = self.index.path(decorator), self.index.fact(decorator)
        given = [entity for ref in fact.results for entity in self.index.evaluator.evaluate(path, ref)]
        one = len(fact.results) == 1 and len(given) == 1 and given[0].kind == "function"
        wrapper = given[0].name if one else ""
        if not wrapper or self.index.path(wrapper) != path or not fact.parameters or fact.is_async:
            return None
        inner = self.index.fact(wrapper)
        root = f":{fact.qualname}@{fact.parameters[0].name}"
        plain = inner.outer == fact.qualname and not (inner.is_async or inner.is_generator or fact.is_generator)
        calls = tuple(call for call in inner.calls if tuple(map(bare, call.targets)) == (root,))
        written = (access.ref for access in fact.accesses if access.kind in ("write", "change"))
        if (
            not plain
            or not calls
            or any(not ref.endswith(DESCRIBING) and not ref.startswith(f":{inner.qualname}.") for ref in written)
            or not self._keeps_to_itself(path, fact, inner, root)
            or not self._decorates(decorator)
        ):
            return None
        decorated = self._all().get(decorator, ())
        known = all(name in self.index.functions for name in decorated)
        return Wrapping(decorator, wrapper, calls, decorated) if known else None

    def _keeps_to_itself(self, path: str, fact: Function, wrapper: Function | None, root: str) -> bool:
        """Whether nothing but the wrapper, if there is one, calls the function that a decorator is given, and nobody else
        gets it."""
        for other in self.index.summaries[path].functions:
            if not other.qualname.startswith(fact.qualname):
                continue
            for call in other.calls:
                named = any(target in COPYING for target in call.targets)
                if not named and any(bare(argument.ref) == root for argument in call.arguments):
                    return False
                if root in map(bare, call.targets) and (wrapper is None or other != wrapper or len(call.targets) > 1):
                    return False
            if any(bare(access.ref) == root for access in other.accesses):
                return False
        return True

    def _decorates(self, decorator: str) -> bool:
        """Whether a function is used as a decorator only: all that it is ever given is known then."""
        index = self.index
        used = (edge for edge in index.callers.get(decorator, ()) if edge.kind != "decorator")
        path, fact = index.path(decorator), index.fact(decorator)
        maker = index.evaluator.function_ids(path, fact.outer) if fact.outer else ()
        passed = (place for place in index.passed.get(decorator, ()) if place.owner not in maker)
        self._all()
        perhaps = (not fact.outer and fact.qualname in index.by_name) or fact.qualname.split(".")[0] in self._vague
        return not (any(used) or any(passed) or perhaps or decorator in index.rebound or fact.owner_class)

    def _all(self) -> Mapping[str, tuple[str, ...]]:
        """The functions, and classes, that each function of the project decorates."""
        if self._decorated is None:
            found: dict[str, dict[str, None]] = {}
            for name, by in self._decorators():
                found.setdefault(by, {})[name] = None
            self._decorated = {by: tuple(names) for by, names in found.items()}
        return self._decorated

    def _decorators(self) -> Iterator[tuple[str, str]]:
        functions = ((name, info.path, info.fact.decorators) for name, info in self.index.functions.items())
        classes = ((name, info.path, info.fact.decorators) for name, info in self.index.classes.items())
        for name, path, decorators in chain(functions, classes):
            for decorator in decorators:
                meant = self.index.evaluator.evaluate(path, decorator)
                if not meant:
                    self._vague.add(decorator.removesuffix("()").rpartition(".")[2].lstrip(":?"))
                for entity in meant:
                    if entity.kind == "function":
                        yield name, entity.name
