"""What asks for more than Python's stack holds: the answer is not known then, and nothing breaks off."""

from __future__ import annotations

from pathlib import Path

from asyncfix.link.index import ProjectIndex
from tests.benchmarks.caller_edges import linked
from tests.harness import project

BASE = """
class Base:
    def to_dict(self):
        pass


class Ground(Base):
    def to_dict(self):
        return Sent()


class Sent:
    def send(self):
        pass


def use(base: Base):
    base.to_dict().send()
"""
OVERRIDING = """

class Row{0}(Base):
    def __init__(self, inner: Base):
        self.inner = inner

    def to_dict(self):
        return self.inner.to_dict()
"""
BOTTOM = """
class Found:
    def show(self):
        pass


def get0():
    return Found()


def use():
    get{0}().show()
"""
HANDING_ON = """

def get{1}():
    return get{0}()
"""
PROPERTIES = """
import time


class Row:
    @property
    def name0(self):
        return self.own
"""
PROPERTY = """
    @property
    def name{1}(self):
        return self.name{0}
"""
ASKING = """

async def pause(row: Row):
    time.sleep(1)
    row.name{0} = row.name{0} + row.name1
"""


def indexed(folder: Path, text: str) -> ProjectIndex:
    """The index of a project of one module, app."""
    return linked(project(folder, {"app.py": text.encode()}).root)[1]


def callers(index: ProjectIndex, function: str) -> tuple[set[str], set[str]]:
    """The sure callers of a function, and those of anything so called."""
    known = {edge.caller for edge in index.callers.get(function, ()) if edge.sure}
    return known, {loose.owner for loose in index.by_name.get(function.rpartition(".")[2], ())}


def test_methods_whose_results_ask_for_each_other_are_not_known(tmp_path: Path) -> None:
    """By all the overriding ones at once. What runs each of them is."""
    index = indexed(tmp_path, BASE + "".join(map(OVERRIDING.format, range(200))))
    assert callers(index, "app.Sent.send") == (set(), {"app.use"})
    assert callers(index, "app.Row7.to_dict")[0] == {"app.use", *(f"app.Row{at}.to_dict" for at in range(200))}


def test_a_result_that_is_handed_on_too_often_is_not_known(tmp_path: Path) -> None:
    """A call of it stays a possible caller of all that is so called."""
    for often, known in ((10, ({"app.use"}, set[str]())), (200, (set[str](), {"app.use"}))):
        text = BOTTOM.format(often) + "".join(HANDING_ON.format(at, at + 1) for at in range(often))
        assert callers(indexed(tmp_path / str(often), text), "app.Found.show") == known


def test_a_mapping_that_modules_import_from_each_other_is_not_looked_for_for_ever(tmp_path: Path) -> None:
    """As they may for the sake of a type checker."""
    first = b"from second import TABLE\n\n\ndef run():\n    TABLE['show']()\n"
    here = project(tmp_path, {"first.py": first, "second.py": b"from first import TABLE\n\n\ndef show():\n    pass\n"})
    _, index = linked(here.root)
    assert "first.run" in index.unknown


def test_properties_that_give_each_other_are_followed_only_so_far(tmp_path: Path) -> None:
    """To see what code reads and writes that others can see."""
    text = PROPERTIES + "".join(PROPERTY.format(at, at + 1) for at in range(1000)) + ASKING.format(1000)
    done = project(tmp_path, {"app.py": text.encode()}).run("--diff")
    assert (done.code, b"await asyncio.sleep(1)" in done.out) == (0, True)
