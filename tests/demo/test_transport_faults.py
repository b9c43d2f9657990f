"""Faults on purpose: each does what its name says, where and as often as it was told."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from syncerr_tui.demo.faults import ENGINE_FAULTS, FAULTS, parse_fault, transport_faults
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.errors import BadInputError
from tests.demo.tiny import ACTION, Client, TinyOrg, tiny

ACTION_PATH = f"actions/custom/apex/{ACTION.name}"


def call(org: Client, *events: str) -> object:
    return org.ask(ACTION_PATH, "POST", {"inputs": [{"eventId": event} for event in events]})


def invoked(org: Client) -> list[str]:
    assert isinstance(org.org, TinyOrg)
    return org.org.invoked


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_reads_without_more(name: str) -> None:
    assert parse_fault(name).name == name


def test_unknown_faults_name_the_known() -> None:
    with pytest.raises(BadInputError) as refused:
        transport_faults(["latency:1", "nope"])
    assert "'nope'" in refused.value.title
    for name in [*FAULTS, *ENGINE_FAULTS]:
        assert name in refused.value.hint
    assert transport_faults(["twin:2", "latency"])[0].name == "latency"


@pytest.mark.parametrize(
    "spec", ["latency:x", "latency:-1", "drop-before:sideways", "redirect:evil", "expire-once:1:2.5"]
)
def test_what_cannot_be_read(spec: str) -> None:
    with pytest.raises(BadInputError, match="cannot be read at"):
        parse_fault(spec)


def test_the_parts_of_a_fault() -> None:
    fault = parse_fault("latency:0.25:query:3")
    assert (fault.value, fault.where, fault.count) == ("0.25", "query", 3)
    assert parse_fault("drop-after:action:2").count == 2
    assert [parse_fault(f"drop-before:{every}").every for every in ("every 3", "every=3", "every:3")] == [
        3,
        3,
        3,
    ]
    assert parse_fault("drop-before:PATCH").where == "PATCH"
    assert parse_fault("drop-before:/limits").where == "/limits"
    moved = parse_fault("redirect:https://evil.example:8443:query:1")
    assert (moved.value, moved.where, moved.count) == ("https://evil.example:8443", "query", 1)
    assert parse_fault("clock-skew:-90").number == -90
    assert parse_fault("lock-errors:every 4").value == "4"


def test_dropped_before_nothing_was_done_and_after_it_was() -> None:
    with tiny() as org:
        org.server.faults.add("drop-before:action:1")
        with pytest.raises(http.client.RemoteDisconnected):
            call(org, "1")
        assert invoked(org) == []
        after = org.server.faults.add("drop-after:action:1")
        org.connection.close()
        with pytest.raises(http.client.RemoteDisconnected):
            call(org, "2")
        assert (invoked(org), after.fired) == (["2"], 1)
        assert org.ask("limits").status == 200
        org.server.faults.clear()


def test_every_third_request() -> None:
    with tiny() as org:
        org.server.faults.add("server-error:every 3")
        assert [org.ask("limits").status for _ in range(6)] == [200, 200, 500, 200, 200, 500]


def test_a_lost_reply_keeps_the_line_open() -> None:
    with tiny() as org:
        org.server.faults.add("lost-reply:action")
        org.connection.timeout = 0.3
        with pytest.raises(TimeoutError):
            call(org, "1")
        assert invoked(org) == ["1"]


def test_a_duplicate_reply_is_on_the_wire_twice() -> None:
    with tiny() as org:
        org.server.faults.add("duplicate-reply:1")
        line = f"GET /services/data/v59.0/limits HTTP/1.1\r\nAuthorization: Bearer {org.server.access_token}"
        reply = org.raw(f"{line}\r\nConnection: close\r\n\r\n".encode())
        assert reply.count(b"HTTP/1.1 200 OK") == 2


def test_sessions_expire_once_or_for_ever() -> None:
    with tiny() as org:
        org.server.faults.add("expire-once")
        first = org.ask("limits")
        assert (first.status, first.code) == (401, "INVALID_SESSION_ID")
        assert org.ask("limits").status == 200
        org.server.faults.add("expire-forever")
        assert [org.ask("limits").status for _ in range(3)] == [401] * 3
        assert org.ask("/services/oauth2/token", "POST", raw="grant_type=x").status == 400


@pytest.mark.parametrize(
    ("spec", "status", "code", "message"),
    [
        ("forbid-limit", 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        (
            "forbid-concurrent",
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        ),
        ("forbid-permission", 403, "INSUFFICIENT_ACCESS", "insufficient access rights"),
        ("server-error", 500, "UNKNOWN_EXCEPTION", "An unexpected error occurred"),
    ],
)
def test_refusals(spec: str, status: int, code: str, message: str) -> None:
    with tiny(DemoOptions(faults=(f"{spec}:query",))) as org:
        answer = org.ask("query?q=SELECT+Id+FROM+Account")
        assert (answer.status, answer.code) == (status, code)
        assert answer.json[0]["message"].startswith(message)
        if spec == "forbid-limit":
            assert answer.headers["sforce-limit-info"] == "api-usage=15000/15000"
        assert org.ask("sobjects").status == 200


def test_concurrent_calls_are_refused_only_in_a_crowd() -> None:
    with tiny() as org:
        org.server.faults.add("forbid-concurrent:1")
        assert isinstance(org.org, TinyOrg)
        slow = threading.Thread(target=lambda: Client(org.server).ask("/services/apexrest/block"))
        slow.start()
        assert org.org.entered.wait(60)
        assert (org.ask("limits").status, org.ask("limits").code) == (403, "REQUEST_LIMIT_EXCEEDED")
        org.org.leave.set()
        slow.join()
        assert org.ask("limits").status == 200


def test_pages_that_are_no_json() -> None:
    with tiny() as org:
        org.server.faults.add("maintenance:1")
        org.server.faults.add("html-200:1")
        for status in (503, 200):
            answer = org.ask("limits")
            assert (answer.status, answer.headers["content-type"]) == (status, "text/html;charset=UTF-8")
            assert answer.raw.startswith(b"<html>")


def test_truncated_json_is_consistent_http() -> None:
    with tiny() as org:
        org.server.faults.add("truncated-json")
        answer = org.ask("limits")
        assert answer.status == 200
        with pytest.raises(json.JSONDecodeError):
            _ = answer.json
        packed = org.ask("sobjects", Accept_Encoding="gzip")
        with pytest.raises(json.JSONDecodeError):
            json.loads(gzip.decompress(packed.raw))


def test_slow_drip_says_everything_in_the_end() -> None:
    with tiny() as org:
        org.server.faults.add("slow-drip:0.001")
        assert "DailyApiRequests" in org.ask("limits").json


def test_redirect_goes_to_another_host() -> None:
    with tiny() as org:
        org.server.faults.add("redirect:https://evil.example")
        answer = org.ask("limits?a=b")
        assert (answer.status, answer.headers["location"]) == (
            302,
            "https://evil.example/services/data/v59.0/limits?a=b",
        )


def test_locators_that_repeat_or_expire() -> None:
    with tiny(DemoOptions(page_size=2)) as org:
        org.store.insert_many("Account", [{"Name": str(n)} for n in range(7)])
        repeated = org.server.faults.add("repeated-locator")
        next_url = org.query("SELECT Id FROM Account")["nextRecordsUrl"]
        pages = [org.ask(next_url).json for _ in range(3)]
        assert {page["nextRecordsUrl"] for page in pages} == {next_url}
        assert pages[0]["records"] == pages[1]["records"]
        assert (pages[0]["done"], repeated.fired) == (False, 3)
        org.server.faults.clear()
        org.server.faults.add("expired-locator")
        assert org.ask(next_url).code == "INVALID_QUERY_LOCATOR"


def test_locks_and_partial_actions_touch_some_rows_only() -> None:
    with tiny() as org:
        org.server.faults.add("lock-errors:2:action")
        answer = org.ask(ACTION_PATH, "POST", {"inputs": [{"eventId": str(n)} for n in range(4)]})
        assert answer.status == 400
        assert [row["isSuccess"] for row in answer.json] == [True, False, True, False]
        assert {row["errors"][0]["statusCode"] for row in answer.json[1::2]} == {"UNABLE_TO_LOCK_ROW"}
        assert invoked(org) == ["0", "2"]
        org.server.faults.clear()
        org.server.faults.add("partial-actions:every 2:1")
        answer = org.ask(ACTION_PATH, "POST", {"inputs": [{"eventId": str(n)} for n in range(4, 8)]})
        assert [row["isSuccess"] for row in answer.json] == [True, False, True, True]
        org.server.faults.clear()
        org.server.faults.add("lock-errors:every 1:dml")
        rows = org.ask(
            "composite/sobjects", "POST", {"records": [{"attributes": {"type": "Account"}, "Name": "x"}]}
        ).json
        assert rows[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
        assert org.store.count("Account") == 0


def test_a_skewed_clock_is_everywhere() -> None:
    with tiny(DemoOptions(faults=("clock-skew:-7200",))) as org:
        made = org.ask("sobjects/Account", "POST", {"Name": "x"})
        date = parsedate_to_datetime(made.headers["date"])
        created = datetime.fromisoformat(org.ask(f"sobjects/Account/{made.json['id']}").json["CreatedDate"])
        for moment in (date, created):
            assert 7_100 < (datetime.now(UTC) - moment).total_seconds() < 7_300


def test_faults_leave_the_demos_own_endpoints_alone() -> None:
    with tiny(DemoOptions(faults=("maintenance",))) as org:
        assert org.ask("/services/apexrest/demo/about").status == 200
        assert org.ask("limits").status == 503
