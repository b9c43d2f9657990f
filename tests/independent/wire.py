"""The org on a port of this machine: REST as the reference has it, and all that can go wrong on the way."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from tests.independent import soql
from tests.independent.ids import guarded
from tests.independent.org import Org
from tests.independent.truth import Reply, Request

TOKEN = "00Dindependent!"
"""Every access token begins so; what follows says which start of the program it is."""
APEX, FLOW, RESOURCE = "acme__Resync_Now", "Resync_One_Event", "acme/once_more"
ID_INPUT, IDS_KEY = "changeEventId", "keys"


class Fault(StrEnum):
    """What goes wrong with one request for a re-sync."""

    NONE = "none"
    LOST_BEFORE = "lost before"
    """The line drops, and nothing was done."""
    LOST_AFTER = "lost after"
    """The line drops when all was done."""
    FAILED_BEFORE = "5xx before"
    FAILED_AFTER = "5xx after"
    HALF_FAILED = "5xx after half"
    REFUSED_AFTER = "4xx after"
    """A custom resource queues everything, and answers with an error of its own."""
    REFUSED_HALF = "4xx after half"
    BUSY = "busy"
    """Refused unread: too many requests at once."""
    EXPIRED = "expired"
    GARBLED = "garbled"
    """All was done, and the answer is a web page."""
    SHUFFLED = "shuffled"
    DOUBLED = "doubled"
    """One result comes twice, and another one not at all."""
    MISSING = "missing"
    PARTIAL = "partial"
    """Half of the rows are refused, one by one."""
    LOCKED = "locked"
    """The same, because a record is locked."""


@dataclass(slots=True)
class Manner:
    """How the line and the front door behave."""

    rng: Random
    writes: list[Fault] = field(default_factory=list)
    """Faults of the next requests for a re-sync, in order."""
    chance: float = 0.0
    """Of a fault for every other one."""
    kinds: Sequence[Fault] = tuple(Fault)
    read_chance: float = 0.0
    """Of a dropped line or a 503 for every read."""
    page_size: int = 2000
    date: Callable[[float], tuple[float, str]] = lambda now: (now, "")
    """The Date header as seconds, and the Age header."""
    refusal: int = 400
    """Status of the errors that a custom resource answers with."""
    before: Callable[[Request], None] = lambda request: None
    """Called when a request for a re-sync has come and before anything is done."""
    after: Callable[[Request], None] = lambda request: None
    """Called when all is done and before the answer."""
    on_read: Callable[[], None] = lambda: None
    """Called when events were asked for by id, before the answer."""
    on_busy: Callable[[], None] = lambda: None
    """Called when a request was turned away unread."""
    name_rows: bool = True
    """Answers of the custom resource name the events."""

    def next_fault(self) -> Fault:
        """What happens to the request that has just come."""
        if self.writes:
            return self.writes.pop(0)
        return self.rng.choice(self.kinds) if self.rng.random() < self.chance else Fault.NONE


class Server(ThreadingHTTPServer):
    """Serves one org. Use it as a context."""

    daemon_threads = True
    disable_nagle_algorithm = True

    def __init__(self, org: Org, manner: Manner | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.org = org
        self.manner = manner or Manner(Random(0))
        self.cursors: dict[str, list[dict[str, Any]]] = {}
        self._tokens = itertools.count(1)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The instance URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def next_token(self) -> int:
        """The number of the next start of the program."""
        return next(self._tokens)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""


class _DroppedError(Exception):
    """The line drops."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = 60
    server_version, sys_version = "sfdc", ""
    _ROUTES: ClassVar[Sequence[tuple[str, str, str]]] = (
        ("GET", r"/services/data/?", "_versions"),
        ("GET", r"/services/data/v\d+\.0/?", "_resources"),
        ("GET", r"/services/oauth2/userinfo", "_userinfo"),
        ("POST", r"/services/oauth2/userinfo", "_userinfo"),
        ("GET", r"/services/data/v\d+\.0/limits/?", "_limits"),
        ("GET", r"/services/data/v\d+\.0/sobjects/?", "_objects"),
        ("GET", r"/services/data/v\d+\.0/sobjects/(\w+)/describe/?", "_describe"),
        ("GET", r"/services/data/v\d+\.0/query/?", "_query"),
        ("GET", r"/services/data/v\d+\.0/query/(\w+-\d+)", "_more"),
        ("POST", r"/services/data/v\d+\.0/composite/sobjects/(\w+)/?", "_read"),
        ("PATCH", r"/services/data/v\d+\.0/composite/sobjects/?", "_update"),
        ("GET", r"/services/data/v\d+\.0/actions/custom/(apex|flow)/?", "_actions"),
        ("GET", r"/services/data/v\d+\.0/actions/custom/(apex|flow)/(\w+)/?", "_action"),
        ("POST", r"/services/data/v\d+\.0/actions/custom/(apex|flow)/(\w+)/?", "_act"),
        ("POST", rf"/services/apexrest/{RESOURCE}/?", "_resource"),
    )

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - named by the library

    def log_message(self, *_: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        moment, _ = self.server.manner.date(self.server.org.now())
        return formatdate(moment, usegmt=True)

    @property
    def _org(self) -> Org:
        return self.server.org

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._body = json.loads(self.rfile.read(length) or b"null")
        path = urlsplit(self.path)
        self._asked = {key: values[0] for key, values in parse_qs(path.query).items()}
        self._token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            for verb, pattern, name in self._ROUTES:
                match = re.fullmatch(pattern, path.path)
                if verb == self.command and match:
                    if name != "_versions" and not self._token.startswith(TOKEN):
                        self._fail(401, "INVALID_SESSION_ID", "Session expired or invalid")
                        return
                    writes = name in {"_update", "_act", "_resource"}
                    if not writes and self._read_fails():
                        return
                    getattr(self, name)(*match.groups())
                    return
            self._fail(404, "NOT_FOUND", "The requested resource does not exist")
        except soql.QueryError as error:
            self._fail(400, error.code, str(error))
        except _DroppedError:
            self._drop()

    def _read_fails(self) -> bool:
        manner = self.server.manner
        if manner.rng.random() >= manner.read_chance:
            return False
        if manner.rng.random() < 0.5:
            self._drop()
        else:
            self._send(503, b"<html>Maintenance</html>", "text/html")
        return True

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, body: bytes, kind: str = "application/json;charset=UTF-8") -> None:
        self.send_response(status)
        _, age = self.server.manner.date(self._org.now())
        if age:
            self.send_header("Age", age)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Sforce-Limit-Info", f"api-usage={len(self._org.truth.looks)}/5000000")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _json(self, answer: object, status: int = 200) -> None:
        self._send(status, json.dumps(answer, ensure_ascii=False).encode())

    def _fail(self, status: int, code: str, message: str) -> None:
        self._json([{"errorCode": code, "message": message}], status)

    # -- reading

    def _versions(self) -> None:
        self._json(
            [{"label": "Spring", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in (59, 64, 66)]
        )

    def _resources(self) -> None:
        user = self._org.users["client"]
        self._json({"identity": f"{self.server.url}/id/{self._org.org_id}/{user}", "sobjects": "/x"})

    def _userinfo(self) -> None:
        self._json(
            {
                "user_id": self._org.users["client"],
                "organization_id": self._org.org_id,
                "preferred_username": "client@kaufladen.example",
            }
        )

    def _limits(self) -> None:
        self._json({"DailyApiRequests": {"Max": 5_000_000, "Remaining": 4_900_000}})

    def _objects(self) -> None:
        self._json({"sobjects": [table.brief() for table in self._org.tables.values()]})

    def _describe(self, name: str) -> None:
        if name not in self._org.tables:
            self._fail(404, "NOT_FOUND", "The requested resource does not exist")
            return
        self._json(self._org.tables[name].described())

    def _query(self) -> None:
        query, rows = self._org.query(self._asked.get("q", ""), self._token)
        if query.counts:
            self._json({"totalSize": len(rows), "done": True, "records": []})
            return
        cursor = f"0r8{len(self.server.cursors):09}"
        self.server.cursors[cursor] = rows
        self._page(cursor, 0)

    def _more(self, locator: str) -> None:
        cursor, _, start = locator.partition("-")
        if cursor not in self.server.cursors:
            self._fail(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
            return
        self._page(cursor, int(start))

    def _page(self, cursor: str, start: int) -> None:
        rows, size = self.server.cursors[cursor], self.server.manner.page_size
        end = start + size
        answer = {"totalSize": len(rows), "done": end >= len(rows), "records": rows[start:end]}
        if end < len(rows):
            answer["nextRecordsUrl"] = f"/services/data/v66.0/query/{cursor}-{end}"
        self._json(answer)

    def _read(self, table: str) -> None:
        ids = [guarded(key) if len(key) == 15 else key for key in self._body["ids"]]
        rows = self._org.read(table, ids, self._body["fields"], self._token)
        if table == self._org.naming.event_object:
            self.server.manner.on_read()
        self._json(rows)

    def _actions(self, kind: str) -> None:
        self._json({"actions": [{"name": APEX if kind == "apex" else FLOW, "label": "Once more"}]})

    def _action(self, kind: str, name: str) -> None:
        if name != (APEX if kind == "apex" else FLOW):
            self._fail(404, "NOT_FOUND", "No such action")
            return
        an_input = {
            "name": ID_INPUT,
            "label": "Change event",
            "type": "STRING",
            "required": True,
            "maxOccurs": 1,
        }
        self._json({"name": name, "label": "Once more", "inputs": [an_input], "outputs": []})

    # -- asking for a re-sync

    def _act(self, kind: str, name: str) -> None:
        def result(event: str, refusal: tuple[str, str] | None) -> dict[str, Any]:
            errors = refusal and [{"statusCode": refusal[0], "message": refusal[1], "fields": []}]
            outputs = None if errors else {"id": event}
            return {
                "actionName": name,
                "errors": errors,
                "isSuccess": not errors,
                "outputValues": outputs,
            }

        self._write([str(one[ID_INPUT]) for one in self._body["inputs"]], result)

    def _resource(self) -> None:
        def result(event: str, refusal: tuple[str, str] | None) -> dict[str, Any]:
            words = {"code": refusal[0], "message": refusal[1]} if refusal else {}
            return {"id": event, "success": not refusal, **words}

        self._write([str(one) for one in self._body[IDS_KEY]], result, custom=True)

    def _update(self) -> None:
        def result(event: str, refusal: tuple[str, str] | None) -> dict[str, Any]:
            errors = [{"statusCode": refusal[0], "message": refusal[1], "fields": []}] if refusal else []
            return {"success": not errors, "errors": errors, **({} if errors else {"id": event})}

        self._write([str(one["id"]) for one in self._body["records"]], result)

    def _write(
        self,
        named: list[str],
        result: Callable[[str, tuple[str, str] | None], dict[str, Any]],
        *,
        custom: bool = False,
    ) -> None:
        org, manner = self._org, self.server.manner
        events = [guarded(key) if len(key) == 15 else key for key in named]
        fault = manner.next_fault()
        if fault in {Fault.REFUSED_AFTER, Fault.REFUSED_HALF} and not custom:
            fault = Fault.LOST_AFTER  # only a custom resource does what it likes
        if fault in {Fault.BUSY, Fault.EXPIRED}:
            org.refuse_unread(events, self._token, Reply.BUSY if fault is Fault.BUSY else Reply.EXPIRED)
            if fault is Fault.BUSY:
                manner.on_busy()
                self._fail(
                    403,
                    "REQUEST_LIMIT_EXCEEDED",
                    "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
                )
            else:
                self._fail(401, "INVALID_SESSION_ID", "Session expired or invalid")
            return
        request = org.request(events, self._token)
        manner.before(request)
        half = events[: (len(events) + 1) // 2]
        with org.lock:
            if fault in {Fault.LOST_BEFORE, Fault.FAILED_BEFORE}:
                done: Sequence[str] = ()
            elif fault in {Fault.HALF_FAILED, Fault.REFUSED_HALF, Fault.PARTIAL, Fault.LOCKED}:
                done = half
            else:
                done = events
            org.accept(done, request.at, request)
            if fault in {Fault.PARTIAL, Fault.LOCKED}:
                request.refused = set(events) - set(done)
        manner.after(request)
        if fault in {Fault.LOST_BEFORE, Fault.LOST_AFTER}:
            raise _DroppedError
        if fault in {Fault.FAILED_BEFORE, Fault.FAILED_AFTER, Fault.HALF_FAILED}:
            status = manner.rng.choice((500, 502, 503, 504))
            self._fail(status, "UNKNOWN_EXCEPTION", "An unexpected error occurred")
            return
        if fault in {Fault.REFUSED_AFTER, Fault.REFUSED_HALF}:
            self._fail(manner.refusal, "SOME_ROWS", "Not all of the rows could be queued")
            return
        if fault is Fault.GARBLED:
            self._send(200, b"<html><body>Back soon</body></html>", "text/html")
            return
        code = "UNABLE_TO_LOCK_ROW" if fault is Fault.LOCKED else "INSUFFICIENT_ACCESS"
        refusal = (code, "unable to obtain exclusive access to this record")
        rows = [result(key, refusal if key in request.refused else None) for key in events]
        self._answer(request, fault, rows, custom=custom)

    def _answer(self, request: Request, fault: Fault, rows: list[dict[str, Any]], *, custom: bool) -> None:
        manner = self.server.manner
        request.reply = Reply.WHOLE
        if fault is Fault.SHUFFLED:
            manner.rng.shuffle(rows)
        if fault is Fault.DOUBLED and len(rows) > 1:
            rows[-1] = rows[0]
            request.reply = Reply.UNCLEAR
        if fault is Fault.MISSING and len(rows) > 1:
            rows = rows[:-1]
            request.reply = Reply.UNCLEAR
        if custom:
            self._json({"results": rows} if manner.name_rows else {"status": "queued"})
            return
        failed = any(not row.get("isSuccess", row.get("success")) for row in rows)
        self._json(rows, 400 if failed and "isSuccess" in rows[0] else 200)


def token(number: int) -> str:
    """The access token of the n-th start of the program."""
    return f"{TOKEN}{number:04}.secret{number * 7919:08}"
