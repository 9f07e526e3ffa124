"""The flow, one way: discover, summarise, link, survey, plan, select, compose (rewrite, apply, check), write; in rounds."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import msgspec

from asyncfix import apply, catalog, discover, registry, select, vcs, write
from asyncfix.analysis import Analysis, Settings, analyse
from asyncfix.compose import Composition, Setting, compose
from asyncfix.config import Config, ConfigError, override
from asyncfix.config import load as load_config
from asyncfix.generated import Generated
from asyncfix.model import Change, Decision, Plan, Require, Rewrite, Use, span_of
from asyncfix.outcome import FileResult, Listing, Options, Outcome
from asyncfix.patch import PatchInput, render
from asyncfix.project import Project, is_project_file, read_project
from asyncfix.workspace import Workspace, processes

MOST_ROUNDS = 5
LOCK_FILES = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.lock")


# A rule, and offsets in the files as they were before the run.
_Spot: TypeAlias = tuple[str, frozenset[tuple[str, int]]]


class Stop(Exception):
    """The run cannot go on; one line for the user."""


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


def run(options: Options, ask: Callable[[Change, bytes], str] | None = None) -> Outcome:
    """One run: a report, a diff, or files written. Raises Stop, ConfigError, PathError, WriteError."""
    session = _start(options, _restored(options))
    with _uncollected():
        first = analyse(session.workspace, session.settings, session.clock)
        report = options.mode == "report"
        outcome = _outcome(session, first.plan, first.plan, (), ()) if report else _rounds(session, first, ask)
    if options.mode == "apply" and outcome.files:
        _write(session, outcome)
    session.clock("")
    if os.environ.get("ASYNCFIX_TIMINGS") == "1":
        print(json.dumps(session.clock.times), file=sys.stderr)
    return outcome


@contextmanager
def _uncollected() -> Generator[None]:
    """Without the garbage collector: facts and index hold no cycles, and looking for some takes 30 % of the link."""
    gc.disable()
    try:
        yield
    finally:
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
    config = _config(root, paths, options)
    discovery = discover.discover(paths, root, config.exclude, options.force_exclude)
    workspace = Workspace(root, discovery, processes(options.workers, discovery.files), options.use_cache)
    workspace.load()
    project = read_project(
        {path: data for path, data in workspace.original.items() if data is not None and is_project_file(path)}
    )
    rules = registry.rules()
    found = catalog.build(registry.maps(), config.apis, config.types, config.builtin_apis)
    target, notes = _target(config, project)
    settings = Settings(config, project, found, rules, select.rules_in_force(config, rules), target)
    packages = frozenset(
        path.rpartition("/")[0] for path in workspace.original if path.rpartition("/")[2] == "__init__.py"
    )
    generated = Generated(
        {name: code for rule in rules for name, code in rule.generated.items()}, packages, config.module
    )
    setting = Setting({}, project.black, config.http_client, generated)
    return Session(options, workspace, settings, setting, vcs.git_root(root), (*said, *notes), clock)


def _config(root: Path, paths: Sequence[Path], options: Options) -> Config:
    text, name = b"", "pyproject.toml"
    for folder in (paths[0].resolve(), *paths[0].resolve().parents):
        candidate = folder / "pyproject.toml"
        if candidate.is_file():
            text, name = _read(candidate), str(candidate)
            break
        if folder == root:
            break
    return override(
        load_config(text, name),
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
    return running, (f"no requires-python and no target-version: assuming Python {running[0]}.{running[1]}",)


def _rounds(session: Session, first: Analysis, ask: Callable[[Change, bytes], str] | None) -> Outcome:
    """Plan, choose and rewrite until nothing more is to be done."""
    analysis, last = first, first.plan
    taken: dict[str, Change] = {}
    errors: list[str] = []
    state = select.Interview()
    settled: set[_Spot] = set()  # a person said no, or it cannot be done
    for _ in range(MOST_ROUNDS):
        renamed = _renamed(analysis.plan.changes, taken, session.workspace)
        spots = {change.id: _spot(change, session.workspace) for change in renamed}
        open_changes = [change for change in renamed if spots[change.id] not in settled]
        if ask is None:
            chosen = select.chosen(open_changes, unsafe=session.options.unsafe, earlier=taken)
            setting = replace_kept(session.setting, analysis) if chosen else session.setting
        else:
            setting = replace_kept(session.setting, analysis)
            show = _shower(session, setting)
            chosen, state = select.interview(open_changes, show, ask, state, taken)
            settled |= {spots[change.id] for change in open_changes} - {spots[change.id] for change in chosen}
        if not chosen:
            break
        session.clock("rewrite")
        made = compose(session.workspace, chosen, setting)
        settled |= {spots[change] for change in (*made.errors, *made.barred)}
        errors += [_named_error(change, made.errors[change.id]) for change in chosen if change.id in made.errors]
        if not made.taken:
            break
        taken |= {change.id: change for change in made.taken}
        session.workspace.update(made.pieces)
        analysis = analyse(session.workspace, session.settings, session.clock, analysis)
        last = analysis.plan
        if state.over:
            break
    else:
        more = select.chosen(last.changes, unsafe=session.options.unsafe, earlier=taken)
        left = sorted({change.rule for change in more if _spot(change, session.workspace) not in settled})
        errors += [f"{rule}: still finds something to change after {MOST_ROUNDS} rounds" for rule in left]
    return _outcome(session, first.plan, last, tuple(taken.values()), errors)


def _renamed(changes: Sequence[Change], taken: Mapping[str, Change], workspace: Workspace) -> list[Change]:
    """Changes of a later round under ids of their own, with the earlier ones whose text they touch as needed."""
    renamed: list[Change] = []
    for change in changes:
        name, number = change.id, 2
        while name in taken:
            name, number = f"{change.id}-{number}", number + 1
        touched = {item.path for item in change.decisions if _touches(item, workspace)}
        needs = tuple(sorted(earlier.id for earlier in taken.values() if touched & set(earlier.files)))
        renamed.append(msgspec.structs.replace(change, id=name, needs=needs))
    return renamed


def _spot(change: Change, workspace: Workspace) -> _Spot:
    """What a Change is about, whatever the round: its rule, and where its sites (else its uses) stood in the originals.

    Ids do not say that: the second sleep of a function is its first once the first is mended.
    """
    rewrites = [(item.path, item.site.span.start) for item in change.decisions if isinstance(item, Rewrite)]
    uses = [(item.path, item.span.start) for item in change.decisions if isinstance(item, Use)]
    places = frozenset(
        (path, apply.origin(workspace.pieces[path], start) if path in workspace.pieces else start)
        for path, start in rewrites or uses
    )
    return change.rule, places


def _touches(decision: Decision, workspace: Workspace) -> bool:
    """Whether a decision is about text that this run has written."""
    if isinstance(decision, Require):
        return False
    written = apply.written(workspace.pieces.get(decision.path, ()))
    return any(new.overlaps(span_of(decision)) for new in written)


def replace_kept(setting: Setting, analysis: Analysis) -> Setting:
    return Setting(analysis.kept_names(), setting.black, setting.http_module, setting.generated)


def _shower(session: Session, setting: Setting) -> Callable[[Change], bytes]:
    def show(change: Change) -> bytes:
        made: Composition = compose(session.workspace, [change], setting)
        return _patch(session, dict(made.pieces))

    return show


def _patch(session: Session, pieces: dict[str, apply.Pieces]) -> bytes:
    prefix = session.workspace.root.relative_to(session.git_root).as_posix() if session.git_root else "."
    original = session.workspace.original
    return render(
        PatchInput(path if prefix == "." else f"{prefix}/{path}", original.get(path), parts)
        for path, parts in sorted(pieces.items())
    )


def _outcome(session: Session, first: Plan, last: Plan, taken: tuple[Change, ...], errors: Sequence[str]) -> Outcome:
    workspace = session.workspace
    files = tuple(
        FileResult(path, workspace.original[path], workspace.current(path))
        for path in sorted(workspace.pieces)
        if workspace.original[path] != workspace.current(path)
    )
    changed = {item.path for item in files}
    ids = {change.id for change in taken}
    return Outcome(
        root=str(workspace.root),
        patch_root=str(session.git_root or workspace.root),
        findings=first.findings,
        changes=(*taken, *(change for change in last.changes if change.id not in ids)),
        taken=frozenset(ids),
        refusals=last.refusals,
        skipped=(*workspace.discovery.skipped, *workspace.skipped.values()),
        files=files,
        patch=_patch(session, {path: parts for path, parts in workspace.pieces.items() if path in changed}),
        errors=tuple(sorted(errors)),
        notes=(*session.notes, *_installs(session, taken)),
        sync_sites=first.sync_sites,
        ignored=dict(workspace.discovery.ignored),
    )


def _installs(session: Session, taken: Sequence[Change]) -> Iterator[str]:
    """What is to be installed, and which lock files no longer fit."""
    wanted = sorted({item.distribution for change in taken for item in change.decisions if isinstance(item, Require)})
    if wanted:
        locks = [name for name in LOCK_FILES if (session.workspace.root / name).is_file()]
        yield f"install what was declared: python -m pip install {' '.join(wanted)}" + (
            f"; refresh {', '.join(locks)}" if locks else ""
        )


def _named_error(change: Change, reason: str) -> str:
    return f"{change.rule}: {reason} ({change.title})"


def _write(session: Session, outcome: Outcome) -> None:
    """Write all files or none."""
    root = session.workspace.root
    state = write.state_folder(root)
    if session.git_root is not None and not session.options.allow_dirty:
        _refuse_dirty(session, session.git_root, outcome, state)
    write.commit(root, [write.FileChange(item.path, item.old, item.new) for item in outcome.files], state)


def _refuse_dirty(session: Session, git_root: Path, outcome: Outcome, state: Path) -> None:
    root = session.workspace.root
    prefix = root.relative_to(git_root)
    clean = {(prefix / path).as_posix(): digest for path, digest in write.last_written(root, state).items()}
    dirty = vcs.dirty(git_root, [root / item.path for item in outcome.files if item.old is not None], clean)
    if dirty is None:
        raise Stop(f"{git_root}: git cannot say whether the files have uncommitted changes; say --allow-dirty to go on")
    if dirty:
        first, *others = dirty
        more = f" and {len(others)} more" if others else ""
        raise Stop(f"{first}{more}: uncommitted changes; commit or stash them, or say --allow-dirty")


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
