"""What is left of the things that a ref may mean where a test has shown of which classes it is."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncfix.link.entities import SOMETHING, Entities, Entity, parted, some
from asyncfix.link.results import instance

if TYPE_CHECKING:
    from asyncfix.link.evaluate import Evaluator

BELOW = "<"
NOTHING_SAID = frozenset({Entity("value", "typing.Any"), SOMETHING})
BUILTIN = "builtins."
PROTOCOLS = frozenset({"typing.Protocol", "typing_extensions.Protocol"})
CHECKING = "__instancecheck__"
ASKED = frozenset({"__subclasshook__", CHECKING})
REGISTER = ".register"
ANY = "*"


def narrower(evaluator: Evaluator, path: str, meant: Entities, step: str) -> Entities:
    """Those of the things that pass the test of ``step`` (``$C|D$``), and what else there may be that does."""
    refs = step.strip("$").removeprefix(BELOW).split("|")
    stated = tuple(entity for ref in refs for entity in evaluator.evaluate(path, ref) or (SOMETHING,))
    if not all(_is_class(evaluator, entity) and _tells(evaluator, entity.name) for entity in stated):
        return meant
    shown = stated if step[1] == BELOW else tuple(made for entity in stated for made in instance(evaluator, entity))
    told = [entity for entity in meant if entity not in NOTHING_SAID]
    kept = dict.fromkeys(each for entity in told for each in _passing(evaluator, entity, shown))
    if kept and len(told) == len(meant):
        return some(kept)
    # Of a library's class there may be heirs in the project, too.
    heirs = any(entity.kind in ("value", "external") and not entity.name.startswith(BUILTIN) for entity in shown)
    return some(kept | dict.fromkeys(shown) | ({SOMETHING: None} if heirs else {}))


def _is_class(evaluator: Evaluator, entity: Entity) -> bool:
    """Whether it is a class: of libraries that are not known their names tell."""
    if entity.kind != "external":
        return entity.kind == "class"
    name = entity.name.removeprefix(BUILTIN)
    named = isinstance(vars(builtins).get(name), type) if name != entity.name else name.rpartition(".")[2][:1].isupper()
    return named or evaluator.catalog.is_class(entity.name)


def _tells(evaluator: Evaluator, class_id: str) -> bool:
    """Whether only objects of a class and its heirs pass for such: a protocol asks for names, an abstract class may be told
    of others, and a class may have its own say in what passes for it, or for what its own objects pass."""
    if evaluator.feigned is None:
        evaluator.feigned = frozenset(_feigned(evaluator))
    info = evaluator.classes.get(class_id)
    bases = (entity.name for ref in info.fact.bases for entity in evaluator.evaluate(info.path, ref)) if info else ()
    return PROTOCOLS.isdisjoint(bases) and evaluator.feigned.isdisjoint((*evaluator.order(class_id), ANY))


def _feigned(evaluator: Evaluator) -> Iterator[str]:
    """Classes of which an object may pass for one that it is not, `ANY` if that may be any."""
    for class_id, methods in evaluator.methods.items():
        if not ASKED.isdisjoint(methods):
            yield class_id
        if "__class__" in methods:
            yield ANY
    for info in evaluator.classes.values():
        makers = evaluator.all(info.path, info.fact.made_by) if info.fact.made_by else ()
        if any(evaluator.has(maker.name, CHECKING) for maker in makers if maker.kind == "class"):
            yield from (each.name for each in evaluator.evaluate(info.path, f":{info.fact.qualname}"))
    for path, ref in _registering(evaluator):
        yield from (entity.name for entity in evaluator.evaluate(path, ref) if entity.kind == "class")


def _registering(evaluator: Evaluator) -> Iterator[tuple[str, str]]:
    """What is asked to take note of a class, by a call or as a decorator."""
    for path, summary in evaluator.summaries.items():
        calls = (target for function in summary.functions for call in function.calls for target in call.targets)
        decorators = (ref for each in summary.classes for ref in each.decorators)
        yield from ((path, ref.removesuffix(REGISTER)) for ref in (*calls, *decorators) if ref.endswith(REGISTER))


def _passing(evaluator: Evaluator, entity: Entity, shown: Entities) -> Entities:
    """The same if it is of one of the classes; those of them that are below its own."""
    if entity.kind == "many":
        container = parted(entity)[0].removesuffix("?")
        return (entity,) if any(each.kind == "value" and _may_be(container, each.name) for each in shown) else ()
    order = evaluator.order(entity.name) if entity.kind in ("instance", "class") else (entity.name,)
    if "?" in order or any(each.kind in (entity.kind, "value", "external") and each.name in order for each in shown):
        return (entity,)
    return tuple(each for each in shown if each.kind == entity.kind and entity.name in evaluator.order(each.name))


def _may_be(container: str, stated: str) -> bool:
    """Whether a collection may be of a class: what is no builtin is an abstract one, which tells nothing."""
    return container == stated or not (container.startswith(BUILTIN) and stated.startswith(BUILTIN))
