"""What a project states outside its Python code: which Python it needs, what it depends on, what it hands to others.

Files in as bytes, facts out. Nothing is executed: setup.py is parsed, and only what stands there literally counts. A
file that cannot be read states nothing here.
"""

from __future__ import annotations

import ast
import configparser
import contextlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName

from asyncfix.built import Listed, listed
from asyncfix.dependencies import add_dependency, names, setup_variables
from asyncfix.model import Value

Table: TypeAlias = Mapping[str, Any]

PYTEST = "pytest"
_RUFF_FILES = (".ruff.toml", "ruff.toml")  # the first that is there; it stands in place of all of pyproject.toml
_FILES = frozenset(("Pipfile", "pyproject.toml", "setup.cfg", "setup.py", "pytest.ini", "tox.ini", *_RUFF_FILES))
_AUTO = "--asyncio-mode=auto"
_SOCKETS = frozenset({"--disable-socket", "--allow-unix-socket"})
_DOCTESTS = (b"--doctest-modules", b"--xdoctest")
_PYTEST = (("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))
_CLAUSE = re.compile(r"(<=?|!=|===|[=>~]=|[>^~=]|(?<![\w.]))\s*v?(\d+)(?:\.(\d+))?(?:\.[\d*]+)*")
_UPPER = ("<", "<=", "!=")
_REFERENCE = re.compile(r"[\w.]+:[\w.]+")
_OF_OTHERS = re.compile(r"lint|doc|typ|mypy|build|release")
_REQUIREMENTS = re.compile(r"requirements[^/]*\.txt|requirements/[^/]+\.txt")
_RUNTIME_NAMES = "base|common|main|prod|production|requirements"
_RUNTIME_REQUIREMENTS = re.compile(rf"requirements\.txt|requirements/(?:{_RUNTIME_NAMES})\.txt")
_PLATFORMS = (("linux", "Linux", "posix"), ("darwin", "Darwin", "posix"), ("win32", "Windows", "nt"))
_NEWEST = (3, 14)
_BLACK_LINE_LENGTH = 88


class Project(Value, frozen=True):
    """Facts about a project; names of distributions are normalised (``typing-extensions``).

    requires_python   the oldest Python it says it runs on
    declared          distributions named anywhere: run-time, optional, for development
    runtime_declared  those installed with it on every platform
    dependency_file   where a run-time requirement can be added (`add_dependency`); None if it can not, or not there
    black             the line length, if the project configures black, or ruff as its formatter
    entry_points      ``pkg.mod:func``
    packages          names of the packages it distributes, if it says so
    built             what is built into its distribution, where that is listed
    test_file         the file that names pytest where something can be added beside it, None if there is none
    asyncio_auto      pytest-asyncio takes async tests and fixtures without a mark
    socketless        the file by which tests run without sockets (pytest-socket), '' if they have those of an event loop
    doctests          pytest is told to run the examples in docstrings
    """

    requires_python: tuple[int, int] | None = None
    declared: frozenset[str] = frozenset()
    runtime_declared: frozenset[str] = frozenset()
    dependency_file: str | None = None
    black: int | None = None
    entry_points: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    built: tuple[Listed, ...] = ()
    test_file: str | None = None
    asyncio_auto: bool = False
    socketless: str = ""
    doctests: bool = False


class _Source(Value, frozen=True):
    """What one kind of file says. ``runtime`` is None if it says nothing of run-time dependencies.

    Requirements are lines as pip takes them.
    """

    runtime: tuple[str, ...] | None = None
    other: tuple[str, ...] = ()
    python: str = ""
    entry_points: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def read_project(files: Mapping[str, bytes], tests: bool = False) -> Project:
    """The facts in a project's files: pyproject.toml, setup.cfg, setup.py, Pipfile, ruff.toml and requirements files of
    the root.

    Keys are paths relative to the root; other files are passed over. ``tests``: look for ``test_file`` too.
    """
    pyproject = _toml(files.get("pyproject.toml", b""))
    standard, poetry = _pep621(pyproject), _poetry(_table(pyproject, "tool", "poetry"))
    setup_cfg, setup_py = _setup_cfg(files.get("setup.cfg", b"")), _setup_py(files.get("setup.py", b""))
    pipfile, requirements = _pipfile(_toml(files.get("Pipfile", b""))), _requirements(files)
    installers = (standard, poetry, setup_cfg, setup_py)
    sources = (*installers, pipfile, requirements)
    # What is installed with the project is said by its installer; requirements files are for those without one.
    tested_by, testing = _pytest(files, pyproject)
    runtime = next((source.runtime for source in installers if source.runtime is not None), None)
    if runtime is None:
        runtime = (*(pipfile.runtime or ()), *(requirements.runtime or ()))
    python = next((lower for source in sources if (lower := lower_bound(source.python)) is not None), None)
    return Project(
        requires_python=python,
        declared=frozenset(names(line for source in sources for line in (*(source.runtime or ()), *source.other))),
        runtime_declared=frozenset(names(line for line in runtime if _is_unconditional(line, python or (3, 9)))),
        dependency_file=_dependency_file(files, pyproject, standard, (poetry, setup_cfg, setup_py, pipfile)),
        black=_black(pyproject, _ruff(files, pyproject)),
        entry_points=tuple(sorted({name for source in sources for name in _references(source.entry_points)})),
        packages=tuple(sorted({name for source in sources for name in source.packages if name.strip()})),
        built=listed(pyproject, _options_of(files.get("setup.cfg", b"")), _literals(files.get("setup.py", b""))),
        test_file=next(
            (path for path in sorted(files, key=_for_tests) if tests and _takes_beside_pytest(path, files[path])), None
        ),
        asyncio_auto=testing.get("asyncio_mode") == "auto" or _AUTO in _options(testing.get("addopts")),
        socketless=tested_by if _SOCKETS & _options(testing.get("addopts")) == frozenset({"--disable-socket"}) else "",
        doctests=any(option in data for data in files.values() for option in _DOCTESTS),
    )


def _for_tests(path: str) -> tuple[int, str]:
    """The order in which files are asked for pytest: those that tests are named in, then those of many things."""
    return (0 if "test" in path else 2 if _OF_OTHERS.search(path) else 1), path


def _takes_beside_pytest(path: str, data: bytes) -> bool:
    """Whether a file is one in which something can be declared beside pytest, which it names."""
    return is_project_file(path) and add_dependency(path, data, "x", PYTEST) is not None


def _pytest(files: Mapping[str, bytes], pyproject: Table) -> tuple[str, Mapping[str, object]]:
    """The first file that configures pytest, and what it says."""
    inside = _table(pyproject, "tool", "pytest", "ini_options")
    if inside:
        return "pyproject.toml", inside
    ini = ((name, _ini(files.get(name, b"")), section) for name, section in _PYTEST)
    for name, parser, section in ini:
        if parser.has_section(section):
            return name, dict(parser[section])
    return "", {}


def _options(stated: object) -> frozenset[str]:
    """Options of a command line that a text or a list has."""
    return frozenset(stated.split() if isinstance(stated, str) else _strings(stated))


def _ini(data: bytes) -> configparser.RawConfigParser:
    """What an INI file says, nothing if it cannot be read."""
    parser = configparser.RawConfigParser(strict=False)
    with contextlib.suppress(configparser.Error, UnicodeDecodeError):
        parser.read_string(data.decode("utf-8"))
    return parser


def is_project_file(path: str) -> bool:
    """True if `read_project` reads a file of this path, relative to the root."""
    return path in _FILES or _REQUIREMENTS.fullmatch(path) is not None


def lower_bound(specifier: str) -> tuple[int, int] | None:
    """The oldest Python that a specifier of PEP 440 or Poetry allows, None if it sets no such bound.

    A bare major version (``>=3``, ``>=3.0``) is none: nobody means Python 3.0 by it.
    """
    bounds: list[tuple[int, int]] = []
    for alternative in specifier.split("||"):
        found = _CLAUSE.findall(alternative)
        clauses = [(int(major), int(minor or 0)) for sign, major, minor in found if sign not in _UPPER]
        if not clauses:
            return None
        bounds.append(max(clauses))
    oldest = min(bounds)
    return oldest if oldest[1] else None


# ---------------------------------------------------------------------------------------------------------- the sources


def _pep621(pyproject: Table) -> _Source:
    project = _table(pyproject, "project")
    other = [*_flat(_table(project, "optional-dependencies")), *_flat(_table(pyproject, "dependency-groups"))]
    other += _flat(_table(pyproject, "tool", "pdm", "dev-dependencies"))
    other += _strings(_table(pyproject, "tool", "uv").get("dev-dependencies"))
    entry_points = [*_table(project, "scripts").values(), *_table(project, "gui-scripts").values()]
    entry_points += [name for group in _table(project, "entry-points").values() for name in _values(group)]
    wheel = _strings(_table(pyproject, "tool", "hatch", "build", "targets", "wheel").get("packages"))
    module = _table(pyproject, "tool", "flit", "module").get("name")
    packages = [*_strings(_table(pyproject, "tool", "setuptools").get("packages")), *_strings([module])]
    packages += _strings(_table(pyproject, "tool", "setuptools").get("py-modules"))
    packages += [path.rstrip("/").rpartition("/")[2] for path in wheel]
    return _Source(
        runtime=tuple(_strings(project["dependencies"])) if "dependencies" in project else None,
        other=tuple(other),
        python=_string(project.get("requires-python")),
        entry_points=tuple(_strings(entry_points)),
        packages=tuple(packages),
    )


def _poetry(poetry: Table) -> _Source:
    main = _table(poetry, "dependencies")
    groups = (_table(group, "dependencies") for group in _table(poetry, "group").values())
    scripts = [
        script if isinstance(script, str) else _table(script).get("callable", _table(script).get("reference"))
        for script in _table(poetry, "scripts").values()
    ]
    plugins = [name for group in _table(poetry, "plugins").values() for name in _values(group)]
    conditional = [name for name, value in main.items() if any(map(_is_conditional, _each(value)))]
    return _Source(
        runtime=tuple(name for name in main if name != "python" and name not in conditional) if main else None,
        other=(*conditional, *_table(poetry, "dev-dependencies"), *(name for group in groups for name in group)),
        python=_string(main.get("python")),
        entry_points=tuple(_strings([*scripts, *plugins])),
        packages=tuple(
            _string(_table(package).get("include")).split("/")[0] for package in _each(poetry.get("packages", []))
        ),
    )


def _is_conditional(value: object) -> bool:
    """Of a Poetry or Pipfile dependency: whether it is not always installed."""
    return any(_table(value).get(key) for key in ("optional", "markers", "python", "platform", "sys_platform"))


def _pipfile(pipfile: Table) -> _Source:
    main = _table(pipfile, "packages")
    conditional = [name for name, value in main.items() if _is_conditional(value)]
    return _Source(
        runtime=tuple(name for name in main if name not in conditional) if "packages" in pipfile else None,
        other=(*conditional, *_table(pipfile, "dev-packages")),
    )


def _setup_cfg(data: bytes) -> _Source:
    parser = _ini(data)
    options = _options_of(data)
    extras = parser.items("options.extras_require") if parser.has_section("options.extras_require") else []
    points = parser.items("options.entry_points") if parser.has_section("options.entry_points") else []
    other = [options.get("tests_require", ""), options.get("setup_requires", ""), *(value for _, value in extras)]
    installed = options.get("install_requires")
    packages = re.split(r"[\s,]+", options.get("packages", ""))
    return _Source(
        # `file: requirements.txt`: they are kept there.
        runtime=None if installed is None or installed.startswith("file:") else tuple(installed.splitlines()),
        other=tuple(line for value in other for line in value.splitlines()),
        python=options.get("python_requires", ""),
        entry_points=tuple(line for _, value in points for line in value.splitlines()),
        packages=tuple(name for name in packages if ":" not in name),
    )


def _options_of(setup_cfg: bytes) -> dict[str, str]:
    parser = _ini(setup_cfg)
    return dict(parser.items("options")) if parser.has_section("options") else {}


def _requirements(files: Mapping[str, bytes]) -> _Source:
    runtime: list[str] = []
    other: list[str] = []
    for path, data in files.items():
        if _REQUIREMENTS.fullmatch(path):
            lines = data.decode("utf-8", "replace").replace("\\\r\n", " ").replace("\\\n", " ").splitlines()
            (runtime if _RUNTIME_REQUIREMENTS.fullmatch(path) else other).extend(lines)
    return _Source(runtime=tuple(runtime), other=tuple(other))


def _setup_py(data: bytes) -> _Source:
    """What stands literally in the call of ``setup``, or in a variable of the module that is an argument of it."""
    tree = _parsed(data)
    variables = setup_variables(tree)
    arguments = _setup_arguments(tree, variables)
    literals = {key: _literal(value) for key, value in arguments.items()}
    installed = literals.get("install_requires")
    # Read from the requirements file: they are kept there. Made in some other way: not known, so none.
    elsewhere = "install_requires" not in arguments or (installed is None and b"requirements.txt" in data)
    points = literals.get("entry_points")
    keys = {"install_requires", "extras_require", "tests_require", "setup_requires"} & arguments.keys()
    return _Source(
        runtime=None if elsewhere else tuple(_lines(installed)),
        other=tuple(text for key in keys for text in _texts(arguments[key], variables)),
        python=_string(literals.get("python_requires")),
        entry_points=tuple(
            _lines(points) if isinstance(points, str) else _flat(_table(points)) if points else _named(tree)
        ),
        packages=tuple(_strings(literals.get("packages"))),
    )


def _literals(setup_py: bytes) -> dict[str, object]:
    """The arguments of ``setup`` that are literals."""
    tree = _parsed(setup_py)
    return {key: _literal(value) for key, value in _setup_arguments(tree, setup_variables(tree)).items()}


def _parsed(data: bytes) -> ast.Module:
    """A file of Python, an empty one if it cannot be read."""
    try:
        return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _named(tree: ast.Module) -> Iterator[str]:
    """Every text that may be an entry point, of a file that does not state them literally."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (line for line in node.value.splitlines() if _REFERENCE.search(line))


def _setup_arguments(tree: ast.Module, variables: Mapping[str, ast.expr]) -> dict[str, ast.expr]:
    """The keywords of the call of ``setup``; a name of the module's top level stands for what it is bound to."""
    arguments = {
        keyword.arg: keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")) == "setup"
        for keyword in node.keywords
        if keyword.arg
    }
    return {
        key: variables.get(value.id, value) if isinstance(value, ast.Name) else value
        for key, value in arguments.items()
    }


def _literal(node: ast.expr) -> object:
    """The value of a literal, None for anything else."""
    try:
        return cast("object", ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _texts(node: ast.expr, variables: Mapping[str, ast.expr]) -> Iterator[str]:
    """All strings in an expression, and in the variables that it names."""
    named = [variables[each.id] for each in ast.walk(node) if isinstance(each, ast.Name) and each.id in variables]
    for each in (each for root in (node, *named) for each in ast.walk(root)):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield from each.value.splitlines()


def _dependency_file(
    files: Mapping[str, bytes], pyproject: Table, standard: _Source, others: Sequence[_Source]
) -> str | None:
    """Where the run-time dependencies are kept by hand, if that is a place that `add_dependency` knows."""
    if standard.runtime is not None:
        return "pyproject.toml"
    dynamic = _table(pyproject, "tool", "setuptools", "dynamic", "dependencies").get("file")
    named = _strings(_each(dynamic))
    if named:
        return named[0] if len(named) == 1 and named[0] in files else None
    if any(source.runtime is not None for source in others):
        return None
    return "requirements.txt" if "requirements.txt" in files else None


def _black(pyproject: Table, ruff: Table) -> int | None:
    tool = _table(pyproject, "tool")
    if isinstance(tool.get("black"), Mapping):
        table = _table(tool, "black")
    elif isinstance(ruff.get("format"), Mapping) and _table(ruff, "format").get("indent-style") != "tab":
        table = ruff  # `ruff format` writes what black does, but where it indents by tabs
    else:
        return None  # of `[tool.ruff]` alone nobody knows whether it formats or only lints
    length = table.get("line-length", table.get("line_length"))
    return length if type(length) is int and length > 0 else _BLACK_LINE_LENGTH


def _ruff(files: Mapping[str, bytes], pyproject: Table) -> Table:
    name = next((name for name in _RUFF_FILES if name in files), None)
    return _table(pyproject, "tool", "ruff") if name is None else _toml(files[name])


# ---------------------------------------------------------------------------------------------------- requirement lines


def _is_unconditional(line: str, oldest: tuple[int, int]) -> bool:
    """Whether a requirement holds on every platform, for the oldest and for the newest Python."""
    text = re.sub(r"\s+(?:#|--).*", "", line).partition(";")[2].strip()
    if not text:
        return True
    try:
        marker = Marker(text)
        return all(
            marker.evaluate(
                {
                    "sys_platform": platform,
                    "platform_system": system,
                    "os_name": name,
                    "python_version": f"{version[0]}.{version[1]}",
                    "python_full_version": f"{version[0]}.{version[1]}.0",
                    "implementation_name": "cpython",
                    "platform_python_implementation": "CPython",
                    "platform_machine": "",
                    "extra": "",
                }
            )
            for platform, system, name in _PLATFORMS
            for version in (oldest, _NEWEST)
        )
    except (InvalidMarker, UndefinedEnvironmentName):
        return False


def _references(entry_points: Iterable[str]) -> Iterator[str]:
    """``pkg.mod:func`` of ``name = pkg.mod:func [extra]``."""
    for text in entry_points:
        match = _REFERENCE.match(text.rpartition("=")[2].strip())
        if match is not None:
            yield match.group()


# -------------------------------------------------------------------------------------------------- values of any shape


def _toml(data: bytes) -> Table:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return {}


def _table(value: object, *keys: str) -> Table:
    """The table under these keys, an empty one if there is none."""
    for key in keys:
        value = cast("Table", value).get(key) if isinstance(value, Mapping) else None
    return cast("Table", value) if isinstance(value, Mapping) else {}


def _values(value: object) -> list[object]:
    return list(_table(value).values())


def _each(value: object) -> list[object]:
    """The items of a list; anything else is one item."""
    return cast("list[object]", value) if isinstance(value, list) else [value]


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _strings(value: object) -> list[str]:
    """The strings in a list or tuple."""
    items = cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()
    return [item for item in items if isinstance(item, str)]


def _lines(value: object) -> list[str]:
    return value.splitlines() if isinstance(value, str) else _strings(value)


def _flat(table: Table) -> list[str]:
    """The strings in the lists (or texts) of a table."""
    return [line for value in table.values() for line in _lines(value)]
