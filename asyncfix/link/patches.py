"""What tests replace, freeze and intercept: read off the calls of the whole project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from asyncfix.facts.likeness import FOLLOWING
from asyncfix.link.entities import Entity
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Argument, Call, Span

# Packages that take the place of a library's transport, or make something do so, where a test or the program imports them.
INTERCEPTORS = {
    "responses": "requests",
    "requests_mock": "requests",
    "requests_cache": "requests",
    "httpretty": "requests",
    "vcr": "requests",
    "betamax": "requests",
    "pook": "requests",
    "pyfakefs": "builtins.open",
    "nest_asyncio": "asyncio.run",
}


@dataclass(frozen=True, slots=True)
class Patch:
    """One replacement.

    target  dotted name as a test writes it (``pkg.mod.requests.get``); for ``patch.object(x, "name")`` the meaning of x + name
    follows True if the replacement turns async by itself with its function (``patch`` without a ``new`` or a ``spec`` of its own)
    call    the span of the call that makes it, if it can be made one of a coroutine function
    binds   it is a function, which is bound if it is put on a class: an ``AsyncMock`` is not
    made_at the span of the call that makes it, whatever it is
    tests   the test functions in which it is in force; empty if that may be any (a fixture, a helper, a module)
    """

    target: str
    follows: bool
    path: str
    line: int
    tests: tuple[str, ...] = ()
    call: Span | None = None
    binds: bool = False
    made_at: Span | None = None


@dataclass(frozen=True, slots=True)
class Tests:
    """All replacements of the project, the places that freeze time, and the packages that intercept.

    ``patches`` are those that differ, ``every`` all of them.
    """

    patches: tuple[Patch, ...]
    every: tuple[Patch, ...]
    frozen: tuple[Patch, ...]
    intercepted: tuple[Patch, ...]


def find(index: ProjectIndex) -> Tests:
    """Read the project's tests (and whatever else replaces names)."""
    patches: list[Patch] = []
    frozen: list[Patch] = []
    by_path: dict[str, list[str]] = {}
    for name, info in index.functions.items():
        by_path.setdefault(info.path, []).append(name)
    for name, info in index.functions.items():
        for call in info.fact.calls:
            last = _last(call)
            if last in ("patch", "object", "setattr", "multiple", "delattr"):
                patches.extend(_patch(index, info.path, call, last, _tests(index, name, call, by_path)))
            elif last in ("freeze_time", "travel") and _literal(call, "real_asyncio") != "True":
                frozen.append(Patch(last, False, info.path, call.line, _tests(index, name, call, by_path)))
    patches.extend(_assigned(index))
    intercepted = [
        Patch(INTERCEPTORS[name], False, path, 1, _tests_of_file(index, path, by_path))
        for path, summary in index.summaries.items()
        for name in sorted(summary.imports & INTERCEPTORS.keys())
    ]
    first = {(patch.target, patch.follows, patch.tests): patch for patch in reversed(patches)}
    return Tests(tuple(reversed(first.values())), tuple(patches), tuple(frozen), tuple(intercepted))


