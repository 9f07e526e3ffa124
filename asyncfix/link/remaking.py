"""Code that may put something else in the place of the methods of a class when that is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncfix.facts.scopes import NONE, bare

if TYPE_CHECKING:
    from asyncfix.link.index import ProjectIndex

# Decorators of classes that leave their methods as they are.
OF_CLASSES = frozenset(
    {
        "dataclasses.dataclass",
        "functools.total_ordering",
        "typing.final",
        "typing.runtime_checkable",
        "typing.dataclass_transform",
        "typing_extensions.final",
        "typing_extensions.runtime_checkable",
        "enum.unique",
        "attr.s",
        "attr.attrs",
        "attr.define",
        "attr.frozen",
        "attr.dataclass",
        "attrs.define",
        "attrs.frozen",
        "attrs.mutable",
        "pydantic.dataclasses.dataclass",
        "dataclasses_json.dataclass_json",
        "unittest.mock.patch",  # goes round test methods, of either kind
        "unittest.mock.patch.object",
        "unittest.mock.patch.dict",
        "unittest.skip",
        "unittest.skipIf",
        "unittest.skipUnless",
        "unittest.expectedFailure",
    }
)

MAKERS = frozenset({"builtins.type", "abc.ABCMeta", "builtins.object"})
DYNAMIC = frozenset({"builtins.setattr", "builtins.type.__setattr__"})


def remade(index: ProjectIndex, path: str, qualname: str) -> str:
    """What may put something else in the place of the methods of a class when it is made, '' if nothing does."""
    class_id = index.evaluator.class_id(path, qualname)
    for name in index.evaluator.order(class_id) if class_id else ():
        info = index.classes.get(name)
        if info is None:
            continue
        for decorator in info.fact.decorators:
            if not _leaves_alone(index, info.path, decorator):
                return f"decorator {decorator.lstrip(':')}"
        hooks = index.evaluator.function_ids(info.path, f"{info.fact.qualname}.__init_subclass__")
        makers = (entity for ref in info.fact.made_by for entity in index.evaluator.evaluate(info.path, ref))
        made = [maker.name for maker in makers if maker.kind == "class" and not _takes_note(index, maker.name)]
        if made or (name != class_id and any(_changes(index, hook) for hook in hooks)):
            return f"metaclass {made[0]}" if made else f"base class {name}"
    return ""


def _leaves_alone(index: ProjectIndex, path: str, decorator: str) -> bool:
    """Whether a decorator of a class is one of a library that is known, or only takes note of it."""
    entities = index.evaluator.evaluate(path, decorator)
    named = index.evaluator.evaluate(path, decorator.removesuffix("()"))
    if any(entity.name in OF_CLASSES or entity.name.startswith("pytest.mark.") for entity in named):
        return True
    return bool(entities) and all(
        entity.kind in ("function", "method") and not _changes(index, entity.name) for entity in entities
    )


def _takes_note(index: ProjectIndex, metaclass: str) -> bool:
    """Whether a metaclass of the project does no more than to look at the classes it has made, and to keep data with them."""
    for name in index.evaluator.order(metaclass):
        if name in MAKERS:
            continue
        methods = index.evaluator.methods.get(name)
        if methods is None or not {"__new__", "__prepare__", "__getattribute__", "__getattr__"}.isdisjoint(methods):
            return False
        if not all(_looks(index, each) for each in methods.get("__init__", ())):
            return False
    return True


def _looks(index: ProjectIndex, hook: str) -> bool:
    """Whether a function only writes data to the class that it is given first: no methods, and nobody else gets it."""
    fact = index.fact(hook)
    if any(DYNAMIC.intersection(call.targets) for call in fact.calls):
        return False
    made = f":{fact.owner_class}!"
    given = any(argument.ref == made for call in fact.calls for argument in call.arguments)
    written = (access.ref.rpartition(".") for access in fact.accesses if access.kind in ("write", "change"))
    names = {last for head, _, last in written if head == made}
    return not given and names.isdisjoint(index.callables)


def _changes(index: ProjectIndex, function: str) -> bool:
    """Whether a function may change the class that it is given, or give back another."""
    fact = index.fact(function)
    classes = {f":{fact.qualname}@{parameter.name}" for parameter in fact.parameters} | {f":{fact.owner_class}"}
    sets = any(DYNAMIC.intersection(call.targets) for call in fact.calls)
    writes = any(
        access.kind in ("write", "change") and access.ref.rpartition(".")[0] in classes for access in fact.accesses
    )
    return sets or writes or not classes.issuperset(set(map(bare, fact.results)) - {NONE})
