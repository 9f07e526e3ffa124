"""Handlers of AWS Lambda: they stay as they are, and run a coroutine. Its runtime calls them outside of any event loop."""

from __future__ import annotations

from asyncfix.boundary import Boundary, Candidate, Met

NAME = "lambda_handler"
PARAMETERS = ("event", "context")


class LambdaHandlers(Boundary):
    """Functions called ``lambda_handler``, or with the parameters ``event`` and ``context``."""

    def meets(self, candidate: Candidate) -> Met | None:
        fact = candidate.fact
        if fact.kind != "function" or fact.outer or fact.decorators or len(fact.parameters) != len(PARAMETERS):
            return None
        named = tuple(parameter.name.lstrip("_") for parameter in fact.parameters) == PARAMETERS
        return Met(turns=False) if named or candidate.name == NAME else None
