"""Who is told by a watch: addresses for Apprise and commands of the user's, and what each knows already."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncerr_tui.errors import BadInputError, SyncErrError
from syncerr_tui.text import one_line

if TYPE_CHECKING:
    from syncerr_tui.host.hooks import Hook
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.watch.delivery import Notifier
    from syncerr_tui.watch.telling import Message, Schedule
    from syncerr_tui.watch.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Channels:
    """All who are told, and when."""

    schedule: Schedule
    members: tuple[tuple[str, Notifier | Hook], ...]
    """Each with its name in the state file, from which nothing of a secret can be told."""

    @classmethod
    def of(cls, schedule: Schedule, notify: Sequence[str], hooks: Sequence[str]) -> Channels:
        """From the options of the command.

        Raises:
            BadInputError, NotLoggedInError: One of them cannot be used.
        """
        members: list[tuple[str, Notifier | Hook]] = [(_key(place), _notifier(place)) for place in notify]
        members += [(_key(command), _hook(command)) for command in hooks]
        return cls(schedule, tuple(members))


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _notifier(place: str) -> Notifier:
    from syncerr_tui.salesforce.auth.secrets import Secrets
    from syncerr_tui.salesforce.profiles import SecretRef
    from syncerr_tui.watch.delivery import Notifier

    kind, _, where = place.partition(":")
    if kind not in {"env", "file", "keyring"} or not where:
        raise BadInputError(
            "--notify takes no address: it holds secrets, and everybody on this machine sees a command line",
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


async def tell_channels(
    channels: Channels,
    watcher: Watcher,
    session: OrgSession,
    now: datetime,
    trouble: Callable[[str], object],
) -> None:
    """Tell each channel what it does not know yet. What could not be delivered is due again.

    Args:
        channels: Who is told.
        watcher: The list and its causes.
        session: Its org.
        now: This machine's time.
        trouble: Takes what went wrong, in a line.
    """
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.watch.delivery import LastToldFile
    from syncerr_tui.watch.telling import LastTold, after, due

    org = session.identity
    file = LastToldFile(Paths.of(os.environ).state / "watch" / f"{org.org_id}.json")
    known, causes = file.read(), watcher.causes
    told = dict(known)
    for key, channel in channels.members:
        if key not in told:  # what is there at the first start is no news
            told[key] = after(LastTold({}, {}), causes, None)
            continue
        message = due(told[key], causes, org.name, len(watcher.errors))
        if message is None or not channels.schedule.allows(now, told[key].at):
            continue
        failure = await _send(channel, message, session, now)
        if failure:
            trouble(f"{failure}; it is tried again at the next look")
        else:
            told[key] = after(told[key], causes, now)
    if told != known:
        try:
            file.write(told)
        except SyncErrError as error:
            trouble(error.line)


async def _send(channel: Notifier | Hook, message: Message, session: OrgSession, now: datetime) -> str:
    """Send one message. Gives what went wrong; empty: delivered."""
    from syncerr_tui.host.hooks import Hook, run
    from syncerr_tui.salesforce.auth.secrets import secret_variables

    if not isinstance(channel, Hook):
        return await channel.send(message.title, message.body)
    text = json.dumps(message.payload(session.identity.name, now), ensure_ascii=False)
    ran = await run(channel, f"{text}\n", os.environ, secret_variables(session.profile))
    return "" if ran.fine else ran.line
