"""What shows that awaits stand in their order on purpose, and the names by which they reach what others reach, too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from asyncfix.blocks import read_if_failed
from asyncfix.facts.wording import has_place
from asyncfix.flow import (
    NOTHING,
    Definition,
    Flow,
    FunctionDef,
    Loop,
    Names,
    bindings,
    declared,
    last_name,
    may_suppress,
    own,
    parameters,
)
from asyncfix.model import NotSwallowed
from asyncfix.preconditions import Obstacle
from asyncfix.transform import Tree

from ._comments import Comment

# As words of a called name: what waits on purpose, or gives futures already.
WAITING = re.compile(
    r"(?:^|_)(?:sleep|wait|timeout|acquire|release|lock|join|drain|anext|aenter|aexit|gather|shield|asend|athrow"
    r"|commit|rollback|begin|run_in_executor|ensure_future|wrap_future)(?:_|$)",
    re.IGNORECASE,
)
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
GATHERING = re.compile(r"gather_bounded(?:_from)?\d*$")
QUEUE = re.compile(r"queue|(?:^|[_.])q$", re.IGNORECASE)
GUARDS = re.compile(
    r"transaction|atomic|savepoint|begin|(?<!client)session|connect|cursor|pool|lock|mutex|condition|semaphore|limit|throttl"
    r"|timeout|fail_after|move_on",
    re.IGNORECASE,
)
# What is entered by a method of HTTP is an answer, though a session gives it.
ANSWERED = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request"})
LIMITS = re.compile(r"timeout|fail_after|move_on", re.IGNORECASE)
# In a comment: a reason for the order, or a step of a list.
ABOUT_ORDER = re.compile(
    r"\b(?:order|ordered|ordering|sequen\w*|serial\w*|first|before|after\w*|then|until|finally|step|once|must|wait\w*"
    r"|one (?:at a time|by one)|same time|rate.?limit\w*|limit(?:ed|s)?|throttl\w*|keep-?alive|locks?|locked|rac(?:es?|y)"
    r"|gather|parallel\w*|concurren\w*|overlap\w*|simultaneous\w*)\b|^#\s*(?:type:(?!\s*ignore)|\(?\d+[.):])",
    re.IGNORECASE,
)
WISHED = re.compile(
    r"\b(?:could|can|may|might|should|todo|fixme|xxx)\b.*?\b(?:gather|parallel\w*|concurren\w*|overlap\w*|simultaneous\w*)\b",
    re.IGNORECASE,
)
DENIED = re.compile(r"\b(?:not|never|no|cannot|without)\b|n't\b", re.IGNORECASE)
OBJECTS = ("self", "cls")
MOST_QUOTED = 60  # characters of code in a sentence


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean in a function.

    modules    dotted names of modules
    values     parameters and variables, of the functions round it too
    functions  functions and classes defined inside one of these
    foreign    names that ``global`` or ``nonlocal`` declares, the latter also in functions inside one of these
    """

    modules: Names
    values: Names
    functions: Names
    foreign: Names


def around(tree: Tree, node: ast.AsyncFunctionDef) -> list[FunctionDef]:
    """A function and those that it is nested in."""
    return [node, *(each for each in tree.ancestors(node) if isinstance(each, FunctionDef))]


def scope_of(modules: Names, around: Iterable[FunctionDef]) -> Scope:
    """What names mean in a function, given those round it and the modules that the file knows."""
    values: set[str] = set()
    functions: set[str] = set()
    foreign: set[str] = set()
    for function in around:
        values |= parameters(function)
        foreign |= declared(function.body, ast.Global) | declared(function.body, ast.Nonlocal)
        inner = (each for each in ast.walk(function) if isinstance(each, FunctionDef))
        foreign |= NOTHING.union(*(declared(each.body, ast.Nonlocal) for each in inner))
        for name, binding in bindings(function.body):
            if not isinstance(binding, ast.alias):
                (functions if isinstance(binding, Definition) else values).add(name)
    visible = {name for name in modules if name.partition(".")[0] not in values | functions}
    return Scope(frozenset(visible), frozenset(values), frozenset(functions), frozenset(foreign))


def modules(tree: ast.Module) -> Iterator[str]:
    """The dotted names under which the file knows modules: ``a`` and ``a.b`` for ``import a.b``."""
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import) else ():
            parts = [alias.asname] if alias.asname else alias.name.split(".")
            yield from (".".join(parts[: length + 1]) for length in range(len(parts)))


