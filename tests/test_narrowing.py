"""Edges of objects of which a test in the code has shown what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_link_edges import edges

CLASSES = """
class Base:
    pass


class Dog(Base):
    def bark(self):
        return self


class Cat:
    def bark(self):
        return self

    @property
    def name(self):
        return ""


"""


@pytest.mark.parametrize(
    ("code", "called"),
    [
        ("def use(x):\n    if isinstance(x, Dog):\n        x.bark()", {"Dog.bark"}),
        ("def use(x):\n    if not isinstance(x, (Dog, Cat)):\n        return\n    x.bark()", {"Dog.bark", "Cat.bark"}),
        ("def use(x):\n    assert isinstance(x, Cat)\n    x.bark()", {"Cat.bark"}),
        ("def use(x):\n    return isinstance(x, Cat) and x.bark()", {"Cat.bark"}),
        ("def use(x):\n    return not isinstance(x, Cat) or x.bark()", {"Cat.bark"}),
        ("def use(x: Base):\n    return x.bark() if isinstance(x, Dog) else None", {"Dog.bark"}),
        ("def use(xs):\n    return [x.name for x in xs if isinstance(x, Cat)]", {"Cat.name"}),
        ("def use(x):\n    if isinstance(x, Dog) or isinstance(x, Cat):\n        x.bark()", {"Dog.bark", "Cat.bark"}),
        ("def use(x):\n    if isinstance(x, type) and issubclass(x, Dog):\n        x().bark()", {"Dog.bark"}),
        ("def use(x):\n    match x:\n        case Cat() | Dog():\n            x.bark()", {"Dog.bark", "Cat.bark"}),
        ("def use(x):\n    match x:\n        case Cat() as cat:\n            cat.bark()", {"Cat.bark"}),
        ("def use(x):\n    if isinstance(x, Dog):\n        pass\n    else:\n        x.bark()", set[str]()),
        ("def use(x):\n    if isinstance(x, Dog):\n        x = other()\n        x.bark()", set[str]()),
        ("def use(x):\n    if isinstance(x, Dog):\n        return lambda x: x.bark()", set[str]()),
    ],
)
def test_an_object_is_of_the_class_that_a_test_has_shown(tmp_path: Path, code: str, called: set[str]) -> None:
    found = edges(tmp_path, app=CLASSES + code)
    assert {callee for caller, callee in found if caller == "app.use"} == {f"app.{name}" for name in called}


KEPT = """
class Holder:
    def __init__(self):
        self._cat = None

    @property
    def cat(self):
        return self._cat

    @cat.setter
    def cat(self, cat):
        if isinstance(cat, Cat):
            self._cat = cat


def checked(x):
    assert isinstance(x, Cat)
    return x


def use(x):
    Holder().cat.bark()


def take(x):
    checked(x).bark()
"""


def test_what_is_kept_or_given_behind_a_test_is_of_its_class(tmp_path: Path) -> None:
    found = edges(tmp_path, app=CLASSES + KEPT)
    assert {("app.use", "app.Cat.bark"), ("app.take", "app.Cat.bark")} <= found
