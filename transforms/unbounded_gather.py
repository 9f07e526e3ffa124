"""# unbounded-gather

Finds `await asyncio.gather(*...)` over a collection, which starts as many tasks as there are elements.

## What it does

The coroutines are handed to `gather_bounded`, a function of the project's generated module, which has at most
`max-concurrency` of them (`[tool.asyncfix]`, 10 if not configured) run at once and makes the others when there is room. It
gives the results in order. Comprehensions, generator expressions and `map` are rewritten, also where a name holds the list and
is used for nothing else, and loops that only put one coroutine or task for each element into an empty list right above the
`gather`; anything else is reported only. `asyncio.create_task` falls away: `gather_bounded` makes the tasks.

Left alone is what is bounded already: collections that are written out, short ranges, workers whose number is chosen
(`[worker() for _ in range(parallel)]`), the parts that a collection is cut into (`for user in batch`), and coroutines that take
a lock, a semaphore or a rate limiter themselves. So are coroutines that only wait for what goes on anyhow, and those that, by
their names, run on (`listen`, `watch`): those behind the bound would never begin.

## Why is this bad?

A thousand elements are a thousand tasks, connections and open requests at the same moment: file descriptors run out, the
other side refuses or throttles, and memory holds them all.

## Example

```python
async def load_all(numbers: list[int]) -> list[User]:
    return await asyncio.gather(*[load_user(number) for number in numbers])
```

Use instead:

```python
async def load_all(numbers: list[int]) -> list[User]:
    return await gather_bounded(load_user(number) for number in list(numbers))
```

## Safety

Always UNSAFE: coroutines that wait for each other (a barrier, a producer and its consumers), or that never end, keep those
behind the bound from beginning; and where `gather` raises the first error in time and lets the others run on, the error of the
first in order is raised when those after it have been cancelled and have ended. Arguments are evaluated when a coroutine is
made.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.flow import last_name
from asyncfix.lines import end_of_line
from asyncfix.model import Edit, Form, Limited, NotPatched, Replace, Site, Span, Unproven
from asyncfix.source import Source
from asyncfix.transform import CannotWrite, Look, Tree, Watch, Writing

from ._filling import Filling
from ._gather_bounded import GATHER_BOUNDED
from ._gather_written import written
from ._gathered import STARTING, Comprehension, Gathered, function_of, gathered, started

FEW = 10  # elements that are written out: nobody gathers more by hand without wanting to
PART = re.compile(r"(?:^|_)(?:batch|chunk)$", re.IGNORECASE)
"""Names of a part of a collection, of a chosen size."""
CHOSEN = re.compile(
    r"worker|consumer|producer|concurren|parallel|simultaneous|repeat|repetition|replica", re.IGNORECASE
)
"""In what is called for each number of a range, or in its end: how many run at once is chosen."""
WAITING = "coroutines that wait for each other, or never end, would keep those behind the bound from beginning"
LATE = "is called when a coroutine is made: for those behind the bound later, while others run"
PLAIN = frozenset({"bool", "dict", "float", "format", "int", "join", "len", "list", "repr", "set", "str", "tuple"})
"""What gives the same at any time."""
RAISED = (
    "of several errors the first in order is raised, after those behind it are cancelled, where gather raised the first in "
    "time and let the others run on"
)


class UnboundedGather(Watch):
    """A gather over a collection to one that runs so many at once."""

    name = "unbounded-gather"
    watches: ClassVar[frozenset[str]] = frozenset({"asyncio.gather"})
    generated: ClassVar[dict[str, str]] = {"gather_bounded": GATHER_BOUNDED}

    def examine(self, look: Look) -> Site | None:
        found = gathered(look.tree, look.node)
        if found is None or all(_is_chosen(look, made) for made in found.parts or (found.made,)):
            return None
        message = f"as many coroutines run at once as {ast.unparse(found.starred.value)[:60]} has elements"
        why = _outside(look) or _obstacle(look.tree, look.node, found)
        if why:
            return replace(look.refused(self, "not-plain", why), message=message)
        made, call = look.tree.source.span(found.made), look.span
        begin = look.tree.source.span(found.filling.begin) if found.filling else made
        span = Span(min(begin.start, call.start), call.end)
        real = NotPatched(("asyncio.gather", *(["asyncio.create_task"] if started(look.node, found.made) else [])))
        form = Form("bounded", (real,), (Unproven("; ".join(_changes(look.node, found.made))),))
        unless = (Limited(made),)
        return replace(look.site(self, [form]), span=span, message=message, title="bound a gather", unless=unless)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        tree, node = writing.tree(), writing.call(site.call)
        found = gathered(tree, node)
        if found is None:
            raise CannotWrite("the gather is not what was surveyed")
        name = Replace(tree.source.span(node.func), writing.generated("gather_bounded"))
        return [name, *written(tree, node, found, writing)]


def _changes(node: ast.Call, made: ast.expr) -> Iterator[str]:
    """What a bound changes, or may: of errors nothing where they are results."""
    yield WAITING
    called = made.elt if isinstance(made, Comprehension) else made
    calls = (each for each in _arguments(called) if isinstance(each, ast.Call))
    late = next((each for each in calls if last_name(each.func) not in PLAIN), None)
    if late is not None:
        yield f"`{ast.unparse(late)[:40]}` {LATE}"
    if not any(isinstance(item.value, ast.Constant) and item.value.value is True for item in node.keywords):
        yield RAISED


def _arguments(called: ast.expr) -> Iterator[ast.AST]:
    """The parts of the arguments of the call that makes a coroutine, which a task may be started of."""
    while isinstance(called, ast.Call) and last_name(called.func) in STARTING and called.args:
        called = called.args[0]
    if isinstance(called, ast.Call):
        given = (*called.args, *(each.value for each in called.keywords))
        yield from (node for each in given for node in ast.walk(each))


def _is_chosen(look: Look, made: ast.expr) -> bool:
    return _is_bounded(made) or _is_part(look.tree, look.node, made)


def _is_bounded(made: ast.expr) -> bool:
    """Whether what is gathered is few, or as many as somebody chose."""
    if not isinstance(made, Comprehension):
        return False
    clause = made.generators[0]
    match clause.iter:
        case ast.List() | ast.Tuple() | ast.Set():
            return True
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(stop))]):
            return stop <= FEW
        case ast.Call(func=ast.Name(id="range"), args=ends):
            number = {node.id for node in ast.walk(clause.target) if isinstance(node, ast.Name)}
            same = not any(isinstance(node, ast.Name) and node.id in number for node in ast.walk(made.elt))
            called = made.elt.func if isinstance(made.elt, ast.Call) else made.elt
            return same or any(CHOSEN.search(ast.unparse(each)) for each in (called, *ends))
        case _:
            return False


def _is_part(tree: Tree, node: ast.Call, made: ast.expr) -> bool:
    """Whether what is gone through is a part of a collection: a slice of a chosen size, or called one."""
    if not isinstance(made, Comprehension):
        return False
    match made.generators[0].iter:
        case ast.Subscript(slice=ast.Slice(upper=ast.expr())):
            return True
        case ast.Name(id=name):
            nodes = ast.walk(function_of(tree, node))
            return bool(PART.search(name)) or any(_is_slice(each, name) for each in nodes)
        case _:
            return False


def _is_slice(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id=bound)], value=ast.Subscript(slice=ast.Slice(upper=ast.expr()))):
            return bound == name
        case ast.Assign(targets=[ast.Name(id=bound)], value=ast.ListComp() as made):
            return bound == name and _is_bounded(made)
        case _:
            return False


def _outside(look: Look) -> str:
    """Why what a gather gives is not that of `gather_bounded`, '' if it is awaited there and then."""
    if not isinstance(look.parent, ast.Await):
        return "what gather gives is not awaited where it is called"
    return "" if look.in_async else "no await may stand here"


def _obstacle(tree: Tree, node: ast.Call, found: Gathered) -> str:
    """Why a gather is not written anew, '' if it is."""
    if len(node.args) > 1 or any(item.arg != "return_exceptions" for item in node.keywords):
        return "other coroutines are gathered with them"
    source, made = tree.source, found.made
    star, value = source.span(found.starred), source.span(found.starred.value)
    if source.text(Span(star.start + 1, value.start)).strip():
        return "parentheses or a comment stand behind the star"
    if found.made is not found.starred.value and _is_repeated(tree, node):
        return "the gather may come again, for the same coroutines"
    if isinstance(made, ast.Call):
        return "" if len(made.args) == 2 and not made.keywords else "map is given several collections"
    if not isinstance(made, Comprehension):
        return found.why
    if len(made.generators) > 1 or made.generators[0].is_async:
        return "the comprehension has several clauses, or is async"
    suspends = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    if any(isinstance(item, suspends) for item in ast.walk(made)):
        return "the comprehension awaits, yields or binds a name itself"
    if _is_asked_for_later(made):
        return "a coroutine is given code that may ask for the element later, when it is another one"
    return _crowded(source, found.filling) if found.filling else ""


def _is_asked_for_later(made: Comprehension) -> bool:
    """Whether a coroutine is given a function, or a generator, that asks for the element when it runs."""
    elements = {node.id for node in ast.walk(made.generators[0].target) if isinstance(node, ast.Name)}
    late = (node for node in ast.walk(made.elt) if isinstance(node, ast.Lambda | ast.GeneratorExp))
    return any(isinstance(item, ast.Name) and item.id in elements for node in late for item in ast.walk(node))


def _is_repeated(tree: Tree, node: ast.AST) -> bool:
    """Whether a call may be evaluated several times in its statement."""
    for parent in tree.ancestors(node):
        if isinstance(parent, ast.stmt):
            return isinstance(parent, ast.While)
        if isinstance(parent, ast.comprehension | Comprehension | ast.SetComp | ast.DictComp | ast.Lambda):
            return True
    return False


def _crowded(source: Source, found: Filling) -> str:
    """Why a list and the loop that fills it are not written as one statement, '' if they are."""
    whole = Span(source.span(found.begin).start, source.span(found.loop).end)
    before = source.data[source.line_start(whole.start) : whole.start]
    if before.strip() or source.data[whole.end : end_of_line(source, whole.end)].partition(b"#")[0].strip():
        return "other code stands on the same line"
    return ""
