"""The API maps, and the catalog that is made of them."""

from __future__ import annotations

import contextlib
import functools
import importlib
import multiprocessing
import pickle
import re
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from asyncfix.catalog import Catalog, MapError, build, parse_map
from asyncfix.model import Alias, Api, ApiMap, TypeRow

FOLDER = Path(__file__).parent.parent / "transforms" / "apis"
FLOWS = {
    "network",
    "file",
    "metadata",
    "database",
    "process",
    "computation",
    "queue",
    "sleep",
    "input",
    "lock",
}
KINDS = {"await", "with", "for", "plain"}
SHARED = {"file", "argument", "receiver", "thread", "loop", "process-state", "global", "context"}
NOT_EVERYWHERE = {
    "pathlib.Path.walk",  # since Python 3.12
    "sqlite3.Connection.enable_load_extension",  # SQLite may be built without
    "sqlite3.Connection.load_extension",
    "requests.Response.raw.read",  # set by an answer
    "requests.Response.raw.stream",
    "requests.Response.elapsed.total_seconds",
    "httpx.Response.elapsed.total_seconds",
}
AT_HAND = {*sys.stdlib_module_names, "httpx", "requests", "urllib3"}
GONE = {"telnetlib"}  # until Python 3.12
# Classes (and functions that pass for one) whose methods are seen on their instances only.
MAKERS: dict[str, Callable[[], object]] = {
    "threading.Lock": threading.Lock,
    "threading.RLock": threading.RLock,
    "threading.Condition": threading.Condition,
    "multiprocessing.synchronize.Lock": multiprocessing.Lock,
    "multiprocessing.synchronize.RLock": multiprocessing.RLock,
    "multiprocessing.synchronize.Semaphore": multiprocessing.Semaphore,
    "tempfile._TemporaryFileWrapper": tempfile.NamedTemporaryFile,
    "requests.Session": lambda: importlib.import_module("requests").Session(),
    "requests.Response": lambda: importlib.import_module("requests").Response(),
    "httpx.Response": lambda: importlib.import_module("httpx").Response(
        200, request=importlib.import_module("httpx").Request("GET", "http://x")
    ),
}


def read(name: str) -> ApiMap:
    return parse_map((FOLDER / name).read_text(encoding="utf-8"), name)


NAMES = sorted(path.name for path in FOLDER.glob("*.toml"))
MAPS = {name: read(name) for name in NAMES}
ROWS = [row for each in MAPS.values() for row in (*each.blocking, *each.harmless)]
ALIASES = [alias for each in MAPS.values() for alias in each.aliases]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return build(MAPS.values())


def thing(name: str) -> object:
    """What a dotted name means, up to the first call in it and without a wildcard; raises if there is no such thing."""
    name = name.partition("(")[0].removesuffix(".*")
    for owner, make in MAKERS.items():
        if name.startswith(owner + "."):
            return functools.reduce(getattr, name.removeprefix(owner + ".").split("."), make())
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        with contextlib.suppress(ModuleNotFoundError):
            found: object = importlib.import_module(".".join(parts[:length]))
            return functools.reduce(getattr, parts[length:], found)
    raise ModuleNotFoundError(name)


def at_hand(name: str) -> bool:
    """True if the name can be looked up here: of the standard library, or of what the tests need anyway."""
    top = re.split(r"[.(]", name)[0]
    return top in AT_HAND - GONE and name not in NOT_EVERYWHERE


# ------------------------------------------------------------------------------------------------------------- the maps


def test_there_is_a_map_for_each_library() -> None:
    """The libraries that the rules speak of have their file."""
    expected = {
        "builtins",
        "files",
        "httpx",
        "requests",
        "sockets",
        "sqlite3",
        "stdlib",
        "subprocess",
        "threads",
        "time",
    }
    assert expected <= {name.removesuffix(".toml") for name in NAMES}


def test_no_call_is_listed_twice() -> None:
    """Neither within a file nor over all files, neither in one table nor in both."""
    counted = Counter(row.call for row in ROWS)
    assert [call for call, count in counted.items() if count > 1] == []


