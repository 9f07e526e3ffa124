"""What is told of blocking calls: findings before anything is known of their Changes."""

from __future__ import annotations

from msgspec.structs import replace

from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Call, Finding, Hop, Place
from asyncfix.plan.leaves import Blocking, Leaf, way

COULD = "blocks, and could be awaited"


def spot(finding: Finding) -> tuple[str, Place, str]:
    """By what a finding is known, whatever else is said of it later."""
    return finding.rule, finding.place, finding.message


class Findings:
    """Findings of one plan."""

    def __init__(self, index: ProjectIndex, blocking: Blocking) -> None:
        self.index = index
        self.blocking = blocking

    def direct(self, leaf: Leaf) -> Finding:
        call = leaf.call
        place = Place(self.index.path(leaf.function), call.line, call.column, call.end_line, call.end_column)
        via = (Hop(leaf.function, place.path, call.line), Hop(leaf.name, place.path, call.line))
        return Finding(leaf.rule, place, f"{leaf.name} blocks the event loop", leaf.function, self._leaf(leaf), via)

    def seed(self, leaf: Leaf) -> Finding:
        """Of a blocking call that no async code reaches."""
        return replace(self.direct(leaf), message=f"{leaf.name} {COULD}")

    def bridged(self, leaf: Leaf) -> Finding:
        """Of a call that a thread runs: it holds up nothing."""
        said = f"{leaf.name} runs in a thread; its native form is asked for"
        return replace(self.direct(leaf), message=said, leaf="")

    def indirect(self, edge: Edge, leaf: Leaf, said: str = "blocks the event loop") -> Finding:
        path, site = self.index.path(edge.caller), edge.site
        end_line = site.end_line if isinstance(site, Call) else site.line
        hops = way(self.blocking, self.index, edge, leaf)
        names = " -> ".join(hop.function.rpartition(".")[2] for hop in hops[:-1])
        message = f"{said}: {names} -> {leaf.name} ({hops[-1].path}:{hops[-1].line})"
        return Finding(
            leaf.rule,
            Place(path, site.line, site.column, end_line, site.end_column),
            message,
            edge.caller,
            self._leaf(leaf),
            hops,
        )

    def _leaf(self, leaf: Leaf) -> str:
        return f"{leaf.name} ({self.index.path(leaf.function)}:{leaf.call.line})"
