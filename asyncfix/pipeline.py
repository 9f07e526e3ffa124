"""The flow, one way: discover, summarise, link, survey, plan, select, compose (rewrite, apply, check), write; in rounds."""

from __future__ import annotations

import gc
import json
import os
import re
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from asyncfix import apply, catalog, discover, registry, rounds, select, vcs, write
from asyncfix.analysis import Analysis, Settings, analyse, judge
from asyncfix.compose import Setting
from asyncfix.config import CACHES, FILES, Config, ConfigError, nearest, override
from asyncfix.config import load as load_config
from asyncfix.exposure import Exposure
from asyncfix.generated import Generated
from asyncfix.link.index import ProjectIndex
from asyncfix.membership import Membership
from asyncfix.model import Change, Place, Refusal, Require
from asyncfix.outcome import FileResult, Lines, Listing, Options, Outcome
from asyncfix.patch import PatchInput, gaps, render
from asyncfix.plan import rows
from asyncfix.plan.document import Document
from asyncfix.plan.document import document as describe
from asyncfix.plan.why import Why
from asyncfix.plan.why import why as explain
from asyncfix.project import Project, is_project_file, read_project
from asyncfix.transform import Rule
from asyncfix.uses import in_step
from asyncfix.workspace import Workspace, processes

LOCK_FILES = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.lock")


class Stop(Exception):
    """The run cannot go on; one line for the user."""


LIMIT = "limit: int = 10"  # in generated code, for which the configuration may say another number


@dataclass(slots=True)
class Clock:
    """CPU and wall seconds by stage, children included: printed where the environment asks for it."""

    times: dict[str, dict[str, float]] = field(default_factory=lambda: dict[str, dict[str, float]]())
    _stage: str = ""
    _began: tuple[float, float] = (0.0, 0.0)

    def __call__(self, stage: str) -> None:
        now = (_cpu(), time.perf_counter())
        if self._stage:
            spent = self.times.setdefault(self._stage, {"cpu": 0.0, "wall": 0.0})
            spent["cpu"] += now[0] - self._began[0]
            spent["wall"] += now[1] - self._began[1]
        self._stage, self._began = stage, now


@dataclass(frozen=True, slots=True)
class Session:
    """What one run works on."""

    options: Options
    workspace: Workspace
    settings: Settings
    setting: Setting
    git_root: Path | None
    notes: tuple[str, ...]
    clock: Clock

    def look(self, _: Analysis | None = None) -> Analysis:
        """Look at the project as it is now."""
        return analyse(self.workspace, self.settings, self.clock)

    def look_again(self, before: Analysis) -> Analysis:
        """The same, in place of the look before."""
        before.index.forget()
        return self.look()


def run(options: Options, ask: Callable[[Change, bytes], str] | None = None) -> Outcome:
    """One run: a report, a diff, or files written. Raises Stop, ConfigError, PathError, WriteError."""
    session = _start(options, _restored(options))
    with _uncollected():
        first = session.look()
        _check_all(session, first.index)
        made = rounds.untouched(first) if options.mode == "report" else _rounds(session, first, ask)
        outcome = _outcome(session, made)
    left = [name for name in options.changes if name not in outcome.taken]
    if left and not outcome.errors:
        raise Stop(f"--change: `{left[0]}` could not be made, with those it needs: see `asyncfix plan`")
    if options.mode == "apply" and outcome.files:
        _write(session, outcome)
    session.clock("")
    if os.environ.get("ASYNCFIX_TIMINGS") == "1":
        print(json.dumps(session.clock.times), file=sys.stderr)
    return outcome


def plan(options: Options) -> tuple[Outcome, Document]:
    """The migration as a document, and what all Changes come to together. Raises Stop, ConfigError, PathError."""
    session = _start(options)
    with _uncollected():
        first, planner = judge(session.workspace, session.settings, session.clock)
        _check_all(session, first.index)
        choice = rounds.Choice(True, frozenset(), None, partial(_patch, session))
        made = rounds.run(session.workspace, session.look, session.setting, first, choice, session.clock)
        known = {change.id for change in first.plan.changes}
        later = [change for change in (*made.taken, *made.left) if change.id not in known]
        return _outcome(session, made), describe(planner, first.plan, later)


