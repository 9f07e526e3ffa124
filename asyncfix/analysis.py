"""One look at the whole project as it is now: summarise, link, survey, plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from asyncfix import placing, suppress, workers
from asyncfix.boundary import Boundary
from asyncfix.catalog import Catalog
from asyncfix.config import Config
from asyncfix.discover import is_generated
from asyncfix.ends import Ends
from asyncfix.facts.testfiles import is_build_script, is_test
from asyncfix.generated import RUNS, Generated, is_generated_module
from asyncfix.link import modules
from asyncfix.link.index import ProjectIndex
from asyncfix.link.linking import link
from asyncfix.link.patches import Patch
from asyncfix.link.steps import ROOT, last_step
from asyncfix.model import Api, Change, Declared, Finding, Plan, Refusal, Require, Site, Skipped, Span, Summary, span_of
from asyncfix.plan import bridges, changes, facts, forming, leaves, rows, watching
from asyncfix.plan.changes import Planner
from asyncfix.project import Project
from asyncfix.suppress import Suppressions
from asyncfix.survey import Wanted, survey_bytes
from asyncfix.transform import BlockTransform, Rule, Transform, Watch
from asyncfix.workspace import Workspace

HTTPX = Declared("httpx")
ASYNCIO_PLUGIN = "pytest-asyncio"
BUILD_FILES = frozenset({"pyproject.toml", "setup.py", "setup.cfg"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a look depends on beside the files. ``http_client``: ``httpx``, or what is used in its place."""

    config: Config
    project: Project
    catalog: Catalog
    rules: Sequence[Rule]
    selected: frozenset[str]
    target: tuple[int, int]
    http_client: str
    generated: Generated
    migrate: bool = False
    roots: tuple[str, ...] = ()
    boundaries: Sequence[Boundary] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """A plan, with what the writing of its Changes needs to know."""

    plan: Plan
    index: ProjectIndex
    patches: tuple[Patch, ...]

    def kept_names(self) -> Mapping[str, frozenset[str]]:
        """Names of imports that must stay, by path: worked out when something is to be written, over the whole project."""
        return kept_names(self.index, self.patches)


def analyse(workspace: Workspace, settings: Settings, stage: Callable[[str], object]) -> Analysis:
    """Look at the project; ``stage`` is told the name of each stage as it begins."""
    return judge(workspace, settings, stage)[0]


def judge(workspace: Workspace, settings: Settings, stage: Callable[[str], object]) -> tuple[Analysis, Planner]:
    """The same, with the planner, which can be asked further; it holds all that is known of the project."""
    stage("summarise")
    summaries, texts = workspace.facts()
    stage("link")
    named = modules.build(
        (*(item.path for item in summaries), *(text.path for text in texts if text.kind == "python")),
        source_roots(workspace.original),
        _other_names(workspace),
    )
    index = link(summaries, texts, named, settings.catalog)
    stage("plan")
    suppressions = suppress.collect(summaries)
    known = facts.gather(
        index,
        settings.config,
        settings.project,
        settings.target,
        _closed(workspace, summaries, suppressions),
        suppressions.closed_lines(),
        frozenset(_kept(index, settings)),
        suppressions.stops,
    )
    place = settings.config.module
    known.rule_of = _chooser(settings)
    if settings.migrate:
        known.rows = rows.find(index, (row for row in settings.config.apis if known.rule_of(row)))

    def left_out(path: str) -> bool:
        return is_generated_module(path, place)

    apart = frozenset(
        path for path, item in index.summaries.items() if is_test(path) or is_build_script(path, item.imports)
    )
    in_tests = frozenset(rule.name for rule in settings.rules if isinstance(rule, Transform) and rule.in_tests)
    blocking = leaves.find(
        index,
        _undeclared(known, settings),
        left_out,
        _migrating(known, settings, apart),
        # Tests move along with what they call; what they do themselves blocks nobody.
        lambda name: not (settings.migrate and is_test(index.path(name))),
        lambda name, rule: rule in in_tests or not is_test(index.path(name)),
    )
    asked = {library for library, value in settings.config.strategy.items() if value == forming.NATIVE}
    blocking.bridged = bridges.find(index, known.rule_of, left_out, asked)
    if settings.migrate:
        known.ends = Ends(
            index,
            settings.boundaries,
            known.limits.entry_points,
            blocking.ways.blocks | leaves.above(index, _declared(known.rows)),
            blocking.by_function,
            settings.project.asyncio_auto,
            ASYNCIO_PLUGIN in settings.project.declared,
        )
    stage("survey")
    known.sites, known.scanned = _survey(workspace, index, blocking, settings, left_out)
    stage("plan")
    planner = Planner(known, blocking)
    editable = workspace.editable()
    made = _suppressed(_asked(changes.plan(planner), editable), workspace, suppressions)
    idle = ((leaf, index.path(leaf.function)) for leaf in blocking.idle)
    left = sum(path not in apart and _is_open(leaf, path, editable, suppressions) for leaf, path in idle)
    unused = suppressions.unused(editable, {rule.name: rule.default for rule in settings.rules}, settings.selected)
    made = placing.weigh(made, settings.rules, settings.generated, settings.project)
    made = msgspec.structs.replace(made, findings=(*made.findings, *unused), sync_sites=left)
    return Analysis(made, index, known.tests.patches), planner


