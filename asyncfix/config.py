"""What the user configured: ``[tool.asyncfix]`` of a pyproject.toml, and the command-line flags laid over it.

Bytes in, a `Config` out. A key or a value that asyncfix does not know is an error: a misspelt key that is passed over
in silence is one that somebody relies on.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias, cast

import msgspec

from asyncfix.model import Api, TypeRow, Value

Version: TypeAlias = tuple[int, int]

_VERSION = re.compile(r"(?:3\.|py3)(\d{1,2})")
_OLDEST: Version = (3, 5)
_CLIENTS = ("httpx", "httpx2")
_STYLES = ("auto", "taskgroup", "gather", "ordered")
FILES = "files"  # a key of strategies; the others are import names of libraries
CACHES = "async_lru"  # one that no row speaks of
_FILE_STRATEGIES = ("thread", "aiofiles")
_STRATEGIES = ("native", "thread")
# Of a row of `[[tool.asyncfix.api]]`.
_KINDS = ("await", "with", "for", "plain")
_FLOWS = ("network", "file", "metadata", "database", "process", "computation", "queue", "sleep", "input", "lock", "")
_EFFECTS = ("file", "argument", "receiver", "loop", "context", "global", "thread", "process-state")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*|\(\w*\))*(?:\.\*)?")


class ConfigError(Exception):
    """The configuration cannot be used; the message is one line: the file (or flag), the key and the reason."""


# Keys of the file that are not the name of the field with hyphens; a dot leads into a table.
_KEYS = {"http_client": "http.client", "concurrency_style": "concurrency.style", "apis": "api", "types": "type"}


class Config(Value, frozen=True, rename=lambda name: _KEYS.get(name, name.replace("_", "-"))):
    """What is configured; the defaults are those of a project that says nothing.

    select, extend_select, ignore   names of rules
    exclude          gitignore-style globs relative to the root: such files are read, but not edited
    pin              qualified names of functions that must stay as they are
    max_concurrency  how many operations generated code runs at once, at least 1
    target_version   the oldest Python that must run the result; None: from the project
    module           dotted name of the module that takes generated code; None: ``_asyncfix`` in each package
    http_client      ``httpx`` or ``httpx2``; None: what the project declares
    concurrency_style   ``auto`` (which is ``ordered``), ``taskgroup``, ``gather`` or ``ordered``
    strategy         library's import name -> ``native`` or ``thread``; ``files`` -> ``thread`` or ``aiofiles``
    apis, types      the user's own rows, which win over the built-in ones
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    pin: tuple[str, ...] = ()
    max_concurrency: int = 10
    target_version: Version | None = None
    module: str | None = None
    strategy: dict[str, Any] = msgspec.field(default_factory=lambda: dict[str, Any]())
    http_client: str | None = None
    concurrency_style: str = "auto"
    apis: tuple[Api, ...] = ()
    types: tuple[TypeRow, ...] = ()
    builtin_apis: bool = True


def load(text: bytes, path: str) -> Config:
    """The configuration in the pyproject.toml at ``path``, the defaults if it has none. Raises ConfigError."""
    tool = _parse(text, path).get("tool")
    empty: dict[str, object] = {}
    raw = cast("dict[str, object]", tool).get("asyncfix", empty) if isinstance(tool, dict) else empty
    try:
        return _config(raw)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def override(
    config: Config,
    *,
    select: Sequence[str] = (),
    extend_select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    exclude: Sequence[str] = (),
    strategy: Sequence[str] = (),
    target_version: str | None = None,
) -> Config:
    """The configuration with command-line flags laid over it; an empty flag changes nothing. Raises ConfigError.

    ``select`` replaces all that the file says about rules: what is asked for by name is not held back by the file.
    ``ignore`` and ``exclude`` replace, ``extend_select`` adds, ``strategy`` (``KEY=VALUE``) replaces key by key.
    """
    if select:
        config = msgspec.structs.replace(config, select=tuple(select), extend_select=(), ignore=())
    return msgspec.structs.replace(
        config,
        extend_select=(*config.extend_select, *extend_select),
        ignore=tuple(ignore) or config.ignore,
        exclude=tuple(exclude) or config.exclude,
        strategy=config.strategy | dict(_strategy_flag(pair) for pair in strategy),
        target_version=_version(target_version, "--target-version") if target_version else config.target_version,
    )


# -------------------------------------------------------------------------------------------------------------- reading


def _parse(text: bytes, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: not UTF-8 (at line {line})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply") from error


def _config(raw: object) -> Config:
    """The table with only known keys and values."""
    table = dict(_converted(raw, dict[str, Any], "tool.asyncfix"))
    _refuse_unknown(table, {name.partition(".")[0] for name in _keys(Config)}, "tool.asyncfix")
    for key in ("http", "concurrency"):
        inner = _converted(table.pop(key, {}), dict[str, Any], f"tool.asyncfix.{key}")
        known = [name.removeprefix(f"{key}.") for name in _keys(Config) if name.startswith(f"{key}.")]
        _refuse_unknown(inner, known, f"tool.asyncfix.{key}")
        table |= {f"{key}.{name}": value for name, value in inner.items()}
    for key, kind in (("api", Api), ("type", TypeRow)):
        for row in _tables(table.get(key)):
            _refuse_unknown(row, _keys(kind), f"tool.asyncfix.{key}")
    if "target-version" in table:
        version = _converted(table["target-version"], str | None, "tool.asyncfix.target-version")
        table["target-version"] = version and _version(version, "`tool.asyncfix.target-version`")
    config: Config = _converted(table, Config, "tool.asyncfix")
    _check(config)
    return config


def _tables(value: object) -> list[dict[str, object]]:
    """The tables in an array; what else is in it is refused when it is converted."""
    rows = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("dict[str, object]", row) for row in rows if isinstance(row, dict)]


