"""What the walk remembered, resolved: the facts of functions, classes and the module, once all bindings are known."""

from __future__ import annotations

import ast
import builtins
import posixpath
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from asyncfix.facts.draining import drained
from asyncfix.facts.handlers import raises_again, reads_error
from asyncfix.facts.returning import gives_back
from asyncfix.facts.scopes import (
    ANYTHING,
    LITERALS,
    MOST_NAMED,
    NONE,
    UNKNOWN,
    Bound,
    Refs,
    Scope,
    annotation,
    are_named,
    bare,
    collected,
    filled,
    growing,
    is_definition,
    is_type_variable,
    is_vague,
    key_step,
    lookup,
    resolve,
    steps,
    union,
)
from asyncfix.facts.shapes import could_be_element, does_nothing
from asyncfix.facts.sharing import fields, handed, held_by_the_class
from asyncfix.facts.special import BY_COLLECTIONS, ENDING, ITER
from asyncfix.facts.taking import held, kept, lazy, taken, yields
from asyncfix.facts.temporary import own_paths
from asyncfix.facts.texts import text_shape
from asyncfix.facts.unfailing import is_unfailing
from asyncfix.facts.walker import ENTER, PATCHERS, ClassFrame, Context, Frame, Walker
from asyncfix.flow import is_endless, last_name, own
from asyncfix.model import (
    Access,
    Argument,
    Assigned,
    Call,
    Class,
    Function,
    Handler,
    Lazy,
    Parameter,
    Span,
    Taken,
    Try,
    With,
)
from asyncfix.source import Source

# Builtins that only look at their arguments, and exceptions being made: two calls in five.
PLAIN = frozenset(
    "builtins." + name
    for name in [
        "abs",
        "all",
        "any",
        "bin",
        "bool",
        "bytes",
        "callable",
        "chr",
        "complex",
        "dict",
        "divmod",
        "enumerate",
        "float",
        "format",
        "frozenset",
        "hasattr",
        "hash",
        "hex",
        "id",
        "int",
        "isinstance",
        "issubclass",
        "len",
        "list",
        "max",
        "min",
        "object",
        "oct",
        "ord",
        "pow",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "slice",
        "sorted",
        "str",
        "sum",
        "super",
        "tuple",
        "type",
        "zip",
    ]
) | frozenset(
    "builtins." + name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)
MOST_REFS = 12
# Calls by which a file is known: two that spell its path alike mean one file.
FILE_CALLS = frozenset(
    {"open", "read_text", "read_bytes", "write_text", "write_bytes", "copy", "copy2", "copyfile", "move"}
)
CONNECT = "sqlite3.connect"
WRITING = ("sys.stdout.write", "sys.stderr.write")
NAMING = (CONNECT, "builtins.getattr", "operator.attrgetter", "operator.methodcaller", *WRITING)
ASKED = "asked"
GENERATOR = "types.GeneratorType"
STOP = "builtins.StopIteration"
TOLD = (STOP, *ENDING)  # exceptions of which it matters who makes them
# Variables of the standard library that programs assign or change.
NAMESPACES = ("builtins.globals()", "builtins.vars()")  # a change of these is one of variables or attributes
OF_THE_PROCESS = ("os.environ", "sys.stdout", "sys.stderr", "sys.stdin", "sys.argv", "sys.path", "sys.modules")
STANDARD = sys.stdlib_module_names | {"builtins"}
CONTAINERS = tuple(f"builtins.{name}" for name in ("list", "dict", "set", "tuple", "frozenset"))


@dataclass(slots=True)
class Loose:
    """What is known of unknown receivers: attributes read (name -> line) and attributes assigned."""

    reads: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    writes: set[str] = field(default_factory=lambda: set[str]())