def _kept(index: ProjectIndex, settings: Settings) -> Iterable[str]:
    """The variables in which generated code keeps something for itself."""
    modules = (
        index.evaluator.modules.names[path]
        for path in index.summaries
        if is_generated_module(path, settings.config.module)
    )
    return (f"{module}.{name}" for module in modules for name in settings.generated.variables)


def _closed(workspace: Workspace, summaries: Iterable[Summary], suppressions: Suppressions) -> frozenset[str]:
    """Files in which nothing may be edited."""
    editable = workspace.editable()
    closed = (
        item.path
        for item in summaries
        if item.path not in editable or is_generated(workspace.original[item.path] or b"")
    )
    return frozenset(closed) | suppressions.closed_files()


def _other_names(workspace: Workspace) -> dict[str, str]:
    """Paths by which links lead to Python files, with the paths under which these are read."""
    files = [item.path for item in workspace.discovery.files if item.kind == "python"]
    found: dict[str, str] = {}
    for alias, meant in workspace.discovery.aliases.items():
        if alias.endswith("/"):
            found |= {alias + path[len(meant) :]: path for path in files if path.startswith(meant)}
        else:
            found[alias] = meant
    return {alias: path for alias, path in found.items() if path in workspace.original}


def source_roots(paths: Iterable[str]) -> tuple[str, ...]:
    """Folders from which the modules among these files are imported: those with a build file, and ``src`` in them."""
    folders = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] in BUILD_FILES}
    return tuple(sorted(folders | {f"{folder}/src".lstrip("/") for folder in folders}))


def _migrating(known: facts.Facts, settings: Settings, apart: frozenset[str]) -> Callable[[str], bool]:
    """Which sync functions are to be migrated: none but with ``--migrate``, none of the files ``apart`` (tests, build scripts),
    and only what the roots reach."""
    index = known.index
    wanted = set(settings.roots)
    reached = {below for name in wanted & index.functions.keys() for below in known.effects.below(name)}
    return lambda name: settings.migrate and index.path(name) not in apart and (not wanted or name in reached)


def _chooser(settings: Settings) -> Callable[[Api], str | None]:
    """The selected rule that a blocking call belongs to."""
    from asyncfix.registry import rule_for

    chosen: dict[str, str | None] = {}

    def rule_of(api: Api) -> str | None:
        if api.call not in chosen:
            rule = rule_for(api, settings.rules)
            chosen[api.call] = rule.name if rule is not None and rule.name in settings.selected else None
        return chosen[api.call]

    return rule_of


def _undeclared(known: facts.Facts, settings: Settings) -> Callable[[Api], str | None]:
    """The rule that a blocking call belongs to; what the user declares is no leaf of a migration, which takes it whole."""
    return lambda api: (
        None if settings.migrate and settings.catalog.declared(api.call) is not None else known.rule_of(api)
    )


def _declared(found: rows.Rows | None) -> Iterable[str]:
    """The functions that use or are something the user declares."""
    return (*found.uses, *found.turning) if found is not None else ()


