"""The journal: on disk before the act, only growing, shared by processes, never lost and never in the way."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any, cast

import pytest

from syncerr_tui.errors import MachineError, RefusedError
from syncerr_tui.journal import row_history
from syncerr_tui.journal.attempt import Attempt, OutcomeKind
from syncerr_tui.journal.claims import Owner, is_alive
from syncerr_tui.journal.database import HISTORY, MIGRATIONS, Server
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal, JournaledRun
from syncerr_tui.journal.request_log import LoggedRequest, RequestLog, log_line
from syncerr_tui.journal.sqlite_file import SqliteFile
from syncerr_tui.model import Verdict
from syncerr_tui.resync.journal_writer import JournalWriter
from syncerr_tui.resync.plan import Plan, make_plan
from syncerr_tui.resync.plan_file import recorded_plan
from syncerr_tui.resync.proof import cause_key, cause_keys
from syncerr_tui.text import clean
from syncerr_tui.words import iso
from tests import forks
from tests.factories import NOW, sync_error
from tests.journal.opening import open_as
from tests.postgres import PostgresServer
from tests.resync.driving import WHO
from tests.resync.lying_org import IDENTITY, METHOD, START, Time

ROOT = Path(__file__).parents[2]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def file_journal(tmp_path: Path, time: Time) -> Iterator[Journal]:
    with opened(tmp_path, time) as one:
        yield one


@pytest.fixture(params=["file", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path, time: Time) -> Iterator[Journal]:
    """What holds for a journal holds wherever it is kept."""
    shared = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        shared = Server(server.url(request.getfixturevalue("database")))
    with opened(tmp_path, time, shared=shared) as one:
        yield one


def opened(folder: Path, time: Time, **options: object) -> Journal:
    return open_as(folder, IDENTITY.org_id, clock=time.clock, **options)  # type: ignore[arg-type]


def plan_of(*numbers: int, **changes: object) -> Plan:
    errors = [sync_error(n, **changes) for n in numbers]
    return make_plan(errors, org=IDENTITY, method=METHOD, created_at=NOW, parents={})


def begin(journal: Journal, plan: Plan, reason: str = "") -> JournaledRun:
    return journal.begin(plan, who=WHO, reason=reason, fingerprint=cause_key)


def intent(number: int, attempt: int = 1) -> Attempt:
    error = sync_error(number, processed_at=START)
    return Attempt(error, wave=1, attempts=attempt, org_at=START, stamp=START)


def answered(number: int, intent: int, kind: OutcomeKind, words: str = "") -> Attempt:
    return Attempt(sync_error(number), intent=intent, kind=kind, answer=words)


def fixed(number: int, intent: int | None) -> Attempt:
    sent = Attempt(sync_error(number), intent=intent)
    return sent.judged(Verdict.FIXED, "it is there", {"records": [{"id": "1"}]})


# -- a run, written down and read back


def test_a_run_reads_back_as_it_was(journal: Journal) -> None:
    plan = plan_of(1, 2, 3)
    run = begin(journal, plan, "the flow is repaired").run
    numbers = journal.intend(run, [intent(1), intent(2)])
    first, second = (numbers[sync_error(n).id] for n in (1, 2))
    journal.outcomes(
        [
            answered(1, first, OutcomeKind.ACCEPTED),
            answered(2, second, OutcomeKind.UNKNOWN, "silence"),
        ]
    )
    journal.finish_rows(run, [fixed(1, first), Attempt(sync_error(3)).not_sent("cancelled")])
    history = History(journal)
    assert recorded_plan(History(journal), run) == plan
    one, two, three = history.rows_of(run)
    assert (one.verdict, one.reason, one.evidence) == (
        Verdict.FIXED,
        "it is there",
        {"records": [{"id": "1"}]},
    )
    assert one.settled
    assert (two.kind, two.unknown, two.ended) == (OutcomeKind.UNKNOWN, True, False)
    assert (three.ended, three.verdict, three.reason) == (True, None, "cancelled")
    journal.end(run, "finished", "done")
    record = history.runs()[0]
    assert (record.reason, record.os_user, record.how) == ("the flow is repaired", "ana", "finished")
    assert record.verdicts == {"FIXED": 1, "not sent": 1}
    assert history.run(run[:6]) == record


def test_an_interrupted_run_is_summed_up(journal: Journal, time: Time) -> None:
    run = begin(journal, plan_of(1, 2, 3, 4)).run
    numbers = journal.intend(run, [intent(1), intent(2)])
    journal.finish_rows(run, [fixed(1, numbers[sync_error(1).id])])
    assert History(journal).unfinished() == (), "it is under way right here"
    journal.release(run)
    (unfinished,) = History(journal).unfinished()
    assert unfinished.summary == "4 planned, 1 proven, 1 sent with unknown outcome, 2 not sent"


def test_what_was_sent_and_never_settled_is_found_whatever_the_run(journal: Journal) -> None:
    run = begin(journal, plan_of(1, 2, 3)).run
    numbers = journal.intend(run, [intent(1), intent(2), intent(3)])
    journal.outcomes([answered(2, numbers[sync_error(2).id], OutcomeKind.NOT_SENT, "no line")])
    journal.finish_rows(run, [fixed(3, numbers[sync_error(3).id])])
    ids = [sync_error(n).id for n in range(1, 5)]
    history = History(journal)
    assert set(history.open_attempts(ids)) == {ids[0]}
    assert set(history.open_attempts()) == {ids[0]}
    journal.finish_rows(run, [Attempt(sync_error(1), intent=numbers[ids[0]]).judged(Verdict.UNKNOWN, "?")])
    assert set(history.open_attempts(ids)) == {ids[0]}, "UNKNOWN settles nothing"
    journal.finish_rows(run, [fixed(1, numbers[ids[0]])])
    assert history.open_attempts(ids) == {}


def test_memory_of_a_cause_and_of_a_row(file_journal: Journal, time: Time) -> None:
    for n, reason in ((1, "try 0"), (1, "try 1"), (2, "try 2")):
        run = begin(file_journal, plan_of(n), reason).run
        numbers = file_journal.intend(run, [intent(n)])
        time.now += timedelta(days=1)
        file_journal.finish_rows(run, [fixed(n, numbers[sync_error(n).id])])
        file_journal.end(run, "finished", "")
    seen = History(file_journal).seen(cause_key(sync_error(1)))
    assert (seen.rows, seen.runs, seen.last_fixed_by, seen.last_reason) == (2, 3, "ana", "try 2")
    assert seen.last_fixed_at == START + timedelta(days=3)
    assert History(file_journal).seen("another").rows == 0
    error = sync_error(2)
    history = History(file_journal)
    assert history.same_message_attempts(error) == 1
    assert history.same_message_attempts(replace(error, message=error.object)) == 0
    assert len(history.of_event(error.id)) == 1


def test_a_cause_is_remembered_by_the_key_that_an_earlier_rule_gave_it(journal: Journal) -> None:
    message = clean("Fax: data value too large: 0123 (max length=3): [Fax]")
    long: dict[str, Any] = {"code": "STRING_TOO_LONG", "message": message}
    error = sync_error(1, **long)
    former = "v1 code=STRING_TOO_LONG | object=Order | text=fax: data value too large: # (max length=#"
    assert former != cause_key(error)
    run = journal.begin(plan_of(1, **long), who=WHO, reason="", fingerprint=lambda _: former).run
    sent = Attempt(error, intent=journal.intend(run, [intent(1)])[error.id])
    journal.finish_rows(run, [sent.judged(Verdict.FIXED, "it is there", {"sent_at": START.isoformat()})])
    later = sync_error(
        2, storeconnect_id=error.storeconnect_id, processed_at=START + timedelta(days=1), **long
    )
    assert row_history.memory(journal, later, cause_keys(later)).cause.rows == 1
    assert set(row_history.standing(journal, {later.id: later}, (), cause_keys).again) == {later.id}


def test_a_reason_is_made_harmless_before_it_is_kept(journal: Journal) -> None:
    """Whoever reads the journal next sees what somebody else typed, or pasted."""
    run = begin(journal, plan_of(1), reason="fixed\u202e\x1b[2J\nby ana\udcff").run
    record = History(journal).run(run)
    assert record is not None
    assert record.reason == "fixed\ufffd\u241b[2J by ana\ufffd"


def test_half_a_character_is_in_no_row(journal: Journal) -> None:
    begin(journal, plan_of(1))
    assert History(journal).of_event("\udcff") == ()
    assert History(journal).run("\udcff") is None


def test_a_persons_consent_is_kept(journal: Journal) -> None:
    run = begin(journal, plan_of(1)).run
    journal.consent(run, [sync_error(1).id], os_user="priya")
    ((who, text),) = journal.read("SELECT os_user, text FROM notes WHERE event = ?", (sync_error(1).id,))
    assert who == "priya"
    assert "a person said so" in text


@pytest.mark.parametrize("table", HISTORY)
def test_history_only_grows(journal: Journal, table: str) -> None:
    run = begin(journal, plan_of(1)).run
    numbers = journal.intend(run, [intent(1)])
    journal.outcomes([answered(1, numbers[sync_error(1).id], OutcomeKind.ACCEPTED)])
    journal.finish_rows(run, [fixed(1, 1)])
    journal.consent(run, [sync_error(1).id], os_user="ana")
    journal.mark(run, "paused")
    for change in (
        f"DELETE FROM {table}",
        f"UPDATE {table} SET at = at" if table != "rows" else "UPDATE rows SET row = ''",
    ):
        with pytest.raises(MachineError, match="append-only"):
            journal.read(change)


# -- durability


def test_an_intent_reaches_the_disk_before_the_request_and_all_that_was_written_before_it(
    file_journal: Journal,
) -> None:
    """FULL alone makes SQLite wait for the disk at a commit; with NORMAL the next FULL one takes it along."""
    now = "FULL"
    committed: list[str] = []

    def follow(statement: str) -> None:
        nonlocal now
        if statement.startswith("PRAGMA synchronous = "):
            now = statement.rpartition(" ")[2]
        elif statement == "COMMIT":
            committed.append(now)

    assert file_journal.read("PRAGMA synchronous")[0][0] == 2  # FULL
    assert file_journal.read("PRAGMA journal_mode")[0][0] == "wal"
    plan = plan_of(1)
    connection = cast("SqliteFile", file_journal._database).connection
    connection.set_trace_callback(follow)
    run = begin(file_journal, plan).run
    numbers = file_journal.intend(run, [intent(1)])
    assert committed == ["FULL", "FULL"]
    file_journal.outcomes([answered(1, numbers[plan.rows[0].error.id], OutcomeKind.ACCEPTED)])
    file_journal.finish_rows(run, [fixed(1, numbers[plan.rows[0].error.id])])
    assert committed[2:] == ["NORMAL", "NORMAL"]
    file_journal.intend(run, [intent(1, 2)])
    file_journal.end(run, "finished", "")
    assert committed[4:] == ["FULL", "FULL"]
    connection.set_trace_callback(None)
    assert file_journal.read("PRAGMA synchronous")[0][0] == 2


def test_a_damaged_file_is_set_aside_and_told(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time) as journal:
        begin(journal, plan_of(1))
        path = journal.path
    damaged = b"not a database" * 300
    path.write_bytes(damaged)
    with opened(tmp_path, time) as journal:
        assert journal.set_aside is not None
        assert journal.set_aside.read_bytes() == damaged
        assert journal.set_aside.name.startswith(f"{path.name}.damaged-")
        assert History(journal).runs() == ()


def test_damage_inside_is_found_at_the_start(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time) as journal:
        begin(journal, plan_of(*range(200)))
        path = journal.path
    content = bytearray(path.read_bytes())
    content[8192 : len(content) - 4096] = bytes(len(content) - 8192 - 4096)
    path.write_bytes(content)
    with opened(tmp_path, time) as journal:
        assert journal.set_aside is not None
        assert journal.set_aside.read_bytes() == bytes(content)


def test_a_full_disk_is_told_and_nothing_is_half_written(file_journal: Journal) -> None:
    pages = file_journal.read("PRAGMA page_count")[0][0]
    file_journal.read(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(MachineError, match="full") as raised:
        begin(file_journal, plan_of(*range(2000)))
    assert "Nothing is sent" in raised.value.hint
    assert History(file_journal).runs() == ()
    assert file_journal.read("SELECT * FROM claims") == []


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, time: Time) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError, match="cannot be used"):
        opened(tmp_path / "file" / "journals", time)


def test_an_org_id_never_becomes_a_path(tmp_path: Path, time: Time) -> None:
    with pytest.raises(MachineError):
        Journal.open(tmp_path, "../../elsewhere", clock=time.clock)


# -- versions


def test_a_journal_of_the_first_version_opens_with_all_its_rows(tmp_path: Path, time: Time) -> None:
    """As 0.1.0 left it: its owners know no machine."""
    plan, error = plan_of(1, 2), sync_error(1)
    words = "the org refused the request: no access"
    head = plan.payload()
    rows = head.pop("rows")
    with opened(tmp_path, time, migrations=MIGRATIONS[:1]) as journal:
        journal.write(
            (
                "INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?)",
                ("r1", START.isoformat(), plan.hash, json.dumps(head), "ana", "ana@acme", "ops", "", "x"),
            ),
            *(
                (
                    "INSERT INTO rows VALUES (?,?,?,?,?,?,?)",
                    ("r1", n, row["id"], "Account", "", "f", json.dumps(row)),
                )
                for n, row in enumerate(rows)
            ),
            (
                "INSERT INTO intents VALUES (?,?,?,?,?,?,?,?,?)",
                (1, "r1", error.id, 1, 1, START.isoformat(), START.isoformat(), None, None),
            ),
            ("INSERT INTO outcomes VALUES (?,?,?,?,?)", (1, START.isoformat(), "refused", None, "no access")),
            (
                "INSERT INTO verdicts VALUES (?,?,?,?,?,?,?,?)",
                (1, "r1", error.id, 1, START.isoformat(), "STILL FAILING", words, "{}"),
            ),
            ("INSERT INTO owners VALUES (?,?,?,?,?,?,?)", (1, 1, "", "ops", "old", "ana", START.isoformat())),
            ("INSERT INTO holders VALUES (?,?)", ("r1", 1)),
        )
    with opened(tmp_path, time) as journal:
        history = History(journal)
        one, two = history.rows_of("r1")
        assert (one.verdict, one.reason, one.kind) == (Verdict.STILL_FAILING, words, OutcomeKind.REFUSED)
        assert not two.ended
        assert recorded_plan(history, "r1") == plan
        assert history.wave_times("apex") == []
        assert history.runs()[0].alive, "its heart beat just now"
        assert begin(journal, plan_of(1)).held == {}


def test_an_older_file_is_brought_up_to_date_with_all_it_holds(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time) as journal:
        run = begin(journal, plan_of(1, 2)).run
        journal.end(run, "finished", "done")
    newer = (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN ticket TEXT NOT NULL DEFAULT ''",))
    with opened(tmp_path, time, migrations=newer) as journal:
        assert journal.read("SELECT id, ticket FROM runs")[0]["ticket"] == ""
        assert recorded_plan(History(journal), run) == plan_of(1, 2)
        assert journal.set_aside is None


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path, time: Time) -> None:
    with opened(tmp_path, time) as journal:
        begin(journal, plan_of(1))
    broken = (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN ticket TEXT", "CREATE TABLE runs (x)"))
    with pytest.raises(MachineError):
        opened(tmp_path, time, migrations=broken)
    with opened(tmp_path, time) as journal:
        assert len(History(journal).runs()) == 1
        assert "ticket" not in {row["name"] for row in journal.read("PRAGMA table_info(runs)")}


def test_a_newer_file_is_left_alone(tmp_path: Path, time: Time) -> None:
    newer = (*MIGRATIONS, ("CREATE TABLE more (x)",))
    with opened(tmp_path, time, migrations=newer) as journal:
        path = journal.path
    before = path.read_bytes()
    with pytest.raises(MachineError, match="newer version"):
        opened(tmp_path, time)
    assert path.read_bytes() == before


# -- two processes

HOLDER = """
import signal
from datetime import UTC, datetime
from pathlib import Path
from tests.journal.test_journal import begin, plan_of
from tests.resync.lying_org import IDENTITY
from syncerr_tui.journal.journal import Journal
journal = Journal.open(Path({folder!r}), IDENTITY.org_id, clock=lambda: datetime.now(UTC))
print(begin(journal, plan_of(1, 2)).run, flush=True)
signal.pause()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[tuple[str, forks.Child]]:
    """Another process that has begun a run over rows 1 and 2, and lives until it is killed."""
    process = forks.start(env={}, first=HOLDER.format(folder=str(tmp_path)))
    while not process.out.endswith("\n"):
        assert process.alive, process.err
        sleep(0.005)
    yield process.out.strip(), process
    process.kill()
    process.wait()


