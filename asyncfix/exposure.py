"""Whether a name that is added to a file may be met elsewhere, or come in the way of one from elsewhere.

Read off the text, since generated code is asked for in few files only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

_STAR = re.compile(rb"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]*\(?[ \t]*\*", re.MULTILINE)
_INJECTED = re.compile(
    rb"\bbuiltins\.\w+[ \t]*=[^=]|\bbuiltins\.__dict__|\b__builtins__\b|\b(?:setattr|vars)\([ \t]*builtins\b"
)


@dataclass(frozen=True)
class Exposure:
    """``files``: the files of the project, with their text."""

    files: Mapping[str, bytes | None]

    def meets(self, path: str) -> bool:
        """Whether names without an underscore of a file become those of others, by a star import, or come from builtins."""
        stem = path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2].encode()
        shown = stem in self._starred or (path.endswith("/__init__.py") and b"" in self._starred)
        return self._is_injected or (shown and b"__all__" not in (self.files.get(path) or b""))

    @cached_property
    def _starred(self) -> frozenset[bytes]:
        """The last names of modules of which a file imports everything."""
        texts = (data for path, data in self.files.items() if data and path.endswith(".py") and b"*" in data)
        return frozenset(name.rpartition(b".")[2] for data in texts for name in _STAR.findall(data))

    @cached_property
    def _is_injected(self) -> bool:
        """Whether something is put among the builtins."""
        texts = (data for path, data in self.files.items() if data and path.endswith(".py"))
        return any(b"builtins" in data and _INJECTED.search(data) for data in texts)
