"""What a project states outside its Python code, and the line that adds a dependency."""

from __future__ import annotations

import tomllib
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from asyncfix.dependencies import add_dependency
from asyncfix.project import Project, is_project_file, lower_bound, read_project


def read(**files: str) -> Project:
    """The facts of a project with these files; ``__`` in a name is a dot, ``___`` a slash."""
    return read_project(
        {name.replace("___", "/").replace("__", "."): dedent(text).encode("utf-8") for name, text in files.items()},
        tests=True,
    )


def test_nothing_states_nothing() -> None:
    """Nor do files that cannot be read."""
    assert read() == Project()
    broken: dict[str, bytes] = dict.fromkeys(("pyproject.toml", "setup.cfg", "setup.py", "Pipfile"), b"\xff[[")
    assert read_project(broken) == Project()
    assert read(pyproject__toml="project = 1\ntool = [1]\n", setup__py="setup(**x)\n") == Project()


def test_which_files_are_read() -> None:
    """Those of the root, and the requirements in a folder of that name."""
    read_ones = ["pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "requirements.txt", "requirements-dev.txt"]
    assert all(map(is_project_file, [*read_ones, "requirements/base.txt"]))
    assert not any(
        map(is_project_file, ["a/pyproject.toml", "a/requirements.txt", "requirements/a/b.txt", "setup.pyi"])
    )


# ------------------------------------------------------------------------------------------------------------ versions


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        (">=3.9", (3, 9)),
        (">= 3.9, < 4", (3, 9)),
        ("<4,>=3.10", (3, 10)),
        (">3.8", (3, 8)),
        ("~=3.11", (3, 11)),
        ("~=3.11.2", (3, 11)),
        ("==3.12.*", (3, 12)),
        ("^3.9", (3, 9)),
        ("~3.9", (3, 9)),
        ("3.9.*", (3, 9)),
        ("^3.9 || ^3.7", (3, 7)),
        (">=3.8.1,!=3.9.7", (3, 8)),
        (">=3", None),
        (">=3.0.0,<4", None),
        (">=3,>=3.8", (3, 8)),
        (">=3.8rc1", (3, 8)),
        ("<4", None),
        ("!=3.9", None),
        ("^3.9 || <3", None),
        ("*", None),
        ("", None),
    ],
)
def test_lower_bounds(specifier: str, expected: tuple[int, int] | None) -> None:
    """As PEP 440 and Poetry write them."""
    assert lower_bound(specifier) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject__toml", '[project]\nrequires-python = ">=3.9"\n'),
        ("pyproject__toml", '[tool.poetry.dependencies]\npython = "^3.9"\n'),
        ("setup__cfg", "[options]\npython_requires = >=3.9\n"),
        ("setup__py", "import setuptools\nsetuptools.setup(python_requires='>=3.9')\n"),
    ],
)
def test_the_oldest_python(name: str, text: str) -> None:
    """Wherever it is stated."""
    assert read(**{name: text}).requires_python == (3, 9)


def test_the_standard_place_wins() -> None:
    """Over older ones."""
    project = read(
        pyproject__toml='[project]\nrequires-python = ">=3.10"\n', setup__cfg="[options]\npython_requires = >=3.7\n"
    )
    assert project.requires_python == (3, 10)


# -------------------------------------------------------------------------------------------------------- dependencies


def test_dependencies_of_a_standard_project() -> None:
    """Names are normalised; only what is always installed is of the run time."""
    project = read(
        pyproject__toml="""
        [project]
        dependencies = [
            "Requests[socks] >=2,<3",
            "typing_extensions; python_version < '3.10'",
            "zope.interface @ https://example.org/z.zip",
            "colorama; sys_platform == 'win32'",
            "httpx; python_version >= '3.9'",
        ]
        [project.optional-dependencies]
        fast = ["orjson"]
        [dependency-groups]
        dev = ["pytest>=8", {include-group = "fast"}]
        [tool.uv]
        dev-dependencies = ["ruff"]
        [tool.pdm.dev-dependencies]
        lint = ["black"]
        """,
        requirements__txt="pinned==1.0\n",
    )
    runtime = {"requests", "zope-interface", "httpx"}
    assert project.runtime_declared == runtime
    others = {"typing-extensions", "colorama", "orjson", "pytest", "ruff", "black", "pinned"}
    assert project.declared == runtime | others
    assert project.dependency_file == "pyproject.toml"


