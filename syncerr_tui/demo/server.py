"""The demo org served over HTTP/1.1 on 127.0.0.1, with the faults that happen on the wire."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Self

from syncerr_tui.demo.application import Application
from syncerr_tui.demo.button import ButtonController
from syncerr_tui.demo.faults import Faults, transport_faults
from syncerr_tui.demo.http import HTML, Request, Response, encode_response, error
from syncerr_tui.demo.http_server import HOST, ClientConnection, HttpServer
from syncerr_tui.demo.lightning import Lightning
from syncerr_tui.demo.oauth import Credentials, OAuth, Sessions
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.demo.recording import LIGHTNING_HOST, recording
from syncerr_tui.demo.rest import ServerContext
from syncerr_tui.demo.save_errors import OPAQUE_WORDS
from syncerr_tui.demo.schema_variants import schema_of_variant
from syncerr_tui.demo.store import DEMO_ORGANIZATION_ID, DEMO_USER_ID, Store, utc_now
from syncerr_tui.errors import BadInputError

_log = logging.getLogger(__name__)
_DRIP = 64
_PAGE = (
    b"<html><head><title>Down for maintenance</title></head><body><p>We'll be back shortly.</p></body></html>"
)
_UNKNOWN = (500, "UNKNOWN_EXCEPTION", OPAQUE_WORDS)
_REFUSALS: Mapping[str, tuple[int, str, str]] = {
    "expire-forever": (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "expire-once": (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "forbid-limit": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "forbid-concurrent": (
        403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    ),
    "forbid-permission": (
        403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id"
    ),
    "server-error": _UNKNOWN,
}  # fmt: skip
"""Faults that are an answer, the first of those that meet a request."""


class SkewedClock:
    """The org's time: a base clock, moved by the fault `clock-skew`."""

    def __init__(self, base: Callable[[], datetime], faults: Faults) -> None:
        self._base = base
        self._faults = faults
        if isinstance(base, ManualClock):
            self.advance = base.advance

    def __call__(self) -> datetime:
        """Now, by the org's clock."""
        return self._base() + timedelta(seconds=self._faults.skew)


