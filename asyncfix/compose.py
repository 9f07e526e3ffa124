"""Chosen Changes made into new text of files: rewritten in workers, checked, and taken back where they do not go together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from asyncfix import apply, workers
from asyncfix.check import Proof, check_bytes
from asyncfix.dependencies import add_dependency
from asyncfix.generated import Generated
from asyncfix.model import Change, Replace, Require, Skipped, Span, Turn, Writable
from asyncfix.workspace import Workspace

if TYPE_CHECKING:
    from asyncfix.rewrite import Written


@dataclass(frozen=True, slots=True)
class Composition:
    """What the Changes make of the files.

    taken    the Changes that are in; waiting: ids of those that do not go together with them, to be planned again
    errors   internal errors by Change id
    barred   ids of those in a file that is beyond the limits of a worker; the file is among the workspace's skipped ones
    """

    taken: tuple[Change, ...]
    pieces: Mapping[str, apply.Pieces]
    waiting: frozenset[str]
    errors: Mapping[str, str]
    barred: frozenset[str]


@dataclass(frozen=True, slots=True)
class Setting:
    """What the writing of every file needs to know: names of imports to keep by path, black's line length, generated code.

    ``target`` is the oldest Python that the project supports.
    """

    kept_names: Mapping[str, frozenset[str]]
    black: int | None
    http_module: str
    generated: Generated
    target: tuple[int, int]


def compose(workspace: Workspace, changes: Sequence[Change], setting: Setting) -> Composition:
    """Rewrite all files that the Changes name. Whatever cannot be carried out is left out whole, in every file."""
    waiting: set[str] = set()
    errors: dict[str, str] = {}
    barred: set[str] = set()
    chosen = _compatible(changes, waiting)
    written: dict[str, Written] = {}
    while chosen:
        orders = _orders(chosen)
        wanted = {
            path: order for path, order in orders.items() if path not in written or _ids(written[path]) != _named(order)
        }
        written = {path: item for path, item in written.items() if path in orders and path not in wanted}
        written |= _rewrite(workspace, wanted, setting, errors, barred)
        late = {change for item in written.values() for change in item.waiting}
        failed = {change: reason for item in written.values() for change, reason in item.failed.items()}
        if not late and not failed and not (errors.keys() | barred) & {change.id for change in chosen}:
            failed = _unsound(workspace, written, chosen, setting, barred)
        errors |= failed
        waiting |= late - failed.keys()
        out = late | errors.keys() | barred
        remaining = _without(chosen, out)
        if len(remaining) == len(chosen):
            break
        waiting |= {change.id for change in chosen} - {change.id for change in remaining} - errors.keys() - barred
        chosen = remaining
    pieces = {path: workspace.edited(path, item.edits) for path, item in written.items() if chosen}
    pieces |= setting.generated.pieces(workspace, written.values()) if chosen else {}
    pieces |= _declared(workspace, chosen)
    return Composition(tuple(chosen), pieces, frozenset(waiting), errors, frozenset(barred))


def _declared(workspace: Workspace, changes: Sequence[Change]) -> dict[str, apply.Pieces]:
    """The files of dependencies, with what the Changes need."""
    wanted = sorted({item for change in changes for item in change.decisions if isinstance(item, Require)}, key=str)
    found: dict[str, apply.Pieces] = {}
    for path in sorted({item.path for item in wanted}):
        edits: dict[Span, Replace] = {}
        for item in wanted:
            known = item.path == path
            edit = add_dependency(path, workspace.current(path), item.distribution, item.beside) if known else None
            if edit is not None:  # at one place they stand one behind the other
                before = edits[edit.span].text if edit.span in edits else ""
                edits[edit.span] = Replace(edit.span, before + edit.text)
        if edits:
            found[path] = workspace.edited(path, tuple(edits.values()))
    return found


def _compatible(changes: Iterable[Change], waiting: set[str]) -> list[Change]:
    """Changes in order, without those that turn what an earlier one must keep sync, or the other way round."""
    kept: list[Change] = []
    turned: set[str] = set()
    held: set[str] = set()
    for change in changes:
        if change.turns & held or change.keeps & turned:
            waiting.add(change.id)
            continue
        turned |= change.turns
        held |= change.keeps
        kept.append(change)
    return kept


def _without(changes: Sequence[Change], out: Iterable[str]) -> list[Change]:
    """The Changes that are not out, and need none that is."""
    gone = set(out)
    while True:
        kept = [change for change in changes if change.id not in gone and not gone & set(change.needs)]
        more = {change.id for change in changes} - {change.id for change in kept} - gone
        if not more:
            return kept
        gone |= more


def _orders(changes: Iterable[Change]) -> dict[str, list[tuple[str, tuple[Writable, ...]]]]:
    orders: dict[str, list[tuple[str, tuple[Writable, ...]]]] = {}
    for change in changes:
        for path in change.files:
            decisions = tuple(item for item in change.decisions if item.path == path and not isinstance(item, Require))
            if decisions:
                orders.setdefault(path, []).append((change.id, decisions))
    return orders


def _named(order: Sequence[tuple[str, tuple[Writable, ...]]]) -> frozenset[str]:
    return frozenset(change for change, _ in order)


def _ids(written: Written) -> frozenset[str]:
    return frozenset(written.changes) - written.waiting - written.failed.keys()


def _rewrite(
    workspace: Workspace,
    orders: Mapping[str, Sequence[tuple[str, tuple[Writable, ...]]]],
    setting: Setting,
    errors: dict[str, str],
    barred: set[str],
) -> dict[str, Written]:
    # LibCST is slow to import: not before there is something to rewrite, and then once, before workers are forked.
    from asyncfix.rewrite import Order, Written, rewrite_bytes

    paths = sorted(orders)
    items = [
        msgspec.msgpack.encode(
            Order(
                path=path,
                data=workspace.current(path),
                changes=tuple(orders[path]),
                generated_import=setting.generated.module_for(path),
                exposed=setting.generated.exposure.meets(path),
                black=setting.black,
                http_module=setting.http_module,
                kept_names=setting.kept_names.get(path, frozenset()),
            )
        )
        for path in paths
    ]
    written: dict[str, Written] = {}
    for path, result in zip(paths, workspace.work(rewrite_bytes, items), strict=True):
        if isinstance(result, bytes):
            written[path] = msgspec.msgpack.decode(result, type=Written)
        elif result.bug:
            errors.update({change: f"{path}: {result.reason}" for change, _ in orders[path]})
        else:
            workspace.skipped[path] = Skipped(path, f"not rewritten: {result.reason}", failed=True)
            barred.update(change for change, _ in orders[path])
    return written


def _unsound(
    workspace: Workspace, written: Mapping[str, Written], changes: Sequence[Change], setting: Setting, barred: set[str]
) -> dict[str, str]:
    """Changes whose text does not pass the check, with the problem."""
    failed: dict[str, str] = {}
    problems = _check(workspace, {path: item.new for path, item in written.items()}, changes, setting)
    for path, problem in problems.items():
        suspects = [change for change in changes if path in change.files]
        for change in suspects if len(suspects) > 1 else ():
            alone = _rewrite(workspace, {path: _orders([change])[path]}, setting, failed, barred)
            found = _check(workspace, {path: alone[path].new}, [change], setting) if path in alone else {path: problem}
            if found:
                failed[change.id] = f"{path}: {found[path]}"
        if not any(change.id in failed for change in suspects):
            failed |= {change.id: f"{path}: {problem}" for change in suspects}
    return failed


def _check(
    workspace: Workspace, texts: Mapping[str, bytes], changes: Sequence[Change], setting: Setting
) -> dict[str, str]:
    turned = frozenset(
        decision.function for change in changes for decision in change.decisions if isinstance(decision, Turn)
    )
    stepwise = frozenset(
        decision.function
        for change in changes
        for decision in change.decisions
        if isinstance(decision, Turn) and decision.generator
    )
    paths = sorted(texts)
    proofs = (Proof(path, workspace.current(path), texts[path], turned, setting.target, stepwise) for path in paths)
    items = list(map(msgspec.msgpack.encode, proofs))
    problems: dict[str, str] = {}
    for path, result in zip(paths, workspace.work(check_bytes, items), strict=True):
        if isinstance(result, workers.Failure):
            problems[path] = result.reason
        else:
            found = msgspec.msgpack.decode(result, type=tuple[str, ...])
            if found:
                problems[path] = found[0]
    return problems
