"""What a run is asked for, and what comes out of it: the values between the pipeline and its front ends."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from asyncfix.model import Change, Finding, Refusal, Skipped, Value

Mode: TypeAlias = Literal["report", "diff", "apply"]


class Options(Value, frozen=True):
    """The command line, as given: what is not said here is settled by the configuration.

    paths           files and folders, relative to the current folder
    unsafe          take UNSAFE Changes too
    check           the exit code says whether anything fixable is left
    allow_dirty     write although git has uncommitted changes to the files in question
    force_exclude   excludes hold for files named in ``paths`` too
    strategy        ``KEY=VALUE``
    target_version  ``3.11``; None: from the project
    migrate         take blocking calls in sync code, too; roots: only those that these functions (``pkg.mod:f``) reach
    changes         ids of the only Changes to take, with those they need; () for what safety says
    workers         number of processes; None: one per CPU
    """

    paths: tuple[str, ...] = (".",)
    mode: Mode = "report"
    unsafe: bool = False
    check: bool = False
    allow_dirty: bool = False
    interactive: bool = False
    force_exclude: bool = False
    use_cache: bool = True
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strategy: tuple[str, ...] = ()
    target_version: str | None = None
    migrate: bool = False
    roots: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    workers: int | None = None


class Lines(Value, frozen=True):
    r"""Whole lines of a file that were replaced: the number of the first one, from 1, and how many, before and after.

    Lines end in ``\n``. Of no lines, the number is that of the line behind the place.
    """

    old: int
    removed: int
    new: int
    added: int


class FileResult(Value, frozen=True):
    """A file that changes; ``old`` is None for one that is created. ``lines``: what was replaced, from top to bottom."""

    path: str
    old: bytes | None
    new: bytes
    lines: tuple[Lines, ...] = ()


class Outcome(Value, frozen=True):
    """All a front end needs to know of a run.

    root        absolute path; all other paths are relative to it
    patch_root  absolute path from which the patch counts: the git root where there is one, else the root
    changes     of all rounds
    taken       ids of the Changes that were chosen: they are in ``files`` and ``patch``, and written in mode ``apply``
    errors      internal errors, one line each, which name their rule
    notes       for stderr: an assumed target version, install commands
    sync_sites  blocking calls in sync code that no async code reaches and that were left alone: what --migrate starts from
    ignored     number of files left out by a stated rule, by reason
    """

    root: str
    patch_root: str
    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    taken: frozenset[str] = frozenset()
    refusals: tuple[Refusal, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    files: tuple[FileResult, ...] = ()
    patch: bytes = b""
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sync_sites: int = 0
    ignored: dict[str, int] = msgspec.field(default_factory=lambda: dict[str, int]())


class Listing(Value, frozen=True):
    """The files that a run may edit, and those left out; fields as in `Outcome`."""

    root: str
    files: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()
    ignored: dict[str, int] = msgspec.field(default_factory=lambda: dict[str, int]())
