"""How shared things are told apart: the key of what a ref names, and how a person reads it."""

from __future__ import annotations

import re

from asyncfix.effects.given import Given
from asyncfix.effects.owning import NAMESPACE, TAKEN_OUT, kept
from asyncfix.facts.likeness import CONFIGURED, MADE_LIKE
from asyncfix.facts.scopes import ELEMENT, KEPT, bare
from asyncfix.link.entities import Entity
from asyncfix.link.index import ProjectIndex

OWN_ROOT = re.compile(r"builtins\.[a-z]+!|types\.GeneratorType!")
OWN_ELEMENT = re.compile(r"(?:builtins\.(?:list|dict|set|frozenset|tuple)|types\.GeneratorType)!(?:\.\w+\(\))*\[")
"""What is taken out of a new collection of which it is not known what was put in: that may be anything."""
HELD = re.compile(r"(builtins\.\w+!|;)=")
"""What is said to be of a type, and may be what others have."""
LIBRARY = "library "
MOST_FOLLOWED = 60  # properties, one behind the other: what gives more than that is not known
PROCESS_STATE = re.compile(r"(?:global|process-state) \((\w+)\)")


class Keys:
    """The keys of everything in a project."""

    def __init__(self, index: ProjectIndex) -> None:
        self.index = index
        self.given = Given(self)

    def of(self, path: str, ref: str, through: frozenset[str] = frozenset(), *, deep: bool = False) -> tuple[str, str]:
        """The shared thing that a ref names, and the object that holds it; empty if only the call itself can reach it.

        ``through``: properties that have been followed: one may give what it is itself, of another object.
        ``deep``: what is asked for is the thing that goes by that name, not the name.
        """
        ref = TAKEN_OUT.sub("", ELEMENT.sub("[]", ref))
        if deep and (OWN_ELEMENT.match(ref) or HELD.search(ref)):
            return "?", "?"
        ref = HELD.sub(r"\1", ref)
        if deep and ref.startswith(":") and ref.endswith("^"):
            return self._whole(path, f"{ref[:-1]}!")  # what `super` changes is the object itself
        if not ref or OWN_ROOT.match(ref) or ref.endswith(";") or MADE_LIKE in ref:
            return "", ""
        if ref.startswith("?"):
            return ref, "?"
        base, attribute = split(ref)
        if not attribute:
            plain = bare(ref)
            return self._whole(path, plain) if plain == ref else self.of(path, plain, through, deep=deep)
        if base.endswith("<locals>"):
            return f"{self.index.evaluator.modules.names[path]}{ref}", base
        if self.made_here(path, ref if deep else base):
            return "", ""
        for entity in self.index.evaluator.evaluate(path, base):
            match entity.kind:
                case "instance" | "class":
                    given = self._given_by_property(entity, attribute)
                    if given is not None and given not in through:
                        result = self.index.fact(given).results[0] if len(through) < MOST_FOLLOWED else "?"
                        return self.of(self.index.path(given), result, through | {given}, deep=deep)
                    owner = self._owner(entity, attribute)
                    return f"{owner}.{attribute}", base
                case "module":
                    module = self.index.evaluator.modules.names[entity.name]
                    return self._variable(entity.name, module, attribute)
                case "external":
                    return ("", "") if "()" not in entity.name else (f"?.{attribute}", base)
                case "function" | "method" if attribute in CONFIGURED:
                    return "", ""  # of a mock
                case "value":
                    return self.of(path, base)
                case _:
                    pass
        return f"?.{attribute}", base

    def _whole(self, path: str, ref: str) -> tuple[str, str]:
        """A ref without an attribute at its end: a parameter, a variable of a function, the result of a call."""
        if "@" in ref and not ref.endswith(("()", "!")):
            return f"argument {path}{ref}", ref
        if ref.startswith(":") and ref.endswith("!"):
            return f"{path}{ref}", ref  # the object itself, as a class of a library sees it
        if self.made_here(path, ref):
            return "", ""
        if ref.endswith("()"):
            return (
                f"?{ref}",
                ref,
            )  # what a function of the project, or a method of something shared, gives may be shared
        base = ref.rstrip("[]%~")
        made = self.index.evaluator.evaluate(path, base.removesuffix("()")) if base != ref else ()
        if not all(kept(self.given, entity, ref.removeprefix(base)) for entity in made):
            return f"?{ref}", ref  # an element of what was made here of something that may be shared
        return self.of(path, base) if base != ref else ("", "")

    def _variable(self, path: str, module: str, name: str) -> tuple[str, str]:
        summary = self.index.summaries.get(path)
        if summary is None:  # a file that could not be read
            return f"{module}.{name}", module
        for entity in self.index.evaluator.attribute(Entity("module", path), name):
            if entity.kind in ("function", "class", "module") and f":{name}" in summary.bindings.get(
                name, (f":{name}",)
            ):
                return "", ""
        if name in summary.bindings or name == NAMESPACE:
            return f"{module}.{name}", module
        return "", ""

    def _given_by_property(self, entity: Entity, attribute: str) -> str | None:
        """The property that an attribute is which only gives another attribute."""
        if entity.kind != "instance" or attribute not in self.index.names:
            return None
        for found in self.index.evaluator.accessors(entity, attribute, "read"):
            results = self.index.fact(found).results
            if len(results) == 1 and split(results[0])[1]:
                return found
        return None

    def _owner(self, entity: Entity, attribute: str) -> str:
        """The base class that introduces an attribute, so that one attribute has one key."""
        owner = entity.name
        for base in self.index.evaluator.order(entity.name):
            info = self.index.classes.get(base)
            if info is not None and attribute in info.fact.attributes:
                owner = base
        return owner

    def _is_of_elements(self, path: str, base: str, steps: str) -> bool:
        """Whether a method of a new collection may give what it was made of, which others have too."""
        made = self.index.evaluator.evaluate(path, base.removesuffix("()")) if base.endswith("()") else ()
        return not all(kept(self.given, entity, steps) for entity in made)

    def made_here(self, path: str, ref: str) -> bool:
        """Whether an object was made by the code that uses it: the call of a class, or of a library."""
        if ref.endswith(";"):
            return True
        if f"(){KEPT}" in ref:
            return False
        at = ref.rfind("()")
        if at < 0:
            return False
        entities = self.index.evaluator.evaluate(path, ref[:at])
        if not entities or any(entity.kind not in ("class", "external") for entity in entities):
            return False
        if not all(kept(self.given, entity, ref[at + 2 :]) for entity in entities):
            return False
        if any(entity.kind == "class" and self.index.evaluator.is_enum(entity.name) for entity in entities):
            return False
        base, attribute = split(ref[:at])
        method = attribute and any(
            entity.kind in ("instance", "value") for entity in self.index.evaluator.evaluate(path, base)
        )
        return not method or (not self.of(path, base)[0] and not self._is_of_elements(path, base, ref[len(base) :]))


