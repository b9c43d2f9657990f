"""The client: pages, retries, renewal, the reserve, closing; and simple-salesforce's traps, one test each."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.errors import (
    BadInputError,
    NotLoggedInError,
    NotSentError,
    OutcomeUnknownError,
    RefusedError,
    SyncErrError,
    UnreachableError,
)
from syncerr_tui.model import ApiUsage
from syncerr_tui.salesforce.client import ApiClient, LocatorLostError
from syncerr_tui.salesforce.concurrency import ClosedError, Token, TokenProvider
from syncerr_tui.salesforce.transport import BoundedAdapter, HttpLimits
from tests.factories import salesforce_id
from tests.salesforce.scripted import (
    DROP,
    SECRET,
    Asked,
    Logins,
    Reply,
    Script,
    ScriptedServer,
    Time,
    client,
    query_page,
    refusal,
    tokens,
)

EXPIRED = refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
INPUTS = [{"id": salesforce_id(1)}]
UNFINISHED = {"totalSize": 3, "done": False, "records": []}


def in_turn(*replies: Reply) -> Script:
    """One reply after the other; the last one for ever."""
    left = list(replies)
    lock = threading.Lock()

    def script(asked: Asked) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


def locator(number: int) -> str:
    return f"/services/data/v66.0/query/01g5g00000abcdef-{number}"


def done(count: int = 1) -> Reply:
    return Reply([{"actionName": "x", "isSuccess": True, "errors": None, "outputValues": None}] * count)


# -- pages -----------------------------------------------------------------------------------------------


async def test_a_page_is_handed_out_before_the_next_is_asked_for() -> None:
    def script(asked: Asked) -> Reply:
        if asked.path.endswith("/query/"):
            return query_page([{"Id": "1"}], total=3, following=locator(1))
        last = asked.path.endswith("-2")
        return query_page([{"Id": "x"}], total=3, following=None if last else locator(2))

    with ScriptedServer(script) as server:
        org = client(server)
        seen = [(len(server.asked), page.total) async for page in org.pages("SELECT Id FROM Order")]
        assert seen == [(1, 3), (2, 3), (3, 3)]
        assert server.asked[0].query["q"] == "SELECT Id FROM Order"
        await org.close()


async def test_a_repeated_locator_ends_the_reading_after_what_has_arrived() -> None:
    with ScriptedServer(lambda _: query_page([{"Id": "1"}], total=9, following=locator(1))) as server:
        org = client(server)
        pages = []
        with pytest.raises(UnreachableError, match="same page"):
            async for page in org.pages("SELECT Id FROM Order"):
                pages.append(page)  # noqa: PERF401 - what came before the error counts
        assert len(pages) == 2
        assert len(server.asked) == 2
        await org.close()


@pytest.mark.parametrize(
    "hostile",
    [
        "https://evil.example/services/data/v66.0/query/01g-1",
        "@evil.example/services/data/v66.0/query/01g-1",
        "/services/data/v66.0/query/../../limits",
        "/services/data/v66.0/query/01g?x=1",
        "//evil.example/services/data/v66.0/query/x",
    ],
)
async def test_a_locator_that_leads_elsewhere_is_not_followed(hostile: str) -> None:
    with ScriptedServer(lambda _: query_page([], total=1, following=hostile)) as server:
        org = client(server)
        with pytest.raises(UnreachableError):
            await org.query_all("SELECT Id FROM Order")
        assert len(server.asked) == 1
        await org.close()


async def test_an_expired_locator_is_told_apart() -> None:
    script = in_turn(
        query_page([{"Id": "1"}], total=2, following=locator(1)),
        refusal(400, "INVALID_QUERY_LOCATOR", "expired"),
    )
    with ScriptedServer(script) as server:
        org = client(server)
        with pytest.raises(LocatorLostError):
            await org.query_all("SELECT Id FROM Order")
        await org.close()


@pytest.mark.parametrize(
    "body",
    [[], {}, {"records": 1, "totalSize": 2}, {"records": []}, UNFINISHED, ["x"], "text", None, 5, True],
)
async def test_json_that_is_not_salesforces_is_said_to_be_so(body: Any) -> None:
    with ScriptedServer(lambda _: Reply(body)) as server:
        org = client(server)
        with pytest.raises(UnreachableError):
            await org.query_all("SELECT Id FROM Order")
        await org.close()


@pytest.mark.parametrize(
    "rows",
    [
        [{"Id": salesforce_id(1)}, {"Id": salesforce_id(9)}],
        [{"Id": salesforce_id(1)}, {"Id": None}],
        [{"Id": salesforce_id(1)}, "row"],
        [None, None, None],
        {"Id": salesforce_id(1)},
    ],
    ids=["another record", "no id", "text", "too many", "no list"],
)
async def test_a_record_that_was_not_asked_for_is_no_answer(rows: Any) -> None:
    with ScriptedServer(lambda _: Reply(rows)) as server:
        org = client(server)
        with pytest.raises(UnreachableError):
            await org.collections_read("Order", [salesforce_id(1), salesforce_id(2)], ["Name"])
        await org.close()


async def test_records_are_matched_by_id_whatever_their_order() -> None:
    second, first = {"Id": salesforce_id(2)}, {"Id": salesforce_id(1)}
    with ScriptedServer(lambda _: Reply([second, None, first])) as server:
        org = client(server)
        asked = [salesforce_id(number) for number in (1, 2, 3)]
        rows = await org.collections_read("Order", asked, ["Name"])
        assert rows == {asked[0]: first, asked[1]: second, asked[2]: None}
        await org.close()


async def test_2001_records_are_read_in_two_requests() -> None:
    with ScriptedServer(lambda asked: Reply([None] * len(asked.body["ids"]))) as server:
        org = client(server)
        rows = await org.collections_read("Order", [salesforce_id(n) for n in range(2001)], ["Name"])
        assert len(rows) == 2001
        assert sorted(len(asked.body["ids"]) for asked in server.asked) == [1, 2000]
        await org.close()


# -- when something goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        DROP,
        refusal(503, "SERVER_UNAVAILABLE"),
        refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."),
        Reply(b"<html>Down</html>", 503, {"Content-Type": "text/html"}),
        Reply(b"<html>Hello</html>", 200, {"Content-Type": "text/html"}),
        Reply(b'{"totalSize": 1, "recor', 200),
        Reply(b'{"totalSize": 1', 200, {"Content-Length": "400"}, close=True),
        refusal(500, "UNKNOWN_EXCEPTION"),
        Reply(None, 429, {"Retry-After": "3"}),
    ],
    ids=["drop", "503", "busy", "html 503", "html 200", "cut json", "cut body", "500", "429"],
)
async def test_a_read_is_tried_again(trouble: Reply) -> None:
    time = Time()
    with ScriptedServer(in_turn(trouble, query_page([{"Id": "1"}]))) as server:
        org = client(server, time)
        assert await org.query_all("SELECT Id FROM Order") == [{"Id": "1"}]
        assert len(server.asked) == 2
        assert time.slept == [3.0 if trouble.status == 429 else 1.0]
        await org.close()


async def test_a_read_that_keeps_failing_is_told_after_a_few_tries() -> None:
    time = Time()
    with ScriptedServer(lambda _: DROP) as server:
        org = client(server, time)
        with pytest.raises(UnreachableError, match="line dropped"):
            await org.query_all("SELECT Id FROM Order")
        assert len(server.asked) == 5
        assert time.slept == [1.0, 2.0, 4.0, 8.0]
        await org.close()


@pytest.mark.parametrize(
    "trouble",
    [
        DROP,
        refusal(503, "SERVER_UNAVAILABLE"),
        Reply(b"<html>Hello</html>", 200, {"Content-Type": "text/html"}),
        Reply(b'[{"isSuccess": tr', 200),
        refusal(500, "UNKNOWN_EXCEPTION"),
        Reply([], 200),
        done(2),
        Reply({}, 302, {"Location": "/elsewhere"}),
    ],
    ids=["drop", "503", "html 200", "cut json", "500", "no results", "too many results", "redirect"],
)
async def test_a_write_whose_answer_is_lost_is_never_sent_again(trouble: Reply) -> None:
    with ScriptedServer(lambda _: trouble) as server:
        org = client(server)
        with pytest.raises(OutcomeUnknownError):
            await org.action("apex", "Resync", INPUTS)
        assert len(server.asked) == 1
        await org.close()


async def test_a_write_that_was_refused_for_crowding_is_handed_back() -> None:
    """Whoever asked looks at the org again before it goes out a second time."""
    busy = refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.")
    with ScriptedServer(in_turn(busy, done())) as server:
        org = client(server)
        with pytest.raises(NotSentError):
            await org.action("apex", "Resync", INPUTS)
        assert len(server.asked) == 1
        assert (await org.action("apex", "Resync", INPUTS))[0]["isSuccess"]
        await org.close()


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 422, 429])
async def test_a_refusal_of_the_orgs_own_code_proves_nothing(status: int) -> None:
    """An Apex REST resource may queue some rows, and then answer as it likes."""
    with ScriptedServer(
        lambda _: Reply([{"errorCode": "INVALID_SESSION_ID", "message": "no"}], status)
    ) as server:
        org = client(server)
        with pytest.raises(OutcomeUnknownError):
            await org.apexrest("POST", "acme/resync", {"ids": ["a"]})
        assert len(server.asked) == 1
        await org.close()


async def test_a_request_that_waited_too_long_for_its_turn_stays_here() -> None:
    """The machine slept, or all lanes were busy: what was seen before that justifies nothing."""
    with ScriptedServer(in_turn(done(), done())) as server:
        org = client(server)
        await org.action("apex", "Resync", INPUTS)
        asked = org._stopwatch.now()
        now = replace(asked, steady=asked.steady - 10)
        org._stopwatch.now = lambda: now  # type: ignore[method-assign]
        with pytest.raises(NotSentError, match="slept"):
            await org.action("apex", "Resync", INPUTS)
        assert len(server.asked) == 1
        await org.close()


async def test_a_write_whose_connection_took_long_to_make_stays_here() -> None:
    """A host's name may be looked up for half a minute."""
    with ScriptedServer(lambda _: done()) as server:
        org = client(server)
        asked: list[int] = []

        def leaving() -> None:
            asked.append(len(server.asked))
            if len(asked) == 2:
                raise NotSentError("Too late")

        with pytest.raises(NotSentError, match="Too late"):
            await org.action("apex", "Resync", INPUTS, leaving)
        assert (asked, server.asked) == ([0, 0], [])
        await org.action("apex", "Resync", INPUTS, leaving)
        assert len(server.asked) == 1
        assert asked == [0] * 4
        await org.close()