def _converted(value: object, kind: Any, where: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at ")
        raise ConfigError(f"`{where}{place.strip('`').removeprefix('$')}`: {reason[:1].lower()}{reason[1:]}") from error


def _keys(kind: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _refuse_unknown(table: Mapping[str, object], known: Collection[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(f"`{where}`: unknown key `{_one_line(key)}`{_meant(key, known)}")


def _check(config: Config) -> None:
    """The values that their type alone does not settle."""
    if config.max_concurrency < 1:
        raise ConfigError("`tool.asyncfix.max-concurrency`: expected at least 1")
    if config.module is not None and not all(part.isidentifier() for part in config.module.split(".")):
        raise ConfigError(f"`tool.asyncfix.module`: `{_one_line(config.module)}` is no dotted module name")
    if config.http_client is not None:
        _check_member(config.http_client, _CLIENTS, "`tool.asyncfix.http.client`")
    _check_member(config.concurrency_style, _STYLES, "`tool.asyncfix.concurrency.style`")
    for number, row in enumerate(config.apis):
        _check_api(row, f"tool.asyncfix.api[{number}]")
    for number, item in enumerate(config.types):
        _check_name(item.value, f"`tool.asyncfix.type[{number}].value`")
        _check_name(item.type, f"`tool.asyncfix.type[{number}].type`")
    for key, value in config.strategy.items():
        _check_strategy(key, value, f"`tool.asyncfix.strategy.{_one_line(key)}`")


def _check_api(row: Api, where: str) -> None:
    _check_member(row.kind, _KINDS, f"`{where}.kind`")
    for key, words, known in (
        ("flow", (row.flow,), _FLOWS),
        ("outside", (row.outside,), ("", "read", "write", "query", "several")),
        ("pooled", (row.pooled,), ("", "once", "held")),
        ("reads", row.reads, _EFFECTS),
        ("writes", row.writes, _EFFECTS),
    ):
        for word in words or ():
            if word not in known:
                raise ConfigError(f"`{where}.{key}`: unknown word `{_one_line(word)}`{_meant(word, known)}")
    _check_name(row.call, f"`{where}.call`")
    if "." not in row.call:
        raise ConfigError(f"`{where}.call`: `{row.call}` names no module; write it as in `pkg.Client.get`")
    _check_name(row.twin, f"`{where}.async`")
    if row.gives:
        _check_name(row.gives, f"`{where}.gives`")


def _check_name(name: str, where: str) -> None:
    if _DOTTED.fullmatch(name) is None:
        raise ConfigError(f"{where}: `{_one_line(name)}` is no dotted name such as `pkg.Client.get`")


def _strategy_flag(pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not key or not equals:
        raise ConfigError(f"--strategy: `{_one_line(pair)}` is not KEY=VALUE")
    _check_strategy(key, value, f"--strategy: {_one_line(key)}")
    return key, value


def _meant(word: str, known: Collection[str]) -> str:
    return f", did you mean `{nearest(word, sorted(filter(None, known)))}`?"


def _check_strategy(key: str, value: object, where: str) -> None:
    _check_member(value, _FILE_STRATEGIES if key == FILES else _STRATEGIES, where)


def _check_member(value: object, allowed: Sequence[str], where: str) -> None:
    if value not in allowed:
        raise ConfigError(f"{where}: `{_one_line(str(value))}` is none of {', '.join(f'`{name}`' for name in allowed)}")


def _version(text: str, where: str) -> Version:
    """``3.11`` or ``py311``."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise ConfigError(f"{where}: `{_one_line(text)}` is no Python version such as 3.11 or py311")
    version = 3, int(match.group(1))
    if version < _OLDEST:
        raise ConfigError(f"{where}: Python {version[0]}.{version[1]} has no async functions; 3.5 was the first")
    return version


def _one_line(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]


# ---------------------------------------------------------------------------------------------------------------- names


def nearest(name: str, known: Sequence[str]) -> str:
    """The one of ``known`` (not empty) that is fewest typing errors away; of equals the first."""
    return min(known, key=lambda candidate: _distance(name[:100], candidate))


def _distance(left: str, right: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left):
        older, before, row = before, row, [i + 1]
        for j, b in enumerate(right):
            cost = min(before[j + 1] + 1, row[j] + 1, before[j] + (a != b))
            if i and j and a == right[j - 1] and b == left[i - 1]:
                cost = min(cost, older[j - 1] + 1)
            row.append(cost)
    return row[-1]
