"""Names in a run of statements: which it binds, which it reads before that, which it has bound for certain at its end.

One function's own code at a time. A name that a nested function takes from outside counts as read where that function
is defined. What cannot be told is decided for the side that claims less: bound only if every way there binds it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeAlias

Names: TypeAlias = frozenset[str]
State: TypeAlias = frozenset[str] | None
"""Names that are bound for certain; None where control never arrives."""

FunctionDef = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Loop = ast.For | ast.AsyncFor | ast.While
NOTHING: Names = frozenset()
SUPPRESSING = re.compile(r"suppress|ignore|raises|catch|swallow|stack", re.IGNORECASE)


def own(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes that run as part of this code: of a nested function only what is evaluated when it is defined."""
    for node in nodes:
        yield node
        if isinstance(node, Definition | ast.Lambda):
            yield from own(_evaluated(node))
        else:
            yield from own(ast.iter_child_nodes(node))


def last_name(node: ast.AST | None) -> str:
    """The last part of a dotted name, '' of anything else."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def called(node: ast.expr) -> ast.expr:
    """What a call calls; any other expression itself: a decorator, with or without arguments."""
    return node.func if isinstance(node, ast.Call) else node


def parameters(function: FunctionDef | ast.Lambda) -> Names:
    """The names of a function's parameters."""
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return frozenset(argument.arg for argument in arguments if argument is not None)


def parameter_annotations(function: FunctionDef) -> dict[str, ast.expr | None]:
    """The annotations of the parameters that stand for one value each: not of ``*args`` and ``**kwargs``."""
    given = function.args
    return {each.arg: each.annotation for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)}


def declared(nodes: Iterable[ast.AST], kind: type[ast.Global] | type[ast.Nonlocal]) -> Names:
    """The names that ``global`` or ``nonlocal`` statements of this code name."""
    return frozenset(name for node in own(nodes) if isinstance(node, kind) for name in node.names)


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements of a function, without those of functions in it."""
    for name in ("body", "orelse", "finalbody"):
        block: list[ast.stmt] = getattr(node, name, [])
        if block:
            yield block
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case) and not isinstance(child, Definition):
            yield from blocks(child)


def bindings(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Each name that this code binds or deletes, with the node that does it (comprehensions keep their own)."""
    inner: set[ast.AST] = set()
    for node in own(nodes):
        if isinstance(node, ast.comprehension):
            inner.update(ast.walk(node.target))
        name = _bound_by(node)
        if name and node not in inner:
            yield name, node