async def test_a_write_that_found_no_server_was_not_sent() -> None:
    with ScriptedServer(lambda _: done()) as server:
        url = server.url
    org = client(url)
    with pytest.raises(NotSentError, match="Nothing was sent"):
        await org.action("apex", "Resync", INPUTS)
    await org.close()


async def test_400_with_results_is_an_answer_and_400_without_is_a_refusal() -> None:
    mixed = [
        {"isSuccess": True, "errors": None},
        {"isSuccess": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}]},
    ]
    with ScriptedServer(in_turn(Reply(mixed, 400), refusal(400, "INVALID_INPUT", "no such input"))) as server:
        org = client(server)
        assert await org.action("apex", "Resync", INPUTS * 2) == mixed
        with pytest.raises(RefusedError, match="INVALID_INPUT"):
            await org.action("apex", "Resync", INPUTS * 2)
        await org.close()


async def test_the_days_calls_are_used_up() -> None:
    used_up = refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    with ScriptedServer(lambda _: used_up) as server:
        org = client(server)
        with pytest.raises(RefusedError, match="used up"):
            await org.query_all("SELECT Id FROM Order")
        assert len(server.asked) == 1
        await org.close()


async def test_crowding_halves_the_lanes() -> None:
    with ScriptedServer(in_turn(refusal(503, "SERVER_UNAVAILABLE"), query_page([]))) as server:
        org = client(server, concurrency=8)
        assert org.concurrency == 8
        await org.query_all("SELECT Id FROM Order")
        assert org.concurrency == 4
        await org.close()


