"""The rule `sequential-awaits`: what it writes does what the original did, and what it leaves alone."""

from __future__ import annotations

import ast
import asyncio
import importlib
import sys
import textwrap
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any

import pytest

from asyncfix import generated
from asyncfix.model import MinimumPython, Overlap, Rewrite, Site, Strategy, Unfailing
from asyncfix.rewrite import Order, Written, rewrite
from asyncfix.source import Source
from asyncfix.transform import Tree

RULE = importlib.import_module("asyncfix.transforms.sequential_awaits").SequentialAwaits()
FORMS = ("ordered", "taskgroup", "gather")


@pytest.fixture(autouse=True)
def helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The generated module is there to be imported."""
    module = ModuleType("_asyncfix")
    exec(generated.module_text(RULE.generated, RULE.generated), module.__dict__)
    monkeypatch.setitem(sys.modules, "_asyncfix", module)


EXAMPLE = """\
async def work(number, name):
    user = await load_user(number)
    posts = await load_posts(name)
    return user, posts
"""


def text(body: str, parameters: str = "") -> str:
    """An async function with this body."""
    return f"async def work({parameters}):\n{textwrap.indent(textwrap.dedent(body).strip(chr(10)), '    ')}\n"


def scan(code: str | bytes) -> list[Site]:
    """The sites of a file."""
    source = Source("m.py", code if isinstance(code, bytes) else code.encode())
    sites: list[Site] = RULE.scan(Tree(source, source.parse()))
    return sites


def rewritten(code: str | bytes, form: str) -> Written:
    """What became of a file with all its sites written in one form, each as a Change of its own."""
    data = code if isinstance(code, bytes) else code.encode()
    changes = tuple((str(site.span.start), (Rewrite("m.py", site, form),)) for site in scan(data))
    return rewrite(Order("m.py", data, changes), [RULE])


def converted(code: str | bytes, form: str) -> str:
    """The new text; the sites must have been written."""
    written = rewritten(code, form)
    assert written.edits
    assert not written.failed
    assert not written.waiting
    return written.new.decode()


def behind_import(code: str, form: str = "taskgroup") -> str:
    """The new text without the import that was added."""
    return converted("import asyncio\n\n\n" + code, form).removeprefix("import asyncio\n\n\n")


def outcome(code: str, *arguments: object) -> tuple[object, list[str], int]:
    """Runs ``work``: its result, what was called (sorted), and how many of the calls were under way at once."""
    called: list[str] = []
    now = most = 0

    def function(name: str) -> Callable[..., Coroutine[object, object, object]]:
        async def call(*given: Any, **named: Any) -> object:
            nonlocal now, most
            given = tuple(each if isinstance(each, int | str) else list(each) for each in given)
            called.append(f"{name}{given}{named}")
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1
            return (name, given) if name.startswith("pair") else f"{name}{given}"

        return call

    names = ("load_user", "load_posts", "load_tags", "pair_a", "pair_b")
    space: dict[str, Any] = {name: function(name) for name in names}
    exec(compile(code, "m.py", "exec"), space)
    return asyncio.run(space["work"](*arguments)), sorted(called), most


EXECUTED = {
    "two results": EXAMPLE,
    "annotated": text("""
        user: str = await load_user(1)
        posts: "str" = await load_posts(2)
        return user + posts
        """),
    "no results": text("""
        await load_user(1)
        await load_posts(2)
        """),
    "some results": text("""
        await load_user(1)
        posts = await load_posts(2)
        await load_tags(3)
        return posts
        """),
    "tuples": text("""
        one, two = await pair_a(1)
        (three, _) = await pair_b(2)
        await load_tags(3)
        return one, two, three, _
        """),
    "several lines": text('''
        user = await load_user(
            1,
            """two
    lines""",

            x={
                # why
                "k": [2],  # kept
            },
        )

        # the posts
        posts = await (
            load_posts
            (2)
        )  # behind
        tags = await load_tags(3)
        return user, posts, tags
        '''),
    "nested blocks": text("""
        for each in (1, 2):
            if each:
                user = await load_user(each)
                posts = await load_posts(2)
            else:
                pass
        return user, posts
        """),
    "names taken": text("""
        group = user_task = _ = 5
        user = await load_user(1)
        posts = await load_posts(2)
        await load_tags(3)
        return user, posts, group, user_task, _
        """),
    "arguments of all kinds": text("""
        user = await load_user(one for one in "ab")
        posts = await load_posts(*"cd", **{"k": 2})
        return user, posts
        """),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", EXECUTED)
def test_calls_and_results_stay(name: str, form: str) -> None:
    """The same calls give the same result, only at the same time."""
    code = EXECUTED[name]
    arguments = (1, "n") if "number" in code else ()
    before = outcome(code, *arguments)
    after = outcome(converted(code, form), *arguments)
    assert before[:2] == after[:2]
    assert before[2] == 1
    assert after[2] > 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", EXECUTED)
def test_second_time_nothing(name: str, form: str) -> None:
    """What was written is no site again."""
    assert scan(converted(EXECUTED[name], form)) == []


def test_task_group() -> None:
    """The results are taken behind the group, the comments stay with their calls."""
    code = text(
        """
        # both
        user: User = await load_user(number)  # one
        # who wrote them
        posts, count = await load_posts(
            name,
            limit=5,
        )
        await load_tags()  # three
        return user
        """,
        "number, name",
    )
    expected = text(
        """
        # both
        async with asyncio.TaskGroup() as group:
            user_task = group.create_task(load_user(number))  # one
            # who wrote them
            posts_task = group.create_task(load_posts(
                name,
                limit=5,
            ))
            group.create_task(load_tags())  # three
        user: User = user_task.result()
        posts, count = posts_task.result()
        return user
        """,
        "number, name",
    )
    assert behind_import(code) == expected


def test_gather_on_one_line() -> None:
    """What is short and without comments goes on one line."""
    expected = text(
        """
        user, posts = await asyncio.gather(load_user(number), load_posts(name))
        return user, posts
        """,
        "number, name",
    )
    assert behind_import(EXAMPLE, "gather") == expected


def test_gather_on_several_lines() -> None:
    """Comments, tuples, hints and calls of several lines are kept."""
    code = text(
        """
        user: User = await load_user(number)  # one
        # who wrote them
        posts, count = await load_posts(
            name,
        )
        await load_tags()
        """,
        "number, name",
    )
    expected = text(
        """
        user: User
        user, (posts, count), _ = await asyncio.gather(
            load_user(number),  # one
            # who wrote them
            load_posts(
                name,
            ),
            load_tags(),
        )
        """,
        "number, name",
    )
    assert behind_import(code, "gather") == expected


def test_names_and_imports() -> None:
    """The module comes under the name that it has in the file, and no name of the function is taken."""
    code = "import asyncio as aio\n" + text("group = 1\nuser = await load_user(1)\nposts = await load_posts(2)\n")
    new = converted(code, "taskgroup")
    assert "async with aio.TaskGroup() as group2:\n" in new
    assert "user_task = group2.create_task(load_user(1))\n" in new


@pytest.mark.parametrize("form", FORMS)
def test_bytes_stay(form: str) -> None:
    """Line ends, tabs, and a file in another encoding that ends without a newline."""
    code = '# coding: latin-1\nasync def f(a, b):\n\tx = await g(a,\n\t\t"ä")  # ö\n\tawait h(b)'
    data = code.replace("\n", "\r\n").encode("latin-1")
    new = rewritten(data, form).new
    assert new.count(b"\n") == new.count(b"\r\n")
    assert '"ä")'.encode("latin-1") in new
    assert "  # ö\r\n".encode("latin-1") in new
    assert not new.endswith(b"\n")
    ast.parse(new)


def test_owner_is_qualified() -> None:
    """The owner is what Python calls ``__qualname__``; the call is the first that is awaited."""
    code = """\
