"""`syncerr-tui watch`: looks at an org again and again, and tells people what is new and what is cleared."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncerr_tui.cli._connect import OpenOrg, OrgChoice, org_command, reach
from syncerr_tui.cli._console import as_json, emit, emit_json, json_option, say
from syncerr_tui.cli._options import packed
from syncerr_tui.errors import BadInputError, NotLoggedInError, SyncErrError
from syncerr_tui.text import one_line
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.host.hooks import Hook
    from syncerr_tui.model import SyncError
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.watch.delivery import Message, Notifier, Schedule
    from syncerr_tui.watch.watcher import CauseSeen, Changes, Watcher


@dataclass(frozen=True, slots=True)
class _WatchOptions:
    interval: float
    """Seconds."""
    metrics: Path | None
    schedule: Schedule
    """When people are told."""
    channels: tuple[tuple[str, Notifier | Hook], ...]
    """Each with its name in the state file, from which nothing of a secret can be told."""


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _notifier(place: str) -> Notifier:
    from syncerr_tui.salesforce.auth.secrets import Secrets
    from syncerr_tui.salesforce.profiles import SecretRef
    from syncerr_tui.watch.delivery import Notifier

    kind, _, where = place.partition(":")
    if kind not in {"env", "file", "keyring"} or not where:
        raise BadInputError(
            "--notify takes no address: it may hold secrets, and others can read a command line",
            "Keep it elsewhere: --notify env:NAME, file:PATH (mode 0600) or keyring:SERVICE/USER",
        )
    return Notifier(Secrets(os.environ).get(SecretRef(kind, where), "address to notify"), place)


def _hook(command: str) -> Hook:
    from syncerr_tui.host.hooks import Hook

    try:
        words = tuple(shlex.split(command))
    except ValueError:
        words = ()
    if not words:
        raise BadInputError("--hook is not a command", "Write it as in a shell: --hook '/srv/page-me --loud'")
    return Hook(f"The hook {one_line(words[0])[:60]}", words)


async def _tell_channels(options: _WatchOptions, watcher: Watcher, session: OrgSession) -> None:
    """Tell each channel what it does not know yet. What could not be delivered is due again."""
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.watch.delivery import ChannelState, ChannelStateFile, after, due

    org, now = session.identity, _now()
    file = ChannelStateFile(Paths.of(os.environ).state / "watch" / f"{org.org_id}.json")
    known, causes = file.read(), watcher.causes
    last_told = dict(known)
    for key, channel in options.channels:
        if key not in last_told:  # what is there at the first start is no news
            last_told[key] = after(ChannelState({}, {}), causes, None)
            continue
        message = due(last_told[key], causes, org.name, len(watcher.errors))
        if message is None or not options.schedule.allows(now, last_told[key].at):
            continue
        failure = await _send(channel, message, session, now)
        if failure:
            _report("trouble", f"{failure}; it is tried again at the next look")
        else:
            last_told[key] = after(last_told[key], causes, now)
    if last_told != known:
        try:
            file.write(last_told)
        except SyncErrError as error:
            _report("trouble", error.line)


async def _send(channel: Notifier | Hook, message: Message, session: OrgSession, now: datetime) -> str:
    """Send one message. Gives what went wrong; empty: delivered."""
    from syncerr_tui.host.hooks import Hook, run_to_end
    from syncerr_tui.salesforce.auth.secrets import environ_without_secrets

    if not isinstance(channel, Hook):
        return await channel.send(message.title, message.body)
    text = json.dumps(message.payload(session.identity.name, now), ensure_ascii=False)
    ran = await run_to_end(channel, f"{text}\n", environ_without_secrets(os.environ, session.profile))
    return "" if ran.fine else ran.line


_SHORTEST = 10.0
"""Seconds between two looks, at least: a day has a limited number of calls."""
_LISTED = 20
"""Rows of one kind that are named one by one in a look."""
_LOGIN_WAIT = 900.0
"""Seconds before a refused login is tried once more: a user that fails too often is locked out."""
_LOGINS = 3
"""Refused logins in a row after which it ends."""
_WARNING, _CRITICAL, _UNKNOWN = 1, 2, 3
"""Exit codes of `--once`, as Nagios and its kin understand them."""


def _wishes(
    interval: str,
    notify: Sequence[str],
    hook: Sequence[str],
    metrics: Path | None,
    digest: str,
    quiet: str | None,
) -> _WatchOptions:
    from syncerr_tui.watch.delivery import Schedule, parse_quiet, parse_span

    seconds = parse_span(interval, "--interval").total_seconds()
    if seconds < _SHORTEST:
        raise BadInputError("--interval is too short", f"The shortest is {_SHORTEST:.0f}s")
    schedule = Schedule(parse_span(digest, "--digest"), parse_quiet(quiet) if quiet else None)
    channels = [(_key(place), _notifier(place)) for place in notify]
    return _WatchOptions(seconds, metrics, schedule, (*channels, *((_key(one), _hook(one)) for one in hook)))


@org_command
@packed(
    "options",
    _wishes,
    interval=click.option(
        "--interval", metavar="TIME", default="60s", show_default=True, help="Time between two looks."
    ),
    notify=click.option(
        "--notify",
        multiple=True,
        metavar="WHERE",
        help="Tell people through Apprise: env:NAME, file:PATH or keyring:SERVICE/USER that holds the "
        "address (mailto://, slack://, msteams:// ...). May be repeated.",
    ),
    hook=click.option(
        "--hook", multiple=True, metavar="COMMAND", help="Run this with JSON on stdin, without a shell."
    ),
    metrics=click.option(
        "--metrics",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write metrics for Prometheus to this file.",
    ),
    digest=click.option(
        "--digest", metavar="TIME", default="0s", help="The shortest time between two messages."
    ),
    quiet=click.option("--quiet", metavar="FROM-TO", help="No messages in these hours, e.g. 22:00-06:00."),
)
@json_option("One JSON line for each thing that happens.")
@click.option("--once", is_flag=True, help="Look once and end: for cron and monitoring.")
@click.option("--fail-on", metavar="FILTER", help="With --once: exit 2 where an error matches.")
@click.option("--warn-on", metavar="FILTER", help="With --once: exit 1 where an error matches.")
async def command(
    choice: OrgChoice, *, options: _WatchOptions, once: bool, fail_on: str | None, warn_on: str | None
) -> int:
    """Watch an org: say what is new, changed, gone and cleared, and tell people.

    People get one message about each cause, another one when it has doubled, and one when it is cleared. With
    --once the exit code is 0: fine, 1: warning, 2: critical, 3: the org could not be read.
    """
    from syncerr_tui.cli._choosing import read_filter

    if (fail_on or warn_on) and not once:
        raise BadInputError("--fail-on and --warn-on belong to --once", "Add --once")
    for text in filter(None, (fail_on, warn_on)):
        read_filter(text)
    if once:
        return await _once(choice, options, fail_on, warn_on)
    return await _watch(choice, options)


async def _once(choice: OrgChoice, options: _WatchOptions, fail_on: str | None, warn_on: str | None) -> int:
    from syncerr_tui.cli._choosing import filter_over
    from syncerr_tui.stopwatch import utc_now

    try:
        async with (
            reach(choice) as (profile, tokens),
            OpenOrg.closing(await _connect(profile, tokens)) as org,
        ):
            watcher = _watcher(org.session)
            await watcher.look()
            await _publish(options, watcher, org)
            handlings = org.handlings(watcher.graph)
    except SyncErrError as error:
        emit(f"UNKNOWN - {error.line}")
        return _UNKNOWN
    worst, words = 0, ""
    for text, code, word in ((warn_on, _WARNING, "WARNING"), (fail_on, _CRITICAL, "CRITICAL")):
        if text:
            only = filter_over(watcher.graph, text, handlings)
            count = sum(only.matches(error, utc_now()) for error in watcher.errors.values())
            if count:
                worst, words = (
                    code,
                    f"{word} - {plural(count, 'sync error')} {'matches' if count == 1 else 'match'} {text}; ",
                )
    total, causes = len(watcher.errors), len(watcher.causes)
    state = words or "OK - "
    emit(f"{state}{plural(total, 'sync error')}, {plural(causes, 'cause')} | errors={total} causes={causes}")
    return worst


async def _watch(choice: OrgChoice, options: _WatchOptions) -> int:
    refused, trouble = 0, ""
    watcher: Watcher | None = None
    async with reach(choice) as (profile, tokens):
        session: OrgSession | None = None
        try:
            while True:
                try:
                    if session is None:
                        session = await _connect(profile, tokens)
                        if watcher is None:
                            watcher = _watcher(session)
                        watcher.org = session
                    assert watcher is not None
                    first = not watcher.started
                    look = await watcher.look()
                    if trouble:
                        _report("back", "The org answers again")
                    refused, trouble = 0, ""
                    if first:
                        say(_begun(watcher, options))
                    with OpenOrg(session) as org:
                        _tell(look, _reasons(org, look))
                        await _publish(options, watcher, org)
                    wait = options.interval
                except NotLoggedInError as error:
                    if session is None:
                        refused += 1
                        if refused >= _LOGINS:
                            raise
                    wait = options.interval if session is not None else _LOGIN_WAIT
                    await _close(session)
                    session = None
                    trouble = _report_error(trouble, error)
                except SyncErrError as error:
                    if isinstance(error, BadInputError):
                        raise
                    trouble = _report_error(trouble, error)
                    wait = options.interval
                await asyncio.sleep(wait)
        finally:
            await _close(session)


async def _connect(profile: Any, tokens: Any) -> OrgSession:  # noqa: ANN401 - what `reach` gives
    from syncerr_tui.salesforce.connect import connect

    return await connect(profile, tokens)


async def _close(session: OrgSession | None) -> None:
    if session is not None:
        await session.close()


def _watcher(session: OrgSession) -> Watcher:
    from syncerr_tui.stopwatch import steady_seconds
    from syncerr_tui.watch.watcher import Watcher

    return Watcher(session, steady_seconds)


def _begun(watcher: Watcher, options: _WatchOptions) -> str:
    counts = f"{plural(len(watcher.errors), 'sync error')}, {plural(len(watcher.causes), 'cause')}"
    return f"{counts}. Looking again every {options.interval:.0f} s; ctrl-c ends it."


def _report_error(before: str, error: SyncErrError) -> str:
    """Say once what is wrong, and again when it is something else."""
    if error.line != before:
        _report("trouble", error.line)
    return error.line


def _report(event: str, words: str) -> None:
    if as_json():
        emit_json({"at": _now().isoformat(), "event": event, "detail": words})
    else:
        say(f"{_now().astimezone():%H:%M:%S}  {words}")


def _tell(look: Changes, reasons: dict[str, str]) -> None:
    from syncerr_tui.watch.delivery import seen_payload

    now = _now()
    if as_json():
        at = now.isoformat()
        emit_json(
            *({"at": at, "event": "new", **error.payload()} for error in look.new),
            *({"at": at, "event": "changed", **error.payload()} for error in look.changed),
            *(
                {"at": at, "event": "gone", **error.payload(), "reason": reasons[error.id]}
                for error, _ in look.gone
            ),
            *({"at": at, "event": "cause", **seen_payload(cause)} for cause in look.causes),
            *({"at": at, "event": "cleared", **seen_payload(cause)} for cause in look.cleared),
        )
        return
    clock = f"{now.astimezone():%H:%M:%S}"
    groups: tuple[tuple[str, list[str]], ...] = (
        ("new", [_row(error) for error in look.new]),
        ("changed", [_row(error) for error in look.changed]),
        ("gone", [f"{error.short_name} {error.id}: {reasons[error.id]}" for error, _ in look.gone]),
        ("cause", [_cause(cause) for cause in look.causes]),
        ("cleared", [cause.headline for cause in look.cleared]),
    )
    for word, lines in groups:
        emit(*(f"{clock}  {word:<8} {line}" for line in lines[:_LISTED]))
        if lines[_LISTED:]:
            emit(f"{clock}  {word:<8} and {len(lines) - _LISTED:,} more")


def _row(error: SyncError) -> str:
    return f"{error.object} {error.event_type.value} {error.id}: {error.code or error.message[:80]}"


def _cause(cause: CauseSeen) -> str:
    return f"{cause.headline} ({plural(cause.held, 'error')}; --cause {cause.example})"


def _reasons(org: OpenOrg, look: Changes) -> dict[str, str]:
    """Why each row is gone: proven by a run of the journal, else as the org shows it."""
    from syncerr_tui.journal.history import History
    from syncerr_tui.journal.row_history import row_endings
    from syncerr_tui.triage.news import gone_by_org

    if not look.gone:
        return {}
    reasons = {error.id: gone_by_org(error, seen).why for error, seen in look.gone}
    with suppress(SyncErrError):
        journal = org.journal
        history, ids = History(journal), list(reasons)
        for row, ended in row_endings(journal, ids).items():
            if ended.verdict.proven:
                reasons[row] = f"{ended.verdict.value} by {ended.by} at {ended.at.astimezone():%H:%M}"
        for row, attempt in history.open_attempts(ids).items():
            run = history.run(attempt.run)
            reasons[row] = f"sent by {run.os_user if run else 'a run'}, not proven yet"
    return reasons


async def _publish(options: _WatchOptions, watcher: Watcher, org: OpenOrg) -> None:
    """Write the figures, and tell the channels what they do not know yet. What fails is due again."""
    if options.metrics is not None:
        try:
            await _write_metrics(options.metrics, watcher, org)
        except SyncErrError as error:
            _report("trouble", error.line)
    if options.channels:
        await _tell_channels(options, watcher, org.session)


async def _write_metrics(path: Path, watcher: Watcher, org: OpenOrg) -> None:
    from syncerr_tui.watch.delivery import Metrics, render, write_whole

    off: int | None = None
    with suppress(SyncErrError):
        off = len(await org.safeguards_off())
    name, usage = org.session.identity.name, org.session.usage
    figures = Metrics(name, _now(), watcher.errors, watcher.causes, off, usage)
    await asyncio.to_thread(write_whole, path, list(render(figures)), 0o644)


def _now() -> datetime:
    from syncerr_tui.stopwatch import utc_now

    return utc_now()
