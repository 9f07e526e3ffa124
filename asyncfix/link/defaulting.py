"""Mappings that make what they do not have: ``defaultdict(f)`` calls ``f`` where an element is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from asyncfix.link import calling
from asyncfix.link.evaluate import Evaluator
from asyncfix.link.index import CONSTRUCTORS, Edge, ProjectIndex
from asyncfix.model import Access

ASKING = "__getitem__"
MAPPING = "*collections.defaultdict?;"
MAKING = re.compile(rf"(.+)\(\){re.escape(MAPPING)}")


def names(evaluator: Evaluator) -> frozenset[str]:
    """Attributes and variables that hold such a mapping in some class or module."""
    attributes = (held for info in evaluator.classes.values() for held in info.fact.attributes.items())
    variables = (held for summary in evaluator.summaries.values() for held in summary.bindings.items())
    return frozenset(name for held in (attributes, variables) for name, refs in held if _makes(refs))


def take(index: ProjectIndex, name: str, access: Access) -> None:
    """What is run where an element of a mapping is asked for that makes what it does not have."""
    path = index.path(name)
    own = MAPPING in access.ref
    if not own and access.ref.rpartition(".")[2].lstrip(":") not in index.defaulting:
        return
    for home, ref in [(path, access.ref)] if own else _held(index.evaluator, path, access.ref):
        making = MAKING.fullmatch(ref)
        for entity in index.evaluator.evaluate(home, making[1]) if making is not None else ():
            if entity.kind in ("function", "method"):
                index.add(Edge(name, entity.name, "protocol", access, False))
            elif entity.kind == "class":
                calling.protocol(index, name, access, entity.name, CONSTRUCTORS, "constructor", sure=False)


def _makes(refs: Iterable[str]) -> bool:
    return any(ref.endswith(MAPPING) for ref in refs)


def _held(evaluator: Evaluator, path: str, ref: str) -> Iterator[tuple[str, str]]:
    """What an attribute, or a variable of a module, holds: paths and refs."""
    base, _, last = ref.rpartition(".")
    for entity in evaluator.evaluate(path, base or ":"):
        if entity.kind == "module" and entity.name in evaluator.summaries:
            known = evaluator.summaries[entity.name].bindings.get(last.lstrip(":"), ())
            yield from ((entity.name, each) for each in known)
        for owner in evaluator.order(entity.name) if entity.kind in ("instance", "class") else ():
            info = evaluator.classes.get(owner)
            yield from ((info.path, each) for each in info.fact.attributes.get(last, ())) if info is not None else ()
