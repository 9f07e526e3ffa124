"""The configuration: what is read, and how what cannot be used is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncfix.config import Config, ConfigError, load, nearest, override
from asyncfix.model import Api, TypeRow

FULL = """\
[project]
name = "x"
[tool.asyncfix]
select = ["blocking-http"]
extend-select = ["sequential-awaits"]
ignore = ["blocking-open"]
exclude = ["vendor/"]
pin = ["pkg.mod.Class.method"]
max-concurrency = 3
target-version = "3.11"
module = "pkg._aio"
builtin-apis = false
[tool.asyncfix.strategy]
requests = "native"
files = "aiofiles"
[tool.asyncfix.http]
client = "httpx2"
[tool.asyncfix.concurrency]
style = "gather"
[[tool.asyncfix.api]]
call = "pkg.Client.get"
async = "pkg.AsyncClient.get"
[[tool.asyncfix.api]]
call = "pkg.Client"
async = "same"
kind = "with"
flow = "network"
reads = []
writes = ["argument"]
[[tool.asyncfix.type]]
value = "pkg.connect()"
type = "pkg.Connection"
"""


def refusal(text: str) -> str:
    """The message for a text that cannot be used; it is always one line that names the file."""
    with pytest.raises(ConfigError) as caught:
        load(text.encode(), "p/pyproject.toml")
    message = str(caught.value)
    assert message.startswith("p/pyproject.toml: ")
    assert "\n" not in message
    return message.removeprefix("p/pyproject.toml: ")


def test_every_key_is_read() -> None:
    """Under the names that stay the same everywhere."""
    assert load(FULL.encode(), "pyproject.toml") == Config(
        select=("blocking-http",),
        extend_select=("sequential-awaits",),
        ignore=("blocking-open",),
        exclude=("vendor/",),
        pin=("pkg.mod.Class.method",),
        max_concurrency=3,
        target_version=(3, 11),
        module="pkg._aio",
        strategy={"requests": "native", "files": "aiofiles"},
        http_client="httpx2",
        concurrency_style="gather",
        apis=(
            Api("pkg.Client.get", "pkg.AsyncClient.get"),
            Api("pkg.Client", "same", "with", "network", (), ("argument",)),
        ),
        types=(TypeRow("pkg.connect()", "pkg.Connection"),),
        builtin_apis=False,
    )


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'\n", "[tool.black]\n", "[tool.asyncfix]\n", "tool = 1\n"])
def test_nothing_configured_gives_the_defaults(text: str) -> None:
    """Also an empty table, and a file that is odd elsewhere."""
    assert load(text.encode(), "pyproject.toml") == Config()


def test_what_the_readme_shows_is_accepted() -> None:
    """Every key of it."""
    readme = Path(__file__).parents[1].joinpath("README.md").read_bytes()
    shown = readme.partition(b"```toml\n")[2].partition(b"```")[0]
    assert load(shown, "README.md") != Config()


def test_rows_may_be_written_inline() -> None:
    """As in the API maps."""
    api = '[\n  {call = "a.b", async = "a.c", kind = "for"},\n]'
    text = f'[tool.asyncfix]\napi = {api}\ntype = [{{value = "a()", type = "b"}}]'
    config = load(text.encode(), "pyproject.toml")
    assert config.apis == (Api("a.b", "a.c", "for"),)
    assert config.types == (TypeRow("a()", "b"),)


@pytest.mark.parametrize(
    ("text", "version"), [("3.11", (3, 11)), ("py311", (3, 11)), ("3.9", (3, 9)), ("py39", (3, 9))]
)
def test_target_versions(text: str, version: tuple[int, int]) -> None:
    """Both ways of writing them."""
    assert load(f'[tool.asyncfix]\ntarget-version = "{text}"'.encode(), "p").target_version == version


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", "`tool.asyncfix`: unknown key `selct`, did you mean `select`?"),
        ("max_concurrency = 3", "`tool.asyncfix`: unknown key `max_concurrency`, did you mean `max-concurrency`?"),
        ('"a\\nb" = 1', "`tool.asyncfix`: unknown key `a\\nb`, did you mean `api`?"),
        ("http.cleint = 'httpx'", "`tool.asyncfix.http`: unknown key `cleint`, did you mean `client`?"),
        ("concurrency.stile = ''", "`tool.asyncfix.concurrency`: unknown key `stile`, did you mean `style`?"),
        ("api = [{call = 'a', asynch = 'b'}]", "`tool.asyncfix.api`: unknown key `asynch`, did you mean `async`?"),
        ("type = [{valeu = 'a', type = 'b'}]", "`tool.asyncfix.type`: unknown key `valeu`, did you mean `value`?"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(text: str, message: str) -> None:
    """At every level."""
    assert refusal(f"[tool.asyncfix]\n{text}\n") == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('select = "x"', "`tool.asyncfix.select`: expected `array`, got `str`"),
        ("select = [1]", "`tool.asyncfix.select[0]`: expected `str`, got `int`"),
        ('max-concurrency = "3"', "`tool.asyncfix.max-concurrency`: expected `int`, got `str`"),
        ("max-concurrency = true", "`tool.asyncfix.max-concurrency`: expected `int`, got `bool`"),
        ("max-concurrency = 0", "`tool.asyncfix.max-concurrency`: expected at least 1"),
        ("target-version = 3.11", "`tool.asyncfix.target-version`: expected `str | null`, got `float`"),
        (
            'target-version = "2.7"',
            "`tool.asyncfix.target-version`: `2.7` is no Python version such as 3.11 or py311",
        ),
        ('module = "a/b.py"', "`tool.asyncfix.module`: `a/b.py` is no dotted module name"),
        ("builtin-apis = 1", "`tool.asyncfix.builtin-apis`: expected `bool`, got `int`"),
        ("http = 1", "`tool.asyncfix.http`: expected `object`, got `int`"),
        ('http.client = "aiohttp"', "`tool.asyncfix.http.client`: `aiohttp` is none of `httpx`, `httpx2`"),
        (
            'concurrency.style = "x"',
            "`tool.asyncfix.concurrency.style`: `x` is none of `auto`, `taskgroup`, `gather`, `ordered`",
        ),
        ("strategy.requests = 1", "`tool.asyncfix.strategy.requests`: `1` is none of `native`, `thread`"),
        (
            'strategy.requests = "aiofiles"',
            "`tool.asyncfix.strategy.requests`: `aiofiles` is none of `native`, `thread`",
        ),
        ('strategy.files = "native"', "`tool.asyncfix.strategy.files`: `native` is none of `thread`, `aiofiles`"),
        ('api = [{async = "b"}]', "`tool.asyncfix.api[0]`: object missing required field `call`"),
        (
            'api = [{call = "b", kind = "x"}]',
            "`tool.asyncfix.api[0].kind`: `x` is none of `await`, `with`, `for`, `plain`",
        ),
        ('api = [{call = "b", reads = "x"}]', "`tool.asyncfix.api[0].reads`: expected `array | null`, got `str`"),
        ('api = [{call = ""}]', "`tool.asyncfix.api[0].call`: `` is no dotted name such as `pkg.Client.get`"),
        (
            'api = [{call = "get"}]',
            "`tool.asyncfix.api[0].call`: `get` names no module; write it as in `pkg.Client.get`",
        ),
        (
            'api = [{call = "a.b"}, {call = "a b"}]',
            "`tool.asyncfix.api[1].call`: `a b` is no dotted name such as `pkg.Client.get`",
        ),
        (
            'api = [{call = "a.b", async = ""}]',
            "`tool.asyncfix.api[0].async`: `` is no dotted name such as `pkg.Client.get`",
        ),
        (
            'api = [{call = "a.b", flow = "netwrok"}]',
            "`tool.asyncfix.api[0].flow`: unknown word `netwrok`, did you mean `network`?",
        ),
        (
            'api = [{call = "a.b", writes = ["file", "argumnet"]}]',
            "`tool.asyncfix.api[0].writes`: unknown word `argumnet`, did you mean `argument`?",
        ),
        (
            'type = [{value = "", type = "a.B"}]',
            "`tool.asyncfix.type[0].value`: `` is no dotted name such as `pkg.Client.get`",
        ),
        ("type = [3]", "`tool.asyncfix.type[0]`: expected `object`, got `int`"),
    ],
)
def test_a_wrong_value_names_its_key(text: str, message: str) -> None:
    """And what was expected."""
    assert refusal(f"[tool.asyncfix]\n{text}\n") == message


def test_the_table_itself_must_be_one() -> None:
    """A value in its place is no configuration."""
    assert refusal("[tool]\nasyncfix = 3\n") == "`tool.asyncfix`: expected `object`, got `int`"


def test_broken_toml_names_the_line() -> None:
    """Syntax, encoding, and what overflows the parser."""
    assert "line 2" in refusal("[tool.asyncfix]\nselect = ]\n")
    assert refusal("x = " + "[" * 5000) == "nested too deeply"
    with pytest.raises(ConfigError, match=r"^p: not UTF-8 \(at line 2\)$"):
        load(b"\nx = '\xff'", "p")


@given(st.binary())
def test_any_bytes_give_a_configuration_or_a_refusal(data: bytes) -> None:
    """Never another exception."""
    try:
        assert isinstance(load(b"[tool.asyncfix]\n" + data, "p"), Config)
    except ConfigError as error:
        assert str(error).startswith("p: ")


def test_no_flag_changes_nothing() -> None:
    """The file holds."""
    config = load(FULL.encode(), "p")
    assert override(config) == config


def test_select_replaces_all_the_file_says_about_rules() -> None:
    """And the other flags refine it."""
    config = Config(select=("a",), extend_select=("b",), ignore=("c",))
    over = override(config, select=["c"])
    assert (over.select, over.extend_select, over.ignore) == (("c",), (), ())
    over = override(config, select=["c"], extend_select=["d"], ignore=["e"])
    assert (over.select, over.extend_select, over.ignore) == (("c",), ("d",), ("e",))


def test_the_other_flags_replace_or_add() -> None:
    """Each as its docstring says."""
    config = Config(select=("a",), extend_select=("b",), ignore=("c",), exclude=("d",), strategy={"x": "thread"})
    over = override(
        config,
        extend_select=["e"],
        ignore=["f"],
        exclude=["g"],
        strategy=["x=native", "files=aiofiles"],
        target_version="py312",
    )
    assert over == Config(
        select=("a",),
        extend_select=("b", "e"),
        ignore=("f",),
        exclude=("g",),
        strategy={"x": "native", "files": "aiofiles"},
        target_version=(3, 12),
    )
    assert config.strategy == {"x": "thread"}


@pytest.mark.parametrize(
    ("strategy", "version", "message"),
    [
        ("requests", None, "--strategy: `requests` is not KEY=VALUE"),
        ("=native", None, "--strategy: `=native` is not KEY=VALUE"),
        ("requests=fast", None, "--strategy: requests: `fast` is none of `native`, `thread`"),
        ("x=native", "4", "--target-version: `4` is no Python version such as 3.11 or py311"),
        ("x=native", "3.1", "--target-version: Python 3.1 has no async functions; 3.5 was the first"),
    ],
)
def test_a_wrong_flag_is_named(strategy: str, version: str | None, message: str) -> None:
    """Like a wrong key."""
    with pytest.raises(ConfigError) as caught:
        override(Config(), strategy=[strategy], target_version=version)
    assert str(caught.value) == message


@given(st.text("abcde-", min_size=1, max_size=8), st.integers(0, 7), st.sampled_from(["drop", "swap", "add"]))
def test_one_typing_error_leads_back(word: str, place: int, error: str) -> None:
    """Among words that are far away."""
    place %= len(word)
    wrong = {
        "drop": word[:place] + word[place + 1 :],
        "swap": word[:place] + word[place : place + 2][::-1] + word[place + 2 :],
        "add": word[:place] + "x" + word[place:],
    }[error]
    assert nearest(wrong, ["z" * 20, word, "y" * 20]) == word
