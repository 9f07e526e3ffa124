"""Scopes of one file, and what a name or an expression may refer to there, as refs (see `asyncfix.model`).

Names are resolved by Python's rules (function, enclosing functions, module, builtins; class bodies are skipped from
within their methods) but without regard to the order of statements: a name that is bound several times in one scope has
several refs. More than `MOST` are as good as unknown.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from asyncfix.facts import narrowing
from asyncfix.facts.likeness import ENDS, spec_of
from asyncfix.facts.narrowing import Shown
from asyncfix.facts.sharing import is_new
from asyncfix.flow import last_name

MOST = 12
MOST_NAMED = 64  # of functions and classes that a mapping lists by name
MOST_KEYED = 8  # of a mapping one is asked for by its key: that it may be any of so many would tell nothing
LONGEST = 200
UNKNOWN = ("?",)
KEPT = "="
ANYTHING = "typing.Any!"
CLASS = re.compile(r"[\w.:]+")
SHOWN = re.compile(r"\$[^$]*\$")
NAMED = re.compile(r"(?!builtins\.)[\w.:<>]+(?:\*[\w.]+\??;)?")
"""A ref to what has a name of its own, or a collection of that."""
NONE = "builtins.None!"  # a variable that is None has no attributes: it tells nothing of what it may be else
BUILTINS = frozenset(dir(builtins))
LITERALS: dict[type[ast.expr], str] = {
    ast.List: "builtins.list!",
    ast.ListComp: "builtins.list!",
    ast.Dict: "builtins.dict!",
    ast.DictComp: "builtins.dict!",
    ast.Set: "builtins.set!",
    ast.SetComp: "builtins.set!",
    ast.Tuple: "builtins.tuple!",
    ast.JoinedStr: "builtins.str!",
    ast.GeneratorExp: "types.GeneratorType!",
    ast.Compare: "builtins.bool!",
}

# Wrappers in annotations that say nothing about which attributes there are.
TRANSPARENT = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"})

# Annotations of what has elements: all but the last kind are gone through, of a mapping the values are meant.
COLLECTIONS = frozenset(
    {"list", "List", "set", "Set", "frozenset", "FrozenSet", "tuple", "Tuple", "deque", "Deque", "Sequence"}
    | {"MutableSequence", "Collection", "Iterable", "Iterator", "Generator", "Reversible", "AbstractSet"}
    | {"AsyncIterable", "AsyncIterator", "AsyncGenerator"}
    | {f"{name}ContextManager" for name in ("", "Async", "Abstract", "AbstractAsync")}  # `%` is the element
)
MAPPINGS = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict"})
# Builtins that gather what they are given anew.
GATHERING = {
    "builtins.list": "builtins.list",
    "builtins.sorted": "builtins.list",
    "builtins.reversed": "builtins.map",  # an iterator
    "builtins.tuple": "builtins.tuple",
    "builtins.set": "builtins.set",
    "builtins.frozenset": "builtins.frozenset",
}
# Calls that give an element of what they are given.
PICKING = frozenset({"builtins.next", "builtins.min", "builtins.max", "random.choice"})
# Calls whose result is told by their arguments.
TELLING = GATHERING.keys() | {
    "typing.cast",
    "typing.assert_type",
    "typing.NewType",
    "functools.partial",
    "importlib.import_module",
    "traitlets.Instance",
    "collections.defaultdict",
    *(f"builtins.{name}" for name in ("staticmethod", "iter", "next", "map", "filter", "getattr", "__import__")),
    "builtins.memoryview",
    *PICKING,
}
# Calls that give a maker of objects of the class that they are given.
MAKERS = frozenset(
    f"sqlalchemy.{name}"
    for name in (
        *("orm.sessionmaker", "orm.session.sessionmaker"),
        *("ext.asyncio.async_sessionmaker", "ext.asyncio.session.async_sessionmaker"),
    )
)
DICT = "*builtins.dict;"
LIST = "*builtins.list;"
GROWING = (LIST, "*builtins.set;", DICT, "*collections.defaultdict;")
EMPTY = frozenset(
    {"builtins.list!", "builtins.dict!", "builtins.set!", "builtins.list()", "builtins.dict()", "builtins.set()"}
)
LIBRARY = re.compile(r"[\w.]+")
# What nobody else has: what is written out, and what libraries give, as a rule.
OWN = re.compile(
    r"(?!builtins\.(?:eval|getattr|globals|locals|next|vars)\()(?:builtins\.\w+!|[\w.]+\(\))[^=]*$|[^=]*;$"
)

# Annotations that say nothing of what it is.
VAGUE = frozenset(
    {
        "typing.Any",
        "typing_extensions.Any",
        "builtins.object",
        "typing.Callable",
        "collections.abc.Callable",
        "builtins.callable",
    }
    | {f"{module}.{name}" for module in ("typing", "typing_extensions") for name in ("TypeAlias", "Final", "ClassVar")}
)

ELEMENT = re.compile(r"\[(?:[:01]?|'\w+')\]")  # the step to an element, by whichever way one comes to it
DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")

Refs: TypeAlias = tuple[str, ...]


# Structs, like the facts themselves: there is one for every name that is bound, and they are made in half the time.
class Bound(msgspec.Struct, gc=False):
    """One binding of a name: the expression that gives the value and the steps from there, or a finished ref."""

    value: ast.expr | str
    steps: str = ""
    scope: Scope | None = None
    """The scope that the value is read in, if more is known of names there."""


class Scope(msgspec.Struct, eq=False):
    """A namespace. ``prefix`` is the ref of the scope's owner: ``:`` for the module, ``:f.<locals>.`` inside ``f``.

    ``kept``: names of objects that the function put where others reach them.
    ``added``: what is put into the collections that names stand for, each with the scope it is in and the collection.
    ``narrowed``: what a test has shown of names: this is the code behind it, in the scope that the test stands in.
    """

    kind: str
    prefix: str
    parent: Scope | None = None
    names: dict[str, list[Bound]] = msgspec.field(default_factory=dict)
    declared: dict[str, str] = msgspec.field(default_factory=dict)
    owner_class: str = ""
    first_parameter: str = ""
    stars: bool = False
    kept: set[str] = msgspec.field(default_factory=set)
    added: dict[str, list[tuple[ast.expr, Scope, str]]] = msgspec.field(default_factory=dict)
    memo: dict[str, Refs] = msgspec.field(default_factory=dict)
    touched: dict[tuple[str, str], Refs] = msgspec.field(default_factory=dict)
    narrowed: dict[str, Shown] = msgspec.field(default_factory=dict)

    def bind(self, name: str, value: ast.expr | str, steps: str = "", scope: Scope | None = None) -> None:
        """Record a binding, in the scope that a ``global`` or ``nonlocal`` names if there is one."""
        home = self.home(name) if self.declared else self
        bounds = home.names.get(name)
        if bounds is None:
            bounds = home.names[name] = []
        bounds.append(Bound(value, steps, scope))

    def home(self, name: str) -> Scope:
        """The scope in which an assignment to ``name`` made here takes effect."""
        declared = self.declared.get(name)
        if declared is None:
            return self
        scope: Scope = self
        while scope.parent is not None and (declared == "global" or scope is self or name not in scope.names):
            scope = scope.parent
        return scope

    def find(self, name: str) -> Scope | None:
        """The scope that a read of ``name`` here reaches, None for a builtin or an unknown name."""
        start = self.home(name) if self.declared else self
        if name in start.names:
            return start
        scope = start.parent
        while scope is not None:
            if name in scope.names and scope.kind != "class":
                return scope
            scope = scope.parent
        return None

    @property
    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def function(self) -> Scope:
        """The scope of the function (or class, or module) whose code this is: comprehensions have one of their own."""
        scope = self
        while (scope.narrowed or scope.kind == "comprehension") and scope.parent is not None:
            scope = scope.parent
        return scope

    def behind(self, shown: dict[str, Shown]) -> Scope:
        """The scope of code behind a test: the names of a class's body are seen by other rules."""
        if not shown or self.kind == "class":
            return self
        return Scope(self.kind, self.prefix, self, owner_class=self.owner_class, narrowed=shown)