def test_no_type_and_no_alias_is_listed_twice() -> None:
    """One value has one type, one name one meaning."""
    counted = Counter(
        [*(row.value for each in MAPS.values() for row in each.types), *(alias.name for alias in ALIASES)]
    )
    assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_words_of_rows_are_known(name: str) -> None:
    """Kinds, flows and effects come from closed lists; a blocking row says what it waits for."""
    for row in MAPS[name].blocking:
        assert row.kind in KINDS, row
        assert row.flow in FLOWS, row
    for row in (*MAPS[name].blocking, *MAPS[name].harmless):
        assert row.outside in ("", "read", "write", "query", "several"), row
        assert row.pooled in ("", "once", "held"), row
        for word in (*(row.reads or ()), *(row.writes or ())):
            shared, _, before = word.partition("<")
            kind, at, position = shared.partition("@")
            assert kind in SHARED, row
            assert word == shared or all(map(str.isdecimal, before.split("."))), row
            assert not at or (kind in ("file", "argument") and position.isdecimal()), row


@pytest.mark.parametrize("name", NAMES)
def test_harmless_rows_say_nothing_of_twins(name: str) -> None:
    """A call that does not block needs no twin, kind or flow."""
    for row in MAPS[name].harmless:
        kind = row.kind if row.runs else "await"  # lazily run arguments are run by the iteration
        plain = Api(row.call, kind=kind, reads=row.reads, writes=row.writes, gives=row.gives, runs=row.runs)
        assert row == msgspec.structs.replace(
            plain, outside=row.outside, single=row.single, unless=row.unless, batch=row.batch, pooled=row.pooled
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_twin_of_another_distribution_names_it(name: str) -> None:
    """What is not in the standard library must be declared by a project before its name may be written."""
    for row in MAPS[name].blocking:
        top = row.twin.partition(".")[0]
        assert row.twin == "thread" or top in sys.stdlib_module_names or row.distribution, row


def test_names_are_canonical(catalog: Catalog) -> None:
    """No row, type or meaning is spelled by an import path that an alias replaces, and aliases do not lead on."""
    types = [row for each in MAPS.values() for row in each.types]
    names = [row.call for row in ROWS] + [row.gives for row in ROWS] + [alias.means for alias in ALIASES]
    names += [row.value for row in types] + [row.type for row in types]
    assert [name for name in names if catalog.canonical(name) != name] == []


@pytest.mark.parametrize("name", NAMES)
def test_names_exist(name: str) -> None:
    """A misspelt row would never match anything."""
    each = MAPS[name]
    rows = (*each.blocking, *each.harmless)
    names = [row.call for row in rows] + [row.gives for row in rows if row.gives]
    # Attributes of instances cannot be seen on the class.
    names += [row.value.rpartition(".")[0] for row in each.types] + [row.type for row in each.types]
    names += [alias.means for alias in each.aliases]
    missing: list[str] = []
    for dotted in sorted(set(filter(at_hand, names))):
        owner, _, attribute = dotted.rpartition(".")
        if owner == "builtins.list" and hasattr(set, attribute):
            continue  # what `set()` makes goes by that name, too
        try:
            thing(dotted)
        except (AttributeError, ModuleNotFoundError) as error:
            missing.append(f"{dotted}: {error}")
    assert missing == []


def test_twins_exist(catalog: Catalog) -> None:
    """A twin is a name that is going to be written."""
    twins = {row.twin for row in map(catalog.blocking, catalog.blocking_rows) if row is not None} - {"thread"}
    assert {"asyncio.sleep", "httpx.AsyncClient.get"} <= twins
    assert [twin for twin in twins if at_hand(twin) and not callable(thing(twin))] == []


def test_aliases_mean_the_same_thing() -> None:
    """`io.open` is `open` itself, not something like it."""
    for old, new in (
        ("io.open", "builtins.open"),
        ("socket.timeout", "builtins.TimeoutError"),
        ("posixpath", "os.path"),
    ):
        assert Alias(old, new) in ALIASES
        if sys.platform != "win32":
            assert thing(old) is thing(new)


# --------------------------------------------------------------------------------------------- what the catalog answers


@pytest.mark.parametrize(
    ("name", "flow", "kind", "twin"),
    [
        ("time.sleep", "sleep", "await", "asyncio.sleep"),
        ("requests.get", "network", "await", "httpx.AsyncClient.get"),
        ("requests.api.get", "network", "await", "httpx.AsyncClient.get"),
        ("requests.sessions.Session.post", "network", "await", "httpx.AsyncClient.post"),
        ("builtins.open", "file", "await", "thread"),
        ("io.open", "file", "await", "thread"),
        ("builtins.input", "input", "await", "thread"),
        ("subprocess.run", "process", "await", "thread"),
        ("os.walk", "file", "for", "thread"),
        ("pathlib.PosixPath.read_text", "file", "await", "thread"),
        ("pathlib.Path.rglob", "file", "for", "thread"),
        ("posixpath.exists", "metadata", "await", "thread"),
        ("shutil.rmtree", "file", "await", "thread"),
        ("redis.StrictRedis.hgetall", "database", "await", "redis.asyncio.Redis.hgetall"),
        ("botocore.client.BaseClient.put_object", "network", "await", "thread"),
        ("sqlite3.Cursor.fetchall", "database", "await", "aiosqlite.Cursor.fetchall"),
        ("urllib.request.urlopen", "network", "await", "thread"),
        ("queue.Queue.get", "queue", "await", "thread"),
        ("threading.Event.wait", "lock", "await", "thread"),
        ("smtplib.SMTP.login", "network", "await", "thread"),
        ("smtplib.SMTP_SSL.auth", "network", "await", "thread"),
        ("ftplib.FTP_TLS.voidresp", "network", "await", "thread"),
        ("imaplib.IMAP4_SSL.capability", "network", "await", "thread"),
        ("poplib.POP3.utf8", "network", "await", "thread"),
        ("socket.socket.recvmsg_into", "network", "await", "thread"),
        ("selectors.EpollSelector.select", "network", "await", "thread"),
        ("multiprocessing.connection.Client", "process", "await", "thread"),
        ("gzip.GzipFile.readlines", "file", "await", "thread"),
        ("lzma.LZMAFile.writelines", "file", "await", "thread"),
        ("shelve.Shelf.update", "file", "await", "thread"),
        ("configparser.RawConfigParser.read", "file", "await", "thread"),
        ("http.cookiejar.MozillaCookieJar.load", "file", "await", "thread"),
        ("netrc.netrc", "file", "await", "thread"),
        ("hashlib.pbkdf2_hmac", "computation", "await", "thread"),
        ("bcrypt.checkpw", "computation", "await", "thread"),
        ("passlib.context.CryptContext.verify", "computation", "await", "thread"),
        ("PIL.Image.Image.save", "computation", "await", "thread"),
        ("pandas.read_csv", "computation", "await", "thread"),
    ],
)
def test_blocking_calls_are_known(catalog: Catalog, name: str, flow: str, kind: str, twin: str) -> None:
    """Whatever the import path, the row is found, and its twin is made out to this very method."""
    row = catalog.blocking(name)
    assert row is not None
    assert (row.flow, row.kind, row.twin) == (flow, kind, twin)
    assert row.call == catalog.canonical(name)
    assert catalog.harmless(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "io.StringIO.read",
        "io.BytesIO.write",
        "os.path.join",
        "os.path.abspath",
        "os.environ.get",
        "pathlib.Path.joinpath",
        "pathlib.Path.with_suffix",
        "datetime.datetime.now",
        "json.loads",
        "logging.Logger.info",
        "requests.Response.json",
        "requests.Session.headers.update",
        "redis.Redis.pipeline",
        "builtins.dict.get",
        "builtins.ValueError",
        "asyncio.sleep",
    ],
)
def test_false_friends_do_not_block(catalog: Catalog, name: str) -> None:
    """They share a name or a module with something that blocks."""
    assert catalog.blocking(name) is None
    assert catalog.harmless(name) is not None


