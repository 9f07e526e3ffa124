"""Whether a function may turn async: what the function is, how it is used but for calls, what the user said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asyncfix.boundary import Met
from asyncfix.colour import special
from asyncfix.colour.awaiting import MANAGER, manner
from asyncfix.colour.barrier import Barrier, Rules
from asyncfix.colour.bases import calls
from asyncfix.colour.generators import unturnable
from asyncfix.colour.mapping import LAMBDA, passed_otherwise, unfolds
from asyncfix.colour.special import is_special
from asyncfix.colour.takers import PASSED, taken
from asyncfix.effects.tables import AWAITING_DECORATORS, CACHES, TRANSPARENT_DECORATORS
from asyncfix.ends import Ends
from asyncfix.facts.scopes import NONE
from asyncfix.facts.testfiles import is_test
from asyncfix.link.handing import PROTOCOLS
from asyncfix.link.index import Loose, ProjectIndex
from asyncfix.link.remaking import remade
from asyncfix.model import Call, Function

EXAMPLE = "doctest"
CALLED = "__call__"
UNWRAPPED = "__wrapped__"  # the name under which wrappers keep what they wrap
KEEPING = TRANSPARENT_DECORATORS | AWAITING_DECORATORS

# What gives, or is, something to await.
AWAITABLES = frozenset(
    f"{module}.{name}"
    for module, names in {
        "asyncio": ("create_task", "ensure_future", "gather", "shield", "wait_for", "to_thread", "Future", "Task"),
        "typing": ("Awaitable", "Coroutine"),
        "collections.abc": ("Awaitable", "Coroutine"),
    }.items()
    for name in names
)

# What is said of a place that may mean a function, by its reason code.
SAID = {
    "rebound": "is assigned anew at run time",
    "possible-caller": "may be meant by a call whose receiver is not known",
    "possible-use": "may be meant by an attribute whose owner is not known",
    "dynamic-access": "may be reached by its name as a text",
    EXAMPLE: "is called by an example in a docstring",
    "unparsed-file": "is named in a file that could not be parsed",
}


def turning(
    index: ProjectIndex, name: str, limits: Rules, ends: Ends | None, met: Met | None, *, guessing: bool = True
) -> Iterator[Barrier]:
    """The barriers that a function is. ``guessing``: calls of namesakes are none, since they are awaited."""
    if index.fact(name).is_async:
        return  # of a family that was async in part
    fact, path = index.fact(name), index.path(name)
    if met is not None and met.stays:
        yield Barrier("framework", path, fact.line, f"{name} {met.stays}", name)
    yield from _by_itself(index, name, limits, ends, met, guessing and ends is not None)
    double = limits.doubles.of(name, ends.family(name) if ends is not None else ())
    if double is not None:  # it stays sync
        given, line = double
        why = f"{name} is asked of another kind of object, too, given at {given}:{line}"
        yield Barrier("test-double", given, line, why, name)
    yield from _mocked(index, name, limits)
    if ends is not None and met is None and ends.is_gathered(name):
        why = f"{name} is called by a test framework in a way that asyncfix does not know"
        yield Barrier("test-framework", path, fact.line, why, name)
    asked = ends.asking.stays(name) if ends is not None else ""
    if asked:
        yield Barrier("test-framework", path, fact.line, f"{name} {asked}", name)
    below = ends.running.below(name) if ends is not None else ""
    if below:
        why = f"{name} reaches {below}, which runs an event loop of its own"
        yield Barrier("runs-a-loop", path, fact.line, why, name)


def _mocked(index: ProjectIndex, name: str, limits: Rules) -> Iterator[Barrier]:
    """The barriers that mocks are which are like the class of a method, and do not turn with it, or give other values then."""
    info = index.functions[name]
    owner = index.evaluator.owner(info)
    made = limits.doubles.likenesses.made(owner) if owner is not None else None
    follows = manner(info.fact) == "coroutine" and info.fact.name != CALLED and CACHES.isdisjoint(info.fact.decorators)
    if made is not None and not follows:
        path, line = made
        why = f"{name} would not turn in a mock that is like its class ({path}:{line}): only coroutine functions do"
        yield Barrier("test-double", path, line, why, name)
    valued = limits.doubles.likenesses.valued(name)
    if valued is not None:
        path, line = valued
        why = f"what a mock of {name} gives by itself would be asynchronous, too ({path}:{line})"
        yield Barrier("test-double", path, line, why, name)


def may_turn(index: ProjectIndex, name: str, limits: Rules) -> Barrier | None:
    """The barrier that the function itself is without a migration, None if it may turn."""
    return next(_by_itself(index, name, limits, None, None), None)


def _by_itself(
    index: ProjectIndex, name: str, limits: Rules, ends: Ends | None, met: Met | None, guessing: bool = False
) -> Iterator[Barrier]:
    info = index.functions[name]
    fact = info.fact
    for code, why in _reasons(index, name, fact, limits, ends, met):
        yield Barrier(code, info.path, fact.line, f"{name} {why}", name)
    if met is not None and not met.turns:
        return  # its name stands for what it stood for
    last = fact.name
    raising = ends is not None and ends.raising(name) is not None
    passed = () if raising else passed_otherwise(index, name, index.passed.get(name, ()))
    around = limits.wrappings.around(name) if passed else None
    if around is not None:  # which gives it back
        passed = tuple(place for place in passed if place.owner != around.decorator)
    unwrapped = index.by_name.get(UNWRAPPED) if fact.decorators else ()
    for uses in (passed, index.rebound.get(name), index.by_name.get(last), unwrapped):
        for use in uses or ():
            if ends is not None and use.reason == EXAMPLE and use.path not in limits.examined:
                continue
            if guessing and use.reason == "possible-caller" and limits.namesakes.covers(use, last):
                continue  # it is taken for a call
            if ends is not None and is_double(index, name, use, limits):
                continue  # it turns, too
            code, said = taken(index, name, use) if use.reason == PASSED else (use.reason, SAID[use.reason])
            yield Barrier(code, use.path, use.line, f"{name} {said} ({use.path}:{use.line})", name)
    for path, line in limits.named.get(name, ()):
        why = f"{name} is named as text ({path}:{line}): what reads that may call it without awaiting"
        yield Barrier("named-as-text", path, line, why, name)
    turned = {(use.path, use.line) for use in index.rebound.get(name, ()) if is_double(index, name, use, limits)}
    for patch in limits.replaced.get(name, ()):
        if ends is not None and patch.made_at is None and (patch.path, patch.line) in turned:
            continue
        fixed = patch.call is None or fact.kind == "property" or _is_closed(patch.path, patch.line, limits)
        if ends is None or manner(fact) != "coroutine" or fixed:
            why = f"{name} is replaced at run time ({patch.path}:{patch.line})"
            yield Barrier("replaced-in-test", patch.path, patch.line, why, name)


def is_double(index: ProjectIndex, name: str, use: Loose, limits: Rules) -> bool:
    """Whether a place at which a function is assigned anew puts something there that can be made a coroutine function."""
    if use.reason != "rebound" or use.span is None or manner(index.fact(name)) != "coroutine":
        return False
    made = limits.doubles.assigning.is_double(use, index.fact(name).name)
    return made and not _is_closed(use.path, use.line, limits)


def _is_closed(path: str, line: int, limits: Rules) -> bool:
    return path in limits.closed or line in limits.closed_lines.get(path, ())


def _reasons(
    index: ProjectIndex, name: str, fact: Function, limits: Rules, ends: Ends | None, met: Met | None
) -> Iterable[tuple[str, str]]:
    """The codes and sentences' ends of what keeps a function sync, the plainest first."""
    path = index.path(name)
    if fact.kind == "property" and not (ends is not None and _only_tests_read(index, name)):
        yield "property", "is a property"
    if fact.kind == LAMBDA and not unfolds(index, name):
        yield "lambda", "is a lambda"
    if fact.kind == "class" and fact.outer:
        yield "class-body", "is the body of a class"
    elif fact.kind in ("module", "class"):
        yield "module-level", "runs when the module is imported"
    yield from _by_name(index, name, fact, limits)
    yield from unturnable(fact)
    if fact.is_generator and met is not None and not met.iterates:
        yield "generator", "is a generator, which a framework goes through"
    if met is not None and met.turns and _gives_coroutine(index, name):
        yield "use-awaited", "gives a coroutine, which its framework may await"
    if name in index.stopping and ends is None:
        yield "stop-iteration", f"may let out a StopIteration ({path}:{index.stopping[name]}), which no coroutine does"
    elif name in index.waited:
        where = index.waited[name].where(index)
        yield "stop-iteration", f"runs where something waits for a StopIteration ({where}), which no coroutine lets out"
    for decorator in fact.decorators:
        yield from _by_decorator(index, path, fact, decorator, limits, ends, met)
    if name in index.overridden and ends is None:
        yield "overridden", "is overridden, or overrides"
    if fact.owner_class:
        yield from _by_class(index, name, fact, ends)
    if name in limits.pins:
        yield "pinned", "is pinned in [tool.asyncfix]"
    if ends is not None and limits.socketless:
        yield "socketless", f"is of a project whose tests may open no socket ({limits.socketless}), as any event loop does"
    if name in limits.entry_points and met is None:
        yield "entry-point", "is an entry point of the project"
    if _is_closed(path, fact.line, limits):
        yield "not-editable", "stands where nothing may be edited"


