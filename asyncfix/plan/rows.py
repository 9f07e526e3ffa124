"""Where the project uses what the user's own rows speak of: calls to await, blocks to enter, loops, names to change.

A row speaks of something of a library, or of the project itself: then the function stays beside its twin, or turns into
it (``async = "same"``), and what overrides a function with a twin becomes that twin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from asyncfix.catalog import PARTLY, PLAIN, THREAD, WILDCARD
from asyncfix.facts.scopes import bare
from asyncfix.link.index import CONSTRUCTORS, ProjectIndex
from asyncfix.model import Access, Api, Call

SAME = "same"
RUN_APART = "run_apart"  # the helper in generated code
PARAMETER = re.compile(r"(.+)\((\w+)\)")
# What becomes of a place that a row speaks of, by the kind of the row.
HOW = {"await": "call", "with": "entered", "for": "iterated", PLAIN: PLAIN}
OPERATIONS = {"entered": "__enter__", "iterated": "__iter__"}


@dataclass(frozen=True, slots=True)
class RowUse:
    """One place: ``how`` is ``call`` (to be awaited), ``entered``, ``iterated`` or ``plain`` (only its name changes)."""

    function: str
    site: Call | Access
    row: Api
    how: str

    @property
    def last(self) -> str:
        """The last name of what is used."""
        return self.row.call.rpartition(".")[2]

    @property
    def new(self) -> str:
        """The last name of its twin."""
        return self.last if self.row.twin == SAME else self.row.twin.rpartition(".")[2]


@dataclass(slots=True)
class Rows:
    """What the rows come to.

    uses      the places, by function
    turning   functions of the project that become what a row says: those with ``same``, and overrides of one with a twin
    named     new names of such overrides
    replaced  functions and classes of the project that have a twin of another name beside them
    stays     those, and the classes that only they make objects of; staying: their functions, in which nothing changes
    renames   dotted names of functions and classes, with those of their twins
    """

    uses: dict[str, list[RowUse]] = field(default_factory=lambda: dict[str, list[RowUse]]())
    turning: dict[str, Api] = field(default_factory=lambda: dict[str, Api]())
    named: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    replaced: set[str] = field(default_factory=lambda: set[str]())
    stays: set[str] = field(default_factory=lambda: set[str]())
    staying: frozenset[str] = frozenset()
    renames: dict[str, str] = field(default_factory=lambda: dict[str, str]())

    def add(self, use: RowUse) -> None:
        """Take a place in, once."""
        known = self.uses.setdefault(use.function, [])
        if not any(item.site.span == use.site.span and item.how == use.how for item in known):
            known.append(use)


def is_class(dotted: str) -> bool:
    """Whether a dotted name is by its look that of a class."""
    return dotted.rpartition(".")[2].lstrip("_")[:1].isupper()


def find(index: ProjectIndex, apis: Iterable[Api]) -> Rows:
    """All that the rows with an async twin speak of."""
    rows = Rows()
    own: list[tuple[str, Api]] = []
    given = [api for api in apis if api.twin != THREAD]
    for row in (each for api in (*given, *_implied(given)) for each in _each(index, api)):
        for entity in index.evaluator.evaluate("", row.call):
            match entity.kind:
                case "function" | "method":
                    own.append((entity.name, row))
                case "class":
                    _class(index, rows, entity.name, row)
                case _:
                    pass
        if PARAMETER.fullmatch(row.call) or _is_attribute(index, row.call):
            _held(index, rows, row)
        _renamed(index, rows, row)
        _overriding(index, rows, row)
    for name, row in own:
        if row.twin == SAME and row.kind == "await":
            rows.turning[name] = row
        elif row.twin != SAME:
            rows.replaced.add(name)
    rows.stays = _staying(index, rows)
    rows.staying = frozenset(name for name in index.functions if any(_within(name, owner) for owner in rows.stays))
    for name, row in own:
        _function(index, rows, name, row, rows.staying)
    _external(index, rows)
    for name in rows.staying:
        rows.uses.pop(name, None)
    rows.uses = {
        name: left for name, uses in rows.uses.items() if (left := [use for use in uses if not _is_run(index, use)])
    }
    return rows


def _implied(apis: Sequence[Api]) -> Iterator[Api]:
    """Rows for the classes of which methods are said to have a twin in another class, and nothing else is."""
    known = {api.call for api in apis}
    for api in apis:
        owner, twin = api.call.rpartition(".")[0], api.twin.rpartition(".")[0]
        if is_class(owner) and api.twin != SAME and twin != owner and owner not in known:
            known.add(owner)
            yield Api(owner, twin, PLAIN)


def _each(index: ProjectIndex, row: Api) -> Iterator[Api]:
    """The row; of one for all methods of a class of the project one for each, made out to it."""
    if not row.call.endswith(WILDCARD):
        yield row
        return
    owner = row.call.removesuffix(WILDCARD)
    for entity in index.evaluator.evaluate("", owner):
        for name in index.evaluator.methods.get(entity.name, {}) if entity.kind == "class" else ():
            if name not in CONSTRUCTORS:
                twin = row.twin if row.twin == SAME else f"{row.twin.removesuffix(WILDCARD)}.{name}"
                yield msgspec.structs.replace(row, call=f"{owner}.{name}", twin=twin)


# ------------------------------------------------------------------------------------------------ things of the project


def _function(index: ProjectIndex, rows: Rows, name: str, row: Api, stays: frozenset[str]) -> None:
    """The calls of a function of the project that has a twin, and of what overrides it; one that turns is followed up
    from there."""
    awaited = row.kind == "await"
    if awaited and row.twin == SAME:
        return
    _called(index, rows, name, row)
    for other in _overrides(index, name) if awaited else ():
        if other not in stays:
            _becomes(index, rows, other, row)
        _called(index, rows, other, row)


def _overrides(index: ProjectIndex, name: str) -> Iterator[str]:
    info = index.functions[name]
    owner = index.evaluator.owner(info)
    if owner is not None:
        yield from index.methods_below(owner, info.fact.name)


def _overriding(index: ProjectIndex, rows: Rows, row: Api) -> None:
    """What overrides a method of a class of a library."""
    owner, _, last = row.call.rpartition(".")
    if row.kind == "await" and owner not in index.classes:
        for name in index.methods_below(owner, last):
            _becomes(index, rows, name, row)
            _called(index, rows, name, row)


def _becomes(index: ProjectIndex, rows: Rows, name: str, row: Api) -> None:
    """A function turns into what a row says."""
    if not index.fact(name).is_async:
        rows.turning[name] = row
        last = row.twin.rpartition(".")[2]
        if row.twin != SAME and last != row.call.rpartition(".")[2]:
            rows.named[name] = last


def _called(index: ProjectIndex, rows: Rows, name: str, row: Api) -> None:
    for edge in index.callers.get(name, ()):
        if isinstance(edge.site, Call) and edge.kind == "call":
            rows.add(RowUse(edge.caller, edge.site, row, _how(HOW[row.kind], edge.site)))


def _class(index: ProjectIndex, rows: Rows, class_id: str, row: Api) -> None:
    """The places where objects of a class of the project are entered."""
    if row.twin != SAME:
        rows.replaced.add(class_id)
    how = HOW[row.kind]
    if how not in OPERATIONS:
        return
    for function, info in index.functions.items():
        for call in info.fact.calls:
            if call.use == how and any(_is_of(index, class_id, item) for item in _made(index, info.path, call)):
                rows.add(RowUse(function, call, row, how))
        for access in info.fact.operations:
            if access.kind == OPERATIONS[how] and any(
                entity.kind == "instance" and _is_of(index, class_id, entity.name)
                for entity in index.evaluator.evaluate(info.path, access.ref)
            ):
                rows.add(RowUse(function, access, row, how))


def _made(index: ProjectIndex, path: str, call: Call) -> Iterator[str]:
    """The classes of which a call makes objects."""
    for entity in index.evaluator.all(path, call.targets):
        for given in index.evaluator.result(entity):
            if given.kind == "instance":
                yield given.name


def _is_of(index: ProjectIndex, class_id: str, name: str) -> bool:
    return class_id in index.evaluator.order(name)


def _staying(index: ProjectIndex, rows: Rows) -> set[str]:
    """What stays sync beside its twin, with the classes that nothing else makes objects of."""
    owners = set(rows.replaced)
    while True:
        inside = frozenset(name for name in index.functions if any(_within(name, owner) for owner in owners))
        more = {
            class_id
            for base in rows.replaced & index.classes.keys()
            for class_id in index.subclasses.get(base, ())
            if class_id not in owners and _is_made_by(index, class_id, inside)
        }
        if not more:
            return owners
        owners |= more


def _within(name: str, owner: str) -> bool:
    return name == owner or name.startswith(f"{owner}.")


def _is_made_by(index: ProjectIndex, class_id: str, functions: frozenset[str]) -> bool:
    """Whether objects of a class are made, and by these functions and its own alone."""
    makers = {
        edge.caller
        for name in CONSTRUCTORS
        for method in index.evaluator.methods.get(class_id, {}).get(name, ())
        for edge in index.callers.get(method, ())
        if edge.kind == "constructor"
    }
    others = {name for name in makers if not _within(name, class_id)}
    return bool(others) and others <= functions


# ---------------------------------------------------------------------------------------------------- things that hold


def _is_attribute(index: ProjectIndex, dotted: str) -> bool:
    """Whether this names data that objects of a class of the project hold."""
    owner, _, last = dotted.rpartition(".")
    for entity in index.evaluator.evaluate("", owner) if owner else ():
        methods = index.evaluator.attribute(entity, last) if entity.kind == "class" else ()
        if entity.kind == "class" and not any(item.kind in ("method", "class") for item in methods):
            return True
    return False


def _held(index: ProjectIndex, rows: Rows, row: Api) -> None:
    """The places where what a parameter or an attribute holds is called, entered or iterated."""
    how = HOW[row.kind]
    for function, info in index.functions.items():
        for call in info.fact.calls if how != PLAIN else ():
            if any(_means(index, info.path, target, row) for target in call.targets):
                rows.add(RowUse(function, call, row, _how(how, call)))
        for access in info.fact.operations if how in OPERATIONS else ():
            if access.kind == OPERATIONS[how] and _means(index, info.path, access.ref, row):
                rows.add(RowUse(function, access, row, how))


def _means(index: ProjectIndex, path: str, ref: str, row: Api) -> bool:
    parameter = PARAMETER.fullmatch(row.call)
    if parameter is not None:
        owner, at, name = bare(ref).rpartition("@")
        called = {entity.name for entity in index.evaluator.evaluate("", parameter.group(1))}
        own = set(index.evaluator.function_ids(path, owner.lstrip(":"))) if at else set[str]()
        return name == parameter.group(2) and not called.isdisjoint(own)
    owner, _, last = row.call.rpartition(".")
    receiver, _, attribute = ref.rpartition(".")
    if attribute != last or not receiver:
        return False
    classes = {entity.name for entity in index.evaluator.evaluate("", owner)}
    return any(
        entity.kind == "instance" and not classes.isdisjoint(index.evaluator.order(entity.name))
        for entity in index.evaluator.evaluate(path, receiver)
    )


# --------------------------------------------------------------------------------------------------- things of libraries


def _external(index: ProjectIndex, rows: Rows) -> None:
    for function, externals in index.externals.items():
        for external in externals:
            row = index.catalog.declared(external.name.removesuffix(PARTLY))
            if row is not None and not external.name.endswith(PARTLY):
                rows.add(RowUse(function, external.call, row, _how(HOW[row.kind], external.call)))
    for function, info in index.functions.items():
        for access in info.fact.operations:
            if access.kind == OPERATIONS["entered"]:
                _entered(index, rows, function, info.path, access)


def _entered(index: ProjectIndex, rows: Rows, function: str, path: str, access: Access) -> None:
    for entity in index.evaluator.evaluate(path, access.ref):
        row = index.catalog.declared(entity.name) if entity.kind == "value" else None
        if row is not None and HOW[row.kind] == "entered":
            rows.add(RowUse(function, access, row, "entered"))


def _how(how: str, call: Call) -> str:
    """What becomes of a call: one that is to be entered or iterated may be made for something else."""
    if how in OPERATIONS:
        return how if call.use == how else PLAIN
    return PLAIN if call.use == "awaited" else how


def _is_run(index: ProjectIndex, use: RowUse) -> bool:
    """Whether a call is handed to what runs or awaits it: to asyncio, or to what an earlier migration wrote there."""
    return use.how == "call" and any(
        call.span != use.site.span
        and call.span.contains(use.site.span)
        and not call.function.contains(use.site.span)
        and (call.targets[0].startswith("asyncio.") or call.targets[0].endswith(f".{RUN_APART}"))
        for call in index.fact(use.function).calls
    )


def _renamed(index: ProjectIndex, rows: Rows, row: Api) -> None:
    """Note the names, under all paths by which they are imported, of a function or class whose twin is called otherwise."""
    if row.twin == SAME or PARAMETER.fullmatch(row.call):
        return
    meant = index.evaluator.evaluate("", row.call)
    if any(entity.kind == "class" or (entity.kind == "function") for entity in meant):
        for path, name in _bindings(index, {entity.name for entity in meant}):
            rows.renames[f"{index.evaluator.modules.names[path]}.{name}"] = _beside(index, path, row)
        rows.renames[row.call] = row.twin
    elif any(entity.kind == "external" for entity in meant) and not _is_method(index, row.call):
        rows.renames[row.call] = row.twin


def _is_method(index: ProjectIndex, dotted: str) -> bool:
    return index.catalog.is_class(dotted.rpartition(".")[0])


def _bindings(index: ProjectIndex, ids: set[str]) -> Iterator[tuple[str, str]]:
    """The names of modules that mean one of these."""
    lasts = {item.rpartition(".")[2] for item in ids}
    for path, summary in index.summaries.items():
        for name, refs in summary.bindings.items():
            perhaps = any(ref.rpartition(".")[2].lstrip(":") in lasts for ref in refs)
            if perhaps and any(entity.name in ids for entity in index.evaluator.evaluate(path, f":{name}")):
                yield path, name


def _beside(index: ProjectIndex, path: str, row: Api) -> str:
    """The twin as it is imported from the same module, if it can be; else by its full name."""
    last = row.twin.rpartition(".")[2]
    twins = {entity.name for entity in index.evaluator.evaluate("", row.twin)}
    here = {entity.name for entity in index.evaluator.evaluate(path, f":{last}")}
    return f"{index.evaluator.modules.names[path]}.{last}" if here & twins else row.twin


def missing(index: ProjectIndex, apis: Sequence[Api]) -> Iterator[str]:
    """The names of rows that lie in a package of the project and mean nothing there."""
    tops = {name.partition(".")[0] for name in index.evaluator.modules.names.values()}
    for row in apis:
        parameter = PARAMETER.fullmatch(row.call)
        dotted = (parameter.group(1) if parameter else row.call).removesuffix(WILDCARD)
        known = index.evaluator.evaluate("", dotted) or _is_attribute(index, dotted)
        held = parameter is None or _has_parameter(index, parameter.group(1), parameter.group(2))
        if dotted.partition(".")[0] in tops and not (known and held):
            yield row.call


def _has_parameter(index: ProjectIndex, dotted: str, name: str) -> bool:
    meant = [item.name for item in index.evaluator.evaluate("", dotted) if item.name in index.functions]
    return not meant or any(item.name == name for each in meant for item in index.fact(each).parameters)
