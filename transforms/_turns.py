"""Loops and comprehensions each turn of which awaits one call first, and needs nothing of the turns before for it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from asyncfix.blocks import above, bound_before, called, looking, read_if_failed, read_later
from asyncfix.facts.containers import VALUE_METHODS
from asyncfix.flow import (
    NOTHING,
    Definition,
    FunctionDef,
    Names,
    bindings,
    leaving,
    own,
)
from asyncfix.preconditions import Obstacle, reason
from asyncfix.transform import Tree

from ._failing import failing
from ._order import (
    MOST_QUOTED,
    bound_elsewhere,
    carried_over,
    depends_on_place,
    dotted,
    is_ordered,
    names_in,
    place_told,
    scope_of,
    shared,
    with_loops,
)
from ._owning import (
    Comprehension,
    Creation,
    For,
    bound_name,
    bound_to,
    conditioned,
    doubts_of_source,
    is_collection,
    is_empty,
    is_endless,
    is_made_here,
    is_one,
    open_sources,
    root,
)
from ._pulled import is_pulled, on_demand

GROWING = {"append": "extend", "add": "update"}
"""Methods that put one thing into a collection, with those that put all of several."""
PUTTING = frozenset({*GROWING, *GROWING.values(), "appendleft", "insert", "setdefault"})
SUSPENDS = ast.Await | ast.AsyncFor | ast.AsyncWith | ast.Yield | ast.YieldFrom | ast.NamedExpr
OF_FRAME = frozenset({"super", "locals", "vars", "dir", "eval", "exec"})
LEAVES = ast.Return | ast.Raise | ast.Assert | ast.Delete | ast.Global | ast.Nonlocal | Definition | ast.Lambda


@dataclass(frozen=True, slots=True)
class Turns:
    """What is done for each element.

    node      the loop or the comprehension
    function  the function it stands in
    target    what an element is bound to, in the clause over ``source``; of several clauses the first
    tests     conditions on which an element is passed over
    waiting   the await, of a call
    body      of a loop: the statements of a turn, the first with the await in it
    shared    names that the call reaches in every turn, and others may reach
    doubts    what is not proven, by the look of it; obstacle: what stands round it and could see that the awaits overlap
    """

    node: For | Comprehension
    function: ast.AsyncFunctionDef
    target: ast.expr
    source: ast.expr
    tests: tuple[ast.expr, ...]
    waiting: ast.Await
    call: ast.Call
    body: tuple[ast.stmt, ...]
    shared: tuple[str, ...] = ()
    given: tuple[ast.expr, ...] = ()
    bound: Names = NOTHING
    doubts: tuple[str, ...] = ()
    obstacle: Obstacle | None = None

    @property
    def pulled(self) -> bool:
        """Whether what is gone through is asynchronous, and asked for the next element while calls run."""
        return is_pulled(self.node)

    @property
    def elements(self) -> Names:
        """The names that stand for an element."""
        return names_in(self.target)

    @property
    def rest_mentions(self) -> Names:
        """The names of what a turn does apart from the call."""
        return frozenset(node.id for node in self.apart() if isinstance(node, ast.Name))

    def apart(self) -> Iterator[ast.AST]:
        """The nodes of a turn that are not of the await; what is gone through was made before the first one."""
        before = set(ast.walk(self.source))
        return (node for node in apart(self.body or (self.node,), self.waiting) if node not in before)


def apart(parts: Iterable[ast.AST], waiting: ast.Await) -> Iterator[ast.AST]:
    """The nodes of some code that are not of the await."""
    inside = set(ast.walk(waiting))
    return (node for part in parts for node in ast.walk(part) if node not in inside)


def find(tree: Tree) -> Iterator[Turns]:
    """All of a file, those left out that show in themselves that their order matters, or that a turn needs the one before."""
    for function, enclosing, known in with_loops(tree):
        for node in own(function.body):
            if isinstance(node, For | Comprehension):
                found = _turns(tree, function, node)
                if found is not None:
                    yield from _judged(tree, found, enclosing, known)


@dataclass(frozen=True, slots=True)
class Filled:
    """The collection that all that a loop does is to put the results into.

    all    the method that puts all of several into it
    above  the statement right above the loop that makes it, empty
    """

    name: str
    all: str
    above: Creation | None


def filled(tree: Tree, turns: Turns) -> Filled | None:
    """The collection that all that a loop does is to put the results into, if it was made in this function."""
    match put_straight(tree, turns):
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in GROWING:
            made_here = is_made_here(tree, turns.function, turns.node, name)
            return Filled(name, GROWING[method], _creation(tree, turns, name)) if made_here else None
        case _:
            return None


def put_straight(tree: Tree, turns: Turns) -> ast.Call | None:
    """The call that is given what was awaited, by itself or under a name that nobody reads later, if a turn does nothing else."""
    match turns.body:
        case [
            ast.Assign(targets=[ast.Name(id=result)], value=waited),
            ast.Expr(value=ast.Call(args=[ast.Name(id=given)], keywords=[]) as put),
        ]:
            only = (
                given == result
                and waited is turns.waiting
                and result not in read_later(tree, statement_of(tree, turns))
            )
            return put if only and result not in names_in(put.func) else None
        case [ast.Expr(value=ast.Call(args=[given], keywords=[]) as put)]:
            return put if given is turns.waiting else None
        case _:
            return None


def statement_of(tree: Tree, turns: Turns) -> ast.stmt:
    """The loop, or the statement that the comprehension is part of."""
    node = turns.node
    return node if isinstance(node, For) else next(a for a in tree.ancestors(node) if isinstance(a, ast.stmt))


def is_dropped(turns: Turns) -> bool:
    """Whether a loop does nothing but await."""
    return len(turns.body) == 1 and isinstance(turns.body[0], ast.Expr) and turns.body[0].value is turns.waiting


def _creation(tree: Tree, turns: Turns, name: str) -> Creation | None:
    """The statement right above a loop that makes an empty collection under a name."""
    found = above(tree, turns.node) if isinstance(turns.node, ast.stmt) else None
    if isinstance(found, Creation) and bound_name(found) == name and is_empty(found.value):
        return found
    return None


def is_at_hand(turns: Turns) -> bool:
    """Whether what is gone through is a name for a collection, which may be gone through again."""
    return isinstance(turns.source, ast.Name) and is_collection(turns.source, turns.function)


# --------------------------------------------------------------------------------------------------------------- shapes


def _turns(tree: Tree, function: ast.AsyncFunctionDef, node: For | Comprehension) -> Turns | None:
    if isinstance(node, Comprehension):
        return _comprehension(tree, function, node)
    found = _loop(function, node)
    # What is pulled cannot be gone through again beside the results.
    return found if found is None or not found.pulled or filled(tree, found) else None


def _loop(function: ast.AsyncFunctionDef, node: For) -> Turns | None:
    body, tests = conditioned(node.body)
    waiting = _only_wait(node.body)
    early = any(isinstance(each, LEAVES) for each in own(node.body)) or any(
        isinstance(each, ast.Break) for each in leaving(node.body)
    )
    if node.orelse or early or waiting is None or not _comes_first(body[0], waiting):
        return None
    call = waiting.value
    assert isinstance(call, ast.Call)
    return Turns(node, function, node.target, node.iter, tests, waiting, call, tuple(body))


def _comprehension(tree: Tree, function: ast.AsyncFunctionDef, node: Comprehension) -> Turns | None:
    waiting = _only_wait([node])
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    if waiting is None or (is_pulled(node) and (len(node.generators) > 1 or parts != [waiting])):
        return None
    held = next((part for part in parts if waiting in ast.walk(part)), None)
    if (
        held is None
        or not all(_is_plain(part) for part in parts[: parts.index(held)])
        or not _comes_first(held, waiting)
    ):
        return None
    for parent in tree.ancestors(node):
        if isinstance(parent, ast.stmt):
            break
        if isinstance(parent, Comprehension | ast.GeneratorExp | ast.Lambda):
            return None
    first = node.generators[0]
    tests = tuple(test for each in node.generators for test in each.ifs)
    call = waiting.value
    assert isinstance(call, ast.Call)
    return Turns(node, function, first.target, first.iter, tests, waiting, call, ())


def _only_wait(nodes: Sequence[ast.AST]) -> ast.Await | None:
    """The await of a call that is the only place where this code suspends, but for going through what a comprehension does, and
    that does not give way in its arguments."""
    waits = [node for node in own(nodes) if isinstance(node, SUSPENDS)]
    first = [node.generators[0] for node in nodes if isinstance(node, Comprehension)]
    clauses = [
        each for each in own(nodes) if isinstance(each, ast.comprehension) and each.is_async and each not in first
    ]
    match waits:
        case [ast.Await(value=ast.Call())] if not clauses:
            return waits[0] if isinstance(waits[0], ast.Await) else None
        case _:
            return None


def _comes_first(node: ast.AST, waiting: ast.Await) -> bool:
    """Whether the await is always evaluated, and nothing that others could notice before it."""
    match node:
        case ast.Await():
            return node is waiting
        case ast.Expr() | ast.Assign() | ast.AnnAssign():
            return node.value is not None and _comes_first(node.value, waiting)
        case ast.AugAssign(target=ast.Name()):
            return _comes_first(node.value, waiting)
        case ast.Call() | ast.Tuple() | ast.List() | ast.Dict() | ast.Attribute() | ast.Subscript() | ast.keyword():
            return _first_child(node, waiting)
        case ast.Starred() | ast.BinOp():
            return _first_child(node, waiting)
        case _:
            return False


def _first_child(node: ast.AST, waiting: ast.Await) -> bool:
    for child in ast.iter_child_nodes(node):
        if waiting in ast.walk(child):
            return _comes_first(child, waiting)
        if not _is_plain(child):
            return False
    return False


def _is_plain(node: ast.AST) -> bool:
    """Whether evaluating it is nothing that anybody could notice."""
    return isinstance(node, ast.Constant | ast.expr_context | ast.operator) or bool(dotted(node))


# --------------------------------------------------------------------------------------------------------------- names


def _judged(tree: Tree, turns: Turns, enclosing: list[FunctionDef], known: Names) -> Iterator[Turns]:
    """The turns with what is to be said of their names, nothing if a turn needs what another one does."""
    scope = scope_of(known, enclosing)
    elements = turns.elements
    clauses = turns.node.generators if isinstance(turns.node, Comprehension) else []
    every = elements.union(*(names_in(clause.target) for clause in clauses))
    mentioned = _mentioned(turns)
    changed = frozenset(_changed(turns)) - known
    involved = mentioned | changed | names_in(turns.source)
    simple = isinstance(turns.target, ast.Name) or (elements and _is_names(turns.target))
    late = any(isinstance(node, ast.Lambda | ast.GeneratorExp) for node in ast.walk(turns.call))
    if (
        late
        or not simple
        or involved & scope.foreign
        or mentioned & scope.functions
        or not names_in(turns.call) & every
    ):
        return
    others = (mentioned | names_in(turns.source)) - elements
    if (
        others & (changed | frozenset(_handed(turns)))
        or is_ordered(turns.call.func)
        or (is_dropped(turns) and place_told(turns.call))
        or is_endless(turns.source)
        or is_one(turns.source)
    ):
        return
    if isinstance(turns.node, For):
        lost = elements if turns.tests or not turns.rest_mentions & elements else NOTHING
        if lost & read_later(tree, turns.node) or (changed - elements) & read_if_failed(tree, turns.node):
            return
        if (changed | elements) & frozenset(_captured(turns.function)):
            return
    reached = tuple(name for name in dict.fromkeys(shared(turns.call, scope)) if name.partition(".")[0] not in every)
    bound = changed - elements
    seen = depends_on_place(tree, statement_of(tree, turns), mentioned | changed, bound) or _bound_to_frame(turns)
    seen = seen or _added_up(turns)
    end = turns.node.end_lineno or 0
    inner = (each.iter for each in clauses[1:])
    sources = tuple(each for made in (turns.source, *inner) for each in open_sources(tree, turns.function, made, end))
    doubts = tuple(_doubts(tree, turns, changed))
    seen = seen or (on_demand(turns.source, doubts) if turns.pulled else None)
    yield replace(turns, shared=reached, given=sources, bound=bound, doubts=doubts, obstacle=seen)


def _bound_to_frame(turns: Turns) -> Obstacle | None:
    """What a call, or a condition, asks of the function it stands in: a generator expression is another one, with a variable
    of its own for the elements."""
    calls = (each for part in (turns.call, *turns.tests, *turns.body) for each in ast.walk(part))
    name = next((called(each) for each in calls if called(each) in OF_FRAME), "")
    if name:
        return Obstacle("layout", f"`{name}()` means something else in a generator expression")
    found = looking(turns.function) if isinstance(turns.node, For) else None
    return (
        Obstacle("layout", f"`{called(found)}()` (line {found.lineno}) sees the variables of the loop")
        if found
        else None
    )


def _added_up(turns: Turns) -> Obstacle | None:
    """What each turn makes of what the turn before it left, in the loop itself: a sum, a counter, the last one; not a list."""
    if not isinstance(turns.node, For):
        return None
    added = (each.target for each in own(turns.body) if isinstance(each, ast.AugAssign))
    bound = frozenset(name for name, _ in bindings(turns.body))
    parts = (name for each in added if not isinstance(each, ast.Name) for name in root(each) if name not in bound)
    names = [*sorted(carried_over(turns.node)), *parts]
    name = next((each for each in names if not _is_list(turns, each)), "")
    if name:
        return Obstacle("data", f"`{name}` is made up turn by turn")
    asked = next((name for name in sorted(_asked(turns)) if name not in bound), "")
    return Obstacle("data", f"`{asked}` is asked for what earlier turns put into it") if asked else None


def _asked(turns: Turns) -> Iterator[str]:
    """The names of what a turn looks for something in, and puts something into."""
    changed = frozenset(name for part in turns.body for node in ast.walk(part) for name in _put_into(node))
    for node in turns.apart():
        if isinstance(node, ast.Compare) and any(isinstance(each, ast.In | ast.NotIn) for each in node.ops):
            yield from changed & {name for each in node.comparators for name in root(each)}


def _put_into(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in PUTTING:
            yield name
        case ast.Subscript(ctx=ast.Store()):
            yield from root(node)
        case _:
            pass


def _is_list(turns: Turns, name: str) -> bool:
    """Whether a name stands for a list outside of the loop."""
    made = list(bound_to(name, turns.function, turns.body))
    return bool(made) and all(isinstance(each, ast.List | ast.ListComp) for each in made)


def _mentioned(turns: Turns) -> Names:
    """The names of the call, and of the conditions of the loop."""
    return names_in(turns.call).union(*(names_in(test) for test in turns.tests))


def _is_names(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple):
        return all(map(_is_names, target.elts))
    return isinstance(target, ast.Name)


def _changed(turns: Turns) -> Iterator[str]:
    """The names that a turn binds, or whose objects it changes, or may change: it assigns parts, calls their methods."""
    yield from (name for name, _ in bindings(turns.body))
    for node in turns.apart():
        match node:
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                yield from root(node)
            case ast.Call(func=ast.Attribute(attr=method) as function) if method not in VALUE_METHODS:
                yield from root(function)
            case _:
                pass


def _handed(turns: Turns) -> Iterator[str]:
    """The names of what a turn hands to others, who may change it."""
    for node in turns.apart():
        if isinstance(node, ast.Call):
            given = [*node.args, *(item.value for item in node.keywords)]
            yield from (name for each in given if each is not turns.waiting for name in root(each))


def _captured(function: FunctionDef) -> Iterator[str]:
    """The names that functions inside a function mention."""
    for node in ast.walk(function):
        if node is not function and isinstance(node, Definition | ast.Lambda):
            yield from names_in(node)


def _doubts(tree: Tree, turns: Turns, changed: Names) -> Iterator[str]:
    clauses = turns.node.generators[1:] if isinstance(turns.node, Comprehension) else []
    for source in (turns.source, *(each.iter for each in clauses)) if not turns.pulled else ():
        yield from doubts_of_source(tree, turns.function, source, turns.node.end_lineno or 0)
    for name in sorted(changed - turns.elements):
        if not is_made_here(tree, turns.function, turns.node, name):
            why = f"`{name}` may be seen by others, who would miss what was done before a call fails"
            yield reason("partial-results", why)
    for name in sorted(changed & turns.elements):
        yield reason(
            "data", f"`{name}` is changed only when all calls have ended: the same object should not come twice"
        )
    lists = isinstance(turns.node, For) and filled(tree, turns) is None
    own_names = (name for name in changed if is_made_here(tree, turns.function, turns.node, name))
    moving = sorted((turns.rest_mentions - changed - turns.elements) & bound_elsewhere(tree, turns.function))
    if moving:
        yield reason("data", f"`{moving[0]}` is read when all calls have ended, and may be another by then")
    unbound = sorted(_unbound(tree, turns))
    if unbound:
        yield reason("errors", f"`{unbound[0]}` may not be bound, which shows only when all calls have ended")
    found = failing((*(turns.tests if lists else ()), *(turns.body or [turns.node])), turns.waiting, own_names)
    if found is not None:
        text = ast.unparse(found).partition("\n")[0][:MOST_QUOTED]
        yield reason("errors", f"`{text}` may fail, and is now done when a later call may have failed already")


def _unbound(tree: Tree, turns: Turns) -> Names:
    """The variables of the function that a comprehension asks for besides its call, and that may not be bound."""
    if not isinstance(turns.node, Comprehension):
        return NOTHING
    local = frozenset(name for name, _ in bindings(turns.function.body))
    elements = NOTHING.union(*(names_in(clause.target) for clause in turns.node.generators))
    return (turns.rest_mentions & local) - elements - bound_before(tree, statement_of(tree, turns))
