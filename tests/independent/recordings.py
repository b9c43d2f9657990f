"""Recordings of a browser's traffic (HAR 1.2) as each browser exports it, with all that may stand in them.

Written from the HAR format and from what is known of the browsers, for tests that read them back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote, quote_plus

HOST = "nordwind-shop--uat.sandbox.lightning.force.com"
CSRF_TOKEN = "eyJub25jZSI6IlBsYW50ZWQxIiwidHlwIjoiSldUIn0..cGxhbnRlZA.c2VjcmV0.UGxhbnRlZA"
SESSION = "00D9V00000PLANT!AQ8AQPlantedSessionIdOfTheRecording.xyz"
FWUID = "PlantedFwuid-dDZ4bnhRSVh"
SECRETS = (CSRF_TOKEN, SESSION, FWUID, HOST, "PlantedSessionId", "PlantedCookie")
"""What must never be seen again once a recording was read."""
EXECUTE = "aura://ApexActionController/ACTION$execute"
FORM = "application/x-www-form-urlencoded"


class Browser(StrEnum):
    """Whose export it is."""

    CHROME = "chrome"
    """Sanitized, as is usual since 130."""
    CHROME_SENSITIVE = "chrome with sensitive data"
    EDGE = "edge"
    FIREFOX = "firefox"
    FIREFOX_OLD = "old firefox"
    SAFARI = "safari"

    @property
    def keeps_cookies(self) -> bool:
        """Whether cookies and authorization are in its files."""
        return self not in {Browser.CHROME, Browser.EDGE}


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a boxcar."""

    descriptor: str
    params: Any
    value: Any = None
    calling: str = "UNKNOWN"
    state: str = "SUCCESS"


def apex(
    class_name: str,
    method: str,
    params: Any,
    *,
    namespace: str = "s_c",
    cacheable: bool = False,
    value: Any = None,
    state: str = "SUCCESS",
) -> Action:
    """A component's call of an Apex method."""
    called = {
        "namespace": namespace,
        "classname": class_name,
        "method": method,
        "cacheable": cacheable,
        "isContinuation": False,
    }
    if params is not None:
        called["params"] = params
    return Action(EXECUTE, called, {"returnValue": value, "cacheable": cacheable}, state=state)


NOISE = (
    Action(
        "aura://RecordUiController/ACTION$getRecordWithFields",
        {"recordId": "0059V00000PlantAAA", "fields": ["User.Name"]},
    ),
    Action(
        "serviceComponent://ui.instrumentation.components.beacon.InstrumentationBeaconController/ACTION$sendData",
        {"batch": [{"ts": 1, "payload": "click"}]},
    ),
    Action(
        "aura://LabelController/ACTION$getLabels", {"labels": [{"section": "s_c", "name": "Sync_Errors"}]}
    ),
    Action("serviceComponent://ui.global.components.one.one.controller.OneController/ACTION$getConfig", {}),
    apex("UtilityBar", "getSettings", {"scope": "all"}, cacheable=True),
)
"""What any Lightning page asks besides."""


