"""Tests and fixtures of pytest: they turn async, marked for pytest-asyncio where that does not take them by itself.

Where a project marks its async tests for anyio's plugin, so are these; fixtures stay sync then, since the plugin runs async
ones for tests that are marked only.
"""

from __future__ import annotations

from asyncfix.boundary import Boundary, Candidate, Mark, Met
from asyncfix.facts.testfiles import is_gathered

DISTRIBUTION = "pytest-asyncio"
# A decorator that ends before a coroutine runs, in all but the newest versions.
MOCKED_REQUESTS = "responses.activate"
UNKNOWN = "is of a project whose async tests a plugin of pytest runs that asyncfix does not know"
HOOK = "pytest_"
CALLED = "is a hook of pytest, which awaits none"
FIXTURES = ("pytest.fixture", "pytest.fixture()")


class PytestTests(Boundary):
    """Functions ``test_*`` of test files, and fixtures, in classes ``Test*`` too; hooks of plugins stay."""

    decorators = (
        "pytest.mark.*",
        "pytest.fixture",
        "pytest.fixture()",
        "unittest.mock.patch.*",
        "unittest.mock.patch()",
        "vcr.use_cassette",
        "vcr.use_cassette()",
    )

    def meets(self, candidate: Candidate) -> Met | None:
        if any(base.startswith("unittest.") for base in candidate.bases):
            return None
        if candidate.name.startswith(HOOK) and candidate.fact.kind in ("function", "method"):
            return Met(False, stays=CALLED)
        own = candidate.fact.owner_class
        gathered = is_gathered(candidate.path) and (not own or own.startswith("Test"))
        fixture = any(decorator in FIXTURES for decorator in candidate.decorators)
        if candidate.unmarked and (fixture or (gathered and candidate.name.startswith("test"))):
            return Met(False, stays=UNKNOWN)
        if fixture:
            if candidate.anyio or (own and not (gathered and candidate.fact.kind == "method")):
                return None
            marks = () if candidate.auto else (Mark("async_fixture"),)
            return Met(True, marks, DISTRIBUTION, iterates=True)
        if gathered and candidate.name.startswith("test"):
            marks = (Mark("mocked_requests"),) if MOCKED_REQUESTS in candidate.decorators else ()
            if candidate.anyio:
                return Met(True, (Mark("anyio_mark"), *marks), rewritten=(MOCKED_REQUESTS,))
            marks = marks if candidate.auto else (Mark("asyncio_mark"), *marks)
            return Met(True, marks, DISTRIBUTION, rewritten=(MOCKED_REQUESTS,))
        return None