def free(node: Definition | ast.Lambda) -> Names:
    """The names that a nested function or class takes from outside."""
    body: Sequence[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else node.body
    seen = [event for part in body for event in events(part)]
    read = {name for kind, name in seen if kind == "read"}
    if isinstance(node, ast.ClassDef):
        return frozenset(read)
    outer = declared(body, ast.Nonlocal)
    local = {name for name, _ in bindings(body)} - outer
    return frozenset(read | outer) - local - parameters(node) - declared(body, ast.Global)


def events(node: ast.AST, hidden: Names = NOTHING) -> Iterator[tuple[str, str]]:
    """What happens to names in an expression or simple statement, in order: ``read``, ``bind``, ``maybe``, ``unbind``.

    ``maybe`` is a binding that may not come about.
    """
    match node:
        case ast.Name():
            if node.id not in hidden:
                yield from ((kind, node.id) for kind in _kinds(node.ctx))
        case ast.Lambda() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield from _all(_evaluated(node), hidden)
            yield from (("read", name) for name in sorted(free(node) - hidden))
            if not isinstance(node, ast.Lambda):
                yield "bind", node.name
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            yield from _comprehension(node, hidden)
        case ast.NamedExpr() | ast.AnnAssign():
            if node.value is not None:
                yield from events(node.value, hidden)
                yield from events(node.target, hidden)
        case ast.Assign():
            yield from _all([node.value, *node.targets], hidden)
        case ast.AugAssign():
            if isinstance(node.target, ast.Name):
                yield "read", node.target.id
            yield from _all([node.value, node.target], hidden)
        case ast.IfExp():
            yield from events(node.test, hidden)
            yield from _perhaps(events(node.body, hidden))
            yield from _perhaps(events(node.orelse, hidden))
        case ast.BoolOp() | ast.Compare() | ast.Assert():
            first, *rest = _operands(node)
            yield from events(first, hidden)
            yield from _perhaps(_all(rest, hidden))
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                yield from _all([part for part in (key, value) if part is not None], hidden)
        case _:
            yield from _all(ast.iter_child_nodes(node), hidden)
            name = _bound_by(node)
            if name:
                yield "bind", name


def leaving(statements: Iterable[ast.AST]) -> Iterator[ast.Break | ast.Continue]:
    """The ``break`` and ``continue`` statements that belong to a loop outside."""
    for node in statements:
        if isinstance(node, ast.Break | ast.Continue):
            yield node
        elif isinstance(node, Loop):
            yield from leaving(node.orelse)
        elif not isinstance(node, Definition | ast.expr):
            yield from leaving(ast.iter_child_nodes(node))


def is_endless(loop: ast.While) -> bool:
    """Whether a loop on a constant is left by an error alone."""
    left = any(isinstance(each, ast.Break) for each in leaving(loop.body))
    returns = any(isinstance(each, ast.Return) for each in own(loop.body))
    return isinstance(loop.test, ast.Constant) and not left and not returns


def may_suppress(node: ast.With | ast.AsyncWith) -> bool:
    """Whether a context manager by its name swallows exceptions."""
    return any(SUPPRESSING.search(ast.unparse(item.context_expr)) for item in node.items)


def join(states: Iterable[State]) -> State:
    """What is bound for certain where several ways meet."""
    arriving = [state for state in states if state is not None]
    return reduce(frozenset[str].intersection, arriving) if arriving else None


def unbound_in(nodes: Iterable[ast.AST]) -> Names:
    """Names that this code may take away: ``del x``, and ``except E as x`` at its end."""
    deleted = {node.id for node in own(nodes) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)}
    return frozenset(deleted | {node.name for node in own(nodes) if isinstance(node, ast.ExceptHandler) and node.name})


@dataclass(slots=True)
class Flow:
    """Follows statements; ``early`` gathers the names that they read where these are not bound for certain. ``swallowed``: any
    ``with`` may swallow exceptions."""

    early: set[str] = field(default_factory=lambda: set[str]())
    swallowed: bool = False

    def block(self, statements: Sequence[ast.stmt], state: State) -> State:
        """The state behind a list of statements."""
        for statement in statements:
            if state is None:
                break
            state = self._statement(statement, state)
        return state

    def evaluate(self, nodes: Iterable[ast.AST], state: Names) -> Names:
        """The state behind expressions and simple statements."""
        for node in nodes:
            for kind, name in events(node):
                if kind == "read" and name not in state:
                    self.early.add(name)
                elif kind == "bind":
                    state |= {name}
                elif kind == "unbind":
                    state -= {name}
        return state

    def handler(self, node: ast.ExceptHandler, state: Names) -> State:
        """The state behind an ``except`` clause."""
        name = frozenset({node.name} if node.name else ())
        after = self.block(node.body, self.evaluate([node.type] if node.type else (), state) | name)
        return after if after is None else after - name

    def case(self, node: ast.match_case, state: Names) -> State:
        """The state behind one ``case``."""
        guard = [node.guard] if node.guard else []
        return self.block(node.body, self.evaluate([node.pattern, *guard], state))

    def _statement(self, node: ast.stmt, state: Names) -> State:
        match node:
            case ast.If():
                state = self.evaluate([node.test], state)
                return join([self.block(node.body, state), self.block(node.orelse, state)])
            case ast.For() | ast.AsyncFor() | ast.While():
                return self._loop(node, state)
            case ast.With() | ast.AsyncWith():
                after = self.block(node.body, self.evaluate(node.items, state))
                return join([after, state - unbound_in(node.body)]) if self.swallowed or may_suppress(node) else after
            case ast.Try() | ast.TryStar():
                return self._try(node, state)
            case ast.Match():
                return self._match(node, state)
            case ast.Return() | ast.Raise():
                self.evaluate([node], state)
                return None
            case ast.Break() | ast.Continue():
                return None
            case _:
                return self.evaluate([node], state)

    def _loop(self, node: Loop, state: Names) -> State:
        """A loop may run no time at all; a ``break`` may come at once."""
        state = self.evaluate([node.test if isinstance(node, ast.While) else node.iter], state) - unbound_in(node.body)
        inside = state if isinstance(node, ast.While) else self.evaluate([node.target], state)
        self.block(node.body, inside)
        endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and bool(node.test.value)
        broken = any(isinstance(leave, ast.Break) for leave in leaving(node.body))
        return join([None if endless else self.block(node.orelse, state), state if broken else None])

    def _try(self, node: ast.Try | ast.TryStar, state: Names) -> State:
        entry = state - unbound_in(node.body)
        after = self.block(node.orelse, self.block(node.body, state))
        result = join([after, *(self.handler(handler, entry) for handler in node.handlers)])
        final = self.block(node.finalbody, entry - unbound_in([*node.handlers, *node.orelse]))
        if result is None or final is None:
            return None
        return self.block(node.finalbody, result)

    def _match(self, node: ast.Match, state: Names) -> State:
        state = self.evaluate([node.subject], state)
        last = node.cases[-1]
        total = last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
        return join([*(self.case(case, state) for case in node.cases), None if total else state])