def why(options: Options, name: str) -> tuple[Outcome, Why]:
    """What becomes of one function (``pkg.mod:func``), and why. Raises Stop, ConfigError, PathError."""
    session = _start(options)
    function = name.replace(":", ".")
    with _uncollected():
        first, planner = judge(session.workspace, session.settings, session.clock)
        _check_all(session, first.index)
        _check_names("why", (function,), first.index)
        return _outcome(session, rounds.untouched(first)), explain(planner, first.plan, function)


def _check_all(session: Session, index: ProjectIndex) -> None:
    """Raise ConfigError for names that there are not."""
    _check_names("pin", session.settings.config.pin, index)
    _check_names("--root", session.settings.roots, index)
    _check_rows(session.settings.config, index)


@contextmanager
def _uncollected() -> Generator[None]:
    """Without the garbage collector: facts and index hold no cycles, and looking for some takes 30 % of the link."""
    enabled = gc.isenabled()  # the command line does without it to the end
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def listing(options: Options) -> Listing:
    """The files that a run may edit."""
    session = _start(options)
    found = session.workspace
    paths = tuple(path for path in sorted(found.editable()) if path.endswith(".py") and path not in found.skipped)
    return Listing(str(found.root), paths, (*found.discovery.skipped, *found.skipped.values()), found.discovery.ignored)


def undo(path: str) -> tuple[str, ...]:
    """Take the last run of the project round ``path`` back: the paths restored. Raises WriteError."""
    root = discover.find_root([Path(path).resolve()])
    state = write.state_folder(root)
    if write.pending(root, state):
        return write.recover(root, state)
    return write.undo(root, state)


def _restored(options: Options) -> tuple[str, ...]:
    """What an interrupted run left behind: put right before anything is written, else only told."""
    root = discover.find_root([Path(path) for path in options.paths])
    try:
        state = write.state_folder(root)
    except write.WriteError:
        if options.mode == "apply":
            raise
        return ()  # the root holds the user's state folder: nothing was ever written there
    if not write.pending(root, state):
        return ()
    if options.mode != "apply":
        return ("an earlier run was interrupted; `asyncfix undo` or the next --apply restores its files",)
    restored = write.recover(root, state)
    return (f"an earlier run was interrupted: {len(restored)} files restored",)


def _start(options: Options, said: tuple[str, ...] = ()) -> Session:
    clock = Clock()
    clock("discover")
    paths = [Path(path) for path in options.paths]
    root = discover.find_root(paths)
    rules = registry.rules()
    config = _config(root, paths, options, rules)
    tracked = partial(vcs.tracked_though_ignored, root)
    discovery = discover.discover(paths, root, config.exclude, options.force_exclude, tracked)
    workspace = Workspace(root, discovery, processes(options.workers, discovery.files), options.use_cache)
    workspace.load()
    project = read_project(
        {path: data for path, data in workspace.original.items() if data is not None and is_project_file(path)},
        tests=options.migrate,
    )
    _check_strategies(config)
    target, notes = _target(config, project)
    found = catalog.build(registry.maps(), config.apis, config.types, config.builtin_apis, target)
    if not any(item.editable and item.kind == "python" for item in discovery.files):
        notes = (f"no Python files to look at in {', '.join(options.paths)}",)
    client = _http_client(config, project)
    in_force = select.rules_in_force(config, rules)
    roots = tuple(root.replace(":", ".") for root in options.roots)
    migration = (options.migrate, roots, registry.boundaries())
    packages = frozenset(
        path.rpartition("/")[0] for path in workspace.original if path.rpartition("/")[2] == "__init__.py"
    )
    limit = f"limit: int = {config.max_concurrency}"
    generated = ((name, code.replace(LIMIT, limit)) for rule in rules for name, code in rule.generated.items())
    sources = {name: re.sub(r"\bhttpx\b", client, code) for name, code in generated}
    sources |= in_step.GENERATED
    texts = workspace.original
    placed = Generated(sources, Membership(texts, packages), Exposure(texts), config.module)
    settings = Settings(config, project, found, rules, in_force, target, client, placed, *migration)
    setting = Setting({}, project.black, client, placed, target)
    return Session(options, workspace, settings, setting, vcs.git_root(root), (*said, *notes), clock)


