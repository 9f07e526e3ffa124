"""What the command line does: run the pipeline, present what came out, and give the exit code.

Expected trouble is one line on stderr and exit code 2.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from asyncfix.model import Change, Value
from asyncfix.outcome import Options, Outcome
from asyncfix.report.gate import gate_json, gate_text
from asyncfix.report.machine import github_report, json_report
from asyncfix.report.question import HELP, PROMPT, question
from asyncfix.report.style import ColourChoice, Paint, painter, printable, shown_path, wants_colour
from asyncfix.report.summary import exit_code, left_out, summary, sync_sites, trouble
from asyncfix.report.text import statistics, text_report
from asyncfix.select import Answer
from asyncfix.verify.gate import Demands

Told = TypeVar("Told")


class Look(Value, frozen=True):
    """How the report is presented."""

    output_format: Literal["text", "json", "github"] = "text"
    statistics: bool = False
    color: ColourChoice = "auto"


def migrate(options: Options, look: Look) -> int:
    """Report, diff or apply: the exit code."""
    from asyncfix import pipeline

    paint = _painter(look)
    if options.interactive and not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _complain("--interactive needs a terminal to ask on")
    gc.disable()  # millions of facts and no cycles: the collector would only walk over them again and again
    try:
        with _busy(quiet=options.interactive):
            outcome = pipeline.run(options, _asker(paint) if options.interactive else None)
    except _expected() as stop:
        return _complain(str(stop))
    _present(outcome, options, look, paint)
    return exit_code(outcome, options)


def verify(options: Options, command: Sequence[str], demands: Demands, look: Look) -> int:
    """Run the command without and with what the options choose, and say what the gate says: the exit code."""
    from asyncfix import pipeline
    from asyncfix.verify import gate

    paint = _painter(look)
    try:
        with _busy(quiet=False):
            outcome = pipeline.run(options)
        _tell(trouble(outcome, str(Path.cwd())))
        verdict = gate.verify(outcome, options, command, demands, lambda line: _tell([f"asyncfix: {line}"]))
    except gate.NoVerdict as stop:
        _tell(f"  {printable(line)}" for line in stop.details)
        return _complain(str(stop))
    except _expected() as stop:
        return _complain(str(stop))
    except OSError as error:
        return _complain(str(error))
    _print([gate_json(verdict)] if look.output_format == "json" else gate_text(verdict, paint))
    return 0 if verdict.holds else 1


def plan(options: Options, look: Look) -> int:
    """Print the migration as a document: the exit code."""
    from asyncfix import pipeline
    from asyncfix.report.plan import plan_json, plan_text

    return _told(options, look, lambda: pipeline.plan(options), plan_json, plan_text)


def why(options: Options, name: str, look: Look) -> int:
    """Print what becomes of one function, and why: the exit code."""
    from asyncfix import pipeline
    from asyncfix.report.why import why_json, why_text

    return _told(options, look, lambda: pipeline.why(options, name), why_json, why_text)


def _told(
    options: Options,
    look: Look,
    ask: Callable[[], tuple[Outcome, Told]],
    as_json: Callable[[Told], str],
    as_text: Callable[[Told, str, str, Paint], Iterable[str]],
) -> int:
    """Print what was asked for, and what went wrong meanwhile: the exit code."""
    try:
        with _busy(quiet=False):
            outcome, told = ask()
    except _expected() as stop:
        return _complain(str(stop))
    here = str(Path.cwd())
    _print([as_json(told)] if look.output_format == "json" else as_text(told, outcome.root, here, _painter(look)))
    sys.stdout.flush()
    _tell(trouble(outcome, here))
    return exit_code(outcome, options)


def _painter(look: Look) -> Paint:
    return painter(wants_colour(look.color, os.environ, sys.stdout.isatty()))


def show_files(options: Options) -> int:
    """List the files that may be edited, and count the others."""
    from asyncfix import pipeline

    try:
        listing = pipeline.listing(options)
    except _expected() as stop:
        return _complain(str(stop))
    here = str(Path.cwd())
    _print(shown_path(listing.root, path, here) for path in listing.files)
    _tell(trouble(Outcome(listing.root, listing.root, skipped=listing.skipped), here))
    _tell([f"asyncfix: {line}" for line in [left_out(listing.ignored)] if line])
    return 2 if any(skipped.failed for skipped in listing.skipped) else 0


def undo(path: str) -> int:
    """Take the last run of the project round ``path`` back."""
    from asyncfix import pipeline

    try:
        restored = pipeline.undo(path)
    except _expected() as stop:
        return _complain(str(stop))
    _tell([f"asyncfix: {len(restored)} file{'' if len(restored) == 1 else 's'} restored"])
    return 0


def show_rule(name: str) -> int:
    """Print the page of one rule."""
    from asyncfix import registry
    from asyncfix.config import nearest

    pages = registry.pages()
    if name not in pages:
        return _complain(f"no rule is called {name!r}; did you mean {nearest(name, sorted(pages))!r}?")
    _print([pages[name].rstrip("\n")])
    return 0


def list_rules() -> int:
    """Print the name and the first sentence of every rule."""
    from asyncfix import registry

    pages = registry.pages()
    off = {rule.name for rule in registry.rules() if not rule.default}
    width = max(map(len, pages))
    for name in sorted(pages):
        _print([f"{name:<{width}}  {_first_sentence(pages[name])}{' (off by default)' if name in off else ''}"])
    return 0


def _first_sentence(page: str) -> str:
    """The first sentence of a Markdown page, headings left aside, on one line."""
    paragraphs = (" ".join(part.split()) for part in page.split("\n\n") if not part.lstrip().startswith("#"))
    first = next(filter(None, paragraphs), "")
    end = re.search(r"[.!?](?= |$)", first)
    return first[: end.end()] if end else first


def _present(outcome: Outcome, options: Options, look: Look, paint: Paint) -> None:
    here = str(Path.cwd())
    if options.mode == "diff":
        sys.stdout.buffer.write(outcome.patch)
    elif look.output_format == "json":
        _print([json_report(outcome)])
    elif look.output_format == "github":
        _print(github_report(outcome))
    elif options.mode == "report":
        lines = statistics(outcome.findings, paint) if look.statistics else text_report(outcome, here, paint)
        _print(lines)
    sys.stdout.flush()
    _tell(trouble(outcome, here))
    if options.mode == "report":
        _tell(f"asyncfix: {line}" for line in (*sync_sites(outcome, options), left_out(outcome.ignored)) if line)
    else:
        _tell([summary(outcome, options)])


def _asker(paint: Paint) -> Callable[[Change, bytes], str]:
    def ask(change: Change, diff: bytes) -> str:
        """An `Answer`; the end of the input is taken for Ctrl-C."""
        _print(question(change, diff, paint))
        while True:
            try:
                reply = input(PROMPT).strip().lower()
            except EOFError:
                raise KeyboardInterrupt from None
            if reply in list(Answer):
                return reply
            _print([HELP])

    return ask


def _expected() -> tuple[type[Exception], ...]:
    """What stops a run with one line for the user."""
    from asyncfix.catalog import MapError
    from asyncfix.config import ConfigError
    from asyncfix.discover import PathError
    from asyncfix.pipeline import Stop
    from asyncfix.registry import BadRule, NoRules
    from asyncfix.write import WriteError

    return ConfigError, PathError, Stop, WriteError, MapError, NoRules, BadRule


@contextmanager
def _busy(quiet: bool) -> Generator[None]:
    """Say on a terminal that there is something to wait for. One line, no thread: workers are forked meanwhile."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    print("asyncfix: reading the project ...", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _complain(message: str) -> int:
    _tell([f"asyncfix: {message}"])
    return 2


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)
