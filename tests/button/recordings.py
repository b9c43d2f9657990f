"""Writes the recordings in `har/`, as browsers export them: `python -m tests.button.recordings`.

Every id, token and host in them is made up. The shapes are those of the exporters' own sources: Chrome
writes form values percent-encoded and drops cookies ("sanitized"), Firefox writes them decoded and may drop
the text, Safari leaves `params` empty.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

FOLDER = Path(__file__).parent / "har"
EVENTS = ("a0X5g000001AbCdEAK", "a0X5g000001AbCeEAK")
RECORDS = ("8015g00000Vb4QAAAZ", "8015g00000Vb4QBAAZ")
TOKEN = "eyJub25jZSI6Ik9ubHlBVGVzdCJ9..madeup.madeup.madeup"
SESSION = "00D5g000004AbCd!AQEAQMadeUpSessionIdThatMustNotBeKept"
FWUID = "MadeUpFrameworkUid1234567890abcdefABCDEF"
HOST = "acme--uat.sandbox.lightning.force.com"
CHROME = {"name": "WebInspector", "version": "537.36"}
FIREFOX = {"name": "Firefox", "version": "140.0"}
SAFARI = {"name": "WebKit Web Inspector", "version": "1.0"}
FORM = "application/x-www-form-urlencoded"


def lwc(
    params: Any, name: str = "SyncErrorController", method: str = "retryEvents", **more: Any
) -> dict[str, Any]:
    """An imperative Apex call of a Lightning web component."""
    return {
        "id": more.pop("id", "77;a"),
        "descriptor": "aura://ApexActionController/ACTION$execute",
        "callingDescriptor": "UNKNOWN",
        "params": {
            "namespace": "s_c",
            "classname": name,
            "method": method,
            "params": params,
            "cacheable": False,
            "isContinuation": False,
            **more,
        },
    }


def framework(descriptor: str, params: Any = None, key: str = "9;a") -> dict[str, Any]:
    """An action of the page itself."""
    return {"id": key, "descriptor": descriptor, "callingDescriptor": "UNKNOWN", "params": params or {}}


def form(actions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Fields of the POST to /aura."""
    return {
        "message": json.dumps({"actions": list(actions)}),
        "aura.context": json.dumps({"mode": "PROD", "fwuid": FWUID, "app": "one:one", "loaded": {}}),
        "aura.pageURI": f"/lightning/r/s_c__Change_Event__c/{EVENTS[0]}/view",
        "aura.token": TOKEN,
    }


def answered(actions: Sequence[Mapping[str, Any]], state: str = "SUCCESS", value: Any = None) -> str:
    """What the server said to a boxcar."""
    return json.dumps(
        {"actions": [{"id": one["id"], "state": state, "returnValue": value, "error": []} for one in actions]}
    )


def entry(
    url: str,
    *,
    method: str = "POST",
    post: Mapping[str, Any] | None = None,
    status: int = 200,
    answer: str | None = None,
    headers: Sequence[tuple[str, str]] = (),
    cookies: bool = False,
) -> dict[str, Any]:
    """One entry of a HAR."""
    content: dict[str, Any] = {"size": len(answer or ""), "mimeType": "application/json"}
    if answer is not None:
        content["text"] = answer
    secret = [
        {"name": "Cookie", "value": f"sid={SESSION}"},
        {"name": "Authorization", "value": f"Bearer {SESSION}"},
    ]
    request: dict[str, Any] = {
        "method": method,
        "url": url,
        "httpVersion": "http/2.0",
        "headers": [{"name": name, "value": value} for name, value in headers] + (secret if cookies else []),
        "queryString": [],
        "cookies": [{"name": "sid", "value": SESSION}] if cookies else [],
        "headersSize": -1,
        "bodySize": -1,
    }
    if post is not None:
        request["postData"] = dict(post)
    return {
        "startedDateTime": "2026-11-20T22:14:07.113Z",
        "time": 412.5,
        "request": request,
        "response": {"status": status, "statusText": "", "headers": [], "cookies": [], "content": content},
        "cache": {},
        "timings": {"send": 0.1, "wait": 411, "receive": 1.4},
    }


def chrome_post(fields: Mapping[str, str]) -> dict[str, Any]:
    """Text as sent, and params still percent-encoded."""
    return {
        "mimeType": f"{FORM}; charset=UTF-8",
        "text": urlencode(fields),
        "params": [{"name": quote(name), "value": quote(value)} for name, value in fields.items()],
    }


def aura(actions: Sequence[Mapping[str, Any]], *, answer: str | None = "", **more: Any) -> dict[str, Any]:
    """A boxcar as Chrome records it."""
    body = answered(actions) if answer == "" else answer
    return entry(
        f"https://{HOST}/aura?r=41&aura.ApexAction.execute=1",
        post=chrome_post(form(actions)),
        answer=body,
        **more,
    )


