"""What the examples of a docstring call: a test runner may run them as they stand."""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from collections.abc import Iterator

PROMPT = ">>>"
EXAMPLE = re.compile(r"^[ \t]*>>> .*(?:\n[ \t]*\.\.\.(?: .*)?$)*", re.MULTILINE)
MARK = re.compile(r"^[ \t]*(?:>>>|\.\.\.) ?", re.MULTILINE)


def called(text: str) -> Iterator[tuple[str, int]]:
    """The last names of what the examples call, with the line of the text (from 0)."""
    for example in EXAMPLE.finditer(text):
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            line = text.count("\n", 0, example.start())
            for node in ast.walk(ast.parse(MARK.sub("", example.group()))):
                if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
                    name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                    yield name, line + node.lineno - 1
