"""# await-in-loop

Finds loops and comprehensions that await one call for each element, one after the other.

## What it does

The calls are handed to `gather_bounded`, a function of the project's generated module: at most `max-concurrency` of them
(`[tool.asyncfix]`, 10 if not configured) run at once, and the next is made when there is room. It gives the results in order,
or raises the first error in the order of the loop, when those after it have been cancelled and have ended. What the loop does
with the results is done when all are there.

## Why is this bad?

The loop takes the sum of all the times, where the longest of them would do.

## Example

```python
async def load(name: str) -> str:
    return await asyncio.to_thread(Path(name).read_text)


async def load_all(names: tuple[str, ...]) -> list[str]:
    texts = []
    for name in names:
        texts.append(await load(name))
    return texts
```

Use instead:

```python
async def load(name: str) -> str:
    return await asyncio.to_thread(Path(name).read_text)


async def load_all(names: tuple[str, ...]) -> list[str]:
    texts = await gather_bounded(load(name) for name in names)
    return texts
```

## Safety

SAFE only where all that the call runs is known, through all functions of the project, and does nothing but read; where what
is gone through is a collection that nobody changes meanwhile (a copy as `list(names)`, one that was made in the function and
is handed to nobody, a constant of the module or an attribute made by the constructor that nobody writes, a parameter for
which all callers in the project give something of their own, or what cannot be changed, as a tuple); and where nothing is
done with the results that may fail, or that others could miss, when a later call fails. Of what others change outside the
process meanwhile, a later call may see an older state than an earlier one: where one entry says that others are valid, keep
the loop.

UNSAFE where something of that is not known and nothing speaks against it: the note names it. Also for a list of which others
may have hold: whoever has it, too, may add to it while the loop waits; for conditions and arguments that others write; and
where the call comes back to the very function: the number of calls on their way multiplies.

Refused where the call writes something that others can reach, changes the other side, prints, draws random numbers, sets a
context variable, works on the event loop, takes a lock or semaphore of asyncio or anyio, may wait for more under a lock of
`threading`, or asks for a connection of a pool while it keeps one (each turn has one, and all wait for one more); where
nothing is done with what it gives and it asks another program for something, or not all that it does is known; where it waits
for nothing; where all turns use one object of which not all is known; where a turn prints or changes something that would be
there when a later call fails; and, as for `sequential-awaits`, for the sake of what stands round the loop, for its name, or
for a comment about its order.

Left out altogether: loops with `while`, `async for`, `else`, `break`, `return`, `raise` or a second await; turns that need what
another turn did; calls that do not depend on the element (another try, the next page); sources without an end; loop variables
that are read afterwards; calls that by their name wait, or send or change something where nothing is done with what they
give; and tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from asyncfix.lines import end_of_line, movable
from asyncfix.model import Early, Edit, FanOut, Form, Function, Replace, Site, Span, Unproven
from asyncfix.preconditions import Obstacle
from asyncfix.source import Source
from asyncfix.transform import BlockTransform, CannotWrite, Tree, Writing

from ._comments import comments_of, first_comment
from ._gather_bounded import GATHER_BOUNDED
from ._layout import fits, moved
from ._order import catching, lost, order_told, place_told
from ._turns import Filled, Turns, apart, filled, find, is_at_hand, is_dropped, statement_of

WAITS = "the awaits of a loop run one after the other"
TIGHT = ast.Attribute | ast.Subscript | ast.Call | ast.Await


class AwaitInLoop(BlockTransform):
    """Awaits of a loop that do not depend on each other to a bounded fan-out."""

    name = "await-in-loop"
    generated: ClassVar[dict[str, str]] = {"gather_bounded": GATHER_BOUNDED}

    def concerns(self, function: Function) -> bool:
        return function.is_async and any(call.loop and call.use == "awaited" for call in function.calls)

    def scan(self, tree: Tree) -> list[Site]:
        if b"await" not in tree.source.data:
            return []
        fitting = (turns for turns in find(tree) if _fits(tree, turns))
        return sorted((self._site(tree, turns) for turns in fitting), key=lambda site: site.span)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        tree = writing.tree()
        found = (turns for turns in find(tree) if tree.source.span(turns.call) == site.call)
        turns = next(found, None)
        if turns is None:
            raise CannotWrite("the loop is not what was surveyed")
        if not isinstance(turns.node, ast.For):
            return list(_comprehension(tree, turns, writing))
        return list(_loop(tree, turns, writing))

    def _site(self, tree: Tree, turns: Turns) -> Site:
        source = tree.source
        call = source.span(turns.call)
        caught = catching(tree, statement_of(tree, turns))
        tests = tuple(map(source.span, turns.tests))
        sources = tuple(Early(source.span(each), source.text(source.span(each))) for each in turns.given)
        fan = FanOut(
            call,
            tuple(_between(source, turns)),
            tests,
            sources,
            turns.shared,
            is_dropped(turns),
            caught,
            place_told(turns.call.func),
        )
        read = lost(tree, statement_of(tree, turns), turns.bound)
        form = Form("bounded", read, (*map(Unproven, turns.doubts), fan))
        span = Span(source.span(_begin(tree, turns)).start, source.span(turns.node).end)
        owner = tree.qualified(turns.function)
        obstacle = turns.obstacle or order_told(comments_of(source, _lines(tree, turns)))
        if caught and turns.doubts:
            obstacle = obstacle or Obstacle("errors", f"{caught}, and {turns.doubts[0]}")
        forms, (code, why) = ((), obstacle) if obstacle else ((form,), ("", ""))
        return Site(
            self.name,
            "",
            span,
            call,
            owner,
            forms,
            False,
            code,
            why,
            message=WAITS,
            title="overlap the awaits of a loop",
        )


def _between(source: Source, turns: Turns) -> Iterator[Span]:
    """What ran between two calls: making the next element, the conditions, the rest of a turn."""
    yield source.span(turns.source)
    yield from map(source.span, turns.tests)
    if turns.body:
        yield Span(source.span(turns.body[0]).start, source.span(turns.body[-1]).end)
    else:
        yield source.span(turns.node)


def _begin(tree: Tree, turns: Turns) -> ast.stmt | ast.expr:
    """The first of what is written anew."""
    found = filled(tree, turns)
    return found.above if found and found.above else turns.node


def _fits(tree: Tree, turns: Turns) -> bool:
    """Whether it can be written anew."""
    source, node = tree.source, turns.node
    begin = source.span(_begin(tree, turns) if isinstance(node, ast.For) else statement_of(tree, turns)).start
    before = source.data[source.line_start(begin) : begin].strip()
    if before and (isinstance(node, ast.For) or any(quotes in before for quotes in (b'"""', b"'''"))):
        return False  # the line may begin inside a string
    if isinstance(node, ast.For):
        return len(turns.body) > 1 or _bound(turns) is None
    return _is_whole(turns) or (is_at_hand(turns) and len(node.generators) == 1 and not turns.tests)


