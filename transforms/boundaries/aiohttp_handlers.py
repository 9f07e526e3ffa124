"""Handlers of aiohttp's server: they turn async, as they should be. It runs sync ones on the event loop, and warns of them."""

from __future__ import annotations

from asyncfix.boundary import Boundary, Candidate, Met, covers

METHODS = ("get", "post", "put", "delete", "patch", "head", "options", "view")
VIEWS = ("aiohttp.web.View", "aiohttp.web_urldispatcher.View")
ASKED = ("connect", "delete", "get", "head", "options", "patch", "post", "put", "trace")
AWAITED = "gives aiohttp something to await by itself"
ROUTER = "aiohttp.web.UrlDispatcher"
TAKES = {
    **{f"aiohttp.web.{name}": (1, "handler") for name in METHODS},
    **{f"{ROUTER}.add_{name}": (1, "handler") for name in METHODS},
    "aiohttp.web.route": (2, "handler"),
    f"{ROUTER}.add_route": (2, "handler"),
}


class AiohttpHandlers(Boundary):
    """Functions that are given to a route; methods of a ``View``, which awaits what they give: those that are
    not async give a coroutine."""

    decorators = tuple(f"aiohttp.web.RouteTableDef.{name}()" for name in (*METHODS, "route"))
    bases = VIEWS
    takes = TAKES

    def meets(self, candidate: Candidate) -> Met | None:
        if candidate.name in ASKED and set(VIEWS) & set(candidate.bases):
            return Met(True) if candidate.fact.is_async else Met(False, stays=AWAITED)
        handled = candidate.given & set(self.takes) or any(
            covers(self.decorators, item) for item in candidate.decorators
        )
        return Met(True) if handled else None
