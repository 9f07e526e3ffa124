"""What a name is called in a file, where a new import line goes, and which imports are removed with their last use."""

from __future__ import annotations

import ast

import pytest

from asyncfix.edits import Conflict, merge
from asyncfix.imports import Added, additions, read_names
from asyncfix.model import Replace, Span
from asyncfix.source import Source
from asyncfix.unused import removals

HERE = "HERE()"


def applied(source: Source, edits: list[Replace]) -> str:
    merged = merge(edits)
    assert not isinstance(merged, Conflict)
    data = source.data
    for edit in reversed(merged):
        data = data[: edit.span.start] + edit.text.encode() + data[edit.span.end :]
    return data.decode()


def asked(text: str, dotted: str = "asyncio.to_thread") -> tuple[str, str]:
    """The name to write at HERE, and the file with the import that this takes."""
    source = Source("m.py", text.encode())
    at = text.encode().index(HERE.encode())
    written, added = read_names(source, source.parse()).find(dotted, Span(at, at + len(HERE)))
    return written, applied(source, [*additions(source, source.parse(), [added] if added else [])])


def added(text: str, *modules: str) -> str:
    source = Source("m.py", text.encode())
    return applied(source, [*additions(source, source.parse(), [Added(module) for module in modules])])


def generated(text: str, name: str = "fetch", module: str = "._asyncfix") -> tuple[str, str]:
    source = Source("m.py", text.encode())
    at = text.index(HERE)
    written, wanted = read_names(source, source.parse()).find_in(module, name, Span(at, at + len(HERE)))
    return written, applied(source, [*additions(source, source.parse(), [wanted] if wanted else [])])


def pruned(before: str, after: str, *kept: str) -> str:
    """The imports of ``before`` left when its code has become ``after``."""
    source = Source("m.py", before.encode())
    return applied(source, removals(source, source.parse(), ast.parse(after), kept, ()))


def without(imports: str, *uses: str, kept: tuple[str, ...] = ()) -> str:
    """What is left of some imports if these names are used before and not after."""
    code = "\n".join(["\n\ndef f():", "    pass", *(f"    {name}" for name in uses), ""])
    left = code
    for name in uses:
        left = left.replace(f"    {name}\n", "")
    result = pruned(imports + code, imports + left, *kept)
    assert result.endswith(code.lstrip("\n"))
    return result.removesuffix(code) if result.endswith(code) else result.removesuffix(code.lstrip("\n"))


# --------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ("import asyncio", "asyncio.to_thread"),
        ("import asyncio.subprocess", "asyncio.to_thread"),
        ("import asyncio as asyncio", "asyncio.to_thread"),
        ("import asyncio as aio", "aio.to_thread"),
        ("from asyncio import to_thread", "to_thread"),
        ("from asyncio import to_thread as tt", "tt"),
        ("from asyncio import sleep\nimport os; import asyncio", "asyncio.to_thread"),
        ("import asyncio\nif TYPE_CHECKING:\n    import asyncio", "asyncio.to_thread"),
        ("import asyncio\ndef other(asyncio): pass", "asyncio.to_thread"),
        ("import asyncio\nclass A:\n    asyncio = 1", "asyncio.to_thread"),
        ("import asyncio\nx = [asyncio for y in z]", "asyncio.to_thread"),
    ],
)
def test_what_is_imported_is_used(lines: str, name: str) -> None:
    """Under the name that it has here, and nothing is added."""
    text = f"{lines}\n\n\nasync def f():\n    {HERE}\n"
    assert asked(text) == (name, text)


@pytest.mark.parametrize(
    "lines",
    [
        "import asynciox",
        "from asyncio import sleep",
        "if TYPE_CHECKING:\n    import asyncio",
        "try:\n    import asyncio\nexcept ImportError:\n    pass",
        "def g():\n    import asyncio",
        "from .asyncio import to_thread",
        "from asyncio import to_thread\nto_thread = 1",
        "from asyncio import to_thread\nfrom x import to_thread",
        "import asyncio as aio\nfor aio in x: pass",
    ],
)
def test_what_is_not_surely_imported_is_asked_for(lines: str) -> None:
    """An import that may not run, that means something else or that is bound again does not count."""
    name, text = asked(f"{lines}\n\n\nasync def f():\n    {HERE}\n")
    assert name == "asyncio.to_thread"
    assert "import asyncio\n" in text.replace(lines, "")


