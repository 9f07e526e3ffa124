"""# blocking-http

Finds calls of requests in code that runs on the event loop.

## What it does

`requests.get(...)` and its like become calls of a small helper in the project's own `_asyncfix.py`, which sends the
request with an `httpx.AsyncClient` of its own, as requests would send it: redirects are followed (but not for HEAD),
there is no timeout unless one is given, `None` is left out of parameters and form fields, the query of the URL stays.
All calls share one SSL context, so a call costs no more than before. Where that would not be the same, and for the
methods of a Session, the call is handed to a thread instead: `await asyncio.to_thread(requests.get, ...)`.

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

Native only if the project declares httpx, the response does not leave the function, every member of it that is used
has an exact twin (`.text` and `.url` have none), every argument has one, no handler that the errors can reach names a
class of requests, OSError or ValueError, the headers carry no computed signature, and no test replaces requests. What
differs then is the name that the client gives itself (`User-Agent`), networks in `NO_PROXY`, which httpx does not read,
and the class and text of errors. Everything else goes to a thread, the reason in its note; UNSAFE there if what then
runs in the thread may touch shared state, as a Session is unless it was made in the same function and stays there.
Refused for streamed responses: reading the body would still block.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from asyncfix.flow import bindings, declared, parameters
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
SIGNED = re.compile(r"sign|hmac|digest|hashlib|sha\d|md5", re.IGNORECASE)
LAST_ON_LINE = re.compile(rb"[ \t\f]*(#|\r|\n|\Z)")
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

    timeout is in seconds: for connecting and for each read, or a pair of them; None waits for ever. Redirects are
    followed, at most 30, unless allow_redirects is False, or it is not given and the method is HEAD.
    Raises httpx.HTTPError and ValueError (a bad URL, or NaN in json).
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


# ------------------------------------------------------------------------------------------------------------ arguments


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


def _signed(look: Look, headers: ast.expr) -> bool:
    """Whether a name or text of the headers, or of what feeds them in this function, speaks of a signature."""
    todo: list[ast.AST] = [headers]
    seen: set[str] = set()
    while todo:
        for part in ast.walk(todo.pop()):
            if any(SIGNED.search(word) for word in _words(part)):
                return True
            if isinstance(part, ast.Name) and part.id not in seen:
                seen.add(part.id)
                todo.extend(_feeding(look, part.id))
    return False


def _words(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name():
            yield node.id
        case ast.Attribute():
            yield node.attr
        case ast.keyword():
            yield node.arg or ""
        case ast.Constant(value=str() as text):
            yield text
        case _:
            return


def _feeding(look: Look, name: str) -> Iterator[ast.AST]:
    """What of the function binds a name, puts something in it, or calls a method of it."""
    for node in ast.walk(look.function) if look.function else ():
        targets: list[ast.expr] = []
        match node:
            case ast.Assign():
                targets = node.targets
            case ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr() | ast.For() | ast.AsyncFor() | ast.comprehension():
                targets = [node.target]
            case ast.withitem(optional_vars=ast.expr() as target):
                targets = [target]
            case ast.Call(func=ast.Attribute() as function):
                targets = [function.value]
            case _:
                continue
        if any(isinstance(part, ast.Name) and part.id == name for target in targets for part in ast.walk(target)):
            yield from [node.iter] if isinstance(node, ast.For | ast.AsyncFor) else [node]


# -------------------------------------------------------------------------------------------------- what a value can be


def _seen_as(
    look: Look, node: ast.expr, accept: Callable[[ast.expr], bool], hidden: frozenset[str] = frozenset()
) -> bool:
    """Whether all that an expression can give is None or of an accepted kind, as far as names lead."""
    match node:
        case ast.IfExp():
            parts = [node.body, node.orelse]
        case ast.BoolOp():
            parts = node.values
        case ast.Name() if node.id not in hidden:
            found = _values(look, node.id)
            hidden |= {node.id}
            parts = [value for value in found if value is not None]
            if not found or len(parts) < len(found):
                return False
        case ast.Constant(value=None):
            return True
        case _:
            return accept(node)
    return all(_seen_as(look, part, accept, hidden) for part in parts)


def _values(look: Look, name: str) -> list[ast.expr | None]:
    """What a name is bound to, None for a binding of another kind; a parameter gives an example of its annotation."""
    function = look.function
    if isinstance(function, ast.Lambda):
        return []
    if function is not None:
        found = [_assigned(look.tree, node) for bound, node in bindings(function.body) if bound == name]
        found += [
            _example(part.annotation)
            for part in ast.walk(function.args)
            if isinstance(part, ast.arg) and part.arg == name
        ]
        if found or name in declared(function.body, ast.Global) | declared(function.body, ast.Nonlocal):
            return found if name not in declared(function.body, ast.Global) else []
        if any(
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for node in look.tree.ancestors(function)
        ):
            return []
    return [_assigned(look.tree, node) for bound, node in bindings(look.tree.module.body) if bound == name]


def _assigned(tree: Tree, node: ast.AST) -> ast.expr | None:
    """The value of a plain assignment to a name."""
    match tree.parent(node):
        case ast.Assign() as statement if node in statement.targets:
            return statement.value
        case ast.AnnAssign() as statement if node is statement.target:
            return statement.value
        case _:
            return None


def _example(annotation: ast.expr | None) -> ast.expr | None:
    """An expression of the annotated type, for the few types that count here."""
    match annotation:
        case ast.BinOp(op=ast.BitOr()):
            parts = [_example(annotation.left), _example(annotation.right)]
            known = [part for part in parts if part is not None]
            return ast.BoolOp(ast.Or(), known) if len(known) == len(parts) else None
        case ast.Subscript() if _last(annotation.value) == "Optional":
            return _example(annotation.slice)
        case ast.Subscript(slice=ast.Tuple() as pair) if _last(annotation.value) in ("tuple", "Tuple"):
            return pair
        case ast.Subscript():
            return _example(annotation.value)
        case ast.Constant(value=None):
            return annotation
        case ast.Name() | ast.Attribute():
            examples: dict[str, ast.expr] = {"str": ast.Constant(""), "bytes": ast.Constant(b"")}
            examples |= {name: ast.Dict([], []) for name in ("dict", "Dict", "Mapping", "MutableMapping")}
            return examples.get(_last(annotation))
        case _:
            return None


def _is_body(node: ast.expr) -> bool:
    """Text, bytes, a dict or a list of pairs; no file, generator or object."""
    match node:
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr() | ast.List() | ast.ListComp() | ast.Tuple():
            return True
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return _is_body(node.left)
        case ast.Call():
            return _last(node.func) in TEXT_MAKERS or _is_dict(node)
        case _:
            return _is_dict(node)


def _is_dict(node: ast.expr) -> bool:
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict"
    return called or isinstance(node, ast.Dict | ast.DictComp)


def _is_pair(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Tuple) and len(node.elts) == 2 and not any(isinstance(e, ast.Starred) for e in node.elts)
    )


def _is_credentials(node: ast.expr) -> bool:
    """What authorises by itself, without code of the project."""
    known = ("HTTPBasicAuth", "HTTPDigestAuth", "HTTPProxyAuth")
    return _is_pair(node) or (isinstance(node, ast.Call) and _last(node.func) in known)


def _last(node: ast.expr) -> str:
    """The last name of a dotted expression."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


