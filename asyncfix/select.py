"""Which of the planned Changes are carried out: by their safety, and by what a person answers.

A Change stands or falls with those it needs: one whose ``needs`` are not all chosen is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from asyncfix.config import Config, ConfigError, nearest
from asyncfix.model import Change, Value
from asyncfix.suppress import UNUSED
from asyncfix.transform import Rule

ALL = "ALL"


class Answer(StrEnum):
    """What a person may say to one Change."""

    YES = "y"
    NO = "n"
    ALL = "a"
    NONE = "d"
    QUIT = "q"


class Interview(Value, frozen=True):
    """What earlier answers settle for later Changes: the rules all taken, those all left, and whether it is over."""

    taken: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    over: bool = False


def chosen(
    changes: Sequence[Change], *, unsafe: bool, earlier: Collection[str] = (), named: Collection[str] = ()
) -> tuple[Change, ...]:
    """The Changes that are taken without asking, in their order.

    ``earlier`` are the ids chosen in earlier rounds, which count as chosen for ``needs``; ``named`` those of the only ones
    to take, if there are any: to name one is to say yes to it.
    """
    picked = [change for change in changes if (change.id in named if named else unsafe or change.safety == "safe")]
    while True:
        known = {change.id for change in picked} | set(earlier)
        kept = [change for change in picked if known.issuperset(change.needs)]
        if len(kept) == len(picked):
            return tuple(kept)
        picked = kept


def interview(
    changes: Sequence[Change],
    show: Callable[[Change], bytes],
    ask: Callable[[Change, bytes], str],
    state: Interview,
    earlier: Collection[str] = (),
) -> tuple[tuple[Change, ...], Interview]:
    """Ask a person about each Change of one round, SAFE or not: those taken, in order of asking, and the new state.

    ``show`` makes the diff of one Change, ``ask`` presents it and returns an `Answer`. A Change is asked after those it
    needs, and not at all if one of them was left. Whatever ``ask`` raises passes through: nothing is chosen then.
    """
    picked: list[Change] = []
    known = set(earlier)
    for change in _needed_first(changes):
        if state.over:
            break
        if not known.issuperset(change.needs) or change.rule in state.left:
            continue
        if change.rule not in state.taken:
            answer = Answer(ask(change, show(change)))
            state = _after(state, answer, change.rule)
            if answer not in (Answer.YES, Answer.ALL):
                continue
        picked.append(change)
        known.add(change.id)
    return tuple(picked), state


def _after(state: Interview, answer: Answer, rule: str) -> Interview:
    match answer:
        case Answer.ALL:
            return msgspec.structs.replace(state, taken=state.taken | {rule})
        case Answer.NONE:
            return msgspec.structs.replace(state, left=state.left | {rule})
        case Answer.QUIT:
            return msgspec.structs.replace(state, over=True)
        case Answer.YES | Answer.NO:
            return state


def _needed_first(changes: Sequence[Change]) -> Iterator[Change]:
    """The Changes in their order, but each after those of them that it needs."""
    waiting = {change.id: change for change in changes}

    def release(change: Change) -> Iterator[Change]:
        if waiting.pop(change.id, None) is not None:
            for need in change.needs:
                if need in waiting:
                    yield from release(waiting[need])
            yield change

    for change in changes:
        yield from release(change)


def with_needed(names: Iterable[str], changes: Mapping[str, Change]) -> frozenset[str]:
    """Ids, with those of all that they need."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(need for need in changes[name].needs if need in changes)
    return frozenset(found)


def rules_in_force(config: Config, rules: Sequence[Rule]) -> frozenset[str]:
    """Names of the rules that report and change anything. ``ALL`` is every default rule. Raises ConfigError."""
    known = {rule.name for rule in rules}
    default = {rule.name for rule in rules if rule.default}
    for name in (*config.select, *config.extend_select, *config.ignore):
        if name not in known and name not in (ALL, UNUSED):
            raise ConfigError(f"no rule is called `{name}`, did you mean `{nearest(name, sorted(known))}`?")

    def named(names: Sequence[str]) -> set[str]:
        return {rule for name in names for rule in (default if name == ALL else {name})}

    base = named(config.select) if config.select else default
    return frozenset((base | named(config.extend_select)) - named(config.ignore))