@pytest.mark.parametrize(
    ("lines", "function"),
    [
        ("asyncio = 1", "async def f():\n    HERE()\n"),
        ("from x import asyncio", "async def f():\n    HERE()\n"),
        ("import asyncio\ntry:\n    pass\nexcept E as asyncio: pass", "async def f():\n    HERE()\n"),
        ("import os", "async def f(asyncio):\n    HERE()\n"),
        ("import os", "async def f():\n    HERE()\n    import asyncio\n"),
        ("import asyncio", "async def f():\n    for asyncio in x:\n        HERE()\n"),
        ("import asyncio", "async def f():\n    async def g():\n        HERE()\n    asyncio = 1\n"),
        ("import asyncio", "def g():\n    global asyncio\n    asyncio = 1\nasync def f():\n    HERE()\n"),
        ("import asyncio", "async def f():\n    HERE()\n    match x:\n        case [*asyncio]: pass\n"),
        ("import asyncio", "async def f():\n    HERE()\n    match x:\n        case {**asyncio}: pass\n"),
        ("import asyncio", "async def f():\n    HERE()\n    def asyncio(): pass\n"),
    ],
)
def test_a_name_with_another_meaning_is_avoided(lines: str, function: str) -> None:
    """Where `asyncio` means something else, the module comes under a name of its own."""
    name, text = asked(f"{lines}\n\n\n{function}")
    assert name == "_asyncio.to_thread"
    assert "import asyncio as _asyncio\n" in text


@pytest.mark.parametrize(
    "function",
    [
        "async def f():\n    import asyncio\n    HERE()\n",
        "async def f():\n    if x:\n        import asyncio\n        while y:\n            HERE()\n",
        "async def f():\n    import asyncio\n\n    async def g():\n        HERE()\n",
        "async def f():\n    try:\n        pass\n    finally:\n        import asyncio\n        HERE()\n",
    ],
)
def test_a_local_import_is_used_behind_it(function: str) -> None:
    """What an import has bound in the function is not imported once more."""
    assert asked(function) == ("asyncio.to_thread", function)


@pytest.mark.parametrize(
    "function",
    [
        "async def f():\n    HERE()\n    import asyncio\n",
        "async def f():\n    if x:\n        import asyncio\n    HERE()\n",
        "async def f():\n    import asyncio\n    asyncio = 1\n    HERE()\n",
        "async def f():\n    import asyncio\n\n    async def g():\n        HERE()\n        import asyncio\n",
        "async def f():\n    import asyncio\n\n    async def g(asyncio):\n        HERE()\n",
    ],
)
def test_a_local_import_that_may_not_have_run_is_not_used(function: str) -> None:
    """Nor one whose name means something else at the place."""
    assert asked(function)[0] == "_asyncio.to_thread"


def test_the_own_name_is_used_again_and_is_not_taken() -> None:
    """A later round finds it; where it is in use for something else, a number is added."""
    text = f"import asyncio as _asyncio\n\nasyncio = 1\nasync def f():\n    {HERE}\n"
    assert asked(text) == ("_asyncio.to_thread", text)
    assert asked(text.replace("import asyncio as", "import threading as"))[0] == "_asyncio2.to_thread"


@pytest.mark.parametrize(
    ("line", "dotted", "name", "result"),
    [
        ("import aiofiles", "aiofiles.os.stat", "aiofiles.os.stat", "import aiofiles\nimport aiofiles.os"),
        ("import aiofiles.os", "aiofiles.os.stat", "aiofiles.os.stat", "import aiofiles.os"),
        ("import aiofiles.os", "aiofiles.open", "aiofiles.open", "import aiofiles.os"),
        ("from aiofiles import os", "aiofiles.os.stat", "os.stat", "from aiofiles import os"),
        ("import aiofiles.os as aos", "aiofiles.os.stat", "aos.stat", "import aiofiles.os as aos"),
        ("aiofiles = 1", "aiofiles.os.stat", "_aiofiles_os.stat", "import aiofiles.os as _aiofiles_os\n\naiofiles = 1"),
        ("import asyncio", "asyncio", "asyncio", "import asyncio"),
    ],
)
def test_submodules(line: str, dotted: str, name: str, result: str) -> None:
    """A submodule counts as imported if it is imported by its full name or bound to one."""
    rest = f"\n\n\nasync def f():\n    {HERE}\n"
    assert asked(line + rest, dotted) == (name, result + rest)


