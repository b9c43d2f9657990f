"""A recording of the demo org's own Re-sync button, as a browser exports it: an HTTP archive (HAR 1.2).

It is what Chrome writes by default: cookies and the headers that carry them are taken out, request bodies are
kept, and with them the page's token, as in every such file. The token is an invented one. Nothing is pressed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from syncerr_tui.demo import button, resource
from syncerr_tui.demo.aura import APEX_ACTION
from syncerr_tui.demo.lightning import APP, HOME, new_csrf_token

LIGHTNING_HOST = "https://harbour-hearth-dev-ed.develop.lightning.force.com"
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"
_RECORD_UI = "aura://RecordUiController/ACTION$getRecordWithFields"
_BEACON = (
    "serviceComponent://ui.instrumentation.components.beacon.InstrumentationBeaconController/ACTION$sendData"
)
_WRITTEN: Mapping[str, dict[str, Any]] = json.loads(resource("recording.json"))
"""What is the same in every recording; `?` stands where it is not."""

Json = Mapping[str, object]


def recording(event_ids: Sequence[str], user_id: str, at: datetime, address: str = LIGHTNING_HOST) -> Json:
    """The archive of one press with these rows ticked.

    Args:
        event_ids: The rows, two of them in a good recording.
        user_id: Who pressed.
        at: When.
        address: Scheme and host of the page.
    """
    page = _Page(address, at, new_csrf_token())
    ids = list(event_ids)
    record = {"recordId": user_id, "fields": ["User.Name"]}
    rows = {"pageSize": 50, "pageNumber": 1}
    entries = [
        page.get("/resource/1700000000000/s_c__utilityBar/icons.svg", "image/svg+xml"),
        page.aura(
            [_action("11;a", _RECORD_UI, record), _apex("12;a", button.LIST, rows, cacheable=True)],
            [None, {"total": 2, "rows": []}],
            "ui-force-components-controllers-recordUi.RecordUi.getRecordWithFields=1&aura.ApexAction.execute=1",
        ),
        page.aura(
            [
                _action("21;a", _BEACON, {"batch": [{"type": "click", "ts": 1}]}),
                _apex("22;a", button.RESYNC, {button.IDS: ids, button.ORIGIN: button.UTILITY_BAR}),
            ],
            [None, [{"id": event_id, "success": True, "message": "Queued"} for event_id in ids]],
            "aura.ApexAction.execute=1&ui-instrumentation-components-beacon.InstrumentationBeacon.sendData=1",
        ),
        page.aura(
            [_apex("31;a", button.REFRESH, {button.IDS: ids})],
            [[{"id": event_id, "state": "PENDING"} for event_id in ids]],
            "aura.ApexAction.execute=1",
        ),
    ]
    log = _WRITTEN["log"]
    started = {**log["pages"][0], "startedDateTime": _moment(at), "title": address + HOME}
    return {"log": {**log, "pages": [started], "entries": entries}}


def _action(action_id: str, descriptor: str, params: Json) -> dict[str, object]:
    return {"id": action_id, "descriptor": descriptor, "callingDescriptor": "UNKNOWN", "params": params}


def _apex(action_id: str, method: str, params: Json, *, cacheable: bool = False) -> dict[str, object]:
    call = {
        "namespace": button.NAMESPACE,
        "classname": button.CONTROLLER,
        "method": method,
        "params": params,
        "cacheable": cacheable,
        "isContinuation": False,
    }
    return _action(action_id, APEX_ACTION, call)


class _Page:
    """The Lightning page whose traffic is recorded."""

    def __init__(self, address: str, at: datetime, token: str) -> None:
        self._address = address
        self._host = urlsplit(address).netloc
        self._at = at
        self._token = token
        self._requests = 0
        loaded = {f"APPLICATION@markup://{APP}": "1233_demo-recording"}
        self._context = {"mode": "PROD", "fwuid": "demo-recording-fwuid", "app": APP, "loaded": loaded}

    def get(self, path: str, kind: str) -> Json:
        """A static file."""
        return self._entry("GET", path, None, kind, "<svg/>", "image")

    def aura(self, actions: Sequence[dict[str, object]], values: Sequence[object], labels: str) -> Json:
        """One POST of the framework, with the values that its actions came back with."""
        results = []
        for action, value in zip(actions, values, strict=True):
            is_apex = action["descriptor"] == APEX_ACTION
            result = {"returnValue": value, "cacheable": False} if is_apex else value
            results.append({"id": action["id"], "state": "SUCCESS", "returnValue": result, "error": []})
        form = {
            "message": json.dumps({"actions": actions}, separators=(",", ":")),
            "aura.context": json.dumps({**self._context, "dn": [], "globals": {}, "uad": True}),
            "aura.pageURI": HOME,
            "aura.token": self._token,
        }
        answer = json.dumps({"actions": results, "context": self._context, "perfSummary": {}})
        self._requests += 1
        target = f"/aura?r={self._requests}&{labels}"
        return self._entry("POST", target, form, "application/json;charset=UTF-8", answer, "xhr")

    def _entry(
        self, method: str, target: str, form: Mapping[str, str] | None, kind: str, answer: str, resource: str
    ) -> Json:
        self._at += timedelta(seconds=1.3)
        headers = [
            {"name": ":authority", "value": self._host},
            {"name": ":method", "value": method},
            {"name": ":path", "value": target},
            {"name": "accept", "value": "*/*"},
            {"name": "referer", "value": f"{self._address}/"},
        ]
        request: dict[str, object] = {
            **_WRITTEN["request"],
            "method": method,
            "url": self._address + target,
            "headers": headers,
            "queryString": _query(target),
        }
        if form is not None:
            text = urlencode(form)
            headers += [{"name": "content-type", "value": _FORM}, {"name": "origin", "value": self._address}]
            # Chrome gives the values of the parameters still encoded.
            params = [{"name": name, "value": quote(value, safe="")} for name, value in form.items()]
            request["postData"] = {"mimeType": _FORM, "text": text, "params": params}
            request["bodySize"] = len(text)
        response = {
            **_WRITTEN["response"],
            "headers": [{"name": "content-type", "value": kind}],
            "content": {"size": len(answer), "mimeType": kind.partition(";")[0], "text": answer},
            "_transferSize": len(answer) + 240,
        }
        return {
            **_WRITTEN["entry"],
            "_resourceType": resource,
            "request": request,
            "response": response,
            "startedDateTime": _moment(self._at),
        }


def _query(target: str) -> list[Json]:
    parts = target.partition("?")[2]
    return [dict(zip(("name", "value"), part.split("="), strict=True)) for part in parts.split("&") if part]


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
