"""Changes, findings and refusals, made from what blocks: which Change mends what, and what may not be mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from asyncfix.colour.barrier import Barrier
from asyncfix.colour.spread import Colouring, colour
from asyncfix.colour.whole import Whole
from asyncfix.facts.testfiles import is_test
from asyncfix.link.callbacks import HANDED
from asyncfix.link.defining import decoration
from asyncfix.link.index import PARAMETER, Edge
from asyncfix.model import Api, Call, Change, Condition, Finding, Form, Place, Plan, Refusal, Rewrite, Site
from asyncfix.plan import declaring
from asyncfix.plan.conditions import judge, suspension_of
from asyncfix.plan.draft import Draft, Mend
from asyncfix.plan.facts import Facts
from asyncfix.plan.findings import COULD, Findings, spot
from asyncfix.plan.forming import Forms
from asyncfix.plan.ids import Ids
from asyncfix.plan.interleave import Suspension
from asyncfix.plan.leaves import Blocking, Leaf, Reaching
from asyncfix.plan.pooled import beneath, obstacle
from asyncfix.plan.rows import Rows
from asyncfix.plan.threads import Threads
from asyncfix.plan.turns import Turns

DECLARED = "declared"  # the id of the Change for what the user declares: there is one at most


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
            finding = msgspec.structs.replace(finding, safety=mend.change.safety, change=mend.change.id)
        else:
            refusals.append(Refusal(finding, mend.code, mend.why))
        findings.append(finding)

    for leaf in blocking.direct:
        report(planner.told.direct(leaf), planner.direct(leaf), leaf)
    lifted: set[tuple[Edge, Leaf]] = set()
    for reaching in blocking.indirect:
        for leaf in reaching.leaves:
            mend = planner.indirect(reaching, leaf)
            below = planner.below(reaching, leaf, mend)
            for edge, other in below:
                if (edge, leaf) not in lifted:
                    report(planner.told.indirect(edge, leaf, COULD), other, leaf)
            lifted.update((edge, leaf) for edge, _ in below)
            if not below:
                report(planner.told.indirect(reaching.edge, leaf), mend, leaf)
    for leaf in blocking.seeds:
        mend = planner.seed(leaf)
        above = () if mend.change is not None else planner.above(leaf, mend)
        for edge, other in above:
            report(planner.told.indirect(edge, leaf, COULD), other, leaf)
        if not above:
            report(planner.told.seed(leaf), mend, leaf)
    for finding, mend in planner.declared():
        report(finding, mend)
    for leaf in blocking.bridged:
        report(planner.told.bridged(leaf), planner.bridged(leaf))
    for path, site in facts.scanned:
        found = planner.scanned(path, site)
        if found is not None:
            report(*found)
    findings.sort(
        key=lambda finding: (finding.place.path, finding.place.line, finding.place.column, finding.rule, finding.leaf)
    )
    return Plan(tuple(changes.values()), tuple(refusals), tuple(findings))


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
        self._ways_up: dict[str, tuple[Sequence[tuple[Edge, Mend]], Sequence[str]]] = {}
        self._edges: dict[tuple[str, int, int], Mend] = {}
        self._ids = Ids(facts.index)
        self.told = Findings(facts.index, blocking)
        self.forms = Forms(facts, blocking)
        self.turns = Turns(facts, self.forms)
        self.threads = Threads(facts, self.forms)

    # ------------------------------------------------------------------------------------------------------------ direct

    def direct(self, leaf: Leaf) -> Mend:
        """The Change for a blocking call that stands in an async function."""
        leaf = self.forms.host(leaf)
        if leaf.function in self.facts.limits.pins:
            return Mend(None, "pinned", f"{leaf.function} is pinned in [tool.asyncfix]")
        foreign = self.forms.foreign(leaf.function)
        if foreign is not None:
            return foreign
        draft = Draft()
        barred = self.forms.site(draft, leaf)
        if barred is not None:
            return barred
        self.forms.common_doubts(draft, leaf.function)
        id_ = self._ids.of(leaf.rule, leaf.function, leaf.call)
        return Mend(draft.change(id_, leaf.rule, f"{leaf.name} in {leaf.function}"))

    def bridged(self, leaf: Leaf) -> Mend:
        """The Change for a call that a thread runs, and that is awaited there already: no await more, only another one."""
        if leaf.function in self.facts.limits.pins:
            return Mend(None, "pinned", f"{leaf.function} is pinned in [tool.asyncfix]")
        site = Mend(None, "not-plain", leaf.doubt) if leaf.doubt else self.forms.looked_at(leaf)
        if isinstance(site, Mend):
            return site
        foreign = self.forms.foreign(leaf.function)
        if foreign is not None:
            return foreign
        form, doubts, barred = self.forms.form(site, suspension_of(self.facts, leaf.function, leaf.call.span))
        if form is None:
            return barred
        draft = self._alone(Rewrite(self.index.path(leaf.function), site, form.name), form, doubts, leaf.function)
        self.forms.declare(draft, form)
        id_ = self._ids.of(leaf.rule, leaf.function, leaf.call)
        return Mend(draft.change(id_, leaf.rule, f"{leaf.name} in {leaf.function}: in place of a thread"))

    def _found(self, path: str, site: Site) -> tuple[str, Call | None]:
        """The function that a Site is in, and the call that names it: of a definition that of its decorator, of what no call
        names one that stands there."""
        ids = self.index.evaluator.function_ids(path, site.owner)
        owner = next((name for name in ids if self.index.fact(name).span.contains(site.call)), "")
        body = self.index.evaluator.class_id(path, site.owner) or site.owner
        owner = owner or body or self.index.evaluator.module_id(path)
        if owner not in self.index.functions:
            return owner, None
        if site.place is not None:
            at = site.place
            return owner, Call(site.call, site.call, at.line, at.column, at.end_line, at.end_column, (site.api,))
        fact = self.index.fact(owner)
        calls = (decoration(fact),) if fact.keyword == site.call else fact.calls
        return owner, next((item for item in calls if item.span == site.call), None)

    def scanned(self, path: str, site: Site) -> tuple[Finding, Mend] | None:
        """The finding and the Change for what a rule found that need not block; None if there is nothing to tell."""
        owner, call = self._found(path, site)
        if (call is None and site.unless) or (call and self._is_nothing(site, Suspension.at(owner, call))):
            return None  # or it cannot be told whether there is anything
        place = Place(path, call.line, call.column, call.end_line, call.end_column) if call else Place(path, 1, 1, 1, 1)
        finding = Finding(site.rule, place, site.message, owner, "")
        if call is None or not site.forms:
            return finding, Mend(
                None, site.refusal or "not-surveyed", site.why or "the statements could not be looked at"
            )
        foreign = self.forms.foreign(owner)
        if foreign is not None:
            return finding, foreign
        if self.forms.closed(path, call.line, call.end_line):
            return finding, Mend(None, "not-editable", f"{path}:{call.line} may not be edited")
        form, doubts, barred = self.forms.form(site, Suspension(owner, site.span, call.loop, call.held))
        if form is None:
            return finding, barred
        draft = self._alone(Rewrite(path, site, form.name), form, doubts, owner)
        self.forms.declare(draft, form)
        id_ = self._ids.of(site.rule, owner, call)
        return finding, Mend(draft.change(id_, site.rule, f"{site.title} in {owner}"))

    def _is_nothing(self, site: Site, suspension: Suspension) -> bool:
        def holds(condition: Condition) -> bool:
            return judge(self.facts, condition, suspension).kind == "holds"

        return any(map(holds, site.unless)) or not all(map(holds, site.only_if))

    def _alone(self, rewrite: Rewrite, form: Form, doubts: list[str], function: str) -> Draft:
        """The draft of one rewriting in a function, and of nothing else."""
        draft = Draft(decisions=[rewrite], doubts=doubts, notes=[form.note] if form.note else [])
        self.forms.common_doubts(draft, function)
        return draft

    # ---------------------------------------------------------------------------------------------------------- indirect

    def indirect(self, reaching: Reaching, leaf: Leaf) -> Mend:
        """The Change for an expression in async code that reaches a blocking call through sync functions."""
        leaf = self.forms.host(leaf)
        foreign = self.forms.foreign(reaching.edge.caller)
        if foreign is not None:
            return foreign
        found = self._helper_of(leaf)
        if found.change is not None and self.mends(found.change, leaf):
            return found
        return self._edge(reaching, leaf, found)

    def seed(self, leaf: Leaf) -> Mend:
        """The Change for a blocking call in sync code, which is migrated up to its boundaries."""
        leaf = self.forms.host(leaf)
        found = self._helper_of(leaf)
        if found.change is None or self.mends(found.change, leaf):
            return found
        return self.forms.site(Draft(), leaf) or found  # a neighbour is mended

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
            foreign = self.forms.foreign(name)
            if foreign is not None:
                return foreign
        apis = ", ".join(sorted({row.call.partition(".")[0] for row in self.facts.config.apis}))
        title = f"the declared API of {apis}: turn {len(draft.turns)} functions async"
        return Mend(draft.change(DECLARED, rule, title))

    def refused(self, leaf: Leaf) -> Mend | None:
        """The refusal of a blocking call for what it is itself, None if there is a form for it."""
        return self.forms.site(Draft(), self.forms.host(leaf))

    def mends(self, change: Change, leaf: Leaf) -> bool:
        """Whether a Change rewrites a blocking call."""
        path, span = self.index.path(leaf.function), leaf.call.span
        return any(
            isinstance(item, Rewrite) and item.path == path and item.site.call == span for item in change.decisions
        )

    def frees(self, leaf: Leaf, coloured: Colouring) -> bool:
        """Whether a blocking call in a sync function would be mended, had colouring ended so."""
        leaf = self.forms.host(leaf)
        trial = Planner(self.facts, self.blocking)
        trial._colours = self._colours | {leaf.function: coloured}
        change = trial._helper(leaf).change
        return change is not None and self.mends(change, leaf)

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
            if other.rule == leaf.rule and self.forms.host(other) is other:
                barred = self.forms.site(draft, other) or barred
        if len(draft.decisions) == decided:
            return barred or Mend(None, "no-form", "no form fits")
        self.forms.common_doubts(draft, leaf.function)
        return self.turns.spread(draft, coloured)

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
        return [other for name in below for other in leaves.get(name, ()) if self.forms.host(other) is other]

    def _handed_over(self, draft: Draft, leaf: Leaf, barred: Mend) -> bool:
        """Hand to threads the calls by which functions that turn reach a leaf that cannot. False if one may not go there."""
        if leaf.function in draft.turns:
            return False
        waiting = [leaf.function]
        for name in waiting:
            for edge in self.index.callers.get(name, ()):
                if edge.caller in draft.turns:
                    drafted = self.threads.thread(edge, barred, leaf)
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

    def _colour(self, function: str) -> Colouring | Barrier:
        found = self._colours.get(function)
        if found is None:
            found = self._colours[function] = colour(self.index, function, self.facts.limits, self.facts.ends)
        return found

    # ------------------------------------------------------------------------------------------------------- thread edge

    def _edge(self, reaching: Reaching, leaf: Leaf, barred: Mend) -> Mend:
        """The thread form at the async expression, since the helper stays sync for the reason of ``barred``."""
        edge = reaching.edge
        key = (edge.caller, edge.span.start, edge.span.end)
        found = self._edges.get(key)
        if found is None:
            drafted = self.threads.thread(edge, barred, leaf)
            found = self._edges[key] = drafted if isinstance(drafted, Mend) else self._handed(drafted, edge, leaf.rule)
        if found.change is None and barred.change is None:
            why = "" if found.why == barred.why else f"; and not in a thread: {found.why}"
            return Mend(None, found.code or barred.code, barred.why + why)
        return found

    def above(self, leaf: Leaf, barred: Mend) -> Sequence[tuple[Edge, Mend]]:
        """The Changes for the calls of what cannot turn in functions that can: the lowest on each way up from a leaf."""
        if self._helper_of(leaf).change is not None:
            return ()  # the function turns for the sake of other calls
        return self._lifts(leaf, barred)[0]

    def below(self, reaching: Reaching, leaf: Leaf, mend: Mend) -> Sequence[tuple[Edge, Mend]]:
        """The Changes of the functions below an expression in async code that make it await in place of a thread: a migration
        goes as far down there as in sync code, whatever has landed before. None if it does not, or would be less safe.
        """
        leaf = self.forms.host(leaf)
        found = self._helper_of(leaf)
        if self.facts.ends is None or found.change is not None or mend.change is None:
            return ()
        lifts, passed = self._lifts(leaf, found)
        if reaching.edge.callee in passed or any(each.change in (None, mend.change) for _, each in lifts):
            return ()
        worse = mend.change.safety == "safe" and any(each.change and each.change.safety != "safe" for _, each in lifts)
        return () if worse else lifts

    def blocks_elsewhere(self, leaf: Leaf) -> bool:
        """Whether sync code that nobody in the project calls, or that ends there, reaches a blocking call although calls of
        its function are handed to threads."""
        leaf = self.forms.host(leaf)
        found = self._helper_of(leaf) if not self.index.fact(leaf.function).is_async else None
        if self.facts.ends is None or found is None or found.change is not None:
            return False
        met = self._lifts(leaf, found)[1]
        program = [
            edge
            for name in met
            for edge in self.index.callers.get(name, ())
            if not is_test(self.index.path(edge.caller))
        ]
        return not {edge.callee for edge in program} >= set(met)

    def _lifts(self, leaf: Leaf, barred: Mend) -> tuple[Sequence[tuple[Edge, Mend]], Sequence[str]]:
        """The lowest calls on the ways up from a leaf that can be handed to a thread in sync functions, which turn; and the
        functions that are met on ways without one."""
        if leaf.function not in self._ways_up:  # what an edge comes to is remembered, so all leaves of it share this
            self._ways_up[leaf.function] = self._find_lifts(leaf, barred)
        return self._ways_up[leaf.function]

    def _find_lifts(self, leaf: Leaf, barred: Mend) -> tuple[Sequence[tuple[Edge, Mend]], Sequence[str]]:
        found: dict[tuple[str, int, int], tuple[Edge, Mend]] = {}
        waiting, seen = [leaf.function], {leaf.function}
        for name in waiting:
            for edge in self.index.callers.get(name, ()):
                if edge.kind == PARAMETER:
                    continue  # no way leads through whoever calls what he is given: told where it is handed on
                if self.index.fact(edge.caller).is_async or is_test(self.index.path(edge.caller)):
                    continue
                mend = self._lifted(edge, leaf, barred)
                if mend.change is not None:
                    found[edge.caller, edge.span.start, edge.span.end] = (edge, mend)
                elif edge.caller not in seen:
                    seen.add(edge.caller)
                    waiting.append(edge.caller)
        return tuple(found.values()), waiting

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
        drafted = self.threads.thread(edge, barred, leaf)
        if isinstance(drafted, Mend):
            return drafted
        stopped = self.turns.spread(drafted, coloured)
        return stopped or self._handed(drafted, edge, leaf.rule, f", turn {edge.caller}{_many(coloured)} async")

    def _handed(self, draft: Draft, edge: Edge, rule: str, more: str = "") -> Mend:
        assert isinstance(edge.site, Call), "only calls are handed to threads"
        id_ = self._ids.of(rule, edge.caller, edge.site, edge.callee)
        return Mend(draft.change(id_, rule, f"{edge.callee} in {edge.caller}: run it in a thread{more}"))


def _many(coloured: Colouring) -> str:
    """How many functions turn beside the first."""
    return f" and {len(coloured.reached) - 1} more" if len(coloured.reached) > 1 else ""


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