def function_facts(walker: Walker, frame: Frame, loose: Loose) -> Function:
    """The facts of one frame, resolved."""
    node, source = frame.node, walker.source
    untold: set[str] = set()
    span = Span(0, len(source.data)) if isinstance(node, ast.Module) else source.span(node)  # type: ignore[arg-type]
    temporary = "tempfile" in walker.imports
    line, column, end_line, end_column = (1, 1, 1, 1)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        line, end_line = node.lineno, node.end_lineno or node.lineno
        column = source.column(line, node.col_offset)
        end_column = source.column(end_line, node.end_col_offset or 0)
    return Function(
        qualname=frame.qualname,
        kind=_kind(frame),
        is_async=isinstance(node, ast.AsyncFunctionDef),
        is_generator=frame.is_generator,
        keyword=Span(span.start, span.start + 3),
        span=span,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        owner_class=frame.owner_class,
        outer=frame.outer,
        decorators=_decorators(frame),
        parameters=_parameter_facts(frame),
        results=_results(frame),
        made=_made(frame),
        calls=tuple(fact for call in frame.calls if (fact := _call_fact(walker, frame, temporary, *call)) is not None),
        accesses=tuple(_accesses(source, frame, loose, untold)),
        tries=tuple(_try_fact(*item) for item in frame.tries),
        awaits=tuple(frame.awaits),
        operations=tuple(_operations(walker, frame, untold)),
        yields=yields(source, frame),
        is_endless=frame.is_generator and _goes_on_for_ever(node),
        withs=tuple(_withs(source, frame)),
        returned=sum(kind.startswith("return") for kind, *_ in frame.steps),
        is_stub=isinstance(node, ast.FunctionDef) and all(map(does_nothing, node.body)),
        is_plain=isinstance(node, ast.Lambda) and could_be_element(node),
        is_unfailing=is_unfailing(node),
        reraises=frame.reraises,
        drained=drained(frame),
        imports=tuple(dict.fromkeys(frame.imports)),
        loose=tuple(sorted(untold)),  # when accesses and operations have been gone through
    )


def _goes_on_for_ever(node: ast.AST) -> bool:
    body = node.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else []
    return any(isinstance(each, ast.While) and is_endless(each) for each in own(body))


def class_facts(item: ClassFrame) -> Class:
    """The facts of one class, resolved."""
    attributes: dict[str, tuple[str, ...]] = {}
    for name, values in item.attributes.items():
        refs: list[str] = []
        for value, scope, suffix in values:
            refs.extend(_value_refs(value, scope, suffix))
        attributes[name] = filled(_not_too_many(refs), item.added.get(name, ()), MOST_REFS)
    return Class(
        qualname=item.qualname,
        bases=tuple(ref for base in item.node.bases for ref in _base(base, item.outside)),
        attributes=attributes,
        decorators=tuple(_decorator(node, item.outside) for node in item.node.decorator_list),
        line=item.node.lineno,
        made_by=next((resolve(word.value, item.outside) for word in item.node.keywords if word.arg == "metaclass"), ()),
        assigned=tuple(dict.fromkeys(_assigned(item.node.body))),
        empty=tuple(name for name, values in item.attributes.items() if any(_says_none(each) for each, _, _ in values)),
        shared=tuple(
            sorted(item.given | set(handed(item.node)) | (set(held_by_the_class(item.node.body)) - item.begun))
        ),
        fields=tuple(name for name, _ in fields(item.node)),
    )


def _says_none(value: ast.expr | str | None) -> bool:
    """Whether a value, or an annotation, says that something may be None."""
    match value:
        case ast.Constant(value=given):
            return given is None or (isinstance(given, str) and ("None" in given or "Optional" in given))
        case ast.BinOp(left=one, right=other) | ast.IfExp(body=one, orelse=other):
            return _says_none(one) or _says_none(other)
        case ast.BoolOp(values=parts) | ast.Tuple(elts=parts):
            return any(map(_says_none, parts))
        case ast.Subscript(value=outer, slice=inner):
            return last_name(outer) == "Optional" or _says_none(inner)
        case _:
            return False


