"""Changes, findings and refusals, made from what blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from asyncfix.boundary import Met
from asyncfix.colour.awaiting import ENTERING, WRITTEN, barring, manner, statement
from asyncfix.colour.barrier import Barrier
from asyncfix.colour.generators import GONE_THROUGH, KEPT, PASSED_ON
from asyncfix.colour.mapping import MAPPED
from asyncfix.colour.special import NEXT, based, ends_iteration, is_special, last_name, only_renamed
from asyncfix.colour.spread import Awaited, Colouring, colour
from asyncfix.colour.turning import EXAMPLE
from asyncfix.colour.whole import Whole
from asyncfix.effects.keys import said
from asyncfix.effects.output import half_line
from asyncfix.effects.tables import CACHES
from asyncfix.facts.testfiles import is_test
from asyncfix.link.callbacks import CALLBACK, HANDED
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import (
    Api,
    Call,
    Change,
    Decision,
    Declared,
    Finding,
    Form,
    Hop,
    Place,
    Plan,
    Refusal,
    Require,
    Rewrite,
    Safety,
    Site,
    Span,
    Strategy,
    Turn,
    Use,
    With,
)
from asyncfix.plan import declaring, stepping
from asyncfix.plan.conditions import Verdict, inside, judge, suspension_of, thread
from asyncfix.plan.facts import CACHE, FOREIGN_LOOPS, NEUTRAL_LOOPS, Facts
from asyncfix.plan.ids import Ids
from asyncfix.plan.interleave import Suspension
from asyncfix.plan.leaves import Blocking, Leaf, Reaching, way
from asyncfix.plan.locks import lock_held, perhaps_held
from asyncfix.plan.pooled import beneath, obstacle
from asyncfix.plan.rows import Rows
from asyncfix.project import PYTEST

THREADED = (3, 9)
NATIVE = "native"
COULD = "blocks, and could be awaited"
RUN_HERE = ("plain", "callback")
DECLARED = "declared"  # the id of the Change for what the user declares: there is one at most
MOST_DOUBTS = 8  # said of one Change: a person reads them all


@dataclass(frozen=True, slots=True)
class Mend:
    """A Change, or the reason why there is none: ``code`` and ``why``."""

    change: Change | None
    code: str = ""
    why: str = ""


@dataclass(slots=True)
class Draft:
    """A Change in the making.

    pooled  functions that turn which their framework runs in threads while they are sync
    beside  leaves that are converted only because they block in one of those
    """

    decisions: list[Decision] = field(default_factory=lambda: list[Decision]())
    doubts: list[str] = field(default_factory=lambda: list[str]())
    notes: list[str] = field(default_factory=lambda: list[str]())
    keeps: set[str] = field(default_factory=lambda: set[str]())
    turns: set[str] = field(default_factory=lambda: set[str]())
    pooled: dict[str, None] = field(default_factory=lambda: dict[str, None]())

    beside: list[Leaf] = field(default_factory=lambda: list[Leaf]())

    def absorb(self, other: Draft) -> None:
        """Take over all of another draft."""
        self.decisions += other.decisions
        self.doubts += other.doubts
        self.notes += other.notes
        self.keeps |= other.keeps
        self.turns |= other.turns
        self.pooled |= other.pooled

    def change(self, id_: str, rule: str, title: str) -> Change:
        safety: Safety = "unsafe" if self.doubts else "safe"
        doubts = list(dict.fromkeys(self.doubts))
        if len(doubts) > MOST_DOUBTS:
            doubts = [*doubts[:MOST_DOUBTS], f"and {len(doubts) - MOST_DOUBTS} more of the kind"]
        reasons = tuple(dict.fromkeys((*doubts, *self.notes)))
        return Change(
            id=id_,
            rule=rule,
            title=title,
            safety=safety,
            decisions=stepping.expanded(dict.fromkeys(self.decisions)),
            reasons=reasons,
            turns=frozenset(self.turns),
            keeps=frozenset(self.keeps),
        )


def plan(planner: Planner) -> Plan:
    """Everything that could be done about what blocks, and what may not be done."""
    facts, blocking = planner.facts, planner.blocking
    findings: list[Finding] = []
    refusals: list[Refusal] = []
    changes: dict[str, Change] = {}

    def report(finding: Finding, mend: Mend, *leaves: Leaf) -> None:
        planner.sites.setdefault(spot(finding), []).extend(leaves)
        if mend.change is not None:
            changes[mend.change.id] = mend.change
            finding = Finding(
                finding.rule,
                finding.place,
                finding.message,
                finding.owner,
                finding.leaf,
                finding.via,
                mend.change.safety,
                mend.change.id,
            )
        else:
            refusals.append(Refusal(finding, mend.code, mend.why))
        findings.append(finding)

    for leaf in blocking.direct:
        report(planner.direct_finding(leaf), planner.direct(leaf), leaf)
    for reaching in blocking.indirect:
        for leaf in reaching.leaves:
            report(planner.indirect_finding(reaching.edge, leaf), planner.indirect(reaching, leaf), leaf)
    for leaf in blocking.seeds:
        mend = planner.seed(leaf)
        above = () if mend.change is not None else planner.above(leaf, mend)
        for edge, other in above:
            report(planner.indirect_finding(edge, leaf, COULD), other, leaf)
        if not above:
            report(planner.seed_finding(leaf), mend, leaf)
    for finding, mend in planner.declared():
        report(finding, mend)
    for leaf in blocking.bridged:
        report(planner.bridged_finding(leaf), planner.bridged(leaf))
    for path, site in facts.scanned:
        report(*planner.scanned(path, site))
    findings.sort(
        key=lambda finding: (finding.place.path, finding.place.line, finding.place.column, finding.rule, finding.leaf)
    )
    return Plan(tuple(changes.values()), tuple(refusals), tuple(findings))


def spot(finding: Finding) -> tuple[str, Place, str]:
    """By what a finding is known, whatever else is said of it later."""
    return finding.rule, finding.place, finding.message


class Planner:
    """The judgement of one plan; answers that several findings share are remembered.

    ``sites``: the blocking calls that findings tell of, by their `spot`.
    """

    def __init__(self, facts: Facts, blocking: Blocking) -> None:
        self.sites: dict[tuple[str, Place, str], list[Leaf]] = {}
        self.facts = facts
        self.blocking = blocking
        self.index = facts.index
        self._colours: dict[str, Colouring | Barrier] = {}
        self._helpers: dict[tuple[str, str], Mend] = {}
        self._edges: dict[tuple[str, int, int], Mend] = {}
        self._ids = Ids(facts.index)

    # ---------------------------------------------------------------------------------------------------------- findings

    def direct_finding(self, leaf: Leaf) -> Finding:
        call = leaf.call
        place = Place(self.index.path(leaf.function), call.line, call.column, call.end_line, call.end_column)
        via = (Hop(leaf.function, place.path, call.line), Hop(leaf.name, place.path, call.line))
        return Finding(leaf.rule, place, f"{leaf.name} blocks the event loop", leaf.function, self._leaf(leaf), via)

    def seed_finding(self, leaf: Leaf) -> Finding:
        """Of a blocking call that no async code reaches."""
        return replace(self.direct_finding(leaf), message=f"{leaf.name} {COULD}")

    def bridged_finding(self, leaf: Leaf) -> Finding:
        """Of a call that a thread runs: it holds up nothing."""
        said = f"{leaf.name} runs in a thread; its native form is asked for"
        return replace(self.direct_finding(leaf), message=said, leaf="")

    def indirect_finding(self, edge: Edge, leaf: Leaf, said: str = "blocks the event loop") -> Finding:
        path, site = self.index.path(edge.caller), edge.site
        end_line = site.end_line if isinstance(site, Call) else site.line
        hops = way(self.blocking, self.index, edge, leaf)
        names = " -> ".join(hop.function.rpartition(".")[2] for hop in hops[:-1])
        message = f"{said}: {names} -> {leaf.name} ({hops[-1].path}:{hops[-1].line})"
        return Finding(
            leaf.rule,
            Place(path, site.line, site.column, end_line, site.end_column),
            message,
            edge.caller,
            self._leaf(leaf),
            hops,
        )

    def _leaf(self, leaf: Leaf) -> str:
        return f"{leaf.name} ({self.index.path(leaf.function)}:{leaf.call.line})"

    # ------------------------------------------------------------------------------------------------------------ direct

    def direct(self, leaf: Leaf) -> Mend:
        """The Change for a blocking call that stands in an async function."""
        leaf = self._host(leaf)
        if leaf.function in self.facts.limits.pins:
            return Mend(None, "pinned", f"{leaf.function} is pinned in [tool.asyncfix]")
        foreign = self._foreign(leaf.function)
        if foreign is not None:
            return foreign
        draft = Draft()
        barred = self._site(draft, leaf)
        if barred is not None:
            return barred
        self._common_doubts(draft, leaf.function)
        id_ = self._ids.of(leaf.rule, leaf.function, leaf.call)
        return Mend(draft.change(id_, leaf.rule, f"{leaf.name} in {leaf.function}"))

    def bridged(self, leaf: Leaf) -> Mend:
        """The Change for a call that a thread runs, and that is awaited there already: no await more, only another one."""
        if leaf.function in self.facts.limits.pins:
            return Mend(None, "pinned", f"{leaf.function} is pinned in [tool.asyncfix]")
        site = Mend(None, "not-plain", leaf.doubt) if leaf.doubt else self._looked_at(leaf)
        if isinstance(site, Mend):
            return site
        form, doubts, barred = self._form(site, suspension_of(self.facts, leaf.function, leaf.call.span))
        found = self._foreign(leaf.function) or (barred if form is None else None)
        if form is None or found is not None:
            return found or barred
        path = self.index.path(leaf.function)
        draft = Draft(decisions=[Rewrite(path, site, form.name)], doubts=doubts, notes=[form.note] if form.note else [])
        self._declare(draft, form)
        self._common_doubts(draft, leaf.function)
        id_ = self._ids.of(leaf.rule, leaf.function, leaf.call)
        return Mend(draft.change(id_, leaf.rule, f"{leaf.name} in {leaf.function}: in place of a thread"))

    def _host(self, leaf: Leaf) -> Leaf:
        """The blocking call to whose thread this one goes along, if it stands in the statement that goes there; else itself."""
        site = self._surveyed(leaf)
        for other in self.blocking.by_function[leaf.function]:
            around = self._surveyed(other)
            if other.key == leaf.key or around is None or not around.forms or not around.span.contains(leaf.call.span):
                continue
            if site is not None and site.span.contains(around.span) and leaf.call.span < other.call.span:
                continue  # two files opened by one statement: the first stands for both
            form, _, _ = self._form(around, suspension_of(self.facts, other.function, other.call.span))
            if form is not None and form.in_thread and around.span != around.call:
                return self._host(other)
        return leaf

    def _surveyed(self, leaf: Leaf) -> Site | None:
        return self.facts.sites.get(self.index.path(leaf.function), {}).get(leaf.call.span)

    def _foreign(self, function: str) -> Mend | None:
        found = self.facts.loops(function, FOREIGN_LOOPS)
        if found is None:
            return None
        return Mend(None, "foreign-loop", f"{found[1]} imports {found[0]}: this code may not run on an asyncio loop")

    def _common_doubts(self, draft: Draft, function: str) -> None:
        found = self.facts.loops(function, NEUTRAL_LOOPS)
        if found is not None:
            draft.doubts.append(f"{found[1]} uses {found[0]}: this code may run on another event loop than asyncio's")

    def closed(self, path: str, first: int, last: int, rule: str = "") -> bool:
        return path in self.facts.limits.closed or self.facts.barred(path, first, last, rule)

    def _site(self, draft: Draft, leaf: Leaf) -> Mend | None:
        """Decide the form of one blocking call and add it to the draft; a Mend without Change if none will do."""
        path, call = self.index.path(leaf.function), leaf.call
        site = self._looked_at(leaf)
        if isinstance(site, Mend):
            return site
        suspension = suspension_of(self.facts, leaf.function, call.span)
        locked = self.locked(suspension)
        if locked is not None:  # whatever the form
            return locked
        form, doubts, barred = self._form(site, suspension)
        if form is None:
            return barred
        others = () if form.in_thread else tuple(inside(self.facts, leaf.function, site))
        locked = next((found for each in others if (found := self.locked(each)) is not None), None)
        if locked is not None:
            return locked
        draft.decisions.append(Rewrite(path, site, form.name))
        self.unlazy(draft, leaf.function, call, site.span)
        self._declare(draft, form)
        draft.doubts.extend(doubts)
        for each in (suspension, *others):
            draft.doubts.extend(self.suspending(each))
        if leaf.doubt:
            draft.doubts.append(leaf.doubt)
        if call.line in self.index.summaries[path].deliberate:
            draft.doubts.append(f"a linter is told to leave this line as it is ({path}:{call.line})")
        if leaf.api.flow == "process":
            draft.doubts.extend(self._files_of_child(leaf, site))
        if form.note:
            draft.notes.append(form.note)
        if form.in_thread:
            draft.doubts.extend(self._sleeping(leaf.function, site.span))
            for edge in self.index.calls.get(leaf.function, ()):
                if site.span.contains(edge.span):
                    draft.keeps |= self.facts.effects.below(edge.callee)
        return None

    def unlazy(self, draft: Draft, function: str, call: Call, written: Span, stepwise: bool = False) -> None:
        """The generator expression round an await is written so that it may stand in it."""
        uses = tuple(stepping.unlazy(self.index, function, call, written, stepwise))
        draft.decisions.extend(uses)
        if uses:
            draft.doubts.extend(stepping.unlazy_doubts(self.index, function, call))

    def _looked_at(self, leaf: Leaf) -> Site | Mend:
        """The site of a call that may be edited and has forms."""
        path, call = self.index.path(leaf.function), leaf.call
        if self.closed(path, call.line, call.end_line, leaf.rule):
            return Mend(None, "not-editable", f"{path}:{call.line} may not be edited")
        barrier = barring(call, self.facts.target)
        if barrier:
            return Mend(None, barrier, f"no await may stand here: {barrier.replace('-', ' ')}")
        site = self._surveyed(leaf)
        if site is None:
            return Mend(None, "not-surveyed", "the call could not be looked at")
        return site if site.forms else Mend(None, site.refusal, site.why)

    def locked(self, suspension: Suspension) -> Mend | None:
        """The refusal, where a lock of `threading` is held at the await, or at one that suspends because of it."""
        for each in self.facts.awakening.all(suspension):
            around = (name for name, _ in self.facts.interleaving.around(each))
            rows = self.facts.rows  # a lock that has an async twin is none of `threading` then
            lock = lock_held(self.index, each, (name for name in around if rows is None or name not in rows.staying))
            if lock:
                where = f"{self.index.path(each.function)}:{self.index.fact(each.function).line}"
                place = "here" if each == suspension else f"in {each.function} ({where})"
                why = f"{lock} is held {place}: awaiting under it can stop the event loop for good"
                return Mend(None, "thread-lock-held", why)
        return None

    def suspending(self, suspension: Suspension) -> Iterator[str]:
        """What may go wrong because an await stands there now, and others suspend because of it."""
        for each in self.facts.awakening.all(suspension):
            yield from self.facts.interleaving.races(each)
            yield from self.facts.awakening.doubts(each.function)
            yield from self.facts.awakening.started(each)
            entered = perhaps_held(self.index, each)
            if entered:
                yield f"{entered} is not known, and may be a lock, which must not be held at an await"
            yield from half_line(self.index, each.function, each.span, each.loop)
            swallowed = self.facts.swallowed(each)
            if swallowed:
                yield swallowed

    def _files_of_child(self, leaf: Leaf, site: Site) -> Iterator[str]:
        """What else the function does to files or by child processes: another task may now do the same in between."""
        for other in self.blocking.by_function[leaf.function]:
            if other.api.flow == "process" and not site.span.contains(other.call.span):
                where = f"{self.index.path(other.function)}:{other.call.line}"
                yield f"another task may run its child processes between this one and that of {where}"
                return
        for touch in self.facts.effects.direct(leaf.function).touches:
            if touch.key.startswith("file "):
                yield f"the child process may use {said(touch.key)}, which other tasks may use meanwhile ({touch.where})"
                return

    def _form(self, site: Site, suspension: Suspension) -> tuple[Form | None, list[str], Mend]:
        """The first form whose requirements hold, with what is unproven; else the reason of the last that failed."""
        barred = Mend(None, "no-form", "no form fits")
        passed_over: list[str] = []
        # What works in tests as it is goes on doing so, unless it held up the event loop.
        held = ("replaced-in-test", *(("frozen-time",) if site.bridged else ()))
        held = held if site.bridged or self.facts.ends is not None else ()
        for form in site.forms:
            verdicts = [judge(self.facts, condition, suspension) for condition in form.requires]
            failing = [verdict for verdict in verdicts if verdict.kind != "holds"]
            asked = self._asked_for(form)
            missing = next((verdict for verdict in failing if asked and verdict.code == "not-declared"), None)
            failed = next((verdict for verdict in failing if verdict != missing), None)
            if failed is None and missing is not None and self.facts.project.dependency_file is None:
                why = f"{missing.why}, and its dependencies are not where a line can be added"
                failed = Verdict("fails", why, missing.code)
            if failed is None:
                safe = [judge(self.facts, condition, suspension) for condition in form.safe_if]
                failed = next((verdict for verdict in safe if verdict.kind == "bars"), None)
                doubts = [verdict.why for verdict in safe if verdict.kind == "fails"]
                replaced = next((verdict for verdict in safe if verdict.code in held), None)
                last = form == site.forms[-1]
                if last and replaced is not None:
                    return None, [], Mend(None, replaced.code, f"{replaced.why}: it would not hold any more")
                if doubts and self.facts.ends is not None and form.name == NATIVE and not (last or asked):
                    passed_over.append(f"not {form.name}: {doubts[0]}")  # the bridge keeps what works
                    continue
                if failed is None:
                    note = "; ".join((*passed_over, *((form.note,) if form.note else ())))
                    return Form(form.name, form.requires, form.safe_if, note, form.in_thread), doubts, barred
            if failed.code != "strategy":
                passed_over.append(f"not {form.name}: {failed.why}")
            if failed.code != "strategy" or not passed_over:  # a form that nobody asked for is no reason beside others
                barred = Mend(None, failed.code, failed.why)
        return None, [], barred

    def scanned(self, path: str, site: Site) -> tuple[Finding, Mend]:
        """The finding and the Change for statements that a rule found by itself."""
        owner = next(iter(self.index.evaluator.function_ids(path, site.owner)), site.owner)
        call = (
            next((item for item in self.index.fact(owner).calls if item.span == site.call), None)
            if owner in self.index.functions
            else None
        )
        place = Place(path, call.line, call.column, call.end_line, call.end_column) if call else Place(path, 1, 1, 1, 1)
        finding = Finding(
            site.rule,
            place,
            "awaits that do not depend on each other run one after the other",
            owner,
            f"{site.rule} ({path})",
        )
        if call is None or not site.forms:
            return finding, Mend(
                None, site.refusal or "not-surveyed", site.why or "the statements could not be looked at"
            )
        foreign = self._foreign(owner)
        if foreign is not None:
            return finding, foreign
        if self.closed(path, call.line, call.end_line):
            return finding, Mend(None, "not-editable", f"{path}:{call.line} may not be edited")
        form, doubts, barred = self._form(site, Suspension(owner, site.span, call.loop, call.held))
        if form is None:
            return finding, barred
        draft = Draft(decisions=[Rewrite(path, site, form.name)], doubts=doubts, notes=[form.note] if form.note else [])
        self._common_doubts(draft, owner)
        id_ = self._ids.of(site.rule, owner, call)
        return finding, Mend(draft.change(id_, site.rule, f"overlap awaits in {owner}"))

    def _asked_for(self, form: Form) -> bool:
        """Whether the user chose this form by strategy, not by default: then what it needs may be declared."""
        return any(
            isinstance(item, Strategy) and self.facts.config.strategy.get(item.key) == item.value
            for item in form.requires
        )

    def _declare(self, draft: Draft, form: Form) -> None:
        """Add the dependency lines that a chosen form needs."""
        for item in form.requires:
            if isinstance(item, Declared) and item.distribution not in self.facts.project.runtime_declared:
                draft.decisions.append(Require(self.facts.project.dependency_file or "", item.distribution))
                draft.doubts.append(
                    f"{item.distribution} becomes a dependency: it must be installed wherever this runs"
                )

    # ---------------------------------------------------------------------------------------------------------- indirect

    def indirect(self, reaching: Reaching, leaf: Leaf) -> Mend:
        """The Change for an expression in async code that reaches a blocking call through sync functions."""
        leaf = self._host(leaf)
        foreign = self._foreign(reaching.edge.caller)
        if foreign is not None:
            return foreign
        found = self._helper_of(leaf)
        if found.change is not None and mends(found.change, leaf):
            return found
        return self._edge(reaching, leaf, found)

    def seed(self, leaf: Leaf) -> Mend:
        """The Change for a blocking call in sync code, which is migrated up to its boundaries."""
        leaf = self._host(leaf)
        found = self._helper_of(leaf)
        if found.change is None or mends(found.change, leaf):
            return found
        return self._site(Draft(), leaf) or found  # a neighbour is mended

    def _helper_of(self, leaf: Leaf) -> Mend:
        """The Change that turns the helper in which a blocking call stands."""
        key = (leaf.function, leaf.rule)
        if key not in self._helpers:
            self._helpers[key] = self._helper(leaf)
        return self._helpers[key]

    def declared(self) -> Iterator[tuple[Finding, Mend]]:
        """The findings of what the user's rows speak of, all with the one Change for it."""
        rows, ends = self.facts.rows, self.facts.ends
        if rows is None or ends is None or not (rows.turning or rows.uses):
            return
        coloured = declaring.coloured(self, rows, ends)
        mend: Mend | None = None
        for rule, finding in declaring.findings(self, rows):
            stop = coloured.stays.get(finding.owner)
            if stop is not None and finding.owner in rows.turning:
                yield finding, Mend(None, stop.code, stop.why)
                continue
            mend = mend or self._declared(rows, coloured, rule)
            yield finding, mend

    def _declared(self, rows: Rows, coloured: Whole, rule: str) -> Mend:
        draft = Draft()
        stopped = declaring.decide(self, draft, rows, coloured)
        if stopped is not None:
            return Mend(None, stopped.code, f"what is declared is migrated as a whole, and {stopped.why}")
        for name in draft.turns:
            foreign = self._foreign(name)
            if foreign is not None:
                return foreign
        apis = ", ".join(sorted({row.call.partition(".")[0] for row in self.facts.config.apis}))
        title = f"the declared API of {apis}: turn {len(draft.turns)} functions async"
        return Mend(draft.change(DECLARED, rule, title))

    def refused(self, leaf: Leaf) -> Mend | None:
        """The refusal of a blocking call for what it is itself, None if there is a form for it."""
        return self._site(Draft(), self._host(leaf))

    def frees(self, leaf: Leaf, coloured: Colouring) -> bool:
        """Whether a blocking call in a sync function would be mended, had colouring ended so."""
        leaf = self._host(leaf)
        trial = Planner(self.facts, self.blocking)
        trial._colours = self._colours | {leaf.function: coloured}
        change = trial._helper(leaf).change
        return change is not None and mends(change, leaf)

    def stops(self, coloured: Colouring) -> Iterator[Mend]:
        """What stands in the way of a colouring beside barriers: loops of other libraries, locks that are held."""
        for name in coloured.reached:
            foreign = self._foreign(name)
            if foreign is not None:
                yield foreign
        for awaited in (each for each in coloured.awaits if each.kind not in (KEPT, PASSED_ON)):
            locks = map(self.locked, self._suspensions(awaited.edge, *self._manner(awaited)))
            yield from (locked for locked in locks if locked is not None)

    def _helper(self, leaf: Leaf) -> Mend:
        """The Change that turns a helper, with every site of one rule in it and all its callers."""
        draft = Draft()
        stopped = self._turned(draft, leaf) or self._leaving(draft, leaf)
        if stopped is not None:
            return stopped
        group = [leaf, *draft.beside]
        first = min(group, key=lambda each: (each.function, each.rule))
        many = f" and {len(draft.turns) - 1} more" if len(draft.turns) > 1 else ""
        title = f"{first.name} in {first.function}: turn it{many} async"
        change = draft.change(self._id(draft, first), first.rule, title)
        self._helpers |= dict.fromkeys(((each.function, each.rule) for each in group), Mend(change))
        return Mend(change)

    def _id(self, draft: Draft, leaf: Leaf) -> str:
        """The id for the sites of one rule in a helper: that of the first of them that is mended."""
        path = self.index.path(leaf.function)
        written = {item.site.call for item in draft.decisions if isinstance(item, Rewrite) and item.path == path}
        group = (other.call for other in self.blocking.by_function[leaf.function] if other.rule == leaf.rule)
        first = min((call for call in group if call.span in written), key=lambda call: call.span, default=leaf.call)
        return self._ids.of(leaf.rule, leaf.function, first)

    def _turned(self, draft: Draft, leaf: Leaf) -> Mend | None:
        """Add to the draft what turns a helper; a Mend without Change if that may not be."""
        coloured = self._colour(leaf.function)
        if isinstance(coloured, Barrier):
            self.facts.barred(coloured.path, coloured.line, coloured.line, "")
            return Mend(None, coloured.code, coloured.why)
        barred: Mend | None = None
        decided = len(draft.decisions)
        for other in self.blocking.by_function[leaf.function]:
            if other.rule == leaf.rule and self._host(other) is other:
                barred = self._site(draft, other) or barred
        if len(draft.decisions) == decided:
            return barred or Mend(None, "no-form", "no form fits")
        self._common_doubts(draft, leaf.function)
        return self._spread(draft, coloured)

    # --------------------------------------------------------------------------------------------------- out of the pool

    def _leaving(self, draft: Draft, leaf: Leaf) -> Mend | None:
        """Add all that would block in functions that leave the thread pool of their framework; a Mend without Change if
        something would block the event loop still."""
        done = {(leaf.function, leaf.rule)}
        handlers = list(draft.pooled)
        for handler in handlers:
            for other in self._beside(draft, handler):
                if (other.function, other.rule) in done:
                    continue
                done.add((other.function, other.rule))
                trial = Draft()
                barred = self._turned(trial, other)
                if barred is None:
                    draft.absorb(trial)
                    draft.beside.append(other)
                elif not self._handed_over(draft, other, barred):
                    where = f"{self.index.path(other.function)}:{other.call.line}"
                    why = f"{handler} runs in a thread pool and reaches {other.name} too ({where}), which stays"
                    return Mend(None, "thread-pool", f"{why}: {barred.why}")
            handlers += [name for name in draft.pooled if name not in handlers]
        return self._obstructed(draft)

    def _beside(self, draft: Draft, handler: str) -> Sequence[Leaf]:
        leaves = self.blocking.by_function
        below = beneath(self.index, handler, draft.decisions)
        return [other for name in below for other in leaves.get(name, ()) if self._host(other) is other]

    def _handed_over(self, draft: Draft, leaf: Leaf, barred: Mend) -> bool:
        """Hand to threads the calls by which functions that turn reach a leaf that cannot. False if one may not go there."""
        if leaf.function in draft.turns:
            return False
        waiting = [leaf.function]
        for name in waiting:
            for edge in self.index.callers.get(name, ()):
                if edge.caller in draft.turns:
                    drafted = self._thread(edge, barred)
                    if isinstance(drafted, Mend):
                        return False
                    draft.absorb(drafted)
                elif edge.caller not in waiting and not self.index.fact(edge.caller).is_async:
                    waiting.append(edge.caller)
        return True

    def _obstructed(self, draft: Draft) -> Mend | None:
        """The refusal, where something would block the event loop that blocks nobody in the thread pool of its framework."""
        for handler in draft.pooled:
            found = obstacle(self.facts, self.blocking, handler, draft.decisions)
            if found:
                why = f"{handler} runs in a thread pool, and may not leave it: {found}"
                return Mend(None, "thread-pool", why)
        both = sorted(draft.keeps & draft.turns) if draft.pooled else ()
        if both:
            return Mend(None, "thread-pool", f"{both[0]} would be run on the event loop and in a thread")
        return None

    def _spread(self, draft: Draft, coloured: Colouring) -> Mend | None:
        """Write all that turns and is awaited because of a function; a Mend without Change if something stands in the way."""
        for name in coloured.reached:
            foreign = self._foreign(name)
            if foreign is not None:
                return foreign
            if name in coloured.giving:
                self.giving(draft, name)
            else:
                self.reached(draft, name, coloured.ends.get(name))
        for edge in coloured.runs:
            path = self.index.path(edge.caller)
            draft.decisions.append(Use(path, edge.span, "run"))
            if self.facts.ends is not None and not self.facts.ends.alone(edge):
                draft.doubts.append(f"each call at {path}:{edge.site.line} and beside it gets an event loop of its own")
        for name, call in coloured.raising:
            draft.decisions.append(Use(self.index.path(name), call.span, "raising"))
        for name in coloured.uncalled:
            read = self._read_by_name(name)
            if read is not None:
                return read
            draft.doubts.append(f"nothing in the project calls {name}: callers outside it would have to await it")
        for awaited in (*coloured.awaits, *coloured.wrapped):
            stopped = self.awaited(draft, awaited)
            if stopped is not None:
                return stopped
        for name in sorted(draft.turns):
            stopped = self.yielding(draft, name)
            if stopped is not None:
                return stopped
        draft.pooled |= dict.fromkeys(name for name, met in coloured.ends.items() if met.pooled)
        return None

    def reached(self, draft: Draft, name: str, met: Met | None) -> None:
        """Write that a function turns, and what its end asks for."""
        info = self.index.functions[name]
        if met is not None and not met.turns:
            draft.decisions.append(Use(info.path, info.fact.span, "split"))
            return
        if not info.fact.is_async:
            stepwise = manner(info.fact) == "generator"
            stubs = () if stepwise else self.index.stubs.get(name, ())  # those state what is given, and give nothing
            for keyword in (info.fact.keyword, *stubs):
                if not only_renamed(info.fact):
                    draft.decisions.append(Turn(info.path, keyword, name, stepwise))
                for kind in _turning(self.index, name):
                    draft.decisions.append(Use(info.path, Span(keyword.start, keyword.start), kind))
            draft.turns.add(name)
            self._turning_doubts(draft, name)
        for made in based(self.index, name) if is_special(info.fact) else ():
            start = self.index.fact(made).keyword.start
            draft.decisions.append(Use(self.index.path(made), Span(start, start), "special_base"))
        if not CACHES.isdisjoint(info.fact.decorators):
            self._cached(draft, name)
        around = self.facts.limits.wrappings.around(name)
        for maker in (around.decorator, *self.facts.limits.wrappings.makers(around)) if around is not None else ():
            start = self.index.fact(maker).keyword.start
            draft.decisions.append(Use(info.path, Span(start, start), "awaitable"))
        for patch in self.facts.limits.replaced.get(name, ()) if self.facts.ends is not None else ():
            if patch.call is not None:
                bound = patch.binds and info.fact.kind == "method"
                draft.decisions.append(Use(patch.path, patch.call, "bound_mock" if bound else "mock"))
        for mark in met.marks if met is not None else ():
            start = info.fact.keyword.start
            if mark.at == "class":
                owner = self.index.evaluator.class_id(info.path, info.fact.owner_class)
                start = self.index.fact(owner).keyword.start if owner and owner in self.index.functions else start
            draft.decisions.append(Use(info.path, Span(start, start), mark.kind))
        if met is not None and met.distribution and met.distribution not in self.facts.project.declared:
            place = self.facts.project.test_file
            if place is not None:
                draft.decisions.append(Require(place, met.distribution, PYTEST))
            missing = "" if place else ", which the project does not declare"
            draft.doubts.append(f"the tests need {met.distribution}{missing}: it must be installed where they run")

    def giving(self, draft: Draft, name: str) -> None:
        """Write that a function which stays gives what an async generator gives."""
        info = self.index.functions[name]
        draft.turns.add(name)
        for keyword in (info.fact.keyword, *self.index.stubs.get(name, ())):
            for kind in (*(("special_method",) if is_special(info.fact) else ()), "async_iterator"):
                draft.decisions.append(Use(info.path, Span(keyword.start, keyword.start), kind))
        self._turning_doubts(draft, name)

    def _cached(self, draft: Draft, name: str) -> None:
        """Write that a function which turns is cached by async-lru."""
        start = self.index.fact(name).keyword.start
        draft.decisions.append(Use(self.index.path(name), Span(start, start), "async_cache"))
        if CACHE not in self.facts.project.runtime_declared:
            draft.decisions.append(Require(self.facts.project.dependency_file or "", CACHE))
            draft.doubts.append(f"{CACHE} becomes a dependency: it must be installed wherever this runs")
        draft.doubts.append(f"what {name} gave is cached for one event loop: another one begins anew, or may not ask")

    def _colour(self, function: str) -> Colouring | Barrier:
        found = self._colours.get(function)
        if found is None:
            found = self._colours[function] = colour(self.index, function, self.facts.limits, self.facts.ends)
        return found

    def _turning_doubts(self, draft: Draft, name: str) -> None:
        if name in self.facts.exported:
            draft.doubts.append(f"{name} is exported: callers outside the project would have to await it")
        last = self.index.fact(name).qualname.rpartition(".")[2]
        if name in self.index.stopping and last != NEXT and not ends_iteration(self.index, name):
            where = f"{self.index.path(name)}:{self.index.stopping[name]}"
            draft.doubts.append(f"StopIteration out of {name} would come as a RuntimeError ({where})")
        for use in self.index.by_name.get(last, ()):
            if use.reason == EXAMPLE:
                draft.doubts.append(f"an example in a docstring calls {last} ({use.path}:{use.line})")
        for path, line in self.facts.named.get(last, ())[:2]:
            draft.doubts.append(f"{last} is named as text ({path}:{line}): what reads it may call it without awaiting")

    def _read_by_name(self, name: str) -> Mend | None:
        """The refusal of a function that nothing calls but what reads its name in settings, or the like."""
        for path, line in self.facts.named.get(self.index.fact(name).qualname.rpartition(".")[2], ()):
            if not is_test(path):
                why = f"{name} is called by nothing in the project, but named as text ({path}:{line}): what reads that calls it"
                return Mend(None, "named-as-text", why)
        return None

    def awaited(self, draft: Draft, awaited: Awaited) -> Mend | None:
        edge = awaited.edge
        if awaited.kind in (KEPT, PASSED_ON):
            return None  # nothing is written there
        path, site = self.index.path(edge.caller), edge.site
        block, stepwise = self._manner(awaited)
        suspensions = self._suspensions(edge, block, stepwise)
        locked = next((found for each in suspensions if (found := self.locked(each)) is not None), None)
        if locked is not None:
            return locked
        tight = isinstance(site, Call) and site.tight
        draft.decisions.append(Use(path, block.span if block is not None else site.span, awaited.kind, tight))
        if isinstance(site, Call):
            self.unlazy(draft, edge.caller, site, site.span, stepwise)
            draft.doubts.extend(stepping.doubts(self.index, edge, site) if awaited.kind in GONE_THROUGH else ())
        if isinstance(site, Call) and awaited.kind in MAPPED:
            uses, doubts = stepping.mapped(self.index, edge, site)
            draft.decisions.extend(uses)
            draft.doubts.extend(doubts)
        for each in suspensions:
            draft.doubts.extend(self.suspending(each))
        return None

    def _manner(self, awaited: Awaited) -> tuple[With | None, bool]:
        """The ``with`` statement that an awaited edge enters, and whether what it gives is gone through step by step."""
        edge = awaited.edge
        block = statement(self.index.fact(edge.caller), edge.span) if awaited.kind == ENTERING else None
        return block, awaited.kind in (*GONE_THROUGH, *MAPPED)

    def _suspensions(self, edge: Edge, block: With | None, stepwise: bool) -> list[Suspension]:
        """Where an awaited edge suspends; a ``with`` statement does so where it is left, too."""
        caller, site = edge.caller, edge.site
        first = Suspension.at(caller, site, stepwise, block.held if block is not None else ())
        if block is None:
            return [first]
        return [first, Suspension(caller, Span(block.span.end, block.span.end), block.loop, block.held)]

    def yielding(self, draft: Draft, name: str) -> Mend | None:
        """Where a generator that turns gives something: those who go through it may await there."""
        path, fact = self.index.path(name), self.index.fact(name)
        draft.decisions.extend(Use(path, item.span, "yield_from") for item in fact.yields if item.kind == "from")
        for keyword in (fact.keyword, *self.index.stubs.get(name, ())) if fact.is_generator else ():
            draft.decisions.append(Use(path, Span(keyword.start, keyword.start), "async_iterator"))
        for suspension in stepping.yielding(self.index, name) if manner(fact) == "generator" else ():
            locked = self.locked(suspension)
            if locked is not None:
                return locked
            draft.doubts.extend(self.facts.interleaving.races(suspension))
        return None

    # ------------------------------------------------------------------------------------------------------- thread edge

    def _edge(self, reaching: Reaching, leaf: Leaf, barred: Mend) -> Mend:
        """The thread form at the async expression, since the helper stays sync for the reason of ``barred``."""
        edge = reaching.edge
        key = (edge.caller, edge.span.start, edge.span.end)
        found = self._edges.get(key)
        if found is None:
            drafted = self._thread(edge, barred)
            found = self._edges[key] = drafted if isinstance(drafted, Mend) else self._handed(drafted, edge, leaf.rule)
        if found.change is None and barred.change is None:
            why = "" if found.why == barred.why else f"; and not in a thread: {found.why}"
            return Mend(None, found.code or barred.code, barred.why + why)
        return found

    def above(self, leaf: Leaf, barred: Mend) -> Sequence[tuple[Edge, Mend]]:
        """The Changes for the calls of what cannot turn in functions that can: the lowest on each way up from a leaf."""
        found: dict[tuple[str, int, int], tuple[Edge, Mend]] = {}
        if self._helper_of(leaf).change is not None:
            return ()  # the function turns for the sake of other calls
        waiting = [leaf.function]
        for name in waiting:
            for edge in self.index.callers.get(name, ()):
                if self.index.fact(edge.caller).is_async or is_test(self.index.path(edge.caller)):
                    continue
                mend = self._lifted(edge, leaf, barred)
                if mend.change is not None:
                    found[edge.caller, edge.span.start, edge.span.end] = (edge, mend)
                elif edge.caller not in waiting:
                    waiting.append(edge.caller)
        return tuple(found.values())

    def _lifted(self, edge: Edge, leaf: Leaf, barred: Mend) -> Mend:
        """The Change that hands a call to a thread and turns the function that it stands in."""
        key = (edge.caller, edge.span.start, edge.span.end)
        if key not in self._edges:
            self._edges[key] = self._lift(edge, leaf, barred)
        return self._edges[key]

    def _lift(self, edge: Edge, leaf: Leaf, barred: Mend) -> Mend:
        if not self.blocking.migrates(edge.caller):
            return Mend(None)
        coloured = self._colour(edge.caller)
        if isinstance(coloured, Barrier):
            return Mend(None, coloured.code, coloured.why)
        end = coloured.ends.get(edge.caller)
        if end is not None and not end.turns:
            return Mend(None)  # all of a program in one thread: nothing is won
        if any(met.pooled for met in coloured.ends.values()):
            return Mend(None)  # it runs in a thread as it is
        drafted = self._thread(edge, barred)
        if isinstance(drafted, Mend):
            return drafted
        stopped = self._spread(drafted, coloured)
        return stopped or self._handed(drafted, edge, leaf.rule, f", turn {edge.caller}{_many(coloured)} async")

    def _handed(self, draft: Draft, edge: Edge, rule: str, more: str = "") -> Mend:
        assert isinstance(edge.site, Call), "only calls are handed to threads"
        id_ = self._ids.of(rule, edge.caller, edge.site, edge.callee)
        return Mend(draft.change(id_, rule, f"{edge.callee} in {edge.caller}: run it in a thread{more}"))

    def _thread(self, edge: Edge, barred: Mend) -> Draft | Mend:
        """The thread form of a call, which is ``barred`` to be awaited; a Mend without Change if it may not run in one."""
        site, path = edge.site, self.index.path(edge.caller)
        if not isinstance(site, Call) or not self._runs_here(edge, site):
            return Mend(None, "", f"{edge.callee} is not run by a plain call here")
        generator = stepping.generator(self.index, edge.callee)
        if generator:
            return Mend(None, "", f"{generator} is a generator: a thread would run nothing of it")
        barrier = barring(site, self.facts.target)
        if barrier not in ("", CALLBACK):
            return Mend(None, barrier, f"no await may stand here: {barrier.replace('-', ' ')}")
        if self.closed(path, site.line, site.end_line):
            return Mend(None, "not-editable", f"{path}:{site.line} may not be edited")
        if self.facts.target < THREADED:
            return Mend(None, "target-version", "asyncio.to_thread needs Python 3.9")
        suspension = Suspension.at(edge.caller, site)
        locked = self.locked(suspension)
        if locked is not None:
            return locked
        verdict = thread(self.facts, self.facts.effects.reach(edge.caller, site.span), suspension)
        if verdict.kind == "bars":
            return Mend(None, verdict.code, verdict.why)
        draft = Draft()
        draft.decisions.append(Use(path, site.span, "thread", site.tight))
        self.unlazy(draft, edge.caller, site, site.span)
        if verdict.kind == "fails":
            draft.doubts.append(verdict.why)
        draft.doubts.extend(self._sleeping(edge.caller, site.span))
        others = [other for other in self.index.calls[edge.caller] if other.span == edge.span]
        if site.use == "callback":
            draft.doubts.append("all that this call does with its arguments happens in the thread")
        if not edge.sure or site in self.index.unknown.get(edge.caller, ()):
            draft.doubts.append("this call may mean something else too")
        draft.doubts.extend(self.suspending(suspension))
        self._common_doubts(draft, edge.caller)
        draft.notes.append(f"in a thread, since {barred.why}" if barred.why else "in a thread")
        for other in others:
            draft.keeps |= self.facts.effects.below(other.callee)
        return draft

    def _runs_here(self, edge: Edge, site: Call) -> bool:
        """Whether all that an edge runs is run by the call itself: what goes through or enters its value is not."""
        if site.use in RUN_HERE or edge.kind == "constructor":  # what is made is awaited, entered or gone through after
            return edge.kind in ("call", "constructor")
        others = self.index.calls[edge.caller]
        here = {other.kind for other in others if other.span == edge.span and other.step == edge.step}
        return ("coroutine", site.use) in WRITTEN and here == {"call"}

    def _sleeping(self, function: str, span: Span) -> Iterator[str]:
        """What speaks against a thread for the code in a span that sleeps, itself or in what it calls."""
        leaves = [leaf for leaf in self.blocking.by_function.get(function, ()) if span.contains(leaf.call.span)]
        for edge in self.index.calls.get(function, ()):
            for name in self.facts.effects.below(edge.callee) if span.contains(edge.span) else ():
                leaves.extend(self.blocking.by_function.get(name, ()))
        if any(leaf.api.flow == "sleep" for leaf in leaves):
            yield "it sleeps in the thread: many at once would fill the thread pool"