# -------------------------------------------------------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\n", "import asyncio\nimport os\n"),
        ("import abc\n", "import abc\nimport asyncio\n"),
        ("import abc\nimport os\n", "import abc\nimport asyncio\nimport os\n"),
        ("import abc  # a\n# about os\nimport os\n", "import abc  # a\nimport asyncio\n# about os\nimport os\n"),
        ("# about os\nimport os\n", "# about os\nimport asyncio\nimport os\n"),
        ("from abc import ABC\n", "import asyncio\nfrom abc import ABC\n"),
        ("import abc\nfrom abc import ABC\n", "import abc\nimport asyncio\nfrom abc import ABC\n"),
        ("import os; import sys\n", "import asyncio\nimport os; import sys\n"),
        ("import abc; import sys\n", "import abc; import sys\nimport asyncio\n"),
        ("import abc; x = '''\n'''\n", "import abc; x = '''\n'''\nimport asyncio\n"),
        ("import abc \\\n\n\nx = 1\n", "import abc \\\n\nimport asyncio\n\nx = 1\n"),
        ("import requests\n", "import asyncio\n\nimport requests\n"),
        ("import os\n\nimport requests\n", "import asyncio\nimport os\n\nimport requests\n"),
        ("import requests\nimport os\n", "import requests\nimport asyncio\nimport os\n"),
        ("import os\r\nx = 1\r\n", "import asyncio\nimport os\r\nx = 1\r\n"),
        ("\ufeffimport os\n", "\ufeffimport asyncio\nimport os\n"),
        ("import abc", "import abc\nimport asyncio\n"),
        ("def f(): pass\nimport os\n", "import asyncio\n\n\ndef f(): pass\nimport os\n"),
        ("from . import x\n", "import asyncio\n\nfrom . import x\n"),
    ],
)
def test_a_module_of_the_standard_library(before: str, after: str) -> None:
    """It stands in the first block of its kind where the alphabet has it; comments stay with their imports."""
    assert added(before, "asyncio") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\n\nimport attrs\n", "import os\n\nimport attrs\nimport httpx\n"),
        ("import os\n\n\nx = 1\n", "import os\n\nimport httpx\n\n\nx = 1\n"),
        ("import os\nx = 1\n", "import os\n\nimport httpx\n\nx = 1\n"),
        ("import os\n\nfrom . import x\n", "import os\n\nimport httpx\n\nfrom . import x\n"),
        ("from . import x\n", "import httpx\n\nfrom . import x\n"),
    ],
)
def test_a_module_from_elsewhere(before: str, after: str) -> None:
    """It stands behind the standard library and before what is the package's own."""
    assert added(before, "httpx") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\n", "import asyncio\n\nx = 1\n"),
        ("@a\ndef f(): pass\n", "import asyncio\n\n\n@a\ndef f(): pass\n"),
        ('"""Doc."""\n\n\ndef f(): pass\n', '"""Doc."""\n\nimport asyncio\n\n\ndef f(): pass\n'),
        ('"""Doc."""\nx = 1\n', '"""Doc."""\n\nimport asyncio\n\nx = 1\n'),
        ('"""Doc."""; x = 1\n', '"""Doc."""; x = 1\n\nimport asyncio\n'),
        ('"""Doc."""', '"""Doc."""\n\nimport asyncio\n'),
        (
            "'''D'''\nfrom __future__ import annotations\n\nx = 1\n",
            "'''D'''\nfrom __future__ import annotations\n\nimport asyncio\n\nx = 1\n",
        ),
        (
            "from __future__ import annotations\nimport os\n",
            "from __future__ import annotations\nimport asyncio\nimport os\n",
        ),
        (
            "#!/usr/bin/env python\n# coding: utf-8\nx = 1\n",
            "#!/usr/bin/env python\n# coding: utf-8\nimport asyncio\n\nx = 1\n",
        ),
        ("# Licence.\n\n# About x.\nx = 1\n", "# Licence.\n\nimport asyncio\n\n# About x.\nx = 1\n"),
        ("\x0c\ndef f(): pass\n", "\x0c\nimport asyncio\n\n\ndef f(): pass\n"),
        ("\nif x:\n\timport os\n", "\nimport asyncio\n\nif x:\n\timport os\n"),
    ],
)
def test_a_file_without_imports(before: str, after: str) -> None:
    """The import stands below comments, docstring and `__future__`, with blank lines round it."""
    assert added(before, "asyncio") == after


