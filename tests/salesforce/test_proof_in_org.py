"""What proof needs of an org: a status that was confirmed, a record that the sync wrote, a clock that is one.

The org here is a script of its own: Salesforce's answers, none of the demo's habits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from syncerr_tui.journal.attempt import Attempt, OutcomeKind
from syncerr_tui.model import EventStanding, EventType, SyncError, Verdict
from syncerr_tui.resync.proof import request_times
from syncerr_tui.resync.verification import look, look_before
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.profiles import OrgProfile
from syncerr_tui.salesforce.reading import EventReader
from syncerr_tui.salesforce.session import OrgSession, OrgTime
from tests.factories import salesforce_id, storeconnect_id, sync_error
from tests.salesforce.scripted import Asked, Reply, ScriptedServer, client, query_page, refusal
from tests.salesforce.test_methods import IDENTITY, MAPPING, guided

SYNC, JANE = salesforce_id(1, "005"), salesforce_id(2, "005")
NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


@dataclass
class OwnOrg:
    """One failed change event and its record; tests move both by hand."""

    status: str = "FAILED"
    event_at: datetime = NOW - timedelta(hours=1)
    record: dict[str, Any] | None = None
    hidden: bool = False
    """Sharing hides the record from this user."""
    view_all: frozenset[str] = frozenset()
    """Objects, or `*` for View All Data."""
    permissions_asked: bool = True
    date: datetime = NOW
    age: int | None = None
    event: SyncError = field(default_factory=lambda: sync_error(1, processed_at=NOW - timedelta(hours=1)))

    def write(self, at: datetime, by: str = SYNC, *, created_by: str = SYNC) -> None:
        old = self.record or {}
        self.record = {
            "Id": old.get("Id", salesforce_id(9, "801")),
            MAPPING.record_key: self.event.storeconnect_id,
            "SystemModstamp": stamp(at),
            "CreatedById": old.get("CreatedById", created_by),
            "LastModifiedById": by,
        }

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/services/data/":
            headers = {"Date": format_datetime(self.date, usegmt=True)}
            if self.age is not None:
                headers["Age"] = str(self.age)
            return Reply([{"version": "66.0"}], headers=headers)
        if asked.path.endswith(MAPPING.object_name):
            return Reply([self._event()])
        return self._query(asked.query["q"])

    def _event(self) -> dict[str, Any]:
        return {
            "Id": self.event.id,
            MAPPING.status: self.status,
            MAPPING.object: "Order",
            MAPPING.event_type: str(self.event.event_type),
            MAPPING.storeconnect_id: self.event.storeconnect_id,
            MAPPING.message: self.event.message,
            MAPPING.processed_at: stamp(self.event_at),
            "SystemModstamp": stamp(self.event_at),
            "CreatedDate": stamp(NOW - timedelta(days=1)),
        }

    def _query(self, query: str) -> Reply:
        if " FROM Order " in query:
            return query_page([self.record] if self.record and not self.hidden else [])
        if " FROM User " in query:
            return query_page([{"Name": "Jane Doe"}])
        if not self.permissions_asked:
            return refusal(400, "INVALID_TYPE", "sObject type is not supported")
        if "UserPermissionAccess" in query:
            return query_page([{"PermissionsViewAllData": "*" in self.view_all}])
        if "PermissionSetAssignment" in query:
            rows = [
                {
                    "PermissionSetId": salesforce_id(1, "0PS"),
                    "PermissionSet": {"PermissionsViewAllData": "*" in self.view_all},
                }
            ]
            return query_page(rows)
        name = re.search(r"SobjectType = '(\w+)'", query)
        assert name, query
        return query_page([{"PermissionsViewAllRecords": name[1] in self.view_all}])


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"


def a_session(api: ApiClient, time: OrgTime | None = None) -> OrgSession:
    profile = OrgProfile("acme", sync_user=SYNC)
    return OrgSession(api, IDENTITY, EventReader(MAPPING), guided(api), profile, time=time)


async def verdict(
    org: OwnOrg, work: Any, *, sync_user: str = SYNC, done: tuple[str, ...] = ("PROCESSED",)
) -> tuple[Verdict | None, str]:
    """Look, send (that is: let `work` happen in the org), look a last time."""
    with ScriptedServer(org) as server:
        api = client(server)
        reader = EventReader(replace(MAPPING, done=done))
        seen_by_us = OrgSession(api, IDENTITY, reader, guided(api), OrgProfile("acme", sync_user=sync_user))
        now = await seen_by_us.now()
        events, before = await look_before(seen_by_us, [org.event], concurrency=2)
        sight = events[org.event.id]
        assert sight.standing is EventStanding.FAILED
        attempt = Attempt(
            org.event,
            attempts=1,
            org_at=request_times(now, events, before)[org.event.id],
            stamp=sight.modified_at,
            kind=OutcomeKind.ACCEPTED,
            before=before[org.event.id],
        )
        work(org)
        (judged,) = await look(seen_by_us, [attempt], last_look=True, concurrency=2)
        await api.close()
    return judged.verdict, judged.reason


def processed(org: OwnOrg) -> None:
    """What a sync does that works."""
    org.status, org.event_at = "PROCESSED", NOW + timedelta(seconds=20)
    org.write(NOW + timedelta(seconds=20))


async def test_a_status_that_was_confirmed_and_a_record_of_the_sync_are_fixed() -> None:
    assert (await verdict(OwnOrg(), processed))[0] is Verdict.FIXED


@pytest.mark.parametrize("status", ["Error", "Rejected", "Complete With Errors", "Queued", "Blocked"])
async def test_another_failure_value_is_not_fixed_however_its_record_was_touched(status: str) -> None:
    def work(org: OwnOrg) -> None:
        processed(org)
        org.status = status

    outcome, reason = await verdict(OwnOrg(), work)
    assert outcome is Verdict.UNKNOWN
    assert status in reason or "working on it" in reason


async def test_a_profile_that_confirms_nothing_proves_nothing_and_says_how_to() -> None:
    outcome, reason = await verdict(OwnOrg(), processed, done=())
    assert outcome is Verdict.UNKNOWN
    assert "'PROCESSED'" in reason
    assert "doctor" in reason


async def test_a_delete_whose_record_sharing_hides_is_not_fixed() -> None:
    org = OwnOrg(hidden=True, event=sync_error(1, event_type=EventType.DELETE))
    org.write(NOW - timedelta(days=1))

    def work(org: OwnOrg) -> None:
        org.status, org.event_at = "PROCESSED", NOW + timedelta(seconds=20)

    outcome, reason = await verdict(org, work)
    assert outcome is Verdict.UNKNOWN
    assert "View All Records on Order" in reason
    org.status, org.permissions_asked = "FAILED", False
    assert (await verdict(org, work))[0] is Verdict.UNKNOWN, "what the org does not answer counts as no"


@pytest.mark.parametrize("view_all", ["*", "Order"])
async def test_who_sees_all_records_can_prove_that_none_is_left(view_all: str) -> None:
    org = OwnOrg(view_all=frozenset({view_all}), event=sync_error(1, event_type=EventType.DELETE))

    def work(org: OwnOrg) -> None:
        org.status, org.event_at = "PROCESSED", NOW + timedelta(seconds=20)

    assert (await verdict(org, work))[0] is Verdict.FIXED


async def test_a_record_that_was_seen_and_went_is_deleted() -> None:
    org = OwnOrg(event=sync_error(1, event_type=EventType.DELETE))
    org.write(NOW - timedelta(days=1))

    def work(org: OwnOrg) -> None:
        org.status, org.event_at, org.record = "PROCESSED", NOW + timedelta(seconds=20), None

    assert (await verdict(org, work))[0] is Verdict.FIXED


async def test_a_write_of_a_person_is_not_the_syncs() -> None:
    org = OwnOrg()
    org.write(NOW - timedelta(days=1))

    def work(org: OwnOrg) -> None:
        processed(org)
        org.write(NOW + timedelta(seconds=20), JANE)

    outcome, reason = await verdict(org, work)
    assert outcome is Verdict.UNKNOWN
    assert "Jane Doe" in reason
    org.status = "FAILED"
    org.write(NOW - timedelta(days=1))
    assert (await verdict(org, work, sync_user=""))[0] is Verdict.FIXED, "nobody said who the sync is"


@pytest.mark.parametrize("behind", [5, 3600, 86_400])
async def test_a_date_that_a_cache_kept_makes_no_old_write_a_new_one(behind: int) -> None:
    """Events that wrote nothing, in an org whose Date header is older than its stamps."""
    org = OwnOrg(date=NOW - timedelta(seconds=behind))
    org.write(NOW - timedelta(seconds=2))

    def work(org: OwnOrg) -> None:
        org.status, org.event_at = "PROCESSED", NOW + timedelta(seconds=20)

    assert (await verdict(org, work))[0] is Verdict.UNKNOWN


async def test_a_date_that_runs_ahead_makes_nobody_else_the_fixer() -> None:
    org = OwnOrg(date=NOW + timedelta(seconds=60))
    assert (await verdict(org, processed))[0] is Verdict.UNKNOWN


async def test_an_answer_out_of_a_cache_is_no_clock() -> None:
    org = OwnOrg(date=NOW - timedelta(hours=5), age=18_000)
    with ScriptedServer(org) as server:
        api = client(server)
        ticks = 0.0
        time = OrgTime(lambda: ticks)
        seen_by_us = a_session(api, time=time)
        with pytest.raises(Exception, match="what time it is"):
            await seen_by_us.now()
        await seen_by_us.read_events([org.event.id])
        ticks = 10.0
        assert await seen_by_us.now() == org.event_at + timedelta(seconds=10)
        await api.close()


async def test_one_record_that_is_answered_twice_is_no_twin() -> None:
    org = OwnOrg()
    org.write(NOW)
    with ScriptedServer(lambda _: query_page([org.record or {}, org.record or {}])) as server:
        api = client(server)
        records = await a_session(api).find_records("Order", [org.event.storeconnect_id])
        assert len(records[org.event.storeconnect_id]) == 1
        await api.close()


async def test_an_object_that_does_not_say_who_wrote_is_read_all_the_same() -> None:
    org = OwnOrg()
    org.write(NOW)

    def script(asked: Asked) -> Reply:
        if "LastModifiedById" in asked.query["q"]:
            return refusal(400, "INVALID_FIELD", "No such column 'LastModifiedById'")
        return query_page([org.record or {}])

    with ScriptedServer(script) as server:
        api = client(server)
        seen_by_us = a_session(api)
        for _ in range(2):
            assert await seen_by_us.find_records("Order", [storeconnect_id(1)])
        assert len(server.asked) == 3, "it is remembered"
        await api.close()
