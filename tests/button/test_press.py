"""The learned call, made against the demo org's button and everything that can go wrong on the way to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from requests import PreparedRequest, Response

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import NotLoggedInError, NotSentError, OutcomeUnknownError, RefusedError, SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import Receipt
from syncerr_tui.salesforce.auth.environment import DEMO_BUTTON
from syncerr_tui.salesforce.button.har import read_har
from syncerr_tui.salesforce.button.learn import KnownRows, learn
from syncerr_tui.salesforce.button.recorded import read_recording
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.concurrency import Token, TokenProvider
from syncerr_tui.salesforce.methods.button import ButtonResync
from syncerr_tui.salesforce.profiles import ButtonMethod
from syncerr_tui.salesforce.transport import BoundedAdapter
from tests.factories import sync_error

LWR = "lwr-absent"


def learned(server: DemoServer) -> ButtonMethod:
    """What the demo's own recording teaches."""
    data = json.dumps(server.recording()).encode()
    lesson = learn(read_recording(read_har(data)), KnownRows())
    assert lesson.chosen == 0
    call = lesson.candidates[0].call
    return ButtonMethod(call.name, call.method, json.dumps(call.params), call.namespace, str(call.style))


class Pressed:
    """One org and its button."""

    def __init__(self, server: DemoServer, client: ApiClient, method: ButtonMethod) -> None:
        self.server = server
        self.button = ButtonResync(client, method, batch_size=50)
        names = server.org.naming
        rows = server.org.store.find(names.event[0], **{names.status[0]: names.failed[0]})
        self.rows = [sync_error(id=str(row["Id"])) for row in rows]

    @property
    def executions(self) -> dict[str, int]:
        return dict(self.server.button.executions)

    async def press(self, rows: Sequence[SyncError]) -> list[Receipt]:
        return await self.button.request(rows)


@asynccontextmanager
async def pressing(*faults: str, **options: Any) -> AsyncIterator[Pressed]:
    with DemoServer(DemoOptions(errors=12, faults=faults, **options)) as server:
        token = Token(server.instance_url, server.access_token)
        client = ApiClient(TokenProvider(lambda: token, next_step="Log in again"))
        await client.limits()
        try:
            yield Pressed(server, client, learned(server))
        finally:
            await client.close()
        assert server.crashes == []


RETURNS = [
    (),
    ("returns-void",),
    ("returns-json",),
    (LWR,),
    ("lwr-no-access",),
    ("lwr-forbidden",),
    ("lwr-redirect",),
    (LWR, "returns-void"),
    (LWR, "returns-json"),
    (LWR, "singleaccess-absent"),
    (LWR, "singleaccess-absent", "frontdoor-post-only"),
    (LWR, "bridge-http"),
    (LWR, "bridge-href"),
    (LWR, "bridge-escaped"),
    (LWR, "page-old-token"),
    (LWR, "page-context-in-urls"),
    (LWR, "out-of-sync:1"),
    (LWR, "out-of-sync-inside:1"),
    (LWR, "out-of-sync:1", "framework-error-bare"),
    (LWR, "csrf-new-token:1"),
    (LWR, "csrf-invalid:1"),
    (LWR, "csrf-refused:1"),
    (LWR, "session-gone:1"),
    (LWR, "out-of-sync:1", "csrf-new-token:1"),
    (LWR, "foreign-answers"),
    (LWR, "while-prefix"),
]


@pytest.mark.parametrize("faults", RETURNS, ids=" ".join)
async def test_the_press_gets_through_and_runs_once(faults: tuple[str, ...]) -> None:
    async with pressing(*faults) as org:
        rows = org.rows[:2]
        receipts = await org.press(rows)
        assert [(one.id, one.accepted) for one in receipts] == [(row.id, True) for row in rows]
        assert org.executions == {row.id: 1 for row in rows}


