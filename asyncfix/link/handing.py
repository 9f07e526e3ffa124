"""Objects of the project that are handed to a library, which calls methods of theirs by the names of a protocol.

`contextlib.closing(conn)` closes it, `print(file=log)` writes and flushes, `json.dump(x, log)` writes: none of them awaits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncfix.link.protocols import own_methods
from asyncfix.model import Argument

if TYPE_CHECKING:
    from asyncfix.link.index import ProjectIndex

STREAMS = frozenset(
    {"close", "closed", "write", "writelines", "flush", "read", "read1", "readable", "readall", "readinto", "readline"}
    | {"readlines", "seek", "seekable", "tell", "truncate", "writable", "fileno", "isatty", "detach", "getvalue"}
)
CHANNELS = frozenset(
    {"send", "sendall", "recv", "recv_into", "connect", "accept", "listen", "shutdown", "settimeout", "makefile"}
    | {
        "acquire",
        "release",
        "locked",
        "wait",
        "notify",
        "start",
        "stop",
        "run",
        "join",
        "cancel",
        "result",
        "put",
        "emit",
    }
    | {"handle", "filter", "format", "fit", "transform", "predict", "cursor", "commit", "rollback", "execute"}
)
CONTAINERS = frozenset(
    {"keys", "values", "items", "get", "pop", "append", "extend", "add", "remove", "update", "index", "count", "copy"}
    | {
        "insert",
        "clear",
        "setdefault",
        "throw",
        "next",
        "lower",
        "strip",
        "encode",
        "decode",
        "isoformat",
        "total_seconds",
    }
)
SPECIAL = frozenset({"__enter__", "__exit__", "__iter__", "__next__", "__call__"})
PROTOCOLS = STREAMS | CHANNELS | CONTAINERS | SPECIAL
# They keep what they are given, or look at its class.
KEEPING = (
    "builtins.",
    "typing.",
    "typing_extensions.",
    "collections.",
    "copy.",
    "dataclasses.",
    "weakref.",
    "functools.",
)
QUIET = (*KEEPING, "contextvars.", "queue.", "asyncio.", "logging.Logger.", "logging.getLogger", "types.", "abc.")


def handed(index: ProjectIndex) -> dict[str, tuple[str, str, int]]:
    """Methods that a library may call so, with the library's name and the place where it is handed the object."""
    found: dict[str, tuple[str, str, int]] = {}
    for function, externals in index.externals.items():
        path = index.path(function)
        for external in externals:
            for argument in external.call.arguments:
                if _may_be_ours(argument) and not _keeps(external.name, argument):
                    for owner in _classes(index, path, argument.ref):
                        found.setdefault(owner, (external.name, path, external.call.line))
    return {
        method: place
        for owner, place in found.items()
        for method in own_methods(index.evaluator, owner)
        if index.fact(method).name in PROTOCOLS
    }


def _may_be_ours(argument: Argument) -> bool:
    return bool(argument.ref) and not argument.ref.startswith(("?", "builtins."))


def _keeps(library: str, argument: Argument) -> bool:
    return library.startswith(QUIET) and not (library == "builtins.print" and argument.keyword == "file")


def _classes(index: ProjectIndex, path: str, ref: str) -> set[str]:
    """The classes of what is handed over, those they inherit from, and those that may stand in their place."""
    found: set[str] = set()
    for entity in index.evaluator.evaluate(path, ref):
        if entity.kind == "instance":
            found.update(index.evaluator.order(entity.name), index.subclasses.get(entity.name, ()))
    return found
