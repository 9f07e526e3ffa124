"""Calls of what stays sync that are handed to a thread where they stand."""

from __future__ import annotations

from asyncfix.colour.awaiting import WRITTEN, barring
from asyncfix.link.callbacks import CALLBACK
from asyncfix.link.index import Edge
from asyncfix.model import Call, Use
from asyncfix.plan import stepping
from asyncfix.plan.conditions import thread
from asyncfix.plan.draft import Draft, Mend
from asyncfix.plan.facts import Facts
from asyncfix.plan.forming import COMPUTATION, Forms
from asyncfix.plan.interleave import Suspension
from asyncfix.plan.leaves import Leaf

THREADED = (3, 9)
RUN_HERE = ("plain", "callback")
HANDED_ON = "handed-on"


class Threads:
    """Drafts thread forms of calls."""

    def __init__(self, facts: Facts, forms: Forms) -> None:
        self.facts = facts
        self.forms = forms
        self.index = facts.index

    def thread(self, edge: Edge, barred: Mend, leaf: Leaf) -> Draft | Mend:
        """The thread form of a call that reaches a leaf and is ``barred`` to be awaited; a Mend without Change if it may not
        run in one."""
        site, path = edge.site, self.index.path(edge.caller)
        if not isinstance(site, Call) or not self._runs_here(edge, site):
            return Mend(None, "", f"{edge.callee} is not run by a plain call here")
        generator = stepping.generator(self.index, edge.callee)
        if generator:
            return Mend(None, "", f"{generator} is a generator: a thread would run nothing of it")
        barrier = barring(site, self.facts.target)
        if barrier not in ("", CALLBACK):
            return Mend(None, barrier, f"no await may stand here: {barrier.replace('-', ' ')}")
        if self.forms.closed(path, site.line, site.end_line):
            return Mend(None, "not-editable", f"{path}:{site.line} may not be edited")
        if self.facts.target < THREADED:
            return Mend(None, "target-version", "asyncio.to_thread needs Python 3.9")
        suspension = Suspension.at(edge.caller, site)
        locked = self.forms.locked(suspension)
        if locked is not None:
            return locked
        verdict = thread(self.facts, site.span, suspension)
        if verdict.kind == "bars":
            return Mend(None, verdict.code, verdict.why)
        draft = Draft(computing=leaf.api.flow == COMPUTATION)
        draft.decisions.append(Use(path, site.span, "thread", site.tight))
        self.forms.unlazy(draft, edge.caller, site, site.span)
        if verdict.kind == "fails":
            draft.doubts.append(verdict.why)
        draft.doubts.extend(self.forms.sleeping(edge.caller, site.span))
        others = [other for other in self.index.calls[edge.caller] if other.span == edge.span]
        if site.use == "callback":
            draft.doubts.append("all that this call does with its arguments happens in the thread")
        if not edge.sure or site in self.index.unknown.get(edge.caller, ()):
            draft.doubts.append("this call may mean something else too")
        draft.doubts.extend(self.forms.suspending(suspension, draft.computing))
        self.forms.common_doubts(draft, edge.caller)
        draft.notes.append(f"in a thread, since {barred.why}" if barred.why else "in a thread")
        for other in others:
            draft.keeps |= self.facts.effects.below(other.callee)
        return draft

    def _runs_here(self, edge: Edge, site: Call) -> bool:
        """Whether all that an edge runs is run by the call itself: what goes through or enters its value is not."""
        made = edge.kind == "constructor" and site.use != HANDED_ON  # it is awaited, entered or gone through after
        if site.use in RUN_HERE or made:
            return edge.kind in ("call", "constructor")
        others = self.index.calls[edge.caller]
        here = {other.kind for other in others if other.span == edge.span and other.step == edge.step}
        return ("coroutine", site.use) in WRITTEN and here == {"call"}
