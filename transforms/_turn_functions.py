"""Loops whose turns may be calls of a coroutine function of their own: what a turn puts into a collection it gives then."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from asyncfix.blocks import above, held_in_functions, looking, read_if_failed, read_later, unfit
from asyncfix.flow import (
    NOTHING,
    Definition,
    Flow,
    FunctionDef,
    Names,
    bindings,
    last_name,
    leaving,
    may_suppress,
    own,
    parameters,
)
from asyncfix.preconditions import Obstacle, reason
from asyncfix.transform import Tree

from ._order import (
    MOST_QUOTED,
    Scope,
    catching,
    depends_on_place,
    guards,
    is_ordered,
    names_in,
    place_told,
    scope_of,
    shared,
    with_loops,
)
from ._owning import (
    Creation,
    For,
    bound_name,
    bound_to,
    conditioned,
    doubts_of_source,
    is_empty,
    is_endless,
    is_made,
    is_made_here,
    is_one,
    open_sources,
    root,
)
from ._pulled import is_pulled, on_demand
from ._turn_aliases import Aliases

VALUE, PAIR, ALL = "value", "pair", "all"
METHODS = {"append": ast.List, "extend": ast.List, "add": ast.Set, "update": ast.Set | ast.Dict}
"""Methods that put something into a collection, with what that is."""
ONE = frozenset({"append", "add"})
EMPTY = {"list": "[]", "dict": "{}", "set": "set()"}
READING = frozenset(
    {"get", "items", "keys", "values", "copy", "index", "count", "union", "intersection", "difference", "issubset"}
)
"""Methods of collections that change nothing."""
CONSUMED = frozenset(
    {"iter", "zip", "map", "filter", "enumerate", "reversed", "open", "chain", "islice", "count", "cycle"}
)
"""What these give may be gone through once."""
MAKING = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.NamedExpr | ast.withitem
BARRED = ast.Return | ast.Delete | ast.Global | ast.Nonlocal | Definition | ast.Yield | ast.YieldFrom | ast.AsyncFor
MOST_LINES = 40  # of a turn: more is no function that anybody would like to read


@dataclass(frozen=True, slots=True)
class TurnFunction:
    """A loop whose turns put something into one collection, which nobody else has.

    tests     conditions on which an element is passed over
    calls     those that a turn awaits
    name      of the collection; empty: how an empty one is written; creation: the statement right above that makes it
    puts      the statements that put something into it, ``gives`` telling what: each turn one value or one pair of a key and a
              value in its last step (``VALUE``, ``PAIR``), or whatever there is (``ALL``)
    next      the statements that go on with the next element
    kept      a name that would be read as an earlier turn left it, were an error swallowed by a ``with`` of the turn, or ''
    own       variables of a turn that stand for what it made; shared: names by which it reaches what other turns reach
    sources   what is gone through and others may change; doubts: what is not proven, by the look of it
    """

    loop: For
    function: ast.AsyncFunctionDef
    tests: tuple[ast.expr, ...]
    body: tuple[ast.stmt, ...]
    calls: tuple[ast.Call, ...]
    name: str
    empty: str
    puts: tuple[ast.stmt, ...]
    gives: str
    next: tuple[ast.Continue, ...]
    creation: Creation | None = None
    kept: str = ""
    own: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    sources: tuple[ast.expr, ...] = ()
    doubts: tuple[str, ...] = ()
    obstacle: Obstacle | None = None

    @property
    def call(self) -> ast.Call:
        """The awaited call that stands in most ``with`` of a turn: where it stands, they are open."""
        return max(self.calls, key=lambda call: sum(call in ast.walk(each) for each in self.opened))

    @property
    def opened(self) -> list[ast.With | ast.AsyncWith]:
        """Each ``with`` of a turn."""
        return [node for node in own(self.body) if isinstance(node, ast.With | ast.AsyncWith)]

    @property
    def ordered(self) -> str:
        """What the name of something tells of a place in an order that is awaited, or called of what others have; or ''."""
        made = frozenset(name for name, _ in bindings(self.body)) | {self.name}
        calls = (node for part in self.body for node in ast.walk(part) if isinstance(node, ast.Call))
        noticed = (each for each in calls if each in self.calls or not made.issuperset(_receiver(each)))
        return next((told for call in noticed if (told := place_told(call))), "")


def _receiver(call: ast.Call) -> list[str]:
    """The name that what a method is called of begins with, if it is one."""
    return list(root(call.func)) if isinstance(call.func, ast.Attribute) else []


def find(tree: Tree) -> Iterator[TurnFunction]:
    """All of a file that fit, by the look of them."""
    for function, enclosing, known in with_loops(tree):
        for node in own(function.body):
            if isinstance(node, For):
                found = _shaped(tree, function, node)
                if found is not None:
                    yield from _judged(tree, found, scope_of(known, enclosing))


# --------------------------------------------------------------------------------------------------------------- shapes


def _shaped(tree: Tree, function: ast.AsyncFunctionDef, loop: For) -> TurnFunction | None:
    body, tests = conditioned(loop.body)
    inside = list(own(body))
    awaited = [node.value for node in inside if isinstance(node, ast.Await)]
    calls = tuple(node for node in awaited if isinstance(node, ast.Call))
    going = list(leaving(body))
    if (
        loop.orelse
        or not calls
        or len(calls) < len(awaited)
        or any(isinstance(node, BARRED) for node in (*inside, *own(tests)))
        or any(isinstance(node, ast.Await) for node in own(tests))
        or any(isinstance(node, ast.Break) for node in going)
        or (body[-1].end_lineno or 0) - body[0].lineno >= MOST_LINES
    ):
        return None
    bound = frozenset(name for name, _ in bindings(body))
    puts = {node: name for node in inside if isinstance(node, ast.stmt) and (name := _filled(node)) not in ("", *bound)}
    names = set(puts.values())
    if len(names) != 1:
        return None
    (name,) = names
    mentions = sum(
        isinstance(node, ast.Name) and node.id == name for part in (*body, *tests) for node in ast.walk(part)
    )
    kinds = {_kind(value) for value in bound_to(name, function, loop.body)}
    kind = next(iter(kinds), "")
    if mentions != len(puts) or len(kinds) != 1 or not kind or not all(_fits(put, kind) for put in puts):
        return None
    ends = _ends(body)
    each_one = ends is not None and set(ends) == set(puts) and not going and all(map(_is_one_put, puts))
    handlers = (node for node in inside if isinstance(node, ast.ExceptHandler))
    if kind != "list" and (any(map(_may_take, handlers)) or catching(tree, loop)):
        each_one = each_one and all(map(_is_put_safely, puts))
    gives = ALL if not each_one else PAIR if kind == "dict" else VALUE
    following = tuple(each for each in going if isinstance(each, ast.Continue))
    made = above(tree, loop)
    creation = made if isinstance(made, Creation) and bound_name(made) == name and is_empty(made.value) else None
    return TurnFunction(
        loop, function, tests, tuple(body), calls, name, EMPTY[kind], tuple(puts), gives, following, creation
    )


def _filled(node: ast.stmt) -> str:
    """The name of the collection that a statement puts something into, '' if it does anything else."""
    match node:
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[given], keywords=[])
        ) if method in METHODS and not isinstance(given, ast.Starred):
            return name
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=key)]) if not isinstance(key, ast.Slice):
            return name
        case _:
            return ""


def _fits(put: ast.stmt, kind: str) -> bool:
    """Whether a statement puts something into a collection of this kind, and would fail with any other."""
    match put:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=method))):
            made = {"list": ast.List, "set": ast.Set, "dict": ast.Dict}[kind]
            return issubclass(made, METHODS[method])
        case _:
            return kind == "dict"


def _is_one_put(put: ast.stmt) -> bool:
    """Whether a statement puts one thing into a collection."""
    match put:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=method))):
            return method in ONE
        case _:
            return True


def _may_take(handler: ast.ExceptHandler) -> bool:
    """Whether a handler may be for what cannot be hashed."""
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    known = (getattr(builtins, each.id, None) if isinstance(each, ast.Name) else None for each in types)
    return not all(isinstance(each, type) and not issubclass(TypeError, each) for each in known)


def _is_put_safely(put: ast.stmt) -> bool:
    """Whether a statement cannot fail where it puts something into a dict or a set: what it is found by can be hashed."""
    match put:
        case ast.Assign(targets=[ast.Subscript(slice=key)]):
            return isinstance(key, ast.Constant | ast.JoinedStr)
        case ast.Expr(value=ast.Call(args=[given])):
            return isinstance(given, ast.Constant | ast.JoinedStr)
        case _:
            return False


def _kind(value: ast.expr | None) -> str:
    """What kind of collection an expression makes, '' if it makes none."""
    match value:
        case ast.List() | ast.ListComp():
            return "list"
        case ast.Dict() | ast.DictComp():
            return "dict"
        case ast.Set() | ast.SetComp():
            return "set"
        case ast.Call(func=ast.Name(id=("list" | "dict" | "set") as name)):
            return name
        case _:
            return ""


def _ends(block: Sequence[ast.stmt]) -> list[ast.stmt] | None:
    """The last statements on all ways through a block, None if there is a way that ends behind none of them."""
    match block[-1]:
        case ast.If(body=body, orelse=orelse):
            return _all_ends(body, orelse)
        case (ast.With(body=body) | ast.AsyncWith(body=body)) as guarded:
            return None if may_suppress(guarded) else _ends(body)
        case ast.Try(body=body, handlers=handlers, orelse=orelse):
            return _all_ends(orelse or body, *(handler.body for handler in handlers))
        case ast.Raise():
            return []
        case ast.For() | ast.While() | ast.Match() | ast.TryStar():
            return None
        case last:
            return [last]


def _all_ends(*blocks: Sequence[ast.stmt]) -> list[ast.stmt] | None:
    ends: list[ast.stmt] = []
    for block in blocks:
        found = _ends(block) if block else None
        if found is None:
            return None
        ends += found
    return ends


# --------------------------------------------------------------------------------------------------------------- names


def _judged(tree: Tree, found: TurnFunction, scope: Scope) -> Iterator[TurnFunction]:
    """The turns with what is to be said of their names, nothing if a turn needs what another one does."""
    loop, function, body = found.loop, found.function, found.body
    elements, bound = names_in(loop.target), frozenset(name for name, _ in bindings(body))
    local, code = elements | bound, (*body, *found.tests)
    mentioned = NOTHING.union(*map(names_in, code))
    early, swallowing = _early(found, False), _early(found, True) & bound
    aliases = Aliases(function, body, elements, found.name)
    if (
        not all(isinstance(node, ast.Name | ast.Tuple | ast.expr_context) for node in ast.walk(loop.target))
        or not all(names_in(call) & _derived(body, elements) for call in found.calls)
        or (mentioned | names_in(loop.iter)) & scope.foreign
        or mentioned & scope.functions
        or (swallowing and not _is_in_all(found))
        or bound & (early | NOTHING.union(*map(names_in, (loop.iter, *found.tests))))
        or local & (read_later(tree, loop) | held_in_functions(tree, function))
        or found.name in held_in_functions(tree, function) | read_if_failed(tree, loop) | names_in(loop.iter)
        or any(is_ordered(call.func) for call in found.calls)
        or any(_is_carried(node, function, loop, local | {found.name}) for part in body for node in ast.walk(part))
        or any(aliases.changes(node) for node in own(body))
        or looking(function) is not None
        or is_endless(loop.iter)
        or is_one(loop.iter)
    ):
        return
    end = loop.end_lineno or 0
    reached = (name for part in code for name in shared(part, scope))
    given = doubts_of_source(tree, function, loop.iter, end) if not is_pulled(loop) else ()
    doubts = [*given, *dict.fromkeys(aliases.used_up())]
    if not is_made_here(tree, function, loop, found.name):
        why = f"`{found.name}` may be seen by others, who would miss what was done before a call fails"
        doubts.append(reason("partial-results", why))
    yield replace(
        found,
        kept=min(swallowing, default=""),
        own=tuple(_made(body)),
        shared=tuple(each for each in dict.fromkeys(reached) if each.partition(".")[0] not in {*local, found.name}),
        sources=tuple(open_sources(tree, function, loop.iter, end)),
        doubts=tuple(doubts),
        obstacle=depends_on_place(tree, loop, mentioned, frozenset({found.name}))
        or (on_demand(loop.iter, doubts) if is_pulled(loop) else None)
        or _obstacle(found),
    )


def _early(found: TurnFunction, swallowed: bool) -> Names:
    """The names that a turn reads where it has not bound them for certain."""
    flow = Flow(swallowed=swallowed)
    flow.block(found.body, flow.evaluate([found.loop.target], NOTHING))
    return frozenset(flow.early)


def _is_in_all(found: TurnFunction) -> bool:
    """Whether one call stands in every ``with`` of a turn, which are looked at for its sake."""
    return all(found.call in ast.walk(node) for node in found.opened)


def _derived(body: Sequence[ast.stmt], elements: Names) -> Names:
    """The names that stand for an element, or for something that was worked out from it."""
    steps = [node for node in own(body) if isinstance(node, MAKING)]
    found, before = elements, NOTHING
    while found != before:
        before = found
        found = found.union(*(_given_names(step) for step in steps if names_in(step) & found))
    return found


def _given_names(step: ast.AST) -> Names:
    return frozenset(name for name, _ in bindings([step]))


def _made(body: Sequence[ast.stmt]) -> Iterator[str]:
    """The variables all of whose values are what a call gives, there and then."""
    for name in dict.fromkeys(name for name, _ in bindings(body)):
        places = [node for bound, node in bindings(body) if bound == name]
        if all(any(_binds_call(step, place) for step in own(body)) for place in places):
            yield name


def _binds_call(step: ast.AST, place: ast.AST) -> bool:
    """Whether a step binds, at a place, what a call gives."""
    match step:
        case ast.Assign(targets=[target], value=value) | ast.withitem(optional_vars=target, context_expr=value):
            given = value.value if isinstance(value, ast.Await) else value
            return target is place and isinstance(given, ast.Call)
        case _:
            return False


def _is_carried(node: ast.AST, function: FunctionDef, loop: For, local: Names) -> bool:
    """Whether code of a turn changes, or uses up, something of the function that other turns use, too."""
    match node:
        case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
            return next(root(node), "") not in local - names_in(loop.target)
        case ast.Call(func=ast.Attribute(attr=method) as called) if method not in READING:
            return _is_made_outside(next(root(called), ""), function, loop, local)
        case ast.Assign(value=ast.Name(id=name)):
            return _is_made_outside(name, function, loop, local)
        case ast.Call(func=ast.Name(id="next" | "anext")):
            return True
        case ast.Name(id=name, ctx=ast.Load()) if name not in local:
            return any(_is_used_up(value) for value in bound_to(name, function, loop.body))
        case _:
            return False


def _is_made_outside(name: str, function: FunctionDef, loop: For, local: Names) -> bool:
    """Whether a name stands for a collection that the function makes elsewhere."""
    if not name or name in local or name in parameters(function):
        return False
    return any(map(is_made, bound_to(name, function, loop.body)))


def _is_used_up(value: ast.expr | None) -> bool:
    """Whether an expression makes something that can be gone through once."""
    called = value.func if isinstance(value, ast.Call) else value
    return isinstance(value, ast.GeneratorExp) or bool(CONSUMED & (names_in(called) if called is not None else NOTHING))


def _obstacle(found: TurnFunction) -> Obstacle | None:
    """What in the code of a turn would not work, or not work the same, as a function, or beside other turns."""
    for each in found.opened:
        guarded = guards(each)
        if guarded is not None:
            return guarded
        if found.call not in ast.walk(each) and not all(map(_opens, each.items)):
            text = ast.unparse(each.items[0].context_expr)[:MOST_QUOTED]
            return Obstacle("errors", f"`{text}` in line {each.lineno} may swallow errors")
    for statement in found.body:
        barred = unfit(statement, awaits=True)
        if barred is not None:
            return Obstacle("layout", barred.why)
    return None


def _opens(item: ast.withitem) -> bool:
    """Whether what a ``with`` enters is a file, which swallows no errors."""
    given = item.context_expr
    return isinstance(given, ast.Call) and last_name(given.func) == "open"
