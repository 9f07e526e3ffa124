"""A walk over one file that binds all names and remembers, for every function, where calls, accesses and handlers stand.

What they refer to is settled by `resolution`, once the bindings of all scopes are known.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import msgspec
from msgspec.structs import replace

from asyncfix.facts import narrowing, special
from asyncfix.facts.containers import CHANGING_METHODS
from asyncfix.facts.scopes import DICT, LIST, UNKNOWN, Bound, Scope, annotation, held, is_vague, lambda_name, part_of
from asyncfix.facts.shapes import (
    closes,
    has_decorator,
    hints,
    is_main,
    is_shared,
    is_stop,
    own_lines,
    run_over,
    says_nothing,
    shows_source,
    strings,
)
from asyncfix.facts.sharing import is_new
from asyncfix.facts.special import HASH, INDEX, ITER, OPERATORS, REPR, SHOW, UNPACKED
from asyncfix.facts.texts import called_in_doctest, text_shape
from asyncfix.flow import last_name
from asyncfix.model import ANY, Mention, Span
from asyncfix.source import Source

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*[.:][A-Za-z_]\w*\Z")
PATCHERS = frozenset({"patch", "object", "setattr", "delattr", "multiple", "spy", "stub"})
KEEPING = frozenset(
    {"add", "append", "appendleft", "insert", "push", "put", "put_nowait", "register", "setdefault", "subscribe"}
)
ADDING = {"append": 1, "add": 1, "appendleft": 1, "insert": 2, "setdefault": 2}
"""Methods that put their last argument into a collection, with how many they take."""
MOST_CAUGHT = 3
STARTING = frozenset({"create_task", "ensure_future", "start_soon", "call_soon"})
ATTRIBUTE_CALLS = {"getattr": "read", "hasattr": "read", "setattr": "write", "delattr": "write"}
NAME_GETTERS = frozenset({"getattr", "attrgetter", "methodcaller", "__getattribute__"})
NAMESPACES = frozenset({"globals", "locals", "vars"})
EVALUATING = frozenset({"eval", "exec", "compile"})
TYPE_TESTS = frozenset({"isinstance", "issubclass", "super"})
ENTER = "__enter__"
ITSELF = frozenset({"__call__", "__func__", "__get__", "__wrapped__"})  # by these attributes a function is called
LAZY = "generator-expression"
FOR_CHECKERS = "type-checking"  # what type checkers alone read
# Functions and methods of an iterable, by their last names.
TAKING = frozenset(
    {"list", "tuple", "set", "frozenset", "dict", "sorted", "any", "all", "min", "max", "sum", "next", "join", "extend"}
    | {"update", "Counter", "deque"}
)
COLLECTIONS = (ast.List, ast.ListComp, ast.Set, ast.SetComp, ast.Dict, ast.DictComp)
OF_DISPLAYED = {SHOW: REPR, REPR: REPR, HASH: HASH}
"""What is run of the elements of a display that is shown, or is a key."""
BY_CALLS = frozenset({ITER, "__next__", ENTER})
PARTS = (ast.Call, ast.Subscript, ast.Await, ast.IfExp, ast.BoolOp)
GOING_THROUGH = frozenset({"zip", "map", "filter"})  # through what comes behind the first argument
IDENTIFIER = re.compile(r"[^\W\d]\w*")


class Context(msgspec.Struct, frozen=True, gc=False):
    """Where the walk is: what an ``await`` would meet, and what stands round."""

    barrier: str = ""
    tries: tuple[int, ...] = ()
    held: tuple[tuple[ast.expr, str], ...] = ()
    loop: Span | None = None
    in_handler: bool = False
    statement: ast.Call | None = None
    """The call that is a statement of its own, at it and in it."""
    late: ast.expr | None = None
    """The value that is worked out before the targets on its left are written."""
    lazy: ast.GeneratorExp | None = None
    nested: bool = False
    """In a comprehension in another one."""
    guarded: bool = False
    """Something is to be done when a generator is closed there."""


@dataclass(slots=True)
class Frame:
    """A function (or module, or class body) while its facts are collected."""

    qualname: str
    kind: str
    scope: Scope
    node: ast.AST
    owner_class: str = ""
    outer: str = ""
    calls: list[tuple[ast.Call, Scope, Context, str, bool]] = field(default_factory=list)
    accesses: list[tuple[ast.expr, str, Scope, Context]] = field(default_factory=list)
    tries: list[tuple[Span, list[ast.ExceptHandler], Scope]] = field(default_factory=list)
    awaits: list[Span] = field(default_factory=list)
    operations: list[tuple[ast.expr, str, Scope, Context]] = field(default_factory=list)
    withs: list[tuple[ast.With, Scope, Context]] = field(default_factory=list)
    returns: list[tuple[ast.expr, Scope]] = field(default_factory=list)
    yields: list[tuple[ast.expr, Scope]] = field(default_factory=list)
    steps: list[tuple[str, ast.expr | ast.stmt, Scope, Context]] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    reraises: Span | None = None
    is_generator: bool = False


@dataclass(slots=True)
class ClassFrame:
    """A class while what is assigned to its attributes is collected."""

    qualname: str
    node: ast.ClassDef
    outside: Scope
    scope: Scope
    attributes: dict[str, list[tuple[ast.expr | str, Scope, str]]] = field(default_factory=dict)
    added: dict[str, list[tuple[ast.expr, Scope, str]]] = field(default_factory=dict)
    """What methods put into the collections that attributes are."""
    given: set[str] = field(default_factory=set)
    """Attributes of an object to which a method assigns what it did not make."""
    begun: set[str] = field(default_factory=set)
    """Attributes that the constructor gives to an object."""


class Walker:
    """The walk over one file. After `walk`, `functions` and `classes` resolve what was found."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.module = Scope("module", ":")
        self.frames: list[Frame] = []
        self.classes: list[ClassFrame] = []
        self.imports: set[str] = set()
        self.star_modules: list[str] = []
        self.exports: list[str] | None = None
        self.mentions: list[Mention] = []
        self.dynamic: list[Mention] = []
        self.examples: list[Mention] = []
        self.assigned: list[tuple[ast.expr, str, ast.expr | str, str, Scope]] = []
        """Attributes that are assigned from outside: of what, the name, the value with the steps to it, where."""
        self.added: list[tuple[ast.expr, str, ast.expr, str, Scope]] = []
        """Collections that attributes are into which something is put from outside: of what, the name, what, the collection."""
        self.takers: dict[ast.expr, tuple[str, ast.AST]] = {}
        """What goes through an expression: the kind ('' for a call), and the node."""
        self.gone_through: set[str] = set()
        """Names of which that is so somewhere."""

    # ------------------------------------------------------------------------------------------------------- the walk

    def walk(self, tree: ast.Module) -> None:
        """Visit the whole file."""
        frame = Frame("", "module", self.module, tree)
        self.frames.append(frame)
        for statement in tree.body:
            self._visit(statement, frame, self.module, Context(barrier="module"))

    def _visit(self, node: ast.AST, frame: Frame, scope: Scope, context: Context) -> None:
        self._VISITORS.get(type(node), Walker._children)(self, node, frame, scope, context)

    def _children(self, node: ast.AST, frame: Frame, scope: Scope, context: Context) -> None:
        for name in _FIELDS[type(node)]:
            value: object = getattr(node, name, None)
            if isinstance(value, list):
                self._all(value, frame, scope, context)  # pyright: ignore[reportUnknownArgumentType]
            elif isinstance(value, ast.AST):
                self._VISITORS.get(type(value), Walker._children)(self, value, frame, scope, context)

    def _all(self, nodes: Sequence[object], frame: Frame, scope: Scope, context: Context) -> None:
        for at, node in enumerate(nodes):
            if isinstance(node, ast.AST):
                self._VISITORS.get(type(node), Walker._children)(self, node, frame, scope, context)
                if isinstance(node, (ast.If, ast.Assert)):
                    scope = scope.behind(narrowing.unbound(narrowing.behind(node), nodes[at + 1 :]))

    # -------------------------------------------------------------------------------------------------- new namespaces

    def _function(self, node: FunctionNode, frame: Frame, scope: Scope, context: Context) -> None:
        qualname = _inner_name(frame, node.name)
        self._bind(node.name, ":" + qualname, node, frame, scope, context)
        self._outside_parts(node.args, node.decorator_list, frame, scope, context)
        annotations = replace(context, barrier="annotation")
        for hint in (*hints(node.args), node.returns):
            if hint is not None:
                self._visit(hint, frame, scope, annotations)
        method = frame.kind == "class"
        kind = "method" if method else "function"
        new = Frame(
            qualname, kind, self._inner_scope(qualname, scope, frame, method), node, frame.qualname if method else ""
        )
        new.outer = frame.qualname if frame.kind not in ("module", "class") else frame.outer
        if not method:
            new.owner_class = ""
        self._parameters(node.args, qualname, new.scope, method, node)
        self.frames.append(new)
        self._all(node.body, new, new.scope, Context())

    def _inner_scope(self, qualname: str, scope: Scope, frame: Frame, method: bool) -> Scope:
        inner = Scope("function", f":{qualname}.<locals>.", scope.function if scope.kind != "comprehension" else scope)
        inner.owner_class = frame.qualname if method else scope.function.owner_class
        return inner

    def _parameters(self, args: ast.arguments, qualname: str, scope: Scope, method: bool, node: FunctionNode) -> None:
        names = [arg.arg for arg in (*args.posonlyargs, *args.args)]
        everything = [*names, *(arg.arg for arg in args.kwonlyargs)]
        for name in everything:
            scope.names.setdefault(name, []).append(_parameter_bound(qualname, name))
        for extra, container in ((args.vararg, "tuple"), (args.kwarg, "dict")):
            if extra is not None:  # a new collection, of what the caller has
                scope.bind(extra.arg, f":{qualname}@{extra.arg}*builtins.{container};")
        if method and names and not has_decorator(node, "staticmethod"):
            owner = scope.owner_class
            on_class = has_decorator(node, "classmethod") or node.name in (
                "__new__",
                "__init_subclass__",
                "__class_getitem__",
            )
            scope.first_parameter = names[0]
            scope.names[names[0]] = []
            scope.bind(names[0], f":{owner}" if on_class else f":{owner}!")

    def _outside_parts(
        self, args: ast.arguments, decorators: Sequence[ast.expr], frame: Frame, scope: Scope, context: Context
    ) -> None:
        for default in (*args.defaults, *args.kw_defaults):
            if default is not None:
                self._visit(default, frame, scope, context)
        for decorator in decorators:
            if isinstance(decorator, ast.Call):
                self._call(decorator, frame, scope, context, "decorator")
            elif frame.kind not in ("module", "class"):  # where it is called by a function, it is a call like another
                call = ast.copy_location(ast.Call(decorator, [], []), decorator)
                frame.calls.append((call, scope, context, "decorator", False))

    def _lambda(self, node: ast.Lambda, frame: Frame, scope: Scope, context: Context) -> None:
        self._outside_parts(node.args, (), frame, scope, context)
        qualname = _inner_name(frame, lambda_name(node))
        inner = Scope("function", f":{qualname}.<locals>.", scope, owner_class=scope.function.owner_class)
        new = Frame(qualname, "lambda", inner, node, outer=frame.qualname)
        for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            inner.names.setdefault(arg.arg, []).append(_parameter_bound(qualname, arg.arg))
        for extra in (node.args.vararg, node.args.kwarg):
            if extra is not None:
                inner.bind(extra.arg, "?")
        self.frames.append(new)
        new.returns.append((node.body, inner))
        self._visit(node.body, new, inner, Context(barrier="lambda"))

    def _class(self, node: ast.ClassDef, frame: Frame, scope: Scope, context: Context) -> None:
        qualname = _inner_name(frame, node.name)
        self._bind(node.name, ":" + qualname, node, frame, scope, context)
        for decorator in node.decorator_list:
            self._visit(decorator, frame, scope, context)
        self._types(node.bases, frame, scope, context)
        self._all(node.keywords, frame, scope, context)
        inner = Scope("class", f":{qualname}.", scope, owner_class=qualname)
        outer = frame.qualname if frame.kind not in ("module", "class") else frame.outer
        new = Frame(qualname, "class", inner, node, outer=outer)
        self.frames.append(new)
        self.classes.append(ClassFrame(qualname, node, scope, inner))
        for statement in node.body:
            self._visit(statement, new, inner, Context(barrier="class-body"))

    # --------------------------------------------------------------------------------------------------------- bindings

    def _import(self, node: ast.Import, frame: Frame, scope: Scope, context: Context) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self.imports.add(top)
            if context.barrier != FOR_CHECKERS:
                frame.imports.append(alias.name)
            self._bind(alias.asname or top, alias.name if alias.asname else top, node, frame, scope, context)

    def _import_from(self, node: ast.ImportFrom, frame: Frame, scope: Scope, context: Context) -> None:
        base = "." * node.level + (node.module or "")
        if not node.level:
            self.imports.add(base.partition(".")[0])
        joined = base if base.endswith(".") else base + "."
        if context.barrier != FOR_CHECKERS:
            frame.imports += [base, *(joined + alias.name for alias in node.names if alias.name != "*")]
        for alias in node.names:
            if alias.name == "*":
                self.star_modules.append(base)
                self.module.stars = True
            else:
                self._bind(alias.asname or alias.name, joined + alias.name, node, frame, scope, context)

    def _bind(
        self, name: str, value: ast.expr | str, node: ast.AST, frame: Frame, scope: Scope, context: Context
    ) -> None:
        """Bind what a statement or a pattern names."""
        scope.function.bind(name, value)
        self._written(name, node, frame, scope, context)

    def _written(self, name: str, node: ast.AST, frame: Frame, scope: Scope, context: Context) -> None:
        """Record that a name is bound which is another scope's: others see it."""
        if scope.function.home(name) is not scope.function:
            named = ast.copy_location(ast.Name(name, ast.Store()), node)
            self._record(named, "write", frame, scope, context)

    def _assign(self, node: ast.Assign, frame: Frame, scope: Scope, context: Context) -> None:
        self._visit(node.value, frame, scope, context)
        if any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets):
            self._operation(node.value, "__iter__", frame, scope, context)
        if len(node.targets) == 1 and isinstance(node.targets[0], (ast.Tuple, ast.List)):
            self._taken(node.value, "unpacked", node)
        elif len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self._taken(node.value, "assigned", node)
        self._note_kept(node, scope)
        for target in node.targets:
            # Plain names of a function are seen by nobody else: when they are written does not matter.
            inner = context if isinstance(target, ast.Name) else replace(context, late=node.value)
            self._target(target, node.value, "", frame, scope, inner)
        if frame.kind == "module" and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            self.exports = strings(node.value)

    def _note_kept(self, node: ast.Assign, scope: Scope) -> None:
        """Take note of local names whose object the statement puts where others reach it."""
        if scope.kind == "function" and any(is_shared(target, scope) for target in node.targets):
            parts = node.value.elts if isinstance(node.value, (ast.Tuple, ast.List)) else [node.value]
            names = (part.id for part in (*parts, *node.targets) if isinstance(part, ast.Name))
            scope.function.kept.update(names)

    def _annotated(self, node: ast.AnnAssign, frame: Frame, scope: Scope, context: Context) -> None:
        self._visit(node.annotation, frame, scope, replace(context, barrier="annotation"))
        if node.value is not None:
            self._visit(node.value, frame, scope, context)
        types = annotation(node.annotation, scope.function)
        told = bool(types) and not is_vague(types, scope)
        if types == UNKNOWN and node.value is not None and says_nothing(node.annotation):
            types = ()
        if isinstance(node.target, ast.Name):
            local = told and scope.function.kind == "function"
            for value in held(types, node.value, scope) if local and node.value is not None else types:
                scope.function.bind(node.target.id, value)
            if frame.kind == "class" and types:
                self.classes_by_name(frame.qualname).attributes.setdefault(node.target.id, []).append(
                    (node.annotation, scope, "!")
                )
            if node.value is None:
                return
            if told:  # of what class the value is does not matter then
                if frame.kind == "module" or scope.function.home(node.target.id) is not scope.function:
                    self._record(node.target, "write", frame, scope, replace(context, late=node.value))
                return
        elif types and isinstance(node.target, ast.Attribute):
            self._attribute_of_self(node.target, node.annotation, "!", scope)
            if node.value is not None:
                self._given(node.target, node.value, "", scope)
        context = replace(context, late=node.value)
        if told or node.value is None:
            self._target(node.target, node.annotation, "!", frame, scope, context)
        else:
            self._target(node.target, node.value, "", frame, scope, context)

    def classes_by_name(self, qualname: str) -> ClassFrame:
        return next(item for item in reversed(self.classes) if item.qualname == qualname)

    def _augmented(self, node: ast.AugAssign, frame: Frame, scope: Scope, context: Context) -> None:
        # The target is read before the value is worked out and written after it: two accesses with an await between.
        if isinstance(node.target, ast.Name):
            scope.function.bind(node.target.id, "?")
        if isinstance(node.op, ast.Add) and isinstance(node.value, (ast.List, ast.ListComp)):
            self._filled(node.target, node.value, f"[]{LIST}", scope)
        self._record(node.target, "read", frame, scope, context)
        if isinstance(node.target, ast.Name) and isinstance(node.value, COLLECTIONS):
            self._record(node.target, "change", frame, scope, context)  # the collection stays the one that it was
        if isinstance(node.target, ast.Subscript):
            self._operation(node.target.value, "__getitem__", frame, scope, context)
        self._operation(node.target, f"__i{OPERATORS[type(node.op)][2:]}", frame, scope, context)
        if isinstance(node.op, ast.Add):  # of a list, it takes the elements of whatever it is
            self._operation(node.value, UNPACKED, frame, scope, context)
        self._visit(node.value, frame, scope, context)
        inner = replace(context, late=node.value, barrier=context.barrier or "augmented-target")
        self._target(node.target, "?", "", frame, scope, inner)

    def _walrus(self, node: ast.NamedExpr, frame: Frame, scope: Scope, context: Context) -> None:
        self._visit(node.value, frame, scope, context)
        self._target(node.target, node.value, "", frame, scope.function, context)

    def _target(
        self,
        target: ast.expr,
        value: ast.expr | str,
        suffix: str,
        frame: Frame,
        scope: Scope,
        context: Context,
    ) -> None:
        """Bind what ``target`` names to ``value`` and record the writes it makes."""
        match target:
            case ast.Name():
                home = scope if scope.kind == "comprehension" else scope.function
                home.bind(target.id, value, suffix, scope if scope.narrowed else None)
                if home.home(target.id) is not home or frame.kind in ("module",):
                    self._record(target, "write", frame, scope, context)
                if frame.kind == "class":
                    self.classes_by_name(frame.qualname).attributes.setdefault(target.id, []).append(
                        (value, scope, suffix)
                    )
            case ast.Attribute():
                self._holding(target, frame, scope, context)
                if not self._attribute_of_self(target, value, suffix, scope):
                    self.assigned.append((target.value, target.attr, value, suffix, scope))
                self._record(target, "write", frame, scope, context)
            case ast.Subscript():
                if not self._named_in(target.value, target.slice):
                    self._holder(target.value, frame, scope, context)
                self._visit(target.slice, frame, scope, context)
                deleted = isinstance(target.ctx, ast.Del)
                self._operation(target.value, "__delitem__" if deleted else "__setitem__", frame, scope, context)
                self._operation(target.slice, HASH, frame, scope, context)
                if isinstance(target.slice, ast.Slice) and isinstance(value, ast.expr):
                    self._operation(value, UNPACKED, frame, scope, context)
                self._record(target.value, "change", frame, scope, context)
                if isinstance(value, ast.expr) and not suffix:
                    self._filled(target.value, value, DICT, scope)
            case ast.Tuple() | ast.List():
                values = value.elts if isinstance(value, (ast.Tuple, ast.List)) and not suffix else None
                for index, item in enumerate(target.elts):
                    if values is not None and len(values) == len(target.elts) and not isinstance(item, ast.Starred):
                        self._target(item, values[index], "", frame, scope, context)
                    else:
                        self._target(item, *part_of(value, suffix, index, target.elts, scope), frame, scope, context)
            case ast.Starred():
                self._target(target.value, "builtins.list!", "", frame, scope, context)
            case _:
                self._visit(target, frame, scope, context)

    def _filled(self, held: ast.expr, value: ast.expr, container: str, scope: Scope) -> None:
        """Take note of what is put into a collection that has a name, or is an attribute."""
        owner = scope.function
        if isinstance(held, ast.Name):
            home = scope.find(held.id)
            if home is not None and home.kind != "class":
                home.added.setdefault(held.id, []).append((value, scope, container))
        elif isinstance(held, ast.Attribute) and _is_self(held.value, owner):
            self.classes_by_name(owner.owner_class).added.setdefault(held.attr, []).append((value, scope, container))
        elif isinstance(held, ast.Attribute):
            self.added.append((held.value, held.attr, value, container, scope))

    def _holder(self, node: ast.expr, frame: Frame, scope: Scope, context: Context) -> None:
        """Visit what a target is an element of: as an operand, but a name is read."""
        (self._visit if isinstance(node, ast.Name) else self._operand)(node, frame, scope, context)

    def _attribute_of_self(self, target: ast.Attribute, value: ast.expr | str, suffix: str, scope: Scope) -> bool:
        """Note what is assigned to an attribute of the object that a method is called of; False if it is another object."""
        owner = scope.function
        if _is_self(target.value, owner):
            attributes = self.classes_by_name(owner.owner_class).attributes
            attributes.setdefault(target.attr, []).append((value, scope, suffix))
            if suffix != "!":  # that tells only of what class it is
                self._given(target, value, suffix, scope)
            return True
        return False

    def _given(self, target: ast.Attribute, value: ast.expr | str, suffix: str, scope: Scope) -> None:
        """Note whether an attribute of the object that a method is called of gets something that others may hold."""
        owner = scope.function
        if _is_self(target.value, owner):
            made = self.classes_by_name(owner.owner_class)
            if owner.prefix.endswith(".__init__.<locals>."):
                made.begun.add(target.attr)
            if suffix or isinstance(value, str) or not is_new(value):
                made.given.add(target.attr)

    def _global(self, node: ast.Global | ast.Nonlocal, frame: Frame, scope: Scope, context: Context) -> None:
        for name in node.names:
            scope.function.declared[name] = "global" if isinstance(node, ast.Global) else "nonlocal"

    def _match(self, node: ast.Match, frame: Frame, scope: Scope, context: Context) -> None:
        self._visit(node.subject, frame, scope, context)
        for case in node.cases:
            self._pattern(case.pattern, node.subject, frame, scope, context)
            inside = (case.guard, *case.body)
            shown = narrowing.unbound(narrowing.by_pattern(node.subject, case.pattern), (case.pattern, *inside))
            self._all(inside, frame, scope.behind(shown), context)

    def _pattern(self, node: ast.pattern, value: ast.expr | str, frame: Frame, scope: Scope, context: Context) -> None:
        """Bind what a pattern captures of ``value`` and record the attributes that it reads."""
        match node:
            case ast.MatchAs(pattern=inner, name=name):
                made = narrowing.made_by(node) if name else ()
                shown = narrowing.by_pattern(value, node) if made and isinstance(value, ast.expr) else {}
                if shown and isinstance(value, ast.Name):
                    scope.function.bind(name or "", value, "", scope.behind(shown))
                for each in () if shown else made:
                    scope.function.bind(name or "", each, "!")
                if name and not made:
                    self._bind(name, value, node, frame, scope, context)
                elif name:
                    self._written(name, node, frame, scope, context)
                if inner is not None:
                    self._pattern(inner, value, frame, scope, context)
            case ast.MatchStar(name=name):
                if name:
                    self._bind(name, "?", node, frame, scope, context)
            case ast.MatchOr(patterns=parts):
                for part in parts:
                    self._pattern(part, value, frame, scope, context)
            case ast.MatchClass(cls=made, patterns=parts, kwd_attrs=names, kwd_patterns=others):
                self._run_by(node, frame, scope, context)
                self._visit(made, frame, scope, context)
                for part in parts:
                    self._pattern(part, "?", frame, scope, context)
                for name, part in zip(names, others, strict=True):
                    held = ast.copy_location(ast.Attribute(value, name), part) if isinstance(value, ast.expr) else "?"
                    if isinstance(held, ast.expr):
                        self._record(held, "read", frame, scope, context)
                    self._pattern(part, held, frame, scope, context)
            case ast.MatchSequence(patterns=parts) | ast.MatchMapping(patterns=parts):
                if isinstance(value, ast.expr):
                    self._operation(value, "__getitem__", frame, scope, context)
                for part in parts:
                    self._pattern(part, _element(value, part), frame, scope, context)
                if isinstance(node, ast.MatchMapping) and node.rest:
                    self._bind(node.rest, "?", node, frame, scope, context)
            case ast.MatchValue() if isinstance(value, ast.expr):
                self._operation(value, "__eq__", frame, scope, context)
                self._children(node, frame, scope, context)
            case _:
                self._children(node, frame, scope, context)

    def _compare(self, node: ast.Compare, frame: Frame, scope: Scope, context: Context) -> None:
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.In, ast.NotIn)) and isinstance(right, ast.Name):
                self._record(right, "item", frame, scope, context)
            if isinstance(operator, (ast.In, ast.NotIn)) and isinstance(right, (ast.Name, ast.Attribute, ast.Call)):
                self._taken(right, "contained", node)
        self._run_by(node, frame, scope, context)
        if _is_none_test(node):
            self._test(node.left, frame, scope, context)
        else:
            self._children(node, frame, scope, context)

    def _operating(self, node: ast.AST, frame: Frame, scope: Scope, context: Context) -> None:
        self._run_by(node, frame, scope, context)
        self._children(node, frame, scope, context)

    def _raise(self, node: ast.Raise, frame: Frame, scope: Scope, context: Context) -> None:
        if node.exc is None and not context.in_handler and frame.reraises is None:
            frame.reraises = self.source.span(node)
        self._operating(node, frame, scope, context)

    def _run_by(self, node: ast.AST, frame: Frame, scope: Scope, context: Context) -> None:
        """Note the special methods that a node runs."""
        for part, method in special.run_by(node):
            self._operation(part, method, frame, scope, context)

    def _starred(self, node: ast.Starred, frame: Frame, scope: Scope, context: Context) -> None:
        self._taken(node.value, "starred", node)
        self._operation(node.value, "__iter__", frame, scope, context)
        self._children(node, frame, scope, context)

    def _operation(self, node: ast.expr, method: str, frame: Frame, scope: Scope, context: Context) -> None:
        """A special method is run, of what goes by a name, or of what a call gives: that is gone through by the call."""
        held = isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))
        if held or (isinstance(node, PARTS) and method not in BY_CALLS):
            frame.operations.append((node, method, scope, context))
        for element in special.displayed(node) if method in OF_DISPLAYED else ():
            self._operation(element, OF_DISPLAYED[method], frame, scope, context)

    def _delete(self, node: ast.Delete, frame: Frame, scope: Scope, context: Context) -> None:
        for target in node.targets:
            if not isinstance(target, ast.Name):
                self._target(target, "?", "", frame, scope, context)
            elif scope.function.home(target.id) is not scope.function:
                self._record(target, "write", frame, scope, context)

    # ---------------------------------------------------------------------------------------------------------- control

    def _for(self, node: ast.For | ast.AsyncFor, frame: Frame, scope: Scope, context: Context) -> None:
        # What is iterated over is worked out once, before the loop.
        body = Span(self.source.span(node.body[0]).start, self.source.span(node).end)
        if isinstance(node, ast.AsyncFor):
            frame.awaits.append(self.source.span(node.iter))
        self._taken(node.iter, "loop", node)
        self._run_by(node, frame, scope, context)
        self._iterated(node.iter, frame, scope, context, "iterated" if isinstance(node, ast.For) else "awaited", body)
        inner = replace(context, loop=context.loop or body)
        self._target(node.target, node.iter, "[]", frame, scope, inner)
        self._all(node.body, frame, scope, inner)
        self._all(node.orelse, frame, scope, context)

    def _iterated(
        self, node: ast.expr, frame: Frame, scope: Scope, context: Context, use: str, body: Span | None = None
    ) -> None:
        inside = replace(context, loop=body or context.loop)
        if use == "awaited":
            frame.operations.append((node, "__aiter__", scope, context))
        if isinstance(node, ast.Call):
            self._call(node, frame, scope, context, use)
        else:
            self._visit(node, frame, scope, context)
        if use == "iterated" and isinstance(node, (ast.Name, ast.Attribute)):
            self._operation(node, ITER, frame, scope, context)
            self._record(node, "iterate", frame, scope, inside)
        else:  # what an asynchronous loop goes through may go through something shared, too
            if use == "iterated" and isinstance(node, (ast.IfExp, ast.BoolOp, ast.Subscript, ast.Await)):
                frame.operations.append((node, ITER, scope, context))
            for held in run_over(node):
                self._record(held, "view", frame, scope, inside)

    def _if(self, node: ast.If, frame: Frame, scope: Scope, context: Context) -> None:
        if context.barrier == "module" and is_main(node.test):
            self._all(node.body, frame, scope, replace(context, barrier="main-guard"))
            self._all(node.orelse, frame, scope, context)
        elif last_name(node.test) == "TYPE_CHECKING":
            self._all(node.body, frame, scope, replace(context, barrier=FOR_CHECKERS))
            self._all(node.orelse, frame, scope, context)
        else:
            self._run_by(node, frame, scope, context)
            self._test(node.test, frame, scope, context)
            self._behind(narrowing.if_true(node.test), node.body, frame, scope, context)
            self._behind(narrowing.if_false(node.test), node.orelse, frame, scope, context)

    def _behind(
        self,
        shown: dict[str, narrowing.Shown],
        nodes: Sequence[ast.AST],
        frame: Frame,
        scope: Scope,
        context: Context,
    ) -> None:
        """Visit code that runs only where a test has shown something."""
        self._all(nodes, frame, scope.behind(narrowing.unbound(shown, nodes)), context)

    def _choice(self, node: ast.IfExp, frame: Frame, scope: Scope, context: Context) -> None:
        self._run_by(node, frame, scope, context)
        self._test(node.test, frame, scope, context)
        self._behind(narrowing.if_true(node.test), [node.body], frame, scope, context)
        self._behind(narrowing.if_false(node.test), [node.orelse], frame, scope, context)

    def _and_or(self, node: ast.BoolOp, frame: Frame, scope: Scope, context: Context) -> None:
        known = narrowing.if_true if isinstance(node.op, ast.And) else narrowing.if_false
        self._run_by(node, frame, scope, context)
        for value in node.values:
            self._visit(value, frame, scope, context)
            scope = scope.behind(known(value))

    def _test(self, node: ast.expr, frame: Frame, scope: Scope, context: Context) -> None:
        """Visit a condition: nobody is handed what is only asked whether it is there."""
        if isinstance(node, ast.Name):
            frame.accesses.append((node, "asked", scope, context))
        else:
            self._visit(node, frame, scope, context)

    def _while(self, node: ast.While, frame: Frame, scope: Scope, context: Context) -> None:
        inner = replace(context, loop=context.loop or self.source.span(node))
        self._run_by(node, frame, scope, inner)
        self._visit(node.test, frame, scope, inner)
        self._behind(narrowing.if_true(node.test), node.body, frame, scope, inner)
        self._all(node.orelse, frame, scope, context)

    def _with(self, node: ast.With | ast.AsyncWith, frame: Frame, scope: Scope, context: Context) -> None:
        if isinstance(node, ast.With):
            frame.withs.append((node, scope, context))
        for item in node.items:
            use = "entered" if isinstance(node, ast.With) else "awaited"
            if isinstance(node, ast.AsyncWith):
                frame.awaits.append(self.source.span(item.context_expr))
            if isinstance(item.context_expr, ast.Call):
                self._call(item.context_expr, frame, scope, context, use)
            else:
                self._visit(item.context_expr, frame, scope, context)
                if use == "entered":
                    self._taken(item.context_expr, use, node)
                    frame.operations.append((item.context_expr, ENTER, scope, context))
            if use == "awaited":
                frame.operations.append((item.context_expr, "__aenter__", scope, context))
            context = replace(
                context, held=(*context.held, (item.context_expr, "" if isinstance(node, ast.With) else "~"))
            )
            if item.optional_vars is not None:
                self._target(item.optional_vars, item.context_expr, "%", frame, scope, context)
        self._all(node.body, frame, scope, context)

    def _try(self, node: ast.Try | ast.TryStar, frame: Frame, scope: Scope, context: Context) -> None:
        first, last = node.body[0], node.body[-1]
        span = Span(self.source.span(first).start, self.source.span(last).end)
        index = len(frame.tries)
        frame.tries.append((span, node.handlers, scope))
        guarded, last_of_all = context.guarded or closes(node), context.guarded or bool(node.finalbody)
        self._all(node.body, frame, scope, replace(context, tries=(*context.tries, index), guarded=guarded))
        for handler in node.handlers:
            caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            self._types((item for item in caught if not is_stop(item)), frame, scope, context)
            if handler.name:
                self._bind(handler.name, "?", handler, frame, scope, context)  # it may be of a class below
                for item in caught if len(caught) <= MOST_CAUGHT else ():
                    if item is not None:
                        scope.function.bind(handler.name, item, "!")
            self._all(handler.body, frame, scope, replace(context, in_handler=True, guarded=last_of_all))
        self._all(node.orelse, frame, scope, replace(context, guarded=last_of_all))
        self._all(node.finalbody, frame, scope, context)

    def _comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
        frame: Frame,
        scope: Scope,
        context: Context,
    ) -> None:
        inner = Scope("comprehension", scope.prefix, scope, owner_class=scope.owner_class)
        lazy = isinstance(node, ast.GeneratorExp)
        inside = replace(
            context,
            barrier=context.barrier
            or (LAZY if lazy else "nested-comprehension" if scope.kind == "comprehension" else ""),
            loop=context.loop or self.source.span(node),
            nested=scope.kind == "comprehension",
        )
        if lazy:
            inside = replace(inside, barrier=_deeper(inside.barrier, context), lazy=context.lazy or node)
        by = "lazy-clause" if lazy else "inner-clause" if inside.nested else "clause"
        seen = inner
        for index, generator in enumerate(node.generators):
            use = "awaited" if generator.is_async else "iterated"
            if generator.is_async:
                frame.awaits.append(self.source.span(generator.iter))
            self._taken(generator.iter, by, node)
            self._iterated(generator.iter, frame, seen if index else scope, inside if index else context, use)
            self._target(generator.target, generator.iter, "[]", frame, inner, inside)
            self._run_by(generator, frame, seen, inside)
            for test in generator.ifs:
                self._visit(test, frame, seen, inside)
                seen = seen.behind(narrowing.if_true(test))
        if isinstance(node, ast.SetComp | ast.DictComp):
            self._operation(node.key if isinstance(node, ast.DictComp) else node.elt, HASH, frame, seen, inside)
        parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        self._all(parts, frame, seen, inside)

    # ------------------------------------------------------------------------------------------------------ expressions

    def _call(
        self, node: ast.Call, frame: Frame, scope: Scope, context: Context, use: str = "plain", tight: bool = False
    ) -> None:
        frame.calls.append((node, scope, context, use, tight))
        called = last_name(node.func)
        if isinstance(node.func, ast.Attribute):
            if not (called == "get" and node.args and self._named_in(node.func.value, node.args[0])):
                self._holding(node.func, frame, scope, context)
        elif not isinstance(node.func, ast.Name):
            self._operand(node.func, frame, scope, context)
        if called in NAME_GETTERS:
            self.dynamic.extend(
                Mention(name, arg.lineno)
                for arg in node.args
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                for name in arg.value.split(".")  # attrgetter("service.load")
                if name.isidentifier()
            )
        elif called == "timeit" or (called in EVALUATING and isinstance(node.func, ast.Name)):
            self._evaluated(node.args[:1])
        self._run_by(node, frame, scope, context)
        if called in ATTRIBUTE_CALLS and isinstance(node.func, ast.Name):
            self._attribute_by_name(node, ATTRIBUTE_CALLS[called], frame, scope, context)
        elif (
            isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and (frame.outer or node.func.value.id in scope.function.kept)
        ):
            self._record(node.func.value, "change" if called in CHANGING_METHODS else "item", frame, scope, context)
        if called in STARTING or (called in KEEPING and isinstance(node.func, ast.Attribute)):
            started = called in STARTING
            held = (part for argument in node.args for part in (ast.walk(argument) if started else (argument,)))
            if started or is_shared(node.func, scope):
                scope.function.kept.update(part.id for part in held if isinstance(part, ast.Name))
        if called == "extend" and isinstance(node.func, ast.Attribute) and len(node.args) == 1:
            self._filled(node.func.value, node.args[0], f"[]{LIST}", scope)
        if called in ADDING and isinstance(node.func, ast.Attribute) and len(node.args) == ADDING[called]:
            self._filled(node.func.value, node.args[-1], DICT if called == "setdefault" else LIST, scope)
        asks = called in special.ASKING or called in TAKING
        if node.args and (asks or isinstance(node.args[0], (ast.Call, ast.GeneratorExp))):
            self._taken(node.args[0], "", node)
        for other in node.args[1:] if called in GOING_THROUGH else ():
            frame.operations.append((other, ITER, scope, context))
            self._taken(other, "", node)
        for other in (*node.args[1:], *(item.value for item in node.keywords)) if called not in GOING_THROUGH else ():
            if isinstance(other, ast.GeneratorExp):
                self._taken(other, "given", node)
        patches = called in PATCHERS
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if called in TYPE_TESTS and isinstance(node.func, ast.Name):
                self._types((argument,), frame, scope, context)
            elif not (patches and isinstance(argument, ast.Constant)):
                self._visit(argument, frame, scope, context)

    def _types(self, nodes: Iterable[ast.expr | None], frame: Frame, scope: Scope, context: Context) -> None:
        """Visit what names classes without handing them on, as an annotation does: bases, and what is asked of a type."""
        for node in nodes:
            if isinstance(node, ast.Tuple):
                self._types(node.elts, frame, scope, context)
            elif node is not None:
                named = isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))
                self._visit(node, frame, scope, replace(context, barrier="annotation") if named else context)

    def _attribute_by_name(self, node: ast.Call, kind: str, frame: Frame, scope: Scope, context: Context) -> None:
        """``getattr(x, "name")`` and its like are accesses of ``x.name``."""
        match node.args:
            case [held, ast.Constant(value=str(name)), *given] if name.isidentifier():
                if kind == "write" and given:
                    self.assigned.append((held, name, given[0], "", scope))
                self._record(ast.copy_location(ast.Attribute(held, name), node), kind, frame, scope, context)
            case [held, name, value] if kind == "write" and _is_self(held, scope.function) and _is_computed(name):
                attributes = self.classes_by_name(scope.function.owner_class).attributes
                attributes.setdefault(ANY, []).append((value, scope, ""))
            case _:
                pass

    def _named_in(self, held: ast.expr, key: ast.expr) -> bool:
        """Whether an element of a namespace (``globals()``, ``vars(x)``) is asked for by its name, which is noted then.

        Then there is nothing more to visit, but for an attribute ``__dict__``.
        """
        called = isinstance(held, ast.Call) and isinstance(held.func, ast.Name) and held.func.id in NAMESPACES
        if not called and not (isinstance(held, ast.Attribute) and held.attr == "__dict__"):
            return False
        name = text_shape(key)
        if not name.isidentifier():
            return False
        self.dynamic.append(Mention(name, key.lineno))
        return called

    def _evaluated(self, texts: Iterable[ast.expr]) -> None:
        """All names in a text that is run as code may mean what is so called."""
        for node in (part for text in texts for part in ast.walk(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = dict.fromkeys(IDENTIFIER.findall(node.value))
                self.dynamic.extend(Mention(name, node.lineno) for name in names if name.isascii())

    def _taken(self, node: ast.expr, by: str, taker: ast.AST) -> None:
        """Take note of what goes through an expression, if that may be something lazy."""
        if isinstance(node, (ast.Call, ast.GeneratorExp)) or (
            isinstance(node, ast.Attribute) and by not in ("assigned", "returned")
        ):
            self.takers[node] = (by, taker)
        elif isinstance(node, ast.Name) and by not in ("assigned", "returned"):
            self.takers[node] = (by, taker)
            self.gone_through.add(node.id)

    def _operand(self, node: ast.expr, frame: Frame, scope: Scope, context: Context) -> None:
        """Visit what stands before ``.``, ``[`` or ``(``: there an ``await`` needs parentheses."""
        if isinstance(node, ast.Call):
            self._call(node, frame, scope, context, "plain", True)
        elif isinstance(node, ast.Name):
            self._record(node, "base", frame, scope, context)
        else:
            self._visit(node, frame, scope, context)

    def _await(self, node: ast.Await, frame: Frame, scope: Scope, context: Context) -> None:
        frame.awaits.append(self.source.span(node))
        self._operation(node.value, "__await__", frame, scope, context)
        if isinstance(node.value, ast.Call):
            self._call(node.value, frame, scope, context, "awaited", True)
        else:
            self._visit(node.value, frame, scope, context)

    def _attribute(self, node: ast.Attribute, frame: Frame, scope: Scope, context: Context) -> None:
        frame.accesses.append((node, "read", scope, context))
        self._holding(node, frame, scope, context)

    def _holding(self, node: ast.Attribute, frame: Frame, scope: Scope, context: Context) -> None:
        """Visit what an attribute is asked of."""
        held = node.value
        if isinstance(held, ast.Attribute) and node.attr not in ITSELF:
            frame.accesses.append((held, "asked", scope, context))
            self._holding(held, frame, scope, context)
        else:
            self._operand(held, frame, scope, context)

    def _name(self, node: ast.Name, frame: Frame, scope: Scope, context: Context) -> None:
        frame.accesses.append((node, "read", scope, context))

    def _subscript(self, node: ast.Subscript, frame: Frame, scope: Scope, context: Context) -> None:
        if isinstance(node.value, ast.Name):
            self._record(node.value, "item", frame, scope, context)
        self._operation(node.value, "__getitem__", frame, scope, context)
        self._operation(node.slice, HASH, frame, scope, context)
        for part in (node.slice.lower, node.slice.upper, node.slice.step) if isinstance(node.slice, ast.Slice) else ():
            if part is not None:
                self._operation(part, INDEX, frame, scope, context)
        if not self._named_in(node.value, node.slice):
            self._operand(node.value, frame, scope, context)
        self._visit(node.slice, frame, scope, context)

    def _record(self, node: ast.expr, kind: str, frame: Frame, scope: Scope, context: Context) -> None:
        frame.accesses.append((node, kind, scope, context))

    def _f_string(self, node: ast.JoinedStr, frame: Frame, scope: Scope, context: Context) -> None:
        # Before 3.12 the positions inside f-strings are often wrong: what does not stand where it should is not edited.
        if sys.version_info < (3, 12) and not all(
            self._stands(call) for call in ast.walk(node) if isinstance(call, ast.Call)
        ):
            context = replace(context, barrier=context.barrier or "f-string")
        before: ast.expr | None = None
        for part in node.values:
            shown = isinstance(part, ast.FormattedValue) and shows_source(part, before)
            if isinstance(part, ast.FormattedValue):
                shown_by = REPR if part.conversion == ord("r") else SHOW
                self._operation(part.value, shown_by, frame, scope, context)
            self._visit(
                part, frame, scope, replace(context, barrier=context.barrier or "f-string") if shown else context
            )
            before = part

    def _stands(self, node: ast.Call) -> bool:
        try:
            text = self.source.text(self.source.span(node))
            return ast.dump(ast.parse(text, mode="eval").body) == ast.dump(node)
        except (SyntaxError, ValueError):
            return False

    def _constant(self, node: ast.Constant, frame: Frame, scope: Scope, context: Context) -> None:
        if isinstance(node.value, str) and len(node.value) < 200 and node.value.isascii() and DOTTED.match(node.value):
            self.mentions.append(Mention(node.value, node.lineno))

    def _statement(self, node: ast.Expr, frame: Frame, scope: Scope, context: Context) -> None:
        if isinstance(node.value, ast.Call):
            self._visit(node.value, frame, scope, replace(context, statement=node.value))
        elif isinstance(node.value, ast.YieldFrom):
            alone = own_lines(self.source, node)
            if alone:
                self._taken(node.value.value, "yield-from", node)
            self._yield_from(node.value, "from" if alone else "from-inline", frame, scope, context)
        elif not isinstance(node.value, ast.Constant):
            self._visit(node.value, frame, scope, context)
        elif isinstance(node.value.value, str) and ">>>" in node.value.value:  # else it is documentation, no more
            self.examples.extend(Mention(name, node.lineno) for name in called_in_doctest(node.value.value))

    def _return(self, node: ast.Return, frame: Frame, scope: Scope, context: Context) -> None:
        if node.value is not None:
            frame.returns.append((node.value, scope))
            nothing = isinstance(node.value, ast.Constant) and node.value.value is None
            frame.steps.append(("return-none" if nothing else "return", node, scope, context))
            self._taken(node.value, "returned", node)
            self._visit(node.value, frame, scope, context)

    def _yield(self, node: ast.Yield | ast.YieldFrom, frame: Frame, scope: Scope, context: Context) -> None:
        if isinstance(node, ast.YieldFrom):
            self._yield_from(node, "from-value", frame, scope, context)
            return
        frame.is_generator = True
        frame.steps.append(("plain", node, scope, context))
        if node.value is not None:
            frame.yields.append((node.value, scope))
            self._visit(node.value, frame, scope, context)

    def _yield_from(self, node: ast.YieldFrom, kind: str, frame: Frame, scope: Scope, context: Context) -> None:
        frame.is_generator = True
        frame.steps.append((kind, node, scope, context))
        frame.yields.append((ast.Constant(...), scope))
        self._iterated(node.value, frame, scope, context, "iterated")

    # Plain functions, no bound methods: thousands of walkers are made with the garbage collector off, and must be no cycles.
    _VISITORS: ClassVar[dict[type[ast.AST], Callable[..., None]]] = {
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.Lambda: _lambda,
        ast.ClassDef: _class,
        ast.Call: _call,
        ast.Await: _await,
        ast.Attribute: _attribute,
        ast.Name: _name,
        ast.Constant: _constant,
        ast.Expr: _statement,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.AugAssign: _augmented,
        ast.NamedExpr: _walrus,
        ast.For: _for,
        ast.AsyncFor: _for,
        ast.If: _if,
        ast.IfExp: _choice,
        ast.BoolOp: _and_or,
        ast.While: _while,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Try: _try,
        ast.TryStar: _try,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.DictComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.Global: _global,
        ast.Nonlocal: _global,
        ast.Return: _return,
        ast.Yield: _yield,
        ast.YieldFrom: _yield,
        ast.Subscript: _subscript,
        ast.Delete: _delete,
        ast.Compare: _compare,
        ast.BinOp: _operating,
        ast.UnaryOp: _operating,
        ast.Assert: _operating,
        ast.Raise: _raise,
        ast.Dict: _operating,
        ast.Starred: _starred,
        ast.Set: _operating,
        ast.Match: _match,
        ast.JoinedStr: _f_string,
    }


# The fields of each kind of node in which there may be something to visit: operators and contexts are nodes, too.
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(name for name in kind._fields if name not in ("ctx", "op", "ops", "kind", "type_comment"))
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


def _inner_name(frame: Frame, name: str) -> str:
    if frame.kind == "module":
        return name
    return f"{frame.qualname}.{name}" if frame.kind == "class" else f"{frame.qualname}.<locals>.{name}"


def _deeper(barrier: str, context: Context) -> str:
    """The barrier in a generator expression: one in another is one of its own kind."""
    return "nested-generator-expression" if barrier == LAZY and context.lazy is not None else barrier


def _is_none_test(node: ast.Compare) -> bool:
    """``x is None``, ``x is not None``: nobody is handed what is compared."""
    match node:
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
        case _:
            return False


def _is_computed(node: ast.expr) -> bool:
    return not isinstance(node, ast.Constant)


def _element(value: ast.expr | str, part: ast.pattern) -> ast.expr | str:
    """What a pattern within a mapping or a sequence is held against, where it stands."""
    if isinstance(value, str):
        return value
    return ast.copy_location(ast.Subscript(value, ast.Constant(0)), part)


def _is_self(node: ast.expr, scope: Scope) -> bool:
    """Whether a node is the name of the object that the method of a scope is called of."""
    return isinstance(node, ast.Name) and scope.first_parameter != "" and node.id == scope.first_parameter


def _parameter_bound(qualname: str, name: str) -> Bound:
    return Bound(f":{qualname}@{name}")
