"""How a ref is cut into its steps."""

from __future__ import annotations

import re

STEP = re.compile(r"\.(?:<[^>]*>|[^.()\[\]!^@%~&*<=$]+)|\(\)|\[(?:[:01]?|'\w+')\]|[!^%~&=]|@\w+|\*[\w.]+\??;|\$[^$]*\$")
ROOT = re.compile(r"[^.()\[\]!^@%~&*<=$]+")


def last_step(ref: str) -> int | None:
    """Offset of the last step of a ref, None if it has none after its root."""
    dot = ref.rfind(".")
    if dot > 0 and ref[dot + 1 :].isidentifier():  # nearly always
        return None if ref[dot - 1] == "." else dot
    end = len(ref)
    if ref[-1] in "!^%~&=":
        return end - 1
    if ref.endswith("()"):
        return end - 2
    if ref[-1] == "]":
        return ref.rindex("[")
    if ref[-1] in ";$":
        begin = ref.rfind("*" if ref[-1] == ";" else "$", 0, end - 1)
        return begin if begin > 0 else None  # the text may have been cut within a step
    at = ref.rfind("@")
    cut = max(at, dot)
    if cut > 0 and ref[cut + 1 :].isidentifier():
        return None if ref[cut - 1] == "." else cut
    bracket = max(map(ref.rfind, ")]!%;=$"))
    if cut <= 0 or cut < bracket or ref[cut:].startswith(".<") or ref[cut - 1] == ".":
        return None
    return cut
