"""Generators that turn async, and generator expressions that come to await: how what goes through them is written."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.model import Access, Call, Function, Lazy

ANEXT = (3, 10)
NEXT = ("builtins.next", "next-or-default")
LOOPS = ("loop", "clause", "inner-clause", "lazy-clause")  # whose body is run between the steps
# Functions that work with all that there is, and do nothing else meanwhile.
_EAGER = (
    "builtins.tuple",
    "builtins.frozenset",
    "builtins.dict",
    "builtins.sorted",
    "builtins.min",
    "builtins.max",
    "builtins.sum",
    "builtins.str.join",
    "builtins.bytes",
    "builtins.bytes.join",
    "collections.Counter",
    "collections.OrderedDict",
    "collections.deque",
    "math.fsum",
    "math.prod",
    "statistics.fmean",
    "statistics.mean",
    "statistics.median",
    "statistics.mode",
    "statistics.stdev",
    "starred",
)
# These ask for no more than they need, or keep what came before an error.
_PARTIAL = {
    "builtins.any": "asks for no more than it needs",
    "builtins.all": "asks for no more than it needs",
    "unpacked": "asks for no more than it needs",
    "contained": "asks for no more than it needs",
    "builtins.map": "takes one by one",
    "builtins.filter": "takes one by one",
    "builtins.list.extend": "would keep what came before an error",
    "builtins.set.update": "would keep what came before an error",
    "builtins.dict.update": "would keep what came before an error",
}
_DRAINED = {
    "drained": "goes through all there is"
}  # a function of the project, which may do something before, or meanwhile
_WITH_OTHERS = dict.fromkeys(("builtins.zip", "builtins.enumerate"), "takes from each in turn")
_STEPWISE = {
    "loop": "async_for",
    "clause": "async_clause",
    "inner-clause": "async_clause",
    "yield-from": "async_yield_from",
    **dict.fromkeys(NEXT, "async_next"),
}
KEPT = "kept"
PASSED_ON = "passed_on"
IN_STEP = "in_step"
# By what goes through what a generator gives: the kind of use. Of these two nothing is written.
GENERATORS = {
    "kept": KEPT,
    "returned": PASSED_ON,
    **_STEPWISE,
    "lazy-clause": "async_clause",
    "builtins.list": "async_list",
    "builtins.set": "async_set",
    **dict.fromkeys((*_EAGER, *_PARTIAL), "gathered"),
    **dict.fromkeys(_WITH_OTHERS, IN_STEP),
}
GONE_THROUGH = frozenset(GENERATORS.values()) - {KEPT, PASSED_ON}
# By what goes through a generator expression with awaits: it stays one where it is gone through step by step.
_EXPRESSIONS = {
    **_STEPWISE,
    "builtins.list": "list_comprehension",
    "builtins.set": "set_comprehension",
    **dict.fromkeys((*_EAGER, *_PARTIAL, *_WITH_OTHERS, *_DRAINED), "unfolded"),
}
_REFUSED = {
    "from-inline": ("yield-from-inline", "has a `yield from` beside other code on its line"),
    "from-value": ("yield-from-value", "uses what `yield from` gives, which no async generator can"),
    "return": ("generator-return", "is a generator that returns a value, which no async one can"),
}


def unturnable(fact: Function) -> Iterator[tuple[str, str]]:
    """Why a generator may not turn: code and reason."""
    for item in fact.yields:
        if item.kind in _REFUSED:
            code, why = _REFUSED[item.kind]
            yield code, f"{why} (line {item.line})"


def expression(lazy: Lazy | None) -> str:
    """The kind of use by which a generator expression is written that is to await; '' if it cannot."""
    return collecting(lazy.taken.by) if lazy is not None and lazy.taken is not None else ""


def collecting(by: str) -> str:
    """The kind of use by which a generator expression is written that this goes through; '' if there is none."""
    return _EXPRESSIONS.get(by, "")


def stepwise(by: str) -> str:
    """The kind of use by which this goes through something step by step; '' if it does not."""
    return _STEPWISE.get(by, "")


def onward(site: Call | Access, kind: str) -> tuple[Call, ...]:
    """The places that go through what is given on by one of this kind of use, each as a call."""
    if kind == KEPT and isinstance(site, Call):
        return site.kept
    on = site.taken.on if kind == IN_STEP and site.taken is not None else None
    return (on,) if on is not None else ()


def oldest(call: Call | Access) -> tuple[int, int]:
    """The Python from which on the value of a call of a generator may be gone through as it is, and its expression."""
    takers = (call.taken, call.lazy.taken if call.lazy is not None else None)
    return max(ANEXT if taken is not None and taken.by in NEXT else (0, 0) for taken in takers)


def partly(by: str) -> str:
    """What speaks against working out all there is before, '' if nothing does."""
    return {**_PARTIAL, **_WITH_OTHERS, **_DRAINED}.get(by, "")