def _tests(index: ProjectIndex, function: str, call: Call, by_path: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The tests in which what a call replaces is in force: the function it stands in, or the function or class it decorates."""
    beside = by_path[index.path(function)]
    below = (name for name in beside if index.fact(name).span.start >= call.span.end)
    next_below = min(below, key=lambda name: index.fact(name).span, default=function)
    fact = index.fact(next_below)
    if call.use == "decorator":
        return (next_below,) if _is_test(index, next_below) else ()
    if fact.kind == "class" and {f"{target}()" for target in call.targets} & set(fact.decorators):
        return tuple(name for name in beside if index.fact(name).owner_class == fact.qualname and _is_test(index, name))
    return (function,) if _is_test(index, function) else ()


def _tests_of_file(index: ProjectIndex, path: str, by_path: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    name = path.rpartition("/")[2]
    if name.startswith("test") or name.endswith("_test.py"):
        return tuple(name for name in by_path[path] if _is_test(index, name))
    return ()


def _is_test(index: ProjectIndex, function: str) -> bool:
    fact = index.fact(function)
    return fact.kind in ("function", "method") and not fact.outer and fact.name.startswith("test")


def _assigned(index: ProjectIndex) -> Iterable[Patch]:
    """Names of libraries that are assigned anew: ``mod.time.sleep = fake``."""
    for info in index.functions.values():
        for access in info.fact.accesses:
            head, _, last = access.ref.rpartition(".")
            if access.kind != "write" or not head.strip(":."):
                continue
            if not index.evaluator.evaluate(info.path, head) or "()" in head:
                yield Patch(f"?.{last}", False, info.path, access.line)
            for entity in index.evaluator.evaluate(info.path, head):
                if entity.kind == "external" and index.catalog.blocking(f"{entity.name}.{last}") is not None:
                    yield Patch(f"{entity.name}.{last}", False, info.path, access.line)


def _last(call: Call) -> str:
    return call.targets[0].rpartition(".")[2] if call.targets else ""


def _patch(index: ProjectIndex, path: str, call: Call, last: str, tests: tuple[str, ...]) -> Iterable[Patch]:
    positional = [argument for argument in call.arguments if argument.keyword == ""]
    if not positional:
        return
    first = positional[0]
    string = first.literal if not first.ref else ""
    follows = last in ("patch", "object") and len(positional) == (1 if last == "patch" else 2) and _is_made_alike(call)
    stated = _stated(call, last, positional)
    span = call.span if stated else None
    binds = any(_is_function(index, path, argument) for argument in stated)
    put_together = first.literal.rpartition("*")[2].rpartition(".")[2] if first.ref else ""
    if put_together.isidentifier():  # of the name that is replaced the end is known
        yield Patch(f"?.{put_together}", follows, path, call.line, tests, span, binds, call.span)
        return
    if string:
        yield Patch(string, follows, path, call.line, tests, span, binds, call.span)
        return
    if len(positional) > 1 and positional[1].literal:
        name = positional[1].literal
        for entity in index.evaluator.evaluate(path, first.ref):
            base = entity.name if entity.kind != "module" else index.evaluator.modules.names[entity.name]
            yield Patch(f"{base}.{name}", follows, path, call.line, tests, span, binds, call.span)
        if not index.evaluator.evaluate(path, first.ref):
            yield Patch(f"?.{name}", follows, path, call.line, tests, span, binds, call.span)


def _stated(call: Call, last: str, positional: Sequence[Argument]) -> tuple[Argument, ...]:
    """The replacements that a call states, if they can be called: something made, a function, a lambda."""
    if last not in ("patch", "object", "setattr") or any(item.keyword in ("*", "**") for item in call.arguments):
        return ()
    stated = [item for item in call.arguments if item.keyword in ("new", "new_callable", "value")]
    named = 1 if last == "patch" or (positional[0].literal and not positional[0].ref) else 2
    return tuple(item for item in (*stated, *positional[named:]) if item.ref)


def _is_function(index: ProjectIndex, path: str, argument: Argument) -> bool:
    """Whether a replacement is a function of the project, or what one gives that is to make it."""
    ref = f"{argument.ref}()" if argument.keyword == "new_callable" else argument.ref
    return any(entity.kind == "function" for entity in index.evaluator.evaluate(path, ref))


def _is_made_alike(call: Call) -> bool:
    """Whether ``patch`` makes the replacement by itself, after what it replaces and nothing else."""
    keywords = {argument.keyword: argument.literal for argument in call.arguments}
    like = {keywords[each] for each in FOLLOWING if each in keywords}
    return like <= {"True", "None", "False"} and keywords.keys().isdisjoint(("new", "new_callable", "**"))


def _literal(call: Call, keyword: str) -> str:
    found: list[Argument] = [argument for argument in call.arguments if argument.keyword == keyword]
    return found[0].literal if found else ""


def replacing(tests: Tests, index: ProjectIndex, name: str, path: str) -> Iterator[Patch]:
    """The replacements of the library's ``name`` (``requests.get``) as the file ``path`` sees it."""
    module = index.evaluator.modules.names.get(path, "")
    top = name.partition(".")[0]
    yield from (item for item in tests.intercepted if item.target in (name, top))
    meant: dict[str, bool] = {}  # many tests replace the same few names
    for item in tests.patches:
        if item.target not in meant:
            meant[item.target] = _means(item.target, name, module) or _alias(index, item.target, name, path)
        if meant[item.target]:
            yield item


def _alias(index: ProjectIndex, target: str, name: str, path: str) -> bool:
    """Whether the replaced name is one that the project itself gave to ``name``: a variable, or an attribute of a class."""
    if not target.startswith("?."):
        parts = target.split(".")
        for size in range(len(parts) - 1, 0, -1):
            module = index.evaluator.modules.by_name.get(".".join(parts[:size]))
            if module is None:
                continue
            if module != path and len(parts) - size == 1 and not name.split(".")[-2][:1].isupper():
                return False  # a variable of another module: this one has its own; objects are made anywhere
            meant = index.evaluator.evaluate(module, ":" + ".".join(parts[size:]))
            return any(_is_or_holds(index, entity, name) for entity in meant)
        return False
    last = target[2:]
    return any(
        last in item.attributes
        and any(_is_or_holds(index, entity, name) for entity in index.evaluator.all(path, item.attributes[last]))
        for item in index.summaries[path].classes
    )


def _is_or_holds(index: ProjectIndex, entity: Entity, name: str) -> bool:
    """Whether a thing is the library's ``name``, or what has the method ``name``: its class, an object of that."""
    meant = index.catalog.canonical(entity.name)
    owner = name.rpartition(".")[0]
    return (entity.kind == "external" and meant in (name, owner)) or (entity.kind == "value" and meant == owner)


def _means(target: str, name: str, module: str) -> bool:
    """Whether replacing ``target`` changes what ``name`` does in ``module``."""
    head, _, last = target.rpartition(".")
    wanted_head, _, wanted_last = name.rpartition(".")
    if head == "?":
        return last == wanted_last
    if target == name or name.startswith(target + ".") or target.startswith(name + "."):
        return True
    if module and (target == f"{module}.{name.partition('.')[0]}" or target == f"{module}.{wanted_last}"):
        return True
    # pkg.mod.requests.get replaces the attribute of the one module `requests`, for everybody; acme.Client has all its methods
    whole = (name, wanted_head) if "." in wanted_head else (name,)
    return target.endswith(tuple("." + part for part in whole)) or (
        wanted_head != "" and target.endswith(f".{wanted_head.rpartition('.')[2]}.{last}") and last == wanted_last
    )
