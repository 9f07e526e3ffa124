"""# client-per-call

Finds clients (httpx, aiohttp, redis, motor) that are made anew for each request: in a loop, or in a function that is called in
one.

## What it does

Where a loop does nothing but `async with` over a client that is the same each time, the two change places. Elsewhere in a
loop, and where a function makes a client for one or two requests and the project calls that in a loop, it is reported, with the
place where the client could be made. Nothing is said of clients that differ from one round to the next, that share an SSL
context, a transport or a connector, that serve a loop or a websocket of their own, that are kept or handed out; of loops that
retry, poll, sleep, or wait for a queue or a person; and of `http_request`, which `blocking-http` writes.

## Why is this bad?

Each client opens connections of its own, and closes them: a TCP and a TLS handshake for each request. `httpx.AsyncClient()` takes
tens of milliseconds of CPU on the event loop to load certificates.

## Example

```python
async def load_all(numbers: list[int]) -> None:
    for number in numbers:
        async with httpx.AsyncClient() as client:
            await client.get(f"https://example.org/{number}")
```

Use instead:

```python
async def load_all(numbers: list[int]) -> None:
    async with httpx.AsyncClient() as client:
        for number in numbers:
            await client.get(f"https://example.org/{number}")
```

## Safety

Always UNSAFE: cookies, connections and their errors are kept from one round to the next, the arguments of the client are
evaluated once, and it is made although there may be no round.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import takewhile
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import last_name
from asyncfix.model import Edit, Form, NotPatched, Replace, Site, Span, Unproven
from asyncfix.transform import CannotWrite, FunctionNode, Look, Tree, Watch, Writing

CLIENTS = frozenset(
    {
        "aiohttp.ClientSession",
        "httpx.AsyncClient",
        "motor.motor_asyncio.AsyncIOMotorClient",
        "pymongo.AsyncMongoClient",
        "redis.asyncio.Redis",
        "redis.asyncio.Redis.from_url",
        "redis.asyncio.from_url",
    }
)
CLOSING = ("close", "aclose")
SHARING = frozenset({"verify", "ssl", "transport", "mounts", "connector", "connection_pool"})
"""Arguments by which clients share what is dear."""
LASTING = frozenset({"ws_connect", "pubsub", "subscribe", "listen"})
"""Requests that go on for as long as the program, as a rule."""
PACING = frozenset({"input", "readline", "receive", "recv", "sleep", "wait"})
"""What a loop calls that goes on when something else happens; ``get()`` of a queue is another."""
FEW = 2  # requests for which a client is made
KEPT = (
    "cookies, connections and their errors are kept from one round to the next, and the client is made once, with the "
    "arguments of then"
)
Loop = ast.For | ast.AsyncFor | ast.While
Repeating = Loop | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Scope = Loop | ast.AsyncFunctionDef


class ClientPerCall(Watch):
    """A client for each request: one for all of a loop."""

    name = "client-per-call"
    watches: ClassVar[frozenset[str]] = CLIENTS
    looped: ClassVar[bool] = True

    def examine(self, look: Look) -> Site | None:
        function, loop = look.function, _loop(look)
        scope = loop or function
        if not isinstance(function, ast.AsyncFunctionDef) or not isinstance(scope, Scope):
            return None
        if not _is_for_few(look, scope) or _varies(look.node, scope) or _is_shared(look.node):
            return None
        called = ast.unparse(look.node.func)
        if loop is not None:
            return None if _is_rare(look, loop) else self._in_loop(look, loop, called)
        if not look.looped or any(isinstance(each, ast.Yield) for each in ast.walk(function)):
            return None
        why = f"{look.looped}: make one for all rounds, there or in an object that closes it"
        return replace(look.refused(self, "by-hand", why), message=f"{called} is made at each call of {function.name}")

    def _in_loop(self, look: Look, loop: Loop, called: str) -> Site:
        message = f"{called} is made in each round of a loop, with connections of its own"
        around = _swapped(look.tree, loop)
        if around is None or around.items[0].context_expr is not look.node:
            why = f"make it before the loop of line {loop.lineno}, and use it in all rounds"
            return replace(look.refused(self, "by-hand", why), message=message)
        form = Form("before", (), (NotPatched((look.api.call,)), Unproven(KEPT)))
        span = Span(look.tree.source.span(loop).start, look.tree.source.span(around.body[0]).start)
        return replace(look.site(self, [form]), span=span, message=message, title="make a client once")

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        tree, node = writing.tree(), writing.call(site.call)
        around = next((each for each in tree.ancestors(node) if isinstance(each, ast.AsyncWith)), None)
        loop = tree.parent(around) if around else None
        if around is None or not isinstance(loop, Loop) or _swapped(tree, loop) is not around:
            raise CannotWrite("the loop is not what was surveyed")
        first, gap, second, behind = _heads(tree, loop, around)
        end = tree.source.span(around.body[0]).start - len(behind)
        return [Replace(Span(tree.source.span(loop).start, end), second + gap + first)]


def _loop(look: Look) -> Loop | None:
    """The innermost loop of the function whose rounds run the call."""
    child: ast.AST = look.node
    for around in look.tree.ancestors(look.node):
        if isinstance(around, FunctionNode):
            return None
        if isinstance(around, Loop) and child in around.body:
            return around
        child = around
    return None


def _is_shared(node: ast.Call) -> bool:
    return any(item.arg is None or item.arg in SHARING for item in node.keywords)


# ------------------------------------------------------------------------------------------------------- what it is for


def _is_for_few(look: Look, scope: Scope) -> bool:
    """Whether the client serves a request or two, and nobody keeps it."""
    name = _name(look)
    if name is None:
        return _is_asked_at_once(look)
    uses = [item for item in ast.walk(scope) if isinstance(item, ast.Name) and item.id == name]
    loads = [item for item in uses if isinstance(item.ctx, ast.Load)]
    asked = [_asked(look.tree, item) for item in loads]
    requests = [method for method in asked if method not in CLOSING]
    plain = LASTING.isdisjoint(asked) and all(_is_plain(look.tree, item, scope) for item in loads)
    return plain and len(uses) - len(loads) == 1 and 0 < len(requests) <= FEW


def _name(look: Look) -> str | None:
    """The name that the client is bound to, by `async with` or by an assignment."""
    match look.parent:
        case ast.withitem(optional_vars=ast.Name(id=name)):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case _:
            return None


def _is_asked_at_once(look: Look) -> bool:
    """``await Client().get(...)``: nobody can close it, either."""
    method = look.parent
    return isinstance(method, ast.Attribute) and isinstance(look.tree.parent(method), ast.Call)


def _is_plain(tree: Tree, name: ast.Name, scope: Scope) -> bool:
    """Whether a use of the client is one request, or hands it to a coroutine: it is not kept, and no loop uses it."""
    handed = tree.parent(name)
    handed = tree.parent(handed) if isinstance(handed, ast.keyword) else handed
    awaited = isinstance(handed, ast.Call) and isinstance(tree.parent(handed), ast.Await)
    if not (_asked(tree, name) or awaited):
        return False
    between = takewhile(lambda each: each is not scope, tree.ancestors(name))
    return not any(isinstance(each, Repeating | FunctionNode | ast.Yield) for each in between)


def _asked(tree: Tree, name: ast.Name) -> str:
    """The method that a use of the client asks for, '' if it hands it on."""
    parent = tree.parent(name)
    return parent.attr if isinstance(parent, ast.Attribute) else ""


# ------------------------------------------------------------------------------------------------------ when it is made


def _varies(node: ast.Call, scope: Scope) -> bool:
    """Whether the arguments of the client may be others in the next round, or at the next call."""
    bound = _bound(scope)
    seen: set[str] = set()
    waiting = [item.id for item in ast.walk(node) if isinstance(item, ast.Name)]
    if any(isinstance(item, ast.Await | ast.NamedExpr) for item in ast.walk(node)):
        return True
    for name in waiting:
        if name in bound and name not in seen:
            seen.add(name)
            values = bound[name]
            if (
                len(values) != 1
                or values[0] is None
                or any(isinstance(item, ast.Await) for item in ast.walk(values[0]))
            ):
                return True
            waiting.extend(item.id for item in ast.walk(values[0]) if isinstance(item, ast.Name))
    return False


def _bound(scope: Scope) -> dict[str, list[ast.expr | None]]:
    """The names that a loop, or a function, binds, with the values that they are assigned, None for any other."""
    found: dict[str, list[ast.expr | None]] = {}
    if isinstance(scope, ast.AsyncFunctionDef):
        given = [each.arg for each in ast.walk(scope.args) if isinstance(each, ast.arg)]
        found |= {name: [None] for name in given if name not in ("self", "cls")}
    values = {id(item.targets[0]): item.value for item in ast.walk(scope) if isinstance(item, ast.Assign)}
    for item in ast.walk(scope):
        if isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Load):
            found.setdefault(item.id, []).append(values.get(id(item)))
    return found


def _is_rare(look: Look, loop: Loop) -> bool:
    """Whether a loop waits between its rounds, or goes round again only if something failed."""
    calls = [item for item in ast.walk(loop) if isinstance(item, ast.Call)]
    if any(last_name(call.func) in PACING or (last_name(call.func) == "get" and not call.args) for call in calls):
        return True
    block = next((item for item in look.tree.ancestors(look.node) if isinstance(item, ast.AsyncWith)), look.statement)
    return any(_ends(statement) for statement in _after(look.tree, block, loop))


def _after(tree: Tree, statement: ast.stmt, loop: Loop) -> Iterator[ast.stmt]:
    """A statement, and those that are run after it in the same round, one for each block round it."""
    yield statement
    child: ast.AST = statement
    for around in tree.ancestors(statement):
        if isinstance(child, ast.stmt):
            yield from (block[-1] for block in _blocks(around) if child in block)
        if around is loop:
            return
        child = around


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    yield from (block for field in ("body", "orelse") if isinstance(block := getattr(node, field, None), list))


def _ends(statement: ast.stmt) -> bool:
    """Whether the last thing that a statement does is to leave the loop."""
    if isinstance(statement, ast.With | ast.AsyncWith | ast.Try):
        return _ends(statement.body[-1])
    return isinstance(statement, ast.Return | ast.Break | ast.Raise)


# ------------------------------------------------------------------------------------------------------- how it is moved


def _swapped(tree: Tree, loop: Loop) -> ast.AsyncWith | None:
    """The `async with` that may change places with the loop round it, None if there is none."""
    match loop.body:
        case [ast.AsyncWith(items=[ast.withitem(optional_vars=ast.Name(id=name))]) as around] if not loop.orelse:
            head = (loop.test,) if isinstance(loop, ast.While) else (loop.target, loop.iter)
            used = any(isinstance(item, ast.Name) and item.id == name for part in head for item in ast.walk(part))
            return None if used or not _is_plain_text(*_heads(tree, loop, around)) else around
        case _:
            return None


def _heads(tree: Tree, loop: Loop, around: ast.AsyncWith) -> tuple[str, str, str, str]:
    """The first line of the loop, what is between, the first line of the `async with`, and what is behind."""
    source = tree.source
    start, inner, body = (source.span(node).start for node in (loop, around, around.body[0]))
    head, second = source.text(Span(start, inner)), source.text(Span(inner, body))
    first, behind = head.rstrip(), second.rstrip()
    return first, head[len(first) :], behind, second[len(behind) :]


def _is_plain_text(first: str, gap: str, second: str, behind: str) -> bool:
    """Whether both heads are a line each, without comments, and with a line break behind."""
    lines = all(text.endswith(":") and "\n" not in text and "#" not in text for text in (first, second))
    return lines and all(text.count("\n") == 1 for text in (gap, behind))
