"""Other programs of the person who sits here: a pager or an editor for a text, a browser for an address.

A text is shown by a file of nobody else's, which is gone after. Over SSH a browser would open on the wrong
machine, and without a desktop it would open in this terminal: then there is none.
"""

from __future__ import annotations

import asyncio
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.files import create_file
from syncerr_tui.host.terminal import is_remote
from syncerr_tui.text import one_line

_PAGERS = ("less", "more")
_EDITORS = ("nano", "vi", "vim")


def pager(environ: Mapping[str, str]) -> list[str]:
    """The program that PAGER names, else one that is there.

    Raises:
        BadInputError: The variable cannot be read.
        MachineError: There is none.
    """
    return _program(environ, ("PAGER",), _PAGERS)


def editor(environ: Mapping[str, str]) -> list[str]:
    """The program that VISUAL or EDITOR names, else one that is there. Raises as `pager`."""
    return _program(environ, ("VISUAL", "EDITOR"), _EDITORS)


def _program(environ: Mapping[str, str], names: Sequence[str], usual: Sequence[str]) -> list[str]:
    for name in names:
        if not environ.get(name, "").strip():
            continue
        try:
            return shlex.split(environ[name])
        except ValueError:
            raise BadInputError(
                f"{name} cannot be read: {one_line(environ[name])[:60]!r}", "Close its quotes"
            ) from None
    pager = next((program for program in usual if shutil.which(program, path=environ.get("PATH"))), None)
    if pager is None:
        raise MachineError(f"Neither {' nor '.join(usual)} is here", f"Let {names[0]} name a program")
    return [pager]


async def view(text: str, name: str, program: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Run a program on a text, and wait for its end. Whoever cancels this ends the program.

    Args:
        text: What it gets, as a file of its own in a folder of its own.
        name: The name of that file.
        program: The program with its arguments.
        environ: Its environment.

    Returns:
        Whether the text was changed in it.

    Raises:
        MachineError: The program cannot be started, or there is no room for the file.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="syncerr-"))  # 0700
    except OSError as problem:
        raise MachineError("There is no room for the file", f"{problem.strerror}") from None
    try:
        path = folder / name
        await asyncio.to_thread(create_file, path, text)
        process = await asyncio.create_subprocess_exec(*program, str(path), env=dict(environ))
        try:
            await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await asyncio.shield(process.wait())
            raise
        return await asyncio.to_thread(_read, path) not in {text, None}
    except OSError as problem:
        shown = one_line(program[0])[:60]
        why = "there is no such program" if isinstance(problem, FileNotFoundError) else problem.strerror
        raise MachineError(f"{shown!r} cannot run: {why}", "See PAGER, VISUAL and EDITOR") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


_SETTLED_SECONDS = 3.0
"""A program that runs this long without complaint is the browser itself, and is left alone."""
_DESKTOP = (
    ("xdg-open",),
    ("gio", "open"),
    ("x-www-browser",),
    ("firefox",),
    ("google-chrome",),
    ("chromium",),
)
_WINDOWS = (("rundll32.exe", "url.dll,FileProtocolHandler"),)


def is_web_address(text: str) -> bool:
    """Whether a text is an http or https address that can be handed to another program."""
    if not text.isascii() or not text.isprintable() or any(letter in text for letter in " \"'<>\\^`{|}"):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def browser(environ: Mapping[str, str], platform: str) -> Sequence[str] | None:
    """The command that opens an address, to be put behind it; None where there is no browser to be seen."""
    if is_remote(environ):
        return None
    if platform == "darwin":
        candidates: tuple[tuple[str, ...], ...] = (("open",),)
    elif platform == "win32":
        candidates = _WINDOWS
    elif environ.get("WSL_DISTRO_NAME") or environ.get("WSL_INTEROP"):
        candidates = (("wslview",), *_WINDOWS)
    elif environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        candidates = _DESKTOP
    else:
        return None
    for name, *rest in candidates:
        program = shutil.which(name, path=environ.get("PATH"))
        if program is not None:
            return (program, *rest)
    return None


def open_address(address: str, *, environ: Mapping[str, str], platform: str) -> bool:
    """Open it. Blocks for at most three seconds: call it from a worker.

    Returns:
        False where it was not opened: no browser, the browser refused, or this is no web address.
    """
    command = browser(environ, platform)
    if command is None or not is_web_address(address):
        return False
    try:
        running = subprocess.Popen(  # noqa: S603 - a fixed list of programs; the address is one argument
            [*command, address],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        return running.wait(timeout=_SETTLED_SECONDS) == 0
    except subprocess.TimeoutExpired:
        return True
