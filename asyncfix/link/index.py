"""The index of the project: every function with what it calls, who calls it, and what else may mean it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from asyncfix.catalog import Catalog
from asyncfix.link import handing, mixins
from asyncfix.link.entities import ClassInfo, Entity, FunctionInfo
from asyncfix.link.evaluate import Evaluator
from asyncfix.link.making import Making
from asyncfix.link.waiting import Guard
from asyncfix.model import Access, Call, Function, Span, Summary, TextFacts, Value

PARAMETER = "parameter"
CONSTRUCTORS = ("__init__", "__new__", "__post_init__", "__attrs_post_init__")
ENTERING = ("__enter__", "__exit__")
ITERATING = ("__iter__", "__next__")
OF_VALUE = {"entered": ENTERING, "iterated": ITERATING}
"""What is run of the value of a call that is put to this use."""
DONE = {method: use for use, methods in OF_VALUE.items() for method in methods}


# Structs, like the facts themselves: there are hundreds of thousands, and they are made in a fraction of the time.
class Edge(Value, frozen=True):
    """One place where ``caller`` runs ``callee``.

    kind  ``call`` | ``constructor`` | ``property`` | ``protocol`` (``__enter__``, ``__iter__``, ``__call__``) | ``decorator`` |
          ``class`` (the body of a class that a function makes) | ``parameter`` (a function that callers give)
    site  the call or the access
    sure  False if the call may also mean something that is no function of the project
    """

    caller: str
    callee: str
    kind: str
    site: Call | Access
    sure: bool = True

    @property
    def span(self) -> Span:
        return self.site.span

    @property
    def step(self) -> str:
        """What of an expression runs the callee: ``call``, what is done to its value then (``entered``, ``iterated``), or
        ``asked``, by what else is done to it, or before it is called."""
        if self.kind == "protocol":
            last = self.callee.rpartition(".")[2].partition("#")[0]
            return DONE.get(last, "call" if isinstance(self.site, Call) else "asked")
        return "asked" if self.kind == "property" and isinstance(self.site, Call) else "call"


class External(Value, frozen=True):
    """One call of a library: the canonical dotted name."""

    caller: str
    name: str
    call: Call


class Loose(Value, frozen=True):
    """A place that may mean any function of that name: the reason code, and where (``span``: of an access)."""

    reason: str
    path: str
    line: int
    owner: str = ""
    span: Span | None = None


@dataclass(slots=True)
class ProjectIndex:
    """Summaries linked. Functions and classes go by id: module name + ``.`` + qualified name."""

    evaluator: Evaluator
    texts: Sequence[TextFacts]
    functions: Mapping[str, FunctionInfo]
    classes: Mapping[str, ClassInfo]
    stubs: Mapping[str, tuple[Span, ...]]
    """Keywords of the overloads of a function."""
    calls: dict[str, list[Edge]] = field(default_factory=lambda: dict[str, list[Edge]]())
    callers: dict[str, list[Edge]] = field(default_factory=lambda: dict[str, list[Edge]]())
    externals: dict[str, list[External]] = field(default_factory=lambda: dict[str, list[External]]())
    unknown: dict[str, list[Call]] = field(default_factory=lambda: dict[str, list[Call]]())
    passed: dict[str, list[Loose]] = field(default_factory=lambda: dict[str, list[Loose]]())
    rebound: dict[str, list[Loose]] = field(default_factory=lambda: dict[str, list[Loose]]())
    by_name: dict[str, list[Loose]] = field(default_factory=lambda: dict[str, list[Loose]]())
    asked: dict[str, list[tuple[str, Loose]]] = field(default_factory=lambda: dict[str, list[tuple[str, Loose]]]())
    """By special method the refs, and the places, of which it is run though it is not known what they mean."""
    overridden: set[str] = field(default_factory=lambda: set[str]())
    """Methods that override another one, or are overridden."""
    subclasses: dict[str, list[str]] = field(default_factory=lambda: dict[str, list[str]]())
    promised: set[str] = field(default_factory=lambda: set[str]())
    """Methods of protocols of which it is not told who keeps them: a call of one may run anything."""
    names: frozenset[str] = frozenset()
    """Last names of all functions."""
    callables: frozenset[str] = frozenset()
    """Those of what a ref may mean to call or to pass on: not of the bodies of modules and classes."""
    properties: frozenset[str] = frozenset()
    class_names: frozenset[str] = frozenset()
    telling: frozenset[str] = frozenset()
    """Last names of accesses that say something."""
    handed_on: set[str] = field(default_factory=lambda: set[str]())
    """Classes that are read as values: others may make objects of them."""
    decorating: set[tuple[str, str]] = field(default_factory=lambda: set[tuple[str, str]]())
    """Functions, classes and modules with the decorators that run in them."""
    wrapped: dict[str, list[Edge]] = field(default_factory=lambda: dict[str, list[Edge]]())
    """What the wrappers of decorators call: who calls one of these functions has an edge to it of its own, and is no caller
    of the others."""
    wrapped_by: dict[str, list[Edge]] = field(default_factory=lambda: dict[str, list[Edge]]())
    """The same, by callee."""
    dropped: dict[str, list[Edge]] = field(default_factory=lambda: dict[str, list[Edge]]())
    """By function the ``__del__`` of what it makes: it runs there at the latest if nobody keeps the object."""
    accessors: dict[tuple[Entity, str, str], tuple[str, ...]] = field(
        default_factory=lambda: dict[tuple[Entity, str, str], tuple[str, ...]]()
    )
    """The functions of properties by object, name, and what is done to it."""
    iterators: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict[str, tuple[str, ...]]())
    """By class the classes of what goes through its objects."""
    shadowed: dict[str, bool] = field(default_factory=lambda: dict[str, bool]())
    """By method whether a class below has an attribute under its name."""
    making: Making = field(init=False)
    defaulting: frozenset[str] = frozenset()
    """Attributes and variables that may hold a mapping which makes what it does not have."""
    asking: frozenset[str] = frozenset()
    """Classes with a ``__getattr__``, and paths of modules that have one."""
    opened: list[tuple[str, Access]] = field(default_factory=lambda: list[tuple[str, Access]]())
    """Accesses to the namespace of something, with the function."""
    stopping: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    """Functions out of which StopIteration may come, with the line: of a coroutine it would come as a RuntimeError."""
    guards: tuple[Guard, ...] = ()
    """Code round which something waits for a StopIteration."""
    waited: Mapping[str, Guard] = field(default_factory=lambda: dict[str, Guard]())
    """The functions out of which one is to come there."""

    _handed: Mapping[str, tuple[str, str, int]] | None = None
    _below: dict[tuple[str, str], tuple[str, ...]] = field(
        default_factory=lambda: dict[tuple[str, str], tuple[str, ...]]()
    )

    @property
    def summaries(self) -> Mapping[str, Summary]:
        return self.evaluator.summaries

    @property
    def handed(self) -> Mapping[str, tuple[str, str, int]]:
        """See `handing`. Worked out when first asked for: few are the methods of such names that block."""
        if self._handed is None:
            self._handed = handing.handed(self)
        return self._handed

    @property
    def catalog(self) -> Catalog:
        return self.evaluator.catalog

    def methods_below(self, class_id: str, name: str) -> tuple[str, ...]:
        """Methods of that name that the subclasses of a class define, or have from others in its stead."""
        found = self._below.get((class_id, name))
        if found is None:
            below = self.subclasses.get(class_id, ())
            having = dict.fromkeys((*below, *mixins.others(self.evaluator, class_id, name)))
            own = (self.evaluator.methods.get(each, {}) for each in having)
            found = self._below[class_id, name] = tuple(item for each in own for item in each.get(name, ()))
        return found

    def is_one_of(self, class_id: str, kinds: Collection[str]) -> bool:
        """Whether objects of a class are objects of one of some classes, or keep one of some protocols."""
        order = self.evaluator.order(class_id)
        return any(kind in order or class_id in self.subclasses.get(kind, ()) for kind in kinds)

    def forget(self) -> None:
        """Let go of what was found, which takes as much memory again as the facts: of an index that is of no more use."""
        for found in (self.calls, self.callers, self.externals, self.unknown, self.passed, self.rebound, self.by_name):
            found.clear()
        self.evaluator.forget()

    def fact(self, function: str) -> Function:
        return self.functions[function].fact

    def path(self, function: str) -> str:
        return self.functions[function].path

    def add(self, edge: Edge) -> None:
        """Note an edge with both its ends."""
        self.calls.setdefault(edge.caller, []).append(edge)
        self.callers.setdefault(edge.callee, []).append(edge)
