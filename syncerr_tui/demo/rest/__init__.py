"""The REST API's resources, and the way from a path to one of them."""

from __future__ import annotations

import re

from syncerr_tui.demo.http import Refused, Request, Response
from syncerr_tui.demo.rest import about, actions, collections, composite, describe, query, records, tooling
from syncerr_tui.demo.rest.call import Call, ServerContext, allow, missing


def data(context: ServerContext, request: Request) -> Response:
    """Answer a request below `/services/data/` whose sender is known."""
    try:
        return _routed(_call(context, request))
    except Refused as refused:
        return refused.response


def _call(context: ServerContext, request: Request) -> Call:
    segments = request.segments
    version = re.fullmatch(r"v(\d\d)\.0", segments[2]) if len(segments) > 2 else None
    if version is None or not about.FIRST_VERSION <= int(version[1]) <= about.LAST_VERSION:
        raise missing()
    return Call(context, request, f"{version[1]}.0", segments[3:])


def _routed(call: Call) -> Response:
    def dispatch(part: Request) -> Response:
        return data(call.context, part)

    match call.parts:
        case ():
            return about.resources(call)
        case ("query" | "queryAll", *_):
            return query.handle(call)
        case ("tooling", "query" | "queryAll", *_):
            return query.handle(call.at(call.request.method, *call.parts[1:]), tooling=True)
        case ("tooling", "sobjects", *rest):
            return tooling.handle(call.at(call.request.method, "sobjects", *rest))
        case ("sobjects", *_):
            return records.handle(call)
        case ("composite", "sobjects", *_):
            return collections.handle(call)
        case ("composite", "batch"):
            return composite.batch(call, dispatch)
        case ("composite",):
            return composite.composite(call, dispatch)
        case ("ui-api", "object-info", object_name, "picklist-values", record_type, field):
            return describe.picklist_values(call, object_name, record_type, field)
        case ("actions", *_):
            return actions.handle(call)
        case ("limits",):
            return about.limits(call)
        case _:
            raise missing()


__all__ = ["Call", "ServerContext", "about", "allow", "data"]
