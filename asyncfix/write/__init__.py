"""Writes the files of one run as one transaction: all of them or none, whatever fails, and undoable afterwards.

`record` says what a transaction is and how it is kept, `disk` makes the system calls, `transaction` is the protocol.
"""

from asyncfix.write.record import FileChange, WriteError, last_written, state_folder
from asyncfix.write.transaction import commit, pending, recover, undo

__all__ = [
    "FileChange",
    "WriteError",
    "commit",
    "last_written",
    "pending",
    "recover",
    "state_folder",
    "undo",
]
