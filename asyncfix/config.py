"""What the user configured: ``[tool.asyncfix]`` of a pyproject.toml, and the command-line flags laid over it.

Bytes in, a `Config` out. A key or a value that asyncfix does not know is an error: a misspelt key that is passed over
in silence is one that somebody relies on.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import msgspec

from asyncfix.model import Api, TypeRow, Value

Version: TypeAlias = tuple[int, int]

_VERSION = re.compile(r"(?:3\.|py3)(\d{1,2})")
_CLIENTS = ("httpx", "httpx2")
_STYLES = ("auto", "taskgroup", "gather", "ordered")
_KINDS = ("await", "with", "for", "plain")
# For the key `files`, and for the import name of a library.
_FILE_STRATEGIES = ("thread", "aiofiles")
_STRATEGIES = ("native", "thread")


class ConfigError(Exception):
    """The configuration cannot be used; the message is one line: the file (or flag), the key and the reason."""


class Config(Value, frozen=True):
    """What is configured; the defaults are those of a project that says nothing.

    select, extend_select, ignore   names of rules
    exclude          gitignore-style globs relative to the root: such files are read, but not edited
    pin              qualified names of functions that must stay as they are
    max_concurrency  how many operations generated code runs at once
    target_version   the oldest Python that must run the result; None: from the project
    module           dotted name of the module that takes generated code; None: ``_asyncfix`` in each package
    http_client      ``httpx`` or ``httpx2``
    concurrency_style   ``auto``, ``taskgroup``, ``gather`` or ``ordered``
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
    strategy: dict[str, str] = msgspec.field(default_factory=lambda: dict[str, str]())
    http_client: str = "httpx"
    concurrency_style: str = "auto"
    apis: tuple[Api, ...] = ()
    types: tuple[TypeRow, ...] = ()
    builtin_apis: bool = True


class _Http(msgspec.Struct):
    client: str = "httpx"


class _Concurrency(msgspec.Struct):
    style: str = "auto"


class _Table(msgspec.Struct, rename="kebab"):
    """The table as it stands in the file."""

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    pin: tuple[str, ...] = ()
    max_concurrency: int = 10
    target_version: str | None = None
    module: str | None = None
    strategy: dict[str, Any] = msgspec.field(default_factory=lambda: dict[str, Any]())
    http: _Http = msgspec.field(default_factory=_Http)
    concurrency: _Concurrency = msgspec.field(default_factory=_Concurrency)
    api: tuple[Api, ...] = ()
    type: tuple[TypeRow, ...] = ()
    builtin_apis: bool = True


def load(text: bytes, path: str) -> Config:
    """The configuration in the pyproject.toml at ``path``, the defaults if it has none. Raises ConfigError."""
    tool = _parse(text, path).get("tool")
    empty: dict[str, object] = {}
    raw = cast("dict[str, object]", tool).get("asyncfix", empty) if isinstance(tool, dict) else empty
    try:
        return _config(_checked(raw))
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


def _checked(raw: object) -> _Table:
    """The table with only known keys and values of the right type."""
    if isinstance(raw, dict):
        table = cast("dict[str, object]", raw)
        _refuse_unknown(table, _Table, "tool.asyncfix")
        for key, kind in (("http", _Http), ("concurrency", _Concurrency), ("api", Api), ("type", TypeRow)):
            value = table.get(key)
            for each in cast("list[object]", value) if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    _refuse_unknown(cast("dict[str, object]", each), kind, f"tool.asyncfix.{key}")
    try:
        return msgspec.convert(raw, _Table)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at ")
        key = "tool.asyncfix" + place.strip("`").removeprefix("$")
        raise ConfigError(f"`{key}`: {reason[:1].lower()}{reason[1:]}") from error


def _refuse_unknown(table: Mapping[str, object], kind: type[msgspec.Struct], where: str) -> None:
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    for key in table:
        if key not in known:
            raise ConfigError(f"`{where}`: unknown key `{_one_line(key)}`, did you mean `{nearest(key, known)}`?")


def _config(table: _Table) -> Config:
    if table.max_concurrency < 1:
        raise ConfigError("`tool.asyncfix.max-concurrency`: expected at least 1")
    if table.module is not None and not all(part.isidentifier() for part in table.module.split(".")):
        raise ConfigError(f"`tool.asyncfix.module`: `{_one_line(table.module)}` is no dotted module name")
    _check_member(table.http.client, _CLIENTS, "`tool.asyncfix.http.client`")
    _check_member(table.concurrency.style, _STYLES, "`tool.asyncfix.concurrency.style`")
    for number, row in enumerate(table.api):
        _check_member(row.kind, _KINDS, f"`tool.asyncfix.api[{number}].kind`")
    for key, value in table.strategy.items():
        _check_strategy(key, value, f"`tool.asyncfix.strategy.{_one_line(key)}`")
    version = table.target_version
    return Config(
        select=table.select,
        extend_select=table.extend_select,
        ignore=table.ignore,
        exclude=table.exclude,
        pin=table.pin,
        max_concurrency=table.max_concurrency,
        target_version=_version(version, "`tool.asyncfix.target-version`") if version is not None else None,
        module=table.module,
        strategy=table.strategy,
        http_client=table.http.client,
        concurrency_style=table.concurrency.style,
        apis=table.api,
        types=table.type,
        builtin_apis=table.builtin_apis,
    )


def _strategy_flag(pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not key or not equals:
        raise ConfigError(f"--strategy: `{_one_line(pair)}` is not KEY=VALUE")
    _check_strategy(key, value, f"--strategy: {_one_line(key)}")
    return key, value


def _check_strategy(key: str, value: object, where: str) -> None:
    _check_member(value, _FILE_STRATEGIES if key == "files" else _STRATEGIES, where)


def _check_member(value: object, allowed: Sequence[str], where: str) -> None:
    if value not in allowed:
        raise ConfigError(f"{where}: `{_one_line(str(value))}` is none of {', '.join(f'`{name}`' for name in allowed)}")


def _version(text: str, where: str) -> Version:
    """``3.11`` or ``py311``."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise ConfigError(f"{where}: `{_one_line(text)}` is no Python version such as 3.11 or py311")
    return 3, int(match.group(1))


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
