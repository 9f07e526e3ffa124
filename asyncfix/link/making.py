"""What Python runs where a class is defined, and where one is called: metaclasses, and the hooks of bases and attributes."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.link.entities import Entity
from asyncfix.link.evaluate import Evaluator

DEFINING = ("__prepare__", "__new__", "__init__")
SUBCLASSED = ("__init_subclass__",)
NAMED = ("__set_name__",)
CALLED = ("__call__",)
NEW = "__new__"
HOOKS = frozenset((*DEFINING[:1], *SUBCLASSED, *NAMED))


class Making:
    """What is run for the classes of a project. Most have no metaclass of it: who asks for those pays nothing."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._hooked = any(not HOOKS.isdisjoint(methods) for methods in evaluator.methods.values())
        self._made = {name: info for name, info in evaluator.classes.items() if info.fact.made_by}
        self._known: dict[str, bool] = {}

    def defining(self, class_id: str) -> Iterator[str]:
        """The methods that are run when a class is defined."""
        for maker in self.makers(class_id):
            yield from self.evaluator.named_methods(maker, DEFINING)
        if not self._hooked:
            return
        yield from self.evaluator.named_methods(Entity("super", class_id), SUBCLASSED)
        info = self.evaluator.classes[class_id]
        for name in info.fact.assigned:
            refs = info.fact.attributes.get(name, ())
            for entity in self.evaluator.all(info.path, refs) if any(ref.endswith("()") for ref in refs) else ():
                if entity.kind == "instance":
                    yield from self.evaluator.named_methods(entity, NAMED)

    def calling(self, class_id: str) -> Iterator[str]:
        """The methods of its metaclass that are run when a class is called."""
        for maker in self.makers(class_id):
            yield from self.evaluator.named_methods(maker, CALLED)

    def makes_others(self, class_id: str) -> bool:
        """Whether calling a class may make an object of one below it, since its ``__new__`` chooses."""
        if class_id not in self._known:
            methods = (self.evaluator.methods.get(name, {}).get(NEW, ()) for name in self.evaluator.order(class_id))
            self._known[class_id] = any(self._chooses(each) for found in methods for each in found)
        return self._known[class_id]

    def _chooses(self, function: str) -> bool:
        """Whether a ``__new__`` makes something that is not of the class which it is given."""
        fact = self.evaluator.functions[function].fact
        own = f":{fact.owner_class}"
        making = (call for call in fact.calls if any(ref.endswith(f".{NEW}") for ref in call.targets))
        return any(call.arguments and call.arguments[0].ref != own for call in making)

    def makers(self, class_id: str) -> Iterator[Entity]:
        """The metaclass of a class, as an object: that of the nearest class which names one."""
        for name in self.evaluator.order(class_id) if self._made else ():
            info = self._made.get(name)
            if info is not None:
                meant = self.evaluator.all(info.path, info.fact.made_by)
                yield from (Entity("instance", entity.name) for entity in meant if entity.kind == "class")
                return