def _is_whole(turns: Turns) -> bool:
    """Whether a comprehension gives what is awaited, and nothing else."""
    return isinstance(turns.node, ast.ListComp | ast.SetComp) and turns.node.elt is turns.waiting


def _bound(turns: Turns) -> ast.expr | None:
    """The name, or the names, that all that the first statement of a turn does is to bind to the result."""
    match turns.body[0]:
        case ast.Assign(targets=[ast.Name() | ast.Tuple() as target], value=value) if value is turns.waiting:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            return target if all(isinstance(each, ast.Name) for each in names) else None
        case _:
            return None


# ---------------------------------------------------------------------------------------------------------------- text


def _loop(tree: Tree, turns: Turns, writing: Writing) -> Iterator[Edit]:
    """The edits of a loop: one statement in its place, or the calls above it and their results gone through in it."""
    found = filled(tree, turns)
    if found is None and not is_dropped(turns):
        yield from _apart(tree, turns, writing)
        return
    source = tree.source
    span = Span(source.span(_begin(tree, turns)).start, source.span(turns.node).end)
    indent = writing.indent(span)
    begin, end = _put(source, found, writing) if found else ("", "")
    lines = [*_comments(tree, turns, span), *_gathered(turns, writing, begin, end, indent)]
    yield Replace(span, f"\n{indent}".join(lines))


def _put(source: Source, found: Filled, writing: Writing) -> tuple[str, str]:
    """What stands before and behind the fan-out whose results a collection is made of, or that is put into one."""
    above = found.above
    if above is None:
        return f"{found.name}.{found.all}(", ")"
    hint = f": {source.text(source.span(above.annotation))}" if isinstance(above, ast.AnnAssign) else ""
    if found.all == "extend":
        return f"{found.name}{hint} = ", ""
    return f"{found.name}{hint} = {writing.name('builtins.set')}(", ")"


def _apart(tree: Tree, turns: Turns, writing: Writing) -> Iterator[Edit]:
    """The loop goes through the results."""
    source, node = tree.source, turns.node
    whole = source.span(node)
    indent, bound = writing.indent(whole), _bound(turns)
    result = source.text(source.span(bound)) if bound else writing.fresh("result", whole)
    kept = turns.body[1:] if bound else turns.body
    above = first_comment(source, source.line_start(source.span(kept[0]).start))
    start = above + len(source.data[above:]) - len(source.data[above:].lstrip())
    elements = source.text(source.span(turns.target))
    lines = list(_comments(tree, turns, Span(whole.start, start)))
    if any(isinstance(node, ast.Name) and node.id in turns.elements for node in apart(kept, turns.waiting)):
        collection = source.text(source.span(turns.source))
        if turns.tests or not is_at_hand(turns):
            name = writing.fresh(_plural(turns.target, "elements"), whole)
            tests = "".join(f" if {source.text(source.span(test))}" for test in turns.tests)
            made = (
                f"[{_grouped(turns.target, elements)} for {elements} in {collection}{tests}]"
                if tests
                else f"{writing.name('builtins.list')}({collection})"
            )
            lines.append(f"{name} = {made}")
            collection = name
        results = writing.fresh(_plural(bound, "results"), whole)
        lines += _gathered(turns, writing, f"{results} = ", "", indent, collection)
        lines.append(
            f"for {_grouped(turns.target, elements)}, {_grouped(bound, result)} in "
            f"{writing.name('builtins.zip')}({collection}, {results}):"
        )
    else:
        lines += _gathered(turns, writing, f"for {result} in ", ":", indent)
    yield Replace(Span(whole.start, start), f"\n{indent}".join([*lines, f"{writing.step}"]))
    if not bound:
        yield Replace(_bracketed(source, source.span(turns.waiting)), result)
    if turns.tests:
        surplus = len(writing.indent(source.span(turns.body[0]))) - len(indent + writing.step)
        body = Span(start, source.span(kept[-1]).end)
        yield from (Replace(Span(line.start, line.start + surplus), "") for line in movable(source, body))


