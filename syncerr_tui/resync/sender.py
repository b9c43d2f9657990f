"""The rows of one wave go out: a few lanes, intent first, each answer to its row, locks given time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random

from syncerr_tui.errors import NotLoggedInError, NotSentError, RefusedError, SyncErrError, UnreachableError
from syncerr_tui.journal.journal import Journal, OutcomeKind, RowEnd
from syncerr_tui.resync import doubt, sending
from syncerr_tui.resync.book import Book
from syncerr_tui.resync.control import Control, OrgClock
from syncerr_tui.resync.events import AskPerson, BatchSent, Waiting, WaitKind
from syncerr_tui.resync.looking import look, look_before
from syncerr_tui.resync.org import EventSeen, EventStanding, Org, Receipt, RecordSeen
from syncerr_tui.resync.plan import Plan, PlannedRow
from syncerr_tui.resync.plan_file import same_row
from syncerr_tui.resync.proof import Attempt, refusal_words, request_times, same_cause
from syncerr_tui.resync.verify import after_earlier_requests, attempt_of
from syncerr_tui.stopwatch import STALE_SECONDS, Instant, Stopwatch

_LINE_TRIES = 6
_STREAK = 3


class Sender:
    """Sends one wave; afterwards `attempts` holds what has to be proven."""

    def __init__(
        self,
        org: Org,
        plan: Plan,
        journal: Journal,
        book: Book,
        control: Control,
        org_clock: OrgClock,
        *,
        stopwatch: Stopwatch,
        doubt: Callable[[EventSeen, datetime], str],
        rng: Random,
        brake: Callable[[str], None],
        moved: Callable[[], None],
    ) -> None:
        self.attempts: dict[str, Attempt] = {}
        self._org = org
        self._plan = plan
        self._journal = journal
        self._book = book
        self._control = control
        self._org_clock = org_clock
        self._stopwatch = stopwatch
        self._doubt = doubt
        self._rng = rng
        self._brake = brake
        self._moved = moved
        self._answer: asyncio.Future[bool | None] | None = None
        self._streak = 0
        self._before: dict[str, tuple[RecordSeen, ...] | None] = {}

    async def send(self, rows: Sequence[PlannedRow], wave: int) -> None:
        """Send these rows, as many requests at once as the plan has lanes. A failure stops every lane."""
        self.attempts = {}
        method = self._org.method  # a plan may be older than the profile's bounds
        waiting = deque(sending.trains(rows, min(self._plan.batch_size, method.batch_size)))

        async def lane() -> None:
            try:
                while waiting and self._control.halt is None:
                    for batch in waiting.popleft():
                        await self._deliver(batch, wave)
            except SyncErrError as problem:
                self._control.fail(problem)
            except Exception:
                self._control.stop("stopped", "a defect in this program stopped the run")
                raise

        lanes = (lane() for _ in range(min(self._plan.lanes, method.lanes, len(waiting))))
        for outcome in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def ask_person(self, rows: Sequence[PlannedRow], wave: int) -> None:
        """Guided: the intent is written, then a person presses the button for exactly these rows."""
        self.attempts = {}
        if not await self._control.may_send():
            return
        seen, sent_at, due, _ = await self._look_while_going(rows)
        if not due or self._control.halt is not None:
            return
        self._book.intend(due, seen, sent_at)
        self._answer = asyncio.get_running_loop().create_future()
        self._control.tell(AskPerson(wave, tuple(row.error for row in due), self._org.method.address))
        pressed = await self._answer
        if pressed is not False:
            accepted = [Receipt(row.error.id, accepted=True) for row in due] if pressed else []
            self._register(due, seen, sent_at, accepted, "nobody said whether Re-sync was pressed")
        else:
            self._not_sent(due, "the person did not press Re-sync")
            self._book.leave_out([row.error.id for row in due], "the person did not press Re-sync")

    def answer(self, *, pressed: bool | None) -> None:
        """What the person did; None where nobody says."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(pressed)

    # -- one batch

    async def _deliver(self, batch: Sequence[PlannedRow], wave: int) -> None:
        """One batch, and again those of its rows that the org refused because something was locked."""
        todo = deque([(list(batch), 1)])
        while todo and self._control.halt is None:
            rows, tries = todo.popleft()
            locked = await self._request(rows, wave, tries)
            if locked and tries < sending.LOCK_TRIES:
                delay = sending.lock_delay(tries, self._rng.random())
                await self._control.wait(Waiting(delay, "a record is locked", WaitKind.LOCK))
                todo.extendleft((some, tries + 1) for some in reversed(sending.after_lock(locked, tries)))

    async def _request(self, rows: Sequence[PlannedRow], wave: int, tries: int) -> list[PlannedRow]:
        """Re-read, write the intent, send, write the outcome. Gives the rows that met a lock.

        Only a request that certainly never reached the org is made again.
        """
        trouble = ""
        for attempt in range(_LINE_TRIES):
            if attempt:
                delay = self._rng.random() * 2**attempt
                await self._control.wait(Waiting(delay, "the line gets time", WaitKind.CONNECTION))
            if not await self._control.may_send():
                return []
            try:
                seen, sent_at, rows, looked = await self._look_while_going(rows)
            except (UnreachableError, NotSentError) as problem:
                trouble = problem.title
                continue
            if not rows or self._control.halt is not None:
                return []
            self._book.intend(rows, seen, sent_at)
            self._control.tell(BatchSent(wave, tuple(row.error.id for row in rows), tries))
            try:
                self._check_fresh(looked)
                receipts = await self._org.request_resync([row.error for row in rows])
            except NotSentError as problem:
                trouble = problem.title
                self._not_sent(rows, trouble)
                continue
            except (NotLoggedInError, RefusedError) as problem:
                self._not_sent(rows, problem.title)
                raise
            except SyncErrError as problem:  # it left, and what became of it only the org knows
                self._register(rows, seen, sent_at, (), problem.title)
                return []
            return self._register(rows, seen, sent_at, receipts, "no answer for this row")
        self._book.leave_out([row.error.id for row in rows], f"it never reached the org: {trouble}")
        self._count_batch(failed=True)
        return []

    def _check_fresh(self, looked: Instant) -> None:
        """Raises: NotSentError: The machine slept since the rows were looked at, or the disk was slow."""
        if self._stopwatch.gap(looked) > STALE_SECONDS:
            raise NotSentError("This machine slept before the request left", "Retry")

    async def _look_while_going(
        self, rows: Sequence[PlannedRow]
    ) -> tuple[dict[str, EventSeen], dict[str, datetime], list[PlannedRow], Instant]:
        """`_look_first`, and once more after a pause: what was seen before it proves nothing any more."""
        looked = await self._look_first(rows)
        while looked[2] and self._control.paused and await self._control.may_send():
            looked = await self._look_first(looked[2])
        return looked

    async def _look_first(
        self, rows: Sequence[PlannedRow]
    ) -> tuple[dict[str, EventSeen], dict[str, datetime], list[PlannedRow], Instant]:
        """How rows and their records stand, the org's time for each, which are due, and when we looked."""
        await self._org_clock.refresh()
        looked = self._stopwatch.now()
        seen, before = await look_before(self._org, [row.error for row in rows], lanes=self._org.method.lanes)
        self._before |= before
        now = self._org_clock.now()
        sent_at = request_times(now, seen, before)
        due, left = self._still_due(rows, seen, now)
        if left:
            await self._look_at_those_that_left(left)
        return seen, sent_at, due, looked

    async def _look_at_those_that_left(self, rows: Sequence[PlannedRow]) -> None:
        """These were processed before we sent them: by an earlier re-sync of ours, or by somebody else.

        Whether the record is right decides what may wait for it.
        """
        ours = doubt.earlier_requests(self._journal, [row.error for row in rows])
        attempts = [
            replace(attempt_of(ours[row.error.id]), earlier=True)
            if row.error.id in ours
            else Attempt(
                error=row.error,
                sent_at=row.error.processed_at or row.error.created_at or self._plan.created_at,
                stamp=None,
                answered=False,
                unsent=True,
            )
            for row in rows
        ]
        found = await look(self._org, attempts, last_look=True, same=same_cause, lanes=self._plan.lanes)
        self._book.end(
            [
                RowEnd(f.attempt.error.id, f.finding.verdict, f.finding.reason, f.finding.evidence)
                for f in found
            ]
        )

    def _still_due(
        self, rows: Sequence[PlannedRow], seen: Mapping[str, EventSeen], org_now: datetime
    ) -> tuple[list[PlannedRow], list[PlannedRow]]:
        """The precondition: still failed, and unchanged since the plan; and the rows that left that state.

        All others end here, with the reason.
        """
        due, left, ends = [], [], []
        for row in rows:
            event = row.error.id
            now = seen.get(event)
            again = event in self.attempts  # refused for a lock before: what it says now is our own doing
            if now is None:
                ends.append(RowEnd(event, None, "the org did not say where it stands"))
            elif now.standing is EventStanding.FAILED and now.error is not None:
                if again or same_row(row.error, now.error):
                    doubt = "" if again else self._doubt(now, org_now)
                    if doubt:
                        ends.append(RowEnd(event, None, doubt))
                    else:
                        due.append(row)
                else:
                    ends.append(RowEnd(event, None, "it has changed since the plan was made"))
            elif again:
                continue  # proof says what became of it
            elif now.standing is EventStanding.PENDING:
                ends.append(RowEnd(event, None, "the org is working on it already"))
            elif now.standing is EventStanding.UNCLEAR:
                why = f"its status is now '{now.status}', and nobody has confirmed what that means"
                ends.append(RowEnd(event, None, why))
            else:
                left.append(row)
        self._book.end(ends)
        return due, left

    # -- answers

    def _register(
        self,
        rows: Sequence[PlannedRow],
        seen: Mapping[str, EventSeen],
        sent_at: Mapping[str, datetime],
        receipts: Sequence[Receipt],
        silence: str,
    ) -> list[PlannedRow]:
        """Write down what the org answered, row by row; gives the rows that met a lock."""
        answers = sending.by_identity([row.error.id for row in rows], receipts)
        outcomes: list[tuple[str, OutcomeKind, str | None, str]] = []
        locked = []
        for row in rows:
            event, answer = row.error.id, answers[row.error.id]
            refusal = ""
            if answer is None:
                outcomes.append((event, OutcomeKind.UNKNOWN, None, silence))
            elif answer.accepted:
                outcomes.append((event, OutcomeKind.ACCEPTED, None, ""))
            else:
                refusal = refusal_words(answer.code, answer.reason)
                outcomes.append((event, OutcomeKind.REFUSED, answer.code, answer.reason))
                if answer.code in sending.LOCK_CODES:
                    locked.append(row)
            before = seen[event].error
            self.attempts[event] = Attempt(
                error=replace(row.error, processed_at=before.processed_at) if before else row.error,
                sent_at=sent_at[event],
                stamp=seen[event].modified_at,
                answered=answer is not None and answer.accepted,
                refusal=refusal,
                refusal_code=answer.code if answer is not None else None,
                before=self._before.get(event),
            )
        self._book.answered(outcomes)
        asked = [self.attempts[row.error.id] for row in rows]
        self.attempts |= {a.error.id: a for a in after_earlier_requests(self._journal, asked)}
        some_accepted = any(kind is OutcomeKind.ACCEPTED for _, kind, _, _ in outcomes)
        self._count_batch(failed=not some_accepted and not locked)
        self._moved()
        return locked

    def _not_sent(self, rows: Sequence[PlannedRow], reason: str) -> None:
        self._book.answered([(row.error.id, OutcomeKind.NOT_SENT, None, reason) for row in rows])

    def _count_batch(self, *, failed: bool) -> None:
        self._streak = self._streak + 1 if failed else 0
        if self._streak >= _STREAK:
            self._brake(f"{_STREAK} requests in a row failed")
