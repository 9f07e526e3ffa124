"""# blocking-open

Finds files that are opened and used in code that runs on the event loop.

## What it does

The whole `with open(...)` block, or the loop or expression that uses up an `open(...)`, goes to one thread call. Where
aiofiles is configured (`files = "aiofiles"` under `[tool.asyncfix.strategy]`), is imported already, or the block must
await, and the handle is used for nothing that aiofiles does not support, the block becomes `async with aiofiles.open(...)`.

## Why is this bad?

While the disk works (or the network that the disk is at the other end of), no other task of the event loop moves. One
hop for the whole block is the fast form: with aiofiles every line that is read is a hop of its own.

## Example

```python
async def load(path):
    with open(path) as file:
        config = json.load(file)
    return config
```

Use instead:

```python
async def load(path):
    def read_config():
        with open(path) as file:
            return json.load(file)

    config = await asyncio.to_thread(read_config)
    return config
```

## Safety

As for `blocking-call`; and UNSAFE if a file is written, unless its path is made in the same call or an asyncio lock is held:
two tasks can now write it at once. Refused where the handle is kept or handed to something unknown, where the block leaves
a loop or returns on some paths only, and where its names cannot be shown to end up as before.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from asyncfix.blocks import Barred, Nested, called, nested, unfit
from asyncfix.flow import Comprehension, FunctionDef, own
from asyncfix.model import Api, Condition, Declared, Edit, FileOwned, Form, Replace, Site, Span, Strategy, ThreadSafe, Wrap
from asyncfix.transform import TO_THREAD, CannotWrite, Look, Transform, Tree, Writing
from asyncfix.writing import AWAIT_RANK, awaited, nested_function

PLAIN = frozenset({"builtins.open", "io.open"})
METHOD = "pathlib.Path.open"
OPENERS = PLAIN | {METHOD, "codecs.open", "gzip.open", "bz2.open", "lzma.open"}
MODULES = frozenset({"io", "codecs", "gzip", "bz2", "lzma", "os", "tokenize"})

# Calls that may stand round the opened file, or beside it, in the head of a `with`.
WRAPPERS = frozenset({"closing", "TextIOWrapper", "BufferedReader", "BufferedWriter", "GzipFile"})
BESIDE = WRAPPERS | {"open", "suppress", "NamedTemporaryFile", "TemporaryFile", "TemporaryDirectory"}

LAZY = frozenset({"enumerate", "map", "filter", "zip", "islice", "reader", "DictReader"}) | WRAPPERS
METHODS = frozenset({"read", "readline", "readlines", "write", "writelines", "truncate", "close"})
CONSUMERS = frozenset(
    {"load", "safe_load", "full_load", "dump", "safe_dump", "print", "copyfileobj"}
    | {"all", "any", "dict", "frozenset", "join", "list", "max", "min", "set", "sorted", "sum", "tuple", "Counter"}
)

AIOFILES = frozenset({"read", "readline", "readlines", "write", "writelines", "seek", "tell", "flush", "truncate"})
ESCAPES = "the opened file is kept or handed on, so it is not known where it is used"


class BlockingOpen(Transform):
    """`with open(...)` and `open(...).read()` to one thread call, or to aiofiles."""

    name = "blocking-open"
    order = 10

    def claims(self, api: Api) -> bool:
        return api.call in OPENERS

    def examine(self, look: Look) -> Site:
        statement = _statement(look)
        if statement is not None:
            return self._statement_site(look, statement)
        expression = _expression(look)
        if expression is None:
            return look.refused(self, "handle-escapes", ESCAPES)
        barred = unfit(expression) or _walrus(expression)
        if barred:
            return look.refused(self, barred.code, barred.why)
        return look.site(self, [_thread(look, expression)], expression)

    def _statement_site(self, look: Look, statement: ast.With | ast.For) -> Site:
        how = _nested(look.tree, statement)
        handle = _async_handle(look, statement)
        if isinstance(how, Nested):
            forms = [_thread(look, statement)]
            if handle:
                asked = Strategy("files", "aiofiles", default="aiofiles" in look.tree.imports)
                forms.insert(0, _aiofiles(look, statement, asked))
            return look.site(self, forms, statement)
        if how.code == "await" and handle:
            return look.site(self, [_aiofiles(look, statement)], statement)
        return look.refused(self, how.code, how.why)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        tree = Tree(writing.source, writing.source.parse())
        node = _find(tree, site.span)
        if form == "aiofiles" and isinstance(node, ast.With):
            return list(_write_aiofiles(tree, node, site.call, writing))
        if form != "thread":
            raise CannotWrite(f"no form {form}")
        if isinstance(node, ast.With | ast.For):
            how = _nested(tree, node)
            if isinstance(how, Barred):
                raise CannotWrite(how.why)
            return nested_function(writing, node, how, _name(tree, node, how))
        before = f"await {writing.name('asyncio.to_thread')}(lambda: "
        wrap = (f"({before}", "))") if site.tight else (before, ")")
        return [Wrap(site.span, *wrap, AWAIT_RANK)]