# ----------------------------------------------------------------------------------------- what becomes of the response


@dataclass(frozen=True, slots=True)
class Use:
    """A use of the response that is written otherwise: ``node`` stands for it.

    how  ``not is_error`` | ``is_error`` | ``reason_phrase`` | ``check`` (the statement ``raise_for_status()``)
    """

    how: str
    node: ast.expr | ast.stmt
    response: ast.expr


def _uses(look: Look) -> list[Use] | str:
    """The uses of the response that change with it, or why it cannot be httpx's."""
    parent = look.parent
    match parent:
        case ast.Expr():
            return []
        case ast.Attribute():
            found: list[Use | str | None] = [_use(look.tree, look.node)]
        case ast.Assign(targets=[ast.Name() as target]):
            names = _names(look, target)
            if isinstance(names, str):
                return names
            found = [_use(look.tree, name) for name in names]
        case ast.Return():
            return "the response is returned"
        case ast.Call() | ast.keyword():
            return "the response is passed on"
        case ast.withitem():
            return "the response is used with `with`"
        case _:
            return "the response is kept, or used as a value"
    barred = next((use for use in found if isinstance(use, str)), "")
    return barred or [use for use in found if isinstance(use, Use)]


def _names(look: Look, target: ast.Name) -> list[ast.Name] | str:
    """The places where the function reads the name of the response, or why they are not all known."""
    function, name = look.function, target.id
    if function is None or isinstance(function, ast.Lambda):
        return "the response is a global"
    if name in declared(function.body, ast.Global) | declared(function.body, ast.Nonlocal):
        return "the response is bound to a name of an outer scope"
    same = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    bound = [node for part, node in bindings(function.body) if part == name]
    stored = [node for node in same if not isinstance(node.ctx, ast.Load)]
    if bound != [target] or stored != [target] or name in parameters(function):
        return f"`{name}` is bound more than once"
    if any(isinstance(node, ast.Name) and node.id in ("locals", "vars", "eval", "exec") for node in ast.walk(function)):
        return "the function reads its names by `locals` or the like"
    inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.GeneratorExp
    for node in same:
        if next(outer for outer in look.tree.ancestors(node) if isinstance(outer, inner)) is not function:
            return f"`{name}` is used in a nested function"
    return [node for node in same if node is not target]


