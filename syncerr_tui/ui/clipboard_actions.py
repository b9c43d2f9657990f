"""Copying, and opening addresses: in a browser where there is one, else by the clipboard. In a thread."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from syncerr_tui.diagnosis.links import on_this_machine
from syncerr_tui.errors import NotLoggedInError
from syncerr_tui.host import clipboard, viewer
from syncerr_tui.host.clipboard import write_new
from syncerr_tui.host.paths import Paths
from syncerr_tui.model import SyncError
from syncerr_tui.triage import export
from syncerr_tui.triage.export import Copyable, Format, copyables
from syncerr_tui.triage.listing import Listing
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.messages import Announced, announce
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.ui.services import Services

_REPORTED = timedelta(hours=8)


def copy_text(screen: Screen[Any], context: AppContext, text: str, what: str) -> None:
    """Copy a text, and say on the screen where it went, and what it was."""

    async def copied() -> str:
        done = await asyncio.to_thread(_copy, context, text)
        return f"{done.line}: {what}. {done.doubt}.".removesuffix(" .")

    announce(screen, copied(), "copying")


def copy_one_of(screen: Screen[Any], context: AppContext, errors: Sequence[SyncError]) -> None:
    """Let the person choose what to copy of these errors, one or several."""
    from syncerr_tui.ui.details import as_text
    from syncerr_tui.ui.screens.menus import copy_menu

    def chosen(choice: Copyable | None) -> None:
        if choice is not None:
            copy_text(screen, context, choice.text, choice.what)

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


async def exported(
    context: AppContext, listing: Listing, fields: Sequence[str], form: Format, fallback: Path
) -> str:
    """Write what the list shows to a new file where the person is. In a line, which.

    Raises:
        MachineError: It cannot be written.
    """

    def written() -> Path:
        rows = (listing.errors[row].payload() for row in listing.ids)
        lines = [*export.table_head(fields, form), *export.export_lines(rows, fields, form)]
        name = f"sync-errors-{_file_part(context.org)}-{context.clock().astimezone():%Y%m%d-%H%M}"
        return write_new([Path(), fallback], name, form.ending, lines)

    return f"{plural(len(listing.ids), 'row')} written to {await asyncio.to_thread(written)}"


async def reported(services: Services) -> str:
    """Write the report of the last eight hours to a new file where the person is. In a line, which.

    Raises:
        SyncErrError: It cannot be made, or not be written.
    """
    from syncerr_tui.journal.claims import os_user
    from syncerr_tui.report.gather import Handover, gather
    from syncerr_tui.report.sections import to_html

    context, connection = services.context, services.context.connection
    if connection is None:
        raise NotLoggedInError("Not connected", "There is nothing to hand over yet")
    identity = connection.identity

    def written(graph: CauseGraph) -> Path:
        with services.journals.open_anew(identity.org_id) as journal:
            since = journal.now() - _REPORTED
            metadata = services.error_details.metadata
            report = gather(Handover(graph, identity, since, os_user(), metadata), journal, off)
        name = f"report-{_file_part(context.org)}-{context.clock().astimezone():%Y%m%d-%H%M}"
        folder = services.journals.folder / "exports"
        return write_new([Path(), folder], name, "html", to_html(report))

    off = await services.fixes.safeguards()
    return f"The report of the last 8 hours is in {await services.graph_worker.lend(written)}"


def _file_part(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum() or letter in "-_") or "org"


def open_one_of(screen: Screen[Any], context: AppContext, addresses: Sequence[tuple[str, str]]) -> None:
    """Open the only address, or let the person choose one; the next step's stands first.

    Args:
        screen: Where the question comes up, and where it is said what was done.
        context: This terminal and its browser.
        addresses: (what to do there, address); of the catalogue and `diagnosis`, never out of a message.
    """

    def chosen(address: str | None) -> None:
        if address is not None:
            announce(screen, _opened(context, address), "browsing")

    if not addresses:
        screen.post_message(Announced("No step has an address."))
    elif len(addresses) == 1:
        chosen(addresses[0][1])
    else:
        from syncerr_tui.ui.screens.menus import address_menu

        screen.app.push_screen(address_menu(addresses), chosen)


async def _opened(context: AppContext, address: str) -> str:
    # The demo org has rows and rules, but no pages to look at.
    pageless = on_this_machine(address)
    if not pageless and await asyncio.to_thread(
        viewer.open_address, address, environ=context.environ, platform=sys.platform
    ):
        return f"Opened {address}"
    reason = "The demo org has no pages to open." if pageless else "No browser here."
    done = await asyncio.to_thread(_copy, context, address)
    return f"{reason} {done.line}: {address}"


def _copy(context: AppContext, text: str) -> clipboard.Copied:
    environ = context.environ
    fallback = Paths.of(environ).cache / "copied.txt"
    return clipboard.copy(text, environ=environ, write=context.write_to_terminal, fallback=fallback)
