"""# get-event-loop

Finds `asyncio.get_event_loop()`, and event loops that async code gets and does nothing with.

## What it does

In async functions it becomes `asyncio.get_running_loop()`, and in sync functions that async code calls. Under a name that
nothing reads (any more, in the same run) it goes away. Where certainly no event loop runs it is reported: in the code of a
module, and in sync functions that run the loop they get; so is an attribute that is set to it when an object is made.

## Why is this bad?

In async code both give the loop that runs; only the newer name says so, and raises where there is none instead of looking
for one elsewhere. Where none runs, `get_event_loop` is deprecated since Python 3.12 and raises RuntimeError since 3.14
unless a loop was set before.

## Example

```python
async def load_all(numbers: list[int]) -> list[User]:
    loop = asyncio.get_event_loop()
    return [await loop.run_in_executor(None, load_user, number) for number in numbers]
```

Use instead:

```python
async def load_all(numbers: list[int]) -> list[User]:
    loop = asyncio.get_running_loop()
    return [await loop.run_in_executor(None, load_user, number) for number in numbers]
```

## Safety

SAFE: a coroutine runs on a loop, and that is what both functions give, on every Python since 3.7. UNSAFE where a test or the
program puts something else in the place of one of them, or drives coroutines by hand (`coroutine.send(None)`), and in sync
functions: others may call them where no loop runs. Refused where a sync test or the code of a module is seen to come there.
Sync functions of which it is not seen that async code, other than a test, calls them may run in a callback of a loop or in a
thread of their own: they are left alone, as is code that sets the loop itself or is ready for the error.
"""

from __future__ import annotations

import ast
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import blocks, last_name
from asyncfix.model import (
    Edit,
    Form,
    Means,
    MinimumPython,
    NotPatched,
    OnLoop,
    Replace,
    Site,
    Span,
    Unproven,
    WithinLoop,
)
from asyncfix.statements import next_line, with_blank_lines
from asyncfix.transform import CannotWrite, FunctionNode, Look, Tree, Watch, Writing

from ._comments import first_comment
from ._loops import runs_in_loop
from ._unread import shared

GET = "asyncio.get_event_loop"
RUNNING = "asyncio.get_running_loop"
RUNS = ("run_until_complete", "run_forever")
NESTING = "nestasyncio"
ELSEWHERE = "where no event loop runs, this raises; get_event_loop made one there, or gave the one that was set"
UNSURE = "get it where it is used: there, asyncio.get_running_loop() gives the loop that runs"
FRAMES = frozenset({"locals", "vars", "eval", "exec", "dir"})
"""What may read any name."""
NO_LOOP = "make one with asyncio.new_event_loop(), or let asyncio.run(...) make it"


class GetEventLoop(Watch):
    """The loop that runs, by the name that says so."""

    name = "get-event-loop"
    watches: ClassVar[frozenset[str]] = frozenset({GET, RUNNING})
    told_way: ClassVar[bool] = True

    def examine(self, look: Look) -> Site | None:
        if look.node.args or look.node.keywords:
            return None
        only_if = (Means(look.span, (look.api.call,)),)
        site = self._unread(look) or (self._site(look) if look.api.call == GET else None)
        return replace(site, only_if=only_if) if site is not None else None

    def _unread(self, look: Look) -> Site | None:
        """The site of a loop that async code gets and never uses."""
        gone = _unread(look.tree, look.node) if runs_in_loop(look) else None
        if gone is None:
            return None
        form = Form("removed", (), (NotPatched((GET, RUNNING)), OnLoop()))
        message = f"nothing reads the event loop that {ast.unparse(look.node.func)} gives"
        return replace(look.site(self, [form], look.statement), message=message, title="take an unused loop away")

    def _site(self, look: Look) -> Site | None:
        if runs_in_loop(look):
            form = Form("running", (MinimumPython((3, 7)),), (NotPatched((GET, RUNNING)), OnLoop()))
            message = "async code gets the loop that it runs on: asyncio.get_running_loop says so"
            return replace(look.site(self, [form]), message=message, title="get the running loop")
        if _is_loopless(look):
            message = "no event loop runs here: deprecated since Python 3.12, an error since 3.14 if none was set"
            return replace(look.refused(self, "no-running-loop", NO_LOOP), message=message)
        if _is_guarded(look) or not isinstance(look.function, ast.FunctionDef) or _asks(look.function):
            return None
        if look.way and not look.way.startswith("test") and not _is_ready(look):
            unproven = (NotPatched((GET, RUNNING)), Unproven(ELSEWHERE))
            form = Form("running", (MinimumPython((3, 7)), WithinLoop()), unproven)
            message = f"async code gets the loop that it runs on ({look.way}): asyncio.get_running_loop says so"
            return replace(look.site(self, [form]), message=message, title="get the running loop")
        if look.function.name != "__init__" or not _is_kept(look.statement):
            return None
        message = (
            "the loop is taken when the object is made: no loop may run there, or another than where the object is used"
        )
        return replace(look.refused(self, "made-elsewhere", UNSURE), message=message)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        tree, call = writing.tree(), writing.call(site.call)
        if form == "running":
            return [Replace(tree.source.span(call.func), writing.name(RUNNING))]
        gone = _unread(tree, call)
        if gone is None:
            raise CannotWrite("the loop is not, or not only, bound to a name that nothing reads")
        return [gone]