def mends(change: Change, leaf: Leaf) -> bool:
    """Whether a Change rewrites a blocking call."""
    return any(isinstance(item, Rewrite) and item.site.call == leaf.call.span for item in change.decisions)


def _many(coloured: Colouring) -> str:
    """How many functions turn beside the first."""
    return f" and {len(coloured.reached) - 1} more" if len(coloured.reached) > 1 else ""


def _turning(index: ProjectIndex, name: str) -> Iterator[str]:
    """What is written, beside `async`, of a function that turns."""
    fact = index.fact(name)
    if manner(fact) == "manager":
        yield "manager"
    if is_special(fact):
        yield "special_method"
    if only_renamed(fact):
        yield "async_iterator"
    if (is_special(fact) and last_name(fact) == NEXT) or ends_iteration(index, name):
        yield "stop_async"


def wanted(index_path: Mapping[str, str], blocking: Blocking) -> Mapping[str, tuple[tuple[Leaf, Api], ...]]:
    """The calls that the survey has to look at, by path."""
    found: dict[str, dict[tuple[str, int, int], Leaf]] = {}
    leaves: Sequence[Iterable[Leaf]] = [
        blocking.direct,
        blocking.seeds,
        blocking.bridged,
        *(reaching.leaves for reaching in blocking.indirect),
    ]
    for group in leaves:
        for leaf in group:
            if leaf.call.use in HANDED:
                continue  # the call at that place is another one
            found.setdefault(index_path[leaf.function], {})[leaf.key] = leaf
    return {path: tuple((leaf, leaf.api) for leaf in items.values()) for path, items in found.items()}
