"""Which quotes a string may have that is written at a place: before Python 3.12 an f-string holds none of its own kind."""

from __future__ import annotations

import ast
import re

from asyncfix.model import Span
from asyncfix.transform import Look

STRING = re.compile(r"""[^\W\d]*('''|\"\"\"|'|")(?:\\.|(?!\1).)*\1""", re.DOTALL)


def free_quote(look: Look) -> str:
    """The quote for a string among the arguments of a call, '' if none is left or it cannot be told."""
    strings = [node for node in look.tree.ancestors(look.node) if isinstance(node, ast.JoinedStr)]
    nested = [node for node in strings if getattr(look.tree.parent(node), "format_spec", None) is not node]
    if not nested:
        return '"'
    source, span = look.tree.source, look.tree.source.span(strings[-1])
    at = len(source.text(Span(span.start, look.span.start)))
    parts = STRING.finditer(source.text(span))
    quote = next((part.group(1) for part in parts if part.start() < at < part.end()), "")
    if len(nested) > 1 or not quote:
        return ""
    return "'" if quote == '"' else '"'