def _survey(
    workspace: Workspace,
    index: ProjectIndex,
    blocking: leaves.Blocking,
    settings: Settings,
    left_out: Callable[[str], bool],
) -> tuple[Mapping[str, Mapping[Span, Site]], tuple[tuple[str, Site], ...]]:
    """Ask the rules about the calls that block or that they watch, and some about whole files, in workers."""
    asked: dict[str, list[Wanted]] = {}
    paths = {name: info.path for name, info in index.functions.items()}
    bridged = {leaf.key for leaf in blocking.bridged}
    for path, items in changes.wanted(paths, blocking).items():
        asked[path] = [Wanted(leaf.call.span, api, leaf.function, leaf.key in bridged) for leaf, api in items]
    chosen = [rule for rule in settings.rules if rule.name in settings.selected]
    for path, wanted in _watched(index, [rule for rule in chosen if isinstance(rule, Watch)]):
        if not left_out(path):
            asked.setdefault(path, []).append(wanted)
    by_name = {rule.name: rule for rule in settings.rules}
    scanning = frozenset(rule.name for rule in chosen if isinstance(rule, BlockTransform | Watch))
    concerned = [rule for rule in chosen if isinstance(rule, BlockTransform)]
    whole = (info.path for info in index.functions.values() if any(rule.concerns(info.fact) for rule in concerned))
    order = sorted({*asked, *(path for path in whole if not left_out(path))})
    tasks = [msgspec.msgpack.encode((path, workspace.current(path), asked.get(path, ()), scanning)) for path in order]
    sites: dict[str, Mapping[Span, Site]] = {}
    scanned: list[tuple[str, Site]] = []
    for path, result in zip(order, workspace.surveyed(survey_bytes, tasks), strict=True):
        if isinstance(result, workers.Failure):
            workspace.skipped[path] = Skipped(path, f"not looked at: {result.reason}", True)
        else:
            found = [
                _with_client(_with_generated(site, by_name[site.rule]), settings.http_client)
                for site in msgspec.msgpack.decode(result, type=tuple[Site, ...])
            ]
            sites[path] = {site.call: site for site in found if site.rule not in scanning}
            scanned.extend((path, site) for site in found if site.rule in scanning)
    return sites, tuple(scanned)


def _watched(index: ProjectIndex, among: Sequence[Watch]) -> Iterable[tuple[str, Wanted]]:
    """The calls that rules watch, with the path."""
    names = frozenset(name for rule in among for name in rule.watches)
    in_tests = frozenset(name for rule in among if rule.in_tests for name in rule.watches)
    reached = frozenset(name for rule in among if rule.reached or rule.told_way for name in rule.watches)
    watched = tuple(watching.find(index, names))
    ways = watching.ways(index, (item for item in watched if item[1] in reached))
    looped = frozenset(name for rule in among if rule.looped for name in rule.watches)
    loops = watching.loops(index, {function for function, what, _ in watched if what in looped})
    for function, what, call in watched:
        path, owner = index.path(function), index.fact(function).qualname
        if what in in_tests or not is_test(path):
            told = ways.get((function, what, call), ""), loops.get(function, "")
            yield path, Wanted(call.span, Api(what), owner, False, True, *told)


def _with_generated(site: Site, rule: Rule) -> Site:
    """The site, its forms that ask for generated code only where Python can run that."""
    forms = (
        msgspec.structs.replace(form, requires=(*form.requires, RUNS)) if rule.asks(form.name) else form
        for form in site.forms
    )
    return msgspec.structs.replace(site, forms=tuple(forms))


def _with_client(site: Site, client: str) -> Site:
    """The site, its forms with the project's HTTP client where they need httpx."""
    if client == HTTPX.distribution or not any(HTTPX in form.requires for form in site.forms):
        return site
    forms = (
        msgspec.structs.replace(
            form, requires=tuple(Declared(client) if item == HTTPX else item for item in form.requires)
        )
        for form in site.forms
    )
    return msgspec.structs.replace(site, forms=tuple(forms))


def _asked(plan: Plan, editable: frozenset[str]) -> Plan:
    """The plan without findings in files that the user did not ask about."""
    return Plan(
        plan.changes,
        tuple(item for item in plan.refusals if item.finding.place.path in editable),
        tuple(item for item in plan.findings if item.place.path in editable),
    )


