"""Loops and comprehensions each turn of which awaits one call first, and needs nothing of the turns before for it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from asyncfix.blocks import above, called, read_if_failed, read_later
from asyncfix.flow import (
    NOTHING,
    Definition,
    FunctionDef,
    Loop,
    Names,
    bindings,
    last_name,
    leaving,
    own,
    parameters,
)
from asyncfix.preconditions import Obstacle, reason
from asyncfix.transform import Tree

from ._failing import failing
from ._meanwhile import changeable, gone_through, is_constant, stated_type
from ._order import (
    MOST_QUOTED,
    around,
    depends_on_place,
    dotted,
    is_ordered,
    is_test_function,
    modules,
    place_told,
    scope_of,
    shared,
)

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp
Creation = ast.Assign | ast.AnnAssign

COLLECTIONS = frozenset({"list", "tuple", "set", "frozenset", "dict", "sorted", "range"})
STATED = frozenset({"list", "tuple", "set", "frozenset", "dict", "sequence", "collection", "mapping"})
PIECES = frozenset({"items", "keys", "values", "split", "splitlines"})
OF_OTHERS = frozenset({"enumerate", "zip", "reversed"})
ENDLESS = frozenset({"count", "cycle", "repeat", "iter", "chain", "islice"})
FRESH = frozenset({"list", "dict", "set", "defaultdict", "Counter", "OrderedDict", "deque", "StringIO"})
GROWING = {"append": "extend", "add": "update"}
"""Methods that put one thing into a collection, with those that put all of several."""
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

    node: ast.For | Comprehension
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
    def elements(self) -> Names:
        """The names that stand for an element."""
        return _in(self.target)

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
    functions = [node for node in ast.walk(tree.module) if isinstance(node, ast.AsyncFunctionDef)]
    known = frozenset(modules(tree.module)) if functions else NOTHING
    for function in functions:
        enclosing = around(tree, function)
        if any(is_test_function(each.name) for each in enclosing):
            continue
        for node in own(function.body):
            if isinstance(node, ast.For | Comprehension):
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
    """The collection that a loop fills, if it was made in this function and the loop does nothing else."""
    match turns.body:
        case [ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[given]))]:
            if given is not turns.waiting or method not in GROWING or not _is_own(tree, name, turns):
                return None
            return Filled(name, GROWING[method], _creation(tree, turns, name))
        case _:
            return None


def statement_of(tree: Tree, turns: Turns) -> ast.stmt:
    """The loop, or the statement that the comprehension is part of."""
    node = turns.node
    return node if isinstance(node, ast.For) else next(a for a in tree.ancestors(node) if isinstance(a, ast.stmt))


def is_dropped(turns: Turns) -> bool:
    """Whether a loop does nothing but await."""
    return len(turns.body) == 1 and isinstance(turns.body[0], ast.Expr) and turns.body[0].value is turns.waiting


def _creation(tree: Tree, turns: Turns, name: str) -> Creation | None:
    """The statement right above a loop that makes an empty collection under a name."""
    found = above(tree, turns.node) if isinstance(turns.node, ast.stmt) else None
    if isinstance(found, Creation) and _bound(found) == name and _is_empty(found.value):
        return found
    return None


def is_at_hand(turns: Turns) -> bool:
    """Whether what is gone through is a name for a collection, which may be gone through again."""
    return isinstance(turns.source, ast.Name) and _is_collection(turns.source, turns.function)


# --------------------------------------------------------------------------------------------------------------- shapes


def _turns(tree: Tree, function: ast.AsyncFunctionDef, node: ast.For | Comprehension) -> Turns | None:
    if isinstance(node, ast.For):
        return _loop(function, node)
    return _comprehension(tree, function, node)


def _loop(function: ast.AsyncFunctionDef, node: ast.For) -> Turns | None:
    body, tests = node.body, tuple[ast.expr, ...]()
    match body:
        case [ast.If(test=test, body=inner, orelse=[])]:
            body, tests = inner, (test,)
        case _:
            pass
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
    if waiting is None or any(each.is_async for each in node.generators):
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


def _only_wait(nodes: Iterable[ast.AST]) -> ast.Await | None:
    """The await of a call that is the only place where this code suspends, and that does not give way in its arguments."""
    waits = [node for node in own(nodes) if isinstance(node, SUSPENDS)]
    clauses = [node for node in own(nodes) if isinstance(node, ast.comprehension) and node.is_async]
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
    every = elements.union(*(_in(clause.target) for clause in clauses))
    mentioned = _mentioned(turns)
    changed = frozenset(_changed(turns)) - known
    involved = mentioned | changed | _in(turns.source)
    simple = isinstance(turns.target, ast.Name) or (elements and _is_names(turns.target))
    late = any(isinstance(node, ast.Lambda | ast.GeneratorExp) for node in ast.walk(turns.call))
    if late or not simple or involved & scope.foreign or mentioned & scope.functions or not _in(turns.call) & every:
        return
    others = (mentioned | _in(turns.source)) - elements
    if (
        others & (changed | frozenset(_handed(turns)))
        or is_ordered(turns.call.func)
        or (is_dropped(turns) and place_told(turns.call.func))
        or _is_endless(turns.source)
        or _is_one(turns.source)
    ):
        return
    if isinstance(turns.node, ast.For):
        lost = elements if turns.tests or not turns.rest_mentions & elements else NOTHING
        if lost & read_later(tree, turns.node) or (changed - elements) & read_if_failed(tree, turns.node):
            return
        if changed & frozenset(_captured(turns.function)):
            return
    reached = tuple(name for name in dict.fromkeys(shared(turns.call, scope)) if name.partition(".")[0] not in every)
    bound = changed - elements
    seen = depends_on_place(tree, statement_of(tree, turns), mentioned | changed, bound) or _bound_to_frame(turns)
    given, doubts = tuple(_given(tree, turns)), tuple(_doubts(tree, turns, changed))
    yield replace(turns, shared=reached, given=given, bound=bound, doubts=doubts, obstacle=seen)


def _bound_to_frame(turns: Turns) -> Obstacle | None:
    """What a call, or a condition, asks of the function it stands in: a generator expression is another one."""
    calls = (each for part in (turns.call, *turns.tests, *turns.body) for each in ast.walk(part))
    name = next((called(each) for each in calls if called(each) in OF_FRAME), "")
    return Obstacle("layout", f"`{name}()` means something else in a generator expression") if name else None


def _mentioned(turns: Turns) -> Names:
    """The names of the call, and of the conditions of the loop."""
    return _in(turns.call).union(*(_in(test) for test in turns.tests))


def _in(node: ast.AST) -> Names:
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


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
                yield from _root(node)
            case ast.Call(func=function):
                yield from _root(function) if isinstance(function, ast.Attribute) else ()
            case _:
                pass


def _handed(turns: Turns) -> Iterator[str]:
    """The names of what a turn hands to others, who may change it."""
    for node in turns.apart():
        if isinstance(node, ast.Call):
            given = [*node.args, *(item.value for item in node.keywords)]
            yield from (name for each in given if each is not turns.waiting for name in _root(each))


def _root(node: ast.AST) -> Iterator[str]:
    """The name that an expression begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _captured(function: FunctionDef) -> Iterator[str]:
    """The names that functions inside a function mention."""
    for node in ast.walk(function):
        if node is not function and isinstance(node, Definition | ast.Lambda):
            yield from _in(node)


