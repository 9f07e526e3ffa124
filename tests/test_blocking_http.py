"""The rule `blocking-http`: what it writes does what requests did, and where it does not dare to, it says why."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import json
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import requests

from asyncfix.generated import module_text
from asyncfix.model import Api, Declared, NotCaughtAbove, NotPatched, Rewrite, Site, Strategy, ThreadSafe, Unproven
from asyncfix.rewrite import Order, rewrite
from asyncfix.source import Source
from asyncfix.survey import Wanted, survey
from asyncfix.transform import Transform

RULE: Transform = importlib.import_module("asyncfix.transforms.blocking_http").BlockingHttp()
VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
APIS = {f"requests.{verb}": f"requests.{verb}" for verb in VERBS} | {
    f"{receiver}.{verb}": f"requests.Session.{verb}"
    for receiver in ("s", "session", "self.s", "requests.Session()")
    for verb in (*VERBS, "send")
}

# ------------------------------------------------------------------------------------------------------------ machinery


def source_of(body: str, header: str = "async def f(base):") -> str:
    """A module with one function."""
    return f"import hmac, json, requests, urllib.parse\n\n\n{header}\n{textwrap.indent(textwrap.dedent(body), '    ')}"


def sites(text: str) -> list[Site]:
    """What the rule says to each call of requests, in the order of the text."""
    data = text.encode()
    source = Source("m.py", data)
    calls = [node for node in ast.walk(source.parse()) if isinstance(node, ast.Call) and ast.unparse(node.func) in APIS]
    wanted = [
        Wanted(source.span(node), Api(APIS[ast.unparse(node.func)], "httpx.AsyncClient.x"), "f") for node in calls
    ]
    return list(survey("m.py", data, sorted(wanted, key=lambda item: item.span), (RULE,)))


def converted(text: str, form: str | None = None) -> str:
    """The text with every call in the first form that it can take, or in this one."""
    decisions = tuple(Rewrite("m.py", site, form or site.forms[0].name) for site in sites(text))
    written = rewrite(Order("m.py", text.encode(), (("change", decisions),)), (RULE,))
    assert written.failed == {}
    return written.new.decode()


def function_of(text: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(compile(text, "m.py", "exec"), namespace)
    return namespace["f"]


class Server(ThreadingHTTPServer):
    """Says back what it is told, and remembers it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.seen: list[tuple[Any, ...]] = []
        self.closing = threading.Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Echo(BaseHTTPRequestHandler):
    """`/status/N`, `/redirect/N`, `/loop`, `/cookie`, `/slow`, `/text`; anything else is answered with what came."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    kept: ClassVar[tuple[str, ...]] = ("content-type", "authorization", "cookie", "x-a", "accept")

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        parts = urlsplit(self.path)
        headers = {name: self.headers.get(name) for name in self.kept}
        query = parse_qsl(parts.query, keep_blank_values=True)
        said = (self.command, parts.path, query, parts.query, headers, body)
        assert isinstance(self.server, Server)
        self.server.seen.append(said)
        first, _, rest = parts.path.lstrip("/").partition("/")
        status, more, text = 200, {}, json.dumps(said)
        if first == "status":
            status = int(rest)
        elif first == "redirect":
            status, more = int(rest), {"Location": "/echo?redirected=1"}
        elif first == "loop":
            status, more = 302, {"Location": "/loop"}
        elif first == "cookie":
            status, more = 302, {"Location": "/echo", "Set-Cookie": "given=1"}
        elif first == "slow":
            self.server.closing.wait(30)
            self.close_connection = True
            return
        elif first == "text":
            text = "no json"
        self.send_response(status, "Fine Indeed" if status == 299 else None)
        for name, value in more.items():
            self.send_header(name, value)
        bodiless = self.command == "HEAD" or status in (204, 304)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "0" if bodiless else str(len(text)))
        self.end_headers()
        self.wfile.write(b"" if bodiless else text.encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output is not for this."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    """The generated module."""
    module = ModuleType("_asyncfix")
    exec(compile(module_text(RULE.generated, ["http_request"]), "_asyncfix.py", "exec"), module.__dict__)
    return module


@pytest.fixture
def helper(
    generated: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> ModuleType:
    """The generated module, importable, in an environment without proxies and netrc."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path_factory.getbasetemp() / "none"))
    monkeypatch.setitem(sys.modules, "_asyncfix", generated)
    return generated