def lookup(scope: Scope, name: str) -> Refs:
    """What ``name`` may refer to when read in ``scope``."""
    shown = _shown(scope, name) if scope.narrowed or scope.kind == "comprehension" else None
    if shown is not None:
        return shown
    found = scope.find(name)
    if found is None:
        if scope.module.stars:
            return (":" + name,)
        if name == "__class__" and scope.function.owner_class:
            return (f":{scope.function.owner_class}",)
        return ("builtins." + name,) if name in BUILTINS else UNKNOWN
    known = found.memo.get(name)
    if known is not None:
        return known
    found.memo[name] = UNKNOWN  # while its own bindings are looked at: x = x.next
    bounds = found.names[name]
    if len(bounds) > 3 * MOST:
        refs: Refs = UNKNOWN
    elif found.kind in ("module", "class") and not all(is_definition(bound) for bound in bounds):
        refs = (found.prefix + name,)  # a variable others can see: its bindings are looked up by the link
    else:
        first = bound_refs(found, bounds[0])
        alone = len(bounds) == len(first) == 1
        refs = first if alone else union((first, *[bound_refs(found, bound) for bound in bounds[1:]]))
    if name in found.added and found.kind == "function":
        refs = filled(refs, found.added[name], MOST)
    if name in found.kept:
        refs = tuple(ref + KEPT if ref.endswith("()") else ref for ref in refs)
    found.memo[name] = refs
    return refs


