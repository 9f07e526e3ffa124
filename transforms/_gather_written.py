"""The argument of a gather over a collection as it is handed to `gather_bounded`, which makes the coroutines one by one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.lines import end_of_line, movable
from asyncfix.model import Edit, Replace, Span
from asyncfix.source import Source
from asyncfix.transform import Tree, Writing

from ._comments import comments_within, first_comment
from ._filling import Filling
from ._gathered import Comprehension, Gathered, function_of, started
from ._layout import enclosed, fits, moved
from ._meanwhile import is_own


def written(tree: Tree, node: ast.Call, found: Gathered, writing: Writing) -> Iterator[Edit]:
    """The edits of what is gathered; the name of the function is not among them."""
    if found.filling:
        yield from (_unstarred(tree, found), _filled(tree, node, found.filling, writing))
    else:
        unstarted = list(_unstarted(tree.source, node, found.made))
        for edit in _opened(tree, node, found):  # the indentation of a line may go with what begins on the line above
            if not any(gone.span.contains(edit.span) for gone in unstarted):
                yield edit
        yield from unstarted
        yield from _snapshot(tree, node, found, writing)


def _opened(tree: Tree, node: ast.Call, found: Gathered) -> Iterator[Replace]:
    """The star and the brackets taken away, so that the coroutines are made one by one."""
    source = tree.source
    star, value, made = (source.span(item) for item in (found.starred, found.starred.value, found.made))
    behind = Span(star.end, source.span(node).end - 1)
    comma = source.text(behind).strip() == "," and found.made is found.starred.value
    bare = found.made is found.starred.value and (comma or "," not in source.text(behind))
    if not isinstance(found.made, Comprehension):
        yield Replace(Span(star.start, value.start), "")
        return
    if bare:
        if comma:
            yield Replace(Span(star.end, source.data.index(b",", star.end) + 1), "")
        yield from _unwrapped(source, Span(star.start, made.end), made.start + 1)
        return
    if found.made is not found.starred.value:
        yield Replace(Span(star.start, value.start), "")
        star = Span(made.start, made.end)
    yield Replace(Span(star.start, made.start + 1), "(")
    yield Replace(Span(made.end - 1, made.end), ")")


def _unstarted(source: Source, node: ast.Call, made: ast.expr) -> Iterator[Replace]:
    """The coroutine alone, without the task that was made of it, if no comment stands round it."""
    task = started(node, made)
    if task is not None:
        whole, inner = source.span(task), source.span(task.args[0])
        before, behind = Span(whole.start, inner.start), Span(inner.end, whole.end)
        if "#" not in source.text(before) + source.text(behind):
            yield from (Replace(before, ""), Replace(behind, ""))


def _unwrapped(source: Source, whole: Span, inside: int) -> Iterator[Replace]:
    """What stands between brackets without them: of brackets that have a line each, the lines go, too."""
    data, end = source.data, whole.end - 1
    start, close = source.line_start(whole.start), source.line_start(end)
    first = inside + len(data[inside:end]) - len(data[inside:end].lstrip())
    behind = data[whole.end : end_of_line(source, whole.end)].lstrip(b",")
    if source.line_start(first) == start or any(map(bytes.strip, (data[start : whole.start], data[close:end], behind))):
        yield Replace(Span(whole.start, inside), "")
        yield Replace(Span(end, whole.end), "")
        return
    yield Replace(Span(whole.start, first), "")
    surplus = first - source.line_start(first) - (whole.start - start)
    for line in movable(source, whole):
        if first < line.start < close and surplus > 0 and not data[line.start : line.start + surplus].strip():
            yield Replace(Span(line.start, line.start + surplus), "")
    yield Replace(Span(len(data[:end].rstrip()), whole.end), "")


def _unstarred(tree: Tree, found: Gathered) -> Edit:
    """The star taken away from the name of the list."""
    star, value = tree.source.span(found.starred), tree.source.span(found.starred.value)
    return Replace(Span(star.start, value.start), "")


def _filled(tree: Tree, node: ast.Call, found: Filling, writing: Writing) -> Edit:
    """The list and the loop as one statement, that makes the coroutines one by one, with the comments of both above it."""
    source = tree.source
    span = Span(source.span(found.begin).start, source.span(found.loop).end)
    indent = writing.indent(span)
    task = started(node, found.made)
    made = source.span(task.args[0] if task else found.made.elt)
    name = ast.unparse(found.begin.targets[0] if isinstance(found.begin, ast.Assign) else found.begin.target)
    clauses = list(_clauses(tree, node, found.made, writing))
    line = " ".join([f"{name} = ({source.text(made)}", *clauses]) + ")"
    formatted = writing.formatted(line, indent)
    inner = indent + writing.step
    lines = [formatted or line]
    if not formatted and not fits(line, indent):
        parts = (moved(source, made, len(inner), inner), *clauses)
        lines = [f"{name} = (", *(f"{writing.step}{each}" for each in parts), ")"]
    return Replace(span, f"\n{indent}".join([*_comments(source, span), *lines]))


def _comments(source: Source, span: Span) -> Iterator[str]:
    """The comments that begin within a span of whole statements."""
    lines = Span(first_comment(source, source.line_start(span.start)), end_of_line(source, span.end))
    return comments_within(source, lines, span)


def _snapshot(tree: Tree, node: ast.Call, found: Gathered, writing: Writing) -> Iterator[Edit]:
    """What is gone through is copied first, unless nobody else can have it, and what is chosen of it is chosen first: others
    may change it, or what the choice depends on, while coroutines run."""
    made = found.made
    clause = made.generators[0] if isinstance(made, Comprehension) else None
    source = clause.iter if clause else made.args[1] if isinstance(made, ast.Call) else None
    if source is None:
        return
    span = tree.source.span(source)
    if clause and any(_depends(test, clause.target) for test in clause.ifs):
        elements = tree.source.text(tree.source.span(clause.target))
        element = enclosed(tree.source, clause.target)
        end = _closed(tree.source, tree.source.span(clause.ifs[-1]).end, tree.source.span(made).end)
        start = _behind_in(tree.source, tree.source.span(clause.target).end)
        yield Replace(Span(start, start), f"[{element} for {elements} in ")
        yield Replace(Span(end, end), "]")
    elif not _is_own(tree, node, source):
        yield Replace(Span(span.start, span.start), f"{writing.name('builtins.list')}(")
        yield Replace(Span(span.end, span.end), ")")


def _clauses(tree: Tree, node: ast.Call, made: ast.GeneratorExp, writing: Writing) -> Iterator[str]:
    """What goes through the elements, and chooses of them, as text; copied or chosen first where others could tell."""
    clause = made.generators[0]
    target = tree.source.text(tree.source.span(clause.target))
    source = tree.source.text(tree.source.span(clause.iter))
    tests = [enclosed(tree.source, test) for test in clause.ifs]
    if any(_depends(test, clause.target) for test in clause.ifs):
        chosen = " ".join(f"if {test}" for test in tests)
        gone_through = enclosed(tree.source, clause.iter)
        yield f"for {target} in [{enclosed(tree.source, clause.target)} for {target} in {gone_through} {chosen}]"
        return
    own = _is_own(tree, node, clause.iter)
    yield f"for {target} in {source}" if own else f"for {target} in {writing.name('builtins.list')}({source})"
    yield from (f"if {test}" for test in tests)


def _is_own(tree: Tree, node: ast.Call, source: ast.expr) -> bool:
    """Whether nobody can change what is gone through until the statement of the gather has ended."""
    end = next(item for item in tree.ancestors(node) if isinstance(item, ast.stmt)).end_lineno or node.lineno
    return is_own(tree, function_of(tree, node), source, end)


def _depends(test: ast.expr, target: ast.expr) -> bool:
    """Whether a condition may come to another result later: it asks for more than the element itself."""
    own = {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    return not names <= own or any(
        isinstance(node, ast.Call | ast.Attribute | ast.Subscript) for node in ast.walk(test)
    )


def _behind_in(source: Source, target: int) -> int:
    """Where what is gone through begins, brackets included, behind a target that ends there."""
    data = source.data
    start = data.index(b"in", target) + len(b"in")
    return start + len(data[start:]) - len(data[start:].lstrip())


def _closed(source: Source, start: int, end: int) -> int:
    """The end of the brackets round an expression that ends at ``start``; ``end`` is that of the comprehension."""
    inner = source.data[start : end - 1]
    return start + inner.rindex(b")") + 1 if b")" in inner and b"#" not in inner else start
