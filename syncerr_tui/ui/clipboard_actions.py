"""Copying, and opening addresses: in a browser where there is one, else by the clipboard. In a thread."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

from textual.screen import Screen

from syncerr_tui.errors import SyncErrError
from syncerr_tui.host import browser, clipboard
from syncerr_tui.host.paths import Paths
from syncerr_tui.ui.context import AppContext

_LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")

Say = Callable[[str, str], object]
"""Shows a line, in a look."""


async def copy_text(context: AppContext, text: str, say: Say) -> None:
    """Copy a text, and say where it went."""
    try:
        done = await asyncio.to_thread(_copy, context, text)
    except SyncErrError as error:
        say(error.line, "bad")
    else:
        say(f"{done.line}.", "strong")


def open_one_of(
    screen: Screen[None], context: AppContext, addresses: Sequence[tuple[str, str]], say: Say
) -> None:
    """Open the only address, or let the person choose one; the next step's stands first.

    Args:
        screen: Where the question comes up.
        context: This terminal and its browser.
        addresses: (what to do there, address); of the catalogue and `diagnosis`, never out of a message.
        say: Shows what was done.
    """

    def chosen(address: str | None) -> None:
        if address is not None:
            screen.run_worker(_open(context, address, say), group="browsing", name="browsing")

    if not addresses:
        say("No step has an address.", "strong")
    elif len(addresses) == 1:
        chosen(addresses[0][1])
    else:
        from syncerr_tui.ui.screens.menus import AddressMenu

        screen.app.push_screen(AddressMenu(addresses, ellipsis=context.ellipsis), chosen)


async def _open(context: AppContext, address: str, say: Say) -> None:
    # The demo org has rows and rules, but no pages to look at.
    pageless = address.startswith(_LOOPBACK)
    if not pageless and await asyncio.to_thread(
        browser.open_address, address, environ=context.environ, platform=sys.platform
    ):
        say(f"Opened {address}", "strong")
        return
    reason = "The demo org has no pages to open." if pageless else "No browser here."
    try:
        done = await asyncio.to_thread(_copy, context, address)
    except SyncErrError as error:
        say(error.line, "bad")
    else:
        say(f"{reason} {done.line}: {address}", "strong")


def _copy(context: AppContext, text: str) -> clipboard.Copied:
    environ = context.environ
    fallback = Paths.of(environ).cache / "copied.txt"
    return clipboard.copy(text, environ=environ, write=context.write_to_terminal, fallback=fallback)