def _shown(scope: Scope, name: str) -> Refs | None:
    """What a name refers to of which a test has shown something, None if none has."""
    while (scope.narrowed or scope.kind == "comprehension") and scope.parent is not None:
        if name in scope.names:
            return None
        if name in scope.narrowed:
            known = scope.memo.get(name)
            if known is None:
                known = scope.memo[name] = _narrower(lookup(scope.parent, name), scope.narrowed[name], scope.parent)
            return known
        scope = scope.parent
    return None


def _narrower(refs: Refs, shown: Shown, scope: Scope) -> Refs:
    """The same refs, as far as they are of the classes shown."""
    classes = tuple(dict.fromkeys(ref for node in shown.classes for ref in resolve(node, scope)))
    if not all(map(CLASS.fullmatch, classes)):
        return refs
    step = f"${'<' * shown.below}{'|'.join(classes)}$"
    made = classes if shown.below else tuple(f"{ref}!" for ref in classes)
    return tuple(
        dict.fromkeys(
            ref if ref in made else (ANYTHING if ref[0] == "?" or len(ref) > LONGEST else ref) + step
            for ref in (refs if refs != (NONE,) else UNKNOWN)
            if ref != NONE
        )
    )


def bare(ref: str) -> str:
    """A ref without what tests have shown of it, for where it counts which thing it is."""
    if "$" not in ref:
        return ref
    plain = SHOWN.sub("", ref)
    rest = plain.removeprefix(ANYTHING)
    return plain if rest == plain else f"?{rest}" if rest.startswith(".") else UNKNOWN[0]


def filled(refs: Refs, added: Iterable[tuple[ast.expr, Scope, str]], most: int) -> Refs:
    """What stands for a collection, with the things that are put into it later, if there are not too many.

    Of what may be anything nothing is said: what is in a collection that grows is never all known.
    """
    more = dict.fromkeys(
        growing((ref + container,))[0]
        for value, scope, container in added
        for ref in resolve(value, scope)
        if not ref.startswith(("?", "builtins.")) and len(ref) < LONGEST
    )
    kept = tuple(ref for ref in refs if ref not in EMPTY) if more else refs
    return (*kept, *(ref for ref in more if ref not in kept)) if len(kept) + len(more) <= most else refs


def is_definition(bound: Bound) -> bool:
    """Whether a binding is a function, a class, an import or a parameter: no value, and no annotation of one."""
    return isinstance(bound.value, str) and not bound.value.endswith(("!", ";"))


