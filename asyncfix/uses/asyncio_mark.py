"""A test that turned async: marked for pytest-asyncio."""

from __future__ import annotations

from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    start = writing.source.line_start(use.span.start)
    return [Replace(Span(start, start), f"{writing.indent(use.span)}@{writing.name('pytest.mark')}.asyncio\n")]
