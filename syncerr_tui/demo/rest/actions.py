"""Invocable actions: list, describe, call; for Apex classes and flows."""

from __future__ import annotations

from collections.abc import Mapping

from syncerr_tui.demo.http import Response, refused
from syncerr_tui.demo.rest.call import Call, allow, body_object, missing
from syncerr_tui.demo.save_errors import LOCK_WORDS, InvocableAction, Outcome, Parameter, SaveFault

_KINDS = ("apex", "flow")
_REJECTED = SaveFault("UNKNOWN_EXCEPTION", "An unexpected error occurred while this input was worked on")


def handle(call: Call) -> Response:
    """Everything below `actions`."""
    base = f"{call.base}/actions"
    match call.parts[1:]:
        case ():
            allow(call, "GET")
            return Response(200, {"standard": f"{base}/standard", "custom": f"{base}/custom"})
        case ("standard",):
            allow(call, "GET")
            return Response(200, {"actions": []})
        case ("custom",):
            allow(call, "GET")
            return Response(200, {kind: f"{base}/custom/{kind}" for kind in _KINDS})
        case ("custom", kind) if kind in _KINDS:
            allow(call, "GET")
            return Response(
                200, {"actions": [_listed(call, each) for each in call.context.org.actions(kind)]}
            )
        case ("custom", kind, name) if kind in _KINDS:
            return _action(call, kind, name)
        case _:
            raise missing()


def _action(call: Call, kind: str, name: str) -> Response:
    allow(call, "GET", "POST")
    action = call.context.org.describe_action(kind, name)
    if action is None:
        raise missing()
    return Response(200, _described(call, action)) if call.method == "GET" else _invoke(call, action)


def _listed(call: Call, action: InvocableAction) -> dict[str, object]:
    url = f"{call.base}/actions/custom/{action.kind}/{action.name}"
    return {"label": action.label, "name": action.name, "type": action.kind.upper(), "url": url}


def _described(call: Call, action: InvocableAction) -> dict[str, object]:
    return {
        "category": None,
        "description": action.description or None,
        "inputs": [_input(each) for each in action.inputs],
        "label": action.label,
        "name": action.name,
        "outputs": [
            {
                "description": p.description or None,
                "label": p.label,
                "maxOccurs": 1,
                "name": p.name,
                "type": p.type,
            }
            for p in action.outputs
        ],
        "standard": False,
        "targetEntityName": None,
        "type": action.kind.upper(),
        "url": f"{call.base}/actions/custom/{action.kind}/{action.name}",
    }


def _input(parameter: Parameter) -> dict[str, object]:
    return {
        "byteLength": 0,
        "description": parameter.description or None,
        "label": parameter.label,
        "maxOccurs": 1,
        "name": parameter.name,
        "picklistValues": None,
        "required": parameter.required,
        "sobjectType": None,
        "type": parameter.type,
    }


def _invoke(call: Call, action: InvocableAction) -> Response:
    """Call it. Where one input fails the status is 400 and the body is still the whole list."""
    inputs = body_object(call).get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(each, dict) for each in inputs):
        raise refused(400, "JSON_PARSER_ERROR", "'inputs' must be a list of objects")
    _check_names(action, inputs)
    faults = call.context.faults
    locked = faults.rows("lock-errors", call.request, len(inputs))
    rejected = faults.rows("partial-actions", call.request, len(inputs)) - locked
    good = [each for place, each in enumerate(inputs) if place not in locked | rejected]
    done = iter(call.context.org.invoke(action.kind, action.name, good) if good else ())
    lock = SaveFault("UNABLE_TO_LOCK_ROW", LOCK_WORDS.format(len(inputs)))
    outcomes = [
        lock if place in locked else _REJECTED if place in rejected else next(done)
        for place in range(len(inputs))
    ]
    good_news = not any(isinstance(each, SaveFault) for each in outcomes)
    return Response(200 if good_news else 400, [_result(call, action, each) for each in outcomes])


def _check_names(action: InvocableAction, inputs: list[Mapping[str, object]]) -> None:
    known = {parameter.name for parameter in action.inputs}
    required = {parameter.name for parameter in action.inputs if parameter.required}
    for each in inputs:
        for name in sorted(each.keys() - known):
            raise refused(
                400, "INVALID_API_INPUT", f"The input parameter '{name}' does not exist on {action.name}"
            )
        for name in sorted(
            required - {name for name, value in each.items() if value is not None and value != ""}
        ):
            raise refused(400, "REQUIRED_FIELD_MISSING", f"Missing required input parameter: {name}")


def _result(call: Call, action: InvocableAction, outcome: Outcome) -> dict[str, object]:
    fault, outputs = (outcome, None) if isinstance(outcome, SaveFault) else (None, dict(outcome) or None)
    body: dict[str, object] = {
        "actionName": action.name,
        "errors": [fault.row()] if fault else None,
        "isSuccess": fault is None,
        "outputValues": outputs,
    }
    if float(call.version) >= 57:
        body |= {"invocationId": None, "sortOrder": -1, "version": 1}
    return body
