"""Every rule is documented, named after what it finds, and has cases; its page's example is what it does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from asyncfix import registry
from asyncfix.outcome import Options
from asyncfix.pipeline import run
from asyncfix.transform import Rule
from tests import casefile

CASES = Path(__file__).parent / "cases"
PAGES = registry.pages()
SECTIONS = ("What it does", "Why is this bad?", "Example", "Safety")
KEBAB = re.compile(r"[a-z]+(-[a-z]+)*")
PROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["requests", "httpx"]\n'
IMPORTS = "import asyncio\nimport json\nimport os\nimport subprocess\nimport time\nfrom pathlib import Path\n\nimport requests\n"

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
    """The first block of the example becomes the second."""
    before, after = examples(PAGES[rule.name])
    assert ast.parse(before).body and ast.parse(after).body
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "app.py").write_text(f"{IMPORTS}\n\n{before}", encoding="utf-8")
    outcome = run(Options((str(tmp_path),), mode="diff", unsafe=True, use_cache=False, select=(rule.name,), workers=1))
    new = {item.path: item.new.decode() for item in outcome.files}
    assert new["app.py"].partition("async def ")[2] == after.partition("async def ")[2]


def examples(page: str) -> tuple[str, str]:
    """The two blocks of a page's example."""
    blocks = re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    return blocks[0], blocks[1]
