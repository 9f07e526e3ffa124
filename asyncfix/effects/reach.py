"""What each function reads and writes that others can reach.

Shared is what others can reach: attributes, globals, nonlocals, arguments, context variables and files (by the expression
of their path); not objects that the call itself made. Unknown is everything. Effects are coarse on purpose: a key names an
attribute of a class, not of one object.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from asyncfix.effects.consuming import Consuming
from asyncfix.effects.decoration import hook
from asyncfix.effects.keys import LIBRARY, OWN_ELEMENT, Keys, pretty, split
from asyncfix.effects.output import output
from asyncfix.effects.owning import of_self
from asyncfix.effects.runs import Run, Runs
from asyncfix.effects.tables import BUFFERS, QUIET_DECORATORS
from asyncfix.effects.touch import CONSTRUCTING, Touch, Where
from asyncfix.effects.unclear import Unclear, sentence, unclear
from asyncfix.effects.unseen import Unseen
from asyncfix.effects.writers import Writers
from asyncfix.facts.containers import CHANGING_METHODS, SIGNALLING_METHODS, VALUE_METHODS
from asyncfix.facts.scopes import ELEMENT, bare
from asyncfix.link.entities import SOMETHING
from asyncfix.link.index import Edge, ProjectIndex
from asyncfix.model import Access, Api, Barred, Call, Span, Try

OF_A_DEFINITION = (".__name__", ".__qualname__", ".__doc__", ".__module__", ".__wrapped__", ".__class__")
LIBRARY_VARIABLE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")

THREAD_LOCAL = "threading.local"
LOOP = "asyncio.AbstractEventLoop"
WARN = "warnings.warn"
HALF = "may leave half a line in a thread, and another task may write the rest of it"
STOP = "builtins.StopIteration"
STOPS = "stop-iteration"
FRAME = "sys._getframe"
CALLER = "caller-frame"
"""Asking for the frame of the caller: that is one of the same thread, unless the thread begins with who asks."""
CURRENT_EXCEPTION = frozenset(
    {"logging.exception", "logging.Logger.exception", "traceback.format_exc", "traceback.print_exc", "sys.exc_info"}
)


@dataclass(frozen=True, slots=True)
class Direct:
    """The effects of one function's own code."""

    touches: tuple[Touch, ...]
    unknown: tuple[Unclear, ...]
    blocked: tuple[tuple[Span, Barred], ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """The effects of some code with all that it reaches. ``unknown``: the sentence on what nothing shows, or ''.

    ``blocked``: what keeps it out of a thread; ``stops``: what may let a StopIteration out of it, which is lost in one.
    ``objects``: keys of objects that outlive it and of which it calls methods that nothing shows.
    ``told``: what of this, by its name, changes something for others, with its place, or ''.
    ``names``: the functions of the project that it runs, once each, sorted.
    """

    touches: tuple[Touch, ...]
    unknown: str
    blocked: Barred | None
    stops: Barred | None = None
    objects: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    told: str = ""


class Effects:
    """Effects of all functions, worked out when asked for and remembered.

    ``own``: keys of what generated code keeps for itself: in which order it is changed nobody can tell.
    """

    def __init__(self, index: ProjectIndex, own: frozenset[str] = frozenset()) -> None:
        self.index = index
        self._own = own
        self._direct: dict[str, Direct] = {}
        self._below: dict[str, frozenset[str]] = {}
        self._called: dict[Run, Direct] = {}
        self._decorated: dict[str, str] = {}
        self.keys = Keys(index)
        self.runs = Runs(index, self.keys)
        self._consuming = Consuming(self.keys)
        self._writers = Writers(self)
        self.unseen = Unseen(self)

    # ------------------------------------------------------------------------------------------------------- one function

    def direct(self, function: str) -> Direct:
        """What the function's own code touches, in the order of the text."""
        found = self._direct.get(function)
        if found is None:
            found = self._direct[function] = self._examine(function)
        return found

    def _examine(self, function: str) -> Direct:
        index, info = self.index, self.index.functions[function]
        touches = [touch for access in info.fact.accesses for touch in self.access(info.path, access)]
        touches.extend(self._consuming.by(function))
        unknown: list[Unclear] = []
        blocked: list[tuple[Span, Barred]] = []
        blocked.extend(self._bound_to_thread(info.path, info.fact.accesses))
        for call in index.unknown.get(function, ()):
            name = self.unknown_call(info.path, call, touches)
            if name:
                unknown.append(unclear(self.keys, info.path, call, pretty(name)))
        for external in index.externals.get(function, ()):
            row = index.catalog.harmless(external.name) or index.catalog.blocking(external.name)
            if row is None:
                if external.call not in index.unknown.get(function, ()):
                    unknown.append(unclear(self.keys, info.path, external.call, pretty(external.name)))
                continue
            self._external(info.path, external.name, row, external.call, info.fact.tries, touches, unknown, blocked)
        again = info.fact.reraises
        if again is not None:
            where = Where(info.path, info.fact.line)
            why = f"a bare raise raises the current exception again, and a thread has none ({where})"
            blocked.append((again, Barred("current-exception", why)))
        seen = (touch for touch in touches if touch.key not in self._own)
        return Direct(tuple(sorted(seen, key=lambda touch: touch.at)), tuple(unknown), tuple(blocked))

    def _bound_to_thread(self, path: str, accesses: Iterable[Access]) -> Iterator[tuple[Span, Barred]]:
        """Accesses that mean something else in another thread, or hang the one who waits for it."""
        for access in accesses:
            where = Where(path, access.line)
            if access.ref == STOP:
                yield access.span, Barred(STOPS, f"StopIteration hangs a thread's waiter ({where})")
                continue
            base, attribute = split(access.ref)
            for entity in self.index.evaluator.evaluate(path, base) if attribute and base != ":" else ():
                if entity.name.removesuffix("()") == THREAD_LOCAL:
                    yield access.span, Barred(
                        "thread-bound", f"a threading.local is another one in every thread ({where})"
                    )

    def decorated(self, function: str) -> str:
        """A decorator of the function that may do anything, '' if there is none."""
        found = self._decorated.get(function)
        if found is None:
            found = self._decorated[function] = self._odd_decorator(function)
        return found

    def _odd_decorator(self, function: str) -> str:
        info = self.index.functions[function]
        for decorator in info.fact.decorators:
            called = "()" if decorator.endswith("()") else ""
            entities = self.index.evaluator.evaluate(info.path, decorator.removesuffix("()"))
            if info.fact.kind == "property" and decorator.endswith((".setter", ".getter", ".deleter")):
                continue
            if not entities or any(entity.name + called not in QUIET_DECORATORS for entity in entities):
                return pretty(decorator)
        return hook(self.index, function)

    def access(self, path: str, access: Access) -> Iterator[Touch]:
        if access.ref.endswith(OF_A_DEFINITION) and not (access.kind == "write" and access.ref.endswith(".__class__")):
            return  # a wrapper gets the name of what it wraps
        deep = access.kind == "change"
        key, holder = self.keys.of(path, access.ref, deep=deep)
        if not key and LIBRARY_VARIABLE.fullmatch(access.ref):
            key, holder = self._library_variable(path, access.ref), access.ref.rpartition(".")[0]
        if not key and access.kind == "write" and OWN_ELEMENT.match(access.ref):
            key = holder = "?"
        if not key and access.kind == "write" and self._is_of_loop(path, access.ref):
            key, holder = f"{LOOP}.{split(access.ref)[1]}", LOOP
        if not key and access.kind == "write":
            key, holder = self._definition(path, access.ref), access.ref.rpartition(".")[0]
        if key:
            where = Where(path, access.line)
            writes = access.kind in ("write", "change")
            yield Touch(key, holder, writes, access.span, access.at, where, deep)

    def _is_of_loop(self, path: str, ref: str) -> bool:
        """Whether a ref is an attribute of an event loop, which nobody makes who asks for it."""
        base, attribute = split(ref)
        return bool(attribute) and any(entity.name == LOOP for entity in self.index.evaluator.evaluate(path, base))

    def _library_variable(self, path: str, ref: str) -> str:
        """The key of a variable of a library's module, '' if it is none."""
        meant = self.index.evaluator.evaluate(path, ref)
        return LIBRARY + meant[0].name if len(meant) == 1 and meant[0].kind in ("external", "value") else ""

    def _definition(self, path: str, ref: str) -> str:
        """The key of a function, class or module that a name of a module stands for, or of a name that a module is only given by
        others; '' if it is neither."""
        meant = self.index.evaluator.evaluate(path, ref)
        if meant and meant[0].kind in ("function", "class", "module"):
            return meant[0].name
        base, attribute = split(ref)
        holders = self.index.evaluator.evaluate(path, base) if attribute else ()
        modules = [each.name for each in holders[:1] if each.kind == "module"]
        return f"{self.index.evaluator.modules.names.get(modules[0], modules[0])}.{attribute}" if modules else ""

    def unknown_call(self, path: str, call: Call, touches: list[Touch]) -> str:
        """The name of a call that may do anything; '' if its name tells enough."""
        meanings = ((target, self.index.evaluator.evaluate(path, target)) for target in call.targets)
        unsettled = [target for target, means in meanings if not means or SOMETHING in means]
        for target in unsettled or call.targets:  # something is known of each, yet not what it does
            receiver, _, name = target.rpartition(".")
            if not receiver:
                return target
            changes = name in CHANGING_METHODS or name in SIGNALLING_METHODS
            known = self.keys.of(path, receiver, deep=changes) if receiver != "?" else ("?" if changes else "", "?")
            if known[0]:
                touches.append(Touch(*known, changes, call.span, call.span.end, Where(path, call.line), changes))
            if name in self.index.names or (name not in CHANGING_METHODS and name not in VALUE_METHODS):
                return f".{name}" if receiver == "?" else target
        return ""

    def _external(
        self,
        path: str,
        name: str,
        row: Api,
        call: Call,
        tries: Sequence[Try],
        touches: list[Touch],
        unknown: list[Unclear],
        blocked: list[tuple[Span, Barred]],
    ) -> None:
        where = Where(path, call.line)
        if row.reads is None or row.writes is None:
            unknown.append(unclear(self.keys, path, call, name, "what {} reads and writes"))
        if name == WARN and _names_caller(call):
            unknown.append(
                Unclear(call.span, f"{name} ({where})", "names its caller, which is another one in a thread")
            )
        touches.extend(self.handed(path, call))
        written = output(self.index, path, name, call)
        if written is not None and written.half:
            unknown.append(Unclear(call.span, f"{name} ({where})", HALF))
        for words, writes in ((row.reads or (), False), (row.writes or (), True)):
            for word in words:
                touches.extend(self.word(path, name, word, writes, call, blocked))
        if name in CURRENT_EXCEPTION and not call.in_handler:
            why = f"{name} asks for the current exception, and a thread has none ({where})"
            blocked.append((call.span, Barred("current-exception", why)))
        if name == STOP or (
            name == "builtins.next" and len(call.arguments) == 1 and not self._stop_caught(path, call, tries)
        ):
            blocked.append(
                (
                    call.span,
                    Barred(STOPS, f"next() may raise StopIteration, which hangs a thread's waiter ({where})"),
                )
            )

    def handed(self, path: str, call: Call) -> Iterator[Touch]:
        """What may be changed since a method that does so is given to a library: ``submit(found.append, 1)``."""
        for ref in {ref for item in call.arguments for ref in item.refs or (item.ref,)}:
            base, _, last = ref.rpartition(".")
            key, holder = self.keys.of(path, base, deep=True) if base and last in CHANGING_METHODS else ("", "")
            if key:
                yield Touch(key, holder, True, call.span, call.span.end, Where(path, call.line), True)

    def word(
        self, path: str, name: str, word: str, writes: bool, call: Call, blocked: list[tuple[Span, Barred]]
    ) -> Iterator[Touch]:
        where = Where(path, call.line)
        word, _, position = word.partition("@")
        match word:
            case "loop":
                blocked.append((call.span, Barred("loop-api", f"{name} belongs to the event loop ({where})")))
            case "thread":
                code = (
                    CALLER if name == FRAME and [item.literal for item in call.arguments] == ["1"] else "thread-bound"
                )
                blocked.append((call.span, Barred(code, f"{name} is bound to one thread ({where})")))
            case "context" if not writes:
                pass  # a thread sees the context of the task that waits for it
            case "context":
                blocked.append(
                    (
                        call.span,
                        Barred("context-variable", f"{name}: a thread's changes of context are lost ({where})"),
                    )
                )
            case "receiver":
                for receiver in self._receivers(path, name, call):
                    if call.arguments and self._is_built_in(path, receiver):
                        receiver = call.arguments[0].ref  # a method called of its class is given the object
                    key, holder = self.keys.of(path, receiver, deep=writes)
                    if _by_another_name(name, call):
                        key = holder = "?"
                    if key:
                        yield Touch(key, holder, writes, call.span, call.span.end, where, writes)
            case "argument":
                stated = call.arguments[int(position) : int(position) + 1] if position else ()
                for argument in stated or call.arguments:
                    key, holder = self.keys.of(path, argument.ref, deep=writes)
                    if key:
                        yield Touch(key, holder, writes, call.span, call.span.end, where, writes)
            case "file":
                key, holder = self._buffer(path, call, self._place(path, name, call, position))
                file = "" if holder else self.file(path, name, call, position)
                if key:
                    yield Touch(key, holder, writes, call.span, call.span.end, where)
                if file:
                    key = f"file {file}"
                    writes = writes and not _only_reads(name, call)
                    yield Touch(key, key, writes, call.span, call.span.end, where)
            case _:
                # One function sets what another of its module goes by: chdir and getcwd, seed and random.
                yield Touch(f"{word} ({name.partition('.')[0]})", word, writes, call.span, call.span.end, where)

    def _receivers(self, path: str, name: str, call: Call) -> list[str]:
        """What a method may be called of: of several things that stand there those that have it."""
        meant = self.index.evaluator.evaluate
        targets = [target for target in call.targets if any(each.name == name for each in meant(path, target))]
        return [target.rpartition(".")[0] for target in targets or call.targets[:1] or ("",)]

    def _is_built_in(self, path: str, ref: str) -> bool:
        """Whether a ref names one of the classes that are built in."""
        meant = self.index.evaluator.evaluate(path, ref)
        return any(entity.kind == "external" and entity.name.startswith("builtins.") for entity in meant)

    def file(self, path: str, name: str, call: Call, position: str) -> str:
        """The path expression of a call on a file: the argument at ``position``; if that is '' the receiver of a method, the
        first argument of a function. One of its own if it is not plain, '' if it is a temporary file that the caller made,
        or one whose opening counts already."""
        receiver = call.targets[0].rpartition(".")[0] if call.targets else ""
        place = self._place(path, name, call, position)
        if name.startswith("io.") and self.keys.made_here(path, receiver):
            return ""  # the call that opened it stands for all that is done to it
        if place in call.own_paths and self.index.evaluator.modules.find(path, "tempfile") is None:
            return ""
        given = None if place < 0 else next(iter(call.arguments[place : place + 1]), None)
        if given is not None and given.literal:
            return repr(posixpath.normpath(given.literal))
        if given is None and call.receiver[:1] in ("'", '"'):
            return call.receiver
        ref = bare(receiver if given is None else given.ref)
        if "@" in ref and "()" not in ref:
            # Two functions of a file may be given one path under one name.
            return f"@{path}:{ELEMENT.sub('[]', ref.rpartition('@')[2])}"
        key = self.keys.of(path, ref)[0]
        if key and not key.startswith("?"):
            return key
        # A local name stands for one path in one file; anything else is compared with nothing.
        name_here = call.receiver if given is None else given.name
        alone = not name_here or name_here.isidentifier()
        return f"?{path if alone else ''}:" + (name_here or f"{call.line}:{call.column}")

    def _place(self, path: str, name: str, call: Call, position: str) -> int:
        """The position of the argument that is the file, -1 if that is the receiver."""
        if position:
            return int(position)
        receiver = call.targets[0].rpartition(".")[0] if call.targets else ""
        meant = self.index.evaluator.evaluate(path, receiver)
        return -1 if name.startswith("pathlib.") or any(entity.kind == "value" for entity in meant) else 0

    def _buffer(self, path: str, call: Call, place: int) -> tuple[str, str]:
        """The key and the holder of a buffer in memory that a call on a file is given in its place; the key is '' if nobody
        else has it, both if it is no buffer."""
        for argument in call.arguments[place:][:1] if place >= 0 else ():
            meant = self.index.evaluator.evaluate(path, argument.ref) if argument.ref else ()
            if meant and all(entity.kind == "value" and entity.name in BUFFERS for entity in meant):
                key, holder = self.keys.of(path, argument.ref)
                return key, holder or meant[0].name
        return "", ""

    def _stop_caught(self, path: str, call: Call, tries: Sequence[Try]) -> bool:
        """Whether StopIteration out of this call is caught in the same function."""
        for index in call.tries:
            for handler in tries[index].handlers:
                caught = {entity.name for ref in handler.types for entity in self.index.evaluator.evaluate(path, ref)}
                if not handler.types or caught & {STOP, "builtins.Exception", "builtins.BaseException"}:
                    return True
        return False

    # ------------------------------------------------------------------------------------------------------- whole reach

    def below(self, function: str) -> frozenset[str]:
        """The function and all project functions that it may run."""
        found = self._below.get(function)
        if found is None:
            seen = {function}
            stack = [function]
            while stack:
                for edge in self.index.calls.get(stack.pop(), ()):
                    if edge.callee not in seen:
                        seen.add(edge.callee)
                        stack.append(edge.callee)
            found = self._below[function] = frozenset(seen)
        return found

    def reach(self, function: str, span: Span | None = None, *, beside: bool = False) -> Reach:
        """The effects of the code in ``span`` of a function (all of it if None), with all that it reaches.

        ``beside``: the rest of the function runs at the same time.
        """
        own = self.direct(function)
        touches = [touch for touch in own.touches if span is None or span.contains(touch.span)]
        unknown = [item for item in own.unknown if span is None or span.contains(item.span)]
        blocked = [item for at, item in own.blocked if span is None or span.contains(at)]
        direct = {edge.callee for edge in self._edges(function, span)}
        runs = sorted(self.run(function, span, beside=beside))
        for run in runs:
            more = self._called.get(run) or self._in_call(run)
            touches += more.touches
            unknown += more.unknown
            if more.blocked:
                called = run[0] in direct
                blocked.extend(item for _, item in more.blocked if called or item.code != CALLER)
        stops = [item for item in blocked if item.code == STOPS]
        if not self._lets_stop_out(function, span):
            own_stops = [item for at, item in own.blocked if span is None or span.contains(at)]
            stops = [item for item in stops if item in own_stops]
        barring = [item for item in blocked if item.code != STOPS]
        objects = frozenset[str]().union(*(item.objects for item in unknown))
        return Reach(
            tuple(touches),
            sentence(unknown),
            next(iter(barring), None),
            next(iter(stops), None),
            objects,
            tuple(dict.fromkeys([name for name, _ in runs])),
            next((item.what for item in unknown if item.told), ""),
        )

    def _in_call(self, run: Run) -> Direct:
        """The effects of a function, and of its decorators, on who calls it: without what only an object has that they made."""
        (name, own_object), index = run, self.index
        own, fact = self.direct(name), index.fact(name)
        touches = own.touches
        if own_object or fact.name in CONSTRUCTING:
            touches = tuple(touch for touch in touches if not of_self(touch, self.keys.given, name))
        decorator = self.decorated(name)
        more = (Unclear(fact.span, f"the decorator {decorator} of {name}"),) if decorator else ()
        found = self._called[run] = Direct(touches, own.unknown + more, own.blocked)
        return found

    def _lets_stop_out(self, function: str, span: Span | None) -> bool:
        """Whether a StopIteration may come out of a function that the code calls: it may be caught further down."""
        return any(edge.callee in self.index.stopping for edge in self._edges(function, span))

    def _edges(self, function: str, span: Span | None) -> Iterator[Edge]:
        return (edge for edge in self.index.calls.get(function, ()) if span is None or span.contains(edge.span))

    def run(self, function: str, span: Span | None, *, beside: bool = False) -> frozenset[Run]:
        """The functions that code runs, each with whether it runs on an object that this code made itself."""
        called = self.runs.called(function, span, beside=beside)
        given = self.runs.given(function, span) if beside else frozenset[Run]()
        return self.runs.below(called | given, beside=beside)

    def names(self, function: str, span: Span | None) -> list[str]:
        """The functions that code runs, once each, sorted."""
        return sorted({name for name, _ in self.run(function, span)})

    def writers(self, key: str) -> tuple[tuple[str, Touch], ...]:
        """Functions that write a shared thing outside a constructor, with the place."""
        return self._writers.of(key)


def _only_reads(name: str, call: Call) -> bool:
    """Whether a call opens a file, and opens it for reading."""
    if not name.endswith(("open", "ZipFile", "TarFile", "GzipFile", "BZ2File", "LZMAFile")) or name == "os.open":
        return False
    if any(argument.keyword in ("*", "**") for argument in call.arguments):
        return False
    stated = [argument for argument in call.arguments if argument.keyword == "mode"]
    positional = [argument for argument in call.arguments if argument.keyword == ""]
    position = 0 if name.startswith("pathlib.") else 1
    mode = stated or positional[position : position + 1]
    return not mode or (not mode[0].ref and bool(mode[0].literal) and not set(mode[0].literal) & set("wax+"))


def _by_another_name(name: str, call: Call) -> bool:
    """Whether a method is called by a name that it was given, which does not tell of what object."""
    return bool(call.targets) and call.targets[0].rpartition(".")[2] != name.rpartition(".")[2]


def _names_caller(call: Call) -> bool:
    """Whether a warning is told to name not the line that gives it, but one above."""
    return any(
        argument.literal != "1" and (argument.keyword == "stacklevel" or (position == 2 and not argument.keyword))
        for position, argument in enumerate(call.arguments)
    )
