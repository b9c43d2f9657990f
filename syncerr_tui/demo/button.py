"""The Apex class behind the Re-sync button of the demo org's utility bar, and a log of how often it ran.

Its names are this demo's own: what StoreConnect's button calls is published nowhere. With a token its methods
answer at `/lwr/apex/vNN.0/{ns__Class}/{method}` too: the parameters are a flat JSON object, the answer is the
method's value. 400: the parameters or the verb do not fit. 404: no such class or method, or no access to it.
500: the Apex threw.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncerr_tui.demo.http import HTML, Request, Response, error
from syncerr_tui.demo.rest.call import ServerContext
from syncerr_tui.demo.schema import full_id

NAMESPACE = "s_c"
CONTROLLER = "SyncErrorUtilityController"
RESYNC = "resyncChangeEvents"
REFRESH = "getChangeEventStates"
LIST = "getSyncErrors"
IDS = "changeEventIds"
ORIGIN = "origin"
UTILITY_BAR = "UtilityBar"


class NoSuchMethodError(Exception):
    """There is no such class or method."""


class NoClassAccessError(Exception):
    """The user may not run the class."""


class WrongParametersError(Exception):
    """The parameters are not those of the method; nothing ran."""


class ApexError(Exception):
    """The Apex threw: what it wrote is rolled back."""


@dataclass(frozen=True, slots=True)
class AuraEnabledMethod:
    """An @AuraEnabled method: its parameters and their types."""

    parameters: Mapping[str, type]
    cacheable: bool = False


METHODS: Mapping[str, AuraEnabledMethod] = {
    LIST: AuraEnabledMethod({"pageSize": int, "pageNumber": int}, cacheable=True),
    REFRESH: AuraEnabledMethod({IDS: list}),
    RESYNC: AuraEnabledMethod({IDS: list, ORIGIN: str}),
}


@dataclass(frozen=True, slots=True)
class Press:
    """One execution of the button's method."""

    at: datetime
    route: str
    """`lwr` or `aura`."""
    event_ids: tuple[str, ...]
    accepted: tuple[str, ...]
    """Those that were queued."""