class A:
    async def m(self):
        async def inner(b):
            x = await f(1)
            y = await g(b)
        x = await self.one()
        y = await self.two()

def f():
    class B:
        async def m(self):
            x = await f(1)
            y = await g(2)
"""
    source = Source("m.py", code.encode())
    found = [(site.owner, source.text(site.call)) for site in scan(code)]
    assert found == [("A.m.<locals>.inner", "f(1)"), ("A.m", "self.one()"), ("f.<locals>.B.m", "f(1)")]


def test_forms() -> None:
    """The plain one where no call can fail, else the ordered join unless another form is asked for, which is safe only there."""
    (site,) = scan(EXAMPLE)
    plainest, ordered, group, gather = site.forms
    assert plainest.requires[0] == Strategy("concurrency", "gather", default=True)
    assert isinstance(plainest.requires[1], Unfailing) and isinstance(plainest.requires[-1], Overlap)
    assert (ordered.name, group.name, gather.name) == FORMS
    assert ordered.requires == (Strategy("concurrency", "ordered", default=True),)
    assert group.requires == (Strategy("concurrency", "taskgroup"), MinimumPython((3, 11)))
    assert gather.requires == (Strategy("concurrency", "gather"),)
    assert all(any(isinstance(condition, Overlap) for condition in form.safe_if) for form in (ordered, group, gather))
    assert all(any(isinstance(condition, Unfailing) for condition in form.safe_if) for form in (group, gather))


def test_runs_end_where_names_meet() -> None:
    """A member that needs an earlier one begins the next run."""
    code = text("a = await f(1)\nb = await g(2)\nc = await h(a)\nd = await f(3)\nprint(d)\ne = await f(4)\n")
    source = Source("m.py", code.encode())
    assert [source.text(site.span).count("await") for site in scan(code)] == [2, 2]


@pytest.mark.parametrize(
    "body",
    [
        "a = await f(x)\nb = await g(y)",
        "a = await module.f(x)\nb = await module.g(y)",
        "a = await pkg.sub.f(x)\nb = await pkg.sub.g(y)",
        "a = await f(x, TIMEOUT)\nb = await f(y, module.TIMEOUT, TIMEOUT)",
        "a = await f(int(x))\nb = await f(int(y))",
        "a = await self.f(x)\nb = await self.g(y)",
        "a = await self.f(x)\nb = await y.g()",
        "try:\n    a = await x.f()\n    b = await y.g()\nexcept:\n    raise",
        "try:\n    pass\nexcept E:\n    a = await x.f()\n    b = await y.g()",
        "async with z:\n    a = await x.f()\n    b = await y.g()",
        "while z:\n    a = await x.f()\n    b = await y.g()",
        "for z in y:\n    a = await f(z)\n    b = await x.g()\n    total += 1",
        "match z:\n    case 1:\n        a = await x.f()\n        b = await y.g()",
    ],
)
def test_independent(body: str) -> None:
    """What shares no name but modules, constants, functions, and ``self`` with different methods is a site."""
    header = "import module\nimport pkg.sub\n"
    (site,) = scan(header + text(body, "self, x, y, z, total"))
    assert not any(condition.shared for condition in site.forms[0].safe_if if isinstance(condition, Overlap))


@pytest.mark.parametrize(
    ("why", "body"),
    [
        ("same receiver", "a = await x.f()\nb = await x.g()"),
        ("same receiver of attributes", "a = await x.y.f()\nb = await x.z.g()"),
        ("constant as receiver", "a = await CLIENT.f()\nb = await CLIENT.g()"),
        ("same argument", "a = await f(x)\nb = await g(x)"),
        ("same variable of a module", "a = await module.client.f(x)\nb = await module.client.g(y)"),
        ("imported object", "a = await thing.f(x)\nb = await thing.g(y)"),
        ("module hidden by a parameter", "a = await hidden.f(x)\nb = await hidden.g(y)"),
        ("callable argument", "a = await x(1)\nb = await x(2)"),
        ("same method of self", "a = await self.f(x)\nb = await self.f(y)"),
        ("attribute of self", "a = await self.x.f()\nb = await self.y.g()"),
        ("attribute of self as argument", "a = await self.f()\nb = await g(self.y)"),
        ("method for its effect", "await self.f()\nb = await self.g()"),
        ("super", "a = await super().f()\nb = await super().g()"),
    ],
)
def test_shared(why: str, body: str) -> None:
    """What more than one of them uses is asked about: it may take one call at a time."""
    header = "import asyncio\nimport hidden\nimport module\nfrom package import thing\n"
    code = header + text(body, "self, hidden, x, y, z")
    compile(code, why, "exec")
    (site,) = scan(code)
    assert all(condition.shared for form in site.forms for condition in form.safe_if if isinstance(condition, Overlap))


@pytest.mark.parametrize(
    ("why", "body"),
    [
        ("one await", "a = await f(x)"),
        ("something between", "a = await f(x)\nprint()\nb = await g(y)"),
        ("no call", "a = await x\nb = await y"),
        ("result needed", "a = await f(x)\nb = await g(a)"),
        ("result needed inside", "a = await f(x)\nb = await g(lambda: [a])"),
        ("argument rebound", "a = await f(y)\ny = await g(x)"),
        ("same target", "a = await f(x)\na = await g(y)"),
        ("constant rebound", "A = await f(x)\nb = await g(A)"),
        ("nested function", "async def g():\n    return a\na = await f(x)\nb = await g()"),
        ("nested function given", "def g():\n    return a\na = await f(x)\nb = await h(g)"),
        ("global", "global a\na = await f(x)\nb = await g(y)"),
        ("attribute as target", "x.a = await f()\nb = await g(y)"),
        ("element as target", "x[0] = await f()\nb = await g(y)"),
        ("two targets", "a = c = await f(x)\nb = await g(y)"),
        ("starred target", "a, *c = await f(x)\nb = await g(y)"),
        ("await inside", "a = await f(await h())\nb = await g(y)"),
        ("assignment inside", "a = await f(c := 1)\nb = await g(y)"),
        ("async comprehension inside", "a = await f([c async for c in x])\nb = await g(y)"),
        ("sleep", "a = await f(x)\nawait asyncio.sleep(1)"),
        ("wait_for", "a = await asyncio.wait_for(f(), 1)\nb = await g(y)"),
        ("lock", "await x.acquire()\nb = await g(y)"),
        ("event", "await x.wait()\nb = await g(y)"),
        ("queue", "a = await x.queue.get()\nb = await y.get()"),
        ("drain", "await x.drain()\nb = await g(y)"),
        ("gather", "await asyncio.gather(f(x))\nb = await g(y)"),
        ("anext", "a = await anext(x)\nb = await g(y)"),
        ("database", "await x.execute('q')\nb = await y.execute('r')"),
        ("message", "await x.send_json(1)\nb = await g(y)"),
        ("change by its name", "await delete_user(x)\nb = await g(y)"),
        ("future", "a = await x.run_in_executor(None, f)\nb = await g(y)"),
        ("one line", "a = await f(x); b = await g(y)"),
        ("more on the line", "a = await f(x)\nb = await g(y); c = 1"),
        ("something before on the line", 'c = """\n"""; a = await f(x)\nb = await g(y)'),
        ("one-line block", "if x: a = await f(x)\nb = await g(y)"),
        ("comment that would be lost", "a = await (  # why\n    f(x))\nb = await g(y)"),
        ("type comment", "a = await f(x)  # type: int\nb = await g(y)"),
        ("hint of two lines", "a: (A |\n    B) = await f(x)\nb = await g(y)"),
        ("comment between", "a = await f(x)\n# only then the others\nb = await g(y)"),
        ("comment above", "# in this order, please\n# (see the manual)\na = await f(x)\nb = await g(y)"),
        ("comment behind", "a = await f(x)\nb = await g(y)  # no gather: rate"),
        ("numbered steps", "# 1. users\na = await f(x)\n# 2. posts\nb = await g(y)"),
        ("finally", "try:\n    pass\nfinally:\n    await f(x)\n    await g(y)"),
        ("held lock", "async with z.lock:\n    a = await f(x)\n    b = await g(y)"),
        ("transaction", "async with z.transaction():\n    a = await f(x)\n    b = await g(y)"),
        ("session", "async with Session() as s:\n    a = await f(x)\n    b = await g(y)"),
        ("timeout", "async with asyncio.timeout(1):\n    a = await f(x)\n    b = await g(y)"),
        ("expected error", "with pytest.raises(E):\n    a = await f(x)\n    b = await g(y)"),
        ("carried", "while x:\n    a = await f(y)\n    x = await g(x)"),
        ("carried further", "while True:\n    a = await f(x)\n    b = await g(y)\n    x = y + x\n    y = b"),
    ],
)
def test_left_alone(why: str, body: str) -> None:
    """What depends on its order, or cannot be shown not to, has no form."""
    header = "import asyncio\nimport hidden\nimport module\nfrom package import thing\n"
    code = header + text(body, "self, hidden, x, y, z")
    compile(code, why, "exec")
    assert [site.forms for site in scan(code) if site.forms] == []


def test_what_stands_round_awaits_is_told() -> None:
    """A refusal names what speaks against it."""
    handler = "a = 0\ntry:\n    a = await f(x)\n    b = await g(y)\nexcept ValueError:\n    return a"
    within = "async with z.transaction():\n    a = await f(x)\n    b = await g(y)"
    behind = "a = await f(x)\nb = await g(y)  # no gather: rate"
    bodies = (handler, within, behind, "a = await f(x); b = await g(y)")
    header = "import asyncio\nfrom package import thing\n"
    sites = [site for body in bodies for site in scan(header + text(body, "self, x, y, z"))]
    assert [(site.refusal, site.why) for site in sites] == [
        ("errors", "`a` is used where one of them has failed (line 5)"),
        ("limited", "they stand within `z.transaction()` (line 4), which is for one thing at a time"),
        ("order", "a comment speaks of their order (line 5)"),
        ("layout", "line 4 cannot be written otherwise as it stands"),
    ]


def test_tests_are_left_alone() -> None:
    """In a test the order is part of what is tested."""
    assert scan(EXAMPLE.replace("work", "test_work")) == []
    assert scan("def test():\n" + textwrap.indent(EXAMPLE, "    ")) == []


def test_sync_code_has_no_sites() -> None:
    """Neighbouring calls that are not awaited are nothing to overlap."""
    assert scan("def f():\n    a = g(1)\n    b = g(2)\n") == []


def test_other_text_cannot_be_written() -> None:
    """A site of another text, or a form that does not exist, is an error."""
    (site,) = scan(EXAMPLE)
    other = EXAMPLE.replace("load_user(number)", "load_user(name) or 1").encode()
    for data, form in ((other, "taskgroup"), (EXAMPLE.encode(), "thread")):
        written = rewrite(Order("m.py", data, (("id", (Rewrite("m.py", site, form),)),)), [RULE])
        assert written.new == data
        assert set(written.failed) == {"id"}


def test_failure_cancels_the_others() -> None:
    """In a task group the later call is cancelled and awaited, and the error arrives in a group."""
    code = text(
        """
        a = await fails(1)
        b = await waits(log)
        """,
        "log",
    )
    log: list[str] = []

    async def fails(_: int) -> None:
        raise KeyError(1)

    async def waits(log: list[str]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("ended")

    space: dict[str, Any] = {"fails": fails, "waits": waits}
    exec(compile(converted(code, "taskgroup"), "m.py", "exec"), space)
    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(space["work"](log))
    assert [type(error) for error in caught.value.exceptions] == [KeyError]
    assert log == ["ended"]
