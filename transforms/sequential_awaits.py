"""# sequential-awaits

Finds neighbouring awaits that wait one after the other although none needs what another gives.

## What it does

Awaits of one block of which none binds a name that another uses are started together, and joined in their order by
`join_in_order`, a function of the project's generated module: results, the first error, handlers and cancellation stay
what they were. Where no call can fail (coroutine functions of the project that only sleep, and give what they have), nobody
can tell, and it is plain `asyncio.gather`. `[tool.asyncfix.concurrency] style = "taskgroup"` (Python 3.11), `"gather"` or
`"ordered"` asks for one form; `"auto"` is the default. Where something is not known the join in order differs least, and under an
`except` that knows errors apart there is no other form.

Of three and more awaits neighbours are overlapped without the rest, where the rest may not be, or is not proven. Awaits within
one statement, as in `return {"one": await f(), "other": await g()}`, are taken together above it. What a statement makes of
what it awaits, as in `title = (await load(name)).strip()`, it makes when all calls have ended.

## Why is this bad?

The function waits for the sum of all the times, where the longest of them would do.

## Example

```python
async def load(name: str) -> str:
    return await asyncio.to_thread(Path(name).read_text)


async def show(one: str, other: str) -> str:
    header = await load(one)
    body = await load(other)
    return render(header, body)
```

Use instead:

```python
async def load(name: str) -> str:
    return await asyncio.to_thread(Path(name).read_text)


async def show(one: str, other: str) -> str:
    header, body = await join_in_order(load(one), load(other))
    return render(header, body)
```

## Safety

SAFE only where all that the calls run is known, through all functions of the project, and does nothing but read: files in
threads, by aiofiles or anyio; commands of redis, documents of MongoDB and Elasticsearch, objects of S3, names of hosts,
over a client that many may use; and requests that by their method change nothing, each by a client of its own (one that is
shared sends the cookies of one answer with the next request: UNSAFE). Later calls then start although an earlier one fails,
which nobody can see. Of what others change outside the process meanwhile, a later call may see an older state than an earlier
one: where one says that the other is valid (a flag that is set when the data are there), keep the order.

UNSAFE where something is not known and nothing speaks against it: the note names it. Also for a sleep beside something that
may be another when time has passed, for lines in a log (their order), for other queries over a pool of connections, for a
client or a request that was given something with a say in it, as hooks, credentials of the project's own or a jar of cookies,
or an upper limit; for an argument that is now evaluated before the first call begins (but for names and attributes that
nobody binds anew), for a name between awaits of one statement that others may bind anew before all calls have ended, and
a result that is unpacked when a later call may have failed; where two calls ask a cache for an
object, in threads or of a cache with an upper limit; in a program that goes through all tasks; and where a call comes back to
the very function: the number of calls on their way multiplies. In a task group a failure arrives as an `ExceptionGroup`; from
`gather` the first one in time does, and the other calls run on: both are SAFE only where no call can fail.

Refused where a call writes something that others can reach, changes the other side, prints, draws random numbers, sets a
context variable, works on the event loop, takes a lock or semaphore of asyncio or anyio, may wait for more under a lock of
`threading`, or asks for a connection of a pool while it keeps one; where nothing is done with what a call gives and it asks
another program for something, or not all that it does is known; where fewer than two of them wait for anything; where more
than one uses an object that takes one call at a time (a database session, connection or cursor, a stream, websocket, file,
page or device: rows say so with `single`, and names do where nothing is known); where one awaits, however far down, something
of which nothing is known and that by its name changes something for others (`send`, `create`, `save`); in a `finally`, within
a lock, session, transaction or time limit; where a value is carried from one turn of a loop to the next; where a comment
speaks of an order.

A reason begins with what it is about: `data`, `effects`, `resources`, `errors`, `order`, `task` or `gain`.

Left out altogether: calls that by their name wait or use a lock or queue, or that by it send or change something and with
whose result nothing is done; and tests. Where something is done with it, such a name bars unless the calls would be SAFE.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from typing import ClassVar

from asyncfix.blocks import bound_before, called, looking
from asyncfix.facts.testfiles import is_test
from asyncfix.facts.unfailing import PLAIN
from asyncfix.flow import (
    NOTHING,
    FunctionDef,
    Names,
    bindings,
    blocks,
    declared,
    last_name,
    own,
    parameter_annotations,
    parameters,
)
from asyncfix.lines import end_of_line
from asyncfix.model import (
    Early,
    Edit,
    Form,
    Function,
    MinimumPython,
    NotSwallowed,
    Overlap,
    Replace,
    Site,
    Span,
    Strategy,
    Unfailing,
)
from asyncfix.preconditions import Obstacle, reason
from asyncfix.source import Source
from asyncfix.transform import BlockTransform, CannotWrite, Tree, Writing

from ._comments import Comment, comments_of, first_comment
from ._layout import bracketed, fits, moved
from ._layout import named as put
from ._order import (
    MOST_QUOTED,
    OBJECTS,
    Scope,
    around,
    bound_elsewhere,
    captured,
    catching,
    depends_on_place,
    happens_here,
    is_ordered,
    is_test_function,
    lost,
    modules,
    names_in,
    order_told,
    place_told,
    scope_of,
    shared,
)
from ._within import awaited, awaits_twice, distinct, unpacked
from ._working import worked_on

MOST_PARTS = 20
PART = " "  # in the name of a form, before the numbers of members
WHOLE = "-all"  # in the name of a form, where there are others for parts
ORDERED = Strategy("concurrency", "ordered", default=True)
PLAINEST = Strategy("concurrency", "gather", default=True)
"""What needs no function of ours, where nothing can fail."""

METHODS = ("self.", "cls.")
MAYBE = re.compile(r"\b(?:None|Optional)\b")
WAITS = "awaits that do not depend on each other run one after the other"


JOIN_IN_ORDER = '''
import asyncio
from collections.abc import Awaitable
from typing import Any


async def join_in_order(*awaitables: Awaitable[Any]) -> list[Any]:
    """Await all at the same time, and give their results in order.

    What others see is what awaiting them one after the other shows: the first error in order is raised, when those after it
    have been cancelled and have ended.
    """
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    try:
        return [await task for task in tasks]
    finally:
        left = [task for task in tasks if not task.done()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # of those after the first error nobody will ask
'''


class SequentialAwaits(BlockTransform):
    """Neighbouring independent awaits to a task group, or to `asyncio.gather`."""

    name = "sequential-awaits"
    generated: ClassVar[dict[str, str]] = {"join_in_order": JOIN_IN_ORDER}

    def asks(self, form: str) -> bool:
        return form.startswith(("all", "ordered"))

    def concerns(self, function: Function) -> bool:
        return function.is_async and len(function.awaits) > 1

    def scan(self, tree: Tree) -> list[Site]:
        if b"await" not in tree.source.data:
            return []
        return sorted((self._site(tree, run) for run in _runs(tree)), key=lambda site: site.span)

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        tree = writing.tree()
        run = next((run for run in _runs(tree) if run.span == site.span and run.obstacle is None), None)
        style, _, part = form.removesuffix(WHOLE).partition(PART)
        if run is not None and part:
            run = next((each for each in _parts(tree.source, run) if _numbers(run, each) == part), None)
        if run is None:
            raise CannotWrite("the awaits are not what was surveyed")
        named = _named(run, writing)
        match style:
            case "taskgroup":
                lines = _task_group(named, writing)
            case "gather":
                lines = _gather(named, writing, writing.name("asyncio.gather"))
            case "ordered" | "all":
                lines = _gather(named, writing, writing.generated("join_in_order"))
            case _:
                raise CannotWrite(f"no form {form}")
        text = f"\n{writing.indent(run.span)}".join([*lines, *_worked_out(named, writing)])
        if not run.inside or unpacked(run.members[0].statement):
            return [Replace(run.span, text)]
        source, names = writing.source, zip((wait for wait, _ in run.inside), named.members, strict=True)
        above = Replace(Span(run.span.start, run.span.start), f"{text}\n{writing.indent(run.span)}")
        return [above, *(put(source, source.span(wait), member.targets[0]) for wait, member in names)]

    def _site(self, tree: Tree, run: Run) -> Site:
        call, owner = tree.source.span(run.members[0].call), tree.qualified(run.function)
        forms = tuple(_forms(tree, run)) if run.obstacle is None else ()
        code, why = run.obstacle or ("", "")
        return Site(
            self.name, "", run.span, call, owner, forms, False, code, why, message=WAITS, title="overlap awaits"
        )


def _forms(tree: Tree, run: Run) -> Iterator[Form]:
    """All of a run, or a part of it: first where that is SAFE."""
    overlap = _overlap(tree, run)
    pieces = () if run.inside else _parts(tree.source, run)
    parts = {_numbers(run, part): _overlap(tree, part) for part in pieces}
    read = lost(tree, run.members[0].statement, NOTHING if run.inside else _bound(run.members))
    yield _plainest(f"gather{WHOLE if parts else ''}", read, overlap)
    if parts:
        yield Form("all", (ORDERED, *read, overlap))
        for numbers, part in parts.items():
            yield _plainest(f"gather{PART}{numbers}", read, part)
            yield Form(f"ordered{PART}{numbers}", (ORDERED, *read, part))
    yield from _styles("", read, overlap)
    for numbers, part in parts.items():
        yield from _styles(f"{PART}{numbers}", read, part)


def _plainest(name: str, read: tuple[NotSwallowed, ...], overlap: Overlap) -> Form:
    """The form in which one overlap is best read, if all is proven of it, and no call can fail."""
    return Form(name, (PLAINEST, Unfailing(overlap.calls), *read, overlap))


def _styles(part: str, read: tuple[NotSwallowed, ...], overlap: Overlap) -> Iterator[Form]:
    """The forms of one overlap. ``read``: what must hold of the context managers round it."""
    yield Form(f"ordered{part}", (ORDERED,), (*read, overlap))
    if overlap.caught:
        return
    grouped = reason("errors", "in a task group, which takes coroutines only, a failure arrives as an ExceptionGroup")
    yield Form(
        f"taskgroup{part}",
        (Strategy("concurrency", "taskgroup"), MinimumPython((3, 11))),
        (Unfailing(overlap.calls, grouped), *read, overlap),
    )
    late = reason("errors", "from gather the first failure in time arrives, and the other calls run on")
    yield Form(f"gather{part}", (Strategy("concurrency", "gather"),), (Unfailing(overlap.calls, late), *read, overlap))


# ------------------------------------------------------------------------------------------------------------- finding


@dataclass(frozen=True, slots=True)
class Member:
    """A statement that awaits one call.

    targets    the names it binds
    mentions   every name in the call
    names      what must not stand in another member: names, ``self.method``, ``module.variable``
    waiting    the await, if the statement makes something of what it gives
    """

    statement: ast.stmt
    call: ast.Call
    targets: tuple[str, ...]
    mentions: Names
    names: Names
    waiting: ast.Await | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A member as it is written anew: its call, and the comments above and behind it.

    unpacked  its targets are written as a tuple
    """

    targets: tuple[str, ...]
    unpacked: bool
    annotation: str
    call: ast.Call
    above: tuple[str, ...]
    behind: str


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring members; ``span`` begins with the first statement and ends with the comment behind the last.

    obstacle  what the text shows against overlapping them
    inside    they are parts of one statement: awaits with the names that stand for them then
    late      names that this statement asks for before the last of them
    """

    function: ast.AsyncFunctionDef
    members: tuple[Member, ...]
    span: Span
    comments: tuple[Comment, ...]
    obstacle: Obstacle | None
    inside: tuple[tuple[ast.Await, str], ...] = ()
    late: tuple[ast.Name, ...] = ()


def _runs(tree: Tree) -> Iterator[Run]:
    """All runs of a file, if it is none of tests."""
    if is_test(tree.source.path):
        return
    functions = (node for node in ast.walk(tree.module) if isinstance(node, ast.AsyncFunctionDef))
    candidates = {node: found for node in functions if (found := list(filter(_may_overlap, blocks(node))))}
    known = frozenset(modules(tree.module)) if candidates else NOTHING
    for node, found in candidates.items():
        enclosing = around(tree, node)
        if any(is_test_function(function.name) for function in enclosing):
            continue
        scope = scope_of(known, enclosing)
        for block in found:
            for members in _independent(block, scope):
                yield _run(tree.source, node, members, _seen(tree, members))
            for statement in block:
                yield from _inside(tree, node, statement, scope)


def _may_overlap(block: Sequence[ast.stmt]) -> bool:
    return any(map(_waits, block, block[1:])) or any(map(awaits_twice, block))


def _inside(tree: Tree, function: ast.AsyncFunctionDef, statement: ast.stmt, scope: Scope) -> Iterator[Run]:
    """The awaits within one statement as a run."""
    found, late = awaited(statement, scope.modules) if awaits_twice(statement) else ([], [])
    members = tuple(
        member
        for wait, name in found
        if isinstance(wait.value, ast.Call) and (member := _made(statement, wait.value, (name,), scope)) is not None
    )
    if found and len(members) == len(found):
        source = tree.source
        span = source.span(statement)
        lines = Span(first_comment(source, source.line_start(span.start)), end_of_line(source, span.end))
        crowded = Obstacle("layout", f"line {statement.lineno} cannot be written otherwise as it stands")
        layout = None if _is_plain(source, statement) else crowded
        comments = tuple(comments_of(source, lines))
        parts = [statement] if unpacked(statement) else [wait for wait, _ in found]
        layout = layout or next((torn for part in parts if (torn := _torn_from(source, comments, part, members))), None)
        obstacle = _seen(tree, members) or order_told(comments) or layout
        yield Run(function, members, span, (), obstacle, tuple(found), tuple(late))


def _torn_from(
    source: Source, comments: Iterable[Comment], part: ast.stmt | ast.Await, members: Iterable[Member]
) -> Obstacle | None:
    """That a comment stands in what is written anew but in no call, as between ``await`` and that: it would be lost."""
    whole = source.span(part) if isinstance(part, ast.stmt) else bracketed(source, source.span(part))
    calls = [source.span(member.call) for member in members]
    held = (place for place, _ in comments if _within(source, place, whole))
    torn = next((place[0] for place in held if not any(_within(source, place, call) for call in calls)), 0)
    return Obstacle("layout", f"the comment in line {torn} would be lost") if torn else None


def _waits(*statements: ast.stmt) -> bool:
    """Whether all of these statements are the waiting for one thing, or make something of it."""
    simple = (ast.Expr, ast.Assign, ast.AnnAssign)
    return all(
        isinstance(each, simple) and each.value is not None and worked_on(each.value) is not None for each in statements
    )


def _independent(block: Sequence[ast.stmt], scope: Scope) -> Iterator[tuple[Member, ...]]:
    """Two or more neighbouring members none of which touches what another one does."""
    run: list[Member] = []
    for statement in (*block, None):
        member = _member(statement, scope) if statement else None
        if member is None or any(_binds(member, other) for other in run):
            if len(run) > 1:
                yield tuple(run)
            run = []
        if member is not None:
            run.append(member)


def _member(statement: ast.stmt, scope: Scope) -> Member | None:
    """The member that a statement is, if its targets are local names and its call may begin at another time."""
    targets: list[ast.expr] = []
    match statement:
        case ast.Expr():
            pass
        case ast.Assign(targets=[ast.Tuple(elts=[_, *_] as elements)]):
            targets = elements
        case ast.Assign(targets=[ast.Name() as target]) | ast.AnnAssign(target=ast.Name() as target, simple=1):
            targets = [target]
        case _:
            return None
    waiting = worked_on(statement.value) if statement.value is not None else None
    if waiting is None or not isinstance(waiting.value, ast.Call):
        return None
    names = tuple(target.id for target in targets if isinstance(target, ast.Name))
    made = _made(statement, waiting.value, names, scope) if len(names) == len(targets) else None
    if made is None or waiting is statement.value:
        return made
    rest = names_in(statement.value) if statement.value is not None else NOTHING
    one = len(targets) == 1 and not rest & scope.functions
    return replace(made, mentions=made.mentions | rest, waiting=waiting) if one else None


def _made(statement: ast.stmt, call: ast.Call, names: tuple[str, ...], scope: Scope) -> Member | None:
    """The member that a call is, whose result goes by these names."""
    mentions = frozenset(node.id for node in ast.walk(call) if isinstance(node, ast.Name))
    if (mentions | set(names)) & scope.foreign or mentions & scope.functions:
        return None
    if any(happens_here(node) for node in ast.walk(call)) or is_ordered(call.func):
        return None
    if not names and place_told(call):
        return None
    reached = set(shared(call, scope))
    if not names:  # a method that gives nothing is there for what it does to its object
        reached |= {name.partition(".")[0] for name in reached if name.startswith(METHODS)}
    return Member(statement, call, names, mentions, frozenset(reached))


def _parts(source: Source, run: Run) -> Iterator[Run]:
    """The runs inside of one, the longest first; of a very long one not all."""
    members = run.members
    lengths = range(len(members) - 1, 1, -1)
    pairs = ((start, start + length) for length in lengths for start in range(len(members) - length + 1))
    for start, end in islice(pairs, MOST_PARTS):
        yield _run(source, run.function, members[start:end], None)


def _numbers(run: Run, part: Run) -> str:
    """Which members of a run a part of it has, from 1: ``1-2``."""
    first = run.members.index(part.members[0])
    return f"{first + 1}-{first + len(part.members)}"


def _seen(tree: Tree, members: Sequence[Member]) -> Obstacle | None:
    """What stands round the members and could see that they overlap."""
    inside = awaits_twice(members[0].statement)
    bound = NOTHING if inside else _bound(members)
    function = next(each for each in tree.ancestors(members[0].statement) if isinstance(each, ast.AsyncFunctionDef))
    name = min(bound & captured(function, members[-1].statement.lineno), default="")
    if name:
        return Obstacle("data", f"`{name}` is read by a function that may be called meanwhile")
    used = bound.union(*(member.mentions for member in members))
    named = (inside and not unpacked(members[0].statement)) or any(member.waiting is not None for member in members)
    found = looking(function) if named else None
    if found is not None:
        return Obstacle("layout", f"`{called(found)}()` (line {found.lineno}) would see the names of the results")
    return depends_on_place(tree, members[0].statement, used, bound)


def _bound(members: Iterable[Member]) -> Names:
    """The names that members bind."""
    return frozenset(name for member in members for name in member.targets)


def _binds(one: Member, other: Member) -> bool:
    """Whether one member binds a name that the other one uses or binds."""
    return bool(set(one.targets) & (other.mentions | set(other.targets)) or set(other.targets) & one.mentions)


def _overlap(tree: Tree, run: Run) -> Overlap:
    """What is to be asked of the calls: with what they share, and their arguments that may raise or change."""
    shared: dict[str, None] = {}
    for one, other in combinations(run.members, 2):
        shared |= dict.fromkeys(sorted(_reached(one, run.function) & _reached(other, run.function)))
        shared |= dict.fromkeys(name for name in OBJECTS if _whole(one, other) or _whole(other, one))
    given = [
        each for member in run.members[1:] for each in (*_receiver(member, run.function), *_arguments(member.call))
    ]
    unbound = _unbound(tree, run)
    missing = [each for each in (*given, *_called(run)) if unbound & names_in(each)]
    moved_up = [each for each in given if not (_is_the_same(each, run.function) or each in missing)]
    early = (*(_early(tree, each) for each in moved_up), *(_early(tree, each, unbound=True) for each in missing))
    tuples = () if run.inside else (each for each in run.members[:-1] if each.waiting or _unpacks(each))
    apart = next((", ".join(member.targets) for member in tuples), "")
    calls = tuple(tree.source.span(member.call) for member in run.members)
    dropped = tuple(span for span, member in zip(calls, run.members, strict=True) if not member.targets)
    ordered = next((told for member in run.members if (told := place_told(member.call))), "") or _asked_again(run)
    late = tuple(_late(tree, run, unbound))
    return Overlap(calls, tuple(shared), early, late, apart, dropped, catching(tree, run.members[0].statement), ordered)


def _late(tree: Tree, run: Run, unbound: Names) -> Iterator[Early]:
    """What the statement asks for when all calls have ended, unless it is a variable of a function, which stays what it is."""
    enclosing = around(tree, run.function)
    local = NOTHING.union(*(parameters(each) | {name for name, _ in bindings(each.body)} for each in enclosing))
    functions = (each for each in ast.walk(tree.module) if isinstance(each, FunctionDef))
    written = NOTHING.union(*(declared(each.body, ast.Global) for each in functions)) if run.late else NOTHING
    moving = written | unbound | bound_elsewhere(tree, run.function)
    for each in run.late:
        if each.id in moving or each.id not in local:
            yield _early(tree, each, unbound=each.id in moving)


def _early(tree: Tree, node: ast.expr, *, unbound: bool = False) -> Early:
    return Early(tree.source.span(node), ast.unparse(node)[:MOST_QUOTED], unbound)


def _unbound(tree: Tree, run: Run) -> Names:
    """The names of the function that may not be bound when the first call begins: what asks for them would fail at once."""
    body = run.function.body
    local = {name for name, _ in bindings(body)} - declared(body, ast.Global) - declared(body, ast.Nonlocal)
    return frozenset(local) - bound_before(tree, run.members[0].statement)


def _called(run: Run) -> Iterator[ast.expr]:
    """What the members after the first one call."""
    yield from (member.call.func for member in run.members[1:])


def _asked_again(run: Run) -> str:
    """That one call stands there more than once, which may give one thing after the other; or ''."""
    calls = [ast.unparse(member.call) for member in run.members]
    again = next((each for each in calls if calls.count(each) > 1), "")
    return f"`{again[:MOST_QUOTED]}` may give the next one each time" if again else ""


def _unpacks(member: Member) -> bool:
    return isinstance(member.statement, ast.Assign) and isinstance(member.statement.targets[0], ast.Tuple)


def _reached(member: Member, function: ast.AsyncFunctionDef) -> Names:
    """The names by which a member reaches what others may reach, with those of what its local objects were made of."""
    statements = (each for each in own(function.body) if isinstance(each, ast.Assign | ast.AnnAssign))
    made = (each for each in statements if any(name in member.names for name, _ in bindings([each])))
    calls = (each for statement in made for each in ast.walk(statement) if isinstance(each, ast.Call))
    given = (node for call in calls for each in _arguments(call) for node in ast.walk(each))
    return member.names | {node.id for node in given if isinstance(node, ast.Name)}


def _is_the_same(node: ast.expr, function: ast.AsyncFunctionDef) -> bool:
    """Whether the text shows that it gives the same before the calls begin, and raises nothing: what nobody else can bind,
    and a text made of parameters that are plain."""
    bound = {name for name, _ in bindings(function.body)}
    if isinstance(node, ast.Name):
        return node.id in bound | parameters(function)
    if isinstance(node, ast.Tuple | ast.List | ast.Dict):
        held = [*node.keys, *node.values] if isinstance(node, ast.Dict) else node.elts
        return all(each is not None and _is_the_same(each, function) for each in held)
    if not isinstance(node, ast.JoinedStr):
        return isinstance(node, ast.Constant)
    stated = {name: last_name(annotation) for name, annotation in parameter_annotations(function).items()}
    parts = (part for part in node.values if isinstance(part, ast.FormattedValue))
    return all(
        isinstance(part.value, ast.Name)
        and part.format_spec is None
        and part.value.id not in bound
        and stated.get(part.value.id) in PLAIN
        for part in parts
    )


def _receiver(member: Member, function: ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """What a member's method is called of, if that may be missing, or None, where an earlier call fails."""
    match member.call.func:
        case ast.Attribute(value=ast.Name(id=name)):
            annotation = parameter_annotations(function).get(name)
            if annotation is not None and MAYBE.search(ast.unparse(annotation)):
                yield member.call.func
        case ast.Attribute(value=ast.Attribute() as receiver):
            text = ast.unparse(receiver)
            if any(text.startswith(f"{name}.") for name in member.names):
                yield receiver
        case _:
            pass


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (item.value for item in call.keywords)