def bound_refs(scope: Scope, bound: Bound) -> Refs:
    """The refs of one binding."""
    scope = bound.scope or scope
    if isinstance(bound.value, str):
        return steps((bound.value,), bound.steps)
    base = resolve(bound.value, scope)
    return steps(base, bound.steps) if bound.steps else growing(base)


def steps(base: Refs, suffix: str) -> Refs:
    """Go on from each ref by ``suffix``. From the unknown only the last attribute is kept."""
    if not suffix:
        return base
    if len(base) == 1 and base[0] != NONE:
        ref = base[0]
        return (ref + suffix,) if ref[:1] != "?" and len(ref) < LONGEST else (_step(ref, suffix),)
    return tuple(dict.fromkeys(_step(ref, suffix) for ref in base if ref != NONE)) or UNKNOWN


def _step(ref: str, suffix: str) -> str:
    if ref.startswith("?"):
        return "?" + suffix if suffix.startswith(".") else "?"
    if suffix[0] == "[" and ref.endswith(";") and not ref.endswith(("?;", DICT if suffix.startswith("[]") else "?;")):
        # an element of what is known to be a collection of them
        return ref[: ref.rindex("*")] + suffix[suffix.index("]") + 1 :]
    return ref + suffix if len(ref) < LONGEST else "?"


def collected(elements: Refs, container: str) -> Refs:
    """A collection of that class of these elements."""
    return tuple(dict.fromkeys(f"{container}!" if ref[0] == "?" else f"{ref}*{container};" for ref in elements))


def growing(refs: Refs) -> Refs:
    """What a name comes to stand for: to a list or set that was made here, anything may be added later."""
    return tuple(ref[:-1] + "?;" if ref.endswith(GROWING) else ref for ref in refs)


def union(parts: Iterable[Refs]) -> Refs:
    """All refs of several, without repetition; too many are unknown."""
    refs = tuple(dict.fromkeys(ref for part in parts for ref in part))
    return refs if len(refs) <= MOST else UNKNOWN


def resolve(node: ast.expr, scope: Scope) -> Refs:
    """What an expression may refer to."""
    if isinstance(node, ast.Name):  # nearly all are names and attributes, and a class pattern is slow
        return lookup(scope, node.id)
    if isinstance(node, ast.Attribute):
        return steps(resolve(node.value, scope), "." + node.attr)
    match node:
        case ast.Call():
            return _call(node, scope)
        case ast.Await():
            return _awaited(node.value, scope)
        case ast.Subscript():
            return _subscript(node, scope)
        case ast.List() | ast.Set() | ast.Tuple():
            elements = (
                union(growing(resolve(item, scope)) for item in node.elts) if 0 < len(node.elts) <= MOST else UNKNOWN
            )
            return collected(elements, LITERALS[type(node)][:-1])
        case ast.Dict():
            values = tuple(dict.fromkeys(ref for item in node.values for ref in growing(resolve(item, scope))))
            values = values if 0 < len(values) <= (MOST_NAMED if are_named(values) else MOST_KEYED) else UNKNOWN
            return collected(values, "builtins.dict") if None not in node.keys else ("builtins.dict!",)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            return collected(growing(_comprehended(node, scope)), LITERALS[type(node)][:-1])
        case ast.Constant():
            if node.value is None:
                return (NONE,)
            return UNKNOWN if node.value is ... else (f"builtins.{type(node.value).__name__}!",)
        case ast.BinOp():
            return _operation(node, scope)
        case ast.BoolOp():
            return union(resolve(value, scope) for value in node.values)
        case ast.IfExp():
            held = scope.behind(narrowing.if_true(node.test)), scope.behind(narrowing.if_false(node.test))
            return union((resolve(node.body, held[0]), resolve(node.orelse, held[1])))
        case ast.Lambda():
            return (f"{scope.prefix}{lambda_name(node)}",)
        case ast.NamedExpr() | ast.Starred():
            return resolve(node.value, scope)
        case _:
            literal = LITERALS.get(type(node))
            return (literal,) if literal else UNKNOWN


