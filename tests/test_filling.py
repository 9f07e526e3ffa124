"""Edges through what attributes and mappings are filled with: from outside of the class, and by registries."""

from __future__ import annotations

from pathlib import Path

from tests.test_link_edges import Pairs, edges


def of_app(found: Pairs, *callers: str) -> Pairs:
    """The pairs of some callers, without the name of the module."""
    return {(a.removeprefix("app."), b.removeprefix("app.")) for a, b in found if a.removeprefix("app.") in callers}


RULES = """
class Rule:
    def __init__(self):
        self.tests = []
        self.callback = None

    def start(self):
        for test in self.tests:
            test.start()

    def tell(self):
        self.callback(1)


class Length:
    def start(self):
        pass


class Regex:
    def start(self):
        pass


class Other:
    def __init__(self):
        self.tests = []

    def start(self):
        for test in self.tests:
            test.start()


def told(error):
    pass


def make(given):
    rule = Rule()
    rule.tests.append(Length())
    rule.tests.extend([Regex()])
    rule.callback = told
    return rule
"""


def test_what_is_put_into_attributes_from_outside_is_what_they_hold(tmp_path: Path) -> None:
    found = of_app(edges(tmp_path, app=RULES), "Rule.start", "Rule.tell", "Other.start")
    assert found == {("Rule.start", "Length.start"), ("Rule.start", "Regex.start"), ("Rule.tell", "told")}


def test_what_tests_put_there_is_no_part_of_the_program(tmp_path: Path) -> None:
    test = (
        "import app\n\nclass Fake:\n    def start(self): ...\n\ndef test_it():\n    app.Rule().tests.append(Fake())\n"
    )
    found = edges(tmp_path, app=RULES, test_app=test)
    assert not any(callee == "test_app.Fake.start" for _, callee in found)


MANY = "".join(f"class Test{number}(Test):\n    def run(self):\n        pass\n\n\n" for number in range(20))


def test_of_many_the_base_they_share_tells(tmp_path: Path) -> None:
    put = "".join(f"    suite.tests.append(Test{number}())\n" for number in range(20))
    app = "class Test:\n    def run(self):\n        pass\n\n\n" + MANY
    app += "class Suite:\n    def __init__(self):\n        self.tests = []\n\n"
    app += "    def run_all(self):\n        return [test.run() for test in self.tests]\n\n\n"
    app += f"def make(suite: Suite):\n{put}"
    found = of_app(edges(tmp_path, app=app), "Suite.run_all")
    assert found == {("Suite.run_all", f"{name}.run") for name in ("Test", *(f"Test{number}" for number in range(20)))}


def registry(count: int) -> str:
    """A module with that many handlers and a mapping that lists them."""
    functions = "".join(f"def handle_{number}(x):\n    pass\n\n\n" for number in range(count))
    listed = "".join(f"    'key_{number}': handle_{number},\n" for number in range(count))
    return f"{functions}HANDLERS = {{\n{listed}}}\n"


def test_a_mapping_lists_functions_by_name_be_they_many(tmp_path: Path) -> None:
    app = registry(30) + "\n\ndef run(key, x):\n    handler = HANDLERS.get(key)\n    return handler(x)\n"
    found = of_app(edges(tmp_path, app=app), "run")
    assert found == {("run", f"handle_{number}") for number in range(30)}


def test_under_a_key_that_stands_there_is_one_function(tmp_path: Path) -> None:
    use = "import app\nfrom again import HANDLERS as known\n\n\n"
    use += "def one(x):\n    return app.HANDLERS['key_1'](x)\n\n\ndef two(x):\n    return known['key_2'](x)\n"
    again = "from app import HANDLERS\n"
    found = edges(tmp_path, app=registry(3), again=again, use=use)
    assert {pair for pair in found if pair[0].startswith("use.")} == {
        ("use.one", "app.handle_1"),
        ("use.two", "app.handle_2"),
    }


GIVEN_BACK = """
def marked(function):
    function.mark = 1
    return function


""" + "".join(f"@marked\ndef f_{number}():\n    pass\n\n\n" for number in range(20))


def test_what_gives_back_what_it_is_given_gives_not_any_of_many(tmp_path: Path) -> None:
    app = GIVEN_BACK + "def use():\n    return marked(f_0)()\n"
    assert len(of_app(edges(tmp_path, app=app), "use")) <= 2


DEFAULTS = """
from collections import defaultdict


class Made:
    def __init__(self):
        pass

    def go(self):
        pass


def nothing():
    return 0


MADE = defaultdict(Made)


class Counter:
    def __init__(self):
        self.counts = defaultdict(nothing)

    def count(self, word):
        self.counts[word] += 1


def use(key):
    return MADE[key].go()


def local(words):
    counts = defaultdict(lambda: nothing())
    for word in words:
        counts[word] += 1


def plain(words):
    counts = defaultdict(int)
    return counts[words]
"""


def test_a_mapping_makes_what_it_does_not_have(tmp_path: Path) -> None:
    found = of_app(edges(tmp_path, app=DEFAULTS), "Counter.count", "use", "local", "plain")
    assert {(caller, callee.partition(":")[0]) for caller, callee in found} == {
        ("Counter.count", "nothing"),
        ("use", "Made.__init__"),
        ("use", "Made.go"),
        ("local", "local.<locals>.<lambda"),
    }
