"""Copying, also from a box at the other end of an SSH line: OSC 52, wrapped for tmux and screen, else a file.
Inside tmux it goes through tmux itself where that says it passes it on.

On a person's own machine the system's tool is surer (some terminals ignore OSC 52 without a word), so it
goes first there. Over SSH it would fill the clipboard of the wrong machine, so it is not tried.

What is too much for a clipboard is written to a new file (`write_new`).
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from syncerr_tui.errors import MachineError
from syncerr_tui.files import create_file
from syncerr_tui.host.terminal import is_remote

# Terminals cut the sequence at different lengths; 74,994 bytes of base64 is what xterm takes.
OSC52_LIMIT = 74_994
_TOOL_SECONDS = 5.0
# GNU screen forwards at most 768 bytes of a device control string; 76 per piece is what it is known to pass.
_SCREEN_PIECE = 76


@dataclass(frozen=True, slots=True)
class Copied:
    """Where the text went, in words for a toast."""

    line: str
    path: Path | None = None
    doubt: str = ""
    """What to do if nothing arrives; empty where it is sure to."""


def osc52(text: str, environ: Mapping[str, str]) -> str | None:
    """The sequence that asks the terminal to fill its clipboard; None where the text is too long for it."""
    payload = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    if len(payload) > OSC52_LIMIT:
        return None
    sequence = f"\x1b]52;c;{payload}\x07"
    if environ.get("TMUX"):
        # Both ways: tmux takes the plain one with set-clipboard on, the wrapped one with allow-passthrough.
        inner = sequence.replace("\x1b", "\x1b\x1b")
        return f"{sequence}\x1bPtmux;{inner}\x1b\\"
    if environ.get("TERM", "").startswith("screen"):
        pieces = [sequence[at : at + _SCREEN_PIECE] for at in range(0, len(sequence), _SCREEN_PIECE)]
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return sequence


def copy(text: str, *, environ: Mapping[str, str], write: Callable[[str], object], fallback: Path) -> Copied:
    """Copy a text as well as this place allows, and say where it went.

    Blocks for some seconds at most (the system's clipboard tool, or tmux): call it from a worker.

    Args:
        text: What to copy.
        environ: The environment.
        write: Sends a sequence to the terminal.
        fallback: The file that takes what no clipboard takes.

    Raises:
        MachineError: No clipboard took it and the file could not be written.
    """
    remote = is_remote(environ)
    if not remote and _native(text, environ):
        return Copied("Copied to the clipboard")
    if environ.get("TMUX") and _through_tmux(text, environ):
        return Copied("Copied through tmux")
    sequence = osc52(text, environ)
    if sequence is not None:
        write(sequence)
        doubt = "tmux set -s set-clipboard on" if environ.get("TMUX") else "the terminal does not allow it"
        return Copied("Sent to the terminal's clipboard", doubt=f"If nothing arrives: {doubt}")
    try:
        fallback.parent.mkdir(parents=True, exist_ok=True)
        fallback.touch(mode=0o600)
        fallback.write_text(text, encoding="utf-8", errors="replace")
    except OSError as problem:
        raise MachineError(
            "The text is too long for the terminal's clipboard, and no file could be written",
            f"Make room for {fallback}, or copy from `syncerr-tui list --json`.",
        ) from problem
    return Copied(f"Too long for the clipboard: written to {fallback}", fallback)


def _native(text: str, environ: Mapping[str, str]) -> bool:
    tools: list[list[str]] = []
    if environ.get("WAYLAND_DISPLAY"):
        tools.append(["wl-copy"])
    if environ.get("DISPLAY"):
        tools += [["xclip", "-selection", "clipboard"], ["xsel", "--clipboard", "--input"]]
    tools += [["pbcopy"], ["clip.exe"]]
    return any(_output(tool, environ, text) is not None for tool in tools)


def _through_tmux(text: str, environ: Mapping[str, str]) -> bool:
    """Give it to tmux, where tmux says that it passes it on and that its terminal takes it."""
    passes = _output(["tmux", "show-options", "-sv", "set-clipboard"], environ)
    pane = ["-t", environ["TMUX_PANE"]] if environ.get("TMUX_PANE") else []
    can = _output(["tmux", "display-message", "-p", *pane, "#{client_termfeatures}"], environ)
    if (passes or "").strip() not in {"on", "external"} or "clipboard" not in (can or "").strip().split(","):
        return False
    return _output(["tmux", "load-buffer", "-w", "-"], environ, text) is not None


def _output(command: Sequence[str], environ: Mapping[str, str], text: str = "") -> str | None:
    """What a program says; None where it is not there, fails, or takes too long."""
    program = shutil.which(command[0], path=environ.get("PATH"))
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a fixed list of programs, the text goes in by stdin
            [program, *command[1:]],
            env=dict(environ),
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.PIPE if command[0] == "tmux" else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TOOL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout or b"").decode("utf-8", "replace") if done.returncode == 0 else None


_NUMBERS = 100
"""Files of one name that may be there already."""


def write_new(folders: Sequence[Path], name: str, ending: str, lines: Iterable[str]) -> Path:
    """Write the lines to a new file in the first folder that takes it.

    Args:
        folders: Where to try, in this order; they are made where they are not there.
        name: What the file is called, as far as that name is free.
        ending: Its ending without a dot.
        lines: What stands in it.

    Raises:
        MachineError: No folder takes it.
    """
    text = "".join(f"{line}\n" for line in lines)
    problem: OSError = FileExistsError()
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _write(folder, name, ending, text).absolute()
        except OSError as trouble:
            problem = trouble
    raise MachineError(
        f"The file cannot be written ({problem.strerror or 'too many of its name'})",
        f"Make room in {folders[-1]}, or use 'syncerr-tui list --format {ending}'",
    )


def _write(folder: Path, name: str, ending: str, text: str) -> Path:
    for number in range(1, _NUMBERS):
        path = folder / f"{name}{f'-{number}' if number > 1 else ''}.{ending}"
        try:
            create_file(path, text)
        except FileExistsError:
            continue
        return path
    raise FileExistsError
