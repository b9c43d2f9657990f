"""Applying a fix and putting it back: read fresh, journal, write, read again.

A write leaves at most once for each line of the journal that announces it. What an answer says is never
believed, a refusal included: only what a re-read shows counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Self

from syncerr_tui.diagnosis.explanation import Explanation
from syncerr_tui.errors import (
    BadInputError,
    MachineError,
    NotLoggedInError,
    NotSentError,
    RefusedError,
    SyncErrError,
)
from syncerr_tui.fixes.ledger import FixLedger
from syncerr_tui.fixes.model import (
    FixOption,
    FixRecord,
    FixRequest,
    FixResult,
    FixState,
    SafeguardNow,
    SafeguardState,
    options_for,
    same_values,
    seen_hash,
    state_of,
    undo_values,
)
from syncerr_tui.fixes.org import FixChange, FixKind, FixOrg, TargetReading, Undo, Values
from syncerr_tui.model import SyncError
from syncerr_tui.stopwatch import Leaving, Stopwatch

if TYPE_CHECKING:
    from syncerr_tui.journal.journal import Journal

_AGREEING = 3
"""Readings until two in a row have to be alike."""
_REREADS = (0.0, 1.0, 3.0)
"""Seconds before each try to see what a request has done."""
_RESTORES = (0.0, 2.0, 5.0, 10.0)
"""Seconds before each try to put a safeguard back at the end of a run."""

_LEFT_EMPTY = "Rows whose field was left empty meanwhile will fail at their next edit"


class Fixer:
    """Applies fixes to one org and keeps its ledger."""

    def __init__(
        self,
        org: FixOrg,
        ledger: FixLedger,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self._stopwatch = stopwatch or Stopwatch.of_this_machine()
        self._org = org
        self._ledger = ledger
        self.policy = org.policy
        """What may be done there."""
        self.sleep = sleep

    @classmethod
    def of(
        cls,
        org: FixOrg,
        journal: Journal,
        os_user: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> Self:
        """What applies fixes to an open org."""
        return cls(org, FixLedger(journal, os_user=os_user, org_user=org.org_user), sleep=sleep)

    async def options(
        self, errors: Sequence[tuple[SyncError, Explanation]], *, named: str = ""
    ) -> list[FixOption]:
        """The fixes of some errors with one cause, smallest scope first.

        Args:
            errors: With what is known about them.
            named: A record that a person asks for: told as settled where nothing blocks there any more.

        Raises:
            NotLoggedInError, UnreachableError: The org could not be asked.
        """
        options = options_for(await self._org.facts(errors, named=named), self.policy)
        return [self._with_line(option) for option in options]

    def _with_line(self, option: FixOption) -> FixOption:
        """Says of what is so already whether it is our doing."""
        line = self._ledger.open_for(option.kind, option.target) if option.kind.is_safeguard else None
        if line is None or not option.settled:
            return option
        return replace(option, settled=f"Switched off by fix {line.id} of {line.by}")

    async def typed(self, option: FixOption, values: Mapping[str, str]) -> Values:
        """What a person typed, as the org's fields hold it.

        Raises:
            BadInputError: It is no value of its field, or names no active user.
        """
        return await self._org.typed(option.kind, option.target, values) if values else {}

    @property
    def ledger(self) -> FixLedger:
        return self._ledger

    def check(self, option: FixOption, values: Values, confirm: str = "") -> Values:
        """What would be written, before anything is asked of the org.

        Args:
            option: As it was shown.
            values: Field -> new value, for what the option wants.
            confirm: The target's name, as the person typed it; needed in production only.

        Raises:
            RefusedError: It may not be done: its profile, permission, or only by hand.
            BadInputError: A value is missing or superfluous, or another name was typed.
        """
        option.check_choice(values)
        if self.policy.names_target and confirm != option.target.name:
            raise BadInputError(
                f"This is a production org: its target's name {'differs' if confirm else 'is missing'}",
                f"Type it as it stands there: --confirm '{option.target.name}'",
            )
        return {**option.after, **values}

    async def apply(self, request: FixRequest) -> FixResult:
        """Make a change and prove it.

        Raises:
            RefusedError: It may not be done, or it changed since it was shown. Nothing was written.
            BadInputError: As `check`. Nothing was written.
            NotSentError: The request did not reach the org.
            MachineError: The journal cannot be written; it says so where a request had left before.
            SyncErrError: The org could not be read beforehand; nothing was written.
        """
        option = request.option
        after = self.check(option, request.values, request.confirm)
        kind, target = option.kind, option.target
        reading, leaving = await self._read_steady(FixChange(kind, target, after))
        before = reading.part(after)
        if request.seen and seen_hash(target, reading.whole) != request.seen:
            raise RefusedError(
                f"{target.name} was changed since it was shown; nothing was written",
                "Look at it again, then decide",
            )
        if before == after:
            line = self._ledger.open_for(kind, target) if kind.is_safeguard else None
            why = (
                f"switched off by fix {line.id} of {line.by}"
                if line
                else "it was like that already, not by this tool; left as it is"
            )
            return FixResult(line.id if line else "", FixState.ALREADY, True, before, before, why)
        if option.settled and option.wants:
            raise RefusedError(f"{option.settled}: nothing was written", "Look at the error again")
        change = FixChange(kind, target, after, before)
        record = self._ledger.begin(change, reading.whole, event=request.event, reason=request.reason)
        answer, words = await self._write(change, reading, leaving)
        with _sent(record):
            self._ledger.outcome(record.id, answer, words)
            if answer == "not sent":
                self._ledger.close(record.id, "the request did not reach the org")
                raise NotSentError(words, "Nothing was changed")
            result = await self._prove(
                record, record, reading, lambda now: _applied(record, reading, now, answer, words)
            )
            if answer == "accepted" and result.state is FixState.UNKNOWN:
                self._ledger.outcome(record.id, "unknown", result.detail)
            return result

    async def _read(self, change: FixChange) -> tuple[TargetReading | None, Leaving]:
        """The target; and what lets a write that rests on this reading leave, as long as it is fresh."""
        asked = self._stopwatch.now()
        reading = await self._org.read_target(change)
        at = self._stopwatch.answered(asked)
        return reading, lambda: self._stopwatch.check_fresh(at)

    async def _read_steady(self, change: FixChange) -> tuple[TargetReading, Leaving]:
        """The target, read until two readings agree: writing it whole must not undo somebody's edit."""
        last: TargetReading | None = None
        for _ in range(_AGREEING):
            reading, leaving = await self._read(change)
            if reading is None:
                raise RefusedError(f"{change.target.name} is no longer in the org", "Look at the error again")
            if last is not None and last.whole == reading.whole:
                return reading, leaving
            last = reading
        raise RefusedError(
            f"{change.target.name} is being changed by somebody else right now; nothing was written",
            "Wait until they are done, then look again",
        )

    async def _write(self, change: FixChange, reading: TargetReading, leaving: Leaving) -> tuple[str, str]:
        """Send it once. How it ended, and in which words."""
        try:
            await self._org.write_target(change, reading, leaving)
        except NotSentError as error:
            return "not sent", error.line
        except (RefusedError, BadInputError, NotLoggedInError) as error:
            return "refused", error.line
        except SyncErrError as error:
            return "unknown", error.line
        return "accepted", ""

    async def _reread(self, change: FixChange) -> TargetReading | SyncErrError | None:
        """The target after a write; as soon as it shows the change, else as it stays."""
        reading: TargetReading | SyncErrError | None = None
        for pause in _REREADS:
            if pause:
                await self.sleep(pause)
            try:
                reading = await self._org.read_target(change)
            except SyncErrError as error:
                reading = error
                continue
            if reading is not None and same_values(reading.values, change.after):
                return reading
        return reading

    async def _prove(
        self,
        record: FixRecord,
        change: FixChange,
        start: TargetReading,
        judge: Callable[[TargetReading], _Outcome],
    ) -> FixResult:
        """What a re-read shows of a write.

        Args:
            record: The fix.
            change: What was written: the fix itself, or what undoes it.
            start: The target just before.
            judge: Says what comes of it where the target can be read.
        """
        before, reading = start.part(record.after), await self._reread(change)
        if isinstance(reading, SyncErrError):
            words = f"It could not be read again: {reading.line}"
            return FixResult(record.id, FixState.UNKNOWN, False, before, {}, words, unreachable=True)
        if reading is None:
            self._ledger.close(record.id, "gone from the org")
            words = f"{record.target.name} is no longer in the org"
            return FixResult(record.id, FixState.UNKNOWN, False, before, {}, words)
        outcome = judge(reading)
        if outcome.closed:
            self._ledger.close(record.id, outcome.closed)
        shown = reading.part(record.after)
        return FixResult(record.id, outcome.state, outcome.verified, before, shown, outcome.detail)

    # -- the ledger

    async def safeguards(self) -> list[SafeguardNow]:
        """Every open line with its state re-read now. A line that is on again, or gone, is closed by this."""
        return [await self._look(record) for record in self._ledger.open_safeguards()]

    async def look(self, fix: str) -> SafeguardNow:
        """A line with its state re-read now, closed or not.

        Raises:
            BadInputError: There is no such fix.
        """
        return await self._look(self._ledger.get(fix))

    async def _look(self, record: FixRecord) -> SafeguardNow:
        try:
            reading = await self._org.read_target(record)
        except SyncErrError as error:
            return SafeguardNow(record, SafeguardState.UNKNOWN, {}, error.line)
        state = state_of(record, reading)
        now = reading.part(record.after) if reading else {}
        late = "A request that is not seen to be done may be carried out late: this stays for ten minutes"
        return SafeguardNow(record, state, now, "" if self._close_if_restored(record, state) else late)

    def _close_if_restored(self, record: FixRecord, state: SafeguardState) -> bool:
        """Take a line off whose target is gone or as before; False where a lost request may still come."""
        if record.closed:
            return True
        if state is SafeguardState.GONE:
            self._ledger.close(record.id, "gone from the org")
        elif state is SafeguardState.ON:
            if record.may_change_late(self._ledger.now()):
                return False
            self._ledger.close(record.id, "a re-read shows it on")
        return True

    async def restore(self, fix: str) -> FixResult:
        """Put back what a fix changed, from a fresh reading: everything else stays as it is now.

        Raises:
            BadInputError: There is no such fix.
            RefusedError: It cannot be undone, was never made, or this org may not be changed.
            SyncErrError: The org could not be read; nothing was written.
        """
        record = self._ledger.get(fix)
        if self.policy.read_only:
            raise RefusedError("Read-only: nothing is put back", "Leave --read-only out")
        if record.kind.undo is Undo.NONE:
            raise RefusedError("This fix cannot be undone", "See what it did in 'syncerr-tui journal'")
        reading, leaving = await self._read(record)
        state = state_of(record, reading)
        over = self._close_if_restored(record, state)
        if reading is None:
            return FixResult(
                record.id, FixState.ALREADY, True, {}, {}, "It is no longer in the org; its entry is closed"
            )
        now = reading.part(record.after)
        back = replace(record, after=undo_values(record))
        if state is SafeguardState.ON:
            late = "It stays on the ledger for ten minutes: a request may be carried out late"
            detail = "It is as before already" if over else late
            return FixResult(record.id, FixState.ALREADY, True, now, now, detail)
        if state is not SafeguardState.OFF:
            return FixResult(record.id, FixState.REFUSED, False, now, now, _why_left_alone(record))
        if record.kind is FixKind.FLOW_OFF and not await self._org.has_version(
            record.target, int(record.before["activeVersionNumber"]), record.whole
        ):
            words = (
                f"Version {record.before['activeVersionNumber']} is gone; activate another one, then --accept"
            )
            return FixResult(record.id, FixState.REFUSED, False, now, now, words)
        self._ledger.restoring(record.id)
        answer, words = await self._write(back, reading, leaving)
        with _sent(record):
            self._ledger.restored(record.id, answer, words)
            return await self._prove(record, back, reading, lambda now: _put_back(back, now, answer, words))

    async def restore_with_retries(self, fix: str) -> FixResult:
        """`restore`, tried again while the org is locked or away: for the end of a run. Never raises."""
        result = FixResult(fix, FixState.UNKNOWN, False, {}, {}, "")
        for pause in _RESTORES:
            if pause:
                await self.sleep(pause)
            try:
                result = await self.restore(fix)
            except SyncErrError as error:
                result = replace(result, detail=error.line)
                continue
            if result.verified:
                return result
        return result

    async def accept(self, fix: str) -> SafeguardNow:
        """Close a line although it is not as before: another version of the Flow is meant to be active.

        Raises:
            BadInputError: There is no such line.
            RefusedError: It is off.
        """
        record = self._ledger.get(fix)
        now = await self._look(record)
        if now.state in {SafeguardState.OFF, SafeguardState.UNKNOWN}:
            raise RefusedError(
                f"{record.target.name} is {now.state.value}: its entry stays", "Put it back with --restore"
            )
        if now.state is SafeguardState.OTHER_VERSION:
            self._ledger.close(record.id, "a person accepted the version that is active now")
        return now

    async def record(self, text: str, *, reason: str = "") -> FixRecord:
        """Put a safeguard on the ledger that a person switched off by hand.

        Raises:
            BadInputError: There is no such safeguard.
            RefusedError: It is not off.
        """
        change = await self._org.find_safeguard(text)
        reading = await self._org.read_target(change)
        if reading is None or not same_values(reading.values, change.after):
            raise RefusedError(f"{change.target.name} is not off", "Only what is off is put on the ledger")
        if line := self._ledger.open_for(change.kind, change.target):
            return line
        return self._ledger.begin(change, reading.whole, reason=reason, by_hand=True)