def test_requirements_files() -> None:
    """Options, comments, addresses and continued lines are what they are to pip."""
    project = read(
        requirements__txt="""\
        # comment
        -r other.txt
        --index-url https://example.org
        Flask==2.0 \\
            --hash=sha256:00
        httpx  # why
        redis>=5 ; python_version >= "3.9" and python_version < "4.0"
        uvloop ; sys_platform != "win32"
        -e git+https://example.org/x.git#egg=My_Egg
        git+https://example.org/y.git
        ./local
        """,
        **{
            "requirements-dev__txt": "pytest\n",
            "requirements___base__txt": "attrs\n",
            "requirements___docs__txt": "sphinx\n",
        },
    )
    assert project.runtime_declared == {"flask", "httpx", "redis", "my-egg", "attrs"}
    assert project.declared == project.runtime_declared | {"uvloop", "pytest", "sphinx"}
    assert project.dependency_file == "requirements.txt"


def test_poetry() -> None:
    """Its groups are not of the run time; its file is not one we add to."""
    project = read(
        pyproject__toml="""
        [tool.poetry.dependencies]
        python = "^3.9"
        requests = "^2"
        orjson = {version = "^3", optional = true}
        tomli = {version = "^2", python = "<3.11"}
        multi = [{version = "1", python = "<3.10"}, {version = "2", python = ">=3.10"}]
        [tool.poetry.dev-dependencies]
        black = "*"
        [tool.poetry.group.test.dependencies]
        pytest = "*"
        """,
        requirements__txt="exported==1\n",
    )
    assert project.runtime_declared == {"requests"}
    assert project.declared == {"requests", "orjson", "tomli", "multi", "black", "pytest", "exported"}
    assert project.dependency_file is None


def test_setup_cfg() -> None:
    """Declared there, a requirements file is not the place."""
    project = read(
        setup__cfg="""
        [options]
        packages = pkg, pkg.sub
        install_requires =
            requests>=2
            httpx
        [options.extras_require]
        dev =
            pytest
        [options.entry_points]
        console_scripts =
            tool = pkg.cli:main
        """,
        requirements__txt="requests\n",
    )
    assert project.runtime_declared == {"requests", "httpx"}
    assert project.declared == {"requests", "httpx", "pytest"}
    assert project.dependency_file is None
    assert project.entry_points == ("pkg.cli:main",)
    assert project.packages == ("pkg", "pkg.sub")


def test_setup_py_is_read_and_never_run() -> None:
    """Literals, and names bound to one."""
    project = read(setup__py="""
        import setuptools
        raise SystemExit("canary")
        REQUIRES = ["requests", "httpx>=0.27"]
        setuptools.setup(
            install_requires=REQUIRES,
            extras_require={"dev": ["pytest"], "all": ["x"] + REQUIRES},
            packages=["pkg"],
            entry_points={"console_scripts": ["tool=pkg.cli:main [dev]"]},
        )
        """)
    assert project.runtime_declared == {"requests", "httpx"}
    assert project.declared >= {"requests", "httpx", "pytest"}
    assert project.dependency_file is None
    assert project.entry_points == ("pkg.cli:main",)
    assert project.packages == ("pkg",)


@pytest.mark.parametrize(
    ("setup", "runtime", "place"),
    [
        ("setup(install_requires=open('requirements.txt').read().split())", {"flask"}, "requirements.txt"),
        ("setup(install_requires=compute())", set[str](), None),
        ("setup(install_requires=['a'] + more)", set[str](), None),
        ("setup(install_requires='a\\nb')", {"a", "b"}, None),
        ("setup(name='x')", {"flask"}, "requirements.txt"),
        ("", {"flask"}, "requirements.txt"),
    ],
)
def test_setup_py_that_computes(setup: str, runtime: set[str], place: str | None) -> None:
    """What is read from the requirements file is kept there; what is made in another way is not known."""
    project = read(setup__py=setup, requirements__txt="flask\n")
    assert project.runtime_declared == runtime
    assert project.dependency_file == place


def test_pipfile() -> None:
    """The lock file is Pipenv's business, so is the line."""
    project = read(
        Pipfile="""
        [packages]
        requests = "*"
        colorama = {version = "*", sys_platform = "== 'win32'"}
        [dev-packages]
        pytest = "*"
        """,
        requirements__txt="flask\n",
    )
    assert project.runtime_declared == {"requests", "flask"}
    assert project.declared == {"requests", "flask", "colorama", "pytest"}
    assert project.dependency_file is None


