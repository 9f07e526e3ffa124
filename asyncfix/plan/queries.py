"""Statements in SQL: whether they read or change something, as their words show."""

from __future__ import annotations

import re
from itertools import pairwise

from asyncfix.model import Call

STATEMENT = ("", "query", "sql", "operation")
"""Keywords of the argument that is the statement; '' is the first one."""
TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|\S")
READING = frozenset({"select", "with"})
CHANGING = frozenset(
    {"into", "insert", "update", "delete", "merge", "create", "drop", "alter", "truncate", "lock", "grant", "revoke"}
)
UNCLEAR = frozenset(
    {
        "for",
        "replace",
        "call",
        "exec",
        "execute",
        "do",
        "copy",
        "set",
        "pragma",
        "attach",
        "listen",
        "notify",
        "refresh",
    }
)
"""Words that make more of a statement than a read, or may."""
HIDING = ("--", "/*", "$$", ";")
OPENING = frozenset(
    {"select", "from", "where", "and", "or", "not", "in", "exists", "any", "all", "some", "on", "as", "join", "lateral"}
    | {
        "using",
        "union",
        "except",
        "intersect",
        "by",
        "over",
        "filter",
        "within",
        "distinct",
        "case",
        "when",
        "then",
        "else",
    }
    | {"having", "limit", "offset", "values", "between", "like", "ilike", "with", "is", "array", "interval", "group"}
)
"""Words before a parenthesis that is none of a call."""
FUNCTIONS = frozenset(
    {"count", "sum", "min", "max", "avg", "coalesce", "nullif", "greatest", "least", "cast", "lower", "upper", "length"}
    | {"trim", "abs", "round", "floor", "ceil", "substring", "substr", "concat", "date", "date_trunc", "extract", "now"}
    | {"array_agg", "string_agg", "group_concat", "json_agg", "jsonb_agg", "json_build_object", "jsonb_build_object"}
    | {
        "row_number",
        "rank",
        "dense_rank",
        "lag",
        "lead",
        "strftime",
        "to_char",
        "ifnull",
        "unnest",
        "varchar",
        "numeric",
    }
)


def outside(call: Call) -> str:
    """What a call does with the statement that it is given: ``read``, without functions that are not known, ``write``, or
    ``several`` where that does not show."""
    given = call.arguments[:1] if call.arguments and not call.arguments[0].keyword else call.arguments
    text = next((each.literal for each in given if each.keyword in STATEMENT), "").strip().removesuffix(";")
    tokens = [token.lower() for token in TOKEN.findall(text)]
    if CHANGING.intersection(tokens):
        return "write"
    if not tokens or tokens[0] not in READING or any(sign in text for sign in HIDING) or UNCLEAR.intersection(tokens):
        return "several"
    called = (name for name, behind in pairwise(tokens) if behind == "(" and (name[0].isalpha() or name[0] in '_"'))
    return "read" if all(name in OPENING or name in FUNCTIONS for name in called) else "several"
