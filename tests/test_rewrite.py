"""Decisions given by hand become exactly the text that a person would write, and no other byte changes."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import msgspec
import pytest

from asyncfix.model import Api, Edit, Replace, Rewrite, Site, Span, Turn, Use, Writable
from asyncfix.registry import rules
from asyncfix.rewrite import Order, Written, rewrite, rewrite_bytes
from asyncfix.source import Source
from asyncfix.transform import Look, Transform, Writing

LONG = "subprocess.run(command, capture_output=True, text=True, check=False)"


def span_of(data: bytes, text: str, nth: int = 0) -> Span:
    """The span of the nth occurrence of a text."""
    wanted = text.encode(Source("m.py", data).encoding)
    start = -1
    for _ in range(nth + 1):
        start = data.index(wanted, start + 1)
    return Span(start, start + len(wanted))


def is_tight(data: bytes, span: Span) -> bool:
    return data[span.end : span.end + 1] in (b".", b"[", b"(")


def thread(data: bytes, call: str, nth: int = 0) -> Use:
    span = span_of(data, call, nth)
    return Use("m.py", span, "thread", is_tight(data, span))


def awaited(data: bytes, call: str, nth: int = 0) -> Use:
    span = span_of(data, call, nth)
    return Use("m.py", span, "call", is_tight(data, span))


def sleep(data: bytes, call: str, nth: int = 0) -> Rewrite:
    span = span_of(data, call, nth)
    return Rewrite("m.py", Site("blocking-sleep", "time.sleep", span, span, "m.f", (), is_tight(data, span)), "native")


def turn(data: bytes, function: str) -> Turn:
    start = span_of(data, f"def {function}(").start
    return Turn("m.py", Span(start, start + 3), f"m.{function}")


def written(data: bytes, *changes: Sequence[Writable], **options: object) -> Written:
    named = tuple((f"c{number}", tuple(decisions)) for number, decisions in enumerate(changes))
    order = msgspec.structs.replace(Order("m.py", data, named), **options)
    result = rewrite(order, rules())
    assert msgspec.msgpack.decode(rewrite_bytes(msgspec.msgpack.encode(order)), type=Written) == result
    return result


def new(data: bytes, *decisions: Writable, **options: object) -> bytes:
    result = written(data, decisions, **options)
    assert not result.failed and not result.waiting
    return result.new


class Writer(Transform):
    """A rule of which only what it writes is wanted."""

    def claims(self, api: Api) -> bool:
        return False

    def examine(self, look: Look) -> Site:
        return look.refused(self, "no", "no")


@pytest.mark.parametrize(
    ("call", "before", "after"),
    [
        ("f(x)", "return f(x)", "return await asyncio.to_thread(f, x)"),
        ("f(x)", "return f(x).y", "return (await asyncio.to_thread(f, x)).y"),
        ("f(x)", "return f(x)[0]", "return (await asyncio.to_thread(f, x))[0]"),
        ("f(x)", "return f(x)(1)", "return (await asyncio.to_thread(f, x))(1)"),
        ("f(x)", "return 2 ** f(x)", "return 2 ** await asyncio.to_thread(f, x)"),
        ("f(x)", "return -f(x) ** 2", "return -await asyncio.to_thread(f, x) ** 2"),
        ("f(x)", "return not f(x)", "return not await asyncio.to_thread(f, x)"),
        ("f(x)", "return [*f(x)]", "return [*await asyncio.to_thread(f, x)]"),
        ("f(x)", "return(f(x))", "return(await asyncio.to_thread(f, x))"),
        ("f()", "return f()", "return await asyncio.to_thread(f)"),
        ("f( x )", "return f( x )", "return await asyncio.to_thread(f, x )"),
        ("f (x)", "return f (x)", "return await asyncio.to_thread(f, x)"),
        ("f(*a, **k)", "f(*a, **k)", "await asyncio.to_thread(f, *a, **k)"),
        ("f(x, k=1,)", "f(x, k=1,)", "await asyncio.to_thread(f, x, k=1,)"),
        ("f(i for i in x)", "f(i for i in x)", "await asyncio.to_thread(f, (i for i in x))"),
        ("f((i for i in x))", "f((i for i in x))", "await asyncio.to_thread(f, (i for i in x))"),
        ("f(y := x)", "f(y := x)", "await asyncio.to_thread(f, y := x)"),
        ("(f)(x)", "(f)(x)", "await asyncio.to_thread((f), x)"),
        ("(f or g)(x)", "return(f or g)(x)", "return await asyncio.to_thread((f or g), x)"),
        ('"".join(x)', 'return"".join(x)', 'return await asyncio.to_thread("".join, x)'),
        ("a.b[0].c(x)", "y = a.b[0].c(x)", "y = await asyncio.to_thread(a.b[0].c, x)"),
        ("f(x)", 'return f"{f(x)!r:>9}"', 'return f"{await asyncio.to_thread(f, x)!r:>9}"'),
        ("f(x)", "if (y := f(x)): pass", "if (y := await asyncio.to_thread(f, x)): pass"),
        ("f(x)", "a = 1; f(x); b = 2", "a = 1; await asyncio.to_thread(f, x); b = 2"),
        ("f(x)", "return g(lambda: 0, f(x))", "return g(lambda: 0, await asyncio.to_thread(f, x))"),
        ("f(x)", "yield f(x)", "yield await asyncio.to_thread(f, x)"),
        ("f(x)", "return [f(x) for x in y]", "return [await asyncio.to_thread(f, x) for x in y]"),
    ],
)
def test_a_call_is_handed_to_a_thread(call: str, before: str, after: str) -> None:
    """Precedence is kept with parentheses where they are needed and nowhere else."""
    data = f"import asyncio\n\n\nasync def h():\n    {before}\n".encode()
    start = data.index(before.encode()) + (before.index("{f(x)") + 1 if "{f(x)" in before else before.index(call))
    span = Span(start, start + len(call))
    result = new(data, Use("m.py", span, "thread", is_tight(data, span)))
    assert result.decode() == f"import asyncio\n\n\nasync def h():\n    {after}\n"


@pytest.mark.parametrize(
    ("call", "before", "after"),
    [
        (
            "f(\n        x,  # one\n        y,\n    )",
            "f(\n        x,  # one\n        y,\n    )",
            "await asyncio.to_thread(\n        f,\n        x,  # one\n        y,\n    )",
        ),
        (
            "f(  # why\n        x)",
            "f(  # why\n        x)",
            "await asyncio.to_thread(\n        f,  # why\n        x)",
        ),
        ("f(x,\n      y)", "f(x,\n      y)", f"await asyncio.to_thread(f, x,\n{' ' * 28}y)"),
        ("f(x,\n   y)", "f(x,\n   y)", "await asyncio.to_thread(f, x,\n   y)"),
        ("f(\n    )", "f(\n    )", "await asyncio.to_thread(f\n    )"),
        ("f(x)", "y = \\\n        f(x)", "y = \\\n        await asyncio.to_thread(f, x)"),
        ("(a\n     .b(x)\n     .c())", "", ""),
    ],
)
def test_a_call_over_several_lines(call: str, before: str, after: str) -> None:
    """Lines, comments and continuations stay as they are, and aligned if they were."""
    if not before:
        before, call = "y = (a\n     .b(x)\n     .c())", "a\n     .b(x)\n     .c()"
        after = "y = (await asyncio.to_thread(a\n     .b(x)\n     .c))"
    data = f"import asyncio\n\n\nasync def h():\n    {before}\n    return  # end\n".encode()
    assert new(data, thread(data, call)).decode() == (
        f"import asyncio\n\n\nasync def h():\n    {after}\n    return  # end\n"
    )


def test_nested_calls_of_two_changes() -> None:
    """A site inside the argument of another one is written inside it."""
    data = b"import asyncio\n\n\nasync def h():\n    return f(g(1).text, k=g(2))\n"
    inner = thread(data, "g(1)")
    result = written(data, [thread(data, "f(g(1).text, k=g(2))")], [inner], [awaited(data, "g(2)"), inner])
    assert not result.waiting
    assert result.new == (
        b"import asyncio\n\n\nasync def h():\n"
        b"    return await asyncio.to_thread(f, (await asyncio.to_thread(g, 1)).text, k=await g(2))\n"
    )


def test_a_call_of_what_another_call_gives() -> None:
    """The inner one is awaited first, then the outer one is handed to a thread."""
    data = b"import asyncio\n\n\nasync def h():\n    return f(1)(2)\n"
    result = written(data, [thread(data, "f(1)")], [thread(data, "f(1)(2)")])
    assert result.new.endswith(b"    return await asyncio.to_thread((await asyncio.to_thread(f, 1)), 2)\n")


def test_a_function_turns_below_its_decorators() -> None:
    """`async` stands before `def`, also where a second Change says the same."""
    data = b"@a\n@b(\n    1\n)\ndef f(x):  # note\n\tg(x)\n\n\ndef g(x): pass\n"
    result = written(data, [turn(data, "f"), awaited(data, "g(x)")], [turn(data, "f"), turn(data, "g")])
    assert result.new == b"@a\n@b(\n    1\n)\nasync def f(x):  # note\n\tawait g(x)\n\n\nasync def g(x): pass\n"
    assert not result.waiting


def test_a_function_at_the_top_turns_and_an_import_comes_above_it() -> None:
    """The import line and `async` are inserted at the same point."""
    data = b"def f():\n    g()\n"
    assert new(data, turn(data, "f"), thread(data, "g()")) == (
        b"import asyncio\n\n\nasync def f():\n    await asyncio.to_thread(g)\n"
    )


@pytest.mark.parametrize(
    ("encoding", "end"),
    [
        ("utf-8", "\n"),
        ("utf-8", "\r\n"),
        ("utf-8", "\r"),
        ("utf-8-sig", "\n"),
        ("utf-8-sig", "\r\n"),
        ("latin-1", "\n"),
        ("cp1252", "\r\n"),
        ("shift-jis", "\n"),
    ],
)
def test_encodings_and_line_ends_are_kept(encoding: str, end: str) -> None:
    """Offsets are right behind a BOM and behind characters of several bytes, and new lines end as the others do."""
    word = "é" if encoding != "shift-jis" else "表"
    cookie = encoding.removesuffix("-sig")
    body = f'\tf("{word}"); time.sleep(1) # {word}'
    lines = (f"# coding: {cookie}", "import time", "", "", "async def h():", body, "")
    data = end.join(lines).encode(encoding)
    done = f'\tawait asyncio.to_thread(f, "{word}"); await asyncio.sleep(1) # {word}'
    expected = end.join((lines[0], "import asyncio", *lines[2:5], done, ""))
    assert new(data, thread(data, f'f("{word}")'), sleep(data, "time.sleep(1)")) == expected.encode(encoding)


def test_form_feeds_and_tabs_are_kept() -> None:
    """A form feed before a function or a statement moves nothing."""
    data = b"import asyncio\n\x0c\nasync def h():\n\tif x:\n\t\tf(x)\n\x0cy = 1\n\x0casync def i():\n\tf(x)\n"
    one, two = thread(data, "f(x)"), thread(data, "f(x)", 1)
    assert new(data, one, two) == data.replace(b"f(x)", b"await asyncio.to_thread(f, x)")


def test_only_named_spans_change() -> None:
    """What no edit names is kept byte for byte, also what LibCST would not give back."""
    odd = b"try:\n    x = 1 ;\nexcept OSError :\n    pass\n\n\n"
    data = b"import asyncio\n" + odd + b"async def h(): return f( 1 )  \n   \n"
    assert new(data, thread(data, "f( 1 )")) == (
        b"import asyncio\n" + odd + b"async def h(): return await asyncio.to_thread(f, 1 )  \n   \n"
    )


def test_a_statement_that_libcst_changes_is_an_internal_error() -> None:
    """The Change is left out and its author named; the other Changes of the file are written."""
    odd = b"async def h():\n    try:\n        f(1)\n    except OSError :\n        pass\n"
    data = b"import asyncio\n\n\n" + odd + b"\n\nasync def i():\n    f(2)\n"
    result = written(data, [thread(data, "f(1)")], [thread(data, "f(2)")])
    if result.failed:  # a LibCST that gives it back is welcome
        assert result.failed == {"c0": "use thread: LibCST does not give the statement back as it is"}
        assert result.new == data.replace(b"f(2)", b"await asyncio.to_thread(f, 2)")
    else:
        assert b"to_thread(f, 1)" in result.new


def test_what_is_not_there_cannot_be_written() -> None:
    """A span that names no call, a use or a form that nobody knows, a `def` that is none."""
    data = b"async def h():\n    f(x)\n"
    place = span_of(data, "f(x)")
    result = written(
        data,
        [Use("m.py", Span(place.start, place.end - 1), "call")],
        [Use("m.py", place, "dance")],
        [Rewrite("m.py", Site("blocking-sleep", "time.sleep", place, place, "m.h", ()), "thread")],
        [Rewrite("m.py", Site("no-such-rule", "time.sleep", place, place, "m.h", ()), "thread")],
        [Turn("m.py", span_of(data, "asy"), "m.h")],
        [awaited(data, "f(x)")],
    )
    assert result.failed == {
        "c0": "use call: the text is not what was surveyed",
        "c1": "use dance: nothing knows how to write the use 'dance'",
        "c2": "blocking-sleep: no form thread",
        "c3": "no-such-rule: there is no such rule",
        "c4": "turn m.h: no `def` stands where a function was to turn async",
    }
    assert result.changes == ("c0", "c1", "c2", "c3", "c4", "c5")
    assert result.new == b"async def h():\n    await f(x)\n"


def test_the_earlier_of_two_changes_that_conflict_wins() -> None:
    """One that does not fit waits, and takes none of the others with it."""
    lines = b"".join(b"    f(%d)\n" % number for number in range(10))
    data = b"import asyncio\n\n\nasync def h():\n" + lines
    changes: list[list[Writable]] = [[thread(data, f"f({number})")] for number in range(10)]
    changes.insert(3, [sleep(data, "f(1)"), awaited(data, "f(9)")])
    changes.insert(8, [sleep(data, "f(8)")])
    result = written(data, *changes)
    assert result.waiting == {"c3", "c10"}
    assert result.new.count(b"to_thread") == 9
    assert b"    await asyncio.sleep(8)\n" in result.new


def test_edits_that_overlap_make_the_later_change_wait() -> None:
    """Also where the two speak of different calls."""

    class Cutting(Writer):
        name = "cutting"

        def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
            return [Replace(site.span, form)]

    data = b"async def h():\n    f(a(1), b(2))\n"
    calls = ("a(1)", "f(a(1), b(2))", "b(2)")
    places = [span_of(data, call) for call in calls]
    changes = tuple(
        (f"c{number}", (Rewrite("m.py", Site("cutting", "f", place, place, "m.h", ()), "x" * number),))
        for number, place in enumerate(places, 1)
    )
    result = rewrite(Order("m.py", data, changes), [Cutting()])
    assert result.waiting == {"c2"}
    assert result.new == b"async def h():\n    f(x, xxx)\n"


def test_nothing_is_decided_inside_what_another_change_takes_as_a_whole() -> None:
    """A block that moves into a thread, and an await that another Change would put into it, or has put there."""
    data = b"import asyncio\n\n\nasync def h():\n    with open(p) as f:\n        x = g(f)\n    return x\n"
    block, call = span_of(data, "with open(p) as f:\n        x = g(f)"), span_of(data, "open(p)")
    moved = Rewrite("m.py", Site("blocking-open", "builtins.open", block, call, "m.h", ()), "thread")
    for changes in ([moved], [awaited(data, "g(f)")]), ([awaited(data, "g(f)")], [moved]):
        result = written(data, *changes)
        assert result.waiting == {"c1"}
        assert (b"await g(f)" in result.new) is (changes[0][0] is not moved)


def test_generated_names_are_asked_for_and_imported() -> None:
    """A rule's request of generated code gives an import, relative or absolute, and the name to the caller."""

    class Asking(Writer):
        name = "asking"

        def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
            helper = writing.generated("fetch")
            return [Replace(site.span, f"await {helper}()")]

    data = b"import os\n\n\nasync def h():\n    f(os)\n    f(os)\n"
    places = [span_of(data, "f(os)", number) for number in range(2)]
    decisions = tuple(Rewrite("m.py", Site("asking", "f", place, place, "m.h", ()), "native") for place in places)
    result = rewrite(Order("m.py", data, (("c", decisions),), "._asyncfix"), [Asking()])
    assert result.generated == ("fetch",)
    assert result.new == b"from ._asyncfix import fetch\n\n\nasync def h():\n    await fetch()\n    await fetch()\n"


