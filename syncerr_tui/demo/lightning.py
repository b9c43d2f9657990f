"""From an access token to a Lightning page: singleaccess, frontdoor, redirects, page and token cookie.

A real org does this over several hosts (my.salesforce.com, lightning.force.com), each with a session of its
own. Here all is one origin, and the session id changes on the way all the same. Cookies that the client has
to send back bear no `Secure`: this is plain HTTP.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from syncerr_tui.demo.button import NO_PAGE
from syncerr_tui.demo.http import HTML, Request, Response
from syncerr_tui.demo.oauth import Sessions
from syncerr_tui.demo.rest.call import ServerContext

HOME = "/lightning/page/home"
APP = "one:one"
_OTP_SECONDS = 60
_LOGIN_PAGE = (
    "<html><head><title>Login | Salesforce</title></head><body><script>"
    "if (window.location.replace){{window.location.replace('{0}/?ec=302&startURL=%2Flightning');}}"
    "</script></body></html>"
)
_LOGIN_FLOW = (
    "<html><head><title>Login Flow</title></head><body><form action='/loginflow/loginFlowOnly.apexp'>"
    "Accept the terms of use</form></body></html>"
)
_MFA = (
    "<html><head><title>Verify Your Identity | Salesforce</title></head><body><form "
    "action='/_ui/identity/verification/method/EmailVerificationUi/e'>Verification code</form></body></html>"
)


@dataclass(slots=True)
class LightningSession:
    """A session of the browser's kind."""

    crossed: bool = False
    """It has come over to the Lightning host; only then its page and /aura know it."""
    csrf_token: str = ""
    """Of the page that was loaded last."""


