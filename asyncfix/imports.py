"""What a name of another module is called in a file, and the import lines that this takes.

A name can be used as it is if an import that has always run there binds it and nothing else does, in the module or in a
function round the place. Otherwise an import is asked for, under a name of its own where the usual one means something
else here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, groupby

from asyncfix.flow import Definition, blocks
from asyncfix.model import Replace, Span, Value
from asyncfix.source import Source
from asyncfix.statements import blank_lines, line_of, next_line

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
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
        if _top(self.module) in sys.stdlib_module_names:
            return STANDARD
        return LOCAL if self.name else OTHER


@dataclass(frozen=True, slots=True)
class Names:
    """What names mean in one file.

    module     what each name of the module's top level is bound to, as a dotted name (UNKNOWN: something else)
    always     the names that an unconditional import binds; loaded: the modules that such imports load by full name
    givers     the modules that such imports take names from
    functions  every function with its span and what its own names are bound to, the inner ones behind the outer
    local      names that an import in a function binds, with the span of the statements that stand behind it
    exposed    names may come from elsewhere, or go there: by star imports of this file or of others
    """

    module: Mapping[str, frozenset[str]]
    always: frozenset[str]
    loaded: frozenset[str]
    givers: frozenset[str]
    functions: tuple[tuple[Span, Mapping[str, frozenset[str]]], ...]
    local: tuple[tuple[str, Span], ...]
    exposed: bool = False

    def find(self, dotted: str, at: Span) -> tuple[str, Added | None]:
        """How to write ``dotted`` (a module, or something in one) at a place, and the import that this takes."""
        module = dotted.rpartition(".")[0] or dotted
        top = _top(module)
        if module in self.loaded and self._means(top, top, at):
            return dotted, None
        for meaning in dict.fromkeys((module, dotted)):
            name = self._bound_to(meaning, at)
            if name is not None:
                return name + dotted[len(meaning) :], None
        if module != top and module in self.givers:
            return self.find_in(module, dotted[len(module) + 1 :], at)
        if self.free(top, at, top):
            return dotted, Added(module)
        alias = self._unused("_" + module.replace(".", "_"))
        return alias + dotted[len(module) :], Added(module, alias=alias)

    def find_in(self, module: str, name: str, at: Span, *, apart: bool = False) -> tuple[str, Added | None]:
        """How to write a name that is imported from a module (``from module import name``) at a place.

        ``apart``: under one that neither star imports nor builtins bring, where there are such.
        """
        meaning = f"{module.rstrip('.') and module + '.'}{name}"
        known = self._bound_to(meaning, at)
        if known is not None:
            return known, None
        if self.free(name, at) and not (apart and self.exposed):
            return name, Added(module, name)
        alias = self._unused(f"_{name.lstrip('_')}")
        return alias, Added(module, name, alias)

    def _bound_to(self, meaning: str, at: Span) -> str | None:
        """A name that always has this meaning."""
        bound = {*self.always, *(name for name, behind in self.local if behind.contains(at))}
        return next((name for name in sorted(bound) if self._means(name, meaning, at)), None)

    def _means(self, name: str, meaning: str, at: Span) -> bool:
        owners = [(span, own[name]) for span, own in self.functions if name in own and span.contains(at)]
        if not owners:
            return name in self.always and self.module[name] == frozenset({meaning})
        function, meanings = owners[-1]
        imports = (behind for known, behind in self.local if known == name and function.contains(behind))
        return meanings == frozenset({meaning}) and any(behind.contains(at) for behind in imports)

    def module_of(self, name: str, at: Span) -> str:
        """The module from which a name at a place is imported, '' if that is not certain."""
        meanings = self.module.get(name, frozenset())
        meaning = next(iter(meanings)) if len(meanings) == 1 and not self._hidden(name, at) else ""
        return meaning.rpartition(".")[0] if meaning.endswith(f".{name}") else ""

    def free(self, name: str, at: Span, meaning: str = UNKNOWN) -> bool:
        """Whether the module could bind a name to ``meaning``, and that would hold at a place."""
        others = self.module.get(name, frozenset()) - ({meaning} if meaning else frozenset[str]())
        return not others and not self._hidden(name, at)

    def _hidden(self, name: str, at: Span) -> bool:
        return any(name in own for span, own in self.functions if span.contains(at))

    def _unused(self, name: str) -> str:
        taken = {*self.module, *(name for _, own in self.functions for name in own)}
        tries = (name if number == 1 else f"{name}{number}" for number in count(1))
        return next(each for each in tries if each not in taken)


def read_names(source: Source, tree: ast.Module, exposed: bool = False) -> Names:
    """What the names of a file mean. ``exposed``: others import all of them."""
    module = _meanings(bindings(tree))
    functions: list[tuple[Span, dict[str, frozenset[str]]]] = []
    local: list[tuple[str, Span]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            for name in node.names:
                module[name] = module.get(name, frozenset()) | {UNKNOWN}
        elif isinstance(node, Function):
            functions.append((source.span(node), _meanings(bindings(node))))
            local += _local(source, node) if not isinstance(node, ast.Lambda) else ()
    sure = [node for node in tree.body if isinstance(node, Import)]
    return Names(
        module,
        frozenset(name for node in sure for name, _ in imported(node)),
        frozenset(part for node in sure if isinstance(node, ast.Import) for part in _loaded(node)),
        frozenset(node.module for node in sure if isinstance(node, ast.ImportFrom) and node.module and not node.level),
        tuple(functions),
        tuple(local),
        exposed or "*" in module,
    )


def _meanings(bound: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, meaning in bound:
        found.setdefault(name, set()).add(meaning)
    return {name: frozenset(meanings) for name, meanings in found.items()}


def _local(source: Source, function: ast.AST) -> Iterator[tuple[str, Span]]:
    """The names that imports in a function bind, with the rest of the block that each import stands in."""
    for block in blocks(function):
        for statement in block:
            if isinstance(statement, Import):
                behind = Span(source.span(statement).end, source.span(block[-1]).end)
                yield from ((name, behind) for name, _ in imported(statement))


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


def from_imports(tree: ast.Module) -> frozenset[str]:
    """The names that the statements bind which may be given further ones."""
    nodes = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    return frozenset(alias.asname or alias.name for node in nodes for alias in node.names)


def additions(
    source: Source, tree: ast.Module, added: Collection[Added], leaving: Collection[str] = ()
) -> tuple[Replace, ...]:
    """The edits that add some imports, at most one at each place, sorted.

    ``leaving``: names of which nothing will be read any more. Where a statement gets a new name, these go at once.
    """
    blocks = _blocks(source, tree)
    lines = [_placed(source, tree, blocks, item, _statement([item])) for item in set(added) if not item.name]
    edits: list[Replace] = []
    named = sorted((item for item in set(added) if item.name), key=lambda item: (item.module, item.name, item.alias))
    for module, group in groupby(named, key=lambda item: item.module):
        names = list(group)
        statement = _from(tree, module)
        if statement is None:
            lines.append(_placed(source, tree, blocks, names[0], _statement(names)))
        else:
            edits += _extended(source, statement, names, leaving)
    lines.sort(key=lambda line: (line.at, line.section, line.text))
    edits += [_inserted(source, at, list(group)) for at, group in groupby(lines, key=lambda line: line.at)]
    return tuple(sorted(edits, key=lambda edit: edit.span))


@dataclass(frozen=True, slots=True)
class _Line:
    """An import statement to insert at the beginning of a line, with blank lines before and after it."""

    at: int
    section: int
    text: str
    before: int = 0
    after: int = 0


def _placed(source: Source, tree: ast.Module, blocks: list[list[Import]], item: Added, text: str) -> _Line:
    """Where a new import line belongs: in the first block of its kind, at its place in the alphabet."""
    block = next((each for each in blocks if any(_section(node) == item.section for node in each)), None)
    if block is not None:
        return _Line(_within(source, tree, block, item), item.section, text)
    if not blocks:
        return _below_heading(source, tree, item.section, text)
    earlier = [each for each in blocks if any(_section(node) < item.section for node in each)]
    if not earlier:
        return _Line(_line(source, tree, blocks[0][0]).start, item.section, text, after=1)
    end = _line(source, tree, earlier[-1][-1]).end
    return _Line(end, item.section, text, before=1, after=_missing(source, end, 1))


def _within(source: Source, tree: ast.Module, block: list[Import], item: Added) -> int:
    """The beginning of the line in a block of imports that stands behind a new one."""
    if item.section == LOCAL:
        return _line(source, tree, block[-1]).end
    kin = [node for node in block if _section(node) == item.section]
    if item.name:
        return _line(source, tree, kin[-1]).end
    plain = [node for node in kin if isinstance(node, ast.Import)]
    later = next((node for node in plain if node.names[0].name.lower() > item.module.lower()), None)
    if later is None and plain:
        return _line(source, tree, plain[-1]).end
    index = block.index(later or kin[0])
    # Behind what comes before it, so that a comment above an import stays with it.
    return _line(source, tree, block[index - 1]).end if index else _line(source, tree, block[0]).start


def _below_heading(source: Source, tree: ast.Module, section: int, text: str) -> _Line:
    """Below the comments at the top, the docstring and ``__future__``, in a file without other imports."""
    heading = [node for index, node in enumerate(tree.body) if _is_heading(node, index)]
    if heading:
        end = _line(source, tree, heading[-1]).end
        return _Line(end, section, text, before=1, after=_missing(source, end, 1))
    start = _line(source, tree, tree.body[0]).start
    blank = 2 if isinstance(tree.body[0], Definition) else 1
    top = source.line_start(0)
    above = start
    while above > top and source.data[source.line_start(above - 1) : above].lstrip().startswith(b"#"):
        above = source.line_start(above - 1)
    return _Line(start if above == top else above, section, text, after=blank)


def _is_heading(node: ast.stmt, index: int) -> bool:
    if index == 0 and isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _missing(source: Source, at: int, wanted: int) -> int:
    """How many blank lines to add behind an insertion, so that at least ``wanted`` follow or the file ends."""
    return max(wanted - len(blank_lines(source, at)), 0) if at < len(source.data) else 0


def _inserted(source: Source, at: int, lines: list[_Line]) -> Replace:
    """The lines for one place as one insertion, kinds of imports parted by a blank line if they begin a block."""
    groups = ["".join(f"{line.text}\n" for line in group) for _, group in groupby(lines, key=lambda line: line.section)]
    between = "\n" if any(line.before or line.after for line in lines) else ""
    unended = at > 0 and source.data[at - 1 : at] not in (b"\n", b"\r") and at != source.line_start(0)
    text = "\n" * (lines[0].before + unended) + between.join(groups) + "\n" * lines[-1].after
    return Replace(Span(at, at), text)


def _extended(
    source: Source, statement: ast.ImportFrom, names: Sequence[Added], leaving: Collection[str]
) -> list[Replace]:
    """The list of an import statement with further names where the alphabet has them, or in place of those that leave."""
    out = [alias for alias in statement.names if (alias.asname or alias.name) in leaving]
    if out:
        return _exchanged(source, statement, [_alias(item) for item in names], out)
    texts: dict[int, str] = {}
    for item in names:
        later = next((alias for alias in statement.names if alias.name > item.name), None)
        if later is not None:
            at, text = source.span(later).start, f"{_alias(item)}, "
        else:
            at, text = source.span(statement.names[-1]).end, f", {_alias(item)}"
        texts[at] = texts.get(at, "") + text
    return [Replace(Span(at, at), text) for at, text in texts.items()]


def _exchanged(
    source: Source, statement: ast.ImportFrom, names: Sequence[str], out: Sequence[ast.alias]
) -> list[Replace]:
    """The list of an import statement with some names in place of others."""
    whole = Span(source.span(statement.names[0]).start, source.span(statement.names[-1]).end)
    old = [source.text(source.span(alias)) for alias in statement.names]
    if whole.end - whole.start == len(", ".join(old)):
        kept = [text for text, alias in zip(old, statement.names, strict=True) if alias not in out]
        new = sorted((*kept, *names)) if old == sorted(old) else [*kept, *names]
        return [Replace(whole, ", ".join(new))]
    # On lines of their own, with comments: each new one stands where an old one did.
    texts = [*names[: len(out) - 1], ", ".join(names[len(out) - 1 :])]
    return [Replace(source.span(alias), text) for alias, text in zip(out, texts, strict=False) if text]


def _from(tree: ast.Module, module: str) -> ast.ImportFrom | None:
    """The unconditional statement that imports names from a module."""
    found = (node for node in tree.body if isinstance(node, ast.ImportFrom) and node.names[0].name != "*")
    return next((node for node in found if "." * node.level + (node.module or "") == module), None)


def _statement(items: list[Added]) -> str:
    """The import statement of one module, or of several names of one module."""
    first = items[0]
    if first.name:
        return f"from {first.module} import {', '.join(map(_alias, items))}"
    return f"import {first.module}" + (f" as {first.alias}" if first.alias else "")


def _alias(item: Added) -> str:
    return f"{item.name} as {item.alias}" if item.alias else item.name


def _blocks(source: Source, tree: ast.Module) -> list[list[Import]]:
    """The imports at the top of a file, in groups between which there is a blank line or other code."""
    blocks: list[list[Import]] = []
    before: ast.stmt | None = None
    for node in tree.body:
        if isinstance(node, Definition):
            break
        if isinstance(node, Import) and not _is_heading(node, 1):
            if before is None or not blocks or before is not blocks[-1][-1] or _parted(source, before, node):
                blocks.append([])
            blocks[-1].append(node)
        before = node
    return blocks


def _parted(source: Source, before: ast.stmt, node: ast.stmt) -> bool:
    """Whether there is a blank line between two statements."""
    at = next_line(source, source.span(before).end)
    start = source.line_start(source.span(node).start)
    while at is not None and at < start:
        if blank_lines(source, at):
            return True
        at = next_line(source, at)
    return False


def _section(node: Import) -> int:
    if isinstance(node, ast.ImportFrom) and node.level:
        return LOCAL
    name = node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
    return STANDARD if _top(name) in sys.stdlib_module_names else OTHER


def _line(source: Source, tree: ast.Module, statement: ast.stmt) -> Span:
    return line_of(source, tree.body, tree.body.index(statement))


def _loaded(node: ast.Import) -> Iterator[str]:
    """The modules that can be written by their full names after an import statement."""
    for alias in node.names:
        parts = alias.name.split(".") if alias.asname in (None, alias.name) else []
        yield from (".".join(parts[: index + 1]) for index in range(len(parts)))


def _bound_by(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return name
        case ast.MatchMapping(rest=name):
            return name
        case _:
            return None


def _top(module: str) -> str:
    return module.partition(".")[0]
