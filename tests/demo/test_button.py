"""The Re-sync button of the demo org: every way to press it, and every way in which that can go wrong."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from syncerr_tui.demo.faults import BUTTON_FAULTS
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from tests.demo.tiny import Answer, Client

CALL = "/lwr/apex/v67.0/s_c__SyncErrorUtilityController"
APEX = "aura://ApexActionController/ACTION$execute"


@contextmanager
def serving(*faults: str) -> Iterator[Client]:
    with DemoServer(DemoOptions(errors=12, manual_clock=True, faults=faults)) as server:
        yield Client(server)
        assert server.crashes == []


def failed(org: Client) -> list[str]:
    names = org.org.naming
    return [str(row["Id"]) for row in org.store.find(names.event[0], **{names.status[0]: names.failed[0]})]


def queued(org: Client, event_id: str) -> bool:
    names = org.org.naming
    record = org.store.get(names.event[0], event_id)
    assert record is not None
    return record[names.status[0]] == names.pending[0]


def press(org: Client, *ids: str, method: str = "resyncChangeEvents", **headers: str) -> Answer:
    body = {"changeEventIds": list(ids), "origin": "UtilityBar"}
    return org.ask(f"{CALL}/{method}", "POST", body, **headers)


class Browser:
    """What a browser does on the way to the Lightning page, as simple as the facts allow."""

    def __init__(self, org: Client) -> None:
        self.org = org
        self.sid = ""
        self.page = ""
        self.token = ""
        self.context: dict[str, Any] = {}

    def go(self, address: str, method: str = "GET", form: Mapping[str, str] | None = None) -> Answer:
        target = address.removeprefix(self.org.server.instance_url)
        headers = {"Authorization": "", "Cookie": f"sid={self.sid}" if self.sid else ""}
        raw = urlencode(form) if form else None
        if raw:
            headers["Content_Type"] = "application/x-www-form-urlencoded"
        answer = self.org.ask(target, method, raw=raw, **headers)
        cookie = re.match(r"sid=([^;]+)", answer.headers.get("set-cookie", ""))
        if cookie:
            self.sid = cookie[1]
        return answer

    def follow(self, address: str, method: str = "GET", form: Mapping[str, str] | None = None) -> str:
        """Follow redirects of both kinds and load what is at their end; its address."""
        for _ in range(8):
            answer = self.go(address, method, form)
            method, form = "GET", None
            text = answer.raw.decode()
            script = re.search(r"""window\.location\.(?:replace\(|href=)\s*["']([^"']+)["']""", text)
            if answer.status == 302:
                address = answer.headers["location"]
            elif script and "auraConfig" not in text and "login" not in text.lower():
                address = unescape(re.sub(r"\\u00([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), script[1]))
                address = address.replace("\\/", "/")
            else:
                self.page = text
                self._boot(answer)
                return address
            if urlsplit(address).netloc not in {"", urlsplit(self.org.server.instance_url).netloc}:
                return address
        return "too many redirects"

    def _boot(self, answer: Answer) -> None:
        match = re.search(r"auraConfig = (\{.*\});", self.page)
        if match is None:
            return
        config = json.loads(match[1])
        name = config.get("eikoocnekot")
        cookie = answer.headers.get("set-cookie", "")
        self.token = config["token"] or ""
        if name:
            assert cookie.startswith(f"{name}=")
            assert "Max-Age=60" in cookie
            self.token = cookie.partition("=")[2].partition(";")[0]
        self.context = config.get("context") or {}

    def open(self) -> str:
        """By the one-time address, as the newer way is."""
        response = self.org.ask("/services/oauth2/singleaccess")
        assert response.status == 200, response.raw
        return self.follow(response.json["frontdoor_uri"])

    def aura(self, *actions: Mapping[str, object], token: str | None = None, **context: object) -> Answer:
        form = {
            "message": json.dumps({"actions": actions}),
            "aura.context": json.dumps({**self.context, **context}),
            "aura.pageURI": "/lightning/page/home",
        }
        token = self.token if token is None else token
        if token:
            form["aura.token"] = token
        return self.go("/aura?r=1&aura.ApexAction.execute=1", "POST", form)

    def press(self, *ids: str, token: str | None = None, **context: object) -> Answer:
        return self.aura(apex("7;a", *ids), token=token, **context)


def apex(action_id: str, *ids: str, method: str = "resyncChangeEvents", **more: object) -> dict[str, object]:
    params = {"changeEventIds": list(ids), "origin": "UtilityBar", **more}
    called = {
        "namespace": "s_c",
        "classname": "SyncErrorUtilityController",
        "method": method,
        "params": params,
    }
    return {"id": action_id, "descriptor": APEX, "callingDescriptor": "UNKNOWN", "params": called}


@contextmanager
def browsing(*faults: str) -> Iterator[tuple[Client, Browser]]:
    with serving(*faults) as org:
        browser = Browser(org)
        browser.open()
        yield org, browser


def executions(org: Client) -> dict[str, int]:
    log: dict[str, int] = org.ask("/services/apexrest/demo/presses").json["executions"]
    assert log == dict(org.server.button.executions)
    return log


# -- /lwr/apex


def test_a_press_over_lwr_queues_these_events_and_no_other() -> None:
    with serving() as org:
        first, second, third = failed(org)[:3]
        answer = press(org, first, second[:15])
        assert answer.status == 200
        assert [row["id"] for row in answer.json] == [first, second]
        assert all(row["success"] for row in answer.json)
        assert [queued(org, event) for event in (first, second, third)] == [True, True, False]
        assert executions(org) == {first: 1, second: 1}
        again = press(org, first).json
        assert again[0]["success"] is False
        assert executions(org)[first] == 2


def test_lwr_wants_a_bearer_token() -> None:
    with serving() as org:
        event = failed(org)[0]
        browser = Browser(org)
        browser.open()
        for headers in (
            {"Authorization": ""},
            {"Authorization": "", "Cookie": f"sid={org.server.access_token}"},
            {"Authorization": "", "Cookie": f"sid={browser.sid}"},
            {"Authorization": f"Bearer {browser.sid}"},
        ):
            refused = press(org, event, **headers)
            assert (refused.status, refused.code) == (401, "INVALID_SESSION_ID")
        assert executions(org) == {}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("s_c__SyncErrorUtilityController/resyncChangeEvents", {"ids": ["x"]}, 400),
        ("s_c__SyncErrorUtilityController/resyncChangeEvents", {"changeEventIds": [], "origin": "x"}, 400),
        ("s_c__SyncErrorUtilityController/resyncChangeEvents", {"changeEventIds": ["x"], "origin": "x"}, 400),
        ("s_c__SyncErrorUtilityController/resyncChangeEvents", {"changeEventIds": "x", "origin": "x"}, 400),
        ("s_c__SyncErrorUtilityController/resyncChangeEvents", [1], 400),
        ("s_c__SyncErrorUtilityController/nope", {}, 404),
        ("SyncErrorUtilityController/resyncChangeEvents", {}, 404),
        ("s_c__Nope/resyncChangeEvents", {}, 404),
    ],
)
def test_lwr_refuses_what_is_not_the_method(path: str, body: object, status: int) -> None:
    with serving() as org:
        assert org.ask(f"/lwr/apex/v67.0/{path}", "POST", body).status == status
        assert executions(org) == {}


def test_the_probe_that_runs_nothing() -> None:
    with serving() as org:
        probe = org.ask(f"{CALL}/resyncChangeEvents")
        assert probe.status == 400
        assert "cacheable" in probe.json["errorMessage"]
        assert (
            org.ask(f"{CALL}/getSyncErrors?methodParams=%7B%22pageSize%22:5,%22pageNumber%22:1%7D").status
            == 200
        )
        assert executions(org) == {}


@pytest.mark.parametrize(
    ("fault", "status", "content", "ran"),
    [
        ("lwr-absent", 404, "<html>", 0),
        ("lwr-no-access", 404, "", 0),
        ("no-class-access", 404, "", 0),
        ("lwr-forbidden", 403, "FORBIDDEN", 0),
        ("lwr-redirect", 302, "", 0),
        ("lwr-bad-params", 400, "errorMessage", 0),
        ("apex-throws", 500, "errorMessage", 1),
        ("expire-once:/lwr", 401, "INVALID_SESSION_ID", 0),
        ("html-200:/lwr", 200, "<html>", 0),
        ("maintenance:/lwr", 503, "<html>", 0),
        ("returns-void", 200, "", 1),
        ("button-refuses", 200, '"success": false', 1),
        ("returns-json", 200, '"[{', 1),
    ],
)
def test_faults_of_lwr(fault: str, status: int, content: str, ran: int) -> None:
    with serving(fault) as org:
        event = failed(org)[0]
        answer = press(org, event)
        assert answer.status == status
        assert content in answer.raw.decode()
        assert executions(org).get(event, 0) == ran
        silent = fault in {"returns-void", "returns-json"}
        assert queued(org, event) is silent


@pytest.mark.parametrize("fault", ["lost-reply:/lwr:1", "drop-after:/lwr:1"])
def test_a_press_whose_reply_is_lost_has_run_once(fault: str) -> None:
    with serving(fault) as org:
        event = failed(org)[0]
        org.connection.timeout = 0.5
        with pytest.raises((TimeoutError, http.client.RemoteDisconnected)):
            press(org, event)
        org.connection.close()
        org.connection.timeout = 20
        assert executions(org) == {event: 1}
        assert queued(org, event)


# -- the way to Lightning


def test_a_press_over_aura() -> None:
    with browsing() as (org, browser):
        assert browser.token.startswith("eyJub25jZSI6")
        assert browser.token.count(".") == 4
        first, second = failed(org)[:2]
        answer = browser.press(first, second)
        assert answer.status == 200
        (action,) = answer.json["actions"]
        assert (action["id"], action["state"]) == ("7;a", "SUCCESS")
        assert [row["success"] for row in action["returnValue"]["returnValue"]] == [True, True]
        assert executions(org) == {first: 1, second: 1}


def test_an_aura_components_press() -> None:
    with browsing() as (org, browser):
        event = failed(org)[0]
        action = {
            "id": "1;a",
            "descriptor": "apex://s_c.SyncErrorUtilityController/ACTION$resyncChangeEvents",
            "callingDescriptor": "markup://s_c:utilityBar",
            "params": {"changeEventIds": [event], "origin": "UtilityBar"},
        }
        (result,) = browser.aura(action).json["actions"]
        assert result["returnValue"][0]["success"] is True


def test_a_boxcar_fails_in_part_and_drops_what_it_does_not_know() -> None:
    with browsing() as (org, browser):
        first, second = failed(org)[:2]
        unknown = {"id": "9;a", "descriptor": "aura://Nope/ACTION$nope", "params": {}}
        actions = browser.aura(apex("1;a", first), apex("2;a", second, nope=1), unknown).json["actions"]
        assert {each["id"]: each["state"] for each in actions} == {"1;a": "SUCCESS", "2;a": "ERROR"}
        assert executions(org) == {first: 1}


def test_the_one_time_address_works_once_and_not_for_long() -> None:
    with serving() as org:
        address = org.ask("/services/oauth2/singleaccess", "POST").json["frontdoor_uri"]
        assert org.server.access_token not in address
        assert Browser(org).follow(address).endswith("/lightning/page/home")
        second = Browser(org)
        second.follow(address)
        assert "Login | Salesforce" in second.page
        late = org.ask("/services/oauth2/singleaccess").json["frontdoor_uri"]
        org.ask("/services/apexrest/demo/advance", "POST", {"seconds": 61})
        third = Browser(org)
        third.follow(late)
        assert "Login | Salesforce" in third.page


def test_frontdoor_takes_the_token_in_a_form_and_leads_nowhere_else() -> None:
    with serving() as org:
        for target in ("/lightning/n/s_c__Errors", "https://evil.example/", "//evil.example/x"):
            browser = Browser(org)
            form = {"sid": org.server.access_token, "retURL": target}
            end = browser.follow("/secur/frontdoor.jsp", "POST", form)
            page = target if target.startswith("/l") else "/lightning/page/home"
            assert end == org.server.instance_url + page
            assert browser.token


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("bridge-http", "/lightning/page/home"),
        ("bridge-href", "/lightning/page/home"),
        ("bridge-escaped", "/lightning/page/home?a=1&b=2"),
        ("bridge-loop", "too many redirects"),
        ("bridge-foreign", "https://evil.example/lightning/page/home"),
    ],
)
def test_ways_of_redirecting(fault: str, end: str) -> None:
    with serving(fault) as org:
        browser = Browser(org)
        assert browser.open().removeprefix(org.server.instance_url) == end
        assert bool(browser.token) is end.startswith("/lightning")


@pytest.mark.parametrize(
    ("fault", "title"), [("login-flow", "Login Flow"), ("mfa-page", "Verify Your Identity")]
)
def test_pages_in_the_way(fault: str, title: str) -> None:
    with browsing(fault) as (_, browser):
        assert f"<title>{title}" in browser.page
        assert browser.token == ""


def test_a_token_without_the_scope_web_opens_nothing() -> None:
    with serving("no-web-scope") as org:
        refused = org.ask("/services/oauth2/singleaccess")
        assert (refused.status, refused.raw) == (403, b"Bad_OAuth_Token")
        browser = Browser(org)
        browser.follow("/secur/frontdoor.jsp", "POST", {"sid": org.server.access_token})
        assert "Login | Salesforce" in browser.page
    with serving() as org:
        assert org.ask("/services/oauth2/singleaccess", token="00DDe0000000P1M!" + "A" * 30).status == 403
    with serving("singleaccess-absent") as org:
        assert org.ask("/services/oauth2/singleaccess").status == 404


def test_frontdoor_that_wants_a_form() -> None:
    with serving("frontdoor-post-only") as org:
        browser = Browser(org)
        browser.follow(f"/secur/frontdoor.jsp?{urlencode({'sid': org.server.access_token})}")
        assert "Login | Salesforce" in browser.page
        browser.follow("/secur/frontdoor.jsp", "POST", {"sid": org.server.access_token})
        assert browser.token


@pytest.mark.parametrize(
    ("fault", "in_page", "token", "works"),
    [
        ("page-old-token", '"token": "eyJub25jZSI6', True, True),
        ("page-no-token", '"token": null', False, False),
        ("page-stale-cookie", "eikoocnekot", True, False),
        ("page-context-in-urls", "%22fwuid%22%3A%22", True, True),
    ],
)
def test_kinds_of_page(fault: str, in_page: str, token: bool, works: bool) -> None:
    with browsing(fault) as (org, browser):
        assert in_page in browser.page
        assert bool(browser.token) is token
        if fault == "page-context-in-urls":
            assert browser.context == {}
            browser.context = json.loads(
                parse_qs("x=" + re.search(r"/l/([^/]+)/inline\.js", browser.page)[1])["x"][0]  # type: ignore[index]
            )
        event = failed(org)[0]
        browser.press(event)
        assert executions(org) == ({event: 1} if works else {})


def event_of(answer: Answer) -> str:
    text = answer.raw.decode()
    assert text.startswith("*/")
    assert text.endswith("/*ERROR*/")
    body = json.loads(text[2:].removesuffix("/*ERROR*/"))
    return str(body["event"]["descriptor"]).removeprefix("markup://aura:")


def test_the_checks_of_aura_in_their_order() -> None:
    with browsing() as (org, browser):
        event = failed(org)[0]
        assert event_of(browser.press(event, fwuid="old", token="wrong")) == "clientOutOfSync"
        assert (
            event_of(browser.press(event, loaded={"APPLICATION@markup://one:one": "1"})) == "clientOutOfSync"
        )
        assert event_of(browser.press(event, app="other:app", token="wrong")) == "noAccess"
        assert event_of(browser.press(event, token="")) == "systemError"
        assert event_of(browser.press(event, token="wrong")) == "invalidSession"
        assert event_of(browser.aura({"descriptor": APEX})) == "systemError"
        plain = org.ask("/aura", "POST", {"message": "{}"}, Cookie=f"sid={browser.sid}")
        assert event_of(plain) == "systemError"
        nobody = org.ask("/aura", "POST", raw="message={}", Content_Type="application/x-www-form-urlencoded")
        assert (nobody.status, nobody.json["event"]["descriptor"]) == (401, "markup://aura:invalidSession")
        assert executions(org) == {}
        assert browser.press(event, loaded={}).json["actions"][0]["state"] == "SUCCESS"


def test_a_session_that_has_not_come_over_to_lightning_opens_nothing_there() -> None:
    with browsing() as (org, browser):
        token, context = browser.token, browser.context
        stranger = Browser(org)
        stranger.go("/secur/frontdoor.jsp", "POST", {"sid": org.server.access_token})
        assert stranger.sid
        stranger.token, stranger.context = token, context
        assert stranger.press(failed(org)[0]).status == 401
        assert "Login | Salesforce" in stranger.go("/lightning/page/home").raw.decode()
        assert executions(org) == {}


def test_only_the_token_of_the_last_page_counts() -> None:
    with browsing() as (org, browser):
        event, old = failed(org)[0], browser.token
        browser.follow("/lightning/page/home")
        assert browser.token != old
        assert event_of(browser.press(event, token=old)) == "invalidSession"
        assert browser.press(event).json["actions"][0]["state"] == "SUCCESS"


@pytest.mark.parametrize("times", [1, 2])
def test_a_framework_update_is_over_once_the_page_is_loaded_again(times: int) -> None:
    with browsing(f"out-of-sync:{times}") as (org, browser):
        event = failed(org)[0]
        for _ in range(times):
            assert event_of(browser.press(event)) == "clientOutOfSync"
            browser.follow("/lightning/page/home")
        assert browser.press(event).json["actions"][0]["state"] == "SUCCESS"
        assert executions(org) == {event: 1}


def test_out_of_sync_inside_the_action() -> None:
    with browsing("out-of-sync-inside") as (org, browser):
        event = failed(org)[0]
        (action,) = browser.press(event).json["actions"]
        assert action["state"] == "ERROR"
        assert action["error"][0]["event"]["descriptor"] == "markup://aura:clientOutOfSync"
        assert executions(org) == {}
        browser.follow("/lightning/page/home")
        assert browser.press(event).json["actions"][0]["state"] == "SUCCESS"


@pytest.mark.parametrize(
    ("fault", "new_token"),
    [("csrf-new-token", "eyJ"), ("csrf-invalid", "invalid_csrf"), ("csrf-refused", None)],
)
def test_a_refused_token(fault: str, new_token: str | None) -> None:
    with browsing(fault) as (org, browser):
        event = failed(org)[0]
        answer = browser.press(event)
        assert event_of(answer) == "invalidSession"
        values = json.loads(answer.raw.decode()[2:-9])["event"]["attributes"]["values"]
        given = values.get("newToken")
        assert given is None if new_token is None else given.startswith(new_token)
        if new_token == "eyJ":
            browser.token = given
        else:
            browser.follow("/lightning/page/home")
        assert browser.press(event).json["actions"][0]["state"] == "SUCCESS"
        assert executions(org) == {event: 1}


@pytest.mark.parametrize(
    ("fault", "status", "content", "ran"),
    [
        ("session-gone", 401, "invalidSession", 0),
        ("aura-empty", 200, "", 0),
        ("action-missing", 200, '"actions": []', 0),
        ("no-apex-action", 200, "No apex action available for SyncErrorUtilityController", 0),
        ("no-class-access", 200, "You do not have access to the Apex class named", 0),
        ("foreign-answers", 200, '{"actions": [{"id": "0;x"', 1),
        ("while-prefix", 200, "while(1);", 1),
        ("returns-void", 200, '"returnValue": {"cacheable": false}', 1),
        ("apex-throws", 200, "An internal server error has occurred", 1),
        ("html-200:/aura", 200, "<html>", 0),
        ("maintenance:/aura", 503, "<html>", 0),
    ],
)
def test_faults_of_aura(fault: str, status: int, content: str, ran: int) -> None:
    with browsing(fault) as (org, browser):
        event = failed(org)[0]
        answer = browser.press(event)
        assert answer.status == status
        assert content in answer.raw.decode()
        assert executions(org).get(event, 0) == ran


def test_framework_errors_may_come_bare() -> None:
    with browsing("framework-error-bare") as (org, browser):
        answer = browser.press(failed(org)[0], fwuid="old")
        assert answer.json["event"]["descriptor"] == "markup://aura:clientOutOfSync"


def test_every_fault_of_the_button_is_known_to_the_server() -> None:
    with serving(*BUTTON_FAULTS) as org:
        assert org.ask("limits").status == 200