async def test_the_reserve_is_left_alone_but_for_what_proves_an_outcome() -> None:
    page = query_page([])
    tight = Reply(page.body, headers={"Sforce-Limit-Info": "api-usage=90001/100000"})
    with ScriptedServer(lambda _: tight) as server:
        time = Time()
        org = client(server, time)
        await org.query_all("SELECT Id FROM Order")
        assert org.usage == ApiUsage(90001, 100000)
        for refused in (org.query_all("SELECT Id FROM Order"), org.action("apex", "Resync", INPUTS)):
            with pytest.raises(RefusedError, match="90,001 of its 100,000"):
                await refused
        assert len(server.asked) == 1
        await org.query_all("SELECT Id FROM Order", essential=True)
        time.now += 301
        await org.query_all("SELECT Id FROM Order")
        with pytest.raises(RefusedError):
            await org.query_all("SELECT Id FROM Order")
        free = client(server, api_reserve=0.0)
        await free.query_all("SELECT Id FROM Order")
        await free.query_all("SELECT Id FROM Order")
        await free.close()
        await org.close()


async def test_closing_is_prompt_and_says_what_is_unknown() -> None:
    begun = threading.Event()

    def script(_: Asked) -> Reply:
        begun.set()
        return server.hang()

    with ScriptedServer(script) as server:
        org = client(server)
        reading = asyncio.create_task(org.query_all("SELECT Id FROM Order"))
        writing = asyncio.create_task(org.action("apex", "Resync", INPUTS))
        await asyncio.to_thread(begun.wait, 5)
        await asyncio.wait_for(org.close(), 5)
        outcomes = await asyncio.wait_for(asyncio.gather(reading, writing, return_exceptions=True), 5)
        assert isinstance(outcomes[0], ClosedError)
        assert isinstance(outcomes[1], OutcomeUnknownError)
        with pytest.raises(ClosedError):
            await org.action("apex", "Resync", INPUTS)