def _by_name(index: ProjectIndex, name: str, fact: Function, limits: Rules) -> Iterable[tuple[str, str]]:
    """What Python itself calls by its name."""
    owner = index.evaluator.owner(index.functions[name]) or ""
    if fact.name in ("__init__", "__new__", "__post_init__"):
        yield "constructor", "is a constructor"
    elif fact.name == "__del__":
        yield "finalizer", "is called by Python when nothing holds the object any more"
    elif is_special(fact):
        yield from special.unturnable(index, name)
        asked = limits.given.asked(owner, fact.name)
        if asked is not None:
            yield "possible-caller", f"may be run of an object that is not known ({asked[0]}:{asked[1]})"
    elif fact.name == CALLED:
        given = limits.given.place(owner)
        if given is not None:
            yield PASSED, f"may be called by who is given such an object ({given[0]}:{given[1]})"
    elif fact.name.startswith("__") and fact.name.endswith("__"):
        yield "dunder", "is called by Python itself"


def _by_decorator(
    index: ProjectIndex, path: str, fact: Function, decorator: str, limits: Rules, ends: Ends | None, met: Met | None
) -> Iterable[tuple[str, str]]:
    if decorator in CACHES and manner(fact) == "coroutine":
        if not limits.caches:
            yield "not-declared", "is cached, which async-lru could do: the project does not declare it"
        return
    known = decorator == MANAGER or fact.kind == "property"
    kept = (
        known
        or (ends is not None and _kept(ends, met, ends.canonical(path, decorator)))
        or limits.wrappings.of(path, decorator) is not None
        or bool(limits.wrappings.versions(path, decorator))
        or limits.wrappings.gives_back(path, decorator)
    )
    if not kept and (met is None or met.turns) and not _transparent(index, path, decorator):
        code = "own-decorator" if limits.wrappings.is_own(path, decorator) else "unknown-decorator"
        yield code, f"has a decorator that may not keep a coroutine ({decorator.lstrip(':')})"