def test_an_import_that_nobody_needs_any_more_goes_with_the_last_use() -> None:
    """Not while one use is left, nor if the caller says that the name is wanted elsewhere."""
    data = b"import time\n\n\nasync def h():\n    time.sleep(1)\n    time.sleep(2)\n"
    one, two = sleep(data, "time.sleep(1)"), sleep(data, "time.sleep(2)")
    assert new(data, one) == data.replace(b"import time\n", b"import asyncio\nimport time\n").replace(
        b"time.sleep(1)", b"await asyncio.sleep(1)"
    )
    done = data.replace(b"time.sleep", b"await asyncio.sleep")
    assert new(data, one, two) == done.replace(b"import time\n", b"import asyncio\n")
    kept = frozenset({"time"})
    assert new(data, one, two, kept_names=kept) == done.replace(b"import time\n", b"import asyncio\nimport time\n")


# -------------------------------------------------------------------------------------------------------------- black


def test_black_formats_an_edited_statement_that_grew_too_long() -> None:
    """The statement alone, at its indentation; quotes are the author's."""
    data = f"import asyncio\n\n\nclass A:\n    async def h(self):\n        x  =  'a'\n        done = {LONG}\n".encode()
    assert new(data, thread(data, LONG), black=88).decode() == (
        "import asyncio\n\n\nclass A:\n    async def h(self):\n        x  =  'a'\n"
        "        done = await asyncio.to_thread(\n"
        "            subprocess.run, command, capture_output=True, text=True, check=False\n"
        "        )\n"
    )


