"""Whether something that belongs to one event loop is used in another one than it was made for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asyncfix.facts.testfiles import is_test
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Call, OneLoop
from asyncfix.plan.facts import Facts
from asyncfix.plan.nearby import OF_NO_FUNCTION
from asyncfix.plan.verdict import HOLDS, Verdict

RUN = "asyncio.run"
BOUND_LATE = (3, 10)
"""From this version on such things are bound to a loop when somebody waits for them, and not when they are made."""


def one_loop(facts: Facts, condition: OneLoop, maker: str) -> Verdict:
    """Whether no `asyncio.run` uses the thing, which ``maker`` makes, in a loop that is not its own."""
    index = facts.index
    users = set(_users(facts, condition.name, maker))
    uses = [
        (caller, call)
        for caller, call in (_runs(index) if users else ())
        if users.intersection(facts.effects.names(caller, call.span))
    ]
    here = {call.span for caller, call in uses if index.path(caller) == index.path(maker)}
    later = {second for first, second in condition.runs if first in here}
    for caller, call in uses:
        again = call.span in later and index.path(caller) == index.path(maker)
        if again or facts.target < BOUND_LATE or _is_repeated(index, caller, call):
            where = f"{index.path(caller)}:{call.line}"
            return Verdict("fails", f"another event loop uses it ({where})", "other-loop")
    return HOLDS


def _runs(index: ProjectIndex) -> Iterator[tuple[str, Call]]:
    """The calls of `asyncio.run` of the program, with the function."""
    for caller, externals in index.externals.items():
        if not is_test(index.path(caller)):
            yield from ((caller, each.call) for each in externals if index.catalog.canonical(each.name) == RUN)


def _is_repeated(index: ProjectIndex, caller: str, call: Call) -> bool:
    """Whether a call stands in a loop, or its function is called in one."""
    edges = index.callers.get(caller, ())
    return call.loop is not None or any(isinstance(edge.site, Call) and edge.site.loop is not None for edge in edges)


def _users(facts: Facts, name: str, maker: str) -> Iterator[str]:
    """The functions that use what a module, or the body of a class, makes under that name, or as that default."""
    index, keys = facts.index, facts.effects.keys
    path, known = index.path(maker), index.fact(maker)
    if "@" in name:
        key = f"argument {path}:{known.qualname + '.' if known.kind == 'class' else ''}{name}"
    else:
        key = f"{maker if known.kind == 'class' else index.evaluator.modules.names[path]}.{name}"
    last = re.split(r"[.@]", name)[-1]
    if any(_makes_anew(facts, user, key, last) for user in index.functions):
        return
    for user, info in index.functions.items():
        fact = info.fact
        used = [access.ref for access in (*fact.accesses, *fact.operations)]
        used += [target.rpartition(".")[0] for call in fact.calls for target in call.targets]
        named = dict.fromkeys(ref for ref in used if last in ref)
        if fact.kind not in OF_NO_FUNCTION and any(keys.of(info.path, ref)[0] == key for ref in named):
            yield user


def _makes_anew(facts: Facts, function: str, key: str, last: str) -> bool:
    """Whether a function puts another thing in the place of the one that was made at import."""
    info = facts.index.functions[function]
    written = (access.ref for access in info.fact.accesses if access.kind == "write" and access.ref.endswith(last))
    return info.fact.kind not in OF_NO_FUNCTION and any(
        facts.effects.keys.of(info.path, ref)[0] == key for ref in written
    )