def _by_class(index: ProjectIndex, name: str, fact: Function, ends: Ends | None) -> Iterable[tuple[str, str]]:
    yield from _foreign(index, index.path(name), fact.owner_class, fact.name, ends)
    remaking = remade(index, index.path(name), fact.owner_class)
    if remaking:
        yield "unknown-decorator", f"is a method of a class whose {remaking} may wrap it"
    if fact.name in PROTOCOLS and name in index.handed:
        library, path, line = index.handed[name]
        yield "handed-to-library", f"may be called by {library}, which is handed such an object ({path}:{line})"


def _gives_coroutine(index: ProjectIndex, name: str) -> bool:
    """Whether a sync function may give back, not awaited, what a coroutine function gives, or a task of that."""
    fact, path = index.fact(name), index.path(name)
    sites = [edge.site for edge in index.calls.get(name, ()) if index.fact(edge.callee).is_async]
    made = [site for site in sites if isinstance(site, Call) and site.use != "awaited" and not _is_dropped(fact, site)]
    if not made or not fact.returned:
        return False
    return any(_may_be_awaitable(index, path, ref) for ref in fact.results or ("?",))


def _is_dropped(fact: Function, site: Call) -> bool:
    """Whether nothing is done with the value of a call, or of one that it is an argument of."""
    return any(call.alone and call.span.contains(site.span) for call in fact.calls)


def _may_be_awaitable(index: ProjectIndex, path: str, ref: str) -> bool:
    """Whether a function may give something to await that gives back what this means."""
    if ref == NONE:
        return False
    called = index.evaluator.evaluate(path, ref.removesuffix("()").removesuffix("!"))
    if any(each.name in AWAITABLES for each in called):
        return True
    if ref.endswith("()") and any(each.name in index.functions and index.fact(each.name).is_async for each in called):
        return True
    return not index.evaluator.evaluate(path, ref)


def _kept(ends: Ends, met: Met | None, decorator: str) -> bool:
    """Whether a decorator leaves a coroutine function what it is, or makes way for something that does."""
    return ends.keeps(decorator) or (met is not None and decorator in met.rewritten)


def _only_tests_read(index: ProjectIndex, name: str) -> bool:
    """Whether it is a plain property of a test's class, which is read and no more: what such a name gives can be awaited."""
    info = index.functions[name]
    plain = is_test(info.path) and info.fact.decorators == ("builtins.property",)
    return plain and all(edge.kind == "property" for edge in index.callers.get(name, ()))


def _transparent(index: ProjectIndex, path: str, decorator: str) -> bool:
    called = decorator.endswith("()")
    entities = index.evaluator.evaluate(path, decorator.removesuffix("()"))
    return bool(entities) and all(
        entity.kind == "external" and entity.name + ("()" if called else "") in KEEPING for entity in entities
    )


def _foreign(
    index: ProjectIndex, path: str, qualname: str, method: str, ends: Ends | None
) -> Iterable[tuple[str, str]]:
    class_id = index.evaluator.class_id(path, qualname)
    heirs = (
        (class_id, *index.subclasses.get(class_id, ())) if class_id else ()
    )  # a mixin has the bases of its heirs, too
    for base in dict.fromkeys(base for heir in heirs for base in index.evaluator.order(heir)[1:]):
        if (
            base not in index.classes
            and calls(base, method)
            and base not in special.BASES
            and not (ends is not None and ends.is_base(base))
        ):
            yield "foreign-base", f"is a method of a class whose base {base} may call it"
            return
