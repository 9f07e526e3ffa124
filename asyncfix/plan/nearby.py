"""What else the project does with what a site is about: calls in its neighbourhood, assignments anywhere."""

from __future__ import annotations

import re

from asyncfix.effects.reach import Effects
from asyncfix.effects.touch import CONSTRUCTING
from asyncfix.link.index import ProjectIndex
from asyncfix.model import CallsNear, NotAssigned, Span
from asyncfix.plan.verdict import HOLDS, Verdict

LAST = re.compile(r"[^\W\d]\w*\Z")
CHANGING = ("write", "change")
OF_NO_FUNCTION = ("module", "class")


def calls_near(effects: Effects, condition: CallsNear, function: str) -> Verdict:
    """Whether a function, what it runs, or one that calls it calls a method of one of some names."""
    index = effects.index
    around = {edge.caller for edge in index.callers.get(function, ())}
    for name in (function, *effects.names(function, None), *sorted(around)):
        for call in index.fact(name).calls:
            if any(target.rpartition(".")[2] in condition.methods for target in call.targets):
                return HOLDS
    return Verdict("fails", f"nothing near calls {' or '.join(condition.methods)}", "not-called")


def not_assigned(index: ProjectIndex, condition: NotAssigned, function: str) -> Verdict:
    """Whether no function assigns what is read: the attribute of the class if that is known, else any of that name."""
    for name, span in condition.read:
        held = _of_class(index, function, name, span)
        if held or (held is None and name in _assigned(index)):
            return Verdict("fails", f"{name} is assigned", "assigned")
    return HOLDS


def _of_class(index: ProjectIndex, function: str, name: str, span: Span) -> bool | None:
    """Whether an attribute that is read there is one that a class of the project is given; None if it is not known of what."""
    for access in index.fact(function).accesses:
        if access.span == span and access.ref.endswith(f".{name}"):
            holders = index.evaluator.evaluate(index.path(function), access.ref.removesuffix(f".{name}"))
            known = [entity for entity in holders if entity.kind != "unknown"]
            classes = (
                each for entity in known if entity.kind == "instance" for each in index.evaluator.order(entity.name)
            )
            having = any(name in index.classes[each].fact.attributes for each in classes if each in index.classes)
            return having if known else None
    return None


def _assigned(index: ProjectIndex) -> frozenset[str]:
    """The last names of what functions assign, but for those that make an object."""
    return frozenset(
        last.group()
        for info in index.functions.values()
        if info.fact.kind not in OF_NO_FUNCTION and info.fact.name not in CONSTRUCTING
        for access in info.fact.accesses
        if access.kind in CHANGING and (last := LAST.search(access.ref)) is not None
    )
