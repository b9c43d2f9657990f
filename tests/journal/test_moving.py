"""A journal that is moved into the shared one, who is on there, and what the commands say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncerr_tui.errors import MachineError, RefusedError
from syncerr_tui.fixes.ledger import FixLedger
from syncerr_tui.fixes.org import FixChange, FixKind, FixTarget
from syncerr_tui.journal import places
from syncerr_tui.journal.attempt import Attempt, OutcomeKind
from syncerr_tui.journal.claims import Owner
from syncerr_tui.journal.database import Server
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.journal.people import LOOKS, others_present, presence_words
from syncerr_tui.journal.places import move, open_journal, own_journal
from syncerr_tui.model import Verdict
from syncerr_tui.resync.doubt import in_doubt
from syncerr_tui.resync.plan_file import recorded_plan
from tests.factories import sync_error
from tests.journal.opening import open_as
from tests.journal.test_journal import answered, begin, fixed, intent, plan_of
from tests.postgres import PostgresServer
from tests.resync.lying_org import IDENTITY, Time

BEN = replace(Owner.current(), pid=1, host="ops-2", boot="another kernel/1", machine="another")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["file", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | Server:
    if request.param == "file":
        return tmp_path / "shared" / "acme.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return Server(server.url(request.getfixturevalue("database")))


def shared(tmp_path: Path, place: Path | Server, time: Time, owner: Owner | None = None) -> Journal:
    return open_as(tmp_path / "home", IDENTITY.org_id, clock=time.clock, owner=owner, shared=place)


@pytest.fixture
def target(tmp_path: Path, place: Path | Server, time: Time) -> Iterator[Journal]:
    with shared(tmp_path, place, time) as journal:
        yield journal


@pytest.fixture
def source(tmp_path: Path, time: Time) -> Iterator[Journal]:
    """Two runs, one of them interrupted, and a safeguard that is off."""
    with Journal.open(tmp_path / "own", IDENTITY.org_id, clock=time.clock) as journal:
        done = begin(journal, plan_of(1, 2), "ümlaut, 'quotes' and a \ufffd").run
        numbers = journal.intend(done, [intent(1), intent(2)])
        journal.outcomes([answered(1, numbers[sync_error(1).id], OutcomeKind.ACCEPTED)])
        journal.finish_rows(done, [fixed(1, numbers[sync_error(1).id])])
        journal.end(done, "finished", "done")
        left = begin(journal, plan_of(3, 4)).run
        journal.intend(left, [intent(3)])
        journal.wave(left, 1, 2, 1.1)
        journal.consent(left, [sync_error(3).id], os_user="ana")
        journal.release(left)
        ledger = FixLedger(journal, os_user="ana", org_user="ana@acme")
        fix = ledger.begin(
            FixChange(
                FixKind.VALIDATION_RULE_OFF,
                FixTarget("ValidationRule", "03d000000000001AAA", "Order.Tax"),
                {"active": False},
                {"active": True},
            ),
            "<xml/>",
        )
        ledger.outcome(fix.id, "accepted")
        yield journal


def test_all_of_it_arrives_beside_what_is_there_and_is_gone_on_with(source: Journal, target: Journal) -> None:
    there = begin(target, plan_of(8)).run
    number = target.intend(there, [intent(8)])[sync_error(8).id]
    target.finish_rows(there, [fixed(8, number)])
    target.end(there, "finished", "done")
    moved = move(source, target)
    assert moved.summary == "2 runs, 4 rows, 1 fix"
    assert (moved.counts["intents"], moved.counts["outcomes"], moved.counts["waves"]) == (3, 1, 1)
    ours, theirs = History(source), History(target)
    for run in ours.runs():
        assert [replace(row, intent=None) for row in theirs.rows_of(run.id)] == [
            replace(row, intent=None) for row in ours.rows_of(run.id)
        ]
        assert recorded_plan(theirs, run.id) == recorded_plan(ours, run.id)
        assert theirs.marks(run.id) == ours.marks(run.id)
    assert len(theirs.runs()) == 3
    assert set(theirs.open_attempts()) == {sync_error(2).id, sync_error(3).id}
    ledgers = [FixLedger(one, os_user="ben", org_user="ben@acme") for one in (source, target)]
    assert ledgers[0].open_safeguards() == ledgers[1].open_safeguards() != []
    (left,) = theirs.unfinished()
    assert target.adopt(left.run.id, [sync_error(3).id]) == {}
    # New lines are numbered on behind the copied ones.
    again = target.intend(left.run.id, [intent(3, 2)])
    target.finish_rows(left.run.id, [Attempt(sync_error(3), intent=again[sync_error(3).id]).not_sent("x")])
    target.mark(left.run.id, "paused")
    assert theirs.last_requests([sync_error(3).id])[sync_error(3).id].attempts == 2


def test_it_is_moved_once_and_nothing_is_begun_in_it_any_more(source: Journal, target: Journal) -> None:
    move(source, target)
    before = len(History(target).runs())
    with pytest.raises(RefusedError, match="was moved before"):
        move(source, target)
    assert len(History(target).runs()) == before
    assert source.moved_to == target.place
    with pytest.raises(RefusedError, match="was moved to"):
        begin(source, plan_of(9))
    (left,) = History(source).unfinished()
    with pytest.raises(RefusedError, match="was moved to"):
        source.adopt(left.run.id, [])
    with pytest.raises(RefusedError, match="was moved to"):
        FixLedger(source, os_user="ana", org_user="").close("x", "")
    assert begin(target, plan_of(9)).held == {}


def test_a_move_that_died_before_its_mark_is_not_done_twice(
    source: Journal, target: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(source, "_mark", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            move(source, target)
    assert source.moved_to == ""
    with pytest.raises(RefusedError, match="was moved before"):
        move(source, target)
    assert source.moved_to == target.place
    assert len(History(target).runs()) == 2


def test_a_copy_that_differs_is_not_kept(
    source: Journal, target: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = places._text
    seen: list[str] = []

    def forgetful(line: object) -> str:
        seen.append(text(line))
        return "" if len(seen) == 1 else seen[-1]

    monkeypatch.setattr(places, "_text", forgetful)
    with pytest.raises(MachineError, match="differs"):
        move(source, target)
    assert (History(target).runs(), source.moved_to) == ((), "")


def test_a_run_that_is_under_way_is_not_moved(
    tmp_path: Path, source: Journal, target: Journal, time: Time
) -> None:
    with open_as(tmp_path / "own", IDENTITY.org_id, clock=time.clock, owner=BEN) as other:
        begin(other, plan_of(7))
        with pytest.raises(RefusedError, match="is under way in the journal that is to be moved"):
            move(source, target)
    assert History(target).runs() == ()


def test_an_older_outcome_does_not_hide_a_request_that_is_open_in_the_shared_one(
    source: Journal, target: Journal
) -> None:
    run = begin(target, plan_of(1)).run
    target.intend(run, [intent(1)])
    target.release(run)
    with pytest.raises(RefusedError, match="1 request of unknown outcome"):
        move(source, target)
    assert set(History(target).open_attempts()) == {sync_error(1).id}


def test_what_ones_own_journal_left_open_is_in_doubt_in_the_shared_one_too(tmp_path: Path) -> None:
    """Before it is moved, and although nobody ever moves it."""
    with open_journal(tmp_path, IDENTITY.org_id) as own:
        run = begin(own, plan_of(1, 2)).run
        number = own.intend(run, [intent(1), intent(2)])[sync_error(2).id]
        own.finish_rows(run, [fixed(2, number)])
        own.release(run)
    place = str(tmp_path / "shared" / "acme.db")
    errors = [sync_error(n) for n in (1, 2, 3)]
    with open_journal(tmp_path, IDENTITY.org_id, shared=place) as journal:
        assert in_doubt(journal, errors) == {sync_error(1).id}
    with (
        open_journal(tmp_path, IDENTITY.org_id) as own,
        open_journal(tmp_path, IDENTITY.org_id, shared=place) as journal,
    ):
        move(own, journal)
    with open_journal(tmp_path, IDENTITY.org_id, shared=place) as journal:
        assert journal.forgotten == {}
        assert in_doubt(journal, errors) == {sync_error(1).id}
    assert own_journal(tmp_path, IDENTITY.org_id).exists()


# -- who is on


def test_colleagues_are_named_with_what_they_work_at(
    tmp_path: Path, place: Path | Server, target: Journal, time: Time
) -> None:
    with shared(tmp_path, place, time, BEN) as ben:
        assert others_present(target) == ()
        ben.present(LOOKS)
        target.present(LOOKS)
        (one,) = others_present(target)
        assert one.words == f"{one.user} on ops-2 has the list open"
        run = begin(ben, plan_of(1, 2)).run
        assert [(p.doing, p.run) for p in others_present(target)] == [("re-syncs 2 rows", run)]
        assert presence_words(others_present(target)) == f"Also on: {one.user} on ops-2 re-syncs 2 rows"
        ben.end(run, "finished", "")
        ben.present("")
        assert presence_words(others_present(target)) == ""


def test_whoever_has_not_been_heard_of_is_not_there(tmp_path: Path, time: Time) -> None:
    place = tmp_path / "acme.db"
    with shared(tmp_path, place, time) as ana, shared(tmp_path, place, time, BEN) as ben:
        ben.present(LOOKS)
        time.now += timedelta(minutes=1)
        assert others_present(ana)
        time.now += timedelta(minutes=2)
        assert not others_present(ana)


def test_verdicts_of_colleagues_are_seen(
    target: Journal, tmp_path: Path, place: Path | Server, time: Time
) -> None:
    with shared(tmp_path, place, time, BEN) as ben:
        run = begin(ben, plan_of(1)).run
        ben.finish_rows(run, [fixed(1, ben.intend(run, [intent(1)])[sync_error(1).id])])
        assert History(target).rows_of(run)[0].verdict is Verdict.FIXED
        assert [r.os_user for r in History(target).under_way()] == ["ana"]
