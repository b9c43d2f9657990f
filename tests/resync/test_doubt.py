"""Rows in doubt: nothing goes a second time because somebody was impatient, or because a journal was lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from syncerr_tui.errors import MachineError, OutcomeUnknownError
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import EventSeen, RowState, SyncError, Verdict
from syncerr_tui.resync.doubt import doubt_words, earlier_requests, in_doubt, usual_seconds
from syncerr_tui.resync.events import RunEvent
from syncerr_tui.resync.org import Receipt
from syncerr_tui.resync.plan_file import recorded_plan
from syncerr_tui.stopwatch import Leaving
from tests.resync.driving import drive, last_of_each, plan_for, runner_for
from tests.resync.lying_org import IDENTITY, Lies, LyingOrg, Time


@pytest.fixture
def reopen(tmp_path: Path, time: Time) -> Callable[[], Journal]:
    """The journal as a new process finds it: database in one folder, request log in another."""
    return lambda: Journal.open(
        tmp_path / "journals", IDENTITY.org_id, clock=time.clock, log_folder=tmp_path / "requests"
    )


async def run(
    org: LyingOrg, journal: Journal, errors: Sequence[SyncError], time: Time, *, again: bool = False
) -> list[RunEvent]:
    plan = plan_for(org, errors, proof_timeout=5.0)
    consent = in_doubt(journal, errors) if again else frozenset()
    return await drive(runner_for(org, journal, plan, time, again=consent))


class Deaf(LyingOrg):
    """The first request is lost on its way."""

    deaf = True

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        if self.deaf:
            self.deaf = False
            raise OutcomeUnknownError("No answer came back")
        return await super().request_resync(errors, leaving)


async def test_a_row_in_doubt_goes_again_only_with_consent(reopen: Callable[[], Journal], time: Time) -> None:
    org = Deaf(time)
    error = org.fail(1)
    with reopen() as journal:
        await run(org, journal, [error], time)
        time.now += timedelta(minutes=14)
        change = last_of_each(await run(org, journal, [error], time))[error.id]
        assert change.verdict is Verdict.UNKNOWN
        assert "sent 14 minutes ago" in change.reason
        assert "may apply it twice" in change.reason
        assert not org.reached
        assert doubt_words(journal, [error]) == (
            "1 row was sent 14 minutes ago and its outcome is not known: sending it again may apply it twice."
        )
        change = last_of_each(await run(org, journal, [error], time, again=True))[error.id]
        assert change.verdict is Verdict.FIXED
        assert org.reached == {error.id: 1}
        assert [who for (who,) in journal.read("SELECT os_user FROM notes WHERE event = ?", (error.id,))] == [
            "ana"
        ]


async def test_even_with_consent_the_org_has_its_usual_time(
    reopen: Callable[[], Journal], time: Time
) -> None:
    org = LyingOrg(time, Lies(delay=150.0, delay_at_least=140.0, lost_reply=1.0))
    error = org.fail(1)
    with reopen() as journal:
        await run(org, journal, [error], time)
        change = last_of_each(await run(org, journal, [error], time, again=True))[error.id]
        assert change.verdict is Verdict.FIXED
        assert org.reached == {error.id: 1}


class Refuses(Deaf):
    """The second request is refused row by row."""

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        if self.deaf:
            return await super().request_resync(errors, leaving)
        return [Receipt(e.id, accepted=False, reason="no access", code="INSUFFICIENT_ACCESS") for e in errors]


async def test_a_later_refusal_settles_nothing_of_an_earlier_request(
    reopen: Callable[[], Journal], time: Time
) -> None:
    org = Refuses(time)
    error = org.fail(1)
    with reopen() as journal:
        await run(org, journal, [error], time)
        change = last_of_each(await run(org, journal, [error], time, again=True))[error.id]
        assert change.verdict is Verdict.NOT_TRIED
        assert in_doubt(journal, [error]) == {error.id}


async def test_the_usual_time_is_learned_from_proofs(reopen: Callable[[], Journal], time: Time) -> None:
    org = LyingOrg(time, Lies(delay=400.0, delay_at_least=390.0))
    errors = [org.fail(n) for n in range(4)]
    with reopen() as journal:
        assert usual_seconds(journal) == 180.0
        await drive(runner_for(org, journal, plan_for(org, errors, proof_timeout=900.0), time))
        assert 570 <= usual_seconds(journal) <= 610


async def test_a_request_that_failed_is_not_what_brought_a_later_success_about(
    reopen: Callable[[], Journal], time: Time
) -> None:
    org = LyingOrg(time)
    failed, fixed = org.fail(1, broken=True), org.fail(2)
    undated = [replace(error, processed_at=None) for error in (failed, fixed)]
    with reopen() as journal:
        await run(org, journal, [failed, fixed], time)
        assert set(earlier_requests(journal, undated)) == {fixed.id}
        later = replace(fixed, processed_at=time.now + timedelta(minutes=1))
        assert earlier_requests(journal, [later]) == {}, "it has failed again since"


def cut_short(path: Path) -> None:
    path.write_bytes(b"")
    path.with_name(path.name + "-wal").unlink(missing_ok=True)


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage " * 600)
    path.with_name(path.name + "-wal").unlink(missing_ok=True)


def gone(path: Path) -> None:
    for part in path.parent.glob("journal-*"):
        part.unlink()


def put_back(path: Path) -> None:
    shutil.copy(path.with_name("backup"), path)
    path.with_name(path.name + "-wal").unlink(missing_ok=True)


@pytest.mark.parametrize("accident", [cut_short, garbage, gone, put_back])
async def test_a_lost_journal_is_told_and_what_it_knew_goes_only_with_consent(
    reopen: Callable[[], Journal], time: Time, accident: Callable[[Path], None]
) -> None:
    org = LyingOrg(time, Lies(delay=900.0, delay_at_least=890.0, lost_reply=1.0))
    errors = [org.fail(n) for n in range(3)]
    with reopen() as journal:
        journal.read("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(journal.path, journal.path.with_name("backup"))
        await run(org, journal, errors, time)
        path = journal.path
    accident(path)
    with reopen() as journal:
        assert "3 rows may be under way" in journal.loss
        assert in_doubt(journal, errors) == {error.id for error in errors}
        events = await run(org, journal, errors, time)
        assert {change.verdict for change in last_of_each(events).values()} == {Verdict.UNKNOWN}
    assert set(org.reached.values()) == {1}
    with reopen() as journal:
        assert journal.loss == ""
        time.now += timedelta(hours=2)
        assert in_doubt(journal, errors) == {error.id for error in errors}


class JustTouched(LyingOrg):
    """The org shows every event as touched twenty seconds ago."""

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        seen = await super().read_events(ids)
        at = self.now_true() - timedelta(seconds=20)
        return {key: EventSeen(key, one.standing, one.status, one.error, at) for key, one in seen.items()}


async def test_after_a_loss_what_the_org_touched_just_now_may_be_under_way(
    reopen: Callable[[], Journal], time: Time, tmp_path: Path
) -> None:
    """The requests of the lost journal are not all known: the second record is damaged as well."""
    org = JustTouched(time)
    other, error = org.fail(1), org.fail(2)
    with reopen() as journal:
        await run(org, journal, [other], time)
        path = journal.path
    gone(path)
    for log in (tmp_path / "requests").iterdir():
        log.write_text("{half a line\n")
    with reopen() as journal:
        assert journal.loss
        change = last_of_each(await run(org, journal, [error], time))[error.id]
        assert change.state is RowState.NOT_SENT
        assert "20 seconds ago: it may be under way" in change.reason
        assert error.id not in org.reached


async def test_an_undamaged_journal_and_a_first_start_tell_of_no_loss(
    reopen: Callable[[], Journal], time: Time, tmp_path: Path
) -> None:
    org = LyingOrg(time)
    with reopen() as journal:
        assert (journal.loss, journal.lost_at) == ("", None)
        for number in range(3):
            await run(org, journal, [org.fail(number)], time)
    with reopen() as journal:
        assert (journal.loss, journal.lost_at) == ("", None)
    assert len(list((tmp_path / "requests").iterdir())) == 1, "what is settled is put away"


def test_another_programs_database_is_refused_and_left_alone(
    reopen: Callable[[], Journal], tmp_path: Path
) -> None:
    path = tmp_path / "journals" / f"journal-{IDENTITY.org_id}.db"
    path.parent.mkdir()
    with sqlite3.connect(path) as sql:
        sql.execute("CREATE TABLE bookmarks (id)")
    sql.close()
    before = path.read_bytes()
    with pytest.raises(MachineError, match="another program's database"):
        reopen()
    assert path.read_bytes() == before


async def test_junk_in_a_row_is_one_plain_line(reopen: Callable[[], Journal], time: Time) -> None:
    org = LyingOrg(time)
    with reopen() as journal:
        await run(org, journal, [org.fail(1)], time)
        journal.read("DROP TRIGGER rows_no_update")
        journal.read("UPDATE rows SET row = '{\"id\": [1]}'")
        run_id = History(journal).runs()[0].id
        for ask in (History(journal).rows_of, partial(recorded_plan, History(journal))):
            with pytest.raises(MachineError, match="cannot be read"):
                ask(run_id)


@pytest.mark.parametrize(
    "junk", ["5", "null", "[]", "x", '{"records": 5}', '{"records": [{}]}', '{"records": [{"id": [1]}]}']
)
async def test_junk_in_the_evidence_of_a_verdict_is_one_plain_line(
    reopen: Callable[[], Journal], time: Time, junk: str
) -> None:
    org = LyingOrg(time)
    with reopen() as journal:
        await run(org, journal, [org.fail(1)], time)
        journal.read("DROP TRIGGER verdicts_no_update")
        journal.read("UPDATE verdicts SET evidence = ?", (junk,))
        run_id = History(journal).runs()[0].id
        with pytest.raises(MachineError, match="cannot be read"):
            History(journal).rows_of(run_id)


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
async def test_who_may_read_a_journal(reopen: Callable[[], Journal], time: Time, tmp_path: Path) -> None:
    org = LyingOrg(time)
    error = org.fail(1)
    with reopen() as journal:
        await run(org, journal, [error], time)
        files = [*journal.path.parent.iterdir(), *(tmp_path / "requests").iterdir()]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    before = os.umask(0o077)
    try:
        shared = tmp_path / "team" / "acme.db"
        with Journal.open(tmp_path, IDENTITY.org_id, clock=time.clock, shared=shared) as journal:
            await run(org, journal, [org.fail(2)], time)
            modes = {file.name: file.stat().st_mode & 0o777 for file in shared.parent.iterdir()}
        assert set(modes.values()) == {0o660}
        assert len(modes) == 4
        with pytest.raises(MachineError, match="belongs to another org"):
            Journal.open(tmp_path, "00D000000000002AAA", clock=time.clock, shared=shared)
    finally:
        os.umask(before)
