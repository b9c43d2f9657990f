"""No module of the package reaches itself through its imports, late and type-only ones counted."""

from __future__ import annotations

from tests.contracts.package import circles, imported, modules

KNOWN = frozenset(
    {
        "cli",
        "cli._choosing",
        "cli._running",
        "cli.root",
    }
)
"""Modules that are in a circle today. The list only shrinks: strike out what is free, add nothing."""


def test_a_circle_is_found() -> None:
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "e"}, "e": set[str]()}
    assert circles(edges) == [{"a", "b", "c"}]


def test_there_are_no_circles_but_the_known_ones() -> None:
    found = circles({module: (imported(module) & modules().keys()) - {module} for module in modules()})
    new = [sorted(group) for group in found if group - KNOWN]
    assert not new, "a new circle: import from a module that both can see instead"
    free = KNOWN - set().union(*found)
    assert not free, "no longer in a circle: strike them out of KNOWN"