def _whole(one: Member, other: Member) -> bool:
    """Whether one member uses the object that the other one calls a method of."""
    return any(name in one.names and any(each.startswith(f"{name}.") for each in other.names) for name in OBJECTS)


# ---------------------------------------------------------------------------------------------------------------- text


def _run(source: Source, function: ast.AsyncFunctionDef, members: tuple[Member, ...], obstacle: Obstacle | None) -> Run:
    """The members as a run, with what is against it: that known already, a comment about their order, or their layout."""
    first = source.span(members[0].statement)
    end = end_of_line(source, source.span(members[-1].statement).end)
    blank = len(source.data[first.start : end]) - len(source.data[first.start : end].rstrip())
    span = Span(first.start, end - blank)
    crowded = next((each.statement.lineno for each in members if not _is_plain(source, each.statement)), 0)
    if crowded:  # the lines may begin inside a string
        why = f"line {crowded} cannot be written otherwise as it stands"
        return Run(function, members, span, (), obstacle or Obstacle("layout", why))
    comments = tuple(comments_of(source, Span(first_comment(source, source.line_start(first.start)), end)))
    torn = next((place[0] for place, _ in comments if _is_torn(source, place, members)), 0)
    lost = Obstacle("layout", f"the comment in line {torn} would be lost") if torn else None
    return Run(function, members, span, comments, obstacle or order_told(comments) or lost)