class DemoServer:
    """A demo org and its HTTP server.

    Making it takes the port and builds the world. It serves, from daemon threads, after `start` (or inside a
    `with` block), until `close` ends it promptly, whatever is under way.

    Args:
        options: What the org is like.
        credentials: What its user and its connected app log in with; None: new ones, by chance.
        clock: The org's time; None: the real one, or a `ManualClock` where the options ask for it.
        token_lifetime: Seconds a token from a login is good for; None: until revoked. `access_token` lasts.
        make_org: What makes the org behind the REST resources.

    Raises:
        BadInputError: The port is taken, a fault is unknown, the database file cannot be used.
    """

    def __init__(
        self,
        options: DemoOptions,
        *,
        credentials: Credentials | None = None,
        clock: Callable[[], datetime] | None = None,
        token_lifetime: float | None = None,
        make_org: Callable[..., DemoOrg] = DemoOrg,
    ) -> None:
        self.options = options
        self.credentials = credentials or Credentials()
        self.faults = Faults()
        self.faults.switch_on(transport_faults(options.faults))
        self.crashes: list[BaseException] = []
        """Defects of the demo org itself, met while it answered; each was a 500 to the client."""
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._under_way = 0
        self._random = random.Random(options.seed)
        base = clock or (ManualClock() if options.manual_clock else utc_now)
        self.clock = SkewedClock(base, self.faults)
        with contextlib.ExitStack() as undo:
            self._http = HttpServer(
                options.port,
                exchange=self.exchange,
                refuse=lambda response, line: line.send(encode_response(None, response, self._date())),
                is_authorized=lambda headers: self._application.is_authorized(headers),  # noqa: PLW0108 - made below
            )
            undo.callback(self._http.close)
            self.store = Store(options.db, schema_of_variant(options.naming), clock=self.clock)
            undo.callback(self.store.close)
            # One transaction: a start that is cut off leaves no half a world behind in --db.
            with self.store.transaction():
                self.org = make_org(options, clock=self.clock, store=self.store)
            self._grant_permissions()
            self._application, self.sessions, self.oauth = self._build(token_lifetime)
            self.access_token = self.sessions.open(lasting=True)
            undo.pop_all()

    @property
    def instance_url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{HOST}:{self._http.server_port}"

    @property
    def calls(self) -> int:
        """API calls answered so far, as the org counts them."""
        return self._application.context.used

    def _build(self, token_lifetime: float | None) -> tuple[Application, Sessions, OAuth]:
        organizations = self.store.find("Organization")
        context = ServerContext(
            org=self.org,
            store=self.store,
            faults=self.faults,
            clock=self.clock,
            page_size=self.options.page_size,
            address=self.instance_url,
            organization_id=str(organizations[0]["Id"]) if organizations else DEMO_ORGANIZATION_ID,
            user_id=DEMO_USER_ID,
            started_at=self.clock(),
        )
        sessions = Sessions(context.organization_id, self.clock, token_lifetime)
        oauth = OAuth(context, sessions, self.credentials)
        self.button = ButtonController(context)
        lightning = Lightning(context, sessions)
        return Application(context, sessions, oauth, lightning, self.button), sessions, oauth

    def _grant_permissions(self) -> None:
        may_set_up = not any(fault.startswith("no-setup-permission") for fault in self.options.faults)
        names = ("ModifyMetadata", "ModifyAllData", "CustomizeApplication", "ManageInteraction")
        granted = {f"Permissions{name}": may_set_up for name in names}
        for row in self.store.find("UserPermissionAccess"):
            self.store.update("UserPermissionAccess", str(row["Id"]), granted)

    def recording(self, address: str = LIGHTNING_HOST) -> Mapping[str, object]:
        """A recording of the Re-sync button, pressed with two rows ticked, as a browser exports it.

        Args:
            address: Scheme and host of the recorded page.

        Raises:
            BadInputError: No error is left to tick.
        """
        rows: list[str] = []
        for _ in range(2):
            entry = self.org.engine.queue.youngest_failed(rows)
            rows += [] if entry is None else [entry.event_id]
        if not rows:
            raise BadInputError("This demo org has no sync error to press the button on", "Try --errors 20")
        return recording(rows, DEMO_USER_ID, self.clock(), address)

    def start(self) -> Self:
        """Serve, and let the sync engine work."""
        self.org.start()
        self._http.start()
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; connections are cut. May be called twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._http.close()
        self.org.close()
        self.store.close()

    def _date(self) -> str:
        return format_datetime(self.clock().astimezone(UTC), usegmt=True)

    def exchange(self, request: Request, line: ClientConnection) -> bool:
        """Answer one request, faults included; False where the connection is to be closed."""
        fires = self.faults.fires
        if fires("drop-before", request):
            return False
        with self._lock:
            self._under_way += 1
        try:
            self._wait(request)
            response = self.response_of_fault(request) or self.response_of_org(request)
        finally:
            with self._lock:
                self._under_way -= 1
        if fires("drop-after", request):
            return False
        if fires("lost-reply", request):
            line.wait_until_closed()
            return False
        reply = self._encoded(request, response) * (2 if fires("duplicate-reply", request) else 1)
        drip = fires("slow-drip", request)
        if drip:
            self._drip(line, reply, drip.number)
        else:
            line.send(reply)
        return not response.close

    def _wait(self, request: Request) -> None:
        seconds = self.options.latency
        slow = self.faults.fires("latency", request)
        if slow:
            seconds += slow.number
        uneven = self.faults.fires("jitter", request)
        if uneven:
            seconds += self._random.uniform(0, uneven.number)
        if seconds:
            self._stopping.wait(seconds)

    def response_of_org(self, request: Request) -> Response:
        """What the org answers once the request is processed."""
        try:
            return self._application.answer(request)
        except Exception as defect:
            # The one place where a defect may not end the thread: the client gets what a real org would say.
            if self._stopping.is_set():
                raise ConnectionAbortedError from defect
            self.crashes.append(defect)
            _log.exception("the demo org could not answer %s %s", request.method, request.path)
            return error(*_UNKNOWN)

    def response_of_fault(self, request: Request) -> Response | None:
        """The answer of a fault that keeps the request from being processed."""
        fires = self.faults.fires
        if fires("maintenance", request):
            return Response(503, _PAGE, content_type=HTML)
        if fires("html-200", request):
            return Response(200, _PAGE, content_type=HTML)
        moved = fires("redirect", request)
        if moved:
            return Response(302, headers={"Location": moved.value + request.target})
        public = request.segments[:2] in {("services", "oauth2"), ("services", "Soap")}
        for name, (status, code, message) in _REFUSALS.items():
            cannot = (public and code == "INVALID_SESSION_ID") or (
                name == "forbid-concurrent" and not self._crowded()
            )
            if not cannot and fires(name, request):
                context, response = self._application.context, error(status, code, message)
                used = context.total if name == "forbid-limit" else context.used
                response.headers["Sforce-Limit-Info"] = f"api-usage={used}/{context.total}"
                return response
        return None

    def _crowded(self) -> bool:
        allowed = self.faults.value("forbid-concurrent")
        with self._lock:
            return allowed is not None and self._under_way > allowed

    def _encoded(self, request: Request, response: Response) -> bytes:
        if self.faults.fires("truncated-json", request):
            payload = response.payload()
            response.body = payload[: len(payload) // 2]
        return encode_response(request, response, self._date())

    def _drip(self, line: ClientConnection, data: bytes, seconds: float) -> None:
        for start in range(0, len(data), _DRIP):
            line.send(data[start : start + _DRIP])
            if self._stopping.wait(seconds):
                return


class ManualClock:
    """Time that stands still until `advance`. Thread-safe."""

    def __init__(self, start: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._now = start or datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        """The moment it shows, aware and in UTC."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> datetime:
        """Move on (never back) and tell the new moment."""
        with self._lock:
            self._now += timedelta(seconds=max(0.0, seconds))
            return self._now
