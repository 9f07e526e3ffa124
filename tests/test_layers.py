"""The order of imports: every module imports only from layers to its left, and nothing below the registry knows a rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = [
    *(
        "model",
        "outcome",
        "config",
        "catalog",
        "edits",
        "source",
        "lines",
        "statements",
        "flow",
        "facts",
        "transform",
        "boundary",
        "caching",
        "preconditions",
        "blocks",
        "nesting",
        "bridge",
    ),
    *(
        "writing",
        "looping",
        "transforms",
        "dependencies",
        "built",
        "project",
        "summarise",
        "link",
        "effects",
        "asking",
        "registering",
        "running",
        "ends",
        "colour",
        "suppress",
        "plan",
        "select",
    ),
    *(
        "registry",
        "survey",
        "imports",
        "unused",
        "uses",
        "renaming",
        "apply",
        "blacken",
        "nodes",
        "rewrite",
        "check",
    ),
    *(
        "patch",
        "workers",
        "discover",
        "vcs",
        "cache",
        "write",
        "workspace",
        "membership",
        "exposure",
        "generated",
        "placing",
        "compose",
        "analysis",
    ),
    *("rounds", "pipeline", "verify", "report", "ending", "front", "commands", "cli", "__main__"),
]


def _imports(path: Path, package: str) -> Iterator[str]:
    """Modules of ours that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            yield ".".join([*base, *([node.module] if node.module else [])])
        elif isinstance(node, ast.ImportFrom):
            yield from (
                (f"{node.module}.{alias.name}" for alias in node.names)
                if node.module == "asyncfix"
                else (node.module or "",)
            )


def _layer(module: str) -> str:
    return module.split(".")[1] if module.startswith("asyncfix.") else ""


def _files() -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / "asyncfix").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield path, ".".join(parts)
    for path in sorted((ROOT / "transforms").rglob("*.py")):
        yield path, ".".join(("asyncfix", *path.relative_to(ROOT).with_suffix("").parts))


@pytest.mark.parametrize(("path", "module"), [pytest.param(*item, id=item[1]) for item in _files()])
def test_imports_only_to_the_left(path: Path, module: str) -> None:
    """A module imports from its own layer or one further left."""
    own = _layer(module)
    if own in ("", "__init__"):
        return
    assert own in LAYERS, f"{own} has no place among the layers"
    package = module.rpartition(".")[0]
    for name in _imports(path, package):
        other = _layer(name)
        if other and other in LAYERS:
            assert LAYERS.index(other) <= LAYERS.index(own), f"{module} imports {name}"


def test_only_the_registry_knows_rules() -> None:
    """No module of the engine imports a rule statically: type checkers could not follow, and plug-ins would be second class."""
    for path, module in _files():
        if not module.startswith("asyncfix.transforms"):
            names = list(_imports(path, module.rpartition(".")[0]))
            assert not [name for name in names if name.startswith("asyncfix.transforms")], module


def test_nobody_imports_difflib() -> None:
    """Patches are built from the edits themselves."""
    for path, module in _files():
        assert "difflib" not in list(_imports(path, module.rpartition(".")[0])), module