def _assigned(body: Iterable[ast.stmt]) -> Iterable[str]:
    """The names to which the body of a class gives a value."""
    for statement in body:
        match statement:
            case ast.Assign(targets=targets):
                yield from (part.id for item in targets for part in ast.walk(item) if isinstance(part, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                yield name
            case _:
                pass


def assignments(walker: Walker) -> Iterable[Assigned]:
    """The attributes that are assigned from outside, but for those that are emptied."""
    for node, name, value, suffix, scope in walker.assigned:
        values = _not_too_many(ref for ref in _value_refs(value, scope, suffix) if ref != NONE)
        for holder in resolve(node, scope) if values else ():
            yield Assigned(holder, name, values, node.lineno)


def additions(walker: Walker) -> Iterable[Assigned]:
    """The attributes into which something is put from outside, with collections of that."""
    for node, name, value, container, scope in walker.added:
        values = _not_too_many(filled((), [(value, scope, container)], MOST_REFS))
        for holder in resolve(node, scope) if values and values != UNKNOWN else ():
            if holder[0] != "?":
                yield Assigned(holder, name, values, node.lineno)


def module_bindings(walker: Walker) -> dict[str, tuple[str, ...]]:
    """What each name of the module's top level is bound to."""
    bindings: dict[str, tuple[str, ...]] = {}
    for name, bounds in walker.module.names.items():
        refs: list[str] = []
        for bound in bounds:
            refs.extend(_value_refs(bound.value, walker.module, bound.steps))
        bindings[name] = filled(_not_too_many(refs), walker.module.added.get(name, ()), MOST_REFS)
    return bindings


def listed(walker: Walker) -> Iterable[tuple[str, Refs]]:
    """What the mappings of the module's top level have under their keys, if it has a name of its own: functions, classes."""
    for name, bounds in walker.module.names.items():
        match bounds:
            case [Bound(value=ast.Dict(keys=keys, values=values), steps="")]:
                for key, value in zip(keys, values, strict=True):
                    refs = resolve(value, walker.module)
                    match key:
                        case ast.Constant(value=str(text)) if text.isidentifier() and are_named(refs):
                            yield f"{name}{key_step(text)}", refs
                        case _:
                            pass
            case _:
                pass


def _value_refs(value: ast.expr | str, scope: Scope, suffix: str) -> Refs:
    if isinstance(value, str):
        return (value + suffix,)
    if suffix == "!":
        return annotation(value, scope)
    refs = resolve(value, scope) if suffix else growing(resolve(value, scope))
    return tuple(ref + suffix if not ref.startswith("?") else "?" for ref in refs)


def _base(node: ast.expr, scope: Scope) -> Refs:
    return resolve(node.value if isinstance(node, ast.Subscript) else node, scope)


def _kind(frame: Frame) -> str:
    if frame.kind != "method" or not isinstance(frame.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return frame.kind
    for node in frame.node.decorator_list:
        name = last_name(node)
        if name in ("property", "cached_property", "abstractproperty", "setter", "deleter"):
            return "property"
        if name in ("staticmethod", "classmethod"):
            return "static" if name == "staticmethod" else "classmethod"
    return "method"


def _decorators(frame: Frame) -> tuple[str, ...]:
    nodes = getattr(frame.node, "decorator_list", ())
    outside = frame.scope.parent
    return () if outside is None else tuple(_decorator(node, outside) for node in nodes)


def _decorator(node: ast.expr, scope: Scope) -> str:
    refs = resolve(node, scope)
    return refs[0] if len(refs) == 1 else "?"


def _parameter_facts(frame: Frame) -> tuple[Parameter, ...]:
    arguments = getattr(frame.node, "args", None)
    outside = frame.scope.parent
    if not isinstance(arguments, ast.arguments) or outside is None:
        return ()
    positional = [*arguments.posonlyargs, *arguments.args]
    padding: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    defaults = [*padding, *arguments.defaults, *arguments.kw_defaults]
    facts: list[Parameter] = []
    for argument, default in zip((*positional, *arguments.kwonlyargs), defaults, strict=True):
        stated = annotation(argument.annotation, outside)
        types = () if is_type_variable(stated, outside) else stated
        given = resolve(default, outside) if default is not None else ()
        empty = _says_none(argument.annotation) or _says_none(default)
        facts.append(Parameter(argument.arg, "|".join(types), given[0] if len(given) == 1 else "", empty))
    return tuple(facts)


def _results(frame: Frame) -> Refs:
    node = frame.node
    returned = [value for value, _ in frame.returns]
    if returned and all(isinstance(each, ast.Name) and _is_own_object(frame, each.id) for each in returned):
        return tuple(dict.fromkeys(_returned(frame)))  # which tells more than an annotation
    if (
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.returns is not None
        and frame.scope.parent is not None
    ):
        stated = annotation(node.returns, frame.scope.parent)
        if stated and not is_vague(stated, frame.scope):
            return stated
        if stated:
            own = _not_too_many(ref for value, scope in frame.returns for ref in resolve(_uncast(value), scope))
            certain = len(own) == 1 and (_is_inner(own[0], frame) or own[0].startswith(f":{frame.qualname}@"))
            return own if certain else _not_too_many((*_returned(frame), *UNKNOWN))
    if frame.is_generator:
        return _not_too_many(
            collected(union(growing(resolve(value, scope)) for value, scope in frame.yields), GENERATOR)
        )
    return _not_too_many(_returned(frame))


def _made(frame: Frame) -> Refs:
    """The calls of which all comes that a function returns or yields, whatever it is annotated with: ``%`` stands behind what
    a ``with`` enters, ``~`` behind what is awaited."""
    given = [*frame.returns, *frame.yields]
    refs = _not_too_many(ref for value, scope in given for ref in resolve(_uncast(value), scope))
    return refs if all(ref.rstrip("%~").endswith("()") for ref in refs) else ()


def _uncast(value: ast.expr) -> ast.expr:
    """What ``cast(...)`` gives."""
    match value:
        case ast.Call(func=ast.Name(id="cast") | ast.Attribute(attr="cast"), args=[_, given]):
            return given
        case _:
            return value


def _is_inner(ref: str, frame: Frame) -> bool:
    """Whether a ref means a function that another one defines, and nothing that this gives."""
    prefix = f":{frame.qualname}.<locals>."
    return ref.startswith(prefix) and ref.removeprefix(prefix).isidentifier()


def _returned(frame: Frame) -> Iterable[str]:
    for value, scope in frame.returns:
        if isinstance(value, ast.Name) and _is_own_object(frame, value.id):
            yield f":{frame.qualname}@{value.id}"  # of whatever class that is
        else:
            yield from (ref for ref in growing(resolve(value, scope)) if ref != NONE)


def _is_own_object(frame: Frame, name: str) -> bool:
    """Whether a name stands for the object that a method was called of."""
    return frame.owner_class != "" and name == frame.scope.first_parameter and len(frame.scope.names[name]) == 1


def _not_too_many(refs: Iterable[str]) -> Refs:
    """Refs without repetition; of too many none is told apart, and the thing is unknown: leaving some out would be a lie."""
    found = tuple(dict.fromkeys(refs))
    return found if len(found) <= (MOST_NAMED if are_named(found) else MOST_REFS) else UNKNOWN


def _asks_or_makes(targets: Refs, node: ast.Call) -> bool:
    """Whether a call asks for a name that is worked out, which may run anything, or makes a class, which others may see."""
    asks = "builtins.hasattr" in targets and not all(isinstance(given, ast.Constant) for given in node.args[1:])
    return asks or ("builtins.type" in targets and len(node.args) > 1)


def _call_fact(
    walker: Walker,
    frame: Frame,
    temporary: bool,
    node: ast.Call,
    scope: Scope,
    context: Context,
    use: str,
    tight: bool,
) -> Call | None:
    """The facts of a call; None for one that runs nothing anybody could care about.

    ``temporary``: the file imports `tempfile`.
    """
    source = walker.source
    targets = resolve(node.func, scope)
    if (
        _is_plain(targets[0])
        and all(map(_is_plain, targets))
        and not any(item.arg in ("key", "file") for item in node.keywords)
        and not _asks_or_makes(targets, node)
    ):
        return None
    span, column, end_column = source.extent(node)
    receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
    last = targets[0].rpartition(".")[2]
    return Call(
        span,
        source.span(node.func),
        node.lineno,
        column,
        node.end_lineno or node.lineno,
        end_column,
        targets,
        _naming(node, scope, targets[0]) if targets[0] in NAMING else _arguments(node, scope, last in FILE_CALLS),
        use=use,
        barrier=context.barrier,
        tight=tight,
        tries=context.tries,
        held=held(context, scope),
        loop=context.loop,
        in_handler=context.in_handler,
        receiver=_receiver(receiver, last),
        own_paths=own_paths(node, scope) if temporary else (),
        alone=context.statement is node,
        taken=taken(walker, frame, node, scope, context),
        kept=kept(walker, frame, node, scope),
        lazy=lazy(walker, frame, node, scope, context),
    )


def _is_plain(target: str) -> bool:
    return (target in PLAIN and target not in TOLD) or target.startswith("builtins.str!.")


def _receiver(node: ast.expr | None, last: str) -> str:
    """The name before the dot; of a path that a file is opened by, the text."""
    match node:
        case None:
            return ""
        case ast.Name(id=name):
            return name
        case ast.Call(func=ast.Name(id="Path") | ast.Attribute(attr="Path"), args=[ast.Constant(value=str(text))]):
            return repr(posixpath.normpath(text))
        case _:
            return ast.unparse(node) if last in FILE_CALLS else ""


def _arguments(node: ast.Call, scope: Scope, spelled: bool) -> tuple[Argument, ...]:
    found = [_argument(argument, "", scope) for argument in node.args]
    if spelled and node.args:
        path = _spelled(node.args[0], scope)
        if isinstance(path, (ast.BinOp, ast.JoinedStr, ast.Call)):
            found[0] = replace(found[0], name=ast.unparse(path))
    if node.args and isinstance(node.args[0], ast.JoinedStr) and last_name(node.func) in PATCHERS:
        found[0] = replace(found[0], literal=text_shape(node.args[0]))
    if node.keywords:
        found += [_argument(keyword.value, keyword.arg or "**", scope) for keyword in node.keywords]
    return tuple(found)


def _spelled(node: ast.expr, scope: Scope) -> ast.expr | str:
    """The expression of a path; of a local variable that stands for one alone, that."""
    if isinstance(node, ast.Name):
        home = scope.find(node.id)
        match home.names[node.id] if home is not None and home is scope.function else ():
            case [Bound(value=value, steps="")]:
                return value
            case _:
                pass
    return node


def _naming(node: ast.Call, scope: Scope, target: str) -> tuple[Argument, ...]:
    """The arguments of a call that is told a name, or a text to write: of one that is put together the literal parts are
    kept, and what a constant holds that names a database."""
    found = _arguments(node, scope, False)
    if target == CONNECT:
        return tuple(replace(item, literal=_constant(item.name, scope)) if item.name else item for item in found)
    return tuple(
        (
            argument
            if isinstance(value, ast.Constant)
            else replace(argument, ref=argument.ref or "?", literal=text_shape(value))
        )
        for argument, value in zip(found, (*node.args, *(item.value for item in node.keywords)), strict=True)
    )


def _constant(name: str, scope: Scope) -> str:
    """The text that a name stands for all the time, '' if it may be any."""
    home = scope.find(name)
    match home.names[name] if home is not None else ():
        case [Bound(value=ast.Constant(value=str() as text), steps="")]:
            return text
        case _:
            return ""


def _argument(node: ast.expr, keyword: str, scope: Scope) -> Argument:
    if isinstance(node, ast.Name):
        refs = lookup(scope, node.id)
        return Argument(keyword, _one(refs), "", node.id, _several(refs))
    if isinstance(node, ast.Constant):
        text = node.value if isinstance(node.value, str) else repr(node.value)
        return Argument(keyword, "", text if text.isascii() else text.encode("utf-8", "backslashreplace").decode())
    if isinstance(node, (ast.Attribute, ast.Call, ast.Lambda, ast.Subscript)):
        refs = resolve(node, scope)
        return Argument(keyword, _one(refs), "", "", _several(refs))
    if isinstance(node, ast.Starred):
        return Argument("*", resolve(node.value, scope)[0])
    if isinstance(node, ast.BinOp) and "*" not in (shape := text_shape(node)):
        return Argument(keyword, "", shape)
    return Argument(keyword, LITERALS.get(type(node), ""), "", "", growing(resolve(node, scope)))


def _several(refs: Refs) -> Refs:
    return refs if len(refs) > 1 else ()


def _one(refs: Refs) -> str:
    """The only ref; of several things that others may reach none stands for all."""
    return refs[0] if len(refs) == 1 or all(ref.startswith("builtins.") for ref in refs) else "?"


def _accesses(source: Source, frame: Frame, loose: Loose, untold: set[str]) -> Iterable[Access]:
    for node, kind, scope, context in frame.accesses:
        if isinstance(node, ast.Name):
            refs = scope.touched.get((node.id, kind))  # most are local names, seen before, that nobody else can reach
            if refs is None:
                refs = _name_refs(node, kind, scope)
        else:
            refs = _part_refs(node, scope)
        for ref in refs if kind == "read" else map(bare, refs):
            if ref[:1] == "?":
                _note_loose(ref, kind, node, loose)
                if kind in ("read", ASKED):
                    untold.add(ref.rpartition(".")[2])
                elif kind == "write" and isinstance(node, ast.Attribute):
                    yield _access(source, ref, node, kind, context)  # anybody may have what it is
            elif kind in ("write", "change") or not _is_standard(ref) or ref in (STOP, *OF_THE_PROCESS):
                found = _access(source, ref, node, "read" if kind in ("base", "item", ASKED) else kind, context)
                yield replace(found, asked=True) if kind == ASKED else found
            elif isinstance(node, ast.Attribute) and gives_back(ref):
                untold.add(node.attr)


def _operations(walker: Walker, frame: Frame, untold: set[str]) -> Iterable[Access]:
    for node, method, scope, context in frame.operations:
        asked = method in (ENTER, ITER)  # of what is not known, too
        for ref in resolve(node, scope):
            if asked or (ref[:1] != "?" and (not ref.startswith("builtins.") or ref in ENDING)):
                by, within = taken(walker, frame, node, scope, context), lazy(walker, frame, node, scope, context)
                yield _access(walker.source, ref, node, method, context, by, within)
            if ref[:1] == "?" or gives_back(ref) or (method in BY_COLLECTIONS and ref.startswith(CONTAINERS)):
                untold.add(method)


def _withs(source: Source, frame: Frame) -> Iterable[With]:
    for node, scope, context in frame.withs:
        items = tuple(source.span(item.context_expr) for item in node.items)
        yield With(source.span(node), items, held(context, scope), context.loop)


def _access(
    source: Source,
    ref: str,
    node: ast.expr,
    kind: str,
    context: Context,
    by: Taken | None = None,
    within: Lazy | None = None,
) -> Access:
    span, column, end_column = source.extent(node)
    late = context.late  # a target, and all in it, is worked out when the value on its right is there
    at = span.start if late is None else source.span(late).end
    return Access(ref, kind, span, at, node.lineno, column, end_column, context.barrier, context.loop, by, within)


def _is_standard(ref: str) -> bool:
    """Whether something belongs to the standard library, whose objects keep nothing of the project."""
    return ref.partition(".")[0] in STANDARD and not ref.startswith(ANYTHING)


def _note_loose(ref: str, kind: str, node: ast.expr, loose: Loose) -> None:
    name = ref[2:]
    if name and kind == "read":
        loose.reads.setdefault(name, node.lineno)
    elif name and kind == "write":
        loose.writes.add(name)


def _part_refs(node: ast.expr, scope: Scope) -> Refs:
    """The refs of an attribute, or of the container whose element is touched."""
    if isinstance(node, ast.Attribute):
        return steps(resolve(node.value, scope), "." + node.attr)
    held = node.value if isinstance(node, ast.Subscript) else node
    if isinstance(held, ast.Name):
        refs = _name_refs(held, "item", scope)
        inner = isinstance(node, ast.Subscript) and any(ref.endswith(";") for ref in refs)
        return steps(refs, "[:]") if inner else refs  # a part of a collection that is nobody else's may be
    found = resolve(held, scope)
    return tuple(ref for ref in found if not ref.startswith(("?", "builtins.")) or ref in NAMESPACES)


def _name_refs(node: ast.Name, kind: str, scope: Scope) -> Refs:
    """The refs of a name that others can reach, or that stands for a function; none for what only this function sees."""
    key = (node.id, kind)
    found = scope.touched.get(key)
    if found is None:
        found = scope.touched[key] = tuple(map(bare, _touched(node.id, kind, scope)))
    return found


def _touched(name: str, kind: str, scope: Scope) -> Refs:
    home = scope.find(name)
    if home is None and "builtins." + name == STOP:
        return (STOP,)
    if home is None:
        return (":" + name,) if scope.module.stars else ()
    local = home.kind != "module" and home.function is scope.function
    if kind in ("change", "iterate", "view", "item") and home.kind == "function" and (not local or name in home.kept):
        return (home.prefix + name,)  # a container of the function round this one, or one that others have, too
    if kind in ("change", "iterate", "view", "item"):
        return tuple(ref for ref in lookup(scope, name) if not ref.startswith(("builtins.", "?")))
    if local:
        return tuple(ref for ref in lookup(scope, name) if _is_own_function(ref)) if kind == "read" else ()
    if not all(map(is_definition, home.names[name])) or kind == "write":
        return (home.prefix + name,)
    return lookup(scope, name) if kind == "read" else ()


def _is_own_function(ref: str) -> bool:
    """A local name that stands for a function of the file: reading it passes the function on."""
    return (
        not ref.startswith(("?", "builtins.")) and not ref.endswith(("!", "()", "]", "%", "~", ";")) and "@" not in ref
    )


def _try_fact(span: Span, handlers: list[ast.ExceptHandler], scope: Scope) -> Try:
    return Try(
        span,
        tuple(
            Handler(_handler_types(item.type, scope), item.lineno, reads_error(item), raises_again(item))
            for item in handlers
        ),
    )


def _handler_types(node: ast.expr | None, scope: Scope) -> Refs:
    if node is None:
        return ()
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(ref for item in nodes for ref in resolve(item, scope))
