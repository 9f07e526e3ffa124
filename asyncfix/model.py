"""The nouns: frozen values that every stage takes and returns. Imports nothing of ours.

Everything here can cross a process or a disk (msgspec). Offsets are byte offsets into a file as it stands on disk;
lines and columns are characters and count from 1. Paths are POSIX paths relative to the project root.

A *ref* is a small text that names a thing symbolically, before it is known what it is. It starts with a root and goes on
with steps, read from left to right:

    root   ``:`` + qualified name    something of the same file (``:Client.get``, ``:f.<locals>.g``); ``:`` alone is the module
           ``a.b.c``                 an absolute dotted name (``requests.get``, ``builtins.open``)
           ``.m.x``, ``..m.x``       a relative import
           ``?``                     unknown
    step   ``.name``                 attribute
           ``()``                    result of the call
           ``[]``                    an element, by iteration; ``[:]`` by subscript; ``[0]``, ``[1]`` at that place;
                                     ``['key']`` under that key
           ``!``                     an instance of the class
           ``^``                     ``super()`` of the class
           ``@name``                 the parameter of that function
           ``%``                     what ``with`` binds
           ``~``                     what ``await`` gives
           ``*name;``                a collection of that class, of these elements
           ``&``                     the same with some of its arguments given already
           ``.<like>``               a mock that is like an object of the class; ``.<like-class>`` like the class itself
           ``$C|D$``                 the same, where a test has shown that it is of one of these classes; ``$<C$`` that it
                                     is a class, one of these or below
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Safety: TypeAlias = Literal["safe", "unsafe"]


class Value(msgspec.Struct, frozen=True, gc=False):
    """Base of the nouns: immutable, slotted, compared by value."""


class Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of the facts, which exist by the hundred thousand: encoded as arrays, without field names."""


# ---------------------------------------------------------------------------------------------------------------- places


