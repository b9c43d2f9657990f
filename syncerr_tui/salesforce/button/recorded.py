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
from typing import TypeVarTuple, Unpack, cast

from syncerr_tui.salesforce.button.har import Exchange
from syncerr_tui.salesforce.button.template import Json, looks_like_id, looks_secret

Ts = TypeVarTuple("Ts")


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


class _CannotRepeatError(Exception):
    def __init__(self, what: str, why: str) -> None:
        self.refused = Unrepeatable(what, why)


def _demand(holds: object, what: str, why: str) -> None:
    """Leave a call that cannot be repeated, unless this holds."""
    if not holds:
        raise _CannotRepeatError(what, why)


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
_SITE = re.compile(r"\A.+?(?=/(?:services/(?:data|apexrest|Soap)|lwr/apex)/)")
"""What an Experience Cloud site has in front of an address of the org."""
_LWR = re.compile(r"/lwr/apex/v\d{1,3}\.\d/([^/]+)/([^/]+)/?")
_APEX = "aura://ApexActionController/ACTION$execute"
_VIEW_STATE = "com.salesforce.visualforce.ViewState"
_DELETION = "Deletion of a record", "A re-sync does not delete records; it is never repeated"
_KIND = "It is of a kind that this tool cannot repeat"
_NO_NAME = "Its name is none that Salesforce allows, or looks like an id or a secret"
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
    path = _SITE.sub("", exchange.path.rstrip("/"))
    if exchange.method == "DELETE" and _RECORD.fullmatch(path):
        yield Unrepeatable(*_DELETION)
    if exchange.method not in _WRITES:
        return
    good = 200 <= exchange.status < 300 if exchange.status else None
    if path.endswith("/aura"):
        yield from _boxcar(exchange)
    elif path.endswith("/webruntime/api/apex/execute"):
        yield _tried(good, _lwc_apex, _object(_json(exchange.text)))
    elif path.endswith("/apexremote"):
        yield from _remoting(exchange)
    elif (call := _tried(good, _plain_request, path, exchange)) is not None:
        yield call


def _tried(
    succeeded: bool | None, read: Callable[[Unpack[Ts]], RecordedCall | None], *of: *Ts
) -> RecordedCall | Unrepeatable | None:
    """What a reader makes of a call that succeeded, or did not."""
    try:
        call = read(*of)
    except _CannotRepeatError as error:
        return error.refused
    return replace(call, succeeded=succeeded) if call is not None else None


def _plain_request(path: str, exchange: Exchange) -> RecordedCall | None:
    """The one call of a request that is no Lightning action."""
    if match := _LWR.fullmatch(path):
        return _lwr(match[1], match[2], exchange)
    # Where a page sends files too, its form is of many parts, which are not taken apart.
    parts = f'name="{_VIEW_STATE}"' in (exchange.text or "")
    _demand(
        _VIEW_STATE not in exchange.form and not parts,
        "A Visualforce page",
        "Its state is encrypted and holds the selected rows, so it cannot be repeated with others",
    )
    if match := _ACTION.fullmatch(path):
        return _action(match[1], match[2], exchange)
    if path.startswith("/services/apexrest/"):
        return _apexrest(path.removeprefix("/services/apexrest/"), exchange)
    if _COLLECTION.fullmatch(path) or _RECORD.fullmatch(path):
        return _record_write(path, exchange)
    _demand(not path.startswith("/services/Soap/"), "A SOAP call", _KIND)
    mutation = "/graphql" in path and "mutation" in (exchange.text or "")
    _demand(not mutation, "A GraphQL mutation", _KIND)
    what = "A quick action" if "/quickActions/" in path else "A composite request"
    _demand(not _COMPOSITE.fullmatch(path), what, _KIND)
    return None


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
            call = _tried(states.get(_text(action.get("id"))), _lightning_action, action)
            if call is not None:
                yield call