def test_a_second_terminal_cannot_have_the_same_rows(
    tmp_path: Path, time: Time, holder: tuple[str, forks.Child]
) -> None:
    run, process = holder
    with opened(tmp_path, time) as journal:
        begun = begin(journal, plan_of(2, 3))
        assert set(begun.held) == {sync_error(2).id}
        assert f"process {process.pid}" in begun.held[sync_error(2).id]
        with pytest.raises(RefusedError, match="Another run"):
            journal.intend(begun.run, [intent(2)])
        assert journal.intend(begun.run, [intent(3)])
        with pytest.raises(RefusedError, match="being re-synced by"):
            begin(journal, plan_of(1, 2))
        with pytest.raises(RefusedError, match="still under way"):
            journal.adopt(run, [])
        assert {r.id for r in History(journal).under_way()} == {run, begun.run}
        assert History(journal).unfinished() == ()


def test_the_claims_of_a_dead_process_are_free(
    tmp_path: Path, time: Time, holder: tuple[str, forks.Child]
) -> None:
    run, process = holder
    process.kill()
    # Not waited for: a dead process that nobody has buried still has its id in the table.
    while Path(f"/proc/{process.pid}").exists() and _state(process.pid) != "Z":
        pass
    with opened(tmp_path, time) as journal:
        assert [u.run.id for u in History(journal).unfinished()] == [run]
        assert journal.adopt(run, [sync_error(1).id]) == {}
        assert begin(journal, plan_of(2)).held == {}
        assert set(begin(journal, plan_of(1, 5)).held) == {sync_error(1).id}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_a_reused_process_id_is_another_process() -> None:
    me = Owner.current()
    assert is_alive(me, me, START, START)
    assert not is_alive(replace(me, started="1"), me, START, START)
    assert not is_alive(replace(me, boot="another boot"), me, START, START)


