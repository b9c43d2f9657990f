"""One name has one meaning, and a module that is long says why."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.contracts.package import ROOT, modules

LONGEST = 450
"""Lines of a module; a longer one gives its reason in its docstring, in a sentence with "long because"."""
LONG: frozenset[str] = frozenset()
"""Modules that are too long without a reason today. The list only shrinks."""
SHARED = frozenset(
    {
        "Named",
        "Place",
        "Role",
        "Seen",
    }
)
"""Names that more than one public class has today. The list only shrinks."""


def test_no_two_public_classes_have_one_name() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for module, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(module)
    shared = {name: where for name, where in homes.items() if len(where) > 1}
    new = {name: where for name, where in shared.items() if name not in SHARED}
    assert not new, "one name, two classes: give one of them a name of its own"
    assert not SHARED - set(shared), "these names are unique by now: strike them out of SHARED"


def test_a_long_module_says_why() -> None:
    without_reason = set()
    for module, tree in modules().items():
        path = ROOT.joinpath(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > LONGEST and "long because" not in " ".join(
            (ast.get_docstring(tree) or "").lower().split()
        ):
            without_reason.add(module)
    assert not without_reason - LONG, f"over {LONGEST} lines: shorten it, or say why in its docstring"
    assert not LONG - without_reason, "these are short enough by now: strike them out of LONG"
