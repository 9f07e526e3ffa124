"""Calls of which nothing tells what they do: which of them a person should read first, and the sentence on them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from asyncfix.effects.keys import Keys, is_known
from asyncfix.effects.touch import Where
from asyncfix.facts.wording import changes
from asyncfix.model import Call, Span

UNSEEN = "is not known: it may touch shared state"
BOUND = "and its object may be bound to the thread it was first used in"
ALL_BOUND = (
    "are not known: they may touch shared state, and their objects may be bound to the threads they were first used in"
)
LASTING, PASSING, MAKING = range(3)
MOST_NAMED = 3
LOGGER = re.compile(r"(?:.*[.:@])?_?log(?:ger)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unclear:
    """One thing that may go wrong in a thread, and that nothing shows.

    what     the subject of the sentence, with its place; ``why`` is the rest of it
    rank     ``LASTING``: a method of an object that outlives the call; ``MAKING``: something is made, such as an exception
             that is raised, which does least harm; ``PASSING``: any other. The lower, the sooner a person should know
    objects  keys of the objects whose method it is
    told     it is awaited, and by its name it changes something for others
    """

    span: Span
    what: str
    why: str = UNSEEN
    rank: int = PASSING
    objects: frozenset[str] = frozenset()
    told: bool = False


def unclear(keys: Keys, path: str, call: Call, name: str, subject: str = "{}") -> Unclear:
    """What is to be said of the call of ``name``, a name as a person reads it; ``subject`` is the sentence's, round it."""
    what = subject.format(f"{name or 'a call'} ({Where(path, call.line)})")
    receivers = [target.rpartition(".")[0] for target in call.targets]
    objects = frozenset(key for receiver in receivers if is_known(key := keys.of(path, receiver)[0]))
    told = call.use == "awaited" and changes(name)
    if objects and not any(LOGGER.fullmatch(receiver) for receiver in receivers):
        return Unclear(call.span, what, rank=LASTING, objects=objects, told=told)
    return Unclear(call.span, what, rank=MAKING if name.rpartition(".")[2][:1].isupper() else PASSING, told=told)


def sentence(items: Sequence[Unclear]) -> str:
    """What a person should know of these: of the objects that outlive the call some, else the first of what is left."""
    lasting = [item for item in items if item.rank == LASTING]
    if not lasting:
        worst = min(items, key=lambda item: item.rank, default=None)
        return f"{worst.what} {worst.why}" if worst else ""
    first: dict[frozenset[str], str] = {}
    for item in lasting:
        first.setdefault(item.objects, item.what)
    if len(first) == 1:
        return f"{lasting[0].what} {UNSEEN}, {BOUND}"
    named = [first[objects] for objects in sorted(first, key=_handed)][:MOST_NAMED]
    last = named.pop() if len(named) == len(first) else f"{len(first) - MOST_NAMED} more"
    return f"{', '.join(named)} and {last} {ALL_BOUND}"


def _handed(objects: frozenset[str]) -> bool:
    """Whether they are but arguments, or what a call gave: often plain values, where attributes and globals are services."""
    return all(key.startswith(("argument ", "?")) and not key.startswith("?.") for key in objects)
