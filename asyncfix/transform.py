"""What a rule is: one class in one file under `transforms/`.

A rule speaks of its own site only. On the *survey* it is shown a call that the link has found to be one of an API map, as
an `ast` node with its surroundings, and answers with a `Site`: the forms it could take and their conditions. After the plan
has decided, it *writes* a form with LibCST nodes, as edits of spans. It never asks who calls.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from asyncfix.model import Api, Edit, Form, Function, MinimumPython, Site, Span, ThreadSafe

if TYPE_CHECKING:
    import libcst as cst

from asyncfix.source import Source

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
TO_THREAD = MinimumPython((3, 9))


@dataclass(slots=True)
class Tree:
    """One parsed file during the survey, with the way from a node to its parent, and the calls that block by their spans."""

    source: Source
    module: ast.Module
    imports: frozenset[str] = frozenset()
    blocking: Mapping[Span, Api] = field(default_factory=lambda: dict[Span, Api]())
    _parents: dict[ast.AST, ast.AST] = field(default_factory=lambda: dict[ast.AST, ast.AST]())

    def __post_init__(self) -> None:
        for parent in ast.walk(self.module):
            for child in ast.iter_child_nodes(parent):
                self._parents[child] = parent

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Parents, nearest first, up to the module."""
        current = self._parents.get(node)
        while current is not None:
            yield current
            current = self._parents.get(current)

    def qualified(self, definition: Definition) -> str:
        """The ``__qualname__`` of a definition."""
        parts = [definition.name]
        for node in self.ancestors(definition):
            if isinstance(node, Definition):
                parts += [node.name] if isinstance(node, ast.ClassDef) else ["<locals>", node.name]
        return ".".join(reversed(parts))


@dataclass(frozen=True, slots=True)
class Look:
    """What a rule sees of one call: the node, the API row it was linked to, and where it stands.

    ``way``: for a `Watch` that wants what is reached, how async code comes to the call (``main -> helper -> asyncio.run``).
    ``looped``: for one that wants it, who calls the function that it stands in in a loop, as a sentence.
    """

    tree: Tree
    node: ast.Call
    api: Api
    owner: str
    way: str = ""
    looped: str = ""

    @property
    def span(self) -> Span:
        return self.tree.source.span(self.node)

    @property
    def parent(self) -> ast.AST | None:
        return self.tree.parent(self.node)

    @property
    def statement(self) -> ast.stmt:
        """The statement that the call stands in."""
        return next(node for node in self.tree.ancestors(self.node) if isinstance(node, ast.stmt))

    @property
    def function(self) -> FunctionNode | None:
        """The function whose code the call is: what stands in its head is code of what is round it."""
        inner: ast.AST = self.node
        for node in self.tree.ancestors(self.node):
            if isinstance(node, FunctionNode) and inner in (node.body if isinstance(node.body, list) else [node.body]):
                return node
            inner = node
        return None

    @property
    def in_async(self) -> bool:
        """Whether the call is code of an async function."""
        return isinstance(self.function, ast.AsyncFunctionDef)

    @property
    def in_class(self) -> bool:
        """Whether the call is code of the body of a class: no await may stand there, whatever function is round it."""
        inner: ast.AST = self.node
        for node in self.tree.ancestors(self.node):
            if isinstance(node, FunctionNode | ast.ClassDef):
                body = node.body if isinstance(node.body, list) else [node.body]
                if inner in body:
                    return isinstance(node, ast.ClassDef)
            inner = node
        return False

    def site(self, rule: Rule, forms: Iterable[Form], whole: ast.expr | ast.stmt | None = None) -> Site:
        """A Site of this call; ``whole`` if the forms replace more than the call."""
        node = whole or self.node
        parent = self.tree.parent(node)
        tight = isinstance(parent, ast.Attribute | ast.Subscript | ast.Call) and node is _operand(parent)
        return Site(rule.name, self.api.call, self.tree.source.span(node), self.span, self.owner, tuple(forms), tight)

    def refused(self, rule: Rule, code: str, why: str) -> Site:
        """A Site without a form: a stable reason code and a sentence."""
        return Site(rule.name, self.api.call, self.span, self.span, self.owner, (), refusal=code, why=why)


def _operand(node: ast.Attribute | ast.Subscript | ast.Call) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node.value


