"""What a turn of a loop changes, or uses up, by other names than those that the function round it has given."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from asyncfix.facts.containers import CHANGING_METHODS
from asyncfix.flow import Definition, FunctionDef, Names, bindings, last_name, own, parameters
from asyncfix.preconditions import reason

from ._order import MOST_QUOTED, names_in
from ._owning import bound_to, is_collection, root

CHANGING = CHANGING_METHODS | frozenset(
    {"extendleft", "rotate", "subtract", "move_to_end", "difference_update", "intersection_update"}
    | {"symmetric_difference_update", "__setitem__", "__delitem__", "__iadd__"}
)
"""Methods of collections that change them."""
CHANGING_FIRST = frozenset(
    {"heappush", "heappop", "heapify", "heapreplace", "heappushpop", "insort", "insort_left", "insort_right", "shuffle"}
    | {"setitem", "delitem", "iadd", "iconcat", "ior", "setattr", "delattr"}
)
"""Functions that change what they are given first."""
OF_CLASS = frozenset({"list", "dict", "set", "deque"})
GIVING = frozenset({"get", "setdefault", "pop", "popitem", "popleft", "items", "values", "__getitem__", "most_common"})
"""Methods of collections that give what is in them."""
CONTAINERS = frozenset({"list", "tuple", "set", "frozenset", "dict", "sorted", "copy", "deque"})
"""Functions that put what they are given into something new."""
PASSING = frozenset(
    {
        "next",
        "min",
        "max",
        "getattr",
        "iter",
        "reversed",
        "enumerate",
        "zip",
        "map",
        "filter",
        "cast",
        "chain",
        "islice",
    }
    | {"itemgetter", "getitem", "choice", "vars"}
)
"""Functions that give what is in what they are given."""
GONE_THROUGH = CONTAINERS | PASSING - {"getattr", "cast", "vars"} | {"sum", "any", "all", "join", "extend", "update"}
"""Functions and methods that go through what they are given."""
FILLING = frozenset({"defaultdict"})
"""Collections that grow where they are read."""
NEW, HOLDING, OUTSIDE = 0, 1, 2


@dataclass
class Aliases:
    """The names of a turn by which it reaches what other turns reach, too.

    function  the one with the loop; body: what a turn does
    elements  variables of the loop
    filled    the collection that all turns put something into
    around    variables of the function, made before the loop, which may be changed
    """

    function: FunctionDef
    body: Sequence[ast.stmt]
    elements: Names
    filled: str
    around: Names = field(init=False)
    levels: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        inside = {node for part in self.body for node in ast.walk(part)}
        made = {
            name
            for name, node in bindings(self.function.body)
            if node not in inside and not isinstance(node, Definition | ast.alias)
        }
        made -= parameters(self.function) | self.elements | {self.filled}
        self.around = frozenset(name for name in made if not self._is_plain(name))
        self.levels = dict.fromkeys((*self.around, *self.elements), OUTSIDE)
        before = dict[str, int]()
        while before != self.levels:
            before = dict(self.levels)
            for value, targets in _steps(own(self.body)):
                self._bind(value, targets)

    def changes(self, node: ast.AST) -> bool:
        """Whether code changes what the turn did not make."""
        match node:
            case ast.Attribute(value=value, ctx=ast.Store() | ast.Del()):
                return self.level(value) == OUTSIDE
            case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()):
                return self.level(value) == OUTSIDE
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                number = isinstance(value, ast.Constant) and isinstance(value.value, int | float)
                return not number and self.levels.get(name) == OUTSIDE
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[first, *_]) if (
                name in OF_CLASS
            ):
                return method in CHANGING and self.level(first) == OUTSIDE
            case ast.Call(func=function, args=[first, *_]) if last_name(function) in CHANGING_FIRST:
                return self.level(first) == OUTSIDE
            case ast.Attribute(value=value, attr=method, ctx=ast.Load()) if method in CHANGING:
                return self.level(value) == OUTSIDE
            case ast.Name(id=name, ctx=ast.Load()) if name in self.around:
                values = [each for each in bound_to(name, self.function, self.body) if each is not None]
                return any(_changes_when_used(part) for value in values for part in ast.walk(value))
            case _:
                return False

    def used_up(self) -> Iterator[str]:
        """What speaks against turns beside each other: what they go through may give each thing once."""
        given = parameters(self.function)
        for each in _gone_through(own(self.body)):
            name = next(root(each), "")
            asked = name in self.around or (isinstance(each, ast.Name) and name in given)
            if asked and not is_collection(each, self.function):
                text = ast.unparse(each)[:MOST_QUOTED]
                yield reason("data", f"`{text}` may give each thing once, so that one turn has what another one should")

    def level(self, node: ast.expr | None) -> int:
        """How far what an expression gives is out of the hands of the turn: made by it, holding what others have, or theirs."""
        match node:
            case ast.Name(id=name):
                return self.levels.get(name, NEW)
            case ast.Subscript(value=value, slice=ast.Slice()):
                return HOLDING if self.level(value) else NEW
            case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Starred(value=value):
                return OUTSIDE if self.level(value) else NEW
            case ast.BoolOp(values=values):
                return self._most(values)
            case ast.IfExp(body=one, orelse=other):
                return self._most([one, other])
            case ast.NamedExpr(value=value):
                return self.level(value)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return HOLDING if self._most(parts) else NEW
            case ast.Dict(values=parts):
                return HOLDING if self._most(parts) else NEW
            case ast.BinOp(left=left, right=right):
                return HOLDING if self._most([left, right]) else NEW
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return HOLDING if names_in(node) & {name for name, level in self.levels.items() if level} else NEW
            case ast.Call():
                return self._given(node)
            case _:
                return NEW

    def _most(self, values: Iterable[ast.expr]) -> int:
        return max(map(self.level, values), default=NEW)

    def _given(self, call: ast.Call) -> int:
        """The same of what a call gives that is not awaited."""
        name, arguments = last_name(call.func), [*call.args, *(each.value for each in call.keywords)]
        if isinstance(call.func, ast.Attribute) and self.level(call.func.value):
            ours = next(root(call.func), "") not in self.around
            return NEW if ours and name not in GIVING else OUTSIDE
        given = self._most(arguments)
        if not given or name in CONTAINERS:
            return min(given, HOLDING)
        whole = any(next(root(each), "") in self.around for each in arguments)
        return OUTSIDE if name in PASSING or whole else NEW

    def _bind(self, value: ast.expr, targets: Iterable[ast.AST]) -> None:
        level = self.level(value)
        for target in targets if level else ():
            whole = isinstance(target, ast.Name) and not isinstance(target.ctx, ast.Load)
            for name, _ in bindings([target]):
                self.levels[name] = max(self.levels.get(name, NEW), level if whole else OUTSIDE)

    def _is_plain(self, name: str) -> bool:
        """Whether all that a variable stands for is a number or a text that is written out."""
        values = list(bound_to(name, self.function, self.body))
        return bool(values) and all(isinstance(each, ast.Constant | ast.JoinedStr) for each in values)


def _steps(nodes: Iterable[ast.AST]) -> Iterator[tuple[ast.expr, list[ast.AST]]]:
    """What code binds, and to what: a name, or a pattern that takes it apart."""
    for node in nodes:
        match node:
            case ast.Assign(targets=targets, value=value):
                yield value, list[ast.AST](targets)
            case (
                ast.AnnAssign(target=target, value=ast.expr() as value)
                | ast.NamedExpr(target=target, value=value)
                | ast.AugAssign(target=target, value=value)
                | ast.withitem(optional_vars=ast.expr() as target, context_expr=value)
            ):
                yield value, [target]
            case ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source):
                yield source, [ast.Tuple([target], ast.Store())]
            case ast.Match(subject=subject, cases=cases):
                yield subject, [case.pattern for case in cases]
            case _:
                pass


def _gone_through(nodes: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """What code goes through, or asks whether something is in it."""
    for node in nodes:
        match node:
            case ast.For(iter=source) | ast.comprehension(iter=source) | ast.Starred(value=source):
                yield source
            case ast.Call(func=function, args=arguments) if last_name(function) in GONE_THROUGH:
                yield from arguments
            case ast.Compare(ops=ops, comparators=others):
                asked = zip(ops, others, strict=True)
                yield from (other for op, other in asked if isinstance(op, ast.In | ast.NotIn))
            case ast.Assign(targets=[ast.Tuple() | ast.List()], value=source):
                yield source
            case _:
                pass


def _changes_when_used(value: ast.AST) -> bool:
    """Whether what a variable stands for changes something when it is read, or called."""
    if isinstance(value, ast.Call):
        return last_name(value.func) in FILLING
    return isinstance(value, ast.Attribute) and value.attr in CHANGING