def test_on_another_machine_the_heartbeat_decides() -> None:
    me = Owner.current()
    other = replace(me, host="elsewhere", boot="another")
    assert is_alive(other, me, START, START + timedelta(minutes=9))
    assert not is_alive(other, me, START, START + timedelta(minutes=11))


def test_a_question_costs_by_its_rows_however_large_their_run_is(tmp_path: Path, time: Time) -> None:
    """Counted in SQLite's own steps: four times the rows may not be sixteen times the work."""

    def steps(rows: int) -> list[int]:
        with opened(tmp_path / str(rows), time) as journal:
            run = begin(journal, plan_of(*range(rows))).run
            numbers = journal.intend(run, [intent(n) for n in range(rows)])
            journal.finish_rows(run, [fixed(n, numbers[sync_error(n).id]) for n in range(rows)])
            history = History(journal)
            errors = {sync_error(n).id: sync_error(n) for n in range(rows)}
            records = [(error.object, error.storeconnect_id) for error in errors.values()]
            questions: list[Callable[[], object]] = [
                lambda: history.rows_of(run),
                lambda: history.last_requests(list(errors)),
                lambda: history.seen(cause_key(sync_error(0))),
                lambda: row_history.standing(journal, errors, records),
            ]
            counted = []
            connection = cast("SqliteFile", journal._database).connection
            for question in questions:
                taken: list[int] = []
                connection.set_progress_handler(lambda taken=taken: taken.append(1), 100)  # type: ignore[misc]
                question()
                connection.set_progress_handler(None, 0)
                counted.append(len(taken))
            return counted

    for few, many in zip(steps(100), steps(400), strict=True):
        assert 0 < many < 7 * few


