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

Native only if the project declares httpx (or httpx2, the fork with the same API, which is used then), the response does
not leave the function, every member of it that is used has an exact twin (`.text` and `.url` have none), every argument
has one, no handler that the errors can reach names a class of requests, OSError or ValueError, the headers carry no
computed signature, and no test replaces requests. What differs then is the name that the client gives itself
(`User-Agent`), networks in `NO_PROXY`, which httpx does not read, and the class and text of errors. Everything else goes
to a thread, the reason in its note; UNSAFE there if what then runs in the thread may touch shared state, as a Session is
unless it was made in the same function and stays there. Refused for streamed responses: reading the body would still block.

A call that a thread runs already does not block, and is no finding, unless `requests = "native"` asks for it under
`[tool.asyncfix.strategy]`. Then it becomes native under the conditions above, or its finding says what keeps it in the thread.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from asyncfix.bridge import direct
from asyncfix.flow import bindings, declared, last_name, parameters
from asyncfix.model import (
    Api,
    Condition,
    Declared,
    Edit,
    Form,
    MinimumPython,
    NotCaughtAbove,
    NotPatched,
    Site,
    Strategy,
    ThreadSafe,
    Unproven,
    Wrap,
)
from asyncfix.transform import TO_THREAD, CannotWrite, Look, Transform, Tree, Writing
from asyncfix.writing import AWAIT_RANK, awaited_as, awaited_in_thread

from ._http_arguments import POSITIONAL, is_credentials, odd_arguments, seen_as
from ._http_request import HELPER, HTTP_REQUEST
from ._http_response import handled, member_edits, streams, uses
from ._quotes import free_quote

METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request", "send"})
SESSION = frozenset(f"requests.Session.{name}" for name in METHODS)

# A handler that catches the one library's errors by name and not the other's; `socket.error` is an OSError.
CATCHING = (
    *("requests.*", "urllib3.*", "httpx.*", "httpx2.*", "socket.error", "builtins.OSError", "builtins.IOError"),
    *("builtins.EnvironmentError", "builtins.ConnectionError", "builtins.TimeoutError", "builtins.ValueError"),
)
# All of these are on the way of a call of `requests.get`: replacing one of them replaces it.
BELOW = ("requests.request", "requests.api.request", "requests.Session.request", "requests.sessions.Session.request")
SENDING = ("requests.Session.send", "requests.sessions.Session.send", "requests.adapters.HTTPAdapter.send")


class BlockingHttp(Transform):
    """`requests.get(...)` to `await http_request("GET", ...)`, or to a thread."""

    name = "blocking-http"
    order = 10
    bridged = True
    generated: ClassVar[dict[str, str]] = {HELPER: HTTP_REQUEST}

    def claims(self, api: Api) -> bool:
        return api.twin.startswith("httpx.") and (api.call in POSITIONAL or api.call in SESSION)

    def examine(self, look: Look) -> Site:
        if streams(look):
            return look.refused(self, "streaming", "the body is read as it arrives, and reading it would still block")
        if any(isinstance(child, ast.Yield | ast.YieldFrom) for child in ast.walk(look.node)):
            return look.refused(self, "yield", "the arguments yield")
        why = _why_not(look)
        if why:
            return look.site(self, [_thread(look, f"not native: {why}")])
        return look.site(self, [_native(look), _thread(look)])

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        if form == "thread":
            return awaited_in_thread(writing, site.call, site.tight)
        if form != "native":
            raise CannotWrite(f"no form {form}")
        look = _seen_again(site, writing)
        return [*_called(look, writing, site), *member_edits(look, writing)]


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
    if "hooks" in given or ("auth" in given and not seen_as(look, given["auth"], is_credentials)):
        doubts.append(Unproven("what `hooks` or `auth` call runs in the thread too, and is not known"))
    return Form("thread", (TO_THREAD,), tuple(doubts), note, in_thread=True)


def _why_not(look: Look) -> str:
    """Why the call cannot be native, in a few words; '' if it can."""
    if look.api.call in SESSION:
        return "a Session is shared state"
    if _names_method(look) and not free_quote(look):
        return "no quotes are left for the method in an f-string"
    found = uses(look)
    return odd_arguments(look) or (found if isinstance(found, str) else "") or handled(look)


def _names_method(look: Look) -> bool:
    """Whether the name of the function is the method, which the helper is told as text."""
    return POSITIONAL[look.api.call][0] == "url"


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
    return isinstance(node, ast.Call) and last_name(node.func) in ("Session", "session")


def _stays(look: Look, node: ast.Name) -> bool:
    """Whether a use of a local object neither hands it on nor keeps it for later."""
    inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.GeneratorExp
    scope = next((outer for outer in look.tree.ancestors(node) if isinstance(outer, inner)), None)
    return scope is look.function and isinstance(look.tree.parent(node), ast.Attribute | ast.withitem)


def _seen_again(site: Site, writing: Writing) -> Look:
    """The call of a decided site, as the survey saw it."""
    source = writing.source
    module = source.parse()
    handed = direct(source, module, {site.call}) if site.bridged else {}
    calls = (node for node in ast.walk(module) if isinstance(node, ast.Call) and source.span(node) == site.call)
    node = handed[site.call].call if site.call in handed else next(calls, None)
    if node is None or site.bridged != bool(handed):
        raise CannotWrite("the call is not where it was")
    return Look(Tree(source, module), node, Api(site.api), site.owner)


def _called(look: Look, writing: Writing, site: Site) -> list[Edit]:
    """The helper in place of the function, awaited, the method before its arguments, names before those given by position."""
    quote, names = free_quote(look), POSITIONAL[look.api.call]
    method = f"{quote}{look.api.call.rpartition('.')[2].upper()}{quote}" if _names_method(look) else ""
    edits = awaited_as(writing, site, writing.generated(HELPER), method)
    first = names.index("url") + 1
    for name, node in zip(names[first:], look.node.args[first:], strict=False):
        edits.append(Wrap(look.tree.source.span(node), f"{name}=", "", AWAIT_RANK + 1))
    return edits
