"""The road of a re-sync: what of ours runs from R to the verdict in the table, and in which forms a row goes.

`python -m tests.bench.road [--functions] [--beside]` opens the app on the demo org, waits until it is at
rest, presses R and enter on one error, and notes every function of the package that is called until its
verdict is shown, in all threads. What lies beside the road (`BESIDE`) is counted apart: it draws, words or
explains, or belongs to something else that the screen does meanwhile. The rest is the road: what a person
reads who wants to know how a request comes about, what it waits for, and how its outcome is proven.

A form is a dataclass of ours that was made on the road and holds that one row: its id, or another form of it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import sys
import tempfile
import threading
from collections import defaultdict
from pathlib import Path
from types import FrameType
from typing import Any

import syncerr_tui
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.model import EventSeen, SyncError
from tests.ui.test_demo_org import on_demo

_PACKAGE = f"{Path(syncerr_tui.__file__).parent}/"

BESIDE = {
    "demo/": "the org itself",
    "diagnosis/": "what the messages mean, and the causes; worked out when the list is read",
    "fixes/": "a safeguard that could be off meanwhile: offered, and never touched here",
    "salesforce/fix_": "the same, asked of the org",
    "salesforce/org_fixes": "the same",
    "salesforce/metadata_": "the same",
    "ui/fix_": "the same, on screen",
    "ui/widgets/": "drawing",
    "ui/status_lines": "drawing",
    "ui/action_screen": "which keys do what, for all actions alike",
    "ui/list_screen": "the list and its panel, for all actions alike",
    "ui/list_with_panel": "the same",
    "ui/causes_pane": "another place on screen",
    "ui/journal_pane": "another place on screen",
    "ui/guided_": "another method of re-sync, told that this is not one",
    "ui/hook_runner": "a person's own commands",
    "ui/interrupted_runs": "what earlier starts left open",
    "ui/error_": "the panel's text",
    "ui/details": "the panel's text",
    "ui/cause_": "the panel's text, and the causes",
    "ui/app": "every event of the screen",
    "ui/diffing_app": "drawing",
    "ui/stylesheet": "drawing",
    "ui/context": "values, for all",
    "ui/services": "makes the parts of the screen",
    "ui/screens/dialog": "any dialog",
    "triage/": "the list: which row, which key, which columns, what is new",
    "journal/people": "who else is on, and what people say",
    "journal/row_history": "what is remembered of rows, for the panel and the marks in the list",
    "model": "words", "text": "words", "words": "words", "errors": "words", "stopwatch": "words",
}  # fmt: skip
"""What is no part of the road, by the beginning of its path, and why."""


class Calls:
    """What runs while it is entered: functions by module, and forms of a row.

    Threads count that began later than this, so it is made before the app is.
    """

    def __init__(self) -> None:
        self.functions: defaultdict[str, set[str]] = defaultdict(set)
        self.forms: dict[str, None] = {}
        self.row = ""
        """Id of the change event; nothing is noted while it is empty."""
        sys.setprofile(self._called)
        threading.setprofile(self._called)

    def end(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _called(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if not self.row:
            return
        in_function = bool(code.co_flags & inspect.CO_OPTIMIZED)  # not the body of a class or a module
        if event == "call" and in_function and code.co_filename.startswith(_PACKAGE):
            module = code.co_filename.removeprefix(_PACKAGE).removesuffix(".py").removesuffix("/__init__")
            self.functions[module].add(code.co_qualname)
        elif event == "return" and code.co_name == "__init__" and "self" in frame.f_locals:
            made = frame.f_locals["self"]
            room = type(made).__module__.removeprefix("syncerr_tui.")
            ours = room != type(made).__module__ and not beside(room.replace(".", "/"))
            if (ours or isinstance(made, SyncError | EventSeen)) and self._holds_row(made):
                self.forms[f"{room}.{type(made).__name__}"] = None

    def _holds_row(self, made: Any) -> bool:
        if not dataclasses.is_dataclass(made):
            return False
        values = [getattr(made, field.name, None) for field in dataclasses.fields(made)]
        return self.row in [value for value in values if isinstance(value, str)] or any(
            self._holds_row(value) for value in values if dataclasses.is_dataclass(value)
        )


async def from_key_to_verdict(home: Path, calls: Calls) -> None:
    async with on_demo(home, DemoOptions(processing_delay=0.1), (80, 24)) as driven:
        error = driven.pane.listing.current
        assert error is not None
        await driven.wait_for(lambda: not driven.app.workers._workers)
        calls.row = error.id
        await driven.press("R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("1 still failing", 60)
        calls.row = ""


def beside(module: str) -> str:
    """Why a module lies beside the road; empty where it is on it."""
    return next((why for start, why in BESIDE.items() if module.startswith(start)), "")


def main() -> None:
    calls = Calls()
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(from_key_to_verdict(Path(home), calls))
    calls.end()
    road = {module: names for module, names in sorted(calls.functions.items()) if not beside(module)}
    for module, names in road.items():
        print(f"{module} ({len(names)})", *(sorted(names) if "--functions" in sys.argv else ()))
    if "--beside" in sys.argv:
        for module in sorted(calls.functions.keys() - road):
            print(f"  beside: {module}: {beside(module)}")
    print(f"{len(road)} modules on the road, {len(calls.functions) - len(road)} beside it")
    print(f"{len(calls.forms)} forms of a row: {', '.join(calls.forms)}")


if __name__ == "__main__":
    main()
