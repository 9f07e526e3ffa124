"""The last look at a new text before it may be written: it compiles, and what turned async is awaited.

Asked is only what can be answered for certain from the file itself: a call counts if its name is bound once, by the
definition or an import of a function that turned, or if it is ``self.name()`` in the class that defines it.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from asyncfix.colour.awaiting import NESTED_COMPREHENSIONS
from asyncfix.flow import last_name
from asyncfix.imports import Function, Import, bindings, imported
from asyncfix.model import Value
from asyncfix.plan.rows import RUN_APART
from asyncfix.source import Source, Unreadable
from asyncfix.uses import in_step

STEPPING = re.compile(r"_?gather_bounded_from\d*")
"""What of the generated module goes through what it is given asynchronously, by whatever name a file imports it."""
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Proof(Value, frozen=True):
    """What to check: a file's old and new bytes, and the qualified names (``pkg.mod.f``) that turned async.

    ``target`` is the oldest Python that must read the new text; ``generators`` are those that give something step by step.
    """

    path: str
    old: bytes
    new: bytes
    turned: frozenset[str] = frozenset()
    target: tuple[int, int] = NESTED_COMPREHENSIONS
    generators: frozenset[str] = frozenset()


def check(proof: Proof) -> tuple[str, ...]:
    """What is wrong with the new text, one line each; nothing if it is fine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes of other people's code are not our business
        try:
            old, new = Source(proof.path, proof.old).parse(), Source(proof.path, proof.new).parse()
        except Unreadable as error:
            return (str(error),)
        reason = _uncompilable(new)
        if reason and not _uncompilable(old):
            return (reason,)
    problems = [f"line {call.lineno}: {name}() is not awaited" for name, call in _unawaited(old, new, proof)]
    lazy = list(_lazy_awaits(new))
    if len(lazy) > len(list(_lazy_awaits(old))):
        problems.append(f"line {lazy[-1].lineno}: an await in a generator expression")
    deep = list(_deep_awaits(new)) if proof.target < NESTED_COMPREHENSIONS else []
    if len(deep) > len(list(_deep_awaits(old))):
        problems.append(f"line {deep[-1].lineno}: an await in a comprehension in a comprehension")
    return tuple(problems)


def check_bytes(item: bytes) -> bytes:
    """`check` as a task of a worker: msgpack of a Proof in, of the problems out."""
    return msgspec.msgpack.encode(check(msgspec.msgpack.decode(item, type=Proof)))


