"""Code that is seen to run where no event loop runs: sync tests, and modules that are imported."""

from __future__ import annotations

from asyncfix.facts.testfiles import is_test
from asyncfix.link.index import ProjectIndex
from asyncfix.plan.verdict import HOLDS, Verdict


def within_loop(index: ProjectIndex, function: str) -> Verdict:
    """Whether no sync test, and no module, comes to a sync function through sync code alone."""
    seen, stack = {function}, [function]
    while stack:
        name = stack.pop()
        if _is_loopless(index, name):
            where = f"{index.path(name)}:{index.fact(name).line}"
            return Verdict("bars", f"{name} comes here, and no event loop runs there ({where})", "no-running-loop")
        above = (edge for edge in index.callers.get(name, ()) if edge.sure and edge.kind in ("call", "constructor"))
        for caller in (edge.caller for edge in above):
            if caller not in seen and not index.fact(caller).is_async:
                seen.add(caller)
                stack.append(caller)
    return HOLDS


def _is_loopless(index: ProjectIndex, name: str) -> bool:
    fact = index.fact(name)
    is_one = fact.name.startswith("test") and fact.kind in ("function", "method") and is_test(index.path(name))
    return is_one or fact.kind == "module"
