"""Looks at an org again and again, cheaply: only what has changed since the last look is asked for.

One query for the events whose SystemModstamp has moved is enough to see what is new, changed and done. What
it cannot see is an event that was deleted or hidden; the whole list is read now and then for that.

SystemModstamp is set while a transaction runs and seen when it has ended. So each query begins some time
before the last modstamp that was seen; rows that come twice are the same rows. What takes longer than that to
be committed is found by the next whole reading.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from syncerr_tui.diagnosis.causes import Cause, CauseGraph
from syncerr_tui.diagnosis.evidence import PARENT_CODE, ParentRef
from syncerr_tui.diagnosis.explanation import masked, summarize_cause
from syncerr_tui.model import EventSeen, EventStanding, SyncError

OVERLAP = timedelta(minutes=2)
"""How far each query reaches back behind the last modstamp: longer than nearly every transaction."""
SETTLED = timedelta(minutes=15)
"""After so long no transaction that began before the last modstamp is under way: nothing is read twice."""
WHOLE_EVERY = timedelta(hours=1)
"""After so long the whole list is read once more."""
_HEADLINE_OF = 50
"""Rows of a cause that are enough for its headline."""


class WatchedOrg(Protocol):
    """What is asked of an org (`salesforce.session.OrgSession`)."""

    def errors(self) -> AsyncGenerator[tuple[SyncError, ...], None]: ...

    async def changed_since(self, at: datetime) -> Sequence[EventSeen]:
        """Change events, of whatever standing, that were written at or after this moment."""
        ...

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        """Up to 2,000 events as they stand now."""
        ...

    async def parents(self, errors: Sequence[SyncError]) -> Mapping[str, tuple[ParentRef, ...]]:
        """What the org says about the parents that rows wait for."""
        ...

    async def now(self) -> datetime:
        """The org's clock."""
        ...


@dataclass(frozen=True, slots=True)
class CauseSeen:
    """A cause as a message about it needs it."""

    key: str
    code: str | None
    headline: str
    """Without personal data: it goes to chats and tickets."""
    open: int
    """Errors that fail for this reason themselves."""
    waiting: int
    example: str
    """Id of one of them."""

    @property
    def held(self) -> int:
        return self.open + self.waiting


