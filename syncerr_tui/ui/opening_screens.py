"""What opens over the workbench, to look something up or to choose. Each is imported when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncerr_tui.triage.actions import Action
    from syncerr_tui.triage.sort import SortKey
    from syncerr_tui.ui.screens.workbench import Workbench


class OpeningScreens:
    """The guide, the help, the palette, and the columns to sort by."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def do_sort(self) -> None:
        """Ask for the column."""
        from syncerr_tui.ui.screens.menus import SortMenu

        listing = self._bench.errors.listing

        def chosen(key: SortKey | None) -> None:
            if key is not None:
                self._bench.errors.sort_by(key)

        self._bench.app.push_screen(SortMenu(listing.sort, reverse=listing.reverse), chosen)

    def do_guide(self) -> None:
        """All codes as a manual, opened on the code of the row under the cursor."""
        from syncerr_tui.ui.screens.guide import GuideScreen

        error = self._bench.pane.current
        code = self._bench.host.error_details.explain(error).diagnosis.root_code if error else None
        self._bench.app.push_screen(GuideScreen(self._bench.host, code))

    def do_help(self) -> None:
        """The keys that work here."""
        from syncerr_tui.ui.screens.help import HelpScreen

        self._bench.app.push_screen(
            HelpScreen(
                self._bench.pane.tab, self._with_reasons(), unicode=self._bench.context.terminal.unicode
            )
        )

    def do_palette(self) -> None:
        """Every action by its name."""
        from syncerr_tui.ui.screens.menus import Palette

        def chosen(action_id: str | None) -> None:
            if action_id is not None:
                self._bench.action_act(action_id)

        self._bench.app.push_screen(
            Palette(self._with_reasons(), unicode=self._bench.context.terminal.unicode), chosen
        )

    def _with_reasons(self) -> list[tuple[Action, str | None]]:
        state = self._bench.state
        return [(action, action.why_disabled(state)) for action in self._bench.actions]
