"""# sleep-poll

Finds `while not ready: await asyncio.sleep(x)`: loops that ask again and again for something that the program itself changes.

## What it does

Reports them, and changes nothing: who changes the thing would have to tell. Told are loops that do nothing but sleep, count,
log, or give up after a time, and whose condition is made of variables and attributes that the project assigns, of their length,
and of `is_set()`, `done()`, `empty()` and the like; those that ask whether a task is done which the function has started or is
given as one; also loops on a constant that an `if` on such a condition leaves. What is asked of files, processes or libraries
has no event to wait for.

## Why is this bad?

The task wakes up for nothing many times, and when the thing has happened, it goes on up to `x` seconds too late. An
`asyncio.Event` wakes it at once.

## Example

```python
class Service:
    def on_connect(self) -> None:
        self.ready = True

    async def wait_until_ready(self) -> None:
        while not self.ready:
            await asyncio.sleep(0.1)
```

Use instead:

```python
class Service:
    def on_connect(self) -> None:
        self.ready.set()

    async def wait_until_ready(self) -> None:
        await self.ready.wait()
```

An `asyncio.Condition` serves where many conditions are waited for, `asyncio.timeout` round it where the loop gave up after a
time, and awaiting a task or `queue.join()` where these were asked.

## Safety

Nothing is changed. An event of asyncio is set from the thread of the event loop alone: from another one by
`loop.call_soon_threadsafe(event.set)`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import Names, bindings, declared, last_name, own, parameters
from asyncfix.model import NotAssigned, Site
from asyncfix.transform import Look, Report

SLEEP = "asyncio.sleep"
STATES = frozenset({"is_set", "done", "empty", "full", "locked", "cancelled"})
"""What is asked of events, tasks, queues and locks."""
SIZES = frozenset({"len", "bool", "any", "all"})
TELLING = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print"})
STARTING = frozenset({"create_task", "ensure_future", "create_future", "gather", "run_in_executor", "shield"})
TASK = re.compile(r"[\"']?(?:asyncio\.(?:Task|Future)|Task)\b")
CLOCKS = frozenset({"time", "monotonic", "perf_counter", "now", "utcnow", "total_seconds"})


class SleepPoll(Report):
    """A loop that sleeps until something is so: reported."""

    name = "sleep-poll"
    watches: ClassVar[frozenset[str]] = frozenset({SLEEP})

    def examine(self, look: Look) -> Site | None:
        loop, function = look.tree.parent(look.statement), look.function
        if not isinstance(loop, ast.While) or not isinstance(function, ast.AsyncFunctionDef):
            return None
        test, body = _test(loop)
        if not all(_is_idle(statement, look.statement) for statement in body) or not _asks_for_state(test):
            return None
        local = _local(function)
        counted = frozenset(name for name, _ in bindings(loop.body))
        told = _asked(test, counted)
        asked = [node for node in told if last_name(node) not in local or isinstance(node, ast.Attribute)]
        asks = "while" if test is loop.test else "if"
        message = f"`{asks} {ast.unparse(test)[:60]}` sleeps and asks again: the task wakes for nothing, and late"
        started = next(_started(function, test), "") if not asked else ""
        if started:
            why = f"await {started}, or asyncio.wait([{started}], timeout=...) where others are looked after meanwhile"
            return replace(look.refused(self, "poll", why), message=message)
        if not asked:
            return None
        why = "an asyncio.Event that is set where it changes, or a Condition, wakes the task at once"
        site = look.refused(self, "poll", why)
        read = tuple((last_name(node), look.tree.source.span(node)) for node in asked)
        return replace(site, message=message, unless=(NotAssigned(read),))


def _test(loop: ast.While) -> tuple[ast.expr, list[ast.stmt]]:
    """What a loop asks for, and what it does besides: one on a constant may be left by an `if` that it begins or ends with."""
    if isinstance(loop.test, ast.Constant) and loop.test.value:
        for at in {0: loop.body[0], -1: loop.body[-1]}.values():
            match at:
                case ast.If(test=test, body=[*_, ast.Return() | ast.Break()], orelse=[]):
                    return test, [each for each in loop.body if each is not at]
                case _:
                    pass
    return loop.test, loop.body


def _is_idle(statement: ast.stmt, sleep: ast.stmt) -> bool:
    """Whether a statement of the loop is the sleep, or does nothing outside of the function."""
    if statement is sleep:
        return isinstance(statement, ast.Expr)
    match statement:
        case ast.Pass() | ast.Break() | ast.Continue() | ast.Raise() | ast.Return(value=None | ast.Constant()):
            return True
        case ast.AugAssign(target=ast.Name()) | ast.Assign(targets=[ast.Name()]):
            return not any(isinstance(node, ast.Await) for node in ast.walk(statement))
        case ast.Expr(value=ast.Call(func=func)):
            return last_name(func) in TELLING
        case ast.If(body=body, orelse=orelse):
            return all(_is_idle(each, sleep) for each in (*body, *orelse))
        case _:
            return False


def _asks_for_state(test: ast.expr) -> bool:
    """Whether a condition is about things of the program: no calls but of their state, their size, and the time."""
    for node in ast.walk(test):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in STATES or name in CLOCKS:
                pass
            case ast.Call(func=ast.Name(id=name)) if name in SIZES or name in CLOCKS:
                pass
            case ast.Call() | ast.Await() | ast.NamedExpr():
                return False
            case _:
                pass
    return True


def _asked(test: ast.expr, counted: Names) -> Iterator[ast.expr]:
    """The variables and attributes that a condition asks for; not those by which the time is told, nor what the count of the
    turns is compared with."""
    match test:
        case ast.Compare(left=left, comparators=others) if any(
            isinstance(each, ast.Name) and each.id in counted for each in (left, *others)
        ):
            pass
        case ast.Name() | ast.Attribute():
            yield test
        case ast.Call(func=func) if last_name(func) in CLOCKS:
            pass
        case ast.Call(func=ast.Attribute(value=value)):
            yield from _asked(value, counted)
        case ast.Call(args=args):
            yield from (node for item in args for node in _asked(item, counted))
        case _:
            parts = (child for child in ast.iter_child_nodes(test) if isinstance(child, ast.expr))
            yield from (node for part in parts for node in _asked(part, counted))


def _started(function: ast.AsyncFunctionDef, test: ast.expr) -> Iterator[str]:
    """The variables of a function that are tasks or futures, as what it starts them by or their annotation tells, of which a
    condition asks whether they are done."""
    tasks = {name for name, node in _values(function) if last_name(node) in STARTING}
    given = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    tasks |= {each.arg for each in given if each.annotation is not None and TASK.match(ast.unparse(each.annotation))}
    for node in ast.walk(test):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="done")) if name in tasks:
                yield name
            case _:
                pass


def _values(function: ast.AsyncFunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """The names that a function assigns calls to, each with what is called."""
    for node in own(function.body):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=called)):
                yield name, called
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(func=called)):
                yield name, called
            case _:
                pass


def _local(function: ast.AsyncFunctionDef) -> frozenset[str]:
    """The names that a function binds itself: nobody else changes them, but for nested functions by ``nonlocal``."""
    shared = declared(function.body, ast.Global) | declared(function.body, ast.Nonlocal)
    nested = frozenset(name for node in own(function.body) for name in _changed_below(node))
    return (parameters(function) | {name for name, _ in bindings(function.body)}) - shared - nested


def _changed_below(node: ast.AST) -> frozenset[str]:
    return (
        declared(node.body, ast.Nonlocal) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else frozenset()
    )
