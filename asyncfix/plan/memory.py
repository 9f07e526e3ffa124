"""Calls that would block on a file or a network, but work on memory here: a buffer, or a body that was read already."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asyncfix.effects.tables import BUFFERS
from asyncfix.link.index import External, ProjectIndex
from asyncfix.model import Api, Argument, Call

# Keywords under which a call takes a file in place of a path.
FILES = frozenset({"fileobj", "file", "fp", "filename", "filepath_or_buffer", "path_or_buf", "source", "buf", "io"})
BOTH = frozenset({"shutil.copyfileobj"})  # the first argument is read, the second written
REQUESTS = re.compile(r"(?:\.(?:get|post|put|patch|delete|head|options|request)|^requests\.\w+)\(\)~?$")
CONNECT = "sqlite3.connect"
BODIES = ("requests.Response.", "httpx.Response.")


def in_memory(index: ProjectIndex, external: External, api: Api) -> bool:
    """Whether a call of this row reads and writes nothing but memory."""
    path, call = index.path(external.caller), external.call
    if external.name.startswith(BODIES):
        return all(_was_read(index, external.caller, target) for target in call.targets)
    if external.name == CONNECT:
        return _is_memory(call)
    if external.name.startswith("sqlite3."):
        return bool(call.targets) and all(_of_memory(index, external.caller, target) for target in call.targets)
    if external.name in BOTH:
        return len(call.arguments) > 1 and all(_is_buffer(index, path, item) for item in call.arguments[:2])
    if api.flow != "file":
        return False  # a buffer that is sent blocks on the network
    if _on_buffer(index, path, call):
        return True
    return not _names_file(api) and all(_of_buffer(index, external.caller, target) for target in call.targets)


def _names_file(api: Api) -> bool:
    """Whether an argument of the call is a file, beside what it is called on."""
    return any(word.startswith("file@") for word in (*(api.reads or ()), *(api.writes or ())))


def _on_buffer(index: ProjectIndex, path: str, call: Call) -> bool:
    """Whether a call is given a buffer where it takes a file."""
    first = [item for item in call.arguments[:1] if not item.keyword]
    files = [item for item in call.arguments if item.keyword in FILES]
    return any(_is_buffer(index, path, item) for item in (*first, *files))


def _is_buffer(index: ProjectIndex, path: str, argument: Argument) -> bool:
    entities = index.evaluator.evaluate(path, argument.ref) if argument.ref else ()
    return bool(entities) and all(entity.kind == "value" and entity.name in BUFFERS for entity in entities)


def _of_buffer(index: ProjectIndex, function: str, target: str) -> bool:
    """Whether what a method is called on was made by this function, each time of a buffer."""
    maker, called, _ = target.partition("()")
    calls = list(_calls(index, function, maker)) if called else []
    return bool(calls) and all(_on_buffer(index, index.path(function), call) for call in calls)


def _is_memory(call: Call) -> bool:
    """Whether the database that is connected to is in memory, so far as a constant says so."""
    named = [item for item in call.arguments if item.keyword == "database"] or list(call.arguments[:1])
    text = next((item.literal for item in named if item.keyword in ("", "database")), "")
    return text == ":memory:" or text.startswith("file::memory:") or (text[:5] == "file:" and "mode=memory" in text)


def _of_memory(index: ProjectIndex, function: str, target: str) -> bool:
    """Whether a statement is one of a connection, or a cursor of it, that was made to a database in memory each time."""
    maker = target.partition("()")[0]
    if maker == CONNECT:
        made = [*_calls(index, function, CONNECT)]
    else:
        holder = maker.rpartition(".")[0]
        made = [call for name in _writing(index, function, holder) for call in _calls(index, name, CONNECT)]
    return bool(made) and all(map(_is_memory, made))


def _writing(index: ProjectIndex, function: str, holder: str) -> Iterator[str]:
    """The functions that give a variable of the module, or an attribute of its class, what it holds."""
    path, (owner, of_instance, _) = index.path(function), holder[1:].partition("!")
    for fact in index.summaries[path].functions if holder.startswith(":") and "@" not in holder else ():
        inside = fact.owner_class == owner if of_instance else fact.kind == "module"
        if inside and any(access.ref == holder and access.kind == "write" for access in fact.accesses):
            yield from index.evaluator.function_ids(path, fact.qualname) or (index.evaluator.module_id(path),)


def _was_read(index: ProjectIndex, function: str, target: str) -> bool:
    """Whether a method is one of a response whose request, in this function, read all of the body."""
    response = target.rpartition(".")[0].removesuffix(".raw")
    if REQUESTS.search(response) is None:
        return False
    calls = list(_calls(index, function, response.removesuffix("~").removesuffix("()")))
    return bool(calls) and not any(
        item.keyword in ("*", "**") or (item.keyword == "stream" and item.literal != "False")
        for call in calls
        for item in call.arguments
    )


def _calls(index: ProjectIndex, function: str, target: str) -> Iterator[Call]:
    return (call for call in index.fact(function).calls if target in call.targets)
