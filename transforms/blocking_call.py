"""# blocking-call

Finds calls that wait for a disk, a network, a database or another thread, in code that runs on the event loop.

## What it does

Every call that the API maps know to block and that no other rule claims is handed to a thread:
`await asyncio.to_thread(f, ...)`. Such calls that follow on one another (`f(a).g()`) go in one hop, as
`await asyncio.to_thread(lambda: f(a).g())`. Where the API map names an async twin in the same class or module
(`async = "acme.Client.afetch"`), that is awaited instead: `await client.afetch(...)`; `acme = "thread"` under
`[tool.asyncfix.strategy]` keeps to threads, and `acme = "native"` also finds the calls that run in one already. The twin is
not taken where a test gives something that may lack it in place of the client.

## Why is this bad?

While the call waits, no other task of the event loop moves.

## Example

```python
async def read_config(path: Path) -> str:
    return path.read_text()
```

Use instead:

```python
async def read_config(path: Path) -> str:
    return await asyncio.to_thread(path.read_text)
```

## Safety

SAFE if all that then runs in the thread is known, writes nothing that others can reach, reads nothing shared that other
code changes, and does not sleep (sleepers would fill the thread pool). UNSAFE otherwise, with the place. Refused for
objects bound to one thread (an sqlite3 connection), for the loop's own API, and for lazy iterators, of which a thread
would run nothing.

A thread cannot be stopped: a program at an `input` ends on the second or third Ctrl-C, or on Enter after the first, where
`input` on the event loop ended on the first or second.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from asyncfix.blocks import unfit_in_lambda
from asyncfix.model import Api, Declared, Edit, Form, NotDoubled, NotPatched, Replace, Site, Span, Strategy
from asyncfix.transform import CannotWrite, Look, Transform, Tree, Writing, thread_form
from asyncfix.writing import awaited, awaited_as, awaited_in_thread, awaited_lambda, bridge_of, call_node

RUN_APART = '''
import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")


async def _finished(work: Awaitable[Result]) -> Result:
    return await work


def run_apart(work: Awaitable[Result]) -> Result:
    """Run something to its end where no await may stand: on an event loop of its own, in a thread of its own.

    The caller waits, and so does all else on its event loop. What belongs to another event loop cannot be used in it.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(copy_context().run, asyncio.run, _finished(work)).result()
'''
FLOWS = frozenset({"network", "file", "database", "queue", "input", "lock", "sleep", ""})


class BlockingCall(Transform):
    """Any other blocking call to `await asyncio.to_thread(...)`."""

    name = "blocking-call"
    bridged = True
    flows: ClassVar[frozenset[str]] = FLOWS
    generated: ClassVar[dict[str, str]] = {"run_apart": RUN_APART}

    def asks(self, form: str) -> bool:
        return False  # a use does, of what turned async

    def claims(self, api: Api) -> bool:
        return api.flow in self.flows

    def examine(self, look: Look) -> Site:
        if look.api.kind == "for":
            return look.refused(
                self, "lazy", f"{look.api.call} does its work while it is iterated: a thread would run nothing of it"
            )
        if look.api.flow == "lock":
            return look.refused(
                self, "thread-lock", "a lock, event or thread of `threading` needs its asyncio counterpart"
            )
        if any(isinstance(child, ast.Yield | ast.YieldFrom) for child in ast.walk(look.node)):
            return look.refused(self, "yield", "the arguments yield")
        if _has_twin(look.api) and _is_named(look.node, look.api):
            return look.site(self, [_native(look.api), thread_form(look, look.node)])
        chain = self._chain(look)
        whole = look.node if unfit_in_lambda(chain) else chain
        return look.site(self, [thread_form(look, whole)], whole)

    def _chain(self, look: Look) -> ast.Call:
        """The last of the blocking calls that follow on this one, each a method of what the one before gave."""
        node = look.node
        while (call := _called_on(look.tree, node)) is not None:
            api = look.tree.blocking.get(look.tree.source.span(call))
            if api is None or not self.claims(api) or api.kind == "for" or api.flow == "lock" or _has_twin(api):
                break
            node = call
        return node

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        if form != "thread":
            return _write_native(site, form, writing)
        if site.span != site.call:
            return awaited_lambda(writing, site.span, site.tight)
        return awaited_in_thread(writing, site.call, site.tight)


def _has_twin(api: Api) -> bool:
    """Whether there is an async twin beside the call: in the same class, so that it is at hand where the call is, or module."""
    owner, _, name = api.call.rpartition(".")
    other, _, twin = api.twin.rpartition(".")
    return api.kind == "await" and owner == other and name != twin


def _is_named(node: ast.Call, api: Api) -> bool:
    """Whether the call is written so that the twin's name can take its place."""
    return not _of_class(api.call) or (
        isinstance(node.func, ast.Attribute) and node.func.attr == api.call.rpartition(".")[2]
    )


def _of_class(call: str) -> bool:
    return call.split(".")[-2][:1].isupper()


def _native(api: Api) -> Form:
    """The twin awaited; the form has its name."""
    asked = Strategy(api.call.partition(".")[0], "native", default=True)
    declared = (Declared(api.distribution),) if api.distribution else ()
    owner, _, twin = api.twin.rpartition(".")
    doubled = (NotDoubled(owner, twin),) if _of_class(api.call) else ()
    return Form(api.twin, (asked, *declared, NotPatched((api.call,)), *doubled))


def _write_native(site: Site, twin: str, writing: Writing) -> list[Edit]:
    if not _of_class(twin):
        return awaited_as(writing, site, writing.name(twin))
    old_name, name = site.api.rpartition(".")[2], twin.rpartition(".")[2]
    if site.bridged:
        method = writing.source.text(writing.source.span(bridge_of(writing, site).call.func))
        return awaited_as(writing, site, method.removesuffix(old_name) + name)
    call = call_node(writing, site.call)
    if not (method := writing.code(call.func)).endswith(f".{old_name}"):
        raise CannotWrite("the method is not called as it was surveyed")
    end = writing.span(call.func).end
    old = Span(end - len(old_name), end)
    return [Replace(old, name), *awaited(writing, site.call, site.tight, (method[: old.start - end] + name, ""))]


def _called_on(tree: Tree, node: ast.expr) -> ast.Call | None:
    """The call of a method of this expression, if there is one."""
    method = tree.parent(node)
    call = tree.parent(method) if isinstance(method, ast.Attribute) else None
    return call if isinstance(call, ast.Call) and call.func is method else None
