"""Methods that change their receiver, whatever it turns out to be, and those that change nothing."""

from __future__ import annotations

# Of containers and files: they do no more than that.
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

# Of tasks, futures and queues: they may wake others up, too.
SIGNALLING_METHODS = frozenset({"cancel", "set_result", "set_exception", "put_nowait", "get_nowait", "task_done"})

# Methods of plain values, on receivers whose type is not known: harmless unless the project has a function of that name.
# Names that databases, sessions and paths have too (``get``, ``count``, ``replace``) are not among them.
VALUE_METHODS = frozenset(
    [
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "rsplit",
        "splitlines",
        "lower",
        "upper",
        "title",
        "capitalize",
        "casefold",
        "swapcase",
        "startswith",
        "endswith",
        "encode",
        "decode",
        "zfill",
        "ljust",
        "rjust",
        "center",
        "partition",
        "rpartition",
        "removeprefix",
        "removesuffix",
        "isdigit",
        "isalpha",
        "isalnum",
        "isspace",
        "isdecimal",
        "isnumeric",
        "isidentifier",
        "islower",
        "isupper",
        "istitle",
        "translate",
        "expandtabs",
        "items",
        "keys",
        "isoformat",
        "total_seconds",
        "timestamp",
        "group",
        "groups",
        "groupdict",
    ]
)