@pytest.mark.parametrize(
    ("file", "place"),
    [('"requirements.txt"', "requirements.txt"), ('["requirements.txt"]', "requirements.txt"), ('["a", "b"]', None)],
)
def test_dynamic_dependencies_are_kept_where_they_are_read_from(file: str, place: str | None) -> None:
    """By setuptools, from a file."""
    text = f'[project]\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\ndependencies = {{file = {file}}}\n'
    project = read(pyproject__toml=text, requirements__txt="httpx\n")
    assert project.dependency_file == place
    assert project.runtime_declared == {"httpx"}


def test_setup_cfg_may_name_a_file() -> None:
    """Then that is the place."""
    project = read(setup__cfg="[options]\ninstall_requires = file: requirements.txt\n", requirements__txt="httpx\n")
    assert project.runtime_declared == {"httpx"}
    assert project.dependency_file == "requirements.txt"


# ----------------------------------------------------------------------------------------------------------- the others


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool.black]\n", 88),
        ("[tool.black]\nline-length = 100\n", 100),
        ("[tool.black]\nline_length = 79\n", 79),
        ("[tool.black]\nline-length = true\n", 88),
        ("[tool.ruff]\nline-length = 100\n", None),
        ("[tool.ruff]\nline-length = 100\n[tool.ruff.format]\n", 100),
        ("[tool.ruff.format]\nquote-style = 'single'\n", 88),
        ("[tool.ruff.format]\nindent-style = 'tab'\n", None),
        ("[tool.black]\nline-length = 79\n[tool.ruff]\nline-length = 100\n[tool.ruff.format]\n", 79),
        ("tool.black = 3\n", None),
    ],
)
def test_black(text: str, expected: int | None) -> None:
    """The line length if its table is there, or that of ruff's formatter."""
    assert read(pyproject__toml=text).black == expected


def test_ruff_in_a_file_of_its_own() -> None:
    """It stands in place of what pyproject.toml says about ruff."""
    files = {"ruff.toml": b"line-length = 100\n[format]\n", "pyproject.toml": b"[tool.ruff.format]\n"}
    assert read_project(files).black == 100
    assert read_project(files | {"ruff.toml": b"line-length = 100\n"}).black is None
    assert read_project(files | {".ruff.toml": b"line-length = 120\n[format]\n"}).black == 120


def test_entry_points_and_packages() -> None:
    """Of every table that can hold them, sorted, each once."""
    project = read(
        pyproject__toml="""
        [project.scripts]
        a = "pkg.a:main"
        again = "pkg.a:main"
        [project.gui-scripts]
        b = "pkg.b:App.run [gui]"
        [project.entry-points.pytest11]
        c = "pkg.c:plugin"
        module = "pkg.module"
        [tool.poetry]
        packages = [{include = "pkg2/sub", from = "src"}]
        [tool.poetry.scripts]
        d = "pkg.d:main"
        e = {callable = "pkg.e:main", extras = ["x"]}
        f = {reference = "pkg.f:main", type = "console"}
        [tool.poetry.plugins."x.y"]
        g = "pkg.g:hook"
        [tool.setuptools]
        packages = ["pkg", "pkg.sub"]
        py-modules = ["single"]
        [tool.hatch.build.targets.wheel]
        packages = ["src/hatched"]
        [tool.flit.module]
        name = "flitted"
        """,
        setup__py='setup(entry_points="[console_scripts]\\nh = pkg.h:main\\n")',
    )
    names = ["a:main", "b:App.run", "c:plugin", "d:main", "e:main", "f:main", "g:hook", "h:main"]
    assert project.entry_points == tuple(f"pkg.{name}" for name in names)
    assert project.packages == ("flitted", "hatched", "pkg", "pkg.sub", "pkg2", "single")


def test_packages_that_are_searched_are_not_stated() -> None:
    """Only lists count."""
    project = read(
        pyproject__toml='[tool.setuptools.packages.find]\nwhere = ["src"]\n',
        setup__cfg="[options]\npackages = find:\n",
        setup__py="setup(packages=find_packages())",
    )
    assert project.packages == ()