@contextmanager
def _sent(record: FixRecord) -> Iterator[None]:
    """From here on a journal that fails must not say that nothing was sent."""
    try:
        yield
    except MachineError as error:
        shown = "safeguards" if record.kind.is_safeguard else "journal --fixes"
        raise MachineError(
            f"A change of {record.target.name} was sent, and its outcome could not be kept. {error.title}",
            f"Free the disk, then see 'syncerr-tui {shown}'",
        ) from error


class _Outcome(NamedTuple):
    """What a re-read says of a write."""

    state: FixState
    detail: str
    closed: str = ""
    """Why it is off the ledger now; empty: it stays as it is."""
    verified: bool = False


def _applied(
    record: FixRecord, start: TargetReading, reading: TargetReading, answer: str, words: str
) -> _Outcome:
    if same_values(reading.values, record.after):
        detail = {
            "accepted": "A re-read shows it.",
            "refused": "Salesforce answered with an error, and a re-read shows that it was done.",
            "unknown": "No answer came back, and a re-read shows that it was done.",
        }[answer]
        if record.kind is FixKind.NOT_REQUIRED:
            detail = f"{detail} {_LEFT_EMPTY}, once it is required again."
        alone = start.rest == reading.rest
        more = "" if alone else f" Something else in {record.target.name} changed too: look at it."
        closed = "" if record.kind.is_safeguard else "applied"
        return _Outcome(FixState.APPLIED, f"{detail}{more}", closed, verified=alone)
    if answer == "refused":
        return _Outcome(FixState.REFUSED, words, "refused; a re-read shows it as before")
    if answer == "accepted":
        detail = "Salesforce accepted it, and a re-read does not show it: changed back, or carried out late"
        return _Outcome(FixState.UNKNOWN, detail)
    detail = f"{words} A re-read does not show it yet; it may still be carried out within ten minutes"
    return _Outcome(FixState.UNKNOWN, detail)


def _put_back(back: FixChange, reading: TargetReading, answer: str, words: str) -> _Outcome:
    if same_values(reading.values, back.after):
        detail = "Put back; a re-read shows it"
        return _Outcome(FixState.APPLIED, detail, "put back; a re-read shows it", verified=True)
    state = FixState.REFUSED if answer in {"refused", "not sent"} else FixState.UNKNOWN
    return _Outcome(state, words or "A re-read does not show it")


def _why_left_alone(record: FixRecord) -> str:
    if record.kind is FixKind.FLOW_OFF:
        return (
            f"Another version than {record.before.get('activeVersionNumber')} is active: it is left alone. "
            f"If that is meant to be, close its entry with --accept {record.id}"
        )
    return "It is neither as before nor as the fix left it: somebody changed it, and it is left alone"