@pytest.mark.parametrize("name", ["redis.Redis.get().decode", "redis.Redis.pool.reset", "nowhere.get", "get", ""])
def test_nothing_is_made_up(catalog: Catalog, name: str) -> None:
    """A wildcard ends at the method; what is not listed is unknown."""
    assert catalog.blocking(name) is None
    assert catalog.harmless(name) is None
    assert not catalog.knows(name)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("builtins.open", "io.TextIOWrapper"),
        ("pathlib.PosixPath.open", "io.TextIOWrapper"),
        ("subprocess.run", "subprocess.CompletedProcess"),
        ("requests.api.post", "requests.Response"),
        ("requests.session", "requests.Session"),
        ("sqlite3.connect", "sqlite3.Connection"),
        ("sqlite3.Connection.cursor", "sqlite3.Cursor"),
        ("pathlib.Path.__truediv__", "pathlib.Path"),
        ("datetime.datetime.now", "datetime.datetime"),
        ("logging.getLogger", "logging.Logger"),
        ("boto3.client", "botocore.client.BaseClient"),
        ("json.loads().get", "json.loads()"),
        ("time.sleep", ""),
        ("nowhere.get", ""),
    ],
)
def test_results_have_their_class(catalog: Catalog, name: str, given: str) -> None:
    """What a call gives decides what the calls on it mean."""
    assert catalog.gives(name) == given


