"""What names tell where nothing else does: what something called does, and which objects take one call at a time."""

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
_SINGLE = re.compile(
    r"(?:sess(?:ion)?|conn(?:ection)?|cursor|cur|tx|txn|transaction|uow|db|database|engine|ws|websocket|sock(?:et)?|stream|reader"
    r"|writer|transport|protocol|channel|chan|serial|modbus|bus|port|device|dev|file|fp|fh|handle|lock|mutex|page|browser|driver"
    r"|tab|frame|proc(?:ess)?|stdin|stdout|pipe(?:line)?|telnet|ssh|sftp|ftp|imap|smtp|mqtt|queue|iter(?:ator)?|generator"
    r"|conv(?:ersation)?|term(?:inal)?|shell|buffer|parser|decoder|decompressor)s?\d*",
    re.IGNORECASE,
)
_SENT = frozenset({"request", "req"})
"""What a client sent, whose body is read once."""
_WORDS = re.compile(r"_|(?<=[a-z])(?=[A-Z])")
_CLASS = re.compile(r"_*[A-Z]+[a-z]")
_CALLED = re.compile(r"([^\s,]+)\.[^\s.,]+ \([^\s()]*:\d+\)")


def changes(name: str) -> bool:
    """Whether what is called changes something for others, or shows them something, by the last part of its dotted name."""
    return _CHANGES.search(name.rpartition(".")[2]) is not None


def has_place(name: str) -> bool:
    """Whether it does so, or comes before or after other things by its name: what is opened, what is read in turn."""
    return changes(name) or _HAS_PLACE.search(name.rpartition(".")[2]) is not None


def sounds_single(name: str) -> bool:
    """Whether an object takes one call at a time by its dotted name: by the last word of a part of it. Of what a class holds the
    class does not count, nor do modules."""
    parts = [part.partition("(")[0].partition("[")[0] for part in name.split(".")]
    classes = [position for position, part in enumerate(parts) if _CLASS.match(part)]
    own = parts[classes[-1] + 1 :] or parts[-1:] if classes else parts
    return own[-1] in _SENT or any(_SINGLE.fullmatch(_WORDS.split(part)[-1]) for part in own)


def speaks_of_single(sentence: str) -> bool:
    """Whether a sentence speaks of methods of such an object, each with its place: ``page.content (app.py:3)``."""
    return any(map(sounds_single, _CALLED.findall(sentence)))