def _comprehension(tree: Tree, turns: Turns, writing: Writing) -> Iterator[Edit]:
    """The edits of a comprehension: the fan-out in its place, or the results gone through in it."""
    source, node = tree.source, turns.node
    whole, waiting, call = source.span(node), source.span(turns.waiting), source.span(turns.call)
    function = writing.generated("gather_bounded")
    if _is_whole(turns):
        before, behind = ("", "") if isinstance(node, ast.ListComp) else (f"{writing.name('builtins.set')}(", ")")
        around = writing.around(whole)[0]
        if not before and isinstance(around, TIGHT) and whole.start == source.span(around).start:
            before, behind = "(", ")"
        yield Replace(Span(whole.start, whole.start + 1), f"{before}await {function}(")
        keyword = source.text(Span(waiting.start, call.start))
        yield Replace(Span(waiting.start, waiting.start + len(keyword) - len(keyword[5:].lstrip(" "))), "")
        yield Replace(Span(whole.end - 1, whole.end), f"){behind}")
        return
    result = writing.fresh("result", whole)
    target, collection = source.span(turns.target), source.span(turns.source)
    elements, name = source.text(target), source.text(collection)
    calls = f"{source.text(call)} for {elements} in {name}"
    yield Replace(_bracketed(source, waiting), result)
    yield Replace(target, f"{_grouped(turns.target, elements)}, {result}")
    yield Replace(collection, f"{writing.name('builtins.zip')}({name}, await {function}({calls}))")


def _gathered(turns: Turns, writing: Writing, begin: str, end: str, indent: str, collection: str = "") -> list[str]:
    """The lines of a fan-out between other text: one, if that is short enough."""
    source = writing.source
    elements = source.text(source.span(turns.target))
    clauses = [f"for {elements} in {collection or source.text(source.span(turns.source))}"]
    if not collection:
        clauses += [f"if {source.text(source.span(test))}" for test in turns.tests]
    begin = f"{begin}await {writing.generated('gather_bounded')}("
    line = " ".join([begin + source.text(source.span(turns.call)), *clauses]) + f"){end}"
    formatted = writing.formatted(line, indent) if not end.endswith(":") else None
    if formatted or fits(line, indent):
        return [formatted or line]
    inner = indent + writing.step
    call = moved(source, source.span(turns.call), len(inner), inner)
    return [begin, *(f"{writing.step}{each}" for each in (call, *clauses)), f"){end}"]


def _comments(tree: Tree, turns: Turns, span: Span) -> Iterator[str]:
    """The comments that begin within a span of what is written anew."""
    begin, end = tree.source.position(span.start), tree.source.position(span.end)
    yield from (text for place, text in comments_of(tree.source, _lines(tree, turns)) if begin <= place < end)


def _lines(tree: Tree, turns: Turns) -> Span:
    """The lines of what is written anew, with the comments above them."""
    source, statement = tree.source, statement_of(tree, turns)
    begin = _begin(tree, turns)
    first = source.span(begin if isinstance(begin, ast.stmt) else statement).start
    return Span(first_comment(source, source.line_start(first)), end_of_line(source, source.span(statement).end))


def _plural(target: ast.expr | None, otherwise: str) -> str:
    """A name for many of what a name stands for."""
    if not isinstance(target, ast.Name) or target.id.startswith("_") or len(target.id) < 2:
        return otherwise
    if target.id.endswith("s") and not target.id.endswith(("ss", "us", "is")):
        return otherwise  # many already
    return f"{target.id}es" if target.id.endswith(("s", "x", "ch", "sh")) else f"{target.id}s"


def _grouped(target: ast.expr | None, text: str) -> str:
    """A target beside another one."""
    return f"({text})" if isinstance(target, ast.Tuple) and not text.startswith("(") else text


def _bracketed(source: Source, span: Span) -> Span:
    """The span with the brackets right round it, which an await needs and a name does not."""
    around = source.data[span.start - 1 : span.start] + source.data[span.end : span.end + 1]
    before = source.data[max(span.start - 2, 0) : span.start - 1]
    called = before.isalnum() or before in (b"_", b")", b"]")
    return Span(span.start - 1, span.end + 1) if around == b"()" and not called else span
