"""What the name of something called tells of what it does, where nothing else does."""

from __future__ import annotations

import re

_CHANGING = (
    r"publish|put|write|flush|delete|ack|send\w*|create|update|set|save|add|insert|remove|destroy|edit|reset|reload|upload|deploy"
    r"|install|cleanup|register|unregister|subscribe|unsubscribe|notify|emit|broadcast|dispatch|enqueue|enable|disable|cancel"
    r"|kill|terminate"
)
_CHANGING_FIRST = (
    r"patch|mark|record|store|move|rename|replace|push|pop|increment|decrement|reply|respond|defer|ban|kick|charge|transfer"
    r"|submit|apply|toggle|resume|migrate|log"
)
_PLACED = (
    r"execute\w*|receive\w*|recv\w*|connect|disconnect|login|logout|open|closed?|aclose|start|startup|stop|shutdown|init"
    r"|initiali[sz]e|setup|teardown|read\w*"
)
_CHANGES = re.compile(rf"(?:^|_)(?:{_CHANGING})(?:_|$)|^_*post_|^_*(?:{_CHANGING_FIRST})(?:_|$)", re.IGNORECASE)
_HAS_PLACE = re.compile(rf"(?:^|_)(?:{_PLACED})(?:_|$)", re.IGNORECASE)


def changes(name: str) -> bool:
    """Whether what is called changes something for others, or shows them something, by the last part of its dotted name."""
    return _CHANGES.search(name.rpartition(".")[2]) is not None


def has_place(name: str) -> bool:
    """Whether it does so, or comes before or after other things by its name: what is opened, what is read in turn."""
    return changes(name) or _HAS_PLACE.search(name.rpartition(".")[2]) is not None
