"""Pictures of the running app for `screenshots/`: `python -m tests.pictures`.

Each is the real app on the embedded demo org, driven by keys, written as SVG.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "screenshots"
Step = str | Callable[[str], bool]
"""A key to press, or a text to wait for (`"? text"`), or a condition on the screen's text."""

FIX = ("F", "? enter chooses", "enter", "? enter applies it", "enter", "? R re-syncs now")
LOOP = (*FIX, "R", "? enter starts")
PAST = (*LOOP, "w", *"rule lets sync pass", "enter", "? Why ", "enter", "? Result", "escape", "3")
PICTURES: dict[str, tuple[tuple[int, int], dict[str, str], tuple[str, ...]]] = {
    "list": ((120, 30), {}, ()),
    "list-80x24": ((80, 24), {}, ("space", "j", "space", "j", "j")),
    "info-80x24": ((80, 24), {}, ("j", "j", "enter", "? What happened")),
    "filter": ((120, 30), {}, ("slash", *"object:Order age:>1d", "? shown")),
    "fix": ((100, 30), {}, ("F", "? enter chooses")),
    "resync-plan": ((100, 26), {}, (*LOOP,)),
    "resync-running": ((120, 30), {}, ("a", "R", "? enter starts", "enter", "? waiting")),
    "resync-result": ((120, 30), {}, (*LOOP, "enter", "? Result")),
    "journal": ((100, 26), {}, (*PAST, "? [Journal", "? finished")),
    "journal-row": ((120, 30), {}, (*PAST, "? finished", "enter", "? Everything that happened")),
    "causes-80x24": ((80, 24), {}, ("? causes", "c", "g", "right", "? named in its")),
    "causes": ((140, 36), {}, ("? causes", "c", "g", "right", "? named in its", "? What happened")),
    "cause-plan": ((80, 24), {}, ("? causes", "c", "g", "R", "? enter starts")),
    "help": ((100, 64), {}, ("question_mark", "? The list of sync errors")),
    "light": ((120, 30), {"SYNCERR_THEME": "light"}, ("space", "space", "j")),
    "sixteen-colours": ((100, 26), {"SYNCERR_COLOUR": "16"}, ("space", "space", "j")),
    "no-colour": ((100, 26), {"NO_COLOR": "1"}, ("space", "space", "j")),
}
_FONT = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


async def take(name: str) -> None:
    """Take one picture in this process."""
    from syncerr_tui.cli._connect import EmbeddedOrg
    from syncerr_tui.demo.options import DemoOptions
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.host.terminal import terminal_profile
    from syncerr_tui.ui.app import SyncErrApp
    from syncerr_tui.ui.context import AppContext
    from syncerr_tui.ui.journals import Journals

    size, _, steps = PICTURES[name]
    demo, journals = EmbeddedOrg(DemoOptions(processing_delay=0.5)), Journals(Paths.of().state)
    app = SyncErrApp(AppContext(demo.connect, terminal_profile(os.environ)), journals)
    try:
        async with app.run_test(size=size) as pilot:
            for step in ("? refreshed", *steps):
                if step.startswith("? "):
                    await _until(pilot, app, step[2:])
                else:
                    await pilot.press({" ": "space", ":": "colon", ">": "greater_than_sign"}.get(step, step))
            await pilot.pause(0.3)
            picture = _FONT.sub("", app.export_screenshot(title="syncerr-tui", simplify=True))
            (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")
        await app.release()
    finally:
        journals.close()
        demo.close()


async def _until(pilot: object, app: object, text: str) -> None:
    end = time.monotonic() + 60
    while True:
        await pilot.pause()  # type: ignore[attr-defined]
        shown = "\n".join(strip.text for strip in app.screen._compositor.render_strips())  # type: ignore[attr-defined]
        if text in shown:
            return
        if time.monotonic() > end:
            raise SystemExit(f"{text!r} never came:\n{shown}")


def main(names: list[str]) -> None:
    """Take all pictures, or those that are named; each in its own process, as Textual is set up only once."""
    FOLDER.mkdir(exist_ok=True)
    if len(names) == 2 and names[0] == "--one":
        asyncio.run(take(names[1]))
        return
    import subprocess

    for name in names or PICTURES:
        with tempfile.TemporaryDirectory() as home:
            kept = {
                key: value for key, value in os.environ.items() if not key.startswith(("SYNCERR", "NO_COLOR"))
            }
            environ = {**kept, **_SEEN, **PICTURES[name][1], "SYNCERR_HOME": home}
            command = [sys.executable, "-m", "tests.pictures", "--one"]
            subprocess.run([*command, name], env=environ, check=True)
        print(f"screenshots/{name}.svg")


_SEEN = {
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "TEXTUAL_COLOR_SYSTEM": "truecolor",
    "TEXTUAL_ANIMATIONS": "none",
    "TZ": "UTC",
}

if __name__ == "__main__":
    main(sys.argv[1:])
