"""`/aura`: the Lightning framework's own endpoint, with the checks of its servlet in their order.

Format, message, framework version, application version, token; then each action by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from syncerr_tui.demo.button import (
    METHODS,
    ApexError,
    ButtonController,
    NoClassAccessError,
    NoSuchMethodError,
    WrongParametersError,
)
from syncerr_tui.demo.http import HTML, Request, Response
from syncerr_tui.demo.lightning import APP, Lightning, LightningSession, new_csrf_token

APEX_ACTION = "aura://ApexActionController/ACTION$execute"
_FORM = "application/x-www-form-urlencoded"
_FRAMEWORK_READS = ("aura://RecordUiController/ACTION$get", "serviceComponent://", "aura://LabelController/")
_INTERNAL_ERROR = (
    "An internal server error has occurred. Error ID: 1234567890-12345 (-1234567890). "
    "Please contact support with this ID."
)

Answer = dict[str, object]


class FrameworkError(Exception):
    """The request is answered by an event of the framework; nothing ran."""

    def __init__(self, event: str, message: str, values: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.event = event
        self.values = dict(values or {})


def answer(lightning: Lightning, button: ButtonController, request: Request) -> Response:
    """Answer one POST of a page."""
    fires = lightning.context.faults.fires
    if request.method != "POST":
        return Response(404, b"<html><body>404</body></html>", content_type=HTML)
    if fires("session-gone", request):
        lightning.end(request)
    session = lightning.session(request)
    if session is None:
        refusal = FrameworkError("invalidSession", "Guest user access is not allowed")
        return _framework_error(refusal, status=401, bare=True)
    if fires("aura-empty", request):
        return Response(200)
    try:
        actions = _checked(lightning, session, request)
        answers = [each for action in actions for each in _answered(lightning, button, action, request)]
    except FrameworkError as refusal:
        return _framework_error(refusal, bare=fires("framework-error-bare", request) is not None)
    except NoSuchMethodError as missing:
        text = json.dumps({"message": f"No apex action available for {missing}"})
        return Response(200, f"*/{text}/*ERROR*/".encode())
    if fires("foreign-answers", request):
        answers = [{"id": "0;x", "state": "SUCCESS", "returnValue": None, "error": []}, *reversed(answers)]
    body = json.dumps(
        {"actions": answers, "context": lightning.boot_context(), "perfSummary": {"version": "core"}}
    )
    prefix = "while(1);\n" if fires("while-prefix", request) else ""
    return Response(200, f"{prefix}{body}".encode())


def _framework_error(refusal: FrameworkError, status: int = 200, *, bare: bool) -> Response:
    body = json.dumps(
        {
            "event": _event(refusal),
            "exceptionMessage": str(refusal),
            "exceptionEvent": True,
        }
    )
    return Response(status, (body if bare else f"*/{body}/*ERROR*/").encode())


def _event(refusal: FrameworkError) -> dict[str, object]:
    name = f"markup://aura:{refusal.event}"
    return {
        "descriptor": name,
        "eventDef": {"descriptor": name, "t": "APPLICATION", "xs": "I"},
        "attributes": {"values": refusal.values},
    }


def _checked(lightning: Lightning, session: LightningSession, request: Request) -> list[Answer]:
    """The actions of a request that may run.

    Raises:
        FrameworkError: It may not.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise FrameworkError("systemError", "The request is no form")
    form = request.form()
    message, context = _object(form, "message"), _object(form, "aura.context")
    actions = message.get("actions")
    if not isinstance(actions, list) or not all(
        isinstance(each, dict) and isinstance(each.get("id"), str) for each in actions
    ):
        raise FrameworkError("systemError", "Unable to read the message: each action needs an id")
    _check_framework(lightning, context, request)
    _check_token(lightning, session, form.get("aura.token"), request)
    return cast("list[Answer]", actions)


def _object(form: Mapping[str, str], name: str) -> Mapping[str, object]:
    try:
        value = json.loads(form[name])
    except KeyError:
        raise FrameworkError("systemError", f"Missing parameter value for {name}") from None
    except (ValueError, RecursionError):
        raise FrameworkError("systemError", f"Unable to read {name}") from None
    if not isinstance(value, dict):
        raise FrameworkError("systemError", f"Unable to read {name}")
    return value


