"""Methods that change their receiver, whatever it turns out to be."""

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
