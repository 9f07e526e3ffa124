"""A new text passes if it compiles and awaits what turned; the check raises no false alarm."""

from __future__ import annotations

import sys

import msgspec
import pytest

from asyncfix.check import Proof, check, check_bytes

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


def problems(old: str, new: str, turned: frozenset[str] = frozenset(), path: str = "pkg/m.py") -> tuple[str, ...]:
    proof = Proof(path, old.encode(), new.encode(), turned)
    found = check(proof)
    assert msgspec.msgpack.decode(check_bytes(msgspec.msgpack.encode(proof)), type=tuple[str, ...]) == found
    return found


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        ("def f(:\n", f"no valid Python {RUNNING}: syntax error, line 1: invalid syntax"),
        ("def f():\n    await g()\n", "line 2: 'await' outside async function"),
        ("x = lambda: await g()\n", "line 1: 'await' outside async function"),
        ("await g()\n", "line 1: 'await' outside function"),
        (
            "def f():\n    return [x async for x in y]\n",
            "line 2: asynchronous comprehension outside of an asynchronous function",
        ),
        ("async def f():\n    yield 1\n    return 2\n", "line 3: 'return' with value in async generator"),
        ("async def f():\n    yield from g()\n", "line 2: 'yield from' inside async function"),
        ("async def f():\n    return sum(await g(x) for x in y)\n", "line 2: an await in a generator expression"),
        ("async def f():\n    return sum(x async for x in y)\n", "line 2: an await in a generator expression"),
    ],
)
def test_text_that_is_wrong_by_itself(new: str, problem: str) -> None:
    """It does not parse, does not compile, or an await stands where it would not work."""
    assert problems("x = 1\n", new) == (problem,)


@pytest.mark.parametrize(
    "text",
    [
        "async def f():\n    return sum(x for x in await g())\n",
        "async def f():\n    return [await g(x) for x in y]\n",
        "async def f():\n    return await anext(await g(x) for x in y)\n",
        "async def f():\n    async for z in (await g(x) for x in y):\n        pass\n",
        "async def f():\n    return [x async for x in (await g(x) for x in y)]\n",
        "x = '\\d'\nasync def f():\n    async with g() as h:\n        return await h\n",
    ],
)
def test_awaits_that_may_stand(text: str) -> None:
    """The first iterable of a generator expression is worked out where it stands."""
    assert problems("x = 1\n", text) == ()


def test_comprehensions_in_comprehensions() -> None:
    """Before Python 3.11 the inner one cannot be asynchronous; the first iterable belongs to the one round it."""
    inner = b"async def f():\n    return [[await g(x) for x in y] for y in z]\n"
    outer = b"async def f():\n    return [[x for x in await g(y)] for y in z]\n"
    problem = ("line 2: an await in a comprehension in a comprehension",)
    assert check(Proof("m.py", b"", inner, target=(3, 10))) == problem
    assert check(Proof("m.py", b"", inner, target=(3, 11))) == ()
    assert check(Proof("m.py", inner, inner, target=(3, 10))) == ()
    assert check(Proof("m.py", b"", outer, target=(3, 10))) == ()
    steps = b"async def f():\n    return [[x async for x in y] for y in z]\n"
    assert check(Proof("m.py", b"", steps, target=(3, 10))) == problem
    assert check(Proof("m.py", b"", steps, target=(3, 11))) == ()


def test_what_was_there_before_is_no_problem() -> None:
    """A file that never compiled, an asynchronous generator expression that somebody wrote."""
    old = "async def f():\n    return h(await g(x) for x in y)\n"
    assert problems(old, old + "x = 1\n") == ()
    assert problems("return 1\n", "return 1\nx = 2\n") == ()


OLD = "def f(x):\n    return x\n\n\nclass A:\n    def m(self):\n        return 1\n\n    def n(self):\n        BODY\n"
NEW = OLD.replace("def", "async def")