def _is_plain(source: Source, statement: ast.stmt) -> bool:
    """Whether a statement has its lines for itself (and its comment), and its annotation is on one line."""
    span = source.span(statement)
    before = source.data[source.line_start(span.start) : span.start].strip()
    behind = source.data[span.end : end_of_line(source, span.end)].strip()
    if isinstance(statement, ast.AnnAssign) and statement.annotation.lineno < (statement.annotation.end_lineno or 0):
        return False
    return not before and (not behind or behind.startswith(b"#"))


def _is_torn(source: Source, place: tuple[int, int], members: Iterable[Member]) -> bool:
    """Whether a comment stands within a statement but not in its call, so that it would be lost."""
    return any(
        _within(source, place, source.span(member.statement)) and not _within(source, place, source.span(member.call))
        for member in members
    )


def _within(source: Source, place: tuple[int, int], span: Span) -> bool:
    return source.position(span.start) <= place < source.position(span.end)


def _named(run: Run, writing: Writing) -> Run:
    """A run with names for what the awaits within a statement give, which the function does not have."""
    if not run.inside:
        return replace(run, members=tuple(_results_named(run, writing)))
    if unpacked(run.members[0].statement):
        return run
    nodes = list(ast.walk(run.function))
    used = {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.arg for node in nodes if isinstance(node, ast.arg)
    }
    used |= {name for node in nodes if isinstance(node, FunctionDef) for name, _ in bindings(node.body)}
    names = list(distinct((name for _, name in run.inside), frozenset(used)))
    return replace(
        run, members=tuple(replace(each, targets=(name,)) for each, name in zip(run.members, names, strict=True))
    )


