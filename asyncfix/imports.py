"""What a name of another module is called in a file, and the import lines that this takes.

A name can be used as it is if an import that always runs binds it and nothing else does, in the module or in a function
round the place. Otherwise an import is asked for, under a name of its own where the usual one means something else here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, groupby

from asyncfix.model import Replace, Span, Value
from asyncfix.source import Source
from asyncfix.statements import blank_lines, line_of, next_line, whole

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Import = ast.Import | ast.ImportFrom
STANDARD, OTHER, LOCAL = range(3)
UNKNOWN = ""


class Added(Value, frozen=True):
    """An import to add: of a module, or of a ``name`` in it; relative modules begin with dots."""

    module: str
    name: str = ""
    alias: str = ""

    @property
    def section(self) -> int:
        if self.name:
            return LOCAL
        return STANDARD if _top(self.module) in sys.stdlib_module_names else OTHER


@dataclass(frozen=True, slots=True)
class Names:
    """What names mean in one file.

    module     what each name of the module's top level is bound to, as a dotted name (UNKNOWN: something else)
    always     the names that an unconditional import binds; loaded: the modules that such imports load by full name
    functions  every function with its span and the names that are its own
    """

    module: Mapping[str, frozenset[str]]
    always: frozenset[str]
    loaded: frozenset[str]
    functions: tuple[tuple[Span, frozenset[str]], ...]

    def find(self, dotted: str, at: Span) -> tuple[str, Added | None]:
        """How to write ``dotted`` (a module, or something in one) at a place, and the import that this takes."""
        module = dotted.rpartition(".")[0] or dotted
        top = _top(module)
        if module in self.loaded and self._means(top, top, at):
            return dotted, None
        for meaning in dict.fromkeys((module, dotted)):
            name = self._bound_to(meaning, at)
            if name is not None and (name != meaning or name in self.loaded):
                return name + dotted[len(meaning) :], None
        if self._free(top, at, top):
            return dotted, Added(module)
        alias = self._unused("_" + module.replace(".", "_"))
        return alias + dotted[len(module) :], Added(module, alias=alias)

    def find_in(self, module: str, name: str, at: Span) -> tuple[str, Added | None]:
        """How to write a name that is imported from a module (``from module import name``) at a place."""
        meaning = f"{module.rstrip('.') and module + '.'}{name}"
        known = self._bound_to(meaning, at)
        if known is not None:
            return known, None
        if self._free(name, at):
            return name, Added(module, name)
        alias = self._unused(f"_{name.lstrip('_')}")
        return alias, Added(module, name, alias)

    def _bound_to(self, meaning: str, at: Span) -> str | None:
        """A name that always has this meaning."""
        return next((name for name in sorted(self.always) if self._means(name, meaning, at)), None)

    def _means(self, name: str, meaning: str, at: Span) -> bool:
        return name in self.always and self.module[name] == {meaning} and not self._hidden(name, at)

    def _free(self, name: str, at: Span, meaning: str = UNKNOWN) -> bool:
        """Whether the module could bind a name to ``meaning``, and that would hold at a place."""
        others = self.module.get(name, frozenset()) - ({meaning} if meaning else frozenset[str]())
        return not others and not self._hidden(name, at)

    def _hidden(self, name: str, at: Span) -> bool:
        return any(name in own for span, own in self.functions if span.contains(at))

    def _unused(self, name: str) -> str:
        taken = {*self.module, *(name for _, own in self.functions for name in own)}
        tries = (name if number == 1 else f"{name}{number}" for number in count(1))
        return next(each for each in tries if each not in taken)


def read_names(source: Source, tree: ast.Module) -> Names:
    """What the names of a file mean."""
    module: dict[str, set[str]] = {}
    for name, meaning in bindings(tree):
        module.setdefault(name, set()).add(meaning)
    functions: list[tuple[Span, frozenset[str]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            for name in node.names:
                module.setdefault(name, set()).add(UNKNOWN)
        elif isinstance(node, Function):
            functions.append((source.span(node), frozenset(name for name, _ in bindings(node))))
    sure = [node for node in tree.body if isinstance(node, Import)]
    return Names(
        {name: frozenset(meanings) for name, meanings in module.items()},
        frozenset(name for node in sure for name, _ in imported(node)),
        frozenset(part for node in sure if isinstance(node, ast.Import) for part in _loaded(node)),
        tuple(functions),
    )


def bindings(scope: ast.AST) -> Iterator[tuple[str, str]]:
    """The names bound in a module or function itself, with what imports bind them to (else UNKNOWN)."""
    left = list(ast.iter_child_nodes(scope))
    while left:
        node = left.pop()
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, Import):
            yield from imported(node)
            continue
        name = _bound_by(node)
        if name is not None:
            yield name, UNKNOWN
        if not isinstance(node, Definition):
            left.extend(ast.iter_child_nodes(node))


def imported(node: Import) -> Iterator[tuple[str, str]]:
    """The names that an import statement binds, and the dotted names that they then stand for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (_top(alias.name), _top(alias.name))
        return
    module = "." * node.level + (node.module + "." if node.module else "")
    for alias in node.names:
        yield alias.asname or alias.name, module + alias.name


def additions(source: Source, tree: ast.Module, added: Collection[Added]) -> tuple[Replace, ...]:
    """The insertions that add some imports, at most one at each place, sorted."""
    edits: list[Replace] = []
    lines: list[_Line] = []
    for module, group in groupby(sorted(set(added), key=_order), key=lambda item: (item.module, bool(item.name))):
        names = [item for item in group if item.name]
        statement = _from(tree, module[0]) if names else None
        if statement is not None:
            edits += _extended(source, statement, names)
        elif names:
            lines.append(_placed(source, tree, names[0], f"from {module[0]} import {', '.join(map(_written, names))}"))
        else:
            lines += [_placed(source, tree, item, _import(item)) for item in set(added) if item == Added(*_plain(item, module[0]))]
    lines.sort(key=lambda line: (line.at, line.section, line.text))
    edits += [_inserted(source, at, list(group)) for at, group in groupby(lines, key=lambda line: line.at)]
    return tuple(sorted(edits, key=lambda edit: edit.span))
