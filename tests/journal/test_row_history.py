"""What a journal is asked on screen: filtered pages, the story of a row, repeats, who holds what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from syncerr_tui.errors import BadInputError
from syncerr_tui.journal import row_history
from syncerr_tui.journal.attempt import Attempt, OutcomeKind
from syncerr_tui.journal.claims import Owner
from syncerr_tui.journal.filter import parse
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import Verdict
from syncerr_tui.resync import doubt
from syncerr_tui.resync.plan import make_plan
from syncerr_tui.resync.proof import cause_key
from syncerr_tui.text import clean
from tests.factories import NOW, sync_error
from tests.journal.opening import open_as
from tests.resync.driving import WHO
from tests.resync.lying_org import IDENTITY, METHOD, START, Time

ROWS = (
    sync_error(1, object=clean("Order"), code="INVALID_FIELD", message=clean("Größe fehlt")),
    sync_error(2, object=clean("s_c__Payment__c"), code=None),
    sync_error(3, object=clean("OrderItem"), salesforce_id="0015g00000AbcDEAAX"),
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path, IDENTITY.org_id, clock=Time().clock) as one:
        yield one


def begin(journal: Journal, reason: str = "") -> str:
    plan = make_plan(ROWS, org=IDENTITY, method=METHOD, created_at=NOW, parents={})
    return journal.begin(plan, who=WHO, reason=reason, fingerprint=cause_key).run


def send(journal: Journal, run: str, number: int, kind: OutcomeKind | None = OutcomeKind.ACCEPTED) -> int:
    error = ROWS[number - 1]
    asked = Attempt(replace(error, processed_at=START), wave=1, attempts=1, org_at=START, stamp=START)
    sent = journal.intend(run, [asked])[error.id]
    if kind is not None:
        journal.outcomes([replace(asked, intent=sent, kind=kind)])
    return sent


def finished(journal: Journal, reason: str = "") -> str:
    run = begin(journal, reason)
    first = send(journal, run, 1)
    ends = (
        Attempt(ROWS[0], intent=first).judged(Verdict.FIXED, "it is there"),
        Attempt(ROWS[1]).not_sent(f"its cause {ROWS[0].id} is not proven", ROWS[0].id),
    )
    journal.finish_rows(run, ends)
    journal.end(run, "finished", "")
    return run


def shown(journal: Journal, run: str, text: str) -> set[int]:
    rows = History(journal).rows_of(run, only=parse(text))
    assert len(rows) == History(journal).count_rows(run, parse(text))
    return {number for number, error in enumerate(ROWS, 1) if error.id in {row.error.id for row in rows}}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", {1, 2, 3}),
        ("verdict:fixed", {1}),
        ("verdict:unsent", {2}),
        ("verdict:open", {3}),
        ("-verdict:fixed", {2, 3}),
        ("verdict:fixed,unsent", {1, 2}),
        ("object:payment", {2}),
        ("object:order", {1}),
        ("object:order*", {1, 3}),
        ("code:none", {2}),
        ("code:invalid*", {1}),
        ("event:create", {1, 2, 3}),
        ("GRÖSSE", {1}),
        ('"not proven"', {2}),
        ("0015g00000", {3}),
        ("object:o?der", set()),
        ("object:[o]rder", set()),
        ("% ", set()),
        ("ana", {1, 2, 3}),
        ("by:nobody", {1, 2, 3}),
    ],
)
def test_the_filter_finds_what_it_says(journal: Journal, text: str, numbers: set[int]) -> None:
    run = finished(journal)
    assert shown(journal, run, text) == numbers


@pytest.mark.parametrize(
    ("text", "runs"),
    [("verdict:fixed", 1), ("why:flow", 1), ("-why:flow", 1), ("by:nobody", 0), ("flow", 1), ("", 2)],
)
def test_a_run_is_shown_where_it_or_a_row_of_it_matches(journal: Journal, text: str, runs: int) -> None:
    finished(journal, "after the Flow was repaired")
    begin(journal)
    assert History(journal).count_runs(parse(text)) == runs
    assert len(History(journal).runs(only=parse(text))) == runs


def test_what_is_unreadable_is_named_and_while_typing_it_is_not() -> None:
    with pytest.raises(BadInputError, match="No verdict is called 'wrong'"):
        parse("verdict:wrong")
    assert not parse("verdict:wrong", typing=True).row.sql
    assert parse("verdict:fi", typing=True).row == parse("verdict:fixed").row
    with pytest.raises(BadInputError, match="does not know colour"):
        parse("colour:red")


def test_pages_do_not_overlap(journal: Journal) -> None:
    run = begin(journal)
    history = History(journal)
    pages = [history.rows_of(run, 2, skip) for skip in (0, 2, 4)]
    assert [len(page) for page in pages] == [2, 1, 0]
    assert {row.error.id for page in pages for row in page} == {error.id for error in ROWS}


def test_the_story_of_a_row_in_its_order(journal: Journal) -> None:
    run = begin(journal)
    sent = send(journal, run, 1, OutcomeKind.UNKNOWN)
    journal.finish_rows(run, [Attempt(ROWS[0], intent=sent).judged(Verdict.UNKNOWN, "no trace")])
    story = row_history.story(journal, ROWS[0].id)
    assert [(one.what, one.words) for one in story] == [
        ("sent", "in wave 1"),
        ("answer", "no answer came back"),
        ("UNKNOWN", "no trace"),
    ]
    assert row_history.story(journal, ROWS[2].id) == ()


def test_only_what_was_sent_twice_with_this_message_is_warned_about(journal: Journal) -> None:
    for _ in range(2):
        run = begin(journal)
        send(journal, run, 1)
        send(journal, run, 2, OutcomeKind.NOT_SENT)
        journal.end(run, "finished", "")
    assert doubt.unchanged(journal, ROWS) == (ROWS[0].id,)
    other = sync_error(1, message=clean("something else"))
    assert doubt.unchanged(journal, [other]) == ()
    assert "Sent twice or more before" in doubt.unchanged_words((ROWS[0].id,), 1)
    assert doubt.unchanged_words((), 3) == ""


def test_rows_of_another_living_program_are_held_and_ours_are_not(tmp_path: Path, journal: Journal) -> None:
    begin(journal)
    ids = [error.id for error in ROWS]
    assert doubt.held(journal, ids) == {}
    me = Owner.current()
    stranger = Owner(1, me.started, "elsewhere", "")
    with open_as(tmp_path, IDENTITY.org_id, clock=Time().clock, owner=stranger) as other:
        held = doubt.held(other, ids)
    assert set(held) == set(ids)
    assert f"process {me.pid}" in held[ROWS[0].id]


def test_causes_are_called_by_their_records(journal: Journal) -> None:
    run = finished(journal)
    causes = [row.cause for row in History(journal).rows_of(run)]
    assert row_history.names_of(journal, run, causes) == {ROWS[0].id: f"Order {ROWS[0].storeconnect_id[:8]}"}
    (ended,) = row_history.story(journal, ROWS[1].id)
    assert ended.cause == ROWS[0].id


@pytest.mark.parametrize(
    ("verdict", "reason", "evidence", "words"),
    [
        (
            Verdict.STILL_FAILING,
            '{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [Cost__c]"}',
            {},
            "empty: Cost__c",
        ),
        (
            Verdict.NEW_CAUSE,
            "DUPLICATE_VALUE: duplicate value found. Record 001000000000001AAA: the write did land",
            {"added": ". Record 001000000000001AAA: the write did land"},
            "duplicate value found. Record 001000000000001AAA: the write did land",
        ),
        (Verdict.STILL_FAILING, "the org refused: {}", {"refused": True}, "the org refused: {}"),
        (Verdict.FIXED, "the event is gone, and so on", {}, "the event is gone, and so on"),
        (None, "it was not sent", {}, "it was not sent"),
    ],
)
def test_what_was_found_is_told_in_words(
    verdict: Verdict | None, reason: str, evidence: dict[str, object], words: str
) -> None:
    assert row_history.found_words(verdict, reason, evidence) == words


@pytest.mark.parametrize("at_once", [1, 2, 1000])
def test_what_is_asked_about_many_rows_is_asked_in_pieces(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("syncerr_tui.journal.journal._ASKED_AT_ONCE", at_once)
    finished(journal)
    run = begin(journal)
    for number in (1, 2, 3):
        send(journal, run, number)
    ids = [error.id for error in ROWS]
    assert History(journal).last_requests([*ids, *ids]).keys() == set(ids)
    assert doubt.unchanged(journal, ROWS) == (ids[0],)
    assert row_history.row_endings(journal, ids).keys() == {ids[0]}
    assert History(journal).last_requests([]) == {}
