"""The edges of the index: what Python runs without being told a name, and what callers hand on."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.caller_edges import linked
from tests.harness import project

Pairs = set[tuple[str, str]]


def edges(folder: Path, **files: str) -> Pairs:
    """Pairs of caller and callee of a project of these modules."""
    made = project(folder, {f"{name}.py": text.encode() for name, text in files.items()})
    _, index = linked(made.root)
    return {(edge.caller, edge.callee) for found in index.calls.values() for edge in found}


DESCRIPTOR = """
class Field:
    def __get__(self, instance, owner):
        return 1

    def __set__(self, instance, value):
        pass


class Row:
    name = Field()


def read(row: Row):
    return row.name


def write(row: Row):
    row.name = 2
"""


def test_descriptors_run_where_an_attribute_is_read_or_written(tmp_path: Path) -> None:
    found = edges(tmp_path, app=DESCRIPTOR)
    assert {pair for pair in found if pair[0] != "app"} == {
        ("app.read", "app.Field.__get__"),
        ("app.write", "app.Field.__set__"),
    }


PROPERTIES = """
class Base:
    @property
    def url(self):
        return ""

    @url.setter
    def url(self, value):
        pass

    def send(self):
        return self.url

    def move(self):
        self.url = ""


class Own(Base):
    @property
    def url(self):
        return super().url

    @property
    def maker(self):
        return print


def make(own: Own):
    own.maker()
"""


def test_properties_of_subclasses_of_super_and_of_what_is_called_run(tmp_path: Path) -> None:
    """Who reads runs no setter, and who writes no getter."""
    assert edges(tmp_path, app=PROPERTIES) == {
        ("app.Base.send", "app.Base.url"),
        ("app.Base.send", "app.Own.url"),
        ("app.Base.move", "app.Base.url#2"),
        ("app.Own.url", "app.Base.url"),
        ("app.make", "app.Own.maker"),
    }


METACLASS = """
class Meta(type):
    def __new__(mcs, name, bases, given):
        return super().__new__(mcs, name, bases, given)

    def __call__(cls, *args):
        return super().__call__(*args)


class Made(metaclass=Meta):
    def __init_subclass__(cls):
        pass


class Attribute:
    def __set_name__(self, owner, name):
        pass


class Below(Made):
    held = Attribute()


def make():
    return Below()
"""


def test_definitions_and_calls_of_classes_run_their_metaclass_and_hooks(tmp_path: Path) -> None:
    assert edges(tmp_path, app=METACLASS) == {
        ("app", "app.Meta.__new__"),
        ("app", "app.Made.__init_subclass__"),
        ("app", "app.Attribute.__set_name__"),
        ("app.make", "app.Meta.__call__"),
    }


CHOOSING = """
class Shape:
    def __new__(cls, sides):
        return object.__new__(Square if sides == 4 else cls)


class Square(Shape):
    def __init__(self, sides):
        pass


def make():
    return Shape(4)
"""


def test_a_class_whose_new_chooses_may_make_objects_of_those_below(tmp_path: Path) -> None:
    assert ("app.make", "app.Square.__init__") in edges(tmp_path, app=CHOOSING)


OPERATORS = """
class Money:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1

    def __iadd__(self, other):
        return self

    def __add__(self, other):
        return self

    def __setitem__(self, key, value):
        pass

    def __str__(self):
        return ""

    def __repr__(self):
        return ""


def money() -> Money:
    return Money()


def same(a: Money, b: Money):
    return a != b


def known(a: Money):
    return {a}


def more(a: Money):
    a += 1


def change(a: Money):
    a[0] = 1


def show(a: Money):
    return str(money()), "{}".format(a)


def debug(a: Money):
    return f"{a!r}"


async def enter(a: Money):
    async with Session():
        pass


class Session:
    async def __aenter__(self):
        pass

    async def __aexit__(self, *error):
        pass
"""


def test_operators_run_special_methods(tmp_path: Path) -> None:
    found = {pair for pair in edges(tmp_path, app=OPERATORS) if pair[1] != "app.money"}
    assert found == {
        ("app.same", "app.Money.__eq__"),
        ("app.known", "app.Money.__eq__"),
        ("app.known", "app.Money.__hash__"),
        ("app.more", "app.Money.__iadd__"),
        ("app.change", "app.Money.__setitem__"),
        ("app.show", "app.Money.__str__"),
        ("app.debug", "app.Money.__repr__"),
        ("app.enter", "app.Session.__aenter__"),
        ("app.enter", "app.Session.__aexit__"),
    }


HANDED = """
class Task:
    def __init__(self, work):
        self.work = work

    def run(self):
        return self.work()


def load():
    return 1


def twice(function):
    return function()


def main():
    return twice(load), twice(lambda: 2), Task(load).run()
"""


def test_functions_that_callers_give_run_where_the_parameter_is_called(tmp_path: Path) -> None:
    found = edges(tmp_path, app=HANDED)
    assert {callee for caller, callee in found if caller == "app.twice"} == {
        "app.load",
        "app.main.<locals>.<lambda:19:30>",
    }
    assert ("app.Task.run", "app.load") in found


MIXIN = """
class Base:
    def close(self):
        pass


