"""The LibCST nodes of a file with their places in its bytes: what rules and uses write with. For workers only.

A file is never parsed as a whole: LibCST is slow, and does not give every text back as it was. Each top-level statement
that a decision lies in is parsed by itself, and must come out as it went in.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import accumulate, count

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from asyncfix.blacken import formatted
from asyncfix.imports import Added, Names
from asyncfix.model import Span
from asyncfix.source import Source
from asyncfix.statements import whole
from asyncfix.transform import CannotWrite, Definition, Tree, Writing

FEEDS = re.compile(r"(?<=[\r\n])[ \t\f]*\f")
BRACKETED = (cst.Tuple, cst.GeneratorExp)  # `ast` counts the brackets of these as theirs


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of the top-level statements parsed so far, and their spans in the file.

    ``functions``: names of functions that decisions define, by the place of the decision.
    """

    source: Source
    tree: ast.Module
    spans: dict[cst.CSTNode, Span] = field(default_factory=lambda: dict[cst.CSTNode, Span]())
    expressions: dict[Span, cst.CSTNode] = field(default_factory=lambda: dict[Span, cst.CSTNode]())
    statements: dict[Span, cst.CSTNode] = field(default_factory=lambda: dict[Span, cst.CSTNode]())
    functions: dict[Span, str] = field(default_factory=lambda: dict[Span, str]())
    _loaded: set[int] = field(default_factory=lambda: set[int]())
    _starts: list[int] = field(default_factory=lambda: list[int]())

    def __post_init__(self) -> None:
        self._starts.extend(whole(self.source, statement).start for statement in self.tree.body)

    def load(self, span: Span) -> None:
        """Parse the top-level statement that holds a span. Raises CannotWrite."""
        index = bisect_right(self._starts, span.start) - 1
        if index in self._loaded:
            return
        outer = whole(self.source, self.tree.body[index]) if index >= 0 else Span(0, 0)
        if not outer.contains(span):
            raise CannotWrite("no statement stands where one was decided on")
        self._loaded.add(index)
        text = self.source.text(outer)
        module, within = _parsed(text)
        place = _places(text, outer, self.source.encoding)
        positions = MetadataWrapper(module, unsafe_skip_copy=True).resolve(ByteSpanPositionProvider)
        for node, found in positions.items():  # children come before their parents: the outermost of a span is the last
            at = Span(place(within(found.start)), place(within(found.start + found.length)))
            self.spans[node] = at
            if isinstance(node, cst.BaseExpression):
                self.expressions[at] = node
            elif isinstance(node, cst.BaseSmallStatement | cst.BaseCompoundStatement):
                self.statements[at] = node
        for node in positions:
            if isinstance(node, BRACKETED) and node.lpar:
                self.expressions[Span(self.spans[node.lpar[-1]].start, self.spans[node.rpar[0]].end)] = node


def _parsed(text: str) -> tuple[cst.Module, Callable[[int], int]]:
    """A statement, and the way from offsets in the UTF-8 text that was parsed to offsets in that of the statement.

    LibCST cannot read form feeds in an indentation, which mean nothing: then it is given the text without them.
    """
    try:
        return _same(text), lambda offset: offset
    except CannotWrite:
        feeds = list(FEEDS.finditer(text))
        if not feeds:
            raise
    gone = list(accumulate((len(feed.group()) for feed in feeds), initial=0))
    starts = [len(text[: feed.start()].encode()) - before for feed, before in zip(feeds, gone, strict=False)]
    return _same(FEEDS.sub("", text)), lambda offset: offset + gone[bisect_right(starts, offset)]


def _same(text: str) -> cst.Module:
    try:
        module = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise CannotWrite(f"LibCST cannot read the statement: {error.message}") from error
    if module.code != text:
        raise CannotWrite("LibCST does not give the statement back as it is")
    return module


def _places(text: str, outer: Span, encoding: str) -> Callable[[int], int]:
    """The way from offsets in the UTF-8 text of a statement to offsets in the file.

    LibCST ends the text with a line end that is not there: what stands behind the end is at the end.
    """
    if encoding == "utf-8" or text.isascii():
        return lambda offset: min(outer.start + offset, outer.end)
    widths = [len(character.encode(encoding)) for character in text]
    if sum(widths) != outer.end - outer.start:
        raise CannotWrite(f"the bytes of a character in {encoding} depend on those before it")
    here = list(accumulate(widths, initial=outer.start))
    there = accumulate((len(character.encode()) for character in text), initial=0)
    table = dict(zip(there, here, strict=True))
    return lambda offset: table.get(offset, outer.end)