def bound_elsewhere(tree: Tree, function: ast.AsyncFunctionDef) -> Names:
    """The names that other functions may bind anew while one runs: variables of those round it, and what `nonlocal` declares."""
    enclosing = around(tree, function)
    loops = [each.lineno for each in tree.ancestors(function) if isinstance(each, Loop)]
    begin = min((function.lineno, *loops))
    inner = (each for each in ast.walk(enclosing[-1]) if isinstance(each, FunctionDef))
    rest = (each for outer in enclosing[1:] for each in own(outer.body))
    bound = (each for each in rest if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store))
    later = frozenset(each.id for each in bound if each.lineno > begin)
    return later.union(*(declared(each.body, ast.Nonlocal) for each in inner))


def is_test_function(name: str) -> bool:
    """Whether a function is a test wherever it stands: there the order is part of what is tested."""
    return name == "test" or name.startswith("test_")


def with_loops(tree: Tree) -> Iterator[tuple[ast.AsyncFunctionDef, list[FunctionDef], Names]]:
    """The coroutine functions of a file whose loops are looked at, each with itself and those round it, and with the dotted
    names of the modules that the file knows."""
    functions = [node for node in ast.walk(tree.module) if isinstance(node, ast.AsyncFunctionDef)]
    known = frozenset(modules(tree.module)) if functions else NOTHING
    for function in functions:
        enclosing = around(tree, function)
        if not _is_left_out(enclosing):
            yield function, enclosing, known


def _is_left_out(enclosing: Sequence[FunctionDef]) -> bool:
    """Whether the loops of a function, given it and those round it, stay as they are: in tests, and where it is itself run for
    many elements at once, so that the number of calls on their way would multiply."""
    inner, *outer = enclosing
    if any(is_test_function(each.name) for each in enclosing):
        return True
    calls = (node for each in outer[:1] for node in own(each.body) if isinstance(node, ast.Call))
    many = (node.args[0] for node in calls if GATHERING.search(last_name(node.func)) and node.args)
    made = (each.elt for each in many if isinstance(each, ast.GeneratorExp))
    return any(isinstance(each, ast.Call) and last_name(each.func) == inner.name for each in made)


def happens_here(node: ast.AST) -> bool:
    """What happens while the arguments are evaluated, and others would notice."""
    if isinstance(node, ast.comprehension):
        return bool(node.is_async)
    return isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr)


def is_ordered(function: ast.expr) -> bool:
    """Whether what is called waits on purpose, or takes one thing after the other, or cannot be told by a name."""
    match function:
        case ast.Name(id=name):
            return bool(WAITING.search(name))
        case ast.Attribute(value=receiver, attr=name):
            return bool(WAITING.search(name) or QUEUE.search(ast.unparse(receiver)))
        case _:
            return True


def place_told(call: ast.Call) -> str:
    """What the name of something called, or a method of HTTP that it is given, tells of a place in an order, which all that is
    known of it may refute; or ''."""
    text = dotted(call.func)
    if has_place(text):
        return f"`{text}` by its name has a place in an order"
    given = [*call.args[:2], *(item.value for item in call.keywords if item.arg == "method")]
    methods = (each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str))
    method = next((each for each in methods if each.upper() in CHANGING), "")
    return f"`{method}` asks the other side to change something" if method else ""


def shared(node: ast.AST, scope: Scope) -> Iterator[str]:
    """The names by which code reaches what other code may reach too (see `Member.names`)."""
    parts: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.Call) and (function := dotted(node.func)):
        yield from _called(function, scope)
        parts = [*node.args, *node.keywords]
    elif name := dotted(node):
        root = _root(name, scope)
        constant = name.rpartition(".")[2].isupper() or root.isupper()
        yield from () if constant else (root,)
        return
    for part in parts:
        yield from shared(part, scope)


def _called(function: str, scope: Scope) -> Iterator[str]:
    receiver, _, name = function.rpartition(".")
    if receiver in OBJECTS:
        yield function
    elif receiver and receiver not in scope.modules:
        yield _root(receiver, scope)
    elif name == "super":
        yield "self"
    elif not receiver and name in scope.values:
        yield name


def _root(name: str, scope: Scope) -> str:
    """The name that a dotted name begins with; of a variable of a module the dotted name."""
    parts = name.split(".")
    prefixes = (".".join(parts[: length + 1]) for length in range(len(parts)))
    return next((prefix for prefix in prefixes if prefix not in scope.modules), name)


