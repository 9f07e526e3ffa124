"""# dropped-task

Finds tasks that nobody holds: started as a statement, or under a name that is never read.

## What it does

`asyncio.create_task`, `asyncio.ensure_future` and a loop's `create_task` whose result is thrown away are given to
`hold`, a function of the project's generated module: it keeps the task in a set until it is done. So are those of which
nothing is left when the function ends: of a variable that is never read, or a list of the function's own that is filled and
never read, unless it waits for something without an end, and holds them so long; and those that a `lambda` gives.

## Why is this bad?

The event loop holds tasks weakly. One that nothing else refers to may be collected at any time, half done.

## Example

```python
async def handle(order: Order) -> None:
    asyncio.create_task(notify(order))
```

Use instead:

```python
async def handle(order: Order) -> None:
    hold(asyncio.create_task(notify(order)))
```

## Safety

SAFE, unless a test or the program puts something else in the place of what starts the task: the task runs as before, and
to its end. What it raises is logged when it is over, as before, and it is cancelled with the event loop, as before. UNSAFE
where a loop of the project's own starts it, of which it is not known what it gives, or something of which only the name tells
that it is a loop (`self.bot.loop.create_task(...)`); and in a `lambda`, unless asyncio
itself calls that: who calls it may hold the task already.
"""

from __future__ import annotations

import ast
import re
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import last_name
from asyncfix.model import Edit, Form, NotDoubled, NotPatched, Replace, Site, Span, Unproven
from asyncfix.source import Source
from asyncfix.transform import BY_NAME, Look, Tree, Watch, Writing

from ._unread import unread

HOLD = '''
import asyncio
from typing import Any, TypeVar

Held = TypeVar("Held", bound="asyncio.Future[Any]")
_held: set[asyncio.Future[Any]] = set()


def hold(task: Held) -> Held:
    """Keep a task until it is done: the event loop itself holds it weakly, and it might be collected before."""
    _held.add(task)
    task.add_done_callback(_held.discard)
    return task
'''
LOOP = "asyncio.AbstractEventLoop"
STARTING = ("asyncio.create_task", "asyncio.ensure_future")
CALLING = frozenset(
    {"call_soon", "call_soon_threadsafe", "call_later", "call_at", "add_done_callback", "add_signal_handler"}
    | {"add_reader", "add_writer"}
)
"""Functions of asyncio that call what they are given, and keep nothing of what it gives."""
GATHERING = frozenset({"map", "starmap", "filter", "partial", "gather", "next", "reduce", "setdefault"})
"""Functions that hand on what a function gives that they are given."""
HANDED = "who calls the lambda may hold the task itself"
CALLED_SO = "only its name tells that it is an event loop: what it starts may be held already, or be no task"
NAMED = re.compile(r"\w+[ \t]*(?::[^=#\n]*)?=[ \t]*")
"""A name, with or without a type, that is assigned to on one line."""
TYPED = re.compile(rb"[ \t]*#[ \t]*type:(?![ \t]*ignore)")
"""A comment that gives the type of what is assigned."""


class DroppedTask(Watch):
    """A task that nobody holds: into a set, until it is done."""

    name = "dropped-task"
    watches: ClassVar[frozenset[str]] = frozenset({*STARTING, f"{LOOP}.create_task", BY_NAME})
    generated: ClassVar[dict[str, str]] = {"hold": HOLD}

    def examine(self, look: Look) -> Site | None:
        tree, node = look.tree, look.node
        called = ast.unparse(node.func)
        message = f"nobody holds the task that {called} starts: it may be collected"
        handed = _is_handed_out(tree, node)
        if not handed and not _is_thrown_away(tree, node):
            function = unread(tree, node)
            if function is None:
                return None
            message = f"nobody holds the task that {called} starts when {function.name} has ended: it may be collected"
        real = NotPatched((look.api.call,)) if look.api.call in STARTING else NotDoubled(LOOP, "add_done_callback")
        doubts = [
            Unproven(why) for why, doubted in ((HANDED, handed), (CALLED_SO, look.api.call == BY_NAME)) if doubted
        ]
        form = Form("held", (), (real, *doubts))
        return replace(look.site(self, [form]), message=message, title="hold a task")

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        start, end = site.call.start, site.call.end
        target = _target(writing.source, writing.tree(), writing.call(site.call))
        return [Replace(target or Span(start, start), f"{writing.generated('hold')}("), Replace(Span(end, end), ")")]


def _is_thrown_away(tree: Tree, node: ast.expr) -> bool:
    """Whether nothing gets the value of an expression, or a list of such values."""
    parent = tree.parent(node)
    match parent:
        case ast.Expr():
            return True
        case ast.Assign(targets=[ast.Name(id="_")]):
            return True
        case ast.Attribute(attr="add_done_callback"):
            called = tree.parent(parent)
            return isinstance(called, ast.Call) and called.func is parent
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if test is node:
            return True
        case ast.ListComp(elt=made) | ast.SetComp(elt=made):
            return made is node and _is_thrown_away(tree, parent)
        case ast.BoolOp() | ast.IfExp() | ast.List() | ast.Tuple():
            return _is_thrown_away(tree, parent)
        case ast.Lambda():
            called = tree.parent(parent)
            return isinstance(called, ast.Call) and parent in called.args and last_name(called.func) in CALLING
        case _:
            return False


def _is_handed_out(tree: Tree, node: ast.Call) -> bool:
    """Whether a task is what a lambda gives to whoever calls it, and nothing shows that this one wants it."""
    function = tree.parent(node)
    if not isinstance(function, ast.Lambda):
        return False
    parent = tree.parent(function)
    called = tree.parent(parent) if isinstance(parent, ast.keyword) else parent
    if isinstance(called, ast.Call):
        return called.func is not function and last_name(called.func) not in CALLING | GATHERING
    return isinstance(called, ast.Assign | ast.AnnAssign)


def _target(source: Source, tree: Tree, node: ast.Call) -> Span | None:
    """The name that a task is bound to, which nothing reads, with the sign behind it; None if it is to stay."""
    statement = tree.parent(node)
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or unread(tree, node) is None:
        return None
    span = Span(source.span(statement).start, source.span(node).start)
    typed = TYPED.match(source.data, source.span(statement).end)
    return span if NAMED.fullmatch(source.text(span)) and not typed else None
