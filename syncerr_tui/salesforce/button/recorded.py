"""The calls in a recording that could be a button: Apex actions, record writes, Flows, actions, Apex REST.

One POST of Lightning carries several actions (a boxcar); each is a call of its own here. Reads, telemetry and
what belongs to the page itself are passed over. What changes something but cannot be repeated is refused with
a reason.

Long because each way in which a browser can ask the server for something has a small reader here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import cast

from syncerr_tui.salesforce.button.har import Exchange
from syncerr_tui.salesforce.button.template import Json, looks_like_id, looks_secret


class CallKind(StrEnum):
    """What a call is, and with it how it is repeated."""

    APEX = "apex"
    """An @AuraEnabled method."""
    RECORD_UPDATE = "record_update"
    RECORD_CREATE = "record_create"
    INVOCABLE = "invocable"
    """An Apex action that the REST API lists under `actions/custom/apex`."""
    APEXREST = "apexrest"
    FLOW = "flow"


class Style(StrEnum):
    """Who made the call in the browser."""

    LWC = "lwc"
    AURA = "aura"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call of the recording that changes something, or may."""

    kind: CallKind
    style: Style
    namespace: str = ""
    """Of the package, e.g. `s_c`; empty for the org's own code."""
    name: str = ""
    """Class, action or Flow without its namespace, object with it; for Apex REST the path."""
    method: str = ""
    """Of an Apex class; the HTTP method for Apex REST."""
    params: Json = field(default_factory=dict)
    calling: str = ""
    """An Aura component's descriptor (`markup://s_c:tool`): the server uses it in its access decision."""
    continuation: bool = False
    cacheable: bool | None = None
    """None where the recording does not say."""
    succeeded: bool | None = None
    """What the recorded answer says; None where there is none."""

    @property
    def words(self) -> str:
        """What was called, for people: names only, never a value of the recording."""
        qualified = self.namespace and not self.name.startswith(f"{self.namespace}__")
        full = f"{self.namespace}.{self.name}" if qualified else self.name
        label = {
            CallKind.APEX: f"Apex {full}.{self.method}",
            CallKind.RECORD_UPDATE: f"Update of {full or 'a record'}",
            CallKind.RECORD_CREATE: f"New record of {full or 'an object'}",
            CallKind.INVOCABLE: f"Apex action {full}",
            CallKind.APEXREST: f"Apex REST {self.name}",
            CallKind.FLOW: f"Flow {full}",
        }
        return label[self.kind]


