"""Python's threading HTTP server on the loopback interface, with bounds on what a stranger can make it hold.

Any page in a browser and any user of this machine can reach the port. So the Host header must name this
machine (a rebound DNS name does not), a body is read whole only for the owner of a token, a request must
arrive in time, and connections are counted.
"""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from syncerr_tui.demo.http import (
    MAX_ANONYMOUS_BODY,
    MAX_BODY,
    MAX_HEAD,
    Refused,
    Request,
    Response,
    bad_request,
    read_body,
)
from syncerr_tui.errors import BadInputError

_log = logging.getLogger(__name__)
HOST = "127.0.0.1"
MAX_CONNECTIONS = 64
READ_SECONDS = 30.0
"""From the first line of a request to the end of its body, and from connecting to the first line."""
IDLE_SECONDS = 600.0
"""Until the next request on a kept connection."""
_POLL_SECONDS = 0.1


class HttpServer(ThreadingHTTPServer):
    """One thread a connection, `MAX_CONNECTIONS` at most.

    Args:
        port: 0 picks a free one.
        exchange: Answers a request on its connection; False closes the connection.
        refuse: Answers a request that could not be read.
        is_authorized: Whether these headers hold a token that is good now.

    Raises:
        BadInputError: The port cannot be used.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    # Python 3.14 shares the port between processes by default; a taken port has to be told.
    allow_reuse_port = False

    def __init__(
        self,
        port: int,
        *,
        exchange: Callable[[Request, ClientConnection], bool],
        refuse: Callable[[Response, ClientConnection], None],
        is_authorized: Callable[[Mapping[str, str]], bool],
    ) -> None:
        self.exchange = exchange
        self.refuse = refuse
        self.is_authorized = is_authorized
        self._lock = threading.Lock()
        self._read_until: dict[socket.socket, float] = {}
        """Open connections, and when their next request must have been read; infinity during an answer."""
        self._thread: threading.Thread | None = None
        try:
            super().__init__((HOST, port), ClientConnection)
        except (OSError, OverflowError) as problem:
            raise BadInputError(
                f"Port {port} on {HOST} cannot be used ({getattr(problem, 'strerror', None) or problem})",
                "Name another one with --port, or 0 for any free one",
            ) from problem

    def server_bind(self) -> None:
        """Bind without the reverse look-up of HTTPServer, which can wait for a DNS server."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def start(self) -> None:
        """Serve from a daemon thread until `close`."""
        self._thread = threading.Thread(
            target=self.serve_forever, args=(_POLL_SECONDS,), name="demo-org", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving and cut every connection."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()
        with self._lock:
            for connection in self._read_until:
                _cut(connection)

    def wait_for_client(self, connection: socket.socket, seconds: float) -> None:
        """Cut this connection unless the next call comes within so many seconds."""
        with self._lock:
            if connection in self._read_until:
                self._read_until[connection] = time.monotonic() + seconds

    def service_actions(self) -> None:
        """Cut the connections whose time is up. Called by `serve_forever` between requests."""
        now = time.monotonic()
        with self._lock:
            for connection, until in self._read_until.items():
                if until < now:
                    _cut(connection)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        """Give a connection its thread; when all are taken, that of the connection whose time is up first."""
        with self._lock:
            full = len(self._read_until) >= MAX_CONNECTIONS
            if full:
                first = min(self._read_until, key=self._read_until.__getitem__)
                if self._read_until[first] < float("inf"):
                    _cut(first)
                    del self._read_until[first]
                    full = False
            if not full:
                self._read_until[request] = time.monotonic() + READ_SECONDS
        if full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as in socketserver
        """Forget a connection that has ended."""
        with self._lock:
            self._read_until.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        """Log a defect; socketserver would print its traceback over the screen."""
        del request
        _log.exception("the demo org could not serve %s", client_address)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class ClientConnection(BaseHTTPRequestHandler):
    """One connection's requests, read one after the other."""

    server: HttpServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle(self) -> None:
        """Answer requests until either side has enough."""
        # The client went away, or its time was up: nobody is left to tell.
        with contextlib.suppress(OSError):
            super().handle()

    def finish(self) -> None:
        """Send what is left, if anybody still wants it."""
        with contextlib.suppress(OSError):
            super().finish()

    def handle_one_request(self) -> None:
        """Read one request and answer it."""
        try:
            request = self._read()
        except Refused as refused:
            self.close_connection = True
            self.server.refuse(refused.response, self)
            return
        if request is None:
            self.close_connection = True
            return
        self.server.wait_for_client(self.connection, float("inf"))
        self.close_connection = not self.server.exchange(request, self) or not request.keep_alive
        self.server.wait_for_client(self.connection, IDLE_SECONDS)

    def send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def wait_until_closed(self) -> None:
        """Read on, to no end, until the client gives up."""
        self.server.wait_for_client(self.connection, IDLE_SECONDS)
        while self.connection.recv(4_096):
            pass

    def _read(self) -> Request | None:
        head = self._read_head()
        if head is None:
            return None
        stream = self.rfile
        self.rfile = cast("io.BufferedReader", io.BytesIO(head))
        self.raw_requestline = self.rfile.readline()
        try:
            self.parse_request()
        finally:
            self.rfile = stream
        if not self.request_version.startswith("HTTP/1."):
            raise bad_request(400, "BAD_REQUEST", "The request line is not HTTP/1.1")
        if self.headers.defects:
            raise bad_request(400, "BAD_REQUEST", "A header cannot be read")
        headers = {name.lower(): value.strip() for name, value in self.headers.items()}
        if not _is_this_machine(headers.get("host", HOST)):
            raise bad_request(421, "MISDIRECTED_REQUEST", f"This server answers for {HOST} only")
        limit = MAX_BODY if self.server.is_authorized(headers) else MAX_ANONYMOUS_BODY
        body = read_body(cast("BinaryIO", stream), headers, limit)
        target = self.path
        if "://" in target:
            split = urlsplit(target)
            target = split.path + (f"?{split.query}" if split.query else "")
        return Request(self.command.upper(), target, headers, body, not self.close_connection)

    def _read_head(self) -> bytes | None:
        """Request line and headers; None where the client has closed the connection.

        The standard library would read 6 MB of headers, and take a head that was cut off for a whole one.
        """
        line = b"\r\n"
        while line in {b"\r\n", b"\n"}:
            line = self.rfile.readline(MAX_HEAD + 1)
        if not line:
            return None
        if len(line) > MAX_HEAD:
            raise bad_request(414, "URI_TOO_LONG", "The request URI is longer than 16,384 bytes")
        self.server.wait_for_client(self.connection, READ_SECONDS)
        lines = [line]
        left = MAX_HEAD - len(line)
        while line not in {b"\r\n", b"\n"}:
            line = self.rfile.readline(left + 1)
            left -= len(line)
            if left < 0:
                raise bad_request(
                    431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "URI and headers are over 16,384 bytes"
                )
            if not line.endswith(b"\n"):
                raise bad_request(400, "BAD_REQUEST", "The headers ended early")
            lines.append(line)
        return b"".join(lines)

    def handle_expect_100(self) -> bool:
        """Tell a client that waits for it to send the body."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What `parse_request` cannot read is refused like everything else."""
        del explain
        raise bad_request(code, "BAD_REQUEST", message or "The request cannot be read")


def _is_this_machine(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in {HOST, "localhost"}
    except ValueError:
        return False
