"""The folder of the rules is their registry; each rule answers for the calls that it claims."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from asyncfix import registry
from asyncfix.model import Api, Edit, Site, Span
from asyncfix.registry import BadRule, NoRules
from asyncfix.survey import Wanted, survey
from asyncfix.transform import Look, Transform, Writing

RULE = """
from asyncfix.transform import Transform

class {name}(Transform):
    name = "{name}"
    def claims(self, api): return True
    def examine(self, look): raise NotImplementedError
    def write(self, site, form, writing): return []
"""
TIME = Api("time.sleep", "asyncio.sleep", flow="sleep")
OTHER = Api("shutil.copy", flow="file")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package in place of that of the rules."""
    package = tmp_path / "some_rules"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(registry, "PACKAGE", "some_rules")
    monkeypatch.setattr(registry, "rules", registry.rules.__wrapped__)
    for name in [name for name in sys.modules if name.startswith("some_rules")]:
        monkeypatch.delitem(sys.modules, name)
    return package


def test_rules_are_found_by_their_files() -> None:
    """Each has a name, its file is named after it, and they come sorted."""
    names = [rule.name for rule in registry.rules()]
    assert names == sorted(names)
    assert {"blocking-sleep", "blocking-call", "blocking-metadata", "blocking-subprocess"} <= set(names)
    modules = [type(rule).__module__.rpartition(".")[2] for rule in registry.rules()]
    assert modules == [name.replace("-", "_") for name in names]


def test_every_rule_has_a_page() -> None:
    """Its heading is the rule's name."""
    pages = registry.pages()
    assert list(pages) == [rule.name for rule in registry.rules()]
    assert all(page.startswith(f"# {name}\n") for name, page in pages.items())


def test_the_maps_are_there() -> None:
    """They are read with the package, not from the current folder."""
    calls = {api.call for each in registry.maps() for api in each.blocking}
    assert "time.sleep" in calls


def test_the_highest_order_wins() -> None:
    """A special rule comes before the general one."""
    rules = registry.rules()
    special, general = registry.rule_for(TIME, rules), registry.rule_for(OTHER, rules)
    assert special is not None and special.name == "blocking-sleep"
    assert general is not None and general.name == "blocking-call"
    assert registry.rule_for(TIME, ()) is None


def test_new_files_are_new_rules(folder: Path) -> None:
    """Private modules are none; a rule that is imported is not the importer's."""
    (folder / "one.py").write_text(RULE.format(name="one"))
    (folder / "another.py").write_text(f"from .one import one as base\n{RULE.format(name='another')}")
    (folder / "_helper.py").write_text("raise AssertionError")
    assert [rule.name for rule in registry.rules()] == ["another", "one"]


def test_no_rule_at_all_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how to mend it."""
    with pytest.raises(NoRules, match="pip install -e"):
        registry.rules()
    monkeypatch.setattr(registry, "PACKAGE", "some_rules.that_are_not_there")
    with pytest.raises(NoRules, match="pip install -e"):
        registry.rules()


@pytest.mark.parametrize("text", ["", RULE.format(name="a") + RULE.format(name="b")])
def test_a_file_without_one_rule_is_named(folder: Path, text: str) -> None:
    """None and two are both wrong."""
    (folder / "odd.py").write_text(text)
    with pytest.raises(BadRule, match=r"some_rules\.odd"):
        registry.rules()


def test_loading_rules_does_not_load_libcst() -> None:
    """The front ends list rules; LibCST is for workers."""
    code = (
        "import sys; from asyncfix import registry; registry.pages(), registry.maps(); print('libcst' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# -------------------------------------------------------------------------------------------------------------- survey

DATA = "import time\n\n\nasync def f():\n    g('é'); time.sleep(1)\n    time.sleep(x)\n".encode()


def wanted(text: bytes, api: Api = TIME) -> Wanted:
    start = DATA.index(text)
    return Wanted(Span(start, start + len(text)), api, "m.f")


def test_each_call_is_shown_to_its_rule() -> None:
    """The sites come in the order in which they were asked for."""
    asked = [wanted(b"time.sleep(x)"), wanted(b"time.sleep(1)")]
    sites = survey("m.py", DATA, asked, registry.rules())
    assert [(site.rule, site.call, site.owner) for site in sites] == [
        ("blocking-sleep", item.span, "m.f") for item in asked
    ]
    assert all(site.forms for site in sites)
    assert sites == survey("m.py", DATA, asked, registry.rules())


def test_what_cannot_be_shown_is_refused() -> None:
    """A call that is not there, an API that no rule takes."""
    sites = survey("m.py", DATA, [wanted(b"time.sleep")], registry.rules())
    assert [(site.rule, site.refusal, site.forms) for site in sites] == [("blocking-sleep", "not-found", ())]
    assert [site.refusal for site in survey("m.py", DATA, [wanted(b"time.sleep(1)")], ())] == ["no-rule"]


def test_rules_see_what_is_imported() -> None:
    """Top-level names of packages, also those of imports in functions."""
    seen: list[frozenset[str]] = []

    class Seeing(Transform):
        name = "seeing"

        def claims(self, api: Api) -> bool:
            return True

        def examine(self, look: Look) -> Site:
            seen.append(look.tree.imports)
            return look.refused(self, "no", "no")

        def write(self, site: Site, form: str, writing: Writing) -> list[Edit]:
            return []

    data = b"import a.b\nfrom c.d import e\nfrom . import x\ndef f():\n    import g as h\n    k()\n"
    start = data.index(b"k()")
    survey("m.py", data, [Wanted(Span(start, start + 3), TIME, "m.f")], [Seeing()])
    assert seen == [frozenset({"a", "c", "g"})]
