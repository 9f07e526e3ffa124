"""# blocking-http

Finds calls of requests in code that runs on the event loop.

## What it does

`requests.get(...)` and its like become calls of a small helper in the project's own `_asyncfix.py`, which sends the request
with an `httpx.AsyncClient` of its own, as requests would send it: redirects are followed (but not for HEAD), there is no
timeout unless one is given, `None` is left out of parameters and form fields, the query of the URL stays. All calls share
one SSL context, so a call costs no more than before. Where that would not be the same, and for the methods of a Session,
the call is handed to a thread instead: `await asyncio.to_thread(requests.get, ...)`.

## Why is this bad?

While the server works and the answer travels, no other task of the event loop moves.

## Example

```python
async def price(symbol: str) -> float:
    response = requests.get(URL, params={"symbol": symbol}, timeout=5)
    response.raise_for_status()
    return response.json()["price"]
```

Use instead:

```python
async def price(symbol: str) -> float:
    response = await http_request("GET", URL, params={"symbol": symbol}, timeout=5)
    if response.is_error:
        response.raise_for_status()
    return response.json()["price"]
```

## Safety

Native only if the project declares httpx, the response does not leave the function, every member of it that is used has an
exact twin (`.text` and `.url` have none), every argument has one, no handler that the errors can reach names a class of
requests, OSError or ValueError, the headers carry no computed signature, and no test replaces requests. What differs then
is the name that the client gives itself (`User-Agent`), networks in `NO_PROXY`, which httpx does not read, and the class and
text of errors. Everything else goes to a thread, the reason in its note; UNSAFE there if what then runs in the thread may
touch shared state, as a Session is unless it was made in the same function and stays there. Refused for streamed responses:
reading the body would still block.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from asyncfix.flow import Comprehension, bindings, declared, parameters
from asyncfix.model import (
    Api,
    Condition,
    Declared,
    Edit,
    Form,
    MinimumPython,
    NotCaughtAbove,
    NotPatched,
    Replace,
    Site,
    Span,
    Strategy,
    ThreadSafe,
    Unproven,
    Wrap,
)
from asyncfix.source import LINE_END
from asyncfix.transform import TO_THREAD, CannotWrite, Look, Transform, Tree, Writing
from asyncfix.writing import AWAIT_RANK, awaited, call_node, in_thread, opening_parenthesis

HELPER = "http_request"

# What may be given by position, by function.
POSITIONAL: Mapping[str, tuple[str, ...]] = {
    "requests.get": ("url", "params"),
    "requests.post": ("url", "data", "json"),
    "requests.put": ("url", "data"),
    "requests.patch": ("url", "data"),
    "requests.delete": ("url",),
    "requests.head": ("url",),
    "requests.options": ("url",),
    "requests.request": ("method", "url"),
}
METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request", "send"})
SESSION = frozenset(f"requests.Session.{name}" for name in METHODS)
KEYWORDS = frozenset(
    {"method", "url", "params", "data", "json", "headers", "cookies", "auth", "timeout", "allow_redirects"}
)

STREAMING = frozenset({"iter_content", "iter_lines", "raw"})
SAME_VALUE = frozenset({"status_code", "content"})
SIGNED = re.compile(r"sign|hmac|digest|hashlib|sha\d|md5", re.IGNORECASE)
TEXT_MAKERS = frozenset({"dumps", "encode", "format", "urlencode", "join", "str", "bytes"})

# A handler that catches the one library's errors by name and not the other's; `socket.error` is an OSError.
CATCHING = (
    *("requests.*", "urllib3.*", "httpx.*", "socket.error", "builtins.OSError", "builtins.IOError"),
    *("builtins.EnvironmentError", "builtins.ConnectionError", "builtins.TimeoutError", "builtins.ValueError"),
)
# All of these are on the way of a call of `requests.get`: replacing one of them replaces it.
BELOW = ("requests.request", "requests.api.request", "requests.Session.request", "requests.sessions.Session.request")
SENDING = ("requests.Session.send", "requests.sessions.Session.send", "requests.adapters.HTTPAdapter.send")

HTTP_REQUEST = '''
import netrc
import os
import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache
from json import dumps
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx


async def http_request(
    method: str,
    url: str,
    *,
    params: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | str | bytes | None = None,
    data: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | str | bytes | None = None,
    json: Any = None,
    headers: Mapping[str, str | bytes | None] | None = None,
    cookies: Mapping[str, str] | None = None,
    auth: tuple[str | bytes, str | bytes] | None = None,
    timeout: float | tuple[float | None, float | None] | None = None,
    allow_redirects: bool | None = None,
) -> httpx.Response:
    """Send one request, with a client of its own, as requests.request would; the body of the response is read.

    timeout is in seconds: for connecting and for each read, or a pair of them; None waits for ever. Redirects are followed,
    at most 30, unless allow_redirects is False, or the method is HEAD and it is not given. Raises httpx.HTTPError.
    """
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    limits = httpx.Timeout(connect=connect, read=read, write=connect, pool=None)
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    context = _http_ssl_context(bundle)
    async with httpx.AsyncClient(verify=context, timeout=limits, cookies=dict(cookies or {})) as client:
        request = _http_build(client, method, _http_url(url, params), data, json, headers or {})
        login = _http_login(request.url.host, auth)
        follow = request.method != "HEAD" if allow_redirects is None else allow_redirects
        for _ in range(31):
            response = await client.send(request, auth=login)
            if not follow or response.next_request is None:
                return response
            request, login = response.next_request, None
            if response.status_code not in (307, 308):  # what belongs to the body stays behind, as with requests
                for name in ("Content-Length", "Content-Type", "Transfer-Encoding"):
                    request.headers.pop(name, None)
                request = client.build_request(request.method, request.url, headers=request.headers)
        raise httpx.TooManyRedirects("Exceeded 30 redirects.", request=request)


@lru_cache(maxsize=None)
def _http_ssl_context(bundle: str | None) -> ssl.SSLContext:
    """Made once, as it takes tens of milliseconds: trusts the certificates of certifi, or of a file or folder."""
    if bundle is None:
        return httpx.create_ssl_context(trust_env=False)
    if os.path.isdir(bundle):
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)


def _http_build(
    client: httpx.AsyncClient, method: str, url: str, data: Any, json: Any, headers: Mapping[str, str | bytes | None]
) -> httpx.Request:
    """The request, with the body and the headers that requests would give it. A header of None is left out."""
    body: str | bytes | None = None
    kind = ""
    if data:
        body = _http_encoded(data)
        kind = "" if isinstance(data, (str, bytes)) else "application/x-www-form-urlencoded"
    elif json is not None:
        body, kind = dumps(json, allow_nan=False), "application/json"
    given = [
        (name.encode(), value if isinstance(value, bytes) else value.encode("latin-1"))
        for name, value in headers.items()
        if value is not None
    ]
    request = client.build_request(method, url, content=body, headers=given)
    for name, value in headers.items():
        if value is None:
            request.headers.pop(name, None)
    if kind:
        request.headers.setdefault("Content-Type", kind)
    return request


def _http_url(url: str, params: Any) -> str:
    """The URL with the parameters behind the query that it has."""
    parts = urlsplit(str(url).lstrip())
    added = _http_encoded(params or "")
    query = "&".join(filter(None, (parts.query, added if isinstance(added, str) else added.decode())))
    safe = "%!$&'()*+,;=:@/?~"
    return urlunsplit(parts._replace(path=quote(parts.path or "/", safe), query=quote(query, safe)))


def _http_encoded(values: Any) -> str | bytes:
    """Query or form text: without the values that are None, and a list as a key that comes again."""
    if isinstance(values, (str, bytes)):
        return values
    pairs: list[tuple[Any, Any]] = []
    for key, value in values.items() if isinstance(values, Mapping) else values:
        several = [value] if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__") else value
        pairs.extend((key, one) for one in several if one is not None)
    return urlencode(pairs, doseq=True)


def _http_login(host: str, auth: tuple[str | bytes, str | bytes] | None) -> httpx.BasicAuth | None:
    """Name and password as given, else those that the netrc file has for the host."""
    if auth is None:
        paths = [os.environ["NETRC"]] if "NETRC" in os.environ else ["~/.netrc", "~/_netrc"]
        path = next(filter(os.path.exists, map(os.path.expanduser, paths)), None)
        try:
            found = netrc.netrc(path).authenticators(host) if path else None
        except (netrc.NetrcParseError, OSError):
            found = None
        if not found:
            return None
        auth = (found[0] or found[1] or "", found[2] or "")
    name, password = (part if isinstance(part, bytes) else str(part).encode("latin-1") for part in auth)
    return httpx.BasicAuth(name, password)
'''


class BlockingHttp(Transform):
    """`requests.get(...)` to `await http_request("GET", ...)`, or to a thread."""

    name = "blocking-http"
    order = 10
    generated: ClassVar[dict[str, str]] = {HELPER: HTTP_REQUEST}

    def claims(self, api: Api) -> bool:
        return api.twin.startswith("httpx.") and (api.call in POSITIONAL or api.call in SESSION)

    def examine(self, look: Look) -> Site:
        if _streams(look):
            return look.refused(self, "streaming", "the body is read as it arrives, and reading it would still block")
        if any(isinstance(child, ast.Yield | ast.YieldFrom) for child in ast.walk(look.node)):
            return look.refused(self, "yield", "the arguments yield")
        why = _why_not(look)
        if why:
            return look.site(self, [_thread(look, f"not native: {why}")])
        return look.site(self, [_native(look), _thread(look)])

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        if form == "thread":
            return [*in_thread(writing, site.call), awaited(site.call, site.tight)]
        if form != "native":
            raise CannotWrite(f"no form {form}")
        look = _seen_again(site, writing)
        return [*_called(look, writing), awaited(site.call, site.tight), *_member_edits(look, writing)]


def _native(look: Look) -> Form:
    return Form(
        "native",
        requires=(
            Strategy("requests", "native", default=True),
            MinimumPython((3, 8)),
            Declared("httpx"),
            NotPatched((look.api.call, look.api.call.replace("requests.", "requests.api."), *BELOW, *SENDING)),
            NotCaughtAbove(CATCHING),
        ),
    )


def _thread(look: Look, note: str = "") -> Form:
    doubts: list[Condition] = [ThreadSafe(look.span)]
    if look.api.call in SESSION and not _own_session(look):
        doubts.append(Unproven("the Session is shared: another task may use it while the thread does"))
    given = {keyword.arg: keyword.value for keyword in look.node.keywords}
    if "hooks" in given or ("auth" in given and not _seen_as(look, given["auth"], _is_credentials)):
        doubts.append(Unproven("what `hooks` or `auth` call runs in the thread too, and is not known"))
    return Form("thread", (TO_THREAD,), tuple(doubts), note, in_thread=True)


# ------------------------------------------------------------------------------------------------------------- arguments


def _why_not(look: Look) -> str:
    """Why the call cannot be native, in a few words; '' if it can."""
    if look.api.call in SESSION:
        return "a Session is shared state"
    uses = _uses(look)
    return _odd_arguments(look) or (uses if isinstance(uses, str) else "") or _reads_error(look)


def _odd_arguments(look: Look) -> str:
    node, names = look.node, POSITIONAL[look.api.call]
    if any(isinstance(part, ast.Starred) for part in node.args) or any(part.arg is None for part in node.keywords):
        return "the arguments are not spelled out"
    if len(node.args) > len(names) or any(not _after_comma(look, part) for part in node.args[1:]):
        return "the arguments are given in an unusual way"
    given = dict(zip(names, node.args, strict=False)) | {part.arg: part.value for part in node.keywords if part.arg}
    unknown = next((name for name in given if name not in KEYWORDS), "")
    return f"`{unknown}=` has no exact twin" if unknown else _odd_value(look, given)


def _odd_value(look: Look, given: Mapping[str, ast.expr]) -> str:
    redirects = given.get("allow_redirects")
    if redirects is not None and not (isinstance(redirects, ast.Constant) and isinstance(redirects.value, bool)):
        return "`allow_redirects=` is not True or False"
    if look.api.call == "requests.request" and redirects is None and not _plain_method(given.get("method")):
        return "the method may be HEAD"
    if "data" in given and not _seen_as(look, given["data"], _is_body):
        return "the type of `data=` is not known"
    if "cookies" in given and not _seen_as(look, given["cookies"], _is_dict):
        return "`cookies=` may be a cookie jar"
    if "auth" in given and not _seen_as(look, given["auth"], _is_pair):
        return "`auth=` is not a pair of name and password"
    if "timeout" in given and _may_be_timeout_object(look, given["timeout"]):
        return "`timeout=` may be a Timeout object"
    if "headers" in given and _signed(look, given["headers"]):
        return "the headers carry a signature or digest"
    return ""


def _after_comma(look: Look, node: ast.expr) -> bool:
    """Whether a comma stands before an argument: parentheses of its own, or a comment, leave no place for a keyword."""
    return look.tree.source.data[: look.tree.source.span(node).start].rstrip().endswith(b",")


def _plain_method(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.upper() != "HEAD"


def _may_be_timeout_object(look: Look, node: ast.expr) -> bool:
    if isinstance(node, ast.Constant | ast.Tuple):
        return False
    return "urllib3" in look.tree.imports or (isinstance(node, ast.Call) and _last(node.func).endswith("Timeout"))


def _is_body(node: ast.expr) -> bool:
    """Text, bytes, a dict or a list of pairs; no file, generator or object."""
    match node:
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr() | ast.List() | ast.ListComp() | ast.Tuple():
            return True
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return _is_body(node.left)
        case ast.Call():
            return _last(node.func) in TEXT_MAKERS or _is_dict(node)
        case ast.Name() | ast.Attribute() if node.id in ("str", "bytes") if isinstance(node, ast.Name) else False:
            return True
        case _:
            return _is_dict(node)
