"""One name has one meaning, and a module that is long says why."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.contracts.package import ROOT, modules

LONGEST = 450
"""Lines of a module; a longer one gives its reason in its docstring, in a sentence with "long because"."""


def test_no_two_public_classes_have_one_name() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for module, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(module)
    shared = {name: where for name, where in homes.items() if len(where) > 1}
    assert not shared, "one name, two classes: give one of them a name of its own"


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
    assert not without_reason, f"over {LONGEST} lines: shorten it, or say why in its docstring"
