"""Methods of containers and files that change them, whatever the receiver turns out to be."""

from __future__ import annotations

CHANGING_METHODS = frozenset(
    {
        "append",
        "extend",
        "insert",
        "remove",
        "pop",
        "clear",
        "sort",
        "reverse",
        "update",
        "setdefault",
        "popitem",
        "add",
        "discard",
    }
    | {"appendleft", "popleft", "write", "writelines", "writerow", "writerows"}
)
