"""What the report says, to people and to programs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncfix.model import Change, Finding, Hop, Place, Refusal, Safety, Skipped, Span, Turn
from asyncfix.outcome import FileResult, Options, Outcome
from asyncfix.report.machine import github_report, json_report
from asyncfix.report.question import question
from asyncfix.report.style import ColourChoice, painter, printable, wants_colour
from asyncfix.report.summary import exit_code, left_out, summary, trouble
from asyncfix.report.text import statistics, text_report

PLAIN = painter(colour=False)


def finding(
    path: str,
    line: int,
    owner: str = "handler",
    *,
    rule: str = "blocking-sleep",
    leaf: str = "time.sleep (a.py:9)",
    via: tuple[Hop, ...] = (),
    safety: Safety | None = None,
    change: str | None = None,
) -> Finding:
    """A finding at a line of a file."""
    return Finding(
        rule, Place(path, line, 5, line, 18), "`f()` blocks the event loop", owner, leaf, via, safety, change
    )


def change(name: str, safety: Safety = "safe", *reasons: str, needs: tuple[str, ...] = ()) -> Change:
    """A Change in two files."""
    turns = (Turn("b.py", Span(0, 3), "f"), Turn("a.py", Span(0, 3), "g"))
    return Change(name, "blocking-sleep", f"turn {name} async", safety, turns, reasons, needs)


def outcome(
    findings: tuple[Finding, ...] = (),
    changes: tuple[Change, ...] = (),
    taken: str = "",
    refusals: tuple[Refusal, ...] = (),
    skipped: tuple[Skipped, ...] = (),
    errors: tuple[str, ...] = (),
    sync_sites: int = 0,
    notes: tuple[str, ...] = (),
) -> Outcome:
    """An Outcome of the project /work/p in the repository /work; one file is changed if anything was taken."""
    return Outcome(
        "/work/p",
        "/work",
        findings=findings,
        changes=changes,
        taken=frozenset(taken),
        refusals=refusals,
        skipped=skipped,
        files=(FileResult("a.py", b"", b"x"),) if taken else (),
        errors=errors,
        sync_sites=sync_sites,
        notes=notes,
    )


CHAIN = (Hop("load", "b.py", 3), Hop("query", "db.py", 7), Hop("time.sleep", "a.py", 9))
SAMPLE = outcome(
    findings=(
        finding("z.py", 1, leaf="requests.get (db.py:41)", safety="unsafe", change="u"),
        finding("b.py", 2, "one", via=CHAIN, safety="safe", change="s"),
        finding("b.py", 20, "two", via=(Hop("two", "b.py", 20), Hop("time.sleep", "a.py", 9))),
        finding("b.py", 21, "two"),
        finding("c.py", 1, "", rule="unused-suppression", leaf=""),
    ),
    changes=(change("s"), change("u", "unsafe", "tests replace it (t.py:3)", "it is exported")),
    refusals=(Refusal(finding("b.py", 20, "two"), "pinned", "the user pinned `two`"),),
)


def test_the_report_groups_by_leaf() -> None:
    """Each leaf once, the one that holds up most first, then place, message, path and remedy of each finding."""
    assert list(text_report(SAMPLE, "/work/p", PLAIN)) == [
        "time.sleep (a.py:9) holds up 2 async functions",
        "  b.py:2:5: blocking-sleep `f()` blocks the event loop",
        "    one -> load -> query -> time.sleep (a.py:9)",
        "    SAFE: turn s async",
        "  b.py:20:5: blocking-sleep `f()` blocks the event loop",
        "    not mended: the user pinned `two` [pinned]",
        "  b.py:21:5: blocking-sleep `f()` blocks the event loop",
        "    not mended: see `asyncfix rule blocking-sleep`",
        "",
        "requests.get (db.py:41) holds up 1 async function",
        "  z.py:1:5: blocking-sleep `f()` blocks the event loop",
        "    UNSAFE: turn u async; tests replace it (t.py:3); it is exported",
        "",
        "  c.py:1:5: unused-suppression `f()` blocks the event loop",
        "    not mended: see `asyncfix rule unused-suppression`",
        "",
        "5 findings in 3 files: 1 SAFE, 1 UNSAFE, 3 not mended.",
    ]


def test_paths_count_from_the_current_folder() -> None:
    """As a person would type them there."""
    lines = "\n".join(text_report(SAMPLE, "/work/other", PLAIN))
    assert "  ../p/b.py:2:5: " in lines
    assert "(../p/a.py:9)" in lines


def test_nothing_found_is_said() -> None:
    """An empty report would leave doubts."""
    assert list(text_report(outcome(), "/work/p", PLAIN)) == ["No findings."]
    assert list(statistics((), PLAIN)) == ["No findings."]


def test_the_order_of_findings_does_not_matter() -> None:
    """The report is the same."""
    turned = outcome(SAMPLE.findings[::-1], SAMPLE.changes, refusals=SAMPLE.refusals)
    assert list(text_report(turned, "/work/p", PLAIN)) == list(text_report(SAMPLE, "/work/p", PLAIN))


def test_statistics_sum_by_rule() -> None:
    """The most frequent first."""
    assert list(statistics(SAMPLE.findings, PLAIN)) == [
        "4  blocking-sleep  1 SAFE, 1 UNSAFE, 2 not mended",
        "1  unused-suppression  1 not mended",
        "5 findings in 3 files: 1 SAFE, 1 UNSAFE, 3 not mended.",
    ]


def test_without_colour_there_is_no_style_at_all() -> None:
    """And with it, the text is the same underneath."""
    plain = "\n".join(text_report(SAMPLE, "/work/p", PLAIN))
    coloured = "\n".join(text_report(SAMPLE, "/work/p", painter(colour=True)))
    assert "\x1b" not in plain
    assert "\x1b[1m" in coloured
    assert re.sub(r"\x1b\[\d*m", "", coloured) == plain


@pytest.mark.parametrize(
    ("choice", "environment", "terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, False, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "0"}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
    ],
)
def test_colour_follows_the_known_conventions(
    choice: ColourChoice, environment: dict[str, str], terminal: bool, expected: bool
) -> None:
    """Flag, NO_COLOR, force, TERM=dumb, terminal, in that order."""
    assert wants_colour(choice, environment, terminal) == expected


def test_names_cannot_write_to_the_terminal() -> None:
    """Escape sequences, line ends and undecodable bytes of a path are shown, not sent."""
    assert printable("a\x1b[2J\n\r\u202e\udcff é.py") == r"a\x1b[2J\n\r\u202e\udcff é.py"
    lines = "\n".join(text_report(outcome((finding("\x1b]0;x\x07.py", 1),)), "/work/p", PLAIN))
    assert "\x1b" not in lines
    assert r"\x1b]0;x\x07.py:1:5" in lines


def test_the_document_is_as_documented() -> None:
    """Every field, with its name, and paths from the root."""
    document = json.loads(
        json_report(outcome(SAMPLE.findings, SAMPLE.changes, "", SAMPLE.refusals, (Skipped("d.py", "50 MB"),)))
    )
    assert list(document) == ["version", "findings", "changes", "refusals", "skipped", "sync_sites"]
    assert document["version"] == 1
    assert document["findings"][1] == {
        "rule": "blocking-sleep",
        "path": "b.py",
        "line": 2,
        "column": 5,
        "end_line": 2,
        "end_column": 18,
        "message": "`f()` blocks the event loop",
        "owner": "one",
        "safety": "safe",
        "via": [
            {"function": "load", "path": "b.py", "line": 3},
            {"function": "query", "path": "db.py", "line": 7},
            {"function": "time.sleep", "path": "a.py", "line": 9},
        ],
        "change": "s",
    }
    assert (document["findings"][2]["safety"], document["findings"][2]["change"]) == (None, None)
    assert document["changes"][1] == {
        "id": "u",
        "title": "turn u async",
        "safety": "unsafe",
        "files": ["a.py", "b.py"],
        "needs": [],
        "reasons": ["tests replace it (t.py:3)", "it is exported"],
    }
    assert document["refusals"] == [
        {
            "rule": "blocking-sleep",
            "path": "b.py",
            "line": 20,
            "reason": "pinned",
            "message": "the user pinned `two`",
            "remedy": "take it off `pin` in [tool.asyncfix]",
        }
    ]
    assert document["skipped"] == [{"path": "d.py", "reason": "50 MB"}]


def test_the_document_survives_undecodable_names() -> None:
    """It is plain ASCII."""
    text = json_report(outcome((finding("\udcff\n.py", 1),)))
    assert text.isascii()
    assert json.loads(text)["findings"][0]["path"] == "\udcff\n.py"


def test_workflow_commands_name_the_place() -> None:
    """Paths count from the repository; what failed is an error."""
    done = outcome(
        (finding("b.py", 2),), skipped=(Skipped("c.py", "syntax error", failed=True), Skipped("d.py", "big"))
    )
    assert list(github_report(done)) == [
        "::warning file=p/b.py,line=2,endLine=2,col=5,endColumn=18,title=asyncfix blocking-sleep"
        "::`f()` blocks the event loop",
        "::error file=p/c.py,title=asyncfix::syntax error",
    ]


@given(st.text(alphabet=st.sampled_from("a:%,\r\n/ "), min_size=1))
def test_a_file_name_cannot_inject_a_workflow_command(name: str) -> None:
    """Whatever it holds, one finding is one line with one command, which the runner decodes to that name."""
    done = Outcome("/work", "/work", findings=(finding(f"x{name}x", 1),))
    [line] = github_report(done)
    assert line.splitlines() == [line]
    match = re.fullmatch(r"::warning file=([^:,\r\n]*),line=1,[^:\r\n]*::.*", line)
    assert match
    decoded = match[1]
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        decoded = decoded.replace(code, char)
    assert decoded == str(Path(f"x{name}x"))


REFUSED = tuple(
    Refusal(finding("a.py", line), reason, "no")
    for line, reason in enumerate(("pinned", "a", "b", "pinned", "c", "d", "pinned"))
)


def test_the_summary_of_a_diff() -> None:
    """Safe, unsafe and the flag, refused by commonest reason, and what is left alone."""
    done = outcome((), (change("s"), change("t"), change("u", "unsafe")), "st", REFUSED, sync_sites=1)
    assert summary(done, Options(mode="diff")) == (
        "asyncfix: 2 SAFE changes shown in 1 file; 1 UNSAFE held back (--unsafe shows them); "
        "7 refused (3 pinned, 1 a, 1 b, 2 other); "
        "1 blocking call in sync code that no async code reaches left alone (see --migrate)"
    )


def test_the_summary_of_an_apply() -> None:
    """What is written, and how to take it back."""
    done = outcome((), (change("s"), change("t"), change("u", "unsafe")), "su")
    assert summary(done, Options(mode="apply", unsafe=True)) == (
        "asyncfix: 1 SAFE and 1 UNSAFE changes written to 1 file (`asyncfix undo` takes them back); 1 SAFE held back"
    )
    assert summary(outcome(), Options(mode="apply")) == "asyncfix: 0 SAFE changes written to 0 files"


SAFE, UNSAFE = change("s"), change("u", "unsafe")
DEPENDENT = change("d", needs=("u",))


@pytest.mark.parametrize(
    ("done", "options", "expected"),
    [
        (outcome(), Options(), 0),
        (outcome((finding("a.py", 1),)), Options(), 1),
        (outcome((finding("a.py", 1),), (SAFE,), "s"), Options(mode="diff"), 0),
        (outcome((), (SAFE,), "s"), Options(mode="diff", check=True), 1),
        (outcome((), (UNSAFE, DEPENDENT)), Options(mode="diff", check=True), 0),
        (outcome((), (UNSAFE, DEPENDENT), "ud"), Options(mode="diff", check=True, unsafe=True), 1),
        (outcome((), (SAFE, UNSAFE), "s"), Options(mode="apply", check=True), 0),
        (outcome((), (SAFE, UNSAFE), "s"), Options(mode="apply", check=True, unsafe=True), 1),
        (outcome((), (SAFE,), ""), Options(mode="apply", check=True, interactive=True), 1),
        (outcome((), (SAFE,), ""), Options(mode="apply", interactive=True), 0),
        (outcome((), (), "", REFUSED), Options(mode="apply", check=True), 0),
        (outcome(skipped=(Skipped("a.py", "50 MB"),)), Options(), 0),
        (outcome((finding("a.py", 1),), skipped=(Skipped("a.py", "syntax error", failed=True),)), Options(), 2),
        (outcome(skipped=(Skipped("a.py", "syntax error", failed=True),)), Options(mode="apply"), 2),
        (outcome(errors=("blocking-http: a.py:3: ...",)), Options(mode="diff"), 2),
    ],
)
def test_the_exit_code_follows_the_conventions(done: Outcome, options: Options, expected: int) -> None:
    """Findings are 1 in a report only; what could not be done is 2 everywhere."""
    assert exit_code(done, options) == expected


def test_trouble_is_one_line_each() -> None:
    """A file name or message with a line end makes no second line."""
    done = outcome(
        skipped=(Skipped("a\n.py", "no\nway", failed=True),), errors=("rule-x: broke",), notes=("pip install httpx",)
    )
    assert list(trouble(done, "/work")) == [
        "asyncfix: internal error: rule-x: broke",
        r"asyncfix: p/a\n.py: no\nway",
        "asyncfix: pip install httpx",
    ]


def test_what_was_left_out_is_counted() -> None:
    """By reason, the commonest first."""
    assert left_out({}) == ""
    assert left_out({"generated": 1, "git-ignored": 3}) == "4 files left out: 3 git-ignored, 1 generated"


def test_a_question_shows_the_change_its_diff_and_its_reasons() -> None:
    """With nothing in it that the terminal would obey."""
    diff = b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-\tf('\x1b[2J')\r\n+\tawait f('\xe9')\r\n"
    assert list(question(change("u", "unsafe", "it is exported"), diff, PLAIN)) == [
        "blocking-sleep: turn u async (2 files) UNSAFE",
        "--- a/x.py",
        "+++ b/x.py",
        "@@ -1 +1 @@",
        "-\tf('\\x1b[2J')",
        "+\tawait f('\\udce9')",
        "  unproven: it is exported",
    ]
    coloured = list(question(change("s", "safe", "nothing shared"), diff, painter(colour=True)))
    assert coloured[4] == "\x1b[31m-\tf('\\x1b[2J')\x1b[0m"
    assert coloured[-1] == "  safe: nothing shared"
