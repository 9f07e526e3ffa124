"""Imports that a rewriting left without a use, and the edits that remove them.

Removed is what its own file used before and does not any more. What stands in a `try` or an `if` has a reason to be
there, `import x as x` is there for others, and no block is left empty. Code in a string is a use, too: a doctest, or an
expression on what a name is bound to. Nothing is removed where names are looked up as text.
"""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from collections.abc import Collection, Iterator, Sequence

from asyncfix.blocks import called
from asyncfix.imports import Import, imported
from asyncfix.model import Replace, Span
from asyncfix.source import Source
from asyncfix.statements import line_of, next_line, with_blank_lines

Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef
ALONE = re.compile(rb"[ \t\f]*,?[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n)")
COMMA = re.compile(rb"[ \t\f]*,[ \t\f]*")


LOOKING_UP = frozenset({"eval", "exec", "globals", "locals", "vars"})
DOTTED = re.compile(r"[^\W\d]\w*\s*\.\s*[^\W\d]")
PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.) (.*)$", re.MULTILINE)


def removals(
    source: Source, old: ast.Module, new: ast.Module, kept: Collection[str], touched: Collection[int]
) -> list[Replace]:
    """The deletions that remove the imports which ``old`` uses and ``new`` does not, but for names in ``kept``.

    ``touched`` are the offsets at which something is inserted: blank lines there are left alone.
    """
    gone = unused(old, new) - set(kept)
    if not gone:
        return []
    deleted: list[Replace] = []
    for scope in ast.walk(old):
        if isinstance(scope, Scope):
            deleted += _in_block(source, scope, gone, touched)
    return deleted


def unused(old: ast.Module, new: ast.Module) -> set[str]:
    """The names that ``old`` reads and ``new`` does not; none where they may be looked up as text."""
    gone = _used(old) - _used(new)
    return set[str]() if gone and _looks_up(old) else gone


def _used(tree: ast.Module) -> set[str]:
    """The names that are read or deleted somewhere in a file, also in annotations as strings, in ``__all__`` and in code."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            names.add(node.id)
        for text in _names_in_strings(node):
            names |= _identifiers(text)
    return names


def _looks_up(tree: ast.Module) -> bool:
    """Whether a file may look up its names as text; `vars(x)` gives those of ``x``."""
    others = {
        node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args and called(node) == "vars"
    }
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in others)
    return any(node.id in LOOKING_UP for node in names)


def _names_in_strings(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.arg(annotation=ast.expr() as part) | ast.AnnAssign(annotation=part):
            yield from _strings(part)
        case ast.FunctionDef(returns=ast.expr() as part) | ast.AsyncFunctionDef(returns=ast.expr() as part):
            yield from _strings(part)
        case ast.Call(func=ast.Name(id="cast") | ast.Attribute(attr="cast"), args=[part, _]):
            yield from _strings(part)
        case ast.Assign(targets=[ast.Name(id="__all__")], value=part) | ast.AugAssign(
            target=ast.Name(id="__all__"), value=part
        ):
            yield from _strings(part)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="__all__")), args=parts):
            for part in parts:
                yield from _strings(part)
        case ast.Constant(value=str() as text):
            yield from PROMPT.findall(text)
            yield from _objects(text)
        case _:
            return


def _objects(text: str) -> Iterator[str]:
    """The names in front of a dot in a text that is an expression."""
    if DOTTED.search(text):
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for node in ast.walk(ast.parse(text.strip(), mode="eval")):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    yield node.value.id


def _strings(node: ast.expr) -> Iterator[str]:
    return (part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))


def _identifiers(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w*", text))


def _in_block(source: Source, scope: Scope, gone: set[str], touched: Collection[int]) -> Iterator[Replace]:
    """Deletions among the statements of a module or a function, not of blocks inside."""
    whole: list[int] = []
    for index, node in enumerate(scope.body):
        if not isinstance(node, Import):
            continue
        out = [alias for alias in node.names if _may_go(node, alias, gone)]
        if len(out) == len(node.names):
            whole.append(index)
        elif out:
            yield from _from_list(source, node, out)
    if len(whole) < len(scope.body):
        spans = [span for index in whole if (span := _deleted(source, scope.body, index)) is not None]
        yield from (Replace(span, "") for span in _tidy(source, spans, touched))


def _may_go(node: Import, alias: ast.alias, gone: set[str]) -> bool:
    if (
        alias.name == "*"
        or alias.asname == alias.name
        or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
    ):
        return False
    return (alias.asname or alias.name.partition(".")[0]) in gone


def _deleted(source: Source, body: Sequence[ast.stmt], index: int) -> Span | None:
    """The bytes to delete with a whole statement: its lines, or its part of a line; None if a block would be bare."""
    span = source.span(body[index])
    line = line_of(source, body, index)
    last = next_line(source, span.end) is not None
    first = not source.data[line.start : span.start].strip()
    if first and last:
        return line
    if not last:
        return Span(span.start, source.span(body[index + 1]).start)
    before = source.span(body[index - 1]).end if index else line.start
    return Span(before, span.end) if before > line.start else None


def _tidy(source: Source, spans: Sequence[Span], touched: Collection[int]) -> Iterator[Span]:
    """The spans, those that touch made one, with the blank lines that would be too many where lines go."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    for span in joined:
        if span.start in touched or span.end in touched or source.line_start(span.start) != span.start:
            yield span
            continue
        yield with_blank_lines(source, span)