@dataclass(slots=True)
class Lightning:
    """The Lightning host: its sessions and the version of its framework."""

    context: ServerContext
    sessions: Sessions
    fwuid: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    loaded: str = field(default_factory=lambda: f"1233_{secrets.token_urlsafe(12)}")
    _open: dict[str, LightningSession] = field(default_factory=dict)
    _otps: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, request: Request) -> Response:
        """Answer a request for a page, or for the way to one."""
        match request.segments:
            case ("secur", "frontdoor.jsp"):
                return self._frontdoor(request)
            case ("secur", "contentDoor"):
                return self._cross(request)
            case _:
                return self._page(request)

    def session(self, request: Request) -> LightningSession | None:
        """The Lightning session that the request's cookie names."""
        open_session = self._session(request)
        return open_session if open_session is not None and open_session.crossed else None

    def is_open(self, cookies: str) -> bool:
        """Whether a Cookie header names a session."""
        return _cookie(cookies) in self._open

    def end(self, request: Request) -> None:
        """End the session of this request."""
        with self._lock:
            self._open.pop(_cookie(request.headers.get("cookie", "")), None)

    def update_framework(self) -> None:
        """A release: pages that were loaded before are out of sync."""
        self.fwuid = secrets.token_urlsafe(16)

    def single_access(self, token: str, request: Request) -> Response:
        """`GET` or `POST /services/oauth2/singleaccess`: an address that opens a session, once."""
        fires = self.context.faults.fires
        if fires("singleaccess-absent", request):
            return Response(404, NO_PAGE, content_type=HTML)
        if not self.sessions.knows(token) or fires("no-web-scope", request):
            return Response(403, b"Bad_OAuth_Token", content_type=HTML)
        otp = secrets.token_urlsafe(32)
        with self._lock:
            self._otps[otp] = self.context.clock() + timedelta(seconds=_OTP_SECONDS)
        redirect_uri = {**request.query, **request.form()}.get("redirect_uri", HOME)
        query = urlencode({"otp": otp, "startURL": _relative(redirect_uri)})
        return Response(200, {"frontdoor_uri": f"{self.context.address}/secur/frontdoor.jsp?{query}"})

    def _frontdoor(self, request: Request) -> Response:
        fires = self.context.faults.fires
        parameters = {**request.query, **request.form()} if request.method == "POST" else request.query
        in_address = request.method != "POST" and "sid" in parameters
        may_enter = self._redeem(parameters.get("otp", "")) or self.sessions.knows(parameters.get("sid", ""))
        if not may_enter or (in_address and fires("frontdoor-post-only", request)):
            return self._login_page()
        if fires("no-web-scope", request):
            return self._login_page()
        target = _relative(parameters.get("startURL") or parameters.get("retURL") or HOME)
        headers = {
            "Location": f"{self.context.address}/secur/contentDoor?{urlencode({'startURL': target})}",
            "Set-Cookie": self._new_session(crossed=False),
        }
        return Response(302, headers=headers)

    def _redeem(self, otp: str) -> bool:
        with self._lock:
            until = self._otps.pop(otp, None)
        return until is not None and self.context.clock() < until

    def _cross(self, request: Request) -> Response:
        """From the org's host to the Lightning host: another session id, and mostly a page with a script."""
        if self._session(request) is None:
            return self._login_page()
        fires = self.context.faults.fires
        target = f"{self.context.address}{_relative(request.query.get('startURL', HOME))}"
        headers = {"Set-Cookie": self._new_session(crossed=True)}
        self.end(request)
        if fires("bridge-http", request):
            return Response(302, headers={**headers, "Location": target})
        if fires("bridge-loop", request):
            del headers["Set-Cookie"]
            headers["Set-Cookie"] = self._new_session(crossed=False)
            script = f"window.location.replace('{request.target}');"
        elif fires("bridge-foreign", request):
            script = f"window.location.replace('https://evil.example{HOME}');"
        elif fires("bridge-href", request):
            script = f"window.location.href='{target}';"
        elif fires("bridge-escaped", request):
            escaped = f"{target}?a=1&amp;b=2".replace("/", "\\u002F", 1).replace("/", "\\/")
            script = f'window.location.replace("{escaped}");'
        else:
            plain = target.replace("/", "\\/")
            script = (
                f'if (window.location.replace){{window.location.replace("{plain}");}}'
                f'else{{window.location.href="{plain}";}}'
            )
        page = f"<html><head><script>{script}</script></head><body></body></html>"
        return Response(200, page.encode(), headers, content_type=HTML)

    def _page(self, request: Request) -> Response:
        fires = self.context.faults.fires
        session = self.session(request)
        if session is None:
            return self._login_page()
        if fires("login-flow", request):
            return Response(200, _LOGIN_FLOW.encode(), content_type=HTML)
        if fires("mfa-page", request):
            return Response(200, _MFA.encode(), content_type=HTML)
        config: dict[str, object] = {"maxActionsPerXhr": 250, "exposeCsrfToken": False, "token": None}
        headers: dict[str, str] = {}
        token = session.csrf_token = new_csrf_token()
        if fires("page-stale-cookie", request):
            token = new_csrf_token()
        if fires("page-old-token", request):
            config["token"] = token
        elif not fires("page-no-token", request):
            name = f"__Host-ERIC_PROD-{secrets.randbelow(10**18)}"
            config["eikoocnekot"] = name
            headers["Set-Cookie"] = f"{name}={token}; Path=/; Max-Age=60; Secure; SameSite=Lax"
        context = self.boot_context()
        if not fires("page-context-in-urls", request):
            config["context"] = context
        address = f"/l/{quote(json.dumps(context, separators=(',', ':')), safe='')}"
        page = (
            f"<!DOCTYPE html><html><head><title>Home | Salesforce</title>"
            f'<link rel="stylesheet" href="{address}/app.css"><script src="{address}/inline.js"></script>'
            f"<script>var auraConfig = {json.dumps(config)};\nwindow.Aura = window.Aura || {{}};</script>"
            f'<script src="{address}/bootstrap.js"></script></head><body>Loading</body></html>'
        )
        return Response(200, page.encode(), headers, content_type=HTML)

    def boot_context(self) -> dict[str, object]:
        """The context that the page is loaded with."""
        loaded = {f"APPLICATION@markup://{APP}": self.loaded}
        return {"mode": "PROD", "fwuid": self.fwuid, "app": APP, "loaded": loaded}

    def _new_session(self, *, crossed: bool) -> str:
        sid = f"{self.context.organization_id[:15]}!LX{secrets.token_hex(24)}"
        with self._lock:
            self._open[sid] = LightningSession(crossed)
        return f"sid={sid}; Path=/; HttpOnly; SameSite=Lax"

    def _session(self, request: Request) -> LightningSession | None:
        with self._lock:
            return self._open.get(_cookie(request.headers.get("cookie", "")))

    def _login_page(self) -> Response:
        return Response(200, _LOGIN_PAGE.format(self.context.address).encode(), content_type=HTML)


def new_csrf_token() -> str:
    """A token in the form of Lightning's: five parts, one of them empty."""

    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    head = part(json.dumps({"nonce": secrets.token_urlsafe(24), "typ": "JWT", "alg": "HS256"}))
    return f"{head}..{part(secrets.token_hex(8))}.{part(secrets.token_hex(12))}.{secrets.token_urlsafe(32)}"


def _relative(address: str) -> str:
    """A start address, which must lie in this org."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address.isprintable() and not set("'\"<>\\") & set(address) else HOME


def _cookie(header: str, name: str = "sid") -> str:
    for part in header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""