def test_several_imports_at_one_place() -> None:
    """They come in their order, kinds parted by a blank line."""
    assert added("x = 1\n", "httpx", "asyncio", "contextlib") == (
        "import asyncio\nimport contextlib\n\nimport httpx\n\nx = 1\n"
    )
    assert added("import os\nx = 1\n", "httpx", "ssl") == "import os\nimport ssl\n\nimport httpx\n\nx = 1\n"
    assert added("import os\n", "asyncio", "json") == "import asyncio\nimport json\nimport os\n"


def test_a_block_of_both_kinds_is_not_parted() -> None:
    """Each import comes beside those of its kind."""
    before = "import os\nimport yaml\nimport json as j\n"
    assert (
        added(before, "asyncio", "aiofiles")
        == "import asyncio\nimport os\nimport aiofiles\nimport yaml\nimport json as j\n"
    )
    assert (
        added("import os\nimport yaml\n", "aiofiles", "ssl") == "import os\nimport ssl\nimport aiofiles\nimport yaml\n"
    )
    assert (
        added("import os\nfrom yaml import load\n", "aiofiles") == "import os\nimport aiofiles\nfrom yaml import load\n"
    )


@pytest.mark.parametrize(
    ("before", "name", "after"),
    [
        ("import os\n", "fetch", "import os\n\nfrom ._asyncfix import fetch\n"),
        ("import os\n\nfrom . import b\n", "fetch", "import os\n\nfrom . import b\nfrom ._asyncfix import fetch\n"),
        ("from ._asyncfix import a\n", "fetch", "from ._asyncfix import a, fetch\n"),
        ("from ._asyncfix import z  # z\n", "fetch", "from ._asyncfix import fetch, z  # z\n"),
        ("from ._asyncfix import (\n    a,  # a\n)\n", "fetch", "from ._asyncfix import (\n    a, fetch,  # a\n)\n"),
        ("from ._asyncfix import fetch\n", "fetch", "from ._asyncfix import fetch\n"),
        ("from ._asyncfix import fetch as get\n", "get", "from ._asyncfix import fetch as get\n"),
        ("fetch = 1\n", "_fetch", "from ._asyncfix import fetch as _fetch\n\nfetch = 1\n"),
    ],
)
def test_generated_names(before: str, name: str, after: str) -> None:
    """A name of the generated module is imported by itself; an import that is there is extended."""
    rest = f"\n\nasync def f():\n    {HERE}\n"
    assert generated(before + rest) == (name, after + rest)


def test_generated_names_outside_packages() -> None:
    """The generated module may be absolute."""
    text = f"from pkg._asyncfix import a\n\nasync def f():\n    {HERE}\n"
    assert generated(text, module="pkg._asyncfix")[1] == text.replace("import a", "import a, fetch")


def test_several_generated_names() -> None:
    """One line for all of them."""
    source = Source("m.py", b"import os\n")
    wanted = [Added("._asyncfix", name) for name in ("b", "a", "b")]
    assert applied(source, [*additions(source, source.parse(), wanted)]) == "import os\n\nfrom ._asyncfix import a, b\n"
    source = Source("m.py", b"from ._asyncfix import m\n")
    wanted = [Added("._asyncfix", name) for name in ("z", "b", "a", "y")]
    assert applied(source, [*additions(source, source.parse(), wanted)]) == "from ._asyncfix import a, b, m, y, z\n"


# -------------------------------------------------------------------------------------------------------------- unused


