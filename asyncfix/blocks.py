"""Whether a compound statement can become a nested function that a thread runs, and what goes in and comes out then.

The names that the statement binds become names of the nested function. Those that are read later are returned; those
whose value from before is wanted are handed in. Where an exception on the way would show the difference, or a name may
or may not have had a value before, it is declared ``nonlocal``: that is the same variable in every case. What cannot be
shown to be the same is barred, with a stable code and a sentence.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from asyncfix.flow import (
    NOTHING,
    Definition,
    Flow,
    FunctionDef,
    Loop,
    Names,
    State,
    bindings,
    declared,
    events,
    free,
    join,
    leaving,
    may_suppress,
    own,
    parameters,
    unbound_in,
)
from asyncfix.model import Barred
from asyncfix.transform import Tree

FRAME = frozenset({"locals", "vars", "dir", "eval", "exec"})
FRAME_ATTRIBUTES = frozenset({"_getframe", "currentframe"})
CURRENT_EXCEPTION = frozenset({"exc_info", "exception", "print_exc", "format_exc"})
CATCHES_STOP = frozenset({"StopIteration", "Exception", "BaseException"})
CONSUMERS = frozenset(
    {"all", "any", "dict", "extend", "frozenset", "join", "list", "max", "min", "next", "set", "sorted", "sum", "tuple"}
    | {"update", "writelines", "writerows", "Counter"}
)
SORTERS = frozenset({"sort", "sorted", "min", "max"})
Capture = Definition | ast.Lambda | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Nested:
    """The nested function that a statement can become.

    parameters    names whose value from before goes in
    shared        names it declares ``nonlocal``; module_names: those it declares ``global``
    results       names it returns, in the order in which they are bound
    returns       the statement's own ``return`` ends the outer function too
    last          the assignment that ends the statement and binds the only result, if there is one
    annotated     the function round it has annotations, so this one should too
    first         the statement is the first of the function round it
    """

    parameters: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    module_names: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    returns: bool = False
    last: ast.Assign | ast.AnnAssign | None = None
    annotated: bool = False
    first: bool = False


def called(node: ast.AST) -> str:
    """The last name of what a call calls, '' if it is no call or has none."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name
        case _:
            return ""


def unfit(node: ast.expr | ast.stmt, *, awaits: bool = False) -> Barred | None:
    """What in the code itself would not work, or not work the same, in a nested function in a thread; ``awaits``: in one that
    is a coroutine."""
    for part in own([node]):
        if isinstance(part, ast.Yield | ast.YieldFrom):
            return Barred("yield", "the code yields")
        suspends = isinstance(part, ast.Await | ast.AsyncFor | ast.AsyncWith | ast.comprehension) and _awaits(part)
        if suspends and not awaits:
            return Barred("await", "the code awaits")
        if isinstance(part, ast.Global | ast.Nonlocal):
            return Barred("declaration", "the block says `global` or `nonlocal`, which holds for the whole function")
        if isinstance(part, ast.ClassDef):
            return Barred("class", "the block defines a class")
        if isinstance(part, ast.Call) and _sees_frame(part):
            return Barred("frame", f"`{called(part)}` would see the nested function, not this one")
    if any(_stops(node)):
        return Barred("stop-iteration", "a StopIteration does not come out of a thread: who awaits it waits for ever")
    if any(_current_exceptions(node)):
        return Barred("current-exception", "another thread does not know the exception that is being handled")
    return None


def unfit_in_lambda(node: ast.expr) -> Barred | None:
    """What in an expression would not work, or not work the same, as a lambda in a thread."""
    if any(isinstance(part, ast.NamedExpr) for part in own([node])):
        return unfit(node) or Barred("assignment", "the expression assigns a name")
    return unfit(node)


