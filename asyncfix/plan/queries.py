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
QUALIFYING = "."  # before a name: what a schema has under it may be anything
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
    named = zip(["", *tokens], pairwise(tokens), strict=False)
    called = [
        (before, name) for before, (name, behind) in named if behind == "(" and (name[0].isalpha() or name[0] in '_"')
    ]
    known = all(before != QUALIFYING and (name in OPENING or name in FUNCTIONS) for before, name in called)
    return "read" if known else "several"
