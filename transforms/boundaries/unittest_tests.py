"""Tests of unittest: the methods turn async, and their class an ``IsolatedAsyncioTestCase``.

An async method of a plain ``TestCase`` passes without having run.
"""

from __future__ import annotations

from asyncfix.boundary import Boundary, Candidate, Mark, Met

from .pytest_tests import MOCKED_REQUESTS

AROUND = {"setUp": "async_around", "tearDown": "async_around"}


class UnittestTests(Boundary):
    """Methods ``test*``, ``setUp`` and ``tearDown`` of a ``TestCase``."""

    decorators = ("unittest.mock.patch.*", "unittest.mock.patch()", "unittest.skip()", "unittest.skipIf()")
    bases = ("unittest.TestCase", "unittest.case.TestCase", "unittest.IsolatedAsyncioTestCase")

    def meets(self, candidate: Candidate) -> Met | None:
        if not set(self.bases) & set(candidate.bases[:1]):
            return None  # of a mixin, or a test case of the project's own, nobody knows who else inherits
        isolated = "unittest.IsolatedAsyncioTestCase" in candidate.bases
        marks = () if isolated else (Mark("isolated_case", "class"),)
        if candidate.name in AROUND:
            return Met(True, (*marks, Mark(AROUND[candidate.name])))
        if MOCKED_REQUESTS in candidate.decorators:
            marks = (*marks, Mark("mocked_requests"))
        return Met(True, marks, rewritten=(MOCKED_REQUESTS,)) if candidate.name.startswith("test") else None
