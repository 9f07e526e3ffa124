"""``asyncfix plan`` and ``asyncfix why``: the migration as a document, and what becomes of one function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asyncfix.model import Change, Decision, Safety, Span, Turn, Use
from asyncfix.plan.order import order
from tests.harness import PYPROJECT, Project, project

STORE = b'''"""Blocking calls."""

import time


def free():
    time.sleep(1)


def behind_one():
    time.sleep(1)


def behind_two():
    time.sleep(1)


def harmless():
    return 1
'''
PROGRAM = b'''"""Who calls them."""

from store.base import behind_one, behind_two, free, harmless


class User:
    @property
    def profile(self):
        return behind_one(), behind_two()


def handler():
    behind_two()


HANDLERS = {"x": handler}


def main():
    free()
    harmless()


if __name__ == "__main__":
    main()
'''
FILES = {"store/__init__.py": b"", "store/base.py": STORE, "program.py": PROGRAM}
PROPERTY = {"code": "property", "function": "program.User.profile", "behind": 2, "frees": 1}
PASSED = {"code": "passed-as-value", "function": "program.handler", "behind": 1, "frees": 0}


def plan(here: Project, *words: str) -> dict[str, Any]:
    """The document of a plan."""
    done = here.run("plan", "--output-format", "json", *words)
    assert done.code == 0, done.err
    return done.json


def why(here: Project, *words: str) -> dict[str, Any]:
    """The document of one function."""
    done = here.run("why", "--output-format", "json", *words)
    assert done.code == 0, done.err
    return done.json


# ------------------------------------------------------------------------------------------------------------------ plan


def test_a_barrier_is_worth_what_its_removal_alone_would_free(tmp_path: Path) -> None:
    """A call behind two is freed by neither; the document says where they are, and what a person could do."""
    document = plan(project(tmp_path, FILES))
    found = [{key: item[key] for key in PROPERTY} for item in document["barriers"]]
    assert found == [PROPERTY, PASSED]
    assert document["behind_several"] == 1
    first = document["barriers"][0]
    assert first["places"] == [{"path": "program.py", "line": 7}] or first["places"] == [
        {"path": "program.py", "line": 8}
    ]
    assert first["message"] == "program.User.profile is a property"
    assert "make it a method" in first["remedy"]
    assert first["packages"] == {"store": 2}


def test_what_it_promises_comes_true(tmp_path: Path) -> None:
    """Without the property the call is awaited that it alone held up; the other one goes to a thread above its barrier."""
    here = project(tmp_path, {**FILES, "program.py": PROGRAM.replace(b"    @property\n", b"")})
    assert b"+async def behind_one" in here.run("--migrate", "--unsafe", "--diff").out
    document = plan(here)
    (barrier,) = document["barriers"]  # of its other way
    assert {key: barrier[key] for key in PASSED} == {**PASSED, "frees": 1}
    assert document["partly"] == 1
    (lifted,) = [item for item in document["changes"] if "behind_two" in item["title"]]
    assert lifted["functions"] == ["program.User.profile"]


def test_a_change_tells_what_it_does_and_where_it_ends(tmp_path: Path) -> None:
    document = plan(project(tmp_path, FILES))
    (change,) = document["changes"]
    assert change["functions"] == ["program.main", "store.base.free"]
    assert change["files"] == ["program.py", "store/base.py"]
    assert (change["edits"], change["size"], change["sites"]) == (5, "S", 1)
    assert change["ends"] == [{"kind": "program", "function": "program", "path": "program.py", "line": 1}]
    assert (change["rule"], change["needs"], change["shares"], change["conflicts"]) == ("blocking-sleep", [], [], [])
    assert document["packages"] == [
        {"name": "program", "safe": 0, "unsafe": 0, "barred": 0, "functions": 1},
        {"name": "store", "safe": int(change["safety"] == "safe"), "unsafe": int(change["safety"] == "unsafe")}
        | {"barred": 2, "functions": 1},
    ]


def test_the_page_says_the_same(tmp_path: Path) -> None:
    """Every id, barrier and sum stands on the page."""
    here = project(tmp_path, FILES)
    (change,) = plan(here)["changes"]
    page = here.run("plan").out.decode()
    assert "mend 1 of 3 blocking calls: 2 functions turn async, 2 files change." in page
    assert f"  {change['id']}  " in page and "ends at program: program" in page
    assert "1 change that is independent of all others" in page
    assert "frees 1 of 2 blocking calls behind it: property  program.User.profile is a property" in page
    assert "frees 0 of 1 blocking call behind it: passed-as-value  program.handler is passed on as a value" in page
    assert "at program.py:16" in page and "remedy: make it a method that is called" in page
    assert (
        "More than one barrier is in the way of 1 blocking call: the removal of one alone does not free them." in page
    )


def test_all_reads_of_one_property_are_one_barrier(tmp_path: Path) -> None:
    """It is one thing to mend, however often it is read; so are all calls of a name whose receiver is not known."""
    reads = (
        PROGRAM
        + b"\n\ndef read(user: User):\n    return user.profile\n\n\ndef again(user: User):\n    return user.profile\n"
    )
    document = plan(project(tmp_path, {**FILES, "program.py": reads}))
    assert [item["code"] for item in document["barriers"]] == ["property", "passed-as-value"]
    calls = STORE + b"\n\nclass Box:\n    def fetch(self):\n        time.sleep(1)\n"
    loose = b"def one(box):\n    return box.fetch()\n\n\ndef two(box):\n    return box.fetch()\n"
    (barrier,) = plan(project(tmp_path / "loose", {"base.py": calls, "loose.py": loose}))["barriers"]
    assert (barrier["code"], barrier["frees"], len(barrier["places"])) == ("possible-caller", 1, 2)


def test_a_callback_is_one_barrier(tmp_path: Path) -> None:
    """That the function is passed on at that place says the same."""
    text = b"import time\n\n\ndef rank(x):\n    time.sleep(x)\n    return x\n\n\nORDER = sorted([3, 1], key=rank)\n"
    document = plan(project(tmp_path, {"store/__init__.py": b"", "store/base.py": text}))
    (barrier,) = document["barriers"]
    assert barrier["places"] == [{"path": "store/base.py", "line": 9}]
    assert barrier["behind"] == 1


def test_calls_for_which_there_is_no_form_are_told_apart(tmp_path: Path) -> None:
    """They wait for no barrier on the way up."""
    text = b"import sqlite3\n\n\ndef f(connection: sqlite3.Connection):\n    connection.commit()\n"
    document = plan(project(tmp_path, {"app.py": text}))
    assert document["barriers"] == [] and document["behind_several"] == 0
    (unfit,) = document["unfit"]
    assert (unfit["rule"], len(unfit["calls"])) == ("blocking-call", 1)


def test_the_order_of_landing_and_what_needs_what(tmp_path: Path) -> None:
    """What comes up only when others have landed stands behind them."""
    text = (
        b"import requests\n\n\ndef fetch(url):\n    return requests.get(url, timeout=1).json()\n\n\n"
        b"async def load(a, b):\n    x = fetch(a)\n    y = fetch(b)\n    return x, y\n"
    )
    pyproject = PYPROJECT + b'[tool.asyncfix]\nextend-select = ["sequential-awaits"]\n'
    here = project(tmp_path, {"app.py": text, "pyproject.toml": pyproject})
    first, second = plan(here)["changes"]
    assert second["needs"] == [first["id"]] and second["group"] == first["group"]
    assert first["ends"] == [{"kind": "async", "function": "app.load", "path": "app.py", "line": 8}]
    assert f"needs {first['id']}" in here.run("plan").out.decode()


def test_nothing_to_do_is_said(tmp_path: Path) -> None:
    done = project(tmp_path, {"app.py": b"x = 1\n"}).run("plan")
    assert (done.code, done.out) == (0, b"Nothing to migrate: no blocking call was found.\n")


def test_it_is_limited_as_a_migration_is(tmp_path: Path) -> None:
    """To the paths, and to what the roots reach."""
    here = project(tmp_path, FILES)
    assert len(plan(here, "--root", "program:main")["changes"]) == 1
    assert plan(here, "--root", "program:handler")["changes"] == []
    assert "not-editable" in {item["code"] for item in plan(here, "store")["barriers"]}
    done = here.run("plan", "--root", "program:mian")
    assert done.code == 2 and "did you mean `program.main`?" in done.err


# ----------------------------------------------------------------------------------------------------------------- order


def change(
    name: str, *lines: int, turns: str = "", keeps: str = "", needs: str = "", safety: Safety = "safe"
) -> Change:
    """A Change that turns functions (a letter each), and awaits on some lines."""
    decisions: tuple[Decision, ...] = (
        *(Turn("a.py", Span(ord(each), ord(each) + 1), each) for each in turns),
        *(Use("b.py", Span(10 * line, 10 * line + 5), "call") for line in lines),
    )
    return Change(name, "r", name, safety, decisions, (), tuple(needs), frozenset(turns), frozenset(keeps))


def landing(*changes: Change) -> str:
    """Ids in the order of landing."""
    places = order(changes)
    return "".join(sorted(places, key=lambda name: places[name].number))


def test_needed_ones_first_then_safe_ones_then_small_ones() -> None:
    assert landing(change("a", 1, needs="b"), change("b", 1, 2, 3)) == "ba"
    assert landing(change("a", 1, safety="unsafe"), change("b", 2, 3, 4)) == "ba"
    assert landing(change("a", 1, 2), change("b", 3)) == "ba"
    assert landing(change("a", 1, needs="b"), change("b", 2, needs="a"), change("c", 3)) in ("cab", "cba")


def test_what_is_there_already_is_not_counted_twice() -> None:
    """After a small one that shares its edits a large one is the smaller step."""
    changes = [change("a", 1, 2, 3, 4), change("b", 1, 2, 3), change("c", 5, 6, 7, 8)]
    assert landing(*changes) == "bac"
    assert order(changes)["a"].new == 1


def test_independent_and_conflicting_ones() -> None:
    """Sharing a function or text makes a group; one that keeps sync what another turns is in conflict with it."""
    places = order([change("a", turns="f"), change("b", turns="f"), change("c", keeps="f"), change("d", 9)])
    assert places["a"].shares == ("b",) and places["a"].conflicts == ("c",)
    assert places["c"].conflicts == ("a", "b") and places["c"].shares == ()
    assert len({places[name].group for name in "abc"}) == 1 and places["d"].group != places["a"].group


# ------------------------------------------------------------------------------------------------------------------- why


def test_why_a_function_turns(tmp_path: Path) -> None:
    """The way to what blocks, and the Change."""
    here = project(tmp_path, FILES)
    document = why(here, "program:main")
    assert document["verdict"] == "turns"
    (found,) = document["changes"]
    assert found["id"] == plan(here)["changes"][0]["id"] and found["part"] == "turns"
    assert [(hop["function"], hop["path"], hop["line"]) for hop in found["ways"][0]] == [
        ("program.main", "program.py", 20),
        ("store.base.free", "store/base.py", 7),
        ("time.sleep", "store/base.py", 7),
    ]
    page = here.run("why", "program:main").out.decode()
    assert page.startswith("program.main (program.py:19) turns async.\n")
    assert "program.main -> store.base.free -> time.sleep (store/base.py:7)" in page


def test_why_a_function_cannot_turn(tmp_path: Path) -> None:
    """Each barrier with its place and what a person could do, and the way to what blocks."""
    here = project(tmp_path, FILES)
    document = why(here, "store.base:behind_two")
    assert document["verdict"] == "stays" and document["changes"] == []
    (stop,) = document["stops"]
    assert [item["code"] for item in stop["barriers"]] == ["property", "passed-as-value"]
    page = here.run("why", "store.base:behind_two").out.decode()
    assert "store.base.behind_two (store/base.py:14) stays sync." in page
    assert "property  program.User.profile is a property" in page
    assert "passed-as-value  program.handler is passed on as a value (program.py:16)" in page
    assert "remedy: call it where its value is needed" in page


def test_why_a_function_has_nothing_to_do_with_it(tmp_path: Path) -> None:
    here = project(tmp_path, FILES)
    assert why(here, "store.base:harmless")["verdict"] == "clear"
    assert "it neither blocks nor reaches anything that does" in here.run("why", "store.base:harmless").out.decode()


def test_why_names_who_may_call_it(tmp_path: Path) -> None:
    """Places whose receiver is not known, and where it is passed on."""
    text = b"class Box:\n    def fetch(self):\n        return 1\n\n\ndef use(box):\n    return box.fetch()\n"
    here = project(tmp_path, {**FILES, "box.py": text})
    (place,) = why(here, "box:Box.fetch")["unresolved"]
    assert place == {"reason": "possible-caller", "path": "box.py", "line": 7, "function": "box.use"}
    assert (
        "box.py:7: may be called, by an object whose class is not known (in box.use)"
        in here.run("why", "box:Box.fetch").out.decode()
    )
    assert [item["line"] for item in why(here, "program:handler")["unresolved"]] == [16]


def test_why_of_an_entry_point_and_of_async_code(tmp_path: Path) -> None:
    """One stays and runs what turns below it, the other is async already."""
    command = b"import time\n\nimport click\n\n\ndef work():\n    time.sleep(1)\n\n\n@click.command()\ndef main():\n    work()\n"
    here = project(tmp_path, {"app.py": command, "web.py": b"import time\n\n\nasync def f():\n    time.sleep(1)\n"})
    assert why(here, "app:main")["verdict"] == "runs"
    document = why(here, "web:f")
    assert document["verdict"] == "async" and document["changes"][0]["ways"][0][0]["line"] == 5


def test_why_of_a_name_that_there_is_not(tmp_path: Path) -> None:
    done = project(tmp_path, FILES).run("why", "program:mian")
    assert (done.code, done.out) == (2, b"")
    assert "why: no function here is called `program.mian`, did you mean `program.main`?" in done.err
