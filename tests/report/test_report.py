"""The hand-over: its counts, what it masks, and what hostile text may not do in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.diagnosis.explanation import MASK, masked
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.journal.attempt import Attempt, OutcomeKind
from syncerr_tui.journal.journal import Journal
from syncerr_tui.journal.people import say_about
from syncerr_tui.model import Environment, OrgIdentity, SyncError, Verdict
from syncerr_tui.report.gather import Handover, gather
from syncerr_tui.report.sections import Report, to_html, to_markdown
from syncerr_tui.resync.plan import make_plan
from syncerr_tui.resync.proof import cause_key
from syncerr_tui.text import clean
from syncerr_tui.triage.handling import HandlingKind
from tests.factories import salesforce_id, sync_error
from tests.resync.driving import WHO
from tests.resync.lying_org import IDENTITY, METHOD, START, Time

RECORD = salesforce_id(7, "801")
ROWS = (
    sync_error(1, created_at=START - timedelta(days=2)),
    sync_error(2, created_at=START - timedelta(minutes=30)),
    sync_error(3, created_at=START - timedelta(days=1), code="UNKNOWN_EXCEPTION", message=clean("Twice")),
    sync_error(4, created_at=None, processed_at=None),
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path, IDENTITY.org_id, clock=Time().clock) as one:
        yield one


def begun(journal: Journal, rows: Sequence[SyncError]) -> str:
    """A run whose requests have left; its id."""
    plan = make_plan(rows, org=IDENTITY, method=METHOD, created_at=START, parents={})
    run = journal.begin(plan, who=WHO, reason="", fingerprint=cause_key).run
    journal.intend(run, [Attempt(row, wave=1, attempts=1, org_at=START) for row in rows])
    return run


def ended(journal: Journal, rows: Sequence[tuple[SyncError, Verdict]]) -> None:
    plan = make_plan([error for error, _ in rows], org=IDENTITY, method=METHOD, created_at=START, parents={})
    run = journal.begin(plan, who=WHO, reason="the Flow is repaired", fingerprint=cause_key).run
    asked = [Attempt(error, wave=1, attempts=1, org_at=START, stamp=START) for error, _ in rows]
    numbers = journal.intend(run, asked)
    sent = [replace(one, intent=numbers[one.event], kind=OutcomeKind.ACCEPTED) for one in asked]
    journal.outcomes(sent)
    evidence = {"records": [{"id": RECORD, "modified_at": START.isoformat()}]}
    journal.finish_rows(
        run, [one.judged(verdict, "seen", evidence) for one, (_, verdict) in zip(sent, rows, strict=True)]
    )
    journal.end(run, "finished", "")


def report(journal: Journal, left: Sequence[SyncError] = (), *, since: datetime | None = None) -> Report:
    graph = CauseGraph()
    graph.add(left)
    begin = since or START - timedelta(hours=1)
    return gather(Handover(graph, IDENTITY, begin, "ana"), journal, ())


def test_what_was_open_what_came_what_is_proven_and_what_is_left(journal: Journal) -> None:
    ended(
        journal,
        [
            (ROWS[0], Verdict.FIXED),
            (ROWS[1], Verdict.FIXED),
            (ROWS[2], Verdict.TWIN),
            (ROWS[3], Verdict.FIXED),
        ],
    )
    made = report(journal, ROWS[2:])
    assert (made.was_open, made.came, made.done, made.left) == (3, 1, 2, 2)
    assert [(row.event, row.verdict) for row in made.unsettled] == [(ROWS[2].id, "TWIN")]
    failing_again = [row for row in made.rows if row.open and row.verdict == "FIXED"]
    assert [row.event for row in failing_again] == [ROWS[3].id]
    (run,) = made.runs
    assert (run.by, run.reason, run.state) == (WHO.os_user, "the Flow is repaired", "finished")
    text = "\n".join(to_markdown(made))
    assert "3 open before + 1 new - 2 proven = 2 open now" in text
    assert f"/{RECORD}/view" in text
    assert text.index("## TWIN and UNKNOWN") < text.index("## Proven")


def test_nothing_older_than_its_time_but_what_nobody_settled(journal: Journal) -> None:
    ended(journal, [(ROWS[0], Verdict.FIXED), (ROWS[2], Verdict.TWIN)])
    made = report(journal, ROWS[2:3], since=START + timedelta(days=1))
    assert (made.rows, made.runs, made.done) == ((), (), 0)
    assert [row.event for row in made.unsettled] == [ROWS[2].id]


def test_what_people_said_is_handed_over_and_a_merged_twin_is_settled(journal: Journal) -> None:
    ended(journal, [(ROWS[2], Verdict.TWIN)])
    say_about(journal, [ROWS[2].id], HandlingKind.NOTE, by="ana", text="bob@shop.example called")
    say_about(journal, [ROWS[2].id], HandlingKind.SNOOZE, by="ana", value="parent")
    made = report(journal, [ROWS[2]])
    assert made.handled[0].notes == (f"ana: {MASK} called",)
    assert made.unsettled
    time = journal.now() + timedelta(seconds=1)
    with Journal.open(Path(journal.path).parent, IDENTITY.org_id, clock=lambda: time) as later:
        say_about(later, [ROWS[2].id], HandlingKind.MERGED, by="ana")
        assert report(later, [ROWS[2]]).unsettled == ()


def test_a_twin_that_was_proven_later_is_settled(journal: Journal) -> None:
    ended(journal, [(ROWS[2], Verdict.TWIN)])
    ended(journal, [(ROWS[2], Verdict.FIXED)])
    assert report(journal).unsettled == ()


@pytest.mark.parametrize(
    ("identity", "option"),
    [
        (IDENTITY, f"--org {IDENTITY.name}"),
        (replace(IDENTITY, name="acme; rm"), "--org 'acme; rm'"),
        (replace(IDENTITY, name="demo", environment=Environment.DEMO), "--demo"),
        (replace(IDENTITY, name="demo"), "--org demo"),
    ],
)
def test_what_comes_next_can_be_typed_as_it_stands(
    journal: Journal, identity: OrgIdentity, option: str
) -> None:
    run = begun(journal, ROWS[:2])
    journal.release(run)
    graph = CauseGraph()
    steps = gather(Handover(graph, identity, START, "ana"), journal, ()).next_steps
    assert [step.partition("syncerr-tui ")[2] for step in steps] == [
        f"resume {option} {run[:8]}",
        f"verify {option}",
    ]


def test_a_run_that_stopped_itself_is_a_value_in_json_and_words_for_a_person(journal: Journal) -> None:
    """The same value as `journal --json` gives."""
    journal.end(begun(journal, ROWS[:1]), "braked", "")
    made = report(journal)
    assert made.payload()["runs"][0]["state"] == "braked"
    assert "| stopped itself" in "\n".join(to_markdown(made))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(list(Verdict)),
            st.booleans(),
            st.one_of(st.none(), st.integers(-72, 0)),
        ),
        max_size=12,
    )
)
def test_the_count_balances(rows: list[tuple[Verdict, bool, int | None]], tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "journals", ignore_errors=True)
    with Journal.open(tmp_path / "journals", IDENTITY.org_id, clock=Time().clock) as journal:
        errors = [
            sync_error(
                number,
                created_at=None if hours is None else START + timedelta(hours=hours),
                processed_at=None,
            )
            for number, (_, _, hours) in enumerate(rows)
        ]
        if rows:
            ended(journal, [(error, row[0]) for error, row in zip(errors, rows, strict=True)])
        left = [error for error, row in zip(errors, rows, strict=True) if row[1]]
        made = report(journal, left)
        assert made.was_open + made.came - made.done == made.left == len(left)
        assert made.trend[-1].open == made.left
        assert made.trend[0].open == made.was_open
        assert sum(cause.done for cause in made.causes) == made.done
        assert sum(cause.open + cause.waiting for cause in made.causes) == made.left


@pytest.mark.parametrize(
    ("message", "secret"),
    [
        ("Invalid Email: robin.larsen@example.com: Email", "robin.larsen"),
        ("Please call +49 170 1234567 first", "170 1234567"),
        ("Please call (030) 555-0199 first", "555-0199"),
        (
            "duplicate value found: Loyalty_Number__c duplicates value on record with id: 0035g00000AbcDEAAX",
            "",
        ),
        (
            "First exception on row 0; first error: INVALID_EMAIL_ADDRESS, x: invalid email address: bob@sho",
            "bob",
        ),
    ],
)
def test_personal_data_is_masked_and_names_of_the_org_stay(message: str, secret: str) -> None:
    text = masked(message, *diagnose(message).each)
    assert not secret or (secret not in text and MASK in text)
    assert masked(text) == text
    for kept in ("Loyalty_Number__c", "0035g00000AbcDEAAX"):
        assert (kept in text) == (kept in message)


@pytest.mark.parametrize(
    "kept",
    [
        "2026-11-28 02:14 UTC",
        "0015g00000AbcDEAAX",
        "fb314da0-8630-43d7-8a6b-e26cfe8b2b79",
        "SOQL queries: 101",
        "123-45 (-678)",
        "1,204 errors of 10,000",
    ],
)
def test_ids_times_and_counts_are_nobodys_telephone(kept: str) -> None:
    assert masked(kept) == kept


HOSTILE = "<script>alert(1)</script> | [x](javascript:1) `<img src=//evil>` \x1b]52;c;x\x07 \u202e **b** &lt;"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.loaded += [value or "" for name, value in attrs if name in {"src", "onerror", "onload"}]


def test_hostile_text_is_text_in_every_form(journal: Journal) -> None:
    row = sync_error(7, object=clean(HOSTILE), message=clean(HOSTILE), code=None, created_at=START)
    ended(journal, [(row, Verdict.STILL_FAILING)])
    made = replace(report(journal, [row]), org=HOSTILE, by=HOSTILE)
    page = "\n".join(to_html(made))
    tags = Tags()
    tags.feed(page)
    assert not tags.seen & {"script", "img", "iframe", "link", "object"}
    assert tags.loaded == []
    text = "\n".join(to_markdown(made))
    assert "<script" not in text.replace("\\<script", "")
    assert not re.search(r"(?<!\\)\[x", text)
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} <= {6, 7, 8}


def test_the_page_is_whole_without_any_other_file(journal: Journal) -> None:
    ended(journal, [(ROWS[0], Verdict.FIXED)])
    page = "\n".join(to_html(report(journal, ROWS[1:3])))
    tags = Tags()
    tags.feed(page)
    assert tags.loaded == []
    assert "default-src 'none'" in page
    assert page.count("<svg") == 1
    assert "Open errors: 2 at the beginning" in page


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine to look at the page with")
def test_a_real_browser_shows_it_and_loads_nothing(journal: Journal, tmp_path: Path) -> None:
    ended(journal, [(ROWS[0], Verdict.FIXED), (ROWS[2], Verdict.TWIN)])
    page = tmp_path / "report.html"
    page.write_text("\n".join(to_html(report(journal, ROWS[1:3]))), encoding="utf-8")
    assert CHROMIUM is not None
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-sync",
        "--disable-quic",
    ]
    flags += ["--disable-background-networking", "--disable-component-update", "--window-size=1000,900"]
    shown = subprocess.run(
        [CHROMIUM, *flags, f"--user-data-dir={tmp_path / 'browser'}", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert "Safeguards that are off" not in shown.stdout
    assert "<figcaption" in shown.stdout
    assert shown.stdout.count("<h2>") >= 4
    assert "Refused to" not in shown.stderr
