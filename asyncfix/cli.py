"""The entry of the command: which sub-command is meant.

Imports nothing heavy, so that a Ctrl-C while the rest is imported ends as cleanly as a later one.
"""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Sequence

from asyncfix.ending import clean_end, prepare

_SUB_COMMANDS = ("plan", "why", "verify", "undo", "rule")


def main() -> None:
    """Run the command line of this process, and exit."""
    prepare()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with clean_end():
        gc.disable()  # importing leaves nothing to collect, and looking for it is a tenth of the start-up
        from asyncfix.commands import command

        name, arguments = route(sys.argv[1:])
        arguments, words = split(arguments) if name == "verify" else (arguments, ())
        parser = command(name)
        gc.enable()
        parser(args=arguments, prog_name=f"asyncfix {name}".rstrip(), obj=words)


def route(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The sub-command ('' for none) and its arguments: only the first word can name one, ``./undo`` is a path."""
    if arguments and arguments[0] in _SUB_COMMANDS:
        return arguments[0], list(arguments[1:])
    return "", list(arguments)


def split(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """What stands before the first ``--``, and the command behind it."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:end]), tuple(arguments[end + 1 :])
