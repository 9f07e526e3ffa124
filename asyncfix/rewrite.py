"""Decisions made into edits of one file, with the imports that they take. For workers: here LibCST is at work.

Every decision is written for itself; Changes whose edits do not go together are found, and the earlier one wins.
Imports that are of no use in the new text are removed last.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst
import msgspec

from asyncfix import apply, uses
from asyncfix.blacken import blacken
from asyncfix.edits import Conflict, merge
from asyncfix.imports import Added, Names, additions, from_imports, read_names
from asyncfix.model import Edit, Rename, Renames, Replace, Rewrite, Span, Turn, Use, Value, Writable, span_of
from asyncfix.nodes import CstWriting, Nodes
from asyncfix.registry import rules
from asyncfix.renaming import rename, renames
from asyncfix.source import Source, Unreadable
from asyncfix.statements import blank_above, blank_lines
from asyncfix.transform import CannotWrite, Rule
from asyncfix.unused import removals, unused
from asyncfix.writing import aligned_parameters


class Order(Value, frozen=True):
    """What to write in one file.

    changes           the decisions of each Change in this file, with its id, the most wanted first
    generated_import  the module of generated code as it is imported here (``._asyncfix``, ``pkg._asyncfix``)
    exposed           names of this file may become those of other files, or the other way round
    black             line length, if the project configures black
    http_module       ``httpx``, or the module with the same names that is used in its place
    kept_names        names that imports here bind for others: not to be removed
    """

    path: str
    data: bytes
    changes: tuple[tuple[str, tuple[Writable, ...]], ...]
    generated_import: str = "_asyncfix"
    exposed: bool = False
    black: int | None = None
    http_module: str = "httpx"
    kept_names: frozenset[str] = frozenset()


class Written(Value, frozen=True):
    """What became of an Order.

    changes    ids of all Changes of the Order
    edits      disjoint, sorted; ``new`` is the file with them
    failed     Changes that cannot be written, with the reason: internal errors
    waiting    Changes that do not go together with an earlier one
    generated  names that are asked of the generated module
    """

    path: str
    changes: tuple[str, ...]
    edits: tuple[Replace, ...]
    new: bytes
    failed: Mapping[str, str]
    waiting: frozenset[str]
    generated: tuple[str, ...]


@dataclass(slots=True)
class Draft:
    """The edits of one Change, and what they ask for."""

    edits: list[Edit] = field(default_factory=lambda: list[Edit]())
    added: list[Added] = field(default_factory=lambda: list[Added]())
    asked: list[str] = field(default_factory=lambda: list[str]())


def rewrite(order: Order, among: Sequence[Rule]) -> Written:
    """The edits of all Changes of an Order that go together. Raises Unreadable."""
    source = Source(order.path, order.data)
    tree = _parse(source)
    nodes, names = Nodes(source, tree), read_names(source, tree, order.exposed)
    drafts: dict[str, Draft] = {}
    failed: dict[str, str] = {}
    for change, decisions in order.changes:
        try:
            drafts[change] = _draft(order, decisions, among, nodes, names)
        except CannotWrite as error:
            failed[change] = str(error)
    at_odds = _at_odds({change: decisions for change, decisions in order.changes if change in drafts})
    edits, late = _together({change: draft for change, draft in drafts.items() if change not in at_odds})
    waiting = at_odds | late
    edits = tuple(_apart(edit, order.data) for edit in edits)
    taken = [draft for change, draft in drafts.items() if change not in waiting]
    edits = blacken(source, tree, edits, order.black) if order.black is not None else edits
    edits = _with_imports(source, tree, edits, [item for draft in taken for item in draft.added], order.kept_names)
    return Written(
        path=order.path,
        changes=tuple(change for change, _ in order.changes),
        edits=edits,
        new=_new(source, edits),
        failed=failed,
        waiting=waiting,
        generated=tuple(sorted({name for draft in taken for name in draft.asked})),
    )


def rewrite_bytes(item: bytes) -> bytes:
    """`rewrite` with all rules as a task of a worker: msgpack of an Order in, of a Written out."""
    return msgspec.msgpack.encode(rewrite(msgspec.msgpack.decode(item, type=Order), rules()))


# ---------------------------------------------------------------------------------------------------------- one Change


def _draft(order: Order, decisions: Sequence[Writable], among: Sequence[Rule], nodes: Nodes, names: Names) -> Draft:
    """All edits of a Change, which go together among themselves. Raises CannotWrite."""
    draft = Draft()
    for decision in decisions:
        writing = CstWriting(nodes, names, span_of(decision), order.generated_import, order.http_module, order.black)
        try:
            draft.edits += _written(decision, among, writing)
        except (CannotWrite, cst.ParserSyntaxError, cst.CSTValidationError) as error:
            raise CannotWrite(f"{_author(decision)}: {' '.join(str(error).split())}") from error
        draft.added += writing.added
        draft.asked += writing.asked
    merged = merge(draft.edits)
    if isinstance(merged, Conflict):
        raise CannotWrite(f"{_author(decisions[0])}: edits of one Change overlap: {merged.first} and {merged.second}")
    return draft


def _written(decision: Writable, among: Sequence[Rule], writing: CstWriting) -> list[Edit]:
    match decision:
        case Rewrite():
            rule = next((rule for rule in among if rule.name == decision.site.rule), None)
            if rule is None:
                raise CannotWrite("there is no such rule")
            return rule.write(decision.site, decision.form, writing)
        case Use():
            return uses.write(decision, writing)
        case Turn():
            return [_turned(decision, writing.source), *aligned_parameters(writing, decision.keyword, len("async "))]
        case Rename():
            return rename(decision, writing.source)
        case Renames():
            return renames(decision, writing.nodes.tree, writing)


def _turned(turn: Turn, source: Source) -> Edit:
    start = turn.keyword.start
    if not source.data.startswith(b"def", start):
        raise CannotWrite("no `def` stands where a function was to turn async")
    return Replace(Span(start, start + len("def")), "async def")


def _apart(edit: Replace, data: bytes) -> Replace:
    """The edit with a blank before it where its first word would run into the one before (``return"".join(x)``)."""
    start, end = edit.span.start, edit.span.end
    before, old = (data[at : at + 1].decode("latin-1") for at in (start - 1, start))
    runs_on = start > 0 and _in_word(before) and _in_word(edit.text[:1])
    return Replace(edit.span, f" {edit.text}") if runs_on and (start == end or not _in_word(old)) else edit


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _author(decision: Writable) -> str:
    """Whose error it is if a decision cannot be carried out."""
    match decision:
        case Rewrite():
            return decision.site.rule
        case Use():
            return f"use {decision.kind}"
        case Turn():
            return f"turn {decision.function}"
        case Rename() | Renames():
            return "renaming"


# --------------------------------------------------------------------------------------------------------- all Changes


def _at_odds(changes: Mapping[str, Sequence[Writable]]) -> frozenset[str]:
    """The Changes that decide otherwise than an earlier one about a call, or within what a form takes as a whole."""
    decided: dict[Span, Writable] = {}
    wholes: dict[Span, Writable] = {}
    out: list[str] = []
    for change, decisions in changes.items():
        places = {span_of(decision): decision for decision in decisions}
        mine = {span: item for span, item in places.items() if isinstance(item, Rewrite) and item.site.call != span}
        theirs = [span for span, item in wholes.items() if item not in decisions]
        others = [span for span, item in decided.items() if mine and item not in decisions]
        if (
            any(decided.get(span, item) != item for span, item in places.items())
            or any(whole.contains(span) for whole in theirs for span in places)
            or any(whole.contains(span) for whole in mine for span in others)
        ):
            out.append(change)
        else:
            decided |= places
            wholes |= mine
    return frozenset(out)


def _together(drafts: Mapping[str, Draft]) -> tuple[tuple[Replace, ...], frozenset[str]]:
    """The merged edits of the Changes that go together, and the ids of those that do not go with an earlier one."""
    kept: list[Edit] = []
    waiting: list[str] = []
    left = list(drafts)
    while True:
        merged = merge([*kept, *_edits(drafts, left)])
        if not isinstance(merged, Conflict):
            return merged, frozenset(waiting)
        fits, fails = 0, len(left)  # the first `fits` of those left go together, the first `fails` do not
        while fails - fits > 1:
            middle = (fits + fails) // 2
            if isinstance(merge([*kept, *_edits(drafts, left[:middle])]), Conflict):
                fails = middle
            else:
                fits = middle
        kept += _edits(drafts, left[:fits])
        waiting.append(left[fits])
        left = left[fails:]


def _edits(drafts: Mapping[str, Draft], changes: Sequence[str]) -> list[Edit]:
    return [edit for change in changes for edit in drafts[change].edits]


def _with_imports(
    source: Source, tree: ast.Module, edits: Sequence[Replace], added: Sequence[Added], kept: Collection[str]
) -> tuple[Replace, ...]:
    """The edits with those that add imports, and those that remove the imports which are of no use any more."""
    try:
        leaving = unused(tree, _parse(Source(source.path, _new(source, edits)))) - set(kept) if added else ()
        grown = _joined(additions(source, tree, added, leaving), edits)
        new = _parse(Source(source.path, _new(source, grown)))
    except Unreadable:
        return _joined(additions(source, tree, added), edits)  # for the check to say
    exchanged = from_imports(tree) - from_imports(new)
    touched = {edit.span.start for edit in grown if edit.span.start == edit.span.end}
    for removal in removals(source, tree, new, {*kept, *exchanged}, touched):
        merged = merge([*grown, removal])
        grown = grown if isinstance(merged, Conflict) else merged
    return tuple(_closed_up(source, grown))


def _closed_up(source: Source, edits: Sequence[Replace]) -> Iterator[Replace]:
    """The edits, without the blank line before or behind new imports that come in place of removed ones."""
    before = {edit.span.end: edit.span.start for edit in edits if not edit.text}
    behind = {edit.span.start: edit.span.end for edit in edits if not edit.text}
    for edit in edits:
        start, end, text = before.get(edit.span.start), behind.get(edit.span.end), edit.text
        if start is not None and blank_above(source, start) != 0:
            text = text.removeprefix("\n")
        if end is not None and text.endswith("\n\n") and blank_lines(source, end):
            text = text.removesuffix("\n")
        yield Replace(edit.span, text)


def _joined(lines: Sequence[Replace], edits: Sequence[Replace]) -> tuple[Replace, ...]:
    """Edits with the insertions of import lines; at one point these come first."""
    above = {line.span: line.text for line in lines}
    joined = [Replace(edit.span, above.pop(edit.span, "") + edit.text) for edit in edits]
    merged = merge([*joined, *(Replace(span, text) for span, text in above.items())])
    if isinstance(merged, Conflict):
        raise ValueError(f"an import line cannot be added at {merged.first.span}")
    return merged


def _new(source: Source, edits: Sequence[Replace]) -> bytes:
    """The bytes of the file with disjoint, sorted edits."""
    pieces = apply.edit(apply.untouched(source.data), edits, source.encoding, apply.line_ending(source.data))
    return apply.text(pieces, source.data)


def _parse(source: Source) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes of other people's code are not our business
        return source.parse()
