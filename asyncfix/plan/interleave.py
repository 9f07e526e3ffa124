"""What other tasks may do at an emitted await: between two accesses of one shared thing it is no longer one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from asyncfix.colour.generators import LOOPS
from asyncfix.effects.keys import LIBRARY, is_known, said
from asyncfix.effects.owning import of_self
from asyncfix.effects.reach import Effects
from asyncfix.effects.runs import Run
from asyncfix.effects.touch import CONSTRUCTING, Touch, Where
from asyncfix.facts.testfiles import is_test
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Access, Call, Span
from asyncfix.plan.iterating import changed_while_iterated

CALLED = "call of "
DEEPEST = 2
"""So many calls deep two objects may be told to be the same: what a wrapper calls itself."""
ENTERING = ("__enter__", "__exit__", "__aenter__", "__aexit__")
# Context managers of the standard library that change something for all tasks while they are open.
FOR_ALL = frozenset(
    {
        "contextlib.chdir",
        "contextlib.redirect_stdout",
        "contextlib.redirect_stderr",
        "warnings.catch_warnings",
    }
)
PATCHING = frozenset(
    {"unittest.mock.patch", *(f"unittest.mock.patch.{name}" for name in ("object", "dict", "multiple"))}
)


@dataclass(frozen=True, slots=True)
class Suspension:
    """An await that a Change emits: its function, the expression, the outermost loop round it, what ``with`` holds there."""

    function: str
    span: Span
    loop: Span | None
    held: tuple[str, ...]

    @classmethod
    def at(cls, function: str, site: Call | Access, stepwise: bool = False, held: tuple[str, ...] = ()) -> Suspension:
        """That of a call, or of an operation where ``held`` is. ``stepwise``: what it gives is gone through step by step, so
        that each round of a loop over it suspends."""
        call = site if isinstance(site, Call) else None
        takers = [site.taken] if stepwise or (call is not None and call.use == "awaited") else []
        takers += [site.lazy.taken] if site.lazy is not None and (stepwise or site.barrier) else []
        loop = site.loop
        for taken in takers:
            if taken is not None and taken.by in LOOPS and not (loop is not None and loop.contains(taken.span)):
                loop = taken.span
        return cls(function, site.span, loop, call.held if call is not None else held)


class Inner(NamedTuple):
    """What is touched in a call, as in `Touch`, and how many calls deep that is."""

    key: str
    object: str
    writes: bool
    depth: int


@dataclass(slots=True)
class Interleaving:
    """What other tasks may do at awaits; what each function touches is remembered."""

    effects: Effects
    _touched: dict[str, tuple[Touch, ...]] = field(default_factory=lambda: dict[str, tuple[Touch, ...]]())
    _ends: dict[tuple[str, bool], tuple[Inner, ...]] = field(
        default_factory=lambda: dict[tuple[str, bool], tuple[Inner, ...]]()
    )
    _inner: dict[tuple[str, bool], tuple[Inner, ...]] = field(
        default_factory=lambda: dict[tuple[str, bool], tuple[Inner, ...]]()
    )
    _running: dict[frozenset[Run], tuple[Inner, ...]] = field(
        default_factory=lambda: dict[frozenset[Run], tuple[Inner, ...]]()
    )
    _races: dict[Suspension, tuple[str, ...]] = field(default_factory=lambda: dict[Suspension, tuple[str, ...]]())
    _locked: dict[str, Where] | None = None

    def races(self, suspension: Suspension) -> tuple[str, ...]:
        """Why the await may let another task in at a bad moment; each reason names both places."""
        if suspension not in self._races:  # many Changes share an await
            self._races[suspension] = self._find(suspension)
        return self._races[suspension]

    def _find(self, suspension: Suspension) -> tuple[str, ...]:
        before, inside, after = self._sides(suspension)
        left, entered = self._coroutines(suspension)
        # What the awaited function does itself is judged at its own awaits; here it stands on either side of the caller's code.
        pairs = ((before, [*inside, *after, *entered]), (left, [*inside, *after]), (inside, [*after, *entered]))
        return tuple(
            dict.fromkeys(
                (
                    *(reason for first, second in pairs for reason in _check_then_act(self.effects, first, second)),
                    *(reason for first, second in pairs for reason in _half_written(first, second)),
                    *changed_while_iterated(self.effects, suspension.function, suspension.span),
                    *_changed_for_all(self.effects.index, suspension),
                    *self._seen_held(suspension),
                )
            )
        )[:3]

    def _seen_held(self, suspension: Suspension) -> Iterable[str]:
        """A lock that is held there, if anything asks whether it is: nobody could see it so without the await."""
        path = self.effects.index.path(suspension.function)
        for ref in suspension.held:
            key = self.effects.keys.of(path, ref.removesuffix("~"))[0] if ref.endswith("~") else ""
            where = self._asked().get(key) if is_known(key) else None
            if where is not None:
                yield f"{said(key)} is held at the await, and others ask whether it is ({where})"

    def _asked(self) -> Mapping[str, Where]:
        """Where ``locked()`` is asked of something shared."""
        if self._locked is None:
            self._locked = {}
            for name, externals in self.effects.index.externals.items():
                for item in externals:
                    if item.name.startswith("asyncio.") and item.name.endswith(".locked"):
                        path = self.effects.index.path(name)
                        key = self.effects.keys.of(path, item.call.targets[0].rpartition(".")[0])[0]
                        self._locked.setdefault(key, Where(path, item.call.line))
        return self._locked

    def _sides(self, suspension: Suspension) -> tuple[list[Touch], list[Touch], list[Touch]]:
        """What is touched before the await, in what is awaited, and after it; in a loop round all, everything is on both
        sides."""
        before: list[Touch] = []
        inside: list[Touch] = []
        after: list[Touch] = []
        loop = suspension.loop
        for touch in self.touches(suspension.function):
            if touch.span == suspension.span and touch.object.startswith(CALLED):
                inside.append(touch)
                continue
            around = loop is not None and loop.contains(touch.span)
            if around or touch.at < suspension.span.start:
                before.append(touch)
            if around or touch.at >= suspension.span.end:
                after.append(touch)
        wrapped = list(self._wrapped(suspension))
        return [*before, *wrapped], inside, [*after, *wrapped]

    def _wrapped(self, suspension: Suspension) -> Iterable[Touch]:
        """What context managers that are open there, and wrappers of the function, touch before and after it."""
        given, span = self.effects.keys.given, suspension.span
        for name, own in self.around(suspension):
            for touch in self._of_wrapper(name):
                if not touch.key.startswith("argument ") and not (own and of_self(touch, given, name)):
                    holder = f"{CALLED}{name} {touch.object}"
                    yield Touch(touch.key, holder, touch.writes, span, span.start, touch.where)

    def _of_wrapper(self, function: str) -> tuple[Touch, ...]:
        """What counts of it. Where an asynchronous context manager awaits something itself, others may run in the block
        already."""
        fact = self.effects.index.fact(function)
        if not fact.is_async:
            return self.touches(function)
        if fact.is_generator or fact.name in ENTERING:
            return () if fact.awaits else self.touches(function)
        return self.effects.direct(function).touches

    def around(self, suspension: Suspension) -> Iterable[tuple[str, bool]]:
        """Functions of the project that run before and after the code round an await: of the context managers that are open
        there, and the wrappers that decorators put in the function's place. With whether it is the method of an object that
        the code made itself."""
        index = self.effects.index
        path = index.path(suspension.function)
        for ref in suspension.held:
            held = ref.removesuffix("~")
            for entity in index.evaluator.evaluate(path, held.removesuffix("()")):
                if entity.kind in ("function", "method"):
                    yield entity.name, False
            for entity in index.evaluator.evaluate(path, held):
                if entity.kind == "instance":
                    own = self.effects.keys.made_here(path, held)
                    yield from ((name, own) for name in index.evaluator.named_methods(entity, ENTERING))
        for decorator in index.fact(suspension.function).decorators:
            for entity in index.evaluator.evaluate(path, f"{decorator}()"):
                if entity.kind == "function":
                    yield entity.name, False
                elif entity.kind == "instance":
                    yield from ((name, False) for name in index.evaluator.named_methods(entity, ("__call__",)))

    def _coroutines(self, suspension: Suspension) -> tuple[list[Touch], list[Touch]]:
        """What coroutines awaited before the await do last, and what those awaited after it do first, up to where they
        suspend."""
        left: list[Touch] = []
        entered: list[Touch] = []
        loop = suspension.loop
        for edge in _awaited(self.effects.index, suspension.function):
            around = loop is not None and loop.contains(edge.span)
            if around or edge.span.end <= suspension.span.start:
                left.extend(self._called(edge, self._at_an_end(edge.callee, True)))
            if around or edge.span.start >= suspension.span.end:
                entered.extend(self._called(edge, self._at_an_end(edge.callee, False)))
        return left, entered

    def _at_an_end(self, function: str, last: bool) -> tuple[Inner, ...]:
        """What a coroutine, with those that it awaits, touches before it first suspends, or (``last``) after it last did."""
        found = self._ends.get((function, last))
        if found is None:
            self._ends[function, last] = ()  # of one that awaits itself
            found = self._ends[function, last] = self._in_call(function, self._find_end(function, last))
        return found

    def _find_end(self, function: str, last: bool) -> Iterable[Inner]:
        awaits = self.effects.index.fact(function).awaits
        first_end = min((span.end for span in awaits), default=None)
        last_end = max((span.end for span in awaits), default=0)

        def counts(at: int) -> bool:
            return at >= last_end if last else first_end is None or at <= first_end

        yield from (_inner(touch) for touch in self.touches(function) if counts(touch.at))
        awaited = (edge.callee for edge in _awaited(self.effects.index, function) if counts(edge.span.end))
        for callee in dict.fromkeys(awaited):
            yield from self._at_an_end(callee, last)

    def touches(self, function: str) -> tuple[Touch, ...]:
        """Own accesses, and those of the sync functions called, at the place of the call."""
        found = self._touched.get(function)
        if found is None:
            found = self._touched[function] = (*self.effects.direct(function).touches, *self._below(function))
        return found

    def _below(self, function: str) -> Iterable[Touch]:
        index = self.effects.index
        places: dict[Span, Edge] = {}  # a call that may mean many functions is one place for all they touch
        for edge in index.calls.get(function, ()):
            if not index.fact(edge.callee).is_async:
                places.setdefault(edge.span, edge)
        for span, edge in places.items():
            yield from self._called(edge, self._run(self.effects.runs.called(function, span)))

    def _run(self, called: frozenset[Run]) -> tuple[Inner, ...]:
        """What these functions touch with all they run: reads of one thing once, for nobody asks by which object."""
        found = self._running.get(called)
        if found is None:
            kept: dict[object, Inner] = {}
            for name, own in sorted(self.effects.runs.below(called)):
                for item in self._inside(name, own):
                    kept.setdefault(item if item.writes else item.key, item)
            found = self._running[called] = tuple(kept.values())
        return found

    def _inside(self, name: str, own: bool) -> tuple[Inner, ...]:
        """What a function's own code touches when it is called, on an object that its caller made if ``own``."""
        found = self._inner.get((name, own))
        if found is None:
            given = self.effects.keys.given
            alone = own or self.effects.index.fact(name).name in CONSTRUCTING
            touches = self.effects.direct(name).touches
            found = self._inner[name, own] = self._in_call(
                name, (_inner(item) for item in touches if not (alone and of_self(item, given, name)))
            )
        return found

    def _in_call(self, name: str, touched: Iterable[Inner]) -> tuple[Inner, ...]:
        """What the function of that name touches in a call of it, once each, as far as it can tell anything; its arguments
        are its own.

        What lies deeper than wrappers look is never the same object as anything else: of that one read and one write of a key
        will do. All of it would be as much as there are ways through the calls.
        """
        kept: dict[object, Inner] = {}
        written: set[str] = set()
        for item in sorted(filter(self._tells, set(touched))):
            deep = item.depth >= DEEPEST
            if not (deep and item.key in written):
                called = Inner(item.key, f"{CALLED}{name} {item.object}", item.writes, item.depth + 1)
                kept.setdefault((item.key, item.writes) if deep else called, called)
                if deep and item.writes:
                    written.add(item.key)
        return tuple(kept.values())

    def _tells(self, item: Inner) -> bool:
        """Whether an access in a call can be part of a race: what nobody writes may be read at any time."""
        if item.key.startswith("argument ") or not is_known(item.key):
            return False
        return item.writes or bool(self.effects.writers(item.key))

    def _called(self, edge: Edge, touched: Iterable[Inner]) -> Iterable[Touch]:
        """What is touched in a call as something that happens at its place."""
        where = Where(self.effects.index.path(edge.caller), edge.site.line)
        for item in touched:
            yield Touch(item.key, item.object, item.writes, edge.span, edge.span.end, where)


