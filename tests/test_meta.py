"""Every rule is documented, named after what it finds, and has cases; its page's example is what it does."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import asyncfix.colour
import asyncfix.facts.walker
from asyncfix import registry
from asyncfix.colour.awaiting import WRITTEN
from asyncfix.colour.remedies import REMEDIES
from asyncfix.colour.takers import CALLBACK, PASSED, TAKERS
from asyncfix.colour.turning import SAID
from asyncfix.link.index import Edge
from asyncfix.model import Call
from asyncfix.outcome import Options, Outcome
from asyncfix.pipeline import run
from asyncfix.transform import Report, Rule
from tests import casefile

CASES = Path(__file__).parent / "cases"
PAGES = registry.pages()
SECTIONS = ("What it does", "Why is this bad?", "Example", "Safety")
KEBAB = re.compile(r"[a-z]+(-[a-z]+)*")
DEPENDENCIES = '["requests", "httpx", "async-lru"]'
PROJECT = f'[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = {DEPENDENCIES}\n'
MODULES = ("asyncio", "functools", "hashlib", "json", "os", "subprocess", "time")
IMPORTS = (
    "".join(f"import {name}\n" for name in MODULES) + "from pathlib import Path\n\nimport httpx\nimport requests\n"
)

each_rule = pytest.mark.parametrize("rule", registry.rules(), ids=lambda rule: rule.name)


@each_rule
def test_has_a_kebab_case_name_of_its_own_like_its_file(rule: Rule) -> None:
    """The name of a rule is the name of its file."""
    assert KEBAB.fullmatch(rule.name)
    assert type(rule).__module__.rpartition(".")[2] == rule.name.replace("-", "_")
    assert [other.name for other in registry.rules()].count(rule.name) == 1


@each_rule
def test_has_a_page_with_all_its_headings(rule: Rule) -> None:
    """In the same order on every page, with text below each."""
    page = PAGES[rule.name]
    headings = re.findall(r"^## (.+)$", page, flags=re.MULTILINE)
    texts = re.split(r"^## .+$", page, flags=re.MULTILINE)
    assert page.startswith(f"# {rule.name}\n\nFinds ")
    assert headings == list(SECTIONS)
    assert all(text.strip() for text in texts)


@each_rule
def test_has_cases(rule: Rule) -> None:
    """Its case file has cases in which it finds something."""
    cases = casefile.read(CASES / f"{rule.name.replace('-', '_')}.md")
    assert any(f" {rule.name} " in case.report for case in cases)


@each_rule
def test_does_what_the_example_of_its_page_shows(rule: Rule, tmp_path: Path) -> None:
    """The first block of the example becomes the second; a rule that only reports tells of the first, and not of the second."""
    before, after = examples(PAGES[rule.name])
    assert ast.parse(before).body and ast.parse(after).body
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")

    def told(block: str) -> Outcome:
        (tmp_path / "app.py").write_text(f"{IMPORTS}\n\n{block}", encoding="utf-8")
        return run(Options((str(tmp_path),), mode="diff", unsafe=True, use_cache=False, select=(rule.name,), workers=1))

    outcome = told(before)
    if isinstance(rule, Report):
        assert len(outcome.findings) == 1 and not outcome.files and not told(after).findings
        return
    new = {item.path: item.new.decode() for item in outcome.files}
    assert new["app.py"].partition("async def ")[2] == after.partition("async def ")[2]


def test_a_person_is_told_what_to_do_about_every_barrier() -> None:
    """One line for each code that colouring can give, and none for codes that there are not."""
    said = REMEDIES.keys()
    assert _barriers() - said == set()
    assert all(0 < len(line) < 120 and "\n" not in line for line in REMEDIES.values())
    engine = "".join(path.read_text(encoding="utf-8") for path in (CASES.parents[1] / "asyncfix").rglob("*.py"))
    assert [code for code in said if engine.count(f'"{code.removeprefix("use-")}"') < 2] == []


def _barriers() -> set[str]:
    """The codes of barriers, as they are written in the engine."""
    folder = Path(inspect.getfile(asyncfix.colour)).parent
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))]
    found = {*SAID, *TAKERS, PASSED, CALLBACK}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Barrier", "stop"):
            found |= _texts(node.args[0]) if isinstance(node.args[0], ast.Constant) else set()
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and _is_sentence(node.elts[1]):
            found |= {text for text in _texts(node.elts[0]) if KEBAB.fullmatch(text)}
    # Of calls: the kind of an edge, why no await may stand there, the use of the value where none is written for it.
    found |= _words(Edge, "kind", "site") - {"call"}
    uses = _words(Call, "use", "barrier") - {use for _, use in WRITTEN}
    walker = ast.walk(ast.parse(inspect.getsource(asyncfix.facts.walker)))
    barriers = (node.value for node in walker if isinstance(node, ast.keyword) and node.arg == "barrier")
    return found | {f"use-{use}" for use in uses} | set[str]().union(*map(_texts, barriers))


def _texts(node: ast.AST) -> set[str]:
    """The strings that an expression may come to, but the empty one."""
    if isinstance(node, ast.Constant):
        return {node.value} - {""} if isinstance(node.value, str) else set()
    parts = (
        [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values if isinstance(node, ast.BoolOp) else []
    )
    return set[str]().union(*map(_texts, parts))


def _is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or any(" " in text for text in _texts(node))


def _words(noun: type[object], field: str, after: str) -> set[str]:
    """The values of a field that the docstring of a noun lists, up to the next field."""
    page = inspect.getdoc(noun) or ""
    part = page.partition(f"\n{field} ")[2].partition(f"\n{after} ")[0]
    return set(re.findall("``([a-z_-]+)``", part)) - {"__enter__", "__iter__", "__call__", "span"}


def examples(page: str) -> tuple[str, str]:
    """The two blocks of a page's example."""
    blocks = re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    return blocks[0], blocks[1]