def _unread(tree: Tree, node: ast.Call) -> Replace | None:
    """The edit that takes away the statement that binds a loop to a name, None if it may be read, or is not alone there."""
    statement = tree.parent(node)
    scope = next((item for item in tree.ancestors(node) if isinstance(item, FunctionNode | ast.ClassDef)), None)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            pass
        case _:
            return None
    if not isinstance(scope, ast.AsyncFunctionDef) or _may_read(scope, name):
        return None
    return _removed(tree, statement)


def _may_read(function: ast.AsyncFunctionDef, name: str) -> bool:
    """Whether a function may read one of its names, or others may."""
    if shared(function, name):
        return True
    for node in ast.walk(function):
        match node:
            case ast.Name(id=read, ctx=ast.Load() | ast.Del()) if read == name or read in FRAMES:
                return True
            case ast.Attribute(attr="f_locals"):
                return True
            case ast.AugAssign(target=ast.Name(id=read)) if read == name:
                return True
            case _:
                pass
    return False


def _removed(tree: Tree, statement: ast.stmt) -> Replace | None:
    """The edit that takes away a statement with its line, None if something else stands on that, or a comment on it above, or if
    it is all that a ``try`` guards."""
    source, span = tree.source, tree.source.span(statement)
    end, start = next_line(source, span.end), source.line_start(span.start)
    if end is None or source.data[start : span.start].strip() or b"#" in source.data[span.end : end]:
        return None
    around = tree.parent(statement) or tree.module
    body = next(block for block in blocks(around) if statement in block)
    if first_comment(source, start) < start or (isinstance(around, ast.Try) and around.body == [statement]):
        return None
    return Replace(span, "pass") if len(body) == 1 else Replace(with_blank_lines(source, Span(start, end)), "")


def _is_kept(statement: ast.stmt) -> bool:
    """Whether a statement sets an attribute of an object."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return any(isinstance(each, ast.Attribute) for each in targets)


def _is_loopless(look: Look) -> bool:
    """Whether no event loop runs there, and none was set before."""
    if _is_ready(look):
        return False
    return look.function is None or (_runs_it(look, look.function) and not _asks(look.function))


def _is_ready(look: Look) -> bool:
    """Whether the code is ready for the error, or the module sets a loop itself."""
    return _is_guarded(look) or any(_sets(node) for node in ast.walk(look.tree.module))


def _asks(function: FunctionNode) -> bool:
    """Whether a function asks if the loop runs, so that it may."""
    return any(last_name(node) == "is_running" for node in ast.walk(function))


def _sets(node: ast.AST) -> bool:
    """Whether a name is that of the function that sets the loop, or of the package that lets loops run in loops."""
    return last_name(node) == "set_event_loop" or NESTING in last_name(node).replace("_", "").lower()


def _is_guarded(look: Look) -> bool:
    """Whether a handler stands round a call, in whatever function."""
    return any(isinstance(node, ast.Try) and node.handlers for node in look.tree.ancestors(look.node))


def _runs_it(look: Look, function: FunctionNode) -> bool:
    """Whether a sync function runs the loop that it gets there."""
    match look.parent:
        case ast.Attribute(attr=name):
            return name in RUNS
        case ast.Assign(targets=[ast.Name(id=bound)]) | ast.NamedExpr(target=ast.Name(id=bound)):
            return any(_is_run(node, bound) for node in ast.walk(function))
        case _:
            return False


def _is_run(node: ast.AST, bound: str) -> bool:
    """Whether a call runs the loop of that name."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            return name == bound and method in RUNS
        case _:
            return False