def _uncompilable(tree: ast.Module) -> str:
    """Why a file does not compile though it parses (an await outside of an async function, ...), '' if it does."""
    try:
        compile(tree, "<new>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def _lazy_awaits(tree: ast.Module) -> Iterator[ast.expr]:
    """The awaits that make a generator expression an asynchronous one, where nothing goes through it as such."""
    stepped = {each for node in ast.walk(tree) for each in _stepped(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.GeneratorExp) and node not in stepped:
            yield from (part for part in _inside(node) if isinstance(part, ast.Await))
            yield from (part.iter for part in node.generators if part.is_async)


def _deep_awaits(tree: ast.Module) -> Iterator[ast.expr]:
    """The awaits that make a comprehension asynchronous which stands in another one."""
    outer = (node for node in ast.walk(tree) if isinstance(node, Comprehension))
    inner = (part for node in outer for part in _inside(node) if isinstance(part, Comprehension))
    for node in inner:
        yield from (part for part in _inside(node) if isinstance(part, ast.Await))
        yield from (part.iter for part in node.generators if part.is_async)


def _stepped(node: ast.AST) -> Iterator[ast.expr]:
    """What is gone through asynchronously, step by step."""
    match node:
        case ast.AsyncFor(iter=item) | ast.comprehension(iter=item, is_async=1):
            yield item
        case ast.Call(func=ast.Name(id="anext") | ast.Attribute(attr="anext"), args=[item, *_]):
            yield item
        case ast.Call(func=function, args=[item]) if STEPPING.fullmatch(last_name(function)):
            yield item
        case _:
            pass


def _inside(node: Comprehension) -> Iterator[ast.AST]:
    """What a comprehension works out by itself: all but the first thing it goes through."""
    others = {node, *ast.walk(node.generators[0].iter)}
    yield from (part for part in ast.walk(node) if part not in others)


# ----------------------------------------------------------------------------------------------- what turned async


NOBODY = "-"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is: the names that mean something else here, the class round it, and which of its methods turned.

    ``receiver`` is the name of the object of that class; '' outside of its methods, NOBODY where they have none.
    """

    hidden: frozenset[str] = frozenset()
    owner: str = ""
    methods: frozenset[str] = frozenset()
    receiver: str = ""


def _unawaited(old: ast.Module, new: ast.Module, proof: Proof) -> Iterator[tuple[str, ast.Call]]:
    """The calls of functions that turned which stand without an ``await``."""
    turned = frozenset(_definitions(old, ast.FunctionDef)) & frozenset(_definitions(new, ast.AsyncFunctionDef))
    names = frozenset(_known(new, turned, proof))
    stack: list[tuple[ast.AST, _Place]] = [(new, _Place())]
    awaited: set[ast.AST] = set()
    handed: set[ast.AST] = set()  # to a name, or to the caller: so may be what is gone through
    generators = frozenset(_step_by_step(new, proof))
    while stack:
        node, place = stack.pop()
        awaited.update(_stepped(node))
        if isinstance(node, ast.Assign | ast.Return) and node.value is not None:
            handed.add(node.value)
        if isinstance(node, ast.Await):
            awaited.add(node.value)
        elif isinstance(node, ast.AsyncWith):
            awaited.update(item.context_expr for item in node.items)
        elif isinstance(node, ast.Call) and _runs(node):
            awaited.update(node.args[:1])
        elif isinstance(node, ast.Call) and last_name(node.func) in in_step.GENERATED:
            awaited.update(node.args)
        elif isinstance(node, ast.ClassDef):
            place = _in_class(node, place, turned)
        elif isinstance(node, Function):
            place = _in_function(node, place)
        elif isinstance(node, ast.Call) and node not in awaited:
            name = _called(node.func, place, names)
            if name and not (node in handed and name.rpartition(".")[2] in generators):
                yield name, node
        stack.extend((child, place) for child in reversed(list(ast.iter_child_nodes(node))))


def _step_by_step(tree: ast.Module, proof: Proof) -> Iterator[str]:
    """The last names, here, of generators that turned."""
    names = {name.rpartition(".")[2] for name in proof.generators}
    yield from names
    for node in tree.body:
        for name, means in imported(node) if isinstance(node, Import) else ():
            if means.rpartition(".")[2] in names:
                yield name


def _runs(call: ast.Call) -> bool:
    """``asyncio.run(...)``, whatever `asyncio` is called here, or what runs a coroutine apart."""
    name = last_name(call.func)
    return name in ("run", RUN_APART)


def _called(function: ast.expr, place: _Place, names: frozenset[str]) -> str:
    """The name of what is called, if that turned."""
    match function:
        case ast.Name(id=name) if name in names and name not in place.hidden:
            return name
        case ast.Attribute(value=ast.Name(id=first), attr=name) if first == place.receiver and name in place.methods:
            return f"{first}.{name}"
        case _:
            return ""


def _definitions(tree: ast.AST, kind: type[ast.FunctionDef | ast.AsyncFunctionDef], owner: str = "") -> Iterator[str]:
    """The qualified names of the functions of one kind, in the module and its classes, that are bound once there."""
    once = Counter(name for name, _ in bindings(tree))
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and once[node.name] == 1:
            yield from _definitions(node, kind, f"{owner}{node.name}.")
        elif isinstance(node, kind) and once[node.name] == 1:
            yield owner + node.name


def _known(tree: ast.Module, turned: frozenset[str], proof: Proof) -> Iterator[str]:
    """The names of the module that mean a function that turned and nothing else."""
    yield from (name for name in turned if "." not in name)
    once = Counter(name for name, _ in bindings(tree))
    for node in tree.body:
        if isinstance(node, Import):
            for name, means in imported(node):
                if once[name] == 1 and _is_turned(means, proof):
                    yield name


def _is_turned(means: str, proof: Proof) -> bool:
    """Whether an import means a function that turned; a relative one is counted from the project root."""
    name = means.lstrip(".")
    level = len(means) - len(name)
    if not level:
        return name in proof.turned
    folders = proof.path.split("/")[:-level]
    known = ".".join([*folders, name])
    return any(known == each or (each.count(".") > 1 and known.endswith(f".{each}")) for each in proof.turned)


def _in_class(node: ast.ClassDef, place: _Place, turned: frozenset[str]) -> _Place:
    owner = f"{place.owner}{node.name}."
    found = {name.removeprefix(owner) for name in turned if name.startswith(owner)}
    attributes = (part for part in ast.walk(node) if isinstance(part, ast.Attribute))
    assigned = {part.attr for part in attributes if isinstance(part.ctx, ast.Store)}
    return _Place(place.hidden, owner, frozenset(found - assigned))


def _in_function(node: Function, place: _Place) -> _Place:
    own = Counter(name for name, _ in bindings(node))
    hidden = place.hidden | own.keys()
    if place.owner and not place.receiver and not isinstance(node, ast.Lambda):
        arguments = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args)]
        static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in node.decorator_list)
        known = bool(arguments) and not static and own[arguments[0]] == 1
        return _Place(hidden, place.owner, place.methods, arguments[0] if known else NOBODY)
    receiver = NOBODY if place.receiver in own else place.receiver
    return _Place(hidden, place.owner, place.methods, receiver)