def nested(tree: Tree, function: FunctionDef, statement: ast.stmt) -> Nested | Barred:
    """How a compound statement of a function becomes a nested function."""
    barred = unfit(statement)
    if barred:
        return barred
    if any(leaving([statement])):
        return Barred("leaves-loop", "a `break` or `continue` belongs to a loop outside the block")
    if looking(function) is not None:
        return Barred(
            "frame", "the function looks at its own variables, and those of the block would not be among them"
        )
    flow = Flow()
    end = flow.block([statement], NOTHING)
    returns = any(isinstance(node, ast.Return) for node in own([statement]))
    if returns and end is not None and not _is_tail(tree, function, statement):
        return Barred("return", "the block returns on some paths only")
    if returns and any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own(function.body)):
        return Barred("return", "a generator cannot return the value of the block")
    return _Around(tree, function, statement).nested(frozenset(flow.early), end, returns)


def read_later(tree: Tree, statement: ast.stmt) -> Names:
    """Names that the function may read after the statement has ended, or failed, as it left them."""
    around = _around(tree, statement)
    return around.read_afterwards() | around.read_after_failure(False) if around else NOTHING


def read_if_failed(tree: Tree, statement: ast.stmt, *, swallowed: bool = False) -> Names:
    """Names that the function may read after the statement has failed, as it left them. ``swallowed``: if any ``with`` round
    it swallows errors."""
    around = _around(tree, statement)
    return around.read_after_failure(swallowed) if around else NOTHING


def _around(tree: Tree, statement: ast.stmt) -> _Around | None:
    function = next((node for node in tree.ancestors(statement) if isinstance(node, FunctionDef)), None)
    return _Around(tree, function, statement) if function is not None else None


def bound_before(tree: Tree, statement: ast.stmt) -> Names:
    """Names that are bound for certain in the function when the statement begins."""
    around = _around(tree, statement)
    return around.bound_before() if around else NOTHING


def held_in_functions(tree: Tree, function: FunctionDef) -> Names:
    """The names that functions and generators inside a function hold which may run at any time."""
    captures = (node for node in own(function.body) if isinstance(node, Capture) and not _is_used_up(tree, node))
    return NOTHING.union(*map(_held, captures))


def above(tree: Tree, statement: ast.stmt) -> ast.stmt | None:
    """The statement right above one in the same block."""
    parent = tree.parent(statement)
    before = _neighbours(parent, statement)[0] if parent is not None else []
    return before[-1] if before else None


def _is_annotated(function: FunctionDef) -> bool:
    arguments = (node for node in ast.walk(function.args) if isinstance(node, ast.arg))
    return function.returns is not None or any(argument.annotation for argument in arguments)


def _awaits(node: ast.Await | ast.AsyncFor | ast.AsyncWith | ast.comprehension) -> bool:
    return bool(node.is_async) if isinstance(node, ast.comprehension) else True


def _sees_frame(node: ast.Call) -> bool:
    """Calls whose result depends on the function they stand in."""
    match node.func:
        case ast.Name(id="super" | "vars" | "dir"):
            return not node.args
        case ast.Name():
            return node.func.id in FRAME | FRAME_ATTRIBUTES
        case ast.Attribute(attr="query" | "eval"):  # of a DataFrame: `@name` is a variable
            texts = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
            return any(isinstance(text, str) and "@" in text for text in texts)
        case ast.Attribute():
            return node.func.attr in FRAME_ATTRIBUTES
        case _:
            return False


def looking(function: FunctionDef) -> ast.Call | None:
    """The first call in a function whose result depends on its variables, if there is one."""
    calls = (node for node in own(function.body) if isinstance(node, ast.Call))
    return next((call for call in calls if _sees_frame(call) and called(call) != "super"), None)


def _stops(node: ast.AST) -> Iterator[ast.AST]:
    """What may raise a StopIteration that is not caught inside."""
    asks = isinstance(node, ast.Call) and _advances(node)
    raises = isinstance(node, ast.Raise) and node.exc is not None and "StopIteration" in ast.unparse(node.exc)
    if asks or raises:
        yield node
    caught = isinstance(node, ast.Try) and any(_catches_stop(handler) for handler in node.handlers)
    for child in ast.iter_child_nodes(node):
        if not (caught and isinstance(node, ast.Try) and child in node.body):
            yield from _stops(child)