def _bodiless(exchange: Exchange) -> Iterator[Unrepeatable]:
    """Chrome may lose a body; a header of Lightning Data Service names class and method all the same."""
    named = exchange.headers.get("x-sfdc-lds-endpoints", "")
    for endpoint in named.split(","):
        name = endpoint.strip().removeprefix("ApexActionController.execute:").replace("__", ".")
        if endpoint.strip().startswith("ApexActionController.execute:") and _all_names(name):
            yield Unrepeatable(
                f"Apex {name}", "The recording has no body for it: its parameters are not known"
            )
    if not named:
        why = "The recording has no request body for it that can be read, export it again"
        yield Unrepeatable("A Lightning request", why)


def _all_names(dotted: str) -> bool:
    return all(map(_is_name, dotted.split(".")))


def _states(answer: str) -> dict[str, bool]:
    """Whether each action of an answered boxcar succeeded, by the action's id."""
    text = answer.removeprefix("while(1);").strip()
    actions = _object(_json(text)).get("actions")
    states: dict[str, bool] = {}
    for action in actions if isinstance(actions, Sequence) and not isinstance(actions, str) else ():
        if isinstance(action, Mapping) and isinstance(action.get("state"), str):
            states[_text(action.get("id"))] = action["state"] == "SUCCESS"
    return states


def _lightning_action(action: Mapping[str, Json]) -> RecordedCall | None:
    descriptor, params = _text(action.get("descriptor")), _object(action.get("params"))
    if descriptor == _APEX:
        return _lwc_apex(params)
    if classic := _CLASSIC.fullmatch(descriptor):
        return _aura_apex(classic[1], classic[2], action, params)
    controller, _, name = descriptor.rpartition("/ACTION$")
    controller = controller.rpartition("/")[2].rpartition(".")[2]
    reader = _CONTROLLERS.get((controller, name))
    if isinstance(reader, tuple):
        raise _CannotRepeatError(*reader)
    if reader is not None:
        return reader(params)
    mutation = "GraphQL" in controller and "mutation" in json.dumps(params)
    _demand(not mutation, "A GraphQL mutation", _KIND)
    _demand("QuickAction" not in controller or name.startswith("get"), "A quick action", _KIND)
    return None


def _lwc_apex(params: Mapping[str, Json]) -> RecordedCall | None:
    """An Apex method as a Lightning page calls it, and a site."""
    if params.get("cacheable") is True:
        return None
    namespace, name, method = (_text(params.get(key)) for key in ("namespace", "classname", "method"))
    alias = "The site hides the class's name behind an alias"
    _demand(not name.startswith("@udd/"), "An Apex action of a site", alias)
    if not namespace:
        namespace, name = _split(name)
    inner = params.get("params")
    call = _apex_call(Style.LWC, namespace, name, method, {} if inner is None else inner)
    cacheable = False if params.get("cacheable") is False else None
    return replace(call, continuation=params.get("isContinuation") is True, cacheable=cacheable)


def _aura_apex(
    controller: str, method: str, action: Mapping[str, Json], params: Mapping[str, Json]
) -> RecordedCall:
    namespace, _, name = controller.rpartition(".")
    calling = _text(action.get("callingDescriptor"))
    call = _apex_call(Style.AURA, namespace, name, method, params)
    known = _COMPONENT.fullmatch(calling) and _is_name(calling.rpartition(":")[2])
    return replace(call, calling=calling) if known else call


def _no_name(word: str) -> bool:
    """Whether a word that could be a name is rather an id or a secret: names are shown, and stored."""
    readable = sum(map(len, _WORD.findall(word)))
    return looks_like_id(word) or (looks_secret(word) and readable < len(word) / 2)


def _is_name(word: str) -> bool:
    """Whether a word is a name of Salesforce, and neither an id nor a secret in the place of one."""
    return _IDENTIFIER.fullmatch(word) is not None and not _no_name(word)


