"""No module of the package reaches itself through its imports, late and type-only ones counted."""

from __future__ import annotations

from tests.contracts.package import circles, imported, modules


def test_a_circle_is_found() -> None:
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "e"}, "e": set[str]()}
    assert circles(edges) == [{"a", "b", "c"}]


def test_no_module_reaches_itself() -> None:
    found = circles({module: (imported(module) & modules().keys()) - {module} for module in modules()})
    assert found == [], "import from a module that both can see instead"
