"""What Python runs where functions and classes are defined: decorators, the bodies of classes, metaclasses."""

from __future__ import annotations

from asyncfix.link import calling
from asyncfix.link.entities import FunctionInfo
from asyncfix.link.index import CONSTRUCTORS, Edge, Loose, ProjectIndex
from asyncfix.model import Call, Function


def defined(index: ProjectIndex, name: str, info: FunctionInfo) -> None:
    """What is run where a class is defined: its body in a function, and what makes it."""
    body = _body(info.fact)
    for owner in index.evaluator.function_ids(info.path, info.fact.outer) if info.fact.outer else ():
        index.add(Edge(owner, name, "class", body))
    class_id = index.evaluator.class_id(info.path, info.fact.qualname)
    outside = info.fact.qualname.rpartition(".")[0]
    inside = index.evaluator.class_id(info.path, outside) if outside else None
    owner = _definer(index, info, inside)
    for method in dict.fromkeys(index.making.defining(class_id)) if class_id and owner in index.functions else ():
        index.add(Edge(owner, method, "constructor", body))


def _definer(index: ProjectIndex, info: FunctionInfo, inside: str | None) -> str:
    """What runs the definition of a function or a class that stands in that class: a module, a class, another function."""
    outer = index.evaluator.function_ids(info.path, info.fact.outer)[:1] if info.fact.outer and inside is None else ()
    return inside or (outer[0] if outer else index.evaluator.module_id(info.path))


def decorated(index: ProjectIndex, info: FunctionInfo) -> None:
    """What decorates a function is called where that is defined: by a module, a class, or another function."""
    fact = info.fact
    inside = index.evaluator.owner(info)
    owner = _definer(index, info, inside)
    outer = not inside and fact.outer
    for decorator in fact.decorators if owner in index.functions else ():
        if (owner, decorator) in index.decorating or (outer and not decorator.endswith("()")):
            continue  # known already, or a call like another
        index.decorating.add((owner, decorator))
        for entity in index.evaluator.evaluate(info.path, decorator):
            if entity.kind in ("function", "method"):
                index.add(Edge(owner, entity.name, "decorator", decoration(fact)))
            elif entity.kind == "class":
                calling.protocol(index, owner, decoration(fact), entity.name, CONSTRUCTORS, "constructor")


def decoration(fact: Function) -> Call:
    """The call of a decorator, where the function stands."""
    return Call(
        fact.keyword,
        fact.keyword,
        fact.line,
        fact.column,
        fact.line,
        fact.column,
        (f":{fact.qualname}",),
        use="decorator",
    )


def _body(fact: Function) -> Call:
    """The body of a class as a call where the class stands."""
    place = (fact.line, fact.column, fact.end_line, fact.end_column)
    return Call(fact.span, fact.span, *place, (), use="class", barrier="class-body")


def decorating(index: ProjectIndex) -> None:
    """Objects that decorate something: they are called where that is defined."""
    functions = ((info.path, info.fact.line, info.fact.decorators) for info in index.functions.values())
    classes = ((info.path, info.fact.line, info.fact.decorators) for info in index.classes.values())
    for path, line, decorators in (*functions, *classes):
        for entity in index.evaluator.all(path, decorators):
            for method in index.evaluator.named_methods(entity, ("__call__",)) if entity.kind == "instance" else ():
                index.passed.setdefault(method, []).append(Loose("passed-as-value", path, line))
