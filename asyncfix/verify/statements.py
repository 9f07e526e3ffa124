"""Which statements of a file ran, and which new ones stand for which old ones."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from asyncfix.outcome import FileResult

# The first line of the statement that a list of statements belongs to (0 for the module), and which of its lists it is.
Block: TypeAlias = tuple[int, str]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_INERT = (ast.Pass, ast.Global, ast.Nonlocal)


@dataclass(frozen=True, slots=True)
class Statements:
    """``first``: any line of a statement -> its first line (of a compound one, the lines above its body). ``executable``:
    the first lines of those that leave a trace when they run. ``blocks``: the first line of each statement -> its block;
    ``named``: of each definition -> its name."""

    first: dict[int, int]
    executable: frozenset[int]
    blocks: dict[int, Block]
    named: dict[int, str]

    def ran(self, lines: Iterable[int]) -> frozenset[int]:
        """The first lines of the statements that ran, if these lines did."""
        return frozenset(self.first[line] for line in lines if line in self.first) & self.executable

    def among(self, first: int, count: int) -> tuple[int, ...]:
        """The first lines of the executable statements that have one of these lines, from top to bottom."""
        found = {self.first[line] for line in range(first, first + count) if line in self.first}
        return tuple(sorted(found & self.executable))


@dataclass(frozen=True, slots=True)
class Pair:
    """Statements (first lines) of the old file and those of the new one that were written in their place."""

    old: tuple[int, ...]
    new: tuple[int, ...]


def statements(data: bytes) -> Statements:
    """The statements of a Python file; none if it does not parse."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return Statements({}, frozenset(), {}, {})
    first: dict[int, int] = {}
    executable: set[int] = set()
    blocks: dict[int, Block] = {}
    named: dict[int, str] = {}
    for node in ast.walk(tree):  # from the outside to the inside: on a line of several the innermost one counts
        span = _lines(node)
        if span is not None:
            first |= dict.fromkeys(range(span[0], span[1] + 1), span[0])
            if not _is_inert(node):
                executable.add(span[0])
            if isinstance(node, _DEFINITIONS):
                named[span[0]] = node.name
        blocks |= dict(_inside(node, span[0] if span is not None else 0))
    return Statements(first, frozenset(executable), blocks, named)


def _inside(node: ast.AST, line: int) -> Iterator[tuple[int, Block]]:
    """The statements that a statement (or the module) holds: first line of each, and its block."""
    for name, value in ast.iter_fields(node):
        for inner in value if isinstance(value, list) else ():  # pyright: ignore[reportUnknownVariableType]
            span = _lines(inner) if isinstance(inner, ast.AST) else None
            if span is not None:
                yield span[0], (line, name)


def pairs(file: FileResult, old: Statements, new: Statements) -> Iterator[Pair]:
    """What was replaced by what: definitions by those of their names, others one by one where there are as many between two of
    these, else all by all."""
    for lines in file.lines:
        before = old.among(lines.old, lines.removed)
        after = new.among(lines.new, lines.added)
        for one, other in _between(before, after, old, new):
            if one and len(one) == len(other):
                yield from (Pair((each,), (its,)) for each, its in zip(one, other, strict=True))
            elif one and other:
                yield Pair(one, other)


def _between(
    before: tuple[int, ...], after: tuple[int, ...], old: Statements, new: Statements
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Old and new statements that belong together, as definitions of one name, and what stands above and below, divide them."""
    for at, line in enumerate(before):
        name = old.named.get(line)
        where = next((where for where, other in enumerate(after) if name and new.named.get(other) == name), None)
        if where is not None:
            yield before[:at], after[:where]
            yield (line,), (after[where],)
            yield from _between(before[at + 1 :], after[where + 1 :], old, new)
            return
    yield before, after


def _lines(node: ast.AST) -> tuple[int, int] | None:
    """The first and the last line of a statement, handler or case, less its body."""
    if isinstance(node, ast.match_case):
        return node.pattern.lineno, _above(node.body, node.pattern.lineno)
    if isinstance(node, ast.Match):
        return node.lineno, max(node.lineno, node.cases[0].pattern.lineno - 1)
    if not isinstance(node, ast.stmt | ast.excepthandler):
        return None
    start = _start(node)
    body: list[ast.stmt] = getattr(node, "body", [])
    return start, _above(body, start) if body else node.end_lineno or start


def _start(node: ast.stmt | ast.excepthandler) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _above(body: list[ast.stmt], start: int) -> int:
    return max(start, _start(body[0]) - 1)


def _is_inert(node: ast.AST) -> bool:
    """Whether it leaves no trace, or not with every Python."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, _INERT) or (isinstance(node, ast.AnnAssign) and node.value is None)
