"""What only one object has: its names, and what its class made for them."""

from __future__ import annotations

import re

from asyncfix.effects.touch import Touch
from asyncfix.facts.scopes import ELEMENT
from asyncfix.link.entities import Entity
from asyncfix.link.index import ProjectIndex

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
PUT_TOGETHER = re.compile(r"\*[\w.]+\??;")  # the step to a collection


def kept(index: ProjectIndex, made: Entity, steps: str) -> bool:
    """Whether what steps lead to from a new object was made with it. ``made``: what was called."""
    if made.name in SHARING:
        return False
    if made.kind == "external":
        return not (steps and made.name.startswith(PASSING_ON))
    attribute = _first(steps)
    return not _share_all(index, made.name) if not attribute else _made_with(index, made.name, attribute)


def of_self(touch: Touch, index: ProjectIndex, function: str) -> bool:
    """Whether a method touches what only its own object has: one of its names, or what its class makes for that name."""
    info = index.functions[function]
    held = touch.object.removeprefix(f":{info.fact.owner_class}") if info.fact.owner_class else ""
    if held[:1] not in ("!", "^"):
        return False
    attribute = _first(held[1:])
    owner = index.evaluator.owner(info)
    if not attribute and (not touch.deep or touch.key.endswith("!")):
        return owner is None or not _share_all(index, owner)
    return owner is not None and _made_with(index, owner, attribute or touch.key.rpartition(".")[2])


def _first(steps: str) -> str:
    """The attribute that the first step leads to."""
    return PUT_TOGETHER.sub("", ELEMENT.sub("", steps)).lstrip(".").partition(".")[0].rstrip("!~%()")


def _share_all(index: ProjectIndex, class_id: str) -> bool:
    """Whether objects of a class are given a namespace that others have, too."""
    infos = (index.classes.get(name) for name in index.evaluator.order(class_id))
    return any(info is not None and NAMESPACE in info.fact.shared for info in infos)


def _made_with(index: ProjectIndex, class_id: str, attribute: str) -> bool:
    """Whether each object of a class has something of its own under a name, as far as the classes tell."""
    names = (*index.evaluator.order(class_id), *index.subclasses.get(class_id, ()))
    if _share_all(index, class_id):
        return False
    having = [info.fact for name in names if (info := index.classes.get(name)) and attribute in info.fact.attributes]
    return bool(having) and not any(attribute in fact.shared for fact in having)
