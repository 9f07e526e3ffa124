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

from asyncfix.model import Early, Edit, FanOut, Form, Function, Site, Span, Unproven
from asyncfix.preconditions import Obstacle
from asyncfix.source import Source
from asyncfix.transform import BlockTransform, CannotWrite, Tree, Writing

from ._comments import comments_of
from ._gather_bounded import GATHER_BOUNDED
from ._order import catching, lost, order_told, place_told
from ._turns import Turns, find, is_at_hand, is_dropped, statement_of
from ._turns_written import begin_of, comprehension_written, is_whole, lines_of, loop_written, result_names

WAITS = "the awaits of a loop run one after the other"


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
            return list(comprehension_written(tree, turns, writing))
        return list(loop_written(tree, turns, writing))

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
        span = Span(source.span(begin_of(tree, turns)).start, source.span(turns.node).end)
        owner = tree.qualified(turns.function)
        obstacle = turns.obstacle or order_told(comments_of(source, lines_of(tree, turns)))
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


def _fits(tree: Tree, turns: Turns) -> bool:
    """Whether it can be written anew."""
    source, node = tree.source, turns.node
    begin = source.span(begin_of(tree, turns) if isinstance(node, ast.For) else statement_of(tree, turns)).start
    before = source.data[source.line_start(begin) : begin].strip()
    if before and (isinstance(node, ast.For) or any(quotes in before for quotes in (b'"""', b"'''"))):
        return False  # the line may begin inside a string
    if isinstance(node, ast.For):
        return len(turns.body) > 1 or result_names(turns) is None
    return is_whole(turns) or (is_at_hand(turns) and len(node.generators) == 1 and not turns.tests)
