"""Opening an address in the browser of the person who sits here, where there is such a browser.

Over SSH a browser would open on the wrong machine, and without a desktop it would open in this terminal.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from syncerr_tui.host.terminal import is_remote

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
    """The command that opens an address, to be put behind it; None where there is no browser to be seen.

    Args:
        environ: The environment.
        platform: `sys.platform`.
    """
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
