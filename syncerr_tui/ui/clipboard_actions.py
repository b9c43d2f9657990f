"""Copying, and opening addresses: in a browser where there is one, else by the clipboard. In a thread."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from syncerr_tui.diagnosis.links import on_this_machine
from syncerr_tui.errors import SyncErrError
from syncerr_tui.host import clipboard, viewer
from syncerr_tui.host.clipboard import write_new
from syncerr_tui.host.paths import Paths
from syncerr_tui.model import SyncError
from syncerr_tui.triage import export
from syncerr_tui.triage.export import Copyable, Format, copyables
from syncerr_tui.triage.listing import Listing
from syncerr_tui.ui.context import AppContext
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.ui.services import Services

_REPORTED = timedelta(hours=8)

Say = Callable[[str, str], object]
"""Shows a line, in a look."""


async def copy_text(context: AppContext, text: str, say: Say, what: str) -> None:
    """Copy a text, and say where it went, and what it was."""
    try:
        done = await asyncio.to_thread(_copy, context, text)
    except SyncErrError as error:
        say(error.line, "bad")
    else:
        line = f"{done.line}: {what}." if what else f"{done.line}."
        say(f"{line} {done.doubt}.".removesuffix(" ."), "strong")


def copy_one_of(
    screen: Screen[None], context: AppContext, errors: Sequence[SyncError], copy: Callable[[str, str], object]
) -> None:
    """Let the person choose what to copy of these errors.

    Args:
        screen: Where the question comes up.
        context: The org.
        errors: One, or a selection.
        copy: Copies a text, and says what it was.
    """
    from syncerr_tui.ui.details import as_text
    from syncerr_tui.ui.screens.menus import copy_menu

    def chosen(choice: Copyable | None) -> None:
        if choice is not None:
            copy(choice.text, choice.what)

    now = context.clock()
    choices = copyables(
        errors,
        link=lambda error: event_address(context, error),
        whole=lambda error: as_text(error, now),
    )
    named = f"{errors[0].object} {errors[0].event_type.value}"
    heading = f"Copy of {named if len(errors) == 1 else plural(len(errors), 'error')}"
    screen.app.push_screen(copy_menu(heading, choices), chosen)


def event_address(context: AppContext, error: SyncError) -> str:
    """Where the org shows a change event; empty for what has no id of Salesforce's."""
    from syncerr_tui.diagnosis import links

    url = context.connection.identity.instance_url if context.connection else None
    path = links.record(error.id)
    return links.address(path, url) if path is not None else ""


async def export_view(
    context: AppContext, listing: Listing, fields: Sequence[str], form: Format, fallback: Path, say: Say
) -> None:
    """Write what the list shows to a new file where the person is, and say which."""

    def written() -> Path:
        rows = (listing.errors[row].payload() for row in listing.ids)
        lines = [*export.table_head(fields, form), *export.lines(rows, fields, form)]
        name = f"sync-errors-{_file_part(context.org)}-{context.clock().astimezone():%Y%m%d-%H%M}"
        return write_new([Path(), fallback], name, form.ending, lines)

    try:
        path = await asyncio.to_thread(written)
    except SyncErrError as error:
        say(error.line, "bad")
    else:
        say(f"{plural(len(listing.ids), 'row')} written to {path}", "strong")


async def write_report(services: Services, say: Say) -> None:
    """Write the report of the last eight hours to a new file where the person is, and say which."""
    from syncerr_tui.journal.claims import os_user
    from syncerr_tui.report.gather import Handover, gather
    from syncerr_tui.report.sections import to_html

    context, connection = services.context, services.context.connection
    if connection is None:
        say("Not connected: there is nothing to hand over yet.", "bad")
        return
    identity = connection.identity

    def written(graph: CauseGraph) -> Path:
        with services.journals.open_anew(identity.org_id) as journal:
            since = journal.now() - _REPORTED
            metadata = services.error_details.metadata
            report = gather(Handover(graph, identity, since, os_user(), metadata), journal, off)
        name = f"report-{_file_part(context.org)}-{context.clock().astimezone():%Y%m%d-%H%M}"
        folder = services.journals.folder / "exports"
        return write_new([Path(), folder], name, "html", to_html(report))

    try:
        off = await services.fixes.safeguards()
        path = await services.graph_worker.lend(written)
    except SyncErrError as error:
        say(error.line, "bad")
    else:
        say(f"The report of the last 8 hours is in {path}", "strong")


def _file_part(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum() or letter in "-_") or "org"


def open_one_of(
    screen: Screen[Any], context: AppContext, addresses: Sequence[tuple[str, str]], say: Say
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
        from syncerr_tui.ui.screens.menus import address_menu

        screen.app.push_screen(address_menu(addresses), chosen)


async def _open(context: AppContext, address: str, say: Say) -> None:
    # The demo org has rows and rules, but no pages to look at.
    pageless = on_this_machine(address)
    if not pageless and await asyncio.to_thread(
        viewer.open_address, address, environ=context.environ, platform=sys.platform
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