def are_named(refs: Refs) -> bool:
    """Whether all refs are functions and classes by their names, or collections of such: they may be many."""
    return all(map(NAMED.fullmatch, refs))


def _awaited(node: ast.expr, scope: Scope) -> Refs:
    if isinstance(node, ast.Call) and node.args:
        match resolve(node.func, scope):
            case ("asyncio.gather",) if not any(isinstance(item, ast.Starred) for item in node.args):
                return collected(union(_awaited(item, scope) for item in node.args), "builtins.list")
            case ("asyncio.wait_for" | "asyncio.shield",):
                return _awaited(node.args[0], scope)
            case ("asyncio.to_thread",):
                return steps(resolve(node.args[0], scope), "()")
            case _:
                pass
    return steps(resolve(node, scope), "~")


def _subscript(node: ast.Subscript, scope: Scope) -> Refs:
    held = resolve(node.value, scope)
    if len(held) == 1 and held[0].rpartition(".")[2] in TRANSPARENT and held[0].startswith("typing"):
        return resolve(node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice, scope)
    if isinstance(node.value, ast.Dict) and held[0].endswith(DICT):
        return tuple(ref.removesuffix(DICT) for ref in held)
    if isinstance(node.slice, ast.Slice) and held[0].endswith(";"):
        return held
    place = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if isinstance(place, str) and place.isidentifier() and len(held) == 1 and CLASS.fullmatch(held[0]):
        return steps(held, key_step(place))
    return steps(held, place_step(place) if isinstance(place, int) and place in (0, 1) else "[:]")


def _comprehended(node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope) -> Refs:
    """The elements that a comprehension makes."""
    inner = Scope("comprehension", scope.prefix, scope, owner_class=scope.owner_class)
    for each in node.generators:
        if not each.is_async:
            _bind_elements(inner, each.target, each.iter, "[]")
        for part in ast.walk(each.target):
            if isinstance(part, ast.Name) and part.id not in inner.names:
                inner.bind(part.id, UNKNOWN[0])
    tests = (test for each in node.generators for test in each.ifs)
    return resolve(
        node.elt, inner.behind({name: each for test in tests for name, each in narrowing.if_true(test).items()})
    )


def _bind_elements(scope: Scope, target: ast.expr, held: ast.expr | str, suffix: str) -> None:
    match target:
        case ast.Name(id=name):
            scope.bind(name, held, suffix)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for index, part in enumerate(parts):
                _bind_elements(scope, part, *part_of(held, suffix, index, parts, scope))
        case _:
            pass


def part_of(
    held: ast.expr | str, suffix: str, index: int, targets: list[ast.expr], scope: Scope
) -> tuple[ast.expr | str, str]:
    """What the target at ``index`` is given of something that is unpacked: an expression, and the steps from there."""
    name = held.func.id if isinstance(held, ast.Call) and isinstance(held.func, ast.Name) else ""
    match held if name and suffix == "[]" and scope.find(name) is None and not scope.module.stars else None:
        case ast.Call(func=ast.Name(id="enumerate"), args=[given, *_]) if len(targets) == 2:
            return (given, suffix) if index else ("builtins.int!", "")
        case ast.Call(func=ast.Name(id="zip"), args=given) if len(targets) == len(given):
            return given[index], suffix
        case _:
            alone = len(targets) != 2 or any(isinstance(each, ast.Starred) for each in targets)
            return held, suffix + ("[]" if alone else place_step(index))


def place_step(index: int) -> str:
    """The step to one of the first two elements."""
    return f"[{int(index)}]"


def key_step(key: str) -> str:
    """The step to what a mapping has under a key."""
    return f"['{key}']"


def lambda_name(node: ast.Lambda) -> str:
    """The name that a lambda goes by among the functions of its file."""
    return f"<lambda:{node.lineno}:{node.col_offset}>"