@dataclass(frozen=True, slots=True)
class Unrepeatable:
    """Something in the recording that cannot be repeated."""

    what: str
    """Names only, never a value of the recording."""
    why: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a HAR file holds for us."""

    calls: tuple[RecordedCall, ...]
    refused: tuple[Unrepeatable, ...]
    lightning: int
    """Lightning actions seen in all, for the words of an empty result."""


_IDENTIFIER = re.compile(r"[A-Za-z]\w{0,79}", re.ASCII)
_WORD = re.compile(r"[A-Z]?[a-z]{3,}")
_NAMESPACE = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9]){0,14}", re.ASCII)
_COMPONENT = re.compile(r"markup://[A-Za-z]\w{0,30}:[A-Za-z]\w{0,79}", re.ASCII)
_CLASSIC = re.compile(r"apex://([^/]+)/ACTION\$(.+)")
_REST_PATH = re.compile(r"[A-Za-z]\w{0,79}(?:/[A-Za-z]\w{0,79}){0,7}", re.ASCII)
_DATA = r"/services/data/v\d{1,3}\.\d"
_ACTION = re.compile(_DATA + r"/actions/custom/(apex|flow)/([^/]+)/?")
_RECORD = re.compile(_DATA + r"/(?:sobjects/([^/]+)|ui-api/records)(?:/([^/]+))?/?")
_COLLECTION = re.compile(_DATA + r"/composite/sobjects/?")
_COMPOSITE = re.compile(_DATA + r"/(?:composite(?:/.*)?|(?:sobjects/[^/]+/)?quickActions/.*)")
_LWR = re.compile(r"/lwr/apex/v\d{1,3}\.\d/([^/]+)/([^/]+)/?")
_APEX = "aura://ApexActionController/ACTION$execute"
_CUT = "Its body is cut short or missing, record the press again"
_WRITES = frozenset({"POST", "PATCH", "PUT"})


def read_recording(exchanges: Sequence[Exchange]) -> Recording:
    """Every call of a recording that may be the button, in order, and what cannot be repeated."""
    calls: list[RecordedCall] = []
    refused: list[Unrepeatable] = []
    lightning = 0
    for exchange in exchanges:
        read = list(_read(exchange))
        lightning += sum(1 for one in read if one is None)
        for one in read:
            if isinstance(one, RecordedCall):
                calls.append(one)
            elif isinstance(one, Unrepeatable):
                refused.append(one)
    if any(one.what == _SCREEN_FLOW for one in refused):
        # The same interview began with startFlow; a later step with screens decides what it is.
        refused += [Unrepeatable(call.words, _SCREEN_FLOW_WHY) for call in calls if _started(call)]
        calls = [call for call in calls if not _started(call)]
    return Recording(tuple(calls), tuple(dict.fromkeys(refused)), lightning)


def _started(call: RecordedCall) -> bool:
    return call.kind is CallKind.FLOW and call.style is not Style.REST


def _read(exchange: Exchange) -> Iterator[RecordedCall | Unrepeatable | None]:
    """Calls and refusals of one request; None for each Lightning action, whatever it is."""
    path = exchange.path.rstrip("/")
    if exchange.method == "DELETE" and _RECORD.fullmatch(path):
        yield Unrepeatable("Deletion of a record", "A re-sync does not delete records; it is never repeated")
    if exchange.method not in _WRITES:
        return
    if path.endswith("/aura"):
        yield from _boxcar(exchange)
    elif match := _LWR.fullmatch(path):
        yield _lwr(match[1], match[2], exchange)
    elif path.endswith("/webruntime/api/apex/execute"):
        yield _site_apex(exchange)
    elif path.endswith("/apexremote"):
        yield from _remoting(exchange)
    elif "com.salesforce.visualforce.ViewState" in exchange.form:
        yield Unrepeatable(
            "A Visualforce page",
            "Its state is encrypted and holds the selected rows, so it cannot be repeated with others",
        )
    elif match := _ACTION.fullmatch(path):
        yield _action(match[1], match[2], exchange)
    elif path.startswith("/services/apexrest/"):
        yield _apexrest(path.removeprefix("/services/apexrest/"), exchange)
    elif _COLLECTION.fullmatch(path) or _RECORD.fullmatch(path):
        yield _record_write(path, exchange)
    elif path.endswith("/graphql") and "mutation" in (exchange.text or ""):
        yield Unrepeatable("A GraphQL mutation", "It is of a kind that this tool cannot repeat")
    elif _COMPOSITE.fullmatch(path):
        what = "A quick action" if "/quickActions/" in path else "A composite request"
        yield Unrepeatable(what, "It is of a kind that this tool cannot repeat")


def _json(text: str | None) -> Json:
    """The JSON in `text`; None where it is none."""
    try:
        return cast("Json", json.loads(text)) if text else None
    except (ValueError, RecursionError):
        return None


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _boxcar(exchange: Exchange) -> Iterator[RecordedCall | Unrepeatable | None]:
    message = _object(_json(exchange.form.get("message")))
    actions = message.get("actions")
    if not isinstance(actions, Sequence) or isinstance(actions, str):
        yield from _bodiless(exchange)
        return
    states = _states(exchange.answer)
    for action in actions:
        if isinstance(action, Mapping):
            yield None
            call = _lightning_action(action)
            if isinstance(call, RecordedCall):
                yield replace(call, succeeded=states.get(_text(action.get("id"))))
            elif call is not None:
                yield call


def _bodiless(exchange: Exchange) -> Iterator[Unrepeatable]:
    """Chrome may lose a body; a header of Lightning Data Service names class and method all the same."""
    named = exchange.headers.get("x-sfdc-lds-endpoints", "")
    for endpoint in named.split(","):
        name = endpoint.strip().removeprefix("ApexActionController.execute:").replace("__", ".")
        if endpoint.strip().startswith("ApexActionController.execute:") and _all_identifiers(name):
            yield Unrepeatable(
                f"Apex {name}", "The recording has no body for it: its parameters are not known"
            )
    if not named and (exchange.form or exchange.text is None):
        yield Unrepeatable("A Lightning request", "The recording has no request body for it, export it again")


def _all_identifiers(dotted: str) -> bool:
    return all(_IDENTIFIER.fullmatch(part) for part in dotted.split("."))


def _states(answer: str) -> dict[str, bool]:
    """Whether each action of an answered boxcar succeeded, by the action's id."""
    text = answer.removeprefix("while(1);").strip()
    actions = _object(_json(text)).get("actions")
    states: dict[str, bool] = {}
    for action in actions if isinstance(actions, Sequence) and not isinstance(actions, str) else ():
        if isinstance(action, Mapping) and isinstance(action.get("state"), str):
            states[_text(action.get("id"))] = action["state"] == "SUCCESS"
    return states


