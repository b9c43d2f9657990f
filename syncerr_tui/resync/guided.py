"""One wave that a person sends: its rows are shown, ticked off, and proven as the ticks come in.

The intent of a row is written before the row is shown, because from then on it may be pressed. That it was
pressed is written when the person says so, and only then. A row that was shown in an earlier start of the
program may have been pressed since: it is read again, and not shown to be pressed before the person says that
it was not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from syncerr_tui.errors import NotSentError, UnreachableError
from syncerr_tui.journal.attempt import Attempt, OutcomeKind, Pressed
from syncerr_tui.model import Verdict
from syncerr_tui.resync.doubt import NOBODY_SAID
from syncerr_tui.resync.events import AskPerson, Waiting, WaitKind
from syncerr_tui.resync.plan import PlannedRow
from syncerr_tui.resync.run_state import RunState
from syncerr_tui.resync.sender import CONNECTION_TRIES, FreshLooks
from syncerr_tui.resync.verification import FIRST_PAUSE, longer, look, look_concurrency
from syncerr_tui.stopwatch import Instant
from syncerr_tui.words import plural

_HEARTBEAT_SECONDS = 30.0
"""How often a run that waits for a person alone says that it lives."""
NOT_PRESSED = "the person did not press Re-sync"


class GuidedSender:
    """Asks a person for one wave at a time.

    Args:
        state: The run.
        looks: Where rows are looked at before they are shown.
        os_user: Who is asked.
    """

    def __init__(self, state: RunState, looks: FreshLooks, os_user: str) -> None:
        self._state = state
        self._looks = looks
        self._os_user = os_user or "a person"
        self._wave = 0
        self._to_press: set[str] = set()
        """Shown, and nobody has said that they were pressed."""
        self._doubtful: set[str] = set()
        """Shown in an earlier start."""
        self._left: dict[str, float] = {}
        """Rows that are read again, and for how many seconds more."""
        self._answered: set[str] = set()
        """Rows whose request has its outcome in the journal already."""
        self._declined: list[str] = []
        self._again: list[str] = []
        """In doubt, without a trace in the org, and to be pressed again all the same: a person said so."""
        self._unsaid = False
        self._heard = asyncio.Event()
        self._pause = FIRST_PAUSE
        self._looked: Instant | None = None
        self._since: datetime | None = None

    # -- what the person says

    def tick(self, events: Iterable[str], *, pressed: bool) -> frozenset[str]:
        """They pressed Re-sync for these, or take that back. Gives the ones of which it is on record now."""
        state = self._state
        ticked = self._left.keys() - self._to_press
        rows = [e for e in events if (e in self._to_press if pressed else e in ticked and not state.ended(e))]
        if rows:
            state.record_press(rows, Pressed.YES if pressed else Pressed.ASKED, os_user=self._os_user)
        for event in rows:
            if pressed:
                self._to_press.remove(event)
                self._left[event] = state.plan.proof_timeout
            else:
                self._to_press.add(event)
                if event not in self._doubtful:
                    del self._left[event]
        self._pause = FIRST_PAUSE
        self._heard.set()
        return frozenset(rows)

    def decline(self, events: Iterable[str]) -> None:
        """They did not press Re-sync for these: rows in doubt are shown again, others end as not sent."""
        self._declined += events
        self._heard.set()

    def answer(self, *, pressed: bool | None) -> None:
        """The same for all that nobody has spoken of. None: nobody says."""
        if pressed:
            self.tick(list(self._to_press), pressed=True)
        elif pressed is None:
            self._unsaid = True
            self._heard.set()
        else:
            # In doubt or not: none of them is to be shown again.
            self._doubtful.clear()
            self.decline(self._to_press)

    def put_back(self) -> None:
        """The program is left, and nothing that is not ticked was pressed: the next start shows it again."""
        attempts = [self._state.attempts[event] for event in self._to_press]
        self._to_press, self._left = set(), {}
        self._write_unsent(attempts)

    # -- one wave

    async def ask(self, rows: Sequence[PlannedRow], wave: int) -> None:
        """Show these rows, and prove them as they are ticked off, until each has its outcome or is not sent.

        Raises:
            NotLoggedInError, RefusedError, UnreachableError: The org cannot be read.
            MachineError: The journal cannot be written.
        """
        state = self._state
        self._wave, self._unsaid, self._declined, self._again = wave, False, [], []
        self._to_press, self._doubtful, self._left = set(), set(), {}
        self._restore([a for row in rows if (a := state.attempts[row.error.id]).unknown])
        known = set(self._left)
        if known:
            await self._look()
        await self._show([row for row in rows if row.error.id not in known])
        self._tell_rows_to_press()
        while (self._to_press or self._left) and state.failure is None:
            self._heard.clear()
            if self._declined:
                await self._hear_declined()
            if self._unsaid or state.cancelled.is_set():
                self._leave_unsaid()
            if self._again:
                await self._show_again()
            if self._left:
                await self._look()
            if self._left:
                await self._wait()
            elif self._to_press:
                await self._wait_for_person()

    def _restore(self, earlier: Sequence[Attempt]) -> None:
        """Rows that an earlier start has shown: ticked ones are proven, of others a look may tell."""
        state = self._state
        window = max(state.usual_seconds, state.plan.proof_timeout)
        attempts = []
        for attempt in earlier:
            ticked = attempt.pressed is Pressed.YES or attempt.kind is OutcomeKind.ACCEPTED
            attempts.append(attempt.with_press(Pressed.YES if ticked else Pressed.ASKED))
            self._left[attempt.event] = window
            if attempt.kind is not None:
                self._answered.add(attempt.event)
            if not ticked:
                self._to_press.add(attempt.event)
                self._doubtful.add(attempt.event)
        state.show_asked(attempts)

    async def _show(self, rows: Sequence[PlannedRow]) -> None:
        state = self._state
        if not rows or not await state.may_send():
            return
        due = await self._look_first(rows)
        if due and state.halt is None:
            await state.intend(due, self._looks.org_now, asking=self._os_user)
            shown = {attempt.event for attempt in due}
            self._to_press |= shown
            self._doubtful -= shown
            self._answered -= shown

    async def _show_again(self) -> None:
        """They stay in doubt until they are shown anew: that they may be pressed again does not say that they
        were not pressed.
        """
        state, user = self._state, self._os_user
        again, self._again = [event for event in self._again if event in self._doubtful & self._to_press], []
        if not again:
            return
        await state.writer.call(lambda: state.journal.consent(state.run, again, os_user=user))
        self._to_press.difference_update(again)  # not to be ticked while they are looked at
        await self._show([state.rows[event] for event in again])
        self._tell_rows_to_press()

    async def _look_first(self, rows: Sequence[PlannedRow]) -> list[Attempt]:
        """How they stand now. A line that drops gets some time: a person should not have to begin again."""
        for tried in range(1, CONNECTION_TRIES):
            try:
                return (await self._looks.first(rows))[0]
            except (UnreachableError, NotSentError):
                wait = Waiting(2.0**tried, "the request is given time", WaitKind.CONNECTION)
                await self._state.wait(wait)
        return (await self._looks.first(rows))[0]

    def _tell_rows_to_press(self) -> None:
        state = self._state
        errors = tuple(row.error for event, row in state.rows.items() if event in self._to_press)
        if errors and state.halt is None:
            doubtful = frozenset(self._doubtful & self._to_press)
            state.tell(AskPerson(self._wave, errors, self._state.org.method.address, doubtful))
            state.progress(now=True)

    # -- what was not pressed, and what nobody speaks of

    async def _hear_declined(self) -> None:
        """Rows that were shown now end. Rows in doubt are looked at a last time, and shown."""
        declined, self._declined = [e for e in dict.fromkeys(self._declined) if e in self._to_press], []
        state = self._state
        again = [event for event in declined if event in self._doubtful]
        if again:
            await self._look()
            again = [event for event in again if event in self._to_press]
            user = self._os_user
            await state.writer.call(lambda: state.journal.consent(state.run, again, os_user=user))
        over = [event for event in declined if event not in again and event in self._to_press]
        self._write_unsent([state.attempts[event] for event in (*again, *over)])
        for event in (*again, *over):
            self._to_press.discard(event)
            self._doubtful.discard(event)
            self._left.pop(event, None)
        if over:
            # Somebody else may have taken care of them meanwhile.
            due = await self._look_first([state.rows[event] for event in over])
            state.skip(dict.fromkeys((attempt.event for attempt in due), NOT_PRESSED))
        await self._show([state.rows[event] for event in again])
        if again:
            self._tell_rows_to_press()

    def _write_unsent(self, attempts: Sequence[Attempt]) -> None:
        state = self._state
        user = self._os_user
        state.writer.put(lambda: state.journal.record_press(attempts, Pressed.NO, os_user=user))
        fresh = [a.with_press(Pressed.NO) for a in attempts if a.event not in self._answered]
        state.answered([attempt.answered(OutcomeKind.NOT_SENT, NOT_PRESSED) for attempt in fresh])

    def _leave_unsaid(self) -> None:
        """Nobody says any more whether the rest was pressed: the org is looked at, and nothing is asked."""
        state = self._state
        unsaid = [state.attempts[event] for event in self._to_press if event not in self._answered]
        state.answered([attempt.answered(OutcomeKind.UNKNOWN, NOBODY_SAID) for attempt in unsaid])
        self._answered |= self._to_press
        self._left.update(dict.fromkeys(self._to_press, state.plan.proof_timeout))
        self._to_press.clear()

    # -- proof

    async def _look(self) -> None:
        """Look once at all that is read again, and end what is decided."""
        state = self._state
        before = {event: state.attempts[event] for event in self._left}
        at_last = state.cancelled.is_set()
        over = [a for event, a in before.items() if at_last or self._left[event] <= 0]
        rest = [attempt for attempt in before.values() if attempt not in over] if over else [*before.values()]
        concurrency = look_concurrency(self._state.org.method, state.plan.concurrency)
        decided: list[Attempt] = []
        try:
            for attempts, last in ((rest, False), (over, True)):
                if attempts:
                    decided += await look(self._state.org, attempts, last_look=last, concurrency=concurrency)
        except UnreachableError as problem:
            why = f"the org could not be re-read: {problem.title}"
            decided = [attempt.judged(Verdict.UNKNOWN, why, untouched=True) for attempt in over]
        self._looked = state.stopwatch.now()
        self._end(
            attempt
            for attempt in decided
            # The person may have said something meanwhile.
            if attempt.verdict is not None and state.attempts[attempt.event] is before[attempt.event]
        )
        state.progress()

    def _end(self, decided: Iterable[Attempt]) -> None:
        state = self._state
        ended: list[Attempt] = []
        for attempt in decided:
            event = attempt.event
            traceless = attempt.verdict is Verdict.UNKNOWN and attempt.untouched
            if event in self._to_press and traceless:
                del self._left[event]
                if event in state.request.again:
                    self._again.append(event)
                    self._heard.set()
                    continue
                if state.request.waits_for_word:
                    continue
            if traceless and attempt.pressed is not Pressed.YES:
                attempt = attempt.judged(  # noqa: PLW2901 - the same attempt, in other words
                    Verdict.UNKNOWN, f"{NOBODY_SAID}, and the org shows no trace of it", attempt.evidence
                )
            self._left.pop(event, None)
            self._to_press.discard(event)
            ended.append(attempt)
        pressed = [a for a in ended if a.pressed is Pressed.YES and a.event not in self._answered]
        if pressed:
            state.writer.put(lambda: state.journal.outcomes(pressed))
        state.end(ended)

    async def _wait(self) -> None:
        """Until the next look, or the person's next word; words in quick succession share a look."""
        state, begun, before = self._state, self._state.stopwatch.now(), dict(self._left)
        pause = max(0.0, min(self._pause, *self._left.values()))
        await state.wait(self._waiting(pause), or_until=self._heard)
        if self._heard.is_set() and self._looked is not None:
            rest = FIRST_PAUSE - state.stopwatch.since(self._looked)
            if rest > 0 and not self._declined:
                await state.wait(self._waiting(rest))
            pause = min(pause, state.stopwatch.since(begun))
        else:
            self._pause = longer(self._pause)
        # What was ticked meanwhile has all its time before it.
        self._left = {e: left - pause if before.get(e) == left else left for e, left in self._left.items()}
        state.writer.put(state.journal.heartbeat, durable=True)

    def _waiting(self, seconds: float) -> Waiting:
        now = self._state.journal.now()
        proven = len(self._left.keys() - self._to_press)
        if self._since is None or not proven:
            self._since = now
        until = now + timedelta(seconds=max(self._left.values()))
        if proven:
            what = f"{plural(proven, 'row')} waiting for the org"
            return Waiting(seconds, what, WaitKind.PROOF, proven, self._since, until)
        what = f"{plural(len(self._left), 'row')} shown before, read again"
        return Waiting(seconds, what, WaitKind.SHOWN, len(self._left), self._since, until)

    async def _wait_for_person(self) -> None:
        """Until they say something, or stop the run. How long that takes is nobody's business."""
        words = [asyncio.ensure_future(event.wait()) for event in (self._heard, self._state.cancelled)]
        try:
            while not any(word.done() for word in words):
                self._state.writer.put(self._state.journal.heartbeat, durable=True)
                await asyncio.wait(words, timeout=_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for word in words:
                word.cancel()
