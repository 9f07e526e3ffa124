"""What tests replace, freeze and intercept: read off the calls of the whole project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from asyncfix.link.index import ProjectIndex
from asyncfix.model import Argument, Call

# Packages that take the place of a library's transport as soon as a test imports them.
INTERCEPTORS = {
    "responses": "requests",
    "requests_mock": "requests",
    "httpretty": "requests",
    "vcr": "requests",
    "betamax": "requests",
    "pook": "requests",
    "pyfakefs": "builtins.open",
}


@dataclass(frozen=True, slots=True)
class Patch:
    """One replacement.

    target  dotted name as a test writes it (``pkg.mod.requests.get``); for ``patch.object(x, "name")`` the meaning of x + name
    follows True if the replacement turns async by itself with its function (``patch`` without a ``new``)
    """

    target: str
    follows: bool
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Tests:
    """All replacements of the project, the places that freeze time, and the packages that intercept."""

    patches: tuple[Patch, ...]
    frozen: tuple[Patch, ...]
    intercepted: tuple[Patch, ...]


def find(index: ProjectIndex) -> Tests:
    """Read the project's tests (and whatever else replaces names)."""
    patches: list[Patch] = []
    frozen: list[Patch] = []
    for info in index.functions.values():
        for call in info.fact.calls:
            last = _last(call)
            if last in ("patch", "object", "setattr", "multiple", "delattr"):
                patches.extend(_patch(index, info.path, call, last))
            elif last in ("freeze_time", "travel") and _literal(call, "real_asyncio") != "True":
                frozen.append(Patch(last, False, info.path, call.line))
    patches.extend(_assigned(index))
    intercepted = [
        Patch(INTERCEPTORS[name], False, path, 1)
        for path, summary in index.summaries.items()
        for name in sorted(summary.imports & INTERCEPTORS.keys())
    ]
    first = {(patch.target, patch.follows): patch for patch in reversed(patches)}
    return Tests(tuple(reversed(first.values())), tuple(frozen), tuple(intercepted))


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


def _patch(index: ProjectIndex, path: str, call: Call, last: str) -> Iterable[Patch]:
    positional = [argument for argument in call.arguments if argument.keyword == ""]
    if not positional:
        return
    first = positional[0]
    string = first.literal if not first.ref else ""
    follows = last in ("patch", "object") and len(positional) == (1 if last == "patch" else 2) and not _has_new(call)
    if string:
        yield Patch(string, follows, path, call.line)
        return
    if len(positional) > 1 and positional[1].literal:
        name = positional[1].literal
        for entity in index.evaluator.evaluate(path, first.ref):
            base = entity.name if entity.kind != "module" else index.evaluator.modules.names[entity.name]
            yield Patch(f"{base}.{name}", follows, path, call.line)
        if not index.evaluator.evaluate(path, first.ref):
            yield Patch(f"?.{name}", follows, path, call.line)


def _has_new(call: Call) -> bool:
    return any(argument.keyword in ("new", "new_callable") for argument in call.arguments)


def _literal(call: Call, keyword: str) -> str:
    found: list[Argument] = [argument for argument in call.arguments if argument.keyword == keyword]
    return found[0].literal if found else ""


def replacing(tests: Tests, index: ProjectIndex, name: str, path: str) -> Patch | None:
    """The first test that replaces the library's ``name`` (``requests.get``) as the file ``path`` sees it."""
    module = index.evaluator.modules.names.get(path, "")
    top = name.partition(".")[0]
    for item in tests.intercepted:
        if name == item.target or top == item.target:
            return item
    for item in tests.patches:
        if _means(item.target, name, module) or _alias(index, item.target, name, path):
            return item
    return None


def _alias(index: ProjectIndex, target: str, name: str, path: str) -> bool:
    """Whether the replaced name is one that the project itself gave to ``name``: a variable, or an attribute of a class."""
    if not target.startswith("?."):
        parts = target.split(".")
        for size in range(len(parts) - 1, 0, -1):
            module = index.evaluator.modules.by_name.get(".".join(parts[:size]))
            if module is None:
                continue
            if module != path and len(parts) - size == 1:
                return False  # a variable of another module: this one has its own
            meant = index.evaluator.evaluate(module, ":" + ".".join(parts[size:]))
            return any(index.catalog.canonical(entity.name) == name for entity in meant if entity.kind == "external")
        return False
    last = target[2:]
    return any(
        last in item.attributes
        and any(entity.name == name for entity in index.evaluator.all(path, item.attributes[last]))
        for item in index.summaries[path].classes
    )


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
    # pkg.mod.requests.get replaces the attribute of the one module `requests`, for everybody
    return target.endswith("." + name) or (
        wanted_head != "" and target.endswith(f".{wanted_head.rpartition('.')[2]}.{last}") and last == wanted_last
    )