def _apex_call(style: Style, namespace: str, name: str, method: str, params: Json) -> RecordedCall:
    what, names = "An Apex action", (name, method)
    allowed = all(map(_IDENTIFIER.fullmatch, names))
    _demand(allowed, what, "Its class or method is not a name that Apex allows")
    _demand(not any(map(_no_name, names)), what, "Its class or method looks like an id or a secret")
    known = not namespace or _NAMESPACE.fullmatch(namespace)
    _demand(known, what, "Its namespace is not a name that Salesforce allows")
    return RecordedCall(CallKind.APEX, style, namespace, name, method, params)


def _split(name: str) -> tuple[str, str]:
    """Namespace and name of `s_c__Name`: the first double underscore separates them, a suffix does not."""
    namespace, separator, rest = name.partition("__")
    if not separator or (rest in _SUFFIXES):
        return "", name
    return namespace, rest


_SUFFIXES = frozenset({"c", "e", "mdt", "x", "b", "r"})


def _lwr(name: str, method: str, exchange: Exchange) -> RecordedCall:
    params = _json(exchange.text)
    _demand(not exchange.text or params is not None, "An Apex action", _CUT)
    return _apex_call(Style.REST, *_split(name), method, params or {})


def _remoting(exchange: Exchange) -> Iterator[Unrepeatable]:
    body = _json(exchange.text)
    calls = body if isinstance(body, Sequence) and not isinstance(body, str) else [body]
    for one in calls:
        name, method = _text(_object(one).get("action")), _text(_object(one).get("method"))
        known = _all_names(name) and _is_name(method)
        yield Unrepeatable(
            f"Visualforce remoting {name}.{method}" if known else "Visualforce remoting",
            "It works only from its own page, whose tokens change with every load",
        )


def _action(kind: str, name: str, exchange: Exchange) -> RecordedCall:
    _demand(_is_name(name), "A custom action", _NO_NAME)
    body = _json(exchange.text)
    _demand(isinstance(body, Mapping), f"Action {name}", _CUT)
    call_kind = CallKind.INVOCABLE if kind == "apex" else CallKind.FLOW
    return RecordedCall(call_kind, Style.REST, *_split(name), params=body)


def _apexrest(path: str, exchange: Exchange) -> RecordedCall:
    what, parts = "Apex REST", path.split("/")
    _demand(not any(map(looks_like_id, parts)), what, "The row's id stands in its address")
    _demand(_REST_PATH.fullmatch(path), what, "Its address is not a plain path of names")
    _demand(not any(map(_no_name, parts)), what, "A part of its address looks like an id or a secret")
    body = _json(exchange.text)
    _demand(isinstance(body, Mapping), f"Apex REST {path}", "Its body is not a JSON object")
    namespace = parts[0] if parts[1:] else ""
    return RecordedCall(CallKind.APEXREST, Style.REST, namespace, path, exchange.method, params=body)


def _record_write(path: str, exchange: Exchange) -> RecordedCall:
    body = _object(_json(exchange.text))
    _demand(body, _UPDATE, _CUT)
    match = _RECORD.fullmatch(path)
    if match is None:
        return _collection(body, created=exchange.method == "POST")
    fields = _object(body.get("fields")) if match[1] is None else body
    name = _object_name(match[1] or _text(body.get("apiName")), _UPDATE)
    if match[2] is None:
        return RecordedCall(CallKind.RECORD_CREATE, Style.REST, *name, params={"fields": fields})
    stored: Json = {"recordId": match[2], "fields": fields}
    return RecordedCall(CallKind.RECORD_UPDATE, Style.REST, *name, params=stored)


_UPDATE = "A record's update"


def _object_name(name: str, what: str) -> tuple[str, str]:
    """(namespace, name): an object keeps its full API name, which is what everything else calls it by."""
    _demand(not name or _is_name(name), what, _NO_NAME)
    return _split(name)[0], name