def _inner(touch: Touch) -> Inner:
    return Inner(touch.key, touch.object, touch.writes, int(touch.object.startswith(CALLED)))


def _awaited(index: ProjectIndex, function: str) -> Iterable[Edge]:
    for edge in index.calls.get(function, ()):
        if index.fact(edge.callee).is_async and isinstance(edge.site, Call) and edge.site.use == "awaited":
            yield edge


def _check_then_act(effects: Effects, before: Iterable[Touch], after: Iterable[Touch]) -> Iterable[str]:
    later: dict[str, Touch] = {}
    for touch in after:
        later.setdefault(touch.key, touch)
    seen: set[str] = set()
    for touch in before:
        other = later.get(touch.key)
        if other is None or touch.key in seen or not is_known(touch.key):
            continue
        if touch.key.startswith(LIBRARY) and not (touch.writes or other.writes):
            continue  # such a variable holds many things, and others set theirs
        seen.add(touch.key)
        writers = effects.writers(touch.key)
        if writers:
            name, write = writers[0]
            yield (
                f"{said(touch.key)} is used on both sides of the await ({touch.where} and {other.where}), "
                f"and {name} writes it ({write.where})"
            )


def _half_written(before: Iterable[Touch], after: Iterable[Touch]) -> Iterable[str]:
    later = {touch.object: touch for touch in after if touch.writes and is_known(touch.key)}
    for touch in before:
        other = later.get(touch.object)
        if touch.writes and other is not None and is_known(touch.key):
            yield f"the await stands between two writes to one object ({touch.where} and {other.where})"


def _changed_for_all(index: ProjectIndex, suspension: Suspension) -> Iterable[str]:
    path = index.path(suspension.function)
    for ref in suspension.held:
        for entity in index.evaluator.evaluate(path, ref.removesuffix("()")):
            if entity.name in FOR_ALL or (entity.name in PATCHING and not is_test(path)):  # tests run one by one
                yield f"the await stands in a block of {entity.name}, which changes something for all other tasks too"