class Writing(ABC):
    """What a rule writes with: the LibCST nodes of the file, and names that imports and generated code come under."""

    source: Source
    black: int | None
    """Line length, if the project configures black."""

    @abstractmethod
    def tree(self) -> Tree:
        """The file as rules see it on the survey; `call` and `around` give nodes of it."""

    @abstractmethod
    def node(self, span: Span) -> cst.CSTNode:
        """The outermost expression or statement of exactly this span."""

    @abstractmethod
    def span(self, node: cst.CSTNode) -> Span:
        """The span of a node (without parentheses, indentation and comments round it)."""

    @abstractmethod
    def code(self, node: cst.CSTNode) -> str:
        """The source text of a node, as it stands in the file."""

    @abstractmethod
    def name(self, dotted: str) -> str:
        """How to write a library's name here (``asyncio.to_thread``, or ``aio.to_thread``); asks for its import. ``builtins.x``
        is ``x`` where that means it."""

    @abstractmethod
    def name_from(self, module: str, name: str) -> str:
        """How to write a name here that is imported from a module; asks for that."""

    @abstractmethod
    def module_of(self, name: str) -> str:
        """The module that a name here is imported from, '' if that is not certain."""

    def counterpart(self, node: ast.expr, name: str) -> str:
        """How to write ``name`` of the module that a name comes from (of ``a.b.X``: ``a.b.name``), '' if that is not certain."""
        if isinstance(node, ast.Attribute):
            return f"{ast.unparse(node.value)}.{name}"
        module = self.module_of(node.id) if isinstance(node, ast.Name) else ""
        return self.name_from(module, name) if module else ""

    @abstractmethod
    def generated(self, name: str) -> str:
        """How to write a name of the project's generated module here; asks for its code and its import."""

    @abstractmethod
    def fresh(self, name: str, near: Span) -> str:
        """``name``, or with a number behind it if the function round ``near`` has that name already."""

    @abstractmethod
    def function(self, name: str) -> str:
        """``name`` for a function to define here; with a number behind it if it is used round here already."""

    @abstractmethod
    def module_name(self, name: str) -> str:
        """``name`` for a function of the module; with a number behind it if the file uses it already."""

    @abstractmethod
    def definition(self, span: Span) -> Definition:
        """The function or class whose ``def``, ``async def`` or ``class`` begins there."""

    @abstractmethod
    def call(self, span: Span) -> ast.Call:
        """The call of exactly this span, as `ast` has it."""

    @abstractmethod
    def around(self, span: Span) -> tuple[ast.AST, ...]:
        """The `ast` nodes that an expression of exactly this span is part of, nearest first."""

    @abstractmethod
    def formatted(self, text: str, indent: str) -> str | None:
        """A statement as black has it at an indentation, which its first line is without; None if it is to stay as it is."""

    @abstractmethod
    def indent(self, span: Span) -> str:
        """The white space before the statement that begins at ``span``."""

    @property
    @abstractmethod
    def step(self) -> str:
        """One level of indentation as this file has it."""


class Rule(ABC):
    """Base class of all rules. The docstring of the file is the rule's page."""

    name: ClassVar[str]
    default: ClassVar[bool] = True
    generated: ClassVar[dict[str, str]] = {}
    """Source text of what the rule's forms may ask of the generated module, by name."""

    def asks(self, form: str) -> bool:
        """Whether a form may ask for generated code."""
        return bool(self.generated) and form != "thread"

    @abstractmethod
    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        """The edits of a decided form. Raises CannotWrite if the text is not what was surveyed."""


class BlockTransform(Rule):
    """A rule about statements, or definitions. It is shown whole files."""

    @abstractmethod
    def concerns(self, function: Function) -> bool:
        """Whether the rule is to be shown the file that has such a function."""

    @abstractmethod
    def scan(self, tree: Tree) -> list[Site]:
        """All sites of a file, refused ones included; ``owner`` is the qualified name within the file."""


LOST = "a coroutine that nothing awaits"
"""What a `Watch` watches that is shown calls of coroutine functions which are statements of their own."""


BY_NAME = "a task of what is called an event loop"
"""What a `Watch` watches that is shown calls of `create_task` of something of which only the name tells that it is a loop."""


class Watch(Rule):
    """A rule about what is called, whether it blocks or not. It is shown one call at a time."""

    watches: ClassVar[frozenset[str]]
    """Canonical names of the functions whose calls it is shown, `LOST` or `BY_NAME`."""
    in_tests: ClassVar[bool] = False
    """Whether it is shown those in tests, too."""
    reached: ClassVar[bool] = False
    """Whether it is shown only those that async code runs, itself or through sync functions."""
    told_way: ClassVar[bool] = False
    """Whether it is told how async code comes to a call, if it does; where it is shown no others, it always is."""
    looped: ClassVar[bool] = False
    """Whether it is told of functions that are called in a loop."""

    @abstractmethod
    def examine(self, look: Look) -> Site | None:
        """The Site of a call, None if there is nothing to tell."""


class Report(Watch):
    """A rule about what only a person can mend: its Sites have no forms."""

    def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
        raise CannotWrite(f"{self.name} only reports")


class Transform(Rule):
    """A rule about calls of APIs. It is shown one call at a time."""

    in_tests: ClassVar[bool] = True
    """Whether what async tests run is looked for."""
    order: ClassVar[int] = 0
    """A call that several rules claim goes to the one with the highest order."""
    bridged: ClassVar[bool] = False
    """Whether its native forms can take the place of a call that a thread runs."""

    @abstractmethod
    def claims(self, api: Api) -> bool:
        """Whether calls of this API are this rule's."""

    @abstractmethod
    def examine(self, look: Look) -> Site:
        """The forms that a call could take, in order of preference, or a refusal."""


class CannotWrite(Exception):
    """A decision that cannot be carried out: an internal error of its rule, with the reason."""


def thread_form(look: Look, node: ast.expr | ast.stmt) -> Form:
    """One thread call for the whole of ``node``."""
    return Form("thread", (TO_THREAD,), (ThreadSafe(look.tree.source.span(node)),), in_thread=True)