def _call(node: ast.Call, scope: Scope) -> Refs:
    if isinstance(node.func, ast.Name):
        if node.func.id == "super" and scope.find("super") is None and scope.function.owner_class:
            return (f":{scope.function.owner_class}^",)
        if node.func.id == "type" and len(node.args) == 1 and scope.find("type") is None:
            return tuple(ref[:-1] if ref.endswith("!") else "?" for ref in resolve(node.args[0], scope))
    called = resolve(node.func, scope)
    told = _told(called[0], node.args, scope) if len(called) == 1 and called[0] in TELLING else ()
    if called[0].endswith(ENDS):
        told = _like(called[0], node, scope)
    elif not MAKERS.isdisjoint(called):
        told = _maker(node, scope)
    return told or steps(called, "()")


def _maker(node: ast.Call, scope: Scope) -> Refs:
    """A maker of objects of a class that it is given: as good as that class. () if it is given none."""
    given = next((each for each in node.keywords if each.arg in ("class_", None)), None)
    if given is None:
        return ()
    return steps(resolve(given.value, scope), "&") if given.arg else UNKNOWN


def _like(called: str, node: ast.Call, scope: Scope) -> Refs:
    """A mock that is told what it is like."""
    spec = spec_of(called, node)
    refs = resolve(spec[0], scope) if spec is not None else UNKNOWN
    return steps(refs, spec[1]) if spec is not None and refs[0][:1] != "?" else ()


def _told(called: str, args: list[ast.expr], scope: Scope) -> Refs:
    """What the arguments tell of the result of a call of one of a few functions."""
    match called, args:
        case "typing.cast", [stated, value]:
            return _stated_or_not(annotation(stated, scope), value, scope)
        case "typing.assert_type", [value, _]:
            return resolve(value, scope)
        case "traitlets.Instance", [ast.Name() | ast.Attribute() as given, *_]:
            return annotation(given, scope)  # of an attribute, which is such an object
        case "functools.partial", [given, *_]:
            return steps(resolve(given, scope), "&")
        case "builtins.iter", [ast.List() | ast.Tuple() | ast.Set() | ast.ListComp() | ast.Call() as given]:
            found = resolve(given, scope)
            told = all(ref.endswith(";") for ref in found)
            return collected(steps(found, "[]"), "builtins.map") if told else found
        case (
            ("builtins.staticmethod", [given])
            | ("builtins.iter", [given])
            | ("builtins.memoryview", [given])
            | ("typing.NewType", [_, given])
        ):
            return resolve(given, scope)
        case _, [given] if called in PICKING:
            return steps(resolve(given, scope), "[]")
        case ("builtins.min" | "builtins.max"), [_, _, *_]:
            return union(resolve(item, scope) for item in args)
        case "collections.defaultdict", [given, *_]:  # what it does not have it calls for: see `defaulting`
            made = resolve(given, scope)
            told = not any(ref.startswith(("?", "builtins.")) for ref in made)
            return collected(steps(made, "()"), called) if told else ()
        case "builtins.map", [given, _]:
            return collected(steps(resolve(given, scope), "()"), "builtins.map")
        case "builtins.filter", [_, given]:
            return collected(steps(resolve(given, scope), "[]"), "builtins.filter")
        case _, [given] if called in GATHERING:
            return collected(steps(resolve(given, scope), "[]"), GATHERING[called])
        case "builtins.getattr", [given, ast.Constant(value=str(name)), *default] if name.isidentifier():
            return union((steps(resolve(given, scope), "." + name), *(resolve(item, scope) for item in default)))
        case "importlib.import_module", [ast.Constant(value=str(name))] if DOTTED.fullmatch(name):
            return (name,)
        case "builtins.__import__", [ast.Constant(value=str(name))] if DOTTED.fullmatch(name):
            return (name.partition(".")[0],)
        case _:
            return ()


def _stated_or_not(stated: Refs, value: ast.expr, scope: Scope) -> Refs:
    """What a value is that was said to be of a type: if the type may be anything, what the value itself tells, too."""
    return held(stated, value, scope) if not is_vague(stated, scope) else union((resolve(value, scope), UNKNOWN))


