"""Who may import whom, and what is imported late."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.contracts.package import imported, modules, room

GROUND = {"model", "errors", "text", "words", "stopwatch", "files"}
RULES = {
    **dict.fromkeys(GROUND, GROUND),
    "diagnosis": GROUND,
    "triage": GROUND | {"diagnosis"},
    "host": GROUND | {"triage", "diagnosis"},
    "journal": GROUND | {"triage", "diagnosis"},
    "resync": GROUND | {"triage", "diagnosis", "journal"},
    "fixes": GROUND | {"triage", "diagnosis", "journal"},
    "report": GROUND | {"triage", "diagnosis", "journal", "fixes"},
    "watch": GROUND | {"triage", "diagnosis"},
    "salesforce": GROUND | {"triage", "diagnosis", "resync", "fixes"},
    "demo": GROUND,
    "ui": GROUND
    | {"triage", "diagnosis", "journal", "resync", "fixes", "salesforce", "host", "demo", "report", "watch"},
    "cli": GROUND
    | {
        "triage",
        "diagnosis",
        "journal",
        "resync",
        "fixes",
        "salesforce",
        "host",
        "demo",
        "report",
        "watch",
        "ui",
    },
    "__init__": set(),
    "__main__": {"cli"},
}
"""Room -> rooms it may import. A module at the top of the package is a room of its own."""
SHAPES = {"resync.org", "fixes.org"}
"""All that `salesforce` sees of the rooms it serves: the shape of an org that it has to fill."""
HEAVY = {
    "textual": {"ui"},
    "rich": {"ui"},
    "simple_salesforce": {"salesforce"},
    "requests": {"salesforce"},
    "apprise": {"watch"},
}
"""Library -> rooms that may import it."""
LATE = {*HEAVY, "psycopg", "lark", "tomlkit"}
"""Libraries that cost time to import: no command loads one that it does not use."""

FIRST_FRAME = """
from syncerr_tui.cli import demo
from syncerr_tui.ui import app, context, journals, launch, terminal_driver
app.SyncErrApp(context.AppContext(None), journals.Journals(None), terminal_driver.TerminalDriver)
"""
"""What `demo` imports and makes until the title line is drawn."""
AFTER_THE_FIRST_FRAME = {f"syncerr_tui.{name}" for name in ("model", "triage", "diagnosis", "host.config")}
AFTER_THE_FIRST_FRAME |= {"tomllib", "syncerr_tui.demo"}


def test_every_room_has_its_rule() -> None:
    assert {room(module) for module in modules()} == RULES.keys(), "a new room: enter it in RULES"


@pytest.mark.parametrize("home", sorted(RULES))
def test_imports_run_one_way(home: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module in modules()
        if room(module) == home
        for name in imported(module)
        if room(name) in RULES and room(name) not in {home, "__init__", *RULES[home]}
    ]
    assert wrong == []


def test_what_is_heavy_has_one_room() -> None:
    wrong = [
        f"{module} imports {name}"
        for module in modules()
        for name in imported(module)
        if room(name) in HEAVY and room(module) not in HEAVY[room(name)]
    ]
    assert wrong == []


def test_salesforce_sees_of_the_rooms_it_serves_only_the_shape_of_an_org() -> None:
    seen = {name for module in modules() if room(module) == "salesforce" for name in imported(module)}
    assert {name for name in seen if room(name) in {"resync", "fixes"}} <= SHAPES


_IMPORT_ALL = """
import importlib, sys
forbidden, names = sys.argv[1].split(), sys.argv[2].split()
for name in names:
    importlib.import_module(name)
    if come := [library for library in forbidden if library in sys.modules]:
        sys.exit(f"importing {name} imports {' '.join(come)}")
"""


@pytest.mark.parametrize(
    ("rooms", "absent"),
    [
        ({"salesforce"}, {"textual", "rich"}),
        ({"ui"}, {"simple_salesforce", "requests"}),
        ({*RULES} - {"salesforce", "ui", "__main__"}, {*HEAVY}),
    ],
    ids=["salesforce", "ui", "the others"],
)
def test_no_module_imports_what_is_heavy_by_a_detour(rooms: set[str], absent: set[str]) -> None:
    # The text of a module does not show what a chain of imports pulls in; a fresh interpreter does. One
    # serves many modules: what is absent after all of them is absent after each.
    names = [f"syncerr_tui.{module}" for module in modules() if room(module) in rooms]
    command = [sys.executable, "-c", _IMPORT_ALL, " ".join(absent), " ".join(names)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("from syncerr_tui.cli import run; run(['--help'])", LATE),
        ("from syncerr_tui.cli import run; run(['list', '--help'])", LATE),
        ("from syncerr_tui.cli import run; run(['explain', 'INVALID_FIELD'])", LATE),
        # Textual reads its environment when it is imported, and `launch` sets that first.
        ("import syncerr_tui.cli.demo, syncerr_tui.ui.context, syncerr_tui.ui.launch", {"textual", "rich"}),
        (FIRST_FRAME, LATE - {"textual", "rich"} | AFTER_THE_FIRST_FRAME),
        ("import syncerr_tui.demo.server", LATE - {"lark"}),
    ],
)
def test_what_is_heavy_is_imported_late(statement: str, absent: set[str]) -> None:
    program = (
        f"import sys, io\nsys.stdout = io.StringIO()\n{statement}\nsys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stderr.split()) & absent == set()
