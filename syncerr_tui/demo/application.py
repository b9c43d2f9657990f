"""The demo org as one function from request to answer: who may ask, and which part of it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from syncerr_tui.demo import aura, oauth, rest, soap_metadata
from syncerr_tui.demo.button import ButtonController, answer_lwr
from syncerr_tui.demo.http import Refused, Request, Response, error
from syncerr_tui.demo.lightning import Lightning
from syncerr_tui.demo.oauth import OAuth, Sessions, well_formed
from syncerr_tui.demo.rest import ServerContext, about
from syncerr_tui.demo.rest.tooling import Setup

_METHODS = "GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS"


@dataclass(frozen=True, slots=True)
class Application:
    """All of the org but the sockets."""

    context: ServerContext
    sessions: Sessions
    oauth: OAuth
    lightning: Lightning
    button: ButtonController

    def answer(self, request: Request) -> Response:
        """Answer one request; every answer tells the org's API use."""
        try:
            response = self._answer(request)
        except Refused as refused:
            response = refused.response
        response.headers["Sforce-Limit-Info"] = f"api-usage={self.context.used}/{self.context.total}"
        return response

    def _answer(self, request: Request) -> Response:
        segments = request.segments
        if request.method == "OPTIONS":
            return Response(204, headers={"Allow": _METHODS})
        match segments:
            case ("services", "data"):
                return about.versions() if request.method in {"GET", "HEAD"} else _wrong_method(request)
            case ("services", "Soap", "m", *_):
                return soap_metadata.answer(Setup(self.context), self.sessions, request)
            case ("services", "Soap", *_):
                return oauth.answer_soap(self.oauth, request)
            case ("services", "oauth2", "userinfo"):
                self._authorize(request)
                return about.userinfo(self.context)
            case ("services", "oauth2", "singleaccess"):
                return self.lightning.single_access(_token(request.headers), request)
            case ("services", "oauth2", *_):
                return self.oauth.answer(request)
            case ("id", organization, user):
                self._authorize(request)
                if not _same_id(organization, self.context.organization_id) or not _same_id(
                    user, self.context.user_id
                ):
                    return error(404, "NOT_FOUND", "The requested resource does not exist")
                return about.identity(self.context)
            case ("services", "data", *_):
                self._count(request)
                return rest.data(self.context, request)
            case ("services", "apexrest", "demo", "presses"):
                self._authorize(request)
                return Response(200, self.button.log())
            case ("lwr", "apex", *_):
                self._authorize(request)
                return answer_lwr(self.button, request)
            case ("aura",):
                return aura.answer(self.lightning, self.button, request)
            case (
                ("secur", "frontdoor.jsp" | "contentDoor")
                | ("lightning", *_)
                | ("one", "one.app")
                | ("login",)
            ):
                return self.lightning.answer(request)
            case ("services", "apexrest", *path):
                self._count(request)
                return self._apexrest(request, "/".join(path))
            case _:
                return error(404, "NOT_FOUND", "The requested resource does not exist")

    def _count(self, request: Request) -> None:
        self._authorize(request)
        self.context.count()

    def is_authorized(self, headers: Mapping[str, str]) -> bool:
        """Whether the headers hold an access token or a Lightning session that is good now."""
        return self._refusal(headers) is None or self.lightning.is_open(headers.get("cookie", ""))

    def _authorize(self, request: Request) -> None:
        refusal = self._refusal(request.headers)
        if refusal is not None:
            raise Refused(refusal)

    def _refusal(self, headers: Mapping[str, str]) -> Response | None:
        """A token in the query string is not looked at: it would end up in logs and histories."""
        scheme = headers.get("authorization", "").partition(" ")[0]
        token = _token(headers)
        if not scheme:
            return error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if scheme.lower() not in {"bearer", "oauth"} or not well_formed(token):
            return error(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
        if not self.sessions.knows(token):
            return error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return None

    def _apexrest(self, request: Request, path: str) -> Response:
        body = request.json() if request.body else None
        status, answer = self.context.org.apexrest(request.method, path, request.query, body)
        return Response(status, answer)


def _token(headers: Mapping[str, str]) -> str:
    return headers.get("authorization", "").partition(" ")[2].strip()


def _wrong_method(request: Request) -> Response:
    response = error(
        405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed. Allowed are GET,HEAD"
    )
    response.headers["Allow"] = "GET, HEAD"
    return response


def _same_id(sent: str, ours: str) -> bool:
    return bool(re.fullmatch(r"\w{15}|\w{18}", sent)) and sent[:15] == ours[:15]
