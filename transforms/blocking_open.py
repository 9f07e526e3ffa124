"""# blocking-open

Finds files that are opened and used in code that runs on the event loop.

## What it does

The whole `with open(...)` block, or the loop or expression that uses up an `open(...)`, goes to one thread call. Where
aiofiles is configured (`files = "aiofiles"` under `[tool.asyncfix.strategy]`), is imported already, or the block must
await, and the handle is used for nothing that aiofiles does not support, it becomes `async with aiofiles.open(...)`.

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

As for `blocking-call`; and UNSAFE if a file is written, unless its path is made in the same call or an asyncio lock is
held: two tasks can now write it at once. Refused where the handle is kept or handed to something unknown, where the
block leaves a loop or returns on some paths only, and where its names cannot be shown to end up as before.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

from asyncfix.blocks import Nested, called, nested, read_later, unfit_in_lambda
from asyncfix.flow import FunctionDef, own
from asyncfix.model import Api, Barred, Condition, Declared, Edit, FileOwned, Form, Replace, Site, Span, Strategy
from asyncfix.nesting import nested_function
from asyncfix.source import Source
from asyncfix.transform import CannotWrite, Look, Transform, Tree, Writing, thread_form
from asyncfix.writing import awaited, awaited_lambda

PLAIN = frozenset({"builtins.open", "io.open"})
METHOD = "pathlib.Path.open"
OPENERS = PLAIN | {METHOD, "codecs.open", "gzip.open", "bz2.open", "lzma.open"}
MODULES = frozenset({"io", "codecs", "gzip", "bz2", "lzma", "os", "tokenize", "tarfile", "wave", "Image"})

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
        barred = unfit_in_lambda(expression)
        if barred:
            return look.refused(self, barred.code, barred.why)
        return look.site(self, [thread_form(look, expression)], expression)

    def _statement_site(self, look: Look, statement: ast.With | ast.For) -> Site:
        how = _nested(look.tree, statement)
        uses = _async_uses(look.tree, statement, look.node) if look.api.call in PLAIN | {METHOD} else look.api.call
        supported = isinstance(uses, _Uses)
        if isinstance(how, Nested):
            forms = [thread_form(look, statement)]
            if supported:
                asked = Strategy("files", "aiofiles", default="aiofiles" in look.tree.imports)
                forms.insert(0, _aiofiles(look, statement, asked))
            return look.site(self, forms, statement)
        if how.code == "await" and supported:
            return look.site(self, [_aiofiles(look, statement)], statement)
        if how.code == "await":
            return look.refused(self, how.code, f"{how.why}, and aiofiles does not support {uses}")
        return look.refused(self, how.code, how.why)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        tree = writing.tree()
        node = _find(tree, site.span)
        if form == "aiofiles" and isinstance(node, ast.With):
            return list(_write_aiofiles(tree, node, site.call, writing))
        if form != "thread":
            raise CannotWrite(f"no form {form}")
        if isinstance(node, ast.With | ast.For):
            how = _nested(tree, node)
            if isinstance(how, Barred):
                raise CannotWrite(how.why)
            return nested_function(writing, node, how, _name(node, how))
        return awaited_lambda(writing, site.span, site.tight)


def _aiofiles(look: Look, node: ast.stmt, *asked: Condition) -> Form:
    """The block with its file opened by aiofiles."""
    return Form("aiofiles", (*asked, Declared("aiofiles")), (FileOwned(look.tree.source.span(node)),))


def _opens(node: ast.AST) -> Iterator[ast.Call]:
    """The calls in a piece of code that by their name open something."""
    return (part for part in ast.walk(node) if isinstance(part, ast.Call) and called(part) == "open")


def _path_and_mode(call: ast.Call, method: bool) -> tuple[ast.expr, ast.expr | None]:
    """What is opened and how, None if that is not said; the receiver of `path.open()` is the path."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    arguments = [call.func.value, *call.args] if method and isinstance(call.func, ast.Attribute) else call.args
    unpacked = [argument for argument in arguments if isinstance(argument, ast.Starred)]
    path = arguments[0] if arguments else named.get("file") or named.get("filename") or call
    if unpacked or None in named:
        return path, unpacked[0] if unpacked else named[None]
    return path, arguments[1] if len(arguments) > 1 else named.get("mode")