# -- the traps of simple-salesforce 1.12 ---------------------------------------------------------------------


async def test_trap_1_an_org_that_refuses_every_token_is_not_asked_for_ever() -> None:
    with ScriptedServer(lambda _: EXPIRED) as server:
        provider = tokens(server.url, "token one", "token two", "token three")
        org = client(server, tokens=provider)
        for _ in range(5):
            with pytest.raises(NotLoggedInError, match="expired"):
                await org.query_all("SELECT Id FROM Order")
        assert len(server.asked) == 2
        assert provider.current().access_token == "token two"
        await org.close()


async def test_trap_2_headers_survive_the_renewal() -> None:
    with ScriptedServer(in_turn(EXPIRED, query_page([]))) as server:
        org = client(server, tokens=tokens(server.url, "one", "two"))
        await org.query_all("SELECT Id FROM Order")
        assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer one", "Bearer two"]
        for asked in server.asked:
            assert asked.headers["X-PrettyPrint"] == "0"
            assert asked.headers["Sforce-Call-Options"] == "client=syncerr-tui"
            assert asked.headers["User-Agent"].startswith("syncerr-tui/")
        await org.close()


async def test_trap_3_eight_threads_with_one_expired_token_log_in_once() -> None:
    together = threading.Barrier(8)

    def script(asked: Asked) -> Reply:
        if asked.headers["Authorization"] == "Bearer old":
            together.wait(10)
            return EXPIRED
        return query_page([])

    with ScriptedServer(script) as server:
        provider = tokens(server.url, "old", "new", "newer")
        org = client(server, tokens=provider, concurrency=8)
        await asyncio.gather(*(org.query_all("SELECT Id FROM Order") for _ in range(8)))
        assert provider.current().access_token == "new"
        assert len(server.asked) == 16
        await org.close()


async def test_trap_3_a_login_that_ends_the_session_before_it_ends_no_other_call() -> None:
    answered, lock = 0, threading.Lock()

    def script(asked: Asked) -> Reply:
        """Only the newest login counts, and the first one is withdrawn after 30 answers."""
        nonlocal answered
        with lock:
            newest = asked.headers["Authorization"] == f"Bearer login {logins.count}"
            if not newest or (logins.count == 1 and answered >= 30):
                return EXPIRED
            answered += 1
            return query_page([])

    with ScriptedServer(script) as server:
        logins = Logins(server.url, *(f"login {number}" for number in range(1, 50)))
        org = client(server, tokens=TokenProvider(logins, next_step="x"), concurrency=8)
        await asyncio.gather(*(org.query_all("SELECT Id FROM Order") for _ in range(100)))
        assert logins.count == 2
        assert answered == 100
        assert len(server.asked) <= 108
        await org.close()


CALLS = {
    "query": lambda org: org.query_all("SELECT Id FROM Order"),
    "tooling": lambda org: org.tooling("SELECT Id FROM Flow"),
    "describe": lambda org: org.describe("Order"),
    "describe_global": lambda org: org.describe_global(),
    "limits": lambda org: org.limits(),
    "userinfo": lambda org: org.userinfo(),
    "versions": lambda org: org.versions(),
    "server_time": lambda org: org.server_time(),
    "resources": lambda org: org.resources(),
    "actions": lambda org: org.actions("apex"),
    "action_describe": lambda org: org.action_describe("apex", "Resync"),
    "action": lambda org: org.action("apex", "Resync", INPUTS),
    "apexrest": lambda org: org.apexrest("POST", "acme/resync", {}),
    "collections_read": lambda org: org.collections_read("Order", [salesforce_id(1)], ["Name"]),
    "collections_update": lambda org: org.collections_update("Order", [{"id": salesforce_id(1)}]),
}


