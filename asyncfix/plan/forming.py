"""The form of a blocking call: which of those that its rule offers holds here, and what is unproven of it."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.colour.awaiting import barring
from asyncfix.effects.keys import said
from asyncfix.effects.output import half_line
from asyncfix.model import Access, Call, Declared, Form, Require, Rewrite, Site, Span, Strategy, Unlocked
from asyncfix.plan import stepping
from asyncfix.plan.conditions import inside, judge, suspension_of
from asyncfix.plan.draft import Draft, Mend
from asyncfix.plan.facts import FOREIGN_LOOPS, NEUTRAL_LOOPS, Facts
from asyncfix.plan.interleave import Suspension
from asyncfix.plan.leaves import Blocking, Leaf
from asyncfix.plan.locks import perhaps_held
from asyncfix.plan.unfailing import MAY_FAIL
from asyncfix.plan.unordered import unordered
from asyncfix.plan.verdict import Verdict

NATIVE = "native"
COMPUTATION = "computation"
UNTOLD = ("strategy", MAY_FAIL)
"""Why a form is passed over that is no reason beside others: nobody asked for it, or it is only plainer than the next."""


class Forms:
    """Chooses forms, and says what speaks against an await or a thread at a place."""

    def __init__(self, facts: Facts, blocking: Blocking) -> None:
        self.facts = facts
        self.blocking = blocking
        self.index = facts.index

    def host(self, leaf: Leaf) -> Leaf:
        """The blocking call to whose thread this one goes along, if it stands in the statement that goes there; else itself."""
        site = self._surveyed(leaf)
        for other in self.blocking.by_function[leaf.function]:
            around = self._surveyed(other)
            if other.key == leaf.key or around is None or not around.forms or not around.span.contains(leaf.call.span):
                continue
            if site is not None and site.span.contains(around.span) and leaf.call.span < other.call.span:
                continue  # two files opened by one statement: the first stands for both
            form, _, _ = self.form(around, suspension_of(self.facts, other.function, other.call.span))
            if form is not None and form.in_thread and around.span != around.call:
                return self.host(other)
        return leaf

    def _surveyed(self, leaf: Leaf) -> Site | None:
        return self.facts.sites.get(self.index.path(leaf.function), {}).get(leaf.call.span)

    def foreign(self, function: str) -> Mend | None:
        found = self.facts.loops(function, FOREIGN_LOOPS)
        if found is None:
            return None
        return Mend(None, "foreign-loop", f"{found[1]} imports {found[0]}: this code may not run on an asyncio loop")

    def common_doubts(self, draft: Draft, function: str) -> None:
        found = self.facts.loops(function, NEUTRAL_LOOPS)
        if found is not None:
            draft.doubts.append(f"{found[1]} uses {found[0]}: this code may run on another event loop than asyncio's")

    def closed(self, path: str, first: int, last: int, rule: str = "") -> bool:
        return path in self.facts.limits.closed or self.facts.barred(path, first, last, rule)

    def site(self, draft: Draft, leaf: Leaf) -> Mend | None:
        """Decide the form of one blocking call and add it to the draft; a Mend without Change if none will do."""
        path, call = self.index.path(leaf.function), leaf.call
        site = self.looked_at(leaf)
        if isinstance(site, Mend):
            return site
        suspension = suspension_of(self.facts, leaf.function, call.span)
        locked = self.locked(suspension)
        if locked is not None:  # whatever the form
            return locked
        form, doubts, barred = self.form(site, suspension)
        if form is None:
            return barred
        others = () if form.in_thread else tuple(inside(self.facts, leaf.function, site))
        locked = next((found for each in others if (found := self.locked(each)) is not None), None)
        if locked is not None:
            return locked
        draft.decisions.append(Rewrite(path, site, form.name))
        self.unlazy(draft, leaf.function, call, site.span)
        self.declare(draft, form)
        draft.doubts.extend(doubts)
        draft.computing = draft.computing or leaf.api.flow == COMPUTATION
        for each in (suspension, *others):
            draft.doubts.extend(self.suspending(each, draft.computing))
        if leaf.doubt:
            draft.doubts.append(leaf.doubt)
        if call.line in self.index.summaries[path].deliberate:
            draft.doubts.append(f"a linter is told to leave this line as it is ({path}:{call.line})")
        if leaf.api.flow == "process":
            draft.doubts.extend(self._files_of_child(leaf, site))
        if form.note:
            draft.notes.append(form.note)
        if form.in_thread:
            draft.doubts.extend(self.sleeping(leaf.function, site.span))
            for edge in self.index.calls.get(leaf.function, ()):
                if site.span.contains(edge.span):
                    draft.keeps |= self.facts.effects.below(edge.callee)
        return None

    def unlazy(self, draft: Draft, function: str, call: Call | Access, written: Span, stepwise: bool = False) -> None:
        """The generator expression round an await is written so that it may stand in it."""
        uses = tuple(stepping.unlazy(self.index, function, call, written, stepwise))
        draft.decisions.extend(uses)
        if uses:
            draft.doubts.extend(stepping.unlazy_doubts(self.index, function, call))

    def looked_at(self, leaf: Leaf) -> Site | Mend:
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
        verdict = judge(self.facts, Unlocked(), suspension)
        return None if verdict.kind == "holds" else Mend(None, verdict.code, verdict.why)

    def suspending(self, suspension: Suspension, computing: bool) -> Iterator[str]:
        """What may go wrong because an await stands there now, and others suspend because of it. ``computing``: for a
        computation, which had its place in the order of all that others see."""
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
        for each in self.facts.awakening.in_order(suspension) if computing else ():
            yield from unordered(self.facts.awakening, self.facts.interleaving, each)

    def form(self, site: Site, suspension: Suspension) -> tuple[Form | None, list[str], Mend]:
        """The first form whose requirements hold, with what is unproven; else the reason of the last that failed."""
        barred = Mend(None, "no-form", "no form fits")
        passed_over: dict[str, str] = {}  # why not, with the first form of which that was said
        # What works in tests as it is goes on doing so, unless it held up the event loop.
        held = ("replaced-in-test", "frozen-time") if site.bridged or self.facts.ends is not None else ()
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
                    kept = ": it would not hold any more" if replaced.code == "replaced-in-test" else ""
                    return None, [], Mend(None, replaced.code, f"{replaced.why}{kept}")
                if doubts and self.facts.ends is not None and form.name == NATIVE and not (last or asked):
                    passed_over.setdefault(doubts[0], form.name)  # the bridge keeps what works
                    continue
                if failed is None:
                    shown = (verdict.why for verdict in (*verdicts, *safe) if verdict.kind == "holds" and verdict.why)
                    others = (f"not {name}: {why}" for why, name in passed_over.items() if why not in doubts)
                    note = "; ".join((*others, *shown, *((form.note,) if form.note else ())))
                    return Form(form.name, form.requires, form.safe_if, note, form.in_thread), doubts, barred
            if failed.code not in UNTOLD:
                passed_over.setdefault(failed.why, form.name)
            if failed.code not in UNTOLD or not passed_over:
                barred = Mend(None, failed.code, failed.why)
        return None, [], barred

    def declare(self, draft: Draft, form: Form) -> None:
        """Add the dependency lines that a chosen form needs."""
        for item in form.requires:
            if isinstance(item, Declared) and item.distribution not in self.facts.project.runtime_declared:
                draft.decisions.append(Require(self.facts.project.dependency_file or "", item.distribution))
                draft.doubts.append(
                    f"{item.distribution} becomes a dependency: it must be installed wherever this runs"
                )

    def sleeping(self, function: str, span: Span) -> Iterator[str]:
        """What speaks against a thread for the code in a span that sleeps, itself or in what it calls."""
        leaves = [leaf for leaf in self.blocking.by_function.get(function, ()) if span.contains(leaf.call.span)]
        for edge in self.index.calls.get(function, ()):
            for name in self.facts.effects.below(edge.callee) if span.contains(edge.span) else ():
                leaves.extend(self.blocking.by_function.get(name, ()))
        if any(leaf.api.flow == "sleep" for leaf in leaves):
            yield "it sleeps in the thread: many at once would fill the thread pool"

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

    def _asked_for(self, form: Form) -> bool:
        """Whether the user chose this form by strategy, not by default: then what it needs may be declared."""
        return any(
            isinstance(item, Strategy) and self.facts.config.strategy.get(item.key) == item.value
            for item in form.requires
        )
