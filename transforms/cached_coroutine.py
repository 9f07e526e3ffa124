"""# cached-coroutine

Finds coroutine functions under `functools.lru_cache`, `cache` or `cached_property`.

## What it does

The cache becomes `async_lru.alru_cache`, which keeps what awaiting the coroutine gave, if the project declares async-lru, or
`--strategy async_lru=native` asks for it. A `cached_property` is reported only.

## Why is this bad?

The cache keeps the coroutine, and a coroutine may be awaited once. The second call with the same arguments gives the one
of the first, and awaiting it raises `RuntimeError: cannot reuse already awaited coroutine`.

## Example

```python
@functools.lru_cache(maxsize=8)
async def load_user(number: int) -> User:
    return await fetch(f"/users/{number}")
```

Use instead:

```python
@async_lru.alru_cache(maxsize=8)
async def load_user(number: int) -> User:
    return await fetch(f"/users/{number}")
```

## Safety

Always UNSAFE: the second call raised, and now gives what the first one gave. Errors are not kept, and one cache serves one
event loop: another one, as in each test of a test suite, may not use it (or begins anew, by the version of async-lru).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from asyncfix.caching import OLD, cached_by_async_lru, caches
from asyncfix.flow import called, own
from asyncfix.model import Declared, Edit, Form, Function, Site, Span, Strategy, Unproven
from asyncfix.transform import BlockTransform, CannotWrite, Tree, Writing

PROPERTY = "cached_property"
NAMES = (*OLD, PROPERTY)
REFS = frozenset({*(f"functools.{name}" for name in NAMES), "functools.lru_cache()"})
KEYWORD = 3  # as many bytes of ``async def`` name a definition
KEPT = "the second call raised RuntimeError, and will give what the first one gave; one cache serves one event loop"


class CachedCoroutine(BlockTransform):
    """A cache of `functools` on a coroutine function: one of async-lru."""

    name = "cached-coroutine"

    def concerns(self, function: Function) -> bool:
        return function.is_async and not function.is_generator and not REFS.isdisjoint(function.decorators)

    def scan(self, tree: Tree) -> list[Site]:
        named = caches(tree.module, NAMES)
        functions = (node for node in ast.walk(tree.module) if isinstance(node, ast.AsyncFunctionDef))
        return [site for node in functions if named for site in self._sites(tree, node, named)]

    def _sites(self, tree: Tree, node: ast.AsyncFunctionDef, named: Mapping[str, str]) -> Iterator[Site]:
        for decorator in node.decorator_list:
            cache = named.get(ast.unparse(called(decorator)))
            if cache is not None and not any(isinstance(each, ast.Yield) for each in own(node.body)):
                yield self._site(tree, node, cache)

    def _site(self, tree: Tree, node: ast.AsyncFunctionDef, cache: str) -> Site:
        start = tree.source.span(node).start
        keyword = Span(start, start + KEYWORD)
        form = Form(
            "async-lru", (Declared("async-lru"), Strategy("async_lru", "native", default=True)), (Unproven(KEPT),)
        )
        refused = cache == PROPERTY
        return Site(
            self.name,
            "",
            keyword,
            keyword,
            tree.qualified(node),
            () if refused else (form,),
            refusal="cached-property" if refused else "",
            why="make it a method, and cache that: each access gives the same coroutine" if refused else "",
            message=f"{cache} keeps the coroutine of {node.name}, which may be awaited once",
            title="cache what is awaited",
        )

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        for decorator in writing.definition(site.span).decorator_list:
            edit = cached_by_async_lru(decorator, writing)
            if edit is not None:
                return [edit]
        raise CannotWrite("expected the decorator of a cache")
