"""A test that turned async: marked for pytest-asyncio."""

from __future__ import annotations

from asyncfix.model import Edit, Replace, Span, Use
from asyncfix.transform import Writing


def write(use: Use, writing: Writing) -> list[Edit]:
    return marked(use, writing, "asyncio")


def marked(use: Use, writing: Writing, mark: str) -> list[Edit]:
    """A mark of pytest as the first decorator of what stands at the use."""
    start = writing.source.line_start(use.span.start)
    return [Replace(Span(start, start), f"{writing.indent(use.span)}@{writing.name('pytest.mark')}.{mark}\n")]