def _use(tree: Tree, response: ast.expr) -> Use | str | None:
    """One use of the response: None if it stays as it is, or why it has no exact twin."""
    parent = tree.parent(response)
    use: Use | str | None
    match parent:
        case ast.Attribute(ctx=ast.Load()):
            use = _member(tree, response, parent)
        case ast.Attribute():
            use = f"`.{parent.attr}` of the response is set"
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            use = None
        case ast.UnaryOp(op=ast.Not()) if _bare_not(tree, parent, response):
            use = Use("is_error", parent, response)
        case _ if parent is not None and _is_condition(tree, response, parent):
            use = Use("not is_error", response, response)
        case ast.Return() | ast.Yield():
            use = "the response is returned"
        case _:
            use = "the response is passed on, kept or used as a value"
    if isinstance(use, Use) and any(isinstance(node, ast.JoinedStr) for node in tree.ancestors(use.node)):
        return "a member without the same name is used in an f-string"
    return use


def _member(tree: Tree, response: ast.expr, member: ast.Attribute) -> Use | str | None:
    parent = tree.parent(member)
    match member.attr, parent:
        case ("status_code" | "content"), _:
            return None
        case "json", ast.Call(func=function) if function is member:
            return None
        case "headers", _ if parent is not None and _plain_headers(tree, member, parent):
            return None
        case "ok", ast.UnaryOp(op=ast.Not()) if _bare_not(tree, parent, member):
            return Use("is_error", parent, response)
        case "ok", _:
            return Use("not is_error", member, response)
        case "reason", _:
            return Use("reason_phrase", member, response)
        case "raise_for_status", ast.Call() if isinstance(response, ast.Name) and _alone(tree, parent):
            return Use("check", parent, response)
        case _:
            return f"`.{member.attr}` has no exact twin here"