CATEGORIES: dict[type[BaseException], str] = {
    requests.Timeout: "timeout",
    httpx.TimeoutException: "timeout",
    requests.TooManyRedirects: "redirects",
    httpx.TooManyRedirects: "redirects",
    requests.HTTPError: "status",
    httpx.HTTPStatusError: "status",
    json.JSONDecodeError: "json",
    requests.exceptions.InvalidJSONError: "value",
    requests.exceptions.MissingSchema: "url",
    httpx.UnsupportedProtocol: "url",
    requests.ConnectionError: "connection",
    httpx.ConnectError: "connection",
    ValueError: "value",
    KeyError: "key",
}


def outcome(call: Callable[[], Any]) -> tuple[str, Any]:
    """What a call gives: a value, or the category of its error."""
    try:
        return "value", call()
    except tuple(CATEGORIES) as error:
        return "error", next(name for kind, name in CATEGORIES.items() if isinstance(error, kind))


def both(text: str, form: str, server: Server) -> tuple[Any, Any, list[Any], list[Any]]:
    """Outcome of the original and of the converted function, and what the server saw of each."""
    original = function_of(text.replace("async def f", "def f"))
    server.seen.clear()
    before = outcome(lambda: original(server.base))
    seen_before = list(server.seen)
    server.seen.clear()
    turned = function_of(converted(text, form))
    after = outcome(lambda: asyncio.run(turned(server.base)))
    return before, after, seen_before, list(server.seen)


# -------------------------------------------------------------------------------------------------------- does the same