def _may_write(mode: ast.expr | None) -> bool:
    return mode is not None and not (isinstance(mode, ast.Constant) and not set(str(mode.value)) & set("wax+"))


def _is_method(call: ast.Call) -> bool:
    """Whether `x.open(...)` is a method of a path, not a function of a module."""
    match call.func:
        case ast.Attribute(value=ast.Name(id=name)):
            return name not in MODULES
        case ast.Attribute():
            return True
        case _:
            return False


def _statement(look: Look) -> ast.With | ast.For | None:
    """The `with` that enters the opened file, or the `for` that runs over it."""
    node, parent = _wrapped(look, WRAPPERS)
    if isinstance(parent, ast.withitem) and _is_beside(statement := look.tree.parent(parent), look.node):
        return statement
    node, parent = _wrapped(look, LAZY)
    return parent if isinstance(parent, ast.For) and parent.iter is node else None


def _wrapped(look: Look, wrappers: frozenset[str]) -> tuple[ast.AST, ast.AST | None]:
    """The call within those that only wrap the opened file, and what it stands in."""
    node: ast.AST = look.node
    parent = look.parent
    while isinstance(parent, ast.Call) and called(parent) in wrappers and node is not parent.func:
        node, parent = parent, look.tree.parent(parent)
    return node, parent


def _is_beside(node: ast.AST | None, opened: ast.Call) -> TypeGuard[ast.With]:
    """Whether all that a `with` enters are files and the like, under plain names."""
    return isinstance(node, ast.With) and all(
        (item.context_expr is opened or called(item.context_expr) in BESIDE)
        and isinstance(item.optional_vars, ast.Name | None)
        for item in node.items
    )


def _nested(tree: Tree, statement: ast.With | ast.For) -> Nested | Barred:
    """How the statement becomes a nested function of the function that it stands in."""
    function = next((node for node in tree.ancestors(statement) if isinstance(node, FunctionDef | ast.ClassDef)), None)
    if not isinstance(function, FunctionDef):
        return Barred("no-function", "the block is not the code of a function")
    how = nested(tree, function, statement)
    if isinstance(how, Nested) and isinstance(statement, ast.With):
        handles = {item.optional_vars.id for item in statement.items if isinstance(item.optional_vars, ast.Name)}
        if handles & {*how.parameters, *how.shared, *how.module_names, *how.results}:
            return Barred("handle-escapes", ESCAPES)
    return how


def _expression(look: Look) -> ast.expr | None:
    """The expression that uses the opened file up, so that nothing of it is left."""
    node: ast.AST = look.node
    parent = look.parent
    while parent is not None:
        match parent:
            case ast.Attribute(value=value, attr=name) if value is node:
                call = look.tree.parent(parent)
                return call if isinstance(call, ast.Call) and call.func is parent and name in METHODS else None
            case ast.Call() if called(parent) in CONSUMERS and node is not parent.func:
                return parent
            case ast.Call() if called(parent) in LAZY and node is not parent.func:
                node, parent = parent, look.tree.parent(parent)
            case ast.comprehension() | ast.keyword(arg="file") | ast.GeneratorExp():
                node, parent = parent, look.tree.parent(parent)
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                return parent
            case _:
                return None
    return None


def _find(tree: Tree, span: Span) -> ast.AST:
    """The surveyed node of exactly this span."""
    line, _ = tree.source.position(span.start)
    for node in ast.walk(tree.module):
        if isinstance(node, ast.expr | ast.With | ast.For) and node.lineno == line and tree.source.span(node) == span:
            return node
    raise CannotWrite("the text is not what was surveyed")


def _name(node: ast.With | ast.For, how: Nested) -> str:
    """What a person would call the nested function."""
    if any(_may_write(_path_and_mode(each, _is_method(each))[1]) for each in _opens(node)):
        return "write_file"
    result = how.results[0].strip("_") if len(how.results) == 1 else ""
    return f"read_{result}" if len(result) > 2 else "read_file"


# ------------------------------------------------------------------------------------------------------------ aiofiles


