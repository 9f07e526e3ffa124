"""Plan, choose and rewrite, again and again, until nothing more is to be done.

A later round sees files that this run has changed. What it finds is told by where it stood in the files as they were, and
a Change that was offered before keeps its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import msgspec

from asyncfix import apply, select
from asyncfix.analysis import Analysis
from asyncfix.compose import Setting, compose
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Change, Decision, Finding, Hop, Place, Refusal, Require, Rewrite, Span, Use, span_of
from asyncfix.source import Source
from asyncfix.workspace import Workspace

MOST_ROUNDS = 5

# A rule, and offsets in the files as they were before the run.
_Spot: TypeAlias = tuple[str, frozenset[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class Choice:
    """How Changes are chosen: by safety, by their ids (``named``), or by what ``ask`` answers to a Change and its diff, which
    ``show`` makes."""

    unsafe: bool
    named: frozenset[str]
    ask: Callable[[Change, bytes], str] | None
    show: Callable[[Mapping[str, apply.Pieces]], bytes]


@dataclass(frozen=True, slots=True)
class Made:
    """What all rounds came to. Places are those of the files before the run.

    taken  Changes of all rounds that were carried out; left: those that could be carried out still
    """

    findings: tuple[Finding, ...]
    taken: tuple[Change, ...]
    left: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    errors: tuple[str, ...]
    sync_sites: int


def untouched(analysis: Analysis) -> Made:
    """What is there to say when nothing is to be changed."""
    plan = analysis.plan
    return Made(plan.findings, (), plan.changes, plan.refusals, (), plan.sync_sites)


def run(
    workspace: Workspace,
    again: Callable[[Analysis], Analysis],
    setting: Setting,
    first: Analysis,
    choice: Choice,
    stage: Callable[[str], object],
) -> Made:
    """Change the workspace until nothing more is to be done, or a person has had enough.

    ``again`` looks at the project as it is then; it is given the look before, which is of no use any more.
    """
    names = _Names(workspace)
    analysis, changes = first, names.renamed(first)
    findings = list(names.findings(analysis))
    taken: dict[str, Change] = {}
    errors: list[str] = []
    state = select.Interview()
    settled: set[str] = set()  # a person said no, or it cannot be done
    kept: Setting
    offered = frozenset(change.id for change in changes)
    for _ in range(MOST_ROUNDS):
        now = _Now(analysis.index, offered)
        open_changes = [_with_needs(change, taken, workspace, now) for change in changes if change.id not in settled]
        if choice.ask is None:
            chosen = select.chosen(open_changes, unsafe=choice.unsafe, earlier=taken, named=choice.named)
            kept = replace(setting, kept_names=analysis.kept_names()) if chosen else setting
        else:
            kept = replace(setting, kept_names=analysis.kept_names())
            show = partial(_shown, choice, workspace, kept)
            chosen, state = select.interview(open_changes, show, choice.ask, state, taken)
            settled |= {change.id for change in open_changes} - {change.id for change in chosen}
        if not chosen:
            break
        stage("rewrite")
        made = compose(workspace, chosen, kept)
        settled |= {*made.errors, *made.barred}
        errors += [_named_error(change, made.errors[change.id]) for change in chosen if change.id in made.errors]
        if not made.taken:
            break
        taken |= {change.id: change for change in made.taken}
        workspace.update(made.pieces)
        analysis = again(analysis)
        changes = names.renamed(analysis)
        findings += names.findings(analysis)
        if state.over:
            break
    else:
        more = select.chosen(changes, unsafe=choice.unsafe, earlier=taken, named=choice.named)
        left = sorted({change.rule for change in more if change.id not in settled})
        errors += [f"{rule}: still finds something to change after {MOST_ROUNDS} rounds" for rule in left]
    return Made(
        findings=tuple(sorted(findings, key=_order)),
        taken=tuple(taken.values()),
        left=tuple(
            _with_needs(change, taken, workspace, _Now(analysis.index, offered))
            for change in changes
            if change.id not in taken
        ),
        refusals=tuple(names.refusals(analysis, findings)),
        errors=tuple(errors),
        sync_sites=first.plan.sync_sites,
    )


def _shown(choice: Choice, workspace: Workspace, setting: Setting, change: Change) -> bytes:
    """The diff of one Change."""
    return choice.show(compose(workspace, [change], setting).pieces)


@dataclass(frozen=True, slots=True)
class _Now:
    """The round: the project as it is, and the ids of the Changes of the first one."""

    index: ProjectIndex
    first: frozenset[str]


@dataclass(slots=True)
class _Names:
    """Ids of Changes over all rounds: no two Changes have one, and one that stays keeps its own, though the id that plan
    gives goes by calls that may look alike."""

    workspace: Workspace
    _by_spot: dict[_Spot, str] = field(default_factory=lambda: dict[_Spot, str]())
    _spots: dict[str, _Spot] = field(default_factory=lambda: dict[str, _Spot]())
    _given: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    _told: set[str] = field(default_factory=lambda: set[str]())
    _now: dict[str, Source] = field(default_factory=lambda: dict[str, Source]())

    def renamed(self, analysis: Analysis) -> list[Change]:
        """The Changes of a plan under the ids that they had in earlier ones; new ones get ids that nothing else has."""
        self._given = {}
        self._now = {}
        renamed: list[Change] = []
        for change in analysis.plan.changes:
            spot = _spot(change, self.workspace)
            name = self._by_spot.get(spot) or self._whole(change.id, spot)
            if not name or name in self._given.values():
                name = self._fresh(change.id)
                self._by_spot[spot] = name
                self._spots[name] = spot
            self._given[change.id] = name
            renamed.append(msgspec.structs.replace(change, id=name))
        return renamed

    def _whole(self, name: str, spot: _Spot) -> str:
        """The id of the Change of which this is what is left, '' if of none."""
        rule, places = self._spots.get(name, ("", frozenset()))
        return name if rule == spot[0] and spot[1] <= places else ""

    def _fresh(self, wanted: str) -> str:
        taken = {*self._by_spot.values(), *self._given.values()}
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        return name

    def findings(self, analysis: Analysis) -> Iterable[Finding]:
        """Findings of a plan whose Change no earlier plan had; of the first plan all."""
        first = not self._told
        known = set(self._told)
        for finding in analysis.plan.findings:
            name = self._given[finding.change] if finding.change is not None else None
            if first or (name is not None and name not in known):
                yield msgspec.structs.replace(self.moved(finding), change=name)
        self._told |= {"", *self._given.values()}

    def refusals(self, analysis: Analysis, told: Iterable[Finding]) -> Iterator[Refusal]:
        """The refusals of a plan, but for those about what this run has written itself."""
        known = {(finding.rule, finding.place) for finding in told}
        for refusal in analysis.plan.refusals:
            moved = self.moved(refusal.finding)
            if (moved.rule, moved.place) in known or not self._written(refusal.finding.place):
                yield msgspec.structs.replace(refusal, finding=moved)

    def _written(self, place: Place) -> bool:
        if place.path not in self.workspace.pieces:
            return False
        return any(new.overlaps(self._span(place)) for new in apply.written(self.workspace.pieces[place.path]))

    def moved(self, finding: Finding) -> Finding:
        """A finding with the places of the files as they were."""
        return msgspec.structs.replace(
            finding,
            place=self._place(finding.place),
            via=tuple(Hop(hop.function, hop.path, self._line(hop.path, hop.line)) for hop in finding.via),
        )

    def _place(self, place: Place) -> Place:
        if place.path not in self.workspace.pieces:
            return place
        return self._original(place.path, self._span(place))

    def _span(self, place: Place) -> Span:
        now = self._current(place.path)
        return Span(now.at(place.line, place.column), now.at(place.end_line, place.end_column))

    def _line(self, path: str, line: int) -> int:
        if path not in self.workspace.pieces:
            return line
        start = self._current(path).at(line, 1)
        return self._original(path, Span(start, start)).line

    def _current(self, path: str) -> Source:
        if path not in self._now:
            self._now[path] = Source(path, self.workspace.current(path))
        return self._now[path]

    def _original(self, path: str, span: Span) -> Place:
        pieces = self.workspace.pieces[path]
        start, end = apply.origin(pieces, span.start), apply.origin(pieces, span.end)
        return Source(path, self.workspace.original[path] or b"").place(Span(start, max(start, end)))


def _spot(change: Change, workspace: Workspace) -> _Spot:
    """What a Change is about, whatever the round: its rule, and where its sites (else its uses) stood in the originals."""
    rewrites = [(item.path, item.site.span.start) for item in change.decisions if isinstance(item, Rewrite)]
    uses = [(item.path, item.span.start) for item in change.decisions if isinstance(item, Use)]
    places = frozenset(
        (path, apply.origin(workspace.pieces[path], start) if path in workspace.pieces else start)
        for path, start in rewrites or uses
    )
    return change.rule, places


def _with_needs(change: Change, taken: Mapping[str, Change], workspace: Workspace, now: _Now) -> Change:
    """A Change with the earlier ones as needed whose text it touches, or that made it possible."""
    touched = {item.path for item in change.decisions if _touches(item, workspace)}
    needs = tuple(sorted(earlier.id for earlier in taken.values() if touched & set(earlier.files)))
    if not needs and change.id not in now.first:
        needs = _made_possible(change, tuple(taken.values()), now.index)
    return msgspec.structs.replace(change, needs=needs)


def _made_possible(change: Change, taken: Sequence[Change], index: ProjectIndex) -> tuple[str, ...]:
    """The first Change that turned a caller of what turns, or a function that is written in; if none did, all in its files."""
    around = {edge.caller for name in change.turns for edge in index.callers.get(name, ())}
    around |= {item.site.owner for item in change.decisions if isinstance(item, Rewrite)}
    beside = tuple(earlier.id for earlier in taken if set(change.files) & set(earlier.files))
    return next(((earlier.id,) for earlier in taken if earlier.turns & around), beside)


def _touches(decision: Decision, workspace: Workspace) -> bool:
    """Whether a decision is about text that this run has written."""
    if isinstance(decision, Require):
        return False
    written = apply.written(workspace.pieces.get(decision.path, ()))
    return any(new.overlaps(span_of(decision)) for new in written)


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    place = finding.place
    return place.path, place.line, place.column, finding.rule, finding.leaf


def _named_error(change: Change, reason: str) -> str:
    return f"{change.rule}: {reason} ({change.title})"
