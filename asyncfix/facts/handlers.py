"""What an ``except`` clause does with the error that it catches: whether the program reads more of it than that it came."""

from __future__ import annotations

import ast

from asyncfix.flow import last_name

# Calls that only tell a person: what they are given is no value that the program goes on with.
TELLING = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "print"})


def reads_error(handler: ast.ExceptHandler) -> bool:
    """Whether the handler uses the error as a value: not if it logs it, raises it again or raises another from it."""
    if handler.name is None:
        return False
    return any(_reads(statement, handler.name) for statement in handler.body)


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether the handler ends by raising what it caught."""
    match handler.body[-1]:
        case ast.Raise(exc=None):
            return True
        case ast.Raise(exc=ast.Name(id=name), cause=None):
            return name == handler.name
        case _:
            return False


def _reads(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(id=found):
            return found == name
        case ast.Raise(exc=None | ast.Name()):
            return False
        case ast.Raise(exc=ast.expr() as raised):
            return _reads(raised, name)
        case ast.Call(func=func) if last_name(func) in TELLING:
            return False
        case _:
            return any(_reads(child, name) for child in ast.iter_child_nodes(node))