def _http_client(config: Config, project: Project) -> str:
    """The configured client, else httpx2 (the same API) if the project depends on that one alone, else httpx."""
    other = "httpx2" in project.runtime_declared and "httpx" not in project.runtime_declared
    return config.http_client or ("httpx2" if other else "httpx")


def _check_strategies(config: Config) -> None:
    """Raise ConfigError for a strategy of something that is no library of an API map: nothing would heed it."""
    rows = (*config.apis, *(row for each in registry.maps() for row in each.blocking))
    known = sorted({FILES, CACHES, *(row.call.partition(".")[0] for row in rows)})
    for key in config.strategy:
        if key not in known:
            raise ConfigError(f"strategy: no library here is called `{key}`, did you mean `{nearest(key, known)}`?")


def _check_names(kind: str, named: Iterable[str], index: ProjectIndex) -> None:
    """Raise ConfigError for the name of something that is no function of a file that could be read: nothing would heed it."""
    known = {name for name, info in index.functions.items() if info.fact.kind not in ("module", "class", "lambda")}
    unread = tuple(f"{index.evaluator.modules.names[text.path]}." for text in index.texts if text.kind == "python")
    for name in named:
        if name not in known and not name.startswith(unread):
            raise ConfigError(f"{kind}: no function here is called `{name}`{_meant(name, known)}")


def _check_rows(config: Config, index: ProjectIndex) -> None:
    """Raise ConfigError for a row that speaks of something in the project which is not there: nothing would heed it."""
    for name in rows.missing(index, config.apis):
        raise ConfigError(f"api: nothing here is called `{name}`{_meant(name, index.functions)}")


def _meant(name: str, known: Iterable[str]) -> str:
    """What may have been meant by a name that there is not: the nearest of those in one place with it, or of one name."""
    owner, _, last = name.rpartition(".")
    close = sorted(each for each in known if each.endswith(f".{last}") or each.startswith(f"{owner}."))
    return f", did you mean `{nearest(name, close)}`?" if close else ""


def _config(root: Path, paths: Sequence[Path], options: Options, rules: Sequence[Rule]) -> Config:
    text, name = b"", "pyproject.toml"
    for folder in (paths[0].resolve(), *paths[0].resolve().parents):
        candidate = folder / "pyproject.toml"
        if discover.is_file(candidate):
            text, name = _read(candidate), str(candidate)
            break
        if folder == root:
            break
    config = load_config(text, name)
    try:
        select.rules_in_force(config, rules)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error
    return override(
        config,
        select=options.select,
        extend_select=options.extend_select,
        ignore=options.ignore,
        exclude=options.exclude,
        strategy=options.strategy,
        target_version=options.target_version,
    )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error


def _target(config: Config, project: Project) -> tuple[tuple[int, int], tuple[str, ...]]:
    stated = config.target_version or project.requires_python
    if stated is not None:
        return stated, ()
    running = sys.version_info[:2]
    assumed = f"assuming Python {running[0]}.{running[1]}"
    return running, (f"no requires-python that names an oldest version, and no target-version: {assumed}",)


def _rounds(session: Session, first: Analysis, ask: Callable[[Change, bytes], str] | None) -> rounds.Made:
    def show(pieces: Mapping[str, apply.Pieces]) -> bytes:
        return _patch(session, pieces)

    if ask is not None:  # not after all the questions
        _refuse_dirty(session, {path for change in first.plan.changes for path in change.files})
    named = _named(session, first)
    choice = rounds.Choice(session.options.unsafe, named, ask, show)
    return rounds.run(session.workspace, session.look_again, session.setting, first, choice, session.clock)


def _named(session: Session, first: Analysis) -> frozenset[str]:
    """The ids of the Changes that were asked for, with those they need. Raises ConfigError for one that there is not."""
    wanted = session.options.changes
    known = {change.id: change for change in first.plan.changes}
    if not known.keys() >= set(wanted):  # some come up only when others are in
        known |= {change.id: change for change in _all(session.options)}
    for name in wanted:
        if name not in known:
            close = f", did you mean `{nearest(name, sorted(known))}`?" if known else ", and there is none to make"
            raise ConfigError(f"--change: no change is called `{name}`{close}")
    return select.with_needed(wanted, known)