@pytest.mark.parametrize(
    ("before", "names", "after"),
    [
        ("import time\nimport os\n", "time", "import os\n"),
        ("import os\nimport time  # for sleep\n", "time", "import os\n"),
        ("import time\n", "time", ""),
        ("import time as t\n", "t", ""),
        ("import os, time\n", "time", "import os\n"),
        ("import time, os as o, json\n", "time json", "import os as o\n"),
        ("import os; import time\n", "time", "import os\n"),
        ("import time; import os\n", "time", "import os\n"),
        ("import time; import os\n", "time os", ""),
        ("import os.path\n", "os", ""),
        ("from time import sleep, time\n", "sleep", "from time import time\n"),
        ("from time import sleep as s, time\n", "s", "from time import time\n"),
        ("from time import (sleep, time,)\n", "time", "from time import (sleep,)\n"),
        ("from time import \\\n    sleep, \\\n    time\n", "sleep time", ""),
        (
            "from t import (\n    a,  # one\n    b,  # two\n    c,\n)\n",
            "b",
            "from t import (\n    a,  # one\n    c,\n)\n",
        ),
        ("from t import (\n    a,  # one\n    b  # two\n)\n", "b", "from t import (\n    a,  # one\n)\n"),
        ("from t import (\n    a, b,  # two\n    c\n)\n", "b", "from t import (\n    a,  # two\n    c\n)\n"),
        ("from t import (\n    a, b, c,\n    d, e)\n", "a b d e", "from t import (\n    c,\n    )\n"),
        ("from t import (a,  # one\n    b)\n", "b", "from t import (a,  # one\n)\n"),
        ("import os\n\nimport time\n\nimport json\n", "time", "import os\n\nimport json\n"),
        ("# About time.\nimport time\nimport os\n", "time", "# About time.\nimport os\n"),
        ("import time\r\nimport os\r\n", "time", "import os\r\n"),
    ],
)
def test_an_unused_import_is_removed(before: str, names: str, after: str) -> None:
    """The line, or its part, with its own comment; those of others stay."""
    assert without(before, *names.split()) == after


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ("try:\n    import time\nexcept ImportError:\n    pass\n", "time"),
        ("if True:\n    import time\n", "time"),
        ("import time as time\n", "time"),
        ("from __future__ import annotations\n", "annotations"),
        ("from time import *\n", "sleep"),
        ("import time\n__all__ = ['time']\n", "time"),
        ("import time\n__all__ = []\n__all__ += ['time']\n", "time"),
        ("import time\n__all__ = []\n__all__.append('time')\n", "time"),
        ("import time\nx: 'time.struct_time'\n", "time"),
        ("import time\ndef g(x: 'list[time.struct_time]') -> None: pass\n", "time"),
        ("import time\ndef g() -> 'time.struct_time': pass\n", "time"),
        ("import time\nx = cast('time.struct_time', 1)\n", "time"),
        ("import time\ndel time\n", "time"),
    ],
)
def test_an_import_with_another_purpose_stays(lines: str, name: str) -> None:
    """Optional imports, re-exports, annotations as strings."""
    assert without(lines, name) == lines


def test_names_that_others_use_stay() -> None:
    """The caller knows of other files."""
    assert without("import time\nimport os\n", "time", "os", kept=("time",)) == "import time\n"


def test_what_was_never_used_is_not_touched() -> None:
    """An import without a use may be there for its effects."""
    assert pruned("import time\nimport os\nos\n", "import time\nimport os\n") == "import time\nos\n"


def test_a_string_that_is_no_annotation_is_no_use() -> None:
    """The word `time` in a dictionary says nothing of the module."""
    assert pruned("import time\nx = {'time': time}\n", "import time\nx = {'time': 1}\n") == "x = {'time': time}\n"


def test_imports_in_functions() -> None:
    """They go too, but for one that is all there is."""
    before = (
        "def f():\n    import time\n\n    return time\n\n\ndef g(): import time; time\n\n\ndef h():\n    import time\n"
    )
    after = "def f():\n    import time\n\n    return\n\n\ndef g(): import time; 1\n\n\ndef h():\n    import time\n"
    assert pruned(before, after) == "def f():\n    return time\n\n\ndef g(): time\n\n\ndef h():\n    import time\n"