def names_in(node: ast.AST) -> Names:
    """The names that some code mentions."""
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def dotted(node: ast.AST) -> str:
    """``a.b.c`` as text, '' if the expression is anything else."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            value = dotted(node.value)
            return value and f"{value}.{node.attr}"
        case _:
            return ""


def depends_on_place(tree: Tree, statement: ast.stmt, used: Names, bound: Names) -> Obstacle | None:
    """What stands round a statement and could see that its awaits, which use and bind these names, overlap others."""
    node: ast.AST = statement
    for parent in tree.ancestors(node):
        found: Obstacle | None = None
        match parent:
            case ast.Try() | ast.TryStar():
                found = _tells(parent, node, bound & read_if_failed(tree, statement))
            case ast.With() | ast.AsyncWith():
                found = guards(parent)
            case ast.For() | ast.AsyncFor() | ast.While():
                carried = min(carried_over(parent) & used, default="")
                found = Obstacle("data", f"`{carried}` comes from an earlier turn of the loop") if carried else None
            case ast.AsyncFunctionDef():
                break
            case _:
                pass
        if found is not None:
            return found
        node = parent
    return None


def guards(place: ast.With | ast.AsyncWith) -> Obstacle | None:
    """What a ``with`` has to do with the errors or the order of what stands in it."""
    managers = [item.context_expr for item in place.items]
    if may_suppress(place):
        swallowing = ast.unparse(managers[0])[:MOST_QUOTED]
        return Obstacle("errors", f"`{swallowing}` in line {place.lineno} swallows errors")
    guard = next((each for each in managers if GUARDS.search(_name_of(each))), None)
    if guard is None:
        return None
    what = "a time limit" if LIMITS.search(_name_of(guard)) else "for one thing at a time"
    return Obstacle(
        "limited", f"they stand within `{ast.unparse(guard)[:MOST_QUOTED]}` (line {place.lineno}), which is {what}"
    )


def _name_of(manager: ast.expr) -> str:
    """What tells of what kind a context manager is: not what it is given."""
    if not isinstance(manager, ast.Call):
        return ast.unparse(manager)
    name = dotted(manager.func)
    return "" if "." in name and name.rpartition(".")[2] in ANSWERED else ast.unparse(manager.func)


def _tells(place: ast.Try | ast.TryStar, node: ast.AST, read: Names) -> Obstacle | None:
    """What a ``try`` does behind an error that depends on how far its body came. ``read``: names that are read then."""
    if node in place.finalbody:
        return Obstacle("errors", "in a `finally` each is to be begun, whatever becomes of the others")
    name = min(read, default="")
    return Obstacle("errors", f"`{name}` is used where one of them has failed (line {place.lineno})") if name else None


def catching(tree: Tree, statement: ast.stmt) -> str:
    """The handler round a statement that knows an error by its type, or goes on behind it; '' if there is none."""
    node: ast.AST = statement
    for parent in tree.ancestors(node):
        if isinstance(parent, ast.AsyncFunctionDef):
            break
        for handler in parent.handlers if isinstance(parent, ast.Try | ast.TryStar) and node in parent.body else ():
            if handler.type or not isinstance(handler.body[-1], ast.Raise | ast.Return):
                said = f"except {ast.unparse(handler.type)}" if handler.type else "except"
                return f"`{said[:MOST_QUOTED]}` in line {handler.lineno} can tell which of them failed"
        node = parent
    return ""


def lost(tree: Tree, statement: ast.stmt, bound: Names) -> tuple[NotSwallowed, ...]:
    """What must hold of the context managers round a statement that binds these names: were an error swallowed, one of the
    names would be read as the statement had left it."""
    name = min(bound & read_if_failed(tree, statement, swallowed=True), default="")
    return (NotSwallowed(name),) if name else ()


def order_told(comments: Iterable[Comment]) -> Obstacle | None:
    """The comment, of some, that speaks of an order."""
    for (line, _), text in comments:
        if ABOUT_ORDER.search(text if DENIED.search(text) else WISHED.sub("", text)):
            return Obstacle("order", f"a comment speaks of their order (line {line})")
    return None


def captured(function: FunctionDef, end: int) -> Names:
    """The names that functions read which stand inside another one, before a line of it: whenever they are called."""
    inner = (each for each in ast.walk(function) if isinstance(each, FunctionDef | ast.Lambda | ast.GeneratorExp))
    made = (each for each in inner if each is not function and each.lineno < end)
    return NOTHING.union(*map(_free, made))


def _free(inner: FunctionDef | ast.Lambda | ast.GeneratorExp) -> Names:
    """The names that code of a function mentions and does not bind itself."""
    own: Names = NOTHING
    if isinstance(inner, FunctionDef):
        bound = {name for name, _ in bindings(inner.body)} - declared(inner.body, ast.Nonlocal)
        own = frozenset(parameters(inner) | bound)
    return frozenset(name.id for name in ast.walk(inner) if isinstance(name, ast.Name)) - own


def carried_over(loop: Loop) -> Names:
    """Names whose value one turn of a loop takes over from the turn before."""
    flow = Flow()
    state = flow.evaluate([loop.test if isinstance(loop, ast.While) else loop.target], NOTHING)
    flow.block(loop.body, state)
    return frozenset(flow.early) & {name for name, _ in bindings(loop.body)}