@given(
    st.dictionaries(
        st.sampled_from(["pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "requirements.txt"]),
        st.one_of(st.binary(max_size=80), st.text("[]{}=:;,\n\"' ab3.-_#@>tolprjec", max_size=80).map(str.encode)),
    )
)
def test_any_bytes_are_survived(files: dict[str, bytes]) -> None:
    """Facts or none, never an exception."""
    assert isinstance(read_project(files), Project)


# -------------------------------------------------------------------------------------------------------- one line more


def added(path: str, text: str, requirement: str = "httpx>=0.27") -> str | None:
    """The text with the requirement, None if there is no edit."""
    data = text.encode("utf-8")
    edit = add_dependency(path, data, requirement)
    if edit is None:
        return None
    return (data[: edit.span.start] + edit.text.encode("utf-8") + data[edit.span.end :]).decode("utf-8")


HEAD = '# \u00e9\n[project]\nname = "x"\ndependencies = '
TAIL = '\n\n[project.optional-dependencies]\ndependencies = ["a"]\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[]", '["httpx>=0.27"]'),
        ("[ ]", '["httpx>=0.27" ]'),
        ("[\n]", '[\n    "httpx>=0.27",\n]'),
        ("[\n  # none yet\n]", '[\n    "httpx>=0.27",\n  # none yet\n]'),
        ('["a"]', '["a", "httpx>=0.27"]'),
        ('["a",]', '["a", "httpx>=0.27",]'),
        ("['a']", "['a', 'httpx>=0.27']"),
        ('[ "a", "b" ]', '[ "a", "b", "httpx>=0.27" ]'),
        ('[\n  "a",\n  "b",\n]', '[\n  "a",\n  "b",\n  "httpx>=0.27",\n]'),
        ('[\n\t"a"\n]', '[\n\t"a",\n\t"httpx>=0.27"\n]'),
        ('[\n    "a",  # why, or "not"\n]', '[\n    "a",  # why, or "not"\n    "httpx>=0.27",\n]'),
        ('[\n    "a"  # why\n    # end\n]', '[\n    "a",  # why\n    "httpx>=0.27"\n    # end\n]'),
        ('[\n    "a",\n    # end\n]', '[\n    "a",\n    "httpx>=0.27",\n    # end\n]'),
        ('["a",\n "b"]', '["a",\n "b", "httpx>=0.27"]'),
        ('["a",\n "b",\n]', '["a",\n "b",\n "httpx>=0.27",\n]'),
        ('["a",\n]', '["a",\n    "httpx>=0.27",\n]'),
        ('[\n    "a; python_version < \'3\'",\n    "b[x,y]",\n]', None),
        ('[\n    "a"\n    ,\n]', None),
        ('[\n    "a"  # one\n    ,  # two\n]', None),
    ],
)
def test_a_standard_project_gets_one_line(before: str, after: str | None) -> None:
    """In the manner of the lines that are there; nothing else moves."""
    for newline in ("\n", "\r\n"):
        text = (HEAD + before + TAIL).replace("\n", newline)
        result = added("pyproject.toml", text)
        assert result is not None
        assert result.count("\n") == result.count(newline)
        if after is not None:
            assert result == (HEAD + after + TAIL).replace("\n", newline)
        expected = tomllib.loads(text)
        expected["project"]["dependencies"].append("httpx>=0.27")
        assert tomllib.loads(result) == expected


def test_the_right_array_is_found() -> None:
    """Though others look the same."""
    text = '[tool.x]\ndependencies = []\n[project]\nname = "x"\n"dependencies" = []\n[tool.y]\ndependencies = []\n'
    expected = text.replace('"dependencies" = []', '"dependencies" = ["httpx>=0.27"]')
    assert added("pyproject.toml", text) == expected


@pytest.mark.parametrize("text", ['project.dependencies = ["a"]\n', 'project = {name = "x", dependencies = ["a"]}\n'])
def test_other_ways_to_write_the_table(text: str) -> None:
    """Dotted and inline."""
    assert added("pyproject.toml", text) == text.replace('["a"]', '["a", "httpx>=0.27"]')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[project]\nname = 'x'\n",
        "[project]\ndependencies = 'a'\n",
        "[project]\ndependencies = [\n",
        "project = 1\n",
        "[tool.poetry.dependencies]\na = '*'\n",
        "\ufeff[project]\ndependencies = []\n",
    ],
)
def test_without_a_standard_array_there_is_no_edit(text: str) -> None:
    """Nor in what is no TOML."""
    assert added("pyproject.toml", text) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "httpx>=0.27\n"),
        ("\n", "httpx>=0.27\n\n"),
        ("a\nb\n", "a\nb\nhttpx>=0.27\n"),
        ("a\nb", "a\nb\nhttpx>=0.27"),
        ("a\r\nb\r\n", "a\r\nb\r\nhttpx>=0.27\r\n"),
        ("a\r\nb", "a\r\nb\r\nhttpx>=0.27"),
        ("a  \n\n\n", "a  \nhttpx>=0.27\n\n\n"),
        ("a  ", "a  \nhttpx>=0.27"),
        ("a\n# \u00e9nd\n", "a\n# \u00e9nd\nhttpx>=0.27\n"),
        ("\ufeffa\n", "\ufeffa\nhttpx>=0.27\n"),
    ],
)
def test_a_requirements_file_gets_one_line(before: str, after: str) -> None:
    """Behind the last one, with the file's own line ends."""
    assert added("requirements.txt", before) == after


