"""The link of a later round gives what a link from nothing would give, and takes over what it may."""

from __future__ import annotations

from dataclasses import fields

import pytest

from asyncfix import catalog
from asyncfix.link import modules
from asyncfix.link.index import ProjectIndex, link
from asyncfix.model import Summary
from asyncfix.summarise import summarise

FILES = {
    "app.py": """
import lib
from lib import Client

def main(client: Client):
    client.fetch().read()
    lib.helper(lambda: 1)
    return lib.os.getcwd()

class Own(Client):
    def fetch(self):
        return super().fetch()

def other(thing):
    class Inner:
        got = thing.read_all
    thing.read_all()
    return thing.read_all, Inner
""",
    "lib.py": """
import os

class Page:
    def read(self):
        return ""

class Client:
    def fetch(self):
        return Page()

def helper(function):
    rows = sorted([], key=lambda row: row.name)
    return function()
""",
}
# What becomes of lib.py, and whether the link of app.py is kept.
CHANGES = {
    "lines move": ("import os\n", "# one more line\nimport os\n", True),
    "a body changes": ("rows = sorted", "os.remove('x')\n    rows = sorted", True),
    "an import that nobody asks for": ("import os\n", "import asyncio\nimport os\n", True),
    "a function inside a function": (
        "    return function()",
        "    def inner():\n        pass\n    return function()",
        True,
    ),
    "a function inside, named as something is called": (
        "    return function()",
        "    def read_all():\n        pass\n    return function()",
        True,
    ),
    "a function inside that is returned": (
        "    return function()",
        "    def inner():\n        pass\n    return inner",
        False,
    ),
    "a function turns async": ("def helper", "async def helper", False),
    "another result": ("return Page()", "return open('x')", False),
    "another base": ("class Client:", "class Client(Page):", False),
    "another function": ("def helper", "def read_all():\n    pass\n\ndef helper", False),
    "an import that somebody asks for": ("import os\n", "import posix as os\n", False),
    "a parameter that is no longer called": ("return function()", "return function", False),
}


def linked(files: dict[str, Summary], before: ProjectIndex | None = None) -> ProjectIndex:
    return link(files.values(), (), modules.build(files), catalog.build(()), before)


def summary(path: str, text: str) -> Summary:
    found = summarise(path, text.encode())
    assert isinstance(found, Summary)
    return found


@pytest.mark.parametrize("name", CHANGES)
def test_as_from_nothing(name: str) -> None:
    """Whatever changes, the index is the same; and it is linked anew only where it must be."""
    old, new, kept = CHANGES[name]
    files = {path: summary(path, text) for path, text in FILES.items()}
    before = linked(files)
    assert old in FILES["lib.py"]
    files["lib.py"] = summary("lib.py", FILES["lib.py"].replace(old, new))
    again, anew = linked(files, before), linked(files)
    for field in fields(ProjectIndex):
        if field.name != "evaluator":
            assert getattr(again, field.name) == getattr(anew, field.name), field.name
    assert (again.family is before.family) == kept
