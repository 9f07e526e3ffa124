"""Other names in place of some, wherever a file means them: in imports, annotations, calls, bases of classes.

A class changes its name everywhere, a function where it is called: handed on as a value it stays what it is. An import
follows the names that stand for it; of one that is still needed under its old name the new one is added.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from asyncfix.imports import imported, read_names
from asyncfix.model import Edit, Rename, Renames, Replace, Span
from asyncfix.source import Source
from asyncfix.transform import CannotWrite, Writing

FROM = re.compile(rb"from\s+([.\w\s]*?)\s*\bimport\b")
NAME = re.compile(rb"(?:async\s+)?def\s+(\w+)")
EXPORTS = "__all__"


def rename(decision: Rename, source: Source) -> list[Edit]:
    """The new name of one expression or function. Raises CannotWrite."""
    definition = NAME.match(source.data, decision.span.start)
    end = definition.end() if definition is not None else decision.span.end
    start = end - len(decision.old.encode(source.encoding))
    if source.text(Span(start, end)) != decision.old:
        raise CannotWrite("the name is not what was surveyed")
    return [Replace(Span(start, end), decision.new)]


def renames(decision: Renames, tree: ast.Module, writing: Writing) -> list[Edit]:
    """All edits that the new names take in a file."""
    return list(_Renaming(decision, tree, writing).edits())


@dataclass(slots=True)
class _Alias:
    """One name of a ``from`` import that is to be another; ``new`` is the dotted name it then stands for."""

    statement: ast.ImportFrom
    node: ast.alias
    new: str
    local: str
    kept: bool = False
    used: bool = False

    @property
    def last(self) -> str:
        return self.new.rpartition(".")[2]

    @property
    def is_beside(self) -> bool:
        """Whether the new name is imported beside the old one."""
        return self.kept and not self.node.asname

    @property
    def after(self) -> str:
        """The name in the file."""
        return self.node.asname or self.last


@dataclass(slots=True)
class _Renaming:
    decision: Renames
    tree: ast.Module
    writing: Writing
    _parents: dict[ast.AST, ast.AST] = field(default_factory=lambda: dict[ast.AST, ast.AST]())

    def edits(self) -> Iterator[Edit]:
        for parent in ast.walk(self.tree):
            self._parents |= dict.fromkeys(ast.iter_child_nodes(parent), parent)
        table = dict(self.decision.names)
        aliases = {alias.local: alias for alias in self._aliases(table)}
        modules = dict(self._modules())
        hidden = read_names(self.source, self.tree).functions
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and node.id in aliases:
                yield from self._named(node, aliases[node.id], hidden)
            elif isinstance(node, ast.Attribute):
                yield from self._attribute(node, modules, table)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from self._text(node, aliases)
        yield from self._statements(aliases.values())

    @property
    def source(self) -> Source:
        return self.writing.source

    # ---------------------------------------------------------------------------------------------------------- meaning

    def _absolute(self, node: ast.ImportFrom) -> str:
        """The full name of the module that a statement imports from."""
        if not node.level:
            return node.module or ""
        parts = self.decision.package.split(".")
        base = parts[: len(parts) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])

    def _aliases(self, table: Mapping[str, str]) -> Iterator[_Alias]:
        for node in self._froms():
            for alias in node.names:
                new = table.get(f"{self._absolute(node)}.{alias.name}")
                if new is not None and not self._is_spared(node):
                    yield _Alias(node, alias, new, alias.asname or alias.name)

    def _froms(self) -> Iterator[ast.ImportFrom]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ImportFrom))

    def _modules(self) -> Iterator[tuple[str, str]]:
        """The names that imports of modules bind, with what they mean."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from imported(node)
            elif isinstance(node, ast.ImportFrom):
                yield from ((item.asname or item.name, f"{self._absolute(node)}.{item.name}") for item in node.names)

    def _is_spared(self, node: ast.expr | ast.stmt) -> bool:
        span = self.source.span(node)
        return any(each.contains(span) for each in self.decision.spared)

    # ------------------------------------------------------------------------------------------------------------- uses

    def _named(
        self, node: ast.Name, alias: _Alias, hidden: Sequence[tuple[Span, Mapping[str, frozenset[str]]]]
    ) -> Iterator[Edit]:
        span = self.source.span(node)
        local = self._parent_function(alias.statement)
        if any(node.id in own and each.contains(span) and each != local for each, own in hidden):
            return
        if self._is_spared(node) or not self._changes(node, alias.new):
            alias.kept = True
            return
        alias.used = True
        if alias.after != alias.local:
            yield Replace(span, alias.after)

    def _parent_function(self, node: ast.AST) -> Span | None:
        while (parent := self._parents.get(node)) is not None:
            if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
                return self.source.span(parent)
            node = parent
        return None

    def _changes(self, node: ast.expr, new: str) -> bool:
        """Whether a name changes at this place: that of a class always, that of a function where it is called or tested."""
        if new.rpartition(".")[2].lstrip("_")[:1].isupper():
            return True
        parent = self._parents[node]
        tested = isinstance(parent, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.If)
        stored = isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
        return stored or tested or (isinstance(parent, ast.Call) and parent.func is node)

    def _attribute(self, node: ast.Attribute, modules: Mapping[str, str], table: Mapping[str, str]) -> Iterator[Edit]:
        """``pkg.Client``, whatever ``pkg`` is called here."""
        parts = [node.attr]
        value = node.value
        while isinstance(value, ast.Attribute):
            parts.append(value.attr)
            value = value.value
        if not isinstance(value, ast.Name) or value.id not in modules:
            return
        old = ".".join([modules[value.id], *reversed(parts)])
        new = table.get(old)
        if new is None or self._is_spared(node) or not self._changes(node, new):
            return
        if old.rpartition(".")[0] == new.rpartition(".")[0]:
            end = self.source.span(node).end
            yield Replace(Span(end - len(node.attr.encode(self.source.encoding)), end), new.rpartition(".")[2])
        else:
            yield Replace(self.source.span(node), self.writing.name(new))

    def _text(self, node: ast.Constant, aliases: Mapping[str, _Alias]) -> Iterator[Edit]:
        """An annotation that is a string; names in ``__all__`` stay, and so do what they stand for."""
        if self._is_export(node):
            for alias in aliases.values():
                alias.kept = alias.kept or node.value == alias.local
            return
        if not self._is_annotation(node) or self._is_spared(node):
            return
        span = self.source.span(node)
        old = new = self.source.text(span)
        for alias in aliases.values():
            new = re.sub(rf"(?<![\w.]){re.escape(alias.local)}\b", alias.after, new)
            alias.used = alias.used or new != old
        if new != old:
            yield Replace(span, new)

    def _is_export(self, node: ast.AST) -> bool:
        while isinstance(parent := self._parents.get(node), (ast.List, ast.Tuple, ast.BinOp)):
            node = parent
        targets = parent.targets if isinstance(parent, ast.Assign) else ()
        return any(isinstance(item, ast.Name) and item.id == EXPORTS for item in targets)

    def _is_annotation(self, node: ast.AST) -> bool:
        parent = self._parents.get(node)
        while isinstance(parent, (ast.Subscript, ast.Tuple, ast.BinOp, ast.List)):
            node, parent = parent, self._parents.get(parent)
        match parent:
            case ast.arg() | ast.AnnAssign():
                return parent.annotation is node
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return parent.returns is node
            case _:
                return False

    # ---------------------------------------------------------------------------------------------------------- imports

    def _statements(self, aliases: Iterable[_Alias]) -> Iterator[Edit]:
        by_statement: dict[ast.ImportFrom, list[_Alias]] = {}
        for alias in aliases:
            if alias.used or not (alias.kept or self._is_own(alias)):
                by_statement.setdefault(alias.statement, []).append(alias)
        for statement, found in by_statement.items():
            yield from self._statement(statement, found)

    def _is_own(self, alias: _Alias) -> bool:
        """Whether the name is only handed on, by a module of the package that defines it."""
        return alias.new.partition(".")[0] == self.decision.package.partition(".")[0]

    def _statement(self, statement: ast.ImportFrom, found: Sequence[_Alias]) -> Iterator[Edit]:
        module = self._absolute(statement)
        moved: dict[str, list[_Alias]] = {}
        there: list[ast.alias] = []
        for alias in found:
            home = alias.new.rpartition(".")[0]
            if home != module:
                moved.setdefault(home, []).append(alias)
            elif any(item.name == alias.last and not item.asname for item in statement.names) and not alias.node.asname:
                there += [] if alias.kept else [alias.node]
            else:
                yield Replace(self._name(alias), f"{alias.node.name}, {alias.last}" if alias.is_beside else alias.last)
        gone = there + [alias.node for each in moved.values() for alias in each if not alias.kept]
        if gone and len(gone) == len(statement.names):
            home, *others = moved
            yield Replace(self._module(statement), self._written(statement, home))
            yield from (Replace(self._name(alias), alias.last) for alias in moved[home])
            yield from self._cut(statement, [alias.node for each in others for alias in moved[each]])
            del moved[home]
        else:
            yield from self._cut(statement, gone)
        if moved:
            span = self.source.span(statement)
            indent = self.writing.indent(span)
            lines = (f"\n{indent}from {self._written(statement, home)} import {_names(moved[home])}" for home in moved)
            yield Replace(Span(span.end, span.end), "".join(lines))

    def _module(self, statement: ast.ImportFrom) -> Span:
        """The module that a statement names."""
        written = FROM.match(self.source.data, self.source.span(statement).start)
        if written is None:
            raise CannotWrite("expected an import")
        return Span(*written.span(1))

    def _name(self, alias: _Alias) -> Span:
        start = self.source.span(alias.node).start
        return Span(start, start + len(alias.node.name.encode(self.source.encoding)))

    def _cut(self, statement: ast.ImportFrom, gone: Sequence[ast.alias]) -> Iterator[Edit]:
        """Take some, not all, of the names of a statement out, each with the comma that parts it from the next."""
        names = statement.names
        left = [item for item in names if item not in gone]
        for index, item in enumerate(names):
            if item not in gone:
                continue
            behind = next((other for other in names[index + 1 :]), None)
            if behind is not None and any(other in left for other in names[index + 1 :]):
                yield Replace(Span(self.source.span(item).start, self.source.span(behind).start), "")
            else:
                before = names[index - 1]
                yield Replace(Span(self.source.span(before).end, self.source.span(item).end), "")

    def _written(self, statement: ast.ImportFrom, module: str) -> str:
        """A module as the statement would name it: relative if that was, and it can be."""
        parts, base = module.split("."), self.decision.package.split(".")
        if not statement.level or parts[0] != base[0]:
            return module
        shared = 0
        while shared < min(len(parts), len(base)) and parts[shared] == base[shared]:
            shared += 1
        return "." * (len(base) - shared + 1) + ".".join(parts[shared:])


def _names(aliases: Iterable[_Alias]) -> str:
    return ", ".join(f"{alias.last} as {alias.node.asname}" if alias.node.asname else alias.last for alias in aliases)