def test_elements_of_a_folder_are_paths(catalog: Catalog) -> None:
    """What `for entry in path.iterdir()` binds can be asked on."""
    assert catalog.gives(catalog.gives("pathlib.Path.iterdir") + ".__iter__") == "pathlib.Path"


def test_attributes_have_their_type(catalog: Catalog) -> None:
    """Also under another import path of the class."""
    assert catalog.attribute_type("pathlib.PosixPath.parent") == "pathlib.Path"
    assert catalog.attribute_type("requests.models.Response.text") == "builtins.str"
    assert catalog.attribute_type("pathlib.Path.nowhere") == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pathlib.Path", True),
        ("pathlib.PosixPath", True),
        ("requests.Session", True),
        ("queue.Queue", True),
        ("io.StringIO", True),
        ("datetime.datetime", True),
        ("requests.get", False),
        ("builtins.open", False),
        ("os.path", False),
        ("os.environ", False),
        ("boto3.client", False),
        ("json.loads()", False),
    ],
)
def test_classes_are_told_from_functions(catalog: Catalog, name: str, expected: bool) -> None:
    """Calling a class gives an instance of it, calling a function does not."""
    assert catalog.is_class(name) is expected


def test_unknown_effects_stay_unknown(catalog: Catalog) -> None:
    """`exec` is no call that blocks, and nobody knows what it does."""
    row = catalog.harmless("builtins.exec")
    assert row is not None
    assert (row.reads, row.writes) == (None, None)


def test_thread_bound_objects_say_so(catalog: Catalog) -> None:
    """All that blocks in sqlite3 belongs to a thread."""
    rows = [row for row in catalog.blocking_rows.values() if row.call.startswith("sqlite3.")]
    assert rows
    assert [row.call for row in rows if "thread" not in {*(row.reads or ()), *(row.writes or ())}] == []


def test_a_catalog_can_be_sent_to_a_worker(catalog: Catalog) -> None:
    """It is the same at the other end."""
    sent = pickle.loads(pickle.dumps(catalog))
    assert sent == catalog
    assert sent.blocking("io.open") == catalog.blocking("io.open")


# ------------------------------------------------------------------------------------------------------ rules of lookup


def made(text: str, *user: Api, types: tuple[TypeRow, ...] = (), builtin_apis: bool = True) -> Catalog:
    return build([parse_map(text, "m.toml")], user, types, builtin_apis)


def test_the_more_special_row_wins() -> None:
    """By name before by wildcard, whichever of the two blocks."""
    catalog = made("""
        api = [{call = "m.C.*"}, {call = "n.slow"}]
        harmless = [{call = "m.C.name"}, {call = "n.*"}, {call = "n.deep.*", gives = "n.D"}]
        """)
    assert catalog.blocking("m.C.get") == Api("m.C.get")
    assert catalog.blocking("m.C.name") is None
    assert catalog.harmless("m.C.name") == Api("m.C.name")
    assert catalog.blocking("n.slow") == Api("n.slow")
    assert catalog.harmless("n.fast") == Api("n.*")
    assert catalog.gives("n.deep.f") == "n.D"


def test_wildcards_reach_as_far_as_they_say() -> None:
    """A blocking one to methods, a harmless one to all beneath it, none into the result of a call."""
    catalog = made('api = [{call = "m.C.*"}]\nharmless = [{call = "n.*"}]')
    assert catalog.blocking("m.C.headers.get") is None
    assert catalog.harmless("n.a.b.c") == Api("n.*")
    assert catalog.harmless("n.f().b") is None
    assert catalog.blocking("m.C().get") is None


def test_of_equal_wildcards_the_cautious_one_wins() -> None:
    """What might block is said to."""
    catalog = made('api = [{call = "m.C.*"}]\nharmless = [{call = "m.C.*"}]')
    assert catalog.blocking("m.C.get") == Api("m.C.get")
    assert catalog.harmless("m.C.get") is None


