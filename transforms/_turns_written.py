"""How a loop, or a comprehension, is written whose calls a bounded fan-out makes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncfix.flow import NOTHING
from asyncfix.lines import end_of_line, movable
from asyncfix.model import Edit, Replace, Span
from asyncfix.source import Source
from asyncfix.transform import Tree, Writing

from ._comments import comments_within, first_comment
from ._layout import enclosed, fits, moved, named
from ._order import names_in
from ._owning import Comprehension
from ._pulled import is_pulled
from ._turns import Filled, Turns, apart, filled, is_at_hand, is_dropped, statement_of

TIGHT = ast.Attribute | ast.Subscript | ast.Call | ast.Await


def begin_of(tree: Tree, turns: Turns) -> ast.stmt | ast.expr:
    """The first of what is written anew."""
    found = filled(tree, turns)
    return found.above if found and found.above else turns.node


def is_whole(turns: Turns) -> bool:
    """Whether a comprehension gives what is awaited, and nothing else."""
    return isinstance(turns.node, ast.ListComp | ast.SetComp) and turns.node.elt is turns.waiting


def is_apart(source: Source, turns: Turns) -> bool:
    """Whether what a comprehension makes of what is awaited needs no element, and no comment stands in its clauses."""
    node = turns.node
    if not isinstance(node, Comprehension) or turns.pulled:
        return False
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    begin = max(source.span(parts[-1]).end, source.line_start(_first_clause(source, turns)))
    if b"#" in source.data[begin : source.span(node).end]:
        return False
    elements = NOTHING.union(*(names_in(clause.target) for clause in node.generators))
    return not any(isinstance(each, ast.Name) and each.id in elements for each in apart(parts, turns.waiting))


def _first_clause(source: Source, turns: Turns) -> int:
    """Where the clauses of a comprehension begin."""
    return source.data.rfind(b"for", source.span(turns.node).start, source.span(turns.target).start)


def result_names(turns: Turns) -> ast.expr | None:
    """The name, or the names, that all that the first statement of a turn does is to bind to the result."""
    match turns.body[0]:
        case ast.Assign(targets=[ast.Name() | ast.Tuple() as target], value=value) if value is turns.waiting:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            return target if all(isinstance(each, ast.Name) for each in names) else None
        case _:
            return None


def loop_written(tree: Tree, turns: Turns, writing: Writing) -> Iterator[Edit]:
    """The edits of a loop: one statement in its place, or the calls above it and their results gone through in it."""
    found = filled(tree, turns)
    if found is None and not is_dropped(turns):
        yield from _apart(tree, turns, writing)
        return
    source = tree.source
    span = Span(source.span(begin_of(tree, turns)).start, source.span(turns.node).end)
    indent = writing.indent(span)
    begin, end = _put(source, found, writing) if found else ("", "")
    lines = [*comments_within(source, lines_of(tree, turns), span), *_gathered(turns, writing, begin, end, indent)]
    yield Replace(span, f"\n{indent}".join(lines))


def _put(source: Source, found: Filled, writing: Writing) -> tuple[str, str]:
    """What stands before and behind the fan-out whose results a collection is made of, or that is put into one."""
    above = found.above
    if above is None:
        return f"{found.name}.{found.all}(", ")"
    hint = f": {source.text(source.span(above.annotation))}" if isinstance(above, ast.AnnAssign) else ""
    if found.all == "extend":
        return f"{found.name}{hint} = ", ""
    return f"{found.name}{hint} = {writing.name('builtins.set')}(", ")"


def _apart(tree: Tree, turns: Turns, writing: Writing) -> Iterator[Edit]:
    """The loop goes through the results."""
    source, node = tree.source, turns.node
    whole = source.span(node)
    indent, bound = writing.indent(whole), result_names(turns)
    result = source.text(source.span(bound)) if bound else writing.fresh("result", whole)
    kept = turns.body[1:] if bound else turns.body
    above = first_comment(source, source.line_start(source.span(kept[0]).start))
    start = above + len(source.data[above:]) - len(source.data[above:].lstrip())
    elements = source.text(source.span(turns.target))
    lines = list(comments_within(source, lines_of(tree, turns), Span(whole.start, start)))
    if any(isinstance(node, ast.Name) and node.id in turns.elements for node in apart(kept, turns.waiting)):
        collection = enclosed(source, turns.source)
        if turns.tests or not is_at_hand(turns):
            name = writing.fresh(plural(turns.target, "elements"), whole)
            tests = "".join(f" if {enclosed(source, test)}" for test in turns.tests)
            made = (
                f"[{enclosed(source, turns.target)} for {elements} in {collection}{tests}]"
                if tests
                else f"{writing.name('builtins.list')}({collection})"
            )
            lines.append(f"{name} = {made}")
            collection = name
        results = writing.fresh(plural(bound, "results"), whole)
        lines += _gathered(turns, writing, f"{results} = ", "", indent, collection)
        lines.append(
            f"for {enclosed(source, turns.target)}, {enclosed(source, bound) if bound else result} in "
            f"{writing.name('builtins.zip')}({collection}, {results}):"
        )
    else:
        lines += _gathered(turns, writing, f"for {result} in ", ":", indent)
    yield Replace(Span(whole.start, start), f"\n{indent}".join([*lines, f"{writing.step}"]))
    if not bound:
        yield named(source, source.span(turns.waiting), result)
    if turns.tests:
        surplus = len(writing.indent(source.span(turns.body[0]))) - len(indent + writing.step)
        body = Span(source.line_start(start), source.span(kept[-1]).end)
        yield from (Replace(Span(line.start, line.start + surplus), "") for line in movable(source, body))


def comprehension_written(tree: Tree, turns: Turns, writing: Writing) -> Iterator[Edit]:
    """The edits of a comprehension: the fan-out in its place, or the results gone through in it."""
    source, node = tree.source, turns.node
    whole, waiting, call = source.span(node), source.span(turns.waiting), source.span(turns.call)
    function = gathering(node, writing)
    if is_whole(turns):
        before, behind = ("", "") if isinstance(node, ast.ListComp) else (f"{writing.name('builtins.set')}(", ")")
        around = writing.around(whole)[0]
        if not before and isinstance(around, TIGHT) and whole.start == source.span(around).start:
            before, behind = "(", ")"
        yield Replace(Span(whole.start, whole.start + 1), f"{before}await {function}(")
        keyword = source.text(Span(waiting.start, call.start))
        yield Replace(Span(waiting.start, waiting.start + len(keyword) - len(keyword[5:].lstrip(" "))), "")
        yield Replace(Span(whole.end - 1, whole.end), f"){behind}")
        return
    result = writing.fresh("result", whole)
    target, collection = source.span(turns.target), source.span(turns.source)
    elements, name = source.text(target), source.text(collection)
    yield named(source, waiting, result)
    if is_apart(source, turns):
        yield _results_gone_through(turns, writing, result)
        return
    calls = f"{source.text(call)} for {elements} in {name}"
    yield Replace(target, f"{enclosed(source, turns.target)}, {result}")
    yield Replace(collection, f"{writing.name('builtins.zip')}({name}, await {function}({calls}))")


def _results_gone_through(turns: Turns, writing: Writing, result: str) -> Replace:
    """The clauses of a comprehension that needs of the elements what the calls give."""
    source, node = writing.source, turns.node
    assert isinstance(node, Comprehension)
    whole, call = source.span(node), source.span(turns.call)
    begin = _first_clause(source, turns)
    clauses: list[str] = []
    for each in node.generators:
        clauses.append(f"for {source.text(source.span(each.target))} in {enclosed(source, each.iter)}")
        clauses += [f"if {enclosed(source, test)}" for test in each.ifs]
    line = source.data[source.line_start(begin) : begin]
    indent = source.text(Span(begin - len(line), begin - len(line.lstrip())))
    head = f"for {result} in await {gathering(node, writing)}("
    lines = [" ".join([head + source.text(call), *clauses]) + ")"]
    if not line.strip():
        broken = moved(source, call, len(indent + writing.step), indent + writing.step)
        lines = _laid_out(writing, head, source.text(call), clauses, "", indent, broken)
    behind = source.data[begin : whole.end - 1]
    return Replace(Span(begin, begin + len(behind.rstrip())), f"\n{indent}".join(lines))


def _gathered(turns: Turns, writing: Writing, begin: str, end: str, indent: str, collection: str = "") -> list[str]:
    """The lines of a fan-out between other text: one, if that is short enough."""
    source = writing.source
    elements = source.text(source.span(turns.target))
    clauses = [clause(turns.node, elements, collection or enclosed(source, turns.source))]
    if not collection:
        clauses += [f"if {enclosed(source, test)}" for test in turns.tests]
    call = source.span(turns.call)
    inner = indent + writing.step
    begin = f"{begin}await {gathering(turns.node, writing)}"
    return spread(writing, begin, source.text(call), clauses, end, indent, moved(source, call, len(inner), inner))


def clause(node: ast.AST, target: str, source: str) -> str:
    """The clause of the expression by which the calls of a loop are made."""
    return f"{'async ' if is_pulled(node) else ''}for {target} in {source}"


def gathering(node: ast.AST, writing: Writing) -> str:
    """The generated function that runs what a loop, or a comprehension, awaits."""
    return writing.generated("gather_bounded_from" if is_pulled(node) else "gather_bounded")


def spread(
    writing: Writing, begin: str, call: str, clauses: list[str], end: str, indent: str, broken: str = ""
) -> list[str]:
    """The lines of a fan-out of calls between other text, which ends in the function that runs them: one, if that is short
    enough. ``broken``: the call on lines of its own, if that is not the same."""
    begin = f"{begin}("
    line = " ".join([begin + call, *clauses]) + f"){end}"
    formatted = writing.formatted(line, indent) if not end.endswith(":") else None
    return [formatted] if formatted else _laid_out(writing, begin, call, clauses, end, indent, broken)


def _laid_out(
    writing: Writing, begin: str, call: str, clauses: list[str], end: str, indent: str, broken: str
) -> list[str]:
    line = " ".join([begin + call, *clauses]) + f"){end}"
    if fits(line, indent):
        return [line]
    inside = " ".join([call, *clauses])
    inner = [inside] if fits(inside, indent + writing.step) else [broken or call, *clauses]
    return [begin, *(f"{writing.step}{each}" for each in inner), f"){end}"]


def lines_of(tree: Tree, turns: Turns) -> Span:
    """The lines of what is written anew, with the comments above them."""
    source, statement = tree.source, statement_of(tree, turns)
    begin = begin_of(tree, turns)
    first = source.span(begin if isinstance(begin, ast.stmt) else statement).start
    return Span(first_comment(source, source.line_start(first)), end_of_line(source, source.span(statement).end))


def plural(target: ast.expr | None, otherwise: str) -> str:
    """A name for many of what a name stands for."""
    if not isinstance(target, ast.Name) or target.id.startswith("_") or len(target.id) < 2:
        return otherwise
    if target.id.endswith("s") and not target.id.endswith(("ss", "us", "is")):
        return otherwise  # many already
    return f"{target.id}es" if target.id.endswith(("s", "x", "ch", "sh")) else f"{target.id}s"