def _plain_headers(tree: Tree, headers: ast.Attribute, parent: ast.AST) -> bool:
    """Whether headers are looked up by one name; walking over them gives other names than before."""
    match parent:
        case ast.Attribute(attr="get"):
            call = tree.parent(parent)
            return isinstance(call, ast.Call) and call.func is parent
        case ast.Subscript(ctx=ast.Load()):
            return parent.value is headers
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[container]):
            return container is headers
        case _:
            return False


def _is_condition(tree: Tree, node: ast.AST, parent: ast.AST) -> bool:
    """Whether only the truth of an expression counts."""
    match parent:
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            return parent.test is node
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.comprehension():
            return node in parent.ifs
        case ast.BoolOp():
            outer = tree.parent(parent)
            return outer is not None and _is_condition(tree, parent, outer)
        case _:
            return False


def _bare_not(tree: Tree, negation: ast.UnaryOp, operand: ast.expr) -> bool:
    """Whether nothing but space stands between ``not`` and what it negates."""
    between = tree.source.data[tree.source.span(negation).start : tree.source.span(operand).start]
    return between.strip() == b"not"


def _alone(tree: Tree, call: ast.Call) -> bool:
    """Whether a call without arguments is a statement that has its lines to itself."""
    statement = tree.parent(call)
    if call.args or call.keywords or not isinstance(statement, ast.Expr):
        return False
    span, data = tree.source.span(statement), tree.source.data
    return (
        span == tree.source.span(call)
        and not data[tree.source.line_start(span.start) : span.start].strip()
        and LAST_ON_LINE.match(data, span.end) is not None
    )


def _reads_error(look: Look) -> str:
    """The members of an error differ between the libraries."""
    for handler in ast.walk(look.function) if look.function else ():
        if isinstance(handler, ast.ExceptHandler) and handler.name:
            for node in ast.walk(handler):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == handler.name
                ):
                    return f"a handler reads `.{node.attr}` of the error"
    return ""


def _streams(look: Look) -> bool:
    """Whether the body is, or may be, read after the call."""
    stream = next((keyword.value for keyword in look.node.keywords if keyword.arg == "stream"), ast.Constant(False))
    if not (isinstance(stream, ast.Constant) and not stream.value):
        return True
    return any(_reads_stream(look.tree, node) for node in (look.node, *_named(look)))


def _reads_stream(tree: Tree, response: ast.expr) -> bool:
    match tree.parent(response):
        case ast.Attribute(attr=attr):
            return attr in STREAMING
        case ast.For() | ast.comprehension() as loop:
            return loop.iter is response
        case _:
            return False


def _named(look: Look) -> Iterator[ast.Name]:
    """The uses of the name that the response comes under."""
    target: ast.expr | None = None
    match look.parent:
        case ast.Assign(targets=[ast.Name() as target]) | ast.withitem(optional_vars=ast.Name() as target):
            pass
        case ast.AnnAssign(target=ast.Name() as target) | ast.NamedExpr(target=ast.Name() as target):
            pass
        case _:
            return
    for node in ast.walk(look.function or look.tree.module):
        if isinstance(node, ast.Name) and node.id == target.id and isinstance(node.ctx, ast.Load):
            yield node


def _own_session(look: Look) -> bool:
    """Whether the Session was made in this function and is used for nothing but its own members."""
    function = look.function
    receiver = look.node.func.value if isinstance(look.node.func, ast.Attribute) else None
    if isinstance(receiver, ast.Call):
        return _makes_session(receiver)
    if not isinstance(receiver, ast.Name) or function is None or isinstance(function, ast.Lambda):
        return False
    name = receiver.id
    made = [_session_made(look.tree, node) for part, node in bindings(function.body) if part == name]
    if not made or not all(made) or name in parameters(function) | declared(function.body, ast.Global):
        return False
    if name in declared(function.body, ast.Nonlocal):
        return False
    used = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    return all(_stays(look, node) for node in used if isinstance(node.ctx, ast.Load))


