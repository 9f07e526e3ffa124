"""Which Changes are taken, by option and by answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncfix.model import Change, Safety
from asyncfix.select import Answer, Interview, chosen, interview


def change(name: str, *needs: str, rule: str = "rule", safety: Safety = "safe") -> Change:
    """A Change with an id and nothing in it."""
    return Change(name, rule, f"title of {name}", safety, (), (), needs)


def names(changes: tuple[Change, ...]) -> str:
    """The ids, one letter each."""
    return "".join(change.id for change in changes)


class Person:
    """Gives the answers in turn, and keeps what was asked."""

    def __init__(self, answers: str) -> None:
        self.answers = list(answers)
        self.asked = ""

    def __call__(self, change: Change, diff: bytes) -> str:
        assert diff == b"diff of " + change.id.encode()
        self.asked += change.id
        return self.answers.pop(0)


def talk(
    answers: str, *changes: Change, state: Interview | None = None, earlier: str = ""
) -> tuple[str, str, Interview]:
    """What was taken, what was asked, and the state after it."""
    person = Person(answers)
    taken, after = interview(changes, lambda c: b"diff of " + c.id.encode(), person, state or Interview(), set(earlier))
    assert person.answers == []
    return names(taken), person.asked, after


def test_only_safe_changes_are_taken_unless_told() -> None:
    """The order stays."""
    changes = [change("b"), change("a", safety="unsafe"), change("c")]
    assert names(chosen(changes, unsafe=False)) == "bc"
    assert names(chosen(changes, unsafe=True)) == "bac"


def test_what_needs_a_dropped_change_is_dropped() -> None:
    """Through several steps, in any order; what an earlier round took is there."""
    changes = [change("c", "b"), change("b", "a"), change("a", safety="unsafe"), change("d")]
    assert names(chosen(changes, unsafe=False)) == "d"
    assert names(chosen(changes, unsafe=True)) == "cbad"
    assert names(chosen([change("b", "a")], unsafe=False)) == ""
    assert names(chosen([change("b", "a")], unsafe=False, earlier={"a"})) == "b"


def test_each_change_is_asked_once() -> None:
    """SAFE or not, and only what got a yes is taken."""
    assert talk("yny", change("a"), change("b"), change("c", safety="unsafe"))[:2] == ("ac", "abc")


def test_all_and_none_settle_later_changes_of_the_rule() -> None:
    """Of that rule only, and in later rounds too."""
    changes = [change("a", rule="x"), change("b", rule="y"), change("c", rule="x"), change("d", rule="y")]
    taken, asked, state = talk("ad", *changes)
    assert (taken, asked) == ("ac", "ab")
    assert talk("y", change("e", rule="x"), change("f", rule="y"), change("g", rule="z"), state=state)[:2] == (
        "eg",
        "g",
    )


def test_quit_keeps_what_was_taken_and_ends_the_run() -> None:
    """Not even a rule that was taken as a whole goes on."""
    taken, asked, state = talk("aq", change("a"), change("b", rule="x"), change("c"))
    assert (taken, asked, state.over) == ("a", "ab", True)
    assert talk("", change("d"), state=state)[:2] == ("", "")


def test_a_change_is_asked_after_what_it_needs() -> None:
    """And not at all after a no to that."""
    changes = [change("c", "b"), change("b", "a"), change("a")]
    assert talk("yyy", *changes)[:2] == ("abc", "abc")
    assert talk("yn", *changes)[:2] == ("a", "ab")
    assert talk("n", *changes)[:2] == ("", "a")
    assert talk("y", change("b", "a"), earlier="a")[:2] == ("b", "b")


def test_an_unknown_answer_is_a_broken_contract() -> None:
    """Asking again is the business of who asks."""
    with pytest.raises(ValueError, match="maybe"):
        interview([change("a")], lambda _: b"", lambda _change, _diff: "maybe", Interview())


def test_an_interruption_passes_through() -> None:
    """So that nothing is written."""

    def interrupt(_change: Change, _diff: bytes) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interview([change("a")], lambda _: b"", interrupt, Interview())


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.sets(st.sampled_from("abcdefgh")), st.booleans())))
def test_saying_yes_to_what_is_safe_is_the_default(graph: dict[str, tuple[set[str], bool]]) -> None:
    """Whatever needs what (cycles aside, where nobody can be first), both ways choose the same, closed under needs."""
    changes = [
        change(name, *sorted(need for need in needs if need < name), safety="safe" if safe else "unsafe")
        for name, (needs, safe) in graph.items()
    ]
    by_option = chosen(changes, unsafe=False)
    answer = {"safe": Answer.YES, "unsafe": Answer.NO}
    by_answer, _ = interview(changes, lambda _: b"", lambda c, _: answer[c.safety], Interview())
    assert {c.id for c in by_option} == {c.id for c in by_answer}
    assert all({c.id for c in by_option}.issuperset(c.needs) for c in by_option)