def _results_named(run: Run, writing: Writing) -> Iterator[Member]:
    """The members, with a name for what an await gives of which a statement makes something."""
    for member in run.members:
        named = tuple(writing.fresh(f"{name}_result", run.span) for name in member.targets)
        yield replace(member, targets=named) if member.waiting is not None else member


def _worked_out(run: Run, writing: Writing) -> Iterator[str]:
    """The statements that make something of what the awaits give, with the name of that."""
    source = writing.source
    for member in run.members:
        if member.waiting is not None and not run.inside:
            whole, part = source.span(member.statement), put(source, source.span(member.waiting), member.targets[0])
            before, behind = Span(whole.start, part.span.start), Span(part.span.end, whole.end)
            text = f"{source.text(before)}{part.text}{source.text(behind)}"
            yield writing.formatted(text, writing.indent(run.span)) or text


def _pieces(run: Run, writing: Writing) -> Iterator[Piece]:
    """The members as they are written anew."""
    if run.inside:
        yield from (Piece(member.targets, False, "", member.call, (), "") for member in run.members)
        return
    source = writing.source
    line = run.members[0].statement.lineno
    for member in run.members:
        span = source.span(member.statement)
        begin, end = source.position(span.start), source.position(span.end)
        above = tuple(text for place, text in run.comments if (line, 0) <= place < begin)
        behind = "".join(f"  {text}" for place, text in run.comments if end <= place < (end[0] + 1, 0))
        unpacked = isinstance(member.statement, ast.Assign) and isinstance(member.statement.targets[0], ast.Tuple)
        hint = member.statement.annotation if isinstance(member.statement, ast.AnnAssign) else None
        annotation = source.text(source.span(hint)) if hint and member.waiting is None else ""
        yield Piece(member.targets, unpacked, annotation, member.call, above, behind)
        line = end[0] + 1


