"""While a re-sync is under way: what a person has to do for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from syncerr_tui.model import SyncError
from syncerr_tui.text import one_line
from syncerr_tui.ui.screens.dialog import Confirmation, Question, Reading, keys
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import plural


class GuidedDialog(Confirmation):
    """The person presses Re-sync in Salesforce for exactly these rows; then the tool proves the outcome."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", show=False)]

    def __init__(
        self,
        errors: tuple[SyncError, ...],
        address: str | None,
        wave: int,
        copy: Callable[[Sequence[SyncError]], object] = lambda _errors: None,
    ) -> None:
        super().__init__()
        self._copy = copy
        self._errors = errors
        self._address = address
        self._wave = wave

    @property
    def heading(self) -> str:
        """What to do."""
        return f"Your turn: re-sync {plural(len(self._errors), 'row')} in Salesforce (wave {self._wave})"

    @property
    def text(self) -> Content:
        """Where, and which rows, in which order."""
        lines: list[tuple[str, str]] = []
        if self._address:
            lines.append((f"\n1 Open {one_line(self._address)}", ""))
        else:
            lines.append(("\n1 Open the Sync Errors list in Salesforce", ""))
        lines.append(("\n2 Tick exactly these rows, in this order, and press Re-sync:\n", ""))
        lines += [(f"\n  {_named(error)}", "bold") for error in self._errors]
        lines.append(("\n\n3 Press enter here: the outcome is then read back from the org.\n", ""))
        return Content.assemble(*lines)

    @property
    def answers(self) -> Sequence[Part]:
        """Done, or not."""
        return keys(("enter", "I pressed Re-sync"), ("y", "copies the rows"), ("esc", "I did not"))

    def action_copy(self) -> None:
        """Take the rows along to the browser."""
        self._copy(self._errors)


class OffDialog(Reading[bool]):
    """Leaving while safeguards are off: True leaves, False shows them, None stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer(True)", show=False),
        Binding("s", "answer(False)", show=False),
    ]

    def __init__(self, off: str, names: Sequence[str]) -> None:
        super().__init__()
        self._off = off
        self._names = names

    @property
    def heading(self) -> str:
        """What is off."""
        return self._off

    @property
    def text(self) -> Content:
        """Which, and what leaving means."""
        lines = [f"  {one_line(name)}" for name in self._names]
        return Content(
            "\n"
            + "\n".join(lines)
            + "\n\nEvery user and every integration saves without it until it is on again. It stays on the "
            "ledger: every command and the next start say so.\n"
        )

    @property
    def answers(self) -> Sequence[Part]:
        """Put back first, leave, or stay."""
        return keys(("s", "puts it back"), ("enter", "leaves it off"), ("esc", "stays"))

    def action_answer(self, leave: bool) -> None:
        """Leave, or show them."""
        self.dismiss(leave)


class SleepQuestion(Question):
    """Suspending while a re-sync is under way.

    Args:
        off: The safeguards that are off because of us, in words; empty for none.
        paused: The re-sync is held already.
    """

    def __init__(self, off: str, *, paused: bool) -> None:
        asleep = (
            "The re-sync sleeps too: nothing is sent until you come back with fg, and then what was on its "
            "way is read from the org before anything goes on. Nothing is sent twice."
        )
        elsewhere = (
            "After ten minutes of silence a colleague at another machine with the same journal may go on "
            "with its rows."
        )
        stays = (
            f"{off}: that lasts as long as the sleep. Better wait, or stop the re-sync first." if off else ""
        )
        heading = "A re-sync is paused" if paused else "A re-sync is under way"
        super().__init__(heading, *filter(None, (stays, asleep, elsewhere)), yes="suspends", no="stays")


def _named(error: SyncError) -> str:
    return one_line(f"{error.object} {error.event_type.value} {error.storeconnect_id or error.id}")
