"""`composite` (25 parts that may refer to one another) and `composite/batch` (25 parts on their own)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from syncerr_tui.demo.http import Refused, Request, Response, refused
from syncerr_tui.demo.rest.call import Call, allow, body_object, done_or_undone

MOST_PARTS = 25
MOST_HEAVY = 5
"""Parts of a composite call that may be queries or collections."""
_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)\.([A-Za-z0-9_.\[\]]+)\}")
_HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }
]

Dispatch = Callable[[Request], Response]


def _parts(body: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    parts = body.get(name)
    if not isinstance(parts, list) or not parts or not all(isinstance(each, dict) for each in parts):
        raise refused(400, "JSON_PARSER_ERROR", f"'{name}' must be a list of objects")
    if len(parts) > MOST_PARTS:
        message = f"Limit of {MOST_PARTS} reached for the number of subrequests"
        raise refused(400, "LIMIT_EXCEEDED", message)
    return parts


def batch(call: Call, dispatch: Dispatch) -> Response:
    """`composite/batch`: each part on its own, in order; each counts as a call."""
    allow(call, "POST")
    body = body_object(call)
    halt = body.get("haltOnError") is True
    results: list[dict[str, object]] = []
    failed = False
    for part in _parts(body, "batchRequests"):
        if failed and halt:
            entry = {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}
            results.append({"statusCode": 412, "result": [entry]})
            continue
        url = str(part.get("url", "")).lstrip("/")
        target = f"/services/data/{url}" if re.match(r"v\d", url) else f"/{url}"
        response = dispatch(_request(call, part.get("method"), target, part.get("richInput"), "GET"))
        call.context.count()
        failed = failed or response.status >= 400
        results.append({"statusCode": response.status, "result": response.body})
    return Response(200, {"hasErrors": failed, "results": results})


def composite(call: Call, dispatch: Dispatch) -> Response:
    """`composite`: one call for all, later parts may use `@{reference.field}` of earlier ones."""
    allow(call, "POST")
    body = body_object(call)
    parts = _parts(body, "compositeRequest")
    names = [part.get("referenceId") for part in parts]
    if not all(isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_]+", name) for name in names):
        raise refused(400, "INVALID_INPUT", "every subrequest needs a referenceId of letters, digits and _")
    if len(set(names)) < len(names):
        raise refused(400, "INVALID_INPUT", "the referenceIds are not unique")
    heavy = sum(
        1 for part in parts if re.search(r"/(query|queryAll|composite/sobjects)\b", str(part.get("url")))
    )
    if heavy > MOST_HEAVY:
        message = f"Limit of {MOST_HEAVY} reached for queries and collections in a composite request"
        raise refused(400, "LIMIT_EXCEEDED", message)
    answers: list[dict[str, object]] = []
    if body.get("allOrNone") is not True:
        _work(call, parts, dispatch, answers, halt=False)
    elif not done_or_undone(call, lambda: _work(call, parts, dispatch, answers, halt=True)):
        for entry in answers:
            if entry["httpStatusCode"] in {200, 201, 204}:
                entry |= {"body": _HALTED, "httpHeaders": {}, "httpStatusCode": 400}
    return Response(200, {"compositeResponse": answers})


def _work(
    call: Call,
    parts: list[Mapping[str, object]],
    dispatch: Dispatch,
    answers: list[dict[str, object]],
    *,
    halt: bool,
) -> bool:
    """Do the parts in order; whether all went well. With `halt` the first that fails stops the rest."""
    known: dict[str, object] = {}
    good = True
    for part in parts:
        name = str(part["referenceId"])
        response = _part(call, part, known, dispatch) if good or not halt else Response(400, _HALTED)
        good = good and response.status < 400
        if response.status < 400:
            known[name] = response.body
        answers.append(
            {
                "body": response.body,
                "httpHeaders": dict(response.headers),
                "httpStatusCode": response.status,
                "referenceId": name,
            }
        )
    return good


def _part(
    call: Call, part: Mapping[str, object], known: Mapping[str, object], dispatch: Dispatch
) -> Response:
    try:
        url, body = _filled(part.get("url"), known), _filled(part.get("body"), known)
        return dispatch(_request(call, part.get("method"), str(url), body, ""))
    except Refused as refused:
        return refused.response


def _request(call: Call, method: object, target: str, body: object, default: str) -> Request:
    verb = str(method or default).upper()
    nested = "/composite" in target and "/composite/sobjects" not in target
    known = re.fullmatch(r"/services/data/v\d\d\.0/\S*", target.replace(" ", "+"))
    if known is None or nested or not verb.isalpha():
        message = f"the subrequest {verb} {target[:200]} is not possible"
        raise refused(400, "INVALID_INPUT", message)
    payload = b"" if body is None else json.dumps(body).encode()
    headers = {name: value for name, value in call.request.headers.items() if name != "if-modified-since"}
    return Request(verb, target, headers, payload)


def _filled(value: object, known: Mapping[str, object]) -> object:
    """The part with each `@{...}` replaced by what an earlier part answered."""
    if isinstance(value, dict):
        return {name: _filled(each, known) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, known) for each in value]
    return _REFERENCE.sub(lambda match: _looked_up(match, known), value) if isinstance(value, str) else value


def _looked_up(match: re.Match[str], known: Mapping[str, object]) -> str:
    value: object = known.get(match[1])
    for step in re.findall(r"\w+", unquote(match[2])):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        message = f"Invalid reference specified. No value for {match[2]} found in {match[1]}"
        raise refused(400, "PROCESSING_HALTED", message)
    return str(value)