def _advances(node: ast.Call) -> bool:
    return called(node) == "__next__" or (called(node) == "next" and len(node.args) < 2)


def _catches_stop(handler: ast.ExceptHandler) -> bool:
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or (isinstance(each, ast.Name) and each.id in CATCHES_STOP) for each in types)


def _current_exceptions(node: ast.AST) -> Iterator[ast.AST]:
    """What asks for the exception being handled, outside of the handlers inside."""
    bare = isinstance(node, ast.Raise) and node.exc is None
    if bare or called(node) in CURRENT_EXCEPTION or (isinstance(node, ast.keyword) and node.arg == "exc_info"):
        yield node
    if not isinstance(node, ast.ExceptHandler):
        for child in ast.iter_child_nodes(node):
            yield from _current_exceptions(child)


def _is_tail(tree: Tree, function: FunctionDef, statement: ast.stmt) -> bool:
    """Whether the function is over, with None, when control falls out of the statement."""
    node: ast.AST = statement
    while node is not function:
        parent = tree.parent(node)
        if parent is None or isinstance(parent, Loop) or following(parent, node):
            return False
        if isinstance(parent, ast.Try | ast.TryStar) and node in parent.body and parent.orelse:
            return False
        node = parent
    return True


def following(parent: ast.AST, node: ast.AST) -> list[ast.stmt]:
    """The statements behind one in its list."""
    return _neighbours(parent, node)[1]