@pytest.mark.parametrize(
    "text",
    [
        "#\n# This file is autogenerated by pip-compile with Python 3.11\n#\na==1\n",
        "# This file was generated by a tool\na==1\n",
        "a==1 \\\n    --hash=sha256:00\n",
        "a==1 \\\n",
        "a\0b\n",
    ],
)
def test_a_requirements_file_of_a_tool_is_left_alone(text: str) -> None:
    """The line would be lost, or break the install; so is an open end."""
    assert added("requirements.txt", text) is None


def test_text_that_is_not_utf8_is_left_alone() -> None:
    """Windows shells write UTF-16."""
    assert add_dependency("requirements.txt", "a\n".encode("utf-16"), "b") is None
    assert add_dependency("pyproject.toml", b"[project]\ndependencies = []\nx = '\xff'", "b") is None


ITEMS = st.sampled_from(['"a"', "'b>=1'", '"c[x,y]"', "\"d; os_name == 'nt'\"", '"""e"""', '"\\u0066 # no"', "'''g'''"])
GAPS = st.sampled_from(["", " ", "\n", "\n    ", "\n\t", " # c, 'd' ]\n", "\n    # \u00e9 [\n  "])


@settings(max_examples=300)
@given(st.lists(st.tuples(GAPS, ITEMS, GAPS), max_size=4), GAPS, st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_every_array_gets_exactly_one_more(
    items: list[tuple[str, str, str]], last: str, comma: bool, newline: str
) -> None:
    """However it is written; the result is the same document with one more dependency."""
    body = ",".join("".join(item) for item in items) + ("," if comma and items else "")
    text = f"{HEAD}[{body}{last}]{TAIL}".replace("\n", newline)
    expected = tomllib.loads(text)
    result = added("pyproject.toml", text)
    assert result is not None
    expected["project"]["dependencies"].append("httpx>=0.27")
    assert tomllib.loads(result) == expected
    assert len(result) <= len(text) + len("httpx>=0.27") + 12


@given(
    st.lists(st.sampled_from(["a", "b==1", "# c", "", "  ", "-r x.txt", "d ; os_name == 'nt'"]), max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_every_requirements_file_gets_exactly_one_more(lines: list[str], newline: str, ended: bool) -> None:
    """No other line changes."""
    text = newline.join(lines) + (newline if ended and lines else "")
    result = added("requirements.txt", text)
    assert result is not None
    assert str(Requirement("httpx>=0.27")) in result.splitlines()
    kept = [line for line in result.splitlines() if line != "httpx>=0.27"]
    assert [line for line in kept if line.strip()] == [line for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("files", "auto"),
    [
        ({"pyproject.toml": b"[tool.pytest.ini_options]\nasyncio_mode = 'auto'\n"}, True),
        ({"pyproject.toml": b"[tool.pytest.ini_options]\nasyncio_mode = 'strict'\n"}, False),
        ({"pytest.ini": b"[pytest]\nasyncio_mode = auto\n"}, True),
        ({"setup.cfg": b"[tool:pytest]\nasyncio_mode=auto\n"}, True),
        ({"tox.ini": b"[pytest]\nasyncio_mode=auto\n"}, True),
        ({"tox.ini": b"[pytest\n"}, False),
        ({"pytest.ini": b"[pytest]\naddopts = -q --asyncio-mode=auto\n"}, True),
        ({}, False),
    ],
)
def test_the_mode_of_pytest_asyncio(files: dict[str, bytes], auto: bool) -> None:
    """Wherever pytest is configured."""
    assert read_project(files).asyncio_auto is auto


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"pytest.ini": b"[pytest]\naddopts =\n    -q\n    --disable-socket\n"}, "pytest.ini"),
        ({"pyproject.toml": b"[tool.pytest.ini_options]\naddopts = ['--disable-socket']\n"}, "pyproject.toml"),
        ({"pyproject.toml": b"[tool.pytest.ini_options]\naddopts = '--disable-socket --allow-unix-socket'\n"}, ""),
        ({"pytest.ini": b"[pytest]\naddopts = -q\n"}, ""),
        ({}, ""),
    ],
)
def test_tests_without_sockets(files: dict[str, bytes], place: str) -> None:
    """An event loop opens a pair of its own."""
    assert read_project(files).socketless == place


