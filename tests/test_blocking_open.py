"""The rule `blocking-open`: what it writes does what the original did, and what it refuses."""

from __future__ import annotations

import ast
import asyncio
import random
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncfix.model import Api, Declared, Rewrite, Site, Strategy
from asyncfix.registry import rule_for, rules
from asyncfix.rewrite import Order, rewrite
from asyncfix.source import Source
from asyncfix.transform import Look, Tree

IMPORTS = "import asyncio\n\nimport aiofiles\n\n"


def sites(data: bytes) -> Iterator[Site]:
    """What the rule says to each call of `open` and `Path.open`, outermost first."""
    source = Source("m.py", data)
    tree = Tree(source, source.parse())
    for node in ast.walk(tree.module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "open",
            "io.open",
            "path.open",
            "(folder / 'a').open",
        ):
            api = Api("builtins.open" if isinstance(node.func, ast.Name) else "pathlib.Path.open", flow="file")
            rule = rule_for(api, rules())
            assert rule is not None
            assert rule.name == "blocking-open"
            yield rule.examine(Look(tree, node, api, ""))


def converted(text: str | bytes, form: str = "thread") -> str:
    """The text with every site written, sites within others left to them."""
    data = text if isinstance(text, bytes) else (IMPORTS + text).encode()
    chosen: list[Site] = []
    for site in sites(data):
        assert form in [each.name for each in site.forms], f"{site.refusal}: {site.why}"
        if not any(other.span.contains(site.span) and other.span != site.span for other in chosen):
            chosen.append(site)
    written = rewrite(Order("m.py", data, (("id", tuple(Rewrite("m.py", site, form) for site in chosen)),)), rules())
    assert not written.failed
    return written.new.decode(Source("m.py", data).encoding).removeprefix(IMPORTS)


def function(body: str, parameters: str = "folder, log") -> str:
    """An async function with this body."""
    return f"async def work({parameters}):\n{textwrap.indent(textwrap.dedent(body).strip(chr(10)), '    ')}\n"


def outcome(text: str, folder: Path) -> object:
    """What the function does: its result or exception, what it logged, and the files it leaves."""
    folder.mkdir()
    (folder / "a").write_text("1\n2\n3\n")
    (folder / "empty").write_text("")
    (folder / "json").write_text('{"k": [1, 2]}')
    space: dict[str, Any] = {}
    exec(compile(IMPORTS + "import csv, json\n" + text, "work", "exec"), space)
    log: list[object] = []
    try:
        result: object = asyncio.run(asyncio.wait_for(space["work"](folder, log), 20))
    except Exception as error:
        kind = "UnboundLocalError" if isinstance(error, NameError) else type(error).__name__
        result = kind, str(error) if kind != "UnboundLocalError" else ""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return str((result, log, files, space.get("STATE"))).replace(str(folder), "FOLDER")