def _neighbours(parent: ast.AST, node: ast.AST) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements before and behind one in its list."""
    for name in ("body", "orelse", "finalbody"):
        block: list[ast.stmt] = getattr(parent, name, [])
        if node in block:
            at = next(index for index, each in enumerate(block) if each is node)
            return block[:at], block[at + 1 :]
    return [], []


@dataclass(slots=True)
class _Around:
    """A statement and the function it stands in."""

    tree: Tree
    function: FunctionDef
    statement: ast.stmt

    def nested(self, early: Names, end: State, returns: bool) -> Nested | Barred:
        found = dict.fromkeys(name for name, _ in bindings([self.statement]))
        module_names = [name for name in found if name in declared(self.function.body, ast.Global)]
        shared = [name for name in found if name in declared(self.function.body, ast.Nonlocal)]
        names = [name for name in found if name not in module_names and name not in shared]
        live = NOTHING if returns or end is None else self.read_afterwards()
        exposed = self.read_after_failure(False) - self._bound_last()
        outside = self._bound_outside()
        before = self.bound_before()
        barred = self._captured(frozenset(names), live | exposed | outside)
        if barred:
            return barred
        into: list[str] = []
        results: list[str] = []
        for name in names:
            kept = name in exposed
            leaves = name in live
            enters = (name in outside or self._loops()) and (name in early or (leaves and name not in (end or NOTHING)))
            if (kept or leaves or enters) and not self._plain(name):
                return Barred("definition", f"`{name}` is deleted or defined in the block and used outside of it")
            if kept or (enters and name not in before):
                if not self._bound_for_good(name):
                    return Barred("maybe-unbound", f"`{name}` may or may not have a value when the block ends")
                shared.append(name)
                continue
            if leaves and not enters and name not in (end or NOTHING):
                return Barred("maybe-unbound", f"`{name}` may or may not have a value when the block ends")
            into += [name] if enters else []
            results += [name] if leaves else []
        last = self._last() if len(results) == 1 else None
        if last is not None and _target(last) != results[0]:
            last = None
        names_out = tuple(into), tuple(shared), tuple(module_names), tuple(results)
        first = self.function.body[0] is self.statement
        return Nested(*names_out, returns, last, _is_annotated(self.function), first)

    def _loops(self) -> list[ast.AST]:
        """The loops of the function that the statement stands in."""
        return [node for node in self._ancestors() if isinstance(node, Loop)]

    def _ancestors(self) -> Iterator[ast.AST]:
        """What is round the statement within the function, nearest first."""
        for node in self.tree.ancestors(self.statement):
            if node is self.function:
                return
            yield node

    def _inside(self, node: ast.AST) -> bool:
        return node is self.statement or self.statement in self.tree.ancestors(node)

    def _bound_outside(self) -> Names:
        """Names that the function binds elsewhere too."""
        elsewhere = (name for name, node in bindings(self.function.body) if not self._inside(node))
        return parameters(self.function) | frozenset(elsewhere)

    def _bound_for_good(self, name: str) -> bool:
        """Whether the function still binds a name once this and other blocks round files are functions of their own."""
        around = set(self._ancestors())
        if name in parameters(self.function):
            return True
        for bound, node in bindings(self.function.body):
            others = (each for each in self.tree.ancestors(node) if isinstance(each, ast.With | ast.For))
            if bound == name and not self._inside(node) and all(each in around for each in others):
                return True
        return False

    def _plain(self, name: str) -> bool:
        """Whether all that happens to a name inside is that it is assigned."""
        nodes = [node for bound, node in bindings([self.statement]) if bound == name]
        defined = any(isinstance(node, ast.alias | Definition) for node in nodes)
        return not defined and name not in unbound_in([self.statement])

    def _last(self) -> ast.Assign | ast.AnnAssign | None:
        """The assignment that ends the statement whenever it ends without an exception."""
        node: ast.stmt = self.statement
        while isinstance(node, ast.With) and not may_suppress(node):
            node = node.body[-1]
        return node if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None else None

    def _bound_last(self) -> Names:
        """Names bound by the last step only: if the statement fails they are as they were."""
        last = self._last()
        if last is None:
            return NOTHING
        once = [name for name, _ in bindings([self.statement])]
        return frozenset(name for name, _ in bindings([last]) if once.count(name) == 1)

    def _captured(self, names: Names, visible: Names) -> Barred | None:
        """Nested functions hold variables, not values: they would notice that there are two."""
        for node in own(self.function.body):
            if not isinstance(node, Capture) or _is_used_up(self.tree, node):
                continue
            if self._inside(node):
                held = _held(node) & (names if self._loops() else visible & names)
            elif node.lineno < self.statement.lineno or set(self._loops()) & set(self.tree.ancestors(node)):
                held = _held(node) & names
            else:
                held = frozenset(name for name in _held(node) & names if _assigns(node, name))
            if held:
                return Barred("captured", f"a nested function holds `{min(held)}`, which the block binds")
        return None

    def bound_before(self) -> Names:
        """Names that are bound for certain when the statement begins."""
        flow = Flow()
        chain = [self.statement, *self._ancestors(), self.function]
        state: Names = parameters(self.function)
        for parent, node in zip(reversed(chain[1:]), reversed(chain[:-1]), strict=True):
            state = _entering(flow, parent, node, state)
            state = flow.block(_neighbours(parent, node)[0], state) or NOTHING
        return state

    def read_afterwards(self) -> Names:
        """Names that may be read behind the statement, or in the next turn of a loop, as it left them."""
        flow = Flow()
        state: State = NOTHING
        more = False  # whether anything stands behind that could fail and so reach a handler
        node: ast.AST = self.statement
        while node is not self.function and (parent := self.tree.parent(node)):
            rest = following(parent, node)
            more = more or bool(rest)
            state = flow.block(rest, state)
            if isinstance(parent, Loop) and node in parent.body:
                state = _again(flow, parent)
                more = True
            elif isinstance(parent, ast.Try | ast.TryStar):
                state = _after_try(flow, parent, node, state, more)
            node = parent
        return frozenset(flow.early)

    def read_after_failure(self, swallowed: bool) -> Names:
        """Names that may be read in this function after the statement was left by an exception. ``swallowed``: by any
        ``with``, not only by one that says so by its name."""
        flow = Flow()
        state: State = None
        caught = False
        node: ast.AST = self.statement
        while node is not self.function and (parent := self.tree.parent(node)):
            state = flow.block(following(parent, node), state)
            if isinstance(parent, Loop) and node in parent.body and caught:
                state = _again(flow, parent)
            elif isinstance(parent, ast.Try | ast.TryStar):
                caught = caught or (node in parent.body and bool(parent.handlers))
                state = _after_try(flow, parent, node, state, True)
            elif isinstance(parent, ast.With | ast.AsyncWith) and (swallowed or may_suppress(parent)):
                caught = True
                state = NOTHING
            node = parent
        return frozenset(flow.early)


def _again(flow: Flow, loop: Loop) -> State:
    """A loop's next turns, and what is behind it."""
    header = [loop.test] if isinstance(loop, ast.While) else [loop.target]
    flow.block(loop.body, flow.evaluate(header, NOTHING))
    flow.block(loop.orelse, NOTHING)
    return NOTHING


