"""The first visit of a file: bytes in, plain facts out. A pure function of path and bytes, run in workers, cached.

Nothing of the project is known here but this one file, and no rule: what a call means is settled by the link.
"""

from __future__ import annotations

import gc
import io
import re
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from asyncfix.facts.resolution import (
    Loose,
    additions,
    assignments,
    class_facts,
    function_facts,
    listed,
    module_bindings,
)
from asyncfix.facts.walker import Walker
from asyncfix.model import Mention, Summary, Suppression, TextFacts
from asyncfix.source import Source, Unreadable

IDENTIFIER = re.compile(r"[^\W\d]\w*")
# What is asked of an object in a template keeps its dot.
TEMPLATE_NAME = re.compile(r"\.?[^\W\d]\w*")
# A text in a template is a name if it is nothing else; by some it is asked of an object: `["name"]`, `map(attribute="name")`.
TEMPLATE_TEXT = re.compile(r"""(\[\s*|\battribute\s*=\s*|\battr\s*\(\s*)?(["'])((?:\\.|(?!\2).)*)\2""", re.DOTALL)
NAME_ALONE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
TEMPLATE_PART = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
DOTTED_PATH = re.compile(r"(?<![\w.])[^\W\d]\w*(?:\.[^\W\d]\w*)*(?:[.:][^\W\d]\w*(?![\w(])|:[^\W\d]\w*(?=\())")
# The middle of a dotted path is rare in data and found ten times as fast as the whole: first in the bytes of a file (any
# byte beyond ASCII may be of a letter), then in its text.
MAYBE_INSIDE_PATH = re.compile(rb"[.:](?<=[\w\x80-\xff].)[A-Za-z_\x80-\xff]")
INSIDE_PATH = re.compile(r"[.:](?<=\w.)(?=[^\W\d])")
SILENCED = re.compile(r"#\s*noqa:[^#]*\bASYNC\d")
COMMENT = re.compile(r"#\s*asyncfix:\s*(ignore-file|ignore)(?:\[([^\]]*)\])?")
# What asyncfix itself is told names functions and runs none.
OWN_TABLES = re.compile(r"^\[+tool\.asyncfix[^\n]*\n(?:(?!\[)[^\n]*(?:\n|\Z))*", re.MULTILINE)