def _lightning_action(action: Mapping[str, Json]) -> RecordedCall | Unrepeatable | None:
    descriptor, params = _text(action.get("descriptor")), _object(action.get("params"))
    if descriptor == _APEX:
        return _lwc_apex(params)
    if classic := _CLASSIC.fullmatch(descriptor):
        return _aura_apex(classic[1], classic[2], action, params)
    controller, _, name = descriptor.rpartition("/ACTION$")
    controller = controller.rpartition("/")[2].rpartition(".")[2]
    handler = _CONTROLLERS.get((controller, name))
    if handler is not None:
        return handler(params)
    if "GraphQL" in controller and "mutation" in json.dumps(params):
        return Unrepeatable("A GraphQL mutation", "It is of a kind that this tool cannot repeat")
    if "QuickAction" in controller and not name.startswith("get"):
        return Unrepeatable("A quick action", "It is of a kind that this tool cannot repeat")
    return None


def _lwc_apex(params: Mapping[str, Json]) -> RecordedCall | Unrepeatable | None:
    namespace, name, method = (_text(params.get(key)) for key in ("namespace", "classname", "method"))
    if params.get("cacheable") is True:
        return None
    if not namespace:
        namespace, name = _split(name)
    inner = params.get("params")
    return _apex_call(
        Style.LWC,
        namespace,
        name,
        method,
        params=inner if inner is not None else {},
        continuation=params.get("isContinuation") is True,
        cacheable=False if params.get("cacheable") is False else None,
    )


def _aura_apex(
    controller: str, method: str, action: Mapping[str, Json], params: Mapping[str, Json]
) -> RecordedCall | Unrepeatable:
    namespace, _, name = controller.rpartition(".")
    calling = _text(action.get("callingDescriptor"))
    call = _apex_call(Style.AURA, namespace, name, method, params=params)
    if isinstance(call, RecordedCall) and _COMPONENT.fullmatch(calling):
        return replace(call, calling=calling)
    return call


def _no_name(word: str) -> bool:
    """Whether a word that could be a name is rather an id or a secret: names are shown, and stored."""
    readable = sum(map(len, _WORD.findall(word)))
    return looks_like_id(word) or (looks_secret(word) and readable < len(word) / 2)


def _apex_call(
    style: Style,
    namespace: str,
    name: str,
    method: str,
    *,
    params: Json,
    continuation: bool = False,
    cacheable: bool | None = None,
) -> RecordedCall | Unrepeatable:
    if not _IDENTIFIER.fullmatch(name) or not _IDENTIFIER.fullmatch(method):
        return Unrepeatable("An Apex action", "Its class or method is not a name that Apex allows")
    if _no_name(name) or _no_name(method):
        return Unrepeatable("An Apex action", "Its class or method looks like an id or a secret")
    if namespace and not _NAMESPACE.fullmatch(namespace):
        return Unrepeatable("An Apex action", "Its namespace is not a name that Salesforce allows")
    return RecordedCall(
        CallKind.APEX, style, namespace, name, method, params, continuation=continuation, cacheable=cacheable
    )


def _split(name: str) -> tuple[str, str]:
    """Namespace and name of `s_c__Name`: the first double underscore separates them, a suffix does not."""
    namespace, separator, rest = name.partition("__")
    if not separator or (rest in _SUFFIXES):
        return "", name
    return namespace, rest


_SUFFIXES = frozenset({"c", "e", "mdt", "x", "b", "r"})


def _lwr(name: str, method: str, exchange: Exchange) -> RecordedCall | Unrepeatable:
    namespace, plain = _split(name)
    params = _json(exchange.text)
    if exchange.text and params is None:
        return Unrepeatable("An Apex action", _CUT)
    call = _apex_call(Style.REST, namespace, plain, method, params=params or {})
    return replace(call, succeeded=_good(exchange)) if isinstance(call, RecordedCall) else call