NOTHING_RAN = [
    (("lwr-bad-params",), RefusedError, "Record the button again"),
    ((LWR, "bridge-loop"), RefusedError, "without end"),
    ((LWR, "bridge-foreign"), RefusedError, "outside this org"),
    ((LWR, "login-flow"), RefusedError, "another page"),
    ((LWR, "mfa-page"), RefusedError, "another page"),
    ((LWR, "page-no-token"), RefusedError, "another page"),
    ((LWR, "no-web-scope"), RefusedError, "web"),
    ((LWR, "out-of-sync:2"), NotSentError, "being updated"),
    ((LWR, "out-of-sync-inside:2"), NotSentError, "being updated"),
    ((LWR, "csrf-refused:2"), RefusedError, "session"),
    ((LWR, "no-class-access"), RefusedError, "permission set"),
    ((LWR, "no-apex-action"), RefusedError, "Record the button again"),
]


@pytest.mark.parametrize(("faults", "kind", "words"), NOTHING_RAN, ids=str)
async def test_a_refusal_says_why_and_nothing_has_run(
    faults: tuple[str, ...], kind: type[SyncErrError], words: str
) -> None:
    async with pressing(*faults) as org:
        with pytest.raises(kind) as refused:
            await org.press(org.rows[:1])
        assert words in refused.value.line
        assert org.executions == {}


FAILURE_LINES: dict[str, tuple[tuple[str, ...], str, str]] = {
    # kind of failure: how it comes about, what the line says, and what to do next
    "no access": (
        (LWR, "no-class-access"),
        "This user has no permission to run s_c.SyncError",
        "permission set",
    ),
    "no web scope": ((LWR, "no-web-scope"), "cannot open a Lightning session", "sf org login web"),
    "blocked by a login flow": ((LWR, "login-flow"), "(Login Flow)", "open Salesforce in the browser"),
    "blocked by a verification": (
        (LWR, "mfa-page"),
        "(Verify Your Identity",
        "open Salesforce in the browser",
    ),
    "out of sync": ((LWR, "out-of-sync:2"), "Salesforce is being updated", "in some minutes"),
    "parameters changed": (("lwr-bad-params",), "does not take this call", "Record the button again"),
    "unknown action": ((LWR, "no-apex-action"), "does not know s_c.SyncError", "Record the button again"),
    "Apex failed": (("apex-throws",), "Attempt to de-reference", "The rows are read again"),
    "Apex failed in Lightning": ((LWR, "apex-throws"), "An internal server error", "The rows are read again"),
    "too many at once": (("forbid-concurrent:/lwr",), "too many requests at once", "Wait a minute"),
    "maintenance": (("maintenance:/lwr:1",), "(HTTP 503)", "The rows are read again"),
    "no answer": (
        ("drop-after:/lwr:1",),
        "whether it was carried out is not known",
        "The rows are read again",
    ),
    "no answer of Lightning": ((LWR, "drop-after:/aura:1"), "is not known", "The rows are read again"),
}


@pytest.mark.parametrize("kind", FAILURE_LINES)
async def test_each_kind_of_failure_has_its_line(kind: str) -> None:
    faults, words, next_step = FAILURE_LINES[kind]
    async with pressing(*faults) as org:
        with pytest.raises(SyncErrError) as failed:
            await org.press(org.rows[:1])
        line = failed.value.line
        assert words in line
        assert next_step in failed.value.hint
        assert not {"\n", "<", "\x1b"} & set(line)
        assert "line 1, column" not in line  # no stack trace
        assert org.server.access_token not in line


async def test_a_changed_call_names_the_versions_then_and_now() -> None:
    async with pressing("lwr-bad-params") as org:
        old = replace(learned(org.server), package="20.1.0")
        button = ButtonResync(org.button._client, old, batch_size=50)
        with pytest.raises(RefusedError, match=r"recorded with version 20\.1\.0, now 21\.4\.0"):
            await button.request(org.rows[:1])
        assert [check.name for check in await button.check()] == ["button", "package"]
        new = ButtonResync(org.button._client, replace(old, package="21.4.0"), batch_size=50)
        assert [check.name for check in await new.check()] == ["button"]


