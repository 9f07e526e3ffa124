"""Handlers and dependencies of FastAPI and Starlette: they turn async, if nothing blocks in them then.

Sync ones are run in a thread pool, where they block nobody; only what is called when the application starts or stops is run
on the event loop.
"""

from __future__ import annotations

from asyncfix.boundary import OVERRIDES, VALUES, Boundary, Candidate, Met, covers

METHODS = ("get", "post", "put", "delete", "patch", "options", "head", "trace", "api_route", "route")
APPLICATIONS = ("fastapi.FastAPI", "starlette.applications.Starlette")
OWNERS = (*APPLICATIONS, "fastapi.APIRouter", "starlette.routing.Router")
AT_ONCE = tuple(f"{owner}.{name}" for owner in OWNERS for name in ("on_event", "add_event_handler"))
DEPENDENCIES = {"fastapi.Depends", "fastapi.Security", OVERRIDES}
ENDPOINT = "starlette.endpoints.HTTPEndpoint"
TAKES = {
    "fastapi.Depends": (0, "dependency"),
    "fastapi.Security": (0, "dependency"),
    "starlette.routing.Route": (1, "endpoint"),
    "fastapi.routing.APIRoute": (1, "endpoint"),
    "starlette.background.BackgroundTask": (0, "func"),
    "starlette.background.BackgroundTasks.add_task": (0, "func"),
    **{f"{owner}.{name}": (1, "endpoint") for owner in OWNERS for name in ("add_api_route", "add_route")},
    **{f"{owner}.add_exception_handler": (1, "handler") for owner in OWNERS},
    **dict.fromkeys(APPLICATIONS, (-1, f"exception_handlers{VALUES}")),
    **{f"{owner}.add_event_handler": (1, "func") for owner in OWNERS},
}


class FastapiHandlers(Boundary):
    """Routes, dependencies, handlers of exceptions, background tasks; methods of an ``HTTPEndpoint``."""

    decorators = tuple(
        f"{owner}.{name}()" for owner in OWNERS for name in (*METHODS, "exception_handler", "on_event", "websocket")
    )
    bases = (ENDPOINT,)
    takes = TAKES

    def meets(self, candidate: Candidate) -> Met | None:
        if ENDPOINT in candidate.bases and candidate.name in METHODS:
            return Met(True, pooled=True)
        names = {
            decorator.removesuffix("()") for decorator in candidate.decorators if covers(self.decorators, decorator)
        }
        names |= candidate.given & {*self.takes, OVERRIDES}
        if not names:
            return None
        return Met(True, pooled=not names <= set(AT_ONCE), iterates=names <= DEPENDENCIES)
