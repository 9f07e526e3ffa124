"""The result of colouring made into decisions: what turns, what is awaited, and what could go wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from asyncfix.boundary import Met
from asyncfix.colour.awaiting import ENTERING, manner, statement
from asyncfix.colour.generators import GONE_THROUGH, IN_STEP, KEPT, PASSED_ON
from asyncfix.colour.mapping import LAMBDA, MAPPED
from asyncfix.colour.special import NEXT, based, ends_iteration, is_special, only_renamed
from asyncfix.colour.spread import Awaited, Colouring
from asyncfix.colour.turning import EXAMPLE, is_double
from asyncfix.effects.keys import pretty
from asyncfix.effects.tables import CACHES
from asyncfix.ends import run_by
from asyncfix.facts.testfiles import is_test
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Call, Require, Span, Turn, Use, With
from asyncfix.plan import stepping
from asyncfix.plan.draft import Draft, Mend
from asyncfix.plan.facts import CACHE, Facts
from asyncfix.plan.forming import Forms
from asyncfix.plan.interleave import Suspension
from asyncfix.project import PYTEST

WRITTEN = {"from": "yield_from", "return-none": "bare_return"}  # what is written of the steps of a generator that turns


class Turns:
    """Adds to drafts what turns and is awaited."""

    def __init__(self, facts: Facts, forms: Forms) -> None:
        self.facts = facts
        self.forms = forms
        self.index = facts.index

    def spread(self, draft: Draft, coloured: Colouring) -> Mend | None:
        """Write all that turns and is awaited because of a function; a Mend without Change if something stands in the way."""
        for name in coloured.reached:
            foreign = self.forms.foreign(name)
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
            draft.decisions.append(Use(self.index.path(name), call.span, run_by(call)))
        for name in coloured.uncalled:
            read = self._read_by_name(name)
            if read is not None:
                return read
            draft.doubts.append(f"nothing in the project calls {name}: callers outside it would have to await it")
        for awaited in (*coloured.awaits, *coloured.wrapped):
            stopped = self.awaited(draft, awaited)
            if stopped is not None:
                return stopped
        draft.doubts.extend(self._guessed(coloured))
        for name in sorted(draft.turns):
            stopped = self.yielding(draft, name)
            if stopped is not None:
                return stopped
        draft.pooled |= dict.fromkeys(name for name, met in coloured.ends.items() if met.pooled)
        return None

    def _guessed(self, coloured: Colouring) -> Iterator[str]:
        """What is to be said of calls of objects that are not known, by name: the first place tells of all."""
        known: set[str] = set()
        for edge in (*(awaited.edge for awaited in coloured.awaits), *coloured.runs):
            meant = self.facts.limits.namesakes.of(edge) if self.facts.ends is not None else ()
            name = self.index.fact(edge.callee).name
            if meant and name not in known:
                known.add(name)
                where = f"{self.index.path(edge.caller)}:{edge.site.line}"
                yield f"{name} is taken for {meant[0]}, though of what it is called on nothing is known ({where})"

    def reached(self, draft: Draft, name: str, met: Met | None) -> None:
        """Write that a function turns, and what its end asks for."""
        info = self.index.functions[name]
        if met is not None and not met.turns:
            draft.decisions.append(Use(info.path, info.fact.span, "split"))
            return
        if info.fact.kind == LAMBDA:  # its body comes to stand in a comprehension
            draft.turns.add(name)
            return
        if not info.fact.is_async:
            stepwise = manner(info.fact) == "generator"
            stubs = () if stepwise else self.index.stubs.get(name, ())  # those state what is given, and give nothing
            for keyword in (info.fact.keyword, *stubs):
                if not only_renamed(info.fact):
                    draft.decisions.append(
                        Turn(info.path, keyword, name, manner(info.fact) in ("generator", "manager"))
                    )
                for kind in _turning(self.index, name):
                    draft.decisions.append(Use(info.path, Span(keyword.start, keyword.start), kind))
            draft.turns.add(name)
            self._doubts(draft, name)
            self._asserted(draft, name)
        self._rebased(draft, name)
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
        for put in self.index.rebound.get(name, ()) if self.facts.ends is not None else ():
            if put.span is not None and is_double(self.index, name, put, self.facts.limits):
                draft.decisions.append(Use(put.path, put.span, "assigned_mock"))
                draft.decisions.extend([Use(put.path, put.span, "mock_value")] if self._is_asked(name) else [])
        for mark in met.marks if met is not None else ():
            start = info.fact.keyword.start
            if mark.at == "class":
                owner = self.index.evaluator.owner(info)
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
        self._rebased(draft, name)
        self._doubts(draft, name)

    def _rebased(self, draft: Draft, name: str) -> None:
        """Write the asynchronous bases of the classes that have a special method which takes another name."""
        for made in based(self.index, name) if is_special(self.index.fact(name)) else ():
            start = self.index.fact(made).keyword.start
            draft.decisions.append(Use(self.index.path(made), Span(start, start), "special_base"))

    def _asserted(self, draft: Draft, name: str) -> None:
        """Write what tests assert of the mocks that take the place of a function which turns."""
        if self.facts.ends is None or manner(self.index.fact(name)) != "coroutine":
            return
        limits = self.facts.limits
        draft.doubts.extend(self._unsaid(name))
        patches = ((patch.path, patch.made_at, "awaited_asserts") for patch in self.facts.mocked.get(name, ()))
        asserted = ((*place, "awaited_assert") for place in limits.doubles.likenesses.asserted(name))
        for path, span, kind in (*patches, *asserted):
            editable = path not in limits.closed and not limits.closed_lines.get(path)
            if span is not None and editable:
                draft.decisions.append(Use(path, span, kind))
                if kind == "awaited_asserts" and self._is_asked(name):
                    draft.decisions.append(Use(path, span, "mock_value"))

    def _unsaid(self, name: str) -> Iterator[str]:
        """What is to be said of mocks that are like the class of a method, and are told nothing of what it gives."""
        owner, likenesses = self.index.evaluator.owner(self.index.functions[name]), self.facts.limits.doubles.likenesses
        made = likenesses.made(owner) if owner is not None and self._is_asked(name) else None
        if made is not None and not likenesses.is_configured(name) and name not in self.index.rebound:
            yield f"a mock that is like {owner} and told nothing more gives an AsyncMock for {name} ({made[0]}:{made[1]})"

    def _is_asked(self, name: str) -> bool:
        """Whether the program does something with what a function gives."""
        sites = (edge.site for edge in self.index.callers.get(name, ()) if not is_test(self.index.path(edge.caller)))
        return any(isinstance(site, Call) and not site.alone for site in sites)

    def _cached(self, draft: Draft, name: str) -> None:
        """Write that a function which turns is cached by async-lru."""
        start = self.index.fact(name).keyword.start
        draft.decisions.append(Use(self.index.path(name), Span(start, start), "async_cache"))
        if CACHE not in self.facts.project.runtime_declared:
            draft.decisions.append(Require(self.facts.project.dependency_file or "", CACHE))
            draft.doubts.append(f"{CACHE} becomes a dependency: it must be installed wherever this runs")
        draft.doubts.append(f"what {name} gave is cached for one event loop: another one begins anew, or may not ask")

    def _doubts(self, draft: Draft, name: str) -> None:
        if name in self.facts.exported:
            draft.doubts.append(f"{name} is exported: callers outside the project would have to await it")
        last = self.index.fact(name).name
        if name in self.index.stopping and last != NEXT and not ends_iteration(self.index, name):
            where = f"{self.index.path(name)}:{self.index.stopping[name]}"
            draft.doubts.append(f"StopIteration out of {name} would come as a RuntimeError ({where})")
        for decorator in self.index.fact(name).decorators:
            if self.facts.limits.wrappings.gives_back(self.index.path(name), decorator):
                draft.doubts.append(
                    f"the decorator {pretty(decorator)} marks {name}: what looks for that may call it without awaiting"
                )
        for use in self.index.by_name.get(last, ()):
            if use.reason == EXAMPLE:
                draft.doubts.append(f"an example in a docstring calls {last} ({use.path}:{use.line})")
        for path, line in self.facts.named(name)[:2]:
            draft.doubts.append(f"{last} is named as text ({path}:{line}): what reads it may call it without awaiting")

    def _read_by_name(self, name: str) -> Mend | None:
        """The refusal of a function that nothing calls but what reads its name in settings, or the like."""
        for path, line in self.facts.named(name):
            if not is_test(path):
                why = f"{name} is called by nothing in the project, but named as text ({path}:{line}): what reads that calls it"
                return Mend(None, "named-as-text", why)
        return None

    def awaited(self, draft: Draft, awaited: Awaited) -> Mend | None:
        edge = awaited.edge
        if awaited.kind in (KEPT, PASSED_ON):
            return None  # nothing is written there
        path, site = self.index.path(edge.caller), edge.site
        if awaited.kind == IN_STEP:  # who goes through what is given on awaits
            draft.decisions.append(Use(path, site.span, IN_STEP))
            return None
        block, stepwise = self._manner(awaited)
        suspensions = self._suspensions(edge, block, stepwise)
        locked = next((found for each in suspensions if (found := self.forms.locked(each)) is not None), None)
        if locked is not None:
            return locked
        tight = isinstance(site, Call) and site.tight
        kind = self._kind(awaited)
        draft.decisions.append(Use(path, block.span if block is not None else site.span, kind, tight))
        self.forms.unlazy(draft, edge.caller, site, site.span, stepwise)
        draft.doubts.extend(stepping.doubts(self.index, edge, site) if awaited.kind in GONE_THROUGH else ())
        if isinstance(site, Call) and awaited.kind in MAPPED:
            uses, doubts = stepping.mapped(self.index, edge, site)
            draft.decisions.extend(uses)
            draft.doubts.extend(doubts)
        for each in suspensions:
            draft.doubts.extend(self.forms.suspending(each, draft.computing))
        return None

    def _manner(self, awaited: Awaited) -> tuple[With | None, bool]:
        """The ``with`` statement that an awaited edge enters, and whether what it gives is gone through step by step."""
        edge = awaited.edge
        block = statement(self.index.fact(edge.caller), edge.span) if awaited.kind == ENTERING else None
        return block, awaited.kind in (*GONE_THROUGH, *MAPPED)

    def _kind(self, awaited: Awaited) -> str:
        """The kind of use by which it is written: what turns at the end of colouring may be called under another name then."""
        met = self.facts.ends.met(awaited.edge.callee) if self.facts.ends is not None else None
        return met.called if met is not None and met.called and awaited.kind == "call" else awaited.kind

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
        kinds = ((item.span, WRITTEN.get(item.kind)) for item in fact.yields)
        draft.decisions.extend(Use(path, span, kind) for span, kind in kinds if kind is not None)
        for keyword in (fact.keyword, *self.index.stubs.get(name, ())) if fact.is_generator else ():
            draft.decisions.append(Use(path, Span(keyword.start, keyword.start), "async_iterator"))
        for suspension in stepping.yielding(self.index, name) if manner(fact) == "generator" else ():
            locked = self.forms.locked(suspension)
            if locked is not None:
                return locked
            draft.doubts.extend(self.facts.interleaving.races(suspension))
        return None

    def stops(self, coloured: Colouring) -> Iterator[Mend]:
        """What stands in the way of a colouring beside barriers: loops of other libraries, locks that are held."""
        for name in coloured.reached:
            foreign = self.forms.foreign(name)
            if foreign is not None:
                yield foreign
        for awaited in (each for each in coloured.awaits if each.kind not in (KEPT, PASSED_ON, IN_STEP)):
            locks = map(self.forms.locked, self._suspensions(awaited.edge, *self._manner(awaited)))
            yield from (locked for locked in locks if locked is not None)


def _turning(index: ProjectIndex, name: str) -> Iterator[str]:
    """What is written, beside `async`, of a function that turns."""
    fact = index.fact(name)
    if manner(fact) == "manager":
        yield "manager"
    if is_special(fact):
        yield "special_method"
    if only_renamed(fact):
        yield "async_iterator"
    if (is_special(fact) and fact.name == NEXT) or ends_iteration(index, name):
        yield "stop_async"