def _good(exchange: Exchange) -> bool | None:
    return 200 <= exchange.status < 300 if exchange.status else None


def _site_apex(exchange: Exchange) -> RecordedCall | Unrepeatable | None:
    body = _object(_json(exchange.text))
    name = _text(body.get("classname"))
    if body.get("cacheable") is True:
        return None
    if name.startswith("@udd/"):
        return Unrepeatable("An Apex action of a site", "The site hides the class's name behind an alias")
    namespace = _text(body.get("namespace"))
    if not namespace:
        namespace, name = _split(name)
    call = _apex_call(
        Style.LWC,
        namespace,
        name,
        _text(body.get("method")),
        params=body.get("params") or {},
        continuation=body.get("isContinuation") is True,
        cacheable=False if body.get("cacheable") is False else None,
    )
    return replace(call, succeeded=_good(exchange)) if isinstance(call, RecordedCall) else call


def _remoting(exchange: Exchange) -> Iterator[Unrepeatable]:
    body = _json(exchange.text)
    calls = body if isinstance(body, Sequence) and not isinstance(body, str) else [body]
    for one in calls:
        name, method = _text(_object(one).get("action")), _text(_object(one).get("method"))
        known = _all_identifiers(name) and _IDENTIFIER.fullmatch(method)
        yield Unrepeatable(
            f"Visualforce remoting {name}.{method}" if known else "Visualforce remoting",
            "It works only from its own page, whose tokens change with every load",
        )


def _action(kind: str, name: str, exchange: Exchange) -> RecordedCall | Unrepeatable:
    namespace, plain = _split(name)
    if not _IDENTIFIER.fullmatch(name):
        return Unrepeatable("A custom action", "Its name is not one that Salesforce allows")
    body = _json(exchange.text)
    if not isinstance(body, Mapping):
        return Unrepeatable(f"Action {name}", _CUT)
    call_kind = CallKind.INVOCABLE if kind == "apex" else CallKind.FLOW
    return RecordedCall(call_kind, Style.REST, namespace, plain, params=body, succeeded=_good(exchange))


def _apexrest(path: str, exchange: Exchange) -> RecordedCall | Unrepeatable:
    if not _REST_PATH.fullmatch(path):
        if any(looks_like_id(part) for part in path.split("/")):
            return Unrepeatable("Apex REST", "The row's id stands in its address")
        return Unrepeatable("Apex REST", "Its address is not a plain path of names")
    if any(map(_no_name, path.split("/"))):
        return Unrepeatable("Apex REST", "A part of its address looks like an id or a secret")
    body = _json(exchange.text)
    if not isinstance(body, Mapping):
        return Unrepeatable(f"Apex REST {path}", "Its body is not a JSON object")
    first = path.partition("/")[0]
    namespace = first if path.count("/") else ""
    return RecordedCall(
        CallKind.APEXREST,
        Style.REST,
        namespace,
        path,
        exchange.method,
        params=body,
        succeeded=_good(exchange),
    )


def _record_write(path: str, exchange: Exchange) -> RecordedCall | Unrepeatable | None:
    body = _object(_json(exchange.text))
    if not body:
        return Unrepeatable("A record's update", _CUT)
    good = _good(exchange)
    if _COLLECTION.fullmatch(path):
        call = _collection(body, created=exchange.method == "POST")
        return replace(call, succeeded=good) if isinstance(call, RecordedCall) else call
    match = _RECORD.fullmatch(path)
    assert match is not None
    fields = _object(body.get("fields")) if match[1] is None else body
    name = match[1] or _text(body.get("apiName"))
    if name and not _IDENTIFIER.fullmatch(name):
        return Unrepeatable("A record's update", "Its object is not a name that Salesforce allows")
    if match[2] is None:
        return RecordedCall(
            CallKind.RECORD_CREATE, Style.REST, *_object_name(name), params={"fields": fields}, succeeded=good
        )
    return RecordedCall(
        CallKind.RECORD_UPDATE,
        Style.REST,
        *_object_name(name),
        params={"recordId": match[2], "fields": fields},
        succeeded=good,
    )


def _object_name(name: str) -> tuple[str, str]:
    """(namespace, name): an object keeps its full API name, which is what everything else calls it by."""
    return _split(name)[0], name


