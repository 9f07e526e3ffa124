"""What only one object has: its names, and what its class made for them."""

from __future__ import annotations

import re

from asyncfix.effects.given import ANY, Given
from asyncfix.effects.touch import Touch
from asyncfix.facts.scopes import ELEMENT, bare
from asyncfix.link.entities import Entity
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Function

SHARING = frozenset(
    {
        "builtins.__import__",
        "builtins.eval",
        "builtins.getattr",
        "builtins.globals",
        "builtins.locals",
        "builtins.max",
        "builtins.min",
        "builtins.next",
        "builtins.type",
        "builtins.vars",
        "decimal.getcontext",
        "functools.reduce",
        "heapq.heappop",
        "heapq.heappushpop",
        "heapq.heapreplace",
        "importlib.import_module",
        "inspect.currentframe",
        "inspect.getmodule",
        "logging.getLogger",
        "operator.getitem",
        "operator.iadd",
        "operator.iconcat",
        "operator.ior",
        "random.choice",
        "sys._getframe",
        "threading.current_thread",
        "threading.main_thread",
        "typing.assert_type",
        "typing.cast",
        "typing_extensions.assert_type",
        "typing_extensions.cast",
        "weakref.proxy",
    }
)
"""Functions of libraries that give what was there before."""
PASSING_ON = (
    "builtins.dict",
    "collections.",
    "contextlib.",
    "copy.copy",
    "copy.replace",
    "dataclasses.replace",
    "heapq.",
    "itertools.",
    "operator.",
    "types.",
)
"""Those whose new object holds what they are given."""
NAMESPACE = "__dict__"
ENTERING = ("__enter__", "__aenter__")
TAKEN_OUT = re.compile(r"\*[\w.]+\??;(?:\.(?:values|copy)\(\))*\[\]")
"""The steps to a new collection of something, and back to what is in it."""
PUT_TOGETHER = re.compile(r"\*[\w.]+\??;")  # the step to a collection


def kept(given: Given, made: Entity, steps: str) -> bool:
    """Whether what steps lead to from a new object was made with it. ``made``: what was called."""
    if made.name in SHARING:
        return False
    if made.kind == "external":
        return not (steps and made.name.startswith(PASSING_ON))
    if made.kind == "class" and not _makes_it(given.index, made.name, steps):
        return False
    attribute = _first(steps)
    return not _share_all(given.index, made.name) if not attribute else _made_with(given, made.name, attribute)


def _makes_it(index: ProjectIndex, class_id: str, steps: str) -> bool:
    """Whether what comes of calling a class is new: no metaclass gives something else, and the steps do not lead to what the
    object has been given to hold, or gives where it is entered."""
    if any(index.making.calling(class_id)):
        return False
    first = TAKEN_OUT.sub("", ELEMENT.sub("[]", steps))[:1]
    entered = index.evaluator.named_methods(Entity("instance", class_id), ENTERING) if first == "%" else ()
    return first != "[" and all(_gives_itself(index.fact(each)) for each in entered)


def _gives_itself(method: Function) -> bool:
    own = {f":{method.owner_class}!", *(f":{method.qualname}@{each.name}" for each in method.parameters[:1])}
    return bool(method.results) and own.issuperset(map(bare, method.results))


def of_self(touch: Touch, given: Given, function: str) -> bool:
    """Whether a method touches what only its own object has: one of its names, or what its class makes for that name."""
    index = given.index
    info = index.functions[function]
    held = touch.object.removeprefix(f":{info.fact.owner_class}") if info.fact.owner_class else ""
    if held[:1] not in ("!", "^"):
        return False
    attribute = _first(held[1:])
    owner = index.evaluator.owner(info)
    if not attribute and (not touch.deep or touch.key.endswith("!")):
        return owner is None or not _share_all(index, owner)
    return owner is not None and _made_with(given, owner, attribute or touch.key.rpartition(".")[2])


def _first(steps: str) -> str:
    """The attribute that the first step leads to, or the first behind what is entered or awaited."""
    return PUT_TOGETHER.sub("", ELEMENT.sub("", steps)).lstrip(".%~=").partition(".")[0].rstrip("!~%()")


def _share_all(index: ProjectIndex, class_id: str) -> bool:
    """Whether objects of a class are given a namespace that others have, too."""
    infos = (index.classes.get(name) for name in index.evaluator.order(class_id))
    return any(info is not None and NAMESPACE in info.fact.shared for info in infos)


def _made_with(given: Given, class_id: str, attribute: str) -> bool:
    """Whether each object of a class has something of its own under a name, as far as the classes tell, and no other."""
    index = given.index
    names = (*index.evaluator.order(class_id), *index.subclasses.get(class_id, ()))
    if _share_all(index, class_id):
        return False
    having = [info.fact for name in names if (info := index.classes.get(name)) and attribute in info.fact.attributes]
    if not having or any(attribute in fact.shared for fact in having):
        return False
    return not any(attribute in put or ANY in put for put in map(given.to, names))