def pretty(ref: str) -> str:
    """A ref as a person would write it."""
    text = re.sub(
        r"\$[^$]*\$|\*[\w.]+\??;|[!%~^&=]|\[(?:[:01]?|'\w+')\]|<locals>\.", "", ref.removeprefix(":").removeprefix("?")
    )
    return re.sub(r"[\w.]*@", "", text)


def is_known(key: str) -> bool:
    """Whether a key tells one thing from another: nothing at all is known of some objects."""
    return bool(key.strip("?[]()!~%^"))


def said(key: str) -> str:
    """A key as a person reads it."""
    if key.startswith("argument "):
        return f"the argument {pretty(key.rpartition('@')[2])}"
    if ":" in key and not key.startswith(("file ", "'", '"')):
        return pretty(key.rpartition(":")[2])
    if key.startswith("file "):
        if key.startswith("file @"):
            return f"the file {key.rpartition(':')[2]}"
        return "a file" if "?" in key else f"the file {said(key.removeprefix('file '))}"
    kept = PROCESS_STATE.fullmatch(key)
    if kept is not None:
        return f"what {kept.group(1)} keeps for the whole process"
    return pretty(key.removeprefix(LIBRARY).removeprefix("?.")) or "an object that is not known"


def split(ref: str) -> tuple[str, str]:
    """A ref's base and the attribute it ends in ('' if it ends in something else)."""
    base, dot, last = ref.rpartition(".")
    if not dot or not last.isidentifier():
        if ref.startswith(":") and ref[1:].isidentifier():
            return ":", ref[1:]
        return ref, ""
    return base or ":", last
