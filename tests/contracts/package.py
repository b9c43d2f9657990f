"""The package as its text shows it: every module, and every import in it, late and type-only ones counted."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Set as AbstractSet
from functools import cache
from pathlib import Path

import syncerr_tui

ROOT = Path(syncerr_tui.__file__).parent


@cache
def sources() -> dict[str, str]:
    """The text of each file of the package, by its path inside it."""
    paths = sorted(ROOT.rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax tree of each file, for tests while they run: no worker parses all to find its tests."""
    return {path: ast.parse(source) for path, source in sources().items()}


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax tree of each module, by its name without `syncerr_tui.`; the package is `__init__`."""
    dotted = ((path.removesuffix(".py").replace("/", "."), tree) for path, tree in trees().items())
    return {name.removesuffix(".__init__"): tree for name, tree in dotted}


def room(module: str) -> str:
    """Where a module lives: its folder, or for a module at the top its own name."""
    return module.split(".", maxsplit=1)[0]


@cache
def imported(module: str) -> frozenset[str]:
    """Every module that a module imports, anywhere in its text; our own without `syncerr_tui.`."""
    names = set()
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            base = node.module or ""
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                names.add(inner if inner.removeprefix("syncerr_tui.") in modules() else base)
    return frozenset(name.removeprefix("syncerr_tui.") for name in names)


def circles(edges: Mapping[str, AbstractSet[str]]) -> list[set[str]]:
    """The groups of two and more modules that reach each other, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    rings: list[set[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for other in edges[module]:
            if other not in order:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], order[other])
        if lowest[module] == order[module]:
            group = set(stack[stack.index(module) :])
            del stack[stack.index(module) :]
            if len(group) > 1:
                rings.append(group)

    for module in edges:
        if module not in order:
            visit(module)
    return rings