def rest(path: str, body: Any, *, method: str = "POST", answer: str = "{}", **more: Any) -> dict[str, Any]:
    """A JSON request as Chrome records it."""
    post = {"mimeType": "application/json", "text": json.dumps(body)}
    return entry(f"https://{HOST}{path}", method=method, post=post, answer=answer, **more)


def har(entries: Sequence[Any], creator: Mapping[str, str] | None = None, version: str = "1.2") -> str:
    """The whole file."""
    log = {"version": version, "creator": dict(creator or CHROME), "pages": [], "entries": list(entries)}
    return json.dumps({"log": log}, indent=1)


NOISE = [
    framework(
        "aura://RecordUiController/ACTION$getRecordWithFields",
        {"recordId": EVENTS[0], "fields": ["X.Id"]},
        "7;a",
    ),
    framework(
        "serviceComponent://ui.instrumentation.components.beacon.InstrumentationBeaconController/ACTION$sendData",
        {"batch": [{"recordId": EVENTS[0]}]},
        "8;a",
    ),
    {
        **lwc({"recordIds": list(EVENTS)}, method="getErrors", cacheable=True),
        "id": "6;a",
    },
]
PRESS = lwc({"changeEventIds": list(EVENTS)})


def recordings() -> dict[str, str]:
    """Name of each file and its text."""
    fields = form([PRESS])
    lost_text = {
        "mimeType": FORM,
        "params": [{"name": name, "value": value} for name, value in fields.items()],
    }
    classic = {
        "id": "12;a",
        "descriptor": "apex://s_c.SyncErrorToolController/ACTION$resyncSelected",
        "callingDescriptor": "markup://s_c:syncErrorTool",
        "params": {"ids": list(EVENTS)},
    }
    csv = lwc({"ids": ",".join(EVENTS), "source": "utility bar"})
    text = lwc({"payload": json.dumps({"mode": "retry", "rows": list(EVENTS)})})
    objects = lwc({"records": [{"Id": one, "retry": True} for one in EVENTS]})
    singles = [lwc({"eventId": one}, id=f"{number};a") for number, one in enumerate(EVENTS, 20)]
    short = lwc({"changeEventIds": [one[:15] for one in EVENTS]})
    parents = lwc({"orderIds": list(RECORDS)})
    refresh = lwc({"changeEventIds": list(EVENTS)}, method="getErrors", id="78;a")
    by_id = lwc({"rows": {one: {"retry": True} for one in EVENTS}})
    update = [
        framework(
            "aura://RecordUiController/ACTION$updateRecord",
            {
                "recordId": one,
                "recordInput": {"allowSaveOnDuplicate": False, "fields": {"s_c__Retry__c": True, "Id": one}},
                "clientOptions": {"ifUnmodifiedSince": "2026-11-20T22:10:00.000Z"},
            },
            f"{number};a",
        )
        for number, one in enumerate(EVENTS, 30)
    ]
    flow = framework(
        "aura://FlowRuntimeConnectController/ACTION$startFlow",
        {
            "flowDevName": "s_c__Resync_Errors",
            "arguments": json.dumps([{"name": "recordIds", "type": "String", "value": list(EVENTS)}]),
            "enableTrace": False,
        },
    )
    screens = framework(
        "aura://FlowRuntimeConnectController/ACTION$navigateFlow",
        {"action": "NEXT", "serializedState": "AAAAWgMadeUp", "fields": []},
        "10;a",
    )
    runtime = "serviceComponent://ui.interaction.runtime.components.controllers.FlowRuntimeController"
    older = {**flow, "descriptor": f"{runtime}/ACTION$runInterview"}
    named = [("x-sfdc-lds-endpoints", "ApexActionController.execute:SyncErrorController.retryEvents")]
    deep: Any = list(EVENTS)
    for _ in range(60):
        deep = {"x": deep}
    broken = [
        None,
        7,
        {"request": None},
        {"request": {"method": "POST", "url": f"https://{HOST}/aura", "postData": None}},
        {
            "request": {
                "method": "POST",
                "url": f"https://{HOST}/aura",
                "postData": {"mimeType": FORM, "params": None},
            }
        },
        {"request": {"method": "POST", "url": "https://[bad", "postData": {}}, "response": 5},
    ]
    good = aura([PRESS])
    encoded = aura([PRESS], answer=base64.b64encode(answered([PRESS]).encode()).decode())
    encoded["response"]["content"]["encoding"] = "base64"
    return {
        "01-chrome-sanitized": har([aura([*NOISE, PRESS])]),
        "02-chrome-with-secrets": har([aura([*NOISE, PRESS], cookies=True)]),
        "03-chrome-no-answers": har([aura([*NOISE, PRESS], answer=None)]),
        "04-chrome-no-body": har(
            [entry(f"https://{HOST}/aura?r=4", headers=named, answer=answered([PRESS]))]
        ),
        "05-firefox": har([entry(f"https://{HOST}/aura?r=4", post=lost_text, answer=None)], FIREFOX),
        "06-firefox-old": har(
            [entry(f"https://{HOST}/aura", post={**lost_text, "text": urlencode(fields)})], FIREFOX, "1.1"
        ),
        "07-safari": har(
            [
                entry(
                    f"https://{HOST}/aura",
                    post={"mimeType": FORM, "text": urlencode(fields), "params": []},
                    answer=answered([PRESS]),
                )
            ],
            SAFARI,
        ),
        "08-edge": har([aura([PRESS])], {"name": "WebInspector", "version": "537.36"}),
        "09-aura-component": har([aura([classic])]),
        "10-csv": har([aura([csv])]),
        "11-json-string": har([aura([text])]),
        "12-records": har([aura([objects])]),
        "13-one-each": har([aura([*NOISE, *singles])]),
        "14-fifteen-characters": har([aura([short])]),
        "15-parent-records": har([aura([parents])]),
        "16-refresh-too": har([aura([PRESS, refresh]), aura([{**refresh, "id": "90;a"}])]),
        "17-no-ids": har([aura([lwc({"mode": "all"}, method="retryAll")])]),
        "18-update-record": har([aura(update)]),
        "19-screen-flow": har([aura([flow]), aura([screens])]),
        "19b-flow-without-screens": har([aura([flow])]),
        "19c-flow-of-an-older-page": har([aura([older])]),
        "19d-screen-flow-of-an-older-page": har(
            [aura([older]), aura([{**screens, "descriptor": f"{runtime}/ACTION$navigateFlow"}])]
        ),
        "20-remoting": har(
            [
                rest(
                    "/apexremote",
                    {
                        "action": "s_c.SyncErrorPage",
                        "method": "retry",
                        "data": [list(EVENTS)],
                        "type": "rpc",
                        "tid": 3,
                        "ctx": {"csrf": TOKEN},
                    },
                )
            ]
        ),
        "21-visualforce-form": har(
            [
                entry(
                    f"https://{HOST}/apex/s_c__Errors",
                    post=chrome_post(
                        {"com.salesforce.visualforce.ViewState": "i:AAAAWXsi", "j_id0:f:retry": "1"}
                    ),
                )
            ]
        ),
        "22-lwr-direct": har(
            [
                rest(
                    "/lwr/apex/v67.0/s_c__SyncErrorController/retryEvents",
                    {"changeEventIds": list(EVENTS)},
                    answer="null",
                )
            ]
        ),
        "23-webruntime": har(
            [
                rest(
                    "/webruntime/api/apex/execute?language=en-US",
                    {**PRESS["params"]},
                    answer='{"returnValue":null}',
                )
            ]
        ),
        "24-press-failed": har([aura([PRESS], answer=answered([PRESS], "ERROR"))]),
        "25-unrelated-site": har(
            [rest("/api/v1/track", {"ids": list(EVENTS)}), entry("https://example.com/", method="GET")]
        ),
        "26-damaged-entries": "\ufeff" + har([*broken, encoded, good]),
        "26b-empty": har([]),
        "26c-cut-short": har([good])[:400],
        "28-hostile-class": har([aura([lwc({"ids": list(EVENTS)}, name="../../services/data", method="x")])]),
        "28b-other-namespace": har([aura([lwc({"ids": list(EVENTS)}, namespace="evil_ns")])]),
        "28c-token-constant": har([aura([lwc({"ids": list(EVENTS), "key": TOKEN})])]),
        "28d-deep": har([aura([lwc({"ids": deep})])]),
        "28e-user-id-constant": har([aura([lwc({"ids": list(EVENTS), "userId": "0055g00000AbCdEAAV"})])]),
        "29-map": har([aura([by_id])]),
        "30-actions-api": har(
            [
                rest(
                    "/services/data/v64.0/actions/custom/apex/s_c__RetrySync",
                    {"inputs": [{"recordId": one} for one in EVENTS]},
                )
            ]
        ),
        "31-apex-rest": har([rest("/services/apexrest/s_c/resync", {"ids": list(EVENTS)})]),
        "32-downstream-action": har(
            [
                rest(
                    "/services/data/v64.0/actions/custom/apex/s_c__SyncRecordChangesInvocable",
                    {"inputs": [{"recordId": RECORDS[0]}]},
                )
            ]
        ),
        "33-delete": har(
            [aura([framework("aura://RecordUiController/ACTION$deleteRecord", {"recordId": EVENTS[0]})])]
        ),
        "34-purge-with-ids": har([aura([lwc({"ids": list(EVENTS)}, method="purgeErrors")])]),
        "35-two-like-calls": har(
            [
                aura(
                    [
                        lwc({"ids": list(EVENTS)}, method="process"),
                        lwc({"ids": list(EVENTS)}, method="logClick", id="5;a"),
                    ]
                )
            ]
        ),
    }


def main() -> None:
    """Write every recording."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in recordings().items():
        (FOLDER / f"{name}.har").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
