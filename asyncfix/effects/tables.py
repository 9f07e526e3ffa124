"""Names that tell by themselves what a call or a decorator does, whatever it is called on."""

from __future__ import annotations

# Methods of plain values, on receivers whose type is not known: harmless unless the project has a function of that name.
# Names that databases, sessions and paths have too (``get``, ``count``, ``replace``) are not among them.
VALUE_METHODS = frozenset(
    [
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "rsplit",
        "splitlines",
        "lower",
        "upper",
        "title",
        "capitalize",
        "casefold",
        "swapcase",
        "startswith",
        "endswith",
        "encode",
        "decode",
        "zfill",
        "ljust",
        "rjust",
        "center",
        "partition",
        "rpartition",
        "removeprefix",
        "removesuffix",
        "isdigit",
        "isalpha",
        "isalnum",
        "isspace",
        "isdecimal",
        "isnumeric",
        "isidentifier",
        "islower",
        "isupper",
        "istitle",
        "translate",
        "expandtabs",
        "items",
        "keys",
        "isoformat",
        "total_seconds",
        "timestamp",
        "group",
        "groups",
        "groupdict",
    ]
)
# Decorators that leave a coroutine function what it is, or await it themselves.
TRANSPARENT_DECORATORS = frozenset(
    {
        "builtins.staticmethod",
        "builtins.classmethod",
        "abc.abstractmethod",
        "typing.override",
        "typing_extensions.override",
        "typing.final",
        "typing.no_type_check",
        "warnings.deprecated",
        "tenacity.retry()",
        "backoff.on_exception()",
        "backoff.on_predicate()",
        "stamina.retry()",
    }
)
# Decorators that touch nothing shared when the function is called, in whatever thread.
QUIET_DECORATORS = TRANSPARENT_DECORATORS | {
    "builtins.property",
    "functools.cached_property",
    "functools.cache",
    "functools.lru_cache",
    "functools.lru_cache()",
    "functools.wraps()",
    "functools.total_ordering",
    "contextlib.contextmanager",
    "typing.overload",
}