SAME = {
    "last name": """
        with open(folder / "json") as f:
            data = json.load(f)
        return data
    """,
    "several names": """
        with open(folder / "a") as f:
            first = f.readline()
            rest = f.read()
        return first, rest
    """,
    "nothing bound": """
        with open(folder / "new", "w") as f:
            f.write("text")
        return (folder / "new").exists()
    """,
    "return": """
        with open(folder / "a") as f:
            return f.read()
    """,
    "return in both branches": """
        with open(folder / "a") as f:
            if f.readline():
                return "more", f.read()
            else:
                return "less"
    """,
    "return in a loop at the end of the function": """
        log.append("begin")
        with open(folder / "a") as f:
            for line in f:
                if line == "2\\n":
                    return line
    """,
    "raise": """
        with open(folder / "a") as f:
            raise ValueError(f.read())
    """,
    "missing file caught": """
        try:
            with open(folder / "missing") as f:
                data = f.read()
        except FileNotFoundError as error:
            data = error.filename.name
        return data
    """,
    "missing file not caught": """
        with open(folder / "missing") as f:
            data = f.read()
        return data
    """,
    "counter from before": """
        total = 10
        with open(folder / "a") as f:
            for line in f:
                total += int(line)
        return total
    """,
    "conditionally bound, bound before": """
        found = None
        with open(folder / "a") as f:
            for line in f:
                if line.startswith("2"):
                    found = line
        return found
    """,
    "line number after an error": """
        number = 0
        try:
            with open(folder / "json") as f:
                for number, line in enumerate(f, 1):
                    int(line)
        except ValueError:
            log.append(number)
        return number
    """,
    "last assignment fails": """
        data = "default"
        try:
            with open(folder / "a") as f:
                data = json.load(f)
        except ValueError:
            log.append(data)
        return data
    """,
    "in a loop": """
        texts = []
        for name in ("a", "empty", "a"):
            with open(folder / name) as f:
                text = f.read()
            texts.append(text)
        return texts
    """,
    "value carried round a loop": """
        last = ""
        for name in ("a", "json"):
            with open(folder / name) as f:
                log.append(last)
                last = f.readline()
        return last
    """,
    "maybe bound before": """
        if log:
            text = "other"
        try:
            with open(folder / "a") as f:
                text = f.readline()
                int("x")
        except ValueError:
            pass
        return text
    """,
    "own break and continue": """
        with open(folder / "a") as f:
            for line in f:
                if line == "1\\n":
                    continue
                log.append(line)
                break
            else:
                log.append("no break")
        return log
    """,
    "walrus": """
        with open(folder / "a") as f:
            while line := f.readline():
                log.append(line)
        return line
    """,
    "two files": """
        with open(folder / "a") as f, open(folder / "b", "w") as g:
            g.write(f.read().upper())
            size = g.tell()
        return size
    """,
    "nested": """
        with open(folder / "a") as f:
            with open(folder / "json") as g:
                both = f.read() + g.read()
        return both
    """,
    "one after the other": """
        with open(folder / "a") as f:
            one = f.read()
        with open(folder / "json") as f:
            two = f.read()
        return one, two
    """,
    "try within": """
        with open(folder / "a") as f:
            try:
                value = json.load(f)
            except ValueError as error:
                value = type(error).__name__
            finally:
                log.append("done")
        return value
    """,
    "StopIteration caught within": """
        with open(folder / "empty") as f:
            try:
                head = next(f)
            except StopIteration:
                head = None
        return head
    """,
    "next with a default": """
        with open(folder / "empty") as f:
            head = next(f, "none")
        return head
    """,
    "csv": """
        with open(folder / "a", newline="") as f:
            rows = list(csv.reader(f))
        return rows
    """,
    "match": """
        with open(folder / "json") as f:
            match json.load(f):
                case {"k": [first, *others]}:
                    result = first, others
                case _:
                    result = None
        return result
    """,
    "comprehension and key": """
        with open(folder / "a") as f:
            rows = sorted((line.strip() for line in f), key=lambda row: -int(row))
            best = max(int(row) for row in rows)
        return rows, best
    """,
    "global": """
        global STATE
        with open(folder / "a") as f:
            STATE = f.read()
        return STATE
    """,
    "nonlocal": """
        seen = 0
        async def inner():
            nonlocal seen
            with open(folder / "a") as f:
                for line in f:
                    seen += 1
        await inner()
        return seen
    """,
    "annotated": """
        with open(folder / "a") as f:
            lines: list[str] = f.readlines()
        return lines
    """,
    "strings over lines": '''
        with open(folder / "b", "w") as f:
            f.write("""one
          two
        three""")
            f.write(f"""four {
                log}
        five""" "six"
                "seven")  # comment
            # last comment
        return (folder / "b").read_text()
    ''',
    "one line": """
        with open(folder / "a") as f: text = f.read(); size = len(text)
        return text, size
    """,
    "branch": """
        if not log:
            with open(folder / "a") as f:
                text = f.read()  # why
        else:
            text = ""
        return text
    """,
    "path method": """
        path = folder / "a"
        with path.open() as f:
            text = f.read()
        return text
    """,
    "loop over the file": """
        count = 0
        for number, line in enumerate(open(folder / "a")):
            count += int(line) * number
        return count
    """,
    "loop over the file with else": """
        for line in open(folder / "a"):
            if line == "2\\n":
                break
        else:
            log.append("none")
    """,
    "parameter bound again": """
        with open(folder / "a") as f:
            log = [*log, f.read()]
        return log
    """,
    "conditional in the block only": """
        with open(folder / "a") as f:
            if f.read():
                note = "full"
                log.append(note)
        return log
    """,
    "finally outside": """
        data = None
        try:
            with open(folder / "missing") as f:
                data = f.read()
        finally:
            log.append(data)
    """,
    "deleted inside": """
        with open(folder / "a") as f:
            scratch = f.read()
            log.append(scratch)
            del scratch
        return log
    """,
    "imported inside": """
        with open(folder / "json") as f:
            import json as parser
            data = parser.load(f)
        return data
    """,
    "suppressed inside": """
        from contextlib import suppress
        data = "none"
        with suppress(OSError), open(folder / "missing") as f:
            data = f.read()
        return data
    """,
    "suppressed outside": """
        from contextlib import suppress
        one = two = "none"
        with suppress(ValueError):
            with open(folder / "a") as f:
                one = f.read()
                two = int(one)
        return one, two
    """,
    "handler continues": """
        sizes = []
        for name in ("missing", "a"):
            try:
                with open(folder / name) as f:
                    text = f.read()
                    size = len(text)
            except OSError:
                continue
            sizes.append((text, size))
        return sizes
    """,
    "read": """
        return open(folder / "a").read().split()
    """,
    "load": """
        return json.load(open(folder / "json"))["k"]
    """,
    "write": """
        open(folder / "b", "w").write("text")
        return [int(line) for line in open(folder / "a")]
    """,
    "sum": """
        return sum(int(line) for line in open(folder / "a") if line.strip())
    """,
    "print": """
        print("a", "b", file=open(folder / "b", "w"), flush=True)
    """,
    "names of a comprehension": """
        return [open(folder / name).read() for name in ("a", "empty")]
    """,
    "over lines": """
        return (open(
            folder / "a"  # which
        )
            .read())
    """,
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_thread_form_does_the_same(body: str, tmp_path: Path) -> None:
    """The converted function gives the same result, exception, log and files."""
    text = function(body)
    new = converted(text)
    assert "asyncio.to_thread(" in new
    assert outcome(new, tmp_path / "new") == outcome(text, tmp_path / "old")


AIOFILES = {
    "read": """
        with open(folder / "a") as f:
            return (f.read().strip(), f.tell())
    """,
    "lines": """
        for name in ("a", "empty"):
            with open(folder / name, "r", encoding="utf-8") as f:
                for line in f:
                    if line == "2\\n":
                        break
                    await asyncio.sleep(0)
                    log.append(line)
        return log
    """,
    "write": """
        path = folder / "b"
        with path.open("w") as f:
            f.write("one")
            await asyncio.sleep(0)
            f.writelines(["two"])
            f.flush()
    """,
    "path without arguments": """
        with (folder / 'a').open() as f:
            first, second = f.readline(), f.readline()[0]
        return first, second
    """,
    "no handle": """
        with open(folder / "b", "w"):
            await asyncio.sleep(0)
    """,
}


@pytest.mark.parametrize("body", AIOFILES.values(), ids=AIOFILES)
def test_aiofiles_form_does_the_same(body: str, tmp_path: Path) -> None:
    """The block with its file opened by aiofiles gives the same result and files."""
    text = function(body)
    new = converted(text, "aiofiles")
    assert "async with aiofiles.open(" in new
    assert outcome(new, tmp_path / "new") == outcome(text, tmp_path / "old")


REFUSED = {
    "return on some paths": ("return", "with open(p) as f:\n    for line in f:\n        return line\nreturn None"),
    "break of an outer loop": (
        "leaves-loop",
        "for p in ps:\n    with open(p) as f:\n        if f.read():\n            break",
    ),
    "continue": ("leaves-loop", "for p in ps:\n    with open(p) as f:\n        continue"),
    "await of another use": ("await", "with open(p) as f:\n    x = json.load(f)\n    await x"),
    "await with a csv reader": ("await", "with open(p) as f:\n    for row in csv.reader(f):\n        await row"),
    "handle in an inner function": ("await", "with open(p) as f:\n    g = lambda: f.read()\n    await g"),
    "await with the handle used later": ("await", "with open(p) as f:\n    await g\nreturn f.name"),
    "await with the handle in an f-string": ("await", "with open(p) as f:\n    await g(f'{f.read()}')"),
    "yield": ("yield", "with open(p) as f:\n    for line in f:\n        yield line"),
    "return in a generator": ("return", "yield 1\nwith open(p) as f:\n    return"),
    "super": ("frame", "with open(p) as f:\n    x = super().load(f)"),
    "locals": ("frame", "with open(p) as f:\n    x = f.read().format(**locals())"),
    "eval": ("frame", "with open(p) as f:\n    x = eval(f.read())"),
    "next": ("stop-iteration", "with open(p) as f:\n    head = next(f)"),
    "raise StopIteration": ("stop-iteration", "with open(p) as f:\n    raise StopIteration"),
    "maybe bound": ("maybe-unbound", "with open(p) as f:\n    for x in f:\n        pass\nreturn x"),
    "maybe bound in a branch": ("maybe-unbound", "with open(p) as f:\n    if f.read():\n        x = 1\nreturn x"),
    "maybe bound by match": (
        "maybe-unbound",
        "with open(p) as f:\n    match f.read():\n        case str() as x:\n            pass\nreturn x",
    ),
    "partly done when it fails": (
        "maybe-unbound",
        "try:\n    with open(p) as f:\n        x = f.read()\n        y = g(x)\nexcept OSError:\n    return x\nreturn y",
    ),
    "handle used afterwards": ("handle-escapes", "with open(p) as f:\n    x = f.read()\nreturn f.name"),
    "handle stored": ("handle-escapes", "f = open(p)\nreturn f.read()"),
    "handle returned": ("handle-escapes", "return open(p)"),
    "handle passed on": ("handle-escapes", "return parse(open(p))"),
    "handle of an exit stack": ("handle-escapes", "f = stack.enter_context(open(p))"),
    "handle in an attribute": ("handle-escapes", "with open(p) as self.f:\n    pass"),
    "beside something unknown": ("handle-escapes", "with lock, open(p) as f:\n    x = f.read()"),
    "lazy reader": ("handle-escapes", "return csv.reader(open(p))"),
    "deleted outer name": ("definition", "x = 1\nwith open(p) as f:\n    del x"),
    "imported for later": ("definition", "with open(p) as f:\n    import json\nreturn json"),
    "exception name": (
        "definition",
        "e = 1\nwith open(p) as f:\n    try:\n        f.read()\n    except OSError as e:\n        pass\nreturn e",
    ),
    "class": ("class", "with open(p) as f:\n    class A: pass"),
    "global in the block": ("declaration", "with open(p) as f:\n    global X\n    X = f.read()"),
    "caught by a closure": ("captured", "def g():\n    return x\nwith open(p) as f:\n    x = f.read()\n    g()"),
    "late binding": (
        "captured",
        "for p in ps:\n    with open(p) as f:\n        x = f.read()\n        gs.append(lambda: x)",
    ),
    "bare raise": ("current-exception", "try:\n    g()\nexcept OSError:\n    with open(p) as f:\n        raise"),
    "traceback": (
        "current-exception",
        "try:\n    g()\nexcept OSError:\n    with open(p) as f:\n        traceback.print_exc(file=f)",
    ),
    "await in the expression": ("await", "return open(await p).read()"),
    "walrus in the expression": ("assignment", "return open(q := p).read(), q"),
    "locals in the expression": ("frame", "return open(p % locals()).read()"),
}


@pytest.mark.parametrize(("code", "body"), REFUSED.values(), ids=REFUSED)
def test_refused(code: str, body: str) -> None:
    """What cannot be shown to do the same is refused, with a stable code and a sentence."""
    (site,) = sites(function(body, "self, p, ps, gs, lock, stack").encode())
    assert (site.forms, site.refusal) == ((), code)
    assert site.why


def test_outside_of_a_function() -> None:
    """A block in the body of a class or of the module is no function's code."""
    body = "with open(p) as f:\n    x = f.read()\n"
    inside = "def g():\n    class A:\n" + textwrap.indent(body, "        ")
    assert [site.refusal for text in (body, inside) for site in sites(text.encode())] == ["no-function", "no-function"]


def test_text_of_the_thread_form() -> None:
    """The emitted code reads as if a person had written it, and comments stay."""
    before = '''
        async def load(path):
            total = 0
            # The settings.
            with open(path) as file:  # small
                # Never mind the rest.
                settings = json.loads("""
        {}""")

                # the end
            print(settings)
            with open(path) as file:
                for line in file:
                    total += 1
                head, tail = line, total
            return head, tail
    '''
    after = '''
        async def load(path):
            total = 0
            # The settings.
            def read_settings():
                with open(path) as file:  # small
                    # Never mind the rest.
                    return json.loads("""
        {}""")

                    # the end

            settings = await asyncio.to_thread(read_settings)
            print(settings)

            def read_file(total):
                with open(path) as file:
                    for line in file:
                        total += 1
                    head, tail = line, total
                return head, tail

            head, tail = await asyncio.to_thread(read_file, total)
            return head, tail
    '''
    changed = before.replace("line, total", "path, total")
    assert converted(textwrap.dedent(changed)) == textwrap.dedent(after.replace("line, total", "path, total"))


@pytest.mark.parametrize(
    ("end", "encoding"), [("\n", "latin-1"), ("\r\n", "latin-1"), ("\r", "utf-8")], ids=["LF", "CRLF", "CR"]
)
def test_tabs_line_ends_and_encodings(end: str, encoding: str) -> None:
    """Tabs, line ends, a coding cookie and a missing last line end are kept."""
    lines = [
        f"# coding: {encoding}",
        "import asyncio",
        "async def work(p):",
        "\tif p:",
        "\t\twith open('ä') as f:",
        "\t\t\tx = f.read()",
        "\treturn x",
    ]
    new = [
        *lines[:4],
        "\t\tdef read_file():",
        "\t\t\twith open('ä') as f:",
        "\t\t\t\treturn f.read()",
        "",
        "\t\tx = await asyncio.to_thread(read_file)",
        "\treturn x",
    ]
    assert converted(end.join(lines).encode(encoding)) == end.join(new)


def test_text_of_the_aiofiles_form() -> None:
    """Calls of the handle are awaited, with parentheses where what follows binds tighter."""
    body = "with open(p) as f:\n    for line in f:\n        x = f.read().strip()"
    expected = "async with aiofiles.open(p) as f:\n    async for line in f:\n        x = (await f.read()).strip()"
    assert converted(function(body, "p"), "aiofiles") == function(expected, "p")


def test_order_of_the_forms() -> None:
    """aiofiles comes first where it was asked for, and alone where the block awaits."""
    (plain,) = sites(function("with open(p) as f:\n    x = f.read()", "p").encode())
    assert [form.name for form in plain.forms] == ["aiofiles", "thread"]
    assert plain.forms[0].requires == (Strategy("files", "aiofiles"), Declared("aiofiles"))
    (awaiting,) = sites(function("with open(p) as f:\n    await g(f.read())", "p").encode())
    assert [(form.name, form.requires) for form in awaiting.forms] == [("aiofiles", (Declared("aiofiles"),))]
    (parsed,) = sites(function("with open(p) as f:\n    x = json.load(f)", "p").encode())
    assert [form.name for form in parsed.forms] == ["thread"]


class Generator:
    """Random functions round one block that opens a file, over a few names that collide."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def function(self) -> str:
        """An async function with one such block in a random place."""
        opened = ["with open(folder / 'a') as f:", *self.indented([*self.statements(2, True), *self.perhaps_raise()])]
        for _ in range(self.random.randrange(4)):
            opened = self.around(opened)
        known = self.random.choice(["a b c", "a b c", "a b", "c", ""]).split()
        before = [f"{name} = {len(name)}" for name in known] + self.statements(1) * self.random.randrange(2)
        after = self.random.choice([[], self.shown(), [*self.statements(1), *self.shown()]])
        return "async def work(folder, log):\n" + "\n".join(self.indented([*before, *opened, *after])) + "\n"

    def perhaps_raise(self) -> list[str]:
        """A failure now and then, at the end of the block."""
        return self.random.choice([[], [], ["raise ValueError"], [f"if {self.name()}: raise ValueError"]])

    def shown(self) -> list[str]:
        """Statements that log each name that is bound."""
        attempts = ([f"try: log.append({name})", f"except NameError: log.append('no {name}')"] for name in "abc")
        chosen = self.random.sample(list(attempts), self.random.randint(1, 3))
        return [line for attempt in chosen for line in attempt]

    def around(self, inner: list[str]) -> list[str]:
        """Something round the statement."""
        inner = [*self.statements(0), *inner, *self.statements(0)]
        match self.random.choice([0, 1, 2, 2, 2, 3, 4]):
            case 0:
                return [f"for {self.name()} in range(3):", *self.indented(inner)]
            case 1:
                return [f"if {self.value()}:", *self.indented(inner), "else:", *self.indented(self.statements(1))]
            case 2:
                handler = [*self.statements(1), *self.random.choice([[], ["return 'handled'"], ["raise"]])]
                return ["try:", *self.indented(inner), "except (ValueError, NameError):", *self.indented(handler)]
            case 3:
                return ["try:", *self.indented(inner), "finally:", *self.indented(self.statements(1))]
            case _:
                return [*self.statements(1), *inner, *self.statements(1)]

    def statements(self, depth: int, inside: bool = False) -> list[str]:
        """A few statements; ``inside`` the block they may use the file."""
        return [line for _ in range(self.random.randint(1, 3)) for line in self.statement(depth, inside)]

    def statement(self, depth: int, inside: bool) -> list[str]:
        """One statement, perhaps of several lines."""
        match self.random.randrange(14 if depth else 8):
            case 0 | 1 | 2:
                return [f"{self.name()} = {self.value(inside)}"]
            case 3:
                return [f"{self.name()} += 1"]
            case 4:
                return [f"log.append({self.value(inside)})"]
            case 5:
                return [f"if {self.value(inside)} == 1: raise ValueError(str({self.value()}))"]
            case 6:
                return [f"log.append([{self.name()} for {self.name()} in range(2)])"]
            case 7:
                return self.random.choice([[f"if ({self.name()} := {self.value(inside)}): pass"], ["log.append(0)"]])
            case 8:
                return [f"if {self.value(inside)}:", *self.indented(self.statements(depth - 1, inside))]
            case 9:
                end = self.random.choice([[], [f"if {self.value()}: break"], [f"if {self.value()}: continue"]])
                block = [*self.statements(depth - 1, inside), *end, *self.statements(0, inside)]
                return [f"for {self.name()} in {self.random.choice(['range(2)', '()'])}:", *self.indented(block)]
            case 10 | 11:
                body, handler = self.statements(depth - 1, inside), self.statements(depth - 1, inside)
                name = self.random.choice(["", "", f" as {self.name()}"])
                return ["try:", *self.indented(body), f"except ValueError{name}:", *self.indented(handler)]
            case 12 if inside:
                return [f"if {self.value(inside)}: return {self.value()}"]
            case _:
                return [f"del {self.name()}"] if self.random.random() < 0.3 else ["log.append(len(log))"]

    def name(self) -> str:
        return self.random.choice("abc")

    def value(self, inside: bool = False) -> str:
        choices = [self.name(), self.name(), "0", "1", "2", "len(log) % 2", *["int(f.readline() or 0)"] * inside]
        return self.random.choice(choices)

    def indented(self, lines: list[str]) -> list[str]:
        return ["    " + line for line in lines]


def test_random_blocks_do_the_same(tmp_path: Path) -> None:
    """Whatever names do in a block and round it: if it is converted, nothing differs."""
    taken = 0
    for seed in range(350):
        text = Generator(seed).function()
        (site,) = sites(text.encode())
        if not site.forms:
            continue
        taken += 1
        new = converted(text)
        old_outcome = outcome(text, tmp_path / f"old{seed}")
        assert outcome(new, tmp_path / f"new{seed}") == old_outcome, f"{seed}\n{text}\n{new}"
    assert taken > 150