def summarise(path: str, data: bytes) -> Summary | TextFacts:
    """The facts of a Python file; of one that cannot be parsed its identifiers, and the reason."""
    try:
        source = Source(path, data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes of other people's code are not our business
            tree = source.parse()
            walker = Walker(source)
            walker.walk(tree)
            return _summary(source, walker)
    except Unreadable as error:
        return unparsed(path, data, str(error))
    except RecursionError:
        return unparsed(path, data, "nested too deeply")


def unparsed(path: str, data: bytes, reason: str) -> TextFacts:
    """A Python file as text: every identifier in it may be a call of something."""
    return TextFacts(path, "python", _mentions(data.decode("utf-8", "replace"), IDENTIFIER), reason)


def read_text(path: str, kind: Literal["template", "data"], data: bytes) -> TextFacts:
    """What a template or a data file names."""
    text = data.decode("utf-8", "replace")
    if path.rpartition("/")[2] == "pyproject.toml":
        text = OWN_TABLES.sub(lambda found: "\n" * found.group().count("\n"), text)
    if kind == "template":
        return TextFacts(path, "template", _mentions(_template_parts(text), TEMPLATE_NAME))
    return TextFacts(path, "data", _first_places(_lines_with_paths(text), DOTTED_PATH))


def names_nothing(kind: str, data: bytes) -> bool:
    """Whether a file is data in which no dotted path can stand; quick, and linear in the size."""
    return kind == "data" and MAYBE_INSIDE_PATH.search(data) is None


def summarise_bytes(item: bytes) -> bytes:
    """All of the above as a task of a worker: msgpack of (path, kind, reason not to parse it, data) in, of the facts out."""
    path, kind, reason, data = msgspec.msgpack.decode(
        item, type=tuple[str, Literal["python", "template", "data"], str, bytes]
    )
    facts: Summary | TextFacts
    gc.disable()  # a fifth of the time, and trees and facts hold no cycles
    try:
        if kind != "python":
            facts = read_text(path, kind, data)
        else:
            facts = unparsed(path, data, reason) if reason else summarise(path, data)
    finally:
        gc.enable()
    return msgspec.msgpack.encode(("summary" if isinstance(facts, Summary) else "text", facts))


def decode(item: bytes) -> Summary | TextFacts:
    """What `summarise_bytes` gave."""
    tag, raw = msgspec.msgpack.decode(item, type=tuple[str, msgspec.Raw])
    if tag == "summary":
        return msgspec.msgpack.decode(raw, type=Summary)
    return msgspec.msgpack.decode(raw, type=TextFacts)


def _summary(source: Source, walker: Walker) -> Summary:
    loose = Loose()
    functions = tuple(function_facts(walker, frame, loose) for frame in walker.frames)
    return Summary(
        path=source.path,
        functions=functions,
        classes=tuple(class_facts(item) for item in walker.classes),
        bindings=module_bindings(walker),
        stars=tuple(walker.star_modules),
        exports=tuple(walker.exports) if walker.exports is not None else None,
        imports=frozenset(walker.imports),
        mentions=tuple(walker.mentions),
        dynamic=tuple(walker.dynamic),
        examples=tuple(walker.examples),
        loose=loose.reads,
        suppressions=_suppressions(source),
        deliberate=_deliberate(source),
        rebinds=tuple(sorted(loose.writes)),
        assigned=tuple(assignments(walker)),
        added=tuple(additions(walker)),
        listed=dict(listed(walker)),
    )


def _template_parts(text: str) -> str:
    """The expressions and tags of a template, on the lines on which they stand."""
    parts: list[str] = []
    at = 0
    for match in TEMPLATE_PART.finditer(text):
        parts += ["\n" * text.count("\n", at, match.start()), " ", TEMPLATE_TEXT.sub(_name_alone, match.group())]
        at = match.end()
    return "".join(parts)


def _name_alone(text: re.Match[str]) -> str:
    """What a text in an expression of a template names, on as many lines."""
    if NAME_ALONE.fullmatch(text.group(3)) is None:
        return (text.group(1) or "") + "\n" * text.group(3).count("\n")
    return f"{text.group(1)} .{text.group(3)}" if text.group(1) else text.group(3)


def _mentions(text: str, pattern: re.Pattern[str]) -> tuple[Mention, ...]:
    """The first place of every name that the pattern finds."""
    return _first_places(enumerate(text.split("\n"), 1), pattern)


def _first_places(lines: Iterable[tuple[int, str]], pattern: re.Pattern[str]) -> tuple[Mention, ...]:
    first: dict[str, int] = {}
    for number, line in lines:
        for match in pattern.finditer(line):
            first.setdefault(match.group(), number)
    return tuple(Mention(name, line) for name, line in first.items())


def _lines_with_paths(text: str) -> Iterator[tuple[int, str]]:
    """The lines, with their numbers, in which a dotted path may stand."""
    number, start, end = 1, 0, -1
    for match in INSIDE_PATH.finditer(text):
        if match.start() > end:
            number += text.count("\n", start, match.start())
            start = text.rfind("\n", 0, match.start()) + 1
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            yield number, text[start:end]


def _deliberate(source: Source) -> tuple[int, ...]:
    if b"noqa" not in source.data or b"ASYNC" not in source.data:
        return ()
    return tuple(number for number, line in enumerate(source.lines(), 1) if SILENCED.search(line))


def _suppressions(source: Source) -> tuple[Suppression, ...]:
    if b"asyncfix:" not in source.data:
        return ()
    found: list[Suppression] = []
    for token in tokenize.generate_tokens(io.StringIO(source.data.decode(source.encoding).lstrip("\ufeff")).readline):
        match = COMMENT.search(token.string) if token.type == tokenize.COMMENT else None
        if match is not None:
            rules = tuple(rule.strip() for rule in (match.group(2) or "").split(",") if rule.strip())
            found.append(Suppression(0 if match.group(1) == "ignore-file" else token.start[0], rules))
    return tuple(found)
