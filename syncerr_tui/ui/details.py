"""The text of the info panel: what is known about one sync error. Pure; every word of the org is data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from textual.content import Content

from syncerr_tui.model import SyncError
from syncerr_tui.ui.desk import Desk
from syncerr_tui.ui.widgets.columns import Moment
from syncerr_tui.ui.words import age

Piece = tuple[str, str]
_LABELS = 14


def fields(error: SyncError, now: datetime, zone: tzinfo | None) -> list[tuple[str, str]]:
    """The six fields of an error and its code, as Salesforce labels them."""
    when = "-"
    if error.processed_at:
        local = error.processed_at.astimezone(zone)
        when = f"{local:%Y-%m-%d %H:%M:%S} ({age(error.processed_at, now)} ago)"
    return [
        ("Object", error.object),
        ("Event Type", error.event_type.value),
        ("Processed At", when),
        ("Salesforce ID", error.salesforce_id or "- (not in Salesforce yet)"),
        ("StoreConnect ID", error.storeconnect_id or "-"),
        ("Code", error.code or "- (none given)"),
        ("Change event", error.id),
    ]


def as_text(error: SyncError, now: datetime, zone: tzinfo | None) -> str:
    """The whole error as plain text, for the clipboard."""
    lines = [f"{label}: {value}" for label, value in fields(error, now, zone)]
    return "\n".join([*lines, "Message:", error.message])


def content(pieces: Sequence[Piece]) -> Content:
    """Pieces of text with their styles as one text that a widget can draw. Nothing is read as markup."""
    return Content.assemble(*pieces)


class Details:
    """Makes the panel's text for a row; remembers the last few."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __call__(self, error: SyncError, moment: Moment) -> Content:
        """The text for this row."""
        pieces: list[Piece] = []
        for label, value in fields(error, moment.now, moment.zone):
            pieces += [(f"{label:<{_LABELS}} ", "$syncerr-quiet"), (f"{value}\n", "")]
        pieces += [("\nMessage\n", "bold"), (f"{error.message}\n", "")]
        return content(pieces)