@dataclass(frozen=True, slots=True)
class Delta:
    """What is different in an org from a list that somebody has of it."""

    whole: bool
    """The whole list was read."""
    modstamp: datetime
    """The last SystemModstamp that was seen."""
    new: tuple[SyncError, ...] = ()
    changed: tuple[SyncError, ...] = ()
    gone: tuple[tuple[SyncError, EventSeen], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes(Delta):
    """What one look found, against the one before it."""

    causes: tuple[CauseSeen, ...] = ()
    """Causes that were not there."""
    cleared: tuple[CauseSeen, ...] = ()
    """Causes of which nothing is left, as they were before."""


class ListFollower:
    """Reads what has changed in a list since it was read last: one small query, and the whole now and then.

    Args:
        steady: Seconds that only ever grow.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._modstamp: datetime | None = None
        self._modstamp_at = self._whole_at = 0.0

    @property
    def started(self) -> bool:
        return self._modstamp is not None

    async def read(self, org: WatchedOrg, known: Mapping[str, SyncError]) -> Delta:
        """What is different. It is read once more until `taken` says that the list follows it.

        Args:
            org: The org; it may be another connection to the same one each time.
            known: The list.

        Raises:
            SyncErrError: The org did not let us read. Look again later.
        """
        if self._modstamp is None or self._steady() - self._whole_at >= WHOLE_EVERY.total_seconds():
            now = await org.now()
            listed = await _listed(org)
            by_id = await org.read_events([row for row in known if row not in listed])
            return _delta(known, listed, by_id, max(now, self._modstamp or now), whole=True)
        settled = self._steady() - self._modstamp_at >= SETTLED.total_seconds()
        events = await org.changed_since(self._modstamp - (timedelta(0) if settled else OVERLAP))
        modstamps = [one.modified_at for one in events if one.modified_at is not None]
        listed = {one.id: one.error for one in events if _failed(one) and one.error is not None}
        by_id = {one.id: one for one in events}
        return _delta(known, listed, by_id, max((self._modstamp, *modstamps)), whole=False)

    def advance(self, delta: Delta) -> None:
        """Remember up to where the list is known."""
        if delta.modstamp != self._modstamp:
            self._modstamp, self._modstamp_at = delta.modstamp, self._steady()
        if delta.whole:
            self._whole_at = self._steady()


class Watcher:
    """The list of one org and its causes, kept as they are there.

    Args:
        org: The org. It may be exchanged for a new connection to the same one.
        steady: Seconds that only ever grow.
    """

    def __init__(self, org: WatchedOrg, steady: Callable[[], float]) -> None:
        self.org = org
        self.graph = CauseGraph()
        self._follower = ListFollower(steady)
        self._causes: dict[str, CauseSeen] = {}

    @property
    def started(self) -> bool:
        return self._follower.started

    @property
    def errors(self) -> Mapping[str, SyncError]:
        return self.graph.errors

    @property
    def causes(self) -> tuple[CauseSeen, ...]:
        return tuple(sorted(self._causes.values(), key=lambda cause: (-cause.held, cause.key)))

    async def look(self) -> Changes:
        """Read what has changed. The first look reads everything, and calls none of it new.

        Raises:
            SyncErrError: The org did not let us read. The list is as it was; look again later.
        """
        first = not self.started
        delta = await self._follower.read(self.org, self.errors)
        waiting = [error for error in (*delta.new, *delta.changed) if error.code == PARENT_CODE]
        parents = await self.org.parents(waiting) if waiting else {}
        self._follower.advance(delta)
        self.graph.add((*delta.new, *delta.changed))
        self.graph.relate(parents)
        self.graph.discard([error.id for error, _ in delta.gone])
        causes, cleared = self._compare_causes() if delta else ((), ())
        if first:
            return Changes(delta.whole, delta.modstamp)
        differences = (delta.whole, delta.modstamp, delta.new, delta.changed, delta.gone)
        return Changes(*differences, causes=causes, cleared=cleared)

    def _compare_causes(self) -> tuple[tuple[CauseSeen, ...], tuple[CauseSeen, ...]]:
        now = {cause.key: self._cause(cause) for cause in self.graph.causes()}
        fresh = tuple(cause for key, cause in now.items() if key not in self._causes)
        cleared = tuple(cause for key, cause in self._causes.items() if key not in now)
        self._causes = now
        return fresh, cleared

    def _cause(self, cause: Cause) -> CauseSeen:
        known, example = self._causes.get(cause.key), cause.roots[0]
        if known is not None and known.example == example:
            headline, code = known.headline, known.code
        else:
            errors = tuple(self.errors[row] for row in cause.roots[:_HEADLINE_OF])
            summary = summarize_cause(cause, errors)
            headline, code = masked(summary.headline, *summary.diagnosis.each), summary.diagnosis.root_code
        return CauseSeen(cause.key, code, headline, len(cause.roots), len(cause.victims), example)


def _delta(
    known: Mapping[str, SyncError],
    listed: Mapping[str, SyncError],
    by_id: Mapping[str, EventSeen],
    modstamp: datetime,
    *,
    whole: bool,
) -> Delta:
    """What is different from `known`, by what fails now and by how events stand.

    What the org is working on may fail again: it stays where it is until that is known.
    """
    return Delta(
        whole,
        modstamp,
        new=tuple(error for row, error in listed.items() if row not in known),
        changed=tuple(error for row, error in listed.items() if row in known and known[row] != error),
        gone=tuple(
            (known[row], one)
            for row, one in by_id.items()
            if row in known and _left(one) and row not in listed
        ),
    )


async def _listed(org: WatchedOrg) -> dict[str, SyncError]:
    listed: dict[str, SyncError] = {}
    async with aclosing(org.errors()) as pages:
        async for page in pages:
            listed |= {error.id: error for error in page}
    return listed


def _failed(seen: EventSeen) -> bool:
    return seen.standing is EventStanding.FAILED


def _left(seen: EventSeen) -> bool:
    return seen.standing in {EventStanding.DONE, EventStanding.UNCLEAR, EventStanding.GONE}
