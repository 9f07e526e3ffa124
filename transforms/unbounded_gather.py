"""# unbounded-gather

Finds `await asyncio.gather(*...)` over a collection, which starts as many tasks as there are elements.

## What it does

The coroutines are handed to `gather_bounded`, a function of the project's generated module, which has at most
`max-concurrency` of them (`[tool.asyncfix]`, 10 if not configured) run at once and makes the others when there is room. It
gives the results in order. Comprehensions, generator expressions and `map` are rewritten, also where a name holds the list and
is used for nothing else; anything else is reported only.

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

Always UNSAFE: coroutines that wait for each other (a barrier, a producer and its consumers) hang when not all may run; and
where `gather` raises the first error in time and lets the others run on, the error of the first in order is raised when
those after it have been cancelled and have ended. Arguments are evaluated when a coroutine is made.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace

from asyncfix.blocks import above
from asyncfix.flow import last_name
from asyncfix.lines import end_of_line, movable
from asyncfix.model import Edit, Form, Limited, NotPatched, Replace, Site, Span, Unproven
from asyncfix.source import Source
from asyncfix.transform import CannotWrite, FunctionNode, Look, Tree, Watch, Writing

from ._gather_bounded import GATHER_BOUNDED

FEW = 10  # elements that are written out: nobody gathers more by hand without wanting to
NO_COROUTINES = re.compile(r"executor|^(?:to_thread|wrap_future|run_coroutine_threadsafe)$")
WAITING = re.compile(r"_*wait(?:_|$)|_*join$|communicate$")
"""Names of functions that do nothing but wait for what goes on anyhow."""
LASTING = re.compile(r"(?:^|_)(?:\w*forever|serve|listen|watch|consume|worker|poll|heartbeat|loop)(?:_|$)")
"""Names of functions that run for as long as the program does."""
STARTING = frozenset({"create_task", "ensure_future", "wait_for", "shield"})
"""What is given the coroutine."""
PART = re.compile(r"(?:^|_)(?:batch|chunk)$", re.IGNORECASE)
"""Names of a part of a collection, of a chosen size."""
CHOSEN = re.compile(
    r"worker|consumer|producer|concurren|parallel|simultaneous|repeat|repetition|replica", re.IGNORECASE
)
"""In what is called for each number of a range, or in its end: how many run at once is chosen."""
CHANGES = (
    "coroutines that wait for each other would hang, and of several errors the first in order is raised, after those "
    "behind it are cancelled, where gather raised the first in time and let the others run on"
)

COPIED = frozenset({"range", "list", "tuple", "sorted", "copy"})
"""What these give, nobody changes while the coroutines run."""
NEW = ast.List | ast.Tuple | ast.ListComp | ast.SetComp | ast.DictComp
Comprehension = ast.ListComp | ast.GeneratorExp


class UnboundedGather(Watch):
    """A gather over a collection to one that runs so many at once."""

    name = "unbounded-gather"
    watches: ClassVar[frozenset[str]] = frozenset({"asyncio.gather"})
    generated: ClassVar[dict[str, str]] = {"gather_bounded": GATHER_BOUNDED}

    def examine(self, look: Look) -> Site | None:
        found = _gathered(look.tree, look.node)
        if found is None or _is_bounded(found.made) or _is_part(look.tree, look.node, found.made):
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
    while isinstance(made, ast.Call) and last_name(made.func) in STARTING and made.args:
        made = made.args[0]
    if not isinstance(made, ast.Call):
        return False
    name = last_name(made.func)
    return not (NO_COROUTINES.search(name) or WAITING.match(name) or LASTING.search(name))


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
            function = next((item for item in tree.ancestors(node) if isinstance(item, FunctionNode)), tree.module)
            return bool(PART.search(name)) or any(_is_slice(each, name) for each in ast.walk(function))
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
    behind = Span(star.end, source.span(node).end - 1)
    comma = source.text(behind).strip() == "," and found.made is found.starred.value
    bare = found.made is found.starred.value and (comma or "," not in source.text(behind))
    if not isinstance(found.made, Comprehension):
        yield Replace(Span(star.start, value.start), "")
        return
    if bare:
        if comma:
            yield Replace(Span(star.end, source.data.index(b",", star.end) + 1), "")
        yield from _unwrapped(source, Span(star.start, made.end), made.start + 1)
        return
    if found.made is not found.starred.value:
        yield Replace(Span(star.start, value.start), "")
        star = Span(made.start, made.end)
    yield Replace(Span(star.start, made.start + 1), "(")
    yield Replace(Span(made.end - 1, made.end), ")")


def _unwrapped(source: Source, whole: Span, inside: int) -> Iterator[Edit]:
    """What stands between brackets without them: of brackets that have a line each, the lines go, too."""
    data, end = source.data, whole.end - 1
    start, close = source.line_start(whole.start), source.line_start(end)
    first = inside + len(data[inside:end]) - len(data[inside:end].lstrip())
    behind = data[whole.end : end_of_line(source, whole.end)].lstrip(b",")
    if source.line_start(first) == start or any(map(bytes.strip, (data[start : whole.start], data[close:end], behind))):
        yield Replace(Span(whole.start, inside), "")
        yield Replace(Span(end, whole.end), "")
        return
    yield Replace(Span(whole.start, first), "")
    surplus = first - source.line_start(first) - (whole.start - start)
    for line in movable(source, whole):
        if first < line.start < close and surplus > 0 and not data[line.start : line.start + surplus].strip():
            yield Replace(Span(line.start, line.start + surplus), "")
    yield Replace(Span(len(data[:end].rstrip()), whole.end), "")


def _snapshot(tree: Tree, found: Gathered, writing: Writing) -> Iterator[Edit]:
    """What is gone through is copied first, unless nobody else can have it, and what is chosen of it is chosen first: others
    may change it, or what the choice depends on, while coroutines run."""
    made = found.made
    clause = made.generators[0] if isinstance(made, Comprehension) else None
    source = clause.iter if clause else made.args[1] if isinstance(made, ast.Call) else None
    if source is None:
        return
    span = tree.source.span(source)
    if clause and any(_depends(test, clause.target) for test in clause.ifs):
        elements = tree.source.text(tree.source.span(clause.target))
        element = f"({elements})" if isinstance(clause.target, ast.Tuple) and elements[0] != "(" else elements
        end = _closed(tree.source, tree.source.span(clause.ifs[-1]).end, tree.source.span(made).end)
        start = _behind_in(tree.source, tree.source.span(clause.target).end)
        yield Replace(Span(start, start), f"[{element} for {elements} in ")
        yield Replace(Span(end, end), "]")
    elif not (isinstance(source, NEW) or (isinstance(source, ast.Call) and last_name(source.func) in COPIED)):
        yield Replace(Span(span.start, span.start), f"{writing.name('builtins.list')}(")
        yield Replace(Span(span.end, span.end), ")")


def _depends(test: ast.expr, target: ast.expr) -> bool:
    """Whether a condition may come to another result later: it asks for more than the element itself."""
    own = {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    return not names <= own or any(
        isinstance(node, ast.Call | ast.Attribute | ast.Subscript) for node in ast.walk(test)
    )


def _behind_in(source: Source, target: int) -> int:
    """Where what is gone through begins, brackets included, behind a target that ends there."""
    data = source.data
    start = data.index(b"in", target) + len(b"in")
    return start + len(data[start:]) - len(data[start:].lstrip())


def _closed(source: Source, start: int, end: int) -> int:
    """The end of the brackets round an expression that ends at ``start``; ``end`` is that of the comprehension."""
    inner = source.data[start : end - 1]
    return start + inner.rindex(b")") + 1 if b")" in inner and b"#" not in inner else start
