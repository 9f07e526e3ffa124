"""Classes of libraries of which it is known which methods of those who inherit from them they call: none, or their own names."""

from __future__ import annotations

import json
import logging
import threading

PASSIVE = frozenset(
    {
        "builtins.object",
        "builtins.Exception",
        "builtins.ValueError",
        "builtins.RuntimeError",
        "abc.ABC",
        "typing.Generic",
        "typing.Protocol",
        "typing_extensions.Protocol",
        "enum.Enum",
        "enum.StrEnum",
        "enum.IntEnum",
        "typing.NamedTuple",
        "typing.TypedDict",
        "builtins.str",
        "builtins.dict",
        "builtins.list",
        "pydantic.BaseModel",
        "pydantic_settings.BaseSettings",
    }
)
"""They call none by themselves."""

# By class all names that it has: under no other does it, or what works with it, reach into those who inherit from it.
NAMES = {
    "requests.Session": frozenset(
        {"request", "get", "options", "head", "post", "put", "patch", "delete", "send", "close", "mount"}
        | {"get_adapter", "prepare_request", "merge_environment_settings", "get_redirect_target", "should_strip_auth"}
        | {"resolve_redirects", "rebuild_auth", "rebuild_proxies", "rebuild_method", "redirect_cache"}
        | {"headers", "auth", "proxies", "hooks", "params", "stream", "verify", "cert", "max_redirects", "trust_env"}
        | {"cookies", "adapters", "__attrs__", "__enter__", "__exit__", "__getstate__", "__setstate__"}
    ),
    "threading.Thread": frozenset(dir(threading.Thread)),
    "json.JSONEncoder": frozenset(dir(json.JSONEncoder)),
    "logging.Handler": frozenset(dir(logging.Handler)),
    "logging.LoggerAdapter": frozenset(dir(logging.LoggerAdapter)),
}


def calls(base: str, method: str) -> bool:
    """Whether a class of a library may call a method of that name of a class that inherits from it."""
    return base not in PASSIVE and method in NAMES.get(base, (method,))
