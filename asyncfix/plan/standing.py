"""What stays what it is while awaits wait: what is evaluated earlier than before, and collections that are gone through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asyncfix.effects.given import ANY
from asyncfix.effects.keys import LIBRARY, said, split
from asyncfix.facts.testfiles import is_test
from asyncfix.link.arguments import PARAMETER, given
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Access, Argument, Call, Early, Span
from asyncfix.plan.facts import Facts

UNTOLD = ("argument ", "?", LIBRARY)
NONE = "builtins.None"
ABSTRACT = ("Sequence", "Collection", "Set", "Mapping", "MutableSequence", "MutableSet", "MutableMapping")
COLLECTIONS = frozenset(
    {f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "dict", "str", "bytes", "range")}
    | {f"collections.abc.{name}" for name in ABSTRACT}
)
"""What can be gone through again; not what only gives one thing after the other."""
FROZEN = frozenset(f"builtins.{name}" for name in ("tuple", "frozenset", "str", "bytes", "range"))
LOOKING = frozenset(
    f"builtins.{name}" for name in ("len", "print", "sorted", "sum", "min", "max", "any", "all", "list", "set")
)
MADE = "?"  # behind the name of a container: the text shows that it was made there


def changed_before(facts: Facts, function: str, spans: Iterable[Span]) -> str:
    """What code in these spans of a function reads that others write while an await waits; '' if nothing is known of that."""
    wanted = tuple(spans)
    for touch in facts.effects.direct(function).touches:
        if touch.writes or touch.key.startswith(UNTOLD) or not any(span.contains(touch.span) for span in wanted):
            continue
        for name, written in facts.effects.writers(touch.key):
            if not is_test(facts.index.path(name)):
                return f"{said(touch.key)}, which {name} writes ({written.where})"
    return ""


def is_the_same(facts: Facts, function: str, early: Early) -> bool:
    """Whether a name, or an attribute of one, means the same at any time, and is there: nobody binds it once its owner is
    made."""
    if early.unbound or not all(part.isidentifier() for part in early.text.split(".")):
        return False
    accesses = [each for each in facts.index.fact(function).accesses if early.span.contains(each.span)]
    return bool(accesses or "." not in early.text) and all(_is_set(facts, function, each) for each in accesses)


def _is_set(facts: Facts, function: str, access: Access) -> bool:
    index, path = facts.index, facts.index.path(function)
    key, _ = facts.effects.keys.of(path, access.ref)
    if split(access.ref)[1] in index.properties or key.startswith(UNTOLD):
        return False
    meant = index.evaluator.evaluate(path, access.ref)
    known = (
        bool(meant) and not any(entity.name == NONE for entity in meant) and not _may_be_none(index, path, access.ref)
    )
    own = not key and not split(access.ref)[1]
    return own or (known and not (key and facts.effects.writers(key)))


def _may_be_none(index: ProjectIndex, path: str, ref: str) -> bool:
    """Whether a class says of an attribute that it may be None, or one of its methods gives it a parameter that may be."""
    base, attribute = split(ref)
    for owner in (entity.name for entity in index.evaluator.evaluate(path, base) if attribute):
        infos = [index.classes[name] for name in index.evaluator.order(owner) if name in index.classes]
        if any(attribute in info.fact.empty for info in infos):
            return True
        for info in infos:
            for match in map(PARAMETER.fullmatch, info.fact.attributes.get(attribute, ())):
                names = index.evaluator.function_ids(info.path, match[1]) if match else ()
                given_by = (each for name in names for each in index.fact(name).parameters)
                if match and any(each.name == match[2] and each.empty for each in given_by):
                    return True
    return False


# --------------------------------------------------------------------------------------------------------- collections


def may_change(facts: Facts, function: str, source: Early) -> str:
    """Why a collection that is gone through may be another one before that has ended, or none; '' if it may not."""
    index, path = facts.index, facts.index.path(function)
    refs = dict.fromkeys(each.ref for each in index.fact(function).accesses if each.span == source.span)
    for ref in refs or (f":{index.fact(function).qualname}@{source.text}",):
        key = facts.effects.keys.of(path, ref, deep=True)[0]
        holders = list(_holders(facts, function, source.text)) if key.startswith("argument ") else []
        kinds = _kinds(index, path, ref) or [
            kind for edge, item in holders for kind in _kinds(index, index.path(edge.caller), item.ref)
        ]
        if not kinds or not all(_is_collection(kind) for kind in kinds):
            return f"what `{source.text}` gives may be made, or changed by others, while the loop runs"
        frozen = all(kind in FROZEN for kind in kinds)
        made = not key.startswith(UNTOLD) and all(kind.endswith(MADE) for kind in kinds) and is_its_own(facts, key)
        if not (
            frozen
            or (made and not facts.effects.writers(key) and not _is_given_away(facts, key))
            or (holders and all(_is_let_go(facts, *each) for each in holders))
        ):
            return (
                f"others who have `{source.text}` may change it while the loop runs (going through a copy, "
                f"`list({source.text})`, none can)"
            )
    return ""


def is_its_own(facts: Facts, key: str) -> bool:
    """Whether what a variable of a module, or an attribute, holds was made for it; what an object was given others may hold."""
    owner, _, attribute = key.rpartition(".")
    index, keys = facts.index, facts.effects.keys
    classes = (*index.evaluator.order(owner), *index.subclasses.get(owner, ())) if owner in index.classes else ()
    bound = [(info.path, info.fact.attributes) for name in classes if (info := index.classes.get(name)) is not None]
    module = index.evaluator.modules.by_name.get(owner, "")
    bound += [(module, index.summaries[module].bindings)] if module in index.summaries else []
    if any(keys.of(path, ref, deep=True)[0] for path, values in bound for ref in values.get(attribute, ())):
        return False
    return bool(key) and not any(
        given and (attribute in given or ANY in given) for given in map(keys.given.to, classes)
    )


def _is_given_away(facts: Facts, key: str) -> bool:
    """Whether the program returns, hands on or keeps elsewhere what a variable of a module, or an attribute, holds."""
    last, index = key.rpartition(".")[2], facts.index
    for info in index.functions.values():
        fact = info.fact
        for access in fact.accesses if not is_test(info.path) else ():
            named = access.ref.endswith((f".{last}", f":{last}"))
            whole = named and access.kind == "read" and not access.asked
            if not whole or any(each.span == access.span for each in fact.operations):
                continue
            around = (each for each in fact.calls if any(given.ref == access.ref for given in each.arguments))
            looked = any(each.span.contains(access.span) and _only_looks(index, info.path, each) for each in around)
            if not looked and facts.effects.keys.of(info.path, access.ref, deep=True)[0] == key:
                return True
    return False


def _kinds(index: ProjectIndex, path: str, ref: str) -> list[str]:
    """The containers that a ref may mean, as the evaluator names them."""
    return [entity.name.partition("|")[0] for entity in index.evaluator.evaluate(path, ref)]


def _is_collection(kind: str) -> bool:
    return kind.removesuffix(MADE) in COLLECTIONS


def _holders(facts: Facts, function: str, parameter: str) -> Iterator[tuple[Edge, Argument]]:
    """The calls of a function with what they give for a parameter; none if there may be others."""
    index, fact = facts.index, facts.index.fact(function)
    others = (index.passed, index.by_name, index.rebound)
    if fact.decorators or function in index.overridden or any(function in each for each in others):
        return
    found = list(given(index, function, parameter))
    yield from found if len(found) == len(index.callers.get(function, ())) else ()


def _is_let_go(facts: Facts, edge: Edge, argument: Argument) -> bool:
    """Whether nobody but the function called has what a call gives it, before that has ended."""
    index, path, caller = facts.index, facts.index.path(edge.caller), facts.index.fact(edge.caller)
    if facts.effects.keys.of(path, argument.ref, deep=True)[0]:
        return False
    if not argument.name:
        return True
    inner = f"{edge.caller}.<locals>."
    kept = any(access.kind in ("write", "change") for access in caller.accesses)
    if (
        kept
        or not isinstance(edge.site, Call)
        or edge.site.use != "awaited"
        or any(name.startswith(inner) for name in index.functions)
    ):
        return False
    others = (
        call
        for call in caller.calls
        if call != edge.site and any(each.name == argument.name for each in call.arguments)
    )
    return all(_only_looks(index, path, call) for call in others)


def _only_looks(index: ProjectIndex, path: str, call: Call) -> bool:
    meant = [entity for target in call.targets for entity in index.evaluator.evaluate(path, target)]
    return bool(meant) and all(entity.kind == "external" and entity.name in LOOKING for entity in meant)