def _doubts(tree: Tree, turns: Turns, changed: Names) -> Iterator[str]:
    yield from _doubts_of_source(tree, turns)
    for name in sorted(changed - turns.elements):
        if not _is_own(tree, name, turns):
            why = f"`{name}` may be seen by others, who would miss what was done before a call fails"
            yield reason("partial-results", why)
    for name in sorted(changed & turns.elements):
        yield reason(
            "data", f"`{name}` is changed only when all calls have ended: the same object should not come twice"
        )
    lists = isinstance(turns.node, ast.For) and filled(tree, turns) is None
    own_names = (name for name in changed if _is_own(tree, name, turns))
    found = failing((*(turns.tests if lists else ()), *(turns.body or [turns.node])), turns.waiting, own_names)
    if found is not None:
        text = ast.unparse(found)[:MOST_QUOTED]
        yield reason("errors", f"`{text}` may fail, and is now done when a later call may have failed already")


def _given(tree: Tree, turns: Turns) -> Iterator[ast.expr]:
    """What of the source is a variable of which the text does not show that nobody changes it meanwhile."""
    function = turns.function
    if is_constant(tree, function, turns.source):
        return
    local = {name for name, _ in bindings(function.body)} - parameters(function)
    for each in gone_through(turns.source):
        if not dotted(each) or next(_root(each), "") in local:
            continue
        if not _is_collection(each, function) or any(changeable(tree, function, each, turns.node.end_lineno or 0)):
            yield each


