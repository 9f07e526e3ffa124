"""# await-in-loop

Finds loops and comprehensions that await one call for each element, one after the other.

## What it does

The calls are handed to `gather_bounded`, a function of the project's generated module: at most `max-concurrency` of them
(`[tool.asyncfix]`, 10 if not configured) run at once, and the next is made when there is room. It gives the results in order,
or raises the first error in the order of the loop, when those after it have been cancelled and have ended. What the loop does
with the results is done when all are there.

What an asynchronous generator gives (`async for`) is asked for while the calls run that it was asked for before, never twice
at once, and only when there is room; an error of its own comes behind those of the calls before it. `gather_bounded_from` is
given the calls by an asynchronous generator expression: `load(name) async for name in names()`.

A turn of several steps, that puts what it found into a collection of the function, becomes a coroutine function of its own,
which is called for each element: whatever fails in it fails where the turn did.

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
done with the results that may fail, or that others could miss, when a later call fails. Of an asynchronous generator, too, all
has to be known: it is a function of the project and has an end; it does nothing but read, and nobody writes what it reads; it
gives what nobody can change, as texts, numbers and tuples of them; and where it pauses, it stands in no `with` and no `try`, and
keeps nothing that it changes, as an open file. Of what others change outside the
process meanwhile, a later call may see an older state than an earlier one: where one entry says that others are valid, keep
the loop.

UNSAFE where something of that is not known and nothing speaks against it: the note names it. Also for a list of which others
may have hold: whoever has it, too, may add to it while the loop waits; and for conditions and arguments that others write. With
`async for` only for what the generator is given, or reads, of which others may have hold, and for clients that keep cookies.

Refused where the call writes something that others can reach, changes the other side, prints, draws random numbers, sets a
context variable, works on the event loop, takes a lock or semaphore of asyncio or anyio, may wait for more under a lock of
`threading`, or asks for a connection of a pool while it keeps one (each turn has one, and all wait for one more); where
nothing is done with what it gives and it asks another program for something, or not all that it does is known; where
something that it awaits, and of which nothing is known, by its name changes something for others (`send`, `create`, `save`);
where it comes back to the very function: the number of calls on their way would multiply; where it waits for nothing; where
all turns use an object that takes one call at a time (by its row, or by its name where nothing is known); where a turn prints
or changes something that would be there when a later call fails; and, as for `sequential-awaits`, for the sake of what stands
round the loop, for its name, or for a comment about its order. Refused, too, is all else by `async for`: websockets, queues,
streams, cursors, parameters, what libraries give, and generators of which not all of that is known, that sleep or go by the
time, or that use what takes one call at a time, as the calls do; and calls of which not all is known: what comes next may count
on what was done before.

Refused, too, are accumulators: what each turn makes of what the turn before left, or compares with it.

Left out altogether: loops with `while`, `else`, `break` or `return`; comprehensions by `async for` of several clauses, and those
of dicts; turns of several steps that fill no collection, or more
than one; turns that need what another turn did; calls that do not depend on the element (another try, the next page); sources
without an end (generators of the project's own are refused); loop variables that are read afterwards; calls that by their
name wait, or send or change something where nothing is done with what they give; and tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import ClassVar

from asyncfix.flow import FunctionDef
from asyncfix.lines import end_of_line
from asyncfix.model import Condition, Early, Edit, FanOut, Form, Function, NotSwallowed, Site, Span, Unproven
from asyncfix.preconditions import Obstacle, Precondition
from asyncfix.source import Source
from asyncfix.transform import BlockTransform, CannotWrite, Tree, Writing

from . import _turn_functions as turn_functions
from . import _turn_functions_written as turn_functions_written
from ._comments import comments_of, first_comment
from ._gather_bounded import GATHER_BOUNDED, GATHER_BOUNDED_FROM
from ._order import catching, lost, order_told, place_told
from ._owning import For
from ._pulled import is_pulled, pulled
from ._turns import Turns, find, is_at_hand, is_dropped, put_straight, statement_of
from ._turns_written import begin_of, comprehension_written, is_apart, is_whole, lines_of, loop_written, result_names

FUNCTION = "function"
"""The form in which a turn is a function of its own."""
WAITS = "the awaits of a loop run one after the other"


class AwaitInLoop(BlockTransform):
    """Awaits of a loop that do not depend on each other to a bounded fan-out."""

    name = "await-in-loop"
    generated: ClassVar[dict[str, str]] = {
        "gather_bounded": GATHER_BOUNDED,
        "gather_bounded_from": GATHER_BOUNDED_FROM,
    }

    def concerns(self, function: Function) -> bool:
        return function.is_async and any(call.loop and call.use == "awaited" for call in function.calls)

    def scan(self, tree: Tree) -> list[Site]:
        if b"await" not in tree.source.data:
            return []
        functions = dict[ast.AST, turn_functions.TurnFunction]()
        functions.update((turn.loop, turn) for turn in turn_functions.find(tree) if _is_alone(tree, turn))
        sites: list[Site] = []
        for turns in find(tree):
            if _fits(tree, turns):
                sites.append(self._site(tree, turns, functions.pop(turns.node, None)))
        for turn in sorted(functions.values(), key=lambda turn: turn.loop.lineno, reverse=True):
            site = self._site_of_function(tree, turn)
            if not any(site.span.contains(inner.span) for inner in sites):  # loops in loops: the inner ones first
                sites.append(site)
        return sorted(sites, key=lambda site: site.span)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        edits = list(_written(site, form, writing))
        if not edits:
            raise CannotWrite("the loop is not what was surveyed")
        return edits

    def _site(self, tree: Tree, turns: Turns, turn: turn_functions.TurnFunction | None) -> Site:
        """The site of turns that await one call first; ``turn``: as a function of its own, which keeps errors in order."""
        source = tree.source
        caught = catching(tree, statement_of(tree, turns))
        fan = FanOut(
            source.span(turns.call),
            tuple(_between(source, turns)),
            tuple(map(source.span, turns.tests)),
            _sources(source, turns.given),
            turns.shared,
            is_dropped(turns),
            caught,
            place_told(turns.call),
            pulled=pulled(source, turns.source) if turns.pulled else None,
        )
        read = lost(tree, statement_of(tree, turns), turns.bound)
        forms = [Form("bounded", safe_if=(*read, *map(Unproven, turns.doubts), fan))]
        if (
            turn is not None
            and turn.obstacle is None
            and len(turn.doubts) < len(turns.doubts)
            and put_straight(tree, turns) is None
        ):
            doubts: tuple[Condition, ...] = tuple(map(Unproven, turn.doubts))
            forms.insert(
                0, Form(FUNCTION, safe_if=(*read, *_kept(turn), *doubts, *_passing(tree, turn), _fan_out(tree, turn)))
            )
        span = Span(source.span(begin_of(tree, turns)).start, source.span(turns.node).end)
        obstacle = turns.obstacle or order_told(comments_of(source, lines_of(tree, turns)))
        if caught and len(forms) == 1:
            obstacle = obstacle or _told_apart(caught, turns.doubts)
        return self._made(tree, turns.function, span, turns.call, forms, obstacle)

    def _site_of_function(self, tree: Tree, turn: turn_functions.TurnFunction) -> Site:
        """The site of turns that can only be calls of a function of their own."""
        source = tree.source
        whole = Span(source.span(turn_functions_written.begin_of(turn)).start, source.span(turn.loop).end)
        lines = Span(first_comment(source, source.line_start(whole.start)), end_of_line(source, whole.end))
        obstacle = turn.obstacle or order_told(comments_of(source, lines))
        fan = _fan_out(tree, turn)
        if fan.caught:
            obstacle = obstacle or _told_apart(fan.caught, turn.doubts)
        read = (*lost(tree, turn.loop, frozenset({turn.name})), *_kept(turn))
        forms = [Form(FUNCTION, safe_if=(*read, *_passing(tree, turn), *map(Unproven, turn.doubts), fan))]
        return self._made(tree, turn.function, whole, turn.call, forms, obstacle)

    def _made(
        self,
        tree: Tree,
        function: ast.AsyncFunctionDef,
        span: Span,
        call: ast.Call,
        forms: list[Form],
        obstacle: Obstacle | None,
    ) -> Site:
        code, why = obstacle or ("", "")
        return Site(
            self.name,
            "",
            span,
            tree.source.span(call),
            tree.qualified(function),
            () if obstacle else tuple(forms),
            False,
            code,
            why,
            message=WAITS,
            title="overlap the awaits of a loop",
        )


def _written(site: Site, form: str, writing: Writing) -> Iterator[Edit]:
    """The edits of a site, none if it is not there."""
    tree = writing.tree()
    if form == FUNCTION:
        turn = next((each for each in turn_functions.find(tree) if tree.source.span(each.call) == site.call), None)
        yield from turn_functions_written.written(tree, turn, writing) if turn is not None else ()
        return
    turns = next((each for each in find(tree) if tree.source.span(each.call) == site.call), None)
    if turns is not None:
        write = loop_written if isinstance(turns.node, For) else comprehension_written
        yield from write(tree, turns, writing)


def _passing(tree: Tree, turn: turn_functions.TurnFunction) -> tuple[NotSwallowed, ...]:
    """What must hold of the context managers in a turn: behind one that swallowed an error it would go on, giving nothing."""
    around = (each for each in tree.ancestors(turn.loop) if isinstance(each, ast.With | ast.AsyncWith | FunctionDef))
    outer = takewhile(lambda each: not isinstance(each, FunctionDef), around)
    inside = sum(len(each.items) for each in outer if isinstance(each, ast.With | ast.AsyncWith))
    return (NotSwallowed(turn.name, inside),) if turn.opened else ()


def _fan_out(tree: Tree, turn: turn_functions.TurnFunction) -> FanOut:
    """What is to be asked of turns that are calls of a function: of all that they do."""
    source = tree.source
    tests = tuple(map(source.span, turn.tests))
    return FanOut(
        Span(source.span(turn.body[0]).start, source.span(turn.body[-1]).end),
        (source.span(turn.loop.iter), *tests),
        tests,
        _sources(source, turn.sources),
        turn.shared,
        False,
        catching(tree, turn.loop),
        turn.ordered,
        turn.own,
        pulled(source, turn.loop.iter) if is_pulled(turn.loop) else None,
    )


def _kept(turn: turn_functions.TurnFunction) -> tuple[NotSwallowed, ...]:
    return (NotSwallowed(turn.kept),) if turn.kept else ()


def _told_apart(caught: str, doubts: Iterable[str]) -> Obstacle | None:
    """What speaks against another order of errors where something knows them apart."""
    why = next((each for each in doubts if each.startswith(Precondition.ERRORS)), "")
    return Obstacle("errors", f"{caught}, and {why}") if why else None


def _sources(source: Source, given: Iterable[ast.expr]) -> tuple[Early, ...]:
    return tuple(Early(source.span(each), source.text(source.span(each))) for each in given)


def _is_alone(tree: Tree, turn: turn_functions.TurnFunction) -> bool:
    """Whether a loop stands on lines of its own, as does what a turn does."""
    source = tree.source
    begin, body = (source.span(each).start for each in (turn_functions_written.begin_of(turn), turn.body[0]))
    return not any(source.data[source.line_start(at) : at].strip() for at in (begin, body))


def _between(source: Source, turns: Turns) -> Iterator[Span]:
    """What ran between two calls: making the next element, the conditions, the rest of a turn."""
    yield source.span(turns.source)
    yield from map(source.span, turns.tests)
    if turns.body:
        yield Span(source.span(turns.body[0]).start, source.span(turns.body[-1]).end)
    elif not turns.pulled:  # which is left out where a turn does more than to await
        yield source.span(turns.node)


def _fits(tree: Tree, turns: Turns) -> bool:
    """Whether it can be written anew."""
    source, node = tree.source, turns.node
    begin = source.span(begin_of(tree, turns) if isinstance(node, For) else statement_of(tree, turns)).start
    before = source.data[source.line_start(begin) : begin].strip()
    if before and (isinstance(node, For) or any(quotes in before for quotes in (b'"""', b"'''"))):
        return False  # the line may begin inside a string
    if isinstance(node, For):
        return len(turns.body) > 1 or result_names(turns) is None
    return (
        is_whole(turns)
        or is_apart(source, turns)
        or (is_at_hand(turns) and len(node.generators) == 1 and not turns.tests)
    )
