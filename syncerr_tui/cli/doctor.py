"""`syncerr-tui doctor`: is everything there that work with an org needs? One line for each thing."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncerr_tui import __version__
from syncerr_tui.cli._connect import OrgChoice, org_command, reach
from syncerr_tui.cli._console import json_option, padded, say, tell
from syncerr_tui.cli._options import profile_folder
from syncerr_tui.errors import BadInputError, ExitCode, SyncErrError
from syncerr_tui.salesforce.methods import Check, CheckState
from syncerr_tui.text import one_line
from syncerr_tui.words import sentence

if TYPE_CHECKING:
    from syncerr_tui.journal.database import Server
    from syncerr_tui.salesforce.concurrency import TokenProvider
    from syncerr_tui.salesforce.profiles import OrgProfile

_LARGE = 500_000_000
"""Bytes. A journal of a million rows; nothing breaks, but somebody should know."""


@org_command
@json_option("One JSON object a line: name, state, reason, advice.")
@click.option("--done", multiple=True, metavar="VALUE", help="Confirm: this status means carried out.")
async def command(choice: OrgChoice, *, done: tuple[str, ...]) -> int:
    """Check the way to an org: login, user, limits, names, method, permissions, clock, network, journal.

    Ends with 0 when nothing failed, with 1 otherwise. Warnings do not count. No secret is printed.
    """
    if done:
        _confirm(choice, done)
    from syncerr_tui.salesforce.doctor import check_org

    good = True
    good &= _tell(_version())
    async with reach(choice) as (profile, tokens):
        good &= _tell(_journal(profile))
        async for check in check_org(profile, tokens):
            good &= _tell(check)
        good &= _tell(await _safeguards(profile, tokens))
    return ExitCode.OK if good else ExitCode.NOT_ALL_FIXED


def _confirm(choice: OrgChoice, done: tuple[str, ...]) -> None:
    """Keep it in the profile that these status values mean done."""
    from syncerr_tui.salesforce.profile_files import add_done_values

    if not choice.org:
        raise BadInputError("--done needs an org that is set up", "Name it with --org NAME")
    add_done_values(profile_folder(), choice.org, done)
    say(f"Kept in the profile {choice.org}: {one_line(', '.join(done))} means done.")


async def _safeguards(profile: OrgProfile, tokens: TokenProvider) -> Check:
    """What is off because of us, and what may be fixed from here at all."""
    from syncerr_tui.cli._connect import OpenOrg, off_summary, put_back_words
    from syncerr_tui.fixes.org import FixScope
    from syncerr_tui.salesforce.connect import connect

    try:
        async with OpenOrg.closing(await connect(profile, tokens)) as org:
            off, policy = await org.safeguards_off(), org.session.fixes().policy
    except SyncErrError as error:
        return Check.warning("safeguards", f"not checked: {error.title}", error.hint)
    if off:
        return Check.warning("safeguards", off_summary(off), put_back_words(off))
    allowed = [scope.value for scope in FixScope if not policy.refusal(scope)]
    may = f"fixes allowed here: {', '.join(allowed)}" if allowed else "no fixes allowed here"
    return Check.ok("safeguards", f"none is switched off from here; {may}")


def _version() -> Check:
    """What this is, and what it runs on."""
    facts = f"syncerr-tui {__version__}, Python {platform.python_version()}, {platform.system()}"
    return Check.ok("version", facts)


def _journal(profile: OrgProfile) -> Check:
    """Where the journal is, whether it can be used, of which version it is, and how large."""
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.journal.database import Server
    from syncerr_tui.journal.places import journal_folder, shared_place
    from syncerr_tui.salesforce.auth.secrets import journal_password

    try:
        place = shared_place(profile.journal, journal_password(profile, os.environ))
        if isinstance(place, Server):
            return _team_journal(place, profile.org_id)
        return _file_journal(place or journal_folder(Paths.of().state), profile.org_id, shared=bool(place))
    except SyncErrError as error:
        return Check.failed("journal", error.title, error.hint)


def _team_journal(server: Server, org_id: str | None) -> Check:
    from syncerr_tui.journal.postgres import PostgresDatabase

    if org_id is None:
        advice = "Run 'syncerr-tui setup', so that the profile knows the org"
        return Check.warning("journal", f"{server.name}, not checked", advice)
    return Check.ok("journal", PostgresDatabase.examine(server, org_id))


def _file_journal(place: Path, org_id: str | None, *, shared: bool) -> Check:
    """This user's journals in their folder, or the one file that the profile names."""
    from syncerr_tui.journal.sqlite_file import refuse_network, schema_version

    if shared:
        refuse_network(place)
    try:
        paths = [place] if shared else [place / name for name in os.listdir(place)]  # noqa: PTH208
        size = sum(path.stat().st_size for path in paths if shared or path.name.startswith("journal-"))
    except FileNotFoundError:
        size = 0
    except OSError as problem:
        reason = f"{place} cannot be read: {problem.strerror}"
        return Check.failed("journal", reason, "Check the permissions")
    if not size:
        return Check.ok("journal", f"none yet; it will be kept in {place}")
    version = schema_version(place if shared else place / f"journal-{org_id}.db")
    reason = f"{size / 1_000_000:.1f} MB in {place}{f', schema {version}' if version else ''}"
    if shared and os.name == "posix" and place.parent.stat().st_mode & 0o2070 != 0o2070:
        advice = f"For several users run: chmod 2770 {place.parent}, and chgrp it to a group of theirs"
        return Check.warning("journal", reason, advice)
    if size > _LARGE:
        return Check.warning(
            "journal", reason, "Move the file away while no re-sync is under way: a new one is begun"
        )
    return Check.ok("journal", reason)


def _tell(check: Check) -> bool:
    """Print one check; False where it failed."""
    advice = f". {sentence(check.advice)}" if check.advice else ""
    tell(asdict(check), f"{padded(check.state.value, 7)}  {padded(check.name, 12)}  {check.reason}{advice}")
    return check.state is not CheckState.FAILED