def _all(options: Options) -> Sequence[Change]:
    """The Changes of all rounds, were every one taken."""
    session = _start(options)
    first = session.look()
    choice = rounds.Choice(True, frozenset(), None, partial(_patch, session))
    made = rounds.run(session.workspace, session.look_again, session.setting, first, choice, session.clock)
    return (*made.taken, *made.left)


def _patch(session: Session, pieces: Mapping[str, apply.Pieces]) -> bytes:
    prefix = session.workspace.root.relative_to(session.git_root).as_posix() if session.git_root else "."
    original = session.workspace.original
    return render(
        PatchInput(path if prefix == "." else f"{prefix}/{path}", original.get(path), parts)
        for path, parts in sorted(pieces.items())
    )


def _outcome(session: Session, made: rounds.Made) -> Outcome:
    workspace = session.workspace
    files = tuple(
        FileResult(path, workspace.original[path], workspace.current(path), _lines(workspace, path))
        for path in sorted(workspace.pieces)
        if workspace.original[path] != workspace.current(path)
    )
    changed = {item.path for item in files}
    return Outcome(
        root=str(workspace.root),
        patch_root=str(session.git_root or workspace.root),
        findings=made.findings,
        changes=(*made.taken, *made.left),
        taken=frozenset(change.id for change in made.taken),
        refusals=_distinct(made.refusals),
        skipped=(*workspace.discovery.skipped, *workspace.skipped.values()),
        files=files,
        patch=_patch(session, {path: parts for path, parts in workspace.pieces.items() if path in changed}),
        errors=tuple(sorted(made.errors)),
        notes=(*session.notes, *_installs(session, made.taken)),
        sync_sites=made.sync_sites,
        ignored=dict(workspace.discovery.ignored),
    )


def _lines(workspace: Workspace, path: str) -> tuple[Lines, ...]:
    """Which lines of a file were replaced by which."""
    found: list[Lines] = []
    shift = 1
    for gap in gaps(workspace.original[path] or b"", workspace.pieces[path]):
        found.append(Lines(gap.line + 1, len(gap.removed), gap.line + shift, len(gap.added)))
        shift += len(gap.added) - len(gap.removed)
    return tuple(found)


def _distinct(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Each once: the leaves that one expression reaches are often refused for one reason."""
    found: dict[tuple[str, Place, str, str], Refusal] = {}
    for item in refusals:
        found.setdefault((item.finding.rule, item.finding.place, item.reason, item.message), item)
    return tuple(found.values())


def _installs(session: Session, taken: Sequence[Change]) -> Iterator[str]:
    """What is to be installed, and which lock files no longer fit."""
    wanted = sorted({item.distribution for change in taken for item in change.decisions if isinstance(item, Require)})
    if wanted:
        locks = [name for name in LOCK_FILES if (session.workspace.root / name).is_file()]
        yield f"install what was declared: python -m pip install {' '.join(wanted)}" + (
            f"; refresh {', '.join(locks)}" if locks else ""
        )


def _write(session: Session, outcome: Outcome) -> None:
    """Write all files or none."""
    root = session.workspace.root
    _refuse_dirty(session, [item.path for item in outcome.files if item.old is not None])
    changes = [write.FileChange(item.path, item.old, item.new) for item in outcome.files]
    write.commit(root, changes, write.state_folder(root))


def _refuse_dirty(session: Session, paths: Iterable[str]) -> None:
    """Raise Stop if git knows of changes to files that the user wants it to hold first."""
    root, git_root = session.workspace.root, session.git_root
    if git_root is None or session.options.allow_dirty:
        return
    prefix = root.relative_to(git_root)
    written = write.last_written(root, write.state_folder(root))
    clean = {(prefix / path).as_posix(): digest for path, digest in written.items()}
    dirty = vcs.dirty(git_root, [root / path for path in sorted(paths)], clean)
    if dirty is None:
        raise Stop(f"{git_root}: git cannot say whether the files have uncommitted changes; say --allow-dirty to go on")
    if dirty:
        first, *others = dirty
        more = f" and {len(others)} more" if others else ""
        raise Stop(f"{first}{more}: uncommitted changes; commit or stash them, or say --allow-dirty")


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