SAME = {
    "plain": "return requests.get(base + '/echo').json()",
    "no path": "return requests.get(base).json()",
    "url keyword": "return requests.get(params={'a': 1}, url=base + '/echo').json()",
    "url bytes": "return requests.get((base + '/ü').encode(), params={'a': 1}).json()",
    "params": "return requests.get(base + '/echo', params={'a': 1, 'b': 'x y&=ü'}).json()",
    "params by position": "return requests.get(base + '/echo', {'a': 'b'}).json()",
    "params none": "return requests.get(base + '/echo', params={'a': None, 'b': ''}).json()",
    "params bool": "return requests.get(base + '/echo', params={'a': True, 'b': False}).json()",
    "params list": "return requests.get(base + '/echo', params={'a': [1, None, 'x'], 'b': (True,), 'c': []}).json()",
    "params pairs": "return requests.get(base + '/echo', params=[('a', 1), ('a', 2), ('b', None)]).json()",
    "params text": "return requests.get(base + '/echo', params='a=%20b&c=d').json()",
    "params bytes": "return requests.get(base + '/echo', params=b'a=1').json()",
    "params generator": "return requests.get(base + '/echo', params=((k, 1) for k in 'ab')).json()",
    "query stays": "return requests.get(base + '/echo?x=1&x=2', params={'x': 3}).json()",
    "query stays with empty": "return requests.get(base + '/echo?x=1&y', params={}).json()",
    "query stays with none": "return requests.get(base + '/echo?x=1#frag', params={'a': None}).json()",
    "odd path": "return requests.get(base + '/a b/ü|[x]^%20%2F/../c?q=a b|c\"<>').json()",
    "leading blank": "return requests.get(' ' + base + '/echo').json()",
    "data dict": "return requests.post(base, data={'a': 1, 'n': None, 't': True, 'l': [1, 2], 'u': 'ü &'}).json()",
    "data by position": "return requests.post(base + '/echo', {'a': 1}).json()",
    "json by position": "return requests.post(base + '/echo', None, {'a': 1}).json()",
    "data pairs": "return requests.post(base + '/echo', data=[('a', 1), ('a', 2)]).json()",
    "data text": "return requests.post(base + '/echo', data='a=ü').json()",
    "data bytes": "return requests.put(base + '/echo', b'raw').json()",
    "data dumps": "return requests.post(base, data=json.dumps({'a': 'ü'}), headers={'Content-Type': 'x/y'}).json()",
    "data empty": "return requests.post(base + '/echo', data={}).json()",
    "data name": "form = {'a': 1}\nform['b'] = 2\nreturn requests.post(base + '/echo', data=form).json()",
    "data all none": "return requests.post(base + '/echo', data={'a': None}).json()",
    "data and json": "return requests.post(base + '/echo', data={'a': 1}, json={'b': 2}).json()",
    "empty data and json": "return requests.post(base + '/echo', data={}, json={}).json()",
    "json": "return requests.post(base + '/echo', json={'a': [1, None, True], 'ü': 'ß'}).json()",
    "json list": "return requests.patch(base + '/echo', json=[]).json()",
    "json none": "return requests.post(base + '/echo', json=None).json()",
    "json nan": "return requests.post(base + '/echo', json=float('nan')).json()",
    "json with own type": "return requests.post(base + '/echo', json=1, headers={'content-type': 'x/y'}).json()",
    "get with json": "return requests.get(base + '/echo', json={'a': 1}).json()",
    "delete": "return requests.delete(base + '/echo').json()",
    "delete with json": "return requests.delete(base + '/echo', json={'a': 1}).json()",
    "options": "return requests.options(base + '/echo').json()",
    "request": "return requests.request('put', base + '/echo', data={'a': 1}).json()",
    "request keywords": "return requests.request(method='GET', url=base + '/echo').json()",
    "headers": "return requests.get(base + '/echo', headers={'X-A': 'latin ü', 'accept': 'a/b'}).json()",
    "headers none": "return requests.get(base + '/echo', headers={'X-A': None, 'Accept': None}).json()",
    "headers bytes": "return requests.get(base + '/echo', headers={'X-A': b'raw'}).json()",
    "headers missing": "return requests.get(base + '/echo', headers=None).json()",
    "auth": "return requests.get(base + '/echo', auth=('ü', 'p:w')).json()",
    "auth in url": "return requests.get(base.replace('//', '//u:p%40@') + '/echo').json()",
    "cookies": "return requests.get(base + '/echo', cookies={'a': '1', 'b': 'x'}).json()",
    "cookies after redirect": "return requests.get(base + '/cookie', cookies={'a': '1'}).json()",
    "redirect 301 get": "return requests.get(base + '/redirect/301', headers={'X-A': '1'}).json()",
    "redirect 301 post": "return requests.post(base + '/redirect/301', json=1).json()",
    "redirect 301 put": "return requests.put(base + '/redirect/301', json=1).json()",
    "redirect 302 post": "return requests.post(base + '/redirect/302', data={'a': 1}, auth=('u', 'p')).json()",
    "redirect 302 get with body": "return requests.get(base + '/redirect/302', json=1).json()",
    "redirect 303 put": "return requests.put(base + '/redirect/303', data='x').json()",
    "redirect 307 post": "return requests.post(base + '/redirect/307', json={'a': 1}).json()",
    "redirect 308 put": "return requests.put(base + '/redirect/308', data={'a': 1}).json()",
    "redirect off": "r = requests.get(base + '/redirect/302', allow_redirects=False)\nreturn r.headers['location']",
    "redirect head": "return requests.head(base + '/redirect/302').status_code",
    "redirect head on": "return requests.head(base + '/redirect/302', allow_redirects=True).status_code",
    "redirects without end": "return requests.get(base + '/loop').status_code",
    "status": "r = requests.get(base + '/status/404')\nreturn r.status_code, r.ok, not r.ok, r.reason, r.ok is False",
    "reason": "r = requests.get(base + '/status/299')\nreturn r.reason.upper()",
    "chained reason": "return requests.get(base + '/status/500').reason",
    "chained ok": "return [requests.get(base + '/echo').ok, requests.get(base + '/status/500').ok == False]",
    "chained not ok": "return not requests.get(base + '/status/500').ok",
    "check passes": "r = requests.get(base + '/echo')\nr.raise_for_status()\nreturn r.json()",
    "check raises": "r = requests.get(base + '/status/404')\nr.raise_for_status()",
    "check of 304": "r = requests.get(base + '/status/304')\nr.raise_for_status()\nreturn r.status_code",
    "check of 300": "r = requests.get(base + '/status/300')\nr.raise_for_status()\nreturn r.ok",
    "truth": "r = requests.get(base + '/status/404')\nreturn 1 if r else 2",
    "json error caught": "r = requests.get(base + '/text')\ntry:\n    r.json()\nexcept ValueError:\n    return 1",
    "no truth": "r = requests.get(base + '/status/404')\nif not r and r is not None:\n    return 1",
    "truth among others": "r = requests.get(base + '/echo')\nwhile r and not (r) is None:\n    return r.content",
    "headers of the answer": "h = requests.get(base)\nreturn h.headers['CONTENT-type'], h.headers.get('x')",
    "header asked for": "h = requests.get(base)\nreturn 'content-TYPE' in h.headers, 'age' not in h.headers",
    "header that is not there": "return requests.get(base + '/echo').headers['x']",
    "bad json": "return requests.get(base + '/text').json()",
    "comprehension": "return [requests.get(base + '/echo', params={'n': n}).json() for n in range(3)]",
    "in f-string": "r = requests.get(base + '/status/404')\nreturn f'{r.status_code}'",
    "in f-strings": """return (f"{requests.get(base + '/echo').json()}", f'{requests.get(base + "/echo").status_code:{4}}',
    'a"' f"{requests.get(base).status_code:{requests.get(base + '/echo').status_code}}", requests.get(f"{base}/echo").ok,
    f"{1:{requests.get(base).status_code}}", f'''{requests.get(base + "/echo").status_code}"''',
    f"{requests.request('GET', base).status_code}")""",
    "timeout": "return requests.get(base + '/slow', timeout=0.05).status_code",
    "timeout pair": "return requests.get(base + '/slow', timeout=(5, 0.05)).status_code",
    "timeout that is kept": "return requests.get(base + '/echo', timeout=(5, None)).json()",
    "nobody there": "return requests.get('http://127.0.0.1:1/', timeout=5).status_code",
    "no scheme": "return requests.get('/echo').status_code",
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME.keys())
@pytest.mark.usefixtures("helper")
def test_native_does_what_requests_did(body: str, server: Server) -> None:
    """The server sees the same and the caller gets the same, or an error of the same category."""
    text = source_of(body)
    assert {site.forms[0].name for site in sites(text)} == {"native"}
    before, after, seen_before, seen_after = both(text, "native", server)
    assert after == before
    assert seen_after == seen_before