@pytest.mark.parametrize(
    "call", ["f(1)", "self.m()", "g(f(1))", "[f(x) for x in y]", "(lambda: f(1))", "f(await f(1))"]
)
def test_a_call_of_what_turned_must_be_awaited(call: str) -> None:
    """By its name, and through `self` in the class that defines it."""
    name = "self.m" if "self" in call else "f"
    assert problems(OLD.replace("BODY", call), NEW.replace("BODY", call)) == (f"line 10: {name}() is not awaited",)


GENERATOR = "from a import g as h\ndef f(x):\n    yield x\n\n\ndef n():\n    "


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("async for x in f(1):\n        pass", ()),
        ("return [x async for x in f(1)], await anext(f(1))", ()),
        ("x = f(1)", ()),
        ("return f(1)", ()),
        ("x = h(1)", ()),
        ("return list(f(1))", ("line 7: f() is not awaited",)),
        ("for x in h(1):\n        pass", ("line 7: h() is not awaited",)),
    ],
)
def test_what_gives_step_by_step_is_gone_through(body: str, problem: tuple[str, ...]) -> None:
    """By loops, comprehensions and `anext`; it may be given a name first, and passed on."""
    old = (GENERATOR + "pass\n").encode()
    new = (GENERATOR.replace("def", "async def") + body + "\n").encode()
    names = frozenset({"pkg.m.f", "a.g"})
    assert check(Proof("pkg/m.py", old, new, names, generators=names)) == problem


@pytest.mark.parametrize(
    "body",
    [
        "return await f(1), await self.m()",
        "await f(await self.m())",
        "await asyncio.to_thread(other, f)",
        "other.m(), other.f(), A.m(other)",
        "f = other; f(1)",
        "return [f(1) for f in other]",
        "self = other; self.m()",
        "return (lambda f: f(1)), (lambda self: self.m())",
        "self.m = other; self.m()",
    ],
)
def test_calls_of_something_else(body: str) -> None:
    """A method of the same name on another object, a shadowed name, a function that is only handed on."""
    old = body.replace("await ", "")
    assert problems(OLD.replace("BODY", old), NEW.replace("BODY", body)) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("async def f(): pass\nx = h(f())\n", "async def f(): pass\nx = h(f())\n"),
        ("def f(): pass\nif x:\n    def f(): pass\nf()\n", "async def f(): pass\nif x:\n    def f(): pass\nf()\n"),
        ("def f(): pass\nf = wrap(f)\nf()\n", "async def f(): pass\nf = wrap(f)\nf()\n"),
        (
            "class A:\n    def m(self): pass\nclass B:\n    def m(self): pass\n    def n(self): self.m()\n",
            "class A:\n    async def m(self): pass\nclass B:\n    def m(self): pass\n    def n(self): self.m()\n",
        ),
        (
            "class A:\n    def m(self): pass\n    @staticmethod\n    def n(self): self.m()\n",
            "class A:\n    async def m(self): pass\n    @staticmethod\n    def n(self): self.m()\n",
        ),
    ],
)
def test_definitions_that_did_not_turn_for_certain(old: str, new: str) -> None:
    """Async before, defined twice, wrapped, the method of another class."""
    assert problems(old, new) == ()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from pkg.db import query", True),
        ("from pkg.db import query as query", True),
        ("from .db import query", True),
        ("from pkg.other import query", False),
        ("from .other import query", False),
        ("from ..db import query", False),
        ("from pkg.db import query\nquery = 1", False),
        ("query = 1", False),
    ],
)
def test_imported_functions_that_turned(line: str, found: bool) -> None:
    """They are known by the module they come from."""
    old = f"{line}\nasync def f():\n    query()\n"
    number = 1 + old.splitlines().index("    query()")
    expected = (f"line {number}: query() is not awaited",) if found else ()
    assert problems(old, old, frozenset({"pkg.db.query"})) == expected
    assert problems(old, old.replace("    query", "    await query"), frozenset({"pkg.db.query"})) == ()
