"""What may run where a function of the project is called by its name, other than that function and those that override it."""

from __future__ import annotations

from asyncfix.effects.given import ANY
from asyncfix.effects.touch import Where
from asyncfix.facts.testfiles import is_test
from asyncfix.plan.facts import Facts


def stand_in(facts: Facts, name: str, *, tests: bool = True) -> str:
    """Why something else may run, '' if nothing may: an attribute of that name is assigned, or set, to an object that may have
    the function, or an object of another class is given where one of its class is stated. ``tests``: by a test, too."""
    index = facts.index
    for place in (*index.rebound.get(name, ()), *index.by_name.get(index.fact(name).name, ())):
        if place.reason == "rebound" and (tests or not is_test(place.path)):
            return f"{name} is assigned anew ({Where(place.path, place.line)})"
    owner = index.evaluator.owner(index.functions[name])
    if owner is None:
        return ""
    for kind in (*index.evaluator.order(owner), *index.subclasses.get(owner, ())):
        if not facts.effects.keys.given.to(kind).isdisjoint((index.fact(name).name, ANY)):
            return f"objects of {kind} are given attributes of names that nothing tells, or {name} itself"
    other = facts.limits.doubles.of(name, (name,), tests=tests)
    return f"something else is given where {owner} is stated ({Where(*other)})" if other is not None else ""