@pytest.mark.parametrize(
    ("statement", "after"),
    [
        ("f(a,b)", "await asyncio.to_thread(f, a, b)"),
        ("f(  # why\n        a,b)", "await asyncio.to_thread(\n        f,  # why\n        a,b)"),
        ("f(a,b)  # why", "await asyncio.to_thread(f, a, b)  # why"),
        ('f("""a\nb""",  c)', 'await asyncio.to_thread(f, """a\nb""",  c)'),
        ("if  f(a,b): pass", "if  await asyncio.to_thread(f, a,b): pass"),
        ("x  = 'a'; f(a,b)", "x  = 'a'; await asyncio.to_thread(f, a, b)"),
    ],
)
def test_black_formats_nothing_but_plain_edited_statements(statement: str, after: str) -> None:
    """Comments, strings of several lines, bodies behind a colon and neighbours stay as they were written."""
    data = f"import asyncio\n\n\nasync def h():\n    {statement}\n".encode()
    call = next(node for node in ast.walk(ast.parse(data)) if isinstance(node, ast.Call))
    use = Use("m.py", Source("m.py", data).span(call), "thread")
    assert new(data, use, black=88).decode() == f"import asyncio\n\n\nasync def h():\n    {after}\n"


def test_black_keeps_line_ends() -> None:
    """New lines in a file of CRLF lines end as the others do."""
    data = f"import asyncio\r\n\r\n\r\nasync def h():\r\n    done = {LONG}\r\n".encode()
    assert new(data, thread(data, LONG), black=60) == (
        b"import asyncio\r\n\r\n\r\nasync def h():\r\n    done = await asyncio.to_thread(\r\n"
        b"        subprocess.run,\r\n        command,\r\n        capture_output=True,\r\n        text=True,\r\n"
        b"        check=False,\r\n    )\r\n"
    )
