"""What goes through the value of an expression where it stands, and where a generator gives something: resolved facts."""

from __future__ import annotations

import ast
import re

from asyncfix.facts.scopes import Scope, resolve
from asyncfix.facts.walker import LAZY, Context, Frame, Walker
from asyncfix.model import Call, Lazy, Span, Taken, Yield
from asyncfix.source import Source

METHOD = re.compile(r"(builtins\.\w+)(?:!|\(\)|\??;)\.(\w+)\Z")
"""That of an object, or of a collection whose elements are known."""
# Functions of an iterable, and whether they may be given more than that.
TAKING = {
    "builtins.list": False,
    "builtins.tuple": False,
    "builtins.set": False,
    "builtins.frozenset": False,
    "builtins.dict": False,
    "builtins.sorted": False,
    "builtins.any": False,
    "builtins.all": False,
    "builtins.min": False,
    "builtins.max": False,
    "builtins.zip": True,
    "builtins.map": True,
    "builtins.filter": True,
    "builtins.sum": True,
    "builtins.next": True,
    "builtins.enumerate": True,
    "builtins.str.join": False,
    "builtins.list.extend": False,
    "builtins.set.update": False,
    "builtins.dict.update": False,
    "builtins.bytes": False,
    "builtins.bytes.join": False,
    "collections.Counter": False,
    "collections.OrderedDict": False,
    "collections.deque": True,
    "math.fsum": False,
    "math.prod": False,
    "statistics.fmean": False,
    "statistics.mean": False,
    "statistics.median": False,
    "statistics.mode": False,
    "statistics.stdev": False,
}

GIVEN = "given"

# Those that go through no more than they need, or begin before they have gone through all.
BIT_BY_BIT = frozenset(f"builtins.{name}" for name in ("any", "all", "zip", "enumerate", "map", "filter")) | {
    "builtins.list.extend",
    "builtins.set.update",
    "builtins.dict.update",
}


# Those that give step by step what they take so.
IN_STEP = frozenset({"builtins.zip", "builtins.enumerate"})


def taken(walker: Walker, frame: Frame, node: ast.expr, scope: Scope, context: Context | None) -> Taken | None:
    """What goes through the value of an expression, if that is known. Of a generator expression, which has no ``context``
    of its own, not who goes through what is given on."""
    by, taker = walker.takers.get(node, ("", None))
    if taker is None:
        return None
    if isinstance(taker, ast.Call):
        by = by or _function(taker, scope) or (GIVEN if isinstance(node, ast.GeneratorExp) else "")
        if not by or (by in BIT_BY_BIT and _shows(taker, node)):
            return None
        on = _place(walker, frame, taker, scope, context) if by in IN_STEP and context is not None else None
        return Taken(by, walker.source.span(taker), scope.kind == "comprehension", on)
    return Taken(by, _span(walker.source, taker), scope.kind == "comprehension" and "clause" not in by)


def lazy(walker: Walker, frame: Frame, node: ast.expr, scope: Scope, context: Context) -> Lazy | None:
    """The generator expression that a call is part of, or whose first clause goes through what it gives."""
    by, taker = walker.takers.get(node, ("", None))
    if by == "lazy-clause" and isinstance(taker, ast.GeneratorExp) and not context.barrier:
        by_whom = taken(walker, frame, taker, scope, None)
        return Lazy(walker.source.span(taker), scope.kind == "comprehension", by_whom)
    if context.lazy is None or context.barrier != LAZY:
        return None
    by_whom = taken(walker, frame, context.lazy, scope, None)
    return Lazy(walker.source.span(context.lazy), context.nested, by_whom)


def kept(walker: Walker, frame: Frame, node: ast.expr, scope: Scope) -> tuple[Call, ...]:
    """The places that go through the value of a call, if it is assigned to a local name and put to no other use."""
    _, taker = walker.takers.get(node, ("", None))
    target = taker.targets[0] if isinstance(taker, ast.Assign) else None
    if not isinstance(target, ast.Name) or target.id not in walker.gone_through or scope.kind != "function":
        return ()
    name, home = target.id, scope.function
    if name in home.declared or name in home.kept or len(home.names[name]) != 1:
        return ()
    used = [
        (other, item, kind, place, context)
        for other in walker.frames
        for item, kind, place, context in other.accesses
        if isinstance(item, ast.Name) and item.id == name and place.find(name) is home
    ]
    if any(other is not frame or kind not in ("read", "iterate", "view") for other, _, kind, _, _ in used):
        return ()
    found = [_place(walker, frame, item, place, context) for _, item, kind, place, context in used if kind == "read"]
    return tuple(found) if all(each.taken is not None for each in found) else ()


def _place(walker: Walker, frame: Frame, node: ast.expr, scope: Scope, context: Context) -> Call:
    """What is gone through at a place, as a call there."""
    span, column, end_column = walker.source.extent(node)
    return Call(
        span,
        span,
        node.lineno,
        column,
        node.end_lineno or node.lineno,
        end_column,
        (),
        use="iterated",
        barrier=context.barrier,
        tries=context.tries,
        held=held(context, scope),
        loop=context.loop,
        taken=taken(walker, frame, node, scope, context),
        kept=kept(walker, frame, node, scope),
        lazy=lazy(walker, frame, node, scope, context),
    )


def yields(source: Source, frame: Frame) -> tuple[Yield, ...]:
    """Where a generator gives something, or ends with a value."""
    if not frame.is_generator:
        return ()
    return tuple(
        Yield(
            kind,
            source.span(node),
            node.lineno,
            context.guarded or bool(context.held),
            held(context, scope),
            context.loop,
        )
        for kind, node, scope, context in frame.steps
    )


def held(context: Context, scope: Scope) -> tuple[str, ...]:
    """Refs of the context managers that are open there."""
    return tuple([resolve(item, scope)[0] + suffix for item, suffix in context.held])


def _shows(taker: ast.Call, node: ast.expr) -> bool:
    """Whether a difference could be seen between what works bit by bit and what is worked out before: a name is bound in it,
    or the collection that grows is read in it."""
    grows = getattr(taker.func, "value", None)
    name = grows.id if isinstance(grows, ast.Name) else ""
    parts = list(ast.walk(node))
    bound = any(isinstance(part, ast.NamedExpr) for part in parts)
    return bound or any(isinstance(part, ast.Name) and part.id == name for part in parts)


def _function(call: ast.Call, scope: Scope) -> str:
    """The function whose only argument (but for keywords) goes through it is, '' if it is none of those known."""
    refs = resolve(call.func, scope)
    names = dict.fromkeys(".".join(method.groups()) if (method := METHOD.search(ref)) else ref for ref in refs)
    name = next(iter(names))
    more = TAKING.get(name) if len(names) == 1 else None
    if name == "builtins.next" and len(call.args) > 1:
        return "next-or-default"
    return name if more is not None and (more or len(call.args) == 1) else ""


def _span(source: Source, node: ast.AST) -> Span:
    assert isinstance(node, (ast.expr, ast.stmt)), "what goes through something has a place"
    return source.span(node)
