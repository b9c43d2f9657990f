"""Taking a person to the address of a step: in a browser where there is one, else by the clipboard."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from syncerr_tui.errors import SyncErrError
from syncerr_tui.host import browser, clipboard
from syncerr_tui.host.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from syncerr_tui.ui.app import SyncErrApp

_LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


class Browsing:
    """What `b` does. Addresses come from `diagnosis.links` and the catalogue, never out of a message."""

    def __init__(self, host: SyncErrApp, say: Callable[[str, str], object]) -> None:
        self._host = host
        self._say = say

    def ask(self, addresses: Sequence[tuple[str, str]]) -> None:
        """Open the only address, or let the person choose one; the next step's stands first.

        Args:
            addresses: (what to do there, address).
        """
        if not addresses:
            self._say("No step has an address.", "strong")
        elif len(addresses) == 1:
            self.go(addresses[0][1])
        else:
            from syncerr_tui.ui.screens.addresses import AddressMenu

            def chosen(address: str | None) -> None:
                if address is not None:
                    self.go(address)

            self._host.push_screen(AddressMenu(addresses, ellipsis=self._host.context.ellipsis), chosen)

    def go(self, address: str) -> None:
        """Open this one in the background, or copy it; say which."""

        def work() -> None:
            told, style = self._gone(address)
            self._host.call_from_thread(self._say, told, style)

        self._host.run_worker(work, thread=True, group="browsing", name="browsing")

    def _gone(self, address: str) -> tuple[str, str]:
        environ = self._host.context.environ
        # The demo org has rows and rules, but no pages to look at.
        pageless = address.startswith(_LOOPBACK)
        if not pageless and browser.open_address(address, environ=environ, platform=sys.platform):
            return f"Opened {address}", "strong"
        why = "The demo org has no pages to open." if pageless else "No browser here."
        try:
            done = clipboard.copy(
                address,
                environ=environ,
                write=self._host.write_to_terminal,
                fallback=Paths.of(environ).cache / "copied.txt",
            )
        except SyncErrError as error:
            return error.line, "bad"
        return f"{why} {done.line}: {address}", "strong"
