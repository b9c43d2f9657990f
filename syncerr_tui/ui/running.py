"""What changes an org, and what has to wait for that: starting and stopping runs, and leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncerr_tui.triage.actions import Place
from syncerr_tui.ui.context import WANTS_SETUP

if TYPE_CHECKING:
    from syncerr_tui.ui.screens.workbench import Workbench


class Running:
    """From a key to the run, and from the run to the way out."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def do_resync(self) -> None:
        """Look at the plan, then send it."""
        self._bench.host.runs.ask(self._bench.pane.chosen, self._bench.state.hidden_selected)

    def do_cancel(self) -> None:
        """Stop the run: what is on its way is waited for."""
        self._bench.host.runs.cancel()

    def do_pause(self) -> None:
        """Hold the run, or let it go on."""
        self._bench.host.runs.pause()

    def do_resume(self) -> None:
        """What an earlier start left open."""
        bench = self._bench
        run = bench.journal.run if bench.place is Place.JOURNAL else None
        bench.host.interrupted_runs.ask(run.id if run else None)

    def do_fix_demo(self) -> None:
        """Demo org only: show what would be done, and do it."""
        from syncerr_tui.ui.demo_fixing import DemoFixing

        errors = self._bench.pane.failing
        connection = self._bench.context.connection
        fixes = connection.demo_fixes if connection else None
        if errors and fixes is not None:
            self._bench.app.run_worker(
                DemoFixing(self._bench.host, fixes).run(errors), group="fixing", exclusive=True
            )

    def do_setup(self) -> None:
        """Leave the demo; whoever opened the app goes on with the guided set-up."""
        self._bench.app.exit(return_code=WANTS_SETUP)

    def do_quit(self) -> None:
        """Leave; ask while a run is under way."""
        runs = self._bench.host.runs
        if not runs.active or runs.leaving:
            self._bench.app.exit()
            return

        from syncerr_tui.ui.screens.resync import QuitDialog

        def answered(leave: bool | None) -> None:
            if leave:
                runs.leave()

        self._bench.app.push_screen(QuitDialog(runs.plain), answered)