class Span(Packed, frozen=True, order=True):
    """Half-open byte range ``[start, end)`` in one file."""

    start: int
    end: int

    def contains(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


class Place(Packed, frozen=True):
    """Where a person finds it: characters and lines, all from 1; the end column is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


# ----------------------------------------------------------------------------------------------------------------- edits


class Replace(Value, frozen=True, tag="replace"):
    """Put ``text`` in place of ``span``; an empty span is an insertion."""

    span: Span
    text: str


class Wrap(Value, frozen=True, tag="wrap"):
    """Put ``before`` and ``after`` round ``span`` and leave what is inside to others.

    Of two Wraps of one span the one with the higher ``rank`` stands outside.
    """

    span: Span
    before: str
    after: str = ""
    rank: int = 0


Edit: TypeAlias = Replace | Wrap


# ----------------------------------------------------------------------------------------------------------------- facts


class Handler(Packed, frozen=True):
    """One ``except`` clause: refs of the types it names (empty for a bare one).

    ``reads``: it uses the error as a value; ``raises``: it ends by raising it again.
    """

    types: tuple[str, ...]
    line: int
    reads: bool = False
    raises: bool = False


class Try(Packed, frozen=True):
    """A ``try`` statement: its handlers, and the span of the body they guard."""

    body: Span
    handlers: tuple[Handler, ...]


class Argument(Packed, frozen=True):
    """One argument of a call: its keyword ('' if positional, '*' or '**' if unpacked), its ref, its text if a literal, its
    name if it is one (of calls by which files are opened, the text of the first one). ``refs``: of what may be one of
    several things, or is put together, all of them."""

    keyword: str
    ref: str
    literal: str = ""
    name: str = ""
    refs: tuple[str, ...] = ()


class Taken(Packed, frozen=True):
    """What takes what a call (or a generator expression) gives, there and then, to go through it.

    by    ``loop`` (a ``for`` statement) | ``clause`` (of a comprehension), ``inner-clause`` (of one in another),
          ``lazy-clause`` (of a generator expression) | ``yield-from`` (alone on its lines) | ``entered`` (a name, by
          ``with``) | ``unpacked`` | ``starred`` | ``contained`` (by ``in``) | ``assigned`` (to one name) | ``returned`` |
          ``next-or-default`` | the dotted name of the function or method whose first argument it is | ``given`` (a
          generator expression, to a call of anything else) | ``drained`` (to one that is known to go through all of it)
    span  of the statement, the comprehension, the call that takes it
    inside  that stands in a comprehension
    on    of one that gives step by step what it takes so (``zip``, ``enumerate``): its own call, as a place
    """

    by: str
    span: Span
    inside: bool = False
    on: Call | None = None


class Lazy(Packed, frozen=True):
    """A generator expression that some code is part of. ``nested``: that code stands in another comprehension, too."""

    span: Span
    nested: bool
    taken: Taken | None = None


class Yield(Packed, frozen=True):
    """A place where a generator gives something, or ends.

    kind     ``plain`` | ``from`` (``yield from`` alone on its lines) | ``from-inline`` (a statement beside others on them) |
             ``from-value`` (in an expression) | ``return`` (with a value) | ``return-none``
    guarded  something is to be done there when the generator is closed: a ``finally``, the end of a ``with``
    held, loop  as of a Call
    """

    kind: str
    span: Span
    line: int
    guarded: bool = False
    held: tuple[str, ...] = ()
    loop: Span | None = None


class Call(Packed, frozen=True):
    """One call expression, where it stands, and how its result is used.

    use      ``plain`` | ``awaited`` | ``iterated`` | ``entered`` | ``decorator`` | ``class``; of an argument of the call
             at ``span``: ``callback`` (that call runs it), ``handed-on`` (it runs later, or in async code)
    barrier  why no ``await`` may stand here: ``lambda``, ``class-body``, ``generator-expression``, ``annotation``, ``module``,
             ``main-guard`` (the module too, but only where that is run as a program),
             ``f-string``, ``sync-callback``, ``nested-comprehension`` (before Python 3.11 only) or '' if one may (given
             that the owner is, or turns, async)
    tight    the call is the operand of something that binds tighter than ``await`` (attribute, subscript, call, power)
    tries    indexes into ``Function.tries`` of the bodies it stands in, outermost first
    held     refs of the context managers that are open round it, outermost first; with ``~`` behind those of ``async with``
    loop     span of the outermost loop of the owner that it stands in, else None
    receiver the name before the dot, '' if something else stands there; of calls by which files are opened, its text
    own_paths   positions of arguments (-1: the receiver) that are paths of temporary files which the owner made for itself
    alone    it is a statement of its own
    taken    what goes through its value, if that is known
    kept     places that go through its value, which is assigned to a name and put to no other use: each as a call
    lazy     the generator expression that it is part of, or whose first clause goes through it
    in_handler  it stands in the body of an ``except`` clause: there is a current exception
    """

    span: Span
    function: Span
    line: int
    column: int
    end_line: int
    end_column: int
    targets: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    use: str = "plain"
    barrier: str = ""
    tight: bool = False
    tries: tuple[int, ...] = ()
    held: tuple[str, ...] = ()
    loop: Span | None = None
    in_handler: bool = False
    receiver: str = ""
    own_paths: tuple[int, ...] = ()
    alone: bool = False
    taken: Taken | None = None
    lazy: Lazy | None = None
    kept: tuple[Call, ...] = ()


class Access(Packed, frozen=True):
    """A read or write of something others may reach: attribute, global, nonlocal, element of one of these.

    kind     ``read`` | ``write`` | ``change`` (an element is assigned or deleted) | ``iterate`` | ``view`` (it is iterated over
             through a view or a lazy builtin)
    at       offset at which it happens: a target is written when the value on its right is there
    barrier  why no ``await`` may stand here, as for a Call (a property is a call in disguise)
    taken, lazy  what goes through it, where it is run for that, as for a Call (of operations only)
    asked    an attribute of it is read or called there: nobody gets the thing itself
    """

    ref: str
    kind: str
    span: Span
    at: int
    line: int
    column: int
    end_column: int
    barrier: str = ""
    loop: Span | None = None
    taken: Taken | None = None
    lazy: Lazy | None = None
    asked: bool = False


class With(Packed, frozen=True):
    """A ``with`` statement from its keyword to its end: what it enters, and what is held and gone through round it."""

    span: Span
    items: tuple[Span, ...]
    held: tuple[str, ...] = ()
    loop: Span | None = None


class Parameter(Packed, frozen=True):
    """A parameter: its name, the refs of its annotation as instances (joined by ``|``), the ref of its default.

    ``empty``: it may be None, by its annotation or its default.
    """

    name: str
    type: str = ""
    default: str = ""
    empty: bool = False


class Function(Packed, frozen=True):
    """A function, a method, or the body of the module (qualified name '') or of a class (``kind`` = ``class``).

    kind       ``module`` | ``class`` | ``function`` | ``method`` | ``static`` | ``classmethod`` | ``property`` | ``lambda``
    keyword    span of the word ``def`` (or of ``async def``), where a Turn is written
    decorators refs, as written from top to bottom
    awaits     where it may suspend: ``await`` expressions, and what ``async for`` and ``async with`` go by
    operations places that run a special method (``kind``: its name) of what ``ref`` means: ``len(x)``, ``x[0]``, ``with x``
    results    refs of what it returns: the annotation if there is one, else of its return expressions
    made       the calls of which all comes that it returns or yields; none if it may give something else
    yields     of a generator: where it gives something; ``is_endless``: until an error ends it
    withs      its ``with`` statements that are not ``async``
    returned   how many ``return`` statements with a value it has
    is_stub    it does nothing: a method for others to override
    is_plain   a lambda whose body could stand in a comprehension over what it is given
    is_unfailing  a coroutine function in which nothing can fail but what it awaits
    reraises   a place where it raises again what whoever runs it handles: a bare ``raise`` outside of every ``except``
    drained    parameters that it goes through once, from the first element to the last, whatever else happens
    imports    dotted names of what it imports, but for type checkers
    loose      names of attributes, and special methods, that it runs of what its file does not tell
    """

    qualname: str
    kind: str
    is_async: bool
    is_generator: bool
    keyword: Span
    span: Span
    line: int
    column: int
    end_line: int
    end_column: int
    owner_class: str = ""
    outer: str = ""
    decorators: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    results: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    accesses: tuple[Access, ...] = ()
    tries: tuple[Try, ...] = ()
    awaits: tuple[Span, ...] = ()
    operations: tuple[Access, ...] = ()
    yields: tuple[Yield, ...] = ()
    is_endless: bool = False
    withs: tuple[With, ...] = ()
    returned: int = 0
    is_stub: bool = False
    is_plain: bool = False
    is_unfailing: bool = False
    reraises: Span | None = None
    drained: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part of its qualified name."""
        return self.qualname.rpartition(".")[2]


ANY = "*"


class Class(Packed, frozen=True):
    """A class: refs of its bases, and of what is assigned to its attributes (in the body and through ``self``); under `ANY`
    what is set under names that are worked out.

    ``made_by``: refs of its metaclass, if one is named.
    ``assigned``: the names to which the body itself gives a value.
    ``shared``: names under which an object may hold what others hold, too: it was not made for it.
    ``empty``: names under which it may hold None, by what is written there.
    ``fields``: names that the body annotates, in order, if nothing but these says what an object is made of.
    """

    qualname: str
    bases: tuple[str, ...]
    attributes: dict[str, tuple[str, ...]]
    decorators: tuple[str, ...] = ()
    line: int = 0
    made_by: tuple[str, ...] = ()
    assigned: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


class Mention(Packed, frozen=True):
    """A name that stands somewhere as text: an identifier in a template, the end of a dotted path in a string."""

    name: str
    line: int


class Assigned(Packed, frozen=True):
    """An attribute that is assigned of something else than the object of the method: ``service.client = fake``.

    holder  ref of the object, the class or the module; ``values``: refs of what is assigned
    """

    holder: str
    name: str
    values: tuple[str, ...]
    line: int


class Suppression(Packed, frozen=True):
    """``# asyncfix: ignore`` (rules empty), ``# asyncfix: ignore[a, b]``, or ``ignore-file`` (line 0)."""

    line: int
    rules: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------------------- conditions and forms
# Conditions on other files: a closed union, judged in `plan`. What the site's own function shows, the rule has settled.


class NotCaughtAbove(Value, frozen=True, tag="not-caught-above"):
    """No handler round the site, in its function or in any project caller, names one of these classes or their packages."""

    types: tuple[str, ...]


class NotPatched(Value, frozen=True, tag="not-patched"):
    """No test that may reach the site replaces one of these dotted names, or imports a package that intercepts them."""

    names: tuple[str, ...]


class NotDoubled(Value, frozen=True, tag="not-doubled"):
    """Nothing that may lack ``method`` is given where an object of this class of a library is stated."""

    owner: str
    method: str


class NotFrozen(Value, frozen=True, tag="not-frozen"):
    """No test that may reach the site freezes time without ``real_asyncio``."""


class Declared(Value, frozen=True, tag="declared"):
    """The project declares this distribution."""

    distribution: str


class ThreadSafe(Value, frozen=True, tag="thread-safe"):
    """What runs in the thread is known and writes nothing shared, reads nothing shared that others change.

    Judged over the calls and accesses of the site's function that lie in ``span``, and all they reach.
    """

    span: Span


class FileOwned(Value, frozen=True, tag="file-owned"):
    """The files that the code in ``span`` writes have paths made in this call, or an asyncio lock is held."""

    span: Span


class Unlocked(Value, frozen=True, tag="unlocked"):
    """No lock of `threading` is held at the site, nor where it lets callers suspend."""


class OnLoop(Value, frozen=True, tag="on-loop"):
    """Coroutines run on an event loop: nothing in the project drives them by hand."""


class WithinLoop(Value, frozen=True, tag="within-loop"):
    """No code of the project is seen to run the site's sync function where no event loop runs."""


class Limited(Value, frozen=True, tag="limited"):
    """What the calls in ``span`` run limits itself how many of it run at once: it holds a lock or a semaphore of asyncio."""

    span: Span


class PassesOn(Value, frozen=True, tag="passes-on"):
    """The ``except`` clause on this line (0: the site's call of ``suppress``) is not where a cancellation is caught by one of
    these names: it names none of them, or a clause above it catches it. ``alone``: nor does a collection count in which they
    are."""

    line: int
    types: tuple[str, ...]
    alone: bool = False


class Means(Value, frozen=True, tag="means"):
    """The call of ``span`` certainly runs library functions of these names, or, if ``coroutines`` are meant too, coroutine
    functions of the project. ``reason``: what is the matter where it may run something else; ``by_name``: what is put in the
    place of such a function does not count."""

    span: Span
    names: tuple[str, ...]
    coroutines: bool = False
    reason: str = ""
    by_name: bool = False


class CallsNear(Value, frozen=True, tag="calls-near"):
    """A function that the site's function runs, or one that calls it, calls a method of one of these names."""

    methods: tuple[str, ...]


class NotAssigned(Value, frozen=True, tag="not-assigned"):
    """None of these variables and attributes, by the last name and where it is read, is assigned by a function."""

    read: tuple[tuple[str, Span], ...]


class OneLoop(Value, frozen=True, tag="one-loop"):
    """What is made at import under this name (``function@parameter``: as that default) is used by no event loop but its own.

    ``runs``: calls of the file that may start a loop, each with one that runs after it in the same function.
    """

    name: str
    runs: tuple[tuple[Span, Span], ...] = ()


class Early(Value, frozen=True):
    """An expression that is evaluated at another time than before, with its text. ``unbound``: a name in it may not be bound."""

    span: Span
    text: str
    unbound: bool = False


class Overlap(Value, frozen=True, tag="overlap"):
    """The calls of these spans may run at the same time: all that they run is known and only reads, and two of them wait.

    ``shared``: names that more than one of them uses; ``early``: what of them is now evaluated before any begins;
    ``late``: what stood between them, and is now evaluated when all have ended;
    ``unpacked``: targets that are filled from what one of them gives when a later one may have failed;
    ``dropped``: those with whose results nothing is done; ``caught``: what in the function knows their errors apart, and
    ``ordered``: what the name of one of them tells of an order, so that nothing may be left open.
    """

    calls: tuple[Span, ...]
    shared: tuple[str, ...] = ()
    early: tuple[Early, ...] = ()
    late: tuple[Early, ...] = ()
    unpacked: str = ""
    dropped: tuple[Span, ...] = ()
    caught: str = ""
    ordered: str = ""


class FanOut(Value, frozen=True, tag="fan-out"):
    """The call of this span may run for several elements at a time: all that it runs is known and only reads, and it waits.

    ``between``: what ran between two such calls, and now runs before or after all of them, what is gone through first;
    ``tests``: those parts of it on which a call depends; ``sources``: what is gone through, as far as the text does not show
    that nobody changes it meanwhile; ``pulled``: what is gone through by `async for`, which is asked for more meanwhile;
    ``shared``, ``caught``, ``ordered``: as for an `Overlap`, of the call in one turn and in the next; ``dropped``: nothing is
    done with the results; ``own``: variables that stand for what a call in the span made.
    """

    call: Span
    between: tuple[Span, ...] = ()
    tests: tuple[Span, ...] = ()
    sources: tuple[Early, ...] = ()
    shared: tuple[str, ...] = ()
    dropped: bool = False
    caught: str = ""
    ordered: str = ""
    own: tuple[str, ...] = ()
    pulled: Early | None = None


class Unfailing(Value, frozen=True, tag="unfailing"):
    """None of the calls of these spans can fail. ``reason``: what is the matter where one may."""

    calls: tuple[Span, ...]
    reason: str = ""


class NotSwallowed(Value, frozen=True, tag="not-swallowed"):
    """No context manager that is open at the site swallows errors: this name is read behind it.

    ``inside``: only those count that stand in so many others. One of which nothing is known leaves it unproven.
    """

    name: str
    inside: int = 0


class MinimumPython(Value, frozen=True, tag="minimum-python"):
    """The project's target version is at least this. ``reason``: what is the matter where it is not."""

    version: tuple[int, int]
    reason: str = ""


class OlderPython(Value, frozen=True, tag="older-python"):
    """The project's target version is older than this. ``reason``: what is the matter where it is not."""

    version: tuple[int, int]
    reason: str


class Strategy(Value, frozen=True, tag="strategy"):
    """The user asked for this value under ``[tool.asyncfix.strategy]`` / ``--strategy`` (``default``: holds when unset)."""

    key: str
    value: str
    default: bool = False


class Unproven(Value, frozen=True, tag="unproven"):
    """Never holds: as ``safe_if`` it makes the form UNSAFE, and says why."""

    reason: str


Condition: TypeAlias = (
    NotCaughtAbove
    | NotPatched
    | NotDoubled
    | NotFrozen
    | Declared
    | ThreadSafe
    | FileOwned
    | Unlocked
    | OnLoop
    | WithinLoop
    | Limited
    | PassesOn
    | Means
    | CallsNear
    | NotAssigned
    | OneLoop
    | Overlap
    | FanOut
    | NotSwallowed
    | MinimumPython
    | OlderPython
    | Strategy
    | Unfailing
    | Unproven
)


class Form(Value, frozen=True):
    """One way to write a site.

    name       known to the rule that made it (``native``, ``thread``, ``aiofiles``)
    requires   a failed one passes on to the next form
    safe_if    a failed or unknown one makes the Change UNSAFE
    note       what a person should know who reads the diff
    in_thread  True if code of the project runs in a thread afterwards: it may not turn async in the same round
    """

    name: str
    requires: tuple[Condition, ...] = ()
    safe_if: tuple[Condition, ...] = ()
    note: str = ""
    in_thread: bool = False


class Site(Value, frozen=True):
    """A candidate of a rule. ``span`` is what the forms replace; ``call`` the call that names it.

    tight   what stands behind ``span`` binds tighter than ``await``: parentheses are needed
    bridged ``call`` hands it to a thread, and is awaited
    message of what blocks nothing: what is told of it
    title   likewise: of its Change, before the name of the function
    unless  a condition that holds means that there is nothing to tell
    place   of what no call names: where it stands
    only_if a condition that does not hold means the same
    With no forms it is refused: ``refusal`` is a stable code and ``why`` a sentence.
    """

    rule: str
    api: str
    span: Span
    call: Span
    owner: str
    forms: tuple[Form, ...]
    tight: bool = False
    refusal: str = ""
    why: str = ""
    bridged: bool = False
    message: str = ""
    title: str = ""
    unless: tuple[Condition, ...] = ()
    place: Place | None = None
    only_if: tuple[Condition, ...] = ()


class Summary(Value, frozen=True):
    """All that leaves the first visit of one Python file.

    bindings    what the names of the module's top level are bound to (refs); functions and classes are under their own name
    listed      what mappings among these have under a key, by name and key (``HANDLERS['get']``): functions, classes
    stars       modules of ``from m import *`` (refs); exports: ``__all__``, None if there is none
    imports     top-level packages imported anywhere in the file
    mentions    dotted paths in string literals (not documentation); dynamic: names in ``getattr(x, "name")`` and the like
    loose       attributes read from a receiver of unknown type, without a call: name -> line
    examples    names that the examples of docstrings call
    rebinds     attributes assigned on a receiver of unknown type
    deliberate  lines on which a linter for async code was told to be silent
    assigned    attributes that are assigned from outside
    added       attributes into which something is put from outside: its values are collections of that
    """

    path: str
    functions: tuple[Function, ...]
    classes: tuple[Class, ...]
    bindings: dict[str, tuple[str, ...]]
    stars: tuple[str, ...]
    exports: tuple[str, ...] | None
    imports: frozenset[str]
    mentions: tuple[Mention, ...]
    dynamic: tuple[Mention, ...]
    loose: dict[str, int]
    suppressions: tuple[Suppression, ...]
    deliberate: tuple[int, ...]
    rebinds: tuple[str, ...]
    examples: tuple[Mention, ...] = ()
    assigned: tuple[Assigned, ...] = ()
    added: tuple[Assigned, ...] = ()
    listed: dict[str, tuple[str, ...]] = {}


class TextFacts(Value, frozen=True):
    """What is read in a file that is not parsed: identifiers (in a template only those inside ``{{ }}`` and ``{% %}``, with
    the dot before what is asked of an object), or dotted paths. ``reason``: why a Python file was not parsed."""

    path: str
    kind: Literal["python", "template", "data"]
    mentions: tuple[Mention, ...]
    reason: str = ""


class Skipped(Value, frozen=True):
    """A file that was left out. ``failed`` if it should have been processed: then the exit code is 2."""

    path: str
    reason: str
    failed: bool = False


# ------------------------------------------------------------------------------------------------------------- decisions


class Rewrite(Value, frozen=True, tag="rewrite"):
    """Write this form of this site."""

    path: str
    site: Site
    form: str


class Use(Value, frozen=True, tag="use"):
    """Write this use of a function: ``call`` (await it) or ``thread`` (hand it to a thread)."""

    path: str
    span: Span
    kind: str
    tight: bool = False


class Turn(Value, frozen=True, tag="turn"):
    """Make this function ``async def``; ``keyword`` is the span of its ``def``. ``generator``: it becomes no coroutine function,
    and what it gives may be handed on before it is gone through, or entered."""

    path: str
    keyword: Span
    function: str
    generator: bool = False


class Rename(Value, frozen=True, tag="rename"):
    """Put another name in place of the last one of the expression at ``span``, or of the function defined there."""

    path: str
    span: Span
    old: str
    new: str


class Renames(Value, frozen=True, tag="renames"):
    """Put other dotted names in place of some, wherever the file means them: imports, annotations, calls, bases.

    span      the text in which this is done, all of the file
    package   dotted name of the package that relative imports of the file start from
    names     what is meant, with what is to be meant
    spared    text in which nothing is renamed
    """

    path: str
    span: Span
    package: str
    names: tuple[tuple[str, str], ...]
    spared: tuple[Span, ...] = ()


class Require(Value, frozen=True, tag="require"):
    """Declare this distribution in the file ``path``, ``beside`` another one if that is given."""

    path: str
    distribution: str
    beside: str = ""


Writable: TypeAlias = Rewrite | Use | Turn | Rename | Renames
Decision: TypeAlias = Writable | Require


def span_of(decision: Writable) -> Span:
    """The text that a decision is about."""
    if isinstance(decision, Rewrite):
        return decision.site.span
    return decision.keyword if isinstance(decision, Turn) else decision.span


class Hop(Value, frozen=True):
    """One step of the path from async code to the leaf."""

    function: str
    path: str
    line: int


class Finding(Value, frozen=True):
    """What is reported: the expression in async code that blocks the loop, and how it comes to block.

    leaf    the API name at the end of the path, with its place: the report groups by it
    """

    rule: str
    place: Place
    message: str
    owner: str
    leaf: str
    via: tuple[Hop, ...] = ()
    safety: Safety | None = None
    change: str | None = None


class Barred(Value, frozen=True):
    """Why code cannot run in a thread: a stable code and a sentence."""

    code: str
    why: str


class Change(Value, frozen=True):
    """One y/n: the sites of one rule in one leaf function with everything that must turn for them; complete by itself.

    turns    functions that turn async in it
    keeps    functions that must stay sync for it to be right (they run in a thread)
    """

    id: str
    rule: str
    title: str
    safety: Safety
    decisions: tuple[Decision, ...]
    reasons: tuple[str, ...]
    needs: tuple[str, ...] = ()
    turns: frozenset[str] = frozenset()
    keeps: frozenset[str] = frozenset()

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(sorted({decision.path for decision in self.decisions}))


class Refusal(Value, frozen=True):
    """A fix that was barred: an ordinary result, listed and counted like any other."""

    finding: Finding
    reason: str
    message: str


class Plan(Value, frozen=True):
    """What could be done. ``sync_sites``: how many blocking calls in sync code ``--migrate`` would start from beside."""

    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    findings: tuple[Finding, ...]
    sync_sites: int = 0


# ------------------------------------------------------------------------------------------------------------------ APIs


class Api(Value, frozen=True, rename={"twin": "async"}, forbid_unknown_fields=True):
    """One row of an API map.

    call    dotted sync name: function, ``Class.method``, class; ``Class.*`` is every method
    twin    (``async`` in TOML) its async twin, ``same`` or ``thread``
    kind    ``await`` | ``with`` | ``for`` | ``plain`` (the twin needs no await)
    flow    ``network`` | ``file`` | ``metadata`` | ``database`` | ``process`` | ``computation`` | ``queue`` | ``sleep`` |
            ``input`` | ``lock`` | ``''`` (blocks in a way not said)
    reads   what it reads that others can reach (``file``, ``argument``, ``receiver``, ``loop``, ``context``, ``global``,
            ``thread`` (something bound to its thread), ``process-state`` (folder, environment, signals)); None is unknown;
            ``file@1`` and ``argument@1`` speak of the second argument alone; ``loop<3.10``, in the maps, of older Pythons
    writes  likewise
    gives   dotted class of the result, if that is of use ('' unknown)
    runs    arguments that it calls, by position (``0``) and keyword (``key``); with ``for`` when its result is iterated
    given   it blocks only if one of these arguments, likewise, is given and is not None, False or 0; () always
    outside of what waits for something outside the process, and of which several may be on their way at once: ``read`` (it
            changes nothing there) | ``write`` (it does) | ``query`` (as the SQL says that it is given) | ``several`` (that is not
            said); '' if nothing is known of it
    single  what of it takes one call at a time all the same: ``receiver``, and arguments by position or keyword
    unless  arguments, likewise, of what makes an object: once the project gives one of these, nothing is sure of ``outside``;
            of a call that has ``outside`` itself: then nothing is sure of this call. What is plain counts for none
    batch   what asks for many at once, for a person
    pooled  of what takes a connection of a pool and waits if there is none: ``once`` (while the call lasts) | ``held`` (until
            what it gives is closed, or given back); '' if it takes none
    """

    call: str
    twin: str = "thread"
    kind: str = "await"
    flow: str = ""
    reads: tuple[str, ...] | None = None
    writes: tuple[str, ...] | None = None
    gives: str = ""
    distribution: str = ""
    runs: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    outside: str = ""
    single: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    batch: str = ""
    pooled: str = ""


class TypeRow(Value, frozen=True, forbid_unknown_fields=True):
    """What the sync code does not state: the type of an attribute (``pkg.C.attr``, or ``pkg.C.*`` for all others) or of a
    call's result (``pkg.f()``); ``?`` if that may be anything."""

    value: str
    type: str


class Alias(Value, frozen=True, forbid_unknown_fields=True):
    """Another import path of one thing: ``name`` (a module, class or function) and all beneath it is called ``means``."""

    name: str
    means: str


class ApiMap(
    Value, frozen=True, rename={"blocking": "api", "types": "type", "aliases": "alias"}, forbid_unknown_fields=True
):
    """The rows of one map: blocking calls, calls known not to block (with their effects), types, and other names.

    As TOML these are the arrays ``api``, ``harmless``, ``type`` and ``alias``.
    """

    blocking: tuple[Api, ...] = ()
    harmless: tuple[Api, ...] = ()
    types: tuple[TypeRow, ...] = ()
    aliases: tuple[Alias, ...] = ()
