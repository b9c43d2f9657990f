"""From one place to another: between the tabs, from an error to its cause, and a step back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncerr_tui.triage.actions import Place

if TYPE_CHECKING:
    from syncerr_tui.ui.screens.workbench import Workbench


class Going:
    """Where the person is led."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._saw_causes = False

    def do_errors(self) -> None:
        """The list in front."""
        self._bench.go(Place.ERRORS)

    def do_causes(self) -> None:
        """The causes in front: on that of the row one comes from; straight after the start, on the worst."""
        bench = self._bench
        if bench.place is not Place.CAUSES:
            listing = bench.errors.listing
            untouched = not (listing.cursor or listing.selected or listing.filter)
            current = None if untouched and not self._saw_causes else bench.errors.current
            bench.causes.came_from(current.id if current is not None else None)
            self._saw_causes = True
        bench.go(Place.CAUSES)

    def do_journal(self) -> None:
        """What was re-synced in front."""
        self._bench.go(Place.JOURNAL)

    def do_alike(self) -> None:
        """From a cause to all its rows in the list."""
        bench = self._bench
        current = bench.pane.current
        if current is not None:
            bench.go(Place.ERRORS)
            bench.errors.show_alike(current.id)

    def do_go_to_cause(self) -> None:
        """Up to the row that this one waits for; what is believed, and why, is said."""
        from syncerr_tui.ui.cause_words import short, why

        bench = self._bench
        current, graph = bench.errors.current, bench.graph_worker.graph
        if current is None or graph is None:
            bench.say("Still working out what waits for what.")
            return
        links = graph.links_of(current.id)
        up = next((link for link in links if link.cause is not None), None)
        if up is not None and up.cause is not None:
            bench.errors.go_to(up.cause)
            bench.say(f"{short(current)} waits for this one. {why(up)}")
        elif links:
            bench.say(f"Its cause is not in this list. {links[0].detail}")
        else:
            bench.say("It waits for nobody: it fails for a reason of its own. enter says which.")

    def do_back(self) -> None:
        """One step back; the result of a run goes before the filter and the selection."""
        bench = self._bench
        done = (not bench.pane.is_open and bench.host.runs.dismiss()) or bench.pane.step_back()
        if not done and bench.place is Place.JOURNAL:
            bench.go(Place.ERRORS)
        elif not done:
            # What is left to take back, the filter and the selection, is the list's, wherever one stands.
            bench.errors.step_back()
        bench.causes.refreshed()
        bench.draw_lines()