@pytest.mark.parametrize("rows", [110, 111, 112, 142, 143, 300])
def test_rows_are_written_in_their_order_however_many_they_are(journal: Journal, rows: int) -> None:
    if isinstance(database := journal._database, SqliteFile):
        # What SQLite took until 3.32, which an ops box may still have.
        database.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    plan = plan_of(*range(rows))
    run = begin(journal, plan).run
    numbers = journal.intend(run, [intent(n) for n in range(rows)])
    assert recorded_plan(History(journal), run).rows == plan.rows
    assert [record.intent for record in History(journal).rows_of(run)] == list(numbers.values())


def test_a_logged_request_reads_back_as_it_was(tmp_path: Path) -> None:
    log = RequestLog(tmp_path, "requests", 0o600)
    hostile = 'a"b\\c\n\ud800é'
    log.add("run1", log_line(hostile, 2, iso(NOW), iso(START), None, iso(NOW)))
    log.add("run1", log_line("second", 1, iso(NOW), iso(START), iso(START), None))
    assert log.runs()["run1"] == (
        LoggedRequest("run1", hostile, 2, NOW, START, None, NOW),
        LoggedRequest("run1", "second", 1, NOW, START, START, None),
    )


async def test_what_is_written_ahead_is_put_in_its_place_when_nothing_waits(
    tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an intent would wait for it, and its request with it."""
    monkeypatch.setattr("syncerr_tui.journal.sqlite_file._CHANGES_AHEAD", 100)
    with opened(tmp_path / "journal", time) as journal:
        writer = JournalWriter(journal, lambda _: None)
        await writer.call(lambda: begin(journal, plan_of(*range(60))))
        writer.close()
        alone = shutil.copy(journal.path, tmp_path / "alone.db")  # without what is written ahead of it
    with closing(sqlite3.connect(alone)) as connection:
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (60,)
