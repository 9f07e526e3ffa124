"""Tests of unittest: the methods turn async, and their class an ``IsolatedAsyncioTestCase``.

An async method of a plain ``TestCase`` passes without having run.
"""

from __future__ import annotations

from asyncfix.boundary import Boundary, Candidate, Mark, Met
from asyncfix.facts.testfiles import is_gathered

from .pytest_tests import MOCKED_REQUESTS

AROUND = {"setUp": "asyncSetUp", "tearDown": "asyncTearDown"}
"""What is awaited around a test under another name."""
CALLING = frozenset({"_callTestMethod", "_callSetUp", "_callTearDown", "_callCleanup"})
"""Methods by which a `TestCase` calls the others: where the project has its own, nobody knows what becomes of a coroutine."""

LOADING = "load_tests"
ONCE = frozenset({"setUpClass", "tearDownClass"})


class UnittestTests(Boundary):
    """Methods ``test*``, ``setUp`` and ``tearDown`` of a ``TestCase``."""

    decorators = (
        "unittest.mock.patch.*",
        "unittest.mock.patch()",
        "unittest.skip()",
        "unittest.skipIf()",
        "unittest.skipUnless()",
        "unittest.expectedFailure",
    )
    bases = ("unittest.TestCase", "unittest.case.TestCase", "unittest.IsolatedAsyncioTestCase")

    def meets(self, candidate: Candidate) -> Met | None:
        if candidate.name == LOADING and is_gathered(candidate.path) and not candidate.fact.owner_class:
            return Met(False, stays="is called by unittest to find its tests")
        if not set(self.bases) & set(candidate.foreign[:1]) or candidate.inherited & CALLING:
            return None  # of a mixin nobody knows who else inherits
        if candidate.name in candidate.inherited and candidate.name in ONCE:
            return None  # that one is sync, and may be called too
        if AROUND.get(candidate.name) in candidate.inherited | candidate.beside:
            return None  # both are run, one after the other
        isolated = "unittest.IsolatedAsyncioTestCase" in candidate.bases
        how = "isolated_case" if set(self.bases) & candidate.listed else "isolated_heir"
        if how == "isolated_heir" and "builtins.object" in candidate.listed:
            return None  # nothing may stand behind `object`
        marks = () if isolated else (Mark(how, "class"),)
        if candidate.name in AROUND:
            return Met(True, (*marks, Mark("async_around")), called="special_call")
        if candidate.name in ONCE:
            return Met(False)  # nothing awaits it: it runs before and after the loops of the tests
        if MOCKED_REQUESTS in candidate.decorators:
            marks = (*marks, Mark("mocked_requests"))
        return Met(True, marks, rewritten=(MOCKED_REQUESTS,)) if candidate.name.startswith("test") else None