def _from_list(source: Source, node: Import, out: Sequence[ast.alias]) -> list[Replace]:
    """Deletions of some names from the list of an import statement; none if it is written in a way not understood."""
    first, last, end = source.span(node.names[0]).start, source.span(node.names[-1]).end, source.span(node).end
    bracketed = last < end
    if bracketed and re.search(rb"[\r\n]", source.data[first:end]):
        edits = [Replace(span, "") for span in _lines_of_list(source, out)]
    else:
        left = ", ".join(source.text(source.span(alias)) for alias in node.names if alias not in out)
        edits = [Replace(Span(first, last), left)]
    return edits if _leaves(source, node, edits, out) else []


def _lines_of_list(source: Source, out: Sequence[ast.alias]) -> Iterator[Span]:
    """The bytes of names in a list of several lines: with its line and comment if a name stands alone there."""
    limit = len(source.data)
    for alias in reversed(out):
        span = source.span(alias)
        line = source.line_start(span.start)
        before = source.data[line : span.start]
        blank = span.start - (len(before) - len(before.rstrip(b" \t\f")))
        alone = ALONE.match(source.data, span.end)
        comma = COMMA.match(source.data, span.end)
        if not before.strip() and alone:
            start, end = line, alone.end()
        elif comma and source.data[comma.end() : comma.end() + 1] not in (b"\r", b"\n", b"#"):
            start, end = span.start, comma.end()
        else:
            start, end = blank, source.data.index(b",", span.end) + 1 if comma else span.end
        yield Span(start, min(end, limit))
        limit = start


def _leaves(source: Source, node: Import, edits: Sequence[Replace], out: Sequence[ast.alias]) -> bool:
    """Whether the edits make the very statement that they are meant to make."""
    span = source.span(node)
    text, at = "", span.start
    for edit in sorted(edits, key=lambda edit: edit.span):
        text += source.text(Span(at, edit.span.start)) + edit.text
        at = edit.span.end
    text += source.text(Span(at, span.end))
    try:
        made = ast.parse(text).body
    except SyntaxError:
        return False
    wanted = dict(imported(node)).keys() - {alias.asname or alias.name.partition(".")[0] for alias in out}
    return len(made) == 1 and isinstance(made[0], Import) and dict(imported(made[0])).keys() == wanted
