"""Many edits of one file, given in any order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncfix.edits import Conflict, merge
from asyncfix.model import Edit, Replace, Span, Wrap

TEXTS = st.sampled_from(["", "await ", "(", ")", "\n    ", "é"])


def replace(start: int, end: int, text: str) -> Replace:
    return Replace(Span(start, end), text)


def wrap(start: int, end: int, before: str, after: str = "", rank: int = 0) -> Wrap:
    return Wrap(Span(start, end), before, after, rank)


def carried_out(text: str, replaces: Sequence[Replace]) -> str:
    """The text after disjoint Replaces, last to first."""
    for one in reversed(replaces):
        text = text[: one.span.start] + one.text + text[one.span.end :]
    return text


def merged(text: str, *edits: Edit) -> str:
    """The text after the edits, which is the same for every order of a few of them."""
    results = {merge(some) for some in permutations(edits)}
    assert len(results) == 1
    (result,) = results
    assert not isinstance(result, Conflict)
    return carried_out(text, result)


def conflicting(*edits: Edit) -> bool:
    """Whether they conflict, which is the same for every order of a few of them."""
    results = {isinstance(merge(some), Conflict) for some in permutations(edits)}
    assert len(results) == 1
    return results.pop()


def test_no_edits_leave_nothing_to_do() -> None:
    """Neither does a Wrap in nothing."""
    assert merge([]) == ()
    assert merge([wrap(1, 3, "", "")]) == ()


def test_equal_edits_merge() -> None:
    """Two Changes may bring the same edit."""
    assert merge([replace(0, 1, "x"), replace(0, 1, "x")]) == (replace(0, 1, "x"),)
    assert merged("f()", wrap(0, 3, "await "), wrap(0, 3, "await ")) == "await f()"
    assert merged("f()", replace(0, 0, "#"), replace(0, 0, "#")) == "#f()"


def test_a_wrap_leaves_its_inside_to_others() -> None:
    """Its text goes outside of what is replaced, inserted or wrapped within."""
    text = "f(a).b"
    inside: list[Edit] = [wrap(0, 4, "(await ", ")"), replace(0, 1, "g"), replace(1, 1, "_"), wrap(2, 3, "<", ">")]
    assert merged(text, *inside, replace(4, 6, "")) == "(await g_(<a>))"


def test_a_replacement_of_the_very_span_of_a_wrap_stands_inside() -> None:
    """It lies wholly inside, so there is one way to read it."""
    assert merged("f()", wrap(0, 3, "await "), replace(0, 3, "g()")) == "await g()"


@pytest.mark.parametrize(("short", "long"), [((2, 4), (2, 6)), ((4, 6), (2, 6))], ids=["same start", "same end"])
def test_of_wraps_that_share_a_border_the_longer_is_outside(short: tuple[int, int], long: tuple[int, int]) -> None:
    """Whatever their ranks."""
    result = merged("  abcd", wrap(*short, "(", ")", rank=9), wrap(*long, "[", "]"))
    assert result == ("  [(ab)cd]" if short[0] == long[0] else "  [ab(cd)]")


def test_of_wraps_of_one_span_the_higher_rank_is_outside() -> None:
    """Three of them nest; the same text at another rank is another layer."""
    assert merged("f", wrap(0, 1, "(", ")", 1), wrap(0, 1, "[", "]", 2), wrap(0, 1, "(", ")")) == "[((f))]"


def test_of_adjacent_wraps_the_first_ends_before_the_second_begins() -> None:
    """Also where both hold a replacement at that point."""
    edits: list[Edit] = [wrap(0, 1, "(", ")"), wrap(1, 2, "[", "]"), replace(0, 1, "x"), replace(1, 2, "y")]
    assert merged("ab", *edits) == "(x)[y]"


def test_touching_replaces_stand_side_by_side() -> None:
    """An insertion between them stands there."""
    assert merged("abc", replace(0, 1, "x"), replace(1, 2, ""), replace(1, 1, "-")) == "x-c"


def test_insertions_at_one_point_become_one_replace() -> None:
    """The result has at most one insertion at each point."""
    assert merge([wrap(0, 1, "(", ")"), wrap(1, 2, "[", "]")]) == (
        replace(0, 0, "("),
        replace(1, 1, ")["),
        replace(2, 2, "]"),
    )


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([replace(0, 2, "x"), replace(0, 2, "y")], id="one span, two texts"),
        pytest.param([replace(0, 2, "x"), replace(1, 3, "x")], id="replaces overlap"),
        pytest.param([replace(0, 5, "x"), replace(2, 3, "x")], id="a replace in a replace"),
        pytest.param([replace(0, 3, "x"), replace(1, 1, "y")], id="an insertion in a replace"),
        pytest.param([replace(1, 1, "x"), replace(1, 1, "y")], id="two insertions at one point"),
        pytest.param([replace(1, 1, "x"), wrap(1, 1, "x")], id="an empty wrap is an insertion"),
        pytest.param([wrap(1, 3, "(", ")"), replace(0, 4, "x")], id="a replace covers a wrap"),
        pytest.param([wrap(1, 3, "(", ")"), replace(1, 4, "x")], id="a replace covers a wrap from its start"),
        pytest.param([wrap(1, 3, "(", ")"), replace(2, 4, "x")], id="a replace crosses the end of a wrap"),
        pytest.param([wrap(1, 3, "(", ")"), replace(0, 2, "x")], id="a replace crosses the start of a wrap"),
        pytest.param([wrap(1, 3, "(", ")"), wrap(2, 4, "[", "]")], id="wraps cross"),
        pytest.param([wrap(1, 3, "(", ")"), wrap(1, 3, "[", "]")], id="two wraps of one span and rank"),
        pytest.param([wrap(1, 3, "(", ")"), replace(1, 1, "x")], id="an insertion at the start of a wrap"),
        pytest.param([wrap(1, 3, "(", ")"), replace(3, 3, "x")], id="an insertion at the end of a wrap"),
    ],
)
def test_what_cannot_both_stand_conflicts(edits: list[Edit]) -> None:
    """Whatever else is done elsewhere; the two are named."""
    assert conflicting(*edits, replace(7, 8, "x"), wrap(6, 9, "a", "b"))
    assert {merge(edits), merge(reversed(edits))} <= {Conflict(edits[0], edits[1]), Conflict(edits[1], edits[0])}


def test_an_empty_wrap_inserts_both_its_texts() -> None:
    """There is nothing between them."""
    assert merged("ab", wrap(1, 1, "(", ")")) == "a()b"


# ----------------------------------------------------------------------------------------------------------- properties


@st.composite
def nested(draw: st.DrawFn, start: int, end: int, depth: int = 0) -> tuple[list[Edit], str]:
    """Edits of the digits ``start`` to ``end`` that can all stand, and the text they give, built from the inside."""
    edits: list[Edit] = []
    built, at, before = "", start, "border"
    while at < end:
        kinds = ["keep", "replace"]
        if before != "insertion" and depth < 3:
            kinds.append("wrap")
        if before in ("keep", "replace") and at > start:
            kinds.append("insert")
        before = draw(st.sampled_from(kinds))
        stop = draw(st.integers(at + 1, end))
        match before:
            case "keep":
                built += digits(at, stop)
            case "replace":
                edits.append(replace(at, stop, text := draw(TEXTS)))
                built += text
            case "insert":
                edits.append(replace(at, at, text := draw(TEXTS)))
                built, before, stop = built + text, "insertion", at
            case _:
                if (at, stop) == (start, end) and depth:
                    built, before = built + digits(at, stop), "keep"
                else:
                    inner, text = draw(nested(at, stop, depth + 1))
                    edits += inner
                    for rank in range(draw(st.integers(1, 3))):
                        edits.append(layer := wrap(at, stop, draw(TEXTS), draw(TEXTS), rank))
                        text = layer.before + text + layer.after
                    built += text
        at = stop
    return edits, built


def digits(start: int, end: int) -> str:
    return "".join(str(n % 10) for n in range(start, end))


@given(st.data())
def test_edits_in_any_order_give_the_text_built_from_the_inside(data: st.DataObject) -> None:
    """Nested Wraps with Replaces and insertions between them, some given twice."""
    edits, built = data.draw(nested(0, 12))
    given_edits = data.draw(st.permutations(edits + edits[:2]))
    result = merge(given_edits)
    assert not isinstance(result, Conflict)
    assert carried_out(digits(0, 12), result) == built


def spans() -> st.SearchStrategy[Span]:
    return st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda pair: Span(min(pair), max(pair)))


def any_edit() -> st.SearchStrategy[Edit]:
    texts = st.sampled_from(["", "x", "y"])
    return st.builds(Replace, spans(), texts) | st.builds(Wrap, spans(), texts, texts, st.integers(0, 1))


@given(st.lists(any_edit(), max_size=6))
def test_edits_conflict_exactly_if_two_of_them_do(edits: list[Edit]) -> None:
    """A Conflict names two that do, and no order of the edits changes the result."""
    result = merge(edits)
    assert result == merge(sorted(edits, key=repr)) == merge(reversed(edits))
    pairs = [set(pair) for pair in combinations(edits, 2) if isinstance(merge(pair), Conflict)]
    if isinstance(result, Conflict):
        assert {result.first, result.second} in pairs
    else:
        assert not pairs
        assert [one.span for one in result] == sorted({one.span for one in result})
        assert all(one.span.end <= other.span.start for one, other in pairwise(result))
