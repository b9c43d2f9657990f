"""What the org tells of itself: versions, resources, limits, who is logged in."""

from __future__ import annotations

from urllib.parse import quote

from syncerr_tui.demo.http import Response
from syncerr_tui.demo.rest.call import Call, ServerContext, allow
from syncerr_tui.demo.store import stamp

FIRST_VERSION = 31
LAST_VERSION = 68
_SEASONS = ("Spring", "Summer", "Winter")
_RESOURCES = ("sobjects", "query", "queryAll", "limits", "composite", "actions", "tooling")


def versions() -> Response:
    """`GET /services/data`: asks for no login."""
    return Response(200, [_version(number) for number in range(FIRST_VERSION, LAST_VERSION + 1)])


def _version(number: int) -> dict[str, str]:
    """v66 is Spring '26; three releases a year, Winter named after the year that follows."""
    years, season = divmod(number - 66, 3)
    year = 26 + years + (season == 2)
    return {
        "label": f"{_SEASONS[season]} '{year}",
        "url": f"/services/data/v{number}.0",
        "version": f"{number}.0",
    }


def resources(call: Call) -> Response:
    """`GET /services/data/vNN.0`."""
    allow(call, "GET")
    links = {name: f"{call.base}/{name}" for name in _RESOURCES}
    return Response(200, {**links, "identity": identity_url(call.context)})


def limits(call: Call) -> Response:
    """`GET limits`."""
    allow(call, "GET")
    context = call.context
    left = max(0, context.total - context.used)
    return Response(
        200,
        {
            "DailyApiRequests": {"Max": context.total, "Remaining": left},
            "DailyAsyncApexExecutions": {"Max": 250_000, "Remaining": 250_000},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "DataStorageMB": {"Max": 1_024, "Remaining": 1_000},
            "FileStorageMB": {"Max": 1_024, "Remaining": 1_024},
        },
    )


def identity_url(context: ServerContext) -> str:
    """The address that stands for the user."""
    return f"{context.address}/id/{context.organization_id}/{context.user_id}"


def user(context: ServerContext) -> dict[str, object]:
    """The one user's record; empty where the world has none."""
    return context.store.get("User", context.user_id) or {}


def identity(context: ServerContext) -> Response:
    """`GET /id/<org>/<user>`."""
    who = user(context)
    names = ("enterprise", "partner", "rest", "sobjects", "query", "profile")
    paths = (
        "/services/Soap/c/{version}/" + context.organization_id[:15],
        "/services/Soap/u/{version}/" + context.organization_id[:15],
        "/services/data/v{version}/",
        "/services/data/v{version}/sobjects/",
        "/services/data/v{version}/query/",
        f"/{context.user_id}",
    )
    return Response(
        200,
        {
            "id": identity_url(context),
            "asserted_user": True,
            "user_id": context.user_id,
            "organization_id": context.organization_id,
            "username": who.get("Username"),
            "nick_name": who.get("Username"),
            "display_name": who.get("Name"),
            "email": who.get("Email"),
            "email_verified": True,
            "first_name": who.get("FirstName"),
            "last_name": who.get("LastName"),
            "timezone": "UTC",
            "active": True,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": 0,
            "last_modified_date": stamp(context.started_at),
            "is_app_installed": True,
            "urls": {name: context.address + path for name, path in zip(names, paths, strict=True)},
        },
    )


def userinfo(context: ServerContext) -> Response:
    """`GET /services/oauth2/userinfo`."""
    who = user(context)
    address = identity_url(context)
    return Response(
        200,
        {
            "sub": address,
            "user_id": context.user_id,
            "organization_id": context.organization_id,
            "preferred_username": who.get("Username"),
            "nickname": who.get("Username"),
            "name": who.get("Name"),
            "email": who.get("Email"),
            "email_verified": True,
            "given_name": who.get("FirstName"),
            "family_name": who.get("LastName"),
            "zoneinfo": who.get("TimeZoneSidKey") or "UTC",
            "active": True,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": who.get("LocaleSidKey") or "en_US",
            "profile": f"{context.address}/{quote(context.user_id)}",
            "urls": {"rest": f"{context.address}/services/data/v{{version}}/"},
        },
    )
