"""The options and arguments of the command line. What they do is in `front`.

Annotations are not postponed here: typer would evaluate each of them three times, at the cost of all the rest of
our start-up.
"""

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from asyncfix import __version__
from asyncfix.ending import clean_end

if TYPE_CHECKING:
    from asyncfix.outcome import Options

_HELP = """Find calls that block the event loop, and mend them.

Without --diff or --apply: report what is found under PATHS (default: the current folder). Everything under the root of
the project is read; only PATHS are edited. With --migrate sync code that no async code reaches is taken, too.

Other commands: `asyncfix plan [PATHS]`, `asyncfix why PKG.MOD:FUNC [PATHS]`, `asyncfix verify [PATHS] -- COMMAND`,
`asyncfix undo [PATH]`, `asyncfix rule NAME`, `asyncfix rule --all` (a folder of such a name is ./undo).

Exit codes: 0 done, or nothing found; 1 findings, or with --check something fixable is left; 2 wrong usage or
configuration, an internal error, or a file that should have been processed could not be; 130 and 143 interrupted, with
all files whole.
"""

# Options that more than one command has.
_Paths: TypeAlias = Annotated[list[str] | None, typer.Argument(metavar="[PATHS]...", help="Files and folders.")]
_Unsafe: TypeAlias = Annotated[bool, typer.Option("--unsafe", help="Take UNSAFE changes too.")]
_Select: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="RULE,...", help="Use these rules only; ALL is every default one.")
]
_ExtendSelect: TypeAlias = Annotated[list[str] | None, typer.Option(metavar="RULE,...", help="Use these rules too.")]
_Ignore: TypeAlias = Annotated[list[str] | None, typer.Option(metavar="RULE,...", help="Do without these rules.")]
_Exclude: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="PATTERN,...", help="Do not edit files that match, as in .gitignore.")
]
_Migrate: TypeAlias = Annotated[
    bool, typer.Option("--migrate", help="Take sync code, too: turn it async up to its entry points and tests.")
]
_Roots: TypeAlias = Annotated[
    list[str] | None, typer.Option("--root", metavar="PKG.MOD:FUNC", help="With --migrate: only what these reach.")
]
_Change: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID,...",
        help="Only these changes of `asyncfix plan`, and those they need; naming one takes it though it is UNSAFE.",
    ),
]
_ForceExclude: TypeAlias = Annotated[
    bool, typer.Option("--force-exclude", help="Exclude files that are named in PATHS too.")
]
_Strategy: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="How a library is mended: `requests=native`, `files=thread`."),
]
_TargetVersion: TypeAlias = Annotated[
    str | None, typer.Option(metavar="X.Y", help="Oldest Python the project runs on.", show_default=False)
]
_Color: TypeAlias = Annotated[Literal["auto", "always", "never"], typer.Option(help="Whether to colour the report.")]
_NoCache: TypeAlias = Annotated[bool, typer.Option("--no-cache", help="Neither use nor keep what was read before.")]
_Workers: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Number of processes (default: one per CPU).")
]


def command(name: str) -> Callable[..., Any]:
    """The parser of a sub-command, '' for the main one; called with ``args`` and ``prog_name`` it runs, and exits.

    ``obj`` is what `verify` is to run.
    """
    functions: dict[str, Callable[..., None]] = {
        "": _migrate,
        "plan": _plan,
        "why": _why,
        "verify": _verify,
        "undo": _undo,
        "rule": _rule,
    }
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    settings = {"help_option_names": ["--help", "-h"]}
    app.command(help=None if name else _HELP, context_settings=settings)(functions[name])
    return typer.main.get_command(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"asyncfix {__version__}")
        raise typer.Exit