class CstWriting(Writing):
    """What one decision is written with. ``added`` and ``asked`` say what it has asked for.

    at                where the decision stands: names are written as they are known there
    generated_module  the module of the project's generated code, as it is imported here
    http_module       the module that stands for ``httpx``
    black             line length, if the project configures black
    """

    def __init__(
        self, nodes: Nodes, names: Names, at: Span, generated_module: str, http_module: str, black: int | None
    ) -> None:
        self.source = nodes.source
        self.nodes = nodes
        self.names = names
        self.at = at
        self.generated_module = generated_module
        self.http_module = http_module
        self.black = black
        self.added: list[Added] = []
        self.asked: list[str] = []

    def node(self, span: Span) -> cst.CSTNode:
        self.nodes.load(span)
        found = self.nodes.expressions.get(span) or self.nodes.statements.get(span)
        if found is None:
            raise CannotWrite("the text is not what was surveyed")
        return found

    def span(self, node: cst.CSTNode) -> Span:
        return self.nodes.spans[node]

    def code(self, node: cst.CSTNode) -> str:
        """The source text of a node, as it stands in the file, with the parentheses round it."""
        span = self.span(node)
        opening, closing = getattr(node, "lpar", ()), getattr(node, "rpar", ())
        if isinstance(node, cst.BaseExpression) and opening and closing:
            span = Span(self.span(opening[0]).start, self.span(closing[-1]).end)
        return self.source.text(span)

    def name(self, dotted: str) -> str:
        package, dot, rest = dotted.partition(".")
        if package == "builtins" and self.names.free(rest, self.at):
            return rest
        written, added = self.names.find((self.http_module if package == "httpx" else package) + dot + rest, self.at)
        return self._with(written, added)

    def name_from(self, module: str, name: str) -> str:
        return self._with(*self.names.find_in(module, name, self.at))

    def module_of(self, name: str) -> str:
        return self.names.module_of(name, self.at)

    def generated(self, name: str) -> str:
        self.asked.append(name)
        return self._with(*self.names.find_in(self.generated_module, name, self.at, apart=True))

    def fresh(self, name: str, near: Span) -> str:
        return _free(name, _identifiers(self.source.text(self._round(near))))

    def function(self, name: str) -> str:
        functions = self.nodes.functions
        if self.at not in functions:
            near = self._round(self.at)
            others = {known for at, known in functions.items() if near.contains(at)}
            functions[self.at] = _free(name, _identifiers(self.source.text(near)) | others)
        return functions[self.at]

    def module_name(self, name: str) -> str:
        return _free(name, _identifiers(self.source.text(Span(0, len(self.source.data)))))

    def definition(self, span: Span) -> Definition:
        for node in ast.walk(self.nodes.tree):
            if isinstance(node, Definition) and self.source.span(node).start == span.start:
                return node
        raise CannotWrite("no function or class stands where one was decided on")

    def tree(self) -> Tree:
        return Tree(self.source, self.nodes.tree)

    def call(self, span: Span) -> ast.Call:
        for node in ast.walk(self.nodes.tree):
            if isinstance(node, ast.Call) and self.source.span(node) == span:
                return node
        raise CannotWrite("no call stands where one was decided on")

    def around(self, span: Span) -> tuple[ast.AST, ...]:
        found = _way(self.source, self.nodes.tree, span)
        if found is None:
            raise CannotWrite("no expression stands where one was decided on")
        return found

    def formatted(self, text: str, indent: str) -> str | None:
        return None if self.black is None else formatted(text, indent, self.black)

    def indent(self, span: Span) -> str:
        before = self.source.data[self.source.line_start(span.start) : span.start].rpartition(b"\f")[2]
        return before[: len(before) - len(before.lstrip(b" \t"))].decode("ascii")

    @property
    def step(self) -> str:
        for node in ast.walk(self.nodes.tree):
            block = getattr(node, "body", None) if isinstance(node, ast.stmt) else None
            if isinstance(node, ast.stmt) and block and block[0].lineno > node.lineno:
                inner, outer = self.indent(self.source.span(block[0])), self.indent(self.source.span(node))
                if inner.startswith(outer):
                    return inner[len(outer) :]
        return "    "

    def _with(self, written: str, added: Added | None) -> str:
        if added is not None:
            self.added.append(added)
        return written

    def _round(self, near: Span) -> Span:
        """The outermost function round a place, or the file."""
        nodes = ast.walk(self.nodes.tree)
        spans = (self.source.span(node) for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        return next((span for span in spans if span.contains(near)), Span(0, len(self.source.data)))


def _way(source: Source, node: ast.AST, span: Span) -> tuple[ast.AST, ...] | None:
    """The nodes round an expression of that span, nearest first, up to ``node``."""
    for child in ast.iter_child_nodes(node):
        at = source.span(child) if isinstance(child, ast.expr | ast.stmt) else None
        if at == span and isinstance(child, ast.expr):
            return (node,)
        decorators: list[ast.expr] = getattr(child, "decorator_list", [])  # which its own span leaves out
        if at is None or any(each.contains(span) for each in (at, *map(source.span, decorators))):
            below = _way(source, child, span)
            if below is not None:
                return (*below, node)
    return None


def _free(name: str, taken: Collection[str]) -> str:
    """The name, or the first with a number behind it that is not taken."""
    tries = (f"{name}{number}" if number > 1 else name for number in count(1))
    return next(each for each in tries if each not in taken)


def _identifiers(text: str) -> set[str]:
    """The names in a text, less those of attributes."""
    return set(re.findall(r"(?<![\w.])[^\W\d]\w*", text))