def test_braces_are_rows_of_their_own() -> None:
    """One line says the same of several calls, each with the twin of its own name."""
    rows = parse_map('api = [{call = "m.{a,b}", async = "n.*", flow = "file"}]', "m.toml")
    assert [row.call for row in rows.blocking] == ["m.a", "m.b"]
    found = build([rows]).blocking("m.b")
    assert found == Api("m.b", twin="n.b", flow="file")


def test_an_alias_covers_all_beneath_it() -> None:
    """The longest one counts, and only whole names do."""
    catalog = made("""
        alias = [{name = "m.inner", means = "m"}, {name = "m.inner.Old", means = "m.New"}]
        """)
    assert catalog.canonical("m.inner.get") == "m.get"
    assert catalog.canonical("m.inner.Old.get") == "m.New.get"
    assert catalog.canonical("m.inner.Old().get") == "m.New().get"
    assert catalog.canonical("m.innermost.get") == "m.innermost.get"


def test_rows_of_the_user_win() -> None:
    """Over blocking and harmless ones, also where they are spelled by another import path."""
    catalog = made(
        """
        api = [{call = "m.get", async = "theirs.get"}, {call = "m.C.a", async = "theirs.a"}]
        harmless = [{call = "m.put"}, {call = "m.C.b"}]
        type = [{value = "m.C.x", type = "m.X"}, {value = "m.get()", type = "m.R"}]
        alias = [{name = "m.api", means = "m"}]
        """,
        Api("m.api.get", twin="mine.get"),
        Api("m.put", twin="mine.put"),
        Api("m.C.*", twin="mine.*"),
        types=(TypeRow("m.api.C.x", "m.api.Y"), TypeRow("m.get()", "m.S")),
    )
    assert [row and row.twin for row in map(catalog.blocking, ("m.get", "m.put", "m.C.a", "m.C.b"))] == [
        "mine.get",
        "mine.put",
        "mine.a",
        "mine.b",
    ]
    assert catalog.attribute_type("m.C.x") == "m.Y"
    assert catalog.gives("m.get") == "m.S"


def test_a_parameter_may_have_a_type() -> None:
    """`pkg.mod.f(name)` is a parameter or local of that function, spelled as in the row."""
    catalog = made("", types=(TypeRow("pkg.mod.f(client)", "pkg.Client"),))
    assert catalog.attribute_type("pkg.mod.f(client)") == "pkg.Client"
    assert catalog.is_class("pkg.Client")


def test_builtin_apis_can_be_turned_off() -> None:
    """Then only the user's rows block; what is harmless and what calls give is still known."""
    off = build(MAPS.values(), [Api("mine.get", twin="same")], builtin_apis=False)
    assert off.blocking("mine.get") == Api("mine.get", twin="same")
    assert off.blocking("time.sleep") is None
    assert off.blocking("redis.Redis.get") is None
    assert off.harmless("json.loads") is not None
    assert off.gives("builtins.open") == "io.TextIOWrapper"


# -------------------------------------------------------------------------------------------------------- bad map files


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[[api]]\ncall = "m.f"\nasinc = "same"', "asinc"),
        ('[[apis]]\ncall = "m.f"', "apis"),
        ('[[type]]\nvalue = "m.f()"\ntype = "m.C"\nkind = "for"', "kind"),
        ('[[api]]\nasync = "same"', "call"),
        ('[[api]]\ncall = "m.f"\nreads = "file"', "reads"),
        ("[[api", ""),
    ],
)
def test_a_bad_map_names_file_and_key(text: str, key: str) -> None:
    """A person can find what is wrong, and where."""
    with pytest.raises(MapError, match=rf"^odd\.toml: .*{key}"):
        parse_map(text, "odd.toml")


def test_rows_read_as_written() -> None:
    """What is left out has its default; effects left out are unknown, none is none."""
    rows = parse_map('[[api]]\ncall = "m.f"\nreads = []\n[[type]]\nvalue = "m.C.x"\ntype = "m.X"', "m.toml")
    assert rows == ApiMap(blocking=(Api("m.f", reads=()),), types=(TypeRow("m.C.x", "m.X"),))
    assert rows.blocking[0].writes is None