@dataclass(frozen=True, slots=True)
class _Uses:
    """Where the handle is used: calls of its methods, and loops over its lines."""

    calls: tuple[ast.Call, ...]
    loops: tuple[ast.For, ...]


def _async_uses(tree: Tree, statement: ast.With | ast.For, call: ast.AST) -> _Uses | str:
    """All uses of the handle of a `with` of one file, or what of it aiofiles does not support."""
    if isinstance(statement, ast.For):
        return "a loop over `open`"
    if len(statement.items) != 1 or statement.items[0].context_expr is not call:
        return "anything else in the `with`"
    variable = statement.items[0].optional_vars
    handle = variable.id if isinstance(variable, ast.Name) else ""
    if handle in read_later(tree, statement):
        return f"`{handle}` behind its block"
    mentions = [node for part in statement.body for node in ast.walk(part) if _mentions(node, handle)]
    here = set(own(statement.body)) - {node for part in _closed_to_await(statement) for node in ast.walk(part)}
    uses = [_use(tree, node) for node in mentions if node in here]
    odd = next((node for node in mentions if node not in here or _use(tree, node) is None), None)
    if odd is not None:
        return f"{_text(tree, odd)} (line {getattr(odd, 'lineno', statement.lineno)})"
    return _Uses(
        tuple(use for use in uses if isinstance(use, ast.Call)),
        tuple(use for use in uses if isinstance(use, ast.For)),
    )


def _text(tree: Tree, node: ast.AST) -> str:
    """A use of the handle in short."""
    parent = tree.parent(node)
    if isinstance(parent, ast.Attribute):
        return f"`.{parent.attr}`" if parent.attr not in AIOFILES else f"`.{parent.attr}` here"
    name = called(parent) if parent else ""
    return f"`{name}()`" if name else "this use of the file"


def _mentions(node: ast.AST, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name) or getattr(node, "name", None) == name


def _closed_to_await(statement: ast.With) -> Iterator[ast.AST]:
    """Where no await may stand, or (in f-strings before Python 3.12) `ast` has no right position for it."""
    return (node for node in ast.walk(statement) if isinstance(node, ast.GeneratorExp | ast.JoinedStr))


def _use(tree: Tree, node: ast.AST) -> ast.Call | ast.For | None:
    """The supported use that a mention of the handle is part of."""
    parent = tree.parent(node)
    if isinstance(parent, ast.Attribute) and parent.attr in AIOFILES:
        call = tree.parent(parent)
        return call if isinstance(call, ast.Call) and call.func is parent else None
    return parent if isinstance(parent, ast.For) and parent.iter is node else None


def _write_aiofiles(tree: Tree, statement: ast.With, opened: Span, writing: Writing) -> Iterator[Edit]:
    source = tree.source
    call = statement.items[0].context_expr
    uses = _async_uses(tree, statement, call) if isinstance(call, ast.Call) and source.span(call) == opened else ""
    if isinstance(uses, str) or not isinstance(call, ast.Call):
        raise CannotWrite("the handle is used in another way than was surveyed")
    for node in (statement, *uses.loops):
        start = source.span(node).start
        yield Replace(Span(start, start), "async ")
    yield from _opened(source, call, writing.name("aiofiles.open"))
    for use in uses.calls:
        yield from awaited(writing, source.span(use), _is_tight(tree, use))


def _opened(source: Source, call: ast.Call, name: str) -> Iterator[Edit]:
    """`open(p)` to `aiofiles.open(p)`, and `p.open("w")` to `aiofiles.open(p, "w")`."""
    function = source.span(call.func)
    if not _is_method(call):
        yield Replace(function, name)
        return
    start = source.span(call).start
    method = re.compile(rb"\s*\.\s*open\s*\(\s*")
    found = next((each for each in method.finditer(source.data, start) if each.end() > function.end), None)
    if found is None:
        raise CannotWrite("the call is not written as it was surveyed")
    yield Replace(Span(start, start), f"{name}(")
    yield Replace(Span(found.start(), found.end()), ", " if call.args or call.keywords else "")


def _is_tight(tree: Tree, node: ast.Call) -> bool:
    match tree.parent(node):
        case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner):
            return inner is node
        case _:
            return False