async def test_a_session_that_takes_long_to_open_sends_nothing_on_an_old_look() -> None:
    async with pressing(LWR) as org:
        left = []

        def leaving() -> None:
            left.append(dict(org.executions))
            if len(left) == 2:  # over Lightning, after `/lwr/apex` was refused
                raise NotSentError("Too late")

        with pytest.raises(NotSentError, match="Too late"):
            await org.button.request(org.rows[:1], leaving)
        assert not org.executions
        await org.button.request(org.rows[:1], leaving)
        assert list(org.executions.values()) == [1]
        assert left[-1] == {}


async def test_a_session_whose_opening_outlasts_a_look_is_there_for_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    send = BoundedAdapter.send

    def slow(self: BoundedAdapter, request: PreparedRequest, *args: Any, **settings: Any) -> Response:
        sent.append(request.path_url)
        return send(self, request, *args, **settings)

    def leaving() -> None:
        if len(sent) > 1:  # each takes seconds
            raise NotSentError("Too late")

    monkeypatch.setattr(BoundedAdapter, "send", slow)
    async with pressing(LWR) as org:
        for _ in range(2):
            sent.clear()
            with suppress(NotSentError):
                await org.button.request(org.rows[:1], leaving)
        assert list(org.executions.values()) == [1]


UNCLEAR = [
    ("apex-throws",),
    (LWR, "apex-throws"),
    ("button-refuses",),
    (LWR, "button-refuses"),
    (LWR, "action-missing"),
    (LWR, "aura-empty"),
]


@pytest.mark.parametrize("faults", UNCLEAR, ids=" ".join)
async def test_what_may_have_run_is_unknown_and_not_tried_again(faults: tuple[str, ...]) -> None:
    async with pressing(*faults) as org:
        try:
            receipts = await org.press(org.rows[:1])
        except OutcomeUnknownError:
            receipts = []
        assert not any(one.accepted for one in receipts)
        assert all(count == 1 for count in org.executions.values())


LOST = [
    ("drop-after:/lwr:1",),
    ("truncated-json:/lwr:1",),
    ("maintenance:/lwr:1",),
    (LWR, "drop-after:/aura:1"),
    (LWR, "truncated-json:/aura:1"),
    (LWR, "html-200:/aura:1"),
    (LWR, "maintenance:/aura:1"),
]


@pytest.mark.parametrize("faults", LOST, ids=" ".join)
async def test_a_lost_answer_is_unknown_and_never_sent_again(faults: tuple[str, ...]) -> None:
    async with pressing(*faults) as org:
        with pytest.raises(OutcomeUnknownError):
            await org.press(org.rows[:1])
        assert all(count == 1 for count in org.executions.values())


async def test_the_demo_is_set_up_with_what_its_own_recording_teaches() -> None:
    async with pressing() as org:
        assert learned(org.server) == DEMO_BUTTON


async def test_one_call_takes_a_handful_of_rows() -> None:
    async with pressing() as org:
        assert org.button.info.batch_size == 10
        assert org.button.info.concurrency == 1
        request = await org.button.preview(org.rows[:2])
        assert request is not None
        assert request.path.endswith("/s_c__SyncErrorUtilityController/resyncChangeEvents")
        assert request.body == {"changeEventIds": [row.id for row in org.rows[:2]], "origin": "UtilityBar"}


async def test_a_row_without_the_id_that_the_call_takes_is_not_sent() -> None:
    async with pressing() as org:
        method = ButtonMethod("C", "m", '{"ids": {"$ids": "list"}}', ids="record")
        button = ButtonResync(org.button._client, method, batch_size=50)
        (receipt,) = await button.request([sync_error(id=org.rows[0].id, salesforce_id=None)])
        assert not receipt.accepted
        assert org.executions == {}


async def test_an_expired_token_is_renewed_once_and_nothing_ran_before() -> None:
    async with pressing() as org:
        old = org.button._client
        await old.close()
        tokens = iter([Token(org.server.instance_url, "expired"), Token(org.server.instance_url, "expired")])
        client = ApiClient(TokenProvider(lambda: next(tokens), next_step="Log in again"))
        button = ButtonResync(client, learned(org.server), batch_size=50)
        client.instance_url = org.server.instance_url
        with pytest.raises((NotLoggedInError, NotSentError)):
            await button.request(org.rows[:1])
        await client.close()
        assert org.executions == {}