def _check_framework(lightning: Lightning, context: Mapping[str, object], request: Request) -> None:
    if lightning.context.faults.fires("out-of-sync", request):
        lightning.update_framework()
    fwuid = context.get("fwuid")
    if fwuid != lightning.fwuid:
        raise FrameworkError(
            "clientOutOfSync",
            f"Framework has been updated. Expected: {lightning.fwuid} Actual: {fwuid}",
        )
    if context.get("app") != APP:
        raise FrameworkError("noAccess", f"No access to {context.get('app')}", {"redirectURL": "/"})
    loaded = context.get("loaded")
    known = loaded.get(f"APPLICATION@markup://{APP}") if isinstance(loaded, dict) else None
    if known is not None and known != lightning.loaded:
        raise FrameworkError("clientOutOfSync", "Application has been updated.")


def _check_token(
    lightning: Lightning, session: LightningSession, token: str | None, request: Request
) -> None:
    fires = lightning.context.faults.fires
    if not token:
        raise FrameworkError("systemError", "Missing parameter value for aura.token")
    if fires("csrf-new-token", request):
        session.csrf_token = new_csrf_token()
        raise FrameworkError("invalidSession", "Invalid token", {"newToken": session.csrf_token})
    if fires("csrf-invalid", request):
        session.csrf_token = new_csrf_token()
        raise FrameworkError("invalidSession", "Invalid token", {"newToken": "invalid_csrf"})
    if fires("csrf-refused", request):
        session.csrf_token = new_csrf_token()
    if token != session.csrf_token:
        parts = len(token.split("."))
        message = "Invalid token" if parts == 5 else f"Expected 3 tokens in all, found {parts}"
        raise FrameworkError("invalidSession", message)


def _answered(
    lightning: Lightning, button: ButtonController, action: Answer, request: Request
) -> list[Answer]:
    """The answer to one action; none where its descriptor is unknown, as in the open-source servlet."""
    descriptor = action.get("descriptor")
    params = action.get("params")
    values = cast("Answer", params) if isinstance(params, dict) else {}
    if descriptor == APEX_ACTION:
        names = [values.get(key) for key in ("namespace", "classname", "method")]
        inner = values.get("params", {})
    elif isinstance(descriptor, str) and descriptor.startswith("apex://"):
        class_name, _, method = descriptor.removeprefix("apex://").partition("/ACTION$")
        names = [*class_name.rpartition(".")[::2], method]
        inner = values
    elif isinstance(descriptor, str) and descriptor.startswith(_FRAMEWORK_READS):
        return [_result(action, None)]
    else:
        return []
    fires = lightning.context.faults.fires
    if fires("action-missing", request):
        return []
    if fires("out-of-sync-inside", request):
        lightning.update_framework()
        refusal = FrameworkError("clientOutOfSync", "Framework has been updated.")
        return [_failed(action, {"exceptionEvent": True, "useDefault": False, "event": _event(refusal)})]
    namespace, class_name, method = (each if isinstance(each, str) else "" for each in names)
    if fires("no-apex-action", request):
        raise NoSuchMethodError(f"{class_name}.{method}")
    try:
        button.method(namespace, class_name, method, request)
        value = button.call(method, _parameters(inner), "aura", request)
    except (NoSuchMethodError, NoClassAccessError, WrongParametersError) as refused:
        return [_failed(action, _apex_error(str(refused), "System.AuraHandledException"))]
    except ApexError:
        return [_failed(action, _apex_error(_INTERNAL_ERROR, "System.NullPointerException"))]
    if descriptor != APEX_ACTION:
        return [_result(action, value)]
    wrapped: Answer = {"cacheable": METHODS[method].cacheable}
    if value is not None:
        wrapped["returnValue"] = value
    return [_result(action, wrapped)]


def _parameters(value: object) -> Answer:
    if isinstance(value, dict):
        return value
    raise WrongParametersError("The parameters are no object")


def _apex_error(message: str, kind: str) -> Answer:
    return {"message": message, "exceptionType": kind, "isUserDefinedException": False, "stackTrace": ""}


def _result(action: Answer, value: object) -> Answer:
    return {"id": action["id"], "state": "SUCCESS", "returnValue": value, "error": []}


def _failed(action: Answer, reason: Answer) -> Answer:
    return {"id": action["id"], "state": "ERROR", "returnValue": None, "error": [reason]}
