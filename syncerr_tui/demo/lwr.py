"""`/lwr/apex/vNN.0/{ns__Class}/{method}`: an @AuraEnabled method over plain HTTP, for the owner of a token.

The parameters are a flat JSON object, the answer is the method's value. 400: the parameters or the verb do
not fit. 404: no such class or method, or no access to it. 500: the Apex threw.
"""

from __future__ import annotations

import json
import re

from syncerr_tui.demo.button import (
    ApexError,
    ButtonController,
    NoClassAccessError,
    NoSuchMethodError,
    WrongParametersError,
)
from syncerr_tui.demo.http import Request, Response, error

_NO_PAGE = b"<html><head><title>404</title></head><body>URL No Longer Exists</body></html>"
HTML = "text/html;charset=UTF-8"


def answer(button: ButtonController, request: Request) -> Response:
    """Answer a request whose sender is known."""
    fires = button.context.faults.fires
    if fires("lwr-absent", request):
        return Response(404, _NO_PAGE, content_type=HTML)
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
            return Response(404, _NO_PAGE, content_type=HTML)


def _called(button: ButtonController, request: Request, class_name: str, method: str) -> Response:
    namespace, _, bare_name = class_name.rpartition("__")
    try:
        found = button.method(namespace, bare_name, method, request)
    except (NoSuchMethodError, NoClassAccessError):
        return Response(404)
    if request.method == "GET" and not found.cacheable:
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