def _call(run: Run, writing: Writing, piece: Piece, begin: str) -> str:
    """The text of a call behind ``begin``, one level deeper than its statement was."""
    indent = writing.indent(run.span) + writing.step
    return moved(writing.source, writing.source.span(piece.call), len(indent + begin), indent)


def _task_group(run: Run, writing: Writing) -> list[str]:
    """The statements of a task group and the assignments behind it, without the indentation of the block."""
    group = writing.fresh("group", run.span)
    indent = writing.indent(run.span)
    lines = [f"async with {writing.name('asyncio.TaskGroup')}() as {group}:"]
    results: list[str] = []
    for piece in _pieces(run, writing):
        begin = f"{group}.create_task("
        if piece.targets:
            name = piece.targets[0]
            task = writing.fresh("task" if name == "_" else f"{name}_task", run.span)
            begin = f"{task} = {begin}"
            hint = f": {piece.annotation}" if piece.annotation else ""
            result = f"{_names(piece)}{hint} = {task}.result()"
            results.append(writing.formatted(result, indent) or result)
        started = f"{begin}{_call(run, writing, piece, begin)})"
        started = writing.formatted(started, indent + writing.step) or started
        lines += [f"{writing.step}{line}" for line in (*piece.above, f"{started}{piece.behind}")]
    return lines + results