@pytest.mark.parametrize("call", CALLS)
async def test_trap_4_every_call_has_a_timeout(call: str) -> None:
    with ScriptedServer(lambda _: server.hang()) as server:
        org = client(server, wire=HttpLimits(read_timeout=0.05), tokens=tokens(server.url))
        with pytest.raises((UnreachableError, OutcomeUnknownError)):
            await asyncio.wait_for(CALLS[call](org), 20)
        await org.close()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "reply",
    [
        EXPIRED,
        Reply(b"<html>", 200),
        Reply({"error": "x"}, 401),
        Reply(b"<html>", 401),
        Reply(b"", 200),
        DROP,
    ],
    ids=["401", "html", "401 dict", "401 html", "empty", "drop"],
)
async def test_every_failure_is_one_of_ours_and_holds_no_secret(
    call: str, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    if call == "apexrest" and reply.status == 200 and reply.body == b"":
        pytest.skip("an Apex REST method may answer with nothing")
    with caplog.at_level(logging.DEBUG), ScriptedServer(lambda _: reply) as server:
        org = client(server)
        with pytest.raises(SyncErrError) as caught:
            await CALLS[call](org)
        assert SECRET not in everything(caught.value)
        assert SECRET not in repr(org)
        assert SECRET not in caplog.text
        await org.close()


def everything(error: BaseException | None) -> str:
    """All text that an exception and those behind it could ever show, attributes included."""
    parts: list[str] = []
    while error is not None:
        parts += [str(error), repr(error), repr(error.args)]
        parts += [repr(getattr(value, "headers", value)) for value in vars(error).values()]
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


async def test_a_token_that_the_server_quotes_is_not_shown() -> None:
    quoting = refusal(400, "MALFORMED_QUERY", f"bad header: Bearer {SECRET}")
    with ScriptedServer(lambda _: quoting) as server:
        org = client(server)
        with pytest.raises(RefusedError) as caught:
            await org.query_all("SELECT Id FROM Order")
        assert "Bearer (token)" in caught.value.line
        assert SECRET not in caught.value.line
        await org.close()


async def test_a_login_host_that_is_away_is_told_and_nothing_was_sent() -> None:
    def login() -> Token:
        raise UnreachableError("login.salesforce.com could not be reached", "Check the network")

    org = client("http://127.0.0.1:1", tokens=TokenProvider(login, next_step="x"))
    with pytest.raises(UnreachableError, match="could not be reached"):
        await org.query_all("SELECT Id FROM Order")
    with pytest.raises(NotSentError, match="Nothing was sent: login"):
        await org.action("apex", "Resync", INPUTS)
    await org.close()


@pytest.mark.parametrize("broken", ["00D!two\nlines", "[REDACTED]\r\nX-Evil: 1", "00D!日本", " 00D!x"])
async def test_a_token_that_is_none_is_told_as_such_and_sends_nothing(broken: str) -> None:
    with ScriptedServer(lambda _: refusal(401, "INVALID_AUTH_HEADER", "no")) as server:
        org = client(server, tokens=tokens(server.url, broken))
        with pytest.raises(NotLoggedInError, match="does not accept") as caught:
            await org.action("apex", "Resync", INPUTS)
        assert broken not in caught.value.line
        assert len(server.asked) <= 1
        await org.close()


async def test_closing_lets_the_sockets_go() -> None:
    with ScriptedServer(lambda _: query_page([])) as server:
        org = client(server)
        await org.query_all("SELECT Id FROM Order")
        sessions = list(org._sessions)
        await org.close()
        assert sessions
        for session in sessions:
            adapter = session.adapters["https://"]
            assert isinstance(adapter, BoundedAdapter)
            assert len(adapter.poolmanager.pools) == 0


async def test_trap_5_a_connection_that_died_while_idle_costs_nothing() -> None:
    with ScriptedServer(lambda _: Reply(query_page([]).body, close=True)) as server:
        org = client(server, concurrency=1)
        for _ in range(3):
            await org.query_all("SELECT Id FROM Order")
        await org.close()


async def test_trap_6_many_lanes_keep_their_connections(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), ScriptedServer(lambda _: query_page([])) as server:
        org = client(server, concurrency=20)
        await asyncio.gather(*(org.query_all("SELECT Id FROM Order") for _ in range(200)))
        assert server.connections <= 21
        assert "pool is full" not in caplog.text
        await org.close()


@pytest.mark.parametrize(
    "evil", ["https://evil.example/x", "../../limits", "/services/x", "a0X", "a0X5g0000000001AAB"]
)
async def test_trap_7_an_id_that_is_an_address_goes_nowhere(evil: str) -> None:
    with ScriptedServer(lambda _: Reply([])) as server:
        org = client(server)
        with pytest.raises(BadInputError):
            await org.collections_read("Order", [evil], ["Name"])
        with pytest.raises(BadInputError):
            await org.collections_update("Order", [{"id": evil}])
        for name in ("https://evil.example/x", "../../limits", "Order WHERE", "Order/describe", "Order\n"):
            with pytest.raises(BadInputError):
                await org.describe(name)
            with pytest.raises(BadInputError):
                await org.action("apex", name, INPUTS)
        for path in ("https://evil.example", "../x", "a//b", "a/..", "x?y", "/x", ""):
            with pytest.raises(BadInputError):
                await org.apexrest("POST", path, {})
        assert server.asked == []
        await org.close()


async def test_trap_8_netrc_does_not_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login thief password pw\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with ScriptedServer(lambda _: query_page([])) as server:
        org = client(server)
        await org.query_all("SELECT Id FROM Order")
        assert server.asked[0].headers["Authorization"] == f"Bearer {SECRET}"
        await org.close()


async def test_trap_12_no_values_make_no_query() -> None:
    from syncerr_tui.salesforce.profiles import OrgProfile
    from syncerr_tui.salesforce.reading import EventReader
    from syncerr_tui.salesforce.session import OrgSession
    from tests.salesforce.test_methods import IDENTITY, MAPPING, guided

    with ScriptedServer(lambda _: query_page([])) as server:
        org = client(server)
        seen = OrgSession(org, IDENTITY, EventReader(MAPPING), guided(org), OrgProfile("acme"))
        assert await seen.find_records("Order", []) == {}
        assert await seen.find_records("Order", [""]) == {}
        assert await seen.read_events([]) == {}
        assert server.asked == []
        await org.close()


async def test_an_empty_answer_is_not_none() -> None:
    """simple-salesforce turns an empty list or object into None."""
    with ScriptedServer(lambda _: Reply([])) as server:
        org = client(server)
        with pytest.raises(UnreachableError):
            await org.describe("Order")
        await org.close()


def test_importing_this_package_does_not_import_the_library() -> None:
    import subprocess
    import sys

    code = (
        "import sys, syncerr_tui.salesforce.connect, syncerr_tui.salesforce.client;"
        "print(sorted({'simple_salesforce', 'requests', 'urllib3'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


async def test_the_org_may_move_to_another_address_with_a_new_token() -> None:
    with ScriptedServer(lambda _: EXPIRED) as old, ScriptedServer(lambda _: query_page([])) as new:
        given = iter([Token(old.url, "00D5g000000abcd!one"), Token(new.url, "00D5g000000abcd!two")])
        org = client(old, tokens=TokenProvider(lambda: next(given), next_step="x"))
        assert await org.query_all("SELECT Id FROM Order") == []
        assert len(old.asked) == 1
        assert "two" not in str(old.asked)
        await org.close()


async def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(BadInputError):
        client("http://127.0.0.1:1", api_version="../x")


def test_repr_of_a_client_is_quiet() -> None:
    assert SECRET not in repr(ApiClient(tokens("http://127.0.0.1:1")))


@pytest.mark.parametrize(
    "fields",
    [None, "x", [None, 5, "x", [], {}, {"name": 5}, {"name": "a b"}, {"name": None}], {"name": "x"}],
)
async def test_a_describe_of_junk_is_refused_or_has_no_fields(fields: Any) -> None:
    with ScriptedServer(lambda _: Reply({"name": "X__c", "fields": fields})) as server:
        org = client(server)
        if isinstance(fields, list):
            assert (await org.describe("X__c"))["fields"] == []
        else:
            with pytest.raises(UnreachableError):
                await org.describe("X__c")
        await org.close()


async def test_a_field_of_junk_is_one_that_says_nothing() -> None:
    junk = {"name": "A__c", "type": {}, "label": 5, "length": "x", "picklistValues": [1], "referenceTo": [{}]}
    with ScriptedServer(lambda _: Reply({"name": "X__c", "fields": [junk]})) as server:
        org = client(server)
        assert (await org.describe("X__c"))["fields"] == [
            {
                "name": "A__c",
                "type": "",
                "label": "A__c",
                "length": 0,
                "picklistValues": [],
                "referenceTo": [],
            }
        ]
        await org.close()
