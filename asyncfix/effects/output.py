"""Lines that are written to the process's output in pieces: another task may write in between."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asyncfix.effects.touch import Where
from asyncfix.link.index import ProjectIndex
from asyncfix.model import Argument, Call, Span

WRITING = re.compile(r"(sys\.std(?:out|err))\.(?:write|writelines)")
PRINT = "builtins.print"
STREAMS = frozenset({"sys.stdout", "sys.stderr"})


@dataclass(frozen=True, slots=True)
class Output:
    """One call that writes to stdout or stderr; ``half``: what it writes may not end with the end of a line."""

    stream: str
    half: bool
    span: Span
    where: Where


def output(index: ProjectIndex, path: str, name: str, call: Call) -> Output | None:
    """What the call of ``name``, of a library, writes to stdout or stderr."""
    where = Where(path, call.line)
    written = WRITING.fullmatch(name)
    if written:
        whole = name.endswith(".write") and bool(call.arguments) and _ends_line(call.arguments[0])
        return Output(written[1], not whole, call.span, where)
    if name != PRINT:
        return None
    end = _named(call.arguments, "end")
    half = end is not None and end.literal != "None" and not _ends_line(end)
    stream = _printed_to(index, path, call)
    return Output(stream, half, call.span, where) if stream in STREAMS else None


def _printed_to(index: ProjectIndex, path: str, call: Call) -> str:
    """The name of the stream that a `print` writes to, '' if it is not known."""
    given = _named(call.arguments, "file")
    if given is None or given.literal == "None":
        return "sys.stdout"
    meant = index.evaluator.evaluate(path, given.ref)
    return meant[0].name if len(meant) == 1 else ""


def half_line(index: ProjectIndex, function: str, span: Span, loop: Span | None) -> Iterator[str]:
    """Why an await at ``span``, in the outermost ``loop``, may let another task write into half a line."""
    path, externals = index.path(function), index.externals.get(function, ())
    found = (output(index, path, external.name, external.call) for external in externals)
    outputs = sorted((item for item in found if item is not None), key=lambda item: item.span)
    for stream in sorted({item.stream for item in outputs if item.half}):
        own = [item for item in outputs if item.stream == stream]
        again = [item for item in own if loop is not None and loop.contains(item.span)]
        before = [item for item in own if item.span.end <= span.start] or again
        after = [item for item in own if item.span.start >= span.end] or again
        if before and before[-1].half and after:
            yield (
                f"the await stands between two writes to {stream} ({before[-1].where} and {after[0].where}), "
                "the first of which may leave half a line"
            )


def _named(arguments: Sequence[Argument], keyword: str) -> Argument | None:
    return next((item for item in arguments if item.keyword == keyword), None)


def _ends_line(argument: Argument) -> bool:
    return argument.literal.endswith("\n")
