"""How many of the calls that a project's tests make the link knows: ``python -m tests.benchmarks.caller_edges ROOT -- COMMAND``.

COMMAND (``env/bin/python -m pytest ...``) is run in ROOT, in the project's own environment (Python 3.11 or newer), with
`caller_recorder` loaded into its pytest. What ran is then compared with the index of the project as it lies in ROOT:

    recall     of the pairs of caller and callee that the tests ran, the share with an edge. Only direct calls count, from
               code of the project to code of the project; what a library calls in between is counted apart, as are
               functions that tests put in the place of others. Where there is no edge, the caller may at least be known as
               a possible caller; ``silent`` is what is left. Named calls leave out properties and special methods but for
               constructors and ``__call__``: what Python runs without being told a name.
    precision  of the edges whose call was made in the tests, the share whose callee was run by it. Calls of mocks do not
               count; what another method of the same name was run for (an override) is counted apart. What a call of a
               coroutine function or a generator makes is run by others, often by the loop: that it ran is enough.

From asyncfix's root, on a copy: tests leave files behind.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asyncfix import catalog, discover, registry
from asyncfix.analysis import source_roots
from asyncfix.facts.testfiles import is_test
from asyncfix.link import modules
from asyncfix.link.index import CONSTRUCTORS, Edge, ProjectIndex
from asyncfix.link.linking import link
from asyncfix.model import Call, Function
from asyncfix.source import Source
from asyncfix.verify.roots import roots
from asyncfix.workspace import Workspace, processes

PLUGIN = Path(__file__).with_name("caller_recorder.py")
COMPREHENSION = re.compile(r"(?:^|\.)(?:<locals>\.)?<(?:listcomp|setcomp|dictcomp|genexpr)>$")
LAMBDA = re.compile(r"<lambda:\d+:\d+>")
NAMES = re.compile(r"\w+")
NAMED = (*CONSTRUCTORS, "__call__")
SITE = tuple[int, int]
"""Line and column, in characters from 1, behind the last one of an expression."""


@dataclass(slots=True)
class Observed:
    """What ran, by ids of the index.

    direct    pairs of caller and callee with the places of the calls; through: those with a library in between
    above     pairs of a caller's caller and callee: what a wrapper of the project stands between
    calls     places of calls that were made, by caller; others: of all expressions that were worked out
    doubled   places where a mock was called, or something of the tests in place of the project's
    """

    direct: dict[tuple[str, str], set[SITE]] = field(default_factory=lambda: dict[tuple[str, str], set[SITE]]())
    through: set[tuple[str, str]] = field(default_factory=lambda: set[tuple[str, str]]())
    above: set[tuple[str, str]] = field(default_factory=lambda: set[tuple[str, str]]())
    calls: dict[str, set[SITE]] = field(default_factory=lambda: dict[str, set[SITE]]())
    others: dict[str, set[SITE]] = field(default_factory=lambda: dict[str, set[SITE]]())
    doubled: dict[str, set[SITE]] = field(default_factory=lambda: dict[str, set[SITE]]())
    replaced: set[tuple[str, str]] = field(default_factory=lambda: set[tuple[str, str]]())
    unplaced: set[str] = field(default_factory=lambda: set[str]())


@dataclass(slots=True)
class Result:
    """The figures: pairs with an edge, with a possible caller, with neither; edges that were run, that were not, and
    those for which another method was run. Each miss with its kind and a place. ``named`` and ``named_found``: see above.
    """

    found: int = 0
    named: int = 0
    named_found: int = 0
    possible: list[tuple[str, str]] = field(default_factory=lambda: list[tuple[str, str]]())
    silent: list[tuple[str, str]] = field(default_factory=lambda: list[tuple[str, str]]())
    run: int = 0
    alternatives: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=lambda: list[tuple[str, str]]())

    @property
    def recall(self) -> float:
        return self.found / max(1, self.found + len(self.possible) + len(self.silent))

    @property
    def precision(self) -> float:
        return self.run / max(1, self.run + len(self.wrong))


def main() -> int:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        usage="%(prog)s ROOT [options] -- COMMAND", description=__doc__, formatter_class=formatter
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--examples", type=int, default=3, metavar="N", help="places shown of each kind (default: 3)")
    parser.add_argument("--kinds", type=int, default=12, metavar="N", help="kinds of misses shown (default: 12)")
    parser.add_argument("--records", type=Path, help="keep what ran in this folder, or take it from there")
    own, command = divided(sys.argv[1:])
    given = parser.parse_args(own)
    root: Path = discover.find_root([given.root.resolve()])
    workspace, index = linked(root)
    with tempfile.TemporaryDirectory() as temporary:
        records: Path = (given.records or Path(temporary)).resolve()
        if not any(records.glob("*[0-9].json")):
            print(
                recorded(
                    command, given.root, records, [str(root / path) for path in index.summaries], imported(root, index)
                )
            )
        observed = Observer(root, workspace, index).read(records)
    result = compared(index, observed)
    show(observed, result, given.kinds, given.examples)
    return 0


def divided(words: list[str]) -> tuple[list[str], list[str]]:
    """What stands before ``--``, and behind it."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