def _gather(run: Run, writing: Writing, function: str) -> list[str]:
    """The statements of a call that gathers: on one line, if nothing is against it and that is short enough."""
    pieces = list(_pieces(run, writing))
    indent = writing.indent(run.span)
    hints = [f"{piece.targets[0]}: {piece.annotation}" for piece in pieces if piece.annotation]
    unused = "" if all(piece.targets for piece in pieces) else writing.fresh("_", run.span)
    targets = [f"({_names(piece)})" if piece.unpacked else _names(piece) or unused for piece in pieces]
    awaited = f"await {function}("
    begin = f"{', '.join(targets)} = {awaited}" if any(piece.targets for piece in pieces) else awaited
    calls = [_call(run, writing, piece, "") for piece in pieces]
    line = f"{begin}{', '.join(calls)})"
    if not any(piece.above or piece.behind for piece in pieces):
        formatted = writing.formatted(line, indent)
        if formatted or fits(line, indent):
            return [*hints, formatted or line]
    members = zip(pieces, calls, strict=True)
    arguments = (line for piece, call in members for line in (*piece.above, f"{call},{piece.behind}"))
    head = [begin]
    if begin != awaited and not fits(begin, indent):
        head = ["(", *(f"{writing.step}{target}," for target in targets), f") = {awaited}"]
    return [*hints, *head, *(f"{writing.step}{line}" for line in arguments), ")"]


def _names(piece: Piece) -> str:
    """The targets as they stand on the left of an assignment."""
    return ", ".join(piece.targets) + ("," if piece.unpacked and len(piece.targets) == 1 else "")