def _kinds(context: ast.expr_context) -> tuple[str, ...]:
    if isinstance(context, ast.Store):
        return ("bind",)
    return ("read", "unbind") if isinstance(context, ast.Del) else ("read",)


def _evaluated(node: Definition | ast.Lambda) -> Iterator[ast.AST]:
    """What of a nested function or class runs where it is defined."""
    if not isinstance(node, ast.Lambda):
        yield from node.decorator_list
    if isinstance(node, ast.ClassDef):
        yield from (*node.bases, *node.keywords)
        return
    yield from (default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None)
    if not isinstance(node, ast.Lambda):
        yield from (part.annotation for part in ast.walk(node.args) if isinstance(part, ast.arg) and part.annotation)
        yield from [node.returns] if node.returns else []


def _bound_by(node: ast.AST) -> str:
    """The name that this very node binds or deletes, '' if none."""
    match node:
        case ast.Name(ctx=ast.Store() | ast.Del()):
            return node.id
        case ast.alias():
            return node.asname or node.name.partition(".")[0]
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            return node.name or ""
        case ast.MatchMapping():
            return node.rest or ""
        case _:
            return ""


def _operands(node: ast.BoolOp | ast.Compare | ast.Assert) -> list[ast.expr]:
    """The parts in the order in which they are evaluated; of a comparison the first two are one part."""
    match node:
        case ast.BoolOp():
            return node.values
        case ast.Compare():
            return [ast.Tuple([node.left, node.comparators[0]], ast.Load()), *node.comparators[1:]]
        case ast.Assert():
            return [node.test, *([node.msg] if node.msg else [])]


def _all(nodes: Iterable[ast.AST], hidden: Names) -> Iterator[tuple[str, str]]:
    for node in nodes:
        yield from events(node, hidden)


def _perhaps(found: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Events of what may not be evaluated. A name that it binds itself first and then reads is no early read."""
    bound: set[str] = set()
    for kind, name in found:
        if kind in ("bind", "maybe"):
            bound.add(name)
            yield "maybe", name
        elif kind != "read" or name not in bound:
            yield kind, name


def _comprehension(node: Comprehension, hidden: Names) -> Iterator[tuple[str, str]]:
    first = node.generators[0]
    yield from events(first.iter, hidden)
    targets = {part.id for each in node.generators for part in ast.walk(each.target) if isinstance(part, ast.Name)}
    inside = hidden | targets
    parts: list[ast.expr] = list(first.ifs)
    for each in node.generators[1:]:
        parts += [each.iter, *each.ifs]
    parts += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    yield from _perhaps(_all(parts, inside))
