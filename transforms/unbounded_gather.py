"""# unbounded-gather

Finds `await asyncio.gather(*...)` over a collection, which starts as many tasks as there are elements.

## What it does

The coroutines are handed to `gather_bounded`, a function of the project's generated module, which has at most
`max-concurrency` of them (`[tool.asyncfix]`, 10 if not configured) run at once and makes the others when there is room. It
gives the results in order. Comprehensions, generator expressions and `map` are rewritten, also where a name holds the list and
is used for nothing else; anything else is reported only. Collections that are written out, and short ranges, are bounded
already; so are coroutines that take a lock, a semaphore or a rate limiter themselves.

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

Always UNSAFE: coroutines that wait for each other (a barrier, a producer and its consumers) hang when not all may run; and
where `gather` raises the first error in time and lets the others run on, the error of the first in order is raised when
those after it have been cancelled and have ended. Arguments are evaluated when a coroutine is made.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.blocks import above
from asyncfix.flow import last_name
from asyncfix.model import Edit, Form, Limited, NotPatched, Replace, Site, Span, Unproven
from asyncfix.transform import CannotWrite, FunctionNode, Look, Tree, Watch, Writing

from ._gather_bounded import GATHER_BOUNDED

FEW = 10  # elements that are written out: nobody gathers more by hand without wanting to
NO_COROUTINES = frozenset({"run_in_executor", "to_thread", "wrap_future", "run_coroutine_threadsafe"})
WAITING = frozenset({"wait", "wait_closed", "join"})
"""Methods that do nothing but wait for what goes on anyhow."""
CHANGES = (
    "coroutines that wait for each other would hang, and of several errors the first in order is raised, after those "
    "behind it are cancelled, where gather raised the first in time and let the others run on"
)

COPIED = frozenset({"range", "list", "tuple", "sorted"})
"""What these give, nobody changes while the coroutines run."""
Comprehension = ast.ListComp | ast.GeneratorExp


class UnboundedGather(Watch):
    """A gather over a collection to one that runs so many at once."""

    name = "unbounded-gather"
    watches: ClassVar[frozenset[str]] = frozenset({"asyncio.gather"})
    generated: ClassVar[dict[str, str]] = {"gather_bounded": GATHER_BOUNDED}

    def examine(self, look: Look) -> Site | None:
        found = _gathered(look.tree, look.node)
        if found is None or _is_bounded(found.made):
            return None
        message = f"as many coroutines run at once as {ast.unparse(found.starred.value)[:60]} has elements"
        why = _outside(look) or _obstacle(look.tree, look.node, found)
        if why:
            return replace(look.refused(self, "not-plain", why), message=message)
        made, call = look.tree.source.span(found.made), look.span
        span = Span(min(made.start, call.start), call.end)
        form = Form("bounded", (NotPatched(("asyncio.gather",)),), (Unproven(CHANGES),))
        unless = (Limited(made),)
        return replace(look.site(self, [form]), span=span, message=message, title="bound a gather", unless=unless)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        tree, node = writing.tree(), writing.call(site.call)
        found = _gathered(tree, node)
        if found is None:
            raise CannotWrite("the gather is not what was surveyed")
        name = Replace(tree.source.span(node.func), writing.generated("gather_bounded"))
        return [name, *_opened(tree, node, found), *_snapshot(tree, found, writing)]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The starred argument of a gather, and what makes the coroutines: the argument, or what is bound to its name above."""

    starred: ast.Starred
    made: ast.expr


def _gathered(tree: Tree, node: ast.Call) -> Gathered | None:
    """What a gather over a collection gathers, None if it is none, or if nothing shows what its elements are."""
    starred = next((item for item in node.args if isinstance(item, ast.Starred)), None)
    if starred is None:
        return None
    if not isinstance(starred.value, ast.Name):
        return Gathered(starred, starred.value) if _makes_coroutines(starred.value) else None
    name = starred.value.id
    function = next((item for item in tree.ancestors(node) if isinstance(item, FunctionNode)), tree.module)
    uses = [item for item in ast.walk(function) if isinstance(item, ast.Name) and item.id == name]
    statement = next(item for item in tree.ancestors(node) if isinstance(item, ast.stmt))
    match above(tree, statement):
        case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name and len(uses) == 2:
            return Gathered(starred, value) if _makes_coroutines(value) else None
        case _:
            return Gathered(starred, starred.value) if _is_collected(function, name) else None


def _is_collected(function: ast.AST, name: str) -> bool:
    """Whether a function puts a collection of calls together under a name: by a comprehension, or step by step in a loop."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name and _makes_coroutines(value):
                return True
            case ast.For() | ast.AsyncFor() | ast.While():
                if any(_appends(each, name) for each in ast.walk(node)):
                    return True
            case _:
                pass
    return False


def _appends(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="append"), args=[made]):
            return owner == name and _is_work(made)
        case _:
            return False


def _makes_coroutines(made: ast.expr) -> bool:
    """Whether an expression calls a function for each element; other collections may be of tasks that run already."""
    if isinstance(made, Comprehension):
        return _is_work(made.elt)
    return isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id == "map"


def _is_work(made: ast.expr) -> bool:
    """Whether what is made does something, and not in a pool of threads, which is bounded already."""
    return isinstance(made, ast.Call) and last_name(made.func) not in (*NO_COROUTINES, *WAITING)


def _is_bounded(made: ast.expr) -> bool:
    """Whether what is gathered is few."""
    if not isinstance(made, Comprehension):
        return False
    match made.generators[0].iter:
        case ast.List() | ast.Tuple() | ast.Set():
            return True
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(stop))]):
            return stop <= FEW
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
    if isinstance(made, ast.Call):
        return "" if len(made.args) == 2 and not made.keywords else "map is given several collections"
    if not isinstance(made, Comprehension):
        return "the coroutines are put together elsewhere"
    if len(made.generators) > 1 or made.generators[0].is_async:
        return "the comprehension has several clauses, or is async"
    suspends = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    if any(isinstance(item, suspends) for item in ast.walk(made)):
        return "the comprehension awaits, yields or binds a name itself"
    return ""


def _opened(tree: Tree, node: ast.Call, found: Gathered) -> Iterator[Edit]:
    """The star and the brackets taken away, so that the coroutines are made one by one."""
    source = tree.source
    star, value, made = (source.span(item) for item in (found.starred, found.starred.value, found.made))
    comma = "," in source.text(Span(star.end, source.span(node).end))
    bare = found.made is found.starred.value and not comma
    if not isinstance(found.made, Comprehension):
        yield Replace(Span(star.start, value.start), "")
        return
    if found.made is not found.starred.value:
        yield Replace(Span(star.start, value.start), "")
        star = Span(made.start, made.end)
    yield Replace(Span(star.start, made.start + 1), "" if bare else "(")
    yield Replace(Span(made.end - 1, made.end), "" if bare else ")")


def _snapshot(tree: Tree, found: Gathered, writing: Writing) -> Iterator[Edit]:
    """What is gone through is copied first, unless nobody else can have it: others may change it while coroutines run."""
    made = found.made
    gone_through = made.generators[0].iter if isinstance(made, Comprehension) else None
    if isinstance(made, ast.Call):
        gone_through = made.args[1]
    if gone_through is None or (isinstance(gone_through, ast.Call) and last_name(gone_through.func) in COPIED):
        return
    span = tree.source.span(gone_through)
    yield Replace(Span(span.start, span.start), f"{writing.name('builtins.list')}(")
    yield Replace(Span(span.end, span.end), ")")