class Loud:
    def close(self):
        return super().close()


class Both(Loud, Base):
    pass
"""


def test_super_of_a_mixin_means_what_stands_beside_it_in_an_heir(tmp_path: Path) -> None:
    assert edges(tmp_path, app=MIXIN) == {("app.Loud.close", "app.Base.close")}


ASKED = """
from functools import partial


class Client:
    def __getattr__(self, name):
        return partial(self.send, name)

    def send(self, name):
        pass


client = Client()


def get():
    return client.get()
"""


def test_an_object_is_asked_for_names_that_it_does_not_have(tmp_path: Path) -> None:
    assert edges(tmp_path, app=ASKED) == {("app.get", "app.Client.__getattr__"), ("app.get", "app.Client.send")}


PRIVATE = """
class Box:
    def __open(self):
        pass


def force(box: Box):
    box._Box__open()
"""


def test_a_private_method_is_called_by_its_outer_name(tmp_path: Path) -> None:
    assert edges(tmp_path, app=PRIVATE) == {("app.force", "app.Box.__open")}


FIXTURE = """
import pytest


class Server:
    def url(self):
        return ""


@pytest.fixture
def server() -> Server:
    yield Server()
"""
TESTS = """
def test_url(server):
    assert server.url() == ""
"""


def test_a_fixture_that_conftest_imports_tells_what_a_test_gets(tmp_path: Path) -> None:
    found = edges(tmp_path, plugin=FIXTURE, conftest="from plugin import *\n", test_url=TESTS)
    assert ("test_url.test_url", "plugin.Server.url") in found


MANY = "\n".join(
    [
        "class Source:\n    def read(self):\n        pass\n",
        *(f"class Source{number}(Source):\n    def read(self):\n        pass\n" for number in range(20)),
        "def use(source):\n    return source.read()\n",
        "def main():",
        *(f"    use(Source{number}())" for number in range(20)),
    ]
)


def test_objects_of_more_classes_than_are_told_apart_are_those_of_their_base(tmp_path: Path) -> None:
    found = edges(tmp_path, app=MANY)
    assert {("app.use", f"app.Source{number}.read") for number in range(20)} <= found


FILLED = """
class Rule:
    def check(self):
        pass


class Rules:
    def __init__(self):
        self.rules = []
        self.named = {}

    def add(self, name):
        self.rules.append(Rule())
        self.named[name] = Rule()

    def check(self):
        for rule in self.rules:
            rule.check()

    def one(self, name):
        return self.named[name].check()


def local():
    found = []
    found.append(Rule())
    return found[0].check()
"""


def test_what_is_put_into_a_collection_later_is_among_its_elements(tmp_path: Path) -> None:
    callers = {caller for caller, callee in edges(tmp_path, app=FILLED) if callee == "app.Rule.check"}
    assert callers == {"app.Rules.check", "app.Rules.one", "app.local"}


REGISTERED = """
class Event:
    def name(self):
        return ""


class Bus:
    def __init__(self):
        self.handlers = {}

    def on(self, function):
        self.handlers["event"] = function
        return function

    def fire(self):
        return self.handlers["event"](Event())


bus = Bus()


@bus.on
def handle(event):
    return event.name()
"""


def test_a_function_that_a_decorator_registers_runs_where_the_table_is_asked(tmp_path: Path) -> None:
    """And is given what is given there."""
    found = edges(tmp_path, app=REGISTERED)
    assert {("app.Bus.fire", "app.handle"), ("app.handle", "app.Event.name")} <= found


WRAPPER = """
class Client:
    def __init__(self):
        self.bind(load)

    def bind(self, function):
        def wrapper():
            return function()

        setattr(self, function.__name__, wrapper)
        return wrapper


def decorate(function):
    def wrapper():
        return function()

    return wrapper


@decorate
def load():
    return 1


def main(client: Client):
    return client.load()
"""


def test_wrappers_call_what_their_decorator_was_given_and_names_that_are_worked_out_are_found(tmp_path: Path) -> None:
    made = project(tmp_path, {"app.py": WRAPPER.encode()})
    _, index = linked(made.root)
    assert [edge.callee for edge in index.wrapped["app.decorate.<locals>.wrapper"]] == ["app.load"]
    assert "app.Client.bind.<locals>.wrapper" in {edge.callee for edge in index.calls["app.main"]}
    assert "app.decorate.<locals>.wrapper" not in index.calls


ITERATORS = """
class Steps:
    def __next__(self):
        raise StopIteration


class Rows:
    def __iter__(self):
        return Steps()


def main(rows: Rows):
    return [row for row in rows]
"""


def test_going_through_an_object_asks_the_iterator_that_it_gives(tmp_path: Path) -> None:
    assert edges(tmp_path, app=ITERATORS) == {("app.main", "app.Rows.__iter__"), ("app.main", "app.Steps.__next__")}


CAUGHT = """
class Moved(Exception):
    @property
    def place(self):
        return ""


def go():
    try:
        raise ValueError
    except Moved as error:
        return error.place
"""


def test_an_error_that_is_caught_is_of_the_class_that_its_handler_names(tmp_path: Path) -> None:
    assert edges(tmp_path, app=CAUGHT) == {("app.go", "app.Moved.place")}