def _doubts_of_source(tree: Tree, turns: Turns) -> Iterator[str]:
    """What is not proven of what is gone through, but for variables of which others have to be asked."""
    function, asked = turns.function, set(_given(tree, turns))
    if is_constant(tree, function, turns.source):
        return
    for each in gone_through(turns.source):
        if each in asked:
            continue
        if not _is_collection(each, function):
            source = ast.unparse(turns.source)[:MOST_QUOTED]
            yield reason("data", f"what `{source}` gives may be made, or changed by others, while the loop runs")
        for name in changeable(tree, function, each, turns.node.end_lineno or 0):
            why = f"others who have `{name}` may change it while the loop runs (going through a copy, `list({name})`, none can)"
            yield reason("data", why)


# --------------------------------------------------------------------------------------------------------- collections


def _is_collection(node: ast.expr, function: FunctionDef) -> bool:
    """Whether it is a collection that nobody else can change meanwhile: made here, or stated for a parameter."""
    match node:
        case ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            return True
        case ast.Constant():
            return isinstance(node.value, str | bytes)
        case ast.Call(func=ast.Name(id=name)):
            return name in COLLECTIONS or (
                name in OF_OTHERS and all(_is_collection(each, function) for each in node.args)
            )
        case ast.Call(func=ast.Attribute(value=owner, attr=method)):
            return method in PIECES and (_is_collection(owner, function) or method.startswith("split"))
        case ast.Subscript(value=held, slice=ast.Slice()):
            return _is_collection(held, function)
        case ast.Name(id=name):
            return _is_named_collection(name, function)
        case _:
            return False


def _is_named_collection(name: str, function: FunctionDef) -> bool:
    values = list(_values(name, function))
    if name in parameters(function):
        return not values and stated_type(function, name) in STATED
    own_values = [each for each in values if each is not None]
    known = bool(values) and len(own_values) == len(values)
    return known and all(not isinstance(each, ast.Name) and _is_kept(each, function) for each in own_values)


def _is_kept(node: ast.expr, function: FunctionDef) -> bool:
    """Whether it is a collection that may be gone through more than once."""
    once = isinstance(node, ast.Call) and last_name(node.func) in OF_OTHERS
    return not once and _is_collection(node, function)


def _values(name: str, function: FunctionDef, but: tuple[ast.stmt, ...] = ()) -> Iterator[ast.expr | None]:
    """What a function binds a name to, outside of some statements; None where that is not written out."""
    inside = {node for part in but for node in ast.walk(part)}
    creations = [each for each in own(function.body) if isinstance(each, Creation) and _bound(each) == name]
    for bound, node in bindings(function.body):
        if bound == name and node not in inside:
            yield next((each.value for each in creations if node in ast.walk(each)), None)


def _is_own(tree: Tree, name: str, turns: Turns) -> bool:
    """Whether a local name stands for something that only this function has: it was made here, and nobody got it before."""
    function = turns.function
    if name in parameters(function) or not all(map(_is_made, _values(name, function, turns.body))):
        return False
    reads = [node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    again = _repeated(tree, name, turns)
    return not any(node.id == name and (node.lineno < turns.node.lineno or node in again) for node in reads)


def _repeated(tree: Tree, name: str, turns: Turns) -> set[ast.AST]:
    """What is done again and again with the loop, and with what a name stands for: that was made before."""
    found: set[ast.AST] = set()
    for each in tree.ancestors(turns.node):
        if isinstance(each, Loop):
            if any(bound == name for bound, _ in bindings(each.body)):
                break
            found |= set(ast.walk(each)) - set(ast.walk(turns.node))
    return found


def _is_made(value: ast.expr | None) -> bool:
    match value:
        case ast.List() | ast.Dict() | ast.Set() | ast.Constant() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=function):
            return last_name(function) in FRESH
        case _:
            return False


def _bound(statement: Creation) -> str:
    """The one name that an assignment binds, '' if it is not as simple as that."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return ""


def _is_empty(value: ast.expr | None) -> bool:
    match value:
        case ast.List(elts=[]):
            return True
        case ast.Call(func=ast.Name(id="list" | "set"), args=[], keywords=[]):
            return True
        case _:
            return False


def _is_endless(node: ast.expr) -> bool:
    """Whether it may go on for ever, or gives one thing after the other on demand."""
    return isinstance(node, ast.Call) and last_name(node.func) in ENDLESS


def _is_one(node: ast.expr) -> bool:
    """Whether it is written out, with fewer than two elements."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return len(elements) < 2 and not any(isinstance(each, ast.Starred) for each in elements)
        case _:
            return False