@dataclass(slots=True)
class Recorder:
    """A browser with its network log open."""

    browser: Browser = Browser.CHROME
    entries: list[Any] = field(default_factory=list)

    def aura(self, *actions: Action, error: str | None = None) -> None:
        """One boxcar."""
        number = len(self.entries)
        sent = [
            {
                "id": f"{number}{place};a",
                "descriptor": a.descriptor,
                "callingDescriptor": a.calling,
                "params": a.params,
            }
            for place, a in enumerate(actions)
        ]
        answers = [
            {"id": one["id"], "state": a.state, "returnValue": a.value, "error": []}
            for one, a in zip(sent, actions, strict=True)
        ]
        context = {
            "mode": "PROD",
            "fwuid": FWUID,
            "app": "one:one",
            "loaded": {"APPLICATION@markup://one:one": "1"},
        }
        form = {
            "message": json.dumps({"actions": sent}),
            "aura.context": json.dumps(context),
            "aura.pageURI": "/lightning/page/home",
            "aura.token": CSRF_TOKEN,
        }
        self.form(
            f"/aura?r={number}&aura.ApexAction.execute=1", form, error or json.dumps({"actions": answers})
        )

    def form(self, target: str, form: Mapping[str, str], answer: str) -> None:
        """A POST of form fields."""
        text = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in form.items())
        encoded = {name: quote(value, safe="") for name, value in form.items()}
        match self.browser:
            case Browser.CHROME | Browser.CHROME_SENSITIVE | Browser.EDGE:
                kind, params = f"{FORM}; charset=UTF-8", encoded
            case Browser.SAFARI:
                kind, params = f"{FORM}; charset=UTF-8", {}
            case _:
                kind, params = FORM, dict(form)
        data: dict[str, Any] = {"mimeType": kind, "text": text}
        data["params"] = [{"name": name, "value": value} for name, value in params.items()]
        self._add("POST", target, data, answer)

    def rest(self, verb: str, target: str, body: Any, answer: Any = None) -> None:
        """A request with JSON."""
        data = (
            None if body is None else {"mimeType": "application/json", "text": json.dumps(body), "params": []}
        )
        self._add(verb, target, data, json.dumps(answer))

    def get(self, target: str, answer: str = "") -> None:
        """A request without a body."""
        self._add("GET", target, None, answer)

    def _add(self, verb: str, target: str, data: Any, answer: str) -> None:
        lower = self.browser in {Browser.CHROME, Browser.CHROME_SENSITIVE, Browser.EDGE}
        headers = {"Host": HOST, "Origin": f"https://{HOST}", "Accept": "*/*"}
        if data is not None:
            headers["Content-Type"] = data["mimeType"]
        cookies = []
        if self.browser.keeps_cookies:
            headers |= {
                "Cookie": f"sid={SESSION}; BrowserId=PlantedCookie",
                "Authorization": f"Bearer {SESSION}",
            }
            cookies = [{"name": "sid", "value": SESSION}, {"name": "BrowserId", "value": "PlantedCookie"}]
        content: dict[str, Any] = {"size": len(answer), "mimeType": "application/json", "text": answer}
        if self.browser is Browser.FIREFOX:
            content = {
                "size": len(answer),
                "mimeType": "application/json",
                "comment": "Response bodies are not included",
            }
        self.entries.append(
            {
                "startedDateTime": f"2026-11-28T10:00:{len(self.entries) % 60:02}.000Z",
                "time": 120,
                "request": {
                    "method": verb,
                    "url": f"https://{HOST}{target}",
                    "httpVersion": "HTTP/2",
                    "headers": [
                        {"name": name.lower() if lower else name, "value": value}
                        for name, value in headers.items()
                    ],
                    "cookies": cookies,
                    "queryString": [],
                    "headersSize": -1,
                    "bodySize": -1,
                    **({"postData": data} if data is not None else {}),
                },
                "response": {
                    "status": 200,
                    "statusText": "OK",
                    "httpVersion": "HTTP/2",
                    "headers": [],
                    "cookies": [],
                    "content": content,
                    "redirectURL": "",
                    "headersSize": -1,
                    "bodySize": -1,
                },
                "cache": {},
                "timings": {"send": 0, "wait": 100, "receive": 1},
            }
        )

    def archive(self) -> dict[str, Any]:
        """What the browser exports."""
        creator = {
            Browser.FIREFOX: {"name": "Firefox", "version": "133.0"},
            Browser.FIREFOX_OLD: {"name": "Firefox", "version": "78.0"},
            Browser.SAFARI: {"name": "WebKit Web Inspector", "version": "1.0"},
        }.get(self.browser, {"name": "WebInspector", "version": "537.36"})
        version = "1.1" if self.browser is Browser.FIREFOX_OLD else "1.2"
        return {"log": {"version": version, "creator": creator, "pages": [], "entries": self.entries}}

    def text(self) -> str:
        """The file."""
        return json.dumps(self.archive())


def press(action: Action, browser: Browser = Browser.CHROME, *, after: Sequence[Action] = ()) -> Recorder:
    """A press of the button among the usual noise."""
    recorder = Recorder(browser)
    recorder.get("/resource/1700/s_c__icons.svg", "<svg/>")
    recorder.aura(NOISE[0], NOISE[4])
    recorder.aura(NOISE[1], action, NOISE[2])
    recorder.aura(NOISE[3], *after)
    recorder.rest("POST", "/auraAnalytics", {"events": []})
    return recorder