def test_entry_points_that_are_not_stated_literally() -> None:
    """Any text of that form in setup.py may be one."""
    setup = b"from setuptools import setup\nsetup(entry_points=dict(console_scripts=['c = pkg.__main__:main']))\n"
    assert read_project({"setup.py": setup}).entry_points == ("pkg.__main__:main",)


# ------------------------------------------------------------------------------------------------------- beside another


def beside(path: str, text: str) -> str | None:
    """The text with pytest-asyncio beside pytest, None if there is no edit."""
    data = text.encode("utf-8")
    edit = add_dependency(path, data, "pytest-asyncio", "pytest")
    if edit is None:
        return None
    return (data[: edit.span.start] + edit.text.encode("utf-8") + data[edit.span.end :]).decode("utf-8")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (
            "pyproject.toml",
            '[project.optional-dependencies]\ntest = ["pytest>=8", "é"]\n',
            '["pytest>=8", "é", "pytest-asyncio"]',
        ),
        (
            "pyproject.toml",
            '[dependency-groups]\ndocs = ["a"]\ndev = [\n    "pytest",\n]\n',
            '    "pytest",\n    "pytest-asyncio",\n',
        ),
        ("pyproject.toml", '[tool.uv]\ndev-dependencies = ["pytest"]\n', '["pytest", "pytest-asyncio"]'),
        ("pyproject.toml", '[tool.hatch.envs.default]\ndependencies = ["PyTest"]\n', None),
        (
            "pyproject.toml",
            '[tool.poetry.group.test.dependencies]\npytest = "^8"\nx = "1"\n',
            'pytest = "^8"\npytest-asyncio = "*"\nx',
        ),
        ("pyproject.toml", '[tool.poetry.dev-dependencies]\r\npytest = "^8"\r\n', '"^8"\r\npytest-asyncio = "*"\r\n'),
        ("Pipfile", '[dev-packages]\npytest = {version = "*"}', '{version = "*"}\npytest-asyncio = "*"'),
        (
            "setup.cfg",
            "[options.extras_require]\ntest =\n    pytest>=8\n    cov\n",
            "    pytest>=8\n    pytest-asyncio\n    cov\n",
        ),
        ("setup.cfg", "[options]\ntests_require =\n\tpytest\n", "\tpytest\n\tpytest-asyncio\n"),
        ("setup.cfg", "[tool:pytest]\naddopts =\n    pytest\n", None),
        ("setup.cfg", "[options]\ntests_require = pytest\n", None),
        ("setup.py", "setup(tests_require=['a', 'pytest>=3'])", "['a', 'pytest-asyncio', 'pytest>=3']"),
        (
            "setup.py",
            'T = [\n    "é", "x",\n    "pytest",\n]\nsetup(extras_require={"t": T})',
            '\n    "pytest-asyncio",\n    "pytest",\n',
        ),
        ("setup.py", 'T = ["pytest"]\nsetup()', None),
        ("requirements-dev.txt", "pytest\n", "pytest\npytest-asyncio\n"),
        ("requirements-dev.txt", "pytest-cov\n", None),
        ("tox.ini", "[testenv]\ndeps =\n    pytest\n", None),
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = 'pytest'\n", None),
    ],
)
def test_a_requirement_beside_another(path: str, before: str, after: str | None) -> None:
    """In the list that names the other; nothing else moves."""
    result = beside(path, before)
    if after is None:
        assert result is None
    else:
        assert result is not None
        assert after in result
        assert result.replace(after, "", 1) != result
        assert read_project({path: result.encode()}).declared >= {"pytest", "pytest-asyncio"}


def test_where_tests_declare_what_they_need() -> None:
    """The first file that names pytest where a line can be added; one for tests before others, one for linters last."""
    lint, dev, test = ({f"requirements-{name}__txt": "pytest==9\n"} for name in ("lint", "dev", "test"))
    assert read(**lint, **dev, **test).test_file == "requirements-test.txt"
    assert read(**lint, **dev).test_file == "requirements-dev.txt"
    assert read(pyproject__toml='[project.optional-dependencies]\ntest = ["pytest"]\n').test_file == "pyproject.toml"
    assert read(setup__cfg="[options]\ntests_require = pytest\n").test_file is None