def held(stated: Refs, value: ast.expr, scope: Scope) -> Refs:
    """The refs of a type that a value was said to be of: of none that was made here, if others may have the value."""
    if is_new(value) or all(map(OWN.match, resolve(value, scope))):
        return stated
    return tuple(
        ref + KEPT if ref.endswith(";") or (ref[:9] == "builtins." and ref[-1] == "!") else ref for ref in stated
    )


def is_vague(stated: Refs, scope: Scope) -> bool:
    """Whether an annotation names a type variable, or what may be anything."""
    return not stated or UNKNOWN[0] in stated or is_type_variable(stated, scope)


def is_type_variable(stated: Refs, scope: Scope) -> bool:
    """Whether an annotation names a type variable of the module, or the type that one stands for."""
    if not stated or not stated[0].startswith(":"):
        return False
    bounds = scope.module.names.get(stated[0][1:].removesuffix("!"), ())
    return any(isinstance(bound.value, ast.Call) for bound in bounds)


def _operation(node: ast.BinOp, scope: Scope) -> Refs:
    left = resolve(node.left, scope)
    if isinstance(node.op, ast.BitOr) and isinstance(node.right, ast.Constant) and node.right.value is None:
        return left  # a name for a type
    if isinstance(node.op, ast.Div):
        return steps(left, ".__truediv__()")
    if isinstance(node.op, (ast.Add, ast.Mod, ast.Mult)) and left[0].endswith("!") and left[0].startswith("builtins."):
        return left
    return UNKNOWN


def annotation(node: ast.expr | None, scope: Scope) -> Refs:
    """The refs of an instance of the type that an annotation names."""
    match node:
        case None:
            return ()
        case ast.Constant(value=str() as text):
            try:
                return annotation(ast.parse(text, mode="eval").body, scope)
            except (SyntaxError, ValueError):
                return ()
        case ast.Constant():
            return ()
        case ast.BinOp(op=ast.BitOr()):
            return union((annotation(node.left, scope), annotation(node.right, scope)))
        case ast.Subscript():
            return _generic(node, scope)
        case ast.Name() | ast.Attribute():
            refs = resolve(node, _beyond_variables(node, scope))
            if refs[0] in ("typing.Self", "typing_extensions.Self") and scope.function.owner_class:
                return (f":{scope.function.owner_class}!",)
            return _instance(refs)
        case _:
            return ()


def _beyond_variables(node: ast.Name | ast.Attribute, scope: Scope) -> Scope:
    """Where the name that a type begins with is read: not among the variables of a class, which are of types and are none,
    and often have the name of the module that theirs stands in."""
    root: ast.expr = node
    while isinstance(root, ast.Attribute):
        root = root.value
    own = scope.names.get(root.id, []) if isinstance(root, ast.Name) and scope.kind == "class" else []
    stated = bool(own) and all(isinstance(bound.value, str) and not is_definition(bound) for bound in own)
    return scope.parent if stated and scope.parent is not None else scope


def _instance(refs: Refs) -> Refs:
    return UNKNOWN if refs[0] in VAGUE else steps(refs, "!")


def _generic(node: ast.Subscript, scope: Scope) -> Refs:
    name = last_name(node.value)
    arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name in TRANSPARENT and arguments:
        return annotation(arguments[0], scope)
    if name == "Union":
        return union(annotation(argument, scope) for argument in arguments)
    if name in ("type", "Type"):
        return tuple(ref.removesuffix("!") for ref in annotation(arguments[0], scope))
    container = resolve(node.value, scope)
    if LIBRARY.fullmatch(container[0]) and name in MAPPINGS and len(arguments) == 2:
        return collected(annotation(arguments[1], scope) or UNKNOWN, container[0])
    if LIBRARY.fullmatch(container[0]) and name in COLLECTIONS:
        several = arguments if name in ("tuple", "Tuple") else arguments[:1]
        parts = [annotation(item, scope) or UNKNOWN for item in several if not _is_dots(item)]
        return collected(union(parts), container[0])
    return _instance(container)


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...