@dataclass(slots=True)
class ButtonController:
    """The class as it can be called from a component, whatever the route."""

    context: ServerContext
    presses: list[Press] = field(default_factory=list)
    executions: Counter[str] = field(default_factory=Counter)
    """Event id -> how often the button's method ran with it, accepted or not."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def method(self, namespace: str, class_name: str, name: str, request: Request) -> AuraEnabledMethod:
        """A method by name.

        Raises:
            NoSuchMethodError: It does not exist.
            NoClassAccessError: By the fault of that name.
        """
        if (namespace, class_name) != (NAMESPACE, CONTROLLER) or name not in METHODS:
            raise NoSuchMethodError(f"{namespace}.{class_name}.{name}")
        if self.context.faults.fires("no-class-access", request):
            raise NoClassAccessError(
                f"You do not have access to the Apex class named '{namespace}.{class_name}'."
            )
        return METHODS[name]

    def call(self, name: str, params: Mapping[str, object], route: str, request: Request) -> object:
        """Run a method and give what it returns.

        Raises:
            WrongParametersError: They do not fit; nothing ran.
            ApexError: It threw; nothing is left of what it did.
        """
        _check(METHODS[name], params)
        if name == LIST:
            return {"total": self.context.store.count(self.context.org.naming.event[0]), "rows": []}
        ids = [_event_id(value) for value in _strings(params[IDS])]
        if name == REFRESH:
            return [{"id": event_id, "state": self._state(event_id)} for event_id in ids]
        results = self._press(ids, route, request)
        fires = self.context.faults.fires
        if fires("returns-void", request):
            return None
        return json.dumps(results) if fires("returns-json", request) else results

    def _press(self, ids: Sequence[str], route: str, request: Request) -> list[dict[str, object]]:
        fires = self.context.faults.fires
        throws, refuses = fires("apex-throws", request), fires("button-refuses", request)
        reasons: list[str | None]
        if throws or refuses:
            reasons = ["The change event could not be queued" for _ in ids]
        else:
            faults = self.context.org.engine.request(ids)
            reasons = [None if fault is None else fault.message for fault in faults]
        accepted = tuple(event_id for event_id, reason in zip(ids, reasons, strict=True) if reason is None)
        with self._lock:
            self.executions.update(ids)
            self.presses.append(Press(self.context.clock(), route, tuple(ids), accepted))
        if throws:
            raise ApexError("Attempt to de-reference a null object")
        return [
            {"id": event_id, "success": reason is None, "message": reason or "Queued"}
            for event_id, reason in zip(ids, reasons, strict=True)
        ]

    def _state(self, event_id: str) -> object:
        names = self.context.org.naming
        record = self.context.store.get(names.event[0], event_id)
        return record[names.status[0]] if record else None

    def log(self) -> dict[str, object]:
        """Every press and every count, for tests."""
        with self._lock:
            presses = [
                {
                    "at": each.at.isoformat(),
                    "route": each.route,
                    "ids": each.event_ids,
                    "accepted": each.accepted,
                }
                for each in self.presses
            ]
            return {"presses": presses, "executions": dict(self.executions)}


def _check(method: AuraEnabledMethod, params: Mapping[str, object]) -> None:
    for name, value in params.items():
        kind = method.parameters.get(name)
        if kind is None:
            raise WrongParametersError(f"Parameter {name} is not defined by the method")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise WrongParametersError(f"Value provided is invalid for parameter {name}")
    for name in method.parameters:
        if name not in params:
            raise WrongParametersError(f"Parameter {name} is required")


def _strings(value: object) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return value
    raise WrongParametersError(f"Value provided is invalid for parameter {IDS}")


def _event_id(text: str) -> str:
    whole = full_id(text)
    if whole is None:
        raise WrongParametersError(f"Invalid id value for parameter {IDS}: {text[:40]}")
    return whole


NO_PAGE = b"<html><head><title>404</title></head><body>URL No Longer Exists</body></html>"


def answer_lwr(button: ButtonController, request: Request) -> Response:
    """Answer a request whose sender is known."""
    fires = button.context.faults.fires
    if fires("lwr-absent", request):
        return Response(404, NO_PAGE, content_type=HTML)
    if fires("lwr-no-access", request):
        return Response(404)
    if fires("lwr-forbidden", request):
        return error(403, "FORBIDDEN", "You do not have access to this resource")
    if fires("lwr-redirect", request):
        return Response(302, headers={"Location": f"{button.context.address}/login"})
    match request.segments[2:]:
        case (version, class_name, method) if re.fullmatch(r"v\d\d\.0", version):
            return _called(button, request, class_name, method)
        case _:
            return Response(404, NO_PAGE, content_type=HTML)


def _called(button: ButtonController, request: Request, class_name: str, method: str) -> Response:
    namespace, _, bare_name = class_name.rpartition("__")
    try:
        apex = button.method(namespace, bare_name, method, request)
    except (NoSuchMethodError, NoClassAccessError):
        return Response(404)
    if request.method == "GET" and not apex.cacheable:
        return _refused(400, "The method is not cacheable: use POST")
    if request.method not in {"GET", "POST"}:
        return Response(405, headers={"Allow": "GET, POST"})
    text = request.query.get("methodParams", "{}") if request.method == "GET" else request.body or b"{}"
    try:
        params = json.loads(text)
    except (ValueError, RecursionError):
        return _refused(400, "The parameters are no JSON")
    if not isinstance(params, dict) or button.context.faults.fires("lwr-bad-params", request):
        return _refused(400, f"The parameters are not those of {method}")
    try:
        value = button.call(method, params, "lwr", request)
    except WrongParametersError as wrong:
        return _refused(400, str(wrong))
    except ApexError as thrown:
        return _refused(500, str(thrown))
    if value is None:
        return Response(200)
    return Response(200, json.dumps(value).encode(), headers={"Cache-Control": "private"})


def _refused(status: int, message: str) -> Response:
    return Response(status, {"errorMessage": message})