def _collection(body: Mapping[str, Json], *, created: bool) -> RecordedCall | Unrepeatable:
    records = body.get("records")
    items = [one for one in records if isinstance(one, Mapping)] if isinstance(records, list) else []
    types = {_text(_object(one.get("attributes")).get("type")) for one in items}
    if len(types) != 1 or not _IDENTIFIER.fullmatch(name := types.pop()):
        return Unrepeatable("An update of several records", "They are not of one object")
    stripped = [{key: value for key, value in one.items() if key != "attributes"} for one in items]
    kind = CallKind.RECORD_CREATE if created else CallKind.RECORD_UPDATE
    return RecordedCall(kind, Style.REST, *_object_name(name), params={"records": stripped})


def _update(params: Mapping[str, Json]) -> RecordedCall | Unrepeatable:
    record = _object(params.get("recordInput"))
    name = _text(record.get("apiName"))
    if name and not _IDENTIFIER.fullmatch(name):
        return Unrepeatable("A record's update", "Its object is not a name that Salesforce allows")
    record_id, fields = params.get("recordId"), _object(record.get("fields"))
    # Lightning Data Service repeats the id among the fields.
    fields = {key: value for key, value in fields.items() if key.lower() != "id" or value != record_id}
    stored: dict[str, Json] = {"recordId": record_id, "fields": fields}
    return RecordedCall(CallKind.RECORD_UPDATE, Style.LWC, *_object_name(name), params=stored)


def _save(params: Mapping[str, Json]) -> RecordedCall | Unrepeatable:
    """An update as older pages make it: the record whole, with its id and with fields as `{"value": ...}`."""
    record = next((saved for key in _SAVED if (saved := _object(params.get(key)))), {})
    fields = {
        name: field["value"] if isinstance(field, Mapping) and "value" in field else field
        for name, field in _object(record.get("fields")).items()
    }
    record_id = params.get("recordId") or record.get("id")
    return _update({"recordId": record_id, "recordInput": {**record, "fields": fields}})


_SAVED = ("recordInput", "record", "recordRep")


def _create(params: Mapping[str, Json]) -> RecordedCall | Unrepeatable:
    record = _object(params.get("recordInput"))
    name = _text(record.get("apiName"))
    if not _IDENTIFIER.fullmatch(name):
        return Unrepeatable("A new record", "Its object is not a name that Salesforce allows")
    return RecordedCall(
        CallKind.RECORD_CREATE,
        Style.LWC,
        *_object_name(name),
        params={"fields": _object(record.get("fields"))},
    )


_SCREEN_FLOW = "A Flow with screens"
_SCREEN_FLOW_WHY = "A Flow with screens is filled in step by step in the browser and cannot be repeated"


def _start_flow(params: Mapping[str, Json]) -> RecordedCall | Unrepeatable:
    name = _text(params.get("flowDevName"))
    namespace, plain = _split(name)
    if not _IDENTIFIER.fullmatch(name):
        return Unrepeatable("A Flow", "Its name is not one that Salesforce allows")
    arguments = _json(_text(params.get("arguments"))) if params.get("arguments") else []
    if not isinstance(arguments, Sequence) or isinstance(arguments, str):
        return Unrepeatable(f"Flow {name}", _CUT)
    inputs = {_text(_object(one).get("name")): _object(one).get("value") for one in arguments}
    return RecordedCall(CallKind.FLOW, Style.LWC, namespace, plain, params=inputs)


_CONTROLLERS: Mapping[tuple[str, str], Callable[[Mapping[str, Json]], RecordedCall | Unrepeatable]] = {
    ("RecordUiController", "updateRecord"): _update,
    ("RecordGvpController", "saveRecord"): _save,
    ("RecordUiController", "createRecord"): _create,
    ("RecordUiController", "deleteRecord"): lambda _params: Unrepeatable(
        "Deletion of a record", "A re-sync does not delete records; it is never repeated"
    ),
    ("FlowRuntimeConnectController", "startFlow"): _start_flow,
    ("FlowRuntimeConnectController", "navigateFlow"): lambda _params: Unrepeatable(
        _SCREEN_FLOW, _SCREEN_FLOW_WHY
    ),
    ("FlowQuickActionRuntimeController", "getFlowInfo"): lambda _params: Unrepeatable(
        "A quick action that opens a Flow", "Open the Flow itself and name it to the method flow"
    ),
}
