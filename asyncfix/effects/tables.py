"""Names that tell by themselves what a call or a decorator does, whatever it is called on."""

from __future__ import annotations

# Decorators that leave a coroutine function what it is, or await it themselves.
TRANSPARENT_DECORATORS = frozenset(
    {
        "builtins.staticmethod",
        "builtins.classmethod",
        "abc.abstractmethod",
        "functools.wraps()",
        "typing.override",
        "typing_extensions.override",
        "typing.final",
        "typing.no_type_check",
        "typing_extensions.final",
        "typing_extensions.deprecated()",
        "warnings.deprecated()",
        "tenacity.retry",
        "tenacity.retry()",
        "backoff.on_exception()",
        "backoff.on_predicate()",
        "stamina.retry()",
    }
)
# Others that take a coroutine function for what it is in all versions in use (they ask, or give on what it gives), and do more
# besides. Newest versions alone do: `responses.activate`, `parameterized.expand`.
AWAITING_DECORATORS = frozenset(
    {
        "beartype.beartype",
        "beartype.beartype()",
        "deprecated.deprecated",
        "deprecated.deprecated()",
        "deprecated.classic.deprecated()",
        "deprecated.sphinx.deprecated()",
        "deprecated.sphinx.versionadded()",
        "deprecated.sphinx.versionchanged()",
        "freezegun.freeze_time()",
        "pydantic.validate_arguments",
        "pydantic.validate_call",
        "pydantic.validate_call()",
        "sentry_sdk.trace",
        "sentry_sdk.trace()",
        "typeguard.typechecked",
        "typeguard.typechecked()",
        "vcr.use_cassette()",
    }
)
# Decorators that keep what a function gave: of a coroutine function one coroutine, which nobody may await twice.
CACHES = frozenset({"functools.cache", "functools.lru_cache", "functools.lru_cache()"})
# Decorators that touch nothing shared when the function is called, in whatever thread.
QUIET_DECORATORS = TRANSPARENT_DECORATORS | {
    "builtins.property",
    "functools.cached_property",
    *CACHES,
    "functools.total_ordering",
    "contextlib.contextmanager",
    "contextlib.asynccontextmanager",
    "typing.overload",
}
# Files in memory.
BUFFERS = frozenset({"io.BytesIO", "io.StringIO"})