def _session_made(tree: Tree, target: ast.AST) -> bool:
    match tree.parent(target):
        case ast.Assign(targets=[only], value=value) if only is target:
            return _makes_session(value)
        case ast.withitem(context_expr=value):
            return _makes_session(value)
        case _:
            return False


def _makes_session(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _last(node.func) in ("Session", "session")


def _stays(look: Look, node: ast.Name) -> bool:
    """Whether a use of a local object neither hands it on nor keeps it for later."""
    inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.GeneratorExp
    scope = next((outer for outer in look.tree.ancestors(node) if isinstance(outer, inner)), None)
    return scope is look.function and isinstance(look.tree.parent(node), ast.Attribute | ast.withitem)


# -------------------------------------------------------------------------------------------------------------- writing


def _seen_again(site: Site, writing: Writing) -> Look:
    """The call of a decided site, as the survey saw it."""
    tree = Tree(writing.source, writing.source.parse())
    for node in ast.walk(tree.module):
        if isinstance(node, ast.Call) and tree.source.span(node) == site.call:
            return Look(tree, node, Api(site.api), site.owner)
    raise CannotWrite("the call is not where it was")


def _called(look: Look, writing: Writing) -> list[Edit]:
    """The helper in place of the function, the method before its arguments, names before those given by position."""
    source = look.tree.source
    call = call_node(writing, look.span)
    edits: list[Edit] = [Replace(writing.span(call.func), writing.generated(HELPER))]
    names = POSITIONAL[look.api.call]
    if names[0] == "url":
        opening = opening_parenthesis(writing, call)
        method = f'"{look.api.call.rpartition(".")[2].upper()}",'
        space = source.data[opening.end :]
        space = space[: len(space) - len(space.lstrip())]
        broken = LINE_END.search(space)
        text = f"({space.decode()}{method}" if broken else f"({method} "
        edits.append(Replace(opening, text))
    first = names.index("url") + 1
    for name, node in zip(names[first:], look.node.args[first:], strict=False):
        edits.append(Wrap(source.span(node), f"{name}=", "", AWAIT_RANK + 1))
    return edits


def _member_edits(look: Look, writing: Writing) -> Iterator[Edit]:
    uses = _uses(look)
    if isinstance(uses, str):
        raise CannotWrite(uses)
    for use in uses:
        yield from _member_edit(look.tree, use, writing)


def _member_edit(tree: Tree, use: Use, writing: Writing) -> Iterator[Edit]:
    """The edits of one use; the response itself stays for the edits of its own call."""
    span, response = tree.source.span(use.node), tree.source.span(use.response)
    member = tree.parent(use.response)
    name = tree.source.text(response)
    if use.how == "check":
        yield Wrap(span, f"if {name}.is_error:\n{writing.indent(span)}{writing.step}", "", AWAIT_RANK)
    elif not isinstance(member, ast.Attribute):
        yield Replace(span, f"{'' if use.how == 'is_error' else 'not '}{name}.is_error")
    else:
        whole = tree.source.span(member)
        word = "reason_phrase" if use.how == "reason_phrase" else "is_error"
        yield Replace(Span(whole.end - len(member.attr), whole.end), word)
        if use.how == "is_error":
            yield Replace(Span(span.start, whole.start), "")
        elif use.how == "not is_error":
            loose = _takes_not(tree, member)
            yield Wrap(whole, "not " if loose else "(not ", "" if loose else ")", AWAIT_RANK + 2)


def _takes_not(tree: Tree, node: ast.AST) -> bool:
    """Whether ``not`` may begin an expression here without parentheses."""
    match tree.parent(node):
        case ast.Call(func=function):
            return function is not node
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert() | ast.BoolOp() | ast.comprehension() | ast.keyword():
            return True
        case ast.Assign() | ast.AnnAssign() | ast.Return() | ast.Dict() | ast.List() | ast.Expr():
            return True
        case _:
            return False
