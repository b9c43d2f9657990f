"""A server that does exactly what a test says: for what no org would do, but a network does."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from syncerr_tui.salesforce.client import ApiClient, ClientOptions
from syncerr_tui.salesforce.concurrency import Token, TokenProvider
from syncerr_tui.salesforce.faults import Retries
from syncerr_tui.salesforce.transport import HttpLimits

SECRET = "00D5g0000000001!AQEAQ.this_is_the_secret_token"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Reply:
    """What goes back. `body` is JSON unless it is bytes; `close` ends the connection afterwards."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False


DROP = Reply(status=0)
"""Close the connection without a word."""

Script = Callable[[Asked], Reply]


class ScriptedServer:
    """Answers every request by asking the script. Keeps what was asked, in order."""

    def __init__(self, script: Script, *, tls: tuple[str, str] | None = None) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self.released = threading.Event()
        """Scripts that hang wait for this; set at the end."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def log_message(self, *args: object) -> None:
                pass

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def _any(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(size)
                parts = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                body = json.loads(raw) if raw else None
                asked = Asked(self.command, parts.path, query, dict(self.headers.items()), body)
                outer.asked.append(asked)
                self._send(script(asked))

            def _send(self, reply: Reply) -> None:
                if reply is DROP:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response_only(reply.status)
                headers = {
                    "Date": self.date_time_string(),
                    "Content-Type": "application/json",
                    "Content-Length": str(len(raw)),
                    **reply.headers,
                }
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)
                self.wfile.flush()
                if reply.close:
                    self.close_connection = True

            do_GET = do_POST = do_PATCH = do_DELETE = _any  # noqa: N815 - http.server's names

            def do_CONNECT(self) -> None:
                outer.asked.append(Asked("CONNECT", self.path, {}, dict(self.headers.items()), None))
                self._send(script(outer.asked[-1]))
                self.close_connection = True

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *args: object) -> None:
                """A handshake that a test wanted to fail is nobody's news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def hang(self) -> Reply:
        """Say nothing until the test is over."""
        self.released.wait()
        return DROP


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Logins:
    """Logins that hand out token after token."""

    def __init__(self, url: str, *tokens: str) -> None:
        self.url = url
        self.tokens = list(tokens) or [SECRET]
        self.count = 0

    def __call__(self) -> Token:
        token = self.tokens[min(self.count, len(self.tokens) - 1)]
        self.count += 1
        return Token(self.url, token)


def tokens(url: str, *given: str) -> TokenProvider:
    return TokenProvider(Logins(url, *given), next_step="Log in again with the CLI")


def client(server: ScriptedServer | str, time: Time | None = None, **options: Any) -> ApiClient:
    """A client whose waits cost nothing and whose bounds are short."""
    time = time or Time()
    url = server if isinstance(server, str) else server.url
    settings: dict[str, Any] = {
        "wire": HttpLimits(connect_timeout=2, read_timeout=5),
        "retries": Retries(),
        "clock": time,
        "sleep": time.sleep,
        "jitter": lambda: 1.0,
        **options,
    }
    provider = settings.pop("tokens", None) or tokens(url)
    return ApiClient(provider, ClientOptions(**settings))


def query_page(
    rows: list[dict[str, Any]], *, total: int | None = None, following: str | None = None
) -> Reply:
    body: dict[str, Any] = {"totalSize": len(rows) if total is None else total, "done": following is None}
    if following:
        body["nextRecordsUrl"] = following
    return Reply({**body, "records": rows})


def refusal(status: int, code: str, message: str = "no", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply([{"errorCode": code, "message": message}], status, named)