def _suppressed(plan: Plan, workspace: Workspace, suppressions: Suppressions) -> Plan:
    """The plan without what comments suppress."""
    barred = {change.id: change for change in plan.changes if _bars(change, workspace, suppressions)}
    findings: list[Finding] = []
    refusals = [item for item in plan.refusals if not _stops(item.finding, suppressions)]
    for finding in plan.findings:
        if _stops(finding, suppressions):
            continue
        if finding.change in barred:
            finding = msgspec.structs.replace(finding, change=None, safety=None)
            refusals.append(
                Refusal(finding, "suppressed", "a comment keeps asyncfix away from a line that would change")
            )
        findings.append(finding)
    mended = {finding.change for finding in findings}
    return Plan(
        tuple(change for change in plan.changes if change.id in mended and change.id not in barred),
        tuple(refusals),
        tuple(findings),
    )


def _is_open(leaf: leaves.Leaf, path: str, editable: frozenset[str], suppressions: Suppressions) -> bool:
    """Whether a blocking call would be found here, had it been asked for."""
    call = leaf.call
    return path in editable and not suppressions.stops(path, call.line, call.end_line, leaf.rule)


def _stops(finding: Finding, suppressions: Suppressions) -> bool:
    return suppressions.stops(finding.place.path, finding.place.line, finding.place.end_line, finding.rule)


def _bars(change: Change, workspace: Workspace, suppressions: Suppressions) -> bool:
    """Whether one of the lines that a Change would edit is closed to its rule."""
    for decision in change.decisions:
        if isinstance(decision, Require) or decision.path not in suppressions.by_path:
            continue
        first, last = suppress.lines_of(workspace.current(decision.path), span_of(decision))
        if suppressions.stops(decision.path, first, last, change.rule):
            return True
    return False


def kept_names(index: ProjectIndex, patches: Iterable[Patch]) -> Mapping[str, frozenset[str]]:
    """Names bound by imports that must stay although the file itself no longer uses them: others reach them through it."""
    found: dict[str, set[str]] = {}
    for path, summary in index.summaries.items():
        found.setdefault(path, set()).update(summary.exports or ())
    for importer, summary in index.summaries.items():
        for ref in {ref for refs in summary.bindings.values() for ref in refs} | _read(summary):
            _note(index, importer, ref, found)
    for patch in patches:
        parts = patch.target.split(".")
        for size in range(len(parts) - 1, 0, -1):
            module = index.evaluator.modules.by_name.get(".".join(parts[:size]))
            if module is not None:
                found.setdefault(module, set()).add(parts[size])
                break
    _through_stars(index, found)
    return {path: frozenset(names) for path, names in found.items()}


def _read(summary: Summary) -> set[str]:
    """The refs of all that a file reads or calls."""
    refs: set[str] = set()
    for function in summary.functions:
        refs.update(function.decorators)
        refs.update(access.ref for access in function.accesses)
        refs.update(target for call in function.calls for target in call.targets)
    return refs


def _through_stars(index: ProjectIndex, found: dict[str, set[str]]) -> None:
    """What a file that has ``from m import *`` reads, or others reach through it, may be a name of ``m``."""
    pending = [path for path, summary in index.summaries.items() if summary.stars]
    for path in pending:
        own = (ROOT.match(ref, 1) for ref in _read(index.summaries[path]) if ref.startswith(":"))
        found[path].update(root.group() for root in own if root is not None)
    while pending:
        path = pending.pop()
        for entity in (item for star in index.summaries[path].stars for item in index.evaluator.evaluate(path, star)):
            if entity.kind == "module" and not found[path] <= found.setdefault(entity.name, set()):
                found[entity.name] |= found[path]
                if entity.name in index.summaries:
                    pending.append(entity.name)


def _note(index: ProjectIndex, importer: str, ref: str, found: dict[str, set[str]]) -> None:
    """Note that ``importer`` reads a name of another module."""
    if ref.startswith((":", "?", "builtins.")) or "." not in ref:
        return
    end = last_step(ref)
    while end and ref[:end].strip("."):
        head, name = ref[:end], ref[end:].lstrip(".")
        for entity in index.evaluator.evaluate(importer, head):
            if entity.kind == "module" and entity.name != importer:
                found.setdefault(entity.name, set()).add(name)
                return
        ref, end = head, last_step(head)