@pytest.mark.parametrize("name", ["plain", "params none", "json", "redirect 302 post", "check raises", "timeout pair"])
def test_a_thread_does_what_requests_did(name: str, server: Server) -> None:
    """The thread form leaves requests its work."""
    before, after, seen_before, seen_after = both(source_of(SAME[name]), "thread", server)
    assert after == before
    assert seen_after == seen_before


def test_a_session_of_the_function_keeps_its_cookies_in_the_thread(server: Server) -> None:
    """The Session itself stays as it is."""
    text = source_of(
        "with requests.Session() as s:\n    s.get(base + '/cookie')\n    with s.get(base) as r:\n        return r.text"
    )
    before, after, seen_before, seen_after = both(text, "thread", server)
    assert after == before
    assert "given=1" in after[1]
    assert seen_after == seen_before


def test_netrc_is_honoured(server: Server, helper: ModuleType, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password for the host in the netrc file is sent unasked, as requests does."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    before, after, seen_before, seen_after = both(source_of(SAME["plain"]), "native", server)
    assert after == before
    assert seen_after == seen_before
    assert seen_after[0][4]["authorization"].startswith("Basic ")


def test_the_ssl_context_is_made_once(server: Server, helper: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls at once and in a second event loop share it."""
    made: list[int] = []
    real = httpx.create_ssl_context

    def counted(**given: Any) -> Any:
        made.append(1)
        return real(**given)

    monkeypatch.setattr(httpx, "create_ssl_context", counted)
    helper._http_ssl_context.cache_clear()

    async def several() -> list[int]:
        answers = await asyncio.gather(*(helper.http_request("GET", server.base + "/echo") for _ in range(3)))
        return [answer.status_code for answer in answers]

    assert asyncio.run(several()) + asyncio.run(several()) == [200] * 6
    assert made == [1]


def test_the_ca_bundle_of_requests_is_honoured(
    helper: ModuleType, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable that names the certificates which requests trusts is read at every call."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(OSError):
        asyncio.run(helper.http_request("GET", "http://127.0.0.1:1/"))


# --------------------------------------------------------------------------------------------------------- how it looks

LOOKS = {
    "names before what was given by position": (
        "r = requests.post(u, {'a': g(x)}, load(y), timeout=3)  # why\nreturn r.status_code",
        "r = await http_request(\"POST\", u, data={'a': g(x)}, json=load(y), timeout=3)  # why\nreturn r.status_code",
    ),
    "arguments on lines of their own": (
        "r = requests.get(\n    u,\n    timeout=3,\n)\nreturn r.status_code",
        'r = await http_request(\n    "GET",\n    u,\n    timeout=3,\n)\nreturn r.status_code',
    ),
    "a comment behind the parenthesis": (
        "r = requests.get(  # why\n    u)\nreturn r.content",
        'r = await http_request("GET",  # why\n    u)\nreturn r.content',
    ),
    "the method given": ("return requests.request('PUT', u).json()", "return (await http_request('PUT', u)).json()"),
    "a call in a call": (
        "return requests.get(requests.get(u).json()['next']).json()",
        'return (await http_request("GET", (await http_request("GET", u)).json()[\'next\'])).json()',
    ),
    "raise_for_status on a line of its own": (
        "r = requests.get(u)\nif u:\n    r.raise_for_status()  # why\nreturn r.json()",
        'r = await http_request("GET", u)\nif u:\n'
        "    if r.is_error:\n        r.raise_for_status()  # why\nreturn r.json()",
    ),
    "ok where `not` may begin": (
        "r = requests.get(u)\nassert r.ok\nreturn r.ok and r.json() or f(r.ok, x=r.ok)",
        'r = await http_request("GET", u)\nassert not r.is_error\n'
        "return not r.is_error and r.json() or f(not r.is_error, x=not r.is_error)",
    ),
    "ok where `not` needs parentheses": (
        "r = requests.get(u)\nreturn r.ok == 1, -r.ok, r.ok",
        'r = await http_request("GET", u)\nreturn (not r.is_error) == 1, -(not r.is_error), not r.is_error',
    ),
    "truth": (
        "r = requests.get(u)\nwhile not r:\n    pass\nreturn 1 if r and u else not (r)",
        'r = await http_request("GET", u)\nwhile r.is_error:\n    pass\n'
        "return 1 if not r.is_error and u else not (not r.is_error)",
    ),
    "not ok": (
        "r = requests.get(u)\nif not r.ok or not (r.ok):\n    raise E(r.reason)",
        'r = await http_request("GET", u)\nif r.is_error or not (not r.is_error):\n    raise E(r.reason_phrase)',
    ),
}


@pytest.mark.parametrize(("before", "after"), LOOKS.values(), ids=LOOKS.keys())
def test_native_is_written_as_a_person_would(before: str, after: str) -> None:
    """Comments, lines and quotes stay; only what must change does."""
    header = "async def f(u):"
    expected = textwrap.indent(after, "    ")
    new = converted(source_of(before, header))
    assert new.partition(header + "\n")[2] == expected
    assert "from _asyncfix import http_request\n" in new


def test_line_ends_stay() -> None:
    """A file with CRLF keeps it in what is written new."""
    text = source_of("r = requests.get(\n    u\n)\nr.raise_for_status()\nreturn r.json()").replace("\n", "\r\n")
    assert converted(text).count("\n") == converted(text).count("\r\n")


# ------------------------------------------------------------------------------------------------------ thread, refused

THREAD = {
    "return requests.get(base)": "returned",
    "return g(requests.get(base))": "passed on",
    "return g(x=requests.get(base))": "passed on",
    "with requests.get(base) as r:\n    return r.status_code": "`with`",
    "x = [requests.get(base)]\nreturn x": "kept",
    "self.r = requests.get(base)": "kept",
    "r: requests.Response = requests.get(base)\nreturn r.status_code": "kept",
    "if (r := requests.get(base)):\n    return r.status_code": "kept",
    "r = requests.get(base)\nreturn r": "returned",
    "r = requests.get(base)\nreturn g(r)": "passed on",
    "r = requests.get(base)\nreturn r or None": "used as a value",
    "r = requests.get(base)\nreturn bool(r)": "passed on",
    "r = requests.get(base)\nreturn (lambda: r.status_code)()": "nested function",
    "r = requests.get(base)\nr = requests.post(base)\nreturn r.status_code": "bound more than once",
    "global r\nr = requests.get(base)\nreturn r.status_code": "outer scope",
    "r = requests.get(base)\nreturn locals()['r'].ok": "locals",
    "r = requests.get(base)\nreturn r.text": "`.text`",
    "return requests.get(base).text": "`.text`",
    "r = requests.get(base)\nreturn r.url": "`.url`",
    "r = requests.get(base)\nreturn dict(r.headers)": "`.headers`",
    "r = requests.get(base)\nr.encoding = 'utf-8'\nreturn r.content": "is set",
    "r = requests.get(base)\nr.headers['x'] = '1'\nreturn r.content": "`.headers`",
    "r = requests.get(base)\nreturn r.json": "`.json`",
    "r = requests.get(base)\nreturn f'{r.reason}'": "f-string",
    "r = requests.get(base)\nreturn f'{r.ok}'": "f-string",
    "requests.get(base).raise_for_status()": "`.raise_for_status`",
    "r = requests.get(base); r.raise_for_status()": "`.raise_for_status`",
    "r = requests.get(base)\nif base: r.raise_for_status()": "`.raise_for_status`",
    "r = requests.get(base)\nreturn r.raise_for_status()": "`.raise_for_status`",
    "try:\n    requests.get(base)\nexcept Exception as e:\n    return e.response": "`.response` of the error",
    "r = requests.get(base)\ntry:\n    r.raise_for_status()\nexcept requests.HTTPError:\n    pass": "names HTTPError",
    "r = requests.get(base)\ntry:\n    return r.json()\nexcept (KeyError, OSError):\n    pass": "names OSError",
    "r = requests.get(base)\ntry:\n    return r.json()\nexcept ERRORS[0]:\n    pass": "names ERRORS[0]",
    "with suppress(OSError):\n    return requests.get(base).json()": "`suppress`",
    "@retry(requests.ConnectionError)\nasync def g():\n    return requests.get(base).json()": "decorator",
    "return requests.get(base, verify=False).json()": "`verify=`",
    "return requests.get(base, proxies={}).json()": "`proxies=`",
    "return requests.get(base, stream=False).json()": "`stream=`",
    "return requests.post(base, files={}).json()": "`files=`",
    "return requests.get(base, **base).json()": "not spelled out",
    "return requests.get(*base).json()": "not spelled out",
    "return requests.get(base, ({})).json()": "unusual",
    "return requests.post(base, data=base).json()": "`data=`",
    "return requests.post(base, data=open(base)).json()": "`data=`",
    "data = {}\ndata = g()\nreturn requests.post(base, data=data).json()": "`data=`",
    "return requests.get(base, cookies=base).json()": "`cookies=`",
    "return requests.get(base, auth=g(base)).json()": "`auth=`",
    "return requests.get(base, allow_redirects=base).json()": "`allow_redirects=`",
    "return requests.get(base, timeout=Timeout(3)).json()": "`timeout=`",
    "return requests.request(base, base).json()": "HEAD",
    "return requests.request('head', base).status_code": "HEAD",
    "return requests.get(base, headers={'X-Signature': base}).json()": "signature",
    "h = {}\nk = hmac.new(base).hexdigest()\nh['X'] = k\nreturn requests.get(base, headers=h).json()": "signature",
    "return requests.get(base, headers=self.signer.headers()).json()": "signature",
    "s = requests.Session()\nreturn s.get(base).json()": "Session",
    """return f"{f'{requests.get(base).status_code}'}\"""": "no quotes",
    "for chunk in requests.get(base).iter_content(3):\n    g(chunk)": "`.iter_content`",
    "r = requests.get(base)\nreturn list(r.iter_lines())": "`.iter_lines`",
    "with requests.get(base) as r:\n    return r.raw.read()": "`with`",
    "r = requests.get(base)\nfor chunk in r:\n    g(chunk)": "",
}


@pytest.mark.parametrize(("body", "why"), THREAD.items(), ids=range(len(THREAD)))
def test_what_is_not_the_same_goes_to_a_thread(body: str, why: str) -> None:
    """The thread form is the only one, its note says why, and what is written still compiles."""
    text = source_of(body)
    for site in sites(text):
        assert [form.name for form in site.forms] == ["thread"]
        assert why in site.forms[0].note
    assert "await asyncio.to_thread(" in converted(text)
    compile(converted(text), "m.py", "exec")


REFUSED = {
    "return requests.get(base, stream=True)": "streaming",
    "return requests.get(base, stream=base)": "streaming",
    "with requests.get(base, stream=True) as r:\n    return r.content": "streaming",
    "for chunk in requests.get(base, stream=True).iter_content(3):\n    g(chunk)": "streaming",
    "r = requests.get(base, **base)\nreturn list(r.iter_lines())": "streaming",
    "s = requests.Session()\ns.stream = True\nreturn list(s.get(base).iter_lines())": "streaming",
    "r = requests.get(base, **base)\nfor chunk in r:\n    g(chunk)": "streaming",
    "s = requests.Session()\nreturn s.send(base, stream=True)": "streaming",
    "return requests.get((yield))": "yield",
}


@pytest.mark.parametrize(("body", "code"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_would_still_block_is_refused(body: str, code: str) -> None:
    """A streamed body is read later, on the loop."""
    assert [(site.refusal, site.forms) for site in sites(source_of(body))] == [(code, ())]


@pytest.mark.parametrize(
    ("body", "shared"),
    [
        ("s = requests.Session()\ns.headers['a'] = 'b'\nreturn s.get(base).text", False),
        ("with requests.Session() as s:\n    return s.get(base).text", False),
        ("return requests.Session().get(base).text", False),
        ("return self.s.get(base).text", True),
        ("return s.get(base).text", True),
        ("s = make()\nreturn s.get(base).text", True),
        ("global s\ns = requests.Session()\nreturn s.get(base).text", True),
        ("s = requests.Session()\nkeep(s)\nreturn s.get(base).text", True),
        ("s = requests.Session()\ng(lambda: s.get(base))\nreturn s.post(base).text", True),
    ],
)
def test_a_session_from_elsewhere_is_shared(body: str, shared: bool) -> None:
    """Only a Session that was made in the function and stays there belongs to one task."""
    form = sites(source_of(body))[-1].forms[0]
    assert any(isinstance(condition, Unproven) for condition in form.safe_if) is shared
    assert isinstance(form.safe_if[0], ThreadSafe)


@pytest.mark.parametrize(
    ("arguments", "proven"),
    [("auth=('u', 'p')", True), ("auth=HTTPBasicAuth('u', 'p')", True), ("auth=base", False), ("hooks={}", False)],
)
def test_project_code_that_requests_would_call_is_not_known(arguments: str, proven: bool) -> None:
    """A hook or an auth object runs in the thread too."""
    form = sites(source_of(f"return requests.get(base, {arguments}).text"))[0].forms[0]
    assert any(isinstance(condition, Unproven) for condition in form.safe_if) is not proven


@pytest.mark.parametrize(
    ("header", "native"),
    [
        ("async def f(base, data: dict[str, str]):", True),
        ("async def f(base, data: dict | None = None):", True),
        ("async def f(base, data: Optional[bytes]):", True),
        ("async def f(base, data: str | IO[str]):", False),
        ("async def f(base, data: list):", False),
        ("async def f(base, *data):", False),
    ],
)
def test_annotations_say_what_data_is(header: str, native: bool) -> None:
    """A parameter with a telling annotation is known."""
    site = sites(source_of("return requests.post(base, data=data).json()", header))[0]
    assert (site.forms[0].name == "native") is native


def test_native_asks_for_what_only_the_project_can_tell() -> None:
    """Its conditions: wished for, declared, neither replaced in tests nor caught by name; then the thread is next."""
    native, thread = sites(source_of("return requests.get(base).json()"))[0].forms
    assert Strategy("requests", "native", default=True) in native.requires
    assert Declared("httpx") in native.requires
    patched = next(condition for condition in native.requires if isinstance(condition, NotPatched))
    assert {"requests.get", "requests.Session.request"} <= set(patched.names)
    caught = next(condition for condition in native.requires if isinstance(condition, NotCaughtAbove))
    assert {"requests.*", "builtins.OSError", "builtins.ValueError"} <= set(caught.types)
    assert native.safe_if == ()
    assert thread.name == "thread"
    assert thread.in_thread


def test_the_helper_is_the_example_of_its_page() -> None:
    """The page shows what the rule writes."""
    page = inspect.getdoc(inspect.getmodule(RULE)) or ""
    before, after = (part.partition("```")[0] for part in page.split("```python\n")[1:])
    assert converted("import requests\n\n\n" + before).endswith(after)