def _after_try(flow: Flow, parent: ast.Try | ast.TryStar, node: ast.AST, state: State, fails: bool) -> State:
    """What is behind a ``try``, coming from ``node`` in it. ``fails``: its handlers may run."""
    if node in parent.finalbody:
        return state
    if node in parent.body:
        state = flow.block(parent.orelse, state)
        if fails:
            state = join([state, *(flow.handler(handler, NOTHING) for handler in parent.handlers)])
    flow.block(parent.finalbody, NOTHING)
    return flow.block(parent.finalbody, state)


def _entering(flow: Flow, parent: ast.AST, node: ast.AST, state: Names) -> Names:
    """What is bound for certain at the beginning of the list of statements that holds ``node``."""
    match parent:
        case ast.For() | ast.AsyncFor():
            state = state - unbound_in(parent.body)
            return flow.evaluate([parent.target], state) if node in parent.body else state
        case ast.While():
            return flow.evaluate([parent.test], state - unbound_in(parent.body))
        case ast.With() | ast.AsyncWith():
            return flow.evaluate(parent.items, state)
        case ast.If():
            return flow.evaluate([parent.test], state)
        case ast.Try() | ast.TryStar() if node in parent.orelse:
            return flow.block(parent.body, state) or NOTHING
        case ast.Try() | ast.TryStar() if node not in parent.body:
            return state - unbound_in([*parent.body, *parent.handlers, *parent.orelse])
        case ast.ExceptHandler():
            return state | ({parent.name} if parent.name else NOTHING)
        case ast.match_case():
            return flow.evaluate([parent.pattern], state)
        case _:
            return state


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    """The only name that an assignment binds, '' if it is not as simple as that."""
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    single = isinstance(node, ast.AnnAssign) or len(node.targets) == 1
    return target.id if single and isinstance(target, ast.Name) else ""


def _held(node: Capture) -> Names:
    """The names that a nested function or generator expression reads when it runs."""
    if isinstance(node, ast.GeneratorExp):
        return frozenset(name for kind, name in events(node) if kind == "read")
    return free(node)


def _assigns(node: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Nonlocal) and name in part.names for part in ast.walk(node))


def _is_used_up(tree: Tree, node: ast.AST) -> bool:
    """Whether the call it is an argument of runs it and keeps nothing: ``sum(x for x in xs)``, ``key=lambda ...``."""
    parent = tree.parent(node)
    if isinstance(parent, ast.keyword) and parent.arg == "key":
        return called(tree.parent(parent) or parent) in SORTERS
    return isinstance(node, ast.GeneratorExp) and isinstance(parent, ast.Call) and called(parent) in CONSUMERS
