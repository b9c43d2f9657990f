"""Taking something out of the app: to the clipboard, or to the address of the next step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from syncerr_tui.errors import SyncErrError
from syncerr_tui.host.paths import Paths

if TYPE_CHECKING:
    from syncerr_tui.ui.screens.workbench import Workbench


class TakingAlong:
    """Copies and browses."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def do_copy_id(self) -> None:
        """The Salesforce ID of the row under the cursor."""
        error = self._bench.errors.listing.current
        if error is not None and error.salesforce_id:
            self._copy(error.salesforce_id)

    def do_copy_error(self) -> None:
        """The whole error."""
        from syncerr_tui.ui.details import as_text

        error = self._bench.errors.listing.current
        if error is not None:
            self._copy(as_text(error, self._bench.context.clock(), self._bench.context.zone))

    def _copy(self, text: str) -> None:
        from syncerr_tui.host import clipboard

        write = self._bench.host.write_to_terminal

        def copy() -> None:
            try:
                done = clipboard.copy(
                    text, environ=os.environ, write=write, fallback=Paths.of().cache / "copied.txt"
                )
            except SyncErrError as error:
                self._bench.app.call_from_thread(self._bench.say, error.line, "bad")
            else:
                self._bench.app.call_from_thread(self._bench.say, f"{done.line}.")

        self._bench.app.run_worker(copy, thread=True, group="copying", name="copying")

    def do_browse(self) -> None:
        """The address of the next step."""
        from syncerr_tui.ui.browsing import Browsing
        from syncerr_tui.ui.error_details_service import addresses

        error = self._bench.pane.current
        if error is not None:
            Browsing(self._bench.host, self._bench.say).ask(
                addresses(self._bench.host.error_details.explain(error))
            )