# ------------------------------------------------------------------------------------------------------------ the index


def linked(root: Path) -> tuple[Workspace, ProjectIndex]:
    """The files of a project, and their index."""
    discovery = discover.discover([root], root, ())
    workspace = Workspace(root, discovery, processes(None, discovery.files), use_cache=False)
    workspace.load()
    summaries, texts = workspace.facts()
    named = modules.build((item.path for item in summaries), source_roots(workspace.original))
    return workspace, link(summaries, texts, named, catalog.build(registry.maps()))


def imported(root: Path, index: ProjectIndex) -> list[str]:
    """The folders that go first on Python's path, so that the files in ``root`` run and no installed copy of them."""
    found = roots(root, (path for path in index.summaries if not is_test(path))).folders
    return [str(root / folder) for folder in found]


def recorded(command: Sequence[str], here: Path, records: Path, files: Sequence[str], path: Sequence[str]) -> str:
    """Run the tests with the recorder: the last line of what they printed."""
    records.mkdir(parents=True, exist_ok=True)
    (records / "files.json").write_text(json.dumps([os.path.realpath(file) for file in files]), encoding="utf-8")
    with tempfile.TemporaryDirectory() as plugin:
        (Path(plugin) / PLUGIN.name).write_bytes(PLUGIN.read_bytes())
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [plugin, *path, os.environ.get("PYTHONPATH", "")])),
            "PYTEST_ADDOPTS": f"{os.environ.get('PYTEST_ADDOPTS', '')} --assert=plain -p {PLUGIN.stem}".strip(),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CALLER_EDGES": str(records),
        }
        done = subprocess.run(
            command,
            cwd=here,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    return (done.stdout.decode(errors="replace").strip().splitlines() or ["nothing printed"])[-1]


# ------------------------------------------------------------------------------------------------------------- what ran


class Observer:
    """Reads what the recorder wrote, in terms of the index."""

    def __init__(self, root: Path, workspace: Workspace, index: ProjectIndex) -> None:
        self.root = os.path.realpath(root)
        self.sources = {path: Source(path, workspace.original[path] or b"") for path in index.summaries}
        self.index = index
        self.found = Observed()
        self._named: dict[tuple[str, str], list[str]] = {}
        for name, info in index.functions.items():
            self._named.setdefault((info.path, LAMBDA.sub("<lambda>", info.fact.qualname)), []).append(name)

    def read(self, records: Path) -> Observed:
        """All processes together."""
        for file in sorted(records.glob("*[0-9].json")):
            record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            ids: list[str] = [self._function(*each) for each in record["functions"]]
            self._sites(record, ids)
            inner = [bool(COMPREHENSION.search(each[1])) for each in record["functions"]]
            for each in record["entered"]:
                if not inner[each[0]]:  # a comprehension is no function of its own
                    self._entered(each, ids)
        return self.found

    def _function(self, file: str, qualname: str, first: int, line: int, column: int) -> str:
        """The id of a function as its code tells it, '' if the index has none."""
        path = os.path.relpath(file, self.root).replace(os.sep, "/")
        name = "" if qualname == "<module>" else qualname
        while COMPREHENSION.search(name):
            name = COMPREHENSION.sub("", name)
        among = [(self.index.fact(each), each) for each in self._named.get((path, name.removeprefix("<module>")), ())]
        if name.endswith("<lambda>"):
            at = (line, self.sources[path].column(line, column))
            before = [(fact.line, fact.column, each) for fact, each in among if (fact.line, fact.column) <= at]
            return max(before, default=(0, 0, ""))[-1]
        if name == qualname:
            among = [(fact, each) for fact, each in among if not name or fact.line >= first]
        best = min(among, key=lambda item: item[0].line, default=None)
        if best is None:
            self.found.unplaced.add(f"{path}:{first} {qualname}")
        return best[1] if best is not None else ""

    def _site(self, caller: str, line: int, column: int) -> SITE:
        return (line, self.sources[self.index.path(caller)].column(line, column)) if line else (0, 0)

    def _sites(self, record: Mapping[str, Any], ids: list[str]) -> None:
        ran: list[list[int]] = record["ran"]
        doubled: list[list[int]] = record["doubled"]
        for number, is_call, line, column in ran:
            if ids[number]:
                site = self._site(ids[number], line, column)
                (self.found.calls if is_call else self.found.others).setdefault(ids[number], set()).add(site)
        for number, line, column in doubled:
            if ids[number]:
                self.found.doubled.setdefault(ids[number], set()).add(self._site(ids[number], line, column))

    def _entered(self, entry: Sequence[int], ids: list[str]) -> None:
        callee, caller, direct, line, column, above = entry
        first, second = ids[caller], ids[callee]
        if not first or not second or self.index.fact(second).kind in ("module", "class"):
            return
        if above >= 0:
            self.found.above.add((ids[above], second))
        site = self._site(first, line, column)
        if is_test(self.index.path(second)) and self._is_replaced(first, site):
            self.found.replaced.add((first, second))
            self.found.doubled.setdefault(first, set()).add(site)
        elif direct:
            self.found.direct.setdefault((first, second), set()).add(site)
        else:
            self.found.through.add((first, second))

    def _is_replaced(self, caller: str, site: SITE) -> bool:
        """Whether what ran at a place, of the tests, stands for something of the project: mocks, fakes, patches."""
        meant = (edge.callee for edge in self.index.calls.get(caller, ()) if _end(edge) == site)
        return not is_test(self.index.path(caller)) or any(not is_test(self.index.path(callee)) for callee in meant)


# ----------------------------------------------------------------------------------------------------------- comparison


def _end(edge: Edge) -> SITE:
    """Where the place of an edge ends."""
    site = edge.site
    return (site.end_line, site.end_column) if isinstance(site, Call) else (site.line, site.end_column)


def compared(index: ProjectIndex, observed: Observed) -> Result:
    """The pairs that ran against the edges."""
    result = Result()
    edges = {
        (edge.caller, edge.callee)
        for known in (index.calls, index.wrapped)
        for edges in known.values()
        for edge in edges
    }
    for pair, sites in sorted(observed.direct.items()):
        named = _is_named(index.fact(pair[1]))
        result.named += named
        if pair in edges:
            result.found += 1
            result.named_found += named
            continue
        miss = (missed(index, pair, sites), f"{where(index, pair[0], min(sites)[0])} -> {pair[1]}")
        (result.possible if _may_call(index, *pair) else result.silent).append(miss)
    ran = {*observed.direct, *observed.through, *observed.above}
    entered = observed.calls.keys() | observed.others.keys()
    for pair, made in _made(index, observed).items():
        callee = index.fact(pair[1])
        if pair in ran or ((callee.is_async or callee.is_generator) and pair[1] in entered):
            result.run += 1
        elif all(any((pair[0], other) in ran for other in _at(index, edge)) for edge in made):
            result.alternatives += 1
        else:
            edge = made[0]
            kind = f"{edge.kind} {_shape(edge.site.targets) if isinstance(edge.site, Call) else ''}".strip()
            result.wrong.append((kind, f"{where(index, pair[0], edge.site.line)} -> {pair[1]}"))
    return result


def _is_named(fact: Function) -> bool:
    last = fact.qualname.rpartition(".")[2]
    special = last.startswith("__") and last.endswith("__") and last not in NAMED
    return fact.kind != "property" and not special


def where(index: ProjectIndex, caller: str, line: int) -> str:
    """``path:line (text)`` of a place."""
    return f"{index.path(caller)}:{line}"


def _made(index: ProjectIndex, observed: Observed) -> dict[tuple[str, str], list[Edge]]:
    """The edges whose place was reached in the tests, and led to no mock, by pair."""
    found: dict[tuple[str, str], list[Edge]] = {}
    for edge in (edge for edges in index.calls.values() for edge in edges):
        site = edge.site
        if index.fact(edge.callee).kind in ("module", "class"):
            continue
        end = _end(edge)
        reached = observed.calls if isinstance(site, Call) else observed.others
        if end in reached.get(edge.caller, ()) and end not in observed.doubled.get(edge.caller, ()):
            found.setdefault((edge.caller, edge.callee), []).append(edge)
    return found


def _at(index: ProjectIndex, edge: Edge) -> Iterator[str]:
    """What else the place of an edge is said to run, of the same name."""
    last = edge.callee.rpartition(".")[2].partition("#")[0]
    for other in index.calls[edge.caller]:
        if other.span == edge.span and other.callee.rpartition(".")[2].partition("#")[0] == last:
            yield other.callee


def _may_call(index: ProjectIndex, caller: str, callee: str) -> bool:
    """Whether a place in the caller is known that may mean the callee."""
    last = index.fact(callee).qualname.rpartition(".")[2]
    path = index.path(caller)
    noted = (*index.by_name.get(last, ()), *index.passed.get(callee, ()))
    return any(use.owner == caller or (not use.owner and use.path == path) for use in noted)


def missed(index: ProjectIndex, pair: tuple[str, str], sites: Iterable[SITE]) -> str:
    """The kind of a call without an edge: what the receiver is, as far as it is known."""
    callee = index.fact(pair[1])
    for call in index.fact(pair[0]).calls:
        if (call.end_line, call.end_column) in sites:
            return f"{_kind(callee)} by {_shape(call.targets)}"
    return f"{_kind(callee)}, no call"


def _kind(fact: Function) -> str:
    last = fact.qualname.rpartition(".")[2]
    if last.startswith("__") and last.endswith("__"):
        return last
    return "lambda" if fact.kind == "lambda" else fact.kind


def _shape(targets: Sequence[str]) -> str:
    """Refs without the names in them."""
    shapes: list[str] = []
    for target in targets:
        root = "own" if target[:1] == ":" else "unknown" if target[:1] == "?" else "import"
        if target.startswith("builtins."):
            root = "builtin"
        steps = NAMES.sub("", target.replace("<locals>.", ""))
        shapes.append(f"{root} {steps.lstrip(':?')}".strip())
    return " | ".join(dict.fromkeys(shapes))


def show(observed: Observed, result: Result, kinds: int, examples: int) -> None:
    pairs = result.found + len(result.possible) + len(result.silent)
    print(
        f"recall {result.recall:.1%} of {pairs} pairs (named calls {result.named_found / max(1, result.named):.1%} of "
        f"{result.named}), possible callers {len(result.possible)}, silent {len(result.silent)} | "
        f"precision {result.precision:.1%} of {result.run + len(result.wrong)} edges, overrides {result.alternatives} | "
        f"apart: through libraries {len(observed.through - observed.direct.keys())}, of tests {len(observed.replaced)}, "
        f"no such function {len(observed.unplaced)}"
    )
    for title, misses in (("silent", result.silent), ("possible", result.possible), ("wrong", result.wrong)):
        by_kind = Counter(kind for kind, _ in misses)
        for kind, count in by_kind.most_common(kinds):
            print(f"  {title:9}{count:5}  {kind}")
            for _, place in [miss for miss in misses if miss[0] == kind][:examples]:
                print(f"{'':20}{place}")


if __name__ == "__main__":
    sys.exit(main())
