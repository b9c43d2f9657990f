"""The rooms of the house keep their doors: who may import whom, and what is imported late."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import syncerr_tui

PACKAGE = Path(syncerr_tui.__file__).parent
GROUND = {"model", "errors", "text"}
RULES = {
    "diagnosis": GROUND,
    "triage": GROUND | {"diagnosis"},
    "resync": GROUND | {"triage", "diagnosis"},
    "salesforce": GROUND | {"triage", "diagnosis", "resync"},
    "host": GROUND | {"triage", "diagnosis"},
    "demo": GROUND,
    "ui": GROUND | {"triage", "diagnosis", "resync", "salesforce", "host", "demo"},
    "cli": GROUND | {"triage", "diagnosis", "resync", "salesforce", "host", "demo", "ui"},
}
"""Room -> rooms it may import. `salesforce` sees of `resync` only the shape of an org that it has to fill."""
HEAVY = {"textual": {"ui"}, "rich": {"ui"}, "simple_salesforce": {"salesforce"}, "requests": {"salesforce"}}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        yield relative.parts[0].removesuffix(".py"), path


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, late imports included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", sorted(RULES))
def test_imports_run_one_way(room: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for home, path in modules()
        if home == room
        for name in imported(path)
        if name.startswith("syncerr_tui.")
        and (target := name.split(".")[1]) != room
        and target in {*RULES, *GROUND}
        and target not in RULES[room]
    ]
    assert wrong == []


def test_what_is_heavy_has_one_room() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for home, path in modules()
        for name in imported(path)
        if (root := name.split(".")[0]) in HEAVY and home not in HEAVY[root]
    ]
    assert wrong == []


def test_salesforce_sees_of_resync_only_the_shape_of_an_org() -> None:
    seen = {
        name
        for home, path in modules()
        if home == "salesforce"
        for name in imported(path)
        if name.startswith("syncerr_tui.resync.")
    }
    assert {".".join(name.split(".")[:3]) for name in seen} <= {"syncerr_tui.resync.org"}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        (
            "from syncerr_tui.cli import run; run(['--help'])",
            {"textual", "rich", "simple_salesforce", "requests"},
        ),
        ("from syncerr_tui.cli import run; run(['list', '--help'])", {"textual", "simple_salesforce"}),
        (
            "from syncerr_tui.cli import run; run(['explain', 'INVALID_FIELD'])",
            {"textual", "simple_salesforce"},
        ),
        ("import syncerr_tui.resync.runner", {"textual", "simple_salesforce"}),
        ("import syncerr_tui.ui.app", {"simple_salesforce", "requests"}),
        ("import syncerr_tui.demo.server", {"simple_salesforce", "requests", "textual"}),
    ],
)
def test_what_is_heavy_is_imported_late(statement: str, absent: set[str]) -> None:
    # A static look cannot see what a chain of imports pulls in; a fresh interpreter can.
    program = (
        f"import sys, io\nsys.stdout = io.StringIO()\n{statement}\nsys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stderr.split()) & absent == set()