def _collection(body: Mapping[str, Json], *, created: bool) -> RecordedCall:
    records = body.get("records")
    items = [one for one in records if isinstance(one, Mapping)] if isinstance(records, list) else []
    types = {_text(_object(one.get("attributes")).get("type")) for one in items}
    name = types.pop() if len(types) == 1 else ""
    _demand(_IDENTIFIER.fullmatch(name), "An update of several records", "They are not of one object")
    stripped = [{key: value for key, value in one.items() if key != "attributes"} for one in items]
    kind = CallKind.RECORD_CREATE if created else CallKind.RECORD_UPDATE
    return RecordedCall(kind, Style.REST, *_object_name(name, _UPDATE), params={"records": stripped})


def _update(params: Mapping[str, Json]) -> RecordedCall:
    record = _object(params.get("recordInput"))
    name = _object_name(_text(record.get("apiName")), _UPDATE)
    record_id, fields = params.get("recordId"), _object(record.get("fields"))
    # Lightning Data Service repeats the id among the fields.
    fields = {key: value for key, value in fields.items() if key.lower() != "id" or value != record_id}
    stored: dict[str, Json] = {"recordId": record_id, "fields": fields}
    return RecordedCall(CallKind.RECORD_UPDATE, Style.LWC, *name, params=stored)


def _save(params: Mapping[str, Json]) -> RecordedCall:
    """An update as older pages make it: the record whole, with its id and with fields as `{"value": ...}`."""
    record = next((saved for key in _SAVED if (saved := _object(params.get(key)))), {})
    fields = {
        name: field["value"] if isinstance(field, Mapping) and "value" in field else field
        for name, field in _object(record.get("fields")).items()
    }
    record_id = params.get("recordId") or record.get("id")
    return _update({"recordId": record_id, "recordInput": {**record, "fields": fields}})


_SAVED = ("recordInput", "record", "recordRep")


def _create(params: Mapping[str, Json]) -> RecordedCall:
    record = _object(params.get("recordInput"))
    name = _object_name(_text(record.get("apiName")) or "?", "A new record")
    stored: Json = {"fields": _object(record.get("fields"))}
    return RecordedCall(CallKind.RECORD_CREATE, Style.LWC, *name, params=stored)


_SCREEN_FLOW = "A Flow with screens"
_SCREEN_FLOW_WHY = "A Flow with screens is filled in step by step in the browser and cannot be repeated"


def _start_flow(params: Mapping[str, Json]) -> RecordedCall:
    name = _text(params.get("flowDevName"))
    _demand(_is_name(name), "A Flow", _NO_NAME)
    arguments = _json(_text(params.get("arguments"))) if params.get("arguments") else []
    if not isinstance(arguments, Sequence) or isinstance(arguments, str):
        raise _CannotRepeatError(f"Flow {name}", _CUT)
    inputs = {_text(_object(one).get("name")): _object(one).get("value") for one in arguments}
    return RecordedCall(CallKind.FLOW, Style.LWC, *_split(name), params=inputs)


_CONTROLLERS: Mapping[tuple[str, str], Callable[[Mapping[str, Json]], RecordedCall] | tuple[str, str]] = {
    ("RecordUiController", "updateRecord"): _update,
    ("RecordGvpController", "saveRecord"): _save,
    ("RecordUiController", "createRecord"): _create,
    ("RecordUiController", "deleteRecord"): _DELETION,
    ("FlowRuntimeConnectController", "startFlow"): _start_flow,
    ("FlowRuntimeController", "runInterview"): _start_flow,
    ("FlowRuntimeConnectController", "navigateFlow"): (_SCREEN_FLOW, _SCREEN_FLOW_WHY),
    ("FlowRuntimeController", "navigateFlow"): (_SCREEN_FLOW, _SCREEN_FLOW_WHY),
    ("FlowQuickActionRuntimeController", "getFlowInfo"): (
        "A quick action that opens a Flow",
        "Open the Flow itself and name it to the method flow",
    ),
}
"""(Controller, action) of Lightning -> what reads it, or what it is and why it cannot be repeated."""