def _options(
    paths: _Paths = None,
    root: _Roots = None,
    select: _Select = None,
    extend_select: _ExtendSelect = None,
    ignore: _Ignore = None,
    exclude: _Exclude = None,
    force_exclude: _ForceExclude = False,
    strategy: _Strategy = None,
    target_version: _TargetVersion = None,
    no_cache: _NoCache = False,
    workers: _Workers = None,
) -> "Options":
    """What all commands are asked that look at a project."""
    wrong = [text for text in strategy or () if not all(text.partition("="))]
    _refuse(bool(wrong), f"--strategy takes KEY=VALUE, not {wrong[0] if wrong else ''}")

    from asyncfix.outcome import Options

    return Options(
        paths=tuple(paths or (".",)),
        roots=_listed(root),
        force_exclude=force_exclude,
        use_cache=not no_cache,
        select=_listed(select),
        extend_select=_listed(extend_select),
        ignore=_listed(ignore),
        exclude=_listed(exclude),
        strategy=tuple(strategy or ()),
        target_version=target_version,
        workers=workers,
    )


def _looking(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes what `_options` takes behind its own, and is given what that makes of it as ``options``."""
    shared = inspect.signature(_options).parameters
    own = {name: item for name, item in inspect.signature(command).parameters.items() if name != "options"}
    taken = {**own, **{name: item for name, item in shared.items() if name not in own}}

    @wraps(command)
    def run(**given: Any) -> None:
        asked = {name: given.pop(name) for name in shared}
        command(options=_options(**asked), **given)

    run.__annotations__ = {name: item.annotation for name, item in taken.items()}
    setattr(run, "__signature__", inspect.Signature(list(taken.values())))  # noqa: B010 - what typer goes by
    return run


@_looking
def _migrate(
    options: "Options",
    diff: Annotated[bool, typer.Option("--diff", help="Print all edits as one unified diff.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Write exactly what --diff shows.")] = False,
    unsafe: _Unsafe = False,
    migrate: _Migrate = False,
    change: _Change = None,
    check: Annotated[
        bool, typer.Option("--check", help="With --diff or --apply: exit with 1 if anything fixable is left.")
    ] = False,
    interactive: Annotated[bool, typer.Option("--interactive", help="With --apply: ask about each change.")] = False,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Write although git has uncommitted changes to the files.")
    ] = False,
    output_format: Annotated[
        Literal["text", "json", "github"], typer.Option(help="How the report is written.")
    ] = "text",
    statistics: Annotated[bool, typer.Option("--statistics", help="Report sums by rule.")] = False,
    show_files: Annotated[bool, typer.Option("--show-files", help="List the files that may be edited.")] = False,
    color: _Color = "auto",
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    del version
    changes = _listed(change)
    _refuse(diff and apply, "--diff and --apply exclude each other")
    _refuse(check and not (diff or apply), "--check goes with --diff or --apply; the report exits with 1 anyway")
    _refuse(interactive and not apply, "--interactive goes with --apply")
    _refuse(bool(changes) and not (diff or apply), "--change goes with --diff or --apply")
    _refuse(bool(changes) and interactive, "--change and --interactive exclude each other")
    _refuse(bool(options.roots) and not (migrate or changes), "--root goes with --migrate")
    _refuse(diff and output_format != "text", "--diff prints only the patch: no --output-format")
    _refuse(statistics and (diff or apply or output_format != "text"), "--statistics goes with the report as text")
    _refuse(show_files and (diff or apply or statistics or output_format != "text"), "--show-files goes alone")

    from msgspec.structs import replace

    from asyncfix import front

    options = replace(
        options,
        mode="diff" if diff else "apply" if apply else "report",
        unsafe=unsafe,
        migrate=migrate or bool(changes),
        changes=changes,
        check=check,
        allow_dirty=allow_dirty,
        interactive=interactive,
    )
    with clean_end():
        look = front.Look(output_format, statistics, color)
        code = front.show_files(options) if show_files else front.migrate(options, look)
    sys.exit(code)


@_looking
def _verify(
    options: "Options",
    context: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATHS]... -- COMMAND...", help="Files and folders; what to run.")
    ] = None,
    unsafe: _Unsafe = False,
    migrate: _Migrate = False,
    change: _Change = None,
    require_run: Annotated[
        bool, typer.Option("--require-run", help="Fail if no test ran a line that changes, before it changed.")
    ] = False,
    timeout: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="SECONDS",
            help="Stop the run with the changes after so long (default: 5 times the slower one without, at least 60).",
        ),
    ] = None,
    output_format: Annotated[Literal["text", "json"], typer.Option(help="How the verdict is written.")] = "text",
    color: _Color = "auto",
) -> None:
    """Prove what --diff shows under these options: run COMMAND (usually pytest) on two copies of the tree, twice without
    the changes and once with them, and compare.

    The tree itself stays as it is. COMMAND runs as it would from here, in your environment; absolute paths into the
    project lead into the copy. Not copied: version control, caches and virtual environments.

    Exit codes: 0 every clause holds; 1 one does not; 2 nothing can be said: the command fails without the changes, is not
    pytest, or nothing is to be changed.
    """
    del paths  # what it is called here; `options` has them
    _refuse(not context.obj, "say what to run: asyncfix verify [PATHS] -- COMMAND...")

    from msgspec.structs import replace

    from asyncfix import front
    from asyncfix.verify.gate import Demands

    changes = _listed(change)
    options = replace(options, mode="diff", unsafe=unsafe, migrate=migrate or bool(changes), changes=changes)
    with clean_end():
        code = front.verify(options, context.obj, Demands(require_run, timeout), front.Look(output_format, color=color))
    sys.exit(code)


@_looking
def _plan(
    options: "Options",
    output_format: Annotated[Literal["text", "json"], typer.Option(help="How the plan is written.")] = "text",
    color: _Color = "auto",
) -> None:
    """Print what --migrate would do as the changes it consists of: what turns, where each ends, in which order they can
    land and which are independent; and the barriers, with what lies behind each.

    Nothing is written. One change is landed by `asyncfix --apply --change ID`; ids stay when others have landed.

    Exit codes: 0 done; 2 wrong usage or configuration, an internal error, or a file that should have been processed could
    not be.
    """
    from msgspec.structs import replace

    from asyncfix import front

    with clean_end():
        code = front.plan(
            replace(options, mode="diff", unsafe=True, migrate=True), front.Look(output_format, color=color)
        )
    sys.exit(code)


@_looking
def _why(
    options: "Options",
    function: Annotated[str, typer.Argument(metavar="PKG.MOD:FUNC", help="The function.")],
    output_format: Annotated[Literal["text", "json"], typer.Option(help="How the answer is written.")] = "text",
    color: _Color = "auto",
) -> None:
    """Print what --migrate would do with a function, and why: which changes turn it and the way to what blocks, or what is
    in the way, and what may call it though that is not known.

    Exit codes: 0 done; 2 there is no such function (the nearest is named), and as for `asyncfix plan`.
    """
    from msgspec.structs import replace

    from asyncfix import front

    with clean_end():
        code = front.why(replace(options, mode="diff", migrate=True), function, front.Look(output_format, color=color))
    sys.exit(code)


def _undo(
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="The project, or anything in it.")] = ".",
) -> None:
    """Restore the files as they were before the last --apply; refuse if they changed since."""
    from asyncfix import front

    with clean_end():
        code = front.undo(path)
    sys.exit(code)


def _rule(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The rule whose page to print.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="List all rules.")] = False,
) -> None:
    """Print what a rule does, why, an example, and when it is safe."""
    _refuse((name is None) != all_, "give a rule's NAME, or --all")

    from asyncfix import front

    with clean_end():
        code = front.list_rules() if name is None else front.show_rule(name)
    sys.exit(code)


def _refuse(wrong: bool, message: str) -> None:
    if wrong:
        raise typer.BadParameter(message)


def _listed(values: list[str] | None) -> tuple[str, ...]:
    """``--select a,b --select c``: comma separated and repeatable."""
    return tuple(part.strip() for value in values or () for part in value.split(",") if part.strip())
