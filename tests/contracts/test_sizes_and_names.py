"""One name has one meaning, and a module that is long says why."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.contracts.package import ROOT, modules

LONGEST = 450
"""Lines of a module; a longer one gives its reason in its docstring, in a sentence with "long because"."""


ONE_INTERFACE = {"command", "answer", "handle", "parse"}
"""Functions that several modules have for one kind of caller: commands, requests to the demo, filters."""
ON_EITHER_SIDE = {"full_id", "utc_now"}
"""The same, once for the demo, which shares nothing with the rooms that are tested on it."""


def shared_names(*kinds: type[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]) -> set[str]:
    homes: dict[str, list[str]] = defaultdict(list)
    for module, tree in modules().items():
        for node in tree.body:
            if isinstance(node, kinds) and not node.name.startswith("_"):
                homes[node.name].append(module)
    return {name for name, where in homes.items() if len(where) > 1}


def test_no_two_public_classes_have_one_name() -> None:
    assert not shared_names(ast.ClassDef), "one name, two classes: give one of them a name of its own"


def test_public_functions_of_one_name_are_one_interface() -> None:
    assert shared_names(ast.FunctionDef, ast.AsyncFunctionDef) == ONE_INTERFACE | ON_EITHER_SIDE


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
