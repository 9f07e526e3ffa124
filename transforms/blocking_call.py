"""# blocking-call

Finds calls that wait for a disk, a network, a database or another thread, in code that runs on the event loop.

## What it does

Every call that the API maps know to block and that no other rule claims is handed to a thread:
`await asyncio.to_thread(f, ...)`. Such calls that follow on one another (`f(a).g()`) go in one hop, as
`await asyncio.to_thread(lambda: f(a).g())`.

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

SAFE if all that then runs in the thread is known, writes nothing that others can reach, and reads nothing shared that
other code changes. UNSAFE otherwise, with the place. Refused for objects bound to one thread (an sqlite3 connection), for
the loop's own API, and for lazy iterators, of which a thread would run nothing.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from asyncfix.blocks import unfit_in_lambda
from asyncfix.model import Api, Edit, Site
from asyncfix.transform import CannotWrite, Look, Transform, Tree, Writing, thread_form
from asyncfix.writing import awaited_in_thread, awaited_lambda

FLOWS = frozenset({"network", "file", "database", "queue", "input", "lock", "computation", "sleep", ""})


class BlockingCall(Transform):
    """Any other blocking call to `await asyncio.to_thread(...)`."""

    name = "blocking-call"
    flows: ClassVar[frozenset[str]] = FLOWS

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
        chain = self._chain(look)
        whole = look.node if unfit_in_lambda(chain) else chain
        return look.site(self, [thread_form(look, whole)], whole)

    def _chain(self, look: Look) -> ast.Call:
        """The last of the blocking calls that follow on this one, each a method of what the one before gave."""
        node = look.node
        while (call := _called_on(look.tree, node)) is not None:
            api = look.tree.blocking.get(look.tree.source.span(call))
            if api is None or not self.claims(api) or api.kind == "for" or api.flow == "lock":
                break
            node = call
        return node

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        if form != "thread":
            raise CannotWrite(f"no form {form}")
        if site.span != site.call:
            return awaited_lambda(writing, site.span, site.tight)
        return awaited_in_thread(writing, site.call, site.tight)


def _called_on(tree: Tree, node: ast.expr) -> ast.Call | None:
    """The call of a method of this expression, if there is one."""
    method = tree.parent(node)
    call = tree.parent(method) if isinstance(method, ast.Attribute) else None
    return call if isinstance(call, ast.Call) and call.func is method else None
